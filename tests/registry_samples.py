"""Calls of ATen ops to test the registry with: recorded while PyTorch runs its own test samples.

`torch.testing`'s table of ops makes the samples. A dispatch mode notes every ATen call that
happens on the way, forward and backward, so that an op is found whatever public function uses it.
"""

from __future__ import annotations

import functools
import itertools
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from types import NoneType
from typing import Any

import numpy as np
import torch
from torch.testing._internal.common_methods_invocations import op_db
from torch.utils._python_dispatch import TorchDispatchMode

import funcgrad  # noqa: F401  (fills the registry)
from funcgrad.op import REGISTRY

INERT = {
    "layout", "device", "pin_memory", "memory_format", "non_blocking", "generator", "out",
}  # fmt: skip
"""Arguments that say where a tensor lives, not what its value is."""

EDGES = [0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0, 0.0, 6.0, 1.0, 0.25]
"""Where functions have kinks and bounds; repeated values make ties."""

NOT_FINITE = [float("nan"), 1.0, float("inf"), -1.0, float("-inf"), 0.0, -2.0]


@dataclass(frozen=True)
class Call:
    """One call of an ATen op: its arguments by name, and where the sample comes from."""

    aten: str
    arguments: dict[str, Any]
    source: str

    def tensors(self) -> list[torch.Tensor]:
        return [t for value in self.arguments.values() for t in _tensors(value)]

    def map(self, function) -> Call:
        """The same call with another tensor for each tensor."""
        mapped = {name: _mapped(value, function) for name, value in self.arguments.items()}
        return replace(self, arguments=mapped)

    def __str__(self):
        shown = (f"{name}={_shown(value)}" for name, value in self.arguments.items())
        return f"{self.aten}({', '.join(shown)}) [{self.source}]"


def overload(aten: str):
    """PyTorch's op of this name, ``"mul.Tensor"`` or ``"exp"``; None if there is none."""
    name, _, variant = aten.partition(".")
    packet = getattr(torch.ops.aten, name, None)
    return None if packet is None else getattr(packet, variant or "default", None)


def calls(aten: str, dtype: torch.dtype, count: int) -> list[Call]:
    """At most ``count`` calls of different kinds whose inputs have ``dtype``.

    Those recorded in the samples of a function with the op's name come first; where nothing was
    recorded one call is invented from the schema.
    """
    found = corpus(dtype).get(aten) or _invented(aten, dtype)
    return spread(sorted(found, key=lambda call: _stem(aten) not in call.source), count)


def spread(found: list[Call], count: int) -> list[Call]:
    """``count`` of them, those with different structure first, small ones before large ones."""
    rank: dict[Any, int] = defaultdict(int)
    order = []
    for call in found:
        key = _structure(call)
        order.append((rank[key], sum(t.numel() for t in call.tensors()) > 400, len(order), call))
        rank[key] += 1
    return [item[-1] for item in sorted(order, key=lambda item: item[:-1])[:count]]


@functools.cache
def corpus(dtype: torch.dtype, per_opinfo: int = 12) -> dict[str, list[Call]]:
    """All recorded calls with samples of ``dtype``, by ATen name.

    In a thread of its own: seeding PyTorch formats the whole stack, which is deep in a test.
    """
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(_recorded, dtype, per_opinfo).result()


def _recorded(dtype: torch.dtype, per_opinfo: int) -> dict[str, list[Call]]:
    torch.set_num_threads(1)  # tiny tensors: threads would only wait for each other
    torch.manual_seed(0)
    recorder = _Recorder()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for info in op_db:
            if dtype in info.dtypes and not info.name.startswith(("_refs", "sparse")):
                _record(info, dtype, per_opinfo, recorder)
    return dict(recorder.found)


def _invented(aten: str, dtype: torch.dtype) -> list[Call]:
    """One call with an argument for each parameter that has no default."""
    if not dtype.is_floating_point:
        return []
    arguments = {}
    for argument in overload(aten)._schema.arguments:
        if argument.has_default_value() and argument.type.kind() != "OptionalType":
            continue
        if argument.name in INERT:
            continue
        arguments[argument.name] = _example(str(argument.type), argument.name, dtype)
    given = {k: v for k, v in arguments.items() if v is not None}
    for chosen in (given, {k: v for k, v in given.items() if k != "dtype"}):
        try:
            overload(aten)(**chosen)
        except Exception:  # noqa: BLE001  it needs more than any argument, or no integers
            continue
        return [Call(aten, chosen, "invented")]
    return []


def _example(kind: str, name: str, dtype: torch.dtype):
    if name == "dtype":
        return torch.int64
    generator = torch.Generator().manual_seed(len(name))
    if kind == "Tensor" and name == "index":
        return torch.zeros(3, 4, dtype=torch.int64)
    if kind == "Tensor":
        shape = () if name == "value" else (3, 4)
        return torch.rand(shape, dtype=dtype, generator=generator) + 0.25
    return {
        "Scalar": 2.5,
        "float": 2.5,
        "int": 1,
        "List[int]": [3, 4],
        "number": 2.5,
        "str": "add",
    }.get(kind)


def edge_calls(aten: str, values: list[float], count: int) -> Iterator[Call]:
    """Calls with these values in every floating tensor, shifted for each so that some tie.

    Calls that PyTorch refuses are left out.
    """
    for call in calls(aten, torch.float64, count):
        edge = replace(call.map(_edges(values)), source=f"{call.source}, edges")
        try:
            overload(aten)(**edge.map(torch.clone).arguments)
        except RuntimeError:
            continue
        yield edge


def _edges(values: list[float]):
    shifts = itertools.count()

    def edges(t):
        if not t.is_floating_point():
            return t
        cycle = itertools.islice(itertools.cycle(values), next(shifts), None)
        flat = [next(cycle) for _ in range(t.numel())]
        return torch.tensor(flat, dtype=t.dtype).reshape(t.shape)

    return edges


def to_numpy(t: torch.Tensor) -> np.ndarray:
    """The values of a tensor as an array."""
    return t.detach().resolve_conj().resolve_neg().numpy(force=True)


class _Recorder(TorchDispatchMode):
    """Notes the calls of registered ops that pass through PyTorch's dispatcher."""

    def __init__(self):
        super().__init__()
        self.found: dict[str, list[Call]] = defaultdict(list)
        self.source = ""
        self.taken: Counter = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.note(func, args, kwargs or {})
        return func(*args, **(kwargs or {}))

    def note(self, func, args, kwargs) -> None:
        variant = "" if func._overloadname == "default" else f".{func._overloadname}"
        aten = func._schema.name.removeprefix("aten::") + variant
        if aten not in REGISTRY or self.taken[aten, self.source] >= _limit(aten, self.source):
            return
        names = [a.name for a in func._schema.arguments]
        named = {**dict(zip(names, args, strict=False)), **kwargs}
        named = {name: value for name, value in named.items() if name not in INERT}
        call = Call(aten, named, self.source).map(_frozen)
        if all(_is_plain(t) for t in call.tensors()):
            self.found[aten].append(call)
            self.taken[aten, self.source] += 1


def _stem(aten: str) -> str:
    return aten.partition(".")[0].strip("_")


def _limit(aten: str, source: str) -> int:
    """More calls from the samples of the function itself than from those of others."""
    return 20 if _stem(aten) in source else 2


def _record(info, dtype, count, recorder) -> None:
    recorder.source = f"{info.name}{'.' if info.variant_test_name else ''}{info.variant_test_name}"
    differentiable = (dtype.is_floating_point or dtype.is_complex) and info.supports_autograd
    samples = info.sample_inputs("cpu", dtype, requires_grad=differentiable)
    for sample in itertools.islice(_guarded(samples), count):
        try:
            with recorder:
                out = info(sample.input, *sample.args, **sample.kwargs)
                if differentiable:
                    _backward(out)
        except Exception:  # noqa: BLE001  a sample that PyTorch refuses is no sample
            pass
        _record_directly(info, sample, recorder)


def _guarded(samples):
    try:
        yield from samples
    except Exception:  # noqa: BLE001
        return


def _backward(out) -> None:
    outs = [t for t in _tensors(out) if t.requires_grad]
    if outs:
        torch.autograd.backward(outs, [torch.ones_like(t) for t in outs])


def _record_directly(info, sample, recorder) -> None:
    """Ops that PyTorch composes of others never reach the dispatcher: call them by name."""
    stem = info.name.rpartition(".")[2]
    for aten in _by_name().get(stem, []) + _by_name().get(info.aten_name, []):
        func = overload(aten)
        if func is None or not func._can_decompose():
            continue
        try:
            func(sample.input, *sample.args, **sample.kwargs)
        except Exception:  # noqa: BLE001  not the arguments of this overload
            continue
        recorder.note(func, (sample.input, *sample.args), sample.kwargs)


@functools.cache
def _by_name() -> dict[str, list[str]]:
    names = defaultdict(list)
    for aten in REGISTRY:
        names[aten.partition(".")[0]].append(aten)
    return names


def _tensors(value) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, list | tuple):
        return [t for item in value for t in _tensors(item)]
    return []


def _mapped(value, function):
    if isinstance(value, torch.Tensor):
        return function(value)
    if isinstance(value, list | tuple):
        return [_mapped(item, function) for item in value]
    return value


def _frozen(t: torch.Tensor) -> torch.Tensor:
    return t.detach().clone() if _is_plain(t) else t


def _is_plain(t: torch.Tensor) -> bool:
    return type(t) in (torch.Tensor, torch.nn.Parameter) and t.layout == torch.strided


def _structure(call: Call):
    """What makes two calls alike: ranks and dtypes of tensors, kinds and small values of others."""

    def of(value):
        if isinstance(value, torch.Tensor):
            return value.dtype, value.dim(), value.numel() == 0
        if isinstance(value, list | tuple):
            return tuple(map(of, value))
        return type(value), value if isinstance(value, bool | str | int | NoneType) else None

    return tuple((name, of(value)) for name, value in call.arguments.items())


def _shown(value) -> str:
    if isinstance(value, torch.Tensor):
        return f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_shown, value))}]"
    return repr(value)

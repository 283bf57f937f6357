"""Functions of `torch.nn.functional` against ours: values, gradients, gradients of gradients.

The samples are PyTorch's own (`op_db`), or calls written down in a test.
"""

from __future__ import annotations

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import torch
from torch.testing._internal.common_methods_invocations import op_db

import funcgrad
from funcgrad.composite import COMPOSITES
from funcgrad.op import REGISTRY

TOLERANCE = {torch.float64: dict(rtol=1e-9, atol=1e-11), torch.float32: dict(rtol=2e-5, atol=2e-6)}


def ours(name: str):
    """Our function of this name of `torch.nn.functional`."""
    if f"nn.{name}" in COMPOSITES:
        return COMPOSITES[f"nn.{name}"]
    found = [op for op in REGISTRY.values() if op.face == "nn" and op.name == name]
    return found[0] if found else getattr(funcgrad, name)


def samples(name: str, dtype: torch.dtype, limit: int):
    """PyTorch's samples of a function: those with different keyword arguments first."""
    (info, *_) = [info for info in op_db if info.name == f"nn.functional.{name}"]
    found = list(info.sample_inputs("cpu", dtype, requires_grad=dtype.is_floating_point))
    seen: dict[str, int] = {}
    order = []
    for index, sample in enumerate(found):
        key = str(sorted(sample.kwargs)) + str(sample.kwargs.get("reduction", ""))
        seen[key] = seen.get(key, -1) + 1
        order.append((seen[key], index, sample))
    chosen = [sample for _, _, sample in sorted(order, key=lambda item: item[:2])[:limit]]
    return [(info.op, (s.input, *s.args), s.kwargs) for s in chosen]


def arrays(value):
    """Tensors as arrays, anywhere in a structure."""
    if isinstance(value, torch.Tensor):
        return jnp.asarray(to_numpy(value))
    return type(value)(map(arrays, value)) if isinstance(value, list | tuple) else value


def to_numpy(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().resolve_conj().numpy(force=True)


def leaves(value) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value] if value.requires_grad else []
    return sum(map(leaves, value), []) if isinstance(value, list | tuple) else []


def _flat(out) -> list:
    return list(out) if isinstance(out, list | tuple) else [out]


def check(function, theirs, args, kwargs, second: bool = True) -> None:
    """``function`` of arrays agrees with ``theirs`` of tensors; both may raise, if the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            wanted = _flat(theirs(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  whatever PyTorch raises
            try:
                function(*arrays(args), **{k: arrays(v) for k, v in kwargs.items()})
            except type(error):
                return
            raise AssertionError(f"PyTorch raises {error!r}") from error
        _check(function, wanted, args, kwargs, second)


def _check(function, wanted, args, kwargs, second):
    tensors = list(dict.fromkeys(leaves([list(args), list(kwargs.values())])))

    def run(*values):
        given = dict(zip(map(id, tensors), values, strict=True))

        def fill(value):
            if isinstance(value, torch.Tensor):
                return given[id(value)] if value.requires_grad else arrays(value)
            return type(value)(map(fill, value)) if isinstance(value, list | tuple) else value

        filled = [fill(a) for a in args]
        return _flat(function(*filled, **{k: fill(v) for k, v in kwargs.items()}))

    def close(what, found, expected):
        found, expected = np.asarray(found), to_numpy(expected)
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype), what
        tolerance = TOLERANCE.get(torch.float64 if found.itemsize > 4 else torch.float32)
        np.testing.assert_allclose(found, expected, err_msg=what, equal_nan=True, **tolerance)

    points = [arrays(t.detach()) for t in tensors]
    for found, expected in zip(jax.jit(run)(*points), wanted, strict=True):
        close("value", found, expected)
    kept = [i for i, t in enumerate(wanted) if t.requires_grad]
    if not kept:
        return
    cotangents = [torch.randn_like(wanted[i]) for i in kept]
    grads = torch.autograd.grad(
        [wanted[i] for i in kept], tensors, cotangents, create_graph=second, allow_unused=True
    )

    def pulled(*values):
        _, pull = jax.vjp(lambda *v: [run(*v)[i] for i in kept], *values)
        return [jnp.conj(g) for g in pull([jnp.conj(arrays(c)) for c in cotangents])]

    for index, (found, expected) in enumerate(zip(jax.jit(pulled)(*points), grads, strict=True)):
        close(f"gradient {index}", found, _filled(expected, tensors[index]))
    live = [i for i, g in enumerate(grads) if g is not None and g.requires_grad]
    if not second or not live:
        return
    try:
        again = torch.autograd.grad(
            [grads[i] for i in live], tensors, [torch.ones_like(grads[i]) for i in live],
            allow_unused=True,
        )  # fmt: skip
    except RuntimeError:
        return  # PyTorch has no second derivative here

    @jax.jit
    def pulled_again(*values):
        outs, pull = jax.vjp(lambda *v: [pulled(*v)[i] for i in live], *values)
        return [jnp.conj(g) for g in pull([jnp.ones_like(o) for o in outs])]

    for index, found in enumerate(pulled_again(*points)):
        close(f"second gradient {index}", found, _filled(again[index], tensors[index]))


def _filled(tensor, like):
    return torch.zeros_like(like) if tensor is None else tensor

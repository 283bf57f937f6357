"""Writes down what a program does, through the public face of the `torch` module it is given.

One capture serves real PyTorch and `stateful`: it wraps `Tensor.backward`, `autograd.backward`,
`autograd.grad`, the `step` of every optimizer and the samplers that the program calls itself, and
it reads leaves off `grad_fn`. Events that the library causes inside another event (PyTorch's
`Tensor.backward` calls `autograd.backward`) are not counted.
"""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .naming import UserCode
from .node_trace import NodeTracer
from .nodes import describe, leaves
from .trace import Event, Quantity, TraceWriter

SAMPLERS = (
    "bernoulli multinomial normal poisson rand rand_like randint randint_like randn randn_like"
    " randperm"
).split()
SAMPLER_METHODS = (
    "bernoulli_ cauchy_ exponential_ geometric_ log_normal_ normal_ random_ uniform_"
).split()
INITIALIZERS = (
    "kaiming_normal_ kaiming_uniform_ normal_ orthogonal_ sparse_ trunc_normal_ uniform_"
    " xavier_normal_ xavier_uniform_"
).split()


class Capture:
    """Wraps the module `torch` so that a program that uses it writes its events to `trace`.

    `tracer`, if given, follows one gradient call node by node.
    """

    def __init__(
        self, torch: Any, trace: TraceWriter, user: UserCode, tracer: NodeTracer | None = None
    ) -> None:
        self._torch = torch
        self._trace = trace
        self._user = user
        self._tracer = tracer
        self._busy: set[str] = set()
        self._gradients = 0

    def install(self) -> None:
        """Puts the wrappers in place; for the rest of the process."""
        torch = self._torch
        _wrap(torch.Tensor, "backward", self._backward)
        _wrap(torch.autograd, "backward", self._backward)
        _wrap(torch.autograd, "grad", self._grad)
        _wrap(torch.optim.Optimizer, "__init__", self._optimizer)
        for owner, names in (
            (torch, SAMPLERS),
            (torch.Tensor, SAMPLER_METHODS),
            (torch.nn.init, INITIALIZERS),
        ):
            for name in names:
                if hasattr(owner, name):
                    _wrap(owner, name, functools.partial(self._sampler, name))

    @contextmanager
    def _once(self, what: str) -> Iterator[bool]:
        """True for the outermost call of its kind that does not come from the library itself."""
        caller = sys._getframe(3).f_globals.get("__name__", "")
        if what in self._busy or caller.split(".")[0] in ("torch", "stateful"):
            yield False
            return
        self._busy.add(what)
        try:
            yield True
        finally:
            self._busy.discard(what)

    def _backward(self, original: Callable, *args: Any, **kwargs: Any) -> Any:
        with self._once("gradient") as outermost:
            if not outermost:
                return original(*args, **kwargs)
            roots = _tensors(args[0] if args else kwargs.get("tensors"))
            wanted = kwargs.get("inputs")
            targets = leaves(roots) if wanted is None else _tensors(wanted)
            names = self._user.names()

            def gradients() -> list[Quantity]:
                return [
                    self._quantity(names.get(id(leaf), f"leaf{index}") + ".grad", "grad", leaf.grad)
                    for index, leaf in enumerate(targets)
                    if leaf.grad is not None
                ]

            call = functools.partial(original, *args, **kwargs)
            return self._gradient_event("backward", call, roots, names, lambda _: gradients())

    def _grad(self, original: Callable, *args: Any, **kwargs: Any) -> Any:
        with self._once("gradient") as outermost:
            if not outermost:
                return original(*args, **kwargs)
            roots = _tensors(args[0] if args else kwargs["outputs"])
            inputs = _tensors(args[1] if len(args) > 1 else kwargs["inputs"])
            names = self._user.names()

            def gradients(result: Any) -> list[Quantity]:
                return [
                    self._quantity(names.get(id(one), f"input{index}") + ".grad", "grad", gradient)
                    for index, (one, gradient) in enumerate(zip(inputs, result, strict=True))
                    if gradient is not None
                ]

            call = functools.partial(original, *args, **kwargs)
            return self._gradient_event("grad", call, roots, names, gradients)

    def _gradient_event(
        self,
        kind: str,
        call: Callable[[], Any],
        roots: list[Any],
        names: dict[int, str],
        gradients: Callable[[Any], list[Quantity]],
    ) -> Any:
        line = self._user.line()
        values = [
            self._quantity(names.get(id(root), f"root{index}"), "root", root)
            for index, root in enumerate(roots)
        ]
        if self._gradients == 0:
            self._trace.write(Event("graph", line, data=describe(roots, names)))
        number, self._gradients = self._gradients, self._gradients + 1
        if self._tracer is not None:
            self._tracer.before(number, roots)
        try:
            result = call()
        except Exception as error:
            self._trace.write(exception_event(error, line, kind))
            raise
        finally:
            if self._tracer is not None:
                self._tracer.after(number)
        self._trace.write(Event(kind, line, quantities=tuple(values + gradients(result))))
        return result

    def _optimizer(self, original: Callable, optimizer: Any, *args: Any, **kwargs: Any) -> None:
        original(optimizer, *args, **kwargs)
        owner = next((cls for cls in type(optimizer).__mro__ if "step" in vars(cls)), None)
        if owner is not None and not hasattr(owner.step, "_captured"):
            _wrap(owner, "step", self._step)

    def _step(self, original: Callable, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        if "step" in self._busy:
            return original(optimizer, *args, **kwargs)
        self._busy.add("step")
        line = self._user.line()
        try:
            result = original(optimizer, *args, **kwargs)
        except Exception as error:
            self._trace.write(exception_event(error, line, "step"))
            raise
        finally:
            self._busy.discard("step")
        names = self._user.names()
        parameters = (one for group in optimizer.param_groups for one in group["params"])
        quantities = tuple(
            self._quantity(names.get(id(one), f"param{index}"), "param", one)
            for index, one in enumerate(parameters)
        )
        self._trace.write(Event("step", line, type(optimizer).__name__, quantities=quantities))
        return result

    def _sampler(self, name: str, original: Callable, *args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        caller = sys._getframe(2).f_globals.get("__name__", "")
        if caller.split(".")[0] not in ("torch", "stateful"):
            drawn = self._quantity(name, "draw", result)
            self._trace.write(Event("draw", self._user.line(), name, quantities=(drawn,)))
        return result

    def _quantity(self, name: str, role: str, tensor: Any) -> Quantity:
        return quantity_of(name, role, tensor)


def quantity_of(name: str, role: str, tensor: Any) -> Quantity:
    """The digest of a tensor of either library."""
    value = tensor.detach()
    dtype = str(value.dtype).removeprefix("torch.")
    if dtype == "bfloat16":
        value = value.float()
    if value.is_complex():
        value = value.resolve_conj()
    return Quantity.of(name, role, np.array(value.cpu().numpy()), dtype)


def exception_event(error: BaseException, line: int, label: str = "") -> Event:
    """The event for an error, with the first line of its message."""
    message = str(error).strip()
    return Event("exception", line, label or "uncaught", f"{type(error).__name__}: {message}")


def capture_warnings(trace: TraceWriter, user: UserCode) -> None:
    """Writes down what the program and the library under it warn of, once for each source line."""
    seen: set[tuple[int, str, str]] = set()

    def show(message: Any, category: type, filename: str, lineno: int, *rest: Any) -> None:
        line = user.line()
        key = (line, category.__name__, str(message))
        if key not in seen and _warned_by_program():
            seen.add(key)
            trace.write(Event("warning", line, category.__name__, str(message)))

    warnings.simplefilter("always")
    warnings.showwarning = show


def _warned_by_program() -> bool:
    """Whether the program or the library under it called the running `warnings.warn`."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_globals.get("__name__") == "warnings":
        frame = frame.f_back
    top = frame.f_globals.get("__name__", "").split(".")[0]
    return top in ("__main__", "functional", "torch", "stateful", "funcgrad")


class PrintCapture:
    """Stands in for `sys.stdout`: a print is one event, written when its line is complete."""

    encoding = "utf-8"
    errors = "strict"

    def __init__(self, trace: TraceWriter, user: UserCode) -> None:
        self._trace = trace
        self._user = user
        self._pending: list[str] = []

    def write(self, text: str) -> int:
        """Takes text; a trailing newline completes the event."""
        self._pending.append(text)
        if text.endswith("\n"):
            self.finish()
        return len(text)

    def finish(self) -> None:
        """Writes what is pending as an event."""
        text = "".join(self._pending).removesuffix("\n")
        if self._pending:
            self._trace.write(Event("print", self._user.line(), text=text))
        self._pending.clear()

    def flush(self) -> None:
        """Nothing to do: a line is only an event when it is complete."""

    def isatty(self) -> bool:
        """Never a terminal."""
        return False


def _wrap(owner: Any, name: str, handler: Callable) -> None:
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return handler(original, *args, **kwargs)

    wrapper._captured = True  # type: ignore[attr-defined]
    setattr(owner, name, wrapper)


def _tensors(value: Any) -> list[Any]:
    """One tensor or a sequence of them, as a list."""
    return (
        list(value) if isinstance(value, Iterable) and isinstance(value, list | tuple) else [value]
    )

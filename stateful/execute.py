"""The seam: every array computation of `stateful` passes through `execute`.

``execute(fn, leaves, static)`` runs ``fn.run(static, arrays)``. A `Kernel` is what is known about
one such computation before it runs: the function, its static part and the avals of its inputs and
outputs. A *policy* runs a kernel:

eager    compile it once (`jax.jit`), run it now
direct   an input is a tracer (a `jax.jit`, `grad` or `vmap` is above us): call the function
lazy     return values that are computed when somebody looks (``lazy.py``)

x64 is on inside the seam only, so that the user's own JAX code keeps its setting. One setting of
JAX is changed for the process: programs on the CPU run in the calling thread, unless the
environment variable ``JAX_CPU_ENABLE_ASYNC_DISPATCH`` says something else.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.core
import jax.numpy as jnp
import numpy as np

from funcgrad.broadcast import explain
from funcgrad.mode import owned_by, plain

Tracer = jax.core.Tracer

if "JAX_CPU_ENABLE_ASYNC_DISPATCH" not in os.environ:
    # As PyTorch on the CPU. Waking a thread for a program costs more than most programs run.
    jax.config.update("jax_cpu_enable_async_dispatch", False)


class Aval:
    """Shape and dtype of a value. Interned: equal avals are one object, so `is` compares them."""

    __slots__ = ("shape", "dtype", "struct")
    _interned: dict[tuple, Aval] = {}

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype):
        self.shape = shape
        self.dtype = dtype
        self.struct = jax.ShapeDtypeStruct(shape, dtype)

    @classmethod
    def of(cls, shape: tuple[int, ...], dtype: np.dtype) -> Aval:
        """The one aval with this shape and dtype."""
        found = cls._interned.get((shape, dtype))
        if found is None:
            found = cls._interned.setdefault((shape, dtype), cls(shape, dtype))
        return found

    def __repr__(self):
        return f"{self.dtype}{list(self.shape)}"


class Pending:
    """What is to be done for values that are not computed yet; ``lazy.py`` fills it in."""

    @staticmethod
    def start() -> None:
        """Start computing them. Nothing, if nothing is ever pending."""

    @staticmethod
    def forget() -> None:
        """Start computing them, and forget how that was done."""


USED = object()


class Value:
    """An immutable array, perhaps not computed yet.

    ``pending`` is who will compute it, or use it in what will be computed; ``index`` is its number
    there. Of an array from the host that was used in a program ``pending`` is `USED`.
    """

    __slots__ = ("aval", "array", "pending", "index", "__weakref__")

    def __init__(self, aval: Aval, array: Any = None, pending: Any = None, index: int = 0):
        self.aval = aval
        self.array = array
        self.pending = pending
        self.index = index

    @classmethod
    def of(cls, array: jax.Array | np.ndarray) -> Value:
        """Wrap an array or a tracer."""
        return cls(Aval.of(array.shape, np.dtype(array.dtype)), array)

    def read(self) -> Any:
        """The array; computes it first if need be."""
        if self.array is None:
            self.pending.flush()
            if self.array is None:
                raise RuntimeError("a value was looked at in the middle of its computation")
        return self.array

    def numpy(self) -> np.ndarray:
        """The value in host memory. A look: what is pending is started, so windows end alike."""
        Pending.start()
        return np.asarray(self.read())

    def __repr__(self):
        return f"<{self.aval}{' unread' if self.array is None else ''}>"


class Kernel:
    """A function with its static part on inputs of known avals, and the avals of its outputs.

    ``inputs`` holds an `Aval` for a value and the Python type for a number; ``weight`` says how
    many plain kernels this one amounts to. ``given``, ``strides``: see `result_layouts`.
    """

    __slots__ = ("fn", "static", "inputs", "outputs", "weight", "jitted", "memo", "given",
                 "strides")  # fmt: skip

    def __init__(self, fn: Any, static: tuple, inputs: tuple):
        self.fn = fn
        self.weight = getattr(fn, "weight", 1)
        self.static = static
        self.inputs = inputs
        with jax.enable_x64(True), plain():
            self.jitted = jax.jit(self.run)
            self.outputs = getattr(fn, "known_outputs", None) or self._infer()
        self.memo: dict = {}
        self.given: tuple = ()
        self.strides: tuple = self.lay(self)

    lay: Any = staticmethod(lambda kernel: ())

    def _infer(self) -> tuple[Aval, ...]:
        examples = [i.struct if type(i) is Aval else i() for i in self.inputs]
        try:
            outs = jax.eval_shape(self.run, *examples)
        except (TypeError, ValueError) as error:
            explain(error)
            raise
        return tuple(Aval.of(o.shape, np.dtype(o.dtype)) for o in outs)

    def run(self, *arrays) -> tuple:
        """The plain computation, always with a tuple of outputs."""
        outs = self.fn.run(self.static, arrays)
        return tuple(outs) if isinstance(outs, tuple | list) else (outs,)

    def __repr__(self):
        return f"<kernel {self.fn} {self.static} {self.inputs}>"


kernels: dict[tuple, Kernel] = {}


def kernel_of(fn: Any, leaves: Sequence, static: tuple = ()) -> Kernel:
    """The kernel for ``fn`` on these values and numbers; shape and dtype errors are raised here."""
    return kernel_at((fn, static, *[x.aval if type(x) is Value else type(x) for x in leaves]))


def kernel_at(key: tuple) -> Kernel:
    """The kernel for (function, static part, avals or number types...)."""
    found = kernels.get(key)
    if found is None:
        found = kernels[key] = Kernel(key[0], key[1], key[2:])
    return found


def execute(fn: Any, leaves: Sequence, static: tuple = ()) -> list[Value]:
    """Run ``fn.run(static, leaves)`` under the current policy. ``leaves``: Values and numbers."""
    return policy(fn, static, leaves)[1]


def eager(fn: Any, static: tuple, leaves: Sequence) -> tuple[Kernel, list[Value]]:
    """Compile once, run now. As every policy, returns the kernel and its outputs."""
    kernel = kernel_of(fn, leaves, static)
    arrays = [x.read() if type(x) is Value else x for x in leaves]
    if any(isinstance(a, Tracer) for a in arrays):
        return kernel, direct(kernel, arrays)
    with jax.enable_x64(True), plain():
        outs = kernel.jitted(*arrays)
    return kernel, list(map(Value, kernel.outputs, outs))


def direct(kernel: Kernel, arrays: Sequence) -> list[Value]:
    """Call the function on tracers, with PyTorch's derivative attached."""
    with jax.enable_x64(True), owned_by(None):
        weak = [jnp.asarray(a) if isinstance(a, int | float | complex) else a for a in arrays]
        outs = kernel.fn.trace(kernel.static, weak)
    outs = outs if isinstance(outs, tuple | list) else (outs,)
    return list(map(Value.of, outs))


class Function:
    """A plain function of arrays as something that `execute` runs."""

    def __init__(self, fn: Callable):
        self.fn = fn
        self.__name__ = fn.__name__

    def run(self, static: tuple, arrays: Sequence):
        """``fn(*arrays, *static)``."""
        return self.fn(*arrays, *static)

    trace = run

    def __repr__(self):
        return f"<function {self.__name__}>"


policy = eager
POLICIES: dict[str, Callable] = {"eager": eager}


class set_execution:  # noqa: N801 (used as a function, like set_grad_enabled)
    """Choose how ops run: ``"lazy"`` (the default) or ``"eager"``, which is easier to debug.

    A call sets it for good; as a context manager it is put back at the end. Raises ValueError for
    another name.

    >>> import stateful as torch
    >>> with torch.set_execution("eager"):
    ...     print(torch.ones(2) + 1)
    tensor([2., 2.])
    """

    def __init__(self, name: str):
        global policy
        if name not in POLICIES:
            raise ValueError(f"unknown execution policy {name!r}; choose one of {sorted(POLICIES)}")
        self._previous = policy
        policy = POLICIES[name]

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        global policy
        policy = self._previous


def clear_kernels() -> None:
    """Forget what was inferred, after a setting that inference depends on has changed."""
    kernels.clear()
    Pending.forget()

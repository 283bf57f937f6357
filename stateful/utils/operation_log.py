"""What a checkpointed region did in each of its runs, for ``checkpoint(..., debug=True)``."""

from __future__ import annotations

from typing import Any

from ..execute import Value
from ..operators import overload
from .intercept import Intercepted

_TYPES = {"float32": "f32", "float64": "f64", "float16": "f16", "bfloat16": "bf16", "int64": "i64",
          "int32": "i32", "int16": "i16", "int8": "i8", "uint8": "u8", "bool": "b8",
          "complex64": "c64", "complex128": "c128"}  # fmt: skip


class OperationLog:
    """The ops of one run, one a line: ``$2: f32[3] = torch.ops.aten.exp.default($1)``."""

    def __init__(self):
        self.lines: list[str] = []
        self._numbers: dict[int, int] = {}
        self._held: list[Any] = []

    def recording(self) -> Intercepted:
        """A context in which every op is noted."""
        return Intercepted(self._note)

    def _note(self, op: Any, template: tuple, leaves: Any, results: Any) -> Any:
        shown = ", ".join(self._name(x) if isinstance(x, Value) else repr(x) for x in leaves)
        outs = ", ".join(f"{self._name(x)}: {_described(x)}" for x in results)
        self.lines.append(f"{outs} = torch.ops.{overload(op)}({shown})")
        return results

    def _name(self, value: Value) -> str:
        if id(value) not in self._numbers:
            self._numbers[id(value)] = len(self._numbers)
            self._held.append(value)
        return f"${self._numbers[id(value)]}"


def _described(value: Value) -> str:
    dtype = value.aval.dtype.name
    return f"{_TYPES.get(dtype, dtype)}[{', '.join(map(str, value.aval.shape))}]"


class DebugContexts:
    """The contexts of the two runs of a region, and what to say if these differ."""

    def __init__(self):
        self.forward, self.again = OperationLog(), OperationLog()

    def __call__(self) -> tuple:
        return self.forward.recording(), self.again.recording()

    def message(self, error: Exception) -> str:
        """The text of an error with both logs."""
        return (
            "An error happened while unpacking tensors; dumping logs of latest computation\n"
            "because you passed `debug=True` to `torch.utils.checkpoint.checkpoint()`.\n\n"
            "Operations executed during the original forward:\n\n"
            + "\n".join(self.forward.lines)
            + "\n\nOperations executed during recomputation:\n\n"
            + "\n".join(self.again.lines)
            + "\n\nERROR: Detected non-determinism while running activation checkpointing\n\n"
            "You are seeing this error because you passed `debug=True` to checkpoint and what was "
            "saved\nduring the original forward is not what was saved during recomputation; the "
            f"{type(error).__name__} above says how."
        )

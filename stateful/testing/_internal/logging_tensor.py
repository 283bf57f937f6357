"""`torch.testing._internal.logging_tensor`: tensors and a mode that log the ops they see."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any, cast

from ...tensor import Tensor
from ...utils._dtype_abbrs import dtype_abbrs
from ...utils._python_dispatch import TorchDispatchMode
from ...utils._pytree import tree_map

logger = logging.getLogger("LoggingTensor")


def _log(func: Any, args: tuple, kwargs: dict, results: Any) -> None:
    logger.info(f"{func.__module__}.{func.__name__}", args, kwargs, results)


def log_input(name: str, var: Any) -> None:
    """Log a value as an input of this name."""
    logger.info("input", (name,), {}, var)


class LoggingTensor(Tensor):
    """A tensor around ``elem`` that logs the ops it takes part in."""

    context = contextlib.nullcontext

    @staticmethod
    def __new__(cls, elem: Tensor, *args: Any, requires_grad: bool = False, **kwargs: Any):
        made = Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls, elem.size(), strides=elem.stride(), storage_offset=elem.storage_offset(),
            dtype=elem.dtype, layout=elem.layout, device=elem.device, requires_grad=requires_grad,
        )  # fmt: skip
        made.elem = elem.detach() if requires_grad else elem
        return made

    def __repr__(self) -> str:
        return super().__repr__(tensor_contents=f"{self.elem}")  # type: ignore[attr-defined]

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        inner = tree_map(lambda x: x.elem if isinstance(x, cls) else x, (args, kwargs))
        with cls.context():
            found = func(*inner[0], **inner[1])
            results = tree_map(lambda x: cls(x) if isinstance(x, Tensor) else x, found)
        _log(func, args, kwargs, results)
        return results


class LoggingTensorMode(TorchDispatchMode):
    """Logs every op inside."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        results = func(*args, **kwargs)
        _log(func, args, kwargs, results)
        return results


class LoggingTensorHandler(logging.Handler):
    """Writes what is logged to a list: ``$1: f32[2] = torch._ops.aten.exp.default($0)``.

    Tensors are numbered as they first appear, `LoggingTensor` or all; others are printed.
    """

    def __init__(
        self, log_list: list[str], use_shortid_for_all_tensors: bool = False,
        with_type: bool = False,
    ):  # fmt: skip
        super().__init__()
        self.log_list, self.with_type = log_list, with_type
        self.numbered = Tensor if use_shortid_for_all_tensors else LoggingTensor
        self.numbers: dict[int, int] = {}
        self.held: list[Tensor] = []

    def emit(self, record: logging.LogRecord) -> None:
        args, kwargs, results = cast(tuple[tuple, dict, Any], record.args)
        shown = [str(tree_map(self._named, value)) for value in args]
        shown += [f"{key}={tree_map(self._named, value)}" for key, value in kwargs.items()]
        result = tree_map(self._typed, results)
        self.log_list.append(f"{result} = {record.msg}({', '.join(shown)})")

    def _named(self, value: Any) -> str:
        if not isinstance(value, self.numbered):
            return repr(value)
        if id(value) not in self.numbers:
            self.numbers[id(value)] = len(self.numbers)
            self.held.append(value)  # so that nothing else gets its id
        return f"${self.numbers[id(value)]}"

    def _typed(self, value: Any) -> str:
        if not (self.with_type and isinstance(value, self.numbered)):
            return self._named(value)
        sizes = ", ".join(map(str, value.shape))
        return f"{self._named(value)}: {dtype_abbrs[value.dtype]}[{sizes}]"


@contextlib.contextmanager
def capture_logs(is_mode: bool = False) -> Iterator[list[str]]:
    """What is logged inside, a line each; ``is_mode``: number all tensors."""
    lines: list[str] = []
    handler = LoggingTensorHandler(lines, is_mode, with_type=True)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield lines
    finally:
        logger.removeHandler(handler)


@contextlib.contextmanager
def capture_logs_with_logging_tensor_mode() -> Iterator[list[str]]:
    """What ops do inside, a line each."""
    with LoggingTensorMode(), capture_logs(True) as lines:
        yield lines

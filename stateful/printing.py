"""How tensors print: PyTorch's text, character by character.

The rules are those of `torch/_tensor_str.py`. All numbers of a tensor share one width and one of
three notations: integers with a point when every value is whole, decimals, or powers of ten when
the values span more than three decades, exceed 1e8 or fall below 1e-4.
"""

import dataclasses
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from stateful import dtypes
from stateful.devices import device

_CPU = device("cpu")
_EXACT = (np.float64, np.complex128)
_PROFILES = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}


@dataclasses.dataclass(slots=True)
class _Options:
    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_options = _Options()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Change how tensors print; what is None stays, but `sci_mode=None` goes back to automatic.

    `precision` counts digits after the point, tensors of more than `threshold` elements show only
    `edgeitems` at both ends of each dimension, lines break at `linewidth`, and `profile` is
    "default", "short" or "full".

    >>> import stateful as torch
    >>> torch.set_printoptions(precision=2)
    >>> torch.tensor([0.125, 3])
    tensor([0.12, 3.00])
    >>> torch.set_printoptions(profile="default")
    """
    given = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    for name, value in (_PROFILES.get(profile or "", {}) | changes).items():
        setattr(_options, name, value)
    _options.sci_mode = sci_mode


def get_printoptions() -> dict[str, Any]:
    """The present options, as keyword arguments for `set_printoptions`.

    >>> get_printoptions()["precision"]
    4
    """
    return dataclasses.asdict(_options)


@contextmanager
def printoptions(**options: Any) -> Iterator[None]:
    """Change the options for the duration of a `with` block.

    >>> with printoptions(sci_mode=True):
    ...     print(tensor_repr(np.float32([12.5])))
    tensor([1.2500e+01])
    """
    before = get_printoptions()
    set_printoptions(**options)
    try:
        yield
    finally:
        set_printoptions(**before)


def tensor_repr(
    array: np.ndarray,
    *,
    dtype: dtypes.dtype | None = None,
    device: device = _CPU,
    requires_grad: bool = False,
    grad_fn_name: str | None = None,
    tangent: str | None = None,
    class_name: str = "tensor",
    is_parameter: bool = False,
    contents: str | None = None,
) -> str:
    """The text of a tensor with these values and properties.

    `array` holds the values (only its shape counts on the device `meta`, and with `contents`, the
    text that stands for them) and `dtype` is the dtype of `array` unless given. `grad_fn_name` wins
    over `requires_grad`.

    >>> print(tensor_repr(np.float32([[1, -2], [0.5, 4]]), grad_fn_name="MulBackward0"))
    tensor([[ 1.0000, -2.0000],
            [ 0.5000,  4.0000]], grad_fn=<MulBackward0>)
    >>> print(tensor_repr(np.ones(2, np.float16), requires_grad=True))
    tensor([1., 1.], dtype=torch.float16, requires_grad=True)
    """
    dtype = dtypes.from_numpy(array.dtype) if dtype is None else dtype
    prefix = class_name + "("
    suffixes = [] if device.type == "cpu" else [f"device='{device}'"]
    suffixes += _description(array, dtype, device.type == "meta")
    if grad_fn_name is not None:
        suffixes.append(f"grad_fn=<{grad_fn_name}>")
    elif requires_grad:
        suffixes.append("requires_grad=True")
    if tangent is not None:
        suffixes.append(f"tangent={tangent}")
    if contents is None:
        contents = "..." if device.type == "meta" else array_text(array, len(prefix))
    text = _append(prefix + contents, suffixes, len(prefix))
    return f"Parameter containing:\n{text}" if is_parameter else text


def array_text(array: np.ndarray, indent: int = 0) -> str:
    """The brackets and numbers of a tensor whose first line starts in column `indent`.

    >>> array_text(np.array([1, 20]))
    '[ 1, 20]'
    """
    if array.size == 0:
        return "[]"
    if array.dtype.kind not in "biu":
        array = array.astype(_EXACT[array.dtype.kind == "c"])
    summarize = array.size > _options.threshold
    if summarize and not _options.edgeitems:
        return "[...]"
    shown = _edges(array) if summarize else array
    make_formatter = _complex_formatter if array.dtype.kind == "c" else _formatter
    format_value, width = make_formatter(shown)
    return _nested_text(array, indent, summarize, format_value, width)


def _complex_formatter(array: np.ndarray) -> tuple[Callable[[Any], str], int]:
    """Like `_formatter`; real and imaginary parts have their own notation and width."""
    real, real_width = _formatter(np.real(array))
    imaginary, imaginary_width = _formatter(np.imag(array))

    def format_value(value: Any) -> str:
        text = imaginary(value.imag).lstrip() + "j"
        return real(value.real) + ("" if text[0] in "+-" else "+") + text

    return format_value, real_width + imaginary_width + 1


def _formatter(array: np.ndarray) -> tuple[Callable[[Any], str], int]:
    """A function from a number to its text, padded to a common width; and that width."""
    notation = _notation(array) if array.dtype.kind == "f" else "{}"
    values = array.ravel().tolist()
    if array.dtype.kind == "f":
        values = [value for value in values if value != 0 and math.isfinite(value)]
    width = max((len(notation.format(value)) for value in values), default=1)

    def format_value(value: Any) -> str:
        if isinstance(value, float) and not math.isfinite(value):
            return str(value).rjust(width)
        return notation.format(value).rjust(width)

    return format_value, width


def _notation(array: np.ndarray) -> str:
    """The format of the numbers in a float64 array; zeros and non-finite numbers have no say."""
    magnitudes = np.abs(array[np.isfinite(array) & (array != 0)])
    if magnitudes.size == 0:
        return "{:.0f}."
    largest, smallest = float(magnitudes.max()), float(magnitudes.min())
    scientific = _options.sci_mode
    if scientific is None:
        scientific = largest / smallest > 1000.0 or largest > 1.0e8 or smallest < 1.0e-4
    if scientific:
        return f"{{:.{_options.precision}e}}"
    if (magnitudes == np.ceil(magnitudes)).all():
        return "{:.0f}."
    return f"{{:.{_options.precision}f}}"


def _edges(array: np.ndarray) -> np.ndarray:
    """The elements that a summary shows."""
    edge = _options.edgeitems
    for axis, length in enumerate(array.shape):
        if length > 2 * edge:
            ends = [*range(edge), *range(length - edge, length)]
            array = array.take(ends, axis)
    return array


def _nested_text(
    array: np.ndarray, indent: int, summarize: bool, format_value: Callable, width: int
) -> str:
    if array.ndim == 0:
        return format_value(array.item())
    if array.ndim == 1:
        items, ellipsis = [format_value(value) for value in _ends(array, summarize)], " ..."
    else:
        items, ellipsis = (
            [
                _nested_text(part, indent + 1, summarize, format_value, width)
                for part in _ends(array, summarize)
            ],
            "...",
        )
    if summarize and len(array) > len(items):
        items.insert(_options.edgeitems, ellipsis)
    newline = " " * (indent + 1)
    if array.ndim > 1:
        return "[" + f",{chr(10) * (array.ndim - 1)}{newline}".join(items) + "]"
    per_line = max(1, math.floor((_options.linewidth - indent) / (width + 2)))
    lines = [", ".join(items[at : at + per_line]) for at in range(0, len(items), per_line)]
    return "[" + f",\n{newline}".join(lines) + "]"


def _ends(array: np.ndarray, summarize: bool) -> list[Any]:
    """The rows, or Python numbers, along the first dimension that are shown."""
    edge = _options.edgeitems
    if summarize and len(array) > 2 * edge:
        array = np.concatenate([array[:edge], array[-edge:]])
    return array.tolist() if array.ndim == 1 else list(array)


def _description(array: np.ndarray, dtype: dtypes.dtype, is_meta: bool) -> list[str]:
    """The suffixes for size and dtype, where the numbers alone would not tell them."""
    default = dtypes.get_default_dtype()
    empty = array.size == 0 and not is_meta
    suffixes = []
    if is_meta or (empty and array.ndim != 1) or not (empty or _options.edgeitems):
        suffixes.append(f"size={tuple(array.shape)}")
    implied: tuple[dtypes.dtype, ...] = (default,)
    if not (is_meta or empty):
        complex_default = dtypes.complex128 if default is dtypes.float64 else dtypes.complex64
        implied += (complex_default, dtypes.int64, dtypes.bool)
    if dtype not in implied:
        suffixes.append(f"dtype={dtype}")
    return suffixes


def _append(text: str, suffixes: list[str], indent: int) -> str:
    """`text` with the suffixes, each on the last line while that has room."""
    parts = [text]
    length = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if length + len(suffix) + 2 > _options.linewidth:
            parts.append(",\n" + " " * indent + suffix)
            length = indent + len(suffix)
        else:
            parts.append(", " + suffix)
            length += len(suffix) + 2
    return "".join(parts) + ")"

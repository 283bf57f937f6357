"""`torch.utils.flop_counter`: how many floating point operations a program takes."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from ..operators import OpOverloadPacket, aten_packet
from ..tensor import Tensor
from ._python_dispatch import TorchDispatchMode
from ._pytree import tree_map
from .module_tracker import ModuleTracker

Shape = Sequence[int]

flop_registry: dict[OpOverloadPacket, Callable[..., int]] = {}
"""A formula for each op that is counted; the shapes of its arguments are what it is given."""


def register_flop_formula(targets: Any) -> Callable[[Callable], Callable]:
    """Decorator: a function is the formula of an op, or of several.

    It is given the op's arguments, of tensors their shapes, and those of results as ``out_shape``.

    >>> import stateful as torch
    >>> from stateful.utils.flop_counter import FlopCounterMode, flop_registry
    >>> from stateful.utils.flop_counter import register_flop_formula
    >>> @register_flop_formula(torch.ops.aten.exp)
    ... def exp_flop(shape, *args, out_shape=None, **kwargs):
    ...     return 10 * shape.numel()
    >>> with FlopCounterMode(display=False) as counter:
    ...     y = torch.ones(2, 3).exp()
    >>> counter.get_total_flops()
    60
    >>> del flop_registry[torch.ops.aten.exp]
    """

    def register(formula: Callable) -> Callable:
        for op in targets if isinstance(targets, list | tuple) else [targets]:
            flop_registry[op] = formula
        return formula

    return register


@register_flop_formula(aten_packet("mm"))
def mm_flop(a_shape: Shape, b_shape: Shape, **kwargs: Any) -> int:
    """Of a product of matrices; a product and a sum count as two."""
    return 2 * prod(a_shape) * b_shape[-1]


@register_flop_formula(aten_packet("bmm"))
def bmm_flop(a_shape: Shape, b_shape: Shape, **kwargs: Any) -> int:
    """Of a batch of products of matrices."""
    return mm_flop(a_shape, b_shape)


@register_flop_formula([aten_packet("addmm"), aten_packet("baddbmm")])
def addmm_flop(self_shape: Shape, a_shape: Shape, b_shape: Shape, **kwargs: Any) -> int:
    """Of a product of matrices, or of several; what is added to it is not counted."""
    return mm_flop(a_shape, b_shape)


def conv_flop_count(
    x_shape: Shape, w_shape: Shape, out_shape: Shape, transposed: bool = False
) -> int:
    """Of a convolution: the filter is laid on each point of the output, or of the input if it is
    ``transposed``. As in PyTorch, of a convolution in groups the batch and the filter count.

    >>> conv_flop_count([1, 3, 8, 8], [4, 3, 3, 3], [1, 4, 6, 6])
    7776
    """
    points = (x_shape if transposed else out_shape)[2:]
    return 2 * x_shape[0] * prod(points) * prod(w_shape)


@register_flop_formula(aten_packet("convolution"))
def conv_flop(
    x_shape: Shape, w_shape: Shape, bias: Any, stride: Any, padding: Any, dilation: Any,
    transposed: bool, *args: Any, out_shape: Any, **kwargs: Any,
) -> int:  # fmt: skip
    """Of a convolution, by its arguments."""
    return conv_flop_count(x_shape, w_shape, out_shape, transposed)


@register_flop_formula(aten_packet("_convolution_gradients"))
def conv_backward_flop(
    grad_out_shape: Shape, x_shape: Shape, w_shape: Shape, stride: Any, padding: Any, dilation: Any,
    transposed: bool, output_padding: Any, groups: Any, output_mask: Any, *, out_shape: Any,
    **kwargs: Any,
) -> int:  # fmt: skip
    """Of the gradients of a convolution, which are convolutions."""
    flops = 0
    if output_mask[0]:
        flops += conv_flop_count(grad_out_shape, w_shape, out_shape[0], not transposed)
    if output_mask[1]:
        x, grad, weight = ((s[1], s[0], *s[2:]) for s in (x_shape, grad_out_shape, out_shape[1]))
        flops += conv_flop_count(*((grad, x) if transposed else (x, grad)), weight)
    return flops


class FlopCounterMode:
    """Context manager that counts the products and sums of matrix products and convolutions inside,
    backward passes included, by module and by op.

    Attention counts as the products it is made of, and the op that computes the gradients of a
    convolution goes by the name it has here.
    ``display``: print a table at the end. ``custom_mapping``: formulas of further ops, from shapes.

    >>> import stateful as torch
    >>> from stateful.utils.flop_counter import FlopCounterMode
    >>> with FlopCounterMode(display=False) as counter:
    ...     product = torch.ones(2, 3) @ torch.ones(3, 4)
    >>> counter.get_total_flops(), counter.get_flop_counts()
    (48, {'Global': {<OpOverloadPacket(op='aten.mm')>: 48}})
    """

    def __init__(
        self, mods: Any = None, depth: int | None = 2, display: bool = True,
        custom_mapping: dict[OpOverloadPacket, Callable] | None = None,
    ):  # fmt: skip
        if mods is not None:
            warnings.warn(
                "mods argument is not needed anymore, you can stop passing it: all are counted",
                stacklevel=2,
            )
        self.depth, self.display = depth, display
        self.flop_counts: dict[str, dict[Any, int]] = defaultdict(lambda: defaultdict(int))
        self._formulas = {**flop_registry, **(custom_mapping or {})}

    def get_total_flops(self) -> int:
        """All operations inside."""
        return sum(self.flop_counts["Global"].values())

    def get_flop_counts(self) -> dict[str, dict[Any, int]]:
        """The operations by module and by op; ``Global`` are all."""
        return {name: dict(counts) for name, counts in self.flop_counts.items()}

    def get_table(self, depth: int | None = None) -> str:
        """The counts as text, of modules down to a ``depth``."""
        depth = self.depth if depth is None else depth
        total = self.get_total_flops()
        lines = [_line("Module", "FLOP", "% Total")]
        for name in sorted(self.flop_counts):
            level = 0 if name == "Global" else name.count(".") + 1
            if depth is None or level <= depth:
                counts = self.flop_counts[name]
                rows = [(" " * level + name, sum(counts.values()))]
                rows += [(" " * level + f" - {op}", count) for op, count in counts.items()]
                lines += [_line(row, str(count), _percent(count, total)) for row, count in rows]
        return "\n".join(lines if len(lines) > 1 else [*lines, _line("Global", "0", "0%")])

    def __enter__(self) -> FlopCounterMode:
        self.flop_counts.clear()
        self._tracker = ModuleTracker().__enter__()
        self._mode = _Counting(self._count).__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._mode.__exit__(*exc)
        self._tracker.__exit__(*exc)
        if self.display:
            print(self.get_table())

    def _count(self, op: OpOverloadPacket, args: tuple, kwargs: dict, results: Any) -> None:
        formula = self._formulas.get(op)
        if formula is not None:
            shapes = tree_map(_shape, (args, kwargs, results))
            flops = formula(*shapes[0], **shapes[1], out_shape=shapes[2])
            for name in self._tracker.parents:
                self.flop_counts[name][op] += flops


class _Counting(TorchDispatchMode):
    """Tells ``count`` of every op."""

    def __init__(self, count: Callable):
        self.count = count

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        results = func(*args, **kwargs)
        self.count(func.overloadpacket, args, kwargs, results)
        return results


def _shape(value: Any) -> Any:
    return value.shape if isinstance(value, Tensor) else value


def _line(name: str, *cells: str) -> str:
    return f"{name:<40}" + "".join(f"{cell:>16}" for cell in cells)


def _percent(count: int, total: int) -> str:
    return f"{count / total:.2%}" if total else "0%"


__all__ = ["FlopCounterMode", "register_flop_formula"]

"""Small methods and functions that old programs and PyTorch's own code call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .aliases import in_place
from .autograd import forward_ad
from .creation import FACTORIES, legacy, new_tensor
from .methods import FUNCTIONS
from .nn import functional as F
from .nn.utils.weight_norm import norm_except_dim, normalized
from .storages import resize_as_
from .tensor import Tensor
from .views import relative_steps

_torch = FUNCTIONS["torch"]

_OF_ATEN = """
convolution native_group_norm native_layer_norm _conj _conj_physical _log_softmax _softmax
""".split()
"""Ops that `torch` has too, beside functions that people call."""

_IN_PLACE = "as_strided_ conj_physical_".split()
"""Methods in place that are functions too."""


def new(self: Tensor, *args: Any) -> Tensor:
    """As the constructor of this tensor's type: of numbers, or of sizes (then zeros).

    >>> import stateful as torch
    >>> torch.ones(1).new([1, 2])
    tensor([1., 2.])
    """
    return legacy(Tensor, self.dtype, args)


def dim_order(self: Tensor) -> tuple[int, ...]:
    """The dimensions in the order in which they lie in memory, the slowest first.

    >>> import stateful as torch
    >>> torch.ones(2, 3).t().dim_order()
    (1, 0)
    """
    strides = self.stride()
    return tuple(sorted(range(self.dim()), key=lambda d: (-strides[d], d)))


def polygamma_(self: Tensor, n: int) -> Tensor:
    """`polygamma` in place.

    >>> import stateful as torch
    >>> torch.ones(1).polygamma_(1)
    tensor([1.6449])
    """
    return self.copy_(_torch["polygamma"](n, self))  # type: ignore[attr-defined]


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether both have the same shape.

    >>> import stateful as torch
    >>> torch.is_same_size(torch.ones(2), torch.zeros(2))
    True
    """
    return input.shape == other.shape


def native_dropout(input: Tensor, p: float, train: bool | None) -> tuple[Tensor, Tensor]:
    """Dropout, and where elements were kept.

    >>> import stateful as torch
    >>> torch.native_dropout(torch.ones(2), 0.5, False)
    (tensor([1., 1.]), tensor([True, True]))
    """
    if train is False:
        return input.clone(), FACTORIES["ones"](tuple(input.shape)).bool()  # type: ignore
    kept = FACTORIES["ones"](tuple(input.shape), dtype=input.dtype)
    mask = kept.bernoulli_(1 - p)  # type: ignore[attr-defined]
    scale = 0.0 if p == 1 else 1 / (1 - p)
    return input * mask * scale, mask.bool()  # type: ignore[operator]


def _make_dual(primal: Tensor, tangent: Tensor, level: int) -> Tensor:
    return forward_ad.make_dual(primal, tangent, level=level)


def _unpack_dual(dual: Tensor, level: int) -> Any:
    return forward_ad.unpack_dual(dual, level=level)


def _shape_as_tensor(self: Tensor) -> Tensor:
    return new_tensor(list(self.shape))


def _dim_arange(like: Tensor, dim: int) -> Tensor:
    return FACTORIES["arange"](like.size(dim))


def _is_all_true(self: Tensor) -> Tensor:
    return self.all()  # type: ignore[attr-defined]


def _is_any_true(self: Tensor) -> Tensor:
    return self.any()  # type: ignore[attr-defined]


def _view_func(self: Tensor, new_base: Tensor) -> Tensor:
    """What this view would be if its base were ``new_base``."""
    seen: Any = new_base
    for step in relative_steps(self):
        seen = seen._apply_step(step)
    return seen


def _reversed(self: Tensor) -> Tensor:
    """The rows from the last to the first."""
    return self.flip(0) if self.ndim else self  # type: ignore[attr-defined]


for _method in (new, dim_order, polygamma_, _is_all_true, _is_any_true):
    setattr(Tensor, _method.__name__, _method)
for _name in ("_conj", "_conj_physical"):
    setattr(Tensor, _name, FUNCTIONS["private"][_name])
Tensor._view_func = Tensor._view_func_unsafe = _view_func  # type: ignore[attr-defined]
Tensor.__reversed__ = _reversed  # type: ignore[attr-defined]
Tensor.__rdiv__ = Tensor.__rtruediv__  # type: ignore[attr-defined]
Tensor.__div__ = Tensor.__truediv__  # type: ignore[attr-defined]
Tensor.__idiv__ = Tensor.__itruediv__  # type: ignore[attr-defined]
Tensor.__array_priority__ = 1000  # type: ignore[attr-defined]
Tensor.const_data_ptr = Tensor.data_ptr  # type: ignore[attr-defined]


def _dropping(name: str) -> Callable:
    def function(input: Tensor, p: float, train: bool) -> Tensor:
        return getattr(F, name)(input, p, train, True)

    function.__name__ = function.__qualname__ = f"{name}_"
    function.__doc__ = f"`nn.functional.{name}` in place."
    return function


INCIDENTAL: dict[str, Callable] = {name: FUNCTIONS["private"][name] for name in _OF_ATEN}
INCIDENTAL.update({name: in_place(name) for name in _IN_PLACE})
INCIDENTAL.update({
    function.__name__: function for function in (
        is_same_size, native_dropout, norm_except_dim, resize_as_, _dim_arange, _make_dual,
        _shape_as_tensor, _unpack_dual,
        *map(_dropping, ("alpha_dropout", "dropout", "feature_alpha_dropout")),
    )
})  # fmt: skip
INCIDENTAL["_weight_norm"] = normalized

"""`rand`, `randn`, `x.uniform_()`, ...: tensors of random numbers, bit for bit PyTorch's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from funcgrad import random as pure
from funcgrad import types
from funcgrad.ops.creation import check_size
from funcgrad.unsupported import check_draw

from . import dtypes, modes
from .creation import FACTORIES, keeps_order, place
from .dispatch import store, wrap
from .drawing import check_target, draw, draw_each, draw_rows, random_frames
from .execute import Value
from .foreign import foreign
from .forward import paused, push_zeros, stand_still
from .frames import batched_like
from .layout import is_default
from .layout import of as geometry_of
from .random import Generator
from .rules import check_inplace
from .tensor import Tensor


def _shape(size: tuple) -> tuple[int, ...]:
    sizes = size[0] if len(size) == 1 and isinstance(size[0], list | tuple) else size
    return check_size("sampler", tuple(int(n) for n in sizes))


def _floating(dtype: Any) -> np.dtype:
    return types.default_dtype() if dtype is None else dtypes.as_dtype(dtype).numpy


def _drawn(value: Value, out: Tensor | None, device: Any, requires_grad: bool) -> Tensor:
    """A draw as a new leaf, or written to ``out``."""
    if out is not None:
        return out._assign(wrap(value))
    made = place(wrap(value), device)
    if requires_grad:
        made.requires_grad = True
    return made


def rand(
    *size,
    generator=None,
    out=None,
    dtype=None,
    layout=None,
    device=None,
    requires_grad=False,
    pin_memory=False,
) -> Tensor:
    """Uniform numbers in [0, 1).

    >>> import stateful as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.rand(2)
    tensor([0.4963, 0.7682])
    """
    value = draw(generator, pure.uniform, _shape(size), _floating(dtype))
    return _drawn(value, out, device, requires_grad)


def randn(
    *size,
    generator=None,
    out=None,
    dtype=None,
    layout=None,
    device=None,
    requires_grad=False,
    pin_memory=False,
) -> Tensor:
    """Standard normal numbers.

    >>> import stateful as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.randn(2)
    tensor([ 1.5410, -0.2934])
    """
    value = draw(generator, pure.normal, _shape(size), _floating(dtype))
    return _drawn(value, out, device, requires_grad)


def randint(
    *args,
    low=None,
    high=None,
    size=None,
    generator=None,
    out=None,
    dtype=None,
    layout=None,
    device=None,
    requires_grad=False,
    pin_memory=False,
) -> Tensor:
    """Integers in [low, high): ``randint(high, size)`` or ``randint(low, high, size)``.

    >>> import stateful as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.randint(10, (3,)), torch.randint(5, 10, (3,))
    (tensor([4, 9, 3]), tensor([5, 8, 9]))
    """
    args = list(args)
    if size is None:
        size = args.pop()
    if high is None:
        high = args.pop()
    low = (args.pop() if args else 0) if low is None else low
    wanted = np.dtype(np.int64) if dtype is None else dtypes.as_dtype(dtype).numpy
    value = draw(generator, _randint, _shape((size,)), wanted, int(low), int(high))
    return _drawn(value, out, device, requires_grad)


def _randint(state: pure.State, shape: tuple, dtype: Any, low: int, high: int) -> tuple:
    return pure.randint(state, shape, low, high, dtype)


def randperm(
    n: int,
    *,
    generator=None,
    out=None,
    dtype=None,
    layout=None,
    device=None,
    requires_grad=False,
    pin_memory=False,
) -> Tensor:
    """A random permutation of ``range(n)``.

    >>> import stateful as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.randperm(4)
    tensor([0, 1, 3, 2])
    """
    wanted = np.dtype(np.int64) if dtype is None else dtypes.as_dtype(dtype).numpy
    value = draw_each(generator, pure.randperm, int(n), wanted)
    return _drawn(value, out, device, requires_grad)


def normal(
    mean: Any,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator=None,
    out=None,
    dtype=None,
    layout=None,
    device=None,
    requires_grad=False,
    pin_memory=False,
) -> Tensor:
    """Normal numbers with given means and standard deviations, tensors or numbers.

    >>> import stateful as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.normal(torch.tensor([0.0, 100.0]), 1.0)
    tensor([ 1.5410, 99.7066])
    >>> torch.normal(0.0, 1.0, (2,))
    tensor([-2.1788,  0.5684])
    """
    if size is not None:
        value = draw(generator, pure.normal, _shape((size,)), _floating(dtype), mean, std)
        return _drawn(value, out, device, requires_grad)
    given = [x for x in (mean, std) if isinstance(x, Tensor)]
    if not given:
        raise TypeError("normal() received numbers for mean and std: pass size= as well")
    shape = np.broadcast_shapes(*(g._aval.shape for g in given))
    first = given[0]._aval.dtype
    random_frames(given)
    with modes.no_grad(), paused():
        noise = wrap(draw(generator, pure.normal, shape, first))
        made = noise * std + mean  # type: ignore[operator]
    if modes.forward.active:
        push_zeros(given, made)
    return made if out is None else out._assign(made)


def bernoulli(input: Tensor, p: Any = None, *, generator=None, out=None) -> Tensor:
    """1 with the probabilities in ``input`` (or ``p``), else 0.

    >>> import stateful as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.bernoulli(torch.tensor([0.0, 0.5, 1.0]))
    tensor([0., 0., 1.])
    """
    dtype = input._aval.dtype
    check_draw("bernoulli_tensor_cpu_self_" if p is None else "bernoulli_scalar_cpu_", dtype)
    if p is None:
        check_draw("bernoulli_tensor_cpu_p_", dtype, real=True)
    chance = input if p is None else p
    random_frames((input,))
    value = draw(generator, _bernoulli, input._aval.shape, dtype, chance)
    made = wrap(value)
    if modes.forward.active:
        push_zeros((input,), made)
    return made if out is None else out._assign(made)


def _bernoulli(state: pure.State, shape: tuple, dtype: Any, chance: Any) -> tuple:
    if isinstance(chance, np.ndarray) and ((chance < 0) | (chance > 1)).any():
        raise RuntimeError("Expected p_in >= 0 && p_in <= 1 to be true, but got false.")
    return pure.bernoulli(state, shape, dtype, chance)


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator=None, out=None
) -> Tensor:
    """Indices drawn with the weights in each row.

    >>> import stateful as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.multinomial(torch.tensor([0.0, 1.0, 3.0]), 4, replacement=True)
    tensor([2, 2, 2, 2])
    """
    made = wrap(draw_rows(generator, pure.multinomial, input, num_samples, replacement))
    return made if out is None else out._assign(made)


def _like(function: Callable, overwrite: Callable) -> Callable:
    """``function`` with the shape of a tensor; what is not contiguous is drawn by ``overwrite``,
    in the order of its memory."""

    def like(
        input,
        *args,
        dtype=None,
        device=None,
        requires_grad=False,
        layout=None,
        memory_format=None,
        generator=None,
        **kwargs,
    ):
        try:
            ordered = keeps_order(input, memory_format)
        except AttributeError:
            return foreign(like, (input, *args), kwargs)
        if not ordered:
            made = FACTORIES["empty_like"](
                input, dtype=dtype or input.dtype, device=device, memory_format=memory_format
            )
            overwrite(made, *args, generator=generator, **kwargs)
            return made.requires_grad_() if requires_grad else made
        return function(
            *args,
            *kwargs.values(),
            input.shape,
            dtype=dtype or input.dtype,
            device=device,
            requires_grad=requires_grad,
            generator=generator,
        )

    like.__name__ = f"{function.__name__}_like"
    like.__doc__ = f"`{function.__name__}` in the shape and dtype of ``input``."
    return like


# -- in place --------------------------------------------------------------------------------------


def fill_(tensor: Tensor, generator: Generator | None, sampler: Callable, *args: Any) -> Tensor:
    """Overwrite a tensor with a draw, in the order of its memory."""
    check_inplace(tensor, modes.state.grad_enabled and tensor.requires_grad)
    shape = tensor._aval.shape
    order = memory_order(tensor)
    check_target(tensor)
    drawn = draw(generator, sampler, tuple(shape[i] for i in order), tensor._aval.dtype, *args)
    if order != sorted(order):
        drawn = Value.of(drawn.array.transpose(np.argsort(order)))
    if modes.vmap.frames:
        drawn = batched_like(drawn, tensor)
    store(tensor, drawn)
    if modes.forward.active:
        stand_still(tensor)
    return tensor


def memory_order(tensor: Tensor) -> list[int]:
    """The dimensions of a tensor, the one with the largest stride first."""
    if is_default(tensor):
        return list(range(tensor.ndim))
    stride = geometry_of(tensor).stride
    return sorted(range(tensor.ndim), key=lambda i: -stride[i])


def uniform_(
    self: Tensor, from_: float = 0.0, to: float = 1.0, *, generator=None, **kwargs
) -> Tensor:
    """Overwrite with uniform numbers in [from, to).

    >>> import stateful as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.zeros(2).uniform_(-1, 1)
    tensor([-0.0075,  0.5364])
    """
    low = kwargs.pop("from", kwargs.pop("a", from_))
    high = kwargs.pop("b", to)
    if low > high:
        raise RuntimeError(
            f"uniform_ expects to return a [from, to) range, but found from={low} > to={high}"
        )
    return fill_(self, generator, pure.uniform, low, high)


def normal_(self: Tensor, mean: float = 0.0, std: float = 1.0, *, generator=None) -> Tensor:
    """Overwrite with normal numbers.

    >>> import stateful as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.zeros(2).normal_()
    tensor([ 1.5410, -0.2934])
    """
    if std < 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std}")
    contiguous = self.is_contiguous()

    def sampler(state, shape, dtype, mean, std):
        return pure.normal(state, shape, dtype, mean, std, contiguous=contiguous)

    return fill_(self, generator, sampler, mean, std)


def exponential_(self: Tensor, lambd: float = 1.0, *, generator=None) -> Tensor:
    """Overwrite with exponential numbers of rate ``lambd``.

    >>> import stateful as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.zeros(2).exponential_()
    tensor([3.5083, 1.2304])
    """
    if lambd <= 0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd}")
    return fill_(self, generator, pure.exponential, lambd)


def bernoulli_(self: Tensor, p: Any = 0.5, *, generator=None) -> Tensor:
    """Overwrite with 1 with probability ``p``, else 0.

    >>> import stateful as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.zeros(4).bernoulli_(0.5)
    tensor([0., 0., 1., 0.])
    """
    kind = "tensor" if isinstance(p, Tensor) else "scalar"
    check_draw(f"bernoulli_{kind}_cpu_" + "self_" * (kind == "tensor"), self._aval.dtype)
    return fill_(self, generator, pure.bernoulli, p)


def cauchy_(self: Tensor, median: float = 0.0, sigma: float = 1.0, *, generator=None) -> Tensor:
    """Overwrite with Cauchy numbers.

    >>> import stateful as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.zeros(2).cauchy_()
    tensor([10.5977,  0.7648])
    """
    return fill_(self, generator, pure.cauchy, median, sigma)


def log_normal_(self: Tensor, mean: float = 1.0, std: float = 2.0, *, generator=None) -> Tensor:
    """Overwrite with log-normal numbers.

    >>> import stateful as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.zeros(2).log_normal_()
    tensor([59.2634,  1.5116])
    """
    return fill_(self, generator, pure.log_normal, mean, std)


def geometric_(self: Tensor, p: float, *, generator=None) -> Tensor:
    """Overwrite with geometric numbers.

    >>> import stateful as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.zeros(3).geometric_(0.5)
    tensor([1., 1., 2.])
    """
    return fill_(self, generator, pure.geometric, p)


def random_(
    self: Tensor, from_: int | None = None, to: int | None = None, *, generator=None, **kwargs
) -> Tensor:
    """Overwrite with integers: of the whole range, below ``to``, or in [from, to).

    >>> import stateful as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.zeros(3).random_(10)
    tensor([4., 9., 3.])
    """
    low = kwargs.pop("from", from_)
    if low is None and to is None:
        return fill_(self, generator, pure.random)
    low, high = (0, low) if to is None else (low or 0, to)
    return fill_(self, generator, _randint, low, high)


def _randint_(self: Tensor, low: int = 0, high: int | None = None, *, generator=None) -> Tensor:
    return random_(self, low, high, generator=generator)


rand_like, randn_like = _like(rand, uniform_), _like(randn, normal_)
randint_like = _like(randint, _randint_)


SAMPLERS = {
    f.__name__: f
    for f in (rand, randn, randint, randperm, normal, bernoulli, multinomial, rand_like, randn_like,
              randint_like)
}  # fmt: skip
for _method in (
    uniform_,
    normal_,
    exponential_,
    bernoulli_,
    cauchy_,
    log_normal_,
    geometric_,
    random_,
    bernoulli,
    multinomial,
):
    setattr(Tensor, _method.__name__, _method)

"""`torch.autograd.forward_ad`: dual tensors, a value with a tangent.

As https://pytorch.org/docs/stable/generated/torch.autograd.forward_ad.dual_level.html.
"""

from __future__ import annotations

import math
import warnings
from typing import Any, NamedTuple

from .. import forward, modes
from ..dispatch import Face

_current_level = -1


class UnpackedDualTensor(NamedTuple):
    """A value and its tangent, which is None for a tensor that has none.

    >>> import stateful as torch
    >>> import stateful.autograd.forward_ad as forward_ad
    >>> with forward_ad.dual_level():
    ...     forward_ad.unpack_dual(torch.tensor(3.0))
    UnpackedDualTensor(primal=tensor(3.), tangent=None)
    """

    primal: Any
    tangent: Any


def enter_dual_level() -> int:
    """Open a level, in which tensors can have tangents. There is only one at a time.

    >>> import stateful as torch
    >>> import stateful.autograd.forward_ad as forward_ad
    >>> forward_ad.enter_dual_level()
    0
    >>> forward_ad.exit_dual_level()
    """
    global _current_level
    forward.Level()
    _switch()
    _current_level = 0
    return 0


def exit_dual_level(*, level: int | None = None) -> None:
    """Close the level: all tangents are forgotten.

    >>> import stateful as torch
    >>> import stateful.autograd.forward_ad as forward_ad
    >>> level = forward_ad.enter_dual_level()
    >>> forward_ad.exit_dual_level(level=level)
    """
    global _current_level
    level = _current_level if level is None else level
    if level != _current_level:
        raise RuntimeError(
            "Trying to exit a forward AD level that was not the last one that was created. This is "
            "not supported."
        )
    if level < 0:
        raise RuntimeError("Dual level must be a positive number.")
    modes.forward.level.close()
    _switch()
    _current_level = level - 1


def _switch() -> None:
    modes.forward.active = modes.forward.enabled and modes.forward.level is not None


def make_dual(tensor: Any, tangent: Any, *, level: int | None = None) -> Any:
    """A view of ``tensor`` that has ``tangent``.

    Raises RuntimeError outside of a level, for a tensor that has a tangent already, and for a
    tangent of another size; ValueError for integers.

    >>> import stateful as torch
    >>> import stateful.autograd.forward_ad as forward_ad
    >>> with forward_ad.dual_level():
    ...     x = forward_ad.make_dual(torch.tensor(3.0), torch.tensor(1.0))
    ...     forward_ad.unpack_dual(x * x).tangent
    tensor(6.)
    """
    level = _current_level if level is None else level
    if level < 0 or modes.forward.level is None:
        raise RuntimeError(
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to "
            "enter_dual_level() first."
        )
    if level != _current_level:
        raise RuntimeError(f"Invalid level given to _make_dual: {level}; open is {_current_level}.")
    return _make_dual(tensor, tangent, level)


def _make_dual(tensor: Any, tangent: Any, level: int) -> Any:
    for name, item in (("primal", tensor), ("tangent", tangent)):
        if not (item.is_floating_point() or item.is_complex()):
            raise ValueError(
                f"Expected {name} to be floating point or complex, but got: {item.dtype}"
            )
    if forward.tangent_of(tensor) is not None:
        raise RuntimeError(
            "Making a dual Tensor based on a Tensor that already has a forward gradient at the "
            f"same level {level} is not supported."
        )
    if forward.tangent_of(tangent) is not None:
        raise RuntimeError(
            f"Setting a forward grad that itself has a forward gradient at the same level{level} "
            "is not supported: nest torch.func.jvp instead."
        )
    with forward.outside(modes.forward.level):
        dual = tensor.view(tensor.shape)
        if tangent.is_complex() and not tensor.is_complex():
            tangent = _real(tangent)
        if tangent._aval.shape == tensor._aval.shape and not _laid_out_alike(tangent, tensor):
            tangent = _laid_out_as(tensor, tangent)
    forward.set_tangent(dual, tangent)
    return dual


def _laid_out_alike(a: Any, b: Any) -> bool:
    """Whether all views of ``b`` are possible for ``a`` too, and show the same elements."""
    if a._view is None and b._view is None:
        return a.stride() == b.stride()
    return (
        _strides(a) == _strides(b)
        and a.storage_offset() == b.storage_offset()
        and a.is_conj() == b.is_conj()
        and (not a.numel() or _room(a) == _room(b))
    )


def _strides(tensor: Any) -> list[int]:
    """The strides that matter: those of dimensions longer than one."""
    return [s for s, n in zip(tensor.stride(), tensor.shape, strict=True) if n > 1]


def _room(tensor: Any) -> int:
    """How many elements the storage has."""
    return math.prod(tensor._storage.value.aval.shape)


def _laid_out_as(tensor: Any, tangent: Any) -> Any:
    """A copy of ``tangent`` in memory of its own, laid out as that of ``tensor``."""
    room = tangent.new_zeros((_room(tensor),))
    copy = room.as_strided(tensor.shape, tensor.stride(), tensor.storage_offset())
    return (copy.conj() if tensor.is_conj() else copy).copy_(tangent)


def _real(tangent: Any) -> Any:
    """The real part: most derivatives of PyTorch drop the rest sooner or later, with this text."""
    warnings.warn("Casting complex values to real discards the imaginary part", stacklevel=4)
    return tangent.real.contiguous()


def unpack_dual(tensor: Any, *, level: int | None = None) -> UnpackedDualTensor:
    """The value and the tangent of ``tensor``; the value is a view without tangent.

    >>> import stateful as torch
    >>> import stateful.autograd.forward_ad as forward_ad
    >>> with forward_ad.dual_level():
    ...     x = forward_ad.make_dual(torch.tensor(3.0), torch.tensor(2.0))
    ...     primal, tangent = forward_ad.unpack_dual(5 * x)
    >>> primal, tangent
    (tensor(15.), tensor(10.))
    """
    level = _current_level if level is None else level
    if level < 0 or not modes.forward.enabled:
        return UnpackedDualTensor(tensor, None)
    if not isinstance(tensor, Face.tensor):
        raise TypeError(
            "unpack_dual(): argument 'dual' (position 1) must be Tensor, not "
            f"{type(tensor).__name__}"
        )
    if level > _current_level:
        raise RuntimeError(f"Invalid level given to _fw_primal: {level}; open is {_current_level}.")
    if modes.forward.level is None:
        return UnpackedDualTensor(forward.primal(tensor), None)
    return unpack_innermost(tensor)


def unpack_innermost(tensor: Any) -> UnpackedDualTensor:
    """The value and the tangent of ``tensor`` in the level that was opened last."""
    with forward.paused():
        return UnpackedDualTensor(forward.primal(tensor), forward.tangent_of(tensor))


class dual_level(modes.ContextDecorator):
    """Context manager and decorator: a level is open inside.

    >>> import stateful as torch
    >>> import stateful.autograd.forward_ad as forward_ad
    >>> with forward_ad.dual_level():
    ...     x = forward_ad.make_dual(torch.tensor(3.0), torch.tensor(2.0))
    ...     forward_ad.unpack_dual(x.exp().log()).tangent
    tensor(2.)
    """

    def __enter__(self):
        return enter_dual_level()

    def __exit__(self, *exc):
        exit_dual_level()


class nested_level:  # noqa: N801 (as dual_level)
    """A level of a function transform: inside, forward mode is on, and such levels nest."""

    def __enter__(self):
        self._enabled = modes.forward.enabled
        self._level = forward.Level(nests=True)
        modes.forward.enabled = modes.forward.active = True
        return self

    def __exit__(self, *exc):
        modes.forward.enabled = self._enabled
        self._level.close()
        _switch()

    def make_dual(self, tensor: Any, tangent: Any) -> Any:
        """As the function of that name, in this level."""
        return _make_dual(tensor, tangent, 0)


def _is_fwd_grad_enabled() -> bool:
    return modes.forward.enabled


class _set_fwd_grad_enabled(modes.ContextDecorator):
    """Switch the pushing of tangents on or off, as a call or as a context manager."""

    def __init__(self, mode: bool):
        self.mode, self.prev = mode, modes.forward.enabled
        self._set(mode)

    @staticmethod
    def _set(mode: bool) -> None:
        modes.forward.enabled = mode
        _switch()

    def clone(self):
        return type(self)(self.mode)

    def __enter__(self):
        pass

    def __exit__(self, *exc):
        self._set(self.prev)


__all__ = [
    "UnpackedDualTensor", "dual_level", "enter_dual_level", "exit_dual_level", "make_dual",
    "unpack_dual",
]  # fmt: skip

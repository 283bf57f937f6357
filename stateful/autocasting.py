"""What `autocast` does to functions: the dtypes in which they compute, and where they look for it.

They look only once an `autocast` was entered: a program without one does not pay for it.
Source of the lists: https://docs.pytorch.org/docs/stable/amp.html#autocast-op-reference
"""

from __future__ import annotations

import functools
import sys
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from . import dispatch, dtypes, modes, replay
from .rebinding import rebind
from .tensor import Tensor


class _State(threading.local):
    """Whether functions of this thread cast, and how.

    ``inside``: a function that casts is running, whose ops do not. ``casts``: the casts of leaves
    so far, by id, each with a reference to its leaf.
    """

    def __init__(self):
        self.enabled = {"cpu": False, "cuda": False}
        self.dtype = {"cpu": dtypes.bfloat16, "cuda": dtypes.float16}
        self.cached = True
        self.nesting = 0
        self.inside = False
        self.casts: dict[int, tuple[weakref.ref, Tensor]] = {}


state = _State()

LOWER_OPS = frozenset("mm bmm addmm baddbmm addbmm convolution".split())
"""Ops that compute in the dtype of `autocast`, also where other functions are made of them."""

LOWER = (
    "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d conv_tbc linear "
    "matmul vecdot prelu scaled_dot_product_attention"
).split()
"""Functions that compute in the dtype of `autocast`."""

FLOAT = (
    "avg_pool3d binary_cross_entropy grid_sample grid_sampler polar prod quantile nanquantile stft "
    "cdist trace view_as_complex cholesky cholesky_inverse cholesky_solve inverse lu_solve orgqr "
    "ormqr pinverse max_pool3d max_unpool2d max_unpool3d adaptive_avg_pool3d adaptive_max_pool3d "
    "fractional_max_pool2d fractional_max_pool3d mse_loss cosine_embedding_loss nll_loss "
    "hinge_embedding_loss poisson_nll_loss smooth_l1_loss cross_entropy l1_loss huber_loss "
    "margin_ranking_loss soft_margin_loss triplet_margin_loss multi_margin_loss ctc_loss kl_div "
    "multilabel_margin_loss binary_cross_entropy_with_logits geqrf qr svd triangular_solve"
).split()
"""Functions that compute in float32."""

FLOAT_OF = {
    ".fft": "fft fft2 fftn hfft ifft ifft2 ifftn ihfft irfft irfft2 irfftn rfft rfft2 rfftn",
    ".linalg": "cholesky cholesky_ex cond eig eigh eigvals eigvalsh householder_product inv inv_ex "
    "lstsq matrix_rank qr solve svd svdvals tensorinv tensorsolve",
}
"""The same for functions of these modules."""

WIDEST = "cat concat concatenate stack index_copy".split()
"""Functions that compute in the widest dtype among their arguments."""


def _is_castable(value: Any) -> bool:
    return isinstance(value, Tensor) and value._aval.dtype.name in _CASTABLE


_CASTABLE = {"float32", "float16", "bfloat16"}


def cast_to(value: Any, dtype: dtypes.dtype) -> Any:
    """``value``, or what is in it if it is a list, in ``dtype``."""
    if isinstance(value, tuple | list):
        return type(value)([cast_to(item, dtype) for item in value])
    if not _is_castable(value) or value.dtype is dtype:
        return value
    if not (state.cached and _is_parameter(value) and dtype is state.dtype["cpu"]):
        return value.to(dtype)
    found = state.casts.get(id(value))
    if found is None or found[0]() is not value:
        found = state.casts[id(value)] = weakref.ref(value), value.to(dtype)
    return found[1]


def _is_parameter(value: Tensor) -> bool:
    """Whether its cast is worth keeping: of a leaf that gets a gradient."""
    gets_gradient = modes.state.grad_enabled and value.requires_grad
    return gets_gradient and value.is_leaf and value._base is None


def _lower(values: Sequence) -> dtypes.dtype:
    return state.dtype["cpu"]


def _float(values: Sequence) -> dtypes.dtype:
    return dtypes.float32


def _widest(values: Sequence) -> dtypes.dtype:
    flat = [x for v in values for x in (v if isinstance(v, tuple | list) else (v,))]
    found = {x.dtype for x in flat if _is_castable(x)}
    return dtypes.float32 if len(found) > 1 else next(iter(found), dtypes.float32)


def casting(function: Callable, choose: Callable[[Sequence], dtypes.dtype]) -> Callable:
    """``function`` on arguments in the dtype of ``choose(args)``, while `autocast` is on."""

    @functools.wraps(function)
    def cast(*args, **kwargs):
        if not state.enabled["cpu"] or state.inside:
            return function(*args, **kwargs)
        state.inside = True
        try:
            dtype = choose(args)
            named = {key: cast_to(value, dtype) for key, value in kwargs.items()}
            return function(*[cast_to(value, dtype) for value in args], **named)
        finally:
            state.inside = False

    cast._in_place_of = function  # type: ignore[attr-defined]
    return cast


def _call(call: Callable) -> Callable:
    """`dispatch.call`, of whose ops some cast."""

    def casting_call(op: Any, args: Sequence, kwargs: dict) -> Any:
        if op.name in LOWER_OPS and state.enabled["cpu"] and not state.inside:
            args = [cast_to(value, state.dtype["cpu"]) for value in args]
            kwargs = {key: cast_to(value, state.dtype["cpu"]) for key, value in kwargs.items()}
        return call(op, args, kwargs)

    return casting_call


def _padding(pad: Callable) -> Callable:
    """`nn.functional.pad`, which casts where it repeats elements."""
    cast = casting(pad, _float)

    @functools.wraps(pad)
    def choose(*args, **kwargs):
        mode = kwargs.get("mode", args[2] if len(args) > 2 else "constant")
        return (cast if mode in ("reflect", "replicate") else pad)(*args, **kwargs)

    choose._in_place_of = pad  # type: ignore[attr-defined]
    return choose


def _replace(place: Any, name: str, make: Callable[[Callable], Callable]) -> None:
    function = vars(place).get(name)
    if callable(function):
        setattr(place, name, make(function))


@functools.cache
def install() -> None:
    """Let functions look for `autocast` from now on."""
    replay.changed.append(lambda: state.enabled["cpu"])
    rebind(dispatch.call, _call)
    torch = sys.modules[__package__ or ""]
    functional = sys.modules[f"{__package__}.nn.functional"]
    linalg = sys.modules[f"{__package__}.linalg"]
    for names, choose in ((LOWER, _lower), (FLOAT, _float), (WIDEST, _widest)):
        for name in names:
            for place in (torch, functional, Tensor):
                _replace(place, name, functools.partial(casting, choose=choose))
    _replace(linalg, "vecdot", functools.partial(casting, choose=_lower))
    for operator in ("__matmul__", "__rmatmul__"):
        _replace(Tensor, operator, functools.partial(casting, choose=_lower))
    for module, names in FLOAT_OF.items():
        for name in names.split():
            place = sys.modules[f"{__package__}{module}"]
            _replace(place, name, functools.partial(casting, choose=_float))
    _replace(functional, "pad", _padding)

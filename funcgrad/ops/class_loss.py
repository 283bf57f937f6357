"""Losses of one class out of many: negative log-likelihood and cross entropy."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from ..composite import composite
from ..op import op
from .compare import eq, logical_not
from .complexes import is_floating_point
from .creation import zeros_like
from .mask import masked_fill
from .reduce import sum
from .reduction import MEAN, NONE, legacy_reduction, reduction_code
from .scatter import gather
from .softmax import log_softmax
from .view import in_order, reshape
from .with_number import div_number, mul_number

# -- negative log-likelihood -----------------------------------------------------------------------


def _class_dim(rank: int) -> int:
    return 0 if rank == 1 else 1


def _class_weights(self, target, weight, ignore_index):
    """The weight of each target, 0 for an ignored one, and the target to look up (0 if ignored)."""
    ignored = target == ignore_index
    safe = jnp.where(ignored, 0, target)
    one = jnp.ones((), self.dtype)
    each = jnp.broadcast_to(one, target.shape) if weight is None else jnp.asarray(weight)[safe]
    return jnp.where(ignored, 0, each), safe


def _check_classes(self, target, weight, ignore_index):
    classes = self.shape[_class_dim(self.ndim)]
    if not jnp.issubdtype(target.dtype, jnp.integer):
        raise RuntimeError(f"expected scalar type Long but found {target.dtype}: classes are int64")
    if weight is not None and weight.shape != (classes,):
        raise RuntimeError(
            f"weight tensor should be defined either for all {classes} classes or no classes but "
            f"got weight tensor of shape: {list(weight.shape)}"
        )
    if isinstance(target, jax.core.Tracer) or not target.size:
        return
    for value in np.unique(np.asarray(target)):
        if value != ignore_index and not 0 <= value < classes:
            raise IndexError(f"Target {value} is out of bounds: there are {classes} classes.")


def _nll(self, target, weight, reduction, ignore_index):
    """The loss, and the sum of the weights (0 without a reduction, as in PyTorch)."""
    _check_classes(self, target, weight, ignore_index)
    dim = _class_dim(self.ndim)
    each, safe = _class_weights(self, target, weight, ignore_index)
    where = jnp.expand_dims(safe, dim)
    picked = jnp.take_along_axis(self, where, dim, mode="fill").squeeze(dim)
    losses = jnp.where(each == 0, 0, -each * picked)
    if reduction == NONE:
        return losses, jnp.zeros((), self.dtype)
    total = jnp.sum(each)
    return jnp.sum(losses) / (total if reduction == MEAN else 1), total


def _nll_gradient(grad_output, self, target, weight, reduction, ignore_index, total_weight):
    """``grad_output`` times minus the weight at the target class, 0 elsewhere."""
    dim = _class_dim(self.ndim)
    each, safe = _class_weights(self, target, weight, ignore_index)
    slopes = -each * (grad_output / total_weight if reduction == MEAN else grad_output)
    classes = jax.lax.broadcasted_iota(safe.dtype, self.shape, dim)
    chosen = (classes == jnp.expand_dims(safe, dim)) & jnp.expand_dims(each != 0, dim)
    return jnp.where(chosen, jnp.expand_dims(slopes, dim), 0)


@op(
    "nll_loss_backward", grad_fn="NllLossBackwardBackward0", face="private",
    vjp=dict(
        grad_output=lambda grad, target, weight, reduction, ignore_index: (
            nll_loss_forward(grad, target, weight, reduction, ignore_index)[0]
        ),
        self=lambda grad: zeros_like(grad),
    ),
)  # fmt: skip
def nll_loss_backward(
    grad_output, self, target, weight, reduction: int, ignore_index: int, total_weight
):
    """The gradient of `nll_loss`."""
    return _nll_gradient(grad_output, self, target, weight, reduction, ignore_index, total_weight)


@op(
    "nll_loss_forward", grad_fn="NllLossBackward0", face="private",
    outputs=("output", "total_weight"),
    vjp=dict(
        self=lambda grad_output, self, target, weight, reduction, ignore_index, total_weight: (
            nll_loss_backward(
                grad_output, self, target, weight, reduction, ignore_index, total_weight
            )
        )
    ),
)  # fmt: skip
def nll_loss_forward(self, target, weight, reduction: int, ignore_index: int):
    """`nll_loss` of a matrix or a vector, and the sum of the weights."""
    if target.ndim > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if self.ndim == 1 and target.ndim == 1:
        target = target.reshape(())
    return _nll(self, target, weight, reduction, ignore_index)


@op(
    "nll_loss2d_backward", grad_fn="NllLoss2DBackwardBackward0", face="private",
    vjp=dict(
        grad_output=lambda grad, target, weight, reduction, ignore_index: (
            nll_loss2d_forward(grad, target, weight, reduction, ignore_index)[0]
        ),
        self=lambda grad: zeros_like(grad),
    ),
)  # fmt: skip
def nll_loss2d_backward(
    grad_output, self, target, weight, reduction: int, ignore_index: int, total_weight
):
    """The gradient of `nll_loss` of images."""
    return _nll_gradient(grad_output, self, target, weight, reduction, ignore_index, total_weight)


@op(
    "nll_loss2d_forward", grad_fn="NllLoss2DBackward0", face="private",
    outputs=("output", "total_weight"),
    vjp=dict(
        self=lambda grad_output, self, target, weight, reduction, ignore_index, total_weight: (
            nll_loss2d_backward(
                grad_output, self, target, weight, reduction, ignore_index, total_weight
            )
        )
    ),
)  # fmt: skip
def nll_loss2d_forward(self, target, weight, reduction: int, ignore_index: int):
    """`nll_loss` of images ``(N, C, H, W)``, and the sum of the weights."""
    if target.ndim != 3:
        raise RuntimeError(
            "only batches of spatial targets supported (3D tensors) but got targets of dimension: "
            f"{target.ndim}"
        )
    return _nll(self, target, weight, reduction, ignore_index)


def _nll_nd(input, target, weight, code: int, ignore_index: int):
    """`nll_loss` of any rank: more than a matrix goes through the op for images."""
    if input.ndim < 1:
        raise ValueError(f"Expected 1 or more dimensions (got {input.ndim})")
    if input.ndim != 1 and input.shape[0] != (target.shape[0] if target.ndim else None):
        raise ValueError(
            f"Expected input batch_size ({input.shape[0]}) to match target batch_size "
            f"({target.shape[0] if target.ndim else 'none, it is zero-dim'})."
        )
    if input.ndim <= 2:
        return nll_loss_forward(input, target, weight, code, ignore_index)[0]
    batch, classes, *inner = input.shape
    if tuple(target.shape[1:]) != tuple(inner):
        raise RuntimeError(f"Expected target size {[batch, *inner]}, got {list(target.shape)}")
    if input.ndim == 4:
        return nll_loss2d_forward(input, target, weight, code, ignore_index)[0]
    count = int(np.prod(inner))
    input = reshape(in_order(input), (batch, classes, 1, count))
    flat = reshape(in_order(target), (batch, 1, count))
    loss = nll_loss2d_forward(input, flat, weight, code, ignore_index)[0]
    return reshape(loss, (batch, *inner)) if code == NONE else loss


@composite(face="nn")
def nll_loss(
    input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean"
):
    """Minus ``input`` at the class ``target``: the loss of log-probabilities.

    ``input`` has shape ``(C,)``, ``(N, C)`` or ``(N, C, ...)``, ``target`` the same without the
    classes. ``weight`` has one entry a class; the mean divides by the sum of the weights.
    Targets equal to ``ignore_index`` count nothing.

    A class out of bounds raises IndexError; in a traced program, which cannot look, it gives nan.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.nll_loss(jnp.array([[-1.0, -2.0]]), jnp.array([1]))
    Array(2., dtype=float32)
    """
    code = reduction_code(legacy_reduction(size_average, reduce, reduction))
    return _nll_nd(input, target, weight, code, ignore_index)


# -- cross entropy ---------------------------------------------------------------------------------


@composite(face="nn")
def cross_entropy(
    input, target, weight=None, size_average=None, ignore_index=-100, reduce=None,
    reduction="mean", label_smoothing=0.0,
):  # fmt: skip
    """`nll_loss` of ``log_softmax(input)``; ``target`` may also be class probabilities.

    ``label_smoothing`` mixes the target with the uniform distribution.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.cross_entropy(jnp.zeros((1, 2)), jnp.array([1]))
    Array(0.6931472, dtype=float32)
    """
    code = reduction_code(legacy_reduction(size_average, reduce, reduction))
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    logs = log_softmax(input, _class_dim(input.ndim))
    if tuple(input.shape) == tuple(target.shape):
        return _of_probabilities(logs, target, weight, code, ignore_index, label_smoothing)
    if label_smoothing > 0.0:
        return _smoothed(logs, target, weight, code, ignore_index, label_smoothing)
    return _nll_nd(logs, target, weight, code, ignore_index)


def _each_class(weight, rank: int):
    """``weight`` in a shape that broadcasts along the classes."""
    return weight if rank == 1 else reshape(weight, (1, -1, *(1,) * (rank - 2)))


def _of_probabilities(logs, target, weight, code, ignore_index, smoothing):
    dim = _class_dim(logs.ndim)
    classes = logs.shape[dim]
    if not is_floating_point(target):
        raise RuntimeError(
            f"Expected floating point type for target with class probabilities, got {target.dtype}"
        )
    if ignore_index >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
    if weight is not None and tuple(weight.shape) != (classes,):
        raise RuntimeError(
            f"cross_entropy: weight tensor should be defined either for all {classes} classes or "
            f"no classes but got weight tensor of shape: {list(weight.shape)}"
        )
    if smoothing > 0.0:
        target = target * (1 - smoothing) + smoothing / classes
    terms = logs * target
    if weight is not None:
        terms = terms * _each_class(weight, logs.ndim)
    if code == NONE:
        return -sum(terms, dim)
    total = -sum(terms)
    if code != MEAN:
        return total
    return div_number(total, np.prod(logs.shape).item() / classes)


def _smoothed(logs, target, weight, code, ignore_index, smoothing):
    dim = _class_dim(logs.ndim)
    loss = _nll_nd(logs, target, weight, code, ignore_index)
    terms = logs if weight is None else logs * _each_class(weight, logs.ndim)
    ignored = eq(target, ignore_index)
    smooth = masked_fill(-sum(terms, dim), ignored, 0.0)
    if code != NONE:
        smooth = sum(smooth)
    if code == MEAN:
        smooth = smooth / _total_weight(target, weight, ignored)
    smooth = mul_number(smooth, smoothing / logs.shape[dim])
    return mul_number(loss, 1 - smoothing) + smooth


def _total_weight(target, weight, ignored):
    """The weight of all targets that are not ignored; their number without weights."""
    if weight is None:
        return sum(logical_not(ignored))
    known = reshape(masked_fill(target, ignored, 0), (-1,))
    return sum(masked_fill(gather(weight, 0, known), reshape(ignored, (-1,)), 0.0))

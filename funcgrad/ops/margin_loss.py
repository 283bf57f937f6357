"""Losses with a margin, and losses that are likelihoods of a distribution."""

from __future__ import annotations

import math

import jax.numpy as jnp

from .. import types
from ..composite import composite
from ..derivative import derived
from ..op import op
from ..signature import Scalar
from .arithmetic import add, div, mul, sub
from .choose import clamp_min, minimum, where
from .compare import eq, le, ne
from .creation import zeros_like
from .distance import pairwise_distance
from .mask import masked_fill
from .powers import exp, log, pow, sqrt
from .reduce import sum_dim
from .reduction import (
    legacy_reduction,
    reduce_array,
    reduce_loss,
    reduction_code,
    scale_of,
)
from .soft_activation import logsigmoid
from .view import unsqueeze
from .with_number import add_number, mul_number, sub_number


def _code(size_average, reduce, reduction) -> int:
    return reduction_code(legacy_reduction(size_average, reduce, reduction))


# -- one input and its target ----------------------------------------------------------------------


@op("soft_margin_loss_backward", grad_fn="SoftMarginLossBackwardBackward0", face="private",
    vjp=derived("grad_output", "self"))  # fmt: skip
def soft_margin_loss_backward(grad_output, self, target, reduction: int):
    """The gradient of `soft_margin_loss`."""
    z = jnp.exp(-target * self)
    return target * z * -scale_of(self, reduction) / (z + 1) * grad_output


@op("soft_margin_loss", grad_fn="SoftMarginLossBackward0", face="private",
    vjp=dict(self=lambda grad, self, target, reduction: (
        soft_margin_loss_backward(grad, self, target, reduction)
    )))  # fmt: skip
def soft_margin_loss_op(self, target, reduction: int = 1):
    """``log(1 + exp(-target * self))``, reduced."""
    return reduce_array(jnp.log1p(jnp.exp(-self * target)), reduction)


@composite(face="nn")
def soft_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """``log(1 + exp(-target * input))`` for targets 1 and -1.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.soft_margin_loss(jnp.zeros(2), jnp.ones(2))
    Array(0.6931472, dtype=float32)
    """
    return soft_margin_loss_op(input, target, _code(size_average, reduce, reduction))


@composite(face="nn")
def hinge_embedding_loss(
    input, target, margin=1.0, size_average=None, reduce=None, reduction="mean"
):
    """``input`` where the target is 1, ``max(0, margin - input)`` where it is -1.

    At the margin the whole gradient passes, as in `clamp_min`.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.hinge_embedding_loss(jnp.array([0.25, 0.25]), jnp.array([1.0, -1.0]))
    Array(0.5, dtype=float32)
    """
    none = zeros_like(input)
    hinge = where(ne(target, 1), clamp_min(sub(margin, input), 0), none)
    losses = hinge + where(ne(target, -1), input, none)
    return reduce_loss(losses, _code(size_average, reduce, reduction))


def _hinges(differences, margin, p: int):
    """``max(0, margin + difference) ** p``; no gradient at 0."""
    z = margin + differences
    z = jnp.where(z > 0, z, 0)
    return z if p == 1 else z * z


@op("multi_margin_loss", grad_fn="MultiMarginLossBackward0", face="private",
    vjp=derived("self", once="multi_margin_loss_backward"))  # fmt: skip
def multi_margin_loss_op(
    self, target, p: int = 1, margin: Scalar = 1, weight=None, reduction: int = 1
):
    """`multi_margin_loss` with ATen's signature."""
    scores = self if self.ndim == 2 else self.reshape(1, -1)
    if self.ndim > 2 or target.size != scores.shape[0]:
        raise RuntimeError(
            "Expected non-empty vector or matrix with optional 0-dim batch size, and a target for "
            f"each example, but got: {list(self.shape)} and {list(target.shape)}"
        )
    if weight is not None and weight.shape[0] != scores.shape[1]:
        raise RuntimeError(
            f"inconsistent weight size, expected {scores.shape[1]} but got {list(weight.shape)}"
        )
    classes = target.reshape(-1, 1)
    chosen = jnp.take_along_axis(scores, classes, 1)
    terms = _hinges(scores - chosen, jnp.asarray(margin, self.dtype), p)
    if weight is not None:
        terms = terms * weight[classes]
    terms = jnp.where(jnp.arange(scores.shape[1]) == classes, 0, terms)
    losses = jnp.sum(terms, 1) / scores.shape[1]
    return reduce_array(losses.reshape(target.shape) if target.ndim == 0 else losses, reduction)


@composite(face="nn")
def multi_margin_loss(
    input, target, p=1, margin=1.0, weight=None, size_average=None, reduce=None, reduction="mean"
):
    """The mean over other classes of ``max(0, margin - input[target] + input[other]) ** p``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.multi_margin_loss(jnp.array([[0.5, 0.0]]), jnp.array([0]))
    Array(0.25, dtype=float32)
    """
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.ndim != 1:
        raise ValueError("weight must be one-dimensional")
    code = _code(size_average, reduce, reduction)
    return multi_margin_loss_op(input, target, p, margin, weight, code)


@op("multilabel_margin_loss_forward", grad_fn="MultilabelMarginLossBackward0", face="private",
    outputs=("output", "is_target"),
    vjp=derived("self", once="multilabel_margin_loss_backward"))  # fmt: skip
def multilabel_margin_loss_forward(self, target, reduction: int):
    """`multilabel_margin_loss`, and ones at the classes that are targets."""
    scores, labels = jnp.atleast_2d(self), jnp.atleast_2d(target)
    if labels.shape != scores.shape:
        raise RuntimeError(
            f"inconsistent target size: {list(target.shape)} for input of size: {list(self.shape)}"
        )
    listed = jnp.cumsum(labels < 0, 1) == 0
    safe = jnp.where(listed, labels, 0)
    classes = jnp.arange(scores.shape[1])
    is_target = jnp.any((safe[:, :, None] == classes) & listed[:, :, None], 1)
    chosen = jnp.take_along_axis(scores, safe, 1)
    terms = _hinges(scores[:, None, :] - chosen[:, :, None], 1, 1)
    terms = jnp.where(listed[:, :, None] & ~is_target[:, None, :], terms, 0)
    losses = jnp.sum(terms, (1, 2)) / scores.shape[1]
    losses = losses.reshape(()) if self.ndim < 2 else losses
    return reduce_array(losses, reduction), is_target.reshape(target.shape).astype(self.dtype)


@composite(face="nn")
def multilabel_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """``max(0, 1 - input[label] + input[other])`` over labels and other classes, over ``C``.

    ``target`` lists the labels of each example, ended by -1.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.multilabel_margin_loss(jnp.array([[0.5, 0.0]]), jnp.array([[0, -1]]))
    Array(0.25, dtype=float32)
    """
    return multilabel_margin_loss_forward(input, target, _code(size_average, reduce, reduction))[0]


@composite(face="nn")
def multilabel_soft_margin_loss(
    input, target, weight=None, size_average=None, reduce=None, reduction="mean"
):
    """The mean over classes of the binary cross entropy of logits.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.multilabel_soft_margin_loss(jnp.zeros((1, 2)), jnp.ones((1, 2)))
    Array(0.6931472, dtype=float32)
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    losses = -(target * logsigmoid(input) + sub(1, target) * logsigmoid(-input))
    if weight is not None:
        losses = losses * weight
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    losses = div(sum_dim(losses, (input.ndim - 1,)), input.shape[-1])
    return reduce_loss(losses, reduction_code(reduction))


# -- pairs and triplets ----------------------------------------------------------------------------


@composite(face="nn")
def margin_ranking_loss(
    input1, input2, target, margin=0, size_average=None, reduce=None, reduction="mean"
):
    """``max(0, -target * (input1 - input2) + margin)``.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.margin_ranking_loss(jnp.zeros(1), jnp.ones(1), jnp.ones(1))
    Array(1., dtype=float32)
    """
    code = _code(size_average, reduce, reduction)
    if input1.ndim != input2.ndim or input1.ndim != target.ndim:
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {input1.shape}, input2: {input2.shape}, target: {target.shape} "
        )
    return reduce_loss(clamp_min(add_number(-target * (input1 - input2), margin), 0), code)


@composite(face="nn")
def cosine_embedding_loss(
    input1, input2, target, margin=0, size_average=None, reduce=None, reduction="mean"
):
    """``1 - cos(input1, input2)`` for target 1, ``max(0, cos - margin)`` for target -1.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.cosine_embedding_loss(jnp.eye(2), jnp.eye(2)[::-1], jnp.ones(2))
    Array(1., dtype=float32)
    """
    code = _code(size_average, reduce, reduction)
    _check_cosine(input1, input2, target)
    dims = (target.ndim,)
    product = sum_dim(input1 * input2, dims)
    squares = [add_number(sum_dim(x * x, dims), 1e-12) for x in (input1, input2)]
    cosine = product / sqrt(squares[0] * squares[1])
    none = zeros_like(cosine)
    alike = where(eq(target, 1), sub(1, cosine), none)
    unlike = where(eq(target, -1), clamp_min(sub_number(cosine, margin), 0), none)
    return reduce_loss(alike + unlike, code)


def _check_cosine(input1, input2, target) -> None:
    if target.ndim > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if input1.ndim != target.ndim + 1 or input2.ndim != target.ndim + 1:
        raise RuntimeError(
            f"{target.ndim}D target tensor expects {target.ndim + 1}D input tensors, but found "
            f"inputs with sizes {list(input1.shape)} and {list(input2.shape)}."
        )


def _triplet(distance, plus, anchor, positive, negative, margin, swap):
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of "
            f"dimensions, but got: anchor {anchor.ndim}D, positive {positive.ndim}D, and negative "
            f"{negative.ndim}D inputs"
        )
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return clamp_min(plus(near, margin) - far, 0)


@composite(face="nn")
def triplet_margin_loss(
    anchor, positive, negative, margin=1.0, p=2, eps=1e-6, swap=False, size_average=None,
    reduce=None, reduction="mean",
):  # fmt: skip
    """``max(0, distance(anchor, positive) - distance(anchor, negative) + margin)``.

    ``swap`` takes the smaller of the distances from the negative to the other two.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.triplet_margin_loss(jnp.zeros((1, 2)), jnp.zeros((1, 2)), jnp.zeros((1, 2)))
    Array(1., dtype=float32)
    """

    def distance(x, y):
        return pairwise_distance(x, y, p, eps)

    code = _code(size_average, reduce, reduction)
    losses = _triplet(distance, add_number, anchor, positive, negative, margin, swap)
    return reduce_loss(losses, code)


@composite(face="nn")
def triplet_margin_with_distance_loss(
    anchor, positive, negative, *, distance_function=None, margin=1.0, swap=False,
    reduction="mean",
):  # fmt: skip
    """`triplet_margin_loss` with any distance; `pairwise_distance` unless given.

    >>> import jax.numpy as jnp, funcgrad
    >>> x = jnp.zeros((1, 2))
    >>> funcgrad.triplet_margin_with_distance_loss(x, x, x)
    Array(1., dtype=float32)
    """
    distance = pairwise_distance if distance_function is None else distance_function
    code = reduction_code(reduction)
    losses = _triplet(distance, add, anchor, positive, negative, margin, swap)
    return reduce_loss(losses, code)


# -- likelihoods -----------------------------------------------------------------------------------


@op("_variance_at_least", grad_fn="CloneBackward0", face="private",
    vjp=dict(self=lambda grad: grad))  # fmt: skip
def _variance_at_least(self, min: Scalar):
    """A copy with ``min`` as lower bound, of which the gradient does not know; nan below 0."""
    return jnp.where(self < 0, jnp.nan, jnp.maximum(self, types.cast(min, self.dtype)))


def _different(given, shape) -> list[int]:
    return [a for a, b in zip(given, shape, strict=True) if a != b]


@composite(face="nn")
def gaussian_nll_loss(input, target, var, full=False, eps=1e-6, reduction="mean"):
    """The negative log-likelihood of a normal distribution with mean ``input``, variance ``var``.

    The variance is at least ``eps``; its gradient does not know of the bound. PyTorch raises for a
    negative one; a traced program cannot look, so the loss is nan.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.gaussian_nll_loss(jnp.zeros(1), jnp.ones(1), jnp.ones(1))
    Array(0.5, dtype=float32)
    """
    if isinstance(var, float):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = add(zeros_like(input), var)
    shape, given = tuple(input.shape), tuple(var.shape)
    if given != shape:
        if given == shape[:-1]:
            var = unsqueeze(var, -1)
        elif len(given) != len(shape) or _different(given, shape) != [1]:
            raise ValueError("var is of incorrect size")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    var = _variance_at_least(var, eps)
    losses = mul(log(var) + pow(input - target, 2) / var, 0.5)
    if full:
        losses = add(losses, 0.5 * math.log(2 * math.pi))
    return reduce_loss(losses, reduction_code(reduction))


@composite(face="nn")
def poisson_nll_loss(
    input, target, log_input=True, full=False, size_average=None, eps=1e-8, reduce=None,
    reduction="mean",
):  # fmt: skip
    """The negative log-likelihood of counts ``target`` for the rate ``exp(input)`` or ``input``.

    ``full`` adds Stirling's approximation of ``log(target!)`` for targets above 1.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.poisson_nll_loss(jnp.zeros(1), jnp.ones(1))
    Array(1., dtype=float32)
    """
    reduction = legacy_reduction(size_average, reduce, reduction)
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    if log_input:
        product = target * input  # first, as in PyTorch: it is the order of the backward pass
        losses = exp(input) - product
    else:
        losses = input - target * log(add_number(input, eps))
    if full:
        root = mul_number(log(mul_number(target, 2 * math.pi)), 0.5)
        stirling = target * log(target) - target + root
        losses = losses + masked_fill(stirling, le(target, 1), 0)
    return reduce_loss(losses, reduction_code(reduction))

"""Bags of rows of a table: their sums, means and maxima."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from ..composite import composite
from ..derivative import derived
from ..op import op
from ..underivable import NODE, underivable
from .embedding import _check_indices, embedding_op, padding_row
from .view import reshape

_MODES = ("sum", "mean", "max")


@op("_bags_of_rows", grad_fn="EmbeddingBagBackward0", face="private",
    vjp=derived("rows", "weights"))  # fmt: skip
def _bags_of_rows(rows, indices, offsets, weights, mode: str, padding_idx: int, bags: int):
    """Reduce the rows from each offset to the next; the padding row counts nowhere."""
    places = jnp.arange(indices.size)
    bag = jnp.searchsorted(offsets[:bags], places, side="right") - 1
    counts = indices != padding_idx
    if weights is not None:
        rows = rows * weights[:, None]
    bag = jnp.where(counts, bag, bags)  # a bag too many, for what does not count
    if mode == "max":
        return _largest(rows, bag, bags)
    total = jax.ops.segment_sum(rows, bag, bags + 1)[:bags]
    if mode == "sum":
        return total
    sizes = jax.ops.segment_sum(jnp.ones_like(places), bag, bags + 1)[:bags]
    return total / jnp.maximum(sizes, 1)[:, None].astype(rows.dtype)


def _largest(rows, bag, bags: int):
    """The first of the largest, element by element; 0 in an empty bag."""
    top = jax.ops.segment_max(jax.lax.stop_gradient(rows), bag, bags + 1)
    place = jnp.where(rows == top[bag], jnp.arange(len(bag))[:, None], len(bag))
    first = jax.ops.segment_min(place, bag, bags + 1)[:bags]
    filled = first < len(bag)
    found = jnp.take_along_axis(rows, jnp.where(filled, first, 0), 0)
    return jnp.where(filled, found, 0)


@op("_table_bags_backward", grad_fn="EmbeddingBagBackwardBackward0", face="private",
    vjp=derived("grad_output", "per_sample_weights"))  # fmt: skip
def _table_bags_backward(
    grad_output, weight, indices, offsets, per_sample_weights, mode: str, padding_idx: int,
    bags: int,
):  # fmt: skip
    """The gradient of `_table_bags` with respect to the table."""
    others = indices, offsets, per_sample_weights, mode, padding_idx, bags
    return jax.vjp(lambda table: _table_bags.fn(table, *others), weight)[1](grad_output)[0]


_OF_WEIGHTS = "_embedding_bag_per_sample_weights_backward"


@op("_table_bags_weights", grad_fn=NODE, face="private",
    vjp=underivable(_OF_WEIGHTS, ("grad_output", "weight")))  # fmt: skip
def _weights_backward(
    grad_output, weight, indices, offsets, per_sample_weights, padding_idx: int, bags: int
):
    """The gradient of a sum with respect to the weights of its rows."""
    others = "sum", padding_idx, bags
    _, pull = jax.vjp(
        lambda weights: _table_bags.fn(weight, indices, offsets, weights, *others),
        per_sample_weights,
    )
    return pull(grad_output)[0]


@op("_table_bags", grad_fn="EmbeddingBagBackward0", face="private", vjp=dict(
    weight=lambda grad, weight, indices, offsets, per_sample_weights, mode, padding_idx, bags: (
        _table_bags_backward(
            grad, weight, indices, offsets, per_sample_weights, mode, padding_idx, bags)),
    per_sample_weights=lambda grad, weight, indices, offsets, per_sample_weights, padding_idx,
    bags: _weights_backward(
        grad, weight, indices, offsets, per_sample_weights, padding_idx, bags),
))  # fmt: skip
def _table_bags(
    weight, indices, offsets, per_sample_weights, mode: str, padding_idx: int, bags: int
):
    """`_bags_of_rows` of the rows of a table."""
    _check_indices(indices, weight.shape[0])
    rows = jnp.take(weight, indices, axis=0, mode="fill")
    return _bags_of_rows.fn(rows, indices, offsets, per_sample_weights, mode, padding_idx, bags)


@op("_even_offsets", face="private")
def _even_offsets(input):
    """Where the rows of a matrix of indices start."""
    return jnp.arange(input.shape[0]) * input.shape[1]


@composite(face="nn")
def embedding_bag(
    input, weight, offsets=None, max_norm=None, norm_type=2, scale_grad_by_freq=False,
    mode="mean", sparse=False, per_sample_weights=None, include_last_offset=False,
    padding_idx=None,
):  # fmt: skip
    """Sums, means or maxima of bags of rows of ``weight``.

    ``input`` is a matrix of indices, a bag in each row, or all indices one after the other with the
    ``offsets`` where bags start. ``per_sample_weights`` scale the rows of a sum. Empty bags give 0.

    >>> import jax.numpy as jnp, funcgrad
    >>> table = jnp.array([[1.0], [2.0], [4.0]])
    >>> funcgrad.embedding_bag(jnp.array([0, 1, 2]), table, jnp.array([0, 2]), mode="sum")
    Array([[3.],
           [4.]], dtype=float32)
    """
    if mode not in _MODES:
        raise ValueError(f"mode has to be one of sum, mean or max: got {mode!r}")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if mode == "max" and sparse:
        raise ValueError("max mode does not support sparse weights")
    if max_norm is not None:
        raise NotImplementedError(
            "embedding_bag(max_norm=...) changes the table in place; a pure function cannot. "
            "Renormalize the table before the call (funcgrad.renorm)."
        )
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported "
            f"for mode='sum' (got mode='{mode}')."
        )
    if per_sample_weights is not None and tuple(per_sample_weights.shape) != tuple(input.shape):
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({tuple(per_sample_weights.shape)}) is not "
            f"None, then it must have the same shape as the input ({tuple(input.shape)})"
        )
    if input.ndim == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch "
                f"of fixed length sequences. However, found offsets of shape {offsets.shape}"
            )
        bags, offsets = input.shape[0], _even_offsets(input)
        if per_sample_weights is not None:
            per_sample_weights = reshape(per_sample_weights, (-1,))
        input = reshape(input, (-1,))
    elif input.ndim != 1:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dim {input.ndim}")
    elif offsets is None:
        raise ValueError("offsets has to be a 1D Tensor but got None")
    elif offsets.ndim != 1:
        raise ValueError("offsets has to be a 1D Tensor")
    else:
        bags = offsets.shape[0] - bool(include_last_offset)
    row = padding_row(padding_idx, weight.shape[0])
    if scale_grad_by_freq:
        rows = embedding_op(weight, input, row, True, False)
        return _bags_of_rows(rows, input, offsets, per_sample_weights, mode, row, bags)
    return _table_bags(weight, input, offsets, per_sample_weights, mode, row, bags)

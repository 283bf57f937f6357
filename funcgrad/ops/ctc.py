"""Connectionist temporal classification (Graves et al. 2006)."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ..composite import composite
from ..derivative import derived
from ..op import op
from .choose import clamp_min, where
from .compare import eq
from .creation import zeros_like
from .reduction import reduction_code
from .view import squeeze, unsqueeze

_IMPOSSIBLE = -1e30
"""The logarithm of a probability that is zero: finite, so that its gradient is 0, not nan."""


def _after_blank(targets, blank: int):
    """``(N, 2 S + 1)``: a blank before, between and after the targets."""
    batch, length = targets.shape
    path = jnp.full((batch, 2 * length + 1), blank, targets.dtype)
    return path.at[:, 1::2].set(targets)


def _likelihood(log_probs, targets, input_lengths, target_lengths, blank: int):
    """The negative log-likelihood of each example: the forward variables, step by step."""
    path = _after_blank(targets, blank)
    states = path.shape[1]
    emitted = jnp.take_along_axis(
        log_probs, jnp.broadcast_to(path, (log_probs.shape[0], *path.shape)), 2
    )
    emitted = jnp.maximum(emitted, _IMPOSSIBLE)
    place = jnp.arange(states)
    again = jnp.pad(path[:, 2:] == path[:, :-2], ((0, 0), (2, 0)), constant_values=True)
    may_skip = (path != blank) & ~again
    start = jnp.where(place < 2, emitted[0], _IMPOSSIBLE)

    def behind(alpha, count):
        return jnp.pad(alpha, ((0, 0), (count, 0)), constant_values=_IMPOSSIBLE)[:, :states]

    def step(alpha, given):
        time, emission = given
        ways = jnp.stack(
            [alpha, behind(alpha, 1), jnp.where(may_skip, behind(alpha, 2), _IMPOSSIBLE)]
        )
        after = jnp.maximum(jax.nn.logsumexp(ways, axis=0) + emission, _IMPOSSIBLE)
        return jnp.where((time < input_lengths)[:, None], after, alpha), None

    times = jnp.arange(1, log_probs.shape[0])
    alpha, _ = lax.scan(step, start, (times, emitted[1:]))
    last = 2 * target_lengths[:, None]
    ends = jnp.take_along_axis(alpha, jnp.concatenate([last, jnp.maximum(last - 1, 0)], 1), 1)
    ends = jnp.where((place[:2] == 1) & (target_lengths[:, None] == 0), _IMPOSSIBLE, ends)
    total = jax.nn.logsumexp(ends, axis=1)
    found = jnp.where(total <= _IMPOSSIBLE / 2, jnp.inf, -total)
    return jnp.where(input_lengths == 0, jnp.where(target_lengths == 0, 0, jnp.inf), found)


@op("ctc_loss_of_each_backward", grad_fn="CtcLossBackwardBackward0", face="private",
    vjp=derived("grad_output", "log_probs"))  # fmt: skip
def _backward(
    grad_output, log_probs, targets, input_lengths, target_lengths, blank: int, zero_infinity: bool
):
    """PyTorch's gradient takes ``log_probs`` to be normalized: that of `log_softmax` is in it."""

    def total(x):
        each = _likelihood(x, targets, input_lengths, target_lengths, blank)
        return jnp.where(jnp.isfinite(each), each, 0).sum(), each

    occupied, each = jax.grad(total, has_aux=True)(log_probs)
    running = jnp.arange(log_probs.shape[0])[:, None] < input_lengths
    grad = jnp.where(running[..., None], jnp.exp(log_probs) + occupied, 0)
    infinite = 0.0 if zero_infinity else jnp.nan
    grad = jnp.where(((each == jnp.inf) & running)[..., None], infinite, grad)
    return (grad * grad_output[:, None]).astype(log_probs.dtype)


@op(
    "ctc_loss_of_each", grad_fn="CtcLossBackward0", face="private",
    vjp=dict(log_probs=lambda grad, log_probs, targets, input_lengths, target_lengths, blank,
             zero_infinity: _backward(grad, log_probs, targets, input_lengths, target_lengths,
                                      blank, zero_infinity)),
)  # fmt: skip
def ctc_loss_of_each(
    log_probs, targets, input_lengths, target_lengths, blank: int, zero_infinity: bool
):
    """The loss of each example of ``(T, N, C)``; targets ``(N, S)``."""
    found = _likelihood(log_probs, targets, input_lengths, target_lengths, blank)
    return found.astype(log_probs.dtype)


@op("_ctc_targets", face="private")
def _in_rows(targets, target_lengths, longest: int):
    """Concatenated targets as rows, filled with their first."""
    starts = jnp.cumsum(target_lengths) - target_lengths
    place = jnp.arange(longest)
    wanted = jnp.where(place < target_lengths[:, None], starts[:, None] + place, 0)
    return jnp.take(targets, wanted, mode="clip")


def _longest(lengths, otherwise: int) -> int:
    try:
        return max(int(n) for n in np.asarray(lengths).tolist())
    except jax.errors.TracerArrayConversionError:
        return otherwise


@op("_as_lengths", face="private")
def _as_lengths(like, values):
    """Lengths as an array of integers."""
    return jnp.broadcast_to(jnp.asarray(values), (like.shape[1],))


def _lengths(log_probs, values):
    if isinstance(values, int):
        values = np.full(log_probs.shape[1], values)
    elif isinstance(values, list | tuple):
        values = np.asarray([int(n) for n in values])
    if tuple(values.shape) not in ((), (log_probs.shape[1],)):
        raise RuntimeError(
            "input_lengths and target_lengths must be of size batch_size: got "
            f"{tuple(values.shape)} for a batch of {log_probs.shape[1]}"
        )
    return _as_lengths(log_probs, values)


@composite(face="nn")
def ctc_loss(
    log_probs, targets, input_lengths, target_lengths, blank=0, reduction="mean",
    zero_infinity=False,
):  # fmt: skip
    """The negative log-likelihood of label sequences under all their alignments.

    ``log_probs``: ``(T, N, C)`` or ``(T, C)``, normalized over C. ``targets``: ``(N, S)``, or all
    sequences one after the other. ``"mean"`` divides each loss by the length of its target first.
    Where no alignment exists the loss is inf, or 0 with ``zero_infinity``. As in PyTorch, the
    gradient is right only for the input of a `log_softmax` that made ``log_probs``.

    >>> import jax.numpy as jnp, funcgrad
    >>> even = jnp.log(jnp.full((2, 1, 2), 0.5))
    >>> funcgrad.ctc_loss(even, jnp.array([[1]]), [2], [1])  # -log(3 / 4)
    Array(0.28768..., dtype=float32)
    """
    code = reduction_code(reduction)
    single = log_probs.ndim == 2
    if single:
        log_probs = unsqueeze(log_probs, 1)
        targets = unsqueeze(targets, 0) if targets.ndim == 1 else targets
    if not 0 <= blank < log_probs.shape[2]:
        raise RuntimeError("blank must be in label range")
    input_lengths = _lengths(log_probs, input_lengths)
    target_lengths = _lengths(log_probs, target_lengths)
    if targets.ndim == 1:
        longest = _longest(target_lengths, targets.shape[0])
        targets = _in_rows(targets, target_lengths, longest)
    each = ctc_loss_of_each(log_probs, targets, input_lengths, target_lengths, blank, zero_infinity)
    if zero_infinity:
        each = where(eq(each, float("inf")), zeros_like(each), each)
    if code == 1:
        return (each / clamp_min(target_lengths, 1)).mean()
    if code == 2:
        return each.sum()
    return squeeze(each, 0) if single else each

"""One training step as a pure function, and many of them as one compiled loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from ..transforms import clip_grad_norm, clip_grad_value, value_and_grad
from ..transforms.leaves import describe, named_leaves


class TrainState(NamedTuple):
    """Everything a training step changes: a pytree of arrays.

    >>> TrainState(0, {"w": 1.0}, ()).step
    0
    """

    step: Any
    params: Any
    optimizer_state: Any
    ema: Any = None


class StepOutput(NamedTuple):
    """What a step reports: the loss before the update, and what `loss_fn` returned beside it.

    >>> StepOutput(0.5).loss
    0.5
    """

    loss: Any
    metrics: Any = None


def init_state(
    params: Any, optimizer: optax.GradientTransformation, *, ema: float | None = None
) -> TrainState:
    """The state before the first step. The arrays are copies: `params` survives donation.

    >>> init_state({"w": jnp.ones(2)}, optax.sgd(0.1)).step
    Array(0, dtype=int32)
    """
    params = jax.tree.map(jnp.array, params)
    average = None if ema is None else jax.tree.map(jnp.array, params)
    return TrainState(jnp.zeros((), jnp.int32), params, optimizer.init(params), average)


def make_step(
    loss_fn: Callable,
    optimizer: optax.GradientTransformation,
    *,
    has_aux: bool = False,
    accumulate: int = 1,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    ema: float | None = None,
    jit: bool = True,
    donate: bool = True,
) -> Callable[..., tuple[TrainState, StepOutput]]:
    """A function `step(state, *batch) -> (state, output)` that does one optimizer step.

    Args:
        loss_fn: `loss_fn(params, *batch)` returns the loss, or `(loss, metrics)` with `has_aux`.
        optimizer: an optax transformation, as `funcgrad.optim` has them. It is given PyTorch's
            gradients, which matters for complex parameters only.
        accumulate: cut the first axis of the first batch argument in this many parts and use the
            mean of their gradients: the gradient of the whole batch with the memory of a part.
        clip_norm, clip_value: clip the gradient as `clip_grad_norm` and `clip_grad_value` do.
        ema: the decay of an exponential moving average of the parameters, in `state.ema`. The
            first step copies the parameters, as `torch.optim.swa_utils.AveragedModel` does.
        jit: compile the step. Turn off to put it in your own `jax.jit` or `lax.scan`.
        donate: let the step reuse the memory of the state it is given, which is then gone.

    >>> step = make_step(lambda params, x: ((params - x) ** 2).sum(), optax.sgd(0.25))
    >>> state = init_state(jnp.zeros(2), optax.sgd(0.25))
    >>> state, output = step(state, jnp.ones(2))
    >>> state.params, output.loss
    (Array([0.5, 0.5], dtype=float32), Array(2., dtype=float32))
    """
    gradient_of = value_and_grad(loss_fn, has_aux=has_aux)
    if accumulate > 1:
        gradient_of = _accumulated(gradient_of, accumulate, has_aux)

    def step(state: TrainState, *batch: Any) -> tuple[TrainState, StepOutput]:
        value, gradients = gradient_of(state.params, *batch)
        loss, metrics = value if has_aux else (value, None)
        if clip_value is not None:
            gradients = clip_grad_value(gradients, clip_value)
        if clip_norm is not None:
            gradients, _ = clip_grad_norm(gradients, clip_norm)
        extra = {}
        if isinstance(optimizer, optax.GradientTransformationExtraArgs):
            extra = dict(value=loss, grad=gradients, value_fn=_loss_only(loss_fn, has_aux, batch))
        updates, optimizer_state = optimizer.update(
            gradients, state.optimizer_state, state.params, **extra
        )
        params = optax.apply_updates(state.params, updates)
        average = None if ema is None else _average(state, params, ema)
        new = TrainState(state.step + 1, params, optimizer_state, average)
        return new, StepOutput(loss, metrics)

    if not jit:
        return step
    return jax.jit(step, donate_argnums=0 if donate else ())


def _loss_only(loss_fn: Callable, has_aux: bool, batch: tuple) -> Callable:
    """The loss as a function of the parameters alone, for optimizers that search along a line."""
    return lambda params: loss_fn(params, *batch)[0] if has_aux else loss_fn(params, *batch)


def _average(state: TrainState, params: Any, decay: float) -> Any:
    first = state.step == 0
    return jax.tree.map(
        lambda old, new: jnp.where(first, new, decay * old + (1 - decay) * new), state.ema, params
    )


def _accumulated(gradient_of: Callable, parts: int, has_aux: bool) -> Callable:
    """`gradient_of` as the mean over `parts` equal pieces of the batch, one after the other."""

    def cut(path: Any, leaf: Any) -> Any:
        if not jnp.ndim(leaf) or leaf.shape[0] % parts:
            raise ValueError(
                f"accumulate={parts}: batch{jax.tree_util.keystr(path)} is {describe(leaf)}, whose "
                f"first axis cannot be cut in {parts} equal parts"
            )
        return leaf.reshape(parts, leaf.shape[0] // parts, *leaf.shape[1:])

    def mean(params: Any, batch: Any, *rest: Any) -> tuple:
        pieces = jax.tree_util.tree_map_with_path(cut, batch)

        def add(total: Any, piece: Any) -> tuple[Any, None]:
            return jax.tree.map(jnp.add, total, gradient_of(params, piece, *rest)), None

        first = jax.tree.map(lambda leaf: leaf[0], pieces)
        shapes = jax.eval_shape(gradient_of, params, first, *rest)
        zeros = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
        total, _ = jax.lax.scan(add, zeros, pieces)
        return jax.tree.map(lambda leaf: leaf / parts, total)

    return mean


def scan_steps(step: Callable, state: TrainState, batches: Any) -> tuple[TrainState, StepOutput]:
    """`step` over the first axis of `batches` as one `lax.scan`: the loop without Python.

    `batches` is a pytree whose leaves are batches stacked along a new first axis; a tuple is spread
    over the arguments of `step`. Returns the last state and the outputs stacked.

    Raises:
        ValueError: leaves of different lengths, or no batches at all.

    >>> step = make_step(lambda p, x: ((p - x) ** 2).sum(), optax.sgd(0.25), jit=False)
    >>> state, output = scan_steps(step, init_state(jnp.zeros(()), optax.sgd(0.25)), jnp.ones(3))
    >>> output.loss
    Array([1.    , 0.25  , 0.0625], dtype=float32)
    """
    lengths = {name: jnp.shape(leaf)[:1] for name, leaf in named_leaves(batches, "batches")}
    if len(set(lengths.values())) != 1 or lengths and next(iter(lengths.values())) in [(), (0,)]:
        raise ValueError(f"scan_steps: batches need one common first axis, got lengths {lengths}")
    spread = isinstance(batches, tuple)
    body = lambda state, batch: step(state, *(batch if spread else (batch,)))  # noqa: E731
    return jax.lax.scan(body, state, batches)

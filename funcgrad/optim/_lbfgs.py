"""L-BFGS: quasi-Newton steps from a short history of gradients."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.flatten_util import ravel_pytree

from ._arithmetic import Scalar, add, multiply, real
from ._check import check_lr, check_trees
from ._rule import LearningRate, Optimizer, as_before, as_reals, learning_rate_at
from ._strong_wolfe import Point, choose, strong_wolfe


class History(NamedTuple):
    """The last changes of the gradient (`old_dirs`) and of the parameters (`old_stps`): `size` rows
    are in use."""

    old_dirs: jax.Array
    old_stps: jax.Array
    ro: jax.Array
    size: jax.Array
    scale: jax.Array


class LBFGSState(NamedTuple):
    """What L-BFGS remembers; vectors hold all parameters, flat, and the names are those of
    PyTorch's state."""

    count: jax.Array
    func_evals: jax.Array
    n_iter: jax.Array
    d: jax.Array
    t: jax.Array
    history: History
    prev_flat_grad: jax.Array
    prev_loss: jax.Array


class Iterate(NamedTuple):
    """Where the inner iteration is."""

    flat: jax.Array
    loss: jax.Array
    grad: jax.Array
    state: LBFGSState
    iterations: jax.Array
    evaluations: jax.Array
    done: jax.Array


class Settings(NamedTuple):
    """The options of one step."""

    lr: Scalar
    max_iter: int
    max_eval: int
    tolerance_grad: Scalar
    tolerance_change: Scalar
    line_search: bool


def _flatten(tree):
    return ravel_pytree(jax.tree.map(lambda leaf: as_reals(jnp.asarray(leaf)), tree))


def _empty_history(size, flat):
    rows = jnp.zeros((size, flat.size), flat.dtype)
    return History(
        rows, rows, jnp.zeros(size, flat.dtype), jnp.zeros((), jnp.int32), jnp.ones((), flat.dtype)
    )


def _remember(history: History, y, s) -> History:
    """Append a pair of changes, and drop the oldest when full, if the curvature along it is
    positive."""
    ys = y @ s
    length = history.ro.size
    full = history.size == length
    row = jnp.minimum(history.size, length - 1)

    def append(rows, new):
        return jnp.where(full, jnp.roll(rows, -1, axis=0), rows).at[row].set(new)

    longer = History(
        append(history.old_dirs, y),
        append(history.old_stps, s),
        append(history.ro, 1.0 / ys),
        jnp.minimum(history.size + 1, length),
        ys / (y @ y),
    )
    return choose(ys > 1e-10, longer, history)


def _direction(history: History, grad):
    """The approximate inverse Hessian times the negative gradient: Nocedal's two loops."""

    def backward(k, carry):
        q, factors = carry
        i = history.size - 1 - k
        factor = (history.old_stps[i] @ q) * history.ro[i]
        return q - factor * history.old_dirs[i], factors.at[i].set(factor)

    def forward(i, r):
        factor = (history.old_dirs[i] @ r) * history.ro[i]
        return r + (factors[i] - factor) * history.old_stps[i]

    q, factors = jax.lax.fori_loop(0, history.size, backward, (-grad, jnp.zeros_like(history.ro)))
    return jax.lax.fori_loop(0, history.size, forward, q * history.scale)


def _move(evaluate, settings, here: Iterate, slope) -> Iterate:
    """Go along the direction: by a line search, or by the fixed step without looking in the last
    iteration."""
    state = here.state
    if settings.line_search:

        def on_line(t):
            loss, grad = evaluate(add(here.flat, state.d, t))
            return Point(t, loss, grad, real(grad @ state.d))

        start = Point(real(0.0), here.loss, here.grad, slope)
        limit = settings.max_eval - here.evaluations
        point, evaluations = strong_wolfe(on_line, start, state.t, limit, jnp.max(jnp.abs(state.d)))
        t, loss, grad = point.t, point.value, point.grad
        flat = add(here.flat, state.d, t)
    else:
        t, flat = state.t, add(here.flat, state.d, state.t)
        last = here.iterations == settings.max_iter
        loss, grad = jax.lax.cond(last, lambda: (here.loss, here.grad), lambda: evaluate(flat))
        evaluations = jnp.where(last, 0, 1)
    total = here.evaluations + evaluations
    stop = (here.iterations == settings.max_iter) | (total >= settings.max_eval)
    stop |= jnp.max(jnp.abs(grad)) <= settings.tolerance_grad
    stop |= jnp.max(jnp.abs(multiply(state.d, t))) <= settings.tolerance_change
    stop |= jnp.abs(loss - here.loss) < settings.tolerance_change
    state = state._replace(t=t, func_evals=state.func_evals + evaluations)
    return Iterate(flat, loss, grad, state, here.iterations, total, stop)


def _iterate(evaluate, settings, here: Iterate) -> Iterate:
    """One iteration: a direction, then a move along it unless it does not lead down."""
    old, grad = here.state, here.grad
    first = old.n_iter == 0
    longer = _remember(old.history, grad - old.prev_flat_grad, multiply(old.d, old.t))
    history = choose(first, old.history, longer)
    direction = _direction(history, grad)
    careful = jnp.minimum(1.0, 1.0 / real(jnp.sum(jnp.abs(grad)))) * settings.lr
    state = old._replace(
        n_iter=old.n_iter + 1,
        d=direction,
        t=real(jnp.where(first, careful, settings.lr)),
        history=history,
        prev_flat_grad=grad,
        prev_loss=here.loss,
    )
    slope = real(grad @ direction)
    here = here._replace(state=state, iterations=here.iterations + 1)
    return jax.lax.cond(
        slope > -settings.tolerance_change,
        lambda: here._replace(done=jnp.ones((), bool)),
        lambda: _move(evaluate, settings, here, slope),
    )


def _check(lr, max_iter, history_size, line_search_fn):
    check_lr(lr)
    if line_search_fn not in (None, "strong_wolfe"):
        raise RuntimeError(
            f"only 'strong_wolfe' is supported: got line_search_fn={line_search_fn!r}."
        )
    if max_iter < 1 or history_size < 1:
        raise ValueError(
            f"max_iter and history_size must be at least 1: got {max_iter} and {history_size}."
        )


def lbfgs(
    lr: LearningRate = 1,
    max_iter: int = 20,
    max_eval: int | None = None,
    tolerance_grad: Scalar = 1e-7,
    tolerance_change: Scalar = 1e-9,
    history_size: int = 100,
    line_search_fn: str | None = None,
) -> Optimizer:
    """L-BFGS, as `torch.optim.LBFGS` does it: one update makes up to `max_iter` iterations.

    It evaluates the function itself, so that `update(grads, state, params, value=...,
    value_and_grad_fn=...)` needs the value at `params` and a function from parameters to `(value,
    grads)`, as `jax.value_and_grad` makes it. `line_search_fn` is None (fixed steps of length `lr`)
    or "strong_wolfe". All parameters are one vector; the history needs `2 * history_size` such
    vectors from the start. ValueError: a negative `lr`, missing arguments. RuntimeError: another
    line search.

    Liu, Nocedal: On the limited memory BFGS method for large scale optimization (1989).

    >>> import jax, jax.numpy as jnp, optax
    >>> from funcgrad import optim
    >>> function = jax.value_and_grad(lambda x: ((x - 3.0) ** 2 * jnp.array([1.0, 9.0])).sum())
    >>> optimizer = optim.lbfgs(line_search_fn="strong_wolfe")
    >>> params = jnp.zeros(2)
    >>> value, grads = function(params)
    >>> updates, state = optimizer.update(
    ...     grads, optimizer.init(params), params, value=value, value_and_grad_fn=function
    ... )
    >>> print(jnp.abs(optax.apply_updates(params, updates) - 3.0).max() < 1e-5)
    True
    """
    _check(lr, max_iter, history_size, line_search_fn)
    max_eval = max_iter * 5 // 4 if max_eval is None else max_eval

    def init(params):
        flat, _ = _flatten(params)
        zero, none = jnp.zeros((), jnp.int32), jnp.zeros_like(flat)
        history = _empty_history(history_size, flat)
        return LBFGSState(zero, zero, zero, none, real(0.0), history, none, real(0.0))

    def update(
        grads: Any,
        state: LBFGSState,
        params: Any = None,
        *,
        value: Any = None,
        value_and_grad_fn: Callable[[Any], tuple[Any, Any]] | None = None,
        **extra: Any,
    ):
        del extra
        if params is None or value is None or value_and_grad_fn is None:
            raise ValueError(
                "LBFGS evaluates the function several times in one step. Call "
                "update(grads, state, params, value=value, value_and_grad_fn=function)."
            )
        check_trees(grads, params)
        flat, unflatten = _flatten(params)

        def restore(vector):
            return jax.tree.map(
                lambda x, p: as_before(x, jnp.asarray(p)), unflatten(vector), params
            )

        def evaluate(vector):
            loss, grad = value_and_grad_fn(restore(vector))
            return real(loss), _flatten(grad)[0].astype(flat.dtype)

        settings = Settings(
            learning_rate_at(lr, state.count),
            max_iter,
            max_eval,
            tolerance_grad,
            tolerance_change,
            line_search_fn is not None,
        )
        grad = _flatten(grads)[0].astype(flat.dtype)
        state = state._replace(
            count=optax.safe_increment(state.count), func_evals=state.func_evals + 1
        )
        optimal = jnp.max(jnp.abs(grad)) <= tolerance_grad
        here = Iterate(
            flat,
            real(value),
            grad,
            state,
            jnp.zeros((), jnp.int32),
            jnp.ones((), jnp.int32),
            optimal,
        )
        here = jax.lax.while_loop(
            lambda here: ~here.done & (here.iterations < max_iter),
            lambda here: _iterate(evaluate, settings, here),
            here,
        )
        updates = jax.tree.map(lambda new, old: new - old, restore(here.flat), params)
        return updates, here.state

    hyperparameters = {
        "max_iter": max_iter,
        "max_eval": max_eval,
        "tolerance_grad": tolerance_grad,
        "tolerance_change": tolerance_change,
        "history_size": history_size,
        "line_search_fn": line_search_fn,
    }
    return Optimizer(init, update, "LBFGS", {"lr": lr, **hyperparameters})

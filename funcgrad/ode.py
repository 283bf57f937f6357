"""Ordinary differential equations, with a choice of how their gradients are computed.

`odeint` hands the solving to diffrax (``pip install funcgrad[ode]``) and adds torchdiffeq's
calling convention, gradients with respect to the times, and errors in place of NaN.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_derivatives import SymbolicZero

# Our names, and diffrax's. Kvaerno's methods are implicit; for rk4 see `_rk4`.
_ADAPTIVE = {
    "bosh3": "Bosh3",
    "dopri5": "Dopri5",
    "dopri8": "Dopri8",
    "tsit5": "Tsit5",
    "kvaerno3": "Kvaerno3",
    "kvaerno5": "Kvaerno5",
}
_FIXED = {"euler": "Euler", "midpoint": "Midpoint", "heun": "Heun", "rk4": None}
_ADJOINTS = {
    "adjoint": "BacksolveAdjoint",
    "checkpoint": "RecursiveCheckpointAdjoint",
    "direct": "DirectAdjoint",
}


class SolveError(RuntimeError):
    """The solver gave up, or its numbers became infinite or NaN."""


def odeint(
    f: Callable,
    y0: Any,
    t: Any,
    args: Any = None,
    *,
    method: str = "dopri5",
    rtol: float = 1e-6,
    atol: float = 1e-8,
    step_size: float | None = None,
    max_steps: int = 4096,
    gradient: str = "adjoint",
    dense: bool = False,
) -> Any:
    """Solve ``dy/dt = f(t, y, args)`` from ``y = y0`` at ``t[0]``, and return y at every time in t.

    y0 is a floating-point array or a pytree of them; f returns the same tree, shapes and dtypes.
    t is an array of at least two times, all increasing or all decreasing. Every leaf of the result
    has a leading axis of ``len(t)``, and its first entry is y0, as in torchdiffeq. With
    ``dense=True`` the result is a function that gives y at any time between the ends of t.

    Adaptive methods (``"bosh3"``, ``"dopri5"``, ``"dopri8"``, ``"tsit5"``, and for stiff equations
    ``"kvaerno3"``, ``"kvaerno5"``) keep each step's error within ``atol + rtol * |y|``. Fixed
    methods (``"euler"``, ``"midpoint"``, ``"heun"``, ``"rk4"``) need ``step_size``.

    gradient chooses how the derivative with respect to y0, args, t and whatever f closes over is
    computed:

    - ``"adjoint"`` solves a second equation backwards in time: memory that does not grow with the
      number of steps, and a gradient that is as exact as that solve is.
    - ``"checkpoint"`` differentiates the steps and recomputes most of them: exact for the numbers
      that were computed, with memory that grows like the root of the number of steps.
    - ``"direct"`` differentiates the steps and is the only one with forward mode (`jvp`, `jacfwd`)
      and second derivatives; its cost grows with max_steps.

    Raises SolveError (a RuntimeError) where max_steps do not suffice, forwards or in the adjoint's
    backward solve, or the solution is not finite. Under `jax.jit` nothing can be raised while
    tracing: there the compiled program raises what JAX makes of it, also a RuntimeError.

    >>> import jax, jax.numpy as jnp
    >>> decay = lambda t, y, rate: -rate * y
    >>> y = odeint(decay, jnp.float32(1.0), jnp.array([0.0, 1.0, 2.0]), 0.5)
    >>> [f"{value:.4f}" for value in y.tolist()]
    ['1.0000', '0.6065', '0.3679']
    >>> end = lambda rate: odeint(decay, jnp.float32(1.0), jnp.array([0.0, 2.0]), rate)[-1]
    >>> print(f"{jax.grad(end)(0.5):.4f}")  # -2 exp(-1)
    -0.7358
    """
    diffrax = _diffrax()
    _check_choice("gradient", gradient, _ADJOINTS)
    if dense and gradient == "adjoint":
        raise ValueError(
            'odeint: dense=True cannot be used with gradient="adjoint", which keeps the solution '
            'only at the times in t. Use gradient="checkpoint".'
        )
    solver, fixed = _solver(diffrax, method, step_size)
    y0, args = _as_arrays("y0", y0), jax.tree.map(jnp.asarray, args)
    times = _as_times(t, y0)
    f, args = _hoist(f, times, y0, args)
    fixed_times = jax.lax.stop_gradient(times)
    start = _time_derivative(_negated(f), times[0], y0, args)
    if fixed:
        step, max_steps = _constant_step(fixed_times, step_size, max_steps)
        controller = diffrax.ConstantStepSize()
    else:
        step, controller = None, diffrax.PIDController(rtol=rtol, atol=atol)

    def solve(times, start, args):
        return diffrax.diffeqsolve(
            diffrax.ODETerm(f),
            solver,
            t0=times[0],
            t1=times[-1],
            dt0=step,
            y0=start,
            args=args,
            saveat=diffrax.SaveAt(dense=True) if dense else diffrax.SaveAt(ts=times),
            stepsize_controller=controller,
            adjoint=_adjoint(diffrax, gradient),
            max_steps=max_steps,
            throw=False,
        )

    if gradient == "adjoint":
        solve = _with_backward_errors(solve, max_steps)
    solution = solve(fixed_times, start, args)
    gave_up = solution.result != diffrax.RESULTS.successful
    failure = (
        f"odeint: {method} did not reach the last time within max_steps={max_steps} steps. "
        "A stiff equation wants method='kvaerno5'; a long one more max_steps, larger rtol and "
        "atol, or a check that f and y0 are finite."
    )
    if dense:
        evaluate = _raise_if(gave_up, solution.evaluate, failure)
        return lambda at: _evaluate(evaluate, f, args, at)
    ys = _raise_if(gave_up, solution.ys, failure)
    ys = _raise_if(
        _not_finite(ys),
        ys,
        f"odeint: {method}'s solution became infinite or NaN. The equation may leave every bound "
        "within these times; a fixed step may be too long for it: use a smaller step_size or "
        "an adaptive method.",
    )
    return jax.vmap(_time_derivative, in_axes=(None, 0, 0, None))(f, times, ys, args)


# -- times ---------------------------------------------------------------------------------------


@functools.partial(jax.custom_jvp, nondiff_argnums=(0,))
def _time_derivative(f, t, y, args):
    """y itself, to which the derivative ``f(t, y, args)`` with respect to t is attached.

    The solver takes times as constants. A solution at time t moves along f as t does, and a start
    that comes later by dt is a start at the old time from ``y0 - f dt``.
    """
    return y


@functools.partial(_time_derivative.defjvp, symbolic_zeros=True)
def _time_derivative_jvp(f, primals, tangents):
    t, y, args = primals
    dt, dy, _ = tangents
    dy = jax.tree.map(_materialize, y, dy)
    if type(dt) is SymbolicZero:
        return y, dy
    moved = _time_derivative(f, t, y, args)
    along = f(t, moved, args)
    return moved, jax.tree.map(lambda change, slope: change + slope * dt, dy, along)


def _materialize(primal, tangent):
    return jnp.zeros_like(primal) if type(tangent) is SymbolicZero else tangent


@functools.cache
def _negated(f):
    return lambda t, y, args: jax.tree.map(jnp.negative, f(t, y, args))


def _evaluate(evaluate, f, args, at):
    """The dense solution at a time, or at an array of them, differentiable in time."""
    at = jnp.asarray(at)
    if at.ndim:
        return jax.vmap(lambda time: _evaluate(evaluate, f, args, time))(at)
    return _time_derivative(f, at, evaluate(jax.lax.stop_gradient(at)), args)


def _as_times(t, y0):
    dtype = jnp.result_type(*jax.tree.leaves(y0))
    times = jnp.asarray(t)
    if times.ndim != 1 or times.shape[0] < 2:
        raise ValueError(
            f"odeint: t has shape {times.shape}; it must hold at least two times in one dimension, "
            "the first being that of y0. Pass jnp.array([t0, t1])."
        )
    times = times.astype(dtype)
    known = _known(times)
    if known is not None:
        gaps = np.diff(known)
        if not (np.all(gaps > 0) or np.all(gaps < 0)):
            raise ValueError(
                "odeint: t must be strictly increasing or strictly decreasing, and no time may "
                f"appear twice; got {known.tolist()}. Sort the times, and drop repeated ones."
            )
    return times


def _known(array):
    """The numbers of an array, or None while it is being traced."""
    try:
        return np.asarray(jax.lax.stop_gradient(array))
    except jax.errors.TracerArrayConversionError:
        return None


def _constant_step(times, step_size, max_steps):
    """The signed step, and the number of steps that it takes where that can be known."""
    known = _known(times)
    if known is not None:
        needed = math.ceil(abs(float(known[-1] - known[0])) / step_size - 1e-3)
        if needed > max_steps:
            raise SolveError(
                f"odeint: step_size={step_size} needs {needed} steps, more than "
                f"max_steps={max_steps}. Take longer steps or raise max_steps."
            )
        max_steps = needed + 1  # rounding may leave a last step of no length
    return jnp.sign(times[-1] - times[0]) * step_size, max_steps


# -- the vector field ----------------------------------------------------------------------------


def _as_arrays(what, tree):
    def convert(path, leaf):
        array = jnp.asarray(leaf)
        if not jnp.issubdtype(array.dtype, jnp.floating):
            raise TypeError(
                f"odeint: {what}{jax.tree_util.keystr(path)} has dtype {array.dtype}; the state "
                "must be floating-point, because it moves by fractions. Convert it first."
            )
        return array

    if not jax.tree.leaves(tree):
        raise ValueError(f"odeint: {what} has no arrays in it.")
    return jax.tree_util.tree_map_with_path(convert, tree)


def _hoist(f, times, y0, args):
    """f with what it closes over made an argument, since the adjoint must know all its inputs.

    A function that closes over no value under differentiation stays the very same function, so
    that compiled solvers are found again.
    """
    slope = jax.eval_shape(f, times[0], y0, args)
    _check_slope(y0, slope)
    converted, closed = jax.closure_convert(f, times[0], y0, args)
    if not closed:
        return f, args
    return lambda t, y, both: converted(t, y, both[0], *both[1]), (args, closed)


def _check_slope(y0, slope):
    if jax.tree.structure(y0) != jax.tree.structure(slope):
        raise TypeError(
            f"odeint: f returns {jax.tree.structure(slope)}, but y0 is {jax.tree.structure(y0)}. "
            "f must return one slope for each leaf of y."
        )
    leaves, _ = jax.tree_util.tree_flatten_with_path(y0)
    for (path, leaf), change in zip(leaves, jax.tree.leaves(slope), strict=True):
        if (leaf.shape, leaf.dtype) != (change.shape, change.dtype):
            name = jax.tree_util.keystr(path)
            raise TypeError(
                f"odeint: f returns {change.dtype}{list(change.shape)} for y{name}, which is "
                f"{leaf.dtype}{list(leaf.shape)}. A slope has its value's shape and dtype."
            )


# -- diffrax -------------------------------------------------------------------------------------


def _diffrax():
    try:
        import diffrax
    except ImportError as error:
        raise ImportError(
            "funcgrad.ode.odeint needs diffrax, which is not installed. "
            "Install it with: pip install 'funcgrad[ode]'"
        ) from error
    return diffrax


def _check_choice(what, choice, choices):
    if choice not in choices:
        raise ValueError(f"odeint: {what}={choice!r} is not one of {', '.join(map(repr, choices))}")


def _solver(diffrax, method, step_size):
    """diffrax's solver for a method, and whether it walks in fixed steps."""
    _check_choice("method", method, {**_ADAPTIVE, **_FIXED})
    if method in _ADAPTIVE:
        if step_size is not None:
            raise ValueError(
                f"odeint: {method} chooses its own steps, so step_size={step_size} has no meaning. "
                f"Leave it out, or use one of {', '.join(_FIXED)}."
            )
        return getattr(diffrax, _ADAPTIVE[method])(), False
    if step_size is None or not step_size > 0:
        raise ValueError(
            f"odeint: {method} walks in fixed steps and needs a positive step_size; "
            f"got {step_size}."
        )
    return _rk4() if method == "rk4" else getattr(diffrax, _FIXED[method])(), True


def _adjoint(diffrax, gradient):
    options = {"throw": True} if gradient == "adjoint" else {}
    return getattr(diffrax, _ADJOINTS[gradient])(**options)


@functools.cache
def _rk4():
    """The classical Runge-Kutta method of order four (Kutta 1901), which diffrax does not ship."""
    diffrax = _diffrax()

    class RungeKutta4(diffrax.AbstractERK):
        tableau = diffrax.ButcherTableau(
            a_lower=(np.array([1 / 2]), np.array([0.0, 1 / 2]), np.array([0.0, 0.0, 1.0])),
            b_sol=np.array([1 / 6, 1 / 3, 1 / 3, 1 / 6]),
            b_error=np.zeros(4),  # no estimate: the step is fixed
            c=np.array([1 / 2, 1 / 2, 1.0]),
        )
        interpolation_cls = diffrax.ThirdOrderHermitePolynomialInterpolation.from_k

        def order(self, terms):
            return 4

    return RungeKutta4()


# -- failures ------------------------------------------------------------------------------------


def _with_backward_errors(solve, max_steps):
    """``solve``, whose backward pass raises a SolveError where it is not part of a jitted program.

    diffrax checks that pass itself, and what it raises is equinox's error inside of JAX's.
    """

    def pull_back(pullback, cotangent):
        try:
            return (None, *jax.block_until_ready(pullback(cotangent)))
        except RuntimeError as error:
            if "EquinoxRuntimeError" not in str(error):
                raise
            raise SolveError(
                "odeint: the backward solve of gradient='adjoint' failed: it runs the equation "
                f"from the end to the start, within max_steps={max_steps} steps. What decays "
                "forwards explodes backwards: use gradient='checkpoint', which does not solve "
                "again, or more max_steps."
            ) from error

    guarded = jax.custom_vjp(solve)
    guarded.defvjp(lambda times, *rest: jax.vjp(functools.partial(solve, times), *rest), pull_back)
    return guarded


def _not_finite(tree):
    leaves = [jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(tree)]
    return ~jnp.all(jnp.stack(leaves))


def _raise_if(failed, result, message):
    """``result``, or a SolveError: now where ``failed`` is known, else when the program runs."""
    try:
        if bool(failed):
            raise SolveError(message)
        return result
    except jax.errors.TracerBoolConversionError:
        import equinox  # what diffrax stands on

        return equinox.error_if(result, failed, message)

"""odeint against torchdiffeq, against closed solutions, and on equations that cannot be solved."""

import builtins
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
import torchdiffeq

from funcgrad.ode import SolveError, odeint

GRADIENTS = ["adjoint", "checkpoint", "direct"]
Y0 = np.array([[1.0, 0.5], [-0.4, 0.2]])
TIMES = np.array([0.0, 0.3, 1.0, 1.7])
WEIGHTS = np.array([[0.4, -1.1], [0.7, 0.2]])
COTANGENT = np.arange(1.0, 17.0).reshape(4, 2, 2) / 10


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def field(t, y, weights):
    return jnp.tanh(y @ weights) * jnp.cos(t) - 0.1 * y


def torch_field(weights):
    return lambda t, y: torch.tanh(y @ weights) * torch.cos(t) - 0.1 * y


def torch_solution(times, method="dopri5", **options):
    """torchdiffeq's values, and its gradients with respect to y0, t and the weights."""
    y0, t, weights = (torch.tensor(a, requires_grad=True) for a in (Y0, times, WEIGHTS))
    ys = torchdiffeq.odeint(torch_field(weights), y0, t, method=method, **options)
    ys.backward(torch.tensor(COTANGENT))
    return ys.detach().numpy(), [y0.grad.numpy(), t.grad.numpy(), weights.grad.numpy()]


def jax_solution(times, **options):
    def solve(y0, t, weights):
        return odeint(field, y0, t, weights, **options)

    ys, pullback = jax.vjp(solve, *map(jnp.asarray, (Y0, times, WEIGHTS)))
    return ys, pullback(jnp.asarray(COTANGENT))


@functools.cache
def accurate_torch_solution(backwards):
    times = TIMES[::-1].copy() if backwards else TIMES
    return torch_solution(times, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(
    "gradient, backwards", [*((each, False) for each in GRADIENTS), ("adjoint", True)]
)
def test_values_and_gradients_equal_torchdiffeq(gradient, backwards):
    times = TIMES[::-1] if backwards else TIMES
    values, gradients = accurate_torch_solution(backwards)
    ys, ours = jax_solution(times, rtol=1e-10, atol=1e-11, gradient=gradient)
    np.testing.assert_allclose(ys, values, rtol=1e-8, atol=1e-9)
    for mine, theirs in zip(ours, gradients, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("method", ["bosh3", "dopri8", "tsit5", "kvaerno3", "kvaerno5"])
def test_other_adaptive_methods_find_the_same_solution(method):
    values, _ = accurate_torch_solution(backwards=False)
    ys = odeint(field, Y0, TIMES, WEIGHTS, method=method, rtol=1e-7, atol=1e-9, max_steps=16384)
    np.testing.assert_allclose(ys, values, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("method", ["euler", "midpoint"])
def test_fixed_steps_equal_torchdiffeqs_step_for_step(method):
    times = np.array([0.0, 0.5, 1.0, 1.75])  # on the grid of steps: nothing is interpolated
    step = {"step_size": 0.25}
    values, gradients = torch_solution(times, method=method, options=step)
    ys, ours = jax_solution(times, method=method, gradient="checkpoint", **step)
    np.testing.assert_allclose(ys, values, rtol=1e-12)
    np.testing.assert_allclose(ours[0], gradients[0], rtol=1e-12)
    np.testing.assert_allclose(ours[2], gradients[2], rtol=1e-12)


@pytest.mark.parametrize("method, order", [("euler", 1), ("midpoint", 2), ("heun", 2), ("rk4", 4)])
def test_order_of_fixed_methods(method, order):
    def error(step):
        y = odeint(lambda t, y, _: -y * y, 1.0, [0.0, 1.0], method=method, step_size=step)
        return abs(float(y[-1]) - 0.5)  # y = 1 / (1 + t)

    assert error(0.05) / error(0.025) == pytest.approx(2**order, rel=0.15)


@pytest.mark.parametrize("gradient", GRADIENTS)
def test_trees_closures_and_time_derivatives(gradient):
    """x' = -k x, z' = x: x = exp(-k t), z = (1 - exp(-k t)) / k; k is closed over."""

    def end(k, t0, t1):
        slope = lambda t, y, _: {"x": -k * y["x"], "z": [y["x"][0]]}  # noqa: E731
        y0 = {"x": jnp.array([1.0]), "z": [jnp.array(0.0)]}
        ys = odeint(slope, y0, jnp.stack([t0, t1]), rtol=1e-10, atol=1e-12, gradient=gradient)
        return ys["z"][0][-1]

    k, t0, t1 = 0.7, 0.2, 1.5
    by_k, by_t0, by_t1 = jax.grad(end, (0, 1, 2))(k, t0, t1)
    decayed, span = np.exp(-k * (t1 - t0)), t1 - t0
    assert by_k == pytest.approx((span * decayed * k - (1 - decayed)) / k**2, abs=1e-8)
    assert by_t0 == pytest.approx(-decayed, abs=1e-8)
    assert by_t1 == pytest.approx(decayed, abs=1e-8)


def test_direct_has_forward_mode_and_second_derivatives():
    def end(k, t1):
        ys = odeint(lambda t, y, k: -k * y, 1.0, jnp.stack([0.0, t1]), k, gradient="direct")
        return ys[-1]

    _, tangent = jax.jvp(end, (0.5, 2.0), (1.0, 0.0))
    assert tangent == pytest.approx(-2 * np.exp(-1.0), rel=1e-5)
    assert jax.grad(jax.grad(end))(0.5, 2.0) == pytest.approx(4 * np.exp(-1.0), rel=1e-4)
    assert jax.grad(jax.grad(end, 1), 1)(0.5, 2.0) == pytest.approx(np.exp(-1.0) / 4, rel=1e-4)


def test_dense_solution_and_its_slope():
    solution = odeint(field, Y0, TIMES, WEIGHTS, gradient="checkpoint", dense=True)
    values, _ = accurate_torch_solution(backwards=False)
    np.testing.assert_allclose(solution(TIMES[1:]), values[1:], rtol=1e-4, atol=1e-5)
    slope = jax.jacfwd(solution)(0.6)
    np.testing.assert_allclose(slope, field(0.6, solution(0.6), WEIGHTS), rtol=1e-10)


def test_single_precision_and_jit():
    with jax.enable_x64(False):
        solve = jax.jit(lambda rate: odeint(lambda t, y, r: -r * y, 1.0, [0.0, 1.0], rate)[-1])
        value, slope = jax.value_and_grad(solve)(0.5)
        assert value.dtype == slope.dtype == jnp.float32
        assert value == pytest.approx(np.exp(-0.5), rel=1e-5)
        assert slope == pytest.approx(-np.exp(-0.5), rel=1e-4)


# -- what cannot be solved -----------------------------------------------------------------------


def stiff(t, y, _):
    """Robertson's chemical reaction, the classical stiff example."""
    a, b, c = y
    fast, slow = 1e4 * b * c, 3e7 * b * b
    return jnp.stack([-0.04 * a + fast, 0.04 * a - fast - slow, slow])


STIFF_START = np.array([1.0, 0.0, 0.0])


def test_stiff_equation_fails_with_advice_and_an_implicit_method_solves_it():
    with pytest.raises(SolveError, match=r"max_steps=200 steps.*kvaerno5"):
        odeint(stiff, STIFF_START, [0.0, 40.0], max_steps=200)
    y = odeint(stiff, STIFF_START, [0.0, 40.0], method="kvaerno5", max_steps=2000)
    # Hairer & Wanner, Solving Ordinary Differential Equations II, problem ROBER at t = 40
    np.testing.assert_allclose(y[-1], [0.7158, 9.185e-6, 0.2842], rtol=2e-4)


@pytest.mark.parametrize(
    "words, options",
    [("max_steps=512", {}), ("infinite or NaN", {"method": "rk4", "step_size": 0.01})],
)
def test_solution_that_leaves_every_bound_is_an_error(words, options):
    with pytest.raises(SolveError, match=words):
        # y = 1 / (1 - t) has no value at t = 1
        odeint(lambda t, y, _: y * y, 1.0, [0.0, 2.0], max_steps=512, **options)


def test_field_with_nan_is_an_error():
    with pytest.raises(SolveError, match="finite"):
        odeint(lambda t, y, _: y * jnp.nan, 1.0, [0.0, 2.0], max_steps=64)


def test_failure_under_jit_raises_when_the_program_runs():
    solve = jax.jit(lambda y0: odeint(lambda t, y, _: y * y, y0, [0.0, 2.0], max_steps=512))
    with pytest.raises(Exception, match="max_steps=512"):
        solve(1.0).block_until_ready()
    assert solve(0.25)[-1] == pytest.approx(0.5, rel=1e-5)


def test_backward_solve_that_fails_is_an_error():
    """Forwards the decay forgets its start; backwards the adjoint meets an explosion."""
    decay = lambda t, y, _: -1e4 * y  # noqa: E731
    end = lambda y0: odeint(decay, y0, [0.0, 1.0], method="kvaerno5", max_steps=60)[-1]  # noqa: E731
    assert abs(end(1.0)) < 1e-6
    with pytest.raises(SolveError, match="backward solve.*max_steps=60.*gradient='checkpoint'"):
        jax.grad(end)(1.0)
    with pytest.raises(RuntimeError, match="maximum number of solver steps"):
        jax.block_until_ready(jax.jit(jax.grad(end))(1.0))


@pytest.mark.parametrize(
    "change, error, words",
    [
        ({"method": "dopri6"}, ValueError, "method='dopri6' is not one of 'bosh3'"),
        ({"gradient": "tape"}, ValueError, "gradient='tape' is not one of 'adjoint'"),
        ({"method": "rk4"}, ValueError, "needs a positive step_size; got None"),
        ({"step_size": 0.1}, ValueError, "chooses its own steps"),
        ({"dense": True}, ValueError, 'Use gradient="checkpoint"'),
        ({"t": 1.0}, ValueError, "at least two times"),
        ({"t": [0.0, 1.0, 1.0]}, ValueError, "no time may appear twice"),
        ({"y0": 1}, TypeError, "y0 has dtype int"),
        ({"y0": {"a": 1.0, "b": 2}}, TypeError, r"y0\['b'\] has dtype int"),
        ({"y0": {}}, ValueError, "no arrays"),
        ({"f": lambda t, y, _: (y, y)}, TypeError, "one slope for each leaf"),
        ({"f": lambda t, y, _: jnp.stack([y, y])}, TypeError, r"returns float64\[2\] for y"),
        ({"method": "euler", "step_size": 1e-6}, SolveError, "needs 1000000 steps"),
    ],
)
def test_bad_input_is_named(change, error, words):
    arguments = {"f": lambda t, y, _: y, "y0": 1.0, "t": [0.0, 1.0], **change}
    with pytest.raises(error, match=words):
        odeint(**arguments)


def test_missing_diffrax_is_named(monkeypatch):
    real_import = builtins.__import__

    def without_diffrax(name, *rest):
        if name == "diffrax":
            raise ImportError(name)
        return real_import(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_diffrax)
    with pytest.raises(ImportError, match=r"pip install 'funcgrad\[ode\]'"):
        odeint(lambda t, y, _: y, 1.0, [0.0, 1.0])

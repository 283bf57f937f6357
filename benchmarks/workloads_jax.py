"""The workloads as a JAX user writes them: a loss, `jax.value_and_grad`, optax.

Each function returns a `Workload`; `update` makes its training step.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from . import data


class Workload(NamedTuple):
    """``loss(parameters, batch)`` and what it is trained with; ``sample(key)`` draws a batch."""

    parameters: Any
    batch: Any
    loss: Callable
    optimizer: optax.GradientTransformation
    sample: Callable | None = None

    def start(self) -> tuple:
        """The state before the first step: parameters, optimizer state, random key."""
        key = None if self.sample is None else jax.random.key(0)
        return self.parameters, self.optimizer.init(self.parameters), key


def update(workload: Workload) -> Callable:
    """``(state, batch) -> (state, loss)``."""
    _, _, loss, optimizer, sample = workload

    def step(state, batch):
        parameters, moments, key = state
        if sample is not None:
            key, one = jax.random.split(key)
            batch = sample(one)
        value, gradient = jax.value_and_grad(loss)(parameters, batch)
        updates, moments = optimizer.update(gradient, moments, parameters)
        return (optax.apply_updates(parameters, updates), moments, key), value

    return step


def _workload(problem: tuple, loss: Callable, optimizer: Any, sample: Any = None) -> Workload:
    parameters, batch = (
        {name: jnp.asarray(array) for name, array in arrays.items()} for arrays in problem
    )
    return Workload(parameters, batch, loss, optimizer, sample)


def tiny_mlp(**sizes) -> Workload:
    def loss(p, batch):
        return jnp.sum((jax.nn.relu(batch["x"] @ p["w1"]) @ p["w2"] - batch["y"]) ** 2)

    return _workload(data.tiny_mlp(**sizes), loss, optax.sgd(1e-3))


def two_layer(**sizes) -> Workload:
    def loss(p, batch):
        hidden = jax.nn.relu(batch["x"] @ p["w1"] + p["b1"])
        return jnp.mean((hidden @ p["w2"] + p["b2"] - batch["y"]) ** 2)

    return _workload(data.two_layer(**sizes), loss, optax.sgd(1e-2))


def polynomial(points=256) -> Workload:
    def loss(p, batch):
        x = batch["x"]
        return jnp.mean((p["a"] + p["b"] * x + p["c"] * x**2 + p["d"] * x**3 - jnp.sin(x)) ** 2)

    def sample(key):
        return {"x": jax.random.uniform(key, (points,)) * 6 - 3}

    return _workload(data.polynomial(points), loss, optax.adam(1e-2), sample)


def recurrent(**sizes) -> Workload:
    def loss(p, batch):
        x, y = batch["x"], batch["y"]
        hidden = jnp.zeros((x.shape[1], p["wh"].shape[0]))
        for time in range(x.shape[0]):
            hidden = jnp.tanh(x[time] @ p["wx"] + hidden @ p["wh"] + p["b"])
        return jnp.mean((hidden @ p["wo"] - y) ** 2)

    return _workload(data.recurrent(**sizes), loss, optax.sgd(1e-2))


def transformer(layers=2, width=128, tokens=64, batch=8, heads=4) -> Workload:
    each = width // heads

    def normalized(x, gain, shift):
        centred = x - x.mean(-1, keepdims=True)
        variance = (centred * centred).mean(-1, keepdims=True)
        return centred * jax.lax.rsqrt(variance + 1e-5) * gain + shift

    def attention(x, qkv, out):
        parts = jnp.split(x @ qkv, 3, axis=-1)
        q, k, v = (part.reshape(batch, tokens, heads, each) for part in parts)
        weights = jax.nn.softmax(jnp.einsum("bqhd,bkhd->bhqk", q, k) * each**-0.5)
        return jnp.einsum("bhqk,bkhd->bqhd", weights, v).reshape(batch, tokens, width) @ out

    def loss(p, examples):
        h = examples["x"]
        for i in range(layers):
            a = normalized(h, p[f"gain_a{i}"], p[f"shift_a{i}"])
            h = h + attention(a, p[f"qkv{i}"], p[f"out{i}"])
            b = normalized(h, p[f"gain_b{i}"], p[f"shift_b{i}"])
            h = h + jax.nn.relu(b @ p[f"up{i}"]) @ p[f"down{i}"]
        return jnp.mean((h - examples["y"]) ** 2)

    problem = data.transformer(layers, width, tokens, batch, heads)
    return _workload(problem, loss, optax.adam(1e-3))


def convolutional(**sizes) -> Workload:
    def layer(x, kernel, bias):
        x = jax.lax.conv(x, kernel, (1, 1), "SAME") + bias[:, None, None]
        pool = (1, 1, 2, 2)
        return jax.lax.reduce_window(jax.nn.relu(x), -jnp.inf, jax.lax.max, pool, pool, "VALID")

    def loss(p, batch):
        h = layer(layer(batch["x"], p["k1"], p["c1"]), p["k2"], p["c2"])
        logits = h.reshape(len(h), -1) @ p["w"] + p["b"]
        return optax.softmax_cross_entropy_with_integer_labels(logits, batch["y"]).mean()

    return _workload(data.convolutional(**sizes), loss, optax.sgd(1e-2, momentum=0.9))


def gradient_penalty(**sizes) -> Workload:
    def total_score(x, p):
        h = jnp.tanh(x @ p["w1"] + p["b1"])
        return jnp.sum(jnp.tanh(h @ p["w2"] + p["b2"]) @ p["w3"])

    def loss(p, batch):
        score, slope = jax.value_and_grad(total_score)(batch["x"], p)
        norms = jnp.sqrt(jnp.sum(slope**2, 1) + 1e-12)
        return jnp.mean((norms - 1) ** 2) + score * 1e-3

    return _workload(data.gradient_penalty(**sizes), loss, optax.sgd(1e-2))


def pointwise(ops=100, elements=64) -> Workload:
    def loss(p, _):
        h = p["x"]
        for _ in range(ops // 5):
            h = -(jnp.sin(h * 0.999 + 0.001) - p["x"])
        return jnp.mean(h**2)

    return _workload(data.pointwise(ops, elements), loss, optax.sgd(1e-3))


def matmul(size=128) -> Workload:
    def loss(p, _):
        return jnp.mean((p["x"] @ p["w"]) ** 2)

    return _workload(data.matmul(size), loss, optax.sgd(1e-3))

"""Samplers that draw until a draw is accepted: gamma, Dirichlet and Poisson variables.

How many words they take depends on the words, so they run on the host only.
"""

from math import exp, floor, lgamma, log, sqrt

import numpy as np

from .continuous import uniform
from .draws import FLOAT64, need_floating
from .gaussian import normal
from .state import State, is_traced

_THIRD = float(np.float32(1) / np.float32(3))
_SQUEEZE = float(np.float32(0.0331))


class _Stream:
    """Single float64 draws from a state that moves on."""

    def __init__(self, name: str, state: State):
        if is_traced(state):
            raise NotImplementedError(
                f"{name} draws until a draw is accepted, so it cannot be traced: draw outside of "
                "the compiled function and pass the numbers in."
            )
        self.state = state

    def uniform(self) -> float:
        """Uniform in [0, 1)."""
        value, self.state = uniform(self.state, (1,), FLOAT64)
        return float(value[0])

    def normal(self) -> float:
        """Standard normal."""
        value, self.state = normal(self.state, (1,), FLOAT64)
        return float(value[0])


def _each(function, values, dtype):
    flat = [function(value) for value in np.asarray(values).reshape(-1).tolist()]
    return np.array(flat, dtype).reshape(np.shape(values))


def gamma(state: State, concentration):
    """`torch._standard_gamma`: gamma variables of rate 1, and the next state.

    Marsaglia and Tsang (2000), "A simple method for generating gamma variables". Raises
    `NotImplementedError` for a traced state.

    >>> from funcgrad.random import seed
    >>> gamma(seed(0), np.ones(2, np.float32))[0].dtype
    dtype('float32')
    """
    dtype = need_floating("gamma_cpu", concentration.dtype)
    stream = _Stream("gamma", state)
    smallest = float(np.finfo(dtype).tiny)
    found = _each(lambda a: max(smallest, _gamma(stream, dtype.type(a))), concentration, dtype)
    return found, stream.state


def _gamma(stream: _Stream, shape) -> float:
    kind, scale = type(shape), 1.0
    if shape < 1:
        if shape == 0:
            return 0.0
        scale = (1 - stream.uniform()) ** float(kind(1) / shape)
        shape = shape + kind(1)
    d = float(shape - kind(_THIRD))
    c = 1.0 / sqrt(9.0 * d)
    while True:
        x = stream.normal()
        y = 1.0 + c * x
        while y <= 0:
            x = stream.normal()
            y = 1.0 + c * x
        v, u, square = y * y * y, 1 - stream.uniform(), x * x
        if u < 1.0 - _SQUEEZE * square * square:
            return scale * d * v
        if log(u) < 0.5 * square + d * (1.0 - v + log(v)):
            return scale * d * v


def dirichlet(state: State, concentration):
    """`torch._sample_dirichlet`: probabilities along the last dimension, and the next state.

    >>> from funcgrad.random import seed
    >>> float(dirichlet(seed(0), np.ones(3))[0].sum().round(6))
    1.0
    """
    dtype = need_floating("dirichlet", concentration.dtype)
    parts, state = gamma(state, np.asarray(concentration, np.float64))
    share = (parts / parts.sum(-1, keepdims=True)).astype(dtype)
    below_one = np.nextafter(dtype.type(1), dtype.type(0))
    return np.clip(share, np.finfo(dtype).tiny, below_one), state


def poisson(state: State, rate):
    """`torch.poisson`: counts of events at the rates, and the next state.

    Small rates by products of uniform variables, others by Hörmann (1993), "The transformed
    rejection method for generating Poisson random variables".

    >>> from funcgrad.random import seed
    >>> poisson(seed(0), np.zeros(2))[0]
    array([0., 0.])
    """
    dtype = need_floating("poisson_cpu", rate.dtype)
    stream = _Stream("poisson", state)
    return _each(lambda x: _poisson(stream, float(x)), rate, dtype), stream.state


def _poisson(stream: _Stream, rate: float) -> int:
    if rate < 0:
        raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
    if rate >= 10:
        return _large_poisson(stream, rate)
    count, product, bound = 0, 1.0, exp(-rate)
    while rate:
        product *= stream.uniform()
        if product <= bound:
            break
        count += 1
    return count


def _large_poisson(stream: _Stream, rate: float) -> int:
    b = 0.931 + 2.53 * sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    accepted = 0.9277 - 3.6224 / (b - 2)
    while True:
        u, v = stream.uniform() - 0.5, stream.uniform()
        inside = 0.5 - abs(u)
        k = floor((2 * a / inside + b) * u + rate + 0.43)
        if inside >= 0.07 and v <= accepted:
            return k
        if k < 0 or (inside < 0.013 and v > inside):
            continue
        size = log(v) + log(inverse_alpha) - log(a / (inside * inside) + b)
        if size <= -rate + k * log(rate) - lgamma(k + 1):
            return k

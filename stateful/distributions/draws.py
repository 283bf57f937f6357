"""Draws that need rejection, and the gradient of a gamma variable."""

from __future__ import annotations

from typing import Any

import jax

from funcgrad import random as pure
from funcgrad.op import op

from ..autograd.function import Function
from ..dispatch import call, wrap
from ..sampling import draw


@op("_standard_gamma_grad", face="private")
def standard_gamma_grad(self, output):
    """The derivative of a gamma variable in its shape, its place in the distribution held fixed.

    Exact here; PyTorch's approximation is good to about 5e-4.
    """
    return jax.lax.random_gamma_grad(self, output)


class _StandardGamma(Function):
    @staticmethod
    def forward(ctx, concentration):
        value = wrap(draw(None, pure.gamma, concentration.detach().numpy()))
        ctx.save_for_backward(concentration, value)
        return value

    @staticmethod
    def backward(ctx, grad):  # type: ignore[override]
        concentration, value = ctx.saved_tensors
        return grad * call(standard_gamma_grad, (concentration, value), {})


class _Dirichlet(Function):
    @staticmethod
    def forward(ctx, concentration):
        return wrap(draw(None, pure.dirichlet, concentration.detach().numpy()))

    @staticmethod
    def backward(ctx, grad):  # type: ignore[override]
        raise NotImplementedError(
            "rsample() of Dirichlet and Beta has no gradient here yet: use sample() and log_prob()"
        )


def gamma_sample(concentration: Any) -> Any:
    """Gamma variables of rate 1, differentiable."""
    return _StandardGamma.apply(concentration)


def dirichlet_sample(concentration: Any) -> Any:
    """Random probabilities along the last dimension."""
    return _Dirichlet.apply(concentration)


def poisson_sample(rate: Any) -> Any:
    """Counts of events at the rates."""
    return wrap(draw(None, pure.poisson, rate.detach().numpy()))

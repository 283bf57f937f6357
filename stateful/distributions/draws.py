"""Draws that need rejection, and the gradient of a gamma variable."""

from __future__ import annotations

from typing import Any

from funcgrad import random as pure
from funcgrad.ops.reparameterized import dirichlet_grad, standard_gamma_grad

from ..autograd.function import Function, once_differentiable
from ..dispatch import call, wrap
from ..sampling import draw


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
        value = wrap(draw(None, pure.dirichlet, concentration.detach().numpy()))
        ctx.save_for_backward(value, concentration)
        return value

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):  # type: ignore[override]
        value, concentration = ctx.saved_tensors
        total = concentration.sum(-1, True).expand_as(concentration)
        slope = call(dirichlet_grad, (value, concentration, total), {})
        return slope * (grad - (value * grad).sum(-1, True))


def gamma_sample(concentration: Any) -> Any:
    """Gamma variables of rate 1, differentiable."""
    return _StandardGamma.apply(concentration)


def dirichlet_sample(concentration: Any) -> Any:
    """Random probabilities along the last dimension, differentiable once."""
    return _Dirichlet.apply(concentration)


def poisson_sample(rate: Any) -> Any:
    """Counts of events at the rates."""
    return wrap(draw(None, pure.poisson, rate.detach().numpy()))

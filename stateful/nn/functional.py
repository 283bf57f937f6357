"""`nn.functional`: derived from the declarations; written here is what needs state.

Random draws come from the default generator, in PyTorch's order; running statistics are written.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np

import funcgrad
from funcgrad import random as pure
from funcgrad.ops import dropout as dropouts
from funcgrad.ops import embedding as embeddings
from funcgrad.ops.attention import bias_of as _bias_of
from funcgrad.ops.batch_norm import batch_norm_statistics as _next_statistics
from funcgrad.ops.flash_attention import flash_attention as _flash_attention

from .. import modes
from ..bounds import check_rows
from ..dispatch import call_inplace, wrap
from ..execute import Value
from ..foreign import foreign
from ..geometry import like
from ..layout import is_default
from ..layout import of as geometry_of
from ..methods import FUNCTIONS as _FUNCTIONS
from ..sampling import draw
from ..tensor import Tensor
from .attention import is_fused as _is_fused
from .implicit_dim import with_implicit_dim as _with_implicit_dim

_SHARED = (
    "sigmoid", "tanh", "softmax", "log_softmax", "prelu", "hardshrink", "pdist",
)  # fmt: skip
globals().update({k: v for k, v in _FUNCTIONS["torch"].items() if k in _SHARED})
globals().update(_FUNCTIONS["nn"])
for _name in ("softmax", "log_softmax", "softmin"):
    globals()[_name] = _with_implicit_dim(globals()[_name])

if TYPE_CHECKING:  # the derived functions

    def __getattr__(name: str) -> Any: ...


# -- activations in place --------------------------------------------------------------------------

_PARAMETERS = {
    "relu": (), "relu6": (), "selu": (), "silu": (), "mish": (), "hardswish": (), "hardsigmoid": (),
    "elu": ("alpha",), "celu": ("alpha",), "leaky_relu": ("negative_slope",),
    "hardtanh": ("min_val", "max_val"), "threshold": ("threshold", "value"),
}  # fmt: skip


def _activation(name: str, parameters: tuple[str, ...]):
    """``name(input, *parameters, inplace=False)``, and ``name_`` that always is in place."""
    fresh, method = getattr(funcgrad, name), f"{name}_"

    def activation(input: Tensor, *args, inplace: bool = False, **kwargs) -> Tensor:
        if len(args) > len(parameters):
            *args, inplace = args
        try:
            if inplace:
                return getattr(input, method)(*args, **kwargs)
            return fresh(input, *args, **kwargs)
        except (AttributeError, TypeError):
            return foreign(activation, (input, *args), {"inplace": inplace, **kwargs})

    def always(input: Tensor, *args, **kwargs) -> Tensor:
        return getattr(input, method)(*args, **kwargs)

    activation.__signature__ = _signature_of(fresh, parameters)  # type: ignore[attr-defined]
    for function, own in ((activation, name), (always, method)):
        function.__name__ = function.__qualname__ = own
        function.__doc__ = fresh.__doc__
    return {name: activation, method: always}


def _signature_of(fresh: Any, parameters: tuple[str, ...]) -> inspect.Signature:
    """``(input, *parameters, inplace=False)``, with the defaults of ``fresh``."""
    declared = inspect.signature(getattr(fresh, "__wrapped__", fresh)).parameters
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    own = [inspect.Parameter(n, kind, default=declared[n].default) for n in parameters]
    first = inspect.Parameter("input", kind)
    return inspect.Signature([first, *own, inspect.Parameter("inplace", kind, default=False)])


for _name, _parameters in _PARAMETERS.items():
    globals().update(_activation(_name, _parameters))

# -- dropout ---------------------------------------------------------------------------------------


def _kept(input: Tensor, shape, p: float) -> Tensor:
    """Ones with probability ``1 - p``, else zeros, as ``bernoulli_(1 - p)`` draws them.

    PyTorch gives the mask of a transposed input the input's strides, and draws in their order.
    """
    shape = tuple(shape)
    if shape != input._aval.shape or is_default(input):
        return wrap(draw(None, pure.bernoulli, shape, input._aval.dtype, 1 - p))
    stride = like(geometry_of(input)).stride
    order = sorted(range(len(stride)), key=lambda dim: -stride[dim])
    size = tuple(shape[i] for i in order)
    drawn: Any = wrap(draw(None, pure.bernoulli, size, input._aval.dtype, 1 - p))
    return drawn.permute(tuple(order.index(i) for i in range(len(order))))


def _dropped(input: Tensor, p: float, training: bool, inplace: bool, shape=None) -> Tensor:
    dropouts.check_probability(p)
    if dropouts.is_identity(input, p, training):
        return input
    kept = None if p == 1 else _kept(input, input.shape if shape is None else shape, p)
    if kept is not None:
        dropouts.check_noise(input._aval.dtype)
    noise = dropouts.noise_of(input, kept, p)
    return input.mul_(noise) if inplace else input * noise


def _alpha_dropped(input: Tensor, p: float, training: bool, inplace: bool, shape) -> Tensor:
    dropouts.check_probability(p)
    if p == 1 or dropouts.is_identity(input, p, training):
        return _dropped(input, p, training, inplace)
    noise, shift = dropouts.alpha_noise_of(input, _kept(input, shape, p), p)
    return input.mul_(noise).add_(shift) if inplace else (input * noise).add_(shift)


def dropout(input: Tensor, p=0.5, training=True, inplace=False) -> Tensor:
    """Zeros with probability ``p``, the rest over ``1 - p``, with PyTorch's draws.

    >>> import stateful as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.nn.functional.dropout(torch.ones(4))
    tensor([0., 0., 2., 0.])
    """
    return _dropped(input, p, training, inplace)


def alpha_dropout(input: Tensor, p=0.5, training=False, inplace=False) -> Tensor:
    """Dropout that keeps the mean and variance of `selu`'s output.

    >>> import stateful as torch
    >>> torch.alpha_dropout(torch.ones(2), 0.2, False)
    tensor([1., 1.])
    """
    return _alpha_dropped(input, p, training, inplace, input.shape)


def feature_alpha_dropout(input: Tensor, p=0.5, training=False, inplace=False) -> Tensor:
    """`alpha_dropout` of whole channels.

    >>> import stateful as torch
    >>> torch.feature_alpha_dropout(torch.ones(1, 2), 0.2, False)
    tensor([[1., 1.]])
    """
    dropouts.check_probability(p)
    if dropouts.is_identity(input, p, training):
        return input
    return _alpha_dropped(input, p, training, inplace, dropouts.channel_shape(input))


def _channel_dropout(function, rank: int | None):
    """Dropout of channels: the pure function's checks and warnings, then PyTorch's draw."""

    def dropout_channels(input: Tensor, p=0.5, training=True, inplace=False) -> Tensor:
        function.fn(input, p, False)
        unbatched = rank is not None and input.ndim == rank - 1
        if unbatched:
            input = input.unsqueeze_(0) if inplace else input.unsqueeze(0)
        shape = dropouts.channel_shape(input) if p not in (0, 1) and training else None
        out = _dropped(input, p, training, inplace, shape)
        return out if not unbatched else out.squeeze_(0) if inplace else out.squeeze(0)

    dropout_channels.__name__ = dropout_channels.__qualname__ = function.name
    dropout_channels.__doc__ = function.fn.__doc__.split("\n")[0]
    return dropout_channels


dropout1d = _channel_dropout(dropouts.dropout1d, 3)
dropout2d = _channel_dropout(dropouts.dropout2d, None)
dropout3d = _channel_dropout(dropouts.dropout3d, 5)


# -- other draws -----------------------------------------------------------------------------------


def rrelu(input: Tensor, lower=1 / 8, upper=1 / 3, training=False, inplace=False) -> Tensor:
    """`leaky_relu` with random slopes in training: one draw for each element that is not positive.

    Their number depends on values, so the input is read.

    >>> import stateful as torch
    >>> torch.nn.functional.rrelu(torch.tensor([-1.0, 2.0]), 0.1, 0.3)
    tensor([-0.2000,  2.0000])
    """
    dropouts.check_slopes(input._aval.dtype, lower, upper, training)
    if not training:
        noise: Any = wrap(input._read())  # of its shape, and not overwritten with it
    else:
        chosen = input.detach().numpy() <= 0
        draws = draw(None, pure.uniform, (int(chosen.sum()),), np.float64, lower, upper)
        noise = np.ones(chosen.shape, input._aval.dtype)
        noise[chosen] = wrap(draws).numpy()
        noise = wrap(Value.of(noise))
    given = noise, float(lower), float(upper), training
    if inplace:
        return call_inplace(dropouts.rrelu_with_noise_in_place, (input, *given), {})
    return dropouts.rrelu_with_noise(input, *given)


def rrelu_(input: Tensor, lower=1 / 8, upper=1 / 3, training=False) -> Tensor:
    """`rrelu` in place.

    >>> import stateful as torch
    >>> torch.rrelu_(torch.tensor([-1.0, 2.0]))
    tensor([-0.2292,  2.0000])
    """
    return rrelu(input, lower, upper, training, True)


def gumbel_softmax(logits: Tensor, tau=1, hard=False, eps=1e-10, dim=-1) -> Tensor:
    """A sample of the Gumbel-softmax distribution; ``hard`` makes it one-hot, not its gradient.

    >>> import stateful as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.nn.functional.gumbel_softmax(torch.zeros(3), hard=True)
    tensor([0., 0., 1.])
    """
    noise = wrap(draw(None, pure.exponential, tuple(logits.shape), logits._aval.dtype))
    soft = ((logits + -noise.log()) / tau).softmax(dim)
    if not hard:
        return soft
    index = soft.max(dim, keepdim=True)[1]
    return funcgrad.zeros_like(logits).scatter_(dim, index, 1.0) - soft.detach() + soft


def scaled_dot_product_attention(
    query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None,
    enable_gqa=False,
) -> Tensor:  # fmt: skip
    """``softmax(query @ key.T * scale + mask) @ value``; weights are dropped with ``dropout_p``.

    >>> import stateful as torch
    >>> q, k, v = torch.zeros(1, 2), torch.ones(2, 2), torch.tensor([[0.0], [4.0]])
    >>> torch.nn.functional.scaled_dot_product_attention(q, k, v)
    tensor([[2.]])
    """
    if _is_fused(query, key, value, attn_mask, dropout_p, enable_gqa):
        if is_causal and attn_mask is not None:
            raise RuntimeError(
                "_scaled_dot_product_attention: Explicit attn_mask should not be set when "
                "is_causal=True"
            )
        bias = None if attn_mask is None else _bias_of(attn_mask, query)
        return _flash_attention(query, key, value, 0.0, is_causal, attn_mask=bias, scale=scale)[0]
    return funcgrad.scaled_dot_product_attention(
        query, key, value, attn_mask, dropout_p, is_causal, scale, enable_gqa,
        kept=lambda shape: _kept(query, shape, dropout_p),
    )  # fmt: skip


def multi_head_attention_forward(
    query, key, value, embed_dim_to_check, num_heads, in_proj_weight, in_proj_bias, bias_k, bias_v,
    add_zero_attn, dropout_p, *args, **kwargs,
) -> tuple[Tensor, Tensor | None]:  # fmt: skip
    """The function of `MultiheadAttention`; weights are dropped with ``dropout_p`` in training.

    >>> import stateful as torch
    >>> x, weight, bias = torch.ones(2, 1, 2), torch.eye(2).repeat(3, 1), torch.zeros(6)
    >>> out, weights = torch.nn.functional.multi_head_attention_forward(
    ...     x, x, x, 2, 1, weight, bias, None, None, False, 0.0, torch.eye(2), torch.zeros(2)
    ... )
    >>> out.shape, weights
    (torch.Size([2, 1, 2]), tensor([[[0.5000, 0.5000],
             [0.5000, 0.5000]]]))
    """
    return funcgrad.multi_head_attention_forward(
        query, key, value, embed_dim_to_check, num_heads, in_proj_weight, in_proj_bias, bias_k,
        bias_v, add_zero_attn, dropout_p, *args, **kwargs,
        kept=lambda shape: _kept(query, shape, dropout_p), attention=scaled_dot_product_attention,
    )  # fmt: skip


# -- running statistics ----------------------------------------------------------------------------


def batch_norm(
    input: Tensor, running_mean, running_var, weight=None, bias=None, training=False,
    momentum=0.1, eps=1e-5,
) -> Tensor:  # fmt: skip
    """Mean 0 and variance 1 for each channel; in training the running statistics move on.

    >>> import stateful as torch
    >>> x = torch.tensor([[0.0], [2.0]])
    >>> mean, var = torch.zeros(1), torch.ones(1)
    >>> torch.nn.functional.batch_norm(x, mean, var, training=True, momentum=0.5)
    tensor([[-1.0000],
            [ 1.0000]])
    >>> mean, var
    (tensor([0.5000]), tensor([1.5000]))
    """
    out = funcgrad.batch_norm(
        input, running_mean, running_var, weight, bias, training, momentum, eps
    )
    if training and running_mean is not None and 0 not in tuple(input.shape):
        with modes.no_grad():
            mean, var = _next_statistics(input.detach(), running_mean, running_var, momentum)
            running_mean.copy_(mean)
            running_var.copy_(var)
    return out


def instance_norm(
    input: Tensor, running_mean: Any = None, running_var: Any = None, weight=None, bias=None,
    use_input_stats=True, momentum=0.1, eps=1e-5,
) -> Tensor:  # fmt: skip
    """`batch_norm` of each example; running statistics move on by the mean over the batch.

    >>> import stateful as torch
    >>> torch.nn.functional.instance_norm(torch.tensor([[[0.0, 2.0]]]))
    tensor([[[-1.0000,  1.0000]]])
    """
    out = funcgrad.instance_norm(
        input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps
    )
    if use_input_stats and running_mean is not None:
        batch, channels = input.shape[:2]
        with modes.no_grad():
            flat = input.detach().reshape((1, batch * channels, *input.shape[2:]))
            each = running_mean.repeat(batch), running_var.repeat(batch)
            mean, var = _next_statistics(flat, *each, momentum)
            running_mean.copy_(mean.view(batch, channels).mean(0))
            running_var.copy_(var.view(batch, channels).mean(0))
    return out


def embedding(
    input: Tensor, weight: Tensor, padding_idx=None, max_norm=None, norm_type=2.0,
    scale_grad_by_freq=False, sparse=False,
) -> Tensor:  # fmt: skip
    """The rows of ``weight`` at ``input``; ``max_norm`` first scales these rows down in place.

    >>> import stateful as torch
    >>> torch.nn.functional.embedding(torch.tensor([1, 0]), torch.tensor([[1.0], [2.0]]))
    tensor([[2.],
            [1.]])
    """
    check_rows(input, weight)
    if max_norm is not None:
        _renormalize(weight, input, max_norm, norm_type)
    return funcgrad.embedding(input, weight, padding_idx, None, 2.0, scale_grad_by_freq, sparse)


def _renormalize(weight: Tensor, rows: Tensor, max_norm: float, norm_type: float) -> None:
    with modes.no_grad():
        weight.copy_(embeddings.embedding_renorm(weight.detach(), rows, max_norm, norm_type))


def embedding_bag(
    input: Tensor, weight: Tensor, offsets=None, max_norm=None, norm_type: float = 2, *args,
    **kwargs,
) -> Tensor:  # fmt: skip
    """Sums, means or maxima of bags of rows; ``max_norm`` first scales them down in place.

    The other arguments are those of `funcgrad.embedding_bag`.

    >>> import stateful as torch
    >>> torch.nn.functional.embedding_bag(torch.tensor([[0, 1]]), torch.tensor([[1.0], [2.0]]))
    tensor([[1.5000]])
    """
    if max_norm is not None:
        _renormalize(weight, input, max_norm, norm_type)
    return _FUNCTIONS["nn"]["embedding_bag"](
        input, weight, offsets, None, norm_type, *args, **kwargs
    )

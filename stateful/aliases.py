"""PyTorch's other names of the same function: ``torch.subtract``, ``x.less_``, ``torch.abs_``."""

from __future__ import annotations

from collections.abc import Callable

from .methods import FUNCTIONS
from .nn import functional as F
from .tensor import Tensor

_SAME = {
    "absolute": "abs", "arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh",
    "arctan": "atan", "arctan2": "atan2", "arctanh": "atanh", "fix": "trunc", "greater": "gt",
    "greater_equal": "ge", "less": "lt", "less_equal": "le", "multiply": "mul", "negative": "neg",
    "not_equal": "ne", "subtract": "sub", "true_divide": "div",
}  # fmt: skip
"""Functions, methods and methods in place under a second name."""

_OF_LINALG = {"det": "det", "slogdet": "slogdet", "matrix_power": "matrix_power",
              "matrix_exp": "matrix_exp", "pinverse": "pinv"}  # fmt: skip
"""Functions and methods that `torch.linalg` has too."""

_OF_FUNCTIONAL = """
adaptive_avg_pool1d avg_pool1d celu dropout dropout_ feature_dropout feature_alpha_dropout
alpha_dropout group_norm layer_norm max_pool1d max_pool2d max_pool3d pdist rms_norm selu selu_
celu_ threshold threshold_ relu_ rrelu_ bilinear
""".split()
"""Functions of `nn.functional` that `torch` has with the same arguments."""

_IN_PLACE = """
abs absolute acos acosh addmv arccos arccosh arcsin arcsinh arctan arctanh asin asinh atan atanh
ceil clamp clamp_max clamp_min clip cos cosh deg2rad detach erf erfc exp exp2 expm1 fill fix floor
frac gcd i0 index_put lcm ldexp log log10 log1p log2 logit nan_to_num neg negative rad2deg
reciprocal round rsqrt sigmoid sin sinc sinh sqrt square tan tanh trunc xlogy zero
""".split()
"""Methods in place that are functions too: ``torch.exp_(x)``."""


def _embedding(weight, indices, padding_idx=-1, scale_grad_by_freq=False, sparse=False):
    """`nn.functional.embedding` with ATen's order of arguments.

    >>> import stateful as torch
    >>> torch.embedding(torch.tensor([[1.0], [2.0]]), torch.tensor([1, 0]))
    tensor([[2.],
            [1.]])
    """
    row = None if padding_idx < 0 else padding_idx
    return F.embedding(indices, weight, row, scale_grad_by_freq=scale_grad_by_freq)


def _batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps,
                cudnn_enabled=False):  # fmt: skip
    """`nn.functional.batch_norm` with ATen's order of arguments.

    >>> import stateful as torch
    >>> x = torch.tensor([[0.0], [2.0]])
    >>> torch.batch_norm(x, None, None, None, None, True, 0.1, 1e-5, False)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    return F.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def _binary_cross_entropy_with_logits(input, target, weight=None, pos_weight=None, reduction=0):
    """`nn.functional.binary_cross_entropy_with_logits`; ``reduction`` is 0 none, 1 mean or 2 sum.

    >>> import stateful as torch
    >>> torch.binary_cross_entropy_with_logits(torch.zeros(2), torch.tensor([0.0, 1.0]))
    tensor([0.6931, 0.6931])
    """
    return _of_logits(input, target, weight, pos_weight, reduction)


_of_logits = FUNCTIONS["torch"]["binary_cross_entropy_with_logits"]  # its default is the mean
FUNCTIONS["torch"]["binary_cross_entropy_with_logits"] = _binary_cross_entropy_with_logits


def in_place(name: str) -> Callable:
    """The method ``name`` as a function."""

    def function(input: Tensor, *args, **kwargs) -> Tensor:
        return getattr(input, name)(*args, **kwargs)

    function.__name__ = name
    function.__doc__ = getattr(Tensor, name).__doc__
    return function


def _functions() -> dict[str, Callable]:
    torch, linalg = FUNCTIONS["torch"], FUNCTIONS["linalg"]
    found = {new: torch[old] for new, old in _SAME.items()}
    found.update({new: linalg[old] for new, old in _OF_LINALG.items() if old in linalg})
    found.update({name: getattr(F, name) for name in _OF_FUNCTIONAL if hasattr(F, name)})
    found.update(embedding=_embedding, batch_norm=_batch_norm)
    return found


for _new, _old in _SAME.items():
    for _suffix in ("", "_"):
        if hasattr(Tensor, _old + _suffix):
            setattr(Tensor, _new + _suffix, getattr(Tensor, _old + _suffix))
for _new, _old in _OF_LINALG.items():
    if _old in FUNCTIONS["linalg"]:
        setattr(Tensor, _new, FUNCTIONS["linalg"][_old])


def _detach(input: Tensor) -> Tensor:
    """`Tensor.detach` as a function.

    >>> import stateful as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> torch.detach(x * 2)
    tensor([2., 2.])
    """
    return input.detach()


FUNCTIONS["torch"]["detach"] = _detach
ALIASES = _functions()
ALIASES.update(
    {f"{name}_": in_place(f"{name}_") for name in _IN_PLACE if hasattr(Tensor, f"{name}_")}
)

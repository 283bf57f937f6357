"""How a call is told to ``__torch_function__``.

PyTorch tells of a function that is written in C++ as it was called, and the classes that override.
Of one that is written in Python it tells what has a default by name, whether it was given or not,
and `Tensor` is one of the classes.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any

IN_C = frozenset(
    "linear conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d conv_tbc "
    "avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d bilinear celu_ channel_shuffle "
    "cosine_similarity elu_ gelu hardshrink hardtanh_ leaky_relu_ logsigmoid "
    "native_channel_shuffle one_hot pairwise_distance pdist pixel_shuffle pixel_unshuffle prelu "
    "relu_ rrelu_ scaled_dot_product_attention selu_ softplus softshrink threshold_".split()
)
"""Functions of `nn.functional` that PyTorch has in C++."""

IN_PYTHON = frozenset(
    "block_diag broadcast_tensors cartesian_prod cdist chain_matmul einsum lu meshgrid norm split "
    "stft tensordot unique unique_consecutive".split()
)
"""Functions of `torch` that PyTorch has in Python."""

OPERATORS_IN_PYTHON = frozenset(
    "__pow__ __floordiv__ __rpow__ __rsub__ __rdiv__ __rtruediv__ __rfloordiv__ __rmod__ "
    "__rmatmul__ __rlshift__ __rrshift__".split()
)
"""The same of operators."""

_MORE = {
    "softmax": {"dim": None, "_stacklevel": 3, "dtype": None},
    "log_softmax": {"dim": None, "_stacklevel": 3, "dtype": None},
    "softmin": {"dim": None, "_stacklevel": 3, "dtype": None},
    "normalize": {"out": None},
    "norm": {"out": None},
    "tensordot": {"out": None},
    "lu": {"out": None},
}  # fmt: skip
"""Arguments with defaults that functions have there and not here, or that are required here."""

_UNTOLD = {"backward": "grad_variables", "l1_loss": "weight"}
"""Arguments that are not told."""


class Form:
    """How calls of a function that is written in Python are told."""

    def __init__(self, function: Callable, name: str):
        self.extra = _MORE.get(name, {})
        found = inspect.signature(function).parameters.values()
        self.parameters = [p for p in found if p.name != _UNTOLD.get(name)]
        kinds = {p.kind for p in self.parameters}
        self.known = not kinds & {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}

    def of(self, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        """The arguments of a call as they are told; as they are, if it is not a good one."""
        names = [p.name for p in self.parameters]
        defaults = {p.name: p.default for p in self.parameters if p.default is not p.empty}
        if not self.known:
            return args, {**defaults, **kwargs}
        if len(args) > len(names):
            return args, kwargs
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        defaults.update(self.extra)
        required = [name for name in names if name not in defaults]
        if not set(required) <= set(given) <= {*names, *defaults}:
            return args, kwargs
        named = {name: given.get(name, default) for name, default in defaults.items()}
        return tuple([given[name] for name in required]), named


OF_OPERATORS = Form(lambda *operands: None, "")


def form_of(function: Callable, name: str, module: str) -> Form | None:
    """The form of a function of ``torch`` (``module`` is empty), or of another module; None if
    PyTorch has it in C++."""
    if module == ".nn.functional":
        return None if name in IN_C else Form(function, name)
    if module == ".autograd" or not module and name in IN_PYTHON:
        return Form(function, name)
    return None


@functools.cache
def forms() -> dict[Callable, Form]:
    """The forms of all functions that have one."""
    found: dict[Callable, Form] = {}
    for module in (".nn.functional", ""):
        for name, item in vars(sys.modules[f"{__package__}{module}"]).items():
            raw: Any = item
            while hasattr(raw, "_in_place_of"):
                raw = raw._in_place_of
            if isinstance(raw, FunctionType) and name[0] != "_":
                form = form_of(raw, name, module)
                if form is not None:
                    found[raw] = form
                else:
                    found.pop(raw, None)
    return found

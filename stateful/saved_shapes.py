"""What PyTorch's nodes say of the shapes of their inputs beyond what our formulas ask for.

``_saved_self_sym_numel``, ``_saved_mat2_sym_sizes``: PyTorch writes them down when a node is made.
Shapes belong to the plan of a node, so here they are read off when somebody asks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .execute import Aval

NAMES = {
    "AddbmmBackward0": "batch1_sym_argsize_0 batch1_sym_argsize_1 batch2_sym_argsize_2",
    "AddmmBackward0": "mat1_sym_sizes mat2_sym_sizes",
    "ConvolutionBackward0": "bias_sym_sizes_opt",
    "EmbeddingBackward0": "weight_sym_argsize_0",
    "Im2ColBackward0": "self_sym_argsize_minus_1 self_sym_argsize_minus_2",
    "LinalgSvdBackward0": "S_sym_argsize_minus_1",
    "LuUnpackBackward0": "LU_data_sym_argsize_minus_1 LU_data_sym_argsize_minus_2",
    "MaskedScatterBackward0": "source_sym_sizes",
    "MeanBackward0": "self_sym_numel",
    "MeanBackward1": "self_sym_numel",
    "MmBackward0": "mat2_sym_sizes self_sym_sizes",
    "NormalBackward3": "mean_sym_sizes std_sym_sizes",
}
"""By the name of the node."""

OURS = {
    "AsStridedBackward0": "self_sym_sizes",
    "AsStridedBackward0_copy": "self_sym_sizes",
    "AsStridedScatterBackward0": "self_sym_sizes",
    "BlockDiagBackward0": "tensors_sym_sizes",
    "CatBackward0": "tensors_sym_sizes",
    "ChannelShuffleBackward0": "self_sym_sizes",
    "DiagonalScatterBackward0": "src_sym_sizes",
    "EmbeddingBackward0": "weight_sym_sizes",
    "CopySlices": "sizes starts dim start length factor",
    "Im2ColBackward0": "self_sym_sizes",
    "LuUnpackBackward0": "LU_data_sym_sizes",
    "SelectScatterBackward0": "src_sym_sizes",
    "SliceScatterBackward0": "src_sym_sizes",
}
"""Shapes that our formulas ask for and PyTorch's do not."""


def attributes(node: str | None) -> dict[str, property]:
    """The ``_saved_*`` attributes of a node's class about the shapes of its inputs."""
    return {f"_saved_{name}": property(_reader(name)) for name in NAMES.get(node or "", "").split()}


def hidden(node: str | None) -> set[str]:
    """The ``_saved_*`` attributes that a node's class does not have in PyTorch."""
    return {f"_saved_{name}" for name in OURS.get(node or "", "").split()}


def _reader(name: str) -> Callable[[Any], Any]:
    parameter, _, asked = name.partition("_sym_")

    def read(node: Any) -> Any:
        shape = _shape(node.plan, parameter)
        if asked == "numel":
            return math.prod(shape)
        if asked.startswith("argsize_"):
            return shape[int(asked.removeprefix("argsize_").replace("minus_", "-"))]
        return shape if shape or asked == "sizes" else (0,)

    return read


def _shape(plan: Any, parameter: str) -> tuple[int, ...]:
    """The shape of an argument or a result; () if it was not given."""
    kernel = plan.kernel
    if parameter in plan.op.outputs:
        return kernel.outputs[plan.op.outputs.index(parameter)].shape
    found = plan.op.unbind(kernel.static, kernel.inputs)[plan.op.names.index(parameter)]
    return found.shape if isinstance(found, Aval) else ()

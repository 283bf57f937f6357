"""`nn.functional`: from the declarations, and here what needs state (random draws, running statistics)."""

from __future__ import annotations

from ..methods import FUNCTIONS as _FUNCTIONS

_SHARED = (
    "relu", "sigmoid", "tanh", "softmax", "log_softmax", "prelu", "rrelu", "hardshrink", "normalize",
    "relu_", "cosine_similarity", "pairwise_distance", "pdist", "bilinear", "conv1d", "conv2d", "conv3d",
    "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "pixel_shuffle", "pixel_unshuffle",
    "selu_", "one_hot", "embedding", "layer_norm", "group_norm", "batch_norm", "dropout",
)  # fmt: skip
globals().update({k: v for k, v in _FUNCTIONS["torch"].items() if k in _SHARED})
globals().update(_FUNCTIONS["nn"])

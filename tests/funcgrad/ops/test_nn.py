"""Functions of `torch.nn.functional`, on PyTorch's own samples."""

from __future__ import annotations

import jax
import pytest
import torch

from tests.funcgrad.ops.nn_agreement import check, ours, samples

NAMES = """
adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d
adaptive_max_pool3d avg_pool1d avg_pool2d avg_pool3d batch_norm binary_cross_entropy
binary_cross_entropy_with_logits channel_shuffle conv1d conv2d conv3d conv_transpose1d
conv_transpose2d conv_transpose3d cosine_embedding_loss cosine_similarity cross_entropy
gaussian_nll_loss group_norm hinge_embedding_loss huber_loss instance_norm interpolate kl_div
l1_loss layer_norm local_response_norm margin_ranking_loss max_pool1d max_pool2d max_pool3d
mse_loss multi_margin_loss multilabel_margin_loss multilabel_soft_margin_loss nll_loss normalize
pad pairwise_distance pixel_shuffle pixel_unshuffle poisson_nll_loss rms_norm
smooth_l1_loss soft_margin_loss triplet_margin_loss unfold
""".split()


@pytest.mark.parametrize("name", NAMES)
def test_samples(name):
    with jax.enable_x64(True):
        for theirs, args, kwargs in samples(name, torch.float64, 4):
            check(ours(name), theirs, args, kwargs)


@pytest.mark.parametrize("name", ["cross_entropy", "conv2d", "avg_pool2d", "batch_norm", "pad"])
def test_float32_without_x64(name):
    for theirs, args, kwargs in samples(name, torch.float32, 2):
        check(ours(name), theirs, args, kwargs, second=False)

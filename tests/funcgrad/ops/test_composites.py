"""Functions of `torch`, `torch.linalg`, `torch.fft` that are made of ops, on PyTorch's samples."""

from __future__ import annotations

import jax
import pytest
import torch
from torch.testing._internal.common_methods_invocations import op_db

import funcgrad
from funcgrad.composite import COMPOSITES
from funcgrad.op import REGISTRY
from tests.funcgrad.ops.nn_agreement import check

FFT = """
fft fft2 fftn hfft hfft2 hfftn ifft ifft2 ifftn ihfft ihfft2 ihfftn irfft irfft2 irfftn rfft rfft2
rfftn fftshift ifftshift
""".split()
LINALG = """
cholesky_ex cond diagonal eigvals inv_ex lu_factor lu_solve matrix_rank tensorinv
tensorsolve vander
""".split()
TORCH = """
cholesky_inverse cholesky_solve combinations corrcoef cov histc isin index_reduce logdet renorm
signbit stft istft igamma igammac frexp matrix_exp
""".split()
NN = """
bilinear ctc_loss embedding_bag grid_sample max_unpool1d max_unpool2d max_unpool3d
""".split()
NAMES = [
    *(f"fft.{name}" for name in FFT), *(f"linalg.{name}" for name in LINALG), *TORCH,
    *(f"nn.functional.{name}" for name in NN),
]  # fmt: skip


def ours(name: str):
    if name == "nn.functional.embedding_bag":  # PyTorch's samples have the table first
        return lambda weight, *args, **kwargs: funcgrad.embedding_bag(args[0], weight, **kwargs)
    key = "linalg.matrix_exp" if name == "matrix_exp" else name.replace("nn.functional", "nn")
    if key in COMPOSITES:
        return COMPOSITES[key]
    return next(op for op in REGISTRY.values() if op.name == name)


def samples(name: str, dtype: torch.dtype, limit: int):
    """Small samples that differ in their arguments."""
    infos = [info for info in op_db if info.name == name]
    found, seen = [], set()
    for info in infos:
        if dtype not in info.dtypes:
            continue
        for sample in info.sample_inputs("cpu", dtype, requires_grad=info.supports_autograd):
            tensors = [t for t in (sample.input, *sample.args) if isinstance(t, torch.Tensor)]
            key = str(sample.kwargs), tuple(t.dim() for t in tensors)
            if key in seen or sum(t.numel() for t in tensors) > 20000:
                continue
            seen.add(key)
            found.append((info.op, (sample.input, *sample.args), sample.kwargs))
    step = max(1, len(found) // limit)
    return found[::step][:limit]


@pytest.mark.parametrize("name", NAMES)
def test_samples(name):
    checked = 0
    with jax.enable_x64(True):
        for dtype in (torch.float64, torch.complex128):
            for theirs, args, kwargs in samples(name, dtype, 4):
                check(ours(name), theirs, args, kwargs)
                checked += 1
    assert checked


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("size", [(2, 1, 3, 4), (2, 1, 1, 2), (2, 1, 2, 3, 1)])
def test_affine_grid(size, align_corners):
    """PyTorch has no samples of it."""
    space = len(size) - 2
    theta = torch.linspace(-1, 1, 2 * space * (space + 1), dtype=torch.float64)
    theta = theta.reshape(2, space, space + 1).requires_grad_()
    with jax.enable_x64(True):
        check(funcgrad.affine_grid, torch.nn.functional.affine_grid, (theta, size),
              {"align_corners": align_corners})  # fmt: skip

"""Where the registry may differ from PyTorch, with the reason. These tables may only shrink.

`EXCEPTIONS`: every entry is ``(check, op): reason`` and must fail: one that passes is an error.
`FREEDOMS`: outputs that are determined only up to a choice, and what does not depend on it.
"""

from __future__ import annotations

from collections.abc import Callable

_TIES = "PyTorch's partial sort picks an arbitrary one of equal elements; here it is the first"
_LEFTOVER = "where the factorization fails PyTorch has the columns done before, here all is nan"
_WINDOWS = "PyTorch has no samples of it: compared in tests/funcgrad/ops/test_windows.py"
_LOOPS = "at nan PyTorch's vectorized and scalar loops differ"
_COEFFICIENTS = "PyTorch's expansion for large arguments is off by up to 1e-7; here it is SciPy's"
_LAPACK = "LAPACK skips some products with nan; here all that they touch is nan"
_ZERO_TIMES_NAN = "PyTorch computes the gradient by other products when a zero is present"
_BLOCKS = "PyTorch's kernel gives zeros for some blocks of which all scores are nan"
_SINGULAR = "of a singular matrix PyTorch's gradient is infinite where here it is nan"

EXCEPTIONS: dict[tuple[str, str], str] = {
    ("edges", "kthvalue"): _TIES,
    ("not finite", "cumprod"): _ZERO_TIMES_NAN,
    ("not finite", "hardswish"): _LOOPS,
    ("not finite", "hardswish_backward"): _LOOPS,
    ("not finite", "logcumsumexp"): "PyTorch's gradient is nan wherever an infinity is near",
    ("not finite", "mode"): "every nan is distinct here; PyTorch counts runs of the sorted array",
    ("not finite", "polygamma"): "the poles of higher derivatives are infinite here, nan there",
    ("not finite", "prod"): _ZERO_TIMES_NAN,
    ("strides", "angle"): "of complex numbers PyTorch gives rows; a rule is not told the dtype",
    ("not finite", "_scaled_dot_product_flash_attention_for_cpu"): _BLOCKS,
    ("edges", "triangular_solve"): _SINGULAR,
    ("edges", "linalg_cholesky_ex"): _LEFTOVER,
    ("not finite", "linalg_cholesky_ex"): _LEFTOVER,
    ("edges", "special_airy_ai"): _COEFFICIENTS,
    ("edges", "special_bessel_j0"): _COEFFICIENTS,
    ("edges", "special_bessel_j1"): _COEFFICIENTS,
    ("edges", "special_bessel_y0"): _COEFFICIENTS,
    ("edges", "special_bessel_y1"): _COEFFICIENTS,
    ("gradient", "_euclidean_dist"): "the invented rows are equal: their distance is rounding",
    ("not finite", "geqrf"): _LAPACK,
    ("not finite", "linalg_householder_product"): _LAPACK,
    ("not finite", "ormqr"): _LAPACK,
    ("not finite", "linalg_qr"): "where LAPACK's norms skip a nan depends on its version",
    ("edges", "_standard_gamma_grad"): "no gamma distribution has a shape of 0 or less",
    ("sampled", "bartlett_window.periodic"): _WINDOWS,
    ("sampled", "blackman_window.periodic"): _WINDOWS,
    ("sampled", "hamming_window.periodic_alpha_beta"): _WINDOWS,
    ("sampled", "hann_window.periodic"): _WINDOWS,
    ("sampled", "kaiser_window.beta"): _WINDOWS,
    ("sampled", "affine_grid_generator"): "only reached through affine_grid, which has no samples",
    ("value", "lgamma"): "XLA's float32 lgamma is off by 5e-7 near its zeros at 1 and 2",
    ("value", "_reshape_alias"): "the strides of a sample do not fit its memory",
    ("edges", "_reshape_alias"): "the strides of a sample do not fit its memory",
    ("not finite", "_reshape_alias"): "the strides of a sample do not fit its memory",
    ("value", "addbmm"): "float32 sums in another order: 1e-7 of the largest element",
}


def _outer(columns, rows):
    """The matrix that each column makes with the row of the same place."""
    return columns.mT[..., :, None] * rows[..., :, None, :]


def _of_eigenvectors(eigenvalues, eigenvectors):
    """The projectors on the eigenvectors: each may be multiplied by any number of size 1."""
    if eigenvectors.ndim < 2:
        return eigenvalues, eigenvectors
    return eigenvalues, _outer(eigenvectors, eigenvectors.mT.conj())


def _of_singular_vectors(U, S, Vh):
    """Pairs of vectors, which turn together; what is beyond them only spans a space."""
    if U.ndim < 2:
        return U, S, Vh
    rank = S.shape[-1]
    beyond, above = U[..., :, rank:], Vh[..., rank:, :]
    spanned = beyond @ beyond.mT.conj(), above.mT.conj() @ above
    return _outer(U[..., :, :rank], Vh[..., :rank, :]), S, *spanned


FREEDOMS: dict[str, Callable[..., tuple]] = {
    "_linalg_eigh": _of_eigenvectors,
    "_linalg_svd": _of_singular_vectors,
    "linalg_eig": _of_eigenvectors,
}
"""What to compare instead of the outputs; for arrays and for PyTorch's tensors alike."""

ONCE = {"hardsigmoid"}
"""Ops whose gradient PyTorch cannot differentiate, nor do we."""

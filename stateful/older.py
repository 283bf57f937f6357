"""Functions of `torch` that are older than `torch.linalg`, with their own arguments."""

from __future__ import annotations

from typing import Any

from funcgrad.ops import factor
from funcgrad.ops.decompose import cholesky_factor

from .dispatch import call
from .methods import FUNCTIONS
from .return_types import named
from .tensor import Tensor

_linalg: Any = FUNCTIONS["linalg"]


def svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> Any:
    """``input = U diag(S) V^H``; unlike `linalg.svd` it gives V, and U and V are cut to S.

    >>> import stateful as torch
    >>> torch.svd(torch.tensor([[3.0, 0.0], [0.0, 2.0]])).S
    tensor([3., 2.])
    """
    if not compute_uv:
        values = _linalg["svdvals"](input)
        rows, columns = input.shape[-2:]
        batch = tuple(input.shape[:-2])
        U = input.new_zeros((*batch, rows, rows))
        return _named_svd((U, values, input.new_zeros((*batch, columns, columns))))
    U, S, Vh = _linalg["svd"](input, full_matrices=not some)
    return _named_svd((U, S, Vh.mH))


_named_svd = named("svd", ("U", "S", "V"))


def qr(input: Tensor, some: bool = True) -> Any:
    """`linalg.qr`; ``some=False`` for a square Q.

    >>> import stateful as torch
    >>> Q, R = torch.qr(torch.tensor([[3.0], [4.0]]))
    >>> (Q @ R).round(decimals=4)
    tensor([[3.],
            [4.]])
    """
    return named("qr", ("Q", "R"))(_linalg["qr"](input, "reduced" if some else "complete"))


def cholesky(input: Tensor, upper: bool = False) -> Tensor:
    """`linalg.cholesky`.

    >>> import stateful as torch
    >>> torch.cholesky(torch.tensor([[4.0, 2.0], [2.0, 2.0]]))
    tensor([[2., 0.],
            [1., 1.]])
    """
    _linalg["cholesky"](input.detach(), upper=upper)  # tells if there is none
    return cholesky_factor(input, upper)


def slogdet(input: Tensor) -> Any:
    """`linalg.slogdet`.

    >>> import stateful as torch
    >>> torch.slogdet(-2 * torch.eye(3)).sign
    tensor(-1.)
    """
    return named("slogdet", ("sign", "logabsdet"))(_linalg["slogdet"](input))


def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """`linalg.pinv` that counts singular values up to ``rcond * largest`` as 0.

    >>> import stateful as torch
    >>> torch.pinverse(2 * torch.eye(2))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.5000]])
    """
    return _linalg["pinv"](input, rtol=rcond)


def triangular_solve(
    b: Tensor, A: Tensor, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> Any:
    """``X`` with ``A X = b``, and A again.

    >>> import stateful as torch
    >>> torch.triangular_solve(torch.tensor([[2.0]]), torch.tensor([[4.0]])).solution
    tensor([[0.5000]])
    """
    return FUNCTIONS["private"]["triangular_solve"](b, A, upper, transpose, unitriangular)


def lu_solve(b: Tensor, LU_data: Tensor, LU_pivots: Tensor) -> Tensor:
    """`linalg.lu_solve` with the right-hand side first.

    >>> import stateful as torch
    >>> LU, pivots = torch.linalg.lu_factor(2 * torch.eye(2))
    >>> torch.lu_solve(torch.tensor([[2.0], [4.0]]), LU, pivots)
    tensor([[1.],
            [2.]])
    """
    return _linalg["lu_solve"](LU_data, LU_pivots, b)


def lu(A: Tensor, pivot: bool = True, get_infos: bool = False) -> tuple:
    """`linalg.lu_factor`, with zeros for where it failed if asked.

    >>> import stateful as torch
    >>> factors, pivots = torch.lu(torch.tensor([[1.0, 2.0], [4.0, 4.0]]))
    >>> factors, pivots
    (tensor([[4.0000, 4.0000],
            [0.2500, 1.0000]]), tensor([2, 2], dtype=torch.int32))
    """
    factors, pivots = _linalg["lu_factor"](A)
    if not get_infos:
        return factors, pivots
    return factors, pivots, pivots.new_zeros(tuple(A.shape[:-2]))


def lu_unpack(LU_data: Tensor, LU_pivots: Tensor) -> tuple:
    """P, L and U from the factors of `linalg.lu_factor`.

    >>> import stateful as torch
    >>> LU, pivots = torch.linalg.lu_factor(torch.tensor([[1.0, 2.0], [4.0, 4.0]]))
    >>> P, L, U = torch.lu_unpack(LU, pivots)
    >>> P @ L @ U
    tensor([[1., 2.],
            [4., 4.]])
    """
    L, U, P = call(factor.lu_unpack, (LU_data, LU_pivots), {})
    return named("lu_unpack", ("P", "L", "U"))((P, L, U))


def lstsq(*args, **kwargs):
    """Gone from PyTorch too.

    >>> import stateful as torch
    >>> try:
    ...     torch.lstsq(torch.ones(1, 1), torch.ones(1, 1))
    ... except RuntimeError:
    ...     print("use torch.linalg.lstsq")
    use torch.linalg.lstsq
    """
    raise RuntimeError(
        "This function was deprecated since version 1.9 and is now removed. `torch.lstsq` is "
        "deprecated in favor of `torch.linalg.lstsq`."
    )


def fill_diagonal_(self: Any, fill_value: float, wrap: bool = False) -> Any:
    """Overwrite the diagonal; ``wrap`` starts it again below a square.

    >>> import stateful as torch
    >>> torch.zeros(2, 2).fill_diagonal_(5)
    tensor([[5., 0.],
            [0., 5.]])
    """
    if self.dim() < 2:
        raise RuntimeError("dimensions must larger than 1")
    step = sum(self.stride())
    count = min(self.shape)
    if wrap and self.dim() == 2 and self.size(0) > self.size(1):
        count = -(-self.numel() // step)
    self.as_strided((count,), (step,), self.storage_offset()).fill_(fill_value)
    return self


OLDER = {
    function.__name__: function
    for function in (svd, qr, cholesky, slogdet, pinverse, triangular_solve, lu_solve, lu,
                     lu_unpack, lstsq)
}  # fmt: skip
for _function in (svd, qr, cholesky, slogdet, pinverse, triangular_solve, lu_solve, lu,
                  fill_diagonal_):  # fmt: skip
    setattr(Tensor, _function.__name__, _function)

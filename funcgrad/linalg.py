"""Linear algebra under the names of ``torch.linalg``. This is the map."""

from .ops.decompose import cholesky as cholesky
from .ops.decompose import eigh as eigh
from .ops.decompose import eigvalsh as eigvalsh
from .ops.decompose import qr as qr
from .ops.decompose import svd as svd
from .ops.decompose import svdvals as svdvals
from .ops.eigen import cond as cond
from .ops.eigen import eig as eig
from .ops.eigen import eigvals as eigvals
from .ops.eigen import matrix_exp as matrix_exp
from .ops.eigen import matrix_rank as matrix_rank
from .ops.factor import cholesky_ex as cholesky_ex
from .ops.factor import diagonal as diagonal
from .ops.factor import inv_ex as inv_ex
from .ops.factor import linalg_vander as vander  # noqa: F401
from .ops.factor import lstsq as lstsq
from .ops.factor import lu as lu
from .ops.factor import lu_factor as lu_factor
from .ops.factor import lu_solve as lu_solve
from .ops.factor import solve_ex as solve_ex
from .ops.factor import tensorinv as tensorinv
from .ops.factor import tensorsolve as tensorsolve
from .ops.matmul import matmul as matmul
from .ops.matrix import linalg_norm as norm  # noqa: F401
from .ops.matrix import matrix_norm as matrix_norm
from .ops.matrix import matrix_power as matrix_power
from .ops.matrix import pinv as pinv
from .ops.norm import vector_norm as vector_norm
from .ops.products import cross_of_last as cross  # noqa: F401
from .ops.products import multi_dot as multi_dot
from .ops.products import vecdot as vecdot
from .ops.reflections import linalg_householder_product as householder_product  # noqa: F401
from .ops.solve import LinAlgError as LinAlgError
from .ops.solve import det as det
from .ops.solve import inv as inv
from .ops.solve import slogdet as slogdet
from .ops.solve import solve as solve
from .ops.solve import solve_triangular as solve_triangular

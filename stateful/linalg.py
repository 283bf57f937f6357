"""`torch.linalg`: derived from the declarations."""

import functools as _functools

from funcgrad.ops.solve import LinAlgError as LinAlgError

from .methods import FUNCTIONS as _FUNCTIONS
from .return_types import named as _named

_FIELDS = {
    "slogdet": ("sign", "logabsdet"), "lu_factor": ("LU", "pivots"), "inv_ex": ("inverse", "info"),
    "lu": ("P", "L", "U"), "cholesky_ex": ("L", "info"), "solve_ex": ("result", "info"),
}  # fmt: skip
"""The names of what a function returns that keeps only some of the outputs of an op."""


def _with_names(name: str, fields: tuple[str, ...]):
    function = _FUNCTIONS["linalg"][name]
    kind = _named(f"linalg_{name}", fields)

    @_functools.wraps(function)
    def named(*args, **kwargs):
        return kind(function(*args, **kwargs))

    return named


_FUNCTIONS["linalg"].update({name: _with_names(name, fields) for name, fields in _FIELDS.items()})
_FUNCTIONS["linalg"]["matmul"] = _FUNCTIONS["torch"]["matmul"]
globals().update(_FUNCTIONS["linalg"])

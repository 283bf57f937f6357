"""What `gradcheck` compares, as PyTorch's own deprecated functions give it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ..backward import grad
from ..dispatch import wrap
from ..execute import Value
from .differences import as_numpy, as_tuple, finite_jacobian, inputs_of, parts_of, tensor_like


def get_numerical_jacobian(
    fn: Callable, inputs: Any, target: Any = None, eps: float = 1e-3, grad_out: float = 1.0
) -> tuple:
    """The Jacobians of the first output of ``fn(inputs)``, by finite differences. Deprecated.

    For each input that requires a gradient (or each of ``target``) a matrix: row = element of the
    input, column = element of the output. Raises ValueError if ``grad_out`` is not 1.
    """
    _deprecate("get_numerical_jacobian", grad_out)
    given = as_tuple(inputs)
    targets = inputs_of(given if target is None else as_tuple(target))

    def called(*arguments: Any) -> Any:
        return fn(arguments)

    found = []
    for x in targets:
        along = [
            finite_jacobian(called, given, lambda o: as_tuple(o)[:1], x, part, eps)[0]
            for part in parts_of(x)
        ]
        found.append(wrap(Value.of(along[0] if len(along) == 1 else along[0] + 1j * along[1])))
    return tuple(found)


def get_analytical_jacobian(
    inputs: Any, output: Any, nondet_tol: float = 0.0, grad_out: float = 1.0
) -> tuple[tuple, bool, bool, bool]:
    """The Jacobians of ``output`` by backward passes. Deprecated.

    Also whether a second time gives the same within ``nondet_tol``, and whether the gradients have
    the shapes and the dtypes of the inputs. Raises ValueError if ``grad_out`` is not 1, and for a
    complex output.
    """
    _deprecate("get_analytical_jacobian", grad_out)
    if output.is_complex():
        raise ValueError(
            "Expected output to be non-complex. get_analytical_jacobian no longer supports "
            "functions that return complex outputs."
        )
    targets = inputs_of(as_tuple(inputs))
    first, sizes, kinds = _columns(targets, output)
    again, _, _ = _columns(targets, output)
    same = all(
        np.all(np.abs(one - other) <= nondet_tol) for one, other in zip(first, again, strict=True)
    )
    return tuple(wrap(Value.of(matrix)) for matrix in first), bool(same), sizes, kinds


def _columns(targets: list, output: Any) -> tuple[list[np.ndarray], bool, bool]:
    """A matrix for each target, and whether the gradients were of its shape and of its dtype."""
    matrices = [np.zeros((x.numel(), output.numel()), x._aval.dtype) for x in targets]
    sizes = kinds = True
    for column, unit in enumerate(np.eye(output.numel())):
        seed = tensor_like(output, unit.reshape(output._aval.shape))
        found = grad(output, targets, seed, retain_graph=True, allow_unused=True)
        for x, gradient, matrix in zip(targets, found, matrices, strict=True):
            if gradient is None:
                continue
            kinds = kinds and gradient.dtype == x.dtype
            if gradient.shape == x.shape:
                matrix[:, column] = as_numpy(gradient).reshape(-1)
            else:
                sizes = False
    return matrices, sizes, kinds


def _deprecate(name: str, grad_out: float) -> None:
    warnings.warn(
        f"`{name}` was part of PyTorch's private API and not meant to be exposed. It is deprecated "
        "there: use torch.autograd.gradcheck, or torch.autograd.functional.jacobian.",
        FutureWarning,
        stacklevel=3,
    )
    if grad_out != 1.0:
        raise ValueError(
            f"Expected grad_out to be 1.0. {name} no longer supports values of grad_out != 1.0."
        )

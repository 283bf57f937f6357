"""Finite differences, and what both directions of `gradcheck` share.

The matrices are numpy's: row = element of the input, column = element of the output. The gradient
of a complex input is ``d/dx + 1j * d/dy`` of a real function (PyTorch's convention).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from funcgrad import types

from ..dispatch import Face, wrap
from ..execute import Value
from ..views import write


class GradcheckError(RuntimeError):
    """What `gradcheck` raises when a check fails.

    >>> import stateful as torch
    >>> from stateful.autograd.gradcheck import GradcheckError
    >>> x = torch.ones(1, dtype=torch.float64, requires_grad=True)
    >>> try:
    ...     torch.autograd.gradcheck(lambda t: t.detach() * t, x)
    ... except GradcheckError:
    ...     print("the numerical gradient is 2, not 1")
    the numerical gradient is 2, not 1
    """


class Check(NamedTuple):
    """The options of one `gradcheck`."""

    eps: float
    atol: float
    rtol: float
    nondet_tol: float
    dtypes: bool
    undefined: bool
    fast: bool


def as_tuple(x: Any) -> tuple:
    return tuple(x) if isinstance(x, tuple | list) else (x,)


def is_tensor(x: Any) -> bool:
    return isinstance(x, Face.tensor)


def differentiable_outputs(outputs: Any) -> tuple:
    return tuple(o for o in as_tuple(outputs) if o.requires_grad)


def inputs_of(given: Sequence) -> list:
    return [x for x in given if is_tensor(x) and x.requires_grad]


def _evaluate(func: Callable, given: Sequence, select: Callable) -> list[np.ndarray]:
    """The selected outputs of ``func`` as flat arrays."""
    return [as_numpy(o).reshape(-1) for o in select(func(*given))]


def as_numpy(tensor: Any) -> np.ndarray:
    return np.asarray(tensor._read().numpy())


def finite_difference(
    func, given, select, x, direction: np.ndarray, eps: float
) -> list[np.ndarray]:
    """The derivative of the outputs along ``direction`` of input ``x``, by a central difference.

    The input is changed in place, because ``func`` may know it by another name.
    """
    start = as_numpy(x).copy()
    step = (eps * direction).reshape(start.shape)
    try:
        sides = []
        for sign in (-1, 1):
            write(x._storage, x._view, Value.of((start + sign * step).astype(start.dtype)))
            sides.append(_evaluate(func, given, select))
    finally:
        write(x._storage, x._view, Value.of(start))
    for low, high in zip(*sides, strict=True):
        if low.shape != high.shape:
            raise AssertionError(
                "Expected `func` to return outputs with the same shape when inputs are perturbed "
                f"on index by eps={eps}, but got {low.shape} and {high.shape}."
            )
    return [(high - low) / (2 * eps) for low, high in zip(*sides, strict=True)]


def parts_of(x: Any) -> tuple[complex, ...]:
    return (1.0, 1j) if types.is_complex(x._aval.dtype) else (1.0,)


def finite_jacobian(func, given, select, x, part: complex, eps: float) -> list[np.ndarray]:
    """A matrix for each output: the derivatives along the (real or imaginary) elements of ``x``."""
    rows = [
        finite_difference(func, given, select, x, unit * part, eps) for unit in np.eye(x.numel())
    ]
    if not rows:
        return [np.zeros((0, o.size)) for o in _evaluate(func, given, select)]
    return [np.stack(column) for column in zip(*rows, strict=True)]


def random_direction(size: int, seed: int) -> np.ndarray:
    """A random vector of length one without negative elements."""
    drawn = np.random.default_rng(seed).uniform(size=size)
    return drawn / max(np.linalg.norm(drawn), 1e-30)


def is_close(check: Check, analytical: Any, numerical: Any, scale: float = 1.0) -> bool:
    return bool(np.allclose(analytical, numerical, check.rtol, check.atol * scale))


def mismatch_text(mode: str, output: int, position: int, numerical: Any, analytical: Any) -> str:
    numerical, analytical = (wrap(Value.of(np.asarray(m))) for m in (numerical, analytical))
    return (
        f"Jacobian {mode}mismatch for output {output} with respect to input {position},\n"
        f"numerical:{numerical}\nanalytical:{analytical}\n"
    )


def slow_text(check: Check, numerical: np.ndarray, analytical: np.ndarray) -> str:
    """What the whole Jacobians say after fast mode has found a difference."""
    largest = np.abs(numerical - analytical).max(initial=0.0)
    shown = [wrap(Value.of(np.asarray(matrix))) for matrix in (numerical, analytical)]
    text = (
        "\nThe above quantities relating the numerical and analytical jacobians are computed \n"
        "in fast mode, between two random vectors. Below, we recompute numerical and analytical "
        f"jacobians in slow mode:\n\nNumerical:\n {shown[0]}\nAnalytical:\n{shown[1]}\n\n"
        f"The max per-element difference (slow mode) is: {largest}.\n"
    )
    if not is_close(check, analytical, numerical):
        return text
    return text + (
        "Fast gradcheck failed but element-wise differences are small. This means that the test "
        "might've passed in slow_mode: pass fast_mode=False, or a larger atol or rtol."
    )


def tensor_like(tensor: Any, elements: Any) -> Any:
    array = np.broadcast_to(np.asarray(elements), tensor._aval.shape).astype(tensor._aval.dtype)
    return wrap(Value.of(array))


def compare_batches(batched: Sequence, one_by_one: Sequence, what: str) -> None:
    for i, (together, *single) in enumerate(zip(batched, *one_by_one, strict=True)):
        if together is None:
            continue
        expected = np.stack([as_numpy(s) for s in single])
        if not np.allclose(as_numpy(together), expected, 1e-5, 1e-8):
            raise GradcheckError(
                f"For {what} {i} batched gradients do not match the same computed one by one: got "
                f"{as_numpy(together)}, expected {expected}"
            )

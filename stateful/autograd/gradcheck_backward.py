"""`gradcheck` of reverse mode. A complex output is checked as two real ones."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from funcgrad import types

from ..backward import grad as autograd_grad
from ..dispatch import wrap
from ..execute import Value
from ..graph import Node, gradient_edge
from .differences import (
    Check,
    GradcheckError,
    as_numpy,
    as_tuple,
    compare_batches,
    differentiable_outputs,
    finite_difference,
    finite_jacobian,
    inputs_of,
    is_close,
    mismatch_text,
    parts_of,
    random_direction,
    slow_text,
    tensor_like,
)


def check_backward(check: Check, func: Callable, given: tuple, outputs: tuple) -> None:
    """Gradients of the real functions that ``func`` consists of."""
    if not any(types.is_complex(o._aval.dtype) for o in as_tuple(func(*given))):
        _compare_backward(check, func, given, "")
        return
    for part, name in (("imag", "imaginary"), ("real", "real")):

        def of_part(*arguments, part=part):
            return tuple(
                getattr(o, part) if types.is_complex(o._aval.dtype) else o
                for o in as_tuple(func(*arguments))
            )

        _compare_backward(
            check, of_part, given, f"While considering the {name} part of complex outputs only, "
        )


def _compare_backward(check: Check, func: Callable, given: tuple, prefix: str) -> None:
    outputs = differentiable_outputs(func(*given))
    targets = inputs_of(given)
    if not outputs:
        _check_constant(check, func, given, targets)
        return
    compare = _fast_backward if check.fast else _slow_backward
    for j, (output, analytical) in enumerate(
        (o, _repeated(check, o, targets, _seeds(check, o))) for o in outputs
    ):
        for i, x in enumerate(targets):
            compare(check, func, given, x, i, j, output, analytical[i], prefix)


def _continuous(outputs: Any) -> list:
    """The outputs that small changes of the inputs could change."""
    return [o for o in as_tuple(outputs) if types.is_differentiable(o._aval.dtype)]


def _check_constant(check: Check, func: Callable, given: tuple, targets: Sequence) -> None:
    compared = as_tuple if check.fast else _continuous
    for x in targets:
        for matrix in finite_jacobian(func, given, compared, x, 1.0, check.eps):
            if matrix.any():
                raise GradcheckError("Numerical gradient for function expected to be zero")


def _seeds(check: Check, output: Any) -> np.ndarray:
    """The gradients of the output to try: unit vectors, or in fast mode one random vector."""
    size = output.numel()
    return random_direction(size, 1)[None] if check.fast else np.eye(size)


def _repeated(check: Check, output: Any, targets: Sequence, seeds: np.ndarray) -> list[np.ndarray]:
    """The gradients for each seed, by input; computed twice, because they must not change."""
    first, second = (_gradients(check, output, targets, seeds) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        if a.size and np.abs(a - b).max() > check.nondet_tol:
            raise GradcheckError(
                "Backward is not reentrant, i.e., running backward with same input and grad_output "
                "multiple times gives different values, although analytical gradient matches "
                f"numerical gradient. The tolerance for nondeterminism was {check.nondet_tol}."
            )
    return first


def _gradients(check: Check, output: Any, targets: Sequence, seeds: np.ndarray) -> list[np.ndarray]:
    rows = []
    for seed in seeds:
        seed = wrap(Value.of(seed.reshape(output._aval.shape).astype(output._aval.dtype)))
        found = autograd_grad(output, targets, seed, retain_graph=True, allow_unused=True)
        for gradient, x in zip(found, targets, strict=True):
            if check.dtypes and gradient is not None and gradient.dtype != x.dtype:
                raise GradcheckError("Gradient has dtype mismatch")
            if gradient is not None and gradient.shape != x.shape:
                raise GradcheckError("Analytical gradient has incorrect size")
        rows.append([
            np.zeros(x.numel()) if g is None else as_numpy(g).reshape(-1)
            for g, x in zip(found, targets, strict=True)
        ])  # fmt: skip
    if not rows:
        return [np.zeros((0, x.numel())) for x in targets]
    return [np.stack(column) for column in zip(*rows, strict=True)]


def _slow_backward(check, func, given, x, i, j, output, analytical, prefix) -> None:
    """Every element of the Jacobian."""
    numerical = _numerical(check, func, given, x, j)
    if not is_close(check, analytical.T, numerical):
        raise GradcheckError(prefix + mismatch_text("", j, i, numerical, analytical.T))


def _numerical(check: Check, func: Callable, given: tuple, x: Any, j: int) -> np.ndarray:
    matrices = [
        part * finite_jacobian(func, given, differentiable_outputs, x, part, check.eps)[j]
        for part in parts_of(x)
    ]
    return sum(matrices[1:], matrices[0])


def _fast_backward(check, func, given, x, i, j, output, analytical, prefix) -> None:
    """The Jacobian between one random vector on each side."""
    v = random_direction(output.numel(), 1)
    numerical, scale, found = 0.0, 0.0, 0.0
    for seed, part in enumerate(parts_of(x)):
        u = random_direction(x.numel(), 2 + seed)
        along = finite_difference(func, given, differentiable_outputs, x, u * part, check.eps)[j]
        side = analytical[0].real if part == 1.0 else analytical[0].imag
        numerical, found = numerical + part * (v @ along), found + part * (side @ u)
        scale += u.sum() * v.sum()
    if not is_close(check, found, numerical, scale):
        whole = _gradients(check, output, [x], np.eye(output.numel()))[0].T
        note = slow_text(check, _numerical(check, func, given, x, j), whole)
        raise GradcheckError(prefix + mismatch_text("", j, i, numerical, found) + note)


def check_zero_gradients(given: tuple, outputs: tuple) -> None:
    """Zeros must come out where zeros went in."""
    targets = inputs_of(given)
    zeros = [tensor_like(o, 0) for o in outputs]
    for gradient in autograd_grad(outputs, targets, zeros, retain_graph=True, allow_unused=True):
        if gradient is not None and as_numpy(gradient).any():
            raise GradcheckError("backward not multiplied by grad_output")


class UndefinedGrad(Node):
    """Passes no gradient on."""

    def __init__(self, tensor: Any):
        super().__init__()
        self.edges, self.avals = (gradient_edge(tensor),), (tensor._aval,)

    def run(self, grads, needed):
        return [None]


def _undefined(output: Any) -> Any:
    return output.detach()._with_history(UndefinedGrad(output), 0)


def check_undefined(func: Callable, given: tuple, count: int) -> None:
    """Outputs may have no gradient: all of them, and each of several."""
    cases = [set(range(count))] + ([{i} for i in range(count)] if count > 1 else [])
    for case in cases:
        outputs = [
            _undefined(o) if i in case else o
            for i, o in enumerate(differentiable_outputs(func(*given)))
        ]
        try:
            found = autograd_grad(
                outputs, inputs_of(given), [tensor_like(o, 0) for o in outputs], allow_unused=True
            )
        except RuntimeError as error:
            raise GradcheckError(
                "Expected backward function to handle undefined output grads. Please look at "
                '"Notes about undefined output gradients" in "tools/autograd/derivatives.yaml"'
            ) from error
        if any(g is not None and as_numpy(g).any() for g in found):
            raise GradcheckError(
                "Expected all input grads to be undefined or zero when all output grads are "
                'undefined or zero. Please look at "Notes about undefined output gradients" in '
                '"tools/autograd/derivatives.yaml"'
            )


def check_batched(given: tuple, output: Any) -> None:
    """Two gradients at once must be the two gradients."""
    targets = inputs_of(given)
    random = np.random.default_rng(0)
    seeds = [tensor_like(output, random.standard_normal(output._aval.shape)) for _ in range(2)]
    one_by_one = [
        autograd_grad(output, targets, seed, retain_graph=True, allow_unused=True) for seed in seeds
    ]
    stacked = wrap(Value.of(np.stack([as_numpy(s) for s in seeds])))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            batched = autograd_grad(
                output,
                targets,
                stacked,
                retain_graph=True,
                allow_unused=True,
                is_grads_batched=True,
            )
    except Exception as error:
        raise GradcheckError(
            f"While computing batched gradients, got: {error}\n\n"
            "gradcheck or gradgradcheck failed while testing batched gradient computation: some "
            "operation in the backward pass cannot be batched. Pass check_batched_grad=False."
        ) from error
    compare_batches(batched, one_by_one, "output")

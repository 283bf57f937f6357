"""`gradcheck` and `gradgradcheck`: analytical gradients against finite differences.

As https://pytorch.org/docs/stable/notes/gradcheck.html. The matrices are numpy's: row = element of
the input, column = element of the output. The gradient of a complex input is ``d/dx + 1j * d/dy``
of a real function (PyTorch's convention), so a complex output is checked as two real ones.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from funcgrad import types

from ..backward import grad as autograd_grad
from ..batching import over_batch
from ..creation import FACTORIES
from ..dispatch import Face, wrap
from ..execute import Value, set_execution
from ..graph import Node, gradient_edge
from ..views import write
from . import forward_ad


class GradcheckError(RuntimeError):
    """What `gradcheck` raises when a check fails."""


class _Check(NamedTuple):
    """The options of one `gradcheck`."""

    eps: float
    atol: float
    rtol: float
    nondet_tol: float
    dtypes: bool
    undefined: bool
    fast: bool


def gradcheck(
    func: Callable,
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Whether the gradients of ``func`` with respect to ``inputs`` agree with finite differences.

    Options as in https://pytorch.org/docs/stable/generated/torch.autograd.gradcheck.gradcheck.html.
    Raises `GradcheckError` if not, or returns False without ``raise_exception``.

    >>> import stateful as torch
    >>> x = torch.tensor([0.5, 2.0], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradcheck(torch.exp, (x,))
    True
    """
    _expect(check_forward_ad or check_backward_ad,
            "Expected at least one of check_forward_ad or check_backward_ad to be "
            "True")  # fmt: skip
    _expect(not check_batched_grad or check_backward_ad,
            "Setting check_batched_grad=True requires check_backward_ad to be True",
            )  # fmt: skip
    _expect(not check_batched_forward_grad or check_forward_ad,
            "Setting check_batched_forward_grad=True requires check_forward_ad to be "
            "True")  # fmt: skip
    check = _Check(eps, atol, rtol, nondet_tol, check_grad_dtypes, check_undefined_grad, fast_mode)
    given = _as_tuple(inputs)
    execution = set_execution("eager")  # many short programs, each run a few times
    try:
        _check_inputs(given)
        outputs = _differentiable(func(*given))
        if check_backward_ad:
            _check_backward(check, func, given, outputs)
        if check_forward_ad:
            _check_forward(check, func, given)
        if check_batched_forward_grad:
            _check_batched_forward(func, given)
        if check_backward_ad and outputs:
            if check_batched_grad:
                for output in outputs:
                    _check_batched(given, output)
            _check_zero_gradients(given, outputs)
            if check_undefined_grad:
                _check_undefined(func, given, len(outputs))
    except GradcheckError:
        if raise_exception:
            raise
        return False
    finally:
        execution.__exit__()
    return True


def gradgradcheck(
    func: Callable,
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Whether the second derivatives of ``func`` agree with finite differences of the first.

    Options as in
    https://pytorch.org/docs/stable/generated/torch.autograd.gradcheck.gradgradcheck.html. Without
    ``grad_outputs`` they are drawn at random.

    >>> import stateful as torch
    >>> x = torch.tensor([0.5, 2.0], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradgradcheck(torch.exp, (x,))
    True
    """
    _expect(check_fwd_over_rev or check_rev_over_rev,
            "Expected at least one of check_fwd_over_rev or check_rev_over_rev to be "
            "True")  # fmt: skip
    _expect(not check_undefined_grad or check_rev_over_rev,
            "Setting check_undefined_grad=True requires check_rev_over_rev to be True",
            )  # fmt: skip
    _expect(not check_batched_grad or check_rev_over_rev,
            "Setting check_batched_grad=True requires check_rev_over_rev to be True",
            )  # fmt: skip
    given = _as_tuple(inputs)
    if grad_outputs is None:
        seeds = tuple(
            _random_like(o, gen_non_contig_grad_outputs) for o in _differentiable(func(*given))
        )
    else:
        seeds = _as_tuple(grad_outputs)
    wanted = [_is_tensor(x) and x.requires_grad for x in given]
    seeded = [x.requires_grad for x in seeds]

    def gradients(*arguments):
        heads = [
            x.requires_grad_() if want else x for x, want in zip(arguments, wanted, strict=False)
        ]
        outputs = _differentiable(func(*heads))
        tails = [
            x.requires_grad_() if want else x
            for x, want in zip(arguments[len(given) :], seeded, strict=True)
        ]
        targets = [x for x, want in zip(heads, wanted, strict=True) if want]
        found = autograd_grad(outputs, targets, tails, create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    return gradcheck(
        gradients, given + seeds, eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception,
        nondet_tol=nondet_tol, check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes, check_batched_grad=check_batched_grad,
        fast_mode=fast_mode, check_forward_ad=check_fwd_over_rev,
        check_backward_ad=check_rev_over_rev, masked=masked,
    )  # fmt: skip


def _random_like(output: Any, noncontiguous: bool) -> Any:
    """A leaf with random elements between -1 and 1, from the default generator."""
    dtype = output.dtype
    real = {"complex64": "float32", "complex128": "float64"}.get(output._aval.dtype.name)
    parts = (2,) if real else ()
    draw = FACTORIES["zeros"]((*output.shape, *parts), dtype=dtype.to_real()).uniform_(-1, 1)
    drawn = draw.numpy()
    drawn = drawn[..., 0] + 1j * drawn[..., 1] if real else drawn
    if noncontiguous and drawn.size > 1:
        spread = wrap(Value.of(np.repeat(drawn, 2, axis=-1).astype(output._aval.dtype)))
        return spread[..., ::2].requires_grad_()
    return wrap(Value.of(drawn.astype(output._aval.dtype))).requires_grad_()


def _expect(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def _as_tuple(x: Any) -> tuple:
    return tuple(x) if isinstance(x, tuple | list) else (x,)


def _is_tensor(x: Any) -> bool:
    return isinstance(x, Face.tensor)


def _differentiable(outputs: Any) -> tuple:
    return tuple(o for o in _as_tuple(outputs) if o.requires_grad)


def _inputs_of(given: Sequence) -> list:
    return [x for x in given if _is_tensor(x) and x.requires_grad]


def _check_inputs(given: Sequence) -> None:
    for position, x in enumerate(given):
        if not (_is_tensor(x) and x.requires_grad):
            continue
        if x._aval.dtype not in (np.float64, np.complex128):
            warnings.warn(
                f"Input #{position} requires gradient and is not a double precision floating point "
                "or complex. This check will likely fail if all the inputs are not of double "
                "precision floating point or complex. ",
                stacklevel=3,
            )
        if any(stride == 0 and n > 1 for stride, n in zip(x.stride(), x.shape, strict=True)):
            raise RuntimeError(
                f"The {position}th input has a dimension with stride 0. gradcheck only supports "
                "inputs that are non-overlapping to be able to compute the numerical gradients "
                "correctly. You should call .contiguous on the input before passing it to "
                "gradcheck."
            )
        x.retain_grad()
    if not _inputs_of(given):
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them "
            "have "
            "requires_grad=True."
        )


# -- finite differences ----------------------------------------------------------------------------


def _evaluate(func: Callable, given: Sequence, select: Callable) -> list[np.ndarray]:
    """The selected outputs of ``func`` as flat arrays."""
    return [_host(o).reshape(-1) for o in select(func(*given))]


def _host(tensor: Any) -> np.ndarray:
    return np.asarray(tensor._read().numpy())


def _difference(func, given, select, x, direction: np.ndarray, eps: float) -> list[np.ndarray]:
    """The derivative of the outputs along ``direction`` of input ``x``, by a central difference.

    The input is changed in place, because ``func`` may know it by another name.
    """
    start = _host(x).copy()
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


def _parts(x: Any) -> tuple[complex, ...]:
    return (1.0, 1j) if types.is_complex(x._aval.dtype) else (1.0,)


def _numerical(func, given, select, x, part: complex, eps: float) -> list[np.ndarray]:
    """A matrix for each output: the derivatives along the (real or imaginary) elements of ``x``."""
    rows = [_difference(func, given, select, x, unit * part, eps) for unit in np.eye(x.numel())]
    if not rows:
        return [np.zeros((0, o.size)) for o in _evaluate(func, given, select)]
    return [np.stack(column) for column in zip(*rows, strict=True)]


# -- backward --------------------------------------------------------------------------------------


def _check_backward(check: _Check, func: Callable, given: tuple, outputs: tuple) -> None:
    """Gradients of the real functions that ``func`` consists of."""
    if not any(types.is_complex(o._aval.dtype) for o in _as_tuple(func(*given))):
        _compare_backward(check, func, given, "")
        return
    for part, name in (("imag", "imaginary"), ("real", "real")):

        def of_part(*arguments, part=part):
            return tuple(
                getattr(o, part) if types.is_complex(o._aval.dtype) else o
                for o in _as_tuple(func(*arguments))
            )

        _compare_backward(
            check, of_part, given, f"While considering the {name} part of complex outputs only, "
        )


def _compare_backward(check: _Check, func: Callable, given: tuple, prefix: str) -> None:
    outputs = _differentiable(func(*given))
    targets = _inputs_of(given)
    if not outputs:
        _check_constant(check, func, given, targets)
        return
    compare = _fast_backward if check.fast else _slow_backward
    for j, (output, analytical) in enumerate(
        (o, _repeated(check, o, targets, _seeds(check, o))) for o in outputs
    ):
        for i, x in enumerate(targets):
            compare(check, func, given, x, i, j, output, analytical[i], prefix)


def _check_constant(check: _Check, func: Callable, given: tuple, targets: Sequence) -> None:
    for x in targets:
        for matrix in _numerical(func, given, _as_tuple, x, 1.0, check.eps):
            if matrix.any():
                raise GradcheckError("Numerical gradient for function expected to be zero")


def _seeds(check: _Check, output: Any) -> np.ndarray:
    """The gradients of the output to try: unit vectors, or in fast mode one random vector."""
    size = output.numel()
    return _direction(size, 1)[None] if check.fast else np.eye(size)


def _direction(size: int, seed: int) -> np.ndarray:
    """A random vector of length one without negative elements."""
    drawn = np.random.default_rng(seed).uniform(size=size)
    return drawn / max(np.linalg.norm(drawn), 1e-30)


def _repeated(check: _Check, output: Any, targets: Sequence, seeds: np.ndarray) -> list[np.ndarray]:
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


def _gradients(
    check: _Check, output: Any, targets: Sequence, seeds: np.ndarray
) -> list[np.ndarray]:
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
            np.zeros(x.numel()) if g is None else _host(g).reshape(-1)
            for g, x in zip(found, targets, strict=True)
        ])  # fmt: skip
    if not rows:
        return [np.zeros((0, x.numel())) for x in targets]
    return [np.stack(column) for column in zip(*rows, strict=True)]


def _slow_backward(check, func, given, x, i, j, output, analytical, prefix) -> None:
    """Every element of the Jacobian."""
    numerical = sum(
        part * _numerical(func, given, _differentiable, x, part, check.eps)[j] for part in _parts(x)
    )
    if not _close(check, analytical.T, numerical):
        raise GradcheckError(prefix + _mismatch("", j, i, numerical, analytical.T))


def _fast_backward(check, func, given, x, i, j, output, analytical, prefix) -> None:
    """The Jacobian between one random vector on each side."""
    v = _direction(output.numel(), 1)
    numerical, scale, found = 0.0, 0.0, 0.0
    for seed, part in enumerate(_parts(x)):
        u = _direction(x.numel(), 2 + seed)
        along = _difference(func, given, _differentiable, x, u * part, check.eps)[j]
        side = analytical[0].real if part == 1.0 else analytical[0].imag
        numerical, found = numerical + part * (v @ along), found + part * (side @ u)
        scale += u.sum() * v.sum()
    if not _close(check, found, numerical, scale):
        raise GradcheckError(prefix + _mismatch("", j, i, numerical, found) + _FAST_NOTE)


_FAST_NOTE = (
    "\nThe above quantities relating the numerical and analytical jacobians are computed \n"
    "in fast mode: each is the Jacobian between two random vectors. Pass fast_mode=False to see it "
    "all."
)


def _close(check: _Check, analytical: Any, numerical: Any, scale: float = 1.0) -> bool:
    return bool(np.allclose(analytical, numerical, check.rtol, check.atol * scale))


def _mismatch(mode: str, output: int, position: int, numerical: Any, analytical: Any) -> str:
    numerical, analytical = (wrap(Value.of(np.asarray(m))) for m in (numerical, analytical))
    return (
        f"Jacobian {mode}mismatch for output {output} with respect to input {position},\n"
        f"numerical:{numerical}\nanalytical:{analytical}\n"
    )


def _check_zero_gradients(given: tuple, outputs: tuple) -> None:
    """Zeros must come out where zeros went in."""
    targets = _inputs_of(given)
    zeros = [_like(o, 0) for o in outputs]
    for gradient in autograd_grad(outputs, targets, zeros, retain_graph=True, allow_unused=True):
        if gradient is not None and _host(gradient).any():
            raise GradcheckError("backward not multiplied by grad_output")


def _like(tensor: Any, elements: Any) -> Any:
    array = np.broadcast_to(np.asarray(elements), tensor._aval.shape).astype(tensor._aval.dtype)
    return wrap(Value.of(array))


class UndefinedGrad(Node):
    """Passes no gradient on."""

    def __init__(self, tensor: Any):
        super().__init__()
        self.edges, self.avals = (gradient_edge(tensor),), (tensor._aval,)

    def run(self, grads, needed):
        return [None]


def _undefined(output: Any) -> Any:
    return output.detach()._with_history(UndefinedGrad(output), 0)


def _check_undefined(func: Callable, given: tuple, count: int) -> None:
    """Outputs may have no gradient: all of them, and each of several."""
    cases = [set(range(count))] + ([{i} for i in range(count)] if count > 1 else [])
    for case in cases:
        outputs = [
            _undefined(o) if i in case else o for i, o in enumerate(_differentiable(func(*given)))
        ]
        try:
            found = autograd_grad(
                outputs, _inputs_of(given), [_like(o, 0) for o in outputs], allow_unused=True
            )
        except RuntimeError as error:
            raise GradcheckError(
                "Expected backward function to handle undefined output grads. Please look at "
                '"Notes about undefined output gradients" in "tools/autograd/derivatives.yaml"'
            ) from error
        if any(g is not None and _host(g).any() for g in found):
            raise GradcheckError(
                "Expected all input grads to be undefined or zero when all output grads are "
                'undefined or zero. Please look at "Notes about undefined output gradients" in '
                '"tools/autograd/derivatives.yaml"'
            )


def _check_batched(given: tuple, output: Any) -> None:
    """Two gradients at once must be the two gradients."""
    targets = _inputs_of(given)
    random = np.random.default_rng(0)
    seeds = [_like(output, random.standard_normal(output._aval.shape)) for _ in range(2)]
    one_by_one = [
        autograd_grad(output, targets, seed, retain_graph=True, allow_unused=True) for seed in seeds
    ]
    stacked = wrap(Value.of(np.stack([_host(s) for s in seeds])))
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
    _compare_batches(batched, one_by_one, "output")


def _compare_batches(batched: Sequence, one_by_one: Sequence, what: str) -> None:
    for i, (together, *single) in enumerate(zip(batched, *one_by_one, strict=True)):
        if together is None:
            continue
        expected = np.stack([_host(s) for s in single])
        if not np.allclose(_host(together), expected, 1e-5, 1e-8):
            raise GradcheckError(
                f"For {what} {i} batched gradients do not match the same computed one by one: got "
                f"{_host(together)}, expected {expected}"
            )


# -- forward ---------------------------------------------------------------------------------------


def _tangents(func: Callable, given: tuple, tangents: dict[int, Any]) -> list:
    """The outputs of ``func`` and their tangents; inputs lose their place in the graph."""
    with forward_ad.dual_level():
        arguments = [
            forward_ad.make_dual(x.detach(), tangents[i]) if i in tangents
            else x.detach() if _is_tensor(x) and x.requires_grad
            else x
            for i, x in enumerate(given)
        ]  # fmt: skip
        duals = [forward_ad.unpack_dual(o) for o in _as_tuple(func(*arguments))]
        return [(d.primal, d.tangent) for d in duals]


def _check_forward(check: _Check, func: Callable, given: tuple) -> None:
    count = -1
    for position, x in enumerate(given):
        if not (_is_tensor(x) and x.requires_grad):
            continue
        count += 1
        for seed, part in enumerate(_parts(x)):
            prefix = "" if len(_parts(x)) == 1 else (
                f"While considering the {'real' if part == 1.0 else 'imaginary'} part of complex "
                "inputs only, "
            )  # fmt: skip
            units = _direction(x.numel(), 2 + seed)[None] if check.fast else np.eye(x.numel())
            scale = units.sum() if check.fast else 1.0
            for unit in units:
                _compare_forward(check, func, given, position, count, unit * part, prefix, scale)
    if check.undefined:
        _check_undefined_forward(func, given)


def _compare_forward(check, func, given, position, count, unit, prefix, scale) -> None:
    x = given[position]
    numerical = _difference(func, given, _as_tuple, x, unit, check.eps)
    tangent = _like(x, unit.reshape(x._aval.shape))
    for j, (output, found) in enumerate(_tangents(func, given, {position: tangent})):
        if check.dtypes and found is not None and found.dtype != output.dtype:
            raise GradcheckError("Forward AD gradient has dtype mismatch.")
        if not types.is_differentiable(output._aval.dtype):
            continue
        array = np.zeros(output.numel()) if found is None else _host(found).reshape(-1)
        if not _close(check, array, numerical[j], scale):
            mode = "computed with forward mode "
            raise GradcheckError(prefix + _mismatch(mode, j, count, numerical[j], array))


def _check_undefined_forward(func: Callable, given: tuple) -> None:
    """A missing tangent must count as zero."""
    wanted = [i for i, x in enumerate(given) if _is_tensor(x) and x.requires_grad]
    full = {
        i: _like(given[i], _direction(given[i].numel(), i).reshape(given[i]._aval.shape))
        for i in wanted
    }
    for missing in wanted:
        partial = {i: t for i, t in full.items() if i != missing}
        zeros = {**full, missing: _like(given[missing], 0)}
        pairs = zip(_tangents(func, given, partial), _tangents(func, given, zeros), strict=True)
        for j, ((_, undefined), (_, zero)) in enumerate(pairs):
            a, b = (np.zeros(1) if t is None else _host(t) for t in (undefined, zero))
            if not np.allclose(a, b):
                raise GradcheckError(
                    f"Mismatch in tangent values for output with index: {j} when input {missing} "
                    "has "
                    f"an undefined tangent value. Got: {a} but expected: {b}"
                )


def _check_batched_forward(func: Callable, given: tuple) -> None:
    """Tangents along two directions at once must be the two tangents."""
    random = np.random.default_rng(0)
    for position, x in enumerate(given):
        if not (_is_tensor(x) and x.requires_grad):
            continue
        tangents = [_like(x, random.standard_normal(x._aval.shape)) for _ in range(2)]
        one_by_one = [[t for _, t in _tangents(func, given, {position: v})] for v in tangents]
        stacked = np.stack([_host(v) for v in tangents])
        try:
            batched = over_batch(
                lambda v, position=position: [t for _, t in _tangents(func, given, {position: v})],
                [stacked],
            )
        except Exception as error:
            raise GradcheckError(
                f"While computing batched gradients, got: {error}\n\ngradcheck failed while "
                "testing "
                "batched gradient computation with forward-mode AD. Pass "
                "check_batched_forward_grad=False."
            ) from error
        _compare_batches(batched, one_by_one, "input")


__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]

"""`gradcheck` and `gradgradcheck`: analytical gradients against finite differences.

As https://pytorch.org/docs/stable/notes/gradcheck.html.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..backward import grad as autograd_grad
from ..creation import FACTORIES
from ..dispatch import wrap
from ..execute import Value, set_execution
from .differences import (
    Check,
    GradcheckError,
    as_tuple,
    differentiable_outputs,
    inputs_of,
    is_tensor,
)
from .gradcheck_backward import (
    check_backward,
    check_batched,
    check_undefined,
    check_zero_gradients,
)
from .gradcheck_forward import check_batched_forward, check_forward
from .jacobians import get_analytical_jacobian as get_analytical_jacobian
from .jacobians import get_numerical_jacobian as get_numerical_jacobian


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
    check = Check(eps, atol, rtol, nondet_tol, check_grad_dtypes, check_undefined_grad, fast_mode)
    given = as_tuple(inputs)
    execution = set_execution("eager")  # many short programs, each run a few times
    try:
        _check_inputs(given)
        outputs = differentiable_outputs(func(*given))
        if check_backward_ad:
            check_backward(check, func, given, outputs)
        if check_forward_ad:
            check_forward(check, func, given)
        if check_batched_forward_grad:
            check_batched_forward(func, given)
        if check_backward_ad and outputs:
            if check_batched_grad:
                for output in outputs:
                    check_batched(given, output)
            check_zero_gradients(given, outputs)
            if check_undefined_grad:
                check_undefined(func, given, len(outputs))
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
    given = as_tuple(inputs)
    if grad_outputs is None:
        seeds = tuple(
            _random_like(o, gen_non_contig_grad_outputs)
            for o in differentiable_outputs(func(*given))
        )
    else:
        seeds = as_tuple(grad_outputs)
    wanted = [is_tensor(x) and x.requires_grad for x in given]
    seeded = [x.requires_grad for x in seeds]

    def gradients(*arguments):
        heads = [
            x.requires_grad_() if want else x for x, want in zip(arguments, wanted, strict=False)
        ]
        outputs = differentiable_outputs(func(*heads))
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


def _check_inputs(given: Sequence) -> None:
    for position, x in enumerate(given):
        if not (is_tensor(x) and x.requires_grad):
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
    if not inputs_of(given):
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them "
            "have requires_grad=True."
        )


__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]

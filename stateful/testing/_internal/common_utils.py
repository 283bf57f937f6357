"""`torch.testing._internal.common_utils`: how PyTorch's own tests are written. The map."""

from __future__ import annotations

import sys
import unittest
from collections.abc import Callable
from typing import Any

from ... import autograd
from ...tensor import Tensor
from .._creation import make_tensor as make_tensor
from .contexts import SEED as SEED
from .contexts import DeterministicGuard as DeterministicGuard
from .contexts import disable_gc as disable_gc
from .contexts import freeze_rng_state as freeze_rng_state
from .contexts import set_default_dtype as set_default_dtype
from .contexts import set_rng_seed as set_rng_seed
from .contexts import set_warn_always_context as set_warn_always_context
from .parametrization import dtype_name as dtype_name
from .parametrization import instantiate_parametrized_tests as instantiate_parametrized_tests
from .parametrization import parametrize as parametrize
from .parametrization import subtest as subtest
from .platform import *  # noqa: F403
from .platform import TEST_WITH_SLOW_GRADCHECK as TEST_WITH_SLOW_GRADCHECK
from .skipping import *  # noqa: F403
from .testcase import TestCase as TestCase


def gradcheck(fn: Callable, inputs: Any, **kwargs: Any) -> bool:
    """`torch.autograd.gradcheck`, by default in fast mode and of batched gradients as well."""
    return autograd.gradcheck(fn, inputs, **_with_defaults(kwargs))


def gradgradcheck(fn: Callable, inputs: Any, grad_outputs: Any = None, **kwargs: Any) -> bool:
    """`torch.autograd.gradgradcheck` with the defaults of `gradcheck`."""
    return autograd.gradgradcheck(fn, inputs, grad_outputs, **_with_defaults(kwargs))


def _with_defaults(given: dict[str, Any]) -> dict[str, Any]:
    defaults = {"check_batched_grad": True, "fast_mode": not TEST_WITH_SLOW_GRADCHECK}
    return {**defaults, **{name: value for name, value in given.items() if value is not None}}


def _assertGradAndGradgradChecks(
    test_case: TestCase, apply_fn: Callable, inputs: Any, **kwargs: Any
) -> None:
    test_case.assertTrue(gradcheck(apply_fn, inputs, **kwargs))
    test_case.assertTrue(gradgradcheck(apply_fn, inputs, **kwargs))


def is_iterable_of_tensors(iterable: Any, include_empty: bool = False) -> bool:
    """Whether something holds tensors only and is none; ``include_empty``: if it holds nothing."""
    if isinstance(iterable, Tensor) or not hasattr(iterable, "__iter__"):
        return False
    items = list(iterable)
    return all(isinstance(item, Tensor) for item in items) if items else include_empty


def noncontiguous_like(t: Tensor) -> Tensor:
    """The same numbers, which do not lie one after the other; ``t`` if they do not already."""
    if not t.is_contiguous():
        return t
    twice = t.detach().unsqueeze(-1).repeat(*[1] * t.dim(), 2)  # type: ignore[attr-defined]
    return twice[..., 0].requires_grad_(t.requires_grad)


def load_tests(loader: Any, tests: Any, pattern: str | None) -> unittest.TestSuite:
    """All tests of a module: unittest's protocol of the same name."""
    return unittest.TestSuite(tests)


def run_tests(argv: list[str] | None = None) -> None:
    """Run the tests of the program, with the options of unittest, and end it."""
    unittest.main(argv=sys.argv if argv is None else argv)

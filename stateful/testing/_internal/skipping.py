"""Decorators of `torch.testing._internal.common_utils` that skip tests or expect them to fail.

Those for what does not exist here, such as Dynamo, ROCm or MPS, leave a test as it is.
"""

from __future__ import annotations

import functools
import unittest
from collections.abc import Callable
from typing import Any

from . import platform


def lazy_skip_if(condition: Callable[[], bool], reason: str) -> Callable:
    """Skip a test if a condition holds when it begins."""

    def decorator(fn: Callable) -> Callable:
        @functools.wraps(fn)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if condition():
                raise unittest.SkipTest(reason)
            return fn(*args, **kwargs)

        return wrapper

    return decorator


def slowTest(fn: Callable) -> Callable:
    """Skip a test unless PYTORCH_TEST_WITH_SLOW is 1."""
    wrapper = lazy_skip_if(
        lambda: not platform.TEST_WITH_SLOW,
        "test is slow; run with PYTORCH_TEST_WITH_SLOW to enable test",
    )(fn)
    wrapper.slow_test = True  # type: ignore[attr-defined]
    return wrapper


def slowTestIf(condition: bool) -> Callable:
    """`slowTest` if a condition holds."""
    return slowTest if condition else _same


def xfailIf(condition: bool) -> Callable:
    """Expect a test to fail if a condition holds."""
    return unittest.expectedFailure if condition else _same


def skipIfCrossRef(fn: Callable) -> Callable:
    """Skip a test if PYTORCH_TEST_WITH_CROSSREF is 1."""
    condition = lambda: platform.TEST_WITH_CROSSREF  # noqa: E731
    return lazy_skip_if(condition, "test doesn't currently with crossref")(fn)


def skipIfNoSciPy(fn: Callable) -> Callable:
    """Skip a test if there is no SciPy."""
    return lazy_skip_if(lambda: not platform.TEST_SCIPY, "test require SciPy, but not found")(fn)


def skipIfWindows(
    func: Callable | None = None, *, msg: str = "test doesn't currently work on the Windows stack"
) -> Callable:
    """Skip a test on Windows."""
    decorator = unittest.skipIf(platform.IS_WINDOWS, msg)
    return decorator if func is None else decorator(func)


def scoped_load_inline(func: Callable) -> Callable:
    """Skip a test that compiles C++ against PyTorch: there is nothing to compile against."""
    return unittest.skip("there are no C++ extensions of torch here")(func)


def _same(fn: Any) -> Any:
    return fn


def _with_message(msg: str = "", *args: Any, **kwargs: Any) -> Callable:
    """A decorator of a test that says why, and leaves the test as it is."""
    if not isinstance(msg, str):
        raise AssertionError(f"expected a message, as in @skip('why'), but got {msg}")
    return _same


def _optional(func: Any = None, *args: Any, **kwargs: Any) -> Any:
    """A decorator with or without options, which leaves a test as it is."""
    return _same if func is None else func


def _conditional(condition: bool) -> Callable:
    """A decorator with a condition, which leaves a test as it is."""
    return _same


skipIfNoLapack = skipIfMPS = skipIfHpu = _same
xfailIfTorchDynamo = xfailIfROCm = xfailIfS390X = _same
skipIfTorchDynamo = skipIfTorchInductor = skipIfLegacyJitExecutor = _with_message
skipIfRocm = skipIfXpu = markDynamoStrictTest = unMarkDynamoStrictTest = _optional
serialTest = skipCUDAMemoryLeakCheckIf = skipCUDANonDefaultStreamIf = _conditional

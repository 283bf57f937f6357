"""`torch.testing._internal.common_utils.TestCase`: `unittest.TestCase` that compares tensors."""

from __future__ import annotations

import contextlib
import gc
import re
import sys
import unittest
import unittest.mock
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from ...creation import as_tensor
from ...tensor import Tensor
from .._comparison import Options, compare
from .contexts import set_rng_seed, set_warn_always_context
from .equality import MAPPINGS, SEQUENCES, difference

try:
    from expecttest import TestCase as _Base
except ImportError:  # an optional package: without it there is no `assertExpectedInline`
    from unittest import TestCase as _Base


class TestCase(_Base):  # type: ignore[misc]
    """Tests with a fixed seed. ``precision``, ``rel_tol``: the smallest tolerances of a test."""

    precision: float = 0.0
    rel_tol: float = 0.0
    maxDiff = None

    def setUp(self) -> None:
        set_rng_seed()

    def assertEqual(  # type: ignore[override]
        self, x: Any, y: Any, msg: str | Callable[[str], str] | None = None, *,
        atol: float | None = None, rtol: float | None = None, equal_nan: bool = True,
        exact_dtype: bool = True, exact_device: bool = False, exact_layout: bool = False,
        exact_stride: bool = False, exact_is_coalesced: bool = False,
    ) -> None:  # fmt: skip
        """Fail unless two values agree: tensors, arrays and numbers within a tolerance.

        All tensors are strided here, so ``exact_layout`` and ``exact_is_coalesced`` always hold.
        """
        __tracebackhide__ = True
        options = Options(
            rtol, atol, equal_nan, True, exact_device, exact_dtype, exact_stride,
            (self.rel_tol, self.precision), difference, SEQUENCES, MAPPINGS,
        )  # fmt: skip
        added = isinstance(msg, str) and self.longMessage
        compare(*_alike(x, y), options, (lambda found: f"{found}\n{msg}") if added else msg)

    def assertNotEqual(  # type: ignore[override]
        self, x: Any, y: Any, msg: str | None = None, *, atol: float | None = None,
        rtol: float | None = None, **kwargs: Any,
    ) -> None:  # fmt: skip
        """Fail if two values agree."""
        with self.assertRaises(AssertionError, msg=msg):
            self.assertEqual(x, y, msg, atol=atol, rtol=rtol, **kwargs)

    def assertEqualIgnoreType(self, *args: Any, **kwargs: Any) -> None:
        """`assertEqual` of values whose dtypes may differ."""
        self.assertEqual(*args, exact_dtype=False, **kwargs)

    def assertEqualTypeString(self, x: Tensor, y: Tensor) -> None:
        """Fail unless two tensors are of one kind: device and dtype."""
        self.assertEqual(x.device, y.device)
        self.assertEqual(x.dtype, y.dtype)

    def assertObjectIn(self, obj: Any, iterable: Iterable) -> None:
        """Fail unless this very object is among others."""
        if not any(item is obj for item in iterable):
            raise AssertionError("object not found in iterable")

    def assertNoUnraisable(self, callable: Callable, *args: Any, **kwargs: Any) -> None:
        """Fail if an error in a destructor is swallowed meanwhile."""
        found: list[Any] = []
        enabled = gc.isenabled()
        gc.disable()
        try:
            with unittest.mock.patch.object(sys, "unraisablehook", found.append):
                callable(*args, **kwargs)
        finally:
            if enabled:
                gc.enable()
        self.assertIsNone(found[-1] if found else None)

    def assertNotWarn(self, callable: Callable, msg: str = "") -> None:
        """Fail if a function warns."""
        with _recorded() as found:
            callable()
        self.assertTrue(not found, msg)

    @contextlib.contextmanager
    def assertWarnsOnceRegex(self, category: type[Warning], regex: str = "") -> Iterator[None]:
        """Fail unless the inside warns, of this category and with a text that begins like this."""
        with _recorded() as found:
            yield
        if not found:
            self.fail("no warning caught")
        self.assertTrue(any(type(w.message) is category for w in found))
        texts = [str(w.message) for w in found]
        self.assertTrue(any(re.match(regex, text) for text in texts), f"{regex}, {texts}")


@contextlib.contextmanager
def _recorded() -> Iterator[list[warnings.WarningMessage]]:
    """All warnings of the inside, also those that are given once in a process."""
    with warnings.catch_warnings(record=True) as found, set_warn_always_context(True):
        warnings.simplefilter("always")
        yield found


def _alike(x: Any, y: Any) -> tuple[Any, Any]:
    """A sequence beside a tensor as a tensor, arrays of no dtype of PyTorch's as lists."""
    if any(isinstance(v, np.ndarray) and v.dtype.kind in "OSUMmV" for v in (x, y)):
        a, b = (v.tolist() if isinstance(v, Tensor | np.ndarray) else list(v) for v in (x, y))
        return a, b
    if isinstance(x, Tensor) and isinstance(y, Sequence):
        return x, as_tensor(y, dtype=x.dtype, device=x.device)
    if isinstance(y, Tensor) and isinstance(x, Sequence):
        return as_tensor(x, dtype=y.dtype, device=y.device), y
    return x, y

"""`torch.testing._internal.common_device_type`: one class of tests for each kind of device."""

from __future__ import annotations

import functools
import inspect
import unittest
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from ...cuda import device_count
from .parametrization import Variant, add, dtype_name, instance, variants
from .platform import TEST_CUDA
from .testcase import TestCase

NATIVE_DEVICES = ("cpu", "cuda", "xpu", "meta", "mps", "mtia")


class DeviceTypeTestBase(TestCase):
    """Tests of one kind of device."""

    device_type: str = "generic_device_type"

    @classmethod
    def get_primary_device(cls) -> str:
        """The device that a test is given."""
        return cls.get_all_devices()[0]

    @classmethod
    def get_all_devices(cls) -> list[str]:
        """The devices that a test of several is given."""
        if cls.device_type == "cuda":
            return [f"cuda:{index}" for index in range(device_count())]
        return [cls.device_type]


class CPUTestBase(DeviceTypeTestBase):
    """Tests on the CPU."""

    device_type = "cpu"


class CUDATestBase(DeviceTypeTestBase):
    """Tests on a GPU."""

    device_type = "cuda"


def get_device_type_test_bases() -> list[type[DeviceTypeTestBase]]:
    """A class for each kind of device that there is."""
    return [CPUTestBase, CUDATestBase] if TEST_CUDA else [CPUTestBase]


def instantiate_device_type_tests(
    generic_test_class: type, scope: dict[str, Any], except_for: Any = None, only_for: Any = None,
    include_lazy: bool = False, allow_mps: bool = False, allow_xpu: bool = False,
) -> None:  # fmt: skip
    """Replace a class ``TestX`` of ``scope`` by ``TestXCPU`` and ``TestXCUDA``.

    ``except_for``, ``only_for``: kinds of devices. A test has a ``device``, and a ``dtype`` if it
    says which (`dtypes`).
    """
    name = generic_test_class.__name__
    del scope[name]
    tests = {n: t for n, t in vars(generic_test_class).items() if n.startswith("test")}
    for test in tests:
        delattr(generic_test_class, test)
    for base in get_device_type_test_bases():
        kind = base.device_type
        if kind in _names(except_for) or (only_for is not None and kind not in _names(only_for)):
            continue
        made: Any = type(name + kind.upper(), (base, generic_test_class), {})
        made.__module__ = generic_test_class.__module__
        for test_name, test in tests.items():
            _instantiate(made, test_name, test)
        scope[made.__name__] = made


def _names(kinds: str | Iterable[str] | None) -> tuple[str, ...]:
    return (kinds,) if isinstance(kinds, str) else tuple(kinds or ())


def _instantiate(cls: type[DeviceTypeTestBase], name: str, test: Callable) -> None:
    takes = inspect.signature(test).parameters
    for variant in variants(test):
        for dtype in _dtypes_of(cls, test):
            arguments = dict(variant.arguments)
            if "devices" in takes:
                arguments["devices"] = cls.get_all_devices()
            elif "device" in takes:
                arguments["device"] = cls.get_primary_device()
            if dtype is not None:
                arguments["dtypes" if isinstance(dtype, tuple) else "dtype"] = dtype
            names = [name, variant.name, cls.device_type, *map(dtype_name, _several(dtype))]
            whole = Variant("", arguments, variant.decorators)
            made = _with_tolerance(instance(test, whole), test, dtype)
            add(cls, "_".join(filter(None, names)), made)


def _several(dtype: Any) -> tuple:
    return () if dtype is None else dtype if isinstance(dtype, tuple) else (dtype,)


def _dtypes_of(cls: type[DeviceTypeTestBase], test: Callable) -> Iterable[Any]:
    wanted = getattr(test, "dtypes", None)
    if wanted is None:
        return (None,)
    if "all" not in wanted:
        raise AssertionError(
            f"@dtypes is mandatory when using @dtypesIf however '{test.__name__}' didn't specify it"
        )
    return wanted.get(cls.device_type, wanted["all"])


def _with_tolerance(made: Callable, test: Callable, dtype: Any) -> Callable:
    """A test that compares within the tolerances given for its dtype."""
    found = getattr(test, "tolerances", {}).get(dtype)
    if found is None:
        return made

    @functools.wraps(made)
    def tolerant(self: TestCase) -> Any:
        self.precision, self.rel_tol = found  # of this test only: each has an instance of its own
        return made(self)

    return tolerant


class tol(NamedTuple):
    """The tolerances of a `toleranceOverride`."""

    atol: float
    rtol: float


class toleranceOverride:
    """Decorator: the smallest tolerances of a test by dtype, ``{torch.float16: tol(1e-2, 0)}``."""

    def __init__(self, d: dict):
        self.tolerances = {dtype: tol(*found) for dtype, found in d.items()}

    def __call__(self, fn: Callable) -> Callable:
        fn.tolerances = self.tolerances  # type: ignore[attr-defined]
        return fn


class precisionOverride(toleranceOverride):
    """Decorator: the smallest absolute tolerance of a test by dtype, ``{torch.float16: 1e-2}``."""

    def __init__(self, d: dict):
        super().__init__({dtype: (atol, 0.0) for dtype, atol in d.items()})


class dtypes:
    """Decorator: the dtypes to run a test for, each one or a tuple of those of its arguments."""

    def __init__(self, *args: Any, device_type: str = "all"):
        self.args = tuple(tuple(a) if isinstance(a, list | tuple) else a for a in args)
        self.device_type = device_type

    def __call__(self, fn: Callable) -> Callable:
        found = dict(getattr(fn, "dtypes", {}))
        if self.device_type in found:
            raise AssertionError(f"dtypes redefinition for {self.device_type}")
        fn.dtypes = {**found, self.device_type: self.args}  # type: ignore[attr-defined]
        return fn


def _dtypes_if(device_type: str) -> Callable:
    return functools.partial(dtypes, device_type=device_type)


dtypesIfCPU, dtypesIfCUDA, dtypesIfMPS = map(_dtypes_if, ("cpu", "cuda", "mps"))
dtypesIfXPU, dtypesIfHPU = map(_dtypes_if, ("xpu", "hpu"))


class onlyOn:
    """Decorator: skip a test on other kinds of devices."""

    def __init__(self, device_type: str | list[str]):
        self.device_type = device_type

    def __call__(self, fn: Callable) -> Callable:
        @functools.wraps(fn)
        def wrapper(slf: DeviceTypeTestBase, *args: Any, **kwargs: Any) -> Any:
            if slf.device_type not in _names(self.device_type):
                raise unittest.SkipTest(f"Only runs on {self.device_type}")
            return fn(slf, *args, **kwargs)

        return wrapper


onlyCPU, onlyCUDA, onlyMPS, onlyXPU, onlyHPU = map(onlyOn, ("cpu", "cuda", "mps", "xpu", "hpu"))
onlyAccelerator = onlyOn(["cuda", "mps", "xpu", "hpu", "mtia"])
onlyNativeDeviceTypes = onlyOn(list(NATIVE_DEVICES))


class skipIf:
    """Decorator: skip a test if a condition holds, on one kind of device or on all."""

    def __init__(self, dep: bool | str, reason: str, device_type: str | None = None):
        self.dep, self.reason, self.device_type = dep, reason, device_type

    def __call__(self, fn: Callable) -> Callable:
        @functools.wraps(fn)
        def wrapper(slf: DeviceTypeTestBase, *args: Any, **kwargs: Any) -> Any:
            if self.device_type in (None, slf.device_type) and (
                getattr(slf, self.dep, True) if isinstance(self.dep, str) else self.dep
            ):
                raise unittest.SkipTest(self.reason)
            return fn(slf, *args, **kwargs)

        return wrapper


def _skip_if(device_type: str) -> Callable:
    return functools.partial(skipIf, device_type=device_type)


skipCPUIf, skipCUDAIf, skipMetaIf, skipMPSIf = map(_skip_if, ("cpu", "cuda", "meta", "mps"))
skipMeta = skipMetaIf(True, "test doesn't work with meta tensors")
skipMPS = skipMPSIf(True, "test doesn't work on MPS backend")
skipCPUIfNoLapack = skipCPUIf(False, "PyTorch compiled without Lapack")
skipCUDAIfNoMagma = skipCUDAIf(False, "no MAGMA library detected")
skipCUDAIfNoCudnn = skipCUDAIf(True, "cuDNN not available")
skipCUDAIfRocm = skipCUDAIf(False, "test doesn't currently work on the ROCm stack")


class expectedFailure:
    """Decorator: a test has to fail on one kind of device."""

    def __init__(self, device_type: str | None):
        self.device_type = device_type

    def __call__(self, fn: Callable) -> Callable:
        @functools.wraps(fn)
        def wrapper(slf: DeviceTypeTestBase, *args: Any, **kwargs: Any) -> Any:
            if self.device_type not in (None, slf.device_type):
                return fn(slf, *args, **kwargs)
            try:
                fn(slf, *args, **kwargs)
            except Exception:
                return None
            slf.fail("expected test to fail, but it passed")

        return wrapper


expectedFailureCPU, expectedFailureCUDA = map(expectedFailure, ("cpu", "cuda"))
expectedFailureMeta, expectedFailureMPS = map(expectedFailure, ("meta", "mps"))


class deviceCountAtLeast:
    """Decorator: a test of several devices, skipped if there are fewer."""

    def __init__(self, num_required_devices: int):
        self.num_required_devices = num_required_devices

    def __call__(self, fn: Callable) -> Callable:
        @functools.wraps(fn)
        def wrapper(slf: TestCase, devices: list[str], *args: Any, **kwargs: Any) -> Any:
            if len(devices) < self.num_required_devices:
                raise unittest.SkipTest(f"fewer than {self.num_required_devices} devices detected")
            return fn(slf, devices, *args, **kwargs)

        return wrapper

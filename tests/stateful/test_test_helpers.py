"""What PyTorch's own tests are written with: the same tests, with the same outcome.

Each test class is run by `unittest` twice, with the helpers of torch and with those of `stateful`.
"""

import importlib
import os
import subprocess
import sys
import unittest
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

import stateful

ROOT = Path(__file__).parents[2]


def part(torch, name):
    with warnings.catch_warnings(action="ignore"):
        return importlib.import_module(f"{torch.__name__}.{name}")


def internal(torch, name):
    return part(torch, f"testing._internal.{name}")


def outcomes(*classes):
    """The name of each test and how it went: ``ok``, a reason to skip, an error."""
    result = unittest.TestResult()
    suite = unittest.TestSuite(map(unittest.defaultTestLoader.loadTestsFromTestCase, classes))
    names = [test.id().rpartition(".")[2] for group in suite for test in group]
    found = dict.fromkeys(names, "ok")
    with warnings.catch_warnings(action="ignore"):
        suite.run(result)
    for kind in ("failures", "errors", "expectedFailures", "skipped"):
        for test, text in getattr(result, kind):
            reason = text if kind == "skipped" else ""
            found[test.id().rpartition(".")[2]] = f"{kind} {reason}"
    for test in result.unexpectedSuccesses:
        found[test.id().rpartition(".")[2]] = "unexpected success"
    return found


def both(make):
    """What ``make`` gives of torch and of stateful, which have to be the same."""
    expected, found = make(torch), make(stateful)
    assert found == expected
    return found


def parametrized(torch):
    utils = internal(torch, "common_utils")
    seen = []

    class TestParametrized(utils.TestCase):
        @utils.parametrize("x", [1, 2.5, "s", (1,), torch.float32, torch.device("cpu")])
        def test_one(self, x):
            seen.append(str(x))

        @utils.parametrize("x, y", [
            (1, 2), utils.subtest((3, 4), name="four", decorators=[unittest.expectedFailure]),
        ])  # fmt: skip
        @utils.parametrize("z", [True, False])
        def test_two(self, x, y, z):
            seen.append((x, y, z))
            self.assertNotEqual(x, 3)

        @utils.parametrize("a", [1, 2], name_fn=lambda a: f"n{a}")
        def test_named(self, a):
            seen.append(a)

        @utils.slowTest
        def test_slow(self):
            seen.append("slow")

        @utils.skipIfTorchDynamo("why")
        @utils.skipIfWindows(msg="why")
        @utils.skipIfNoLapack
        @utils.skipIfCrossRef
        @utils.slowTestIf(False)
        def test_decorated(self):
            seen.append("decorated")

        def test_seed(self):
            drawn = torch.rand(2), np.random.rand()
            self.setUp()
            self.assertEqual(drawn, (torch.rand(2), np.random.rand()))

        def test_frozen(self):
            with utils.freeze_rng_state():
                drawn = torch.rand(2)
            self.assertEqual(drawn, torch.rand(2), atol=0, rtol=0)

        def test_wrong(self):
            self.assertEqual(torch.ones(2), torch.ones(2) + 1e-3)

    utils.instantiate_parametrized_tests(TestParametrized)
    return outcomes(TestParametrized), seen


def test_parametrized_tests():
    found, seen = both(parametrized)
    assert found["test_two_four_z_True"] == "expectedFailures "
    assert found["test_wrong"] == "failures " and len(found) == 17
    assert "slow" not in seen and "decorated" in seen


def by_device(torch):
    devices, utils = internal(torch, "common_device_type"), internal(torch, "common_utils")
    floating = internal(torch, "common_dtype").floating_types_and
    seen, scope = [], {}

    class TestDevices(utils.TestCase):
        def setUp(self):
            super().setUp()
            self.ready = True

        def test_device(self, device):
            seen.append((device, self.device_type, self.ready))

        @devices.dtypes(torch.float32, torch.int64)
        def test_dtype(self, device, dtype):
            seen.append((device, str(dtype)))

        @devices.dtypes((torch.float32, torch.int64), (torch.int8, torch.int8))
        def test_dtypes(self, device, dtypes):
            seen.append((device, *map(str, dtypes)))

        @devices.dtypes(*floating(torch.half))
        @devices.dtypesIfCPU(torch.float64, torch.half)
        @devices.dtypesIfCUDA(torch.half)
        @utils.parametrize("x", [1, 2])
        def test_parametrized(self, device, dtype, x):
            seen.append((str(dtype), x))

        @devices.onlyCUDA
        def test_cuda(self, device):
            seen.append("cuda")

        @devices.onlyCPU
        @devices.skipMeta
        @devices.onlyNativeDeviceTypes
        def test_cpu(self, device):
            seen.append("cpu")

        @devices.deviceCountAtLeast(2)
        def test_two_devices(self, devices):
            seen.append("two")

        @devices.deviceCountAtLeast(1)
        def test_one_device(self, devices):
            seen.append(devices)

        @devices.dtypes(torch.float32, torch.float64)
        @devices.toleranceOverride({torch.float32: devices.tol(1e-1, 0)})
        def test_tolerance(self, device, dtype):
            self.assertEqual(torch.ones(1, dtype=dtype), torch.ones(1, dtype=dtype) + 0.05)
            self.assertEqual(1.0, 1.05)

        @devices.dtypes(torch.float32, torch.float64)
        @devices.precisionOverride({torch.float32: 1e-1})
        def test_precision(self, device, dtype):
            self.assertEqual(torch.ones(1, dtype=dtype), torch.ones(1, dtype=dtype) + 0.05)

        @devices.expectedFailureCPU
        def test_fails(self, device):
            self.fail()

        @devices.expectedFailureCPU
        def test_does_not_fail(self, device):
            seen.append("passed")

        @devices.skipCPUIf(True, "why")
        def test_skipped(self, device):
            seen.append("skipped")

    scope["TestDevices"] = TestDevices
    devices.instantiate_device_type_tests(TestDevices, scope, except_for="cuda")
    return sorted(scope), outcomes(*scope.values()), sorted(map(str, seen))


def test_tests_by_device():
    names, found, seen = both(by_device)
    assert names == ["TestDevicesCPU"]
    assert found["test_tolerance_cpu_float32"] == "ok" == found["test_precision_cpu_float32"]
    assert found["test_tolerance_cpu_float64"].startswith("failures")
    assert "two" not in seen and "test_parametrized_x_1_cpu_float16" in found


def pairs(torch):
    t, nan = torch.tensor, float("nan")
    return [
        (1, 1.0), (1, True), (True, t(1)), (t(1.0), 1), (t([1.0, 2.0]), 1), (t([1.0, 2.0]), True),
        (1.0, 1.0 + 1e-6), (1.0, 1.0 + 1e-3), (1, 2), (1j, 1j + 1e-9), (t([1.0, 2.0]), [1, 2]),
        ([1, 2], t([1, 3])), (t([1.0]), np.array([1.0], np.float32)), (t([1.0]), np.array([1.0])),
        (np.array([1, 2]), np.array([1, 2])), ("a", "a"), ("a", "b"), ({1}, {1}), ({1}, {2}),
        (int, int), (int, float), (None, None), (None, 1), (0, None), ({"a": t(1)}, {"a": t(1)}),
        ({"a": 1}, {"b": 1}), ({"a": [1, 2]}, {"a": [1, 3]}), ([1, 2], (1, 2)), ([1], [1, 2]),
        (t([nan]), t([nan])), (nan, nan), (t([1]), t([1.0])), (t([1.0]), t([[1.0]])),
        (torch.float32, torch.float32), (torch.float32, torch.float64), (t([]), t([])),
        (torch.Size([2, 3]), (2, 3)), (torch.Size([2]), [3]), (object, 1), (b"ab", b"ab"),
        (np.float32(1.5), 1.5), (np.array(["a"]), ["a"]), (t(3), np.int64(3)),
        (t([True]), t([False])), (t(1.0, requires_grad=True), 1.0), (t([1 + 1j]), t([1 + 2j])),
        (torch.ones(2, 3), torch.ones(3, 2).t()), (torch.device("cpu"), torch.device("cpu")),
        (torch.nn.ModuleList(), torch.nn.ModuleList()), ("a", t([1])),
    ]  # fmt: skip


OPTIONS = [
    {}, {"exact_dtype": False}, {"msg": "why", "atol": 0.5, "rtol": 0}, {"exact_stride": True},
    {"equal_nan": False}, {"atol": 1},
]  # fmt: skip


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_what_is_equal(options):
    def kinds(torch):
        case = internal(torch, "common_utils").TestCase()
        return [type_of_error(lambda p=p: case.assertEqual(*p, **options)) for p in pairs(torch)]

    found = both(kinds)
    assert {None, AssertionError} <= set(found)


def type_of_error(function):
    try:
        function()
    except Exception as error:
        return type(error)
    return None


def assertions(torch):
    case = internal(torch, "common_utils").TestCase()

    def warns(regex, warn=True, category=UserWarning):
        with case.assertWarnsOnceRegex(category, regex):
            if warn:
                warnings.warn("text", UserWarning, stacklevel=1)

    class Raises:
        def __del__(self):
            raise ValueError

    item = [1]
    return [
        type_of_error(function) for function in (
            lambda: case.assertNotEqual(1, 1), lambda: case.assertNotEqual(1, 2),
            lambda: warns("te"), lambda: warns("x"), lambda: warns("", warn=False),
            lambda: warns("te", category=FutureWarning),
            lambda: case.assertNotWarn(lambda: warnings.warn("x", stacklevel=1)),
            lambda: case.assertNotWarn(int), lambda: case.assertObjectIn(item, [[1]]),
            lambda: case.assertObjectIn(item, [item]), lambda: case.assertNoUnraisable(Raises),
            lambda: case.assertNoUnraisable(int), lambda: case.assertExpectedInline("a", "a"),
            lambda: case.assertEqualIgnoreType(torch.tensor([1]), torch.tensor([1.0])),
        )
    ]  # fmt: skip


def test_assertions():
    assert len(set(both(assertions))) == 2


def test_kinds_of_dtypes():
    names = """floating_types floating_types_and_half integral_types all_types complex_types
        all_types_and_complex floating_and_complex_types double_types get_all_dtypes
        get_all_int_dtypes get_all_fp_dtypes get_all_complex_dtypes""".split()
    joined = "floating_types_and all_types_and all_types_and_complex_and integral_types_and".split()

    def kinds(torch):
        dtype = internal(torch, "common_dtype")
        found = [getattr(dtype, name)() for name in names]
        found += [getattr(dtype, name)(torch.bool, torch.half) for name in joined]
        return [list(map(str, dtypes)) for dtypes in found]

    both(kinds)


def test_contexts():
    def seen(torch):
        utils = internal(torch, "common_utils")
        with utils.set_default_dtype(torch.float64), utils.set_warn_always_context(True):
            inside = [str(torch.tensor(1.0).dtype), torch.is_warn_always_enabled()]
        with utils.disable_gc(), utils.DeterministicGuard(True), torch.device("cpu") as device:
            inside += [torch.are_deterministic_algorithms_enabled(), str(device)]
        spread = utils.noncontiguous_like(torch.ones(2, 3))
        nested = ([], [torch.ones(1)], torch.ones(2), [torch.ones(1), 1], 1)
        return [
            *inside, torch.is_warn_always_enabled(), torch.are_deterministic_algorithms_enabled(),
            str(torch.tensor(1.0).dtype), spread.is_contiguous(), spread.tolist(),
            [utils.is_iterable_of_tensors(value) for value in nested],
            internal(torch, "common_methods_invocations").mask_not_all_zeros((1,)).tolist(),
        ]  # fmt: skip

    both(seen)


def test_gradcheck_is_of_batched_gradients_too():
    def checked(torch):
        utils = internal(torch, "common_utils")
        x = torch.rand(2, dtype=torch.float64, requires_grad=True)

        class Double(torch.autograd.Function):
            """Twice ``x``, with a gradient that is wrong, or that cannot be batched."""

            @staticmethod
            def forward(ctx, x, factor):
                ctx.factor = factor
                return x * 2

            @staticmethod
            def backward(ctx, grad):
                return grad * (ctx.factor or 2 + 0 * grad.sum().item()), None

        return [
            utils.gradcheck(torch.exp, [x], fast_mode=None), utils.gradgradcheck(torch.exp, [x]),
            *(utils.gradcheck(Double.apply, [x, factor], raise_exception=False, **options)
              for factor in (2, 3, None) for options in ({}, {"check_batched_grad": False})),
        ]  # fmt: skip

    assert both(checked) == [True] * 4 + [False] * 3 + [True]


FUNCTIONS = """NumpyCube CubeGenVmap NumpyMul MulGenVmap NumpySort SortGenVmap Select SelectGenVmap
ForwardHasDefaultArgs ScaleGradGenVmap ZeroGradientsGenVmap NumpyCubeNotComposable""".split()


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.filterwarnings("ignore")
def test_sample_functions(name):
    def seen(torch):
        function = getattr(internal(torch, "autograd_function_db"), name)
        two = name in ("NumpyMul", "MulGenVmap", "ZeroGradientsGenVmap")
        rest = [1] * (name in ("NumpySort", "SortGenVmap", "Select", "SelectGenVmap"))
        rest = [(2,)] if name == "ForwardHasDefaultArgs" else rest

        def first(*args):
            out = function.apply(*args, *rest)
            return out[0] if isinstance(out, tuple) else out

        x = torch.tensor([[3.0, 1.0, 2.0], [4.0, 6.0, 5.0], [7.0, 9.0, 8.0]], dtype=torch.float64)
        given = [x.clone().requires_grad_() for _ in range(1 + two)]
        found = [function.apply(*given, *rest)]
        if name != "ZeroGradientsGenVmap":
            found.append(torch.autograd.grad(first(*given).sum(), given))
        plain = [g.detach() for g in given]
        if name != "NumpyCubeNotComposable":
            rest = [0] if rest == [1] else rest
            found.append(torch.func.vmap(first)(*plain))
            found.append(torch.func.jvp(first, tuple(plain), tuple(plain)))
        return str(found)

    both(seen)


def logged(torch):
    logging = internal(torch, "logging_tensor")
    with logging.capture_logs() as lines:
        x = logging.LoggingTensor(torch.tensor([3.0]), requires_grad=True)
        logging.log_input("x", x)
        y = x * 2
        grad = logging.LoggingTensor(torch.tensor([1.0]))
        logging.log_input("grad", grad)
        (g,) = torch.autograd.grad((y,), (x,), (grad,))
    with logging.capture_logs_with_logging_tensor_mode() as more:
        z = g.elem.exp().sum(0)
    own = logging.LoggingTensor(torch.ones(1, requires_grad=True), requires_grad=True)
    return lines, more, z.item(), str(g.elem), str(x), own.elem.requires_grad


def test_logging_tensors():
    assert both(logged)[0][1] == "$1: f32[1] = torch._ops.aten.mul.Tensor($0, 2)"


def test_flops():
    def counted(torch):
        counter = part(torch, "utils.flop_counter").FlopCounterMode
        nn, x = torch.nn, torch.ones
        programs = [
            lambda: nn.Conv2d(3, 4, 3)(x(1, 3, 8, 8, requires_grad=True)),
            lambda: nn.Conv2d(3, 4, 3)(x(1, 3, 8, 8)),
            lambda: nn.Conv2d(4, 4, 3, groups=2)(x(1, 4, 8, 8, requires_grad=True)),
            lambda: nn.ConvTranspose1d(3, 4, 3)(x(2, 3, 8, requires_grad=True)),
            lambda: nn.Linear(3, 4)(x(5, 2, 3)), lambda: x(2, requires_grad=True) * 2,
            lambda: x(5, 2, 3, requires_grad=True) @ x(5, 3, 4),
            lambda: torch.baddbmm(x(1, 2, 2, requires_grad=True), x(1, 2, 2), x(1, 2, 2)),
            lambda: nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.Linear(4, 5)))(
                x(2, 3, requires_grad=True)
            ),
        ]  # fmt: skip
        found = []
        for program in programs:
            with counter(display=False) as counts:
                program().sum().backward()
            by_module = counts.get_flop_counts()
            found.append({name: sum(by_module[name].values()) for name in sorted(by_module)})
        return found

    assert both(counted)[-1]["Sequential.1.0"] == 240


def test_texts_of_times_and_sizes():
    def texts(torch):
        util = part(torch, "autograd.profiler_util")
        times = [util._format_time(t) for t in (0, 0.5, 999, 1000, 1e6, 12345678)]
        sizes = [util._format_memory(n) for n in (0, 1023, 1024, -2048, 2**20, 3 * 2**30)]
        shares = [util._format_time_share(*pair) for pair in ((1, 3), (0, 0))]
        return times, sizes, shares, type_of_error(lambda: util._format_time_share(1, 0))

    both(texts)


def test_contents_of_a_text():
    def texts(torch):
        made = [torch.ones(2, requires_grad=True), torch.zeros(2, 0, dtype=torch.int32)]
        return [x.__repr__(tensor_contents="...") for x in [*made, made[0] * 2]]

    both(texts)


def test_modules_that_run():
    def seen(torch):
        found = []

        class Names(torch.nn.Module):
            def forward(self, x):
                found.append(sorted(tracker.parents))
                y = x * 2
                if y.requires_grad:
                    y.register_hook(lambda grad: found.append(["back", *sorted(tracker.parents)]))
                return y

        nn = torch.nn
        linear = nn.Sequential(nn.Linear(2, 2))
        model = nn.Sequential(Names(), nn.Sequential(Names(), Names()))
        with part(torch, "utils.module_tracker").ModuleTracker() as tracker:
            for _ in range(2):
                model(torch.ones(2, requires_grad=True)).sum().backward()
                found.append(sorted(tracker.parents))
            model(torch.ones(2))
            for _ in range(2):  # nobody waits for a gradient of the input
                linear(torch.ones(2)).sum().backward()
                found.append(sorted(tracker.parents))
        model(torch.ones(2))
        return found

    assert ["back", "Global", "Sequential", "Sequential.1", "Sequential.1.0"] in both(seen)


PROGRAM = """
import sys
import {0}
sys.modules["torch"] = {0}
import torch
from torch.autograd.profiler_util import _format_time, EventList, FunctionEvent, FunctionEventAvg
from torch.testing import make_tensor
from torch.testing._internal.autograd_function_db import NumpyMul
from torch.testing._internal.common_cuda import TEST_CUDA
from torch.testing._internal.common_device_type import dtypes, instantiate_device_type_tests
from torch.testing._internal.common_dtype import floating_types_and
from torch.testing._internal.common_methods_invocations import mask_not_all_zeros
from torch.testing._internal.common_utils import (
    IS_CI, IS_LINUX, IS_MACOS, IS_WINDOWS, TEST_NUMPY, TEST_WITH_ASAN, TEST_WITH_TORCHDYNAMO,
    TestCase, load_tests, run_tests, scoped_load_inline, skipIfMPS, skipIfXpu, xfailIfTorchDynamo,
)
from torch.testing._internal.logging_tensor import LoggingTensor, LoggingTensorMode
from torch.utils.flop_counter import FlopCounterMode

load_tests = load_tests

class TestProgram(TestCase):
    def test_equal(self):
        self.assertIs(torch, {0})
        self.assertEqual(torch.ones(2), [1.0, 1.0])

    def test_not_equal(self):
        self.assertEqual(torch.ones(2), [1.0, 2.0])

if __name__ == "__main__":
    run_tests(argv=sys.argv[:1])
"""


@pytest.mark.parametrize("name", ["torch", "stateful"])
def test_program(name, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.format(name))
    # With CI set PyTorch's own runner writes XML, by a package that is not installed here.
    environment = {key: value for key, value in os.environ.items() if key != "CI"}
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, cwd=ROOT,
                          env={**environment, "PYTHONPATH": str(ROOT)})  # fmt: skip
    assert done.returncode == 1
    assert "Ran 2 tests" in done.stderr and "FAILED (failures=1)" in done.stderr
    assert "Mismatched elements: 1 / 2 (50.0%)" in done.stderr

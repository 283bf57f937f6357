"""What tests ask of the machine and of the environment: ``IS_LINUX``, ``TEST_NUMPY``, ..."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys

from ...cuda import is_available


def _asked(name: str) -> bool:
    return os.getenv(name, "0") == "1"


IS_CI = bool(os.getenv("CI"))
IS_LINUX = sys.platform == "linux"
IS_MACOS = sys.platform == "darwin"
IS_WINDOWS = sys.platform == "win32"
IS_X86 = platform.machine() in ("x86_64", "i386")
IS_ARM64 = platform.machine() in ("arm64", "aarch64")
IS_S390X = platform.machine() == "s390x"
IS_FBCODE = IS_SANDCASTLE = IS_JETSON = IS_PPC = False

TEST_CUDA = is_available()
TEST_MULTIGPU = False
TEST_NUMPY = True
TEST_SCIPY = importlib.util.find_spec("scipy") is not None
TEST_MKL = TEST_MPS = TEST_XPU = TEST_HPU = TEST_CUDNN = TEST_PRIVATEUSE1 = False

TEST_WITH_SLOW = _asked("PYTORCH_TEST_WITH_SLOW")
TEST_SKIP_FAST = _asked("PYTORCH_TEST_SKIP_FAST")
TEST_WITH_SLOW_GRADCHECK = _asked("PYTORCH_TEST_WITH_SLOW_GRADCHECK")
TEST_WITH_CROSSREF = _asked("PYTORCH_TEST_WITH_CROSSREF")
TEST_WITH_TORCHDYNAMO = TEST_WITH_TORCHINDUCTOR = TEST_WITH_ROCM = False
TEST_WITH_ASAN = TEST_WITH_TSAN = TEST_WITH_UBSAN = False

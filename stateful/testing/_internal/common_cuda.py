"""`torch.testing._internal.common_cuda`: what tests ask of a GPU."""

from .platform import TEST_CUDA as TEST_CUDA
from .platform import TEST_CUDNN as TEST_CUDNN
from .platform import TEST_MULTIGPU as TEST_MULTIGPU

TEST_CUDNN_VERSION = 0
TEST_MAGMA = False
SM53OrLater = SM60OrLater = SM70OrLater = SM75OrLater = SM80OrLater = SM90OrLater = False

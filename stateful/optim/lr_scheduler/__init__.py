"""Learning rate schedulers as PyTorch has them: objects that write into an optimizer's groups.

They work with any object that has `param_groups` (dictionaries with "lr") and `step`; those that
turn the momentum too need `defaults`. The names of attributes, and so the `state_dict`, are
PyTorch's. The same schedules as pure functions are in `funcgrad.optim.schedules`.
"""

from ._base import LRScheduler as LRScheduler
from ._base import _LRScheduler as _LRScheduler
from ._combine import ChainedScheduler as ChainedScheduler
from ._combine import SequentialLR as SequentialLR
from ._cosine import CosineAnnealingLR as CosineAnnealingLR
from ._cosine import CosineAnnealingWarmRestarts as CosineAnnealingWarmRestarts
from ._cyclic import CyclicLR as CyclicLR
from ._cyclic import OneCycleLR as OneCycleLR
from ._decay import ConstantLR as ConstantLR
from ._decay import ExponentialLR as ExponentialLR
from ._decay import LinearLR as LinearLR
from ._decay import MultiStepLR as MultiStepLR
from ._decay import PolynomialLR as PolynomialLR
from ._decay import StepLR as StepLR
from ._function import LambdaLR as LambdaLR
from ._function import MultiplicativeLR as MultiplicativeLR
from ._plateau import ReduceLROnPlateau as ReduceLROnPlateau

"""PyTorch's learning rate schedulers as optax schedules: functions of the number of steps done.

The value at `count` is what `get_last_lr()` gives after `count` steps of the scheduler. Evaluate
them under `jax.jit`, or give one to an optimizer as its `lr`, or as another of its numbers.
"""

from ._combine import chained_scheduler as chained_scheduler
from ._combine import sequential_lr as sequential_lr
from ._cosine import cosine_annealing_lr as cosine_annealing_lr
from ._cosine import cosine_annealing_warm_restarts as cosine_annealing_warm_restarts
from ._cyclic import cyclic_lr as cyclic_lr
from ._cyclic import cyclic_momentum as cyclic_momentum
from ._cyclic import one_cycle_lr as one_cycle_lr
from ._cyclic import one_cycle_momentum as one_cycle_momentum
from ._decay import constant_lr as constant_lr
from ._decay import exponential_lr as exponential_lr
from ._decay import lambda_lr as lambda_lr
from ._decay import linear_lr as linear_lr
from ._decay import multi_step_lr as multi_step_lr
from ._decay import multiplicative_lr as multiplicative_lr
from ._decay import polynomial_lr as polynomial_lr
from ._decay import step_lr as step_lr
from ._plateau import Plateau as Plateau
from ._plateau import PlateauState as PlateauState
from ._plateau import reduce_lr_on_plateau as reduce_lr_on_plateau
from ._schedule import Schedule as Schedule

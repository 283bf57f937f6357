"""All dense optimizers of `torch.optim` as optax transformations, its learning rate schedules and
its clipping.

Names, arguments and defaults are PyTorch's, in lower case: `torch.optim.AdamW` is `adamw`. Every
number may be a Python number or a traced JAX scalar (a change does not compile anything again);
`lr`, and every number of the optimizers that have a momentum, also an optax schedule.
`update(grads, state, params)` returns what `optax.apply_updates` adds to the parameters.
"""

from . import schedules as schedules
from ._adadelta import adadelta as adadelta
from ._adafactor import adafactor as adafactor
from ._adagrad import adagrad as adagrad
from ._adam import adam as adam
from ._adam import adamw as adamw
from ._adamax import adamax as adamax
from ._asgd import asgd as asgd
from ._clip import clip_grad_norm as clip_grad_norm
from ._clip import clip_grad_value as clip_grad_value
from ._clip import get_total_norm as get_total_norm
from ._lbfgs import lbfgs as lbfgs
from ._muon import muon as muon
from ._nadam import nadam as nadam
from ._radam import radam as radam
from ._rmsprop import rmsprop as rmsprop
from ._rprop import rprop as rprop
from ._rule import Optimizer as Optimizer
from ._rule import OptimizerState as OptimizerState
from ._sgd import sgd as sgd
from ._state_dict import from_torch_state_dict as from_torch_state_dict
from ._state_dict import to_torch_state_dict as to_torch_state_dict

"""Training loops: a pure step, a compiled loop of steps, and `fit` around it."""

from .checkpoint import CheckpointError as CheckpointError
from .checkpoint import load_checkpoint as load_checkpoint
from .checkpoint import load_metadata as load_metadata
from .checkpoint import save_checkpoint as save_checkpoint
from .fit import FitResult as FitResult
from .fit import fit as fit
from .guard import NonFiniteError as NonFiniteError
from .history import History as History
from .step import StepOutput as StepOutput
from .step import TrainState as TrainState
from .step import init_state as init_state
from .step import make_step as make_step
from .step import scan_steps as scan_steps

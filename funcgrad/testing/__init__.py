"""Checks for people who port models: JAX beside PyTorch, values and derivatives."""

from .difference import Difference as Difference
from .difference import ulp_distance as ulp_distance
from .layers import Divergence as Divergence
from .layers import first_divergence as first_divergence
from .layers import record as record
from .match import assert_matches_torch as assert_matches_torch

"""PyTorch's CPU generator as pure functions `(state, ...) -> (value, next state)`.

The numbers are PyTorch 2.13's, bit for bit (x86-64 with AVX2). A host state (`seed`) gives numpy
arrays quickly; a traced one (`to_traced`) gives `jax.Array`s and can be carried by `jax.jit`,
`jax.vmap` and `jax.lax.scan`.
"""

from .continuous import cauchy as cauchy
from .continuous import exponential as exponential
from .continuous import geometric as geometric
from .continuous import uniform as uniform
from .discrete import bernoulli as bernoulli
from .discrete import dropout_mask as dropout_mask
from .discrete import randint as randint
from .discrete import random as random
from .gaussian import log_normal as log_normal
from .gaussian import normal as normal
from .gaussian import trunc_normal as trunc_normal
from .permutation import multinomial as multinomial
from .permutation import randperm as randperm
from .rejection import dirichlet as dirichlet
from .rejection import gamma as gamma
from .rejection import poisson as poisson
from .splitting import split as split
from .state import State as State
from .state import from_bytes as from_bytes
from .state import is_traced as is_traced
from .state import seed as seed
from .state import to_bytes as to_bytes
from .state import to_host as to_host
from .state import to_traced as to_traced

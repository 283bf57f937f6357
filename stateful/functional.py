"""`torch.functional`: where PyTorch keeps functions that it writes in Python. This is the map."""

from .methods import FUNCTIONS as _FUNCTIONS

_NAMES = """
atleast_1d atleast_2d atleast_3d align_tensors block_diag broadcast_tensors cartesian_prod cdist
chain_matmul einsum istft meshgrid norm split stft tensordot unique unique_consecutive unravel_index
""".split()
globals().update(
    {name: _FUNCTIONS["torch"][name] for name in _NAMES if name in _FUNCTIONS["torch"]}
)

"""`torch.backends`: PyTorch's switches of its libraries. Remembered; they change nothing here."""

from types import SimpleNamespace as _Switches

cudnn = _Switches(
    enabled=False, benchmark=False, deterministic=True, allow_tf32=False,
    is_available=lambda: False, version=lambda: None,
)  # fmt: skip
cuda = _Switches(
    is_built=lambda: False,
    matmul=_Switches(allow_tf32=False, allow_fp16_reduced_precision_reduction=False),
)
mps = _Switches(is_available=lambda: False, is_built=lambda: False)
mkl = _Switches(is_available=lambda: False)
mkldnn = _Switches(is_available=lambda: False, enabled=False)
openmp = _Switches(is_available=lambda: False)

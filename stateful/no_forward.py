"""Ops of which PyTorch has no derivative in forward mode: they refuse tensors with tangents."""

from __future__ import annotations

from collections.abc import Sequence

from funcgrad.op import Op

from .dispatch import Face

_NAMES = {
    "_cdist_forward": "_cdist_forward", "_pdist_forward": "_pdist_forward",
    "ctc_loss_of_each": "_ctc_loss", "grid_sampler_2d": "grid_sampler_2d",
    "grid_sampler_3d": "grid_sampler_3d", "multi_margin_loss": "multi_margin_loss",
    "multilabel_margin_loss_forward": "multilabel_margin_loss_forward", "igamma": "igamma",
    "igammac": "igammac", "special_zeta": "special_zeta", "index_reduce": "index_reduce",
    "_scaled_dot_product_flash_attention_for_cpu": "_scaled_dot_product_flash_attention_for_cpu",
    "cholesky": "cholesky", "ormqr": "ormqr", "geqrf": "geqrf",
    "floor_divide": "aten::floor_divide", "heaviside": "aten::heaviside",
    "linalg_ldl_factor_ex": "aten::linalg_ldl_factor_ex",
    "linalg_ldl_solve": "aten::linalg_ldl_solve",
}  # fmt: skip
"""PyTorch's name of each; with ``aten::`` if it has no derivative in reverse mode either."""


def check_forward(op: Op, tangents: Sequence) -> None:
    """Raise NotImplementedError if ``op`` has no derivative in forward mode but needs one."""
    name = _NAMES.get(op.name)
    if name is not None and any(isinstance(t, Face.tensor) for t in tangents):
        raise NotImplementedError(
            f"Trying to use forward AD with {name} that does not support it because it has not "
            "been implemented yet: use reverse mode (torch.func.vjp, jacrev, backward)."
            if not name.startswith("aten::")
            else f"Trying to use forward AD with {name} that does not support it: it has no "
            "derivative."
        )

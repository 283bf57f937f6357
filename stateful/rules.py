"""What autograd forbids on tensors, in PyTorch's words: in-place writes, assigned gradients."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from funcgrad import types
from funcgrad.unsupported import type_name

from . import modes
from .execute import Aval
from .graph import short_name


def check_inplace(tensor: Any, records: bool | int) -> None:
    """Raise PyTorch's error if a write that is to be recorded (``records``) cannot be."""
    if not records:
        return
    if tensor._base is not None:
        check_base(tensor)
    if tensor._requires_grad and tensor._current_grad_fn() is None:
        raise RuntimeError(
            "a leaf Variable that requires grad is being used in an in-place operation. Update it "
            "under torch.no_grad(), or make a new tensor instead."
        )


def check_base(view: Any) -> None:
    """Raise if a write to a view cannot be recorded as a change of its base."""
    check_creation(view, "is being")
    if view.requires_grad and view._base._current_grad_fn() is None:
        raise RuntimeError(
            "a view of a leaf Variable that requires grad is being used in an in-place "
            "operation. Update it under torch.no_grad(), or make a new tensor instead."
        )


def count_write(tensor: Any) -> None:
    """Count an in-place write; inference tensors have no count, but may not be written to here."""
    if not tensor._inference or tensor._counter is not tensor._storage:  # `.data` of one has one
        tensor._counter.version += 1
    elif not modes.state.inference:
        raise RuntimeError(
            "Inplace update to inference tensor outside InferenceMode is not allowed. You can make "
            "a clone to get a normal tensor before doing inplace update."
        )


_CLARIFY = (
    " Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your "
    "code by moving both the view and the inplace either both inside the {mode} block (if you "
    "don't want the inplace to be tracked) or both outside (if you want the inplace to be tracked)."
)
_CREATION_ERRORS = {
    "no_grad": _CLARIFY.format(mode="no_grad"),
    "inference": _CLARIFY.format(mode="inference_mode"),
    "multi_output": (
        " This view is the output of a function that returns multiple views. Such functions do not "
        "allow the output views to be modified inplace. You should replace the inplace operation "
        "by an out-of-place one."
    ),
    "custom_function": (
        " This view was created inside a custom Function (or because an input was returned as-is) "
        "and the autograd logic to handle view+inplace would override the custom backward "
        "associated with the custom Function, leading to incorrect gradients. This behavior is "
        "forbidden. You can fix this by cloning the output of the custom Function."
    ),
}


def check_creation(view: Any, what: str) -> None:
    """Raise if a view was made in a way that forbids writing to it. ``what`` was written to."""
    kind = view._creation
    if kind == "default":
        return
    node = view._node
    if kind == "inference":
        start = f"A view was created in inference mode and {what} modified inplace in normal mode."
    elif node is None:
        start = (
            f"A view was created in no_grad mode and {what} modified inplace with grad mode "
            f"enabled."
        )
    else:
        output = f"Output {view._output_nr} of {short_name(node)}"
        start = f"{output} is a view and {what} modified inplace."
    raise RuntimeError(start + _CREATION_ERRORS[kind])


def warn_non_leaf() -> None:
    """Warn that ``.grad`` of a non-leaf is read."""
    warnings.warn(
        "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad "
        "attribute won't be populated during autograd.backward(). If you indeed want the .grad "
        "field to be populated for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor. "
        "If you access the non-leaf Tensor by mistake, make sure you access the leaf Tensor "
        "instead.",
        stacklevel=3,
    )


def check_grad(tensor: Any, grad: Any) -> None:
    """Raise if ``grad`` may not be assigned to ``tensor.grad``."""
    if not hasattr(grad, "_aval"):
        raise TypeError(
            "assigned grad expected to be a Tensor or None but got grad of type "
            f"{type(grad).__name__}"
        )
    if grad is tensor:
        raise RuntimeError("can't assign Variable as its own grad")
    expected = (tensor._grad_aval or tensor._aval).dtype
    if expected is not None and grad._aval.dtype != expected:
        raise RuntimeError(
            f"attempting to assign a gradient with dtype '{grad.dtype}' to a tensor with "
            f"grad_dtype '{tensor.grad_dtype}'. The gradient must match the tensor's grad_dtype "
            "(defaults to the tensor's dtype)."
        )
    if grad._aval.shape != tensor._aval.shape:
        raise RuntimeError(
            f"attempting to assign a gradient of size '{list(grad.shape)}' to a tensor of size "
            f"'{list(tensor.shape)}'. Please ensure that the gradient and the tensor are the same "
            "size"
        )


def check_data(tensor: Any, value: Any) -> None:
    """Raise if ``value`` may not become the data of ``tensor``."""
    if modes.transforms.depth:
        raise RuntimeError(
            "mutating directly with `.data` inside functorch transform is not allowed: a function "
            "that is transformed gives its results back."
        )
    if tensor._requires_grad and not types.is_differentiable(value._aval.dtype):
        raise RuntimeError(
            "data set to a tensor that requires gradients must be floating point or complex dtype, "
            f"but it is {value.dtype}"
        )


def check_result(result: Aval, target: Aval) -> None:
    """Raise if a result cannot be written in place of a tensor of aval ``target``."""
    if not types.can_cast(result.dtype, target.dtype):
        raise RuntimeError(
            f"result type {type_name(result.dtype)} can't be cast to the desired output type "
            f"{type_name(target.dtype)}"
        )
    if result.shape != target.shape:
        raise RuntimeError(
            f"output with shape {list(target.shape)} doesn't match the broadcast shape "
            f"{list(result.shape)}"
        )


def check_out(target: Aval, result: Aval) -> None:
    """Raise if ``result`` cannot be cast to the dtype of ``out=``; warn if its shape changes."""
    if not types.can_cast(result.dtype, target.dtype):
        raise RuntimeError(
            f"result type {type_name(result.dtype)} can't be cast to the desired output type "
            f"{type_name(target.dtype)}"
        )
    if result.shape != target.shape and 0 not in target.shape:
        warnings.warn(
            "An output with one or more elements was resized since it had shape "
            f"{list(target.shape)}, which does not match the required output shape "
            f"{list(result.shape)}. This behavior is deprecated: give out= with that shape, or "
            "with no elements.",
            stacklevel=4,
        )


_OF_A_NUMBER = ("fill.Tensor", "index_fill.int_Tensor", "masked_fill.Tensor", "index_put.mask")
"""Ops in place that read a value of no dimensions before they write."""
_MOVING = frozenset(
    "index_add index_copy index_put put scatter.src scatter.reduce scatter_add scatter_reduce.two"
    .split()
)  # fmt: skip
"""Ops in place that read other elements than those in the place that they write."""


def check_partial_overlap(target: Any, others: Sequence, name: str = "") -> None:
    """Raise if another argument is a different part of the memory that is written to."""
    storage, view = target._storage, target._view
    for leaf in others:
        if getattr(leaf, "_storage", None) is storage:
            moved = name in _MOVING and _place(leaf) == _place(target)
            if moved or leaf._view is not view and _overlap(target, leaf, name):
                raise RuntimeError(
                    "unsupported operation: some elements of the input tensor and the written-to "
                    "tensor refer to a single memory location. Please clone() the tensor before "
                    "performing the operation."
                )


def _overlap(target: Any, other: Any, name: str) -> bool:
    return target._overlaps(other) and (other._aval.shape or name not in _OF_A_NUMBER)


def _place(tensor: Any) -> tuple:
    return tensor.shape, tensor.stride(), tensor.storage_offset()


def check_overlap(target: Any) -> None:
    """Raise if elements of ``target`` share memory with each other."""
    view = target._view
    if view is None or not any(step.op.name in ("expand", "as_strided") for step in view.steps):
        return
    if target._has_overlap():
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a "
            "single memory location. Please clone() the tensor before performing the operation."
        )


def all_inference(op: Any, spans: Sequence[range], leaves: Sequence) -> bool:
    """Whether all tensors of a call are inference tensors, which it then does not record.

    A number in the place of a tensor becomes one, which is none.
    """
    given = zip(op.params, spans, strict=True)
    tensors = [leaves[i] for p, span in given if p.kind in ("tensor", "tensors") for i in span]
    return all(getattr(tensor, "_inference", False) for tensor in tensors)


def check_arguments(op: Any, spans: Sequence[range], requiring: int) -> None:
    """Raise if an argument (a bit of ``requiring``) needs a gradient but ``op`` has no formula.

    Ops without any formula, and those that only formulas call, take every argument.
    """
    if not op.vjp or op.name.startswith("_") or op.name.endswith("_backward"):
        return
    for parameter, leaves in zip(op.params, spans, strict=True):
        if parameter.name not in op.vjp and any(requiring >> leaf & 1 for leaf in leaves):
            raise RuntimeError(
                f"The function '{op.name}' is not differentiable with respect to argument "
                f"'{parameter.name}'. This input cannot have requires_grad True."
            )

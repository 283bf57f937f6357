"""`torch.autograd.functional`: vjp, jvp, jacobian, hessian, vhp, hvp of functions on Tensors.

As https://pytorch.org/docs/stable/autograd.html#functional-higher-level-api. Forward products use
the "double backward trick": the vjp is linear in its vector, so its own vjp is the jvp.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import modes
from ..backward import grad as autograd_grad
from ..backward import zeros
from ..batching import over_batch
from ..dispatch import Face, wrap
from ..execute import Value
from ..methods import FUNCTIONS
from . import forward_ad

Single = bool
"""Whether a caller passed one Tensor rather than a tuple."""


def vjp(
    func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
):
    """``func(inputs)`` and the product of the vector ``v`` with the Jacobian there.

    ``v`` has the shapes of the outputs, and may be left out for a scalar output. With
    ``create_graph`` the results can be differentiated; with ``strict`` an input that does not
    matter is an error.

    >>> import stateful as torch
    >>> torch.autograd.functional.vjp(torch.exp, torch.zeros(2), torch.ones(2))
    (tensor([1., 1.]), tensor([1., 1.]))
    """
    with modes.enable_grad():
        single, inputs = _prepare(inputs, "inputs", "vjp", create_graph)
        single_out, outputs = _run(func, inputs, "vjp", strict)
        if v is None and (len(outputs) != 1 or outputs[0].numel() != 1):
            raise RuntimeError(
                "The vector v can only be None if the user-provided function returns a single "
                "Tensor with a single element."
            )
        v = None if v is None else _vector(v, outputs, single_out, "vjp", create_graph)
    with modes.set_grad_enabled(create_graph or modes.is_grad_enabled()):
        found = _grad(outputs, inputs, v, create_graph)
        found = _fill(found, inputs, strict, create_graph, "back")
    return _finish(outputs, single_out, create_graph), _finish(found, single, create_graph)


def jvp(
    func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
):
    """``func(inputs)`` and the product of the Jacobian there with the vector ``v``.

    ``v`` has the shapes of the inputs, and may be left out for a scalar input.

    >>> import stateful as torch
    >>> torch.autograd.functional.jvp(torch.exp, torch.zeros(2), torch.ones(2))
    (tensor([1., 1.]), tensor([1., 1.]))
    """
    with modes.enable_grad():
        single, inputs = _prepare(inputs, "inputs", "jvp", create_graph)
        if v is None and (len(inputs) != 1 or inputs[0].numel() != 1):
            raise RuntimeError(
                "The vector v can only be None if the input to the user-provided function is a "
                "single Tensor with a single element."
            )
        v = None if v is None else _vector(v, inputs, single, "jvp", create_graph)
        single_out, outputs = _run(func, inputs, "jvp", strict)
        stand_ins = [_stand_in(o) for o in outputs]
        pulled = _grad(outputs, inputs, stand_ins, create_graph=True)
        _require(pulled, strict, _INDEPENDENT_GRADIENT)
    with modes.set_grad_enabled(create_graph or modes.is_grad_enabled()):
        found = _grad(pulled, stand_ins, v, create_graph)
        found = _fill(found, outputs, strict, create_graph, "back_trick")
    return _finish(outputs, single_out, create_graph), _finish(found, single_out, create_graph)


def vhp(
    func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
):
    """``func(inputs)``, a scalar, and the product of the vector ``v`` with its Hessian.

    >>> import stateful as torch
    >>> torch.autograd.functional.vhp(lambda x: x.pow(3).sum(), torch.ones(2), torch.ones(2))
    (tensor(2.), tensor([6., 6.]))
    """
    single, inputs, v, outputs, gradient = _first_derivative(
        func, inputs, v, create_graph, strict, "vhp"
    )
    with modes.set_grad_enabled(create_graph or modes.is_grad_enabled()):
        found = _grad(gradient, inputs, v, create_graph)
        found = _fill(found, inputs, strict, create_graph, "double_back")
    return _finish(outputs, True, create_graph), _finish(found, single, create_graph)


def hvp(
    func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
):
    """``func(inputs)``, a scalar, and the product of its Hessian with the vector ``v``.

    `vhp` gives the same and is faster, where the Hessian is symmetric.

    >>> import stateful as torch
    >>> torch.autograd.functional.hvp(lambda x: x.pow(3).sum(), torch.ones(2), torch.ones(2))
    (tensor(2.), tensor([6., 6.]))
    """
    single, inputs, v, outputs, gradient = _first_derivative(
        func, inputs, v, create_graph, strict, "hvp"
    )
    with modes.enable_grad():
        stand_ins = [_stand_in(x) for x in inputs]
        twice = _grad(gradient, inputs, stand_ins, create_graph=True)
    with modes.set_grad_enabled(create_graph or modes.is_grad_enabled()):
        found = _grad(twice, stand_ins, v, create_graph)
        found = _fill(found, inputs, strict, create_graph, "double_back_trick")
    return _finish(outputs, True, create_graph), _finish(found, single, create_graph)


def _first_derivative(func, inputs, v, create_graph, strict, name: str):
    """The inputs, the vector, the scalar output and its gradient, recorded."""
    with modes.enable_grad():
        single, inputs = _prepare(inputs, "inputs", name, create_graph)
        if v is None and (len(inputs) != 1 or inputs[0].numel() != 1):
            raise RuntimeError(
                "The vector v can only be None if the input to the user-provided function is a "
                "single Tensor with a single element."
            )
        v = None if v is None else _vector(v, inputs, single, name, create_graph)
        single_out, outputs = _run(func, inputs, name, strict)
        if not single_out:
            raise RuntimeError(f"The function given to {name} should return a single Tensor")
        if outputs[0].numel() != 1:
            raise RuntimeError(
                f"The Tensor returned by the function given to {name} should contain a single "
                "element"
            )
        gradient = _grad(outputs, inputs, None, create_graph=True)
        _require(gradient, strict, _INDEPENDENT_JACOBIAN)
    return single, inputs, v, outputs, gradient


def jacobian(
    func: Callable,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian of ``func`` at ``inputs``: for each output and input, shape output + input.

    ``vectorize`` computes all rows (or, in ``"forward-mode"``, all columns) at once.

    >>> import stateful as torch
    >>> torch.autograd.functional.jacobian(lambda x: x * x, torch.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError(
            'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your '
            'function has more outputs than inputs, "forward-mode" tends to be more performant. '
            'Otherwise, prefer to use "reverse-mode".'
        )
    if strategy == "forward-mode":
        if create_graph:
            raise NotImplementedError(
                "torch.autograd.functional.jacobian: `create_graph=True` and "
                '`strategy="forward-mode"` are not supported together (yet). Please either set '
                '`create_graph=False` or `strategy="reverse-mode"`.'
            )
        return _forward_jacobian(func, inputs, strict, vectorize)
    with modes.enable_grad():
        single, inputs = _prepare(inputs, "inputs", "jacobian", create_graph)
        single_out, outputs = _run(func, inputs, "jacobian", strict)
        if vectorize and strict:
            raise RuntimeError(
                "torch.autograd.functional.jacobian: `strict=True` and `vectorized=True` are not "
                "supported together. Please either set `strict=False` or `vectorize=False`."
            )
        rows = _rows_at_once if vectorize else _rows
        blocks = [rows(i, o, inputs, create_graph, strict) for i, o in enumerate(outputs)]
        shaped = [
            [block.view((*o.shape, *x.shape)) for block, x in zip(row, inputs, strict=True)]
            for o, row in zip(outputs, blocks, strict=True)
        ]
    kept = [_finish(row, single, create_graph) for row in shaped]
    return kept[0] if single_out else tuple(kept)


def _rows(nr: int, output: Any, inputs: Sequence, create_graph: bool, strict: bool) -> list:
    """For each input the gradients of the elements of an output, one after the other."""
    columns: list[list] = [[] for _ in inputs]
    for j in range(output.numel()):
        found = _grad([output.reshape(-1)[j]], inputs, None, create_graph, retain_graph=True)
        for position, (gradient, x) in enumerate(zip(found, inputs, strict=True)):
            if strict and gradient is None:
                raise RuntimeError(
                    f"Output {nr} of the user-provided function is independent of input "
                    f"{position}. "
                    "This is not allowed in strict mode."
                )
            if strict and create_graph and not gradient.requires_grad:
                raise RuntimeError(
                    "The jacobian of the user-provided function is independent of input "
                    f"{nr}. This is not allowed in strict mode when create_graph=True."
                )
            columns[position].append(zeros(x._aval) if gradient is None else gradient)
    return [_stack(c) for c in columns]


def _stack(parts: list) -> Any:
    if not parts:
        raise RuntimeError("stack expects a non-empty TensorList: the output has no elements")
    return FUNCTIONS["torch"]["stack"](parts, 0)


def _rows_at_once(nr, output, inputs, create_graph: bool, strict: bool) -> list:
    """The gradients of all elements of an output as one batch."""
    count = output.numel()
    if not count:
        raise IndexError("index 0 is out of bounds for dimension 0 with size 0: output is empty")
    if not output.requires_grad:
        return [x.new_zeros((count, *x.shape)) for x in inputs]
    units = _units(output).reshape(count, *output._aval.shape)
    found = autograd_grad(
        [output], inputs, [wrap(Value.of(units))], retain_graph=True, create_graph=create_graph,
        allow_unused=True, is_grads_batched=True,
    )  # fmt: skip
    return [
        x.new_zeros((count, *x.shape)) if g is None else g
        for g, x in zip(found, inputs, strict=True)
    ]


def _units(tensor: Any) -> np.ndarray:
    """The unit vectors of the space of ``tensor``."""
    return np.eye(math.prod(tensor._aval.shape), dtype=tensor._aval.dtype)


def _construct_standard_basis_for(tensors: Sequence, tensor_numels: Sequence[int]) -> tuple:
    """For each tensor its columns of the unit matrix whose rows span all of them together."""
    total, before, blocks = sum(tensor_numels), 0, []
    for tensor, count in zip(tensors, tensor_numels, strict=True):
        block = np.eye(total, count, -before, dtype=tensor._aval.dtype)
        blocks.append(wrap(Value.of(block)))
        before += count
    return tuple(blocks)


def _forward_jacobian(func: Callable, inputs: Any, strict: bool, vectorize: bool) -> Any:
    if strict:
        raise RuntimeError(
            'torch.autograd.functional.jacobian: `strict=True` and `strategy="forward-mode"` are '
            "not supported together (yet). Please either set `strict=False` or "
            '`strategy="reverse-mode"`.'
        )
    single, inputs = _as_tuple(inputs, "inputs", "jacobian")
    if not vectorize:
        raise NotImplementedError(
            "Computing Jacobian using forward-AD or forward-over-reverse Hessian isonly "
            "implemented for `vectorize=True`."
        )
    shown: dict[str, Any] = {}

    def columns(position: int) -> list:
        x = inputs[position]

        def along(tangent):
            with forward_ad.dual_level():
                duals = [
                    forward_ad.make_dual(y, tangent if i == position else zeros(y._aval))
                    for i, y in enumerate(inputs)
                ]
                shown["single"], outputs = _as_tuple(
                    func(*duals), "outputs of the user-provided function", "jacobian"
                )
                parts = [forward_ad.unpack_dual(o) for o in outputs]
                shown["shapes"] = [o._aval.shape for o in outputs]
                return [zeros(p.primal._aval) if p.tangent is None else p.tangent for p in parts]

        return over_batch(along, [_units(x).reshape(-1, *x._aval.shape)])

    by_input = [columns(i) for i in range(len(inputs))]
    kept = [
        [
            found[nr].permute(*range(1, found[nr].ndim), 0).reshape((*shape, *x.shape))
            for found, x in zip(by_input, inputs, strict=True)
        ]
        for nr, shape in enumerate(shown["shapes"])
    ]
    kept = [row[0] for row in kept] if single else kept
    return kept[0] if shown["single"] else kept


def hessian(
    func: Callable,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The Hessian of the scalar function ``func`` at ``inputs``: for each pair, shape input +
    input.

    >>> import stateful as torch
    >>> torch.autograd.functional.hessian(lambda x: x.pow(3).sum(), torch.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    single, inputs = _as_tuple(inputs, "inputs", "hessian")
    if outer_jacobian_strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode".')

    def scalar(*arguments):
        output = func(*arguments)
        single_out, outputs = _as_tuple(output, "outputs of the user-provided function", "hessian")
        _require(outputs, strict, _NO_GRADIENT)
        if not single_out:
            raise RuntimeError("The function given to hessian should return a single Tensor")
        if output.numel() != 1:
            raise RuntimeError(
                "The Tensor returned by the function given to hessian should contain a single "
                "element"
            )
        return output.squeeze()

    def first(*arguments):
        if outer_jacobian_strategy == "forward-mode":
            for argument in arguments:
                if not argument.requires_grad:
                    argument.requires_grad = True
        found = jacobian(scalar, arguments, create_graph=True)
        _require(found, strict, _INDEPENDENT_JACOBIAN)
        return found

    found = jacobian(
        first, inputs, create_graph=create_graph, strict=strict, vectorize=vectorize,
        strategy=outer_jacobian_strategy,
    )  # fmt: skip
    return found[0][0] if single else found


# -- arguments and results -------------------------------------------------------------------------


def _as_tuple(given: Any, what: str, name: str) -> tuple[Single, tuple]:
    single = not isinstance(given, tuple)
    items = (given,) if single else given
    for i, item in enumerate(items):
        if not isinstance(item, Face.tensor):
            where = f"given {what} has" if single else f"value at index {i} has"
            raise TypeError(
                f"The {what} given to {name} must be either a Tensor or a tuple of Tensors but the "
                f"{where} type {type(item)}."
            )
    return single, items


def _prepare(given: Any, what: str, name: str, create_graph: bool) -> tuple[Single, list]:
    """Tensors of our own for the inputs: what the function captured by itself is something else."""
    single, items = _as_tuple(given, what, name)
    return single, [_own(x, create_graph, True) for x in items]


def _own(x: Any, create_graph: bool, requires_grad: bool) -> Any:
    if create_graph and x.requires_grad:
        return x.view_as(x)
    return x.detach().requires_grad_(requires_grad)


def _run(func: Callable, inputs: Sequence, name: str, strict: bool) -> tuple[Single, tuple]:
    single, outputs = _as_tuple(func(*inputs), "outputs of the user-provided function", name)
    _require(outputs, strict, _NO_GRADIENT)
    return single, outputs


def _vector(v: Any, like: Sequence, single: bool, name: str, create_graph: bool) -> list:
    _, items = _as_tuple(v, "v", name)
    items = tuple([_own(x, create_graph, False) for x in items])
    if len(items) != len(like):
        if single:
            raise RuntimeError("The given v should contain a single Tensor.")
        raise RuntimeError(
            f"v is a tuple of invalid length: should be {len(like)} but got {len(items)}."
        )
    for i, (item, other) in enumerate(zip(items, like, strict=True)):
        if item.shape != other.shape:
            start = "" if single else f"Entry {i} in "
            raise RuntimeError(
                f"{start}v has invalid size: should be {other.shape} but got {item.shape}."
            )
    return list(items)


def _stand_in(tensor: Any) -> Any:
    return zeros(tensor._aval).requires_grad_()


def _grad(outputs, inputs, v, create_graph: bool, retain_graph: bool | None = None) -> tuple:
    """Gradients of those outputs that have one; None where nothing arrives."""
    seeds = [None] * len(outputs) if v is None else v
    pairs = [
        (o, s) for o, s in zip(outputs, seeds, strict=True) if o is not None and o.requires_grad
    ]
    if not pairs:
        return (None,) * len(inputs)
    outputs, seeds = zip(*pairs, strict=True)
    return autograd_grad(
        outputs, inputs, seeds, allow_unused=True, create_graph=create_graph,
        retain_graph=retain_graph,
    )  # fmt: skip


def _finish(items: Sequence, single: bool, create_graph: bool) -> Any:
    kept = tuple(items) if create_graph else tuple([x.detach() for x in items])
    return kept[0] if single else kept


# -- strict mode -----------------------------------------------------------------------------------

_NO_GRADIENT = (
    "Output {i} of the user-provided function does not require gradients. The outputs must be "
    "computed in a differentiable manner from the input when running in strict mode."
)
_INDEPENDENT_GRADIENT = (
    "The gradient with respect to input {i} is independent of the inputs of the user-provided "
    "function. This is not allowed in strict mode."
)
_INDEPENDENT_JACOBIAN = (
    "While computing the hessian, found that the jacobian of the user-provided function with "
    "respect to input {i} is independent of the input. This is not allowed in strict mode. You "
    "should ensure that your function is twice differentiable and that the jacobian depends on the "
    "inputs (this would be violated by a linear function for example)."
)
_UNUSED = (
    "The output of the user-provided function is independent of input {i}. This is not allowed in "
    "strict mode."
)
_MISSING = {
    "back": _UNUSED,
    "back_trick": (
        "The gradient with respect to the input is independent of entry {i} in the grad_outputs "
        "when using the double backward trick to compute forward mode gradients. This is not "
        "allowed in strict mode."
    ),
    "double_back": (
        "The jacobian of the user-provided function is independent of input {i}. This is not "
        "allowed in strict mode."
    ),
    "double_back_trick": (
        "The hessian of the user-provided function is independent of entry {i} in the "
        "grad_jacobian. "
        "This is not allowed in strict mode as it prevents from using the double backward trick to "
        "replace forward mode AD."
    ),
}


def _require(items: Any, strict: bool, message: str) -> None:
    """In strict mode each of ``items`` must need a gradient."""
    for i, item in enumerate(items if isinstance(items, tuple | list) else (items,)):
        if strict and item is None:
            raise RuntimeError(_UNUSED.format(i=i))
        if strict and not item.requires_grad:
            raise RuntimeError(message.format(i=i))


def _fill(found: Sequence, like: Sequence, strict: bool, create_graph: bool, stage: str) -> list:
    """Zeros for what is missing; in strict mode an error."""
    filled = []
    for i, (gradient, x) in enumerate(zip(found, like, strict=True)):
        if strict and gradient is None:
            raise RuntimeError(_MISSING[stage].format(i=i))
        if strict and create_graph and not gradient.requires_grad:
            what = "hessian" if "double" in stage else "jacobian"
            raise RuntimeError(
                f"The {what} of the user-provided function is independent of input {i}. This is "
                "not allowed in strict mode when create_graph=True."
            )
        filled.append(zeros(x._aval) if gradient is None else gradient)
    return filled


__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]

"""`torch.testing._internal.autograd_function_db`: custom functions that tests try everything on.

Those named after NumPy compute with NumPy and have a ``vmap`` of their own; those that end in
``GenVmap`` ask for a generated one. Without PyTorch's table of sample inputs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import stateful

from ...tensor import Tensor

torch: Any = stateful


def to_numpy(tensor: Tensor) -> np.ndarray:
    """The numbers as an array."""
    return tensor.cpu().numpy()


def _save(ctx: Any, *tensors: Tensor) -> None:
    ctx.save_for_backward(*tensors)
    ctx.save_for_forward(*tensors)


def _leading(x: Tensor, dim: int | None, size: int) -> Tensor:
    """With the dimension that is mapped over as the first."""
    return x.expand(size, *x.shape) if dim is None else x.movedim(dim, 0)


class NumpyCube(torch.autograd.Function):
    """The cube of ``input``, and three times its square."""

    @staticmethod
    def forward(input):
        x = to_numpy(input)
        return torch.tensor(x**3, device=input.device), torch.tensor(3 * x**2, device=input.device)

    @staticmethod
    def setup_context(ctx, inputs, output):
        _save(ctx, inputs[0], output[1])

    @staticmethod
    def backward(ctx, grad_output, grad_saved):
        input, slope = ctx.saved_tensors
        return NumpyMul.apply(grad_output, slope) + 6 * NumpyMul.apply(grad_saved, input)

    @staticmethod
    def vmap(info, in_dims, input):
        return NumpyCube.apply(input), (in_dims[0], in_dims[0])

    @staticmethod
    def jvp(ctx, input_tangent):
        input, slope = ctx.saved_tensors
        return NumpyMul.apply(input_tangent, slope), 6 * NumpyMul.apply(input_tangent, input)


class CubeGenVmap(torch.autograd.Function):
    """`NumpyCube` in ops; PyTorch's gradient of its second output is wrong, and so is this."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x):
        return x**3, 3 * x**2

    @staticmethod
    def setup_context(ctx, inputs, outputs):
        _save(ctx, inputs[0], outputs[1])

    @staticmethod
    def backward(ctx, grad_output, grad_saved):
        _, slope = ctx.saved_tensors
        return grad_output * slope + 6 * slope

    @staticmethod
    def jvp(ctx, input_tangent):
        input, slope = ctx.saved_tensors
        return MulGenVmap.apply(input_tangent, slope), 6 * NumpyMul.apply(input_tangent, input)


class NumpyCubeNotComposable(torch.autograd.Function):
    """The cube of ``input``, differentiable once; its second output is an array."""

    @staticmethod
    def forward(input):
        x = to_numpy(input)
        return torch.tensor(x**3, device=input.device), x

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.input_np, ctx.device = output[1], inputs[0].device

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad_output, grad_saved):
        return torch.tensor(3 * ctx.input_np**2, device=ctx.device)


def _factor_gradients(ctx: Any, function: Any, grad_output: Tensor) -> tuple:
    """The gradients of a product, of those factors that need one."""
    factors = reversed(ctx.saved_tensors)
    pairs = zip(ctx.needs_input_grad, factors, strict=True)
    return tuple(function.apply(grad_output, other) if needed else None for needed, other in pairs)


class NumpyMul(torch.autograd.Function):
    """The product of two tensors."""

    @staticmethod
    def forward(x, y):
        return torch.tensor(to_numpy(x) * to_numpy(y), device=x.device)

    @staticmethod
    def setup_context(ctx, inputs, output):
        _save(ctx, *inputs)

    @staticmethod
    def backward(ctx, grad_output):
        return _factor_gradients(ctx, NumpyMul, grad_output)

    @staticmethod
    def vmap(info, in_dims, x, y):
        last = (
            t.unsqueeze(-1) if dim is None else t.movedim(dim, -1)
            for t, dim in zip((x, y), in_dims, strict=True)
        )  # fmt: skip
        return NumpyMul.apply(*last).movedim(-1, 0), 0

    @staticmethod
    def jvp(ctx, x_tangent, y_tangent):
        x, y = ctx.saved_tensors
        return x_tangent * y + y_tangent * x


class MulGenVmap(torch.autograd.Function):
    """`NumpyMul` in ops."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x, y):
        return x * y

    @staticmethod
    def setup_context(ctx, inputs, outputs):
        _save(ctx, *inputs)

    @staticmethod
    def backward(ctx, grad_output):
        return _factor_gradients(ctx, MulGenVmap, grad_output)

    jvp = NumpyMul.jvp


class NumpyExp_(torch.autograd.Function):
    """``exp`` in place."""

    @staticmethod
    def forward(x):
        x.copy_(torch.tensor(np.exp(to_numpy(x)), device=x.device))
        return x

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.mark_dirty(inputs[0])
        _save(ctx, output)

    @staticmethod
    def backward(ctx, grad_output):
        return NumpyMul.apply(grad_output, *ctx.saved_tensors)

    @staticmethod
    def vmap(info, in_dims, x):
        NumpyExp_.apply(x)
        return x, in_dims[0]

    @staticmethod
    def jvp(ctx, x_tangent):
        return x_tangent.mul_(*ctx.saved_tensors)


class NumpySort(torch.autograd.Function):
    """``x`` (as it is), the order of its elements along ``dim``, and the inverse of that order."""

    @staticmethod
    def forward(x, dim):
        values = to_numpy(x)
        order = np.argsort(values, axis=dim)
        found = (values, order, np.argsort(order, axis=dim))
        return tuple(torch.tensor(v, device=x.device) for v in found)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.mark_non_differentiable(*output[1:])
        _save(ctx, *output[1:])
        ctx.dim = inputs[1]

    @staticmethod
    def backward(ctx, grad_output, _0, _1):
        order, inverse = ctx.saved_tensors
        return NumpyTake.apply(grad_output, inverse, order, ctx.dim), None

    @staticmethod
    def vmap(info, in_dims, x, dim):
        x = x.movedim(in_dims[0], 0)
        return NumpySort.apply(x, dim % (x.dim() - 1) + 1), (0, 0, 0)

    @staticmethod
    def jvp(ctx, x_tangent, _):
        order, inverse = ctx.saved_tensors
        return NumpyTake.apply(x_tangent, order, inverse, ctx.dim), None, None


class SortGenVmap(torch.autograd.Function):
    """The elements of ``x`` in order, that order and its inverse, in ops."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x, dim):
        order = torch.argsort(x, dim=dim)
        inverse = torch.argsort(order, dim=dim)
        return torch.take_along_dim(x, order, dim=dim), order, inverse

    setup_context = NumpySort.setup_context

    @staticmethod
    def backward(ctx, grad_output, _0, _1):
        order, inverse = ctx.saved_tensors
        return TakeGenVmap.apply(grad_output, inverse, order, ctx.dim), None

    @staticmethod
    def jvp(ctx, x_tangent, _):
        order, inverse = ctx.saved_tensors
        return TakeGenVmap.apply(x_tangent, order, inverse, ctx.dim), None, None


class NumpyTake(torch.autograd.Function):
    """The elements of ``x`` in the order ``ind`` along ``dim``; ``ind_inv`` is its inverse."""

    @staticmethod
    def forward(x, ind, ind_inv, dim):
        taken = np.take_along_axis(to_numpy(x), to_numpy(ind), dim)
        return torch.tensor(taken, device=x.device)

    @staticmethod
    def setup_context(ctx, inputs, output):
        _, *orders, ctx.dim = inputs
        _save(ctx, *orders)

    @staticmethod
    def backward(ctx, grad_output):
        order, inverse = ctx.saved_tensors
        return NumpyTake.apply(grad_output, inverse, order, ctx.dim), None, None, None

    @staticmethod
    def vmap(info, in_dims, x, ind, ind_inv, dim):
        given = zip((x, ind, ind_inv), in_dims[:3], strict=True)
        found = [_leading(t, at, info.batch_size) for t, at in given]
        return NumpyTake.apply(*found, dim % (found[0].dim() - 1) + 1), 0

    @staticmethod
    def jvp(ctx, x_tangent, ind_tangent, ind_inv_tangent, _):
        order, inverse = ctx.saved_tensors
        return NumpyTake.apply(x_tangent, order, inverse, ctx.dim)


class TakeGenVmap(torch.autograd.Function):
    """`NumpyTake` in ops."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x, ind, ind_inv, dim):
        return torch.take_along_dim(x, ind, dim)

    setup_context = NumpyTake.setup_context

    @staticmethod
    def backward(ctx, grad_output):
        order, inverse = ctx.saved_tensors
        return TakeGenVmap.apply(grad_output, inverse, order, ctx.dim), None, None, None

    @staticmethod
    def jvp(ctx, x_tangent, ind_tangent, ind_inv_tangent, _):
        order, inverse = ctx.saved_tensors
        return TakeGenVmap.apply(x_tangent, order, inverse, ctx.dim)


class Select(torch.autograd.Function):
    """``x[idx]``."""

    @staticmethod
    def forward(x, idx):
        return x[idx]

    @staticmethod
    def setup_context(ctx, inputs, output):
        x, ctx.idx = inputs
        ctx.x_shape = x.shape

    @staticmethod
    def backward(ctx, grad_output):
        grad = grad_output.new_zeros(ctx.x_shape)
        grad[ctx.idx] = grad_output
        return grad, None

    @staticmethod
    def vmap(info, in_dims, x, idx):
        return Select.apply(x.movedim(in_dims[0], 1), idx), 0

    @staticmethod
    def jvp(ctx, x_tangent, _):
        return Select.apply(x_tangent, ctx.idx)


class SelectGenVmap(torch.autograd.Function):
    """`Select` with a generated ``vmap``."""

    generate_vmap_rule = True
    forward, setup_context, backward = Select.forward, Select.setup_context, Select.backward

    @staticmethod
    def jvp(ctx, x_tangent, _):
        return SelectGenVmap.apply(x_tangent, ctx.idx)


class ForwardHasDefaultArgs(torch.autograd.Function):
    """`Select`, by default of the third element, as a dimension of one."""

    @staticmethod
    def forward(x, idx=(2,)):
        return x[idx]

    setup_context, backward = Select.setup_context, Select.backward

    @staticmethod
    def vmap(info, in_dims, x, idx):
        return ForwardHasDefaultArgs.apply(x.movedim(in_dims[0], 1), idx), 0

    @staticmethod
    def jvp(ctx, x_tangent, _):
        return ForwardHasDefaultArgs.apply(x_tangent, ctx.idx)


class ScaleGradGenVmap(torch.autograd.Function):
    """A copy, whose gradient is scaled."""

    generate_vmap_rule = True
    scale = 3.14

    @staticmethod
    def forward(x):
        return x.clone()

    @staticmethod
    def setup_context(ctx, inputs, outputs):
        """Nothing is saved."""

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output * ScaleGradGenVmap.scale

    @staticmethod
    def jvp(ctx, x_tangent):
        return x_tangent * ScaleGradGenVmap.scale


class ZeroGradientsGenVmap(torch.autograd.Function):
    """Copies, whose gradients are zeros; that of ``x`` has more dimensions than it."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x, y):
        return x.clone(), y.clone()

    setup_context = ScaleGradGenVmap.setup_context

    @staticmethod
    def backward(ctx, gx, gy):
        return (
            torch.zeros(3, 4, *gx.shape, dtype=gx.dtype, device=gx.device),
            torch.zeros(gy.shape, dtype=gy.dtype, device=gy.device),
        )

    @staticmethod
    def jvp(ctx, gx, gy):
        return tuple(torch.zeros(g.shape, dtype=g.dtype, device=g.device) for g in (gx, gy))

"""`assert_matches_torch`: one function in JAX and in PyTorch, values and derivatives compared."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..transforms import named_parameters, vjp
from ..transforms.leaves import is_array, is_inexact
from .difference import compare_trees


def assert_matches_torch(
    jax_fn: Callable,
    torch_fn: Callable,
    inputs: tuple,
    *,
    params: Any = None,
    to_params: Callable[[dict], Any] | None = None,
    order: int = 2,
    seed: int = 0,
    rtol: float | None = None,
    atol: float | None = None,
    max_ulps: float | None = None,
) -> None:
    """Assert that two implementations of one function have equal values and equal derivatives.

    The gradient is that of the outputs weighted by random numbers, the second order that of the
    gradient weighted again; both with respect to every floating or complex input and parameter.

    Args:
        jax_fn: `jax_fn(*inputs)`, or `jax_fn(params, *inputs)` when there are weights.
        torch_fn: a function of tensors, or an `nn.Module`, whose weights both sides then use.
        inputs: a tuple of pytrees of arrays: numpy's, JAX's or PyTorch's.
        params: weights as a pytree, loaded into the module by the names of `named_parameters`. By
            default they are the module's own.
        to_params: turns a dictionary like `module.state_dict()` (of numpy arrays) into the weights
            that `jax_fn` takes. It may rearrange (transpose, reshape, nest): the gradients of the
            module go the same way before they are compared. By default the dictionary is taken.
        order: 0 compares values, 1 gradients too, 2 second derivatives too.
        rtol, atol: the tolerances, by default those of `torch.testing.assert_close`.
        max_ulps: also accept entries this many floating-point numbers apart.

    64-bit inputs are compared in 64 bits, without changing JAX's settings.

    Raises:
        AssertionError: naming the worst leaf, the position in it, both numbers and their distance.

    >>> import torch
    >>> assert_matches_torch(jnp.sin, torch.sin, (np.float32([1.0, 2.0]),))
    >>> assert_matches_torch(jnp.sin, torch.cos, (np.float32([0.0]),), order=0)
    Traceback (most recent call last):
        ...
    AssertionError: values differ in 1 of 1 leaves.
      output[0]: jax 0.0, torch 1.0, difference 1, 1065353216 ulp (1 of 1 differ)
    """
    with contextlib.ExitStack() as stack:
        arrays = to_numpy(inputs)
        weights = _weights(torch_fn, params)
        if any(_is_wide(leaf) for leaf in jax.tree.leaves((arrays, weights))):
            stack.enter_context(jax.enable_x64(True))
        convert = to_params or (lambda named: named)
        theirs = _torch_levels(torch_fn, arrays, weights, order, seed)
        if weights is None:
            ours = _jax_levels(jax_fn, arrays, order, seed)
        else:
            ours = _jax_levels(
                lambda named, *rest: jax_fn(params_of(convert, params, named), *rest),
                (weights, *arrays),
                order,
                seed,
            )
        for what, mine, other in zip(
            ("values", "gradients", "second derivatives"), ours, theirs, strict=False
        ):
            root = "output" if what == "values" else what[:-1] + " of inputs"
            _, lines = compare_trees(mine, other, root, rtol, atol, max_ulps)
            if lines:
                count = len(jax.tree.leaves(mine))
                raise AssertionError(
                    "\n  ".join([f"{what} differ in {len(lines)} of {count} leaves.", *lines[:8]])
                )


def params_of(convert: Callable, params: Any, named: dict) -> Any:
    """The weights for the JAX function, from the dictionary that both sides share.

    >>> params_of(lambda named: named, {"layer": {"w": 0.0}}, {"layer.w": 1.0})
    {'layer': {'w': 1.0}}
    """
    if params is None:
        return convert(named)
    names = [name for name, _ in _dotted(params)]
    return jax.tree.unflatten(jax.tree.structure(params), [named[name] for name in names])


def _dotted(params: Any) -> list[tuple[str, Any]]:
    marked = jax.tree.map(jnp.asarray, params)
    return list(named_parameters(marked).items())


def to_numpy(tree: Any) -> Any:
    """`tree` with every array as numpy's; PyTorch tensors too.

    >>> to_numpy((jnp.ones(2), "text"))
    (array([1., 1.], dtype=float32), 'text')
    """

    def convert(leaf: Any) -> Any:
        if hasattr(leaf, "detach"):
            leaf = leaf.detach().cpu().resolve_conj()
            return leaf.float().numpy() if str(leaf.dtype) == "torch.bfloat16" else leaf.numpy()
        return np.asarray(leaf) if is_array(leaf) else leaf

    return jax.tree.map(convert, tree)


def _is_wide(leaf: Any) -> bool:
    return is_array(leaf) and (leaf.dtype.name in ("float64", "complex128", "int64", "uint64"))


def _weights(torch_fn: Any, params: Any) -> dict | None:
    if params is not None:
        return {name: np.asarray(leaf) for name, leaf in _dotted(params)}
    if not hasattr(torch_fn, "state_dict"):
        return None
    return {name: to_numpy(leaf) for name, leaf in torch_fn.state_dict().items()}


def random_like(tree: Any, seed: int) -> Any:
    """Normal random numbers in the shapes and dtypes of `tree`, the same for both frameworks.

    >>> random_like({"a": np.zeros(2, np.float32)}, 0)["a"].dtype
    dtype('float32')
    """
    rng = np.random.default_rng(seed)

    def draw(leaf: Any) -> np.ndarray:
        values = rng.normal(size=leaf.shape)
        if np.dtype(leaf.dtype).kind == "c":
            values = values + 1j * rng.normal(size=leaf.shape)
        return np.asarray(values, leaf.dtype)

    return jax.tree.map(draw, tree)


def _inexact(tree: Any) -> list:
    return [leaf for leaf in jax.tree.leaves(tree) if is_inexact(leaf)]


def _jax_levels(function: Callable, arguments: tuple, order: int, seed: int) -> list:
    """The output, the weighted gradient, the weighted second derivative."""
    leaves, structure = jax.tree.flatten(arguments)
    variable = [i for i, leaf in enumerate(leaves) if is_inexact(leaf)]

    def of_variables(*values: Any) -> Any:
        full = [jnp.asarray(leaf) if is_array(leaf) else leaf for leaf in leaves]
        for i, value in zip(variable, values, strict=True):
            full[i] = value
        return function(*jax.tree.unflatten(structure, full))

    values = [jnp.asarray(leaves[i]) for i in variable]
    output = of_variables(*values)
    levels: list = [output]
    level = lambda *values: _inexact(of_variables(*values))  # noqa: E731
    for i in range(order):
        cotangents = random_like(jax.tree.map(np.asarray, level(*values)), seed + i)
        level = _weighted_gradient(level, cotangents)
        filled: list = [None] * len(leaves)
        for place, gradient in zip(variable, level(*values), strict=True):
            filled[place] = gradient
        levels.append(jax.tree.unflatten(structure, filled))
    return levels


def _weighted_gradient(function: Callable, cotangents: list) -> Callable:
    return lambda *values: list(vjp(function, *values)[1](cotangents))


def _torch_levels(
    torch_fn: Any, arrays: tuple, weights: dict | None, order: int, seed: int
) -> list:
    torch = importlib.import_module("torch")
    arguments = arrays if weights is None else (weights, *arrays)
    leaves, structure = jax.tree.flatten(arguments)
    tensors = [torch.tensor(leaf) if is_array(leaf) else leaf for leaf in leaves]
    variables = [
        tensor.requires_grad_() for leaf, tensor in zip(leaves, tensors, strict=True)
        if is_inexact(leaf)
    ]  # fmt: skip
    full = jax.tree.unflatten(structure, tensors)
    if weights is not None and hasattr(torch_fn, "state_dict"):
        output = torch.func.functional_call(torch_fn, full[0], tuple(full[1:]))
    else:
        output = torch_fn(*full)
    levels: list = [to_numpy(output)]
    level = [o for o in jax.tree.leaves(output) if o.is_floating_point() or o.is_complex()]
    for i in range(order):
        cotangents = random_like([to_numpy(tensor) for tensor in level], seed + i)
        level = _torch_weighted_gradient(torch, level, cotangents, variables)
        remaining = iter(level)
        filled = [to_numpy(next(remaining)) if is_inexact(leaf) else None for leaf in leaves]
        levels.append(jax.tree.unflatten(structure, filled))
    return levels


def _torch_weighted_gradient(torch: Any, outputs: list, cotangents: list, variables: list) -> list:
    pairs = [
        (output, torch.tensor(cotangent))
        for output, cotangent in zip(outputs, cotangents, strict=True)
        if output.requires_grad
    ]
    if not pairs:
        return [torch.zeros_like(variable) for variable in variables]
    gradients = torch.autograd.grad(
        [output for output, _ in pairs],
        variables,
        [cotangent for _, cotangent in pairs],
        create_graph=True,
        allow_unused=True,
    )
    return [
        torch.zeros_like(variable) if gradient is None else gradient
        for gradient, variable in zip(gradients, variables, strict=True)
    ]

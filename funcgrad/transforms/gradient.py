"""`grad`, `grad_and_value`, `value_and_grad` and `backward`: gradients of scalar functions."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from .leaves import as_differentiable, describe, is_array, is_complex, is_inexact, named_leaves
from .products import vjp


def normalize_argnums(argnums: int | Sequence[int], count: int) -> int | tuple[int, ...]:
    """`argnums` with negative positions counted from the end.

    Raises:
        RuntimeError: a position that does not exist, twice the same one, none, or no integer.

    >>> normalize_argnums((0, -1), 3)
    (0, 2)
    """
    if isinstance(argnums, Sequence) and not isinstance(argnums, str):
        if not argnums:
            raise RuntimeError("argnums must be non-empty: name at least one position")
        positions = tuple(_position(argnum, count) for argnum in argnums)
        if len(set(positions)) != len(positions):
            raise RuntimeError(f"argnums elements must be unique, got {tuple(argnums)}")
        return positions
    return _position(argnums, count)


def _position(argnum: Any, count: int) -> int:
    try:
        position = operator.index(argnum)
    except TypeError:
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnum)}") from None
    if not -count <= position < count:
        raise RuntimeError(
            f"Got argnum={position}, but only {count} positional inputs. Arguments passed by "
            "keyword are not differentiated"
        )
    return position % count


def split_arguments(
    func: Callable, argnums: int | Sequence[int], args: tuple, kwargs: dict
) -> tuple[Callable, tuple, bool]:
    """`func` of the chosen arguments only, those arguments, and whether `argnums` is an int.

    >>> chosen, primals, single = split_arguments(lambda x, y: x * y, 1, (2.0, 3.0), {})
    >>> float(chosen(5.0)), float(primals[0]), single
    (10.0, 3.0, True)
    """
    positions = normalize_argnums(argnums, len(args))
    single = isinstance(positions, int)
    chosen = (positions,) if isinstance(positions, int) else positions
    primals = tuple(as_differentiable(args[i], f"args[{i}]") for i in chosen)

    def of_chosen(*values: Any) -> Any:
        full = list(args)
        for i, value in zip(chosen, values, strict=True):
            full[i] = value
        return func(*full, **kwargs)

    return of_chosen, primals, single


def split_aux(output: Any, name: str) -> tuple[Any, Any]:
    """The two halves of what a function with `has_aux=True` returned.

    >>> split_aux((1.0, "aux"), "grad")
    (1.0, 'aux')
    """
    if isinstance(output, tuple) and len(output) == 2:
        return output
    raise RuntimeError(
        f"{name}: output of function f should be a tuple: (output, aux) if has_aux is True, got "
        f"{describe(output)}"
    )


def _check_scalar(name: str, output: Any) -> None:
    if not is_array(output):
        raise RuntimeError(
            f"{name}(f)(*args): Expected f(*args) to return a Tensor, got {type(output)}. "
            "Return (loss, the_rest) and pass has_aux=True to get other outputs beside the gradient"
        )
    if output.ndim != 0:
        raise RuntimeError(
            f"{name}(f)(*args): Expected f(*args) to return a scalar Tensor, got tensor with "
            f"{output.ndim} dims, {describe(output)} (grad can be implicitly created only for "
            "scalar outputs). Reduce it with .sum() or .mean(), give vjp a cotangent, or use "
            "jacrev for the whole Jacobian"
        )
    if is_complex(output):
        raise RuntimeError(
            f"grad can be implicitly created only for real scalar outputs but got {output.dtype}. "
            "Take .real, .imag or abs() of the result, or give vjp a cotangent"
        )


def grad_and_value(
    func: Callable, argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable:
    """A function that computes the gradient of `func` and its value: `(gradient, value)`.

    The order of the two is `torch.func.grad_and_value`'s; JAX's order is `value_and_grad`.
    With `has_aux`, `func` returns `(value, aux)` and the result is `(gradient, (value, aux))`.
    Everything else is said under `grad`.

    >>> grad_and_value(lambda x: x**2)(jnp.array(3.0))
    (Array(6., dtype=float32, weak_type=True), Array(9., dtype=float32, weak_type=True))
    """
    return _grad_and_value("grad_and_value", func, argnums, has_aux)


def _grad_and_value(
    name: str, func: Callable, argnums: int | Sequence[int], has_aux: bool
) -> Callable:
    @functools.wraps(func)
    def gradient_and_value(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        of_chosen, primals, single = split_arguments(func, argnums, args, kwargs)

        def scalar_and_rest(*values: Any) -> tuple[Any, Any]:
            output = of_chosen(*values)
            value, aux = split_aux(output, f"{name}(f)(*args)") if has_aux else (output, None)
            _check_scalar(name, value)
            return value, aux

        value, pullback, aux = vjp(scalar_and_rest, *primals, has_aux=True)
        gradients = pullback(jnp.ones_like(value))
        return gradients[0] if single else gradients, (value, aux) if has_aux else value

    return gradient_and_value


def value_and_grad(
    func: Callable, argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable:
    """A function that computes the value of `func` and its gradient: `(value, gradient)`.

    The order of the two is `jax.value_and_grad`'s. With `has_aux` the result is
    `((value, aux), gradient)`. Everything else is said under `grad`.

    >>> value_and_grad(lambda x: x**2)(jnp.array(3.0))
    (Array(9., dtype=float32, weak_type=True), Array(6., dtype=float32, weak_type=True))
    """
    both = _grad_and_value("value_and_grad", func, argnums, has_aux)

    @functools.wraps(func)
    def value_and_gradient(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        return both(*args, **kwargs)[::-1]

    return value_and_gradient


def grad(func: Callable, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Callable:
    """A function that computes the gradient of the scalar function `func`.

    Args:
        func: returns a real scalar array, or `(scalar, aux)` with `has_aux`.
        argnums: the positional arguments to differentiate, pytrees of floating or complex arrays.
            A tuple of positions gives a tuple of gradients. Negative positions count from the end.
        has_aux: return `(gradient, aux)`.

    The gradient has the tree, shapes and dtypes of the argument. Of a complex argument it is
    PyTorch's, the direction of steepest ascent: the conjugate of what `jax.grad` gives. An integer
    scalar has gradient zero, as under `torch.func.grad`.

    Raises:
        RuntimeError: `func` returned no real scalar; `argnums` does not fit; an integer leaf.
        ValueError: a leaf that is not a number.

    >>> grad(lambda x: (x**2).sum())(jnp.array([1.0, 2.0]))
    Array([2., 4.], dtype=float32)
    >>> grad(lambda z: jnp.abs(z) ** 2)(jnp.array(1 + 2j))
    Array(2.+4.j, dtype=complex64)
    >>> grad(grad(lambda x: x**3))(2.0)
    Array(12., dtype=float32, weak_type=True)
    """
    both = _grad_and_value("grad", func, argnums, has_aux)

    @functools.wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        gradients, value = both(*args, **kwargs)
        return (gradients, value[1]) if has_aux else gradients

    return gradient


def backward(
    func: Callable, argnums: int | Sequence[int] = 0, *, grad_tensors: Any = None
) -> Callable:
    """A function that computes what `torch.autograd.backward(func(*args), grad_tensors)` would add.

    `func` returns a pytree of losses, `grad_tensors` gives each its cotangent: the result is the
    gradient of the sum of their products. `None`, for all or for one, means 1 for a scalar.

    Raises:
        RuntimeError: an output with more than one element and no cotangent, or a cotangent that
            does not fit its output.

    >>> losses = lambda x: (x.sum(), (x**2).sum())
    >>> backward(losses)(jnp.array([1.0, 2.0]))
    Array([3., 5.], dtype=float32)
    >>> backward(losses, grad_tensors=(None, jnp.array(10.0)))(jnp.array([1.0, 2.0]))
    Array([21., 41.], dtype=float32)
    """

    @functools.wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        of_chosen, primals, single = split_arguments(func, argnums, args, kwargs)
        outputs, pullback = vjp(of_chosen, *primals)
        gradients = pullback(_cotangents(outputs, grad_tensors))
        return gradients[0] if single else gradients

    return gradient


def _cotangents(outputs: Any, grad_tensors: Any) -> Any:
    leaves = named_leaves(outputs, "output")
    if grad_tensors is None:
        given = [None] * len(leaves)
    else:
        given = jax.tree.leaves(grad_tensors, is_leaf=lambda leaf: leaf is None)
    if len(given) != len(leaves):
        raise RuntimeError(f"got {len(leaves)} tensors and {len(given)} gradients")
    filled = [_cotangent(*leaf, cotangent) for leaf, cotangent in zip(leaves, given, strict=True)]
    return jax.tree.unflatten(jax.tree.structure(outputs), filled)


def _cotangent(name: str, output: jax.Array, cotangent: Any) -> Any:
    if cotangent is not None:
        return cotangent
    if output.size == 1 and not is_complex(output) or not is_inexact(output):
        return jnp.ones_like(output)
    kind = "real scalar outputs" if is_complex(output) else "scalar outputs"
    raise RuntimeError(
        f"grad can be implicitly created only for {kind}: {name} is {describe(output)}. Give its "
        "cotangent in grad_tensors, or reduce it with .sum() or .mean()"
    )

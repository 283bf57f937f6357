"""`grad`, `vjp`, `jacrev`: reverse mode as transforms of functions.

Inside, the arguments are leaves of their own and everything is recorded, so transforms nest. What
comes out has a history only if it depends on something outside that needs a gradient.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from funcgrad import types

from ..backward import grad as autograd_grad
from ..backward import zeros
from ..batching import over_batch
from ..dispatch import Face, wrap
from ..execute import Value
from ..forward import carried, levels, set_tangent, tangent_of
from ..graph import AccumulateGrad
from ..methods import FUNCTIONS
from .inside import inside
from .trees import flatten


def own(tree: Any, here: inside) -> tuple[Any, list]:
    """``tree`` with Tensors of our own that require a gradient, and a list of these."""
    leaves, rebuild, _ = flatten(tree)
    mine = []
    for leaf in leaves:
        if not isinstance(leaf, Face.tensor):
            raise ValueError(f"Thing passed to transform API must be Tensor, got {type(leaf)}")
        mine.append(leaf.view_as(leaf) if leaf.requires_grad else _leaf(carried(leaf)))
        mine[-1]._transform = here
    return rebuild(mine), mine


def _leaf(tensor: Any) -> Any:
    tensor._inference = False  # it is a tensor of the transform, whatever it was made of
    tensor.requires_grad = True
    return tensor


def strip(tree: Any, mine: Sequence, keep: bool) -> Any:
    """The results without history, unless something outside of the transform needs it."""
    leaves, rebuild, _ = flatten(tree)
    own_ids = {id(t) for t in mine}

    def bare(t):
        if not isinstance(t, Face.tensor) or t.requires_grad and keep and _needed(t, own_ids):
            return t
        tangents = {level: tangent_of(t, level) for level in levels()}
        tangents = {level: tangent for level, tangent in tangents.items() if tangent is not None}
        if not t.requires_grad and not any(d.requires_grad for d in tangents.values()):
            return t
        out = t.detach()
        for level, tangent in tangents.items():
            set_tangent(out, bare(tangent), level)
        return out

    return rebuild([bare(t) for t in leaves])


def _needed(tensor: Any, own_ids: set[int]) -> bool:
    """Whether a leaf other than our own can be reached from ``tensor``."""
    if tensor.grad_fn is None:
        return _matters(tensor, own_ids)
    seen, stack = set(), [tensor.grad_fn]
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if isinstance(node, AccumulateGrad) and _matters(node.variable, own_ids):
            return True
        stack.extend(edge.node for edge in node.edges)
    return False


def _matters(leaf: Any, own_ids: set[int]) -> bool:
    """Whether a leaf is somebody's outside: not our own, nor of a transform that is over."""
    here = getattr(leaf, "_transform", None)
    return id(leaf) not in own_ids and (here is None or here.open)


# -- arguments -------------------------------------------------------------------------------------


def positions(argnums: Any, count: int) -> list[int]:
    """``argnums`` as a list of positions."""
    if not isinstance(argnums, int | tuple):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    given = argnums if isinstance(argnums, tuple) else (argnums,)
    if not given:
        raise RuntimeError("argnums must be non-empty")
    found = []
    for argnum in given:
        if not isinstance(argnum, int):
            raise RuntimeError(f"argnum must be int, got: {type(argnum)}")
        if not -count <= argnum < count:
            raise RuntimeError(f"Got argnum={argnum}, but only {count} positional inputs")
        found.append(argnum % count)
    if len(set(found)) != len(found):
        raise RuntimeError(f"argnums elements must be unique, got {tuple(found)}")
    return found


def chosen(args: Sequence, argnums: Any) -> Any:
    """The arguments that ``argnums`` names: one, or a tuple."""
    where = positions(argnums, len(args))
    return args[where[0]] if isinstance(argnums, int) else tuple([args[i] for i in where])


def replaced(args: Sequence, argnums: Any, new: Any) -> list:
    """``args`` with others in the places that ``argnums`` names."""
    full = list(args)
    where = positions(argnums, len(args))
    for i, item in zip(where, (new,) if isinstance(argnums, int) else new, strict=True):
        full[i] = item
    return full


# -- transforms ------------------------------------------------------------------------------------


def grad(func: Callable, argnums: Any = 0, has_aux: bool = False) -> Callable:
    """The function that gives the gradient of the scalar function ``func``.

    As https://pytorch.org/docs/stable/generated/torch.func.grad.html. With ``has_aux`` ``func``
    returns ``(output, aux)`` and the result is ``(gradient, aux)``.

    >>> import stateful as torch
    >>> torch.func.grad(torch.sin)(torch.tensor(0.0))
    tensor(1.)
    """

    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        gradient, value = grad_and_value(func, argnums, has_aux)(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return wrapper


def grad_and_value(func: Callable, argnums: Any = 0, has_aux: bool = False) -> Callable:
    """As `grad`, with the value: ``(gradient, value)`` or ``(gradient, (value, aux))``.

    >>> import stateful as torch
    >>> torch.func.grad_and_value(torch.sin)(torch.tensor(0.0))
    (tensor(1.), tensor(0.))
    """

    @functools.wraps(func)
    def wrapper(*args, **kwargs):
        with inside(chosen(args, argnums)) as here:
            arguments, mine = own(chosen(args, argnums), here)
            output = func(*replaced(args, argnums, arguments), **kwargs)
            aux = None
            if has_aux:
                output, aux = _pair(output, "grad_and_value(f)(*args)")
            _check_scalar(output)
            found = gradients([output], mine, [None])
            rebuild = flatten(arguments)[1]
            gradient = strip(rebuild(found), mine, here.outer)
            value = strip(output, mine, here.outer)
            aux = strip(_checked_aux(aux, has_aux), mine, here.outer)
        return gradient, (value, aux) if has_aux else value

    return wrapper


def _pair(output: Any, name: str) -> tuple:
    if not (isinstance(output, tuple) and len(output) == 2):
        raise RuntimeError(
            f"{name}: output of function f should be a tuple: (output, aux) if has_aux is True"
        )
    return output


def _checked_aux(aux: Any, has_aux: bool) -> Any:
    for leaf in flatten(aux)[0] if has_aux else ():
        if not isinstance(leaf, Face.tensor):
            raise RuntimeError(f"Expected tensors, got unsupported type {type(leaf)}")
    return aux


def _check_scalar(output: Any) -> None:
    start = "grad_and_value(f)(*args): Expected f(*args) to return a "
    if not isinstance(output, Face.tensor):
        raise RuntimeError(f"{start}Tensor, got {type(output)}")
    if output.ndim:
        raise RuntimeError(
            f"{start}scalar Tensor, got tensor with {output.ndim} dims. Maybe you wanted to use "
            "the vjp or jacrev APIs instead?"
        )


def gradients(outputs: Sequence, inputs: Sequence, seeds: Sequence) -> list:
    """Gradients that can be differentiated, zeros where there is none."""
    pairs = [(o, s) for o, s in zip(outputs, seeds, strict=True) if o.requires_grad]
    if not pairs:
        return [zeros(x._aval) for x in inputs]
    outputs, seeds = zip(*pairs, strict=True)
    found = autograd_grad(outputs, inputs, seeds, create_graph=True, allow_unused=True)
    return [zeros(x._aval) if g is None else g for g, x in zip(found, inputs, strict=True)]


def vjp(func: Callable, *primals: Any, has_aux: bool = False) -> tuple:
    """``func(*primals)`` and the function that multiplies a cotangent with the Jacobian.

    >>> import stateful as torch
    >>> value, pull = torch.func.vjp(torch.sin, torch.tensor(0.0))
    >>> pull(torch.tensor(2.0))
    (tensor(2.),)
    """
    output, pull, aux = _vjp(func, primals, has_aux)
    return (output, pull, aux) if has_aux else (output, pull)


def _vjp(func: Callable, primals: tuple, has_aux: bool) -> tuple:
    with inside(primals) as here:
        arguments, mine = own(primals, here)
        output, aux = func(*arguments), None
        if has_aux:
            output, aux = _pair(output, "vjp(f, *primals)")
        leaves, _, structure = flatten(output)
        _check_tensors(leaves, output)
        value = strip(output, mine, here.outer)
        aux = strip(_checked_aux(aux, has_aux), mine, here.outer)
    rebuild = flatten(arguments)[1]

    def pull(cotangents, retain_graph=True, create_graph=None):
        seeds, _, found = flatten(cotangents)
        if found != structure:
            raise RuntimeError(
                "Expected pytree structure of cotangents to be the same as pytree structure of "
                f"outputs to the function. cotangents: {found}, primal output: {structure}"
            )
        with inside(cotangents) as there:
            return strip(rebuild(gradients(leaves, mine, seeds)), mine, there.outer)

    return value, pull, aux


def _check_tensors(leaves: Sequence, output: Any) -> None:
    if not leaves or leaves == [None]:
        raise RuntimeError(
            "vjp(f, *primals): Expected f to be a function that has non-empty output (got output = "
            f"{output})"
        )
    for leaf in leaves:
        if not isinstance(leaf, Face.tensor):
            raise RuntimeError(
                "vjp(f, *primals): expected f(*primals) to return only tensors, got unsupported "
                f"type {type(leaf)}"
            )
        if not types.is_differentiable(leaf._aval.dtype):
            raise RuntimeError(
                "vjp(f, ...): All outputs of f must be floating-point or complex Tensors, got "
                f"Tensor with dtype {leaf.dtype}"
            )


def jacrev(
    func: Callable,
    argnums: Any = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Callable:
    """The function that gives the Jacobian of ``func``, all rows at once.

    >>> import stateful as torch
    >>> torch.func.jacrev(torch.sin)(torch.zeros(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError("jacrev: `chunk_size` should be greater than 0.")

    @functools.wraps(func)
    def wrapper(*args):
        given = chosen(args, argnums)
        error_if_complex("jacrev", given, True)

        def partial(arguments):
            return func(*replaced(args, argnums, arguments))

        with inside(given) as here:
            arguments, mine = own(given, here)
            output, aux = partial(arguments), None
            if has_aux:
                output, aux = _pair(output, "vjp(f, *primals)")
            leaves, rebuild_output, _ = flatten(output)
            _check_tensors(leaves, output)
            error_if_complex("jacrev", output, False)
            rebuild = flatten(arguments)[1]
            rows = [rebuild(_rows(leaf, mine, chunk_size)) for leaf in leaves]
            found = strip(rebuild_output(rows), mine, here.outer)
            aux = strip(_checked_aux(aux, has_aux), mine, here.outer)
        return (found, aux) if has_aux else found

    return wrapper


def joined(parts: Sequence, dim: int = 0) -> Any:
    """Chunks of a batch as one Tensor."""
    return parts[0] if len(parts) == 1 else FUNCTIONS["torch"]["cat"](parts, dim)


def _rows(output: Any, inputs: Sequence, size: int | None) -> list:
    """The Jacobian of one output with respect to each input, ``size`` rows at a time."""
    count = output.numel()
    if not count:
        return [x.new_zeros((*output.shape, *x.shape)) for x in inputs]
    chunks = [
        over_batch(lambda seed: gradients([output], inputs, [seed]), [part])
        for part in units(output).split(count if size is None else size)
    ]
    found = [joined(parts) for parts in zip(*chunks, strict=True)]
    return [g.reshape((*output.shape, *x.shape)) for g, x in zip(found, inputs, strict=True)]


def units(tensor: Any) -> Any:
    """The unit vectors of the space of ``tensor``, in front."""
    count = math.prod(tensor._aval.shape)
    eye = np.eye(count, dtype=tensor._aval.dtype)
    return wrap(Value.of(eye.reshape(count, *tensor._aval.shape)))


def error_if_complex(name: str, tree: Any, is_input: bool) -> None:
    """Raise for complex Tensors, of which a Jacobian has no one meaning."""
    for leaf in flatten(tree)[0]:
        if isinstance(leaf, Face.tensor) and types.is_complex(leaf._aval.dtype):
            raise RuntimeError(
                f"{name}: Expected all {'inputs' if is_input else 'outputs'} to be real but "
                f"received complex tensor at flattened {'input' if is_input else 'output'} idx: 0"
            )

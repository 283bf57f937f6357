"""`jvp`, `jacfwd`, `hessian`, `linearize`: forward mode as transforms of functions."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..autograd import forward_ad
from ..backward import zeros
from ..batching import over_batch
from ..dispatch import Face
from ..forward import stand_in
from .gradient import (
    chosen,
    error_if_complex,
    gradients,
    jacrev,
    own,
    replaced,
    strip,
    units,
)
from .inside import inside, transforming
from .trees import flatten

_NAME = "jvp(f, primals, tangents)"


def jvp(
    func: Callable, primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False
) -> tuple:
    """``func(*primals)`` and the product of its Jacobian with ``tangents``.

    >>> import stateful as torch
    >>> torch.func.jvp(torch.sin, (torch.tensor(0.0),), (torch.tensor(2.0),))
    (tensor(0.), tensor(2.))
    """
    if not isinstance(primals, tuple):
        raise RuntimeError(
            f"{_NAME}: Expected primals to be a tuple. E.g. it should be valid to call f(*primals)."
        )
    leaves, rebuild, structure = flatten(primals)
    dots, _, found = flatten(tangents)
    if structure != found:
        raise RuntimeError(
            f"{_NAME}: Expected primals and tangents to have the same python structure. For "
            "example, if primals is a tuple of 3 tensors, tangents also must be. Got primals with "
            f"structure {structure} and tangents with structure {found}"
        )
    _check_tensors(leaves, "primals")
    _check_tensors(dots, "tangents")
    with transforming(primals, tangents), forward_ad.nested_level() as level:
        duals = [level.make_dual(x, t) for x, t in zip(leaves, dots, strict=True)]
        output, aux = func(*rebuild(duals)), None
        if has_aux:
            if not (isinstance(output, tuple) and len(output) == 2):
                raise RuntimeError(
                    f"{_NAME}: output of function f should be a tuple: (output, aux) if has_aux is "
                    "True"
                )
            output, aux = output
        outs, rebuild_output, _ = flatten(output)
        if not outs or outs == [None]:
            raise RuntimeError(
                f"{_NAME}: Expected f to be a function that has non-empty output (got output = "
                f"{outs})"
            )
        parts = [_unpacked(o, strict) for o in outs]
        aux_leaves, rebuild_aux, _ = flatten(aux if has_aux else ())
        aux = rebuild_aux([_primal(x) for x in aux_leaves])
    values, moved = rebuild_output([p for p, _ in parts]), rebuild_output([t for _, t in parts])
    return (values, moved, aux) if has_aux else (values, moved)


def _primal(x: Any) -> Any:
    if not isinstance(x, Face.tensor):
        raise RuntimeError(f"Expected tensors, got unsupported type {type(x)}")
    return forward_ad.unpack_innermost(x).primal


def _check_tensors(items: list, what: str) -> None:
    if not items:
        raise RuntimeError(f"{_NAME}: Expected {what} to contain at least one Tensor.")
    for item in items:
        if not isinstance(item, Face.tensor):
            raise RuntimeError(
                f"{_NAME}: Expected {what} to only contain Tensors, got {type(item)}"
            )


def _unpacked(out: Any, strict: bool) -> tuple:
    if not isinstance(out, Face.tensor):
        raise RuntimeError(
            f"{_NAME}: expected f(*primals) to return only tensors, got unsupported type "
            f"{type(out)}"
        )
    primal, tangent = forward_ad.unpack_innermost(out)
    if tangent is None and strict:
        raise RuntimeError(
            "jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs. "
            "This is not allowed with strict=True."
        )
    return primal, zeros(primal._aval) if tangent is None else tangent


def jacfwd(
    func: Callable, argnums: Any = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Callable:
    """The function that gives the Jacobian of ``func``, all columns at once.

    >>> import stateful as torch
    >>> torch.func.jacfwd(torch.sin)(torch.zeros(2))
    tensor([[1., 0.],
            [0., 1.]])
    """

    @functools.wraps(func)
    def wrapper(*args):
        names = tuple(range(len(args))) if argnums is None else argnums
        given = chosen(args, names)
        error_if_complex("jacfwd", given, True)
        leaves, rebuild, _ = flatten(given)
        if not leaves:
            raise AssertionError("jacfwd: tensors must have at least one element, got none")
        shown: dict[str, Any] = {}

        def columns(position: int) -> list:
            def along(direction):
                dots = [zeros(x._aval) for x in leaves]
                dots[position] = direction

                def partial(*primals):
                    return func(*replaced(args, names, rebuild(list(primals))))

                result = jvp(partial, tuple(leaves), tuple(dots), has_aux=has_aux)
                error_if_complex("jacfwd", result[0], False)
                moved, shown["rebuild"], _ = flatten(result[1])
                aux, shown["aux"], _ = flatten(result[2] if has_aux else ())
                shown["count"] = len(moved)
                return [*moved, *aux]

            return over_batch(along, [units(leaves[position])], randomness=randomness)

        found = [columns(i) for i in range(len(leaves))]
        rows = [
            rebuild([
                c[nr].movedim(0, -1).reshape((*c[nr].shape[1:], *x.shape))
                for c, x in zip(found, leaves, strict=True)
            ])
            for nr in range(shown["count"])
        ]  # fmt: skip
        result = shown["rebuild"](rows)
        if not has_aux:
            return result
        return result, shown["aux"]([a[0] for a in found[0][shown["count"] :]])

    return wrapper


def hessian(func: Callable, argnums: Any = 0) -> Callable:
    """The function that gives the Hessian of ``func``: forward over reverse.

    >>> import stateful as torch
    >>> torch.func.hessian(lambda x: x.pow(3).sum())(torch.ones(2))
    tensor([[6., 0.],
            [0., 6.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)


def linearize(func: Callable, *primals: Any) -> tuple:
    """``func(*primals)`` and the linear function that multiplies its Jacobian there with tangents.

    >>> import stateful as torch
    >>> value, push = torch.func.linearize(torch.sin, torch.tensor(0.0))
    >>> push(torch.tensor(2.0))
    tensor(2.)
    """
    with inside(primals) as here:
        arguments, mine = own(primals, here)
        output = func(*arguments)
        outs, rebuild, _ = flatten(output)
        tensors = [o for o in outs if isinstance(o, Face.tensor)]
        stand_ins = [stand_in(o) for o in tensors]
        pulled = gradients(tensors, mine, stand_ins)
        value = strip(output, mine, here.outer)

    def push(*tangents):
        with inside() as here:
            dots = _checked_tangents(tangents, primals)
            found = iter(gradients(pulled, stand_ins, dots))
            moved = rebuild([next(found) if isinstance(o, Face.tensor) else o for o in outs])
            return strip(moved, mine, here.outer)

    return value, push


def _checked_tangents(tangents: tuple, primals: tuple) -> list:
    leaves, _, structure = flatten(primals)
    dots, _, found = flatten(tangents)
    if found != structure:
        raise RuntimeError(
            f"Expected the tangents {found} to have the same argspec as the primals {structure}"
        )
    for i, (x, dot) in enumerate(zip(leaves, dots, strict=True)):
        for name in ("shape", "dtype"):
            if getattr(dot, name) != getattr(x, name):
                raise RuntimeError(
                    f"tangent:{i} with {name} {getattr(dot, name)} in flattened pytree doesn't "
                    f"match the {name} {getattr(x, name)} of the corresponding primal."
                )
    return dots

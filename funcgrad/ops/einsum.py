"""Einstein's notation, by PyTorch's own route: permute, then products of stacks of matrices.

The order of more than two operands is that of opt_einsum, which PyTorch asks, too.
"""

from __future__ import annotations

import math
from typing import Any

import opt_einsum

from ..composite import composite
from .matmul import bmm
from .places import diagonal
from .reduce import sum_dim
from .shape import movedim
from .view import permute, reshape, unsqueeze, view_size


@composite(face="torch")
def einsum(equation, *operands):
    """Products of elements summed over all labels that the output does not name.

    Raises RuntimeError for an equation that does not fit the operands.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.einsum("ij,kj->ik", jnp.ones((2, 3)), jnp.ones((4, 3))).shape
    (2, 4)
    """
    if not isinstance(equation, str):
        equation, operands = _from_sublists(equation, *operands)
    if len(operands) == 1 and isinstance(operands[0], list | tuple):
        operands = tuple(operands[0])
    inputs, output = _parse(equation, operands)
    kept = set(output)
    labels = list(output) + sorted({x for labels in inputs for x in labels} - kept, key=str)
    aligned = [_align(x, names, labels) for x, names in zip(operands, inputs, strict=True)]
    _check_sizes(aligned, labels)
    return _reduce(aligned, labels, len(output), _path(equation, operands))


def _from_sublists(*arguments):
    """``einsum(a, [0, 1], b, [1, 2], [0, 2])`` as an equation; labels are below 52."""

    def text(sublist):
        return "".join(
            "..." if i is Ellipsis else chr(ord("A") + i if i < 26 else ord("a") + i - 26)
            for i in sublist
        )

    operands = arguments[0 : len(arguments) // 2 * 2 : 2]
    equation = ",".join(map(text, arguments[1::2]))
    if len(arguments) % 2:
        equation += "->" + text(arguments[-1])
    return equation, operands


def _parse(equation: str, operands):
    """The labels of every operand and of the output; the dimensions of ``...`` are numbers."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) < len(operands):
        raise RuntimeError("einsum(): more operands were provided than specified in the equation")
    if len(terms) > len(operands):
        raise RuntimeError("einsum(): fewer operands were provided than specified in the equation")
    _check_labels(left.replace(",", "") + right)
    covered = [
        x.ndim - len(term.replace("...", "")) for term, x in zip(terms, operands, strict=True)
    ]
    for position, (term, rest) in enumerate(zip(terms, covered, strict=True)):
        if rest < 0 or (rest > 0 and "..." not in term):
            raise RuntimeError(
                "einsum(): the number of subscripts in the equation "
                f"({len(term.replace('...', ''))}) does not match the number of dimensions "
                f"({operands[position].ndim}) for operand {position} and no ellipsis was given"
            )
    widest = max([n for n, term in zip(covered, terms, strict=True) if "..." in term], default=0)
    inputs = [_labels(term, n, widest) for term, n in zip(terms, covered, strict=True)]
    if arrow:
        output = _labels(right, widest, widest)
    else:
        letters = left.replace(",", "").replace("...", "")
        single = sorted(x for x in set(letters) if letters.count(x) == 1)
        output = [*range(widest), *single]
    return inputs, _checked_output(output, inputs)


def _check_labels(text: str):
    for label in text.replace("...", ""):
        if not (label.isascii() and label.isalpha()):
            raise RuntimeError(
                "einsum(): invalid subscript given in the equation string, subscripts must be in "
                f"[a-zA-Z] but got {label!r}"
            )


def _labels(term: str, count: int, widest: int) -> list:
    """The labels of a term; the last ``count`` of ``widest`` broadcast dimensions for ``...``."""
    before, dots, after = term.partition("...")
    return [*before, *(range(widest - count, widest) if dots else ()), *after]


def _checked_output(output, inputs):
    for label in output:
        if output.count(label) > 1:
            raise RuntimeError(
                f"einsum(): output subscript {label} appears more than once in the output"
            )
        if isinstance(label, str) and not any(label in labels for labels in inputs):
            raise RuntimeError(
                f"einsum(): output subscript {label} does not appear in the equation for any input "
                "operand"
            )
    return output


def _align(x, names, labels):
    """``x`` with one dimension for each of ``labels``: diagonals taken, ones inserted."""
    names = list(names)
    for label in dict.fromkeys(names):
        while names.count(label) > 1:
            first = names.index(label)
            second = names.index(label, first + 1)
            if x.shape[first] != x.shape[second]:
                raise RuntimeError(
                    f"einsum(): subscript {label} is repeated for an operand but the sizes don't "
                    f"match, {x.shape[second]} != {x.shape[first]}"
                )
            x = movedim(diagonal(x, 0, first, second), -1, first)
            del names[second]
    for label in labels:
        if label not in names:
            x = unsqueeze(x, x.ndim)
            names.append(label)
    return permute(x, tuple(map(names.index, labels)))


def _check_sizes(operands, labels):
    for dim, label in enumerate(labels):
        sizes = {x.shape[dim] for x in operands} - {1}
        if len(sizes) > 1:
            raise RuntimeError(
                f"einsum(): subscript {label} has sizes {sorted(sizes)}, which do not broadcast "
                "with each other"
            )


def _reduce(operands, labels, kept: int, path):
    """The product of all operands, two at a time; a label is summed with its last operands."""
    if len(operands) == 1:
        summed = tuple(range(kept, len(labels)))
        return sum_dim(operands[0], summed) if summed else operands[0]
    operands = list(operands)
    counts = [sum(x.shape[dim] != 1 for x in operands) for dim in range(len(labels))]
    for first, second in path:
        right, left = operands.pop(max(first, second)), operands.pop(min(first, second))
        summed, only_left, only_right = [], [], []
        for dim in range(kept, len(labels)):
            inside = [x.shape[dim] != 1 for x in (left, right)]
            if all(inside):
                counts[dim] -= 1
                if counts[dim] == 1:
                    summed.append(dim)
            elif any(inside) and counts[dim] == 1:
                (only_left if inside[0] else only_right).append(dim)
        left = sum_dim(left, tuple(only_left), True) if only_left else left
        right = sum_dim(right, tuple(only_right), True) if only_right else right
        operands.append(_product(left, right, summed))
    (result,) = operands
    return view_size(result, result.shape[:kept]) if len(labels) > kept else result


def _path(equation: str, operands) -> list[tuple[int, ...]]:
    """Which two operands to multiply next; products go to the end."""
    if len(operands) < 3:
        return [(0, 1)] * (len(operands) - 1)
    shapes = [tuple(x.shape) for x in operands]
    found: Any = opt_einsum.contract_path(equation, *shapes, shapes=True, optimize="auto")
    return found[0]


def _product(left, right, summed):
    """The sum of ``left * right`` over ``summed``, which keep size 1 (ATen: sumproduct)."""
    if not summed:
        return left * right
    rank, sizes = left.ndim, list(zip(left.shape, right.shape, strict=True))
    kept = [d for d in range(rank) if d not in summed]
    batch = [d for d in kept if 1 not in sizes[d]]
    rows = [d for d in kept if sizes[d][0] != 1 == sizes[d][1]]
    columns = [d for d in kept if sizes[d][0] == 1]
    count, height, width = (
        math.prod(max(sizes[d]) if 0 not in sizes[d] else 0 for d in dims)
        for dims in (batch, rows, columns)
    )
    depth = math.prod(left.shape[d] for d in summed)
    first = reshape(permute(left, (*batch, *rows, *summed, *columns)), (count, height, depth))
    second = reshape(permute(right, (*batch, *summed, *columns, *rows)), (count, depth, width))
    order = (*batch, *rows, *summed, *columns)
    shape = [1 if d in summed else max(sizes[d]) if 0 not in sizes[d] else 0 for d in order]
    product = view_size(bmm(first, second), shape)
    return permute(product, tuple(order.index(d) for d in range(rank)))

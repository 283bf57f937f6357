"""How far two trees of arrays are apart: the worst entry of the worst leaf, in ulps too."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import numpy as np

from ..transforms.leaves import named_leaves

# What `torch.testing.assert_close` allows: relative, absolute.
_TOLERANCES = {2: (1e-3, 1e-5), 4: (1.3e-6, 1e-5), 8: (1e-7, 1e-7)}


def ulp_distance(one: Any, other: Any) -> np.ndarray:
    """The number of floating-point numbers between two arrays of one dtype, entry by entry.

    0 for equal numbers and for NaN beside NaN, infinite for NaN beside a number. The distance of
    complex numbers is the larger of their parts'.

    >>> ulp_distance(np.float32([1, 1, 0]), np.float32([1, 1.0000002, np.nan]))
    array([ 0.,  2., inf])
    """
    one, other = np.asarray(one), np.asarray(other)
    if one.dtype.kind == "c":
        return np.maximum(ulp_distance(one.real, other.real), ulp_distance(one.imag, other.imag))
    if one.dtype.kind in "biu":
        return np.abs(one.astype(float) - other.astype(float))
    here, there = _ordinal(one), _ordinal(other)
    distance = np.where(here > there, here - there, there - here).astype(float)
    nans = np.isnan(one).astype(int) + np.isnan(other)
    return np.where(nans == 1, np.inf, np.where(nans == 2, 0.0, distance))


def _ordinal(array: np.ndarray) -> np.ndarray:
    """The position of each number among all numbers of its dtype; both zeros have the same."""
    width = array.dtype.itemsize
    bits = np.ascontiguousarray(array).view(f"u{width}").reshape(array.shape).astype(np.uint64)
    half = np.uint64(1 << (8 * width - 1))
    return np.where(bits & half, half - (bits & (half - np.uint64(1))), half | bits)


@dataclasses.dataclass(frozen=True)
class Difference:
    """The worst entry of the worst leaf of two trees.

    >>> print(Difference("output['y']", (3,), 1.0, 1.5, 0.5, 4194304.0))
    output['y'][3]: jax 1.0, torch 1.5, difference 0.5, 4194304 ulp
    """

    path: str
    position: tuple[int, ...]
    jax: Any
    torch: Any
    absolute: float
    ulps: float

    def __str__(self) -> str:
        place = str(list(self.position)) if self.position else ""
        ulps = f"{self.ulps:.0f}" if np.isfinite(self.ulps) else "inf"
        return (
            f"{self.path}{place}: jax {self.jax}, torch {self.torch}, difference "
            f"{self.absolute:.3g}, {ulps} ulp"
        )


def compare_trees(
    ours: Any,
    theirs: Any,
    root: str,
    rtol: float | None = None,
    atol: float | None = None,
    max_ulps: float | None = None,
) -> tuple[Difference | None, list[str]]:
    """The worst difference beyond the tolerance, or None, and a line for every bad leaf.

    Raises:
        AssertionError: trees, shapes or dtypes that differ, with the path.

    >>> worst, lines = compare_trees({"a": np.ones(2)}, {"a": np.array([1, 1.5])}, "output")
    >>> worst.path, worst.position
    ("output['a']", (1,))
    """
    mine, others = jax.tree.structure(ours), jax.tree.structure(theirs)
    if mine != others:
        raise AssertionError(f"{root}: the trees differ: jax {mine}, torch {others}")
    found: list[tuple[float, Difference, str]] = []
    for (path, one), other in zip(named_leaves(ours, root), jax.tree.leaves(theirs), strict=True):
        one, other = _plain(one), _plain(other)
        for what in ("shape", "dtype"):
            if getattr(one, what) != getattr(other, what):
                raise AssertionError(
                    f"{path}: the {what} differs: jax {getattr(one, what)}, torch "
                    f"{getattr(other, what)}"
                )
        found += _compare_leaf(path, one, other, rtol, atol, max_ulps)
    worst = max(found, key=lambda item: item[0], default=None)
    return worst and worst[1], [line for _, _, line in found]


def _plain(leaf: Any) -> np.ndarray:
    array = np.asarray(leaf)
    return array.astype(np.float32) if array.dtype.kind == "V" else array


def _compare_leaf(
    path: str,
    one: np.ndarray,
    other: np.ndarray,
    rtol: float | None,
    atol: float | None,
    max_ulps: float | None,
) -> list[tuple[float, Difference, str]]:
    if one.dtype.kind in "fc":
        width = one.dtype.itemsize // (2 if one.dtype.kind == "c" else 1)
        default = _TOLERANCES[width]
    else:
        default = (0.0, 0.0)
    rtol, atol = default[0] if rtol is None else rtol, default[1] if atol is None else atol
    close = np.isclose(one, other, rtol=rtol, atol=atol, equal_nan=True)
    ulps = ulp_distance(one, other)
    if max_ulps is not None:
        close |= ulps <= max_ulps
    if close.all():
        return []
    with np.errstate(invalid="ignore"):
        distance = np.abs(one.astype(complex) - other.astype(complex))
        excess = np.nan_to_num(distance / (atol + rtol * np.abs(other) + 1e-300), nan=np.inf)
    excess = np.where(close, -1.0, excess)
    index = tuple(int(i) for i in np.unravel_index(np.argmax(excess), excess.shape))
    worst = Difference(
        path, index, one[index].item(), other[index].item(), distance[index], float(ulps[index])
    )
    return [(float(excess[index]), worst, f"{worst} ({(~close).sum()} of {close.size} differ)")]

"""`fractional_max_pool2d/3d`: where the windows are is drawn from the default generator."""

from __future__ import annotations

import functools
from typing import Any

from funcgrad.ops.fractional_pool import fractional_max_pool2d_op, fractional_max_pool3d_op
from funcgrad.ops.windows import per_dim

from ..dispatch import call
from ..sampling import rand

_OPS = {2: fractional_max_pool2d_op, 3: fractional_max_pool3d_op}


def _pooled(
    rank: int,
    input: Any,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Any = None,
) -> Any:
    name = f"fractional_max_pool{rank}d"
    if output_size is None and output_ratio is None:
        raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
    if output_size is None:
        ratios = (output_ratio,) * rank if isinstance(output_ratio, float) else output_ratio
        sizes = input.shape[-rank:]
        output_size = [int(n * ratio) for n, ratio in zip(sizes, ratios, strict=True)]
    if _random_samples is None:
        batch = 1 if input.dim() == rank + 1 else input.size(0)
        _random_samples = rand(batch, input.size(-rank - 1), rank, dtype=input.dtype)
    window, sizes = (
        per_dim(kernel_size, rank, "kernel_size"),
        per_dim(output_size, rank, "output_size"),
    )
    return call(_OPS[rank], (input, window, sizes, _random_samples), {})


def _functions(rank: int) -> dict[str, Any]:
    """The functions of a number of dimensions: with indices, and with them if asked for."""

    def with_indices(*args: Any, **kwargs: Any) -> Any:
        return tuple(_pooled(rank, *args, **kwargs))

    @functools.wraps(_pooled)
    def plain(*args: Any, **kwargs: Any) -> Any:
        names = ("input", "kernel_size", "output_size", "output_ratio", "return_indices")
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        found = tuple(_pooled(rank, **given))
        return found if given.get("return_indices") else found[0]

    name = f"fractional_max_pool{rank}d"
    plain.__name__ = plain.__qualname__ = name
    plain.__doc__ = (
        f"The largest element of windows of ``kernel_size`` at pseudo-random places in {rank} "
        "dimensions, as many as ``output_size`` says or ``output_ratio`` times the input's size.\n"
    )
    with_indices.__name__ = with_indices.__qualname__ = f"{name}_with_indices"
    with_indices.__doc__ = f"`{name}`, and where in each plane the elements were.\n"
    return {name: plain, f"{name}_with_indices": with_indices}


FRACTIONAL = {**_functions(2), **_functions(3)}

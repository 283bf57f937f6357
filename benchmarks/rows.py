"""The rows of the table: a workload and its sizes."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    """``ops``: divide a step's time by this many ops. ``scanned``: steps in one scanned call.

    Tiny steps are scanned a thousand at a time, so that the loop is measured and not the call.
    """

    name: str
    title: str
    workload: str
    sizes: dict[str, int] = field(default_factory=dict)
    ops: int = 1
    scanned: int = 100


_ALL = [
    Row("a", "tiny MLP 4x8x3x2", "tiny_mlp", scanned=1000),
    Row("b", "two layers 64x1000x100x10, SGD", "two_layer"),
    Row("c", "polynomial, Adam, fresh batch", "polynomial", scanned=1000),
    Row("d", "RNN unrolled 50 steps", "recurrent"),
    Row("e", "transformer 2x128, 64 tokens, Adam", "transformer"),
    Row("f", "convolutional classifier", "convolutional"),
    Row("g", "gradient penalty", "gradient_penalty", scanned=1000),
    *[
        Row(f"h{n}", f"{n:,} pointwise ops: per op", "pointwise", {"ops": n}, n, scanned)
        for n, scanned in ((10, 1000), (100, 1000), (1_000, 50), (10_000, 10))
    ],
    *[
        Row(f"i{n}", f"matmul {n}x{n}", "matmul", {"size": n}, scanned=scanned)
        for n, scanned in ((8, 1000), (32, 1000), (128, 100), (512, 20), (2048, 4))
    ],
]
ROWS = {row.name: row for row in _ALL}


def chosen(names: list[str]) -> list[Row]:
    """The rows with these names; a letter stands for all its sizes. ValueError for another."""
    found = []
    for name in names:
        rows = [row for row in _ALL if row.name == name or row.name[0] == name]
        if not rows:
            raise ValueError(f"unknown row {name!r}; choose among {', '.join(ROWS)}")
        found += rows
    return found

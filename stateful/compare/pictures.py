"""Two pictures: the loss curves over each other, and the autograd graph beside the jaxpr.

Both need matplotlib; without it there are none.
"""

from __future__ import annotations

import importlib.util
import textwrap
from pathlib import Path
from typing import Any

from .comparison import Comparison
from .trace import GRADIENT_KINDS, Trace

_STYLES = {"torch": ("-", 4.0, 0.35), "stateful": ("--", 1.6, 1.0), "functional": (":", 1.6, 1.0)}
_JAXPR_LINES, _JAXPR_WIDTH, _LINE_HEIGHT = 60, 80, 0.17


def can_draw() -> bool:
    """Whether matplotlib is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def draw(comparison: Comparison, folder: Path) -> list[Path]:
    """Draws what the comparison has data for, and returns the files; empty without matplotlib."""
    if not can_draw():
        return []
    folder.mkdir(parents=True, exist_ok=True)
    pictures = [
        draw_losses(comparison, folder / "losses.png"),
        draw_graph(comparison, folder / "graph.png"),
    ]
    return [picture for picture in pictures if picture is not None]


def losses(trace: Trace) -> list[float]:
    """The value of the first root of every gradient call, if it is a single real number."""
    values = []
    for event in trace.events:
        roots = [one for one in event.quantities if one.role == "root"]
        if event.kind in GRADIENT_KINDS and roots and roots[0].values.size == 1:
            if roots[0].values.dtype.kind != "c":
                values.append(float(roots[0].values[0]))
    return values


def draw_losses(comparison: Comparison, path: Path) -> Path | None:
    """The curves of all sides on one axis; None if there are fewer than three points."""
    curves = [(trace, losses(trace)) for trace in (comparison.reference, *comparison.others)]
    if len(curves[0][1]) < 3:
        return None
    figure, axis = _figure(8, 4.5)
    for trace, values in curves:
        style, width, alpha = _STYLES[trace.header["side"]]
        axis.plot(values, style, linewidth=width, alpha=alpha, label=trace.title)
    if all(value > 0 for _, values in curves for value in values):
        axis.set_yscale("log")
    axis.set(title=comparison.program.name, xlabel="gradient call", ylabel="root value")
    axis.legend()
    return _save(figure, path)


def draw_graph(comparison: Comparison, path: Path) -> Path | None:
    """The graph that `backward` walks beside the program that JAX differentiates."""
    graph = comparison.reference.note("graph")
    jaxpr = next((note for other in comparison.others if (note := other.note("jaxpr"))), None)
    if graph is None:
        return None
    places = layout(graph.data["edges"], len(graph.data["labels"]))
    lines = _program_lines(jaxpr.text) if jaxpr is not None else []
    depth = 1 + max(depth for _, depth in places)
    height = 1 + max(0.6 * depth, _LINE_HEIGHT * len(lines))
    figure, axes = _figure(13 if lines else 7, height, columns=2 if lines else 1)
    _draw_nodes(axes[0] if lines else axes, graph.data, places)
    if lines:
        axes[1].set_title("what JAX differentiates: the jaxpr", fontsize=10)
        axes[1].axis("off")
        axes[1].text(
            0, 1, "\n".join(lines), family="monospace", fontsize=8, va="top", in_layout=False
        )
    return _save(figure, path)


def _program_lines(text: str) -> list[str]:
    lines = [piece for line in text.splitlines() for piece in textwrap.wrap(line, _JAXPR_WIDTH)]
    return lines[:_JAXPR_LINES] + (["..."] if len(lines) > _JAXPR_LINES else [])


def layout(edges: list[list[int]], count: int) -> list[tuple[float, int]]:
    """For each node its place from left to right, and its depth: the longest way from a root."""
    parents: dict[int, list[int]] = {}
    for parent, child in edges:
        parents.setdefault(child, []).append(parent)
    depths = [0] * count
    for _ in range(count):
        before = list(depths)
        for child, above in parents.items():
            depths[child] = 1 + max(depths[parent] for parent in above)
        if depths == before:
            break
    places: list[tuple[float, int]] = []
    for node, depth in enumerate(depths):
        row = [other for other in range(count) if depths[other] == depth]
        places.append(((row.index(node) + 0.5) / len(row), depth))
    return places


def _draw_nodes(axis: Any, graph: dict[str, Any], places: list[tuple[float, int]]) -> None:
    axis.set_title("what backward() walks: the autograd graph", fontsize=10)
    axis.axis("off")
    axis.set(xlim=(0, 1), ylim=(-max(depth for _, depth in places) - 0.5, 0.5))
    for parent, child in graph["edges"]:
        (x0, y0), (x1, y1) = places[parent], places[child]
        axis.annotate(
            "", (x1, -y1 + 0.22), (x0, -y0 - 0.22), arrowprops={"arrowstyle": "->", "color": "gray"}
        )
    for node, (label, (x, depth)) in enumerate(zip(graph["labels"], places, strict=True)):
        color = "#dff5dc" if node in graph["leaves"] else "#dcebff"
        box = {"boxstyle": "round", "facecolor": color, "edgecolor": "gray"}
        axis.text(x, -depth, label, ha="center", va="center", fontsize=8, bbox=box)


def _figure(width: float, height: float, columns: int = 1) -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(1, columns)


def _save(figure: Any, path: Path) -> Path:
    figure.savefig(path, dpi=110)
    return path

"""Walks the autograd graph by its public face: `grad_fn`, `next_functions`, `variable`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

PICTURED = 40


def walk(roots: Iterable[Any]) -> list[Any]:
    """Every node below the tensors `roots`, in an order that depends on the graph alone.

    Iterative: a graph may be a chain of many thousands of nodes.
    """
    found: dict[Any, None] = {}
    waiting = [root.grad_fn for root in reversed(list(roots)) if root.grad_fn is not None]
    while waiting:
        node = waiting.pop()
        if node in found:
            continue
        found[node] = None
        waiting.extend(child for child, _ in reversed(node.next_functions) if child is not None)
    return list(found)


def leaves(roots: Iterable[Any]) -> list[Any]:
    """The leaf tensors whose `.grad` a backward from `roots` adds to."""
    roots = list(roots)
    found = [root for root in roots if root.requires_grad and root.grad_fn is None]
    found += [node.variable for node in walk(roots) if is_accumulator(node)]
    return list({id(leaf): leaf for leaf in found}.values())


def is_accumulator(node: Any) -> bool:
    """Whether `node` is the sink that adds into a leaf's `.grad`."""
    return node.name().endswith("AccumulateGrad")


def describe(roots: Iterable[Any], names: dict[int, str]) -> dict[str, Any]:
    """The graph as plain lists, for the picture: labels, and edges towards the leaves."""
    nodes = walk(roots)[:PICTURED]
    number = {node: index for index, node in enumerate(nodes)}
    labels = [
        names.get(id(node.variable), "leaf") if is_accumulator(node) else node.name()
        for node in nodes
    ]
    sinks = [index for index, node in enumerate(nodes) if is_accumulator(node)]
    edges = [
        [number[node], number[child]]
        for node in nodes
        for child, _ in node.next_functions
        if child in number
    ]
    return {"labels": labels, "edges": edges, "leaves": sinks}

"""The queue of ready nodes: the one made last comes first.

Nodes with equal numbers, which the leaves of a graph are, come in the order in which PyTorch's
queue gives them: that of the binary heap of the C++ standard library. Programs see this order
through the hooks of leaves.
"""

from __future__ import annotations

from typing import Any


def push(heap: list, node: Any) -> None:
    """Add a node."""
    heap.append(node)
    _rise(heap, len(heap) - 1, node)


def pop(heap: list) -> Any:
    """Take the node with the highest ``sequence_nr``."""
    node = heap.pop()
    if not heap:
        return node
    first, hole, size = heap[0], 0, len(heap)
    while hole < (size - 1) // 2:  # the larger child moves up, down to a leaf of the heap
        child = 2 * hole + 2
        if heap[child].sequence_nr < heap[child - 1].sequence_nr:
            child -= 1
        heap[hole] = heap[child]
        hole = child
    if size % 2 == 0 and hole == (size - 2) // 2:
        heap[hole] = heap[2 * hole + 1]
        hole = 2 * hole + 1
    _rise(heap, hole, node)
    return first


def _rise(heap: list, hole: int, node: Any) -> None:
    """Put ``node`` at ``hole`` or as far above as it belongs."""
    while hole and heap[(hole - 1) // 2].sequence_nr < node.sequence_nr:
        heap[hole] = heap[(hole - 1) // 2]
        hole = (hole - 1) // 2
    heap[hole] = node

"""Who watches a node while the engine runs it: hooks, retained gradients, anomaly mode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .graph import Node


class Hooks:
    """What the engine needs from Tensor; ``tensor.py`` fills it in."""

    as_tensor: Any = None
    add: Any = None
    check: Any = None
    has_nan: Any = None
    check_hook: Any = None
    sign: Any = None
    capturing: Any = None
    """How gradients lie in memory, and a plan that minds it; see `captures`."""


def run_pre_hooks(node: Node, grads: list) -> list:
    """What tensors want of single gradients, then the node's own hooks on all."""
    grads = run_tensor_hooks(node, grads)
    for hook in list((node.node_pre_hooks or {}).values()):
        seen = tuple(None if g is None else Hooks.as_tensor(g) for g in grads)
        result = hook(seen)
        grads = list(seen if result is None else _as_tuple(result, seen, hook))
    return grads


def run_tensor_hooks(node: Node, grads: list) -> list:
    """The hooks of tensors, each on one gradient, which it may replace; then retain gradients.

    The list is changed itself: nobody but the hooks may hold on to what they were given.
    """
    for nr, hooks in (node.pre_hooks or {}).items():
        for hook in list(hooks.values()):
            given = grads[nr] = None if grads[nr] is None else Hooks.as_tensor(grads[nr])
            result = hook(given)
            if result is not None:
                grads[nr] = Hooks.check_hook(given, result, hook)
    for nr, reference in (node.retained or {}).items():
        tensor = reference()
        if tensor is not None and grads[nr] is not None:
            grads[nr] = Hooks.as_tensor(grads[nr])
            tensor._retain(grads[nr])
    return grads


def run_accumulated(leaf: Any, hooks: dict) -> None:
    """The hooks of a leaf to whose gradient something was added; they return nothing."""
    for hook in list(hooks.values()):
        result = hook(leaf)
        if result is not None:
            Hooks.check_hook(leaf, result, hook)
            raise RuntimeError(
                "Tensor post accumulate grad hooks should return None. They change .grad instead."
            )


def run_post_hooks(node: Node, results: Sequence[Any], grads: Sequence[Any]) -> Sequence[Any]:
    """The node's hooks on its results; each may replace them."""
    outs = tuple(None if g is None else Hooks.as_tensor(g) for g in results)
    ins = tuple(None if g is None else Hooks.as_tensor(g) for g in grads)
    for hook in list((node.node_hooks or {}).values()):
        result = hook(outs, ins)
        if result is not None:
            outs = _as_tuple(result, outs, hook)
    return outs


def _as_tuple(result: Any, given: tuple, hook: Callable) -> tuple:
    if not isinstance(result, tuple):
        raise TypeError(f"expected tuple, but hook returned '{type(result).__name__}'")
    if len(result) != len(given):
        raise RuntimeError(
            f"hook '{getattr(hook, '__name__', '<unknown>')}' has returned an incorrect number of "
            f"values (got {len(result)}, but expected {len(given)})"
        )
    return tuple(
        r if r is None or r is g else _replacement(g, r, hook)
        for g, r in zip(given, result, strict=True)
    )


def _replacement(given: Any, result: Any, hook: Callable) -> Any:
    if given is None:
        raise RuntimeError("can't replace a None gradient with a non-None value")
    return Hooks.check_hook(given, result, hook)


# -- anomaly mode ----------------------------------------------------------------------------------


def check_nan(node: Node, results: Sequence[Any]) -> None:
    """Raise if a node made a NaN (anomaly mode)."""
    for number, result in enumerate(results):
        if result is not None and Hooks.has_nan(result):
            raise RuntimeError(
                f"Function '{node.name()}' returned nan values in its {number}th output."
            )


def origins_of(node: Node) -> list[str]:
    """Where in the forward ``node`` was made, then the same of the nodes whose backward made it."""
    texts = []
    start, cause = f"Error detected in {node.name()}.", "caused the error"
    current: Node | None = node
    while current is not None:
        stack = current.metadata.get("traceback_")
        if stack is None:
            texts.append(
                f"{start} No forward pass information available. Enable detect anomaly during "
                "forward pass for more information."
            )
            break
        texts.append(f"{start} Traceback of forward call that {cause}:\n{''.join(stack)}")
        current = current.metadata.get("parent_")
        if current is not None:
            start = f"\n\nPrevious calculation was induced by {current.name()}."
            cause = "induced the previous calculation"
    return texts

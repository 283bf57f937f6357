"""`backward` and `grad`: from what the user passes to the engine and back."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from funcgrad import types
from funcgrad.op import fit

from . import modes
from .dispatch import OWNER, Face, wrap
from .engine import Hooks, run_backward
from .execute import Aval, Function, Value, execute
from .graph import Edge, Node, OpNode, gradient_edge

ONES = Function(lambda shape, dtype: jnp.ones(shape, dtype))
ZEROS = Function(lambda shape, dtype: jnp.zeros(shape, dtype))
ADD = Function(jnp.add)
FIT = Function(fit)


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Add to ``.grad`` of the leaves the gradients of the sum of ``tensors``, each times its grad_tensor.

    As https://pytorch.org/docs/stable/generated/torch.autograd.backward.html. ``inputs`` restricts
    the accumulation to these tensors.

    Raises RuntimeError for a non-scalar root without a gradient, a root that needs no gradient, and
    a graph that was freed already.

    >>> import stateful as torch
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> torch.autograd.backward([x * x, x])
    >>> x.grad
    tensor(7.)
    """
    if grad_variables is not None:
        warnings.warn(
            "`grad_variables` is deprecated. Use `grad_tensors` instead.", FutureWarning, stacklevel=2
        )
        if grad_tensors is not None:
            raise RuntimeError(
                "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to "
                "`backward()`. Please only use `grad_tensors`."
            )
        grad_tensors = grad_variables
    targets: list = [] if inputs is None else _listed(inputs)
    if inputs is not None and not targets:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    roots = _listed(tensors)
    seeds = _seeds(roots, grad_tensors, create_graph)
    edges = _input_edges(targets, of="backward")
    keep = create_graph if retain_graph is None else retain_graph
    results = run_backward(
        _root_edges(roots), seeds, keep_graph=keep, create_graph=create_graph, inputs=edges
    )
    for target, result in zip(targets, results, strict=True):
        if result is not None:
            target._accumulate(result)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple:
    """The gradients of the sum of ``outputs`` with respect to ``inputs``, as a tuple.

    As https://pytorch.org/docs/stable/generated/torch.autograd.grad.html.

    >>> import stateful as torch
    >>> x = torch.tensor([3.0], requires_grad=True)
    >>> torch.autograd.grad(x * x, x)
    (tensor([6.]),)
    """
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: "
            "allow_unused=False."
        )
    allow_unused = materialize_grads if allow_unused is None else allow_unused
    if not only_inputs:
        warnings.warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True). To accumulate "
            "gradient for other parts of the graph, please use torch.autograd.backward.",
            FutureWarning, stacklevel=2,
        )  # fmt: skip
    roots, targets = _listed(outputs), _listed(inputs)
    if not targets:
        raise ValueError("grad requires non-empty inputs.")
    keep = create_graph if retain_graph is None else retain_graph
    if is_grads_batched:
        return _batched(roots, targets, grad_outputs, keep, create_graph, allow_unused,
                        materialize_grads)  # fmt: skip
    seeds = _seeds(roots, grad_outputs, create_graph)
    results = run_backward(
        _root_edges(roots), seeds, keep_graph=keep, create_graph=create_graph,
        inputs=_input_edges(targets, of="grad"), accumulate=False,
    )  # fmt: skip
    return tuple(
        _result(r, t, allow_unused, materialize_grads)
        for r, t in zip(results, targets, strict=True)
    )


def _batched(roots, targets, grad_outputs, keep, create_graph, allow_unused, materialize):
    """``is_grads_batched``: one backward for each slice of ``grad_outputs``, results stacked."""
    seeds = _listed(grad_outputs)
    count = next(len(s) for s in seeds if s is not None)
    rows = [
        grad(roots, targets, [None if s is None else s[i] for s in seeds], True, create_graph,
             allow_unused=allow_unused, materialize_grads=materialize)
        for i in range(count)
    ]  # fmt: skip
    return tuple(
        None if column[0] is None else Face.tensor._stack(column)
        for column in zip(*rows, strict=True)
    )


def _listed(x: Any) -> list:
    return list(x) if isinstance(x, Sequence) and not isinstance(x, Edge) else (
        [x] if isinstance(x, Face.tensor | Edge) else list(x)
    )  # fmt: skip


def _root_edges(roots: Sequence) -> list[Edge]:
    edges = []
    for i, root in enumerate(roots):
        edge = root if isinstance(root, Edge) else gradient_edge(root)
        if edge.node is None:
            raise RuntimeError(f"element {i} of tensors does not require grad and does not have a grad_fn")
        edges.append(edge)
    return edges


def _input_edges(targets: Sequence, of: str) -> list[Edge]:
    edges = []
    for target in targets:
        edge = target if isinstance(target, Edge) else gradient_edge(target)
        if edge.node is None:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
        edges.append(edge)
    return edges


def _seeds(roots: Sequence, given: Any, create_graph: bool) -> list:
    """The gradient of each root: given, or one for a scalar."""
    grads = [None] * len(roots) if given is None else _listed(given)
    if len(grads) != len(roots):
        raise RuntimeError(f"got {len(roots)} tensors and {len(grads)} gradients")
    return [_seed(root, g, create_graph) for root, g in zip(roots, grads, strict=True)]


def _seed(root: Any, given: Any, create_graph: bool) -> Any:
    aval = root.node.avals[root.nr] if isinstance(root, Edge) else root._aval
    if given is None:
        return _implicit(aval)
    if not isinstance(given, Face.tensor):
        raise TypeError(
            f"gradients can be either Tensors or None, but got {type(given).__name__}"
        )
    if given._aval.shape != aval.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[0] has a shape of {given.shape} and output[0] has a "
            f"shape of torch.Size({list(aval.shape)})."
        )
    if types.is_complex(given._aval.dtype) != types.is_complex(aval.dtype):
        raise RuntimeError(
            "For complex Tensors, both grad_output and output are required to have the same dtype. "
            f"Mismatch in dtype: grad_output[0] has a dtype of {given.dtype} and output[0] has a "
            f"dtype of {Face.dtype(aval)}."
        )
    if create_graph:
        return given
    return given._read() if given._aval is aval else fit_to(given, aval)


def _implicit(aval: Aval) -> Value:
    count = 1
    for n in aval.shape:
        count *= n
    if count != 1:
        raise RuntimeError(
            "grad can be implicitly created only for scalar outputs: the root has shape "
            f"{list(aval.shape)}; pass gradient= with that shape, or reduce it first."
        )
    if not types.is_floating(aval.dtype):
        raise RuntimeError(
            f"grad can be implicitly created only for real scalar outputs but got {Face.dtype(aval)}"
        )
    return execute(ONES, (), (aval.shape, aval.dtype))[0]


def _result(result: Any, target: Any, allow_unused: bool, materialize: bool) -> Any:
    if result is not None:
        return Hooks.as_tensor(result)
    if materialize:
        aval = target.node.avals[target.nr] if isinstance(target, Edge) else target._aval
        return zeros(aval)
    if not allow_unused:
        raise RuntimeError(
            "One of the differentiated Tensors appears to not have been used in the graph. Set "
            "allow_unused=True if this is the desired behavior."
        )
    return None


def zeros(aval: Aval) -> Any:
    """A Tensor of zeros."""
    return wrap(execute(ZEROS, (), (aval.shape, aval.dtype))[0])


def fit_to(grad: Any, aval: Aval) -> Any:
    """A gradient in the shape and dtype of what it belongs to; recorded if it is a Tensor with history."""
    if type(grad) is Value or not modes.state.grad_enabled:
        value = grad if type(grad) is Value else grad._read()
        return execute(FIT, (value,), (aval.shape, aval.dtype))[0]
    return grad._fit(aval)


def check_results(node: Node, results: Sequence[Any]) -> Sequence[Any]:
    """What a node returned, brought to the shape and dtype of where it goes; once, for all nodes."""
    if type(results) is not list:
        results = list(results)
    if len(results) != len(node.edges):
        raise RuntimeError(
            f"Function {node.name()} returned an incorrect number of gradients (expected "
            f"{len(node.edges)}, got {len(results)})"
        )
    for i, (result, edge) in enumerate(zip(results, node.edges, strict=True)):
        if result is None or edge.node is None:
            continue
        aval = edge.node.avals[edge.nr]
        given = result.aval if type(result) is Value else result._aval
        if given is not aval:
            results[i] = _validated(node, i, result, given, aval)
    return results


def _validated(node: Node, i: int, result: Any, given: Aval, aval: Aval) -> Any:
    if given.shape != aval.shape and not _expands_to(aval.shape, given.shape):
        raise RuntimeError(
            f"Function {node.name()} returned an invalid gradient at index {i} - got "
            f"{list(given.shape)} but expected shape compatible with {list(aval.shape)}"
        )
    return fit_to(result, aval)


def _expands_to(small: tuple[int, ...], large: tuple[int, ...]) -> bool:
    pairs = zip(reversed(small), reversed(large), strict=False)
    return len(small) <= len(large) and all(a == b or a == 1 for a, b in pairs)


def add(first: Any, second: Any) -> Any:
    """The sum of two gradients."""
    if type(first) is Value and type(second) is Value:
        return execute(ADD, (first, second))[0]
    if modes.state.grad_enabled:
        return Hooks.as_tensor(first) + Hooks.as_tensor(second)
    first, second = (g if type(g) is Value else g._read() for g in (first, second))
    return execute(ADD, (first, second))[0]


Hooks.add = staticmethod(add)
Hooks.check = staticmethod(check_results)
OpNode.zeros = staticmethod(zeros)
OpNode.owner = OWNER

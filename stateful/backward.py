"""`backward` and `grad`: from what the user passes to the engine and back."""

from __future__ import annotations

import functools
import itertools
import math
import warnings
from collections.abc import Sequence
from typing import Any, NoReturn

import jax.numpy as jnp
import numpy as np

from funcgrad import types
from funcgrad.derivative import fit

from . import modes
from .batching import over_batch
from .dispatch import IN_FORMULA, OWNER, Face, wrap
from .execute import Aval, Function, Value, execute
from .gradient_sums import laid_as_sum
from .graph import Edge, Node, gradient_edge
from .nodes import OpNode
from .once import warn_once
from .schedule import ADD, IMPLICIT, run_backward
from .watching import Hooks

ZEROS = Function(lambda shape, dtype: jnp.zeros(shape, dtype))
FIT = Function(fit)


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Add to ``.grad`` of the leaves the gradients of ``tensors``, each times its grad_tensor.

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
            "`grad_variables` is deprecated. Use `grad_tensors` instead.",
            FutureWarning,
            stacklevel=2,
        )
        if grad_tensors is not None:
            raise RuntimeError(
                "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to "
                "`backward()`. Please only use `grad_tensors`."
            )
        grad_tensors = grad_variables
    targets = None if inputs is None else _inputs(inputs, "backward")
    if targets is not None and not targets:
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    if modes.transforms.depth or modes.vmap.frames:
        raise RuntimeError(
            "backward() called inside a functorch transform. This is not supported, please use "
            "functorch.grad or functorch.vjp instead or call backward() outside of functorch "
            "transforms."
        )
    roots = _listed(tensors)
    seeds = _seeds(roots, grad_tensors)
    keep = create_graph if retain_graph is None else retain_graph
    edges = _root_edges(roots)
    if create_graph:
        _warn_of_cycle()
    for target in targets or ():
        if isinstance(target, Face.tensor):
            target.retain_grad()
    run_backward(
        edges,
        seeds,
        keep_graph=keep,
        create_graph=create_graph,
        inputs=_input_edges(targets) if targets else (),
    )


def _warn_of_cycle() -> None:
    warn_once(
        "Using backward() with create_graph=True will create a reference cycle between the "
        "parameter and its gradient which can cause a memory leak. We recommend using "
        "autograd.grad when creating the graph to avoid this. If you have to use this function, "
        "make sure to reset the .grad fields of your parameters to None after use to break the "
        "cycle and avoid the leak.",
        stacklevel=5,
    )


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
) -> Any:
    """The gradients of the sum of ``outputs`` with respect to ``inputs``, as a tuple.

    For a dict of ``inputs`` they come as a dict with its keys.

    As https://pytorch.org/docs/stable/generated/torch.autograd.grad.html.

    >>> import stateful as torch
    >>> x = torch.tensor([3.0], requires_grad=True)
    >>> torch.autograd.grad(x * x, x)
    (tensor([6.]),)
    """
    if type(inputs) is dict:
        others = grad_outputs, retain_graph, create_graph, only_inputs, allow_unused
        found = grad(outputs, [*inputs.values()], *others, is_grads_batched, materialize_grads)
        return dict(zip(inputs, found, strict=True))
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: "
            "allow_unused=False."
        )
    allow_unused = materialize_grads if allow_unused is None else allow_unused
    if not only_inputs:
        warnings.warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True). To "
            "accumulate gradient for other parts of the graph, please use torch.autograd.backward.",
            FutureWarning,
            stacklevel=2,
        )
    roots, targets = _listed(outputs), _inputs(inputs, "grad")
    keep = create_graph if retain_graph is None else retain_graph
    if is_grads_batched:
        return _batched(
            roots, targets, grad_outputs, keep, create_graph, allow_unused, materialize_grads
        )
    seeds = _seeds(roots, grad_outputs)
    if not targets:
        raise RuntimeError("`inputs` argument to `grad()` cannot be empty.")
    results = run_backward(
        _root_edges(roots),
        seeds,
        keep_graph=keep,
        create_graph=create_graph or modes.forward.active,
        inputs=_input_edges(targets),
        accumulate=False,
    )
    if modes.forward.active and not create_graph:  # it was for the tangents only
        results = [None if r is None else Face.bare(Hooks.as_tensor(r)) for r in results]
    made = {id(r): Hooks.as_tensor(r) for r in results if r is not None}  # one may come twice
    return tuple(
        _materialized(t, create_graph) if materialize_grads and r is None
        else _result(i, made.get(id(r)), allow_unused)
        for i, (r, t) in enumerate(zip(results, targets, strict=True))
    )  # fmt: skip


def _batched(roots, targets, grad_outputs, keep, create_graph, allow_unused, materialize):
    """``is_grads_batched``: a backward for each slice of ``grad_outputs``, all at once."""
    seeds = [None] * len(roots) if grad_outputs is None else _listed(grad_outputs)
    for i, (root, seed) in enumerate(zip(roots, seeds, strict=True)):
        if seed is None:
            _refuse_unbatched(i, _aval(root), seeds)
        if not seed.ndim:
            raise IndexError(
                f"is_grads_batched: grad_output[{i}] is a 0-dim tensor, which has no batch "
                "dimension: invalid index of a 0-dim tensor"
            )
        _check_batched(i, root, seed)

    def all_at_once(*slices):
        return grad(
            roots, targets, slices, keep, create_graph, allow_unused=allow_unused or materialize
        )

    results = over_batch(all_at_once, seeds)
    return tuple(
        _materialized(t, create_graph) if materialize and r is None else r
        for r, t in zip(results, targets, strict=True)
    )


def _refuse_unbatched(i: int, aval: Any, seeds: Sequence) -> NoReturn:
    """One for the gradient that was left out has a batch dimension only by mistake."""
    if math.prod(aval.shape) != 1:
        _implicit(aval)  # raises
    if aval.shape and all(seed is None or tuple(seed.shape[:1]) == (1,) for seed in seeds):
        raise RuntimeError(
            f"invalid gradient at index {i} - got {list(aval.shape[1:])} but expected shape "
            f"compatible with {list(aval.shape)}: is_grads_batched takes the first dimension of a "
            "gradient that was left out for the batch. Give grad_outputs."
        )
    raise ValueError(
        "is_grads_batched needs grad_outputs whose first dimension is the batch: got a gradient "
        "that was left out, which is a Tensor of dimensionality 0 so expected in_dim to satisfy "
        "0 <= in_dim < 0."
    )


def _check_batched(i: int, root: Any, seed: Any) -> None:
    aval = _aval(root)
    if seed._aval.shape[1:] != aval.shape:
        raise RuntimeError(
            "If `is_grads_batched=True`, we interpret the first dimension of each grad_output as "
            "the batch dimension. The sizes of the remaining dimensions are expected to match the "
            f"shape of corresponding output, but a mismatch was detected: grad_output[{i}] has a "
            f"shape of {seed.shape} and output[{i}] has a shape of torch.Size({list(aval.shape)})."
        )


def _listed(x: Any) -> list:
    return [x] if isinstance(x, Face.tensor) or hasattr(x, "node") else list(x)


def _inputs(x: Any, name: str) -> list:
    """The inputs that a caller names: as `_listed`, or the values of a dict."""
    if not isinstance(x, dict):
        return _listed(x)
    if type(x) is not dict:
        raise TypeError(
            f"`inputs` argument to `{name}()` must be a dict, not {type(x).__name__}: convert it "
            "with dict(...)"
        )
    return list(x.values())


def _aval(root: Any) -> Aval:
    """Shape and dtype of the gradient of a tensor or of an edge."""
    if isinstance(root, Face.tensor):
        return root._aval
    if not hasattr(root, "node"):
        raise AssertionError(f"Expected output to be a torch.Tensor, got {type(root).__name__}")
    return root.node.avals[root.nr]


def _edge(item: Any) -> Edge:
    """Where the gradient of a tensor goes, or what an edge says."""
    if isinstance(item, Face.tensor):
        return gradient_edge(item)
    if not hasattr(item, "node"):
        raise RuntimeError(
            f"all inputs have to be Tensors or GradientEdges, but got {type(item).__name__}"
        )
    return Edge(item.node, item.nr)


def _root_edges(roots: Sequence) -> list[Edge]:
    edges = []
    for i, root in enumerate(roots):
        edge = gradient_edge(root) if isinstance(root, Face.tensor) else _edge(root)
        if edge.node is None:
            raise RuntimeError(
                f"element {i} of tensors does not require grad and does not have a grad_fn"
            )
        edges.append(edge)
    return edges


class Nowhere(Node):
    """A node to which no graph leads."""


def _input_edges(targets: Sequence) -> list[Edge]:
    edges = [_edge(target) for target in targets]
    for i, (target, edge) in enumerate(zip(targets, edges, strict=True)):
        if edge.node is None:
            if not target.requires_grad:
                raise RuntimeError("One of the differentiated Tensors does not require grad")
            edges[i] = Edge(Nowhere(), 0)  # only its base requires one
    return edges


def _seeds(roots: Sequence, given: Any) -> list:
    """The gradient of each root: given, or one for a scalar."""
    grads = [None] * len(roots) if given is None else _listed(given)
    seeds = list(map(_seed, itertools.count(), roots, grads))
    if len(seeds) != len(roots):
        raise RuntimeError(f"got {len(roots)} tensors and {len(seeds)} gradients")
    return seeds


def _seed(i: int, root: Any, given: Any) -> Any:
    aval = root._aval if isinstance(root, Face.tensor) else _aval(root)
    if given is None:
        needs = not isinstance(root, Face.tensor) or root._requires_grad
        return _implicit(aval) if needs else None
    if not isinstance(given, Face.tensor):
        raise TypeError(f"gradients can be either Tensors or None, but got {type(given).__name__}")
    if given._aval.shape != aval.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[{i}] has a shape of {given.shape} and output[{i}] has "
            f"a shape of torch.Size({list(aval.shape)})."
        )
    if types.is_complex(given._aval.dtype) != types.is_complex(aval.dtype):
        raise RuntimeError(
            "For complex Tensors, both grad_output and output are required to have the same dtype. "
            f"Mismatch in dtype: grad_output[{i}] has a dtype of {given.dtype} and output[{i}] has "
            f"a dtype of {Face.dtype(aval)}."
        )
    return given if given._aval is aval else fit_to(given, aval)


@functools.cache
def _implicit(aval: Aval) -> Any:
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
            f"grad can be implicitly created only for real scalar outputs but got "
            f"{Face.dtype(aval)}"
        )
    return IMPLICIT


def _materialized(target: Any, create_graph: bool) -> Any:
    """The gradient of what was not used: zeros, a leaf."""
    if not isinstance(target, Face.tensor):
        raise RuntimeError(
            "materialize_grads cannot be used when the given input is a GradientEdge: an edge does "
            "not tell of what the zeros would be"
        )
    made = zeros(_aval(target))
    made.requires_grad = create_graph
    return made


def _result(i: int, result: Any, allow_unused: bool) -> Any:
    if result is None and not allow_unused:
        raise RuntimeError(
            f"The differentiated Tensor at index {i} appears to not have been used in the graph. "
            f"Set allow_unused=True if this is the desired behavior."
        )
    return result


def zeros(aval: Aval) -> Any:
    """A Tensor of zeros."""
    return wrap(execute(ZEROS, (), (aval.shape, aval.dtype))[0])


def fit_to(grad: Any, aval: Aval) -> Any:
    """A gradient in the shape and dtype of what it belongs to; recorded if it has a history."""
    if type(grad) is Value:
        return execute(FIT, (grad,), (aval.shape, aval.dtype))[0]
    return grad._fit(aval)


def check_results(node: Node, results: Sequence[Any]) -> Sequence[Any]:
    """What a node returned, in the shape and dtype of where it goes; once, for all nodes."""
    if type(results) is not list:
        results = list(results)
    if len(results) != len(node.targets):
        raise RuntimeError(
            f"Function {node.name()} returned an incorrect number of gradients (expected "
            f"{len(node.targets)}, got {len(results)})"
        )
    for i, (result, following) in enumerate(zip(results, node.targets, strict=True)):
        if result is None or following is None:
            continue
        aval = following.avals[node.numbers[i]]
        given = result.aval if type(result) is Value else result._aval
        if given is not aval:
            results[i] = _validated(node, i, result, given, aval)
    return results


def _validated(node: Node, i: int, result: Any, given: Aval, aval: Aval) -> Any:
    is_op = isinstance(node, OpNode)
    if not is_op and types.is_complex(given.dtype) and not types.is_complex(aval.dtype):
        raise RuntimeError(
            f"Function {node.name()} returned a complex gradient at index {i} for a real input: "
            "Expected isFloatingType(grad.scalar_type()) || (input_is_complex == grad_is_complex) "
            "to be true, but got false"
        )
    if given.shape != aval.shape and not _expands_to(aval.shape, given.shape):
        raise RuntimeError(
            f"Function {node.name()} returned an invalid gradient at index {i} - got "
            f"{list(given.shape)} but expected shape compatible with {list(aval.shape)}"
        )
    if aval.dtype is None:  # `grad_dtype` of the leaf: taken as it comes
        aval = Aval.of(aval.shape, given.dtype)
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
    values = [g if isinstance(g, Value) else g._read() for g in (first, second)]
    return laid_as_sum(execute(ADD, values)[0], first, second)


def check_hook(given: Any, result: Any, hook: Any) -> Any:
    """What a hook returned in place of ``given``: a Tensor of the same shape and dtype."""
    name = getattr(hook, "__name__", "<unknown>")
    if not isinstance(result, Face.tensor):
        raise TypeError(f"expected Variable, but hook returned '{type(result).__name__}'")
    if given is None:
        return result
    if result._aval.dtype != given._aval.dtype:
        raise RuntimeError(
            f"hook '{name}' has changed the type of value (was {given.type()} got {result.type()})"
        )
    if result._aval.shape != given._aval.shape:
        raise RuntimeError(f"hook '{name}' has changed the size of value")
    return result


def has_nan(result: Any) -> bool:
    """Whether there is a NaN in a gradient."""
    value = result if type(result) is Value else result._read()
    array = value.numpy()
    return types.is_differentiable(array.dtype) and bool((array != array).any())


Hooks.check_hook = staticmethod(check_hook)
Hooks.has_nan = staticmethod(has_nan)
Hooks.add = staticmethod(add)
Hooks.check = staticmethod(check_results)
OpNode.zeros = staticmethod(zeros)
OpNode.number = staticmethod(lambda number: wrap(Value.of(np.asarray(number))))
OpNode.owner, OpNode.formula_owner = OWNER, IN_FORMULA

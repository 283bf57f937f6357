"""`torch.utils._pytree`: nested containers as a flat list of leaves and a structure.

None is a leaf, as in PyTorch. Containers are tuples, named tuples, lists, dicts, ordered and
default dicts, deques, and the classes given to `register_pytree_node`.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from ..sizes import Size


class NodeDef(NamedTuple):
    """How a container is taken apart and put together."""

    flatten_fn: Callable[[Any], tuple[list, Any]]
    unflatten_fn: Callable[[Iterable, Any], Any]


def _of_defaultdict(children: Iterable, context: Any) -> Any:
    factory, keys = context
    return defaultdict(factory, zip(keys, children, strict=True))


def _mapping(cls: type) -> NodeDef:
    return NodeDef(
        lambda d: (list(d.values()), list(d)),
        lambda children, keys: cls(zip(keys, children, strict=True)),
    )


SUPPORTED_NODES: dict[type, NodeDef] = {
    tuple: NodeDef(lambda t: (list(t), None), lambda children, _: tuple(children)),
    Size: NodeDef(lambda t: (list(t), None), lambda children, _: Size(children)),
    list: NodeDef(lambda t: (t, None), lambda children, _: list(children)),
    dict: _mapping(dict),
    OrderedDict: _mapping(OrderedDict),
    defaultdict: NodeDef(
        lambda d: (list(d.values()), [d.default_factory, list(d)]), _of_defaultdict
    ),
    deque: NodeDef(
        lambda d: (list(d), d.maxlen), lambda children, maxlen: deque(children, maxlen=maxlen)
    ),
}
_MAPPINGS = (dict, OrderedDict, defaultdict)
_NAMED = NodeDef(lambda t: (list(t), type(t)), lambda children, cls: cls(*children))


def register_pytree_node(
    cls: type, flatten_fn: Callable, unflatten_fn: Callable, **others: Any
) -> None:
    """Make ``cls`` a container: ``flatten_fn(x)`` gives its children and what else it is."""
    if cls in SUPPORTED_NODES:
        raise ValueError(f"{cls} is already registered as pytree node.")
    SUPPORTED_NODES[cls] = NodeDef(flatten_fn, unflatten_fn)


_register_pytree_node = register_pytree_node


def _is_named(tree: Any) -> bool:
    return isinstance(tree, tuple) and hasattr(tree, "_fields")


def _definition(tree: Any) -> NodeDef | None:
    return _NAMED if _is_named(tree) else SUPPORTED_NODES.get(type(tree))


class TreeSpec:
    """The structure of a nested container, without its leaves."""

    def __init__(self, type: Any, context: Any, children_specs: list[TreeSpec]):
        self.type, self.context, self.children_specs = type, context, children_specs

    def is_leaf(self) -> bool:
        """Whether this stands for one leaf."""
        return self.type is None

    @property
    def num_leaves(self) -> int:
        """The number of leaves."""
        return 1 if self.is_leaf() else sum(child.num_leaves for child in self.children_specs)

    def unflatten(self, leaves: Iterable) -> Any:
        """The container with these leaves."""
        return tree_unflatten(leaves, self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TreeSpec) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash((self.type, self.num_leaves))

    def _parts(self) -> tuple:
        return self.type, self.context, self.children_specs

    def __repr__(self) -> str:
        if self.is_leaf():
            return "*"
        children = ", ".join(map(repr, self.children_specs))
        return f"TreeSpec({self.type.__name__}, {self.context}, [{children}])"


def _is_of_named(spec: TreeSpec) -> bool:
    return spec.type is tuple and isinstance(spec.context, type)


def tree_flatten(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> tuple[list, TreeSpec]:
    """The leaves of a nested container in order, and its structure."""
    leaves: list = []
    return leaves, _flatten(tree, leaves, is_leaf)


def _flatten(tree: Any, leaves: list, is_leaf: Callable[[Any], bool] | None) -> TreeSpec:
    definition = None if is_leaf is not None and is_leaf(tree) else _definition(tree)
    if definition is None:
        leaves.append(tree)
        return TreeSpec(None, None, [])
    children, context = definition.flatten_fn(tree)
    kind = tuple if definition is _NAMED else type(tree)
    return TreeSpec(kind, context, [_flatten(child, leaves, is_leaf) for child in children])


def tree_unflatten(leaves: Iterable, treespec: TreeSpec) -> Any:
    """The container of this structure with these leaves."""
    leaves = list(leaves)
    if len(leaves) != treespec.num_leaves:
        raise ValueError(
            f"tree_unflatten(leaves, treespec): `leaves` has length {len(leaves)} but the spec "
            f"refers to a pytree that holds {treespec.num_leaves} items ({treespec})."
        )
    return _unflatten(iter(leaves), treespec)


def _unflatten(leaves: Any, spec: TreeSpec) -> Any:
    if spec.is_leaf():
        return next(leaves)
    children = [_unflatten(leaves, child) for child in spec.children_specs]
    definition = _NAMED if _is_of_named(spec) else SUPPORTED_NODES[spec.type]
    return definition.unflatten_fn(children, spec.context)


def tree_leaves(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> list:
    """The leaves in order."""
    return tree_flatten(tree, is_leaf)[0]


def tree_iter(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> Iterator:
    """As `tree_leaves`, as an iterator."""
    return iter(tree_leaves(tree, is_leaf))


def tree_structure(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> TreeSpec:
    """The structure."""
    return tree_flatten(tree, is_leaf)[1]


def tree_map(
    func: Callable, tree: Any, *rests: Any, is_leaf: Callable[[Any], bool] | None = None
) -> Any:
    """The container with ``func`` of each leaf, and of the leaves in its place in ``rests``."""
    leaves, spec = tree_flatten(tree, is_leaf)
    others = [_flatten_up_to(rest, spec) for rest in rests]
    return tree_unflatten(map(func, leaves, *others), spec)


def _flatten_up_to(tree: Any, spec: TreeSpec) -> list:
    """The parts of ``tree`` at the leaves of ``spec``."""
    if spec.is_leaf():
        return [tree]
    children = _children_like(tree, spec)
    if len(children) != len(spec.children_specs):
        raise ValueError(
            f"Node arity mismatch; expected {len(spec.children_specs)}, but got {len(children)}."
        )
    pairs = zip(children, spec.children_specs, strict=True)
    return [part for child, below in pairs for part in _flatten_up_to(child, below)]


def _children_like(tree: Any, spec: TreeSpec) -> list:
    """The children of ``tree`` in the order of ``spec``: those of mappings by their keys."""
    if spec.type in _MAPPINGS and type(tree) in _MAPPINGS:
        keys = spec.context[1] if spec.type is defaultdict else spec.context
        if set(keys) != set(tree):
            missing, extra = set(keys) - set(tree), set(tree) - set(keys)
            raise ValueError(
                f"Node keys mismatch; missing key(s): {missing}; extra key(s): {extra}."
            )
        return [tree[key] for key in keys]
    expected = spec.context if _is_of_named(spec) else spec.type
    definition = _definition(tree)
    if definition is None or type(tree) is not expected:
        raise ValueError(f"Node type mismatch; expected {expected!r}, but got {type(tree)!r}.")
    return definition.flatten_fn(tree)[0]


def tree_map_(func: Callable, tree: Any, *rests: Any, **options: Any) -> Any:
    """Call ``func`` on each leaf; gives ``tree`` itself."""
    tree_map(func, tree, *rests, **options)
    return tree


def map_only(kinds: Any, /) -> Callable[[Callable], Callable]:
    """Decorator: a function that leaves alone what is not of ``kinds``, types or a predicate."""
    matches = kinds if callable(kinds) and not isinstance(kinds, type) else None

    def wrapper(func: Callable) -> Callable:
        def inner(x: Any) -> Any:
            chosen: Any = isinstance(x, kinds) if matches is None else matches(x)  # type: ignore
            return func(x) if chosen else x

        return inner

    return wrapper


def tree_map_only(kinds: Any, /, func: Callable, tree: Any, **options: Any) -> Any:
    """`tree_map` of the leaves of ``kinds``."""
    return tree_map(map_only(kinds)(func), tree, **options)


def tree_map_only_(kinds: Any, /, func: Callable, tree: Any, **options: Any) -> Any:
    """`tree_map_` of the leaves of ``kinds``."""
    return tree_map_(map_only(kinds)(func), tree, **options)


def tree_all(pred: Callable, tree: Any, **options: Any) -> bool:
    """Whether ``pred`` holds for all leaves."""
    return all(map(pred, tree_leaves(tree, **options)))


def tree_any(pred: Callable, tree: Any, **options: Any) -> bool:
    """Whether ``pred`` holds for some leaf."""
    return any(map(pred, tree_leaves(tree, **options)))


def tree_all_only(kinds: Any, /, pred: Callable, tree: Any, **options: Any) -> bool:
    """`tree_all` of the leaves of ``kinds``."""
    return all(pred(x) for x in tree_leaves(tree, **options) if isinstance(x, kinds))


def tree_any_only(kinds: Any, /, pred: Callable, tree: Any, **options: Any) -> bool:
    """`tree_any` of the leaves of ``kinds``."""
    return any(pred(x) for x in tree_leaves(tree, **options) if isinstance(x, kinds))

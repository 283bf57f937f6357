"""`torch.utils._pytree`: containers as leaves and a structure."""

import collections
import importlib

Point = collections.namedtuple("Point", "x y")


def pytree(torch):
    return importlib.import_module(f"{torch.__name__}.utils._pytree")


def case_round_trip(torch, show):
    tree = pytree(torch)
    nested = {
        "b": [1, (2, None)], "a": collections.OrderedDict(z=3, y=Point(4, [5])),
        "d": collections.deque([6], maxlen=3), "e": (), "f": collections.defaultdict(list, k=7),
    }  # fmt: skip
    leaves, spec = tree.tree_flatten(nested)
    show(leaves, spec.num_leaves, spec.is_leaf())
    again = tree.tree_unflatten(leaves, spec)
    show(again == nested, type(again["a"]), type(again["a"]["y"]), again["d"].maxlen, list(again))
    show(again["f"]["new"], tree.tree_structure(again) == spec)
    show(tree.tree_structure([1]) == tree.tree_structure((1,)), tree.tree_leaves(3))
    show.error(lambda: tree.tree_unflatten([1], spec), "`leaves` has length 1 but the spec")


def case_maps(torch, show):
    tree = pytree(torch)
    show(tree.tree_map(lambda x: x * 2, {"a": [1, (2,)], "b": 3}))
    show(tree.tree_map(lambda x, y: (x, y), [1, (2,)], [3, (4,)]))
    show(tree.tree_map_only(int, lambda x: x + 1, [1, "a", (2.0, 3)]))
    show(tree.tree_map_only((int, float), lambda x: x + 1, [1, "a", (2.0, 3)]))
    show(tree.tree_map_only(torch.Tensor, lambda x: x * 2, [torch.ones(2), 5]))
    show(tree.tree_all(lambda x: x > 0, [1, (2,)]), tree.tree_any(lambda x: x > 1, [1, (0,)]))
    show(tree.tree_all_only(int, lambda x: x > 0, [1, "a"]))
    show(tree.tree_any_only(int, lambda x: x > 1, [1, "a"]))
    seen = []
    items = [1, [2]]
    show(tree.tree_map_(seen.append, items) is items, seen)
    show(tree.tree_leaves([(1, 2), 3], is_leaf=lambda x: isinstance(x, tuple)))
    show.error(lambda: tree.tree_map(lambda x, y: 0, [1, 2], [1]), "Node arity mismatch")
    show.error(lambda: tree.tree_map(lambda x, y: 0, [1], (1,)))


def case_registered(torch, show):
    tree = pytree(torch)

    class Pair:
        def __init__(self, a, b):
            self.a, self.b = a, b

    show(tree.tree_leaves(Pair(1, 2))[0].a)
    tree.register_pytree_node(
        Pair, lambda p: ([p.a, p.b], None), lambda children, _: Pair(*children)
    )
    doubled = tree.tree_map(lambda x: x * 2, [Pair(1, 2)])
    show(doubled[0].a, doubled[0].b, tree.tree_leaves(doubled))
    show.error(lambda: tree.register_pytree_node(Pair, None, None), "is already registered")


def case_containers_side_by_side(torch, show):
    tree = pytree(torch)
    show(tree.tree_map(lambda a, b: (a, b), {"a": 1, "b": 2}, {"b": 10, "a": 20}))
    show(tree.tree_map(lambda a, b: (a, b), {"a": 1}, collections.OrderedDict(a=3)))
    show(tree.tree_flatten(torch.Size([2, 3]))[0], next(tree.tree_iter([1, 2])))
    one = {"a": 1, "b": 2}
    show.error(lambda: tree.tree_map(max, one, {"b": 10, "c": 20}), "Node keys mismatch")
    show.error(lambda: tree.tree_map(max, Point(1, 2), (3, 4)), "Node type mismatch")

"""What a step does to the Python world besides changing elements: ``.grad`` that appears, new state."""

from __future__ import annotations

import types
from typing import Any

from ..execute import Value
from ..tensor import Tensor
from ..views import Storage
from .world import World


class Transition:
    """From one world to the next, each time with new tensors in place of those the trace made."""

    def __init__(self, before: World, after: World):
        old = {id(container): content for container, content in before.saved}
        own = {id(t) for t in before.tensors.values()}
        self.own = own
        self.edits = [
            (container, content) for container, content in after.saved
            if id(_key(container)) not in old or not _same(old[id(_key(container))], content)
        ]  # fmt: skip
        self.made = [t for t in after.tensors.values() if id(t) not in own]
        made = {id(vars(t)) for t in self.made}
        self.edits = [(c, content) for c, content in self.edits if id(c) not in made]
        self.leaves = dict(after.leaves)
        self.known = set(before.leaves.values())
        self.avals = {n: s.value.aval for n, s in after.leaves.items()}

    def apply(self, arrays: dict[str, Any]) -> None:
        """Make the world what it is after the step, with these arrays where leaves have changed."""
        storages: dict[Storage, Storage] = {}
        for name, storage in self.leaves.items():
            fresh = storage
            if storage not in self.known:
                fresh = storages[storage] = Storage(Value.of(arrays[name]))
                fresh.geometry = storage.geometry
            elif name in arrays:
                storage.value = Value.of(arrays[name])
        twins: dict[int, Tensor] = {}
        for tensor in self.made:
            twins[id(tensor)] = object.__new__(type(tensor))
        for tensor in self.made:
            fields = {k: twins.get(id(v), v) for k, v in vars(tensor).items()}
            fields["_storage"] = storages.get(tensor._storage, tensor._storage)
            if fields.get("_counter") is tensor._storage:
                fields["_counter"] = fields["_storage"]
            fields.pop("_accumulator", None)
            vars(twins[id(tensor)]).update(fields)
        for container, content in self.edits:
            _put(container, content, twins)


def _key(container: Any) -> Any:
    return container


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(first[k] is second[k] for k in first)
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return len(first) == len(second) and all(a is b for a, b in zip(first, second, strict=True))
    return first is second


def _put(container: Any, content: Any, twins: dict[int, Tensor]) -> None:
    if isinstance(container, types.CellType):
        container.cell_contents = _twin(content, twins)
    elif isinstance(content, dict):
        fresh = {k: _twin(v, twins) for k, v in content.items()}
        if hasattr(container, "write"):
            container.write(fresh)
            return
        container.clear()
        container.update(fresh)
    elif hasattr(container, "write"):
        container.write(tuple(_twin(v, twins) for v in content))
    else:
        container[:] = [_twin(v, twins) for v in content]


def _twin(x: Any, twins: dict[int, Tensor]) -> Any:
    if type(x) is tuple:
        return tuple(_twin(v, twins) for v in x)
    return twins.get(id(x), x)

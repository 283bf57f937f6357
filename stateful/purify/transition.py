"""What a step does to the Python world besides changing elements: new ``.grad``, new state."""

from __future__ import annotations

import types
from typing import Any

from ..execute import Value
from ..tensor import Tensor
from ..views import Storage
from .world import Group, Names, Rest, Slots, World


class Transition:
    """From one world to the next, each time with new tensors in place of those the trace made."""

    def __init__(self, before: World, after: World, by_name: bool = False):
        old = {_key(container): content for container, content in before.saved}
        own = {id(t) for t in before.tensors.values()}
        self.twins: dict[int, Any] = {}
        self.storages: dict[Storage, Storage] = {}
        if by_name:
            self._match(before, after)
        new = [t for t in after.tensors.values() if id(t) not in own]
        self.made = [t for t in new if id(t) not in self.twins]
        made = {id(vars(t)) for t in new}
        self.edits = [
            (container, content) for container, content in after.saved
            if id(container) not in made and not _same(old.get(_key(container)), content)
        ]  # fmt: skip
        self.keys = {_key(c) for c, _ in self.edits} & old.keys()
        self.kept = {n: s for n, s in before.leaves.items() if after.leaves.get(n) is s}
        self.leaves = dict(after.leaves)
        self.known = set(before.leaves.values())

    def fits(self, world: World) -> bool:
        """Whether a world of the same facts has the same containers and storages, too."""
        return self.keys <= {_key(container) for container, _ in world.saved} and all(
            world.leaves[name] is storage for name, storage in self.kept.items()
        )

    def _match(self, before: World, after: World) -> None:
        """Take tensors that have the same name in both worlds for the same."""
        for name, tensor in after.tensors.items():
            present = before.tensors.get(name)
            if present is not None and present is not tensor:
                self.twins[id(tensor)] = present
                self.storages[tensor._storage] = present._storage

    def apply(self, arrays: dict[str, Any]) -> None:
        """Make the world what it is after the step, with these arrays where leaves have changed."""
        storages = dict(self.storages)
        for name, storage in self.leaves.items():
            if storage not in self.known and storage not in storages:
                fresh = storages[storage] = Storage(Value.of(arrays[name]))
                fresh.geometry = storage.geometry
            elif name in arrays:
                storage = storages.get(storage, storage)
                storage.value = Value.of(arrays[name])
                storage.version += 1
        twins = dict(self.twins)
        for tensor in self.made:
            twins[id(tensor)] = object.__new__(type(tensor))  # type: ignore[assignment]
        for tensor in self.made:
            fields = {k: twins.get(id(v), v) for k, v in vars(tensor).items()}
            fields["_storage"] = storages.get(tensor._storage, tensor._storage)
            if fields.get("_counter") is tensor._storage:
                fields["_counter"] = fields["_storage"]
            fields.pop("_accumulator", None)
            vars(twins[id(tensor)]).update(fields)
        for container, content in self.edits:
            _put(container, content, twins)


def _key(container: Any) -> tuple:
    if isinstance(container, Names):
        return id(container.space), container.names
    if isinstance(container, Slots):
        return id(container.owner), container.names
    return (id(container.group if isinstance(container, Group) else container),)


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, dict) and isinstance(second, dict):
        if isinstance(second, Rest):
            return all(first.get(k, second) is v for k, v in second.items())
        return first.keys() == second.keys() and all(first[k] is second[k] for k in first)
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return len(first) == len(second) and all(a is b for a, b in zip(first, second, strict=True))
    return first is second


def _put(container: Any, content: Any, twins: dict[int, Tensor]) -> None:
    if isinstance(container, types.CellType):
        container.cell_contents = _twin(content, twins)
    elif isinstance(container, Names | Slots):
        container.update(_twin(content, twins))
    elif isinstance(content, dict):
        fresh = {k: _twin(v, twins) for k, v in content.items()}
        if not isinstance(content, Rest):
            container.clear()
        container.update(fresh)
    else:
        container.clear()
        container.extend([_twin(v, twins) for v in content])


def _twin(x: Any, twins: dict[int, Tensor]) -> Any:
    if type(x) is tuple:
        return tuple(_twin(v, twins) for v in x)
    return twins.get(id(x), x)

"""`Registered`: what a module registers is found without failing first.

Python calls ``__getattr__`` after the usual search has failed and an exception has said so, which
takes longer than all the rest of the way to a parameter. So classes of modules learn the names.
"""

from __future__ import annotations

from typing import Any


class Registered:
    """In a class of modules, the name of what is in ``place`` of its instances.

    An attribute of the instance comes first, and ``__getattr__`` is called where there is nothing.
    """

    __slots__ = ("place", "name")

    def __init__(self, place: str, name: str):
        self.place, self.name = place, name

    def __get__(self, module: Any, owner: type) -> Any:
        if module is not None:
            try:
                return module.__dict__[self.place][self.name]
            except KeyError:
                pass
        raise AttributeError(f"type object '{owner.__name__}' has no attribute '{self.name}'")


def learn(owner: type, place: str, name: str) -> None:
    """Let ``owner`` find ``name`` in ``place``, if an attribute it has does not come before."""
    if name.isidentifier() and not any(name in base.__dict__ for base in owner.__mro__):
        setattr(owner, name, Registered(place, name))

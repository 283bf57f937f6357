"""`functional_call`: a module called with other parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ...dispatch import Face


def functional_call(
    module: Any, parameter_and_buffer_dicts: Any, args: Any = None, kwargs: dict | None = None, *,
    tie_weights: bool = True, strict: bool = False,
) -> Any:  # fmt: skip
    """``module(*args, **kwargs)`` with these tensors in place of its own, by dotted name.

    With ``tie_weights`` a tensor under one name also replaces the same parameter under others.
    ValueError if two dicts have a key in common. RuntimeError, with ``strict``, for other keys.

    >>> import stateful as torch
    >>> layer = torch.nn.Linear(1, 1)
    >>> given = {"weight": torch.tensor([[2.0]]), "bias": torch.tensor([1.0])}
    >>> torch.nn.utils.stateless.functional_call(layer, given, (torch.tensor([3.0]),))
    tensor([7.])
    """
    given = _merged(parameter_and_buffer_dicts)
    own = {**dict(module.named_parameters(remove_duplicate=False)),
           **dict(module.named_buffers(remove_duplicate=False))}  # fmt: skip
    if strict:
        unexpected, missing = sorted(set(given) - set(own)), sorted(set(own) - set(given))
        if unexpected or missing:
            wrong = [("Unexpected", unexpected), ("Missing", missing)]
            raise RuntimeError(
                f"Error(s) in reparametrizing for {type(module).__name__}:"
                + "".join(f"\n\t{k} key(s): {', '.join(map(repr, n))}." for k, n in wrong if n)
            )
    given = {name: value for name, value in given.items() if name in own}
    for value in given.values():
        if value is not None and not isinstance(value, Face.tensor):
            raise TypeError(f"{value} is not an instance of torch.Tensor")
    if tie_weights:
        by_tensor: dict[int, Any] = {}
        for name, value in given.items():
            if by_tensor.setdefault(id(own[name]), value) is not value:
                tied = [n for n in given if own[n] is own[name]]
                raise ValueError(
                    f"functional_call got multiple values for keys {tied}, which are tied. "
                    "Consider using tie_weights=False"
                )
        given = {**{n: by_tensor[id(t)] for n, t in own.items() if id(t) in by_tensor}, **given}
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    with _replaced(module, given):
        return module(*args, **(kwargs or {}))


def _merged(given: Any) -> dict[str, Any]:
    if isinstance(given, Mapping):
        return dict(given)
    if not isinstance(given, list | tuple):
        raise ValueError(
            "Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got "
            f"{type(given)}"
        )
    merged: dict[str, Any] = {}
    for each in given:
        repeated = merged.keys() & each.keys()
        if repeated:
            raise ValueError(f"{sorted(repeated)} appears in multiple dictionaries")
        merged.update(each)
    return merged


@contextmanager
def _replaced(module: Any, given: Mapping[str, Any]) -> Iterator[None]:
    """Put tensors into the tables of the modules, and put back what was there."""
    undo = []
    try:
        for dotted, value in given.items():
            path, _, name = dotted.rpartition(".")
            owner = module.get_submodule(path)
            table = owner._parameters if name in owner._parameters else owner._buffers
            if name not in table:
                raise AttributeError(f"{type(owner).__name__} has no parameter or buffer `{name}`")
            undo.append((table, name, table[name]))
            table[name] = value
        yield
    finally:
        for table, name, before in reversed(undo):
            table[name] = before

"""Models by name: `named_parameters`, `functional_call`, `stack_module_state`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from .leaves import is_array, is_inexact


def dotted_name(path: Any) -> str:
    """A pytree path written as PyTorch writes parameter names.

    >>> tree = {"layers": [{"weight": 1.0}]}
    >>> [dotted_name(path) for path, _ in jax.tree_util.tree_flatten_with_path(tree)[0]]
    ['layers.0.weight']
    """
    return jax.tree_util.keystr(path, simple=True, separator=".")


def named_parameters(tree: Any) -> dict[str, Any]:
    """The arrays of a pytree by their dotted names, in pytree order: a functional `state_dict`.

    >>> list(named_parameters({"layers": [{"weight": jnp.ones(2)}, {"weight": jnp.ones(3)}]}))
    ['layers.0.weight', 'layers.1.weight']
    """
    flat = jax.tree_util.tree_flatten_with_path(tree)[0]
    return {dotted_name(path): leaf for path, leaf in flat if is_array(leaf)}


def _with_parameters(tree: Any, values: Mapping[str, Any]) -> Any:
    return jax.tree_util.tree_map_with_path(
        lambda path, leaf: values.get(dotted_name(path), leaf), tree
    )


def _merge(dictionaries: Any) -> dict[str, Any]:
    if isinstance(dictionaries, Mapping):
        return dict(dictionaries)
    if not isinstance(dictionaries, Sequence) or isinstance(dictionaries, str):
        raise ValueError(
            "Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got "
            f"{type(dictionaries)}"
        )
    merged: dict[str, Any] = {}
    repeated = []
    for dictionary in dictionaries:
        if not isinstance(dictionary, Mapping):
            raise ValueError(
                "Expected all elements of parameter_and_buffer_dicts to be dictionaries, got "
                f"{type(dictionary)}"
            )
        repeated += [name for name in dictionary if name in merged]
        merged.update(dictionary)
    if repeated:
        raise ValueError(
            f"{repeated} appeared in multiple dictionaries; behavior of functional call is "
            "ambiguous"
        )
    return merged


def functional_call(
    module: Callable,
    parameter_and_buffer_dicts: Any,
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """The output of `module` with the named arrays in place of its own.

    Args:
        module: a callable pytree, whose arrays are named by `named_parameters`; or a plain function
            `module(parameters, *args, **kwargs)`, which gets the merged dictionary.
        parameter_and_buffer_dicts: a dictionary from names to arrays, or several to be merged.
        args: the positional arguments; what is not a tuple is the only one.
        kwargs: the keyword arguments.
        tie_weights: replace an array that stands at several places everywhere when one of its names
            is given.
        strict: require every name of the module and no other.

    Raises:
        RuntimeError: missing, unexpected (under `strict`) keys.
        ValueError: no dictionaries, or one name in two of them.

    >>> functional_call(lambda p, x: p["weight"] * x, {"weight": jnp.array(2.0)}, jnp.array(3.0))
    Array(6., dtype=float32, weak_type=True)
    """
    values = _merge(parameter_and_buffer_dicts)
    arguments = () if args is None else args if isinstance(args, tuple) else (args,)
    own = named_parameters(module)
    if not own:
        return module(values, *arguments, **(kwargs or {}))
    missing = sorted(set(own) - set(values)) if strict else []
    unexpected = sorted(set(values) - set(own)) if strict else []
    if missing or unexpected:
        message = f"Error(s) in reparametrizing for {type(module).__name__}:"
        message += f"\n\tMissing key(s): {', '.join(map(repr, missing))}." if missing else ""
        message += (
            f"\n\tUnexpected key(s): {', '.join(map(repr, unexpected))}." if unexpected else ""
        )
        raise RuntimeError(message)
    if tie_weights:
        tied = {id(own[name]): value for name, value in values.items() if name in own}
        values = {name: tied[id(leaf)] for name, leaf in own.items() if id(leaf) in tied} | values
    return _with_parameters(module, values)(*arguments, **(kwargs or {}))


def stack_module_state(models: Sequence[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The state of several models of one kind, stacked for `vmap`: `(params, buffers)`.

    Both are dictionaries from dotted names to arrays with a new leading axis, one entry per model.
    Floating and complex arrays are params; the other arrays are buffers.

    Raises:
        RuntimeError: no models, or models of different classes or structures.

    >>> params, buffers = stack_module_state([{"w": jnp.ones(3)}, {"w": jnp.zeros(3)}])
    >>> params["w"].shape, buffers
    ((2, 3), {})
    """
    models = list(models)
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if len({type(model) for model in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    states = [named_parameters(model) for model in models]
    for i, state in enumerate(states):
        for name, leaf in states[0].items():
            if name not in state or state[name].shape != leaf.shape:
                got = f"shape {state[name].shape}" if name in state else "no such array"
                raise RuntimeError(
                    f"stack_module_state: models[0] has {name!r} of shape {leaf.shape}, "
                    f"models[{i}] has {got}. Models must be built alike"
                )
    stacked = {name: jnp.stack([state[name] for state in states]) for name in states[0]}
    params = {name: leaf for name, leaf in stacked.items() if is_inexact(leaf)}
    buffers = {name: leaf for name, leaf in stacked.items() if not is_inexact(leaf)}
    return params, buffers

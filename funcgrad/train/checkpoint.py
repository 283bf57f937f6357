"""Pytrees of arrays in one file: written all at once or not at all, read without running code.

The file is a numpy `.npz`: one member per leaf, named by its path, and one with JSON. A member has
a checksum; nothing is pickled. Writing goes to a temporary file in the same folder, which is
flushed to disk and then renamed: a process killed at any moment leaves the old file or the new one.
"""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..transforms.leaves import describe, named_leaves

_METADATA = "metadata.json"
_FORMAT = 1


class CheckpointError(RuntimeError):
    """A checkpoint that cannot be read, or that holds another tree than the one asked for."""


def save_checkpoint(path: str | os.PathLike, tree: Any, metadata: dict | None = None) -> None:
    """Write the arrays of `tree`, and `metadata` that JSON can hold, to the file `path`.

    Leaves are arrays of any dtype JAX has (bfloat16 and typed random keys too) or Python numbers.
    Arrays spread over several processes are gathered; the first process writes.

    Raises:
        TypeError: a leaf that is neither, with its path.

    >>> save_checkpoint(getfixture("tmp_path") / "state.npz", {"w": jnp.ones(2)}, {"step": 7})
    """
    members, kinds = {}, {}
    for name, leaf in named_leaves(tree, "tree"):
        members[name], kinds[name] = _encode(name, leaf)
    content = {"format": _FORMAT, "kinds": kinds, "metadata": metadata or {}}
    members[_METADATA] = np.frombuffer(json.dumps(content).encode(), np.uint8)
    if jax.process_index() == 0:
        _write_atomically(Path(path), members)


def _write_atomically(path: Path, members: dict[str, np.ndarray]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            np.savez(file, allow_pickle=False, **members)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _encode(name: str, leaf: Any) -> tuple[np.ndarray, str]:
    """A leaf as an array numpy can store, and a word that tells how to get it back."""
    if isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        return np.asarray(jax.random.key_data(leaf)), f"key:{jax.random.key_impl(leaf)}"
    if isinstance(leaf, jax.Array) and not leaf.is_fully_addressable:
        from jax.experimental import multihost_utils

        leaf = multihost_utils.process_allgather(leaf, tiled=True)
    array = np.asarray(leaf)
    if array.dtype == object:
        raise TypeError(f"save_checkpoint: {name} is {describe(leaf)}, not an array or a number")
    if array.dtype.kind == "V":  # bfloat16 and its like, which numpy would store as raw bytes
        return array.view(f"u{array.dtype.itemsize}"), f"bits:{array.dtype.name}"
    return array, "python" if isinstance(leaf, bool | int | float | complex) else "array"


def _decode(stored: np.ndarray, kind: str) -> Any:
    kind, _, detail = kind.partition(":")
    if kind == "key":
        return jax.random.wrap_key_data(jnp.asarray(stored), impl=detail)
    if kind == "bits":
        return stored.view(jnp.dtype(detail))
    return stored.item() if kind == "python" else stored


def load_metadata(path: str | os.PathLike) -> dict:
    """The `metadata` that `save_checkpoint` wrote.

    >>> path = getfixture("tmp_path") / "state.npz"
    >>> save_checkpoint(path, {}, {"step": 7})
    >>> load_metadata(path)
    {'step': 7}
    """
    return _read(path)[1]["metadata"]


def load_checkpoint(path: str | os.PathLike, like: Any) -> tuple[Any, dict]:
    """The tree in the file `path`, in the structure of `like`, and its metadata.

    Every leaf gets the sharding of the leaf in `like`.

    Raises:
        FileNotFoundError: no such file.
        CheckpointError: a damaged file; a leaf that is missing, or of another shape or dtype.

    >>> path = getfixture("tmp_path") / "state.npz"
    >>> save_checkpoint(path, {"w": jnp.ones(2)}, {"step": 7})
    >>> load_checkpoint(path, {"w": jnp.zeros(2)})
    ({'w': Array([1., 1.], dtype=float32)}, {'step': 7})
    """
    members, content = _read(path)
    wanted = named_leaves(like, "tree")
    missing = [name for name, _ in wanted if name not in members]
    extra = sorted(set(members) - {name for name, _ in wanted})
    if missing or extra:
        raise CheckpointError(
            f"{path} holds another tree than the one asked for: "
            + "; ".join([f"it lacks {n}" for n in missing[:1]] + [f"it has {n}" for n in extra[:1]])
            + ". Was it written with another model, optimizer or option?"
        )
    leaves = []
    for name, leaf in wanted:
        value = _decode(members[name], content["kinds"][name])
        leaves.append(_placed(f"{path}: {name}", value, leaf))
    return jax.tree.unflatten(jax.tree.structure(like), leaves), content["metadata"]


def _placed(name: str, value: Any, like: Any) -> Any:
    if not hasattr(like, "shape"):
        return value
    if not hasattr(value, "shape") or value.shape != like.shape or value.dtype != like.dtype:
        raise CheckpointError(f"{name} is {describe(value)} and {describe(like)} is asked for")
    if isinstance(like, np.ndarray):
        return value
    if isinstance(like.sharding, jax.sharding.NamedSharding):
        return jax.make_array_from_callback(value.shape, like.sharding, lambda part: value[part])
    return jnp.array(value)


def _read(path: str | os.PathLike) -> tuple[dict[str, np.ndarray], dict]:
    try:
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            members = {name: file[name] for name in file.files}
        content = json.loads(members.pop(_METADATA).tobytes())
    except FileNotFoundError:
        raise
    except (zipfile.BadZipFile, ValueError, KeyError, OSError, EOFError) as error:
        raise CheckpointError(
            f"{path} is damaged or no checkpoint of this library ({error}). Delete it to start anew"
        ) from error
    if content["format"] != _FORMAT:
        raise CheckpointError(
            f"{path} has format {content['format']}, this library reads {_FORMAT}"
        )
    return members, content

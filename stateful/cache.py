"""Compiled programs kept on disk, by JAX's persistent compilation cache."""

from __future__ import annotations

import os
from pathlib import Path

import jax


def cache_programs(directory: str | os.PathLike | None = None) -> Path:
    """Keep compiled programs in ``directory`` and find them there in later processes; returns it.

    The default is ``funcgrad`` in the user's cache folder (``XDG_CACHE_HOME`` or ``~/.cache``).
    This sets JAX's own options (https://docs.jax.dev/en/latest/persistent_compilation_cache.html)
    for the whole process, so it is for a program's main file to call; ``stateful run`` does it by
    default.

    >>> import tempfile
    >>> import jax
    >>> import stateful as torch
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     torch.cache_programs(folder).is_dir()
    True
    >>> jax.config.update("jax_compilation_cache_dir", None)  # off again
    """
    if directory is None:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        directory = Path(home) / "funcgrad"
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    return folder

"""Generators of random numbers: a mutable holder of a pure `funcgrad.random.State`."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from jax.core import Tracer

from funcgrad import random as pure

from .creation import from_numpy
from .devices import device as Device

_DEFAULT_SEED = 67280421310721


class Generator:
    """PyTorch's CPU generator. All it has is `state`, a `funcgrad.random.State`.

    With a host state samplers give numpy arrays; with one of tracers (`funcgrad.random.to_traced`)
    they give tracers, so a program that assigns `state` before and reads it after a step can
    run that step under `jax.jit`. Seeding, and the first draw outside, make a host state again.

    >>> import stateful as torch
    >>> generator = torch.Generator().manual_seed(3)
    >>> generator
    <Generator device=cpu seed=3 position=0>
    """

    def __init__(self, device: Any = "cpu"):
        self._device = Device(device)
        if self._device.type != "cpu":
            raise RuntimeError(
                f"Cannot get a generator for '{self._device}': all random numbers are those of "
                "PyTorch's CPU generator; use Generator('cpu')."
            )
        self.state = pure.seed(_DEFAULT_SEED)

    def __repr__(self) -> str:
        state = self.state
        return f"<Generator device={self._device} seed={state.seed} position={state.position}>"

    @property
    def device(self) -> Device:
        """Where PyTorch would keep the state: always the CPU.

        >>> Generator().device
        device(type='cpu')
        """
        return self._device

    def draw(self, sampler: Callable, *args: Any, **kwargs: Any) -> Any:
        """`sampler(state, *args, **kwargs)`'s value, with the state moved on.

        `sampler` is a function of `funcgrad.random` or of its kind.

        >>> Generator().manual_seed(0).draw(pure.uniform, (2,))
        array([0.4962566, 0.7682218], dtype=float32)
        """
        state = self.state
        if pure.is_traced(state) and not isinstance(state.block, Tracer):
            state = pure.to_host(state)  # what a compiled program has left: numpy is faster
        value, self.state = sampler(state, *args, **kwargs)
        return np.asarray(value) if isinstance(value, np.generic) else value

    def manual_seed(self, seed: int) -> "Generator":
        """Start the sequence of `seed`, an integer in `[-2**63, 2**64)`; returns the generator.

        >>> Generator().manual_seed(-1).initial_seed()
        18446744073709551615
        """
        if not hasattr(seed, "__index__"):
            raise RuntimeError(
                f"manual_seed expected a long, but got {type(seed).__name__}; pass an integer."
            )
        self.state = pure.seed(int(seed))
        return self

    def seed(self) -> int:
        """Start a sequence that nobody can foresee; returns its seed.

        >>> generator = Generator()
        >>> generator.seed() == generator.initial_seed()
        True
        """
        seed = secrets.randbits(64)
        self.manual_seed(seed)
        return seed

    def initial_seed(self) -> int:
        """The seed that the current sequence started with.

        >>> Generator().initial_seed()
        67280421310721
        """
        return int(self.state.seed)

    def get_state(self):
        """The state as PyTorch's 5056 bytes.

        >>> Generator().get_state().shape
        torch.Size([5056])
        """
        return from_numpy(pure.to_bytes(self.state))

    def set_state(self, new_state: Any) -> None:
        """Continue from what `get_state` (PyTorch's or ours) returned.

        Raises `TypeError` for another dtype than uint8, `RuntimeError` for another size or content.

        >>> generator = Generator()
        >>> generator.set_state(Generator().manual_seed(5).get_state())
        >>> generator
        <Generator device=cpu seed=5 position=0>
        """
        self.state = pure.from_bytes(new_state)

    def clone_state(self) -> "Generator":
        """A second generator that will draw the same numbers.

        >>> generator = Generator().manual_seed(1)
        >>> bool((generator.clone_state().get_state() == generator.get_state()).all())
        True
        """
        clone = Generator(self._device)
        clone.state = self.state
        return clone


default_generator = Generator()
default_generator.seed()


def manual_seed(seed: int) -> Generator:
    """Seed the default generator; returns it.

    >>> import stateful as torch
    >>> torch.manual_seed(0)
    <Generator device=cpu seed=0 position=0>
    """
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Seed the default generator with a number that nobody can foresee; returns the number.

    >>> import stateful as torch
    >>> torch.seed() == torch.initial_seed()
    True
    """
    return default_generator.seed()


def initial_seed() -> int:
    """The seed of the default generator.

    >>> import stateful as torch
    >>> generator = torch.manual_seed(4)
    >>> torch.initial_seed()
    4
    """
    return default_generator.initial_seed()


def get_rng_state():
    """The default generator's state, 5056 bytes in a tensor of dtype uint8.

    >>> import stateful as torch
    >>> torch.get_rng_state().shape
    torch.Size([5056])
    """
    return default_generator.get_state()


def set_rng_state(new_state: Any) -> None:
    """Set the default generator's state to what `get_rng_state` returned.

    >>> import stateful as torch
    >>> state = torch.get_rng_state()
    >>> first = torch.rand(2)
    >>> torch.set_rng_state(state)
    >>> torch.equal(torch.rand(2), first)
    True
    """
    default_generator.set_state(new_state)


@contextmanager
def fork_rng(
    devices: Any = None, enabled: bool = True, device_type: str | None = None
) -> Iterator[None]:
    """Within the `with` block, draws do not move the default generator on.

    `devices` and `device_type` choose accelerator generators in PyTorch; there are none here.

    >>> import stateful as torch
    >>> _ = torch.manual_seed(0)
    >>> with torch.random.fork_rng():
    ...     _ = torch.rand(10)
    >>> torch.rand(2)
    tensor([0.4963, 0.7682])
    """
    before = default_generator.state
    try:
        yield
    finally:
        if enabled:
            default_generator.state = before

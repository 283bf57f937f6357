"""The state of a generator as a value, and its 5056-byte form."""

import struct
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

LENGTH = 624
# PyTorch's `CPUGeneratorImplState`: seed, left, seeded, next, words, (unused, normal, unused),
# normal is valid, and a float with its flag that no sampler uses.
_LAYOUT = struct.Struct("<QiiQ4992s3di4xf?3x")


class State(NamedTuple):
    """A Mersenne Twister between two draws; a pytree that no function changes.

    A *host* state holds a numpy block and Python numbers; a *traced* state (see `to_traced`) holds
    `jax.Array`s or tracers and can be carried by `jax.jit`, `jax.vmap` and `jax.lax.scan`.

    - `block`: uint32[624], the raw words of the current block;
    - `position`: how many of them are used up, 1..624; 0 just after seeding, when none is usable;
    - `next_normal`, `has_next_normal`: the unused half of a scalar Box-Muller pair (float64);
    - `seed`: the seed as `initial_seed` reports it, 0..2**64-1.

    >>> seed(7)
    State(seed=7, position=0)
    """

    block: Any
    position: Any
    next_normal: Any
    has_next_normal: Any
    seed: Any

    def __repr__(self) -> str:
        normal = f", next_normal={self.next_normal}" if self.has_next_normal is True else ""
        return f"State(seed={self.seed}, position={self.position}{normal})"


def seed(value: int) -> State:
    """The host state that PyTorch has after `manual_seed(value)`; any 64-bit integer.

    The low 32 bits seed the classic `init_genrand` of Matsumoto and Nishimura (2002).

    Raises `ValueError` for an integer outside `[-2**63, 2**64)`.

    >>> seed(-1).seed == 2**64 - 1
    True
    """
    if not -(2**63) <= value < 2**64:
        raise ValueError(
            f"Overflow when unpacking long long: the seed {value} does not fit into 64 bits; "
            "pass an integer in [-2**63, 2**64)."
        )
    value = int(value) % 2**64
    block = np.random.RandomState(value % 2**32).get_state(legacy=False)["state"]["key"]
    return State(_frozen(block), 0, 0.0, False, value)


def is_traced(state: State) -> bool:
    """Whether the samplers use JAX for this state (numpy otherwise).

    >>> is_traced(seed(0)), is_traced(to_traced(seed(0)))
    (False, True)
    """
    return not isinstance(state.block, np.ndarray)


def to_traced(state: State) -> State:
    """The same state as five `jax.Array`s (uint32[624], int32, float64, bool, uint64).

    >>> to_traced(seed(0)).position.dtype
    dtype('int32')
    """
    if is_traced(state):
        return state
    with jax.enable_x64():
        return State(
            jnp.asarray(state.block),
            jnp.asarray(state.position, jnp.int32),
            jnp.asarray(state.next_normal, jnp.float64),
            jnp.asarray(state.has_next_normal, jnp.bool),
            jnp.asarray(np.uint64(state.seed)),
        )


def to_host(state: State) -> State:
    """The same state as a numpy block and Python numbers. Fails on tracers, which have no value.

    >>> to_host(to_traced(seed(3)))
    State(seed=3, position=0)
    """
    if not is_traced(state):
        return state
    block, position, normal, flag, value = jax.device_get(tuple(state))
    return State(_frozen(np.array(block)), int(position), float(normal), bool(flag), int(value))


def to_bytes(state: State) -> np.ndarray:
    """What `torch.get_rng_state()` holds: uint8[5056].

    >>> to_bytes(seed(0)).shape
    (5056,)
    """
    state = to_host(state)
    left = LENGTH + 1 - state.position if state.position else 1
    words = state.block.astype("<u8").tobytes()
    flag = state.has_next_normal
    engine = (state.seed, left, 1, state.position, words)
    normal = (0.0, state.next_normal if flag else 0.0, 0.0, flag)
    return np.frombuffer(_LAYOUT.pack(*engine, *normal, 0.0, False), np.uint8).copy()


def from_bytes(data) -> State:
    """The host state behind the bytes of `torch.get_rng_state()`; inverse of `to_bytes`.

    `data`: a one-dimensional array of 5056 uint8. Raises `TypeError` for another dtype and
    `RuntimeError` for another size or for bytes that describe no generator.

    >>> from_bytes(to_bytes(seed(5)))
    State(seed=5, position=0)
    """
    data = np.asarray(data)
    if data.dtype != np.uint8:
        raise TypeError(f"RNG state must be a torch.ByteTensor (uint8), but got {data.dtype}.")
    if data.size != _LAYOUT.size:
        raise RuntimeError(
            f"Expected a CPUGeneratorImplState of size {_LAYOUT.size} but found the input RNG "
            f"state size to be {data.size}; pass what get_rng_state() returned."
        )
    value, left, seeded, position, words, _, normal, _, flag, _, _ = _LAYOUT.unpack(data.tobytes())
    expected = LENGTH + 1 - position if position else 1
    if not seeded or not 0 <= position <= LENGTH or left != expected:
        raise RuntimeError(
            f"Invalid mt19937 state: position {position}, {left} words left, seeded {seeded}; "
            "pass what get_rng_state() returned."
        )
    block = _frozen(np.frombuffer(words, "<u8").astype(np.uint32))
    return State(block, position, normal if flag else 0.0, bool(flag), value)


def _frozen(block: np.ndarray) -> np.ndarray:
    block.setflags(write=False)
    return block

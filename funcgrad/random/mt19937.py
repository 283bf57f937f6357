"""The Mersenne Twister (Matsumoto and Nishimura, 1998): words on the host and traced."""

import ctypes
import threading

import jax
import jax.numpy as jnp
import numpy as np

from .state import LENGTH, State

_MIDDLE = 397
_CACHED_BLOCKS = 16
_CHUNK = 2**15


class _Twister:
    """numpy's compiled MT19937 with its words in reach.

    numpy's own getter and setter cost 35 us each; drawing a block costs 3.
    """

    def __init__(self):
        self.bits = np.random.MT19937(0)
        address = self.bits.ctypes.state_address
        memory = (ctypes.c_uint32 * (LENGTH + 1)).from_address(address)
        self.memory = np.ctypeslib.as_array(memory)
        self.lock = threading.Lock()
        known = self.bits.state["state"]
        if not np.array_equal(self.memory, [*known["key"], known["pos"]]):
            raise RuntimeError(f"numpy {np.__version__} lays out MT19937 in an unknown way.")

    def fill(self, words: np.ndarray, block: np.ndarray) -> np.ndarray:
        """Write the tempered words of the blocks after `block`; returns the last block, raw."""
        with self.lock:
            self.memory[:LENGTH] = block
            self.memory[LENGTH] = LENGTH
            for start in range(0, words.size, _CHUNK):
                part = words[start : start + _CHUNK]
                part[:] = self.bits.random_raw(part.size)
            last = self.memory[:LENGTH].copy()
        last.setflags(write=False)
        return last


_twister = _Twister()
_tempered: dict[int, tuple[np.ndarray, np.ndarray]] = {}


def host_words(state: State, count: int) -> tuple[np.ndarray, State]:
    """The next `count` words, uint32, perhaps read-only, and the state after them."""
    if count == 0:
        return np.empty(0, np.uint32), state
    block, position, normal, flag, value = state
    position = position or LENGTH
    end = position + count
    if end <= LENGTH:
        return _temper_once(block)[position:end], State(block, end, normal, flag, value)
    blocks = (end - 1) // LENGTH
    rest = LENGTH - position
    words = np.empty(rest + blocks * LENGTH, np.uint32)
    if rest:
        words[:rest] = _temper_once(block)[position:]
    block = _twister.fill(words[rest:], block)
    _remember(block, words[-LENGTH:].copy())
    return words[:count], State(block, end - blocks * LENGTH, normal, flag, value)


def _temper_once(block: np.ndarray) -> np.ndarray:
    """The tempered words of a raw block, kept for the next small draw from the same block.

    The entry keeps the block alive too, so that its id is not given to another one.
    """
    known = _tempered.get(id(block))
    if known is None:
        known = _remember(block, temper(block))
    return known[1]


def _remember(block: np.ndarray, words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if len(_tempered) >= _CACHED_BLOCKS:
        _tempered.clear()
    words.setflags(write=False)
    _tempered[id(block)] = entry = (block, words)
    return entry


def traced_words(state: State, count: int, used=None) -> tuple[jax.Array, State]:
    """`host_words` in JAX. `count` is static; of that many words a traced number `used` may count
    as drawn in the state, and the next draw begins behind them."""
    if count == 0:
        return jnp.zeros(0, jnp.uint32), state
    start = jnp.where(state.position == 0, LENGTH, state.position)
    after = 1 + (count - 1) // LENGTH

    def step(block, _):
        block = twist(block)
        return block, block

    _, blocks = jax.lax.scan(step, state.block, None, length=after)
    blocks = jnp.concatenate([state.block[None], blocks])
    words = jax.lax.dynamic_slice(temper(blocks).reshape(-1), (start,), (count,))
    end = start + (count if used is None else used)
    last = (end - 1) // LENGTH
    position = end - last * LENGTH
    return words, state._replace(block=blocks[last], position=position.astype(jnp.int32))


def twist(block: jax.Array) -> jax.Array:
    """The block after `block`: word i needs words i, i + 1 and i + 397, new ones from 227 on."""
    following = jnp.roll(block, -1)
    first = _mix(block, following)
    gap = LENGTH - _MIDDLE
    low = block[_MIDDLE:] ^ first[:gap]
    middle = low ^ first[gap : 2 * gap]
    high = middle[: LENGTH - 1 - 2 * gap] ^ first[2 * gap : -1]
    last = middle[_MIDDLE - 1 - gap] ^ _mix(block[-1], low[0])
    return jnp.concatenate([low, middle, high, last[None]])


def _mix(upper, lower):
    joined = (upper & np.uint32(0x80000000)) | (lower & np.uint32(0x7FFFFFFF))
    return (joined >> np.uint32(1)) ^ ((joined & np.uint32(1)) * np.uint32(0x9908B0DF))


def temper(words):
    """The output words of raw ones; numpy or JAX, any shape."""
    words = words ^ (words >> np.uint32(11))
    words = words ^ ((words << np.uint32(7)) & np.uint32(0x9D2C5680))
    words = words ^ ((words << np.uint32(15)) & np.uint32(0xEFC60000))
    return words ^ (words >> np.uint32(18))

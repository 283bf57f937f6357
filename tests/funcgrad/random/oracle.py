"""Each sampler beside PyTorch's, and the comparison of their bits."""

import jax.numpy as jnp
import numpy as np
import torch

from funcgrad import random as R

FLOATS = ("float32", "float64", "float16", "bfloat16")
COMPLEX = ("complex64", "complex128")
INTEGERS = ("int64", "int32", "int16", "int8", "uint8")
RANGES = ((-5, 2**28 - 6), (-5, 2**28 - 5), (0, 2**32), (-(2**62), 2**63 - 1), (-7, 3))


def numpy_dtype(name: str) -> np.dtype:
    return np.dtype(jnp.bfloat16) if name == "bfloat16" else np.dtype(name)


def same_bits(tensor, array) -> bool:
    """Equal dtype, shape and bits; NaNs and signs of zero included."""
    array = np.ascontiguousarray(array)
    if (str(tensor.dtype), tuple(tensor.shape)) != (f"torch.{array.dtype}", array.shape):
        return False
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() == array.tobytes()


def same_state(state) -> bool:
    return np.array_equal(torch.get_rng_state().numpy(), R.to_bytes(state))


def weights(n: int, dtype) -> np.ndarray:
    values = np.random.RandomState(1).rand(max(n, 1)).astype(dtype)
    values[1::5] = 0
    return values


def _case(name, dtype, n, method, sampler, *args):
    """`torch.empty(n).method_(*args)` beside `sampler(state, (n,), dtype, *args)`."""

    def reference():
        return getattr(torch.empty(n, dtype=getattr(torch, dtype)), method)(*args)

    def ours(state):
        return sampler(state, (n,), numpy_dtype(dtype), *args)

    return f"{name}{args} {dtype}", reference, ours


def filling(n: int):
    """The samplers that PyTorch spells as a method which fills a tensor of n elements."""
    for d in (*FLOATS, *COMPLEX):
        yield _case("uniform", d, n, "uniform_", R.uniform)
        yield _case("uniform", d, n, "uniform_", R.uniform, -0.3, 1.7)
        yield _case("normal", d, n, "normal_", R.normal)
        yield _case("normal", d, n, "normal_", R.normal, 0.3, 1.7)
    for d in FLOATS:
        yield _case("exponential", d, n, "exponential_", R.exponential)
        yield _case("exponential", d, n, "exponential_", R.exponential, 1.7)
        yield _case("cauchy", d, n, "cauchy_", R.cauchy, 0.2, 1.7)
        yield _case("log_normal", d, n, "log_normal_", R.log_normal, 0.2, 1.7)
    for d in (*FLOATS, *INTEGERS):
        yield _case("bernoulli", d, n, "bernoulli_", R.bernoulli, 0.3)
        yield _case("random", d, n, "random_", R.random)
        yield _case("geometric", d, n, "geometric_", R.geometric, 0.3)


def functions(n: int):
    """The other samplers, as triples (name, PyTorch's, ours)."""
    for d in FLOATS:
        t, f = getattr(torch, d), numpy_dtype(d)
        yield (
            f"bernoulli tensor {d}",
            lambda t=t: torch.bernoulli(torch.full((n,), 0.3, dtype=t)),
            lambda s, f=f: R.bernoulli(s, (n,), f, np.full(n, 0.3, f)),
        )
        yield (
            f"dropout {d}",
            lambda t=t: torch.dropout(torch.ones(n, dtype=t), 0.3, True),
            lambda s, f=f: R.dropout_mask(s, (n,), f, 0.3),
        )
        for args in ((0.1, 1.3, -1.0, 1.5), (0.0, 1.3, 1.0, 1.5)):
            yield (
                f"trunc_normal{args} {d}",
                lambda t=t, a=args: torch.nn.init.trunc_normal_(torch.empty(n, dtype=t), *a),
                lambda s, f=f, a=args: R.trunc_normal(s, (n,), f, *a),
            )
    for d in INTEGERS:
        yield (
            f"randint {d}",
            lambda d=d: torch.randint(3, 100, (n,), dtype=getattr(torch, d)),
            lambda s, d=d: R.randint(s, (n,), 3, 100, d),
        )
    for low, high in RANGES:
        yield (
            f"randint({low}, {high})",
            lambda low=low, high=high: torch.randint(low, high, (n,)),
            lambda s, low=low, high=high: R.randint(s, (n,), low, high),
        )
    yield "randperm", lambda: torch.randperm(n), lambda s: R.randperm(s, n)
    yield from multinomials(n)


def multinomials(n: int):
    for d in ("float32", "float64"):
        w = weights(n, d)
        for count, replace in ((7, True), (1, True), (int((w > 0).sum()), False)):
            yield (
                f"multinomial({count}, {replace}) {d}",
                lambda w=w, c=count, r=replace: torch.multinomial(torch.tensor(w), c, r),
                lambda s, w=w, c=count, r=replace: R.multinomial(s, w, c, r),
            )

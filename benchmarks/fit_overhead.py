"""How much slower `fit` is than a `lax.scan` loop written by hand for the same training.

    python benchmarks/fit_overhead.py [--json] [--cpu]

Both run the same steps on the same data. `fit` also keeps the history, looks for NaN and cuts the
run in chunks. The time of `fit` is taken between two of its evaluations, so that what it compiles
first does not count; that of the loop by hand is that of a compiled call. Each includes reading the
losses. The ratio is the median of those of the rounds, in which all take turns.
"""

import argparse
import json
import statistics
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax

from funcgrad.train import fit

SIZES = {  # name: (width, batch, steps)
    "tiny": (16, 32, 80_000),
    "small": (64, 128, 14_000),
    "medium": (256, 256, 1_000),
}


def loss_fn(params, batch):
    hidden = jnp.tanh(batch["x"] @ params["w1"] + params["b1"])
    return ((hidden @ params["w2"] - batch["y"]) ** 2).mean()


def problem(width, batch):
    rng = np.random.default_rng(0)
    make = lambda *shape: jnp.asarray(rng.normal(size=shape) * 0.1, jnp.float32)  # noqa: E731
    params = {"w1": make(width, width), "b1": make(width), "w2": make(width, 1)}
    return params, {"x": make(batch, width), "y": make(batch, 1)}


def by_hand(params, data, optimizer, steps, clock):
    """The loop one would write: one scan over all steps."""

    @jax.jit
    def run(params, state, data):
        def body(carry, _):
            params, state = carry
            loss, gradient = jax.value_and_grad(loss_fn)(params, data)
            updates, state = optimizer.update(gradient, state, params)
            return (optax.apply_updates(params, updates), state), loss

        return jax.lax.scan(body, (params, state), length=steps)

    state = optimizer.init(params)
    jax.block_until_ready(run(params, state, data))

    def timed():
        start = clock()
        np.asarray(run(params, state, data)[1])
        return clock() - start

    return timed


def by_fit(params, data, optimizer, steps, clock, **options):
    def timed():
        stamps = []

        def evaluate(params):
            stamps.append(clock())
            return 0.0

        fit(
            loss_fn, params, data, optimizer, 2 * steps, chunk=min(1000, steps), progress=False,
            evaluate=evaluate, evaluate_every=steps, **options,
        )  # fmt: skip
        return stamps[1] - stamps[0]

    return timed


def measure(name, rounds, clock):
    width, batch, steps = SIZES[name]
    params, data = problem(width, batch)
    given = params, data, optax.adam(1e-3), steps, clock
    runs = {
        "hand": by_hand(*given),
        "fit": by_fit(*given),
        "fit without guard": by_fit(*given, guard=False),
    }
    found = {key: [] for key in runs}
    for _ in range(rounds):
        for key, run in runs.items():
            found[key].append(run())
    median = statistics.median
    ratios = {
        key: median(a / b for a, b in zip(times, found["hand"], strict=True))
        for key, times in found.items() if key != "hand"
    }  # fmt: skip
    micro = {key: 1e6 * median(times) / steps for key, times in found.items()}
    return {"size": name, "microseconds a step": micro, "ratio": ratios}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--cpu", action="store_true", help="CPU time, for a machine that is busy")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--sizes", nargs="*", default=list(SIZES))
    arguments = parser.parse_args()
    clock = time.process_time if arguments.cpu else time.perf_counter
    for name in arguments.sizes:
        result = measure(name, arguments.rounds, clock)
        if arguments.json:
            print(json.dumps(result))
            continue
        micro, ratio = result["microseconds a step"], result["ratio"]
        fit_time = f"fit {micro['fit']:8.2f} ({ratio['fit']:.3f} x)"
        unguarded = f"without guard {ratio['fit without guard']:.3f} x"
        print(f"{name:8} by hand {micro['hand']:8.2f} us a step, {fit_time}, {unguarded}")


if __name__ == "__main__":
    main()

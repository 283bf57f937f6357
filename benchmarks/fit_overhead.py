"""How much slower `fit` is than a `lax.scan` loop written by hand for the same training.

    python benchmarks/fit_overhead.py [--json] [--cpu]

Both run the same number of steps on the same data, compiled beforehand. `fit` also keeps the
history, looks for NaN and cuts the run in chunks. The times are the fastest of several alternating
repetitions, and each includes reading the losses. `fit` compiles its loop anew in every call, so
its time is taken from a second, longer call minus a shorter one: (b - a) steps of pure running.
"""

import argparse
import json
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax

from funcgrad.train import fit

SIZES = {  # name: (width, batch, steps of the short run, steps of the long run)
    "tiny": (16, 32, 20_000, 100_000),
    "small": (64, 128, 2_000, 14_000),
    "medium": (256, 256, 200, 1_200),
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
        start = clock()
        fit(loss_fn, params, data, optimizer, steps, progress=False, **options)
        return clock() - start

    return timed


def measure(name, repetitions, clock):
    width, batch, short, long = SIZES[name]
    params, data = problem(width, batch)
    optimizer = optax.adam(1e-3)
    runs = {
        "hand": [by_hand(params, data, optimizer, steps, clock) for steps in (short, long)],
        "fit": [by_fit(params, data, optimizer, steps, clock) for steps in (short, long)],
        "fit without guard": [
            by_fit(params, data, optimizer, steps, clock, guard=False) for steps in (short, long)
        ],
    }
    best = {key: [np.inf, np.inf] for key in runs}
    for _ in range(repetitions):
        for key, pair in runs.items():
            best[key] = [min(old, run()) for old, run in zip(best[key], pair, strict=True)]
    seconds = {key: (b - a) / (long - short) for key, (a, b) in best.items()}
    return {
        "size": name,
        "microseconds a step": {key: 1e6 * value for key, value in seconds.items()},
        "ratio": {key: value / seconds["hand"] for key, value in seconds.items() if key != "hand"},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--cpu", action="store_true", help="CPU time, for a machine that is busy")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--sizes", nargs="*", default=list(SIZES))
    arguments = parser.parse_args()
    clock = time.process_time if arguments.cpu else time.perf_counter
    for name in arguments.sizes:
        result = measure(name, arguments.repetitions, clock)
        if arguments.json:
            print(json.dumps(result))
            continue
        micro, ratio = result["microseconds a step"], result["ratio"]
        fit_time = f"fit {micro['fit']:8.2f} ({ratio['fit']:.3f} x)"
        unguarded = f"without guard {ratio['fit without guard']:.3f} x"
        print(f"{name:8} by hand {micro['hand']:8.2f} us a step, {fit_time}, {unguarded}")


if __name__ == "__main__":
    main()

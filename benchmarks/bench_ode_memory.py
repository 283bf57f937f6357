"""Memory and time of a neural ODE's gradient, against the number of steps, for each method.

Memory is what XLA's compiler allots to the compiled gradient beside its inputs and outputs. `scan`
is the plain `lax.scan` of the same steps, differentiated by JAX: what one would write by hand.

    python benchmarks/bench_ode_memory.py [PICTURE]      the picture needs matplotlib
"""

import sys
import time

import jax
import jax.numpy as jnp
from rich.console import Console
from rich.table import Table

from funcgrad.ode import odeint

STEPS = [16, 64, 256, 1024, 4096]
METHODS = ["scan", "direct", "checkpoint", "adjoint"]
POINTS, WIDTH = 128, 32


def field(t, y, params):
    return jnp.tanh(y @ params[0]) @ params[1]


def scan_solve(y, params, steps):
    h = 1 / steps

    def step(y, _):
        k1 = field(0, y, params)
        k2 = field(0, y + h / 2 * k1, params)
        k3 = field(0, y + h / 2 * k2, params)
        k4 = field(0, y + h * k3, params)
        return y + h * (k1 + 2 * k2 + 2 * k3 + k4) / 6, None

    return jax.lax.scan(step, y, length=steps)[0]


def gradient(method, steps):
    """The gradient of a loss at time 1, as a function of the start and the parameters."""

    def loss(params, y):
        if method == "scan":
            return jnp.mean(scan_solve(y, params, steps) ** 2)
        options = {"method": "rk4", "step_size": 1 / steps, "max_steps": steps}
        times = jnp.array([0.0, 1.0])
        return jnp.mean(odeint(field, y, times, params, gradient=method, **options)[-1] ** 2)

    return jax.grad(loss)


def measure(method, steps, params, y):
    """Bytes, and the milliseconds of the quickest of three runs."""
    compiled = jax.jit(gradient(method, steps)).lower(params, y).compile()
    size = compiled.memory_analysis().temp_size_in_bytes
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        jax.block_until_ready(compiled(params, y))
        seconds.append(time.perf_counter() - start)
    return size, 1000 * min(seconds)


def print_table(title, results, cell):
    table = Table(title=title)
    for heading in ["gradient", *(f"{steps} steps" for steps in STEPS)]:
        table.add_column(heading, justify="right")
    for method in METHODS:
        table.add_row(method, *(cell(*result) for result in results[method]))
    Console().print(table)


def draw(results, path):
    try:
        import matplotlib
    except ImportError:
        print("no picture: matplotlib is not installed")
        return
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    for method in METHODS:
        sizes, times = zip(*results[method], strict=True)
        axes[0].loglog(STEPS, [size / 2**20 for size in sizes], marker="o", label=method)
        axes[1].loglog(STEPS, times, marker="o", label=method)
    axes[0].set_ylabel("MiB")
    axes[1].set_ylabel("ms")
    for axis, title in zip(axes, ("memory of the gradient", "time of the gradient"), strict=True):
        axis.set_title(title)
        axis.set_xlabel("steps of the solver")
        axis.legend()
    figure.savefig(path, dpi=120)
    print(f"picture: {path}")


def main():
    keys = jax.random.split(jax.random.key(0), 3)
    params = [
        jax.random.normal(keys[0], (2, WIDTH)) / 2,
        jax.random.normal(keys[1], (WIDTH, 2)) / WIDTH,
    ]
    y = jax.random.normal(keys[2], (POINTS, 2))
    results = {m: [measure(m, steps, params, y) for steps in STEPS] for m in METHODS}

    print_table("KiB that the gradient needs", results, lambda size, ms: f"{size / 1024:,.0f}")
    print_table("milliseconds that it takes", results, lambda size, ms: f"{ms:,.1f}")
    draw(results, sys.argv[1] if len(sys.argv) > 1 else "ode_memory.png")


if __name__ == "__main__":
    main()

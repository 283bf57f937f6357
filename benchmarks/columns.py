"""The columns of the table: ways to run a workload. Each is used in a process of its own.

A column is a function of a row that returns a `Loop`. Whatever a column needs is imported when it
is asked for, so a process holds one implementation only.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from .rows import Row


@dataclass
class Loop:
    """``call`` runs ``steps`` steps, reads the loss and returns the last one."""

    call: Callable[[], float]
    steps: int = 1


class NotHere(Exception):  # noqa: N818 (no error: the table shows "-")
    """This column cannot run this row here; the text says why."""


def _torch_step(torch, row: Row) -> Callable:
    return getattr(import_module("benchmarks.workloads_torch"), row.workload)(torch, **row.sizes)


def _stateful(name: str):
    """`stateful` and its transformation ``name``."""
    torch = import_module("stateful")
    found = getattr(torch, name, None) or getattr(import_module("stateful.purify"), name, None)
    if not callable(found):
        raise NotHere(f"stateful has no {name} yet")
    return torch, found


def torch_eager(row: Row) -> Loop:
    """Real PyTorch, op by op."""
    step = _torch_step(import_module("torch"), row)
    return Loop(lambda: step().item())


def torch_compile(row: Row) -> Loop:
    """Real PyTorch with `torch.compile` over the whole step."""
    torch = import_module("torch")
    step = torch.compile(_torch_step(torch, row))
    return Loop(lambda: step().item())


def stateful_loop(row: Row) -> Loop:
    """The same program on `stateful`."""
    step = _torch_step(import_module("stateful"), row)
    return Loop(lambda: step().item())


def stateful_compile(row: Row) -> Loop:
    """The same program under `stateful.compile`."""
    torch, compile_step = _stateful("compile")
    step = compile_step(_torch_step(torch, row))
    return Loop(lambda: step().item())


def stateful_scan(row: Row) -> Loop:
    """The same program, many steps in one call."""
    torch, scan = _stateful("scan")
    step = _torch_step(torch, row)
    return Loop(lambda: scan(step, row.scanned).tolist()[-1], row.scanned)


def _jax_workload(row: Row):
    workloads = import_module("benchmarks.workloads_jax")
    workload = getattr(workloads, row.workload)(**row.sizes)
    return workload, workloads.update(workload)


def jax_jit(row: Row) -> Loop:
    """Hand-written JAX: one jitted step whose state is donated."""
    jax = import_module("jax")
    workload, update = _jax_workload(row)
    step = jax.jit(update, donate_argnums=0)
    state = workload.start()

    def call():
        nonlocal state
        state, loss = step(state, workload.batch)
        return float(loss)

    return Loop(call)


def jax_scan(row: Row) -> Loop:
    """Hand-written JAX: `lax.scan` over many steps."""
    jax, numpy = import_module("jax"), import_module("numpy")
    workload, update = _jax_workload(row)

    def many(state, batch):
        return jax.lax.scan(lambda carry, _: update(carry, batch), state, length=row.scanned)

    run = jax.jit(many, donate_argnums=0)
    state = workload.start()

    def call():
        nonlocal state
        state, losses = run(state, workload.batch)
        return float(numpy.asarray(losses)[-1])

    return Loop(call, row.scanned)


COLUMNS: dict[str, Callable[[Row], Loop]] = {
    "torch": torch_eager,
    "torch.compile": torch_compile,
    "stateful": stateful_loop,
    "stateful.compile": stateful_compile,
    "stateful.scan": stateful_scan,
    "jax": jax_jit,
    "jax.scan": jax_scan,
}
IMPORTS = {
    "torch": ["torch"],
    "torch.compile": ["torch"],
    "stateful": ["stateful"],
    "stateful.compile": ["stateful"],
    "stateful.scan": ["stateful"],
    "jax": ["jax", "optax"],
    "jax.scan": ["jax", "optax"],
}
"""What a user of the column imports: the time of it is reported."""

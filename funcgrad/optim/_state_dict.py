"""The state of an optimizer as the `state_dict` of its PyTorch twin, and back."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ._arithmetic import real
from ._lbfgs import History, LBFGSState
from ._rule import Optimizer, OptimizerState
from ._scheduled import value_at

FOREACH = {"foreach": None}
DIFFERENTIABLE = {**FOREACH, "differentiable": False}
CAPTURABLE = {**DIFFERENTIABLE, "capturable": False}
FUSED = {**DIFFERENTIABLE, "fused": None}

# What else PyTorch keeps in a parameter group: how to compute, which is no business of ours.
SWITCHES = {
    "Adadelta": CAPTURABLE,
    "Adafactor": FOREACH,
    "Adagrad": FUSED,
    "Adam": {**CAPTURABLE, "fused": None},
    "AdamW": {**CAPTURABLE, "fused": None},
    "Adamax": CAPTURABLE,
    "ASGD": CAPTURABLE,
    "LBFGS": {},
    "Muon": {},
    "NAdam": CAPTURABLE,
    "RAdam": CAPTURABLE,
    "RMSprop": CAPTURABLE,
    "Rprop": CAPTURABLE,
    "SGD": FUSED,
}
WITHOUT_STEP = ("SGD", "Muon")


def _check(optimizer):
    if not isinstance(optimizer, Optimizer):
        raise TypeError(
            f"state conversion got {type(optimizer).__name__}, not an optimizer of "
            "funcgrad.optim. Pass the "
            "optimizer itself and its own state, not an optax.chain around it."
        )


def _paths(params):
    leaves = jax.tree_util.tree_leaves_with_path(params)
    return [(jax.tree_util.keystr(path) or "(root)", leaf) for path, leaf in leaves]


def _plain(value):
    """Hyper-parameters as Python numbers."""
    if isinstance(value, tuple | list):
        return tuple(_plain(item) for item in value)
    return value.item() if hasattr(value, "item") else value


def _param_group(optimizer, count, size):
    numbers = optimizer.hyperparameters.items()
    group = {key: _plain(value_at(value, count)) for key, value in numbers}
    return {**group, **SWITCHES[optimizer.name], "params": list(range(size))}


def to_torch_state_dict(optimizer: Optimizer, state: Any, params: Any) -> dict[str, Any]:
    """What `state_dict()` of the optimizer's PyTorch twin would be, with NumPy arrays for tensors.

    Parameters are numbered in the order of the tree's leaves, in one group. For a schedule there
    is its present value. Turn the arrays into tensors (`torch.from_numpy`) before
    `load_state_dict`. TypeError: an optimizer that is not one of ours, such as a chain around it.

    >>> import jax.numpy as jnp
    >>> from funcgrad import optim
    >>> optimizer, params = optim.sgd(lr=0.1, momentum=0.9), {"weight": jnp.ones(2)}
    >>> updates, state = optimizer.update(params, optimizer.init(params), params)
    >>> optim.to_torch_state_dict(optimizer, state, params)["state"]
    {0: {'momentum_buffer': array([1., 1.], dtype=float32)}}
    """
    _check(optimizer)
    count = int(state.count)
    size = len(jax.tree.leaves(params))
    groups = [_param_group(optimizer, count, size)]
    if isinstance(state, LBFGSState):
        return {"state": {0: _lbfgs_to_torch(state)} if count else {}, "param_groups": groups}
    if count == 0 and not optimizer.stateful_from_start:
        return {"state": {}, "param_groups": groups}
    treedef = jax.tree.structure(params)
    columns = {name: treedef.flatten_up_to(tree) for name, tree in state.slots.items()}
    step = {} if optimizer.name in WITHOUT_STEP else {"step": np.asarray(count, np.float32)}
    rows = {}
    for index in range(size):
        slots = {name: column[index] for name, column in columns.items()}
        row = {name: np.array(slot) for name, slot in slots.items() if slot is not None}
        if row or step:
            rows[index] = {name: value.copy() for name, value in step.items()} | row
    return {"state": rows, "param_groups": groups}


def _array(value, like, where):
    array = np.asarray(value)
    if array.shape != like.shape:
        raise ValueError(
            f"The state_dict has shape {array.shape} for {where}, where {like.shape} is needed. "
            "Pass the state of "
            "the same parameters in the order of the tree's leaves."
        )
    return jnp.asarray(array, like.dtype)


def _rows(state_dict, params):
    """The state of every leaf, in order; empty where there is none."""
    order = [index for group in state_dict["param_groups"] for index in group["params"]]
    paths = _paths(params)
    if len(order) != len(paths):
        raise ValueError(
            "loaded state dict contains a parameter group that doesn't match the size of "
            "optimizer's group: it "
            f"has {len(order)} parameters and the tree has {len(paths)} leaves. Pass the tree "
            "it belongs to."
        )
    return [
        (path, state_dict["state"].get(index, {}))
        for index, (path, _) in zip(order, paths, strict=True)
    ]


def _common_count(rows):
    """The number of steps done, which all parameters must share."""
    if not any(row for _, row in rows):
        return 0
    steps = {path: int(row["step"]) if "step" in row else int(bool(row)) for path, row in rows}
    first = next(iter(steps))
    for path, step in steps.items():
        if step != steps[first]:
            raise ValueError(
                f"The state_dict has done {steps[first]} steps for '{first}' and {step} for "
                f"'{path}'; here all "
                "parameters share one count. Convert the groups apart (optax.partition)."
            )
    return steps[first]


def from_torch_state_dict(
    optimizer: Optimizer, state_dict: dict[str, Any], params: Any, count: int | None = None
) -> Any:
    """The state for `optimizer` and the tree `params` from a `state_dict()` of its PyTorch twin.

    Tensors on the CPU and NumPy arrays are both fine. Parameters correspond to the tree's leaves in
    order. The hyper-parameters of the `state_dict` are not used: build the optimizer with them.
    `count` is for a schedule over SGD or Muon, whose state does not tell the number of steps.
    ValueError: other shapes, another number of parameters, parameters with different numbers of
    steps. TypeError: an optimizer that is not one of ours.

    >>> import jax.numpy as jnp
    >>> from funcgrad import optim
    >>> optimizer, params = optim.adam(), {"weight": jnp.ones(2)}
    >>> updates, state = optimizer.update(params, optimizer.init(params), params)
    >>> state_dict = optim.to_torch_state_dict(optimizer, state, params)
    >>> print(optim.from_torch_state_dict(optimizer, state_dict, params).count)
    1
    """
    _check(optimizer)
    rows = _rows(state_dict, params)
    fresh: Any = optimizer.init(params)
    if isinstance(fresh, LBFGSState):
        return _lbfgs_from_torch(fresh, rows[0][1], count)
    steps = _common_count(rows)
    treedef = jax.tree.structure(params)
    slots = fresh.slots
    if any(row for _, row in rows):
        slots = {name: _column(name, tree, rows, treedef) for name, tree in slots.items()}
    return OptimizerState(jnp.asarray(steps if count is None else count, jnp.int32), slots)


def _column(name, tree, rows, treedef):
    column = []
    for (path, row), slot in zip(rows, treedef.flatten_up_to(tree), strict=True):
        if slot is not None and row.get(name) is None:
            raise ValueError(
                f"The state_dict has no '{name}' for '{path}'. Build the optimizer with the "
                "options that the "
                "state_dict was made with."
            )
        column.append(None if slot is None else _array(row[name], slot, f"'{name}' of '{path}'"))
    return treedef.unflatten(column)


def _lbfgs_to_torch(state):
    row: dict[str, Any] = {"func_evals": int(state.func_evals), "n_iter": int(state.n_iter)}
    if not row["n_iter"]:
        return row
    history, used = state.history, int(state.history.size)
    return row | {
        "d": np.array(state.d),
        "t": float(state.t),
        "old_dirs": [np.array(vector) for vector in history.old_dirs[:used]],
        "old_stps": [np.array(vector) for vector in history.old_stps[:used]],
        "ro": [np.array(value) for value in history.ro[:used]],
        "H_diag": np.array(history.scale),
        "prev_flat_grad": np.array(state.prev_flat_grad),
        "prev_loss": float(state.prev_loss),
        "al": [None] * history.ro.size,
    }


def _lbfgs_from_torch(fresh, row, count):
    steps = jnp.asarray(int(bool(row)) if count is None else count, jnp.int32)
    if "d" not in row:
        return fresh._replace(
            count=steps, func_evals=jnp.asarray(row.get("func_evals", 0), jnp.int32)
        )

    def rows(values, like):
        values = [_array(value, like[0], "a row of the history") for value in values]
        return like.at[: len(values)].set(jnp.stack(values)) if values else like

    empty, used = fresh.history, len(row["ro"])
    if used > empty.ro.size:
        raise ValueError(
            f"The state_dict has a history of {used}, more than history_size={empty.ro.size}."
        )
    history = History(
        rows(row["old_dirs"], empty.old_dirs),
        rows(row["old_stps"], empty.old_stps),
        rows(row["ro"], empty.ro),
        jnp.asarray(used, jnp.int32),
        _array(row["H_diag"], empty.scale, "'H_diag'"),
    )
    return LBFGSState(
        steps,
        jnp.asarray(row["func_evals"], jnp.int32),
        jnp.asarray(row["n_iter"], jnp.int32),
        _array(row["d"], fresh.d, "'d'"),
        real(np.asarray(row["t"])),
        history,
        _array(row["prev_flat_grad"], fresh.prev_flat_grad, "'prev_flat_grad'"),
        real(np.asarray(row["prev_loss"])),
    )

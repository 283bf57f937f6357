"""From the update rule of one array to an optax transformation of a tree of arrays."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from ._arithmetic import Scalar, is_zero, real
from ._check import check_trees

Slots = dict[str, jax.Array]
LearningRate = float | jax.Array | optax.Schedule


class Step(NamedTuple):
    """Which step this is, for a rule: `number` is 1 in the first one; `lr` is its learning rate."""

    number: jax.Array
    lr: Scalar


@dataclass(frozen=True)
class Rule:
    """How one parameter is updated.

    `init(param, lr)` makes the parameter's slots, under the names that they have in `torch.optim`'s
    state; `update(grad, slots, param, step)` returns what to add to the parameter, and the new
    slots. `validate(param, path)` may refuse a parameter. Complex arrays arrive as pairs of reals,
    as in PyTorch.
    """

    init: Callable[[jax.Array, Scalar], Slots]
    update: Callable[[jax.Array, Slots, jax.Array, Step], tuple[jax.Array, Slots]]
    validate: Callable[[jax.Array, str], None] = lambda param, path: None


class OptimizerState(NamedTuple):
    """Steps taken so far, and for every slot a tree like the parameters (None where a parameter has
    no such slot)."""

    count: jax.Array
    slots: dict[str, Any]


class Optimizer(optax.GradientTransformationExtraArgs):
    """An optax transformation that knows its name in `torch.optim` and its hyper-parameters.

    It is the pair `(init, update)` and is used as such everywhere in optax; the names serve the
    conversion to and from PyTorch's `state_dict`, and `print`.
    """

    name: str
    hyperparameters: dict[str, Any]
    stateful_from_start: bool

    def __new__(cls, init, update, name, hyperparameters, stateful_from_start=False):
        """Pair `init` and `update`, and remember where they come from."""
        self = super().__new__(cls, init, update)
        self.name, self.hyperparameters = name, hyperparameters
        self.stateful_from_start = stateful_from_start
        return self

    def __repr__(self):
        options = ", ".join(f"{key}={value!r}" for key, value in self.hyperparameters.items())
        return f"{self.name}({options})"


def learning_rate_at(lr: LearningRate, count: Any) -> Scalar:
    """The learning rate after `count` steps: `lr` itself unless it is a schedule."""
    return lr(count) if callable(lr) else lr


def preprocessing(maximize: bool, weight_decay: Scalar) -> optax.GradientTransformation:
    """What PyTorch's rules do to a gradient first: turn it for ascent, then add the L2 penalty's
    gradient."""
    turn = [optax.scale(-1.0)] if maximize else []
    decay = [] if is_zero(weight_decay) else [optax.add_decayed_weights(weight_decay)]
    return optax.chain(optax.identity(), *turn, *decay)


def as_reals(array: jax.Array) -> jax.Array:
    """A complex array as reals with a last axis of two; a real array as it is."""
    return jnp.stack([array.real, array.imag], -1) if jnp.iscomplexobj(array) else array


def as_before(reals: jax.Array, before: jax.Array) -> jax.Array:
    """Undo `as_reals`, and round to the dtype of `before`."""
    if jnp.iscomplexobj(before):
        reals = jax.lax.complex(reals[..., 0], reals[..., 1])
    return reals.astype(before.dtype)


def _init_leaf(rule: Rule, param: jax.Array, lr: Scalar) -> Slots:
    reals = as_reals(param)
    slots = rule.init(reals, lr)
    if not jnp.iscomplexobj(param):
        return slots
    return {
        name: as_before(slot, param) if slot.shape == reals.shape else slot
        for name, slot in slots.items()
    }


def _update_leaf(rule: Rule, grad: jax.Array, slots: Slots, param: jax.Array, step: Step):
    real_slots = {name: as_reals(slot) for name, slot in slots.items()}
    update, new = rule.update(as_reals(grad.astype(param.dtype)), real_slots, as_reals(param), step)
    return as_before(update, param), {name: as_before(new[name], slots[name]) for name in slots}


def _to_trees(treedef: Any, rows: list[Slots]) -> dict[str, Any]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: treedef.unflatten([row.get(name) for row in rows]) for name in names}


def _to_rows(treedef: Any, trees: dict[str, Any]) -> list[Slots]:
    columns = {name: treedef.flatten_up_to(tree) for name, tree in trees.items()}
    return [
        {name: column[i] for name, column in columns.items() if column[i] is not None}
        for i in range(treedef.num_leaves)
    ]


def make_optimizer(
    name: str,
    rule: Rule,
    lr: LearningRate,
    hyperparameters: dict[str, Any],
    *,
    maximize: bool = False,
    coupled_weight_decay: Scalar = 0,
    stateful_from_start: bool = False,
) -> Optimizer:
    """Run `rule` on every leaf of a tree.

    `stateful_from_start` says that PyTorch has this optimizer's state before the first step. A tree
    that does not match the parameters, or no parameters, is a ValueError.
    """
    prepare = preprocessing(maximize, coupled_weight_decay)

    def init(params):
        for path, leaf in jax.tree_util.tree_leaves_with_path(params):
            rule.validate(leaf, jax.tree_util.keystr(path))
        leaves, treedef = jax.tree.flatten(params)
        first_lr = learning_rate_at(lr, 0)
        rows = [_init_leaf(rule, jnp.asarray(leaf), first_lr) for leaf in leaves]
        return OptimizerState(jnp.zeros((), jnp.int32), _to_trees(treedef, rows))

    def update(grads, state, params=None, **extra):
        del extra
        if params is None:
            raise ValueError(
                f"{name} got no parameters. Its update needs them: update(grads, state, params)."
            )
        check_trees(grads, params)
        grads, _ = prepare.update(grads, prepare.init(params), params)
        leaves, treedef = jax.tree.flatten(params)
        step = Step(real(state.count + 1), learning_rate_at(lr, state.count))
        pairs = [
            _update_leaf(rule, jnp.asarray(grad), slots, jnp.asarray(param), step)
            for grad, slots, param in zip(
                jax.tree.leaves(grads), _to_rows(treedef, state.slots), leaves, strict=True
            )
        ]
        slots = _to_trees(treedef, [row for _, row in pairs]) if pairs else state.slots
        count = jnp.asarray(optax.safe_increment(state.count))
        return treedef.unflatten([pair[0] for pair in pairs]), OptimizerState(count, slots)

    return Optimizer(init, update, name, {"lr": lr, **hyperparameters}, stateful_from_start)

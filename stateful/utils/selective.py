"""Selective checkpointing: which results of a checkpointed region are kept after all."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..dispatch import wrap
from ..execute import Value
from ..operators import OpOverload, ops, overload
from .intercept import Intercepted
from .overwritten import Overwritten


class CheckpointPolicy(enum.Enum):
    """What becomes of the result of an op: kept, or computed again.

    >>> CheckpointPolicy.MUST_SAVE.value
    0
    """

    MUST_SAVE = 0
    PREFER_SAVE = 1
    MUST_RECOMPUTE = 2
    PREFER_RECOMPUTE = 3
    MUST_CPU_OFFLOAD = 4
    PREFER_CPU_OFFLOAD = 5


_KEPT = {CheckpointPolicy.MUST_SAVE, CheckpointPolicy.PREFER_SAVE,
         CheckpointPolicy.MUST_CPU_OFFLOAD, CheckpointPolicy.PREFER_CPU_OFFLOAD}  # fmt: skip


class SelectiveCheckpointContext:
    """What a policy function is told: ``is_recompute``, and the output that the op gave."""

    def __init__(self, *, is_recompute: bool, op_output: Any = None):
        self.is_recompute, self.op_output = is_recompute, op_output


SAC_IGNORED_OPS = {ops.aten.detach.default}
"""Ops that no policy is asked about."""


class _Kept:
    """For each op, in the order of its calls: the results, or None if they were not kept."""

    def __init__(self, policy: Callable, may_change: bool):
        self.policy, self.may_change = policy, may_change
        self.calls: dict[OpOverload, list] = defaultdict(list)
        self.overwritten = Overwritten()

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """The context of the forward pass."""
        with Intercepted(self._keep), self.overwritten:
            yield

    def giving_back(self) -> Intercepted:
        """The context of running the region again."""
        return Intercepted(self._give_back)

    def _keep(self, op: Any, template: tuple, leaves: Any, results: Any) -> Any:
        name = overload(op)
        if name not in SAC_IGNORED_OPS:
            shown = [wrap(x) if isinstance(x, Value) else x for x in leaves]
            outputs = [wrap(x) for x in results]
            context = SelectiveCheckpointContext(
                is_recompute=False, op_output=outputs[0] if len(outputs) == 1 else outputs
            )
            kept = self.policy(context, name, *op.unbind(template, shown))
            if isinstance(kept, bool):
                kept = CheckpointPolicy.MUST_SAVE if kept else CheckpointPolicy.PREFER_RECOMPUTE
            self.calls[name].append(results if kept in _KEPT else None)
        return results

    def _give_back(self, op: Any, template: tuple, leaves: Any, results: Any) -> Any:
        name = overload(op)
        if name in SAC_IGNORED_OPS:
            return results
        if name not in self.calls:
            raise RuntimeError(f"{name} encountered during backward but not found in storage")
        if not self.calls[name]:
            raise RuntimeError(
                "Trying to backward an extra time. You are only allowed to backward once on any "
                "region computed under selective activation checkpoint."
            )
        kept = self.calls[name].pop(0)
        if kept is None:
            return results
        if not self.may_change and self.overwritten.any_of(kept):
            raise RuntimeError(
                "Tensor cached during selective activation checkpoint has been mutated: a result "
                f"of {name} was overwritten in place. Overwrite a clone of it, or do not keep it."
            )
        return kept


def create_selective_checkpoint_contexts(
    policy_fn_or_list: Callable | Sequence[OpOverload], allow_cache_entry_mutation: bool = False
) -> tuple:
    """The two contexts for ``context_fn`` of `checkpoint`, which keep the results of some ops.

    Parameters: a function ``(context, op, *args) -> CheckpointPolicy``, or a list of the ops whose
    results are kept. To overwrite a kept result in place is an error in backward; with
    ``allow_cache_entry_mutation`` it is not, and what was kept is what it was before.

    >>> import functools
    >>> import stateful as torch
    >>> from stateful.utils.checkpoint import checkpoint, create_selective_checkpoint_contexts
    >>> keep = [torch.ops.aten.exp.default]
    >>> x = torch.zeros(2, requires_grad=True)
    >>> contexts = functools.partial(create_selective_checkpoint_contexts, keep)
    >>> y = checkpoint(lambda t: t.exp().sin(), x, use_reentrant=False, context_fn=contexts)
    >>> y.sum().backward()
    >>> x.grad
    tensor([0.5403, 0.5403])
    """
    policy = policy_fn_or_list
    if isinstance(policy, list):
        for op in policy:
            if not isinstance(op, OpOverload):
                raise ValueError(
                    f"Expected op in `op_list` to be an OpOverload but got: {op} of type "
                    f"{type(op)}: write torch.ops.aten.mm.default"
                )
        kept = _Kept(lambda context, op, *args: op in policy, allow_cache_entry_mutation)
    elif callable(policy):
        kept = _Kept(policy, allow_cache_entry_mutation)
    else:
        raise TypeError("policy_fn_or_list must be either a function or a list of ops.")
    return kept.keeping(), kept.giving_back()

"""`torch.library.opcheck`: whether an op of one's own is registered as it behaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .own_ops import OwnOp
from .tensor import Tensor
from .utils._pytree import tree_leaves, tree_map

NAMES = (
    "test_schema", "test_autograd_registration", "test_faketensor", "test_aot_dispatch_static",
    "test_aot_dispatch_dynamic",
)  # fmt: skip

DEFAULT = tuple(name for name in NAMES if name != "test_aot_dispatch_static")


class OpCheckError(Exception):
    """An op is not what was said of it."""


def _copies(tree: Any) -> Any:
    """The arguments, tensors as leaves of their own."""
    return tree_map(
        lambda x: x.detach().clone().requires_grad_(x.requires_grad)
        if isinstance(x, Tensor) else x,
        tree,
    )  # fmt: skip


def _schema(op: OwnOp, args: tuple, kwargs: dict) -> None:
    """Only what the schema says is changed, and no output shares memory with an input."""
    args, kwargs = _copies((tree_map(_detached, args), tree_map(_detached, kwargs)))
    values, named = op.schema.bind(args, kwargs)
    names = [a.name for a in op.schema.arguments if not a.kwarg_only]
    given = {**dict(zip(names, values, strict=False)), **named}
    composite = "CompositeImplicitAutograd" in op.kernels
    before = {name: [x.clone() for x in _tensors(value)] for name, value in given.items()}
    outputs = _tensors(op(*args, **kwargs))
    for argument in op.schema.arguments:
        pairs = zip(_tensors(given[argument.name]), before[argument.name], strict=True)
        if not argument.mutable and not all(_same(now, then) for now, then in pairs):
            raise RuntimeError(
                f"Argument {argument.name} is not defined as mutable but was mutated"
            )
        inputs = [] if argument.mutable or composite else _tensors(given[argument.name])
        if any(out._storage is x._storage for out in outputs for x in inputs):
            raise RuntimeError(
                f"Argument {argument.name} is not defined to alias output but was aliasing"
            )


def _autograd_registration(op: OwnOp, args: tuple, kwargs: dict) -> None:
    """What needs gradients gets them: by a backward, or by ops that have one."""
    args, kwargs = _copies((args, kwargs))
    registered = op.opaque or any(
        key.startswith("Autograd") or key == "CompositeImplicitAutograd" for key in op.kernels
    )
    if not registered and any(out.requires_grad for out in _tensors(op(*args, **kwargs))):
        raise AssertionError(
            f"{op.schema.name}: at least one output of this operator has requires_grad=True but "
            "the operator does not have an autograd kernel defined at an autograd key: use "
            "torch.library.register_autograd"
        )


def _runs(op: OwnOp, args: tuple, kwargs: dict) -> None:
    """The op and its backward give the same for the same arguments."""
    first, second = _with_gradients(op, args, kwargs), _with_gradients(op, args, kwargs)
    if not all(map(_same, first, second)):
        raise AssertionError(f"{op.schema.name} gave two results for the same arguments")


def _with_gradients(op: OwnOp, args: tuple, kwargs: dict) -> list[Tensor]:
    args, kwargs = _copies((args, kwargs))
    outputs = _tensors(op(*args, **kwargs))
    roots = [out.sum().abs() for out in outputs if out.requires_grad]
    if roots:
        sum(roots).backward()  # type: ignore[union-attr]
    return [*outputs, *[x.grad for x in _tensors((args, kwargs)) if x.grad is not None]]


def _gives(op: OwnOp, args: tuple, kwargs: dict) -> None:
    """The op accepts the arguments."""
    args, kwargs = _copies((args, kwargs))
    op(*args, **kwargs)


_CHECKS: dict[str, Callable] = {
    **dict.fromkeys(NAMES, _runs),
    "test_faketensor": _gives,
    "test_schema": _schema,
    "test_autograd_registration": _autograd_registration,
}


def _detached(x: Any) -> Any:
    return x.detach() if isinstance(x, Tensor) else x


def _tensors(tree: Any) -> list[Tensor]:
    return [x for x in tree_leaves(tree) if isinstance(x, Tensor)]


def _same(now: Any, then: Any) -> bool:
    equal = (now == then) | ((now != now) & (then != then))
    return now.shape == then.shape and bool(equal.all())


def check(
    op: OwnOp, args: tuple, kwargs: dict, test_utils: str | Sequence[str], raise_exception: bool
) -> dict[str, Any]:
    """Each check by its name: ``"SUCCESS"``, or what failed unless that is raised."""
    wanted = (test_utils,) if isinstance(test_utils, str) else tuple(test_utils)
    if not set(wanted) <= set(NAMES):
        raise ValueError(
            f"opcheck(op, ..., test_utils={wanted}), expected test_utils to be subset of {NAMES} "
            "but it was not"
        )
    results: dict[str, Any] = {}
    for name in wanted:
        try:
            _CHECKS[name](op, args, kwargs)
            results[name] = "SUCCESS"
        except Exception as error:
            if raise_exception:
                raise OpCheckError(f"opcheck(op, ...): {name} failed with {error}") from error
            results[name] = error
    return results

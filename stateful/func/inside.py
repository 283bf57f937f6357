"""The inside of a transform: what is recorded there, and which Tensors it may write to."""

from __future__ import annotations

import functools
import threading
from typing import Any

from .. import dispatch, frames, modes
from ..dispatch import Face
from ..views import Storage
from .trees import flatten

_NO_HOOKS = (
    "torch.func.{grad, vjp, jacrev, hessian} don't yet support saved tensor hooks. Use the hooks "
    "outside of the transform, with torch.autograd.grad."
)


@functools.cache
def inner_storage(depth: int) -> type[Storage]:
    """A storage that was made inside of ``depth`` transforms."""
    return type("InnerStorage", (Storage,), {"__slots__": (), "born": depth})


class Busy:
    """Which threads are in transforms. What they make is told apart only while it is one thread."""

    def __init__(self):
        self.threads: set[int] = set()

    def enter(self) -> None:
        """This thread enters a transform."""
        self.threads.add(threading.get_ident())
        frames.checks.captured = len(self.threads) == 1 and frames.checks.captured

    def leave(self) -> None:
        """This thread has left its last transform."""
        self.threads.discard(threading.get_ident())
        if not self.threads:
            frames.checks.captured = True


busy = Busy()


class transforming:  # noqa: N801 (used as a function)
    """Inside, one more transform is open, which may write to ``arguments``."""

    def __init__(self, *arguments: Any):
        tensors = [x for x in flatten(arguments)[0] if isinstance(x, Face.tensor)]
        self._storages = [t._storage for t in tensors]
        self.open = True

    def __enter__(self):
        busy.enter()
        modes.transforms.depth += 1
        modes.transforms.arguments.append(self._storages)
        modes.transforms.open += 1
        modes.transforms.levels.append(modes.transforms.open)
        self.depth = modes.transforms.depth
        dispatch.new_storage = inner_storage(modes.transforms.depth)
        return self

    def __exit__(self, *exc):
        self.open = False
        modes.transforms.depth -= 1
        modes.transforms.arguments.pop()
        modes.transforms.levels.pop()
        modes.transforms.open -= 1
        depth = modes.transforms.depth
        dispatch.new_storage = inner_storage(depth) if depth else Storage
        if not depth:
            busy.leave()


class inside(transforming):  # noqa: N801 (used as a function)
    """The inside of a reverse-mode transform: all is recorded.

    ``outer``: whether anybody outside records.
    """

    def __enter__(self):
        if modes.state.saved_hooks:
            raise RuntimeError(_NO_HOOKS)
        self.outer = modes.is_grad_enabled()
        self._disabled = modes.state.saved_hooks_disabled
        modes.state.saved_hooks_disabled = _NO_HOOKS
        self._mode: Any = modes.inference_mode(False)
        self._mode.__enter__()
        self._grad: Any = modes.set_grad_enabled(True)
        return super().__enter__()

    def __exit__(self, *exc):
        super().__exit__(*exc)
        self._grad.__exit__(*exc)
        self._mode.__exit__(*exc)
        modes.state.saved_hooks_disabled = self._disabled

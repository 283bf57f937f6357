"""Grad mode: whether ops are recorded. Thread-local, as in PyTorch.

Source of the rules: https://pytorch.org/docs/stable/notes/autograd.html#locally-disabling-gradient-computation
"""

from __future__ import annotations

import functools
import inspect
import threading
import warnings
from typing import Any


class _State(threading.local):
    """What the current thread has switched on."""

    grad_enabled: bool = True
    grad_wanted: bool = False
    """`enable_grad` inside `inference_mode`: it says that it is on, yet nothing is recorded."""
    inference: bool = False
    multithreading: bool = True
    grad_layout: bool = True
    view_replay: bool = False
    saved_hooks: tuple = ()
    saved_hooks_disabled: str | None = None
    mutation_allowed: bool = False
    slices: Any = None
    """The `views.CopySlices` that is running: outputs that its node saved are seen through it."""


state = _State()


class Anomaly:
    """For all threads: whether nodes know where they were made, and gradients must not be NaN."""

    def __init__(self):
        self.enabled = False
        self.check_nan = True


anomaly = Anomaly()


class Inference:
    """Whether any thread ever was in inference mode; until then nobody looks."""

    def __init__(self):
        self.used = False


inference = Inference()


class Forward:
    """Forward mode, for all threads. ``active``: tangents are pushed, as a ``level`` is open."""

    def __init__(self):
        self.enabled = True
        self.active = False
        self.level: Any = None


forward = Forward()


class Vmap(threading.local):
    """The `vmap` transforms that a thread is in, the outermost first; see ``frames.py``."""

    def __init__(self):
        self.frames: list = []


vmap = Vmap()


class Transforms(threading.local):
    """In how many of `torch.func`'s transforms other than `vmap` a thread is; ``func/inside.py``.

    ``open``: of all kinds, `vmap` included. ``arguments``: the storages that each may write to
    although they were made before it. ``levels``: for each how many of all kinds are open.
    """

    depth: int = 0
    open: int = 0

    def __init__(self):
        self.arguments: list = []
        self.levels: list[int] = []


transforms = Transforms()


def check_untransformed(method: str) -> None:
    """Raise if the program is in a function transform, where ``method`` means nothing."""
    if transforms.depth or vmap.frames:
        also = " (or perhaps using torch.autograd.functional.* APIs)"
        raise RuntimeError(
            f"You are attempting to call Tensor.{method}()"
            f"{also if method == 'requires_grad_' else ''} inside of a function being transformed "
            "by a functorch transform. This is unsupported, please attempt to use the functorch "
            f"transforms (e.g. grad, vjp, jacrev, jacfwd, hessian) or call {method}() outside of a "
            "function being transformed instead."
        )


def is_grad_enabled() -> bool:
    """Whether ops are being recorded in this thread.

    >>> import stateful as torch
    >>> with torch.no_grad():
    ...     torch.is_grad_enabled()
    False
    """
    return state.grad_enabled or state.grad_wanted


def is_inference_mode_enabled() -> bool:
    """Whether `inference_mode` is on in this thread.

    >>> import stateful as torch
    >>> with torch.inference_mode():
    ...     torch.is_inference_mode_enabled()
    True
    """
    return state.inference


class ContextDecorator:
    """A context manager that also decorates functions, generators and, deprecated, classes.

    Each call enters a fresh clone; a generator is in the mode only while its own code runs.
    """

    def clone(self):
        """A fresh context manager with the same arguments."""
        return type(self)()

    def __enter__(self):
        raise NotImplementedError

    def __exit__(self, *exc):
        raise NotImplementedError

    def __call__(self, target):
        if inspect.isclass(target):
            warnings.warn(
                "Decorating classes is deprecated and will be disabled in future versions. You "
                "should only decorate functions or methods. To preserve the current behavior of "
                "class decoration, you can directly decorate the `__init__` method and nothing "
                "else.",
                FutureWarning,
                stacklevel=2,
            )
            return self._wrap(lambda *args, **kwargs: target(*args, **kwargs))
        if inspect.isgeneratorfunction(target):
            return self._wrap_generator(target)
        return self._wrap(target)

    def _wrap(self, target):
        @functools.wraps(target)
        def wrapper(*args, **kwargs):
            with self.clone():
                return target(*args, **kwargs)

        return wrapper

    def _wrap_generator(self, target):
        @functools.wraps(target)
        def wrapper(*args, **kwargs):
            generator = target(*args, **kwargs)
            try:
                with self.clone():
                    item = generator.send(None)
                while True:
                    try:
                        sent = yield item
                    except GeneratorExit:
                        with self.clone():
                            generator.close()
                        raise
                    except BaseException as error:
                        with self.clone():
                            item = generator.throw(error)
                    else:
                        with self.clone():
                            item = generator.send(sent)
            except StopIteration as stop:
                return stop.value

        return wrapper


class _NoParameters(ContextDecorator):
    """`no_grad` may be used without parentheses: ``@torch.no_grad``."""

    def __new__(cls, target=None) -> Any:
        self = super().__new__(cls)
        if target is None:
            return self
        self.__init__()
        return self(target)


class no_grad(_NoParameters):
    """Context manager and decorator: nothing is recorded inside.

    >>> import stateful as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    _enabled = False

    def __init__(self, target=None):
        self._previous = _switches()

    def __enter__(self):
        self._previous = _switches()
        _switch(self._enabled)

    def __exit__(self, *exc):
        state.grad_enabled, state.grad_wanted = self._previous


def _switches() -> tuple[bool, bool]:
    return state.grad_enabled, state.grad_wanted


def _switch(enabled: bool) -> None:
    state.grad_enabled = enabled and not state.inference
    state.grad_wanted = enabled and state.inference


class enable_grad(no_grad):
    """Context manager and decorator: recording is on inside, even under `no_grad`.

    >>> import stateful as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.no_grad(), torch.enable_grad():
    ...     y = x * 2
    >>> y.requires_grad
    True
    """

    _enabled = True


class set_grad_enabled(ContextDecorator):
    """Switch recording on or off, as a function call, a context manager or a decorator.

    >>> import stateful as torch
    >>> with torch.set_grad_enabled(False):
    ...     torch.is_grad_enabled()
    False
    """

    def __init__(self, mode: bool):
        if not isinstance(mode, bool):
            raise TypeError(
                f"set_grad_enabled(): argument 'enabled' (position 1) must be bool, not "
                f"{type(mode).__name__}"
            )
        self._mode = self.mode = mode
        self._previous = _switches()
        _switch(self._mode)

    def __enter__(self):
        _switch(self._mode)

    def __exit__(self, *exc):
        state.grad_enabled, state.grad_wanted = self._previous

    def __call__(self, target):
        state.grad_enabled, state.grad_wanted = self._previous
        return super().__call__(target)

    def clone(self):
        return type(self)(self._mode)

    def __str__(self):
        return f"torch.autograd.grad_mode.set_grad_enabled(mode={self._mode})"

    __repr__ = __str__


class inference_mode(ContextDecorator):
    """Context manager and decorator: nothing is recorded and new tensors can never be.

    >>> import stateful as torch
    >>> with torch.inference_mode():
    ...     x = torch.ones(2)
    >>> x.is_inference()
    True
    """

    def __new__(cls, mode=True):
        self = super().__new__(cls)
        if isinstance(mode, bool):
            return self
        self.__init__()
        return self(mode)

    def __init__(self, mode: bool = True):
        self.mode = mode if isinstance(mode, bool) else True

    def __enter__(self):
        self._previous = (state.inference, state.grad_enabled, state.grad_wanted)
        inference.used = inference.used or self.mode
        state.inference = self.mode
        state.grad_enabled, state.grad_wanted = not self.mode, False

    def __exit__(self, *exc):
        state.inference, state.grad_enabled, state.grad_wanted = self._previous

    def clone(self):
        return type(self)(self.mode)

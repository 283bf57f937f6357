"""`compile`: a step, or a Module, as one compiled program behind an unchanged signature."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..nn.modules.module import Module
from .arguments import Arguments
from .errors import PurifyError
from .program import Binding, Program
from .trace import Roots, check_settled
from .watch import is_tracing
from .world import World

_ROUNDS = 8
_RECENT = 4


class Compiled:
    """A callable like ``step``; its programs are found by what they depend on.

    ``traces`` counts how many programs were made.

    >>> import stateful as torch
    >>> step = torch.compile(lambda x: x * 2)
    >>> step(torch.ones(2)), step.traces
    (tensor([2., 2.]), 1)
    """

    def __init__(self, step: Callable):
        self.step = step
        self.traces = 0
        self._roots = Roots(step)
        self._programs: dict[tuple, Program] = {}
        self._bindings: dict[tuple, list[Binding]] = {}
        self._settling: dict[tuple, int] = {}
        if not isinstance(step, Module):
            functools.update_wrapper(self, step, updated=())

    def __call__(self, *args, **kwargs):
        if is_tracing():
            return self.step(*args, **kwargs)
        arguments = Arguments(args, kwargs)
        return self.binding(arguments).run(arguments)

    def binding(self, arguments: Arguments) -> Binding:
        """The program for these arguments and the world as it is."""
        for binding in self._bindings.get(arguments.key, ()):
            if binding.guard.holds():
                break
        else:
            binding = self._bind(arguments)
        if binding.replaced and binding.is_held():
            binding.renew()
            self._bindings[arguments.key].remove(binding)
            binding = self._bind(arguments)
        return binding

    def __get__(self, instance, owner=None):
        return self if instance is None else functools.partial(self, instance)

    def __repr__(self):
        return f"<compiled {self.step!r}>"

    def _bind(self, arguments: Arguments) -> Binding:
        """Look at the world anew, and find or make its program."""
        roots = Roots(self.step, arguments.objects())
        roots.hidden = self._roots.hidden
        for _ in range(_ROUNDS):
            world = roots.world()
            key = (arguments.key, world.facts)
            program = self._programs.get(key)
            if program is None or program.transition and not program.transition.fits(world):
                program = Program(roots, world, arguments)
                if program.hidden:
                    roots.hidden.extend(program.hidden)
                    continue
                self.traces += 1
                self._check(key, world, program, arguments)
                self._programs[key] = program
            binding = Binding(program, world)
            recent = self._bindings.setdefault(arguments.key, [])
            recent.insert(0, binding)
            del recent[_RECENT:]
            return binding
        raise PurifyError(
            "the step touches other tensors each time it is traced; give it a fixed set of tensors."
        )

    def _check(self, key: tuple, world: World, program: Program, arguments: Arguments) -> None:
        """A world that a step has led to may lead on to itself, or to one that is known."""
        if program.transition is None:
            return
        steps = self._settling.get(key, 0)
        following = (arguments.key, program.after.facts)
        if steps and following not in self._programs and following not in self._settling:
            check_settled(world, program.after)
        self._settling.setdefault(following, steps + 1)


def compile(model: Callable | None = None, **options: Any) -> Any:
    """``model`` (a function or a Module) as one compiled program with the same signature.

    As https://pytorch.org/docs/stable/generated/torch.compile.html, whose options are accepted and
    not needed. The state is found by itself: parameters, buffers, gradients, optimizer state,
    random generators, and every tensor that the function's variables lead to. What the program
    depends on besides (shapes, numbers, ``training``, which gradients exist, ...) is checked at
    each call, and a change makes a new program. Learning rates are data. The elements are updated
    in place of the old ones, so no memory is needed for both.

    Raises `DataDependentError` where Python needs the value of a tensor, `PurifyError` for a step
    that changes Python values each time it runs.

    >>> import stateful as torch
    >>> w = torch.ones(2, requires_grad=True)
    >>> @torch.compile
    ... def step(x):
    ...     (w * x).sum().backward()
    ...     with torch.no_grad():
    ...         w.sub_(w.grad)
    ...     w.grad = None
    >>> step(torch.tensor([1.0, 2.0]))
    >>> w
    tensor([ 0., -1.], requires_grad=True)
    """
    if model is None:
        return functools.partial(compile, **options)
    if isinstance(model, Module):
        return OptimizedModule(model)
    return Compiled(model)


class OptimizedModule(Module):
    """A Module whose call runs as one compiled program; everything else is the original's."""

    def __init__(self, module: Module):
        super().__init__()
        self._orig_mod = module
        object.__setattr__(self, "_compiled", Compiled(module))
        self.training = module.training

    def forward(self, *args, **kwargs) -> Any:
        """The original's call, compiled."""
        return self._compiled(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("_orig_mod"), name)


def _compile_in_place(self: Module, *args: Any, **options: Any) -> None:
    """From now on ``forward`` runs as one compiled program; see `torch.compile`.

    >>> import stateful as torch
    >>> model = torch.nn.Linear(2, 1)
    >>> model.compile()
    >>> model(torch.ones(3, 2)).shape
    torch.Size([3, 1])
    """
    forward: Any = self.forward
    self.forward = Compiled(forward.step if isinstance(forward, Compiled) else forward)


Module.compile = _compile_in_place  # type: ignore[attr-defined]

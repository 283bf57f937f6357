"""`LBFGS`: a quasi-Newton step that evaluates the loss itself, through a closure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from .. import modes
from ..dispatch import wrap
from ..execute import Function, eager
from ..methods import FUNCTIONS
from ..tensor import Tensor
from .line_search import Point, strong_wolfe
from .optimizer import Optimizer

_CURVATURE = 1e-10
_cat, _view_as_real = FUNCTIONS["torch"]["cat"], FUNCTIONS["torch"]["view_as_real"]


class LBFGS(Optimizer):
    """Limited-memory BFGS (Liu and Nocedal 1989).

    As https://pytorch.org/docs/stable/generated/torch.optim.LBFGS.html. One step makes up to
    ``max_iter`` iterations and calls ``closure`` up to ``max_eval`` times. All parameters are in
    one group.

    >>> import stateful as torch
    >>> w = torch.nn.Parameter(torch.ones(2))
    >>> optimizer = torch.optim.LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((w - 3) ** 2).sum()
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure).item()
    8.0
    >>> w
    Parameter containing:
    tensor([3., 3.], requires_grad=True)
    """

    def __init__(
        self, params: Any, lr: float | Tensor = 1, max_iter: int = 20, max_eval: int | None = None,
        tolerance_grad: float = 1e-7, tolerance_change: float = 1e-9, history_size: int = 100,
        line_search_fn: str | None = None,
    ):  # fmt: skip
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not isinstance(lr, Tensor) and not lr >= 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        defaults = dict(lr=lr, max_iter=max_iter,
                        max_eval=max_iter * 5 // 4 if max_eval is None else max_eval,
                        tolerance_grad=tolerance_grad, tolerance_change=tolerance_change,
                        history_size=history_size, line_search_fn=line_search_fn)  # fmt: skip
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    @property
    def _params(self) -> list[Any]:
        return self.param_groups[0]["params"]

    def step(self, closure: Callable) -> Any:  # type: ignore[override]
        """Iterate until a tolerance or limit is met; returns the loss before."""
        with modes.no_grad():
            return self._step(modes.enable_grad()(closure), self.param_groups[0])

    def _step(self, closure: Callable, group: dict[str, Any]) -> Any:
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise RuntimeError("only 'strong_wolfe' is supported")
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first_loss = closure()
        evaluations = 1
        state["func_evals"] += 1
        loss, grad = float(first_loss), self._flat_grad()
        if grad.abs().max() <= group["tolerance_grad"]:
            return first_loss
        lr, limit = group["lr"], group["max_iter"]
        lr = lr.item() if isinstance(lr, Tensor) else lr
        for iteration in range(1, limit + 1):
            state["n_iter"] += 1
            self._find_direction(state, grad, group["history_size"])
            direction = state["d"]
            before = state["prev_loss"] = loss
            careful = min(1.0, 1.0 / float(grad.abs().sum())) if state["n_iter"] == 1 else 1
            state["t"] = careful * lr
            slope = float(grad.dot(direction))
            if slope > -group["tolerance_change"]:
                break
            calls = 0
            if group["line_search_fn"]:
                found, calls = self._search(closure, state, loss, grad, slope,
                                            group["max_eval"] - evaluations)  # fmt: skip
                state["t"], loss, grad = found.t, found.value, found.grad
                self._move(direction, found.t)
            else:
                self._move(direction, state["t"])
                if iteration != limit:
                    loss, grad, calls = float(closure()), self._flat_grad(), 1
            evaluations += calls
            state["func_evals"] += calls
            if (
                evaluations >= group["max_eval"]
                or grad.abs().max() <= group["tolerance_grad"]
                or (direction * state["t"]).abs().max() <= group["tolerance_change"]
                or abs(loss - before) < group["tolerance_change"]
            ):
                break
        return first_loss

    def _find_direction(self, state: dict[str, Any], grad: Any, size: int) -> None:
        """Remember the last move, then go against the gradient, scaled by what is remembered."""
        if state["n_iter"] == 1:
            state.update(d=-grad, t=None, old_dirs=[], old_stps=[], ro=[], H_diag=1)
        else:
            _remember(state, grad - state["prev_flat_grad"], state["d"] * state["t"], size)
            state["d"] = _two_loops(state, -grad, size)
        state["prev_flat_grad"] = grad.clone()

    def _search(self, closure, state, loss, grad, slope, limit) -> tuple[Point, int]:
        direction, start = state["d"], [p.clone() for p in self._params]

        def evaluate(t: float) -> Point:
            self._move(direction, t)
            value, there = float(closure()), self._flat_grad()
            for param, values in zip(self._params, start, strict=True):
                param.copy_(values)
            return Point(t, value, there, float(there.dot(direction)))

        here = Point(0.0, loss, grad, slope)
        return strong_wolfe(evaluate, here, state["t"], limit, float(direction.abs().max()))

    def _flat_grad(self) -> Any:
        """The gradients of all parameters as one real vector."""
        parts = []
        for param in self._params:
            grad = param.new_zeros(param.shape) if param.grad is None else param.grad
            grad = _view_as_real(grad) if grad.is_complex() else grad
            parts.append(grad.reshape(-1))
        return _cat(parts, 0)

    def _move(self, direction: Any, t: float) -> None:
        offset = 0
        for param in self._params:
            target: Any = _view_as_real(param) if param.is_complex() else param
            number = target.numel()
            target.add_(direction[offset : offset + number].view(target.shape), alpha=t)
            offset += number


def _remember(state: dict[str, Any], change: Any, move: Any, size: int) -> None:
    """Add a change of the gradient and its move to the history, unless it curves too little."""
    curvature = change.dot(move)
    if not curvature > _CURVATURE:
        return
    history = state["old_dirs"], state["old_stps"], state["ro"]
    for items, item in zip(history, (change, move, 1.0 / curvature), strict=True):
        if len(items) == size:
            items.pop(0)
        items.append(item)
    state["H_diag"] = curvature / change.dot(change)


def _two_loops(state: dict[str, Any], vector: Any, size: int) -> Any:
    """The inverse Hessian that the history approximates, times ``vector``.

    The history is padded to a power of two, so that as it grows few programs are compiled: a row of
    zeros changes nothing. Run eagerly: in a window every length of the history would be a program.
    """
    state.setdefault("al", [None] * size)
    if not state["ro"]:
        return vector * state["H_diag"]
    used = len(state["ro"])
    padding = (1 << (used - 1).bit_length()) - used
    none = vector.new_zeros(vector.shape)
    leaves = [vector, state["H_diag"], *state["old_dirs"], *[none] * padding,
              *state["old_stps"], *[none] * padding, *state["ro"],
              *[none.sum()] * padding]  # fmt: skip
    values = [leaf._read() for leaf in leaves]
    return wrap(eager(_DIRECTION, (), values)[1][0])


def _direction(vector, scale, *history):
    """The two-loop recursion: Nocedal and Wright, Numerical Optimization (2006), algorithm 7.4."""
    third = len(history) // 3
    rows = tuple(jnp.stack(history[i * third : (i + 1) * third]) for i in range(3))

    def towards_old(vector, row):
        change, move, ro = row
        weight = (move @ vector) * ro
        return vector - weight * change, weight

    def towards_new(vector, row):
        (change, move, ro), weight = row
        return vector + (weight - (change @ vector) * ro) * move, None

    vector, weights = jax.lax.scan(towards_old, vector, rows, reverse=True)
    vector, _ = jax.lax.scan(towards_new, vector * scale, (rows, weights))
    return vector


_DIRECTION = Function(_direction)

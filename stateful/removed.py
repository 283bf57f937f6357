"""Functions that PyTorch has taken away, whose names still say what to use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from .tensor import Tensor

_INSTEAD = {
    "eig": "torch.linalg.eig", "matrix_rank": "torch.linalg.matrix_rank",
    "solve": "torch.linalg.solve", "symeig": "torch.linalg.eigh", "lstsq": "torch.linalg.lstsq",
}  # fmt: skip


def _removed(name: str, instead: str) -> Callable:
    def function(*args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError(
            f"This function was deprecated since version 1.9 and is now removed. `torch.{name}` is "
            f"deprecated in favor of `{instead}`."
        )

    given = ", ".join(["torch.ones(2, 2)"] * (1 + (name in ("lstsq", "solve"))))
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""Gone from PyTorch too: use `{instead}`.

    >>> import stateful as torch
    >>> torch.{name}({given})
    Traceback (most recent call last):
    ...
    RuntimeError: This function was deprecated since version 1.9 and is now removed...
    """
    return function


def _reinforce(self: Tensor, reward: Any) -> NoReturn:
    """Gone from PyTorch too: use `torch.distributions`.

    >>> import stateful as torch
    >>> torch.ones(1).reinforce(1)
    Traceback (most recent call last):
    ...
    RuntimeError: reinforce() was removed...
    """
    raise RuntimeError(
        "reinforce() was removed. Use torch.distributions instead: sample an action, and "
        "differentiate -m.log_prob(action) * reward."
    )


REMOVED = {name: _removed(name, instead) for name, instead in _INSTEAD.items() if name != "lstsq"}
for _name in ("eig", "lstsq", "solve", "symeig"):
    setattr(Tensor, _name, _removed(_name, _INSTEAD[_name]))
Tensor.reinforce = _reinforce  # type: ignore[attr-defined]

"""Where in the user's program something happened, and what the user calls a tensor there."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

_OURS = Path(__file__).resolve().parent.parent
_LIBRARIES = (str(_OURS), str(_OURS.parent / "funcgrad"))
_DEPTH = 3
_LONGEST = 1000


class UserCode:
    """Knows the frames of the user's program: the files in the script's own folder."""

    def __init__(self, script: Path) -> None:
        self._script = str(script)
        self._folder = str(script.parent)
        self._torch: Any = None
        self._known: dict[str, bool] = {}

    def library(self, torch: Any) -> None:
        """Tells what a tensor and a module are."""
        self._torch = torch

    def owns(self, filename: str) -> bool:
        """Whether this file belongs to the user's program."""
        if filename not in self._known:
            self._known[filename] = filename == self._script or (
                filename.startswith(self._folder)
                and "site-packages" not in filename
                and not filename.startswith(_LIBRARIES)
            )
        return self._known[filename]

    def frame(self) -> FrameType | None:
        """The innermost frame of the user's program that is running now."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and not self.owns(frame.f_code.co_filename):
            frame = frame.f_back
        return frame

    def line(self) -> int:
        """The line of the script that is running now; 0 if none is."""
        frame = self.frame()
        return 0 if frame is None else self.script_line(frame)

    def script_line(self, frame: FrameType | None) -> int:
        """The innermost line of the script itself at or above `frame`."""
        while frame is not None and frame.f_code.co_filename != self._script:
            frame = frame.f_back
        return 0 if frame is None else frame.f_lineno

    def names(self) -> dict[int, str]:
        """The name of every tensor that the running frames see, by its `id`; inner frames first."""
        names: dict[int, str] = {}
        frame = self.frame()
        while frame is not None:
            if self.owns(frame.f_code.co_filename):
                for name, value in list(frame.f_locals.items()):
                    if not name.startswith("_"):
                        self._name(name, value, names, _DEPTH)
            frame = frame.f_back
        return names

    def _name(self, name: str, value: Any, names: dict[int, str], depth: int) -> None:
        if isinstance(value, self._torch.Tensor):
            names.setdefault(id(value), name)
        elif isinstance(value, self._torch.nn.Module):
            for inner, parameter in value.named_parameters():
                names.setdefault(id(parameter), f"{name}.{inner}")
        elif depth:
            for inner, element in self._inside(name, value):
                self._name(inner, element, names, depth - 1)

    def _inside(self, name: str, value: Any) -> Iterator[tuple[str, Any]]:
        if isinstance(value, list | tuple) and 0 < len(value) <= _LONGEST:
            if isinstance(value[0], int | float | str):
                return
            yield from ((f"{name}[{index}]", element) for index, element in enumerate(value))
        elif isinstance(value, dict) and len(value) <= _LONGEST:
            yield from ((f"{name}.{key}", value[key]) for key in list(value))
        elif type(value).__module__ == "__main__":
            yield from ((f"{name}.{key}", inner) for key, inner in vars_of(value).items())


def vars_of(value: Any) -> dict[str, Any]:
    """The instance attributes of `value`; empty when it has none of its own."""
    return dict(getattr(value, "__dict__", {}))

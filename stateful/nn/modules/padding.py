"""Padding: one class for each way and number of dimensions."""

from __future__ import annotations

from .. import functional as F
from .module import Module
from .sizes import tuple_of


class _Pad(Module):
    rank: int
    mode: str

    def __init__(self, padding):
        super().__init__()
        self.padding = tuple_of(padding, 2 * self.rank)

    def forward(self, input):
        return F.pad(input, self.padding, mode=self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    mode = "constant"

    def __init__(self, padding, value):
        super().__init__(padding)
        self.value = value

    def forward(self, input):
        return F.pad(input, self.padding, mode="constant", value=self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class _ZeroPad(_ConstantPad):
    def __init__(self, padding):
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


_KINDS = {"ConstantPad": (_ConstantPad, "constant"), "ZeroPad": (_ZeroPad, "constant"),
          "ReflectionPad": (_Pad, "reflect"), "ReplicationPad": (_Pad, "replicate"),
          "CircularPad": (_Pad, "circular")}  # fmt: skip
PADS = {
    f"{name}{rank}d": type(
        f"{name}{rank}d", (base,),
        {"rank": rank, "mode": mode, "__module__": __name__,
         "__doc__": f"`nn.functional.pad` with mode {mode!r} as a module."},
    )
    for name, (base, mode) in _KINDS.items()
    for rank in (1, 2, 3)
}  # fmt: skip
globals().update(PADS)

"""`torch._vmap_internals`: `vmap` under the names that older programs take it from."""

from .func import vmap as vmap

_vmap = vmap

"""Modules that learn the size of their input when they see the first one."""

from __future__ import annotations

from typing import Any

from ..parameter import UninitializedBuffer, UninitializedParameter, is_lazy
from . import batchnorm, conv
from .linear import Linear


class LazyModuleMixin:
    """A module that makes its parameters before its first `forward`, and then is an ordinary one.

    A subclass says ``cls_to_become`` and `initialize_parameters`.

    >>> import stateful as torch
    >>> layer = torch.nn.LazyLinear(2)
    >>> isinstance(layer, torch.nn.modules.lazy.LazyModuleMixin), layer.has_uninitialized_params()
    (True, True)
    >>> _ = layer(torch.zeros(1, 3))
    >>> layer
    Linear(in_features=3, out_features=2, bias=True)
    """

    cls_to_become: type | None = None

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        module: Any = self
        self._initialize_hook = module.register_forward_pre_hook(_infer, with_kwargs=True)

    def initialize_parameters(self, *args, **kwargs) -> None:
        """Make the parameters for these inputs."""
        raise NotImplementedError(
            f"initialize_parameters is not implemented for {type(self).__name__}"
        )

    def has_uninitialized_params(self) -> bool:
        """Whether parameters or buffers have no shape yet."""
        module: Any = self
        return any(map(is_lazy, [*module._parameters.values(), *module._buffers.values()]))

    def reset_parameters(self) -> None:
        """Initial values, once there is something to fill."""
        if not self.has_uninitialized_params():
            super().reset_parameters()  # type: ignore[misc]

    def _save_to_state_dict(self, destination, prefix, keep_vars) -> None:
        super()._save_to_state_dict(destination, prefix, keep_vars)  # type: ignore[misc]
        module: Any = self
        for name, item in {**module._parameters, **module._buffers}.items():
            if is_lazy(item) and prefix + name in destination:
                destination[prefix + name] = item

    def _load_from_state_dict(self, state_dict, prefix, *rest) -> None:
        module: Any = self
        for name, item in {**module._parameters, **module._buffers}.items():
            given = state_dict.get(prefix + name)
            if is_lazy(item) and given is not None and not is_lazy(given):
                item.materialize(given.shape)
        super()._load_from_state_dict(state_dict, prefix, *rest)  # type: ignore[misc]


def _infer(module, args, kwargs):
    module.initialize_parameters(*args, **kwargs)
    if module.has_uninitialized_params():
        raise RuntimeError(f"module {module._get_name()} has not been fully initialized")
    module._initialize_hook.remove()
    del module._initialize_hook
    if module.cls_to_become is not None:
        module.__class__ = module.cls_to_become


class LazyLinear(LazyModuleMixin, Linear):
    """`Linear` whose ``in_features`` come from the first input.

    >>> import stateful as torch
    >>> layer = torch.nn.LazyLinear(2)
    >>> layer(torch.ones(1, 3)).shape, layer
    (torch.Size([1, 2]), Linear(in_features=3, out_features=2, bias=True))
    """

    cls_to_become = Linear

    def __init__(self, out_features, bias=True, device=None, dtype=None):
        options: Any = {"device": device, "dtype": dtype}
        super().__init__(0, 0, False, **options)
        self.weight = UninitializedParameter(**options)
        self.out_features = out_features
        if bias:
            self.bias = UninitializedParameter(**options)

    def reset_parameters(self) -> None:
        if self.in_features:
            super().reset_parameters()

    def initialize_parameters(self, input) -> None:  # type: ignore[override]
        if not self.has_uninitialized_params():
            return
        self.in_features = input.shape[-1]
        self.weight.materialize((self.out_features, self.in_features))
        if self.bias is not None:
            self.bias.materialize((self.out_features,))
        self.reset_parameters()


class _LazyConv(LazyModuleMixin):
    def __init__(self, out_channels, kernel_size, *args, bias=True, device=None, dtype=None,
                 **kwargs):  # fmt: skip
        module: Any = self
        options: Any = {"device": device, "dtype": dtype}
        names = ("stride", "padding", "output_padding", "groups", "bias", "dilation",
                 "padding_mode") if self._transposed() else (
                 "stride", "padding", "dilation", "groups", "bias", "padding_mode")  # fmt: skip
        kwargs.update(zip(names, args, strict=False))
        bias = kwargs.pop("bias", bias)
        super().__init__(0, 0, kernel_size, bias=False, **kwargs, **options)
        module.weight = UninitializedParameter(**options)
        module.out_channels = out_channels
        if bias:
            module.bias = UninitializedParameter(**options)

    @classmethod
    def _transposed(cls) -> bool:
        return getattr(cls, "transposed", False)

    def reset_parameters(self) -> None:
        module: Any = self
        if module.in_channels:
            super().reset_parameters()

    def initialize_parameters(self, input, *args, **kwargs) -> None:  # type: ignore[override]
        if not self.has_uninitialized_params():
            return
        module: Any = self
        if input.dim() not in (module.rank + 1, module.rank + 2):
            raise RuntimeError(
                f"Expected {module.rank + 1}D (unbatched) or {module.rank + 2}D (batched) input to "
                f"{type(self).__name__}, but got input of size: {input.shape}"
            )
        module.in_channels = input.shape[-module.rank - 1]
        if module.in_channels % module.groups:
            raise ValueError("in_channels must be divisible by groups")
        channels = (module.out_channels, module.in_channels // module.groups)
        if self._transposed():
            channels = (module.in_channels, module.out_channels // module.groups)
        module.weight.materialize((*channels, *module.kernel_size))
        if module.bias is not None:
            module.bias.materialize((module.out_channels,))
        self.reset_parameters()


class _LazyNorm(LazyModuleMixin):
    """Also of instances, unlike `InstanceNorm1d`, with a weight and running statistics."""

    def __init__(self, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True, device=None,
                 dtype=None, *, bias=True):  # fmt: skip
        module: Any = self
        options: Any = {"device": device, "dtype": dtype}
        super().__init__(0, eps, momentum, False, False, **options, bias=False)
        module.affine, module.track_running_stats = affine, track_running_stats
        if affine:
            module.weight = UninitializedParameter(**options)
        if affine and bias:
            module.bias = UninitializedParameter(**options)
        if track_running_stats:
            module.running_mean = UninitializedBuffer(**options)
            module.running_var = UninitializedBuffer(**options)
            module.num_batches_tracked = batchnorm.tensor(0, dtype=batchnorm.long)

    def reset_parameters(self) -> None:
        module: Any = self
        if module.num_features:
            super().reset_parameters()

    def reset_running_stats(self) -> None:
        """Mean 0, variance 1, once there is something to fill."""
        module: Any = self
        if module.num_features:
            super().reset_running_stats()  # type: ignore[misc]

    def initialize_parameters(self, input) -> None:  # type: ignore[override]
        if not self.has_uninitialized_params():
            return
        module: Any = self
        module.num_features = input.shape[1]
        for item in (module.weight, module.bias, module.running_mean, module.running_var):
            if is_lazy(item):
                item.materialize((module.num_features,))
        self.reset_parameters()


def _lazy(mixin: type, base: type) -> type:
    """A lazy class of the kind ``mixin`` that becomes ``base``."""
    name = f"Lazy{base.__name__}"

    def __init__(self, *args, **kwargs):
        mixin.__init__(self, *args, **kwargs)  # type: ignore[misc]

    fields = {
        "cls_to_become": base, "__init__": __init__, "__module__": __name__,
        "__doc__": f"`{base.__name__}` whose number of channels comes from the first input.",
    }  # fmt: skip
    return type(name, (mixin, base), fields)


LAZY: dict[str, type] = {"LazyLinear": LazyLinear}
for _rank in (1, 2, 3):
    for _mixin, _base in (
        (_LazyConv, getattr(conv, f"Conv{_rank}d")),
        (_LazyConv, getattr(conv, f"ConvTranspose{_rank}d")),
        (_LazyNorm, getattr(batchnorm, f"BatchNorm{_rank}d")),
        (_LazyNorm, getattr(batchnorm, f"InstanceNorm{_rank}d")),
    ):
        _made = _lazy(_mixin, _base)
        LAZY[_made.__name__] = _made
globals().update(LAZY)

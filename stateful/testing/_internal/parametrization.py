"""`parametrize` of `torch.testing._internal.common_utils`: one test for each of some values."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from ... import devices, dtypes


class Variant(NamedTuple):
    """One test to be made: the part of its name, its arguments and its decorators."""

    name: str
    arguments: dict[str, Any]
    decorators: list[Callable]

    def joined(self, inner: Variant) -> Variant:
        """With the arguments of a decorator further down as well."""
        twice = sorted(set(self.arguments) & set(inner.arguments))
        if twice:
            raise RuntimeError(
                "Parametrization over the same parameter by multiple parametrization decorators is "
                f"not supported: {twice}; name each argument once"
            )
        return Variant(
            "_".join(filter(None, (self.name, inner.name))),
            {**inner.arguments, **self.arguments},
            [*inner.decorators, *self.decorators],
        )


class subtest:
    """Values of a test with a name and decorators of their own."""

    def __init__(self, arg_values: Any, name: str | None = None, decorators: Any = None):
        self.arg_values, self.name = arg_values, name
        self.decorators: list[Callable] = list(decorators or ())


class parametrize:
    """Decorator: one test for each value of some arguments; ``arg_str`` names them, ``"x, y"``.

    ``arg_values``: values, tuples of values if there are several arguments, or each as a `subtest`.
    ``name_fn``: the part of the name of a test for these values. The tests are made by
    `instantiate_parametrized_tests` or by `instantiate_device_type_tests`.
    """

    def __init__(self, arg_str: str, arg_values: Iterable, name_fn: Callable | None = None):
        self.names = [name.strip() for name in arg_str.split(",") if name]
        self.values, self.name_fn = list(arg_values), name_fn

    def __call__(self, test: Callable) -> Callable:
        if not self.values and self.names:
            raise ValueError(f"{test}: An empty arg_values was passed to @parametrize")
        inner = variants(test)
        test.parametrized = [  # type: ignore[attr-defined]
            outer.joined(under) for under in inner for outer in self._variants(test.__name__)
        ]
        return test

    def _variants(self, test: str) -> Iterator[Variant]:
        for index, given in enumerate(self.values):
            case = given if isinstance(given, subtest) else subtest(given)
            values = list(case.arg_values) if len(self.names) > 1 else [case.arg_values]
            if len(values) != len(self.names):
                raise RuntimeError(
                    f"Expected # values == # arg names, but got: {len(values)} values and "
                    f'{len(self.names)} names for test "{test}"'
                )
            name = case.name or self._name(index, values)
            yield Variant(name, dict(zip(self.names, values, strict=True)), case.decorators)

    def _name(self, index: int, values: list) -> str:
        if self.name_fn:
            return self.name_fn(*values)
        return "_".join(_shown(index, *pair) for pair in zip(self.names, values, strict=True))


def _shown(index: int, name: str, value: Any) -> str:
    if isinstance(value, dtypes.dtype):
        return dtype_name(value)
    if isinstance(value, devices.device):
        return str(value)
    if isinstance(value, int | float | str):
        return f"{name}_{str(value).replace('.', '_')}"
    return f"{name}{index}"


def dtype_name(dtype: dtypes.dtype) -> str:
    """``float32`` of `torch.float32`."""
    return str(dtype).removeprefix("torch.")


def variants(test: Callable) -> list[Variant]:
    """The tests to be made of one, a single one without `parametrize`."""
    return getattr(test, "parametrized", [Variant("", {}, [])])  # type: ignore[arg-type]


def instance(test: Callable, variant: Variant) -> Callable:
    """A test of these values."""
    decorated: Any = test
    if variant.decorators:
        decorated = functools.wraps(test)(lambda *args, **kwargs: test(*args, **kwargs))
    for decorator in variant.decorators:
        decorated = decorator(decorated)

    @functools.wraps(decorated)
    def made(self: Any) -> Any:
        return decorated(self, **variant.arguments)

    vars(made).pop("parametrized", None)
    return made


def instantiate_parametrized_tests(generic_cls: type) -> type:
    """Replace each test of a class that has a `parametrize` by one for each of its values."""
    for attribute in dir(generic_cls):
        test = getattr(generic_cls, attribute)
        if hasattr(test, "parametrized"):
            delattr(generic_cls, attribute)
            for variant in variants(test):
                add(generic_cls, f"{test.__name__}_{variant.name}", instance(test, variant))
    return generic_cls


def add(cls: type, name: str, test: Callable) -> None:
    """Give a class a test; AssertionError if it has one of this name."""
    if hasattr(cls, name):
        raise AssertionError(f"Redefinition of test {name}")
    setattr(cls, name, test)

"""Sets of values: what a parameter may be, and where a distribution lives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..methods import FUNCTIONS

_linalg, _torch = FUNCTIONS["linalg"], FUNCTIONS["torch"]


class Constraint:
    """A set of tensors. ``check`` says which elements are in it; ``event_dim`` dimensions of a
    tensor make one element.

    >>> import stateful as torch
    >>> torch.distributions.constraints.positive.check(torch.tensor([-1.0, 2.0]))
    tensor([False,  True])
    """

    is_discrete = False
    event_dim = 0

    def check(self, value: Any) -> Any:
        """Which elements of ``value`` satisfy the constraint."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__.lstrip('_')}()"


class _Simple(Constraint):
    """A constraint that is one predicate."""

    def __init__(self, name: str, predicate: Callable, event_dim: int = 0, discrete: bool = False):
        self._name, self.check = name, predicate  # type: ignore[method-assign]
        self.event_dim, self.is_discrete = event_dim, discrete

    def __repr__(self) -> str:
        return self._name


class _Dependent(Constraint):
    """Depends on other parameters: is never checked."""

    def __init__(self, *, is_discrete: bool = False, event_dim: int = 0):
        self.is_discrete, self.event_dim = is_discrete, event_dim

    def check(self, value: Any) -> Any:
        raise ValueError("Cannot determine validity of dependent constraint")

    def __repr__(self) -> str:
        return "Dependent()"


def is_dependent(constraint: Any) -> bool:
    """Whether the constraint depends on other parameters.

    >>> import stateful as torch
    >>> from stateful.distributions import constraints
    >>> [constraints.is_dependent(c) for c in (constraints.dependent, constraints.real)]
    [True, False]
    """
    return isinstance(constraint, _Dependent)


class dependent_property(property, _Dependent):
    """A ``support`` that depends on parameters: a property of the instance.

    >>> import stateful as torch
    >>> from stateful.distributions import constraints
    >>> constraints.is_dependent(torch.distributions.Uniform.support)
    True
    >>> torch.distributions.Uniform(0.0, 2.0).support.upper_bound
    tensor(2.)
    """

    def __init__(self, fn: Any = None, *, is_discrete: bool = False, event_dim: int = 0):
        super().__init__(fn)
        self.is_discrete, self.event_dim = is_discrete, event_dim

    def __call__(self, fn: Callable) -> Any:
        return dependent_property(fn, is_discrete=self.is_discrete, event_dim=self.event_dim)


class independent(Constraint):
    """The last ``reinterpreted_batch_ndims`` more dimensions of ``base`` count as one element.

    >>> import stateful as torch
    >>> from stateful.distributions import constraints
    >>> constraints.independent(constraints.positive, 1).check(torch.tensor([1.0, -1.0]))
    tensor(False)
    """

    def __init__(self, base_constraint: Constraint, reinterpreted_batch_ndims: int):
        self.base_constraint = base_constraint
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims
        self.is_discrete = base_constraint.is_discrete
        self.event_dim = base_constraint.event_dim + reinterpreted_batch_ndims

    def check(self, value: Any) -> Any:
        result = self.base_constraint.check(value)
        if result.dim() < self.reinterpreted_batch_ndims:
            raise ValueError(
                f"Expected value.dim() >= {self.event_dim} but got {value.dim()}: a value of "
                f"{self!r} has at least so many dimensions"
            )
        keep = tuple(result.shape[: result.dim() - self.reinterpreted_batch_ndims])
        return result.reshape((*keep, -1)).all(-1)

    def __repr__(self) -> str:
        return f"IndependentConstraint({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"


def _bounded(name: str, class_name: str, *bounds: str, test: Callable, discrete=False) -> type:
    """A constraint with one or two bounds."""

    class Bounded(Constraint):
        is_discrete = discrete

        def __init__(self, *values):
            for bound, value in zip(bounds, values, strict=True):
                setattr(self, bound, value)

        def check(self, value: Any) -> Any:
            return test(value, *(getattr(self, bound) for bound in bounds))

        def __repr__(self) -> str:
            shown = ", ".join(f"{bound}={getattr(self, bound)}" for bound in bounds)
            return f"{class_name}({shown})"

    Bounded.__name__ = Bounded.__qualname__ = name
    Bounded.__doc__ = f"`{class_name}` constraint."
    return Bounded


greater_than = _bounded("greater_than", "GreaterThan", "lower_bound", test=lambda x, low: low < x)
greater_than_eq = _bounded(
    "greater_than_eq", "GreaterThanEq", "lower_bound", test=lambda x, low: low <= x
)
less_than = _bounded("less_than", "LessThan", "upper_bound", test=lambda x, high: x < high)
interval = _bounded(
    "interval", "Interval", "lower_bound", "upper_bound",
    test=lambda x, low, high: (low <= x) & (x <= high),
)  # fmt: skip
half_open_interval = _bounded(
    "half_open_interval", "HalfOpenInterval", "lower_bound", "upper_bound",
    test=lambda x, low, high: (low <= x) & (x < high),
)  # fmt: skip
integer_interval = _bounded(
    "integer_interval", "IntegerInterval", "lower_bound", "upper_bound", discrete=True,
    test=lambda x, low, high: (x % 1 == 0) & (low <= x) & (x <= high),
)  # fmt: skip
_integer_from = _bounded(
    "integer_from", "IntegerGreaterThan", "lower_bound", discrete=True,
    test=lambda x, low: (x % 1 == 0) & (x >= low),
)  # fmt: skip


def _is_lower_cholesky(x: Any) -> Any:
    lower = (x.tril() == x).flatten(-2).min(-1)[0]
    return lower & (x.diagonal(dim1=-2, dim2=-1) > 0).min(-1)[0]


def _is_symmetric(x: Any) -> Any:
    return _torch["isclose"](x, x.mT, atol=1e-6).all(-2).all(-1)


def _is_positive_definite(x: Any) -> Any:
    smallest = _linalg["eigvalsh"](x).min(-1)[0]
    return _is_symmetric(x) & (smallest > 0)


dependent = _Dependent()
boolean = _Simple("Boolean()", lambda x: (x == 0) | (x == 1), discrete=True)
nonnegative_integer = _integer_from(0)
positive_integer = _integer_from(1)
real = _Simple("Real()", lambda x: x == x)
real_vector = independent(real, 1)
positive = greater_than(0.0)
nonnegative = greater_than_eq(0.0)
unit_interval = interval(0.0, 1.0)
one_hot = _Simple("OneHot()", lambda x: ((x == 0) | (x == 1)).all(-1) & (x.sum(-1) == 1), 1, True)
simplex = _Simple("Simplex()", lambda x: (x >= 0).all(-1) & ((x.sum(-1) - 1).abs() < 1e-6), 1)
lower_triangular = _Simple("LowerTriangular()", lambda x: (x.tril() == x).flatten(-2).min(-1)[0], 2)
lower_cholesky = _Simple("LowerCholesky()", _is_lower_cholesky, 2)
symmetric = _Simple("Symmetric()", _is_symmetric, 2)
positive_definite = _Simple("PositiveDefinite()", _is_positive_definite, 2)

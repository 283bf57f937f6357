# ruff: noqa: E501 (phrases of error messages are searched for as they are)
"""Subclasses of Tensor: `__torch_function__`, `as_subclass`, modes."""

import copy
import operator
import pickle
import sys
import types


def case_results_are_of_the_subclass(torch, show):
    class Named(torch.Tensor):
        pass

    s, p = torch.ones(2, 2).as_subclass(Named), torch.ones(2, 2)
    for result in (
        s + 1, 1 + s, p + s, p - s, 1 - s, 2**s, -s, s == p, s @ p, p @ s, s[0], s.T, s.data, s.sum(),
        s.view(4), s.detach(), s.clone(), s.double(), abs(s), torch.exp(s), torch.cat([p, s]),
        torch.stack((p, s)), torch.where(p > 0, s, p), torch.einsum("ij,jk", s, p),
        torch.zeros_like(s), torch.empty_like(s), s.new_zeros(2), s.add_(0), next(iter(s)),
        s.split(1)[0], s.max(1)[0], torch.linalg.inv(s + torch.eye(2)), torch.nn.Linear(2, 2)(s),
        torch.nn.functional.relu(s), torch.add(s, s, out=torch.empty(2, 2)), torch.as_tensor(s),
    ):  # fmt: skip
        show(type(result))
    for result in (s.shape, s.max(1), torch.tensor(s), torch.Tensor(s), s.tolist(), 1.0 in s):
        show(type(result))
    show(repr(s), repr(torch.ones(2).as_subclass(Named) * 2))


def case_two_subclasses(torch, show):
    class One(torch.Tensor):
        pass

    class Inner(One):
        pass

    class Two(torch.Tensor):
        pass

    x = torch.ones(2)
    show(type(x.as_subclass(One) + x.as_subclass(Inner)))
    show(type(x.as_subclass(Inner) + x.as_subclass(One)))
    show.error(lambda: x.as_subclass(One) + x.as_subclass(Two), "unsupported operand")
    show.error(
        lambda: torch.add(x.as_subclass(One), x.as_subclass(Two)), "Multiple dispatch failed for"
    )


def case_gradients(torch, show):
    class Named(torch.Tensor):
        pass

    a = torch.ones(2).as_subclass(Named).requires_grad_()
    y = a * 2
    got = []
    a.register_hook(lambda g: got.append(type(g)))
    y.retain_grad()
    y.sum().backward()
    show(type(y), y.grad_fn.name(), type(a.grad), a.grad, a.is_leaf, got, type(y.grad))
    (first,) = torch.autograd.grad((a**3).sum(), a, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), a)
    show(type(first), first.grad_fn.name(), type(second), second)
    b = torch.ones(2, requires_grad=True)
    c = b.as_subclass(Named)
    show(c.grad_fn.name(), c.is_leaf, c._is_view(), c.data_ptr() == b.data_ptr())


def case_making(torch, show):
    class Named(torch.Tensor):
        pass

    p = torch.ones(2)
    m = torch.Tensor._make_subclass(Named, p, True)
    show(type(m), m.requires_grad, m.is_leaf, m.data_ptr() == p.data_ptr())
    show(type(Named([1.0, 2.0])), type(Named(p)))
    q = torch.nn.Parameter(p.as_subclass(Named))
    show(type(q), isinstance(q, torch.nn.Parameter), q.requires_grad)
    show.error(
        lambda: p.as_subclass(int),
        "Creating a Tensor subclass from a class that does not inherit from Tensor is not possible",
    )
    show.error(lambda: p.as_subclass(3), "cls must be a type (got int)")
    show.error(
        lambda: torch.Tensor._make_subclass(Named, 3),
        "argument 'data' (position 2) must be Tensor, not int",
    )
    show.error(
        lambda: copy.deepcopy(p.as_subclass(Named)),
        "The default implementation of __deepcopy__() for non-wrapper subclasses",
    )


def logging_class(torch, log):
    class Logged(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            log.append([func.__name__, [t.__name__ for t in types], len(args)])
            return super().__torch_function__(func, types, args, kwargs or {})

    return Logged


def case_what_a_class_is_told(torch, show):
    log = []
    s, p = torch.ones(2, 2).as_subclass(logging_class(torch, log)), torch.ones(2, 2)
    calls = [
        lambda: s + 1, lambda: 1 + s, lambda: s - 1, lambda: 1 - s, lambda: s * 2, lambda: s / 2,
        lambda: s // 2, lambda: s % 2, lambda: s**2, lambda: 2**s, lambda: s @ s, lambda: p @ s,
        lambda: s == 1, lambda: s != 1, lambda: s < 1, lambda: s >= 1, lambda: p + s, lambda: -s,
        lambda: abs(s), lambda: s[0], lambda: len(s), lambda: 1 in s, lambda: s.shape,
        lambda: s.requires_grad, lambda: s.T, lambda: s.data, lambda: s.size(), lambda: s.tolist(),
        lambda: torch.add(s, 1, alpha=2), lambda: s.add_(1), lambda: operator.iadd(s, 1),
        lambda: s.sum(0, keepdim=True), lambda: torch.cat([p, s]), lambda: s.view(4),
        lambda: torch.nn.functional.linear(s, p), lambda: torch.nn.Linear(2, 2)(s),
        lambda: s.requires_grad_(False), lambda: s.to(torch.float64), lambda: torch.zeros_like(s),
        lambda: torch.tensor(s), lambda: torch.is_tensor(s), lambda: torch.add(p, p, out=s),
        lambda: p.clone().copy_(s), lambda: torch.linalg.norm(s), lambda: torch.linalg.svd(s),
        lambda: torch.allclose(s, s), lambda: s.as_subclass(torch.Tensor),
    ]  # fmt: skip
    for call in calls:
        log.clear()
        call()
        show(list(log))


def case_overriding_functions(torch, show):
    class Counted(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            if func is torch.Tensor.add or func is torch.add:
                return "sum"
            if func is torch.Tensor.mul:
                return NotImplemented
            with torch._C.DisableTorchFunctionSubclass():
                return func(*args, **(kwargs or {}))

    x = torch.ones(2).as_subclass(Counted)
    show(x + 1, torch.add(x, 1), type(x - 1))
    show.error(lambda: x.mul(2), "Multiple dispatch failed for")
    show.error(lambda: x * 2, "unsupported operand")
    with torch._C.DisableTorchFunctionSubclass():
        show(x + 1, x * 2, type(x + 1))


def case_disabled(torch, show):
    class Quiet(torch.Tensor):
        __torch_function__ = torch._C._disabled_torch_function_impl

    x = torch.ones(2).as_subclass(Quiet)
    show(type(x), type(x + 1), type(x.clone()), torch.overrides.has_torch_function((x,)))


def case_overrides(torch, show):
    class Named(torch.Tensor):
        pass

    x, p = torch.ones(2).as_subclass(Named), torch.ones(2)
    o = torch.overrides
    show(o.has_torch_function((p, x)), o.has_torch_function((p,)), o.has_torch_function_unary(x))
    show(o.has_torch_function_variadic(p, 3), o.is_tensor_like(p), o.is_tensor_like(3))
    show(o.has_torch_function((torch.nn.Parameter(p),)))
    show(torch.Tensor.grad.__get__ in o.get_default_nowrap_functions())

    @o.wrap_torch_function(lambda a: (a,))
    def double(a):
        return a * 2

    show(type(double(x)), type(double(p)))


def case_function_mode(torch, show):
    log = []

    class Names(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            log.append(func.__name__)
            return func(*args, **(kwargs or {}))

    with Names():
        x = torch.ones(2)
        y = x + 1
    z = y * 2
    show(z, log)


def case_pickle(torch, show):
    class Named(torch.Tensor):
        pass

    Named.__qualname__, Named.__module__ = "Named", __name__
    module = sys.modules.setdefault(__name__, types.ModuleType(__name__))
    vars(module)["Named"] = Named
    x = pickle.loads(pickle.dumps(torch.ones(2).as_subclass(Named)))
    show(type(x), x.as_subclass(torch.Tensor))

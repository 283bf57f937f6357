"""Objects that are no tensors but have ``__torch_function__``."""


def duck():
    class Duck:
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return (func.__name__, [t.__name__ for t in types], len(args), sorted(kwargs or {}))

    return Duck()


def case_functions(torch, show):
    d, x = duck(), torch.ones(2)
    show(torch.add(d, 1), torch.add(x, d), torch.mul(d, x), torch.sum(d, dim=0), torch.exp(d))
    show(torch.cat([x, d]), torch.stack((d, d)), torch.where(x > 0, d, x), torch.matmul(x, d))
    show(torch.relu(d), torch.nn.functional.linear(x, d), torch.mean(d))
    show.error(lambda: torch.add(object(), 1), "must be Tensor, not object")


def case_methods_and_operators(torch, show):
    d, x = duck(), torch.ones(2)
    show(x.add(d), x.sub_(d), x + d, x @ d, x * d, x - d, x != d, x < d)
    show.error(lambda: d + 1)
    show(torch.is_tensor(d), torch.overrides.is_tensor_like(d))


def case_implementations_by_function(torch, show):
    implementations = {}

    class Diagonal:
        def __init__(self, size, value):
            self.size, self.value = size, value

        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            if func not in implementations:
                return NotImplemented
            return implementations[func](*args, **(kwargs or {}))

    implementations[torch.mean] = lambda x: x.value / x.size
    implementations[torch.add] = lambda a, b: ("added", type(a).__name__, type(b).__name__)
    d = Diagonal(4, 2.0)
    show(torch.mean(d), torch.add(d, torch.ones(1)), torch.add(torch.ones(1), d))
    show.error(lambda: torch.mul(d, 2), "Multiple dispatch failed for 'torch.mul'")


def case_refusals(torch, show):
    class A:
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return NotImplemented

    class B(A):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return "B"

    class C:
        def __torch_function__(self, func, types, args=(), kwargs=None):
            return "C"

    phrase = "Multiple dispatch failed for 'torch.add'; all __torch_function__ handlers returned"
    show.error(lambda: torch.add(A(), 1), phrase)
    show(torch.add(A(), B()), torch.add(B(), A()))
    show(show.warning(lambda: torch.add(C(), 1), "as a plain method is deprecated"))

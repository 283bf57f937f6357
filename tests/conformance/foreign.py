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


def case_what_is_told_of_functions_in_python(torch, show):
    d, x = duck(), torch.ones(2, 2)
    functional = torch.nn.functional
    show(functional.relu(d), functional.relu(d, True), functional.silu(d), functional.selu(d))
    show(functional.hardtanh(d, max_val=2.0), functional.elu(d), functional.leaky_relu(d))
    show(functional.mse_loss(d, x), functional.mse_loss(x, d, reduction="sum"))
    show(functional.l1_loss(d, x), functional.kl_div(d, x), functional.glu(d, 0))
    show(functional.linear(d, x), functional.conv2d(d, x), functional.gelu(d))
    show(functional.pad(d, (1, 1)), functional.normalize(d), functional.interpolate(d, 2))
    show(functional.grid_sample(d, x), functional.unfold(d, 2), functional.fold(d, 2, 2))
    show(functional.triplet_margin_loss(d, x, x), functional.ctc_loss(d, x, x, x))
    show(torch.norm(d), torch.split(d, 1), torch.tensordot(x, d), torch.meshgrid(x[0], d))
    show(torch.cdist(d, x), torch.block_diag(x, d), torch.einsum("ij,jk", x, d))
    show(torch.broadcast_tensors(x, d), torch.chain_matmul(d, x), torch.cartesian_prod(x[0], d))


def case_indices_and_likes(torch, show):
    d, x = duck(), torch.ones(2, 2)
    show(x[d], x[d, 0], x[0, d], torch.zeros_like(d), torch.ones_like(d), torch.full_like(d, 1))
    show(torch.rand_like(d), torch.randn_like(d), torch.randint_like(d, 2))
    x[0] = d
    x[d] = 1
    show(x)
    show.error(lambda: x[object()])
    show.error(lambda: x[5], "out of bounds")


def case_foreign_objects_beside_subclasses(torch, show):
    class Sub(torch.Tensor):
        pass

    d, x, i = duck(), torch.ones(2, 2), torch.zeros(2, dtype=torch.long)
    functional = torch.nn.functional
    show(x == d, x != d, d == x, x < d, x // d, x**d, x / d, x % d, x & d, i << d)
    show(d - x, d / x, d + x, d * x, d // x, d**x, d % x, d @ x)
    show(
        x[d],
        torch.zeros_like(d),
        torch.empty_like(d),
        x.copy_(d),
        x.type_as(d),
        torch.gather(d, 0, i),
    )
    show(functional.relu(d), functional.dropout(d), functional.embedding(i, d))
    show(functional.batch_norm(d, x, x), functional.cross_entropy(d, i), functional.softmax(d, 0))
    show(functional.layer_norm(d, (2,)), functional.max_pool2d(d, 2), functional.threshold(d, 0, 1))
    show(functional.logsigmoid(d), functional.instance_norm(d), functional.gumbel_softmax(d))
    show(
        torch.autograd.grad(d, x), torch.autograd.backward(d), torch.linalg.inv(d), torch.fft.fft(d)
    )
    show(torch.unique(d), torch.stft(d, 2), torch.lu(d), torch.add(x, 1, out=d))
    s = x.as_subclass(Sub)
    show(type(functional.relu(s)).__name__, type(functional.mse_loss(s, x)).__name__)
    show(type(s == x).__name__, type(functional.dropout(s, 0.0)).__name__)

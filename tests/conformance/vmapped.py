"""Inside of `vmap`: random numbers, writing, looking, custom functions."""

OPS = [
    lambda torch, t: torch.randn(2),
    lambda torch, t: torch.rand(2) + t,
    lambda torch, t: torch.randn_like(t),
    lambda torch, t: torch.randint(0, 9, (2,)),
    lambda torch, t: torch.randperm(4),
    lambda torch, t: torch.bernoulli(t),
    lambda torch, t: torch.multinomial(t, 1),
    lambda torch, t: torch.normal(t, t),
    lambda torch, t: torch.normal(0.0, 1.0, (2,)),
    lambda torch, t: torch.nn.functional.dropout(t),
    lambda torch, t: t.clone().uniform_(),
    lambda torch, t: t.clone().bernoulli_(),
    lambda torch, t: torch.zeros(2).normal_(),
]


def caught(torch, call):
    """The result, or the type and the start of the message of the exception."""
    try:
        return call()
    except Exception as error:
        return [type(error).__name__, str(error)[:60]]


def case_random(torch, show):
    x = torch.full((3, 2), 0.5)
    for randomness in ("error", "same", "different"):
        for op in OPS:
            torch.manual_seed(0)
            vmapped = torch.vmap(lambda t, op=op: op(torch, t), randomness=randomness)
            show(caught(torch, lambda vmapped=vmapped: vmapped(x)), torch.rand(1))


def case_random_nested(torch, show):
    x = torch.full((2, 3, 2), 0.5)
    for outer in ("error", "same", "different"):
        for inner in ("error", "same", "different"):
            for op in (OPS[0], OPS[5]):
                torch.manual_seed(0)
                once = torch.vmap(lambda t, op=op: op(torch, t), randomness=inner)
                twice = torch.vmap(once, randomness=outer)
                show(caught(torch, lambda twice=twice: twice(x)), torch.rand(1))


def case_random_and_gradients(torch, show):
    x = torch.ones(3)
    for randomness in ("error", "same", "different"):
        torch.manual_seed(0)
        jacobian = torch.func.jacfwd(lambda t: t * torch.rand(3), randomness=randomness)
        show(caught(torch, lambda jacobian=jacobian: jacobian(x)))
        grad = torch.func.grad(lambda t: (t * torch.rand(3)).sum())
        vmapped = torch.vmap(grad, randomness=randomness)
        show(caught(torch, lambda vmapped=vmapped: vmapped(torch.ones(2, 3))))


def case_chunks(torch, show):
    runs = []

    def f(t):
        runs.append(1)
        return t.sin() * t.sum(), {"s": t.sum()}

    x = torch.arange(6.0).view(2, 3)
    for size in (None, 1, 2, 4):
        show(torch.vmap(f, in_dims=1, out_dims=(1, 0), chunk_size=size)(x), len(runs))
        show(torch.func.jacrev(lambda t: f(t)[0], chunk_size=size)(x), len(runs))
    for randomness in ("same", "different"):
        torch.manual_seed(0)
        show(torch.vmap(lambda t: torch.rand(2), randomness=randomness, chunk_size=1)(x))


def case_in_place(torch, show):
    x, y = torch.arange(1.0, 7.0).view(2, 3), torch.arange(3.0)
    phrase = "vmap: inplace arithmetic(self, *extra_args) is not possible because there exists a"
    vmap = torch.vmap
    for write in (
        lambda a, b: b.mul_(a),
        lambda a, b: b.copy_(a),
        lambda a, b: b.masked_fill_(a > 2, 0),
    ):
        show.error(lambda write=write: vmap(write, in_dims=(0, None))(x, y.clone()), phrase)
    captured = torch.zeros(3)
    show.error(lambda: vmap(lambda a: captured.mul_(a))(x), phrase)
    show(captured, vmap(lambda a: (captured.add_(1), a)[1])(x), captured)
    show(vmap(lambda a, b: a.mul_(b), in_dims=(0, None))(x.clone(), y))
    for make in (
        torch.zeros_like,
        torch.ones_like,
        lambda a: a.new_zeros(3),
        lambda a: a.new_full((3,), 2.0),
    ):
        show(vmap(lambda a, make=make: make(a).copy_(a))(x))

    def parts(a):
        z = a.new_empty(3)
        z.fill_(1)
        z[1:] = a[1:]
        z.view(3, 1).mul_(2)
        return z

    show(vmap(parts)(x))
    show.error(lambda: vmap(lambda a: vmap(lambda b: a.mul_(b))(torch.ones(2, 3)))(x), phrase)


def case_in_place_on_arguments(torch, show):
    x = torch.arange(1.0, 7.0).view(2, 3)
    z = x.clone()
    w, version = z.view(3, 2), z._version
    show(torch.vmap(lambda a: a.mul_(2))(z), z, w, z._version - version)
    z = x.clone()
    torch.vmap(lambda a: a[0].zero_(), in_dims=1)(z)
    show(z)
    leaf = x.clone().requires_grad_()
    y = leaf * 1
    out = torch.vmap(lambda a: a.mul_(2))(y)
    show(torch.autograd.grad((out * out).sum(), leaf), y.detach())


def case_looks(torch, show):
    x, vmap = torch.tensor([1.0, 2.0]), torch.vmap
    item = "vmap: It looks like you're calling .item() on a Tensor"
    control = "vmap: It looks like you're attempting to use a Tensor in some data-dependent control"
    for look in (lambda t: t.item(), float, int):
        show.error(lambda look=look: vmap(look)(x), item)
    show.error(lambda: vmap(lambda t: t if t > 1 else -t)(x), control)
    for look in (lambda t: t.numpy(), lambda t: t.tolist()):
        show.error(lambda look=look: vmap(look)(x), "Cannot access data pointer of Tensor that")
    show.error(
        lambda: vmap(lambda t: t[t > 0])(x.view(1, 2)), "Attempting to batch over indexing with a"
    )

    def handles(t):
        try:
            return t if t > 1 else -t
        except RuntimeError:
            return t * 10

    show(vmap(handles)(x), vmap(lambda i: x[i.long()])(x - 1))
    text = []
    vmap(lambda t: (text.append(repr(t)), t)[1])(x)
    show(text)


def case_structures(torch, show):
    import collections
    import functools

    x = torch.arange(6.0).view(2, 3)
    pair, vmap = collections.namedtuple("pair", "a b"), torch.vmap
    result = vmap(lambda t: pair(t, t * 2))(x)
    show(type(result).__name__, result.a, result.b)
    result = vmap(lambda t: torch.max(t, 0))(x)
    show(type(result).__name__, result.values, result.indices)
    show(type(vmap(lambda d: d)(collections.defaultdict(list, k=x))).__name__)
    show(vmap(lambda d: d[0])(collections.deque([x])))
    show(vmap(lambda t: t, out_dims=(1,))(x), vmap(lambda t: (t, "b"), out_dims=(0, None))(x))
    show.error(
        lambda: vmap(lambda t: t, out_dims=None)(x),
        "can not return a BatchedTensor when out_dim is None",
    )
    show(vmap(lambda t: x, out_dims=None)(x))
    show.error(lambda: vmap(lambda t: t, out_dims="x")(x), "`out_dims` must be an int, None or a")
    show.error(
        lambda: vmap(functools.partial(torch.sin))(), "vmap(functools.partial(sin, ...))(<inputs>)"
    )


def cube(torch, **rules):
    """A custom function with all that transforms ask for; ``rules``: how it is batched."""

    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(x):
            return x**3

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(inputs[0])
            ctx.save_for_forward(inputs[0])

        @staticmethod
        def backward(ctx, g):
            return g * 3 * ctx.saved_tensors[0] ** 2

        @staticmethod
        def jvp(ctx, t):
            return t * 3 * ctx.saved_tensors[0] ** 2

    for name, rule in rules.items():
        setattr(Cube, name, rule if isinstance(rule, bool) else staticmethod(rule))
    return Cube


def case_custom_functions(torch, show):
    x, rows, func = torch.tensor([1.0, 2.0, 3.0]), torch.arange(6.0).view(2, 3), torch.func
    seen = []

    def batched(info, in_dims, x):
        seen.append((info.batch_size, info.randomness, in_dims, list(x.shape)))
        return Cube.apply(x), in_dims[0]

    Cube = cube(torch, vmap=batched)
    for f in (Cube.apply, cube(torch, generate_vmap_rule=True).apply):
        show(func.vmap(f)(rows), func.vmap(f, in_dims=1, randomness="same")(rows), seen)
        show(func.vmap(func.vmap(f))(rows), func.vmap(func.grad(lambda t, f=f: f(t).sum()))(rows))
        show(func.grad(lambda t, f=f: func.vmap(f)(t).sum())(rows), func.jacrev(f)(x))
        show(func.jacfwd(f)(x), func.vmap(lambda t, f=f: func.jvp(f, (t,), (t,)))(rows))
        show(func.jvp(func.vmap(f), (rows,), (rows,)), func.hessian(lambda t, f=f: f(t).sum())(x))
        w = rows.clone().requires_grad_()
        func.vmap(f)(w).sum().backward()
        show(w.grad)


def case_custom_function_rules(torch, show):
    x, rows, func = torch.tensor([1.0, 2.0, 3.0]), torch.arange(6.0).view(2, 3), torch.func
    missing = "it does not have vmap support"
    plain = cube(torch).apply
    for call in (
        lambda: func.vmap(plain)(rows),
        lambda: func.vmap(lambda t: plain(x))(rows),
        lambda: func.jacfwd(plain)(x),
        lambda: func.hessian(lambda t: plain(t).sum())(x),
    ):
        show.error(call, missing)
    show(func.jacrev(plain)(x), func.jvp(plain, (x,), (x,)))
    both = cube(torch, generate_vmap_rule=True, vmap=lambda info, dims, x: (x, 0))
    show.error(lambda: func.vmap(both.apply)(rows), "to avoid ambiguity")
    returned = "Expected the vmap staticmethod to have two returns"
    for wrong in (lambda i, d, x: None, lambda i, d, x: (x, 0, 0)):
        show.error(lambda wrong=wrong: func.vmap(cube(torch, vmap=wrong).apply)(rows), returned)
    wrong = cube(torch, vmap=lambda i, d, x: ((x, x), (0,)))
    show.error(lambda: func.vmap(wrong.apply)(rows), "returned an incompatible (output, out_dims)")

    class Old(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    phrase = "it must override the setup_context staticmethod"
    show.error(lambda: func.grad(lambda t: Old.apply(t).sum())(x), phrase)
    show.error(lambda: func.jvp(Old.apply, (x,), (x,)), phrase)
    show.error(lambda: func.vmap(Old.apply)(rows), phrase)


def case_custom_function_of_numpy(torch, show):
    import numpy as np

    class Sort(torch.autograd.Function):
        @staticmethod
        def forward(x, dim):
            order = np.argsort(x.detach().numpy(), axis=dim)
            return torch.tensor(np.take_along_axis(x.detach().numpy(), order, dim)), torch.tensor(
                order
            )

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.mark_non_differentiable(output[1])
            ctx.save_for_backward(output[1])
            ctx.dim = inputs[1]

        @staticmethod
        def backward(ctx, grad, _):
            (order,) = ctx.saved_tensors
            return torch.zeros_like(grad).scatter(ctx.dim, order, grad), None

        @staticmethod
        def vmap(info, in_dims, x, dim):
            return Sort.apply(x.movedim(in_dims[0], 0), dim + 1), (0, 0)

    rows, w = torch.tensor([[3.0, 1.0, 2.0], [6.0, 5.0, 4.0]]), torch.tensor([1.0, 2.0, 3.0])
    func = torch.func
    f = lambda t: (Sort.apply(t, 0)[0] * w).sum()  # noqa: E731
    show(func.vmap(lambda t: Sort.apply(t, 0))(rows), func.grad(f)(rows[0]))
    show(func.vmap(func.grad(f))(rows), func.grad(lambda t: func.vmap(f)(t).sum())(rows))
    show(func.jacrev(lambda t: Sort.apply(t, 0)[0])(rows[0]), func.vmap(f, in_dims=1)(rows.t()))


def case_shapes_change_in_place(torch, show):
    x = torch.arange(6.0).view(3, 2)
    show(torch.func.vmap(lambda a: a.clone().unsqueeze_(0).mul_(2))(x), x)
    show(torch.func.vmap(lambda a: a.unsqueeze_(0) * 2)(x.clone()))
    square = torch.arange(8.0).view(2, 2, 2)
    show(torch.func.vmap(lambda a: a.t_() * 1)(square.clone()))

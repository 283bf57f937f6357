"""What arrives at leaves: dtype, layout, order, and who is told."""


def leaf(torch, *values):
    return torch.tensor(list(values or (1.0, 2.0)), requires_grad=True)


class Widen:
    """Makes a function whose backward returns float64."""

    def __new__(cls, torch):
        class Function(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x.clone()

            @staticmethod
            def backward(ctx, grad):
                return grad.double()

        return Function


def assign(item, name, value):
    return lambda: setattr(item, name, value)


def case_grad_dtype(torch, show):
    x = leaf(torch)
    y = x * 2
    show(x.grad_dtype, torch.ones(2).grad_dtype)
    show.error(lambda: y.grad_dtype, "grad_dtype can only be accessed on leaf tensors.")
    show.error(
        assign(y, "grad_dtype", torch.float32), "grad_dtype can only be set on leaf tensors."
    )
    show.error(assign(x, "grad_dtype", 3), "grad_dtype must be a torch.dtype or None, but got int")
    x.grad_dtype = torch.float64
    (x * 2).sum().backward()
    show(x.grad_dtype, x.grad)
    show.error(assign(x, "grad_dtype", torch.float32), "already a gradient with dtype")
    x.grad = None
    show.error(assign(x, "grad", torch.ones(2)), "grad_dtype")
    x.grad = torch.ones(2, dtype=torch.float64)
    show(x.grad)


def case_grad_dtype_none(torch, show):
    x = leaf(torch)
    x.grad_dtype = None
    (x * 2).sum().backward()
    show(x.grad_dtype, x.grad)
    x.grad = None
    Widen(torch).apply(x).sum().backward()
    show(x.grad)
    x.grad = torch.ones(2, dtype=torch.float16)
    show(x.grad)


def case_grad_dtype_of_low_precision(torch, show):
    x = torch.ones(2, dtype=torch.bfloat16, requires_grad=True)
    y = x * 1
    x.grad_dtype = torch.float32
    y.sum().backward()
    show(x.grad)
    z = leaf(torch)
    z.grad_dtype = torch.float64
    for _ in range(2):
        Widen(torch).apply(z).sum().backward()
    show(z.grad, torch.autograd.grad(Widen(torch).apply(z).sum(), z))


def case_layout(torch, show):
    a = torch.ones(3, 2).t().requires_grad_()
    (a * torch.arange(6.0).view(2, 3)).sum().backward()
    show(a.stride(), a.grad.stride(), a.grad)
    b = torch.ones(2, 3, requires_grad=True)
    b.t().contiguous().backward(torch.arange(6.0).view(3, 2))
    show(b.grad.stride(), b.grad)
    c = torch.ones(2, 4)[:, ::2].requires_grad_()
    c.sum().backward()
    show(c.stride(), c.grad.stride())
    d = torch.ones(2, 3, requires_grad=True)
    d.sum().backward()
    show(d.grad.stride(), d.grad.add_(1))


def case_order_of_leaves(torch, show):
    log = []
    leaves = [torch.ones(1, requires_grad=True) for _ in range(20)]
    for i, x in enumerate(leaves):
        x.register_hook(lambda grad, i=i: log.append(i))
    for make in (
        lambda: torch.cat(leaves).sum(),
        lambda: torch.cat(leaves[::-1]).sum(),
        lambda: (torch.cat(leaves) + torch.cat(leaves[::-1])).sum(),
        lambda: sum(leaves),
        lambda: torch.stack([x * 2 for x in leaves[:4]]).sum(),
        lambda: leaves[0] * leaves[1] + leaves[2] * leaves[3],
        lambda: torch.cat(leaves[:7]).sum() * torch.cat(leaves[7:14]).sum(),
    ):
        make().backward()
        show(log)
        log.clear()
    torch.autograd.grad(torch.cat(leaves).sum(), leaves[3:9])
    show(log)
    log.clear()
    torch.cat(leaves).sum().backward(inputs=leaves[3:9])
    show(log)


def case_hooks_without_gradient(torch, show):
    class Nothing(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, grad):
            return None

    x, log = leaf(torch), []
    y = x * 2
    y.register_hook(lambda g: log.append(["tensor", g]))
    y.grad_fn.register_prehook(lambda g: log.append(["before", g]))
    y.grad_fn.register_hook(lambda a, b: log.append(["after", a, b]))
    x.register_hook(lambda g: log.append(["leaf", g]))
    x.register_post_accumulate_grad_hook(lambda t: log.append(["accumulated", t.grad]))
    Nothing.apply(y).sum().backward()
    show(log, x.grad)


def case_post_accumulate_returns(torch, show):
    x = leaf(torch)
    show(x._post_accumulate_grad_hooks)
    handle = x.register_post_accumulate_grad_hook(lambda t: 3)
    show(len(x._post_accumulate_grad_hooks))
    show.error(lambda: x.sum().backward(), "expected Variable, but hook returned 'int'")
    handle.remove()
    x.sum().backward()
    show(x.grad)


def case_hook_on_missing_gradient(torch, show):
    def result(make):
        x = leaf(torch)
        y = x * 2
        y.grad_fn.register_hook(lambda given, _: make(given))
        y.sum().backward()
        return x.grad

    show(result(lambda g: (g[0] * 3, None)))
    show.error(lambda: result(lambda g: (g[0], torch.ones(2))), "can't replace a None gradient")


def case_hook_on_stale_view(torch, show):
    log = []
    x = leaf(torch)
    base = x.clone()
    fresh, asked = base[0], base[0]
    asked.register_hook(lambda g: log.append("older"))
    base.mul_(3)
    show(asked.grad_fn, fresh.grad_fn)  # PyTorch crashes on a hook before this
    fresh.register_hook(lambda g: log.append("fresh"))
    asked.register_hook(lambda g: log.append("asked"))
    (fresh + asked + base.sum()).backward()
    show(log, x.grad)


def case_multi_grad_hook_under_grad(torch, show):
    a, b = leaf(torch), leaf(torch)
    handle = torch.autograd.graph.register_multi_grad_hook((a, b), lambda grads: None)
    (a * b).sum().backward()
    show.error(lambda: torch.autograd.grad((a * b).sum(), a), "A leaf node was passed to")
    handle.remove()
    show(torch.autograd.grad((a * b).sum(), a))


def case_complex_gradient_of_real(torch, show):
    class Turn(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, grad):
            return grad * 1j

    show.error(
        lambda: Turn.apply(leaf(torch)).sum().backward(), "isFloatingType(grad.scalar_type())"
    )
    x = leaf(torch)
    (x * torch.tensor([1j, 2.0])).abs().sum().backward()
    show(x.grad)

# ruff: noqa: E501 (phrases of error messages are searched for as they are)
"""Backward passes over graphs of one shape, again and again: what is known of it must not be stale."""

TIMES = 3


def text(node, depth=6):
    """The names of the nodes behind ``node``."""
    if node is None or depth == 0:
        return None
    return node.name(), [(text(following, depth - 1), nr) for following, nr in node.next_functions]


def critic(torch, x, w, v):
    return (torch.tanh(torch.tanh(x @ w) + 1) @ v).pow(2).sum()


def case_gradient_penalty(torch, show):
    w = (torch.arange(6.0).reshape(3, 2) / 7).requires_grad_()
    v = torch.tensor([[0.3], [0.7]], requires_grad=True)
    for i in range(TIMES):
        x = (torch.ones(4, 3) * (i + 1) / 5).requires_grad_()
        (slope,) = torch.autograd.grad(critic(torch, x, w, v), x, create_graph=True)
        show(text(slope.grad_fn), slope._version, slope.is_leaf, slope.requires_grad)
        loss = (slope.pow(2).sum(1) + 1e-12).sqrt().sub(1).pow(2).mean()
        loss.backward()
        show(slope, w.grad, v.grad, x.grad)
        with torch.no_grad():
            w -= 0.1 * w.grad
            w.grad = None


def case_three_orders(torch, show):
    for i in range(TIMES):
        x = torch.tensor([0.5 + i, 1.5], requires_grad=True)
        y = (torch.exp(x) * x.sin()).prod()
        for _ in range(3):
            (y,) = torch.autograd.grad(y.sum(), x, create_graph=True)
            show(y, text(y.grad_fn, 4))


def case_another_exponent(torch, show):
    x = torch.tensor([1.5, -0.5], requires_grad=True)
    for n in (2, 3, 2.5, 2, 0.5, 3):
        (g,) = torch.autograd.grad((x.abs() ** n).sum(), x, create_graph=True)
        show(g, g.requires_grad)
        show(torch.autograd.grad(g.sum(), x))


def case_many_factors(torch, show):
    x = torch.tensor([1.5, -0.5], requires_grad=True)
    for i in range(12):
        (g,) = torch.autograd.grad((x * x * (i / 2)).sum(), x, create_graph=True)
        show(g, torch.autograd.grad(g.sum(), x))


def case_what_needs_a_gradient_changes(torch, show):
    for needs in (True, False, True, False):
        w = torch.tensor([2.0, 3.0], requires_grad=needs)
        x = torch.tensor([1.0, 4.0], requires_grad=True)
        (g,) = torch.autograd.grad((x * w).sum(), x, create_graph=True)
        show(g, g.requires_grad, text(g.grad_fn))


def case_gradients_with_history(torch, show):
    for i in range(TIMES + 1):
        x = torch.tensor([1.0, 4.0], requires_grad=True)
        seed = torch.tensor([2.0, 3.0], requires_grad=i % 2 == 0)
        (g,) = torch.autograd.grad(x * x, x, seed * 2, create_graph=True)
        show(g, text(g.grad_fn))
        h = torch.autograd.grad(g.sum(), [x, seed][: 2 - i % 2])
        show(*h)


def case_views_among_what_is_saved(torch, show):
    for i in range(TIMES):
        base = torch.arange(6.0, requires_grad=True)
        w = base.view(2, 3).t() if i % 2 else base.view(3, 2)
        x = torch.ones(1, 3, requires_grad=True)
        (g,) = torch.autograd.grad((x @ w).pow(2).sum(), x, create_graph=True)
        show(g, text(g.grad_fn))
        show(torch.autograd.grad(g.pow(2).sum(), base))


def case_changed_afterwards(torch, show):
    phrase = "modified by an inplace operation"
    for _ in range(TIMES):
        w = torch.ones(2, 2, requires_grad=True)
        x = torch.ones(1, 2, requires_grad=True)
        (g,) = torch.autograd.grad((x @ w).pow(2).sum(), x, create_graph=True)
        with torch.no_grad():
            w.mul_(2)
        show.error(lambda g=g: g.sum().backward(), phrase)


def case_changed_before(torch, show):
    phrase = "modified by an inplace operation"
    for i in range(TIMES + 1):
        x = torch.ones(2, requires_grad=True)
        h = x * 2
        y = (h * h).sum()
        if i == TIMES:
            with torch.no_grad():
                h.mul_(2)
            show.error(lambda y=y, x=x: torch.autograd.grad(y, x, create_graph=True), phrase)
        else:
            show(torch.autograd.grad(y, x, create_graph=True))


def case_freed(torch, show):
    for _ in range(TIMES):
        x = torch.ones(2, requires_grad=True)
        y = x.exp().sum()
        (g,) = torch.autograd.grad(y, x, create_graph=True, retain_graph=False)
        show(g, g.requires_grad)
        phrase = "backward through the graph a second time"
        show.error(lambda y=y, x=x: torch.autograd.grad(y, x, create_graph=True), phrase)


def case_hooks_on_what_is_saved(torch, show):
    for i in range(TIMES):
        x = torch.ones(2, requires_grad=True)
        y = x.exp()
        if i:
            calls = []
            y.grad_fn._raw_saved_result.register_hooks(
                lambda t: t * 1, lambda t, calls=calls: calls.append(1) or t
            )
        (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
        show(g, len(calls) if i else None)
        with torch.autograd.graph.saved_tensors_hooks(lambda t: t * 3, lambda t: t):
            (g,) = torch.autograd.grad((x * x * x).sum(), x, create_graph=True)
        show(torch.autograd.grad(g.sum(), x))


def case_hooks_on_tensors(torch, show):
    for i in range(TIMES + 1):
        x = torch.ones(2, requires_grad=True)
        h = x * 3
        if i % 2:
            h.register_hook(lambda grad: grad * 10)
        (g,) = torch.autograd.grad((h * h).sum(), x, create_graph=True)
        show(g, text(g.grad_fn))


def case_under_no_grad(torch, show):
    for _ in range(TIMES):
        x = torch.ones(2, 2, requires_grad=True)
        y = (x @ x).sum()
        with torch.no_grad():
            (g,) = torch.autograd.grad(y, x, create_graph=True)
            show(torch.is_grad_enabled())
        show(g, g.requires_grad, text(g.grad_fn))


def case_sums_and_unused(torch, show):
    for _ in range(TIMES):
        x, z = (torch.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
        y = x * x + x.sin() * x
        found = torch.autograd.grad(y.sum(), [x, z, y], create_graph=True, allow_unused=True)
        show(found, text(found[0].grad_fn))
        show(torch.autograd.grad(found[0].sum(), x))


def case_order_of_nodes(torch, show):
    """Equal shapes, in another order of execution: the order of sums shows in the last digit."""
    for i in range(TIMES + 1):
        x = torch.tensor([0.1, 1e4, 3e-7], requires_grad=True)
        if i % 2:
            a, b, c = x.sin(), x.cos(), x.exp()
        else:
            c, b, a = x.exp(), x.cos(), x.sin()
        (g,) = torch.autograd.grad((a + b + c).sum(), x, create_graph=True)
        show(text(g.grad_fn))


def case_dtypes_change(torch, show):
    for dtype in (torch.float32, torch.float64, torch.float32, torch.complex64):
        x = torch.ones(2, dtype=dtype, requires_grad=True)
        (g,) = torch.autograd.grad((x * x * 2).abs().sum(), x, create_graph=True)
        show(g, g.dtype, torch.autograd.grad(g.abs().sum(), x))


def case_data_is_replaced(torch, show):
    w = torch.ones(2, requires_grad=True)
    for n in (2, 2, 2):
        y = (w * w).sum()
        w.data = torch.full((n,), 5.0)
        (g,) = torch.autograd.grad(y, w, create_graph=True)
        show(g, torch.autograd.grad(g.sum(), w))


def case_jacobian_and_hessian(torch, show):
    for i in range(TIMES):
        x = torch.tensor([0.5, 1.0 + i])
        show(torch.autograd.functional.hessian(lambda t: (t.exp() * t.prod()).sum(), x))
        show(torch.autograd.functional.jacobian(lambda t: t.sin() * t.sum(), x))
        show(torch.autograd.functional.hvp(lambda t: (t**3).sum(), x, torch.ones(2)))


def case_leaves_of_another_layout(torch, show):
    for i in range(2 * TIMES):
        x, w = torch.arange(6.0).reshape(2, 3), torch.ones(3, 2)
        if i % 2:
            x, w = torch.arange(6.0).reshape(3, 2).t(), torch.ones(2, 3).t()
        x, w = x.detach().requires_grad_(), w.detach().requires_grad_()
        found = torch.autograd.grad((x @ w).sum(), [x, w], create_graph=i > 1)
        show([g.stride() for g in found], [text(g.grad_fn) for g in found])

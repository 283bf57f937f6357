"""Whose memory ``.grad`` is: that of the gradient if nobody else holds it."""


def identity(torch, returned):
    """A function that notes where its gradient is, and returns ``returned`` made of it."""

    class Function(torch.autograd.Function):
        at = []

        @staticmethod
        def forward(ctx, a, b):
            return a + b

        @staticmethod
        def backward(ctx, grad):
            Function.at.append(grad.data_ptr())
            return returned(grad)

    return Function


def leaves(torch):
    return [torch.ones(5, 6, requires_grad=True) for _ in range(2)]


def case_one_of_two_leaves_takes_the_gradient(torch, show):
    a, b = leaves(torch)
    function = identity(torch, lambda grad: (grad, grad))
    function.apply(a, b)[1][0].backward()
    at = function.at[-1]
    show(a.grad.data_ptr() == b.grad.data_ptr())
    show(sorted([a.grad.data_ptr() == at, b.grad.data_ptr() == at]))
    a.grad.add_(1)
    show(b.grad[1][0], a.grad[1][0])


def case_a_gradient_that_is_not_dense_is_copied(torch, show):
    class Expanding(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.size = x.size()
            return torch.tensor([1.0])

        @staticmethod
        def backward(ctx, grad):
            return torch.ones(1).expand(ctx.size)

    a, b = leaves(torch)
    function = identity(torch, lambda grad: (grad, grad))
    Expanding.apply(function.apply(a, b)).backward()
    show([x.grad.data_ptr() == function.at[-1] for x in (a, b)], a.grad.stride(), b.grad.stride())
    show(a.grad.is_contiguous(), a.grad.sum())


def case_a_gradient_that_is_held_is_copied(torch, show):
    a, b = leaves(torch)
    held = []

    def keep(grad):
        held.append(grad)
        return grad, None

    function = identity(torch, keep)
    function.apply(a, b).sum().backward()
    show(a.grad.data_ptr() == function.at[-1], a.grad is held[0])
    a.grad.add_(1)
    show(held[0].sum(), a.grad.sum())
    g = torch.ones(5, 6)
    a.grad = None
    a.backward(g)
    a.grad.mul_(2)
    show(g.sum(), a.grad.sum(), a.grad is g, a.grad.data_ptr() == g.data_ptr())


def case_what_a_hook_returns(torch, show):
    x, at = torch.ones(3, requires_grad=True), []

    def double(grad):
        made = grad * 2
        at.append(made.data_ptr())
        return made

    x.register_hook(double)
    (x * 1).sum().backward()
    show(x.grad.data_ptr() == at[0], x.grad)
    (x * 1).sum().backward()
    show(x.grad.data_ptr() == at[0], x.grad)


def case_later_gradients_are_added_in_place(torch, show):
    a, b = leaves(torch)
    function = identity(torch, lambda grad: (grad, grad * 2))
    function.apply(a, b).sum().backward()
    first, at, version = a.grad, a.grad.data_ptr(), a.grad._version
    function.apply(a, b).sum().backward()
    show(a.grad is first, first.data_ptr() == at, first._version - version, first[0, 0])


def case_a_transposed_leaf(torch, show):
    a = torch.ones(6, 5).t().requires_grad_()
    b = torch.ones(5, 6, requires_grad=True)
    function = identity(torch, lambda grad: (grad, None))
    function.apply(a, b).sum().backward()
    show(a.grad.data_ptr() == function.at[-1], a.grad.stride(), b.grad)


VIEWS = {
    "view": lambda x: x.view(4),
    "transposed": lambda x: x.t(),
    "reshape": lambda x: x.reshape(-1),
    "unsqueeze": lambda x: x[None],
    "two views": lambda x: x.view(4).unsqueeze(0).view(2, 2),
    "a part": lambda x: x[:1],
    "expand": lambda x: x.expand(3, 2, 2),
    "no view": lambda x: x * 1,
    "the leaf": lambda x: x,
    "a view of a sum": lambda x: (x + 1).view(4),
}


def case_a_leaf_takes_a_view_of_a_gradient(torch, show):
    for name, view in VIEWS.items():
        for leaf in (torch.zeros(2, 2), torch.zeros(2, 2).t()):
            if "view" in name and not leaf.is_contiguous():
                continue
            x = leaf.requires_grad_()
            y = view(x)
            g = torch.arange(float(y.numel())).view(y.shape)
            y.backward(g)
            g.add_(10)
            show(name, x.grad, x.grad.stride(), x.grad._is_view(), x.grad.requires_grad)
            x.grad.mul_(2)
            show(g)
            y = view(x)
            y.backward(g)
            show(x.grad, g)


def case_one_of_two_leaves_takes_a_view_of_the_gradient(torch, show):
    x, y = [torch.zeros(2, 2, requires_grad=True) for _ in range(2)]
    g = torch.arange(4.0)
    (x + y).view(4).backward(g)
    show(sorted([x.grad.data_ptr() == g.data_ptr(), y.grad.data_ptr() == g.data_ptr()]))
    g.zero_()
    show(x.grad.sum() + y.grad.sum())


def case_a_view_of_a_gradient_that_a_hook_has_seen(torch, show):
    for keep in (False, True):
        x, held = torch.zeros(2, 2, requires_grad=True), []
        x.register_hook(held.append if keep else lambda grad: None)
        g = torch.arange(4.0)
        x.view(4).backward(g)
        show(keep, x.grad.data_ptr() == g.data_ptr())

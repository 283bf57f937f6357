# ruff: noqa: E501 (phrases of error messages are searched for as they are)
"""Derivatives of derivatives of common ops, through views and in-place writes."""


def derivatives(torch, show, function, x, order=3):
    """The derivatives of the sum of ``function`` at ``x``, one after another."""
    y = function(x)
    for _ in range(order):
        if not y.requires_grad:
            show("constant")
            return
        (y,) = torch.autograd.grad(y.sum(), x, create_graph=True, allow_unused=True)
        if y is None:
            show("unused")
            return
        show(torch.zeros_like(y) + y.detach())


def case_pointwise(torch, show):
    x = torch.tensor([0.3, 0.6, 0.9], requires_grad=True)
    for name, f in {
        "exp": torch.exp,
        "log": torch.log,
        "sin": torch.sin,
        "cos": torch.cos,
        "tanh": torch.tanh,
        "sigmoid": torch.sigmoid,
        "sqrt": torch.sqrt,
        "rsqrt": torch.rsqrt,
        "reciprocal": torch.reciprocal,
        "pow3": lambda t: t**3,
        "powhalf": lambda t: t**2.5,
        "rpow": lambda t: 2.0**t,
        "powt": lambda t: t**t,
        "div": lambda t: (1 + t) / (2 - t),
        "mul": lambda t: t * t * t,
        "abs": torch.abs,
        "relu": torch.relu,
        "log1p": torch.log1p,
        "expm1": torch.expm1,
        "softplus": lambda t: (1 + t.exp()).log(),
        "square": torch.square,
        "atan": torch.atan,
        "asin": torch.asin,
        "sinh": torch.sinh,
        "erf": torch.erf,
        "neg": lambda t: -t * t,
    }.items():
        show(name)
        derivatives(torch, show, f, x)


def case_reductions(torch, show):
    x = torch.tensor([[0.3, 0.6, 0.9], [1.2, 0.1, 0.4]], requires_grad=True)
    for name, f in {
        "sum": lambda t: (t * t).sum(),
        "mean": lambda t: (t**3).mean(),
        "prod": lambda t: t.prod(),
        "norm": lambda t: t.norm(),
        "var": lambda t: t.var(),
        "std": lambda t: t.std(),
        "logsumexp": lambda t: t.logsumexp(1),
        "softmax": lambda t: t.softmax(1)[:, 0],
        "log_softmax": lambda t: t.log_softmax(1)[:, 0],
        "max": lambda t: t.max() ** 3,
        "cumsum": lambda t: t.cumsum(1) ** 2,
        "amax": lambda t: t.amax(1) ** 2,
    }.items():
        show(name)
        derivatives(torch, show, f, x, 2)


def case_matrices(torch, show):
    a = torch.tensor([[0.3, 0.6], [1.2, 0.1]], requires_grad=True)
    for name, f in {
        "mm": lambda t: t.mm(t),
        "matmul": lambda t: t @ t @ t,
        "mv": lambda t: t.mv(t[0]),
        "dot": lambda t: t[0].dot(t[1]),
        "addmm": lambda t: torch.addmm(t, t, t),
        "t": lambda t: t.t() * t,
    }.items():
        show(name)
        derivatives(torch, show, f, a)


def case_views(torch, show):
    x = torch.tensor([[0.3, 0.6, 0.9], [1.2, 0.1, 0.4]], requires_grad=True)
    for name, f in {
        "select": lambda t: t[0] ** 3,
        "slice": lambda t: t[:, 1:] ** 3,
        "t": lambda t: t.t() ** 3,
        "view": lambda t: t.view(-1) ** 3,
        "unsqueeze": lambda t: t.unsqueeze(0) ** 3,
        "expand": lambda t: t[:, :1].expand(2, 3) ** 3,
        "diagonal": lambda t: t.diagonal() ** 3,
        "unbind": lambda t: t.unbind(1)[1] ** 3,
        "split": lambda t: t.split(2, 1)[0] ** 3,
        "cat": lambda t: torch.cat([t, t * t]) ** 2,
        "stack": lambda t: torch.stack([t, t * t]) ** 2,
        "permute": lambda t: t.permute(1, 0) ** 3,
        "index": lambda t: t[torch.tensor([1, 0])] ** 3,
        "mask": lambda t: t[t > 0.5] ** 3,
        "gather": lambda t: t.gather(1, torch.tensor([[0], [2]])) ** 3,
        "where": lambda t: torch.where(t > 0.5, t**3, t**2),
        "masked_fill": lambda t: t.masked_fill(t > 0.5, 1.0) ** 3,
        "flatten": lambda t: t.flatten() ** 3,
        "narrow": lambda t: t.narrow(1, 0, 2) ** 3,
    }.items():
        show(name)
        derivatives(torch, show, f, x)


def case_inplace(torch, show):
    x = torch.tensor([0.3, 0.6, 0.9], requires_grad=True)

    def on_clone(change):
        def function(t):
            y = t.clone()
            change(y, t)
            return y * y

        return function

    def view_mul(y, t):
        y[1:].mul_(t[1:])

    def view_exp(y, t):
        y[:2].exp_()

    def item(y, t):
        y[0] = t[1] * t[2]

    def chain(y, t):
        y.mul_(t).add_(t).sin_()

    def two_views(y, t):
        a, b = y[:2], y[1:]
        a.mul_(t[0])
        b.add_(t[1] ** 2)

    def base_then_view(y, t):
        v = y[1:]
        y.mul_(t)
        v.mul_(t[0])

    for change in (view_mul, view_exp, item, chain, two_views, base_then_view):
        show(change.__name__)
        derivatives(torch, show, on_clone(change), x)


def case_function(torch, show):
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return 3 * Square.apply(x) * grad

    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x * x
            ctx.save_for_backward(x, y)
            return y

        @staticmethod
        def backward(ctx, grad):
            x, y = ctx.saved_tensors
            return 2 * x * grad

    x = torch.tensor([0.3, 0.6, 0.9], requires_grad=True)
    derivatives(torch, show, Cube.apply, x)
    derivatives(torch, show, lambda t: Cube.apply(Square.apply(t)), x)


def case_hooks(torch, show):
    x = torch.tensor([0.3, 0.6, 0.9], requires_grad=True)
    y = x**2
    y.register_hook(lambda g: g * x)
    (g,) = torch.autograd.grad((y**2).sum(), x, create_graph=True)
    show(g)
    (h,) = torch.autograd.grad(g.sum(), x)
    show(h)


def case_losses(torch, show):
    x = torch.tensor([[0.3, 0.6, 0.9], [1.2, 0.1, 0.4]], requires_grad=True)
    t = torch.tensor([0, 2])
    functional = torch.nn.functional
    for name, f in {
        "mse": lambda v: functional.mse_loss(v, torch.ones(2, 3)),
        "cross_entropy": lambda v: functional.cross_entropy(v, t),
        "bce": lambda v: functional.binary_cross_entropy(v.sigmoid(), torch.ones(2, 3) * 0.3),
        "bce_logits": lambda v: functional.binary_cross_entropy_with_logits(
            v, torch.ones(2, 3) * 0.3
        ),
        "nll": lambda v: functional.nll_loss(v.log_softmax(1), t),
    }.items():
        show(name)
        derivatives(torch, show, f, x, 2)


def case_mixed(torch, show):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    w = torch.tensor([[0.5, -1.0], [2.0, 0.3]], requires_grad=True)
    y = (w @ x).tanh().sum()
    gx, gw = torch.autograd.grad(y, [x, w], create_graph=True)
    show(gx, gw)
    show(torch.autograd.grad(gx.pow(2).sum(), [x, w], retain_graph=True))
    show(torch.autograd.grad(gw.pow(2).sum(), [x, w]))


def case_hessian_by_hand(torch, show):
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = (x[0] * x[1] * x[2]).sin()
    (g,) = torch.autograd.grad(y, x, create_graph=True)
    rows = [torch.autograd.grad(g[i], x, retain_graph=True)[0] for i in range(3)]
    show(torch.stack(rows))


def case_reshaped_gradient_of_a_view(torch, show):
    for seed in (torch.ones(2, 3), torch.ones(3, 2).t(), torch.ones(()).expand(2, 3)):
        for needs in (False, True):
            x = torch.arange(6.0, requires_grad=True)
            given = seed.clone(memory_format=torch.preserve_format).requires_grad_(needs)
            (g,) = torch.autograd.grad(x.view(2, 3), x, given, create_graph=True)
            show(g.clone(), g.is_contiguous(), g.view(-1).sum())

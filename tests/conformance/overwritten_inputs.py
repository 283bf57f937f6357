"""What an operation in place saves of the tensor that it overwrites: a clone, recorded as one."""


def chain(node):
    """The text of a graph."""
    if node is None:
        return "-"
    below = ", ".join(chain(following) for following, _ in node.next_functions)
    return f"{node.name()}({below})" if below else node.name()


def leaf(torch):
    return torch.tensor([0.5, 0.75, 2.0], requires_grad=True)


def operations(torch, x):
    """Operations in place by name."""
    F = torch.nn.functional
    return {
        "sin": lambda t: t.sin_(),
        "cos": lambda t: t.cos_(),
        "exp, which saves its result": lambda t: t.exp_(),
        "square": lambda t: t.square_(),
        "cube": lambda t: t.pow_(3),
        "abs": lambda t: t.abs_(),
        "log1p": lambda t: t.log1p_(),
        "mul": lambda t: t.mul_(x[: t.numel()]),
        "mul by a number, which saves nothing": lambda t: t.mul_(2),
        "cumprod": lambda t: t.cumprod_(0),
        "hardtanh": lambda t: F.hardtanh_(t),
        "relu6": lambda t: F.relu6(t, inplace=True),
        "selu": lambda t: F.selu_(t),
        "silu": lambda t: F.silu(t, inplace=True),
        "sinc": lambda t: t.sinc_(),
    }


def case_second_derivatives(torch, show):
    x = leaf(torch)
    for name, operation in operations(torch, x).items():
        for whole in (True, False):
            y = x * 1
            t = operation(y if whole else y[:2])
            (grad,) = torch.autograd.grad(y.sum(), x, create_graph=True)
            show(name, whole, chain(t.grad_fn), chain(grad.grad_fn))
            if grad.requires_grad:
                (second,) = torch.autograd.grad(grad.sum(), x, allow_unused=True)
                show(grad.detach(), second if second is None else second + torch.zeros(3))


def case_what_nodes_and_hooks_show(torch, show):
    x, seen = leaf(torch), []
    y = (x * 1).sin_()
    show(y.grad_fn._saved_self, chain(y.grad_fn._saved_self.grad_fn))
    y = torch.nn.functional.hardtanh_(x * 1)
    show(y.grad_fn._saved_self, y.grad_fn._saved_min_val)
    keep = lambda t: seen.append(t) or t  # noqa: E731
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
        (x * 1).sin_()
        x[[0, 1]]
        (x * 1)[[0, 1]] = x[0]
    show(seen)


def case_without_a_history_there_is_nothing_to_record(torch, show):
    x, plain = leaf(torch), torch.ones(3)
    plain.mul_(x)
    (grad,) = torch.autograd.grad((plain * plain).sum(), x, create_graph=True)
    show(chain(plain.grad_fn), grad, chain(grad.grad_fn))

# ruff: noqa: E501 (phrases of error messages are searched for as they are)
"""The graph as an object."""


def leaf(torch, *values):
    return torch.tensor(list(values or (1.0, 2.0, 3.0)), requires_grad=True)


def walk(node, depth=0):
    """The graph as text."""
    lines = []
    for following, number in node.next_functions:
        if following is None:
            lines.append(f"{'  ' * depth}None {number}")
        else:
            lines.append(f"{'  ' * depth}{following.name()} {number}")
            lines.extend(walk(following, depth + 1))
    return lines


def case_names(torch, show):
    x = leaf(torch)
    m = torch.ones(2, 3, requires_grad=True)
    for name, make in {
        "add": lambda: x + 1,
        "radd": lambda: 1 + x,
        "sub": lambda: x - 1,
        "rsub": lambda: 1 - x,
        "mul": lambda: x * 2,
        "div": lambda: x / 2,
        "rdiv": lambda: 2 / x,
        "pow": lambda: x**2,
        "rpow": lambda: 2**x,
        "powt": lambda: x**x,
        "neg": lambda: -x,
        "abs": lambda: abs(x),
        "exp": lambda: x.exp(),
        "log": lambda: x.log(),
        "sum": lambda: x.sum(),
        "sumd": lambda: m.sum(0),
        "mean": lambda: x.mean(),
        "meand": lambda: m.mean(1),
        "max": lambda: x.max(),
        "maxd": lambda: m.max(1)[0],
        "min": lambda: x.min(),
        "amax": lambda: m.amax(1),
        "norm": lambda: x.norm(),
        "prod": lambda: x.prod(),
        "var": lambda: x.var(),
        "std": lambda: x.std(),
        "mm": lambda: m.mm(m.t()),
        "matmul": lambda: m @ x,
        "dot": lambda: x @ x,
        "mv": lambda: m.mv(x),
        "t": lambda: m.t(),
        "T": lambda: m.T,
        "transpose": lambda: m.transpose(0, 1),
        "permute": lambda: m.permute(1, 0),
        "view": lambda: m.view(6),
        "reshape": lambda: m.reshape(3, 2),
        "flatten": lambda: m.flatten(),
        "select": lambda: m[0],
        "slice": lambda: x[1:],
        "index": lambda: x[torch.tensor([0, 1])],
        "mask": lambda: x[x > 1],
        "none": lambda: x[None],
        "unsqueeze": lambda: x.unsqueeze(0),
        "squeeze": lambda: x.squeeze(),
        "cat": lambda: torch.cat([x, x]),
        "stack": lambda: torch.stack([x, x]),
        "where": lambda: torch.where(x > 1, x, x),
        "clamp": lambda: x.clamp(0, 1),
        "clampmin": lambda: x.clamp(min=0),
        "relu": lambda: x.relu(),
        "sigmoid": lambda: x.sigmoid(),
        "tanh": lambda: x.tanh(),
        "softmax": lambda: x.softmax(0),
        "log_softmax": lambda: x.log_softmax(0),
        "clone": lambda: x.clone(),
        "to": lambda: x.double(),
        "split": lambda: x.split(1)[0],
        "chunk": lambda: x.chunk(3)[0],
        "unbind": lambda: x.unbind()[0],
        "sort": lambda: x.sort()[0],
        "topk": lambda: x.topk(2)[0],
        "cumsum": lambda: x.cumsum(0),
        "gather": lambda: x.gather(0, torch.tensor([0])),
        "expand_as": lambda: x.expand_as(m),
        "diagonal": lambda: m.diagonal(),
        "masked_fill": lambda: x.masked_fill(x > 1, 0.0),
        "maximum": lambda: torch.maximum(x, x),
        "sqrt": lambda: x.sqrt(),
        "reciprocal": lambda: x.reciprocal(),
        "square": lambda: x.square(),
        "detach": lambda: x * 1,
        "logsumexp": lambda: x.logsumexp(0),
        "addmm": lambda: torch.addmm(m @ m.t(), m, m.t()),
    }.items():
        y = make()
        show(name, y.grad_fn.name(), [(n and n.name(), i) for n, i in y.grad_fn.next_functions])


def case_text(torch, show):
    x = leaf(torch)
    y = ((x * 2 + 1).exp() * x).sum()
    show(walk(y.grad_fn))
    show(repr(x * 2), str(y.grad_fn).split(" object")[0])


def case_identity(torch, show):
    x = leaf(torch)
    y = x * 2
    show(y.grad_fn is y.grad_fn, hash(y.grad_fn) == hash(y.grad_fn))
    acc = y.grad_fn.next_functions[0][0]
    z = x * 3
    show(z.grad_fn.next_functions[0][0] is acc, acc.variable is x, acc.name(), type(acc).__name__)
    show(acc.next_functions, (y * 2).grad_fn.next_functions[0][0] is y.grad_fn)
    show(x.grad_fn, x.is_leaf, x.output_nr)
    show(repr(acc).split(" object")[0], str(type(y.grad_fn).__name__))


def case_output_nr(torch, show):
    x = leaf(torch)
    a, b, c = x.unbind()
    show(a.output_nr, b.output_nr, c.output_nr, a.grad_fn is b.grad_fn)
    show((b * 2).grad_fn.next_functions[0][1])
    v, i = x.max(0)
    show(v.output_nr, i.grad_fn)


def case_metadata(torch, show):
    x = leaf(torch)
    y = x * 2
    y.grad_fn.metadata["note"] = 3
    show(y.grad_fn.metadata)
    z = y + 1
    show(z.grad_fn.next_functions[0][0].metadata)


def case_input_metadata(torch, show):
    x = leaf(torch)
    y = x * 2
    show([(list(m.shape), str(m.dtype)) for m in y.grad_fn._input_metadata])
    show([(list(m.shape), str(m.dtype)) for m in x.unbind()[0].grad_fn._input_metadata])
    show(len(x.sort()[0].grad_fn._input_metadata))
    acc = y.grad_fn.next_functions[0][0]
    show([list(m.shape) for m in acc._input_metadata])


def case_sequence(torch, show):
    x = leaf(torch)
    a = x * 2
    b = x * 3
    show(b.grad_fn._sequence_nr() - a.grad_fn._sequence_nr())
    show(a.grad_fn.next_functions[0][0]._sequence_nr() == 2**64 - 1)


def case_node_abc(torch, show):
    node = torch.autograd.graph.Node
    x = leaf(torch)
    y = x * 2
    show(
        isinstance(y.grad_fn, node),
        isinstance(y.grad_fn.next_functions[0][0], node),
        isinstance(3, node),
        issubclass(type(y.grad_fn), node),
    )
    show.error(lambda: node(), "abstract")


def case_graph_of_gradient(torch, show):
    x = leaf(torch)
    for make in (
        lambda: x * x,
        lambda: x**2,
        lambda: x.exp(),
        lambda: x + x,
        lambda: x.sin(),
        lambda: x.tanh(),
        lambda: x.sum() * x,
        lambda: x / 2,
        lambda: x.sigmoid(),
        lambda: x.sqrt(),
        lambda: x.log(),
    ):
        (g,) = torch.autograd.grad(make().sum(), x, create_graph=True)
        show(g.grad_fn and g.grad_fn.name(), g.requires_grad)


def case_grad_fn_after_ops(torch, show):
    x = leaf(torch)
    y = x * 2
    show(
        y.detach().grad_fn,
        y.data.grad_fn,
        y.clone().grad_fn.name(),
        y.view(3).grad_fn.name(),
        y.contiguous() is y,
    )
    show(
        x.view(3).grad_fn.name(),
        x.requires_grad_().grad_fn,
        y.float() is y,
        y.to(torch.float32) is y,
    )


def case_scalar_edges(torch, show):
    x = leaf(torch)
    for y in (
        x + 1,
        x * 2,
        x - 1,
        1 - x,
        x / 2,
        x + x.detach(),
        torch.where(x > 0, x, 0.0),
        torch.cat([x, torch.ones(2)]),
        torch.maximum(x, torch.ones(3)),
    ):
        show([(n and n.name(), i) for n, i in y.grad_fn.next_functions])


def case_addition_of_numbers_keeps_names(torch, show):
    x = leaf(torch)
    show((x + 0).grad_fn.name(), (x * 1).grad_fn.name(), (+x).grad_fn, x.neg().neg().grad_fn.name())


def case_requires_grad_propagation(torch, show):
    x = leaf(torch)
    c = torch.ones(3)
    show((c + c).requires_grad, (c + x).requires_grad, (c * 2).grad_fn)
    show(
        torch.cat([c, x]).requires_grad,
        torch.stack([c, c]).requires_grad,
        torch.where(c > 0, c, x).requires_grad,
    )


def case_variable(torch, show):
    variable = torch.autograd.Variable
    t = torch.ones(2)
    v = variable(t, requires_grad=True)
    show(v, t.requires_grad, isinstance(t, variable), v.data_ptr() == t.data_ptr(), type(v))
    (v * 2).sum().backward()
    show(v.grad)
    show(variable(torch.ones(1)).requires_grad)


def case_repr(torch, show):
    x = leaf(torch)
    for t in (
        x,
        x * 2,
        (x * 2).sum(),
        x.clone()[1:],
        x.detach(),
        x.view(3),
        x.clone().add_(1),
        x.unbind()[0],
    ):
        show(repr(t))
    y = x.clone()
    y[1:].mul_(2)
    show(repr(y), repr(y[0]))

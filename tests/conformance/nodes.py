"""Nodes of the backward graph: what they tell, what they are called, when they may be called."""


def leaf(torch, *values):
    return torch.tensor(list(values or (1.0, 2.0, 3.0)), requires_grad=True)


def names(node):
    """The names of all nodes below ``node``, depth first."""
    found = [node.name()]
    for following, _ in node.next_functions:
        found += [] if following is None else names(following)
    return found


def case_attributes(torch, show):
    y = leaf(torch) * 2
    accumulate = y.grad_fn.next_functions[0][0]
    show(y.grad_fn.requires_grad, accumulate.requires_grad)
    show(type(y.grad_fn).__module__, type(y.grad_fn).__qualname__, str(type(y.grad_fn)))
    y.grad_fn._set_sequence_nr(1_000_000)
    show(y.grad_fn._sequence_nr(), accumulate._sequence_nr())


def case_input_metadata(torch, show):
    x = leaf(torch)
    (m,) = (x * 2).grad_fn._input_metadata
    show(type(m.shape), m.shape, m.dtype, str(m.device), m.is_nested_tensor)
    show(m.is_cpp_nested_tensor, type((x * 2).grad_fn._input_metadata))

    class Both(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            counts = torch.ones(3, dtype=torch.int64)
            ctx.mark_non_differentiable(counts)
            return x * 1, counts, 3

        @staticmethod
        def backward(ctx, *grads):
            return grads[0]

    node = Both.apply(x)[0].grad_fn
    show([(m.shape, m.dtype) for m in node._input_metadata])


def case_call_arity(torch, show):
    x = leaf(torch)
    node = (x * 3).grad_fn
    show(node(torch.ones(3)), node(None))
    show.error(lambda: node(), "expected 1 arguments, got 0 instead")
    show.error(lambda: node(torch.ones(3), torch.ones(3)), "expected 1 arguments, got 2 instead")
    show.error(lambda: node(3), "argument 0 is not a Variable")
    several = x.unbind()[0].grad_fn
    show(several(*torch.ones(3).unbind()))
    show.error(lambda: several(torch.ones(())), "expected 3 arguments, got 1 instead")


def case_saved_numbers(torch, show):
    m = torch.ones(3, 4, requires_grad=True)
    show(m.transpose(-1, 0).grad_fn._saved_dim0, m[-1].grad_fn._saved_index)
    show(m.unsqueeze(-1).grad_fn._saved_dim, torch.stack([m, m], -1).grad_fn._saved_dim)
    show(m.sum(-1).grad_fn._saved_dim, m.log_softmax(-1).grad_fn._saved_dim)
    show((m + 1).grad_fn._saved_alpha, m.add(m, alpha=2).grad_fn._saved_alpha)
    show(torch.addmv(torch.ones(3), m, torch.ones(4)).grad_fn._saved_beta)


def case_numbers_are_not_freed(torch, show):
    x = leaf(torch)
    y = torch.lerp(x, x * 2, 0.5)
    y.sum().backward(retain_graph=True)
    show(torch.autograd.grad(y.sum(), x, retain_graph=True)[0])
    y = torch.lerp(x, x.detach(), 0.5)
    for _ in range(2):
        y.sum().backward()
    show(x.grad)
    y = torch.lerp(x, x.detach(), x.detach())
    y.sum().backward()
    show.error(lambda: y.sum().backward(), "second time")


def case_names_in_place(torch, show):
    functions = torch.nn.functional
    for name in ("elu_", "celu_", "selu_", "leaky_relu_", "relu_", "hardtanh_"):
        show(name, getattr(functions, name)(leaf(torch).clone()).grad_fn)
    show(functions.threshold_(leaf(torch).clone(), 0.1, 1.0).grad_fn)
    for name in ("asinh_", "acosh_", "atanh_", "sinh_", "exp_", "t_", "squeeze_"):
        show(name, getattr(leaf(torch).clone(), name)().grad_fn)


def case_numbers_in_formulas(torch, show):
    x = leaf(torch)
    for make in (
        lambda: x**2, lambda: x.sqrt(), lambda: x.mean() ** 2, lambda: x * 2, lambda: x.log1p(),
        lambda: x.erf(), lambda: x.addcmul(x, x), lambda: x.relu() ** 2, lambda: x / x.sum(),
        lambda: x[0] * x, lambda: x.unbind()[0] * x,
    ):  # fmt: skip
        (g,) = torch.autograd.grad(make().sum(), x, create_graph=True)
        show(None if g.grad_fn is None else names(g.grad_fn))
    for make in (lambda y: y * 1, lambda y: y * 2.5, lambda y: y / 2, lambda y: 3 / y):
        (g,) = torch.autograd.grad((make(x * x) ** 2).sum(), x, create_graph=True)
        show(names(g.grad_fn))
    (g,) = torch.autograd.grad((x**2).sum(), x, create_graph=True)
    number = g.grad_fn.next_functions[1][0] or g.grad_fn.next_functions[0][0]
    show(number, float(number._saved_other), (x * 2).grad_fn)


def case_no_derivative(torch, show):
    x, o = leaf(torch) * 3, torch.ones(3)
    for make in (
        lambda: x // 2, lambda: 2 // x, lambda: torch.floor_divide(x, 2), lambda: x.heaviside(o),
        lambda: torch.heaviside(o, x), lambda: torch.bincount(torch.tensor([0, 1, 2]), x),
        lambda: x.clone().floor_divide_(2), lambda: x.clone().heaviside_(o),
    ):  # fmt: skip
        y = make()
        show(y.requires_grad, y.grad_fn, y.detach(), [n for n, _ in y.grad_fn.next_functions])
        show.error(lambda y=y: y.sum().backward(), "is not implemented")
    with torch.no_grad():
        show((x // 2).requires_grad)
    show((x.detach() // 2).grad_fn, torch.tensor([5]) // 2)


def case_zero_gradient(torch, show):
    x = leaf(torch) * 0.25
    half = torch.full((3,), 0.5)
    for name, *args in (
        ("normal_",), ("uniform_",), ("bernoulli_",), ("bernoulli_", 0.3), ("bernoulli_", half),
        ("exponential_",), ("random_",), ("random_", 5), ("random_", 2, 5), ("geometric_", 0.5),
        ("cauchy_",), ("log_normal_",), ("eq_", 1), ("eq_", half), ("gt_", 1), ("ne_", half),
    ):  # fmt: skip
        y = x.clone()
        getattr(y, name)(*args)
        show(name, y.grad_fn, [n for n, _ in y.grad_fn.next_functions])
        show(torch.autograd.grad(y.sum(), x, retain_graph=True))
    y = x.clone()
    y[:1].normal_()
    show(y.grad_fn, torch.autograd.grad(y.sum(), x, retain_graph=True))
    for make in (
        lambda: torch.bernoulli(x), lambda: torch.normal(x, x), lambda: torch.normal(x, 1.0),
        lambda: torch.normal(0.0, x),
    ):  # fmt: skip
        show(make().grad_fn, torch.autograd.grad(make().sum(), x, retain_graph=True))
    show(torch.multinomial(x, 1).grad_fn, torch.rand_like(x).grad_fn)
    show.error(lambda: leaf(torch).normal_(), "a leaf Variable that requires grad")


def case_anomaly_of_leaves(torch, show):
    with torch.autograd.set_detect_anomaly(True):
        y = leaf(torch) * 2
        show(list(y.grad_fn.metadata), list(y.grad_fn.next_functions[0][0].metadata))
    show(list((leaf(torch) * 2).grad_fn.next_functions[0][0].metadata))
    show.error(lambda: torch.autograd.set_detect_anomaly("yes"))
    show(torch.is_anomaly_enabled())


def case_anomaly_hint(torch, show):
    a = leaf(torch)
    b = a.exp()
    b.add_(1)
    show.error(lambda: b.sum().backward(), "Hint: enable anomaly detection to find")
    with torch.autograd.set_detect_anomaly(True):
        show.error(lambda: a.exp().add_(1).sum().backward(), "or anywhere later. Good luck!")


def case_absent_arguments(torch, show):
    functions = torch.nn.functional
    x, w = torch.ones(2, 3, 4, requires_grad=True), torch.ones(4, requires_grad=True)
    for y in (
        functions.group_norm(x, 3), functions.layer_norm(x, (4,)), functions.layer_norm(x, (4,), w),
        functions.batch_norm(x, None, None, training=True), functions.linear(x, torch.ones(2, 4)),
        functions.conv1d(x, torch.ones(2, 3, 2)), functions.layer_norm(x.detach(), (4,), None, w),
    ):  # fmt: skip
        show([(node, number) for node, number in y.grad_fn.next_functions])
        y.sum().backward()
    show(x.grad, w.grad)


def case_saved_shapes(torch, show):
    """What nodes say of the shapes of their inputs."""

    def shapes(y):
        names = [n for n in dir(y.grad_fn) if n.startswith("_saved_") and "_sym_" in n]
        names = [n for n in names if not n.endswith("_strides")]  # not kept here
        show(y.grad_fn, {n: getattr(y.grad_fn, n) for n in names})

    x, y = torch.ones(2, 3, requires_grad=True), torch.ones(4, 3, requires_grad=True)
    shapes(x.mm(y.t()))
    node = x.mm(y.t().detach()).grad_fn
    show(node._saved_self_sym_sizes, node._saved_mat2_sym_sizes)
    shapes(torch.addmm(torch.ones(4), x, y.t()))
    shapes(x.t().contiguous().t().mean())
    shapes(x.mean(0))
    batches = torch.ones(3, 2, 4), torch.ones(3, 4, 5, requires_grad=True)
    shapes(torch.addbmm(torch.ones(2, 5), *batches))
    total = x.mm(y.t()).sum()
    node = total.grad_fn.next_functions[0][0]
    total.backward()
    show(node._saved_self_sym_sizes, node._saved_mat2_sym_sizes)


def case_saved_argument_sizes(torch, show):
    functional = torch.nn.functional
    x = torch.ones(1, 1, 4, 5, requires_grad=True)
    node = functional.unfold(x, 2).grad_fn
    show(node._saved_self_sym_argsize_minus_1, node._saved_self_sym_argsize_minus_2)
    weight = torch.ones(1, 1, 2, 2)
    show(functional.conv2d(x, weight).grad_fn._saved_bias_sym_sizes_opt)
    show(functional.conv2d(x, weight, torch.ones(1)).grad_fn._saved_bias_sym_sizes_opt)
    node = functional.embedding(torch.tensor([0]), torch.ones(2, 3, requires_grad=True)).grad_fn
    show(node._saved_weight_sym_argsize_0)


def case_graphs_of_formulas_with_numbers(torch, show):
    """An op with a number is an overload of its own in PyTorch's formulas, and only there."""

    def graph(node):
        return [node, [graph(n) for n, _ in node.next_functions if n is not None]]

    x = torch.tensor([0.5, 1.5, 2.5], requires_grad=True)
    for function in (
        lambda: x * 1,
        lambda: x * 2 * x,
        lambda: x**3,
        lambda: x / 2,
        lambda: 2 / x,
        lambda: x.sqrt(),
        lambda: x.erf(),
        lambda: x.log1p(),
        lambda: torch.nn.functional.gelu(x),
        lambda: torch.nn.functional.mse_loss(x, x * x),
    ):
        (g,) = torch.autograd.grad(function().sum(), x, create_graph=True)
        if g.grad_fn is not None:
            show(graph(g.grad_fn))
        again = g * 2 + 1
        show(again.grad_fn)
    (g,) = torch.autograd.grad((x**3).sum(), x, create_graph=True)
    first = g.grad_fn.next_functions[1][0]
    show(first, float(first._saved_other), [n for n in dir(first) if n.startswith("_saved")])


def case_no_place_for_attributes(torch, show):
    """Nodes that are no Python objects in PyTorch take none; those of custom functions do."""

    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    x = leaf(torch)
    y = torch.tanh(x * 2).add_(1)
    for node in (y.grad_fn, y.grad_fn.next_functions[0][0], (x * 1).grad_fn.next_functions[0][0]):
        for name in ("note", "name", "metadata", "next_functions"):
            try:
                setattr(node, name, 1)
                show("taken", name)
            except AttributeError:
                show("refused", name, node.name())
        show(hasattr(node, "note"), hasattr(node, "__dict__"))
        node.metadata["note"] = 1
        show(node.metadata)
    node = Double.apply(x).grad_fn
    node.note = 3
    show(node.note)


def ones(torch, *shape):
    return torch.ones(shape, requires_grad=True)


def case_names_of_what_is_saved(torch, show):
    """What is saved has PyTorch's names: no others, and none is missing."""
    functional = torch.nn.functional
    x, y = ones(torch, 2, 3), ones(torch, 3, 2)
    image = ones(torch, 1, 2, 4, 4)
    square = (torch.eye(3) * 2).requires_grad_()
    one, row = torch.tensor([1]), torch.ones(3)
    programs = [
        x @ y, torch.addmm(ones(torch, 2), x, y), x.mean(), x.mean(1), torch.cat([x, x]),
        x.as_strided((2, 2), (1, 1)), x.index_add(0, one, x[:1]), x.gather(0, one[None]),
        x.select_scatter(row, 0, 1), x.slice_scatter(x[:1], 0, 0, 1),
        square.diagonal_scatter(row), torch.block_diag(x, y),
        functional.layer_norm(x, (3,), row, row), functional.group_norm(image, 2),
        functional.conv2d(image, ones(torch, 3, 2, 2, 2)), functional.avg_pool2d(image, 2),
        functional.max_pool2d(image, 2), functional.unfold(image, 2),
        functional.interpolate(image, scale_factor=2),
        functional.interpolate(image, scale_factor=2, mode="bilinear"),
        functional.channel_shuffle(image, 2), functional.embedding(one, x),
        torch.linalg.lu(square)[1], torch.linalg.svdvals(square),
        x.softmax(1), x.logsumexp(1), x.var(), x[0], x[:, 1:], x.expand(2, 2, 3), x.cumsum(0),
        functional.nll_loss(x, torch.tensor([0, 1])), functional.mse_loss(x, x.detach()),
    ]  # fmt: skip
    for made in programs:
        node = made.grad_fn
        show(node.name(), [name for name in dir(node) if "_saved_" in name[:11]])

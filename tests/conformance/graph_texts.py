"""Graphs as text: the nodes of functions and of their gradients, and what is between them."""


def graph(node, seen):
    """A node with everything below it; a node that was shown is a number."""
    if node is None:
        return "None"
    if node in seen:
        return f"#{seen[node]}"
    seen[node] = len(seen)
    parts = [graph(n, seen) + (f"@{i}" if i else "") for n, i in node.next_functions]
    return f"{node.name()}({', '.join(parts)})"


def leaves(torch):
    x = torch.tensor([0.5, 1.5, 2.5], requires_grad=True)
    y = torch.tensor([0.7, 1.2, 3.5], requires_grad=True)
    m = torch.tensor([[0.5, 1.0], [2.0, 3.0]], requires_grad=True)
    return x, y, m


def texts(torch, show, functions, inputs, order):
    """The graph of each function; with ``order`` 2 the graph of its gradients, too, and these."""
    for function in functions:
        out = function()
        outs = [out] if isinstance(out, torch.Tensor) else [o for o in out if o.requires_grad]
        seen = {}
        show([f"{graph(o.grad_fn, seen)}@{o.output_nr}" for o in outs])
        if not order:
            continue
        grads = torch.autograd.grad(
            outs,
            inputs,
            [torch.ones_like(o).requires_grad_(order > 1) for o in outs],
            create_graph=order > 1,
            allow_unused=True,
        )
        show(grads)
        seen = {}
        if order > 1:
            show([None if g is None else graph(g.grad_fn, seen) for g in grads])


def case_of_extrema(torch, show):
    x, y, m = leaves(torch)
    functions = (
        lambda: x.max(), lambda: x.min(), lambda: m.max(0), lambda: m.min(1, keepdim=True),
        lambda: x.median(), lambda: m.median(0), lambda: torch.kthvalue(m, 1, 0),
        lambda: m.sort(0), lambda: m.topk(1, 0), lambda: torch.mode(m, 0),
        lambda: torch.maximum(x, y), lambda: torch.minimum(x, y), lambda: torch.fmax(x, y),
        lambda: torch.fmin(x, y), lambda: torch.copysign(x, y),
    )  # fmt: skip
    texts(torch, show, functions, [x, y, m], 2)
    ties = torch.tensor([2.0, 2.0, 1.0], requires_grad=True)
    functions = (lambda: ties.max(), lambda: torch.maximum(ties, ties.flip(0)), lambda: ties.amax())
    texts(torch, show, functions, [ties], 1)


def case_of_moments(torch, show):
    x, _, m = leaves(torch)
    functions = (
        lambda: x.mean(), lambda: m.mean(0), lambda: x.var(), lambda: m.var(0),
        lambda: m.var((0, 1)), lambda: m.var(1, correction=0), lambda: x.std(), lambda: m.std(1),
        lambda: m.std(1, keepdim=True), lambda: torch.var_mean(m), lambda: torch.std_mean(m, 0),
        lambda: m.sum(()), lambda: m.sum(0), lambda: m.nansum(), lambda: m.logsumexp(0),
    )  # fmt: skip
    texts(torch, show, functions, [x, m], 2)
    one = torch.tensor([2.0], requires_grad=True)
    texts(torch, show, (lambda: one.var(), lambda: one.std(), lambda: one.var(0)), [one], 1)


def case_of_norms(torch, show):
    x, _, m = leaves(torch)
    norm = torch.linalg.vector_norm
    functions = (
        lambda: x.norm(), lambda: m.norm(dim=0), lambda: x.norm(1), lambda: x.norm(3),
        lambda: x.norm(float("inf")), lambda: x.norm(0.5), lambda: x.norm(1.5),
        lambda: torch.linalg.norm(m), lambda: norm(m, 2, 1), lambda: norm(m, 3, 1, True),
        lambda: torch.linalg.matrix_norm(m),
    )  # fmt: skip
    texts(torch, show, functions, [x, m], 2)
    zero = torch.zeros(2, requires_grad=True)
    functions = (lambda: zero.norm(), lambda: zero.norm(3), lambda: zero.norm(0.5))
    texts(torch, show, functions, [zero], 1)


def case_of_products(torch, show):
    x, _, m = leaves(torch)
    functions = (
        lambda: x.prod(), lambda: m.prod(0), lambda: m.prod(1, keepdim=True),
        lambda: m.cumprod(0), lambda: m.cumsum(0), lambda: m[:, :1].cumsum(1)[:1],
    )  # fmt: skip
    texts(torch, show, functions, [x, m], 2)
    for zeros in ([0.0, 2.0, 3.0], [0.0, 0.0, 3.0]):
        z = torch.tensor(zeros, requires_grad=True)
        for function in (lambda z=z: z.prod(), lambda z=z: z.cumprod(0)):
            (g,) = torch.autograd.grad(function().sum(), z, create_graph=True)
            show(g.detach(), torch.autograd.grad(g.sum(), z, allow_unused=True)[0])


def case_of_places(torch, show):
    x, _, m = leaves(torch)
    functions = (
        lambda: x[torch.tensor([0, 2])], lambda: m[:, torch.tensor([0, 0])], lambda: m[m > 1],
        lambda: x.repeat(2), lambda: m.repeat(2, 3), lambda: x.repeat(2, 1), lambda: m.repeat(1, 1),
        lambda: m.gather(1, torch.tensor([[0], [1]])), lambda: m.index_select(0, torch.tensor([0])),
    )  # fmt: skip
    texts(torch, show, functions, [x, m], 2)


def case_of_numbers(torch, show):
    """A number on the left is a tensor in PyTorch's formulas, one on the right is not."""
    x, y, m = leaves(torch)
    functional = torch.nn.functional
    functions = (
        lambda: functional.silu(x), lambda: x.atanh(), lambda: torch.addcdiv(x, x, y, value=2),
        lambda: torch.addcmul(x, x, y, value=2), lambda: torch.addmm(m, m, m, beta=2, alpha=3),
        lambda: x.acos(), lambda: x.log10(), lambda: torch.logaddexp(x, y), lambda: x.tan(),
        lambda: torch.deg2rad(x), lambda: torch.rad2deg(x), lambda: torch.pow(x, y),
        lambda: torch.lerp(x, y, 0.5), lambda: 1 / x, lambda: 2 - x,
    )  # fmt: skip
    texts(torch, show, functions, [x, y, m], 2)


def case_single_nodes(torch, show):
    x, y, m = leaves(torch)
    inf, half = float("inf"), 0.5
    functions = (
        lambda: torch.cdist(m, m + 1), lambda: torch.cdist(m, m + 1, p=1), lambda: torch.pdist(m),
        lambda: torch.cdist(m, m + 1, p=3.0), lambda: torch.cdist(m, m + 1, p=inf),
        lambda: torch.cdist(m, m + 1, p=half), lambda: torch.pdist(m, 1.0),
        lambda: torch.dist(x, y), lambda: torch.dist(x, y, 3), lambda: torch.mvlgamma(x + 3, 2),
        lambda: torch.linalg.vecdot(x, y), lambda: torch.rrelu(x - 1),
        lambda: torch.nn.functional.rrelu(x - 1), lambda: torch.cholesky_inverse(m, upper=True),
        lambda: torch.cholesky_inverse(m),
    )  # fmt: skip
    texts(torch, show, functions, [x, y, m], 2)
    functions = (
        lambda: torch.renorm(m, 2, 0, 1.0), lambda: torch.renorm(m, 1, 1, 2.8),
        lambda: torch.cholesky_solve(m, m), lambda: torch.cholesky_solve(m, m, upper=True),
        lambda: torch.cholesky(m @ m.t() + torch.eye(2)),
    )  # fmt: skip
    texts(torch, show, functions, [m], 1)
    same = torch.ones(3, 2, requires_grad=True)
    for p in (half, 1.0, 2.0, 3.0, inf):
        functions = (
            lambda p=p: torch.cdist(same, same.detach(), p),
            lambda p=p: torch.pdist(same, p),
        )
        texts(torch, show, functions, [same], 1)
    show(torch.renorm(m, 2, 0, 1.0).grad_fn._saved_maxnorm, torch.pdist(m, 1).grad_fn._saved_p)
    show.error(lambda: torch.renorm(m, 2, 0, -1.0), "expected maxnorm to be >= 0")


def case_drawn(torch, show):
    x, _, _ = leaves(torch)
    show(graph(torch.poisson(x).grad_fn, {}), torch.autograd.grad(torch.poisson(x).sum(), x))
    for drawn in (torch.bernoulli(x / 3, 0.5), torch.bernoulli(x / 3, p=0.5)):
        show(graph(drawn.grad_fn, {}), drawn.requires_grad)
        show.error(lambda drawn=drawn: drawn.sum().backward(), "derivative for")
    node = torch.nn.functional.rrelu(x, training=True).grad_fn
    show(node._saved_lower, node._saved_upper, node._saved_training, node._saved_self)


def case_rules_of_integration(torch, show):
    x, y, m = leaves(torch)
    w = torch.tensor([0.3, 0.7], requires_grad=True)
    functions = (
        lambda: torch.trapezoid(x), lambda: torch.trapezoid(m, dx=2.0),
        lambda: torch.trapezoid(x, y), lambda: torch.trapezoid(m, w, dim=0),
        lambda: torch.trapezoid(m, m + 1, dim=0), lambda: torch.cumulative_trapezoid(x),
        lambda: torch.cumulative_trapezoid(x, y), lambda: torch.diff(x), lambda: torch.diff(m, n=1),
    )  # fmt: skip
    texts(torch, show, functions, [x, y, m, w], 2)


def case_of_losses_and_activations(torch, show):
    x, y, m = leaves(torch)
    functional = torch.nn.functional
    logits = functional.binary_cross_entropy_with_logits
    functions = (
        lambda: logits(x, y), lambda: logits(x, y, reduction="sum"),
        lambda: logits(x, y, reduction="none"), lambda: logits(x, y, pos_weight=torch.ones(3) * 2),
        lambda: functional.binary_cross_entropy(x.sigmoid(), y.sigmoid()),
        lambda: functional.pairwise_distance(m, m + 1), lambda: functional.hardswish(x),
        lambda: functional.hardshrink(x - 1), lambda: functional.softshrink(x, 1),
    )  # fmt: skip
    texts(torch, show, functions, [x, y, m], 2)
    node = functional.pairwise_distance(m, m + 1, p=1).grad_fn
    show(node._saved_p, node._saved_dim, node._saved_keepdim)


def case_einsum(torch, show):
    x, y, m = leaves(torch)
    functions = (
        lambda: torch.einsum("ij,jk->ik", m, m), lambda: torch.einsum("i,j->ij", x, y),
        lambda: torch.einsum("ij->ji", m), lambda: torch.einsum("ii->i", m),
        lambda: torch.einsum("ij,ij->", m, m), lambda: torch.einsum("i,i", x, y),
        lambda: torch.einsum("bij,bjk->bik", m[None], m[None]), lambda: torch.einsum("ij->i", m),
        lambda: torch.einsum("ij->", m),
    )  # fmt: skip
    texts(torch, show, functions, [x, y, m], 2)


def case_padding_and_pooling(torch, show):
    _, _, m = leaves(torch)
    functional = torch.nn.functional
    square = m.detach().repeat(2, 2)[None].requires_grad_()
    functions = (
        lambda: functional.pad(square, (1, 1), "reflect"),
        lambda: functional.pad(square, (1, 0, 1, 1), "reflect"),
        lambda: functional.pad(square, (1, 1), "replicate"),
        lambda: functional.adaptive_avg_pool2d(square, 2),
        lambda: functional.adaptive_avg_pool1d(square, 2),
        lambda: functional.adaptive_max_pool2d(square, 2),
        lambda: functional.adaptive_max_pool1d(square, 2),
        lambda: functional.adaptive_avg_pool3d(square[None], (1, 2, 2)),
    )
    texts(torch, show, functions, [square], 2)
    y = functional.pad(square * 1, (1, 1), "reflect")
    show(y.grad_fn._saved_self.shape, functional.adaptive_avg_pool2d(square, 2).grad_fn._saved_self)
    x = square * 1
    y = functional.pad(x, (1, 1), "replicate")
    x.add_(1)
    show.error(lambda: y.sum().backward(), "modified by an inplace operation")


def case_saved_arguments(torch, show):
    functional = torch.nn.functional

    def saved(node):
        names = [n for n in dir(node) if n.startswith("_raw_saved")]
        return [node, names]

    x = torch.ones(1, 1, 4, 4, requires_grad=True)
    line = torch.ones(1, 1, 4, requires_grad=True)
    for node in (
        functional.avg_pool2d(x, 2).grad_fn, functional.avg_pool2d(x, (2, 1), 1).grad_fn,
        functional.max_pool2d(x, 2).grad_fn,
    ):  # fmt: skip
        show(saved(node), node._saved_kernel_size, node._saved_stride, node._saved_padding)
    for node in (
        functional.interpolate(line, 8, mode="linear").grad_fn,
        functional.interpolate(line, scale_factor=0.5, mode="linear").grad_fn,
    ):  # fmt: skip
        show(saved(node), node._saved_scales, node._saved_output_size, node._saved_align_corners)
    node = functional.interpolate(x, scale_factor=(2.0, 0.5), mode="bilinear").grad_fn
    show(saved(node), node._saved_scales_h, node._saved_scales_w)
    one = torch.zeros(2, requires_grad=True)
    for value in (1 + 0j, 1.5, 1, True, torch.tensor(2.5)):
        found = torch.threshold(one, threshold=value, value=value).grad_fn._saved_threshold
        show(type(found), found)
    show(torch.div(one, 2.0, rounding_mode=None).grad_fn._saved_rounding_mode)
    show(torch.div(one, 2.0, rounding_mode=None).detach())
    show(saved((one + 1).grad_fn), saved((one * 2).grad_fn), saved(one.sum().grad_fn))


def case_raw_saved(torch, show):
    m = torch.ones(2, 2, requires_grad=True)
    node = m[:, torch.tensor([0, 1])].grad_fn
    first, second = node._raw_saved_indices
    show(type(first), type(second), len(node._saved_indices))
    show.error(lambda: first.register_hooks(lambda t: t, lambda t: t), "None is forbidden")
    second.register_hooks(lambda t: t, lambda t: t)
    show(node._saved_indices)
    node = (m * 2).sum().grad_fn.next_functions[0][0]
    show(type(node._raw_saved_other), type(node._raw_saved_self))
    show.error(lambda: node._raw_saved_self.register_hooks(id, id), "None is forbidden")

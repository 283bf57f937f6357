"""Functions of `torch` with ATen's arguments, and names that are seldom met."""


def grads(torch, function, *given):
    inputs = [torch.tensor(x, requires_grad=True) for x in given]
    out = function(*inputs)
    return out, torch.autograd.grad(out.sum(), inputs)


def case_losses(torch, show):
    a, b, t = [[0.1, 0.4], [-0.3, 0.2]], [[0.5, 0.1], [0.2, 0.7]], torch.tensor([1.0, -1.0])
    for reduction in (0, 1, 2):
        show(grads(torch, lambda x, r=reduction: torch.kl_div(x, torch.tensor(b), r), a))
        show(grads(torch, lambda x, y, r=reduction: torch.cosine_embedding_loss(x, y, t, 0.1, r),
                   a, b))  # fmt: skip
        show(grads(torch, lambda x, r=reduction: torch.hinge_embedding_loss(x, t, 1.0, r), a[0]))
        show(grads(torch, lambda x, y, r=reduction: torch.margin_ranking_loss(x, y, t, 0.1, r),
                   a[0], b[0]))  # fmt: skip
        show(grads(torch, lambda x, r=reduction: torch.poisson_nll_loss(
            x, torch.tensor(b), True, True, 1e-8, r), a))  # fmt: skip
        show(grads(torch, lambda x, y, z, r=reduction: torch.triplet_margin_loss(
            x, y, z, 1.0, 2.0, 1e-6, True, r), a, b, [[0.3, 0.3], [0.0, 1.0]]))  # fmt: skip
    x, y = torch.tensor(a), torch.tensor(b)
    show(torch.kl_div(x, y, log_target=True), torch.cosine_embedding_loss(x, y, t))
    show(torch.hinge_embedding_loss(x[0], t), torch.margin_ranking_loss(x[0], y[0], t))
    show(torch.triplet_margin_loss(x, y, x))
    logits = torch.arange(24.0).view(4, 2, 3).log_softmax(2)
    targets, lengths = torch.tensor([[1, 2], [2, 1]]), (torch.tensor([4, 3]), torch.tensor([2, 1]))
    for reduction in (0, 1, 2):
        show(torch.ctc_loss(logits, targets, *lengths, 0, reduction))
    show(torch.ctc_loss(logits, targets, (4, 3), (2, 1)))


def case_recurrences(torch, show):
    torch.manual_seed(0)
    x = torch.arange(12.0).view(3, 2, 2) / 10
    for name, kind, options in (
        ("lstm", torch.nn.LSTM, {"bidirectional": True}), ("lstm", torch.nn.LSTM, {"proj_size": 2}),
        ("gru", torch.nn.GRU, {"num_layers": 2}), ("rnn_tanh", torch.nn.RNN, {"bias": False}),
        ("rnn_relu", torch.nn.RNN, {"nonlinearity": "relu", "batch_first": True}),
    ):  # fmt: skip
        layers = kind(2, 3, **options)
        batch = 3 if layers.batch_first else 2
        count = layers.num_layers * (1 + layers.bidirectional)
        hidden = torch.zeros(count, batch, layers.proj_size or 3)
        state = (hidden, torch.zeros(count, batch, 3)) if name == "lstm" else hidden
        out = getattr(torch, name)(
            x, state, list(layers.parameters()), layers.bias, layers.num_layers, 0.0, True,
            layers.bidirectional, layers.batch_first,
        )  # fmt: skip
        show([o.detach() for o in out])
        (grad,) = torch.autograd.grad(out[0].sum(), [layers.weight_hh_l0])
        show(grad)


def case_cells(torch, show):
    torch.manual_seed(0)
    x, h = torch.ones(2, 2), torch.full((2, 3), 0.5)
    for name, kind in (("gru_cell", torch.nn.GRUCell), ("rnn_tanh_cell", torch.nn.RNNCell)):
        cell = kind(2, 3)
        show(getattr(torch, name)(x, h, *cell.parameters()).detach())
    cell = torch.nn.LSTMCell(2, 3)
    show([o.detach() for o in torch.lstm_cell(x, (h, h), *cell.parameters())])


def case_layers(torch, show):
    x = torch.arange(12.0).view(1, 3, 4)
    show(torch.instance_norm(x, None, None, None, None, True, 0.1, 1e-5, False))
    image, theta = torch.arange(4.0).view(1, 1, 2, 2), torch.eye(2, 3)[None]
    grid = torch.affine_grid_generator(theta, (1, 1, 3, 3), False)
    for mode in (0, 1, 2):
        for padding in (0, 1, 2):
            show(torch.grid_sampler(image, grid * 1.3, mode, padding, True))
    v = torch.arange(6.0, requires_grad=True)
    for dim in (0, 1, -1):
        show(torch.norm_except_dim(v.view(2, 3), 2, dim).detach())
    show(torch.convolution(x, torch.ones(2, 3, 2), None, [1], [0], [1], False, [0], 1))
    show(torch.native_layer_norm(x, [4], None, None, 1e-5)[0].shape)
    show(torch._softmax(x, 2, False), torch._weight_norm(v.view(2, 3), torch.ones(2, 1)).detach())
    show(torch.native_dropout(x, 0.5, False), torch.dropout_(torch.ones(2), 0.0, True))


def case_gradient(torch, show):
    x = torch.tensor([[1.0, 4.0, 9.0], [2.0, 3.0, 5.0], [0.0, 1.0, 7.0]], requires_grad=True)
    at = torch.tensor([0.0, 1.0, 3.0])
    for options in (
        {}, {"spacing": 2.0}, {"dim": 1}, {"dim": (1, 0), "edge_order": 2},
        {"spacing": [2.0, 3.0]}, {"spacing": (at, at * 2)}, {"spacing": (at, at), "edge_order": 2},
        {"spacing": (at,), "dim": -1},
    ):  # fmt: skip
        out = torch.gradient(x, **options)
        show([o.detach() for o in out], out[0].requires_grad)
        show(torch.autograd.grad((out[0] ** 2).sum(), x))
    show.error(lambda: torch.gradient(x, spacing=(at,)))
    show.error(lambda: torch.gradient(x, edge_order=3), "only supports edge_order=1 and edge_ord")
    show.error(lambda: torch.gradient(x[:1]), "to be at least edge_order+1")
    show.error(lambda: torch.gradient(x, dim=(0, 0)))


def case_allocation(torch, show):
    x = torch.empty_strided((2, 3), (1, 2), dtype=torch.float64, requires_grad=True)
    show(x.stride(), x.shape, x.dtype, x.requires_grad, x.is_leaf, x._is_view())
    y = torch.ones(1, dtype=torch.float16).new_empty_strided((2, 2), (1, 2))
    show(y.dtype, y.stride(), y.fill_(2))
    show(torch.empty_permuted((2, 3, 4), (0, 2, 1)).stride(), torch.empty_strided((), ()).shape)
    show.error(lambda: torch.empty_strided((2,), (1, 1)), "must match dimensionality of strides")
    show(
        torch.is_same_size(x, x.t()), x.dim_order(), torch.as_strided_(torch.arange(4), (2,), (2,))
    )
    show(torch.conj_physical_(torch.tensor([1j])), torch.resize_as_(torch.arange(3), x[0]))


def case_conditions(torch, show):
    show.error(lambda: torch._assert(False, "why"), "why")
    for check in "_check _check_index _check_value _check_type _check_not_implemented".split():
        getattr(torch, check)(True)
        show.error(lambda check=check: getattr(torch, check)(False, lambda: "why"), "why")
    show.error(lambda: torch._check(1), "cond must be a bool")
    show.error(lambda: torch._check(False, "why"), "message must be a callable")
    show.error(lambda: torch._check_tensor_all(torch.tensor([True, False]), lambda: "a"), "a")
    show(torch.sym_int(2.5), torch.sym_float(2), torch.sym_not(True), torch.sym_max(1, 2))
    show(torch.sym_min(1, 2.0), torch.sym_ite(True, 1, 2), torch.sym_sum([1, 2]))


def case_lists_of_tensors(torch, show):
    xs = [torch.tensor([1.0, 4.0], requires_grad=True), torch.tensor([9.0], requires_grad=True)]
    ys = [x.detach() * 2 for x in xs]
    for made in (
        torch._foreach_add(xs, 1), torch._foreach_add(xs, ys, alpha=2), torch._foreach_mul(xs, ys),
        torch._foreach_sub(xs, [1.0, 2.0]), torch._foreach_sqrt(xs), torch._foreach_pow(xs, 2),
        torch._foreach_addcmul(xs, ys, ys, 0.5), torch._foreach_addcdiv(xs, ys, ys, [1.0, 2.0]),
        torch._foreach_lerp(xs, ys, 0.5), torch._foreach_maximum(xs, 5.0), torch._foreach_norm(xs),
        torch._foreach_clamp_min(xs, ys),
    ):  # fmt: skip
        show([x.detach() for x in made])
        show(torch.autograd.grad(sum(x.sum() for x in made), xs))
    show(torch._foreach_mul_(ys, 2), ys, torch._foreach_zero_(ys), ys)
    torch._foreach_copy_(ys, [x.detach() for x in xs])
    torch._foreach_maximum_(ys, [y * 0 + 5 for y in ys])
    show(ys)
    show.error(lambda: torch._foreach_add(xs, ys[:1]), "same number of tensors")
    show.error(lambda: torch._foreach_neg([]), "must have at least one tensor")


def case_lists_by_other_names(torch, show):
    xs = [torch.tensor([1.0, 2.0]), torch.tensor([3.0])]
    show(torch._foreach_pow(2.0, xs), torch._foreach_norm(xs, ord=1))
    show(torch._foreach_sub(xs, scalar=1.0), torch._foreach_sub(xs, other=xs))
    show(type(torch._foreach_add_(xs, 1)).__name__, type(torch._foreach_add(xs, 1)).__name__)


def case_what_is_out_of_range(torch, show):
    x = torch.arange(6.0).view(2, 3)
    show.error(lambda: torch.gradient(x, dim=5), "Dimension out of range")
    show.error(lambda: torch.empty_strided((-2, 3), (1, 2)), "negative dimension")
    show(torch.empty_strided((0, 3), (3, 1)).shape)
    show(torch.kl_div(torch.zeros(2), torch.ones(2), -1))
    show(torch.kl_div(torch.zeros(2), torch.ones(2), 3))
    for given in (x.long(), x.to(torch.complex64)):
        show.error(lambda given=given: torch.cdist(given, given), "floating-point dtypes")
    show.error(lambda: torch.pdist(x.long()), "floating-point dtypes")
    show.error(lambda: torch.cdist(x, x, float("nan")), "non-negative p values")
    show.error(lambda: torch.cdist(x.double(), x), "expected scalar type")


def case_methods(torch, show):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    show(reversed(x), reversed(x[0]), x.__rdiv__(2), x.__array_priority__)
    show(x.new([1, 2]), x.new(2, 3).shape)
    show((x > 1)._is_all_true(), (x > 1)._is_any_true(), torch.ones(2).polygamma_(1))
    y = torch.ones(2)
    show(y.map2_(torch.ones(2), torch.zeros(2), lambda a, b, c: a + b + c))
    show.error(lambda: x.map2_(y, y, lambda a, b, c: a), "Can't call map2_() on Variable that req")
    for gone in (torch.solve, torch.matrix_rank):
        show.error(
            lambda gone=gone: gone(y, y), "was deprecated since version 1.9 and is now removed"
        )
    show.error(lambda: x.reinforce(1), "reinforce() was removed")
    show(torch._shape_as_tensor(y), torch._dim_arange(y, 0))


def case_resize(torch, show):
    x, y = torch.rand(1), torch.randn(3)
    versions = []
    for change in (
        lambda: x.resize_((1, 2)), lambda: x.resize_as_(y), lambda: x.resize_((3,)),
        lambda: x.resize_as_(y), lambda: x.resize_(2), lambda: x.resize_(2),
    ):  # fmt: skip
        change()
        versions.append(x._version)
    show(versions, x.shape)
    show.error(lambda: torch.ones(3).resize_(-1))
    a = torch.ones(2, requires_grad=True)
    show.error(lambda: a.resize_(2), "cannot resize variables that require grad")
    show.error(lambda: (a * 2).resize_as_(y), "cannot resize variables that require grad")
    b = show.warning(lambda: a.resize(2, 1), "non-inplace resize is deprecated")
    show(b, torch.autograd.grad(b.sum(), a), a.resize_as(torch.ones(1, 2)))
    show.error(lambda: a.resize(3), "autograd's resize can only change the shape")
    w, v = torch.ones(2, requires_grad=True), torch.ones(2)
    z = w * v
    v.resize_(2)
    z.sum().backward()
    show(w.grad)

"""Householder products, distances by matrix products, fractional pooling, clustered softmax."""


def matrix(torch):
    rows = [[1.0, 0.5, 0.2], [0.3, 2.0, 0.1], [0.7, 0.4, 3.0], [0.2, 0.9, 0.6]]
    return torch.tensor(rows, dtype=torch.float64)


def case_householder(torch, show):
    tau, other = torch.tensor([0.5, 0.3, 0.2]).double(), torch.arange(8.0).double().view(4, 2)
    for f in (
        torch.linalg.householder_product, torch.orgqr, lambda a, t: a.orgqr(t),
        lambda a, t: torch.ormqr(a, t, other), lambda a, t: a.ormqr(t, other, transpose=True),
        lambda a, t: torch.ormqr(a, t, other.t(), left=False),
        lambda a, t: torch.ormqr(a, t, other.t(), False, True),
    ):  # fmt: skip
        a, t = matrix(torch).requires_grad_(), tau.clone().requires_grad_()
        y = f(a, t)
        show(y, torch.autograd.grad(y.sin().sum(), (a, t)))
    a = matrix(torch).requires_grad_()
    factors = torch.geqrf(a)
    show(factors, type(factors).__name__)
    show.error(factors.tau.sum().backward, "the derivative for 'geqrf' is not implemented.")
    start = "torch.linalg.householder_product: "
    product = torch.linalg.householder_product
    show.error(lambda: product(matrix(torch).t(), tau), f"{start}input.shape[-2] must be greater")
    show.error(lambda: product(matrix(torch)[:, :2], tau), f"{start}input.shape[-1] must be")
    show.error(lambda: product(matrix(torch), tau.float()), f"{start}tau dtype")
    show.error(lambda: torch.geqrf(tau), "torch.geqrf: input must have at least 2 dimensions.")


def case_distances(torch, show):
    y = torch.arange(12.0).double().cos().view(4, 3)
    for lead in ((), (2,)):
        for mode in ("use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist"):
            x = torch.arange(2 * 90.0).double().sin().view(2, 30, 3)
            x = (x if lead else x[0]).requires_grad_()
            d = torch.cdist(x, y, compute_mode=mode)
            show(d, d.grad_fn.next_functions[0][0])
            (g,) = torch.autograd.grad(d.sin().sum(), x, create_graph=True)
            show(g.detach(), torch.autograd.grad((g * g).sum(), x))
    x = torch.arange(90.0).double().sin().view(30, 3).requires_grad_()
    d = torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")
    show(d)
    for distance in (d, torch.nn.functional.pdist(x[:4])):
        (g,) = torch.autograd.grad(distance.sum(), x, create_graph=True)
        show.error(lambda g=g: g.sum().backward(), "backward' is not implemented.")
    show.error(lambda: torch.cdist(y, y, compute_mode="x"), "is not a valid value for compute_mode")


def case_fractional_pooling(torch, show):
    functions = torch.nn.functional
    plane = torch.arange(98.0).sin().view(1, 2, 7, 7)
    solid = torch.arange(343.0).sin().view(1, 1, 7, 7, 7)
    torch.manual_seed(0)
    for call in (
        lambda x: functions.fractional_max_pool2d(x, 2, output_size=3, return_indices=True),
        lambda x: functions.fractional_max_pool2d(x, (2, 3), None, (0.5, 0.4), True),
        lambda x: functions.fractional_max_pool2d_with_indices(x[0], 3, 1),
        torch.nn.FractionalMaxPool2d(3, output_ratio=0.5, return_indices=True),
    ):
        x = plane.clone().requires_grad_()
        y, places = call(x)
        (g,) = torch.autograd.grad((y * y).sum(), x, create_graph=True)
        show(y, places, g, torch.autograd.grad((g * g).sum(), x))
    for call in (
        lambda x: functions.fractional_max_pool3d(x, (1, 2, 3), output_size=(2, 3, 2)),
        torch.nn.FractionalMaxPool3d(2, output_ratio=(0.5, 0.4, 0.3)),
    ):
        x = solid.clone().requires_grad_()
        show(call(x), torch.autograd.grad(call(x).sum(), x))
    plane[0, 0, 3, 3] = plane[0, 0, 4, 4] = float("nan")
    show(functions.fractional_max_pool2d(plane, 4, 2, return_indices=True), torch.rand(1))
    for call, phrase in (
        (lambda: functions.fractional_max_pool2d(plane, 2), "requires specifying either an"),
        (lambda: functions.fractional_max_pool2d(plane, 7, 2), "pool height 7 too large relative"),
        (lambda: functions.fractional_max_pool3d(solid, 7, 1), "pool time 7 too large relative"),
        (lambda: torch.nn.FractionalMaxPool2d(2), "requires specifying either an output size, or"),
        (lambda: torch.nn.FractionalMaxPool2d(2, 1, 0.5), "only one of output_size and"),
        (lambda: torch.nn.FractionalMaxPool2d(2, output_ratio=2.0), "must be between 0 and 1"),
    ):
        show.error(call, phrase)


def case_clustered_softmax(torch, show):
    torch.manual_seed(0)
    layer = torch.nn.AdaptiveLogSoftmaxWithLoss(8, 12, [3, 7], div_value=2.0, head_bias=True)
    x = torch.randn(5, 8, requires_grad=True)
    output, loss = layer(x, torch.tensor([0, 3, 11, 7, 2]))
    loss.backward()
    show(output, loss, x.grad, [p.grad for p in layer.parameters()], list(layer.state_dict()))
    show(layer.log_prob(x), layer.predict(x), layer.log_prob(x).exp().sum(1), repr(layer))
    show(layer(x[0], torch.tensor(4)), layer(x[:1], torch.tensor([1])).output.shape)
    for call, phrase in (
        (lambda: layer(x, torch.tensor([12] * 5)), "Target values should be in [0, 11]"),
        (lambda: layer(x, torch.tensor([1])), "should have the same size in the batch dimension"),
        (lambda: layer(x, torch.ones(1, 1)), "multi-target not supported"),
        (lambda: layer(x, torch.tensor(1)), "0D target tensor expects 1D input tensors"),
        (lambda: torch.nn.AdaptiveLogSoftmaxWithLoss(8, 12, []), "length larger than 0"),
        (lambda: torch.nn.AdaptiveLogSoftmaxWithLoss(8, 12, [3, 3]), "unique, positive integers"),
        (lambda: torch.nn.AdaptiveLogSoftmaxWithLoss(8, 12, [12]), "between 1 and n_classes-1"),
    ):
        show.error(call, phrase)

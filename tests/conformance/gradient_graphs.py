"""Graphs of gradients as text: layers, decompositions and products of matrices."""

from tests.conformance.graph_texts import graph, texts


def numbers(torch, *shape, seed=0):
    """A leaf whose elements are all different."""
    count = 1
    for n in shape:
        count *= n
    flat = torch.arange(1.0, count + 1, dtype=torch.float64)
    return ((flat + seed) * 0.7).sin().reshape(shape).clone().requires_grad_()


def unused(torch, show, function, inputs):
    """For the gradient of each input, which inputs it does not depend on at all."""
    out = function()
    one = torch.ones_like(out).requires_grad_()
    for grad in torch.autograd.grad(out, inputs, one, create_graph=True):
        again = torch.autograd.grad(
            grad, inputs, torch.ones_like(grad), retain_graph=True, allow_unused=True
        )
        show(again)


def case_convolutions(torch, show):
    functional = torch.nn.functional
    x, w, b = numbers(torch, 1, 2, 4, 4), numbers(torch, 2, 1, 2, 2), numbers(torch, 2)
    functions = (
        lambda: functional.conv2d(x, w, b, groups=2), lambda: functional.conv2d(x[0], w, groups=2),
        lambda: functional.conv2d(x, w, b, 2, 1, groups=2),
        lambda: functional.conv_transpose2d(x, w, b, groups=2),
        lambda: functional.conv2d(x.detach(), w, b, groups=2),
        lambda: functional.conv2d(x, w.detach(), groups=2),
    )  # fmt: skip
    texts(torch, show, functions, [x, w, b], 2)
    unused(torch, show, functions[0], [x, w, b])
    unused(torch, show, functions[1], [x, w])


def case_normalization(torch, show):
    functional = torch.nn.functional
    x, w, b = numbers(torch, 2, 4, 3), numbers(torch, 4), numbers(torch, 4)
    last, mean, var = numbers(torch, 3), torch.zeros(4).double(), torch.ones(4).double()
    functions = (
        lambda: functional.layer_norm(x, (3,), last, last),
        lambda: functional.layer_norm(x, (4, 3)), lambda: functional.layer_norm(x, (3,), last),
        lambda: functional.batch_norm(x, None, None, w, b, True),
        lambda: functional.batch_norm(x, mean, var, w, b), lambda: functional.group_norm(x, 2),
        lambda: functional.group_norm(x, 2, w, b), lambda: functional.instance_norm(x, None, None),
        lambda: functional.instance_norm(x, None, None, w, b),
    )  # fmt: skip
    texts(torch, show, functions, [x, w, b, last], 2)
    unused(torch, show, functions[4], [x, w, b])
    unused(torch, show, functions[3], [x, w, b])


def case_layers(torch, show):
    functional = torch.nn.functional
    x, m, k = numbers(torch, 2, 3), numbers(torch, 4, 3), numbers(torch, 2, 3, 3)
    rows = torch.tensor([0, 2, 1])
    functions = (
        lambda: functional.linear(x, m), lambda: functional.linear(x, m, m[:, 0]),
        lambda: functional.linear(x.detach(), m), lambda: functional.linear(x[None], m),
        lambda: functional.prelu(x, m[:1, 0]), lambda: functional.prelu(x, m[0]),
        lambda: functional.mish(x), lambda: functional.bilinear(x, x, k),
        lambda: functional.embedding_bag(rows[None], m, mode="sum"),
        lambda: functional.hardsigmoid(x),
        lambda: functional.grid_sample(k[None], k[:1, :, :2, None].transpose(2, 3),
                                       align_corners=True),
    )  # fmt: skip
    texts(torch, show, functions, [x, m, k], 2)
    (grad,) = torch.autograd.grad(functional.hardsigmoid(x).sum(), x, create_graph=True)
    show.error(lambda: grad.sum().backward(), "derivative for aten::hardsigmoid_backward")


def case_losses(torch, show):
    functional = torch.nn.functional
    x, y = numbers(torch, 2, 3), numbers(torch, 2, 3, seed=5)
    functions = (
        lambda: functional.kl_div(x, y.exp(), reduction="sum"),
        lambda: functional.kl_div(x, y, reduction="batchmean", log_target=True),
        lambda: functional.poisson_nll_loss(x, y.exp()),
        lambda: functional.poisson_nll_loss(x.exp(), y.exp() + 1, False, True),
        lambda: torch.xlogy(x, y.exp()), lambda: torch.special.xlog1py(x, y.exp()),
        lambda: functional.multi_margin_loss(x, torch.tensor([0, 1])),
    )  # fmt: skip
    texts(torch, show, functions, [x, y], 2)


def case_products(torch, show):
    a, b = numbers(torch, 2, 3), numbers(torch, 3, 2, seed=3)
    functions = (
        lambda: a @ b, lambda: a @ a.t(), lambda: a.t() @ a, lambda: a.detach() @ b,
        lambda: a @ b.detach(), lambda: torch.addmm(a[:, :2], a, b, alpha=2),
        lambda: a.detach() @ b.t().t(), lambda: a.detach() @ a.t(), lambda: b.t() @ b.detach(),
    )  # fmt: skip
    texts(torch, show, functions, [a, b], 2)
    for function in functions[:5]:
        node = function().grad_fn
        show(node._saved_self_sym_strides, node._saved_mat2_sym_strides)


def case_linear_algebra(torch, show):
    linalg = torch.linalg
    square = (numbers(torch, 3, 3) + 3 * torch.eye(3).double()).detach().requires_grad_()
    both, column = numbers(torch, 3, 2, seed=2), numbers(torch, 3, seed=4)
    lower = lambda: square.tril()  # noqa: E731
    functions = (
        lambda: linalg.inv(square), lambda: linalg.solve(square, both),
        lambda: linalg.solve(square, column), lambda: linalg.det(square),
        lambda: linalg.solve(square, both.mT, left=False), lambda: linalg.slogdet(square)[1],
        lambda: torch.logdet(square), lambda: linalg.pinv(both), lambda: linalg.svdvals(both),
        lambda: linalg.solve_triangular(lower(), both, upper=False),
        lambda: torch.cholesky_solve(both, lower()), lambda: linalg.matrix_norm(both, "nuc"),
    )  # fmt: skip
    texts(torch, show, functions, [square, both, column], 2)
    for function in functions[:2]:
        unused(torch, show, function, [square])


def case_factors(torch, show):
    """Of signs that are chosen only the graphs are compared, or what does not depend on them."""
    linalg = torch.linalg
    tall, wide = numbers(torch, 3, 2), numbers(torch, 2, 3)
    for m in (tall, wide, wide[:, :2]):
        outs = [
            [linalg.svd(m, full_matrices=False)[0]], list(linalg.svd(m, full_matrices=True)),
            list(linalg.qr(m)), [linalg.qr(m)[0]], [linalg.qr(m)[1]], list(linalg.lu(m)[1:]),
            [linalg.lu(m)[1]], [linalg.lu(m)[2]], [linalg.lu_factor(m)[0]],
            list(torch.lu_unpack(*linalg.lu_factor(m))[1:]), list(linalg.eigh(m.mT @ m)),
            [linalg.eigvalsh(m.mT @ m)], [linalg.eigh(m.mT @ m)[1]],
        ]  # fmt: skip
        for results in outs:
            ones = [torch.ones_like(o).requires_grad_() for o in results]
            seen = {}
            show([f"{graph(o.grad_fn, seen)}@{o.output_nr}" for o in results])
            inputs = [tall if m is tall else wide]
            (grad,) = torch.autograd.grad(results, inputs, ones, create_graph=True)
            show(graph(grad.grad_fn, {}))
        for function in (
            lambda m=m: linalg.lu(m)[1], lambda m=m: linalg.lu(m)[2],
            lambda m=m: linalg.qr(m)[0].square(), lambda m=m: linalg.svd(m)[0].square(),
            lambda m=m: linalg.lu_factor(m)[0], lambda m=m: linalg.eigh(m.mT @ m)[1].square(),
        ):  # fmt: skip
            out = function()
            if 3 in out.shape[-2:] and out.shape[-1] == out.shape[-2] and m is not wide:
                continue
            (grad,) = torch.autograd.grad(out.sin().sum(), inputs, create_graph=True)
            show(grad.detach(), torch.autograd.grad(grad.cos().sum(), inputs))


def case_views_of_views(torch, show):
    x = numbers(torch, 2, 3)
    functions = (
        lambda: x[:, None].expand(2, 4, 3)[:, 0].reshape(3, 2),
        lambda: x.t().reshape(6), lambda: x[:, :2].reshape(2, 2, 1),
        lambda: x.mT[None].reshape(3, 2), lambda: torch.stack([x, x], 1), lambda: x.trace(),
        lambda: x.amax(1), lambda: x.sinc(), lambda: torch.atan2(x, x + 1),
    )  # fmt: skip
    texts(torch, show, functions, [x], 2)

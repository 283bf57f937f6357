"""Which outputs have a history, and inputs that get no gradient although they were used."""


def case_outputs_without_history(torch, show):
    x, w = torch.tensor([[1.0, 2, 4, 8], [3, 1, 0, 2]], requires_grad=True), torch.ones(4)
    y = torch.tensor([1.0, 2.0], requires_grad=True)
    aten, classes = torch.ops.aten, torch.tensor([0, 1])
    for outs in (
        torch.native_layer_norm(x, [4], w, w, 1e-5),
        torch.native_group_norm(x, w, w, 2, 4, 1, 2, 1e-5),
        aten.nll_loss_forward(x, classes, None, 1, -100),
        aten.nll_loss2d_forward(x.view(1, 2, 2, 2), torch.zeros(1, 2, 2).long(), None, 1, -100),
        aten.log_sigmoid_forward(y),
        torch.linalg.lstsq(x.t(), torch.ones(4, 1), driver="gelsd"),
    ):
        show([(out.requires_grad, out.is_leaf) for out in outs])
    show(len(torch.native_layer_norm(x, [4], w, w, 1e-5)[0].grad_fn._input_metadata))
    mean = torch.native_layer_norm(x, [4], w, w, 1e-5)[1]
    show.error(lambda: mean.sum().backward(), "does not require grad")


def case_residuals_of_least_squares(torch, show):
    A = torch.tensor([[1.0, 2], [3, 5], [4, 9]], dtype=torch.float64, requires_grad=True)
    B = torch.tensor([[1.0, 0], [2, 4], [5, 7]], dtype=torch.float64, requires_grad=True)
    for driver in (None, "gelsy", "gels", "gelsd", "gelss"):
        found = torch.linalg.lstsq(A, B, driver=driver)
        show(found.residuals.shape, found.solution)
        if found.residuals.numel():
            show(found.residuals)
            scale = torch.tensor([1.0, 3.0], dtype=torch.float64)
            show(torch.autograd.grad(found.residuals, (A, B), scale, retain_graph=True))
            both = (found.residuals * scale).sum() + found.solution.sum()
            show(torch.autograd.grad(both, (A, B)))


def case_norms_of_order_zero(torch, show):
    for norm in (
        lambda x: x.norm(0),
        lambda x: torch.norm(x, p=0, dim=0),
        lambda x: torch.linalg.vector_norm(x, 0),
        lambda x: torch.dist(x, torch.ones(2), 0),
    ):
        x, seen = torch.tensor([0.0, 2.0], requires_grad=True), []
        y = x * 2
        y.register_hook(seen.append)
        norm(y).backward(retain_graph=True)
        show(norm(y).requires_grad, x.grad, seen)
        for create_graph in (False, True):
            show.error(
                lambda norm=norm, y=y, c=create_graph: torch.autograd.grad(
                    norm(y), y, retain_graph=True, create_graph=c
                ),
                "appears to not have been used in the graph",
            )
            show(torch.autograd.grad(norm(y), y, retain_graph=True, allow_unused=True))
        show(torch.autograd.grad(norm(y) + y.sum(), x, retain_graph=True))


def case_correction_that_was_left_out(torch, show):
    x = torch.ones(2, 4, requires_grad=True)
    for outs in (x.std(), x.std(0), x.std(0, unbiased=False), x.var(0, keepdim=True), x.var(False)):
        show(outs.grad_fn._saved_correction)
    show(torch.std_mean(x, 0)[0].grad_fn._saved_correction)


def case_index_reduce(torch, show):
    x = torch.tensor([[1.0, 2], [3, 4], [0, 6]], requires_grad=True)
    source = torch.tensor([[2.0, 5], [3, 3], [0, 6]], requires_grad=True)
    for reduce in ("prod", "mean", "amax", "amin"):
        for include_self in (True, False):
            index = torch.tensor([0, 0, 2])
            found = x.index_reduce(0, index, source, reduce, include_self=include_self)
            show(found, torch.autograd.grad(found.sum(), (x, source)))
    index = torch.tensor([[0, 1]])
    show.error(lambda: x.index_reduce(0, index, source, "prod"), "supposed to be a vector")


def case_values_that_fill(torch, show):
    for index in (..., slice(None), (), 0, (..., 0)):
        for value in (1.0, 2, torch.tensor(3.0), torch.ones(2) if index in (..., ()) else 1):
            y = torch.ones(3, 2, requires_grad=True) * 2
            y[index] = value
            show(y, [node and node.name() for node, _ in y.grad_fn.next_functions], y._version)

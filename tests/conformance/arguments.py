"""What `backward`, `grad` and recorded ops refuse, and what they let pass."""


def leaf(torch, *values):
    return torch.tensor(list(values or (1.0, 2.0)), requires_grad=True)


def case_numbers_of_gradients(torch, show):
    x, one = leaf(torch), torch.ones(())
    y, grad = x + 1, torch.autograd.grad
    show(grad(y.sum(), x, grad_outputs=(None, None)), grad(y.sum(), x, grad_outputs=[one, one]))
    show.error(lambda: torch.autograd.backward([y, x], [torch.ones(2)]), "got 2 tensors and 1")
    show.error(lambda: y.backward([1, 2]), "gradients can be either Tensors or None, but got int")
    show.error(lambda: y.backward(2.0))
    show.error(
        lambda: torch.autograd.backward([y.sum(), 3]), "Expected output to be a torch.Tensor"
    )
    show.error(lambda: torch.autograd.backward(3))
    show.error(lambda: torch.autograd.backward(()), "")
    show.error(lambda: grad((), (x,)), "not have been used in the graph")
    show.error(lambda: grad(y, ()), "")
    show(x.grad)


def case_materialized(torch, show):
    x, z = leaf(torch), leaf(torch)
    (g,) = torch.autograd.grad(x.sum(), z, materialize_grads=True, create_graph=True)
    show(g, g.is_leaf)
    (g,) = torch.autograd.grad(x.sum(), z, materialize_grads=True)
    show(g)
    g = torch.autograd.grad(
        x * 2, [x, z], torch.ones(3, 2), is_grads_batched=True, materialize_grads=True
    )
    show(g)


def case_batched_without_batch(torch, show):
    x, grad = leaf(torch), torch.autograd.grad
    show.error(lambda: grad(x.sum(), x, torch.ones(()), is_grads_batched=True), "0-dim tensor")
    show.error(lambda: grad(x.sum(), x, is_grads_batched=True), "Tensor of dimensionality 0")
    show.error(
        lambda: grad(x * 2, x, torch.ones(2), is_grads_batched=True), "mismatch was detected"
    )


def case_no_formula(torch, show):
    functions = torch.nn.functional
    x, ones = leaf(torch, 0.25, 0.5, 0.75), torch.ones(3)
    rows, labels = torch.ones(1, 3).log_softmax(1), torch.tensor([0])
    plain = x.detach()
    for call, phrase in (
        (lambda: functions.nll_loss(rows, labels, weight=x), "nll_loss_forward"),
        (lambda: functions.cross_entropy(rows, labels, weight=x), "nll_loss_forward"),
        (lambda: functions.binary_cross_entropy(plain, ones, weight=x), "'weight'"),
        (lambda: functions.binary_cross_entropy_with_logits(plain, ones, weight=x), "'weight'"),
        (
            lambda: functions.binary_cross_entropy_with_logits(plain, ones, pos_weight=x),
            "'pos_weight'",
        ),
        (lambda: functions.multi_margin_loss(rows, labels, weight=x), "'weight'"),
        (lambda: functions.soft_margin_loss(plain, x), "'target'"),
    ):
        show.error(call, phrase)
        show.error(call, "is not differentiable with respect to argument")
        with torch.no_grad():
            show(call())
    show(functions.binary_cross_entropy(plain, x).requires_grad)


def case_requires_grad_in_place(torch, show):
    x = torch.ones(2)
    show.error(lambda: x.requires_grad_(1), "must be bool, not int")
    show.error(lambda: setattr(x, "requires_grad", 1), "requires_grad must be a bool")
    show(x.requires_grad_(), x.requires_grad_(False))


def case_deleting(torch, show):
    x = leaf(torch)
    x.sum().backward()
    del x.grad
    show(x.grad)
    for name in ("data", "requires_grad", "_backward_hooks", "is_leaf", "grad_fn", "shape"):
        show.error(lambda name=name: delattr(x, name))
    show.error(lambda: delattr(x, "data"), "Deleting tensor data is not allowed")
    show(show.warning(lambda: x.volatile, "volatile was removed"))
    show.warning(lambda: setattr(x, "volatile", True), "now has no effect")


def case_public_names(torch, show):
    graph = torch.autograd.graph
    show([name for name in torch.autograd.__all__ if not hasattr(torch.autograd, name)])
    show(sorted(torch.autograd.__all__))
    show([name for name in graph.__all__ if not hasattr(graph, name)])
    show(graph.set_warn_on_accumulate_grad_stream_mismatch(True))
    show.error(lambda: graph.increment_version(3), "increment_version expect a Iterable")
    show.error(lambda: graph.increment_version([torch.ones(1), 3]), "to be a tensor")
    x = torch.ones(1)
    graph.increment_version([x, x])
    show(x._version)


def case_write_through_conjugate(torch, show):
    z = torch.tensor([1 + 2j, 3 - 1j], requires_grad=True)
    w = z.clone()
    w.conj().mul_(1j)
    show(w, torch.autograd.grad(w.abs().pow(2).sum(), z))
    w = z.clone()
    w.conj()[:1].mul_(2)
    show(w, w.conj().stride(), w.conj().is_contiguous())
    show(torch.autograd.grad((w * w.conj()).real.sum(), z))

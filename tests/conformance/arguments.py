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


def case_softmax_in_another_dtype(torch, show):
    x = leaf(torch)
    for dtype in (torch.float64, torch.float32, torch.float16):
        for function in (torch.softmax, torch.log_softmax, torch.nn.functional.softmin):
            y = function(x, 0, dtype=dtype)
            show(str(y.dtype))
            show([node.name() for node, _ in y.grad_fn.next_functions])
            (grad,) = torch.autograd.grad(y.select(0, 1), x)
            show(str(grad.dtype), grad.double() if dtype is not torch.float16 else None)


def case_inputs_of_a_dict(torch, show):
    import collections

    x, y = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    grad = torch.autograd.grad
    found = grad((x * y * 2).sum(), {"a": x, "b": y})
    show(type(found).__name__, list(found), list(found.values()))
    show(list(grad(x.sum(), {"a": x, "b": y}, allow_unused=True).values()))
    show(list(grad(x.sum(), {"a": x, "b": y}, materialize_grads=True).values()))
    show(grad(x * 3, {"a": x}, torch.ones(3, 2), is_grads_batched=True)["a"])
    (x * y).sum().backward(inputs={"a": x})
    show(x.grad, y.grad)
    show.error(lambda: grad(x.sum(), {}), "`inputs` argument to `grad()` cannot be empty")
    show.error(lambda: x.sum().backward(inputs={}), "argument to `backward()` cannot be empty")
    ordered = collections.OrderedDict(a=x)
    show.error(lambda: grad(x.sum(), ordered), "argument to `grad()` must be a dict, not")
    show.error(
        lambda: x.sum().backward(inputs=ordered), "argument to `backward()` must be a dict, not"
    )


def case_alpha(torch, show):
    whole, real = torch.tensor([1, 2]), torch.ones(2)
    for operation in (torch.add, torch.sub, torch.rsub):
        show(operation(whole, real, alpha=0.5), operation(real, whole, alpha=0.5))
        show.error(
            lambda f=operation: f(whole, 1, alpha=0.5),
            "For integral input tensors, argument alpha must not be a floating point number.",
        )
        show.error(
            lambda f=operation: f(whole, whole, alpha=True),
            "Boolean alpha only supported for Boolean results.",
        )


def case_unknown_type(torch, show):
    show.error(lambda: torch.ones(1).type("foo"), "invalid type: 'foo'")


def case_sizes_by_name(torch, show):
    x = torch.arange(6.0).view(2, 3)
    show(x.view(size=(3, 2)), x.reshape(shape=(3, 2)), x.view(dtype=torch.int32).shape)
    show.error(lambda: x.view(foo=1))


def case_no_dimension(torch, show):
    """None for the dimensions of a sum stands for all of them."""
    x = torch.arange(6.0).view(2, 3).requires_grad_()
    show(x.sum(dim=None), x.sum(None), torch.sum(x, dim=None, keepdim=True))
    show(x.mean(dim=None), x.mean(None, True), x.sum(None, dtype=torch.float64))
    x.sum(dim=None).backward()
    show(x.grad)
    show.error(lambda: x.prod(dim=None), "")

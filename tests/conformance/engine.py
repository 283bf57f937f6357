# ruff: noqa: E501 (phrases of error messages are searched for as they are)
"""`backward` and `grad`."""

import threading


def leaf(torch, *values):
    return torch.tensor(list(values or (1.0, 2.0, 3.0)), requires_grad=True)


def case_backward(torch, show):
    x = leaf(torch)
    (x * x).sum().backward()
    show(x.grad, x.grad.requires_grad, x.grad.grad_fn)
    (x * x).sum().backward()
    show(x.grad)
    x.grad = None
    (x * x).sum().backward()
    show(x.grad)


def case_accumulates_in_place(torch, show):
    x = leaf(torch)
    (x * x).sum().backward()
    g = x.grad
    (x * x).sum().backward()
    show(x.grad is g, g)
    (x * x).sum().backward(create_graph=True)
    show(x.grad is g, x.grad, g)


def case_gradient_argument_is_not_aliased(torch, show):
    x = leaf(torch)
    g = torch.ones(3)
    x.backward(g)
    show(x.grad is g, x.grad)
    g.add_(1)
    show(x.grad)
    y = x * 1
    y.backward(g)
    g.add_(1)
    show(x.grad)


def case_roots(torch, show):
    x = leaf(torch)
    show.error(lambda: (x * 2).backward(), "grad can be implicitly created only for scalar outputs")
    show.error(
        lambda: (x * 2).backward(torch.ones(2)),
        "Mismatch in shape: grad_output[0] has a shape of torch.Size([2]) and output[0] has a shape of torch.Size([3]).",
    )
    show.error(
        lambda: torch.ones(2).backward(),
        "element 0 of tensors does not require grad and does not have a grad_fn",
    )
    show.error(
        lambda: torch.autograd.backward([x.sum(), torch.ones(())]),
        "element 1 of tensors does not require grad and does not have a grad_fn",
    )
    show.error(
        lambda: torch.autograd.backward([x, x], [torch.ones(3)]), "got 2 tensors and 1 gradients"
    )
    show.error(lambda: x.sum().backward(3), "")
    show.error(
        lambda: torch.autograd.backward([x.sum()], [3]),
        "gradients can be either Tensors or None, but got int",
    )
    show.error(lambda: x.sum().backward(torch.ones(2)), "Mismatch in shape")
    (x * 2)[:1].backward()
    show(x.grad)
    x.grad = None
    (x * 2).view(3, 1)[1:2].backward()
    show(x.grad)


def case_gradient_dtype(torch, show):
    x = leaf(torch)
    (x * 2).backward(torch.ones(3, dtype=torch.float64))
    show(x.grad)
    (x * 2).backward(torch.ones(3, dtype=torch.long))
    show(x.grad)
    z = torch.tensor([1 + 1j], requires_grad=True)
    show.error(
        lambda: z.sum().backward(),
        "grad can be implicitly created only for real scalar outputs but got torch.complex64",
    )
    show.error(
        lambda: z.backward(torch.ones(1)),
        "For complex Tensors, both grad_output and output are required to have the same dtype",
    )
    show.error(
        lambda: x.backward(torch.ones(3, dtype=torch.complex64)),
        "For complex Tensors, both grad_output and output are required to have the same dtype",
    )


def case_several_roots(torch, show):
    x = leaf(torch)
    a, b = (x * 2).sum(), x * x
    torch.autograd.backward([a, b], [None, torch.ones(3)])
    show(x.grad)
    x.grad = None
    a, b = (x * 2).sum(), (x * x).sum()
    torch.autograd.backward((a, b))
    show(x.grad)
    torch.autograd.backward((a * 1).detach().requires_grad_())
    y = x * 3
    torch.autograd.backward([y.sum(), y.sum()])
    show(x.grad)


def case_root_twice(torch, show):
    x = leaf(torch)
    y = (x * x).sum()
    torch.autograd.backward([y, y])
    show(x.grad)


def case_root_inside_graph(torch, show):
    x = leaf(torch)
    y = x * x
    z = y.exp()
    torch.autograd.backward([z.sum(), y.sum()])
    show(x.grad)


def case_leaf_root(torch, show):
    x = leaf(torch)
    x.sum().backward()
    x.backward(torch.tensor([1.0, 2.0, 3.0]))
    show(x.grad)
    s = torch.tensor(2.0, requires_grad=True)
    s.backward()
    show(s.grad)


def case_grad_variables(torch, show):
    x = leaf(torch)
    show.warning(
        lambda: torch.autograd.backward([x * 2], grad_variables=[torch.ones(3)]), "is deprecated"
    )
    show(x.grad)


def case_second_time(torch, show):
    again = "Trying to backward through the graph a second time"
    x = leaf(torch)
    y = (x * x).sum()
    y.backward()
    show.error(y.backward, again)
    y = (x + x).sum()
    y.backward()
    y.backward()
    y = (x * 2).sum()
    y.backward()
    show.error(y.backward, again)
    y = x.exp().sum()
    y.backward(retain_graph=True)
    y.backward()
    show.error(y.backward, again)
    show(x.grad)


def case_second_time_shared(torch, show):
    x = leaf(torch)
    y = x * x
    a, b = y.sum(), (y * 2).sum()
    a.backward()
    show.error(b.backward, "Trying to backward through the graph a second time")


def case_free_only_what_ran(torch, show):
    x, w = leaf(torch), leaf(torch)
    a, b = x * x, w * w
    y = (a + b).sum()
    show(torch.autograd.grad(y, x))
    show(torch.autograd.grad(b.sum(), w))


def case_grad_function(torch, show):
    x, w = leaf(torch), leaf(torch)
    y = (x * w).sum()
    show(torch.autograd.grad(y, [x, w], retain_graph=True))
    show(torch.autograd.grad(y, x, retain_graph=True))
    show(torch.autograd.grad([y], (w,), retain_graph=True))
    show(torch.autograd.grad([y, y], x, [torch.tensor(2.0), None], retain_graph=True))
    show(torch.autograd.grad(y, [x, x]))
    show(x.grad)


def case_grad_errors(torch, show):
    x, w = leaf(torch), leaf(torch)
    y = (x * 2).sum()
    unused = "appears to not have been used in the graph. Set allow_unused=True if this is the desired behavior."
    show.error(
        lambda: torch.autograd.grad(y, [x, w], retain_graph=True),
        "The differentiated Tensor at index 1 appears",
    )
    show.error(lambda: torch.autograd.grad(y, w, retain_graph=True), unused)
    show(torch.autograd.grad(y, [x, w], allow_unused=True, retain_graph=True))
    show(torch.autograd.grad(y, [x, w], materialize_grads=True, retain_graph=True))
    show.error(
        lambda: torch.autograd.grad(y, x, allow_unused=False, materialize_grads=True),
        "Expected allow_unused to be True or not passed when materialize_grads=True",
    )
    show.error(
        lambda: torch.autograd.grad(y, torch.ones(2)),
        "One of the differentiated Tensors does not require grad",
    )
    show.error(
        lambda: torch.autograd.grad(torch.ones(()), x),
        "element 0 of tensors does not require grad and does not have a grad_fn",
    )
    show.error(lambda: torch.autograd.grad(y, []), "`inputs` argument to `grad()` cannot be empty.")
    show.error(
        lambda: torch.autograd.grad(x * 2, x),
        "grad can be implicitly created only for scalar outputs",
    )
    show.error(lambda: torch.autograd.grad(y, x, torch.ones(2)), "Mismatch in shape")
    show.error(
        lambda: torch.autograd.grad(y, "x"),
        "all inputs have to be Tensors or GradientEdges, but got str",
    )
    show.warning(
        lambda: torch.autograd.grad(y, x, only_inputs=False), "only_inputs argument is deprecated"
    )


def case_grad_of_intermediate(torch, show):
    x = leaf(torch)
    y = x * 2
    z = y.exp()
    show(torch.autograd.grad(z.sum(), [y, x, z], retain_graph=True))
    show(torch.autograd.grad(z.sum(), z, retain_graph=True))
    show(torch.autograd.grad(z, z, torch.ones(3)))


def case_grad_of_unused_output(torch, show):
    x = leaf(torch)
    a, b = (x * 2).chunk(2)
    show(torch.autograd.grad(a.sum(), [b, x], allow_unused=True))


def case_inputs_argument(torch, show):
    x, w = leaf(torch), leaf(torch)
    y = (x * w).sum()
    y.backward(inputs=[x], retain_graph=True)
    show(x.grad, w.grad)
    y.backward(inputs=w, retain_graph=True)
    show(x.grad, w.grad)
    show.error(lambda: y.backward(inputs=[]), "`inputs` argument to `backward()` cannot be empty.")
    show.error(lambda: y.backward(inputs=[torch.ones(2)]), "")
    other = leaf(torch)
    y.backward(inputs=[other, x])
    show(other.grad, x.grad)


def case_inputs_non_leaf(torch, show):
    x = leaf(torch)
    y = x * 2
    z = (y * y).sum()
    z.backward(inputs=[y], retain_graph=True)
    show(y.grad, x.grad, y.retains_grad)
    z.backward(inputs=[y, x])
    show(y.grad, x.grad)


def case_create_graph(torch, show):
    x = leaf(torch)
    y = (x**3).sum()
    (g,) = torch.autograd.grad(y, x, create_graph=True)
    show(g)
    (h,) = torch.autograd.grad(g.sum(), x, create_graph=True)
    show(h)
    (k,) = torch.autograd.grad(h.sum(), x)
    show(k)
    show.warning(
        lambda: (x**3).sum().backward(create_graph=True),
        "Using backward() with create_graph=True will create a reference cycle",
    )
    show(x.grad)
    x.grad.sum().backward()
    show(x.grad)


def case_create_graph_keeps(torch, show):
    x = leaf(torch)
    y = (x**3).sum()
    torch.autograd.grad(y, x, create_graph=True)
    show(torch.autograd.grad(y, x))
    show.error(lambda: torch.autograd.grad(y, x), "second time")
    y = (x**3).sum()
    (g,) = torch.autograd.grad(y, x, create_graph=True, retain_graph=False)
    show(g)
    show.error(lambda: torch.autograd.grad(y, x), "second time")


def case_gradient_penalty(torch, show):
    w = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    x = torch.tensor([[1.0, -1.0]], requires_grad=True)
    out = (x @ w).tanh().sum()
    (g,) = torch.autograd.grad(out, x, create_graph=True)
    loss = (g.norm() - 1) ** 2
    loss.backward()
    show(loss, w.grad, x.grad)


def case_grad_outputs_differentiable(torch, show):
    x, v = leaf(torch), leaf(torch)
    (g,) = torch.autograd.grad(x * x, x, v, create_graph=True)
    show(g)
    show(torch.autograd.grad(g.sum(), [v, x]))


def case_is_grads_batched(torch, show):
    x = leaf(torch)
    y = x * x
    show(torch.autograd.grad(y, x, torch.eye(3), is_grads_batched=True, retain_graph=True))
    show(
        torch.autograd.grad(
            [y, y.sum()], x, [torch.eye(3), torch.ones(3)], is_grads_batched=True, retain_graph=True
        )
    )
    show.error(
        lambda: torch.autograd.grad(
            y, x, torch.ones(2, 2), is_grads_batched=True, retain_graph=True
        ),
        "If `is_grads_batched=True`, we interpret the first dimension of each grad_output as the batch dimension.",
    )
    (j,) = torch.autograd.grad(y, x, torch.eye(3), is_grads_batched=True, create_graph=True)
    show(torch.autograd.grad(j.sum(), x))


def case_gradient_edge(torch, show):
    graph = torch.autograd.graph
    x = leaf(torch)
    y = x * 2
    edge = graph.get_gradient_edge(y)
    show(edge.node is y.grad_fn, edge.output_nr, type(edge).__name__)
    z = (y * y).sum()
    show(torch.autograd.grad(z, edge, retain_graph=True))
    show(torch.autograd.grad(z, [edge, x], retain_graph=True))
    show(torch.autograd.grad(graph.get_gradient_edge(z), x, retain_graph=True))
    show(torch.autograd.grad([graph.get_gradient_edge(y)], [x], [torch.ones(3)], retain_graph=True))
    torch.autograd.backward(graph.get_gradient_edge(z))
    show(x.grad)
    leaf_edge = graph.get_gradient_edge(x)
    show(leaf_edge.node.name(), leaf_edge.node.variable is x)
    show.error(
        lambda: graph.get_gradient_edge(torch.ones(2)),
        "It is not possible to get the gradient edge for a Tensor that does not require gradients",
    )


def case_reentrant(torch, show):
    class Inner(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            with torch.enable_grad():
                ctx.x = x.detach().requires_grad_()
                ctx.y = ctx.x * ctx.x
            return ctx.y.detach()

        @staticmethod
        def backward(ctx, grad):
            with torch.enable_grad():
                ctx.y.backward(grad)
            return ctx.x.grad

    x = leaf(torch)
    Inner.apply(Inner.apply(x)).sum().backward()
    show(x.grad)


def case_reentrant_deep(torch, show):
    class Deep(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            with torch.enable_grad():
                ctx.x = x.detach().requires_grad_()
                ctx.x = ctx.x - 1
            return ctx.x.detach()

        @staticmethod
        def backward(ctx, grad):
            if ctx.x < 0:
                return grad
            with torch.enable_grad():
                Deep.apply(ctx.x).sum().backward()
            return grad

    v = torch.tensor(150.0, requires_grad=True)
    Deep.apply(v).sum().backward()
    show(v.grad)


def case_reentrant_with_shared_leaf(torch, show):
    w = leaf(torch)

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.clone()

        @staticmethod
        def backward(ctx, grad):
            with torch.enable_grad():
                (w * 2).sum().backward()
            return grad

    x = leaf(torch)
    F.apply(F.apply(x) * w).sum().backward()
    show(w.grad, x.grad)


def case_backward_in_hook(torch, show):
    x, w = leaf(torch), leaf(torch)
    y = x * 2

    def hook(g):
        with torch.enable_grad():
            (w * w).sum().backward()

    y.register_hook(hook)
    y.sum().backward()
    show(x.grad, w.grad)


def case_threads(torch, show):
    x = leaf(torch)

    def work():
        for _ in range(10):
            (x * 2).sum().backward()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    show(x.grad)


def case_backward_in_other_thread(torch, show):
    x = leaf(torch)
    y = (x * x).exp().sum()
    t = threading.Thread(target=y.backward)
    t.start()
    t.join()
    show(x.grad)


def case_long_chain(torch, show):
    x = torch.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(3000):
        y = y + 0.001
    y.backward()
    show(x.grad)
    del y


def case_order(torch, show):
    seen = []
    x = leaf(torch)

    def watch(t, name):
        t.register_hook(lambda g: seen.append(name))
        return t

    a = watch(x * 2, "a")
    b = watch(x * 3, "b")
    c = watch(a + b, "c")
    d = watch(b * 2, "d")
    e = watch(a * 5, "e")
    watch(x, "x")
    (e + d + c).sum().backward()
    show(seen)


def case_order_diamond(torch, show):
    seen = []

    class Note(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, name):
            ctx.name_ = name
            return x.clone()

        @staticmethod
        def backward(ctx, grad):
            seen.append(ctx.name_)
            return grad, None

    x = leaf(torch)
    a = Note.apply(x, "a")
    b = Note.apply(a, "b")
    c = Note.apply(x, "c")
    d = Note.apply(b + c, "d")
    e = Note.apply(c, "e")
    (e * d).sum().backward()
    show(seen, x.grad)


def case_leaf_order(torch, show):
    seen = []
    leaves = [leaf(torch) for _ in range(3)]
    for i, t in enumerate(leaves):
        t.register_post_accumulate_grad_hook(lambda t, i=i: seen.append(i))
    torch.cat(leaves).sum().backward()
    show(seen)
    seen.clear()
    (leaves[0] * leaves[1] + leaves[2]).sum().backward()
    show(seen)


def case_non_leaf_grad_warning(torch, show):
    x = leaf(torch)
    y = x * 2
    show.warning(
        lambda: y.grad,
        "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed",
    )
    y.retain_grad()
    show.warning(lambda: y.grad, "not a leaf")
    show.warning(lambda: x.grad, "not a leaf")


def case_grad_setter(torch, show):
    x = leaf(torch)
    x.grad = torch.ones(3)
    (x * 2).sum().backward()
    show(x.grad)
    show.error(
        lambda: setattr(x, "grad", torch.ones(2)),
        "attempting to assign a gradient of size '[2]' to a tensor of size '[3]'",
    )
    show.error(
        lambda: setattr(x, "grad", 3),
        "assigned grad expected to be a Tensor or None but got grad of type",
    )
    show.error(
        lambda: setattr(x, "grad", torch.ones(3).double()),
        "attempting to assign a gradient with dtype",
    )
    show.error(lambda: setattr(x, "grad", x), "can't assign Variable as its own grad")
    del x.grad
    show(x.grad)
    x.grad = None
    show(x.grad)
    t = torch.ones(3)
    t.grad = torch.ones(3)
    show(t.grad, t.requires_grad)


def case_grad_zeroing(torch, show):
    x = leaf(torch)
    (x * 2).sum().backward()
    x.grad.zero_()
    (x * 3).sum().backward()
    show(x.grad, x.grad._version)
    x.grad.data.zero_()
    show(x.grad)
    x.grad.detach_()
    show(x.grad)


def case_mixed_dtypes(torch, show):
    x = leaf(torch)
    d = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64, requires_grad=True)
    (x * d).sum().backward()
    show(x.grad, d.grad)
    h = torch.tensor([1.0, 2.0], dtype=torch.float16, requires_grad=True)
    (h * 2).float().sum().backward()
    show(h.grad)
    x.grad = None
    x.double().sum().backward()
    show(x.grad)


def case_broadcasting(torch, show):
    a = torch.ones(3, 1, requires_grad=True)
    b = torch.ones(1, 4, requires_grad=True)
    c = torch.tensor(2.0, requires_grad=True)
    (a * b * c).sum().backward()
    show(a.grad, b.grad, c.grad)


def case_integer_in_graph(torch, show):
    x = leaf(torch)
    idx = x.argmax()
    show(idx.requires_grad, (x > 1).requires_grad, x.long().requires_grad)
    show.error(lambda: x.long().sum().backward(), "element 0 of tensors does not require grad")


def case_exception_leaves_graph(torch, show):
    class Fails(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, grad):
            raise RuntimeError("failing on purpose")

    x = leaf(torch)
    a = x.exp()
    b = Fails.apply(a)
    c = b * b
    show.error(lambda: c.sum().backward(), "failing on purpose")
    show.error(lambda: c.sum().backward(), "second time")
    (a * 1).sum().backward()
    show(x.grad, torch.is_grad_enabled())


def case_none_gradients(torch, show):
    x = leaf(torch)
    a, b = x.unbind()[:2]
    a.backward()
    show(x.grad)
    values, _ = x.sort()
    values.sum().backward()
    show(x.grad)


def case_detach_blocks(torch, show):
    x = leaf(torch)
    y = x * 2
    (y.detach() * x).sum().backward()
    show(x.grad)


def case_unused_parameters(torch, show):
    x, w = leaf(torch), leaf(torch)
    (x * 2).sum().backward()
    show(w.grad)


def case_multiple_uses(torch, show):
    x = leaf(torch)
    y = x * x + x * x * x + x
    y.sum().backward()
    show(x.grad)


def case_triple(torch, show):
    x = torch.tensor(0.7, requires_grad=True)
    y = (x.sin() * x.exp()).tanh()
    for _ in range(3):
        (y,) = torch.autograd.grad(y, x, create_graph=True)
        show(y.item(), y.requires_grad)


def case_complex(torch, show):
    z = torch.tensor([1 + 2j, 3 - 1j], requires_grad=True)
    (z * z.conj()).real.sum().backward()
    show(z.grad)
    z.grad = None
    z.abs().sum().backward()
    show(z.grad)
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    (x * (1 + 2j)).imag.sum().backward()
    show(x.grad)
    z.grad = None
    torch.view_as_real(z).pow(2).sum().backward()
    show(z.grad)


def case_accumulate_grad_called_directly(torch, show):
    x = leaf(torch)
    node = (x * 2).grad_fn.next_functions[0][0]
    node(torch.ones(3))
    node(torch.ones(3))
    show(x.grad)


def case_call_node(torch, show):
    x = leaf(torch)
    y = x * x
    show(y.grad_fn(torch.ones(3)))
    z = x.exp()
    show(z.grad_fn(torch.ones(3)))


def case_keep_retain_none(torch, show):
    x = leaf(torch)
    y = (x * x).sum()
    torch.autograd.grad(y, x, retain_graph=None, create_graph=True)
    y.backward(retain_graph=True)
    y.backward(None, False)
    show(x.grad)
    show.error(lambda: y.backward(), "second time")


def case_positional(torch, show):
    x = leaf(torch)
    y = x * x
    y.backward(torch.ones(3), True)
    y.backward(torch.ones(3), False, False)
    show(x.grad)
    show(torch.autograd.grad(x * x, x, torch.ones(3), True, False, True, True))


def case_execution_order(torch, show):
    order = torch._C._current_graph_task_execution_order
    show.error(order, "should only be called during the backward pass")
    a, b = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    c, d = a.sin(), b.cos()
    e = c * d
    root = (e.exp() + a).sum()
    grad = torch.autograd.grad
    root.register_hook(lambda g: show([node.name() for node in order()]))
    show.error(lambda: root.backward(retain_graph=True), "with multithreading disabled")
    with torch.autograd.set_multithreading_enabled(False):
        root.backward(retain_graph=True)
        root.backward(retain_graph=True, inputs=[c])
        root.backward(retain_graph=True, inputs=[b])
        grad(root, [d], retain_graph=True)
        grad(root, [a, b], retain_graph=True)


def case_create_graph_warns(torch, show):
    def run():
        x = torch.ones((), requires_grad=True)
        (x * x).backward(create_graph=True)

    phrase = "Using backward() with create_graph=True will create a reference cycle"
    run()
    show.warning(run, phrase)
    torch.set_warn_always(True)
    try:
        show.warning(run, phrase)
        show.warning(lambda: torch.ones(2, dtype=torch.complex64).to(torch.float32), "discards the")
    finally:
        torch.set_warn_always(False)
    show.warning(run, phrase)

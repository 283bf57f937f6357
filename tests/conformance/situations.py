# ruff: noqa: E501
"""Situations that autograd programs get into: combinations of the other topics."""

import gc
import weakref


def leaf(torch, *values):
    return torch.tensor(list(values or (1.0, 2.0, 3.0)), requires_grad=True)


def case_view_write_makes_base_require_grad(torch, show):
    a = leaf(torch, 2.0)
    b = torch.zeros(3)
    view = b[1:2]
    view.add_(a)
    show(b.requires_grad, view.requires_grad, b, view.grad_fn.name())
    (b * torch.tensor([1.0, 5.0, 7.0])).sum().backward()
    show(a.grad)


def case_view_write_then_more_views(torch, show):
    x = torch.arange(1.0, 5.0, requires_grad=True)
    y = x * 1
    v = y.view(2, 2)
    w = v[0]
    w.mul_(10)
    u = y[1:3]
    show(y, v, w, u, y.grad_fn.name(), v.grad_fn.name(), w.grad_fn.name(), u.grad_fn.name())
    (v * v).sum().backward()
    show(x.grad)


def case_inplace_relu_on_view_double(torch, show):
    x = torch.tensor([-1.0, 2.0, 3.0], requires_grad=True)
    y = x * x * x
    y[1:].relu_()
    (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    show(g)
    show(torch.autograd.grad(g.sum(), x))


def case_function_writes_plain_view(torch, show):
    class Fill(torch.autograd.Function):
        @staticmethod
        def forward(ctx, into, value):
            into.copy_(value)
            ctx.mark_dirty(into)
            return into

        @staticmethod
        def backward(ctx, grad):
            return None, grad * 2

    value = leaf(torch, 5.0)
    base = torch.zeros(3)
    out = Fill.apply(base[1:2], value)
    show(base, out, base.grad_fn and base.grad_fn.name())
    (base * torch.tensor([1.0, 3.0, 5.0])).sum().backward()
    show(value.grad)


def case_function_returns_input_and_more(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            return a, a + b

        @staticmethod
        def backward(ctx, ga, gb):
            return ga + gb, gb

    x, y = leaf(torch), leaf(torch)
    q, p = F.apply(x, y)
    (q + p * 2).sum().backward()
    show(q, p, x.grad, y.grad)


def case_function_inplace_and_out(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            ctx.mark_dirty(a)
            return a.add_(b), b + 2

        @staticmethod
        def backward(ctx, ga, gb):
            return ga, ga + gb

    x, y = leaf(torch), leaf(torch)
    a, b = F.apply(x.clone(), y)
    (a.sum() + (b * 3).sum()).backward()
    show(a, b, x.grad, y.grad)


def case_leaf_assignment(torch, show):
    x = torch.zeros(3)
    y = leaf(torch)
    z = leaf(torch)
    x[0] = y[0] * 2
    x[1:] = z[1:] * 3
    show(x.requires_grad, x)
    x.sum().backward()
    show(y.grad, z.grad)


def case_inplace_not_needing_grad(torch, show):
    a, b = leaf(torch), torch.ones(3)
    c = (a * 1).add_(b)
    c.sum().backward()
    show(a.grad, b.grad)


def case_duplicate_roots(torch, show):
    x, y = leaf(torch), leaf(torch)
    z = x * y
    torch.autograd.backward([z, z], [torch.ones(3), torch.ones(3) * 2])
    show(x.grad, y.grad)


def case_backward_with_grad_of_other_graph(torch, show):
    x = leaf(torch)
    g = (x * 2).detach().requires_grad_()
    (x * x).backward(g, create_graph=True)
    show(x.grad)
    x.grad.sum().backward()
    show(g.grad)


def case_accumulated_graph(torch, show):
    x = leaf(torch)
    (x**2).sum().backward(create_graph=True)
    (x**3).sum().backward(create_graph=True)
    show(x.grad)
    total = x.grad
    x.grad = None
    total.sum().backward()
    show(x.grad)


def case_none_from_hook_on_multi_output(torch, show):
    x = leaf(torch)
    a, b, c = x.unbind()
    b.register_hook(lambda g: None)
    a.register_hook(lambda g: g * 2)
    (a + b * 2).backward()
    show(x.grad)


def case_reentrant_priority(torch, show):
    order = []

    class Inner(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, grad):
            order.append("inner")
            return grad

    class Reenter(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            with torch.enable_grad():
                ctx.x = x.detach().requires_grad_()
                ctx.y = Inner.apply(ctx.x)
            return ctx.y.detach()

        @staticmethod
        def backward(ctx, grad):
            order.append("outer")
            if order.count("outer") < 3:
                with torch.enable_grad():
                    ctx.y.sum().backward(retain_graph=True)
            return grad

    a = Inner.apply(leaf(torch))
    b = Reenter.apply(a)
    (b * 2).sum().backward()
    show(order)


def case_error_inside_reentrant(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, grad):
            with torch.enable_grad():
                y = (leaf(torch) * 2).sum()
                y.register_hook(lambda g: 1 / 0)
                y.backward()
            return grad

    x = leaf(torch)
    show.error(lambda: F.apply(x).sum().backward(), "division by zero")
    (x * 2).sum().backward()
    show(x.grad, torch.is_grad_enabled())


def case_saved_attributes_of_ops(torch, show):
    x = leaf(torch)
    m = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True)
    show(torch.stack([x, x], dim=1).grad_fn._saved_dim)
    show(m.sum(1, keepdim=True).grad_fn._saved_dim, m.sum(1, keepdim=True).grad_fn._saved_keepdim)
    show(m.sum(1).grad_fn._saved_self_sym_sizes)
    show(m.softmax(1).grad_fn._saved_dim, m.softmax(1).grad_fn._saved_result)
    show(m.mm(m.t()).grad_fn._saved_self is m, m.mm(m.t()).grad_fn._saved_mat2)
    show(torch.where(x > 1, x, x).grad_fn._saved_condition)
    show(x.pow(3).grad_fn._saved_exponent, (x / 2).grad_fn._saved_other)
    show(m.transpose(0, 1).grad_fn._saved_dim0, m.transpose(0, 1).grad_fn._saved_dim1)
    show(m.view(6).grad_fn._saved_self_sym_sizes)
    show(m.clamp(1, 5).grad_fn._saved_min, m.clamp(1, 5).grad_fn._saved_max)
    show(m.max(1)[0].grad_fn._saved_indices, m.max(1)[0].grad_fn._saved_dim)
    show(x.std().grad_fn._saved_result, m.permute(1, 0).grad_fn._saved_dims)
    show(x.exp().sin().grad_fn._saved_self.grad_fn.name())
    show.error(lambda: x.exp().grad_fn._saved_self, "has no attribute '_saved_self'")


def case_saved_result_history(torch, show):
    x = leaf(torch)
    y = x.exp()
    r = y.grad_fn._saved_result
    show(r.grad_fn is y.grad_fn, r is y, r.output_nr, r._version, r.data_ptr() == y.data_ptr())
    (g,) = torch.autograd.grad(r.sum(), x)
    show(g)


def case_grad_is_leaf_and_shares_nothing(torch, show):
    x = leaf(torch)
    y = x + x
    y.sum().backward()
    z = leaf(torch)
    (x + z).sum().backward()
    show(x.grad.data_ptr() != z.grad.data_ptr(), x.grad, z.grad, x.grad.is_leaf)
    z.grad.zero_()
    show(x.grad)


def case_zero_elements(torch, show):
    x = torch.ones(0, 3, requires_grad=True)
    x.sum().backward()
    show(x.grad)
    show.error(lambda: (x * 2).backward(), "grad can be implicitly created only for scalar outputs")


def case_scalar_leaf(torch, show):
    s = torch.tensor(2.0, requires_grad=True)
    (s * torch.ones(3)).sum().backward()
    show(s.grad)
    (s**3).backward()
    show(s.grad)
    show.error(lambda: s.fill_(1.0), "a leaf Variable that requires grad")


def case_python_scalars(torch, show):
    x = leaf(torch)
    show(float(x[0]), int(x[1]), bool(x[2]), x[0].item() + 1)
    y = 0
    for v in x:
        y = y + v * v
    y.backward()
    show(x.grad)
    show(sum(x.detach()), max(x.detach()))


def case_loop_until(torch, show):
    x = leaf(torch)
    y = x
    while y.norm() < 1000:
        y = y * 2
    y.backward(torch.tensor([0.1, 1.0, 0.0001]))
    show(y, x.grad)


def case_training_loop(torch, show):
    w, b = torch.tensor([[0.5, -0.3]], requires_grad=True), torch.zeros(1, requires_grad=True)
    x, t = torch.tensor([[1.0, 2.0], [3.0, -1.0]]), torch.tensor([[1.0], [0.0]])
    for _ in range(3):
        loss = ((x @ w.t() + b - t) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            for p in (w, b):
                p -= 0.1 * p.grad
                p.grad.zero_()
        show(loss, w, b, w._version)


def case_detach_then_write_before_backward(torch, show):
    x = leaf(torch)
    y = x.exp()
    z = y.detach()
    show(z._version, z.requires_grad, z.is_leaf)
    z.mul_(2)
    show.error(lambda: y.sum().backward(), "modified by an inplace operation")


def case_write_after_backward(torch, show):
    x = leaf(torch)
    y = x.exp()
    y.sum().backward()
    y.detach().zero_()
    show(y, x.grad)


def case_clone_before_write(torch, show):
    x = leaf(torch)
    y = x.exp()
    z = y.clone()
    z.mul_(0)
    (y.sum() + z.sum()).backward()
    show(x.grad)


def case_retain_graph_and_write(torch, show):
    x = leaf(torch)
    y = x**2
    y.sum().backward(retain_graph=True)
    with torch.no_grad():
        x.add_(1)
    show.error(lambda: y.sum().backward(), "modified by an inplace operation")


def case_weak_cycle_free_hooks(torch, show):
    gc.collect()
    gc.disable()
    try:
        x = leaf(torch)
        y = x * 2
        ref = weakref.ref(y)
        y.register_hook(lambda g: None)
        torch.autograd.graph.register_multi_grad_hook((y,), lambda gs: None)
        del y
        show(ref() is None)
    finally:
        gc.enable()


def case_views_of_leaf_share_grad(torch, show):
    x = leaf(torch)
    a, b = x[:2], x[1:]
    (a.sum() * 2 + b.sum() * 3).backward()
    show(x.grad)


def case_chain_of_writes_and_reads(torch, show):
    x = leaf(torch)
    y = x.clone()
    total = y.sum()
    for i in range(3):
        y[i] = y[i].clone() * y[(i + 1) % 3].clone()
        total = total + y.sum()
    total.backward()
    show(total, x.grad)


def case_augmented_indexing(torch, show):
    x = leaf(torch)
    y = x.clone()
    y[0] += 5
    y[1:] *= x[:2]
    show(y, y._version)
    y.prod().backward()
    show(x.grad)


def case_where_nan(torch, show):
    x = torch.tensor([0.0, 1.0], requires_grad=True)
    torch.where(x > 0, x.log(), torch.zeros(2)).sum().backward()
    show(x.grad)
    x.grad = None
    x.norm().backward()
    show(x.grad)


def case_grad_wrt_int_cast(torch, show):
    x = leaf(torch)
    y = x.to(torch.float64).to(torch.float32)
    show([n for n, _ in y.grad_fn.next_functions])
    y.sum().backward()
    show(x.grad)


def case_inplace_on_grad_in_hook(torch, show):
    x = leaf(torch)
    x.register_hook(lambda g: g.clone().clamp_(max=1.5))
    (x * x).sum().backward()
    show(x.grad)


def case_backward_of_view_of_leaf_after_no_grad_write(torch, show):
    x = leaf(torch)
    v = x[1:]
    with torch.no_grad():
        x.mul_(2)
    show(v, v.grad_fn.name())
    (v * v).sum().backward()
    show(x.grad)


def case_requires_grad_after_use(torch, show):
    x = torch.ones(3)
    y = x * 2
    x.requires_grad_()
    z = x * 3
    show(y.requires_grad, z.requires_grad)
    x.requires_grad_(False)
    z.sum().backward()
    show(x.grad, x.requires_grad)


def case_grad_of_sum_of_same(torch, show):
    x = leaf(torch)
    y = x + x + x
    show(torch.autograd.grad(y.sum(), x))
    show(torch.autograd.grad([x.sum(), x.sum()], x))


def case_assign_grad_then_backward(torch, show):
    x = leaf(torch)
    mine = torch.zeros(3)
    x.grad = mine
    (x * 2).sum().backward()
    show(x.grad is mine, mine)


def case_nested_functions_once(torch, show):
    once = torch.autograd.function.once_differentiable

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        @once
        def backward(ctx, grad):
            return grad * 2

    x = leaf(torch)
    (g,) = torch.autograd.grad(F.apply(x).sum(), x, create_graph=True)
    show(g)
    y = F.apply(x) * x
    (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    show(g)
    show.error(lambda: g.sum().backward(), "once_differentiable")


def case_unpack_hook_counts(torch, show):
    counts = {"pack": 0, "unpack": 0}

    def pack(t):
        counts["pack"] += 1
        return t.detach()

    def unpack(t):
        counts["unpack"] += 1
        return t

    x = leaf(torch)
    with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
        y = (x * x + x.exp()).pow(2).sum()
    show(counts)
    y.backward(retain_graph=True)
    show(counts)
    y.backward()
    show(counts, x.grad)


def case_function_with_hooks_and_none(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            return x * 2, y * 3

        @staticmethod
        def backward(ctx, gx, gy):
            show(gx, gy)
            return gx * 2, None

    x, y = leaf(torch), leaf(torch)
    a, b = F.apply(x, y)
    a.register_hook(lambda g: show("a", g))
    b.register_hook(lambda g: show("b", g))
    a.sum().backward()
    show(x.grad, y.grad)


def case_outputs_with_names(torch, show):
    x = torch.tensor([[3.0, 1.0], [2.0, 5.0]], requires_grad=True)
    found = x.max(1)
    show(repr(found).replace("\n", " "))
    show(
        found.values, found.indices, found[0] is found.values, len(found), isinstance(found, tuple)
    )
    show(torch.sort(x).indices, torch.topk(x, 1).values, x.kthvalue(1).values)


def case_shapes_that_do_not_broadcast(torch, show):
    for attempt in (
        lambda: torch.ones(2) + torch.ones(3),
        lambda: torch.ones(2, 3) * torch.ones(2),
        lambda: torch.maximum(torch.ones(4), torch.ones(5)),
    ):
        try:
            attempt()
        except RuntimeError as error:
            show("RuntimeError", str(error).split(" at ")[0])


def case_index_smaller_than_the_source(torch, show):
    source = torch.ones(2, 3, requires_grad=True)
    index = torch.tensor([[0]])
    for name, arguments in (("scatter", ()), ("scatter_add", ()), ("scatter_reduce", ("sum",))):
        out = getattr(torch.zeros(2, 3), name)(0, index, source, *arguments)
        show(out)
        show.error(
            out.sum().backward,
            "returned an invalid gradient at index 1 - got [1, 1] but expected shape compatible "
            "with [2, 3]",
        )
    show(source.grad, (source * 2).sum())


def case_variance_without_degrees(torch, show):
    for values in ([2.0, 3.0, 4.0], [2.0], [0.0, 0.0]):
        for correction in (0, 1, 2, 3, 5):
            for dim in (None, 0):
                x = torch.tensor(values, requires_grad=True)
                out = x.var(dim, correction=correction)
                show(out, torch.autograd.grad(out, x, retain_graph=True))
                show(torch.autograd.grad(-out, x))


def case_running_extremum_of_nan(torch, show):
    nan = float("nan")
    for values in ([nan, 1.0, nan], [1.0, nan, 2.0, nan], [1.0, 1.0, nan, 0.0]):
        x = torch.tensor(values, requires_grad=True)
        for name in ("cummax", "cummin"):
            found, places = getattr(x, name)(0)
            show(found, places, torch.autograd.grad(found.sum(), x))

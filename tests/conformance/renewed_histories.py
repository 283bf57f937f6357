"""Histories of views whose base was written to, and of views of which only the base needs them."""


def chain(node):
    """The text of a graph."""
    if node is None:
        return "-"
    below = ", ".join(chain(following) for following, _ in node.next_functions)
    return f"{node.name()}({below})" if below else node.name()


def leaf(torch, *shape):
    return (torch.arange(1.0, 7.0).reshape(shape or (2, 3)) / 4).requires_grad_()


def case_view_made_under_no_grad(torch, show):
    x = leaf(torch)
    with torch.no_grad():
        v = x.view(-1)
        w, z = x.split(1)
    show(v.requires_grad, v.is_leaf, chain((v * 2).grad_fn), chain((w * z[0]).grad_fn))
    show.error(lambda: v.sum().backward(torch.ones(2)), "")
    show.error(lambda: v.backward(torch.ones(6)), "does not require grad")
    loss = (v * x.view(-1)).sum()
    show.error(lambda: torch.autograd.grad(loss, v, retain_graph=True), "not have been used")
    show(torch.autograd.grad(loss, [x, v], allow_unused=True))
    show.error(lambda: torch.autograd.graph.get_gradient_edge(v), "Expected gradient function")


def case_view_made_under_no_grad_in_a_function(torch, show):
    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            show(grad)
            return grad

    x = leaf(torch)
    with torch.no_grad():
        v = x.view(-1)
    out = Twice.apply(v)
    show(out, chain(out.grad_fn))
    out.sum().backward()
    show(v.grad, x.grad)


def case_each_view_after_a_change_of_dtype(torch, show):
    base = torch.zeros(2, 2, requires_grad=True) * 1
    c = torch.view_as_complex(base)
    d = c[...]
    e = d[1:]
    f = base[1:]
    g = torch.view_as_complex(f)
    i = torch.view_as_real(g[:1])[0][1]
    base.mul_(2)
    show([chain(t.grad_fn) for t in (c, d, e, f, g, i)])


def case_shape_changed_in_place_without_grad(torch, show):
    base = leaf(torch) * 1
    v = base.view(-1)
    with torch.no_grad():
        v.unsqueeze_(0)
    show(v, v._version, base._version)
    with torch.inference_mode():
        v.t_()
    show(v, v._version, base._version)


def case_base_detached(torch, show):
    base = leaf(torch).exp()
    v = base.expand(2, 2, 3)
    with torch.no_grad():
        base.detach_()
    base.mul_(2)
    show(chain(v.grad_fn), v.requires_grad, base.requires_grad)


def case_base_is_not_detached_in_inference_mode(torch, show):
    base = leaf(torch) * 1
    v = base.t()
    with torch.inference_mode():
        base.detach_()
        v.detach_()
    show(base, v)


def case_view_of_everything_renewed(torch, show):
    x = leaf(torch)
    base = x * 1
    v = base.view(2, 3)
    v.data = base
    base.mul_(3)
    show(v)
    (v * v).sum().backward()
    show(x.grad)


def case_data_set_keeps_the_counter(torch, show):
    base = torch.ones(2)
    v = base.view(2)
    base.data = torch.zeros(2)
    show(v._version, base._version)
    base.mul_(2)
    show(v, base, v._version, base._version, v._base is base)
    base = leaf(torch, 6) * 1
    v = base.view(6)
    base.data = v
    base.exp_()
    show(base, v, v._version, chain(v.grad_fn))


def case_data_set_of_a_view(torch, show):
    base = leaf(torch, 6) * 1
    v = base.view(6)
    v.data = torch.zeros(6)
    base.mul_(2)
    show(v._version, base._version, v._is_view(), v._base is base, base)


def case_swapped_leaf_is_told_by_its_node(torch, show):
    a = torch.ones(2, requires_grad=True)
    b = a * 2
    node = b.grad_fn.next_functions[0][0]
    torch.utils.swap_tensors(a, b)
    show(node.variable is a, node.variable is b, chain(a.grad_fn), b.grad_fn)


def case_result_of_jvp_overwritten(torch, show):
    x = leaf(torch) * 1
    out, _ = torch.func.jvp(lambda x: x * x, (x,), (x,))
    out.mul_(2)
    show(out, out.is_leaf)


def case_copies_count_from_one(torch, show):
    import copy

    a = torch.ones(2)
    b = copy.copy(a)
    show(b._version, a._version)
    a.mul_(2)
    a.mul_(2)
    show(b, b._version, a._version)


def case_strides_of_other_bytes(torch, show):
    v = torch.ones(4).view(torch.int32)
    w = torch.ones(2, 4).t().view(torch.int32)[1:]
    show(v.stride(), v.is_contiguous(), w.stride(), w.storage_offset(), w.is_contiguous())
    show(torch.ones(2, 4).view(torch.int16).stride(), torch.ones(3)[1:].view(torch.int16).stride())


def case_views_of_a_base_that_got_another_shape(torch, show):
    changes = (("squeeze_",), ("unsqueeze_", 0), ("transpose_", 0, 1), ("swapaxes_", 1, 2))
    for change, *args in changes:
        x = torch.arange(6.0, requires_grad=True)
        base = x.reshape(1, 2, 3) * 1.0
        first, last = base[0], base.select(2, 1)
        getattr(base, change)(*args)
        (first * first).sum().backward()
        show(x.grad, first.grad_fn.name(), first.grad_fn.next_functions[0][0].name())
        show(last.grad_fn.name(), base.shape, first.shape)


def case_writes_after_another_shape(torch, show):
    for write_to_base in (True, False):
        x = torch.arange(6.0, requires_grad=True)
        base = x.reshape(2, 3) * 1.0
        row = base[0]
        base.t_()
        (base if write_to_base else row).mul_(2)
        (base * 3 + row.sum()).sum().backward()
        show(x.grad, row.grad_fn.name(), base, base.grad_fn.name())


LAID = {
    "view": lambda x: x.view(2, 3),
    "transposed": lambda x: (x * 1).view(2, 3).t(),
    "columns": lambda x: (x * 1).view(2, 3)[:, 1:],
    "a tensor of its own": lambda x: (x * 1).view(2, 3).t() * 1,
    "shown often": lambda x: x[:1].expand(3),
    "windows": lambda x: x.unfold(0, 3, 1),
}
PLACES = (((2,), (1,)), ((2, 2), (1, 1)), ((2,), (2,), 1), ((3,), (0,)))


def case_strides_of_a_view(torch, show):
    x = leaf(torch, 6)
    for name, lay in LAID.items():
        for place in PLACES if name != "shown often" else PLACES[:1]:
            w = lay(x).as_strided(*place)
            show(name, place, chain(w.grad_fn), w, w._is_view(), w.grad_fn._saved_storage_offset)
            (grad,) = torch.autograd.grad((w**3).sum(), x, create_graph=True)
            show(grad.detach(), torch.autograd.grad((grad**2).sum(), x))
    z = torch.tensor([1 + 2j, 3 - 1j])
    second = z.conj().as_strided((1,), (1,), 1)
    show(second.is_conj(), second.resolve_conj())


def case_a_view_with_other_data_is_overwritten(torch, show):
    for view in (lambda t: t.view(3), lambda t: t[:2], lambda t: t[1:]):
        x = torch.tensor([0.5, 0.75, 2.0], requires_grad=True)
        y = x * 1
        v = view(y)
        v.data = torch.ones(2)
        show(chain(v.grad_fn), v._is_view(), v._base is y)
        v.mul_(3)
        show(v, y, chain(v.grad_fn), chain(y.grad_fn), v._version)
        v.sum().backward(retain_graph=True)
        show(x.grad)
        y.sum().backward()
        show(x.grad)


def case_data_in_a_transform(torch, show):
    def assigns(x):
        x.data = torch.zeros(2)
        return x.sum()

    show.error(lambda: torch.func.grad(assigns)(torch.ones(2)), "inside functorch transform is not")
    with torch.inference_mode():
        a = torch.ones(2)
    b = torch.ones(2)
    a.data = b
    show(a.is_inference(), b.is_inference())
    b.data = torch.inference_mode()(torch.zeros)(2)
    show(b.is_inference())

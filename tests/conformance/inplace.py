# ruff: noqa: E501 (phrases of error messages are searched for as they are)
"""In-place operations, views, versions."""


def leaf(torch, *values):
    return torch.tensor(list(values or (1.0, 2.0, 3.0)), requires_grad=True)


NO_GRAD_VIEW = (
    "A view was created in no_grad mode and is being modified inplace with grad mode enabled"
)
LEAF = "a leaf Variable that requires grad is being used in an in-place operation."
LEAF_VIEW = "a view of a leaf Variable that requires grad is being used in an in-place operation."
MULTI = "This view is the output of a function that returns multiple views. Such functions do not allow the output views to be modified inplace"


def case_leaf(torch, show):
    x = leaf(torch)
    show.error(lambda: x.add_(1), LEAF)
    show.error(lambda: x.zero_(), LEAF)
    show.error(lambda: x.copy_(torch.ones(3)), LEAF)
    show.error(lambda: x.__setitem__(0, 3.0), LEAF_VIEW)
    show.error(lambda: x[0].add_(1), LEAF_VIEW)
    show.error(lambda: x.view(3).mul_(2), LEAF_VIEW)
    show.error(lambda: x.view(3)[1:].mul_(2), LEAF_VIEW)
    show(x, x._version)
    with torch.no_grad():
        x.add_(1)
        x[0] = 7
    show(x, x._version)


def case_operators(torch, show):
    x = leaf(torch)
    y = x.clone()
    z = y
    y += 1
    show(y is z, y)
    y *= 2
    y -= 1
    y /= 3
    show(y, y._version)
    y **= 2
    show(y, y._version)
    y.sum().backward()
    show(x.grad)


def case_leaf_iadd(torch, show):
    x = leaf(torch)

    def run():
        y = x
        y += 1

    show.error(run, LEAF)


def case_versions(torch, show):
    x = torch.zeros(4)
    show(x._version)
    x.add_(1)
    v = x[1:]
    show(x._version, v._version)
    v.mul_(2)
    show(x._version, v._version, x, v)
    x[0] = 5
    show(x._version)
    d = x.detach()
    d.add_(1)
    show(x._version, d._version)
    x.data.add_(1)
    show(x._version, x)
    x.zero_()
    x.fill_(3)
    x.copy_(torch.ones(4))
    show(x._version)
    torch.add(x, 1, out=x)
    show(x._version)


def case_version_of_data(torch, show):
    x = torch.zeros(3)
    x.add_(1)
    d = x.data
    show(d._version)
    d.add_(1)
    show(d._version, x._version, x)
    x.add_(1)
    show(d._version, d)


def case_data_hides_changes(torch, show):
    x = leaf(torch)
    y = x * 2
    z = y**2
    y.data.zero_()
    z.sum().backward()
    show(x.grad)


def case_detach_shows_changes(torch, show):
    x = leaf(torch)
    y = x * 2
    z = y**2
    y.detach().zero_()
    show.error(
        lambda: z.sum().backward(),
        "one of the variables needed for gradient computation has been modified by an inplace operation",
    )


def case_version_error_text(torch, show):
    x = leaf(torch)
    y = x.exp()
    y.add_(1)
    show.error(
        lambda: y.sum().backward(),
        "[torch.FloatTensor [3]], which is output 0 of Exp, is at version 1; expected version 0 instead. Hint:",
    )
    y = x * 2
    z = y * y
    y.mul_(3)
    show.error(
        lambda: z.sum().backward(),
        "[torch.FloatTensor [3]], which is output 0 of Mul, is at version 1; expected version 0 instead",
    )
    w = torch.ones(3)
    z = x * w
    w.add_(1)
    show.error(
        lambda: z.sum().backward(),
        "[torch.FloatTensor [3]] is at version 1; expected version 0 instead",
    )
    m = torch.ones(2, 3)
    z = m @ x
    with torch.no_grad():
        x.add_(1)
        m.add_(1)
        m.add_(1)
    show.error(lambda: z.sum().backward(), "is at version 2; expected version 0 instead")


def case_inputs_not_saved(torch, show):
    x = leaf(torch)
    y = x * 1
    z = y.exp()
    y.add_(1)
    z.sum().backward()
    show(x.grad)
    y = x * 1
    z = y + 1
    y.mul_(5)
    (z.sum() + y.sum()).backward()
    show(x.grad)


def case_inplace_chain(torch, show):
    x = leaf(torch)
    y = x.clone()
    y.mul_(2).add_(1).pow_(2)
    show(y, y._version)
    y.sum().backward()
    show(x.grad)


def case_inplace_unary_names(torch, show):
    for name in (
        "exp_",
        "sin_",
        "cos_",
        "tanh_",
        "sigmoid_",
        "relu_",
        "abs_",
        "neg_",
        "sqrt_",
        "reciprocal_",
        "square_",
        "log_",
        "zero_",
    ):
        x = leaf(torch, 0.5, 0.25)
        y = x.clone()
        out = getattr(y, name)()
        show(name, out is y, y)
        y.sum().backward()
        show(x.grad)


def case_inplace_binary_names(torch, show):
    for name in ("add_", "sub_", "mul_", "div_", "pow_", "copy_"):
        x, w = leaf(torch, 1.0, 2.0), leaf(torch, 3.0, 2.0)
        y = x.clone()
        getattr(y, name)(w)
        show(name, y)
        y.sum().backward()
        show(x.grad, w.grad)


def case_inplace_on_plain_tensor(torch, show):
    w = leaf(torch)
    y = torch.ones(3)
    show(y.requires_grad, y.is_leaf)
    y.mul_(w)
    show(y, y.is_leaf, y.requires_grad)
    y.sum().backward()
    show(w.grad, y._version)


def case_inplace_saves_original(torch, show):
    x, w = leaf(torch), leaf(torch)
    y = x * 2
    y.mul_(w)
    y.sum().backward()
    show(x.grad, w.grad)
    y = x * 2
    y.mul_(w)
    (g,) = torch.autograd.grad(y.sum(), w, create_graph=True)
    show(torch.autograd.grad(g.sum(), x))


def case_broadcast_error(torch, show):
    y = torch.ones(3)
    show.error(
        lambda: y.add_(torch.ones(2, 3)),
        "output with shape [3] doesn't match the broadcast shape [2, 3]",
    )
    show.error(
        lambda: torch.ones(3, dtype=torch.long).add_(1.5),
        "result type Float can't be cast to the desired output type Long",
    )
    show.error(
        lambda: torch.ones(3, dtype=torch.long).div_(2),
        "result type Float can't be cast to the desired output type Long",
    )
    show(torch.ones(3, dtype=torch.float64).add_(torch.ones(3)))
    show(torch.ones(3).add_(torch.ones(3, dtype=torch.float64)))


def case_view_basics(torch, show):
    x = leaf(torch)
    y = x.clone()
    v = y[1:]
    show(v._is_view(), v._base is y, y._is_view(), y._base)
    w = v[1:]
    show(w._base is y, w._is_view())
    show(x.detach()._is_view(), x.data._is_view(), x.detach()._base)
    show(x.clone()._is_view(), (x + 1)._is_view())
    show(x.view(3)._is_view(), x.reshape(3)._is_view(), x.expand(2, 3)._is_view(), x.t()._is_view())
    d = x.detach()[1:]
    show(d._is_view(), d._base is x, d._base.requires_grad)


def case_write_to_base_after_view(torch, show):
    x = leaf(torch)
    y = x.clone()
    v = y[1:]
    show(v.grad_fn)
    y.mul_(2)
    show(v.grad_fn, v, v.grad_fn.next_functions[0][0])
    (v * torch.tensor([1.0, 10.0])).sum().backward()
    show(x.grad)


def case_write_to_view(torch, show):
    x = leaf(torch)
    y = x.clone()
    v = y[1:]
    v.mul_(2)
    show(y.grad_fn, v.grad_fn, y, v)
    show([n for n, _ in y.grad_fn.next_functions])
    (y * torch.tensor([1.0, 10.0, 100.0])).sum().backward()
    show(x.grad)


def case_write_to_view_of_view(torch, show):
    x = torch.arange(6.0).reshape(2, 3).requires_grad_()
    y = x.clone()
    v = y.t()[1:]
    v.mul_(v.clone())
    show(y, v)
    (y * torch.arange(6.0).reshape(2, 3)).sum().backward()
    show(x.grad)


def case_write_other_tensor_into_view(torch, show):
    x, w = leaf(torch), leaf(torch, 5.0, 6.0)
    y = x.clone()
    y[1:].copy_(w)
    (y**2).sum().backward()
    show(x.grad, w.grad, y)
    y = x.clone()
    y[:2] = w * 2
    (y**3).sum().backward()
    show(x.grad, w.grad, y)


def case_write_into_plain_base(torch, show):
    w = leaf(torch, 5.0, 6.0)
    y = torch.zeros(3)
    v = y[1:]
    show(v.requires_grad)
    v.copy_(w)
    show(y.requires_grad, v.requires_grad, y, v, y.is_leaf)
    (y * 2).sum().backward()
    show(w.grad)
    other = torch.zeros(3)
    view = other[:2]
    other.mul_(w.sum())
    show(view.requires_grad, view.is_leaf, view)


def case_two_views_alias(torch, show):
    x = leaf(torch, 1.0, 2.0, 3.0, 4.0)
    y = x.clone()
    a, b = y[:3], y[1:]
    a.mul_(2)
    show(b, b.grad_fn)
    b.mul_(3)
    show(a, a.grad_fn, y)
    (a.sum() + (b * b).sum()).backward()
    show(x.grad)


def case_setitem(torch, show):
    x = leaf(torch)
    y = x.clone()
    y[0] = 10.0
    y[1] = x[2] * x[2]
    show(y)
    y.sum().backward()
    show(x.grad)
    z = torch.zeros(2, 3)
    z[0] = x
    z[:, 1] = z[:, 1] * 2
    show(z)
    (z * z).sum().backward()
    show(x.grad)


def case_setitem_mask(torch, show):
    x = leaf(torch)
    y = x * 2
    y[y > 3] = 0.0
    show(y, y._version)
    y.sum().backward()
    show(x.grad)
    w = leaf(torch, 7.0, 8.0)
    y = x * 2
    y[torch.tensor([True, False, True])] = w
    show(y)
    (y * y).sum().backward()
    show(x.grad, w.grad)


def case_setitem_index_tensor(torch, show):
    x, w = leaf(torch), leaf(torch, 7.0, 8.0)
    y = x * 2
    y[torch.tensor([2, 0])] = w
    show(y)
    (y * y).sum().backward()
    show(x.grad, w.grad)


def case_masked_fill(torch, show):
    x = leaf(torch)
    y = x * 2
    y.masked_fill_(torch.tensor([True, False, False]), 9.0)
    show(y)
    y.sum().backward()
    show(x.grad)


def case_no_grad_view(torch, show):
    x = leaf(torch)
    with torch.no_grad():
        v = x[:2]
    show(v.requires_grad, v.is_leaf, v.grad_fn, v._is_view())
    show.error(lambda: v.add_(1), NO_GRAD_VIEW)
    with torch.no_grad():
        v.add_(1)
    show(x)
    y = x.clone()
    with torch.no_grad():
        v = y[:2]
    show.error(lambda: v.mul_(2), NO_GRAD_VIEW)
    show(v.requires_grad)
    z = torch.zeros(3)
    with torch.no_grad():
        v = z[:2]
    v.add_(1)
    show(z)
    show.error(lambda: v.mul_(x[:2]), NO_GRAD_VIEW)


def case_no_grad_view_base_modified(torch, show):
    x = leaf(torch)
    y = x.clone()
    with torch.no_grad():
        v = y[:2]
    y.mul_(2)
    show.error(lambda: v.grad_fn, "its base or another view of its base has been modified inplace")


def case_view_inside_view_no_grad(torch, show):
    x = leaf(torch)
    y = x.clone()
    with torch.no_grad():
        v = y[:2]
    w = v[:1]
    show(w.requires_grad)
    show.error(lambda: w.mul_(2), "is being modified inplace")


def case_multi_output_views(torch, show):
    x = leaf(torch, 1.0, 2.0, 3.0, 4.0)
    for split in (
        lambda t: t.unbind(),
        lambda t: t.split(2),
        lambda t: t.chunk(2),
        lambda t: t.split([1, 3]),
        lambda t: t.tensor_split(2),
    ):
        y = x.clone()
        parts = split(y)
        show(parts[0], parts[0]._is_view(), parts[0]._base is y)
        show.error(lambda p=parts: p[0].add_(1), MULTI)
        show.error(lambda p=parts: p[0].view(-1).add_(1), MULTI)
        y = x.clone()
        parts = split(y)
        y.add_(1)
        show.error(lambda p=parts: p[0].grad_fn, MULTI)
        with torch.no_grad():
            parts = split(y)
            parts[0].zero_()
        show(y)


def case_multi_output_plain(torch, show):
    y = torch.ones(4)
    a, b = y.split(2)
    a.add_(1)
    show(y, a._version, y._version)
    w = torch.ones(2, requires_grad=True)
    show.error(lambda: a.mul_(w), MULTI)


def case_detach_inplace(torch, show):
    x = leaf(torch)
    y = x * 2
    z = y.detach_()
    show(z is y, y, y.is_leaf)
    show.error(lambda: x.view(3).detach_(), "Can't detach views in-place. Use detach() instead")
    show.error(lambda: torch.ones(3).view(3).detach_(), "Can't detach views in-place")
    show(x.detach_().requires_grad)


def case_requires_grad_setting(torch, show):
    x = torch.ones(2)
    show(x.requires_grad_() is x, x.requires_grad)
    x.requires_grad = False
    show(x.requires_grad)
    x.requires_grad = True
    y = x * 2
    show.error(
        lambda: setattr(y, "requires_grad", False),
        "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a subgraph that doesn't require differentiation use var_no_grad = var.detach().",
    )
    show.error(
        lambda: y.requires_grad_(False), "you can only change requires_grad flags of leaf variables"
    )
    show.error(
        lambda: setattr(y, "requires_grad", True),
        "you can only change requires_grad flags of leaf variables.",
    )
    show.error(
        lambda: torch.ones(2, dtype=torch.long).requires_grad_(), "only Tensors of floating point"
    )
    show.error(
        lambda: torch.tensor([1, 2], requires_grad=True),
        "Only Tensors of floating point and complex dtype can require gradients",
    )
    show.error(lambda: setattr(x, "requires_grad", 3), "requires_grad must be a bool")


def case_requires_grad_of_view(torch, show):
    x = torch.ones(3)
    v = x[:2]
    x.requires_grad_()
    show(v.requires_grad, v.is_leaf, v.grad_fn)
    w = x[:2]
    show(w.requires_grad)
    z = torch.ones(3)
    v = z[:2].requires_grad_()
    show(v.requires_grad, z.requires_grad, v.is_leaf)
    (v * 2).sum().backward()
    show(v.grad, z.grad)
    show.error(lambda: z.add_(v.sum()), "")


def case_expanded(torch, show):
    many = "more than one element of the written-to tensor refers to a single memory location"
    x = torch.ones(1)
    show.error(lambda: x.expand(3).add_(1), many)
    show.error(lambda: x.expand(3).copy_(torch.ones(3)), many)
    show.error(lambda: x.expand(3).zero_(), many)
    y = leaf(torch).clone()
    show.error(lambda: y.expand(2, 3).mul_(2), many)
    show.error(lambda: torch.ones(2).as_strided((3,), (0,)).add_(1), many)
    e = torch.ones(3).expand(1, 3)
    e.add_(1)
    show(e)


def case_expanded_by_op(torch, show):
    many = "more than one element of the written-to tensor refers to a single memory location"
    ones, mask, first = torch.ones(2, 3), torch.tensor([[True], [False]]), torch.tensor([0])
    writes = {
        "zero_": lambda t: t.zero_(),
        "fill_": lambda t: t.fill_(7),
        "masked_fill_": lambda t: t.masked_fill_(mask, 5.0),
        "index_fill_": lambda t: t.index_fill_(0, first, 5.0),
        "index_put_": lambda t: t.index_put_((first,), torch.tensor(4.0)),
        "indices": lambda t: t.__setitem__(first, 3.0),
        "a mask": lambda t: t.__setitem__(t > 1.5, 0.0),
        "tril_": lambda t: t.tril_(),
        "threshold": lambda t: torch.nn.functional.threshold(t, 1.5, 0.0, inplace=True),
    }
    for name, write in writes.items():
        t = torch.tensor([[1.0], [2.0]]).expand(2, 3)
        write(t)
        show(name, t, t._version)
    for write in (
        lambda t: t.fill_(torch.tensor(7.0)),
        lambda t: t.__setitem__(slice(None), 9.0),
        lambda t: t.__setitem__(0, 9.0),
        lambda t: t.__setitem__(Ellipsis, ones),
        lambda t: t.copy_(torch.tensor(5.0)),
        lambda t: t.relu_(),
        lambda t: t.clamp_(0, 1),
        lambda t: t.masked_scatter_(mask, ones),
        lambda t: t.scatter_(0, torch.zeros(2, 3, dtype=torch.int64), ones),
        lambda t: torch.add(ones, ones, out=t),
    ):
        t = torch.tensor([[1.0], [2.0]]).expand(2, 3)
        show.error(lambda write=write, t=t: write(t), many)
        show(t, t._version)


def case_partial_overlap(torch, show):
    some = "some elements of the input tensor and the written-to tensor refer to a single memory location"
    x = torch.arange(5.0)
    show.error(lambda: x[1:].add_(x[:-1]), some)
    show.error(lambda: x[:-1].mul_(x[1:]), some)
    show.error(lambda: torch.add(x[:3], 1, out=x[1:4]), some)
    x[:2].add_(x[2:4])
    x.add_(x)
    x[1:].mul_(x[1:])
    show(x)


def case_out(torch, show):
    x = leaf(torch)
    rule = "functions with out=... arguments don't support automatic differentiation, but one of the arguments requires grad."
    show.error(lambda: torch.add(x, 1, out=torch.empty(3)), rule)
    show.error(lambda: torch.exp(torch.ones(3), out=x), rule)
    show.error(
        lambda: torch.mm(
            torch.ones(2, 2, requires_grad=True), torch.ones(2, 2), out=torch.empty(2, 2)
        ),
        rule,
    )
    with torch.no_grad():
        out = torch.empty(3)
        show(torch.add(x, 1, out=out) is out, out, out._version)
        torch.add(x, 1, out=x)
        show(x, x._version)
    a = torch.zeros(3)
    v = a[:2]
    torch.add(torch.ones(2), 2, out=v)
    show(a, a._version)


def case_data_assignment(torch, show):
    x = leaf(torch)
    x.data = torch.tensor([5.0, 6.0])
    show(x, x._version, x.shape)
    y = x * 2
    x.data = torch.tensor([1.0, 1.0])
    y.sum().backward()
    show(x.grad)
    z = x**2
    x.data = torch.tensor([10.0, 10.0])
    z.sum().backward()
    show(x.grad)
    show.error(lambda: setattr(x, "data", 3), "")
    a = torch.ones(2)
    b = torch.zeros(2)
    a.data = b
    b.add_(1)
    show(a)


def case_data_of_leaf(torch, show):
    x = leaf(torch)
    d = x.data
    show(d.requires_grad, d.is_leaf, d.data_ptr() == x.data_ptr())
    x.data += 1
    show(x, x._version, x.is_leaf)
    x.data[0] = 9
    show(x)


def case_as_strided(torch, show):
    x = torch.arange(6.0, requires_grad=True)
    y = x.clone()
    v = y.as_strided((2, 2), (3, 1))
    show(v)
    y.mul_(2)
    show(v, v.grad_fn._saved_size, v.grad_fn._saved_stride, v.grad_fn._saved_storage_offset)
    v.sum().backward()
    show(x.grad)


def case_view_ops_gradient_after_base_write(torch, show):
    views = {
        "select": lambda t: t[1],
        "slice": lambda t: t[:, 1:],
        "step": lambda t: t[:, ::2],
        "transpose": lambda t: t.t(),
        "permute": lambda t: t.permute(1, 0),
        "view": lambda t: t.view(6),
        "unsqueeze": lambda t: t.unsqueeze(0),
        "squeeze": lambda t: t.unsqueeze(1).squeeze(1),
        "diagonal": lambda t: t.diagonal(),
        "narrow": lambda t: t.narrow(1, 1, 2),
        "flatten": lambda t: t.flatten(),
        "expand": lambda t: t.expand(2, 2, 3),
        "unfold": lambda t: t.unfold(1, 2, 1),
    }
    for name, view in views.items():
        x = torch.arange(1.0, 7.0).reshape(2, 3).requires_grad_()
        y = x.clone()
        v = view(y)
        y.mul_(y.clone())
        show(name, v)
        (v * v).sum().backward()
        show(x.grad)


def case_view_ops_write(torch, show):
    views = {
        "select": lambda t: t[1],
        "slice": lambda t: t[:, 1:],
        "step": lambda t: t[:, ::2],
        "transpose": lambda t: t.t(),
        "view": lambda t: t.view(6),
        "unsqueeze": lambda t: t.unsqueeze(0),
        "diagonal": lambda t: t.diagonal(),
        "narrow": lambda t: t.narrow(1, 1, 2),
        "movedim": lambda t: t.movedim(0, 1),
        "chain": lambda t: t.t()[1:].unsqueeze(0),
    }
    for name, view in views.items():
        x = torch.arange(1.0, 7.0).reshape(2, 3).requires_grad_()
        y = x * 1
        v = view(y)
        v.mul_(v.clone())
        show(name, y, v)
        (y * y + 0).sum().backward()
        show(x.grad)


def case_double_backward_through_view_write(torch, show):
    x = leaf(torch)
    y = x.clone()
    y[1:].mul_(y[1:].clone())
    (g,) = torch.autograd.grad((y**2).sum(), x, create_graph=True)
    show(g)
    (h,) = torch.autograd.grad(g.sum(), x, create_graph=True)
    show(h)
    show(torch.autograd.grad(h.sum(), x))


def case_double_backward_through_stale_view(torch, show):
    x = leaf(torch)
    y = x.clone()
    v = y[1:]
    y.mul_(x)
    (g,) = torch.autograd.grad((v**2).sum(), x, create_graph=True)
    show(g)
    show(torch.autograd.grad(g.sum(), x))


def case_copy_broadcast(torch, show):
    x, s = leaf(torch), torch.tensor(2.0, requires_grad=True)
    y = x.clone()
    y.copy_(s)
    show(y)
    (y * y).sum().backward()
    show(x.grad, s.grad)
    d = torch.zeros(3, dtype=torch.float64)
    d.copy_(x)
    show(d)
    d.sum().backward()
    show(x.grad)


def case_fill_and_zero(torch, show):
    x = leaf(torch)
    y = x * 2
    y.fill_(3.0)
    show(y)
    y.sum().backward()
    show(x.grad)
    y = x * 2
    y.zero_()
    show(y)
    y.sum().backward()
    show(x.grad)


def case_inplace_shape_changes(torch, show):
    x = torch.ones(2, 3, requires_grad=True)
    y = x * 2
    y.t_()
    show(y, y._version, y._is_view())
    y.sum().backward()
    show(x.grad)
    y = x * 2
    y.unsqueeze_(0)
    y.squeeze_(0)
    y.transpose_(0, 1)
    show(y, y._version)
    show.error(lambda: x.t_(), LEAF)


def case_unused_after_write(torch, show):
    x = leaf(torch)
    y = x * 2
    node = y.grad_fn
    y.mul_(3)
    show(node.name(), y.grad_fn.name(), y.grad_fn.next_functions[0][0] is node)


def case_preserve_version_counter(torch, show):
    preserve = torch.autograd._unsafe_preserve_version_counter
    x = leaf(torch)
    y = x * 2
    z = y * y
    with preserve(y):
        y.detach().add_(0)
    z.sum().backward()
    show(x.grad, y._version)
    with preserve((y,)):
        y.add_(1)
    show(y._version)


def case_increment_version(torch, show):
    increment = torch.autograd.graph.increment_version
    x = torch.ones(2)
    increment(x)
    show(x._version)
    increment([x, x])
    show(x._version)
    y = torch.ones(2, requires_grad=True)
    z = y * x
    increment(x)
    show.error(lambda: z.sum().backward(), "modified by an inplace operation")
    show.error(lambda: increment([3]), "")


def case_is_leaf(torch, show):
    x = leaf(torch)
    show(x.is_leaf, (x * 2).is_leaf, torch.ones(2).is_leaf, (torch.ones(2) * 2).is_leaf)
    show(x.detach().is_leaf, x.clone().is_leaf, x.data.is_leaf, x[0].is_leaf)
    with torch.no_grad():
        show((x * 2).is_leaf)


def case_inplace_under_no_grad_keeps_history(torch, show):
    x = leaf(torch)
    y = x * 2
    with torch.no_grad():
        y.add_(1)
    show(y, y._version)
    y.sum().backward()
    show(x.grad)


def case_integer_inplace(torch, show):
    x = torch.arange(4)
    v = x[::2]
    v += 10
    show(x, v)
    x[x > 5] = -1
    show(x)
    b = torch.tensor([True, False])
    b.logical_not_()
    show(b)


def case_view_of_detached(torch, show):
    x = leaf(torch)
    y = x * 1
    d = y.detach()[:2]
    d.add_(5)
    show(y, d, y._version, d.requires_grad)
    y.sum().backward()
    show(x.grad)


def case_swap_through_temp(torch, show):
    x = torch.arange(4.0)
    a = x[0].clone()
    x[0] = x[3]
    x[3] = a
    show(x)


def case_view_and_dtype(torch, show):
    z = torch.tensor([1 + 2j, 3 + 4j])
    r = torch.view_as_real(z)
    r[:, 0].add_(10)
    show(z, r._is_view(), z._version)
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    c = torch.zeros(2, dtype=torch.complex64)
    torch.view_as_real(c)[:, 1].copy_(w)
    show(c)
    c.abs().sum().backward()
    show(w.grad)


def case_real_imag_views(torch, show):
    z = torch.tensor([1 + 2j, 3 + 4j], requires_grad=True)
    y = z * 1
    y.real.mul_(2)
    show(y, y.real._is_view())
    y.imag.sum().backward()
    show(z.grad)


def case_data_ptr(torch, show):
    x = torch.arange(6.0)
    show(
        x.data_ptr() == x.view(2, 3).data_ptr(),
        x[1:].data_ptr() - x.data_ptr(),
        x.clone().data_ptr() == x.data_ptr(),
    )
    show(x.storage_offset(), x[2:].storage_offset(), x.view(2, 3)[1].storage_offset())
    show(x.detach().data_ptr() == x.data_ptr())
    p = x.data_ptr()
    x.add_(1)
    show(x.data_ptr() == p)


def case_invalid_history_is_shown(torch, show):
    base = torch.ones(2, 2, requires_grad=True).clone()
    first, second = base.unbind(0)
    with torch.no_grad():
        first.mul_(2)
    show(repr(first), base)
    show.error(lambda: first.grad_fn, "its base or another view of its base has been modified")
    show.error(lambda: second + 1, "Output 1 of Unbind is a view")


def case_view_that_requires_grad_itself(torch, show):
    base = torch.zeros(3)
    view = base[1:]
    view.requires_grad_()
    show(view.is_leaf, base.requires_grad)
    show.error(lambda: view.mul_(2), "a view of a leaf Variable that requires grad is being used")
    base.mul_(2)
    show(view.grad_fn, view._version)


def case_conjugates_are_seen_again(torch, show):
    z = torch.ones(2, dtype=torch.complex64, requires_grad=True) * 1
    view = z.conj()
    z.mul_(2j)
    show(view.grad_fn.name(), view.resolve_conj(), view.is_conj())
    view.mul_(1j)
    show(z.resolve_conj(), z.grad_fn.name(), view.grad_fn.name())
    z.real.add_(1)
    show(view.grad_fn.name(), view.resolve_conj())


def case_function_that_writes_to_a_no_grad_view(torch, show):
    class Add(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.mark_dirty(x)
            return x.add_(y)

        @staticmethod
        def backward(ctx, g):
            return g, g

    base = torch.ones(2, 2, requires_grad=True).clone()
    with torch.no_grad():
        view = base[0]
    show.error(
        lambda: Add.apply(view, torch.ones(2)),
        "a leaf Variable that requires grad has been used in an in-place operation.",
    )


def case_data_of_another_dtype_takes_gradients_in_it(torch, show):
    x = torch.ones(3, requires_grad=True)
    kept = (x * 2).grad_fn
    x.data = x.data.double()
    (x * 2).sum().backward()
    show(x.grad, kept.name())


def case_set_of_inference_tensors(torch, show):
    with torch.inference_mode():
        x = torch.ones(3)
    show.error(
        lambda: x.set_(torch.ones(2)), "Inplace update to inference tensor outside InferenceMode"
    )
    show(x.is_inference())


def case_an_argument_that_the_write_changes(torch, show):
    """It is saved as it was before the write, and is therefore modified afterwards."""
    writes = (
        lambda b: b.mul_(b), lambda b: b.mul_(b.view(3)), lambda b: b[1:].mul_(b[:1]),
        lambda b: b.div_(b), lambda b: b.addcmul_(b, b), lambda b: b[:1].mul_(b[1:2]),
        lambda b: b.mul_(b.detach()), lambda b: b.add_(b), lambda b: b.pow_(b),
    )  # fmt: skip
    for write in writes:
        x = leaf(torch)
        b = x.clone()
        write(b)
        show(b)
        try:
            b.sum().backward()
        except RuntimeError as error:
            show([part in str(error) for part in ("an inplace operation", "expected version 0")])
        show(x.grad)


def case_elements_that_share_memory_seen_as_conjugates(torch, show):
    for write in (
        lambda z: z.conj().unfold(0, 1, 1).sin_(),
        lambda z: z.conj().imag.unfold(0, 1, 1).mul_(2),
        lambda z: z.unfold(0, 1, 1).conj().mul_(1j),
        lambda z: z.conj().expand(1, 3).mul_(1j),
        lambda z: z.unfold(0, 1, 1).imag.mul_(2),
        lambda z: z.conj().unfold(0, 1, 1).imag.add_(2),
        lambda z: z.conj().unfold(0, 1, 1).conj().mul_(2j),
        lambda z: z.conj().as_strided((2,), (1,)).mul_(1j),
        lambda z: torch.view_as_complex(torch.view_as_real(z)).unfold(0, 1, 1).mul_(2),
        lambda z: torch.view_as_complex(torch.view_as_real(z).unfold(0, 1, 1)[..., 0]).mul_(2),
    ):
        z = torch.tensor([1 + 2j, 3 - 1j, 0.5j])
        write(z)
        show(z, z._version)
    x = torch.arange(5.0)
    x.unfold(0, 2, 2).unfold(1, 1, 1).mul_(2)
    show(x)

# ruff: noqa: E501 (phrases of error messages are searched for as they are)
"""Memory below tensors: `set_`, `resize_`, storages, `.data`, strides, elements that share memory."""

import functools


def leaf(torch, *values):
    return torch.tensor(list(values or (1.0, 2.0, 3.0)), requires_grad=True)


def case_set(torch, show):
    x, y = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([4.0, 5.0])
    show(x.set_(y) is x, x, x._version, x.data_ptr() == y.data_ptr())
    y.add_(1)
    show(x, x._version, y._version, x.is_set_to(y), x.is_set_to(y[:1]))
    show(torch.zeros(2).set_().shape)
    show(torch.zeros(3).set_(torch.arange(6.0).storage(), 1, (2,), (2,)))
    show(torch.zeros(3).set_(torch.arange(6.0).untyped_storage()))
    show.error(
        lambda: torch.zeros(2).set_(torch.zeros(2, dtype=torch.int64)),
        "Could not set tensor of type",
    )


def case_set_and_gradients(torch, show):
    x = leaf(torch)
    show.error(
        lambda: x.set_(torch.zeros(3)),
        "a leaf Variable that requires grad is being used in an in-place operation",
    )
    with torch.no_grad():
        x.set_(torch.ones(2))
    show(x, x._version)
    y = torch.zeros(3).set_(leaf(torch))
    show(y.requires_grad, y.grad_fn)


def case_resize(torch, show):
    x = torch.arange(4.0)
    show(x.resize_(2, 2) is x, x, x._version)
    show(x.resize_(3), x.resize_((2,)), x.storage().size(), x.resize_(4))
    z = torch.arange(4.0)
    show(z.resize_as_(torch.zeros(2, 2)))
    v = torch.arange(4.0)[1:]
    show(v.resize_(2), v.storage_offset())
    show(torch.zeros(2).resize_(3).shape)
    for tensor in (leaf(torch), leaf(torch) * 2):
        show.error(lambda t=tensor: t.resize_(3, 1), "cannot resize variables that require grad")
    show((leaf(torch) * 2).detach().resize_(3, 1))


def case_storage_faces(torch, show):
    x = torch.arange(4.0)
    s, t = x.untyped_storage(), x.storage()
    show(type(s).__name__, s.size(), s.nbytes(), len(s), s.data_ptr() == x.data_ptr())
    show(t.size(), len(t), t.tolist(), t[1], t.data_ptr() == x.data_ptr())
    v = x[2:]
    show(v.untyped_storage().data_ptr() == s.data_ptr(), v.data_ptr() - x.data_ptr())
    show(v.untyped_storage()._cdata == s._cdata, x.clone().untyped_storage()._cdata == s._cdata)
    t[0] = 9.0
    show(x, v)
    show(torch.arange(6.0).view(2, 3).t().clone().storage().tolist())


def case_data_of_another_shape(torch, show):
    x = leaf(torch)
    x.data = torch.zeros(2, 2)
    (x * 2).sum().backward()
    show(x, x._version, x.grad)
    x.data = torch.ones(5)
    show(x.grad.shape, x.shape)
    show.error(lambda: (x * 2).sum().backward(), "must match the size of tensor b (5)")
    w = leaf(torch)
    out = (w * w).sum()
    w.data = torch.ones(2, 2)
    show.error(
        out.backward,
        "The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 1",
    )
    show((torch.ones(2) + 1) * 2)


def case_data_of_another_dtype(torch, show):
    x = leaf(torch)
    x.data = x.data.double()
    (x * 2).sum().backward()
    show(x, x.grad)

    def integers():
        x.data = torch.tensor([1, 2, 3])

    show.error(
        integers,
        "data set to a tensor that requires gradients must be floating point or complex dtype",
    )

    def delete():
        del x.data

    show.error(delete, "Deleting tensor data is not allowed. Delete tensor instead!")
    z = torch.zeros(3)
    z.data = torch.tensor([1, 2])
    show(z)


def case_data_keeps_the_version(torch, show):
    x = torch.zeros(2).add_(1).add_(1)
    y = torch.ones(3)
    x.data = y
    show(x._version, y._version)
    y.add_(1)
    show(x, x._version, y._version)
    x.add_(1)
    show(y, x._version, y._version)


def case_write_to_part_of_expanded(torch, show):
    x = torch.arange(3.0)
    v = x.expand(2, 3)
    v[0].add_(1)
    v[1, 1] = 9.0
    show(x, v, x._version)
    z = torch.zeros(1)
    z.expand(3)[1].add_(5)
    show(z)
    show.error(
        lambda: v.add_(1),
        "more than one element of the written-to tensor refers to a single memory location",
    )
    show(v.fill_(7.0), x)
    a = leaf(torch)
    b = a.clone()
    b.expand(2, 3)[0].mul_(2)
    show(b)
    b.sum().backward()
    show(a.grad)


def case_stale_view_that_shares(torch, show):
    views = (
        lambda t: t.view(3, 1).expand(3, 4), lambda t: t.unfold(0, 2, 1),
        lambda t: t.as_strided((2, 2), (1, 1)), lambda t: t.expand(2, 3)[1],
    )  # fmt: skip
    for view in views:
        for create_graph in (False, True):
            a = leaf(torch)
            b = a.clone()
            v = view(b)
            b.mul_(2)
            show(torch.autograd.grad(v.sum(), a, create_graph=create_graph)[0].tolist())


def case_as_strided_goes_by_memory(torch, show):
    for size, stride, offset in (
        ((2, 2), (2, 1), 0),
        ((2, 2), (1, 1), 0),
        ((2, 3), (0, 1), 0),
        ((3,), (2,), 1),
    ):
        x = torch.arange(6.0, requires_grad=True)
        for base in (x, x.view(2, 3).t(), x[1:], x.view(2, 3)[:, 1:]):
            y = base.as_strided(size, stride, offset)
            (g,) = torch.autograd.grad((y * y).sum(), x)
            show(y, y._is_view(), g)
    x = torch.arange(3.0, requires_grad=True)
    y = x.expand(2, 3).as_strided((2,), (1,))
    show(y, torch.autograd.grad((y * y).sum(), x)[0])
    a = torch.arange(6.0, requires_grad=True)
    b = a.clone()
    b.view(2, 3).t().as_strided((2,), (2,)).mul_(5)
    show(b, torch.autograd.grad(b.sum(), a)[0])


def case_complex_views_write(torch, show):
    y = torch.ones(2, 2, requires_grad=True)
    b = y.clone()
    torch.view_as_complex(b).mul_(1j)
    show(b, torch.autograd.grad(b.sum(), y)[0])
    x = torch.tensor([1 + 2j, 3 + 4j], requires_grad=True)
    a = x.clone()
    r = torch.view_as_real(a)
    r.mul_(2)
    show(a, r.grad_fn, torch.autograd.grad(a.abs().sum(), x)[0])
    z = torch.tensor([1 + 2j, 3 + 4j])
    z.real = torch.tensor([5.0, 6.0])
    z.imag[0] = 9
    show(z)


def case_view_of_another_dtype(torch, show):
    x = torch.ones(4)
    for dtype in (torch.int32, torch.float32, torch.uint8):
        v = x.view(dtype)
        show(v._is_view(), v.requires_grad, v.shape)
    x.view(torch.int32)[0] = 0
    show(x)


def laid_out(torch):
    """Tensors that lie in memory in different ways."""
    x = torch.arange(120.0).reshape(2, 3, 4, 5)
    return [
        torch.ones(2, 3), torch.ones(2, 3).t(), torch.ones(1, 3).expand(2, 3), x,
        x.contiguous(memory_format=torch.channels_last), x[:, 1:], x[:, :, ::2],
    ]  # fmt: skip


def case_memory_formats(torch, show):
    rank = "required rank 4 tensor to use channels_last format"
    copies = {
        "clone": lambda t, **given: t.clone(**given),
        "torch.clone": lambda t, **given: torch.clone(t, **given),
        "to": lambda t, **given: t.to(**given),
        "to dtype": lambda t, **given: t.to(torch.float64, **given),
        "a copy": lambda t, **given: t.to(torch.float32, copy=True, **given),
        "double": lambda t, **given: t.double(**given),
        "type": lambda t, **given: t.type(torch.float64, **given),
        "cpu": lambda t, **given: t.cpu(**given),
        "empty_like": lambda t, **given: torch.empty_like(t, **given),
        "zeros_like": lambda t, **given: torch.zeros_like(t, **given),
        "resize_as_": lambda t, **given: torch.zeros(0).resize_as_(t, **given),
    }
    for name, copied in copies.items():
        for t in laid_out(torch):
            show(name, copied(t).stride())
            for format in (torch.contiguous_format, torch.preserve_format):
                show(name, str(format), copied(t, memory_format=format).stride())
            if t.dim() == 4:
                show(name, copied(t, memory_format=torch.channels_last).stride())
            else:
                show.error(functools.partial(copied, t, memory_format=torch.channels_last), rank)


def case_memory_formats_of_new_tensors(torch, show):
    x = torch.ones(2, 3, 4, 5)
    show(torch.empty(2, 3, 4, 5, memory_format=torch.channels_last).stride())
    show.error(
        lambda: torch.empty(2, 3, memory_format=torch.preserve_format),
        "unsupported memory format Preserve",
    )
    show(torch.zeros(4).resize_(2, 3, 4, 5, memory_format=torch.channels_last).stride())
    show.error(
        lambda: torch.zeros(4).resize_(2, 2, memory_format=torch.preserve_format),
        "Unsupported memory formatPreserve",
    )
    show(x.contiguous(memory_format=torch.preserve_format) is x)
    show.error(
        lambda: x.transpose(0, 1).contiguous(memory_format=torch.preserve_format),
        "preserve memory format is unsupported by the contiguous operator",
    )
    show([t.is_contiguous(memory_format=torch.preserve_format) for t in laid_out(torch)])
    show([t.to(memory_format=torch.contiguous_format) is t for t in laid_out(torch)])
    y = torch.empty_like(x.transpose(0, 1), memory_format=torch.contiguous_format)
    show(y.stride(), y.is_contiguous())


def case_clone_as_a_function(torch, show):
    x = torch.arange(6.0).reshape(2, 3).t().requires_grad_()
    y = torch.clone(x, memory_format=torch.contiguous_format)
    show(y, y.stride(), torch.clone(input=x).stride())
    y.sum().backward()
    show(x.grad, x.grad.stride())

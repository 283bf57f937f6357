# ruff: noqa: E501 (phrases of error messages are searched for as they are)
"""Writes through elements that share memory, masks, copies of views, inference tensors, files."""

import io


def case_writes_to_elements_that_share_memory(torch, show):
    mask, one = torch.tensor([True, False, False]), torch.tensor([1])

    def expanded(write):
        x = torch.zeros(2, 1)
        view = x.expand(2, 3)
        write(view)
        show(view, x)

    expanded(lambda x: x[0].masked_fill_(mask, 2.0))
    expanded(lambda x: x.masked_fill_(mask, torch.tensor(3.0)))
    expanded(lambda x: x.index_fill_(1, one, 4.0))
    expanded(lambda x: x.index_put_((one, one), torch.tensor(5.0)))
    expanded(lambda x: x.__setitem__((0, mask), 6.0))
    expanded(lambda x: x.__setitem__((slice(None), one), 7.0))
    expanded(lambda x: x.tril_())
    for write in (lambda x: x.add_(1), lambda x: x.mul_(2)):
        show.error(
            lambda write=write: write(torch.zeros(2, 1).expand(2, 3)),
            "more than one element of the written-to tensor refers to a single memory location",
        )
    a = torch.zeros(1, requires_grad=True)
    x = (a * 1).expand(3)
    x.masked_fill_(mask, 2.0)
    show(x.detach(), x.grad_fn.name())
    show.error(lambda: x.sum().backward(), "more than one element of the written-to tensor")


def case_masked_scatter_needs_enough(torch, show):
    x, mask = torch.zeros(2, 3), torch.tensor([True, False, True])
    show.error(
        lambda: x.masked_scatter(mask, torch.ones(3)),
        "Number of elements of source < number of ones in mask",
    )
    show.error(
        lambda: x.masked_scatter_(mask, torch.ones(0)),
        "Number of elements of source < number of ones in mask",
    )
    show(x, x.masked_scatter(mask, torch.arange(4.0)))
    show.error(lambda: x.masked_scatter(mask.byte(), torch.ones(6)), "only supports boolean masks")


def case_byte_masks(torch, show):
    x, mask = torch.zeros(3), torch.tensor([1, 0, 1], dtype=torch.uint8)
    show.error(lambda: x.__setitem__(mask, 1.0), "masked_fill_ only supports boolean masks")
    show.error(lambda: x.masked_fill(mask, 1.0), "masked_fill_ only supports boolean masks")
    show.error(lambda: x.masked_select(mask), "expected BoolTensor for mask")
    x[mask] = torch.tensor([1.0, 2.0])
    show(x, x[mask])


def case_hooks_of_freed_saved_tensors(torch, show):
    a = torch.ones(2, requires_grad=True)
    y = a.exp()
    saved = y.grad_fn._raw_saved_result
    y.sum().backward()
    show.error(
        lambda: saved.register_hooks(lambda x: x, lambda x: x),
        "Calling register_hooks on a saved tensor after it has been freed",
    )
    y = a.pow(2)
    saved = y.grad_fn._raw_saved_self
    saved.register_hooks(lambda x: 3 * x, lambda x: x)
    y.sum().backward()
    show(a.grad)


def case_names_of_what_out_returns(torch, show):
    x = torch.tensor([[1.0, 2.0], [4.0, 3.0]])
    for name in ("max", "min", "sort", "median", "mode", "cummax", "cummin", "nanmedian"):
        values, indices = torch.empty(0), torch.empty(0, dtype=torch.int64)
        found = getattr(torch, name)(x, 1, out=(values, indices))
        show(type(found), found.values is values, found.indices is indices, values, indices)
    low, high = torch.empty(0), torch.empty(0)
    show(type(torch.aminmax(x, out=(low, high))), low, high)


def gradients(torch, show, function, *inputs):
    inputs = [x.clone().requires_grad_() for x in inputs]
    result = function(*inputs)
    parts = result if isinstance(result, tuple | list) else [result]
    total = sum((part * part).sum() for part in parts)
    show(type(result), result, [part._is_view() for part in parts])
    show(torch.autograd.grad(total, inputs))


def case_copies_of_views(torch, show):
    x = torch.arange(6.0).view(2, 3)
    for name, args in {
        "view": ((3, 2),), "expand": ((2, 2, 3),), "select": (0, 1), "slice": (1, 0, 3, 2),
        "transpose": (0, 1), "permute": ((1, 0),), "t": (), "squeeze": (), "unsqueeze": (0,),
        "diagonal": (), "as_strided": ((2,), (1,)), "alias": (), "split": (1,),
        "split_with_sizes": ([1, 1],), "unbind": (), "unfold": (1, 2, 1),
    }.items():  # fmt: skip
        gradients(torch, show, lambda x, n=name, a=args: getattr(torch, f"{n}_copy")(x, *a), x)
    show(torch.squeeze_copy(x.view(1, 2, 3), 0), torch.detach_copy(x))
    show(torch.view_as_complex_copy(torch.ones(2, 2)))


def case_unsafe_parts(torch, show):
    x = torch.arange(6.0).view(2, 3)
    gradients(torch, show, lambda x: torch.unsafe_split(x, 2, 1), x)
    gradients(torch, show, lambda x: x.unsafe_chunk(2, 1), x)
    gradients(torch, show, lambda x: x.unsafe_split_with_sizes([1, 2], 1), x)
    gradients(torch, show, lambda x: torch.narrow_copy(x, 1, 1, 2), x)
    show.error(lambda: x.narrow_copy(0, 1, 5), "start (1) + length (5) exceeds dimension size (2)")


def case_scatter_into_views(torch, show):
    x, s = torch.arange(6.0).view(2, 3), torch.ones(2)
    gradients(torch, show, lambda x, s: torch.as_strided_scatter(x, s, (2,), (2,), 1), x, s)
    gradients(torch, show, lambda x, s: x.diagonal_scatter(s, 1), x, s)
    gradients(torch, show, lambda x, s: x.select_scatter(s, 1, -1), x, s)
    gradients(torch, show, lambda x, s: x.slice_scatter(s, 1, 0, 3, 2), x, torch.ones(2, 2))
    show.error(
        lambda: torch.as_strided_scatter(x, torch.ones(3), (2,), (1,)),
        "expected src to have a size equal to the slice of self",
    )


def case_data_of_inference_tensors(torch, show):
    with torch.inference_mode():
        a = torch.ones(2)
    a.data.add_(1)
    show(a, a.data._version, a.data.is_inference())
    b = torch.zeros(2)
    b.data = a
    show(b, b.is_inference())
    show.error(
        lambda: a.add_(1), "Inplace update to inference tensor outside InferenceMode is not allowed"
    )
    show.error(lambda: a._version, "Inference tensors do not track version counter")
    show.error(
        lambda: torch.nn.Parameter(a),
        "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed",
    )
    x = torch.ones(2, requires_grad=True)
    x.grad = a
    show.error(
        lambda: (x * 2).sum().backward(),
        "Inplace update to inference tensor outside InferenceMode is not allowed",
    )


def case_transforms_in_inference_mode(torch, show):
    x = torch.ones(2)

    def square(x):
        with torch.enable_grad():
            return (x**2).sum()

    with torch.inference_mode():
        y = torch.ones(2)
        show(torch.func.grad(square)(x), torch.func.grad(square)(y))
        show(torch.func.grad(lambda x: (x**2).sum())(y), torch.is_inference_mode_enabled())
        with torch.enable_grad():
            show(torch.func.grad(lambda x: (x**2).sum())(x))
    show(torch.is_inference_mode_enabled(), torch.is_grad_enabled())


def case_tangents_of_another_dtype(torch, show):
    for primal, tangent in (
        (torch.float32, torch.float64),
        (torch.float64, torch.float32),
        (torch.float32, torch.complex64),
    ):
        x, t = torch.ones(2, dtype=primal), torch.ones(2, dtype=tangent)
        value, found = torch.func.jvp(torch.exp, (x,), (t,))
        show(value, found.tolist())


def case_refused_by_vmap(torch, show):
    x = torch.arange(6.0).view(2, 3)
    for function, phrase in (
        (lambda x: x.nonzero(), "Attempted to vmap over aten::nonzero"),
        (lambda x: x.unique(), "Attempted to vmap over aten::_unique2"),
        (lambda x: torch.unique(x, dim=0), "Attempted to vmap over aten::unique_dim"),
        (lambda x: torch.unique_consecutive(x), "Attempted to vmap over aten::unique_consecutive"),
        (lambda x: x.masked_select(x > 1), "Attempted to vmap over `mask` in torch.masked_select(self, mask)"),
        (lambda x: torch.equal(x, x), "Batching rule not implemented for aten::equal"),
        (lambda x: torch.allclose(x, x), "vmap over torch.allclose isn't supported yet"),
        (lambda x: torch.add(x, x, out=torch.empty(3)), "Batching rule not implemented for aten::add.out"),
        (lambda x: torch.exp(x, out=torch.zeros_like(x)), "the fallback path doesn't work on out= or view ops"),
    ):  # fmt: skip
        show.error(lambda function=function: torch.vmap(function)(x), phrase)


def case_files_keep_shared_memory(torch, show):
    def saved(item):
        file = io.BytesIO()
        torch.save(item, file)
        file.seek(0)
        return torch.load(file)

    x = torch.arange(4.0)
    a, b, c, d = saved([x, x[1:], x.view(2, 2), x.view(2, 2).t()])
    a.mul_(2)
    show(a, b, c, d, b.storage_offset(), d.stride(), b._is_view())
    show(a.untyped_storage().data_ptr() == b.untyped_storage().data_ptr())
    show(
        saved(torch.arange(100.0)[:2]).untyped_storage().nbytes(),
        saved(torch.zeros(0, 2)),
        saved(torch.tensor(1.0)),
    )
    one, two = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    two.weight = one.weight
    state = saved(torch.nn.Sequential(one, two).state_dict())
    show(state["0.weight"].data_ptr() == state["1.weight"].data_ptr())


def case_angle_at_the_origin(torch, show):
    y = torch.tensor([0.0, 0.0, 1e-30, 1.0], requires_grad=True)
    x = torch.tensor([0.0, 1.0, 0.0, 0.0], requires_grad=True)
    show(torch.autograd.grad(torch.atan2(y, x).sum(), (y, x)))
    (g,) = torch.autograd.grad(torch.atan2(y[1:2], x[1:2]).sum(), y, create_graph=True)
    show(torch.autograd.grad(g.sum(), (y, x)))
    show(torch.complex(y, x)[:1].angle().detach())

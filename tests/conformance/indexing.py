# ruff: noqa: E501 (phrases of error messages are searched for as they are)
"""Indexing and its in-place forms: what is a view, what is written, what is out of bounds."""


def leaf(torch, *values):
    return torch.tensor(list(values or (1.0, 2.0, 3.0)), requires_grad=True)


def case_out_of_bounds(torch, show):
    t = torch.tensor
    x = torch.arange(6.0).view(2, 3)
    show.error(lambda: x.index_select(0, t([2])), "index out of range in self")
    show.error(lambda: x.index_select(0, t([-1])), "index out of range in self")
    show.error(
        lambda: x.gather(1, t([[3]])), "index 3 is out of bounds for dimension 1 with size 3"
    )
    show.error(
        lambda: torch.gather(x, -1, t([[-1]])),
        "index -1 is out of bounds for dimension 1 with size 3",
    )
    show.error(
        lambda: x.scatter(1, t([[3]]), 1.0), "index 3 is out of bounds for dimension 1 with size 3"
    )
    show.error(
        lambda: x.clone().scatter_(1, t([[3]]), 1.0),
        "index 3 is out of bounds for dimension 1 with size 3",
    )
    show.error(
        lambda: x.index_copy(0, t([5]), torch.ones(1, 3)),
        "index 5 is out of bounds for dimension 0 with size 2",
    )
    show.error(
        lambda: x.index_fill(0, t([5]), 1.0), "index 5 is out of bounds for dimension 0 with size 2"
    )
    show.error(
        lambda: x.take(t([6])), "out of range: tried to access index 6 on a tensor of 6 elements"
    )
    show.error(
        lambda: x.put(t([9]), t([1.0])),
        "out of range: tried to access index 9 on a tensor of 6 elements",
    )
    show(x.take(t([-6])), x.index_fill(0, t([-1]), 9.0), x.gather(dim=1, index=t([[2]])))


def case_index_put(torch, show):
    t, x = torch.tensor, leaf(torch)
    for accumulate in (False, True):
        show.error(
            lambda a=accumulate: x.index_put((t([3]),), t([5.0]), a),
            "index 3 is out of bounds for dimension 0 with size 3",
        )
        show.error(
            lambda a=accumulate: torch.index_put(x, (t([0]), t([0])), t([5.0]), a),
            "too many indices for tensor of dimension 1",
        )
        show(torch.index_put(x, (t([0, 0]),), t([5.0, 6.0]), accumulate))
    show.error(
        lambda: x.index_put(t([0]), t([5.0])),
        "argument 'indices' (position 1) must be tuple of Tensors, not Tensor",
    )


def case_delete_item(torch, show):
    def delete():
        del x[0]

    x = torch.ones(3)
    show.error(delete, "Tensor does not support deleting items")


def case_assign_a_zero_dim_tensor(torch, show):
    for index in (..., (), slice(None), 0):
        x, v = torch.ones(2, 2, requires_grad=True), torch.tensor(2.0, requires_grad=True)
        y = x.clone()
        y[index] = v
        y.sum().backward()
        show(y.grad_fn, x.grad, v.grad)


def case_assign_to_nothing(torch, show):
    x = torch.ones(2, requires_grad=True).clone()
    x[False] = 5.0
    show(x, x._version)
    x[0:0] = 5.0
    show(x, x._version)


def case_parts_are_tuples(torch, show):
    x = torch.arange(4.0)
    for parts in (
        x.split(1),
        x.chunk(2),
        x.split([1, 3]),
        x.tensor_split(2),
        x.hsplit(2),
        x.unbind(),
        torch.split(x, 2),
    ):
        show(type(parts).__name__, len(parts))


def case_unique(torch, show):
    x = torch.tensor([3.0, 1.0, 1.0, 2.0], requires_grad=True)
    show(x.unique(), torch.unique(x, return_counts=True), torch.unique_consecutive(x))
    show(torch.unique(x.view(2, 2), dim=0))
    show.error(x.unique().sum().backward, "the derivative for '_unique2' is not implemented")
    show.error(
        torch.unique_consecutive(x).sum().backward,
        "the derivative for 'unique_consecutive' is not implemented",
    )
    show(x.detach().unique())


def case_detach_function(torch, show):
    x = leaf(torch)
    y = torch.detach(x)
    show(y.requires_grad, y._is_view(), y.data_ptr() == x.data_ptr())


def case_out_arguments(torch, show):
    x = torch.ones(3)
    show.error(
        lambda: torch.add(x, 1, out=torch.zeros(3, dtype=torch.int64)),
        "result type Float can't be cast to the desired output type Long",
    )
    show.error(lambda: torch.sin(x, out=3), "argument 'out' must be Tensor, not int")
    show.warning(
        lambda: torch.add(x, 1, out=torch.zeros(2)),
        "An output with one or more elements was resized",
    )
    show.warning(lambda: torch.add(x, 1, out=torch.zeros(0)), "resized")
    y = torch.arange(6.0)
    show.error(
        lambda: torch.cat([y[:3], y[3:]], out=y),
        "some elements of the input tensor and the written-to tensor refer to a single memory location",
    )


def case_aten(torch, show):
    x = leaf(torch)
    y = torch.ops.aten.alias(x)
    show(torch.ops.aten.mul.Tensor(x, x), torch.ops.aten.exp(x).grad_fn)
    show(str(torch.ops.aten.mul.Tensor), repr(torch.ops.aten.exp.default), y._is_view())
    show(torch.ops.aten.mul.Tensor is torch.ops.aten.mul.Tensor, torch.ops.aten.mul.Tensor.name())


def case_text_is_no_index(torch, show):
    x = torch.ones(3, 4)
    for index in ("a", b"a", ["a"], (1, "a")):
        show.error(lambda index=index: x[index], "new(): invalid data type")
        show.error(lambda index=index: x.__setitem__(index, 1.0), "new(): invalid data type")


def case_sources_of_another_size(torch, show):
    x, one, two = torch.ones(3, 4), torch.tensor([0]), torch.tensor([0, 1])
    phrase = "Number of indices (1) should be equal to source.size(dim): (2), for dim: 0"
    show.error(lambda: x.index_add(0, one, torch.ones(2, 4)), phrase)
    phrase = "source tensor shape must match self tensor shape, excluding the specified dimension."
    show.error(lambda: x.index_add(0, two, torch.ones(2, 3)), phrase)
    show.error(lambda: x.index_add(0, two, torch.ones(4)), "should be equal to source.size(dim)")
    show.error(lambda: x.index_copy(0, one, torch.ones(2, 4)), "Number of indices (1) should be")
    show.error(lambda: x.index_copy(0, two, torch.ones(2, 3)))
    phrase = "Expected source and index to have the same number of elements"
    show.error(lambda: x.put(one, torch.ones(2)), phrase)


def case_mask_is_overwritten(torch, show):
    x = torch.arange(6.0).reshape(2, 3).requires_grad_()
    row, place = torch.tensor([True, False]), torch.tensor([[True, False, True]] * 2)
    phrase = "modified by an inplace operation"
    for mask, index in (
        (row, row), (place, place), (row, (row, 1)), (row, (row, [True, False, False])),
    ):  # fmt: skip
        y = x[index]
        show(torch.autograd.grad(y.sum(), x, retain_graph=True))
        mask.logical_not_()
        show.error(lambda y=y: y.sum().backward(), phrase)


def case_masks_of_bytes(torch, show):
    mask, x, warned = torch.tensor([1, 0, 1], dtype=torch.uint8), torch.arange(3.0), "torch.uint8"
    show(show.warning(lambda: x[mask], warned))
    show(show.warning(lambda: torch.arange(6.0).view(3, 2)[mask, 0], warned))
    show(show.warning(lambda: x.index_put((mask,), torch.ones(2)), warned))
    one = torch.tensor(5.0)
    show(show.warning(lambda: x.index_put((mask,), one, accumulate=True), warned))
    show.error(lambda: x.clone().index_put_((mask,), one), "only supports boolean masks")
    show.error(lambda: x.clone().__setitem__(mask, 5.0), "only supports boolean masks")
    show.warning(lambda: x.__setitem__(mask, torch.ones(2)), warned)
    show(x)


def case_distinct_elements_are_no_views(torch, show):
    x = torch.tensor([[2.0, 1.0], [2.0, 1.0]])
    for found in (
        torch.unique(x, return_inverse=True, return_counts=True),
        torch.unique(x, return_inverse=True, return_counts=True, dim=0),
        torch.unique(x, return_inverse=True, dim=1),
        torch.unique_consecutive(x, return_inverse=True, return_counts=True),
        (x.unique(),),
    ):
        show([(item, item._is_view()) for item in found])

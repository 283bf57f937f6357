"""What is out of range, of no or of negative size, and in the same memory; graphs seen by edges."""


def case_classes_out_of_range(torch, show):
    F, x = torch.nn.functional, torch.zeros(2, 3, requires_grad=True)
    target = torch.tensor([1, 3])
    show.error(lambda: F.cross_entropy(x, target), "Target 3 is out of bounds")
    show.error(lambda: F.nll_loss(x, torch.tensor([-1, 0])), "Target -1 is out of bounds")
    show(F.cross_entropy(x, torch.tensor([-100, 2])), F.nll_loss(x, target, ignore_index=3))
    show.error(lambda: torch.nn.CrossEntropyLoss()(x, target), "Target 3 is out of bounds")
    show.error(lambda: F.embedding(target, x), "index out of range in self")
    show.error(lambda: torch.nn.Embedding(3, 2)(target), "index out of range in self")
    show.error(lambda: F.one_hot(torch.tensor([-1])), "Class values must be non-negative")
    show.error(lambda: F.one_hot(target, 3), "Class values must be smaller than num_classes")
    show(F.embedding(torch.tensor([1, 0]), x), F.one_hot(target, 4))


def case_negative_sizes(torch, show):
    text = "negative dimension -1"
    for make in (torch.ones, torch.empty, torch.rand, torch.randn, torch.ones(1).new_ones):
        show.error(lambda make=make: make(2, -1), text)
    show.error(lambda: torch.full((-1,), 1.0), text)
    show.error(lambda: torch.randint(3, (-1,)), text)
    show.error(lambda: torch.zeros(-1), "zeros: Dimension size must be non-negative.")
    show.error(lambda: torch.eye(-1), "n must be greater or equal to 0, got -1")
    show.error(lambda: torch.eye(2, -1), "m must be greater or equal to 0, got -1")


def case_of_nothing(torch, show):
    nothing, dim = torch.ones(0), "Expected reduction dim to be specified for input.numel() == 0."
    show.error(lambda: nothing.argmax(), f"argmax(): {dim}")
    show.error(lambda: nothing.argmin(), f"argmin(): {dim}")
    show.error(lambda: nothing.max(), f"max(): {dim}")
    show.error(lambda: nothing.aminmax(), "aminmax(): cannot compute aminmax over an empty")
    show.error(lambda: nothing.quantile(0.5), "quantile() input tensor must be non-empty")
    show.error(lambda: torch.cat([]), "expected a non-empty list of Tensors")
    show.error(lambda: torch.stack([]), "stack expects a non-empty TensorList")


def case_indices_of_another_dtype(torch, show):
    x, i, one = torch.ones(2), torch.tensor([0.5]), torch.ones(1)
    show.error(lambda: x.index_fill(0, i, 1), "index_fill_(): Expected dtype int64 for index")
    show.error(lambda: x.index_select(0, i), "index_select(): Expected dtype int32 or int64 for in")
    show.error(lambda: x.index_add(0, i, one), "index_add_(): Expected dtype int32/int64 for index")
    show.error(lambda: x.index_copy(0, i, one), "index_copy_(): Expected a long tensor for index")
    show.error(lambda: x.gather(0, i), "gather(): Expected dtype int32/int64 for index")


def case_numbers_that_do_not_fit(torch, show):
    text = "value cannot be converted to type float without overflow"
    show.error(lambda: torch.ones(2).fill_(1j), text)
    show.error(lambda: torch.full((2,), 1j, dtype=torch.float32), text)
    show(torch.full((1,), 1j), torch.ones(1, dtype=torch.complex64).fill_(1j))
    show.error(lambda: int(torch.ones(2)), "only one element tensors can be converted to Python")
    show.error(lambda: float(torch.ones(2)), "only one element tensors can be converted to")


def case_booleans_are_not_subtracted(torch, show):
    f, b = torch.ones(2), torch.tensor([True, False])
    for left, right in ((f, b), (b, f), (1, b), (b, 1), (f, True), (f.long(), b)):
        show.error(lambda x=left, y=right: x - y, "Subtraction, the `-` operator, with a bool tens")
    show.error(lambda: f.sub_(b), "Subtraction, the `-` operator, with a bool tensor")
    show.error(lambda: b - b, "Subtraction, the `-` operator, with two bool tensors")
    show.error(lambda: torch.rsub(b, f), "Subtraction, the `-` operator, with a bool tensor")
    show(f + b, f * b, b + b)


def case_parts_of_complex_numbers(torch, show):
    one, text = torch.ones(1), "Expected both inputs to be Half, Float or Double tensors but got"
    for parts in (one * 1j, one.int(), one.bool()):
        show.error(lambda x=parts: torch.complex(x, x), text)
        show.error(lambda x=parts: torch.polar(x, x), text)
    show.error(lambda: torch.complex(one, one.double()), "Expected object of scalar type")


def case_out_of_lists(torch, show):
    a, text = torch.ones(2, requires_grad=True), "functions with out=... arguments don't support"
    show.error(lambda: torch.cat([a], out=torch.empty(2)), text)
    show.error(lambda: torch.stack([a, a], out=torch.empty(2, 2)), text)
    for make in (lambda: torch.zeros(2, out=a), lambda: torch.linspace(0, 1, 2, out=a),
                 lambda: torch.full((2,), 1.0, out=a), lambda: torch.arange(2, out=a)):  # fmt: skip
        show.error(make, text)
    with torch.no_grad():
        show(torch.zeros(2, out=a) is a, a.tolist(), torch.cat([a], out=torch.empty(2)))
    x = torch.ones(2, 2)
    show.error(lambda: torch.max(x, 0, out=x), "invalid combination of arguments")
    show.error(lambda: torch.add(x, 1, out=(x, x)), "argument 'out' must be Tensor, not tuple")


def case_out_is_an_argument(torch, show):
    text, zero = "some elements of the input tensor and the written-to tensor", torch.tensor([0])
    y = torch.arange(4.0)
    show.error(lambda: torch.cat([y, y], out=y), text)
    show.error(lambda: torch.stack([y], out=y), text)
    show.error(lambda: torch.gather(y, 0, zero, out=y), text)
    show.error(lambda: torch.index_select(y, 0, zero, out=y), text)
    x = torch.ones(2)
    show(torch.add(x, x, out=x))


def case_values_from_the_same_memory(torch, show):
    text, one = "some elements of the input tensor and the written-to tensor", torch.tensor([1])
    for write in (
        lambda y: y.fill_(y[1]), lambda y: y.masked_fill_(y > 1, y[0]),
        lambda y: y.index_fill_(0, one, y[0]), lambda y: y.__setitem__(slice(None), y[1]),
        lambda y: y.__setitem__(y > 1, y[0]), lambda y: y.__setitem__(slice(1, None), y[0]),
    ):  # fmt: skip
        y = torch.arange(1.0, 5.0)
        write(y)
        show(y)
    for write in (lambda y: y.mul_(y[1]), lambda y: y.copy_(y[1]), lambda y: y.sub_(y[0])):
        show.error(lambda write=write: write(torch.arange(1.0, 5.0)), text)
    x = torch.arange(1.0, 4.0, requires_grad=True)
    y = x.clone()
    y.fill_(y[1])
    show(torch.autograd.grad(y.sum(), x))


def case_functions_of_elements(torch, show):
    a, x = torch.ones(2, requires_grad=True), torch.ones(2)
    show.error(lambda: a.apply_(lambda v: v), "Can't call apply_() on Variable that requires grad")
    show.error(lambda: a.map_(x, lambda v, w: v), "Can't call map_() on Variable that requires")
    show.error(lambda: x.map_(a, lambda v, w: v), "Can't call map_() on Variable that requires")
    show(x.apply_(lambda v: v + 1), x.map_(x, lambda v, w: v * w))


def case_zeros_for_edges(torch, show):
    edge, a, x = torch.autograd.graph.get_gradient_edge, *torch.ones(2, 1, requires_grad=True)
    a, x = a.detach().requires_grad_(), x.detach().requires_grad_()
    for item in (edge(a), edge(a * 3)):
        show.error(
            lambda item=item: torch.autograd.grad(x * 2, [item], materialize_grads=True),
            "materialize_grads cannot be used when the given input is a GradientEdge",
        )
        show(torch.autograd.grad(x * 2, [item], allow_unused=True))
    show(torch.autograd.grad(x * 2, [edge(x)], materialize_grads=True))


def case_sequence_numbers_that_are_none(torch, show):
    node = (torch.ones(1, requires_grad=True) * 2).grad_fn
    show.error(lambda: node._set_sequence_nr(-1), "can't convert negative int to unsigned")
    show.error(lambda: node._set_sequence_nr("a"))
    node._set_sequence_nr(7)
    show(node._sequence_nr())


def case_raw_saved_values_of_a_freed_graph(torch, show):
    x = torch.ones(2, 2, requires_grad=True)
    y = x * x
    y.sum().backward()
    show.error(lambda: y.grad_fn._saved_self, "after they have already been freed")
    show(type(y.grad_fn._raw_saved_self).__name__)
    z = x[:, [0, 1]]
    saved = z.grad_fn._raw_saved_indices
    show([type(s).__name__ for s in saved], z.grad_fn._saved_indices)
    saved[1].register_hooks(lambda t: t.clone(), lambda t: t.flip(0))
    (z * torch.tensor([1.0, 2.0])).sum().backward()
    show(x.grad)
    show.error(lambda: z.grad_fn._raw_saved_indices, "after they have already been freed")


def case_powers_of_known_exponents(torch, show):
    for exponent in (0, 1, 2, 0.0, 1.0, 2.0, 0.5, -1):
        x = torch.tensor(0.5, requires_grad=True)
        g = x**exponent
        for _ in range(4):
            show(g)
            g = torch.autograd.grad(g, x, create_graph=True)[0]
            if not g.requires_grad:
                break
        show(g)


def case_names(torch, show):
    x = torch.ones(2)
    show(x.name, torch.set_grad_enabled(True).mode, torch._C.has_lapack)
    show.error(lambda: setattr(x, "name", "a"))
    edge = torch.autograd.graph.get_gradient_edge(x.requires_grad_() * 2)
    shape = torch.autograd._calculate_shape
    show(shape(x, torch.ones(3, 2), True), shape(x, x, False), shape(edge, x, False))
    torch.autograd.graph.set_override_stale_capture_stream(False)

    class Same(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, grad):
            return grad

    show(isinstance(Same.apply(x).grad_fn, torch._C._FunctionBase))


def case_resizing_inference_tensors(torch, show):
    with torch.inference_mode():
        x = torch.ones(4)
        show(x.resize_(2, 2))
    show.error(lambda: x.resize_(2), "Inplace update to inference tensor outside InferenceMode")


def case_saved_arguments_of_indices(torch, show):
    x, one = torch.arange(6.0).view(2, 3).requires_grad_(), torch.tensor([1])
    for part in (x[1:], x[:1], x[:, ::2], x[:-1]):
        node = part.grad_fn
        show(node._saved_start, node._saved_end, node._saved_step, node._saved_dim)
    show(x.gather(0, one[None]).grad_fn._saved_sparse_grad)
    rows = torch.ones(1, 3)
    show(x.index_add(0, one, rows).grad_fn._saved_source_dim)
    show(x.index_copy(0, one, rows).grad_fn._saved_source_dim)
    show(x.masked_scatter(x > 2, torch.ones(6)).grad_fn._saved_source_sym_sizes)


def case_nodes_of_what_is_composed(torch, show):
    x = torch.tensor([[1.0, 2.0], [3.0, 5.0]], requires_grad=True)
    for result in (
        torch.cov(x), torch.cov(x[:1]), torch.cov(x[0]), x.sum_to_size(1, 2), x.sum_to_size(2),
        x.sum_to_size(2, 2), torch.linalg.multi_dot([x, x, x]), torch.chain_matmul(x, x),
        torch.linalg.multi_dot([x[0], x, x[1]]), torch.tensordot(x, x, 2), *(
            torch.linalg.matrix_norm(x, order, dims, keepdim)
            for order in (1, -1, float("inf"), -float("inf")) for dims in ((0, 1), (1, 0))
            for keepdim in (False, True)
        ),
    ):  # fmt: skip
        show(result, torch.autograd.grad(result.sum(), x))


def case_zero_times_infinity(torch, show):
    inf, nan = float("inf"), float("nan")
    x, mask = torch.tensor([inf, nan, 2.0]), torch.tensor([False, False, True])
    show(x * mask, x * mask.float(), mask.to(torch.float32) * x, (x * mask.double()).sum())
    show((x == x) * x, x.half() * mask, x * mask.int(), torch.where(mask, x, 0.0))
    y = x.clone()
    y.mul_(mask)
    show(y, torch.addcmul(torch.zeros(3), x, mask.float()), torch.dot(x, mask.float()))
    g = x.clone().requires_grad_()
    show(torch.autograd.grad((g * mask.float()).sum(), g))
    show(torch.autograd.grad((mask.float() * torch.tensor([1.0, 2.0, 3.0]) * g).sum(), g))
    a = torch.tensor([[1.0, nan], [nan, nan]], requires_grad=True)
    show(torch.autograd.grad(a.nanmean(0).sum(), a), torch.autograd.grad(a.amax(), a))
    show(torch.autograd.grad(a.amin(1).sum(), a), torch.autograd.grad(a.nansum(), a))
    show(torch.autograd.grad(g.masked_fill(~mask, 0.0).sum(), g), mask.float().mean())

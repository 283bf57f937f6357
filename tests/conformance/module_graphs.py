"""Graphs of functions of `torch.nn`: how inputs lie in memory decides which ops there are."""

from tests.conformance.graph_texts import graph, texts


def double(torch, *shape, seed=0):
    """Numbers of [0, 1) in double precision that require grad."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(*shape, generator=generator, dtype=torch.float64).requires_grad_()


def case_linear_of_layouts(torch, show):
    x, y = double(torch, 2, 3, 4), double(torch, 2, 2, 3, 4, seed=1)
    weight, bias = double(torch, 5, 4, seed=2), double(torch, 5, seed=3)
    linear = torch.nn.functional.linear
    inputs = (
        x, x.transpose(0, 1), x[:, :1], x[:, 1].unsqueeze(1), x[:1], x[0], x[0, 0], y,
        y.transpose(0, 1), double(torch, 3, 4)[None].detach().expand(2, 3, 4),
        double(torch, 4, 2)[:, 0],
    )  # fmt: skip
    functions = [lambda i=i: linear(i, weight, bias) for i in inputs]
    functions += [lambda i=i: linear(i, weight) for i in inputs]
    texts(torch, show, functions, [x, y, weight, bias], 2)


def case_losses_of_layouts(torch, show):
    x = double(torch, 2, 3, 4, 2)
    target = torch.tensor([[0, 1, 2, 1], [2, 0, 1, 1]])
    targets = torch.stack([target, target.flip(0)], -1)
    loss = torch.nn.functional.nll_loss
    for reduction in ("none", "mean"):
        functions = (
            lambda r=reduction: loss(x[..., 0], target, reduction=r),
            lambda r=reduction: loss(x[..., 0], targets[..., 1], reduction=r),
            lambda r=reduction: loss(x, targets, reduction=r),
            lambda r=reduction: loss(x[..., None], targets[..., None], reduction=r),
        )
        texts(torch, show, functions, [x], 2)


def attention(torch):
    """`multi_head_attention_forward` of its first arguments; and its parameters."""
    weights = double(torch, 12, 4, seed=3), double(torch, 12, seed=4)
    out = double(torch, 4, 4, seed=5), double(torch, 4, seed=6)

    def function(q, k, v, extra=None, zero=False, **options):
        forward = torch.nn.functional.multi_head_attention_forward
        return forward(q, k, v, 4, 2, *weights, extra, extra, zero, 0.0, *out, **options)

    return function, [*weights, *out]


def case_of_attention_with_heads(torch, show):
    attend, parameters = attention(torch)
    q, k, v = double(torch, 3, 2, 4), double(torch, 5, 2, 4, seed=1), double(torch, 5, 2, 4, seed=2)
    one = double(torch, 1, 1, 4, seed=7)
    mask = torch.zeros(3, 5, dtype=torch.bool)
    mask[:, 2] = True
    padding = torch.tensor([[0, 0, 0, 1, 1], [0, 0, 0, 0, 1]]).bool()
    for weights in (True, False):
        calls = (
            ((q, q, q), {}), ((q, k, k), {}), ((q, k, v), {}), ((q, k, v, one), {}),
            ((q, k, v), dict(zero=True)), ((q, k, v), dict(attn_mask=mask)),
            ((q, k, v, one, True), dict(attn_mask=mask, key_padding_mask=padding)),
            ((q[:, 0], k[:, 0], v[:, 0]), dict(key_padding_mask=padding[0])),
        )  # fmt: skip
        functions = [
            lambda a=args, o=options, w=weights: attend(*a, need_weights=w, **o)[: 1 + w]
            for args, options in calls
        ]
        texts(torch, show, functions, [q, k, v, one, *parameters], 2)


def case_layouts_of_attention(torch, show):
    attend = torch.nn.functional.scaled_dot_product_attention
    orders = ((0, 1, 2, 3), (2, 0, 1, 3), (0, 2, 1, 3), (1, 0, 2, 3))
    for order in orders:
        shape, back = (2, 3, 5, 4), [order.index(dim) for dim in range(4)]
        q = double(torch, *[shape[dim] for dim in order]).permute(back)
        for k in (double(torch, 2, 3, 6, 4), double(torch, 2, 6, 3, 4).transpose(1, 2)):
            out = attend(q, k, k)
            show(out.stride(), out.grad_fn._saved_logsumexp.stride(), out)
            show([g.stride() for g in torch.autograd.grad(out.sum(), [q, k])])


def case_of_recurrences(torch, show):
    x = double(torch, 3, 2, 4)
    for name in ("RNN", "LSTM", "GRU"):
        layers = (
            dict(), dict(bias=False), dict(num_layers=2, bidirectional=True), dict(batch_first=True)
        )  # fmt: skip
        more = {"RNN": dict(nonlinearity="relu"), "LSTM": dict(proj_size=2), "GRU": dict()}[name]
        for options in (*layers, more):
            torch.manual_seed(0)
            layer = getattr(torch.nn, name)(4, 3, **options).double()
            for given in (x, x[:, 0]):
                out, state = layer(given)
                outs, seen = [out, *(state if name == "LSTM" else [state])], {}
                show([f"{graph(o.grad_fn, seen)}@{o.output_nr}" for o in outs], outs)
                show(torch.autograd.grad(sum((o**2).sum() for o in outs), [x, *layer.parameters()]))
        cell = getattr(torch.nn, f"{name}Cell")(4, 3).double()
        for given in (x[0], x[0, 0]):
            out = cell(given)
            seen, outs = {}, out if name == "LSTM" else [out]
            show([graph(o.grad_fn, seen) for o in outs])


def case_of_gradients_of_recurrences(torch, show):
    x = double(torch, 3, 2, 4)
    for name, options in (("RNN", dict(batch_first=True)), ("LSTM", {}), ("LSTMCell", {})):
        torch.manual_seed(0)
        layer = getattr(torch.nn, name)(4, 3, **options).double()
        given = x[0] if "Cell" in name else x
        texts(torch, show, [lambda f=layer, given=given: f(given)[0]], [x, *layer.parameters()], 2)


def case_of_packed_sequences(torch, show):
    rnn, x = torch.nn.utils.rnn, double(torch, 3, 2, 4)
    packings = (
        lambda: rnn.pack_padded_sequence(x, [3, 2]),
        lambda: rnn.pack_padded_sequence(x, [2, 2]),
        lambda: rnn.pack_padded_sequence(x, [2, 2, 1], batch_first=True),
        lambda: rnn.pack_padded_sequence(x, [1, 3], enforce_sorted=False),
    )
    for pack in packings:
        packed = pack()
        node = packed.data.grad_fn
        show(graph(node, {}), packed.data, packed.batch_sizes)
        show(node._saved_input_sym_sizes, node._saved_batch_first, node._saved_result1)
        show(torch.autograd.grad((packed.data**2).sum(), x, create_graph=True)[0].detach())
        (grad,) = torch.autograd.grad((pack().data ** 3).sum(), x, create_graph=True)
        show(torch.autograd.grad((grad**2).sum(), x))
        for name in ("RNN", "LSTM", "GRU"):
            torch.manual_seed(0)
            layer = getattr(torch.nn, name)(4, 3, bidirectional=True).double()
            out = layer(packed)[0].data
            show(graph(out.grad_fn, {}), out)
            show(torch.autograd.grad((out**2).sum(), [x, *layer.parameters()], retain_graph=True))
    empty = double(torch, 3, 2, 0)
    show.error(lambda: rnn.pack_padded_sequence(empty, [3, 2]), "Cannot pack empty tensors")


def case_of_bags(torch, show):
    indices, bag = torch.tensor([[1, 2, 0], [5, 1, 2]]), torch.nn.functional.embedding_bag
    for mode in ("sum", "mean", "max"):
        for options in ({}, dict(norm_type=1.0), dict(padding_idx=1)):
            table = double(torch, 6, 4).detach().requires_grad_()
            out = bag(indices, table, max_norm=0.5, mode=mode, **options)
            show(graph(out.grad_fn, {}), out, table, table._version)
            show(torch.autograd.grad((out**2).sum(), table))
    table = double(torch, 6, 4)
    layer = torch.nn.EmbeddingBag.from_pretrained(table, freeze=False, max_norm=1.0)
    show(layer(indices[0], torch.tensor([0, 2])), layer.weight)
    for options in (dict(scale_grad_by_freq=True), dict(sparse=True)):
        show.error(lambda o=options: bag(indices, table, mode="max", **o), "max mode does not")


def case_of_parts(torch, show):
    x, none = double(torch, 3), torch.zeros(0, dtype=torch.float64).requires_grad_()
    m = double(torch, 2, 3, seed=1)
    functions = (
        lambda: torch.cat([none, x]), lambda: torch.cat([m, none, m], 1),
        lambda: torch.var_mean(x, 0), lambda: torch.std_mean(x, 0, keepdim=True),
        lambda: x.var(0), lambda: x.std(0), lambda: m.var(0), lambda: m.std(1, keepdim=True),
    )  # fmt: skip
    texts(torch, show, functions, [x, none, m], 2)

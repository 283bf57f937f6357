"""What modules of `nn` do beyond one call: hooks that make weights, packed sequences, draws."""


def case_activation_modules_in_place(torch, show):
    """The input is overwritten by the op itself, so that nothing it saved is touched."""
    nn = torch.nn
    for module in (nn.LeakyReLU(0.2, inplace=True), nn.ReLU(True), nn.ELU(1.0, True),
                   nn.Hardtanh(inplace=True), nn.SiLU(True)):  # fmt: skip
        x = torch.tensor([-2.0, 0.5, 3.0], requires_grad=True)
        y = x * 1
        out = module(y)
        out.sum().backward()
        show(type(module).__name__, out is y, out.grad_fn.name(), x.grad)


def case_dropout_of_a_transposed_tensor(torch, show):
    """The mask is drawn in the order of the input's memory."""
    torch.manual_seed(0)
    x = torch.ones(2, 3, 4)
    show(torch.nn.functional.dropout(x.transpose(0, 1), 0.5))
    show(torch.nn.functional.dropout(x.permute(2, 0, 1), 0.5))
    show(torch.nn.functional.dropout(x[:, 1:], 0.5), torch.rand(1))


def case_packed_sequences(torch, show):
    torch.manual_seed(0)
    rnn = torch.nn.utils.rnn
    padded = rnn.pad_sequence([torch.randn(n, 2) for n in (3, 5, 1)])
    for kind in (torch.nn.GRU, torch.nn.LSTM, torch.nn.RNN):
        layer = kind(2, 3, num_layers=2, bidirectional=True)
        packed = rnn.pack_padded_sequence(padded, [3, 5, 1], enforce_sorted=False)
        out, state = layer(packed)
        values, lengths = rnn.pad_packed_sequence(out, total_length=6)
        values.square().sum().backward()
        show(values, lengths, state, layer.weight_hh_l0_reverse.grad)
    show(packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices)


def case_lazy_modules(torch, show):
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.LazyConv2d(2, 3), torch.nn.LazyBatchNorm2d(), torch.nn.Flatten(),
        torch.nn.LazyLinear(2),
    )  # fmt: skip
    show(net)
    show(net(torch.randn(1, 3, 4, 4)), net, list(net.state_dict()))


def case_parametrizations(torch, show):
    torch.manual_seed(0)
    utils = torch.nn.utils
    x = torch.randn(4, 3)
    for make in (utils.parametrizations.weight_norm, utils.parametrizations.spectral_norm,
                 utils.spectral_norm):  # fmt: skip
        layer = make(torch.nn.Linear(3, 2))
        layer(x).square().sum().backward()
        show(layer, sorted(layer.state_dict()), layer.weight.detach())
        show([p.grad for p in layer.parameters()])


def case_averaged_models(torch, show):
    torch.manual_seed(0)
    swa = torch.optim.swa_utils
    net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    mean = swa.AveragedModel(net)
    moving = swa.AveragedModel(net, multi_avg_fn=swa.get_ema_multi_avg_fn(0.5))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02)
    schedule = swa.SWALR(optimizer, swa_lr=0.01, anneal_epochs=2)
    for _ in range(3):
        net(torch.randn(4, 2)).square().sum().backward()
        optimizer.step()
        mean.update_parameters(net)
        moving.update_parameters(net)
        schedule.step()
        show(optimizer.param_groups[0]["lr"])
    swa.update_bn([torch.randn(4, 2)], mean)
    show(mean.n_averaged, list(mean.parameters()), list(moving.parameters()), list(mean.buffers()))


def case_activations_in_place_save_their_result(torch, show):
    """So a view works, and a negative slope is refused in the backward pass."""
    nn = torch.nn
    for module in (nn.ReLU6(True), nn.SELU(True), nn.CELU(0.5, True), nn.ELU(-0.5, True),
                   nn.LeakyReLU(-0.5, True), nn.LeakyReLU(0.0, True), nn.Hardtanh(inplace=True),
                   nn.RReLU(inplace=True), nn.RReLU(inplace=True).eval(),
                   nn.AlphaDropout(0.5, True), nn.FeatureAlphaDropout(0.5, True)):  # fmt: skip
        for view in (False, True):
            torch.manual_seed(0)
            x = torch.linspace(-3.0, 9.0, 12).reshape(2, 3, 2).clone().requires_grad_()
            y = x * 1
            out = module(y[:1] if view else y)
            show(type(module).__name__, out is y, y._version, y.grad_fn.name(), out)
            try:
                out.square().sum().backward()
                show(x.grad)
            except RuntimeError as error:
                show(str(error)[:80])


def case_tensors_like_a_transposed_one(torch, show):
    """They have its order of dimensions, and draws fill them in the order of memory."""
    for like in (torch.zeros(3, 5).T, torch.zeros(4, 3, 8).permute(2, 0, 1),
                 torch.zeros(3, 8, 2)[:, ::2], torch.zeros(1, 5).expand(4, 5)):  # fmt: skip
        for make in (torch.rand_like, torch.randn_like, torch.zeros_like, torch.empty_like):
            for options in ({}, {"memory_format": torch.contiguous_format}):
                torch.manual_seed(0)
                made = make(like, **options)
                show(made.stride(), None if make is torch.empty_like else made)
        torch.manual_seed(0)
        drawn = torch.randint_like(like, 2, 9)
        show(drawn.stride(), drawn)
    image = torch.zeros(1, 2, 2, 3).contiguous(memory_format=torch.channels_last)
    show(image.stride(), torch.rand_like(image, requires_grad=True).stride())


def case_forward_over_reverse_in_place(torch, show):
    """A result that was saved has the tangent of the result."""
    x = torch.tensor([-2.0, -0.5, 0.3])
    for change in (lambda y: y.exp_(), lambda y: y.tanh_(), torch.nn.functional.elu_):
        show(torch.func.hessian(lambda z, f=change: f(z * 1).square().sum())(x))


def case_parametrized_modules_are_not_pickled(torch, show):
    import copy
    import pickle

    parametrize = torch.nn.utils.parametrize
    m = torch.nn.Linear(1, 1)
    parametrize.register_parametrization(m, "weight", torch.nn.Tanh())
    phrase = "Serialization of parametrized modules is only supported through state_dict()"
    show.error(lambda: pickle.dumps(m), phrase)
    show.error(lambda: pickle.dumps(torch.nn.Sequential(m)), phrase)
    show(torch.equal(copy.deepcopy(m).weight, m.weight))


def case_what_modules_call_things(torch, show):
    m = torch.nn.Linear(1, 1)
    show.error(lambda: setattr(m, "weight", torch.ones(1)), "cannot assign 'torch.FloatTensor' as")
    show.error(lambda: m.register_parameter("p", torch.ones(1)), "'torch.FloatTensor' object to")
    show.error(lambda: m.get_parameter("nope"), "Linear has no attribute `nope`")
    show.error(lambda: m.get_buffer("nope"), "Linear has no attribute `nope`")
    show.error(lambda: m.add_module("a.b", m), 'contain ".", got: a.b')

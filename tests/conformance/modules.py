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

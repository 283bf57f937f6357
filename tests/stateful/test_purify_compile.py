"""`compile`: a compiled step does what the step does, and is never stale."""

import copy

import numpy as np
import pytest

import stateful as torch
from stateful.purify import Compiled, DataDependentError, LeakedTracerError, PurifyError

SCALE = torch.tensor(2.0)


def network():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(8, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2))


def training(optimizer="SGD", noise=False, **options):
    model = network()
    optimizer = getattr(torch.optim, optimizer)(model.parameters(), **options)

    def step(x, y):
        optimizer.zero_grad()
        x = x + torch.randn(4, 8) if noise else x
        loss = ((model(x) - y) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    return model, optimizer, step


def batches(count=5):
    torch.manual_seed(7)
    return [(torch.randn(4, 8), torch.randn(4, 2)) for _ in range(count)]


def weights(model):
    return np.concatenate([p.detach().numpy().ravel() for p in model.parameters()])


def same(first, second):
    return np.array_equal(np.asarray(first), np.asarray(second))


def close(first, second):
    """Equal up to the rounding that XLA's fusion changes from program to program."""
    return np.allclose(np.asarray(first), np.asarray(second), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "SGD", "lr": 0.1},
        {"optimizer": "SGD", "lr": 0.1, "momentum": 0.9, "weight_decay": 0.01},
        {"optimizer": "Adam", "lr": 0.01, "noise": True},
    ],
    ids=lambda o: o["optimizer"] + str(len(o)),
)
def test_a_compiled_step_is_the_step(options):
    data = batches()
    model, optimizer, step = training(**options)
    torch.manual_seed(3)
    losses = [step(*b).item() for b in data]
    wanted, drawn, grads = weights(model), torch.rand(2).numpy(), model[0].weight.grad.numpy()
    state = optimizer.state_dict()["state"]

    model, optimizer, step = training(**options)
    compiled = torch.compile(step)
    torch.manual_seed(3)
    assert close([compiled(*b).item() for b in data], losses)
    assert close(weights(model), wanted)
    assert close(model[0].weight.grad, grads)
    assert same(torch.rand(2), drawn)
    for number, items in optimizer.state_dict()["state"].items():
        for name, value in items.items():
            assert value is state[number][name] is None or close(value, state[number][name])
    assert compiled.traces == 2  # the first step makes the gradients


def test_schedulers_do_not_recompile():
    data = batches(8)

    def run(wrap):
        model, optimizer, step = training("Adam", lr=0.1)
        scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=9)
        step = wrap(step)
        for batch in data:
            step(*batch)
            scheduler.step()
        return weights(model), step

    wanted, _ = run(lambda f: f)
    got, compiled = run(torch.compile)
    assert close(got, wanted)
    assert compiled.traces == 2


def test_a_hyper_parameter_that_shapes_the_program_recompiles():
    _, optimizer, step = training(lr=0.1, momentum=0.9)
    compiled = torch.compile(step)
    for batch in batches(3):
        compiled(*batch)
    optimizer.param_groups[0]["momentum"] = 0.8
    compiled(*batches(1)[0])
    assert compiled.traces == 2
    optimizer.param_groups[0]["momentum"] = 0.0
    compiled(*batches(1)[0])
    assert compiled.traces == 3


class Gate(torch.nn.Module):
    """Counts calls in a buffer and depends on Python values."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(2))
        self.register_buffer("calls", torch.tensor(0))
        self.gain = 1.0

    def forward(self, x, power=1):
        self.calls += 1
        x = x * self.weight * self.gain * SCALE
        return x**power if self.training else -x


@pytest.mark.parametrize(
    "change",
    [
        lambda gate: gate.eval(),
        lambda gate: setattr(gate, "gain", 3.0),
        lambda gate: gate.weight.requires_grad_(False),
        lambda gate: setattr(gate, "weight", torch.nn.Parameter(torch.full((2,), 5.0))),
        lambda gate: gate.weight.data.fill_(7.0),
        lambda gate: gate.register_forward_hook(lambda module, args, out: out + 1),
    ],
    ids=["training", "attribute", "requires_grad", "parameter", "elements", "hook"],
)
def test_a_change_outside_is_seen(change):
    gate, twin = Gate(), Gate()
    compiled = torch.compile(gate)
    x = torch.tensor([1.0, 2.0])
    for module in (compiled, twin):
        module(x), module(x)
    change(gate), change(twin)
    assert same(compiled(x).detach(), twin(x).detach())
    assert gate.calls.item() == twin.calls.item() == 3


def test_programs_are_found_again():
    gate = Gate()
    compiled = torch.compile(gate)
    x, y = torch.ones(2), torch.ones(3, 2)
    for _ in range(3):
        for item in (x, y):
            for training in (True, False):
                gate.train(training)
                compiled(item)
    assert compiled._compiled.traces == 4
    gate.train()
    compiled(x, 2), compiled(x, power=2), compiled(x, 3)
    with torch.no_grad():
        assert not compiled(x).requires_grad
    assert compiled._compiled.traces == 8


def test_a_global_tensor_is_state():
    gate = Gate()
    compiled = torch.compile(gate)
    before = compiled(torch.ones(2)).detach().numpy()
    with torch.no_grad():
        SCALE.mul_(2)
        after = compiled(torch.ones(2)).numpy()
        SCALE.div_(2)
    assert same(after, 2 * before)


def test_a_variable_that_is_bound_anew():
    average = torch.zeros(())

    @torch.compile
    def step(x):
        nonlocal average
        average = 0.5 * average + x
        return average

    assert [step(torch.tensor(1.0)).item() for _ in range(3)] == [1.0, 1.5, 1.75]
    assert average.item() == 1.75


class InSlots:
    __slots__ = ("tensor",)


class InTheClass:
    tensor = None


@pytest.mark.parametrize("place", [InSlots, InTheClass])
def test_a_tensor_that_is_hard_to_find(place):
    hidden = place() if place is InSlots else place
    hidden.tensor = torch.ones(2)

    @torch.compile
    def step():
        hidden.tensor.add_(1)
        return hidden.tensor * 2

    assert [step()[0].item() for _ in range(3)] == [4.0, 6.0, 8.0]
    hidden.tensor.zero_()
    assert step()[0].item() == 2.0
    assert step.traces == 1


def test_copies_survive_that_the_state_is_given_away():
    model, _, step = training(lr=0.1)
    compiled = torch.compile(step)
    data = batches(4)
    compiled(*data[0]), compiled(*data[1])
    clones = [p.detach().clone() for p in model.parameters()]
    kept = copy.deepcopy(model), clones, model[0].weight._array
    wanted = weights(model)
    pending = model[0].weight.detach() * 1
    alias = model[0].weight.detach()
    compiled(*data[2]), compiled(*data[3])
    assert same(weights(kept[0]), wanted)
    assert same(np.concatenate([t.numpy().ravel() for t in kept[1]]), wanted)
    assert same(kept[2], pending)
    assert same(alias, model[0].weight.detach())


def test_versions_are_counted():
    w = torch.ones(2)

    @torch.compile
    def step():
        w.add_(1)
        w.mul_(2)

    version = w._version
    step(), step()
    assert w._version == version + 4


def test_gradients_that_the_caller_clears():
    data = batches(3)

    def run(wrap):
        model = network()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

        def backward(x, y):
            ((model(x) - y) ** 2).mean().backward()

        backward, grads = wrap(backward), []
        for batch in data:
            backward(*batch)
            optimizer.step()
            grads.append(model[0].weight.grad)
            optimizer.zero_grad()
        return weights(model), [g.numpy() for g in grads], backward

    wanted, grads, _ = run(lambda f: f)
    got, ours, compiled = run(torch.compile)
    assert close(got, wanted)
    assert all(map(close, ours, grads))  # each its own tensor
    assert compiled.traces == 1


@pytest.mark.parametrize("holds", [True, False])
def test_gradients_that_the_caller_holds(holds):
    model, _, step = training(lr=0.1)
    compiled = torch.compile(step)
    grads, wanted, binds = [], [], []
    bind = compiled._bind
    compiled._bind = lambda arguments: binds.append(0) or bind(arguments)
    for batch in batches(5):
        compiled(*batch)
        wanted.append(model[0].weight.grad.numpy())
        if holds:
            grads.append(model[0].weight.grad)
    assert all(map(same, grads, wanted))
    assert compiled.traces == 2
    assert holds or len(binds) == 2


def test_gradients_that_accumulate():
    w = torch.ones(2, requires_grad=True)

    @torch.compile
    def step(x):
        (w * x).sum().backward()

    for _ in range(4):
        step(torch.tensor([1.0, 2.0]))
    assert w.grad.tolist() == [4.0, 8.0]
    assert step.traces == 2


def test_arguments_are_written_to():
    @torch.compile
    def step(x, y):
        x.mul_(2)
        (y * y).sum().backward()

    x, y = torch.ones(2), torch.full((2,), 3.0, requires_grad=True)
    alias = x.view(2, 1)
    step(x, y), step(x, y)
    assert alias.flatten().tolist() == [4.0, 4.0]
    assert y.grad.tolist() == [12.0, 12.0]


def test_arguments_of_all_kinds():
    @torch.compile
    def step(pair, scale, *, flip=False, extra=None):
        a, b = pair
        out = (a + b["b"]) * scale
        return {"out": -out if flip else out, "scale": scale, "extra": extra}

    a, b = torch.ones(2), {"b": np.ones(2, np.float32)}
    assert step((a, b), 2.0)["out"].tolist() == [4.0, 4.0]
    assert step((a, b), 3.0, flip=True)["out"].tolist() == [-6.0, -6.0]
    assert step([a, b], 3.0, extra="x")["extra"] == "x"


def test_dtypes_stay():
    w = torch.ones(2, dtype=torch.float64)
    count = torch.tensor(0)

    @torch.compile
    def step(x):
        count.add_(1)
        w.add_(x)
        return x * 2, w + 1

    first, second = step(torch.ones(2))
    assert (first.dtype, second.dtype, count.dtype) == (torch.float32, torch.float64, torch.int64)


# -- forward passes --------------------------------------------------------------------------------


def test_a_compiled_module_can_be_differentiated():
    data = batches(4)

    def run(wrap):
        model = network()
        optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
        call, seen = wrap(model), []
        for x, y in data:
            x = x.clone().requires_grad_()
            optimizer.zero_grad()
            loss = ((call(x * 2) - y) ** 2).mean()
            loss.backward()
            optimizer.step()
            seen.append((loss.item(), x.grad.numpy()))
        return seen, call

    wanted, _ = run(lambda m: m)
    got, compiled = run(torch.compile)
    assert all(close(a, b) and close(c, d) for (a, c), (b, d) in zip(got, wanted, strict=True))
    assert compiled._compiled.traces == 1
    assert [n for n, _ in compiled.named_parameters()][0] == "_orig_mod.0.weight"


def test_what_is_detached_has_no_gradient():
    w = torch.tensor(3.0, requires_grad=True)

    @torch.compile
    def function(x):
        return w.detach() * w * x, (w * 2).detach()

    out, constant = function(torch.tensor(2.0))
    out.backward(retain_graph=True)
    out.backward()
    assert w.grad.item() == 12.0
    assert not constant.requires_grad
    with pytest.raises(RuntimeError, match="second time"):
        out.backward()


def test_double_backward_of_a_compiled_function_is_refused():
    x = torch.tensor(2.0, requires_grad=True)
    out = torch.compile(lambda x: x**3)(x)
    with pytest.raises(RuntimeError, match="double backward"):
        torch.autograd.grad(out, x, create_graph=True)


def test_decorator_with_options():
    @torch.compile(fullgraph=True, mode="max-autotune")
    def double(x):
        """Twice x."""
        return 2 * x

    assert isinstance(double, Compiled) and double.__doc__ == "Twice x."
    assert double(torch.ones(2)).tolist() == [2.0, 2.0]


# -- errors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "look", [lambda t: t > 0, lambda t: t.item(), lambda t: float(t), lambda t: t.numpy()]
)
def test_data_dependent_control_flow_names_the_line(look):
    @torch.compile
    def step(x):
        if look(x.sum()):  # this line
            return x
        return -x

    with pytest.raises(DataDependentError, match="(this line|look: look|lambda)"):
        step(torch.ones(2))
    x = torch.ones(2)
    assert (x + 1).tolist() == [2.0, 2.0]


def test_a_failed_trace_leaves_everything_as_it_was():
    w = torch.ones(2, requires_grad=True)
    seen = []

    @torch.compile
    def step():
        (w * w).sum().backward()
        with torch.no_grad():
            w.sub_(w.grad)
        seen.append(w.grad)
        raise KeyError("user's own")

    with pytest.raises(KeyError, match="user's own"):
        step()
    assert w.tolist() == [1.0, 1.0] and w.grad is None and not seen


def test_a_python_counter_is_refused():
    gate = Gate()
    gate.count = 0

    @torch.compile
    def step(x):
        gate.count += 1
        return gate(x)

    step(torch.ones(2))
    with pytest.raises(PurifyError, match="'gate.count' on the Python side"):
        step(torch.ones(2))


def test_state_that_appears_after_the_first_step():
    losses = []

    @torch.compile
    def step(x):
        losses.append(x.sum())

    step(torch.ones(2))
    assert losses[0].item() == 2.0
    with pytest.raises(PurifyError, match=r"appears after the first step.*losses\[1\]"):
        step(torch.ones(2))


def test_a_leaked_tensor_says_so():
    class Place:
        kept = None

    @torch.compile
    def step(x):
        Place.kept = x * 2
        return x

    step(torch.ones(2))
    with pytest.raises(LeakedTracerError, match="leaked tracer"):
        Place.kept.tolist()


class Decayed(torch.optim.Optimizer):
    """An optimizer in plain tensor ops, with a branch on a number."""

    def __init__(self, params, lr, weight_decay=0.0):
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})

    def step(self, closure=None):
        with torch.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if group["weight_decay"] != 0:
                        p.mul_(1 - group["lr"] * group["weight_decay"])
                    p.add_(p.grad * -group["lr"])


def test_a_users_own_optimizer():
    def run(wrap):
        model = network()
        optimizer = Decayed(model.parameters(), 0.1, 0.01)

        def step(x, y):
            optimizer.zero_grad()
            ((model(x) - y) ** 2).mean().backward()
            optimizer.step()

        step = wrap(step)
        for i, batch in enumerate(batches(4)):
            optimizer.param_groups[0]["lr"] = 0.1 / (1 + i)
            step(*batch)
        return weights(model), step

    wanted, _ = run(lambda f: f)
    got, compiled = run(torch.compile)
    assert close(got, wanted)
    assert compiled.traces == 2


def test_another_model_under_the_same_name():
    def run(wrap):
        model, optimizer = None, None

        def step(x, y):
            optimizer.zero_grad()
            loss = ((model(x) - y) ** 2).mean()
            loss.backward()
            optimizer.step()
            return loss

        step, seen = wrap(step), []
        for _ in range(2):
            model = network()
            optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
            seen += [step(*batch).item() for batch in batches(3)]
            seen.append(model[0].weight.grad.sum().item())
        return seen

    assert close(run(torch.compile), run(lambda f: f))


def test_what_the_backward_of_a_compiled_forward_keeps_must_not_change():
    w = torch.ones(2, requires_grad=True)
    square = torch.compile(lambda x: (x * x).sum())
    y = square(w)
    with torch.no_grad():
        w.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()
    square(w).backward()
    assert w.grad.tolist() == [4.0, 4.0]


def test_a_constant_that_a_compiled_forward_keeps_must_not_change():
    w, scale = torch.ones(2, requires_grad=True), torch.full((2,), 2.0)
    scaled = torch.compile(lambda x: (x * scale).sum())
    y = scaled(w)
    scale.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_a_module_compiles_its_forward():
    model = torch.nn.Linear(2, 1)
    calls = []
    model.register_forward_hook(lambda *args: calls.append(1))
    x = torch.ones(3, 2)
    expected = model(x)
    model.compile()
    found = model(x)
    assert calls == [1, 1] and list(model.state_dict()) == ["weight", "bias"]
    assert torch.allclose(found, expected)
    found.sum().backward()
    assert model.weight.grad.tolist() == [[3.0, 3.0]]

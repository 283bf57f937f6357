"""`scan`: many steps as one program."""

import numpy as np
import pytest

import stateful as torch
from stateful.purify import Compiled, PurifyError


def task():
    torch.manual_seed(2)
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)

    def step(x, y):
        optimizer.zero_grad()
        loss = ((model(x + 0.1 * torch.randn(4, 3)) - y) ** 2).mean()
        loss.backward()
        optimizer.step()
        return {"loss": loss, "grad": model.weight.grad, "name": "linear"}

    return model, optimizer, step


def batches(count):
    torch.manual_seed(11)
    return torch.randn(count, 4, 3), torch.randn(count, 4, 2)


def close(first, second):
    return np.allclose(np.asarray(first), np.asarray(second), rtol=1e-5, atol=1e-6)


def test_a_scan_is_the_loop():
    x, y = batches(7)
    model, optimizer, step = task()
    outs = [step(x[i], y[i]) for i in range(7)]
    losses, grads = [o["loss"].item() for o in outs], outs[-1]["grad"].numpy()
    weight, following = model.weight.detach().numpy(), torch.rand(1).item()

    model, optimizer, step = task()
    compiled = Compiled(step)
    out = torch.scan(compiled, (x, y))
    assert close(out["loss"], losses) and out["loss"].shape == (7,)
    assert close(out["grad"][-1], grads) and out["name"] == "linear"
    assert close(model.weight.detach(), weight) and close(model.weight.grad, grads)
    assert torch.rand(1).item() == following
    assert optimizer.state[model.weight]["step"].item() == 7
    assert compiled.traces == 2


def test_scans_compiled_steps_and_the_loop_may_alternate():
    x, y = batches(9)
    model, _, step = task()
    losses = [step(x[i], y[i])["loss"].item() for i in range(9)]
    model, optimizer, step = task()
    compiled = torch.compile(step)
    got = list(torch.scan(compiled, (x[:3], y[:3]))["loss"].tolist())
    got.append(compiled(x[3], y[3])["loss"].item())
    got.append(step(x[4], y[4])["loss"].item())
    got += torch.scan(compiled, [(x[i], y[i]) for i in (5, 6)])["loss"].tolist()
    got += torch.scan(compiled, (x[7:], y[7:]))["loss"].tolist()
    assert close(got, losses)
    assert compiled.traces == 2


def test_a_number_of_steps():
    w = torch.ones(2)
    view = w[0]

    def step():
        w.mul_(2)

    assert torch.scan(step, 1000 - 990) is None
    assert w.tolist() == [1024.0, 1024.0] and view.item() == 1024.0
    assert w._version == 10


def test_a_thousand_steps_of_one_program():
    w = torch.zeros((), requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.01)

    def step():
        optimizer.zero_grad()
        loss = (w - 1) ** 2
        loss.backward()
        optimizer.step()
        return loss

    losses = torch.scan(step, 1000)
    w_loop = 0.0
    for _ in range(1000):
        w_loop -= 0.01 * 2 * (w_loop - 1)
    assert losses.shape == (1000,) and abs(w.item() - w_loop) < 1e-5


def test_bad_batches():
    with pytest.raises(ValueError, match="same number of steps"):
        torch.scan(lambda x, y: x, (torch.ones(2), torch.ones(3)))
    with pytest.raises(ValueError, match="at least one batch"):
        torch.scan(lambda: None, 0)
    with pytest.raises(PurifyError, match="writes to its arguments"):
        torch.scan(lambda x: x.mul_(2), torch.ones(2, 2))

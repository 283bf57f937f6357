"""The workloads as PyTorch programs: each takes the module ``torch``, real or `stateful`.

A workload is built once and returns ``step``: one training step that returns the loss.
"""

from collections.abc import Callable
from typing import Any

from . import data

Step = Callable[[], Any]


def _tensors(torch, arrays: data.Arrays, requires_grad: bool = False) -> dict[str, Any]:
    tensors = {name: torch.tensor(array) for name, array in arrays.items()}
    for tensor in tensors.values():
        tensor.requires_grad_(requires_grad)
    return tensors


def _problem(torch, problem: tuple[data.Arrays, data.Arrays]) -> tuple[dict, dict]:
    parameters, batch = problem
    return _tensors(torch, parameters, requires_grad=True), _tensors(torch, batch)


def tiny_mlp(torch, **sizes) -> Step:
    """Tensors and autograd only, as in PyTorch's first tutorial."""
    p, batch = _problem(torch, data.tiny_mlp(**sizes))
    w1, w2, x, y = p["w1"], p["w2"], batch["x"], batch["y"]

    def step():
        loss = (x.mm(w1).clamp(min=0).mm(w2) - y).pow(2).sum()
        loss.backward()
        with torch.no_grad():
            w1.sub_(w1.grad, alpha=1e-3)
            w2.sub_(w2.grad, alpha=1e-3)
            w1.grad = None
            w2.grad = None
        return loss

    return step


def two_layer(torch, **sizes) -> Step:
    """Modules, a loss and an optimizer."""
    arrays, batch = data.two_layer(**sizes)
    batch = _tensors(torch, batch)
    x, y = batch["x"], batch["y"]
    inputs, hidden = arrays["w1"].shape
    model = torch.nn.Sequential(
        torch.nn.Linear(inputs, hidden),
        torch.nn.ReLU(),
        torch.nn.Linear(hidden, y.shape[1]),
    )
    with torch.no_grad():
        for layer, i in ((model[0], 1), (model[2], 2)):
            layer.weight.copy_(torch.tensor(arrays[f"w{i}"].T.copy()))
            layer.bias.copy_(torch.tensor(arrays[f"b{i}"]))
    loss_fn = torch.nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-2)

    def step():
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def polynomial(torch, points=256) -> Step:
    """A cubic fitted to a sine on points that are drawn anew in every step."""
    p, _ = _problem(torch, data.polynomial(points))
    a, b, c, d = p.values()
    optimizer = torch.optim.Adam([a, b, c, d], lr=1e-2)
    torch.manual_seed(0)

    def step():
        x = torch.rand(points) * 6 - 3
        optimizer.zero_grad()
        loss = (a + b * x + c * x**2 + d * x**3 - torch.sin(x)).pow(2).mean()
        loss.backward()
        optimizer.step()
        return loss

    return step


def recurrent(torch, **sizes) -> Step:
    """A loop over time in Python."""
    p, batch = _problem(torch, data.recurrent(**sizes))
    wx, wh, wo, bias, x, y = p["wx"], p["wh"], p["wo"], p["b"], batch["x"], batch["y"]
    optimizer = torch.optim.SGD(list(p.values()), lr=1e-2)
    count, rows, width = x.shape[0], x.shape[1], wh.shape[0]

    def step():
        optimizer.zero_grad()
        hidden = torch.zeros(rows, width)
        for time in range(count):
            hidden = torch.tanh(x[time] @ wx + hidden @ wh + bias)
        loss = (hidden @ wo - y).pow(2).mean()
        loss.backward()
        optimizer.step()
        return loss

    return step


def transformer(torch, layers=2, width=128, tokens=64, batch=8, heads=4) -> Step:
    """Pre-norm attention and feed-forward blocks."""
    p, examples = _problem(torch, data.transformer(layers, width, tokens, batch, heads))
    x, y = examples["x"], examples["y"]
    optimizer = torch.optim.Adam(list(p.values()), lr=1e-3)
    each = width // heads

    def normalized(x, gain, shift):
        centred = x - x.mean(-1, keepdim=True)
        variance = (centred * centred).mean(-1, keepdim=True)
        return centred * torch.rsqrt(variance + 1e-5) * gain + shift

    def split(x):
        return x.view(batch, tokens, heads, each).transpose(1, 2)

    def attention(x, qkv, out):
        q, k, v = (split(part) for part in (x @ qkv).split(width, -1))
        weights = torch.softmax(q @ k.transpose(-2, -1) * each**-0.5, -1)
        return (weights @ v).transpose(1, 2).reshape(batch, tokens, width) @ out

    def step():
        optimizer.zero_grad()
        h = x
        for i in range(layers):
            a = normalized(h, p[f"gain_a{i}"], p[f"shift_a{i}"])
            h = h + attention(a, p[f"qkv{i}"], p[f"out{i}"])
            b = normalized(h, p[f"gain_b{i}"], p[f"shift_b{i}"])
            h = h + torch.relu(b @ p[f"up{i}"]) @ p[f"down{i}"]
        loss = (h - y).pow(2).mean()
        loss.backward()
        optimizer.step()
        return loss

    return step


def convolutional(torch, **sizes) -> Step:
    """Two convolutions with pooling, a linear layer, cross entropy; SGD with momentum."""
    p, batch = _problem(torch, data.convolutional(**sizes))
    x, y = batch["x"], batch["y"]
    F = torch.nn.functional
    optimizer = torch.optim.SGD(list(p.values()), lr=1e-2, momentum=0.9)

    def step():
        optimizer.zero_grad()
        h = F.max_pool2d(F.relu(F.conv2d(x, p["k1"], p["c1"], padding=1)), 2)
        h = F.max_pool2d(F.relu(F.conv2d(h, p["k2"], p["c2"], padding=1)), 2)
        loss = F.cross_entropy(h.flatten(1) @ p["w"] + p["b"], y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def gradient_penalty(torch, **sizes) -> Step:
    """A critic whose gradient with respect to its input is pushed to norm one: double backward."""
    p, batch = _problem(torch, data.gradient_penalty(**sizes))
    optimizer = torch.optim.SGD(list(p.values()), lr=1e-2)

    def step():
        optimizer.zero_grad()
        x = batch["x"].detach().requires_grad_()
        h = torch.tanh(x @ p["w1"] + p["b1"])
        score = (torch.tanh(h @ p["w2"] + p["b2"]) @ p["w3"]).sum()
        (slope,) = torch.autograd.grad(score, x, create_graph=True)
        norms = (slope.pow(2).sum(1) + 1e-12).sqrt()
        loss = (norms - 1).pow(2).mean() + score * 1e-3
        loss.backward()
        optimizer.step()
        return loss

    return step


def pointwise(torch, ops=100, elements=64) -> Step:
    """A chain of pointwise ops, forward and backward."""
    p, _ = _problem(torch, data.pointwise(ops, elements))
    x = p["x"]

    def step():
        h = x
        for _ in range(ops // 5):
            h = h * 0.999
            h = h + 0.001
            h = torch.sin(h)
            h = h - x
            h = h.neg()
        loss = h.pow(2).mean()
        loss.backward()
        with torch.no_grad():
            x.sub_(x.grad, alpha=1e-3)
            x.grad = None
        return loss

    return step


def matmul(torch, size=128) -> Step:
    """One matrix product, forward and backward to both factors."""
    p, _ = _problem(torch, data.matmul(size))
    x, w = p["x"], p["w"]

    def step():
        loss = (x @ w).pow(2).mean()
        loss.backward()
        with torch.no_grad():
            x.sub_(x.grad, alpha=1e-3)
            w.sub_(w.grad, alpha=1e-3)
            x.grad = None
            w.grad = None
        return loss

    return step

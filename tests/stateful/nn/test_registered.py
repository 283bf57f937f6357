"""What a module registers is found as in PyTorch: by attribute of an instance, not of its class."""

import pytest
import torch

import stateful


def modules(nn, tensor):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(2, 3)
            self.register_buffer("shift", tensor([1.0]))
            self.register_parameter("none", None)

    class Watching(nn.Module):
        def __init__(self):
            super().__init__()
            self.asked = []
            self.weight = nn.Parameter(tensor([1.0]))

        def __getattr__(self, name):
            self.__dict__.get("asked", []).append(name)
            return super().__getattr__(name)

    class Shadowed(nn.Module):
        scale = 5

        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(tensor([1.0]))

    return Net, Watching, Shadowed


def error(action):
    try:
        return action()
    except (AttributeError, KeyError) as caught:
        return f"{type(caught).__name__}: {caught}"


def seen(framework):
    nn, tensor = framework.nn, framework.tensor
    Net, Watching, Shadowed = modules(nn, tensor)
    net = Net()
    yield hasattr(Net, "layer"), hasattr(net, "layer"), net.none, net.shift.tolist()
    yield error(lambda: Net.layer), sorted(name for name in vars(net) if name[0] != "_")
    del net.layer
    yield error(lambda: net.layer), hasattr(net, "layer"), hasattr(Net(), "layer")
    net.layer = nn.ReLU()
    yield repr(net.layer), repr(net._modules["layer"])
    net._modules["layer"] = nn.Tanh()
    yield repr(net.layer)
    net.__dict__["layer"] = 5
    yield net.layer
    del net.shift
    net.shift = 3
    yield net.shift, error(lambda: net.register_buffer("shift", None))
    watching = Watching()
    yield watching.weight.tolist(), watching.weight.tolist(), watching.asked.count("weight")
    yield error(lambda: Shadowed().scale)
    first = nn.ModuleDict({"a": nn.ReLU()})
    yield repr(first.a), hasattr(nn.ModuleDict({"b": nn.ReLU()}), "a")
    yield error(lambda: nn.ModuleDict({"keys": nn.ReLU()}))
    linear = nn.Linear(2, 2)
    nn.utils.parametrizations.weight_norm(linear)
    yield tuple(linear.weight.shape), sorted(name for name, _ in linear.named_parameters())


def test_as_in_pytorch():
    assert list(seen(stateful)) == list(seen(torch))


def test_found_without_getattr(monkeypatch):
    layer = stateful.nn.Linear(2, 2)
    monkeypatch.setattr(stateful.nn.Module, "__getattr__", lambda *_: pytest.fail("asked"))
    assert layer.weight is layer._parameters["weight"]

"""Hooks of modules: order, arguments and replacements as in PyTorch."""

import torch

import stateful

FACES = (torch, stateful)


def traced(face):
    """A module whose hooks write down what they are given."""
    calls = []
    face.manual_seed(0)
    module = face.nn.Linear(2, 1)
    module.register_forward_pre_hook(lambda m, args: calls.append(("pre", args[0].tolist())))
    module.register_forward_hook(lambda m, args, out: calls.append(("forward", tuple(out.shape))))
    module.register_forward_hook(lambda m, args, out: calls.append(("first",)), prepend=True)
    module.register_full_backward_pre_hook(lambda m, g: calls.append(("bpre", g[0].tolist())))
    module.register_full_backward_hook(
        lambda m, gi, go: calls.append(("back", gi[0].tolist(), go[0].tolist()))
    )
    return module, calls


def test_order_and_arguments():
    results = []
    for face in FACES:
        module, calls = traced(face)
        x = face.ones(3, 2, requires_grad=True)
        module(x).sum().backward()
        results.append(calls)
    assert [c[0] for c in results[1]] == ["pre", "first", "forward", "bpre", "back"]
    assert str(results[1]) == str(results[0])


def test_replacement_and_removal():
    for face in FACES:
        module = face.nn.Identity()
        handle = module.register_forward_hook(lambda m, args, out: out * 2)
        before = module.register_forward_pre_hook(lambda m, args: (args[0] + 1,))
        assert module(face.ones(1)).item() == 4.0
        handle.remove()
        assert module(face.ones(1)).item() == 2.0
        before.remove()
        assert module(face.ones(1)).item() == 1.0


def test_a_backward_hook_may_change_gradients():
    for face in FACES:
        module = face.nn.Identity()
        module.register_full_backward_hook(lambda m, gi, go: (gi[0] * 3,))
        x = face.ones(1, requires_grad=True)
        module(x).sum().backward()
        assert x.grad.item() == 3.0


def without_bias(module, state, prefix, metadata):
    del state["bias"]


def test_state_dict_hooks():
    for face in FACES:
        module = face.nn.Linear(1, 1)
        module.register_state_dict_post_hook(without_bias)
        assert list(module.state_dict()) == ["weight"]
        seen = []
        module.register_load_state_dict_post_hook(lambda m, keys, s=seen: s.append(keys))
        module.load_state_dict(module.state_dict(), strict=False)
        assert seen[0].missing_keys == ["bias"]

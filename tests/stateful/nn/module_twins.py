"""A module of `stateful` beside its twin in PyTorch, on an input that PyTorch tests it with."""

import inspect
import warnings

import numpy as np
import torch
from torch.testing._internal.common_modules import module_db

import stateful

NAMES = sorted({info.module_cls.__name__ for info in module_db})


def database(name):
    """The entry of PyTorch's module database; None if there is none."""
    found = [info for info in module_db if info.module_cls.__name__ == name]
    return found[0] if found else None


def inputs_of(name, training=True, dtype=torch.float64):
    """Constructor and forward inputs, which are the same in every run."""
    info = database(name)
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return info.module_inputs_func(info, "cpu", dtype, True, training)


def translated(value, memo=None):
    """PyTorch's objects as ours: tensors (the same tensor once), dtypes, functions, modules."""
    memo = {} if memo is None else memo
    if isinstance(value, torch.Tensor):
        if id(value) not in memo:
            array = np.array(value.detach().numpy())
            memo[id(value)] = stateful.tensor(array, requires_grad=value.requires_grad)
        return memo[id(value)]
    if isinstance(value, torch.dtype):
        return getattr(stateful, str(value).removeprefix("torch."))
    if isinstance(value, torch.device):
        return stateful.device(value.type)
    if isinstance(value, torch.nn.Module):
        return translated_module(value)
    if callable(value) and getattr(value, "__module__", "").startswith("torch"):
        return getattr(stateful.nn.functional, value.__name__)
    if isinstance(value, dict):
        return {key: translated(item, memo) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(translated(item, memo) for item in value)
    return value


def translated_module(module):
    """Our module with the same options and parameters."""
    names = inspect.signature(type(module).__init__).parameters
    options = {name: getattr(module, name) for name in names if hasattr(module, name)}
    if hasattr(module, "self_attn"):  # a layer of Transformer does not remember its options
        options = dict(
            d_model=module.self_attn.embed_dim, nhead=module.self_attn.num_heads,
            dim_feedforward=module.linear1.out_features, dropout=module.dropout.p,
            batch_first=module.self_attn.batch_first, norm_first=module.norm_first,
            bias=module.linear1.bias is not None, activation=translated(module.activation),
        )  # fmt: skip
    made = getattr(stateful.nn, type(module).__name__)(**options)
    state = {key: stateful.tensor(value.numpy()) for key, value in module.state_dict().items()}
    if state:
        made.to(next(iter(state.values())).dtype)
    made.load_state_dict(state)
    return made


def tensors_in(value, kind):
    """The tensors in nested outputs or arguments, in order."""
    if isinstance(value, kind):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return []
    return [tensor for item in value for tensor in tensors_in(item, kind)]


def run(face, name, construct, forward, training, dtype):
    """Initial state, outputs, gradients of inputs and parameters, final state, repr."""
    face.manual_seed(7)
    made = getattr(face.nn, name)(*construct.args, **construct.kwargs).train(training)
    before = snapshot(made)
    made = made.to(dtype)
    face.manual_seed(8)
    output = made(*forward.args, **forward.kwargs)
    outs = tensors_in(output, face.Tensor)
    total = 0.0
    for out in outs:
        if out.requires_grad:
            weights = np.cos(np.arange(out.numel())).reshape(tuple(out.shape))
            total = total + (out * face.tensor(weights)).sum()
    if not isinstance(total, float):
        (total.real if total.is_complex() else total).backward()
    inputs = tensors_in([forward.args, forward.kwargs], face.Tensor)
    leaves = [*inputs, *made.parameters()]
    return {
        "repr": repr(made),
        "state before": before,
        "state after": snapshot(made),
        "outputs": [np.array(out.detach().numpy()) for out in outs],
        "gradients": [None if x.grad is None else np.array(x.grad.numpy()) for x in leaves],
    }


def snapshot(module):
    """The state, less what has no shape yet."""
    return {
        key: np.array(value.numpy()) for key, value in module.state_dict().items()
        if not any(face.nn.parameter.is_lazy(value) for face in (torch, stateful))
    }  # fmt: skip


def leaves_of(value):
    """The same arguments with leaves for tensors that PyTorch's samples computed."""
    if isinstance(value, torch.Tensor) and not value.is_leaf:
        return value.detach().requires_grad_()
    if isinstance(value, dict):
        return {key: leaves_of(item) for key, item in value.items()}
    return type(value)(map(leaves_of, value)) if isinstance(value, list | tuple) else value


class Call:
    """Arguments of one call."""

    def __init__(self, args, kwargs):
        self.args, self.kwargs = args, kwargs


def check(name, given, training=True, dtype=torch.float64):
    """Compare both on one input of the database."""
    construct = Call(given.constructor_input.args, given.constructor_input.kwargs)
    forward = Call(given.forward_input.args, given.forward_input.kwargs)
    forward = Call(leaves_of(forward.args), leaves_of(forward.kwargs))
    memo = {}
    our_construct = Call(translated(construct.args, memo), translated(construct.kwargs, memo))
    our_forward = Call(translated(forward.args, memo), translated(forward.kwargs, memo))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = run(torch, name, construct, forward, training, dtype)
        ours = run(stateful, name, our_construct, our_forward, training, translated(dtype))
    assert ours["repr"] == theirs["repr"]
    assert list(ours["state before"]) == list(theirs["state before"])
    for key, value in theirs["state before"].items():
        mine = ours["state before"][key]
        assert mine.dtype == value.dtype and np.array_equal(mine, value), f"initial {key}"
    for part in ("outputs", "gradients"):
        assert len(ours[part]) == len(theirs[part]), part
        for i, (mine, other) in enumerate(zip(ours[part], theirs[part], strict=True)):
            assert (mine is None) == (other is None), f"{part} {i}"
            if other is not None:
                assert mine.dtype == other.dtype and mine.shape == other.shape, f"{part} {i}"
                np.testing.assert_allclose(mine, other, 1e-9, 1e-9, err_msg=f"{part} {i}")
    for key, value in theirs["state after"].items():
        np.testing.assert_allclose(ours["state after"][key], value, 1e-9, 1e-9, err_msg=key)

"""Random small programs show the same under real PyTorch and under `stateful`.

A program is text, made from a seed: views, writes in place, arithmetic, passes. A statement may
fail; then it has to fail under both with the same type of exception. What can be observed of each
tensor is compared at the end. A program that differs is printed.

What is written never shares memory with what it is written to: PyTorch leaves open what that gives.
"""

import random
import re
import warnings

import pytest
import torch

import stateful

VIEWS = (
    "{x}.view(-1)", "{x}[0]", "{x}[1:]", "{x}[..., :1]", "{x}[:, 1]", "{x}.t()", "{x}.detach()",
    "{x}.unsqueeze(0)", "{x}.squeeze()", "{x}.transpose(0, 1)", "{x}.expand(2, 2, 3)",
    "{x}.diagonal()", "{x}.select(-1, 1)", "{x}.narrow(0, 0, 1)", "{x}.chunk(2)[0]",
    "{x}.unbind()[-1]", "{x}.flatten()", "{x}.permute(1, 0)", "{x}.data", "{x}.reshape(3, 2)",
)  # fmt: skip
WRITES = (
    "{x}.mul_(2)", "{x}.add_({y} * 1)", "{x}.sub_({y} * 1, alpha=2)", "{x}.mul_({y} * 1)",
    "{x}.zero_()", "{x}.fill_(0.5)", "{x}.copy_({y} * 1)", "{x}.sin_()", "{x}.tanh_()",
    "{x}.relu_()", "{x}[0] = 2.0", "{x}[0] = {y} * 1", "{x}[..., 0] = {y} * 1",
    "{x}[{x} > 0] = 0.5", "{x}[1:].mul_(3)", "{x}.masked_fill_({x} > 0, -1.0)",
    "{x}.clamp_(-1, 1)", "{x}.detach_()", "{x}.unsqueeze_(0)", "{x}.squeeze_()", "{x}.t_()",
    "{x}.requires_grad_()", "{x}.eq_({y} * 1)",
)  # fmt: skip
VALUES = (
    "{x} * {y}", "{x} + {y}", "{x} - 1", "{x} * {x}", "{x}.sin()", "{x}.exp()", "{x}.sum()",
    "{x}.mean(0)", "{x}.relu()", "{x}.clone()", "torch.stack([{x}, {x}])", "{x} / 2", "{x}.tanh()",
    "{x}.max()", "{x}.cumsum(0)", "{x}.double()", "torch.cat([{x}, {y}])",
)  # fmt: skip
PASSES = (
    "{x}.sum().backward()", "{x}.sum().backward(retain_graph=True)", "({x} * {x}).sum().backward()",
    "g_{new}, = torch.autograd.grad(({x} * {x}).sum(), [{y}], allow_unused=True)",
    "g_{new}, = torch.autograd.grad({x}.sum(), [{y}], create_graph=True, allow_unused=True)",
    "{x}.retain_grad()", "b.register_hook(lambda g: g * 2)",
)  # fmt: skip
MODES = ("torch.no_grad()", "torch.enable_grad()")


def program(seed: int) -> list[str]:
    """The statements of a program."""
    chance, names = random.Random(seed), ["a", "b"]
    lines = [
        "a = torch.tensor([[0.5, -1.0, 1.5], [1.0, 0.25, -0.5]], requires_grad=True)",
        "b = a * torch.tensor([2.0, 1.0, -1.0])",
    ]
    for number in range(chance.choice((4, 6, 8))):
        kinds, new = chance.choices((VIEWS, WRITES, VALUES, PASSES), (4, 5, 3, 3))[0], f"t{number}"
        x, y = chance.choice(names[-3:]), chance.choice(names)
        line = chance.choice(kinds).format(x=x, y=y, new=new)
        if kinds in (VIEWS, VALUES):
            line = f"{new} = {line}"
            names.append(new)
        lines.append(f"with {chance.choice(MODES)}: {line}" if chance.random() < 0.15 else line)
    return lines


def graph(node, seen):
    """The names of the nodes from ``node`` on; each is followed once."""
    if node is None or node in seen:
        return None if node is None else seen[node]
    seen[node] = len(seen)
    return [node.name(), [(graph(following, seen), nr) for following, nr in node.next_functions]]


def base(tensor, tensors):
    """The name of the tensor of which this one is a view."""
    return next((n for n, t in tensors.items() if t is tensor._base), str(tensor._is_view()))


def attempt(look):
    """What ``look()`` gives, or how it fails."""
    try:
        return look()
    except RuntimeError as error:
        return type(error).__name__


def observe(name, tensor, tensors):
    """What can be observed of a tensor."""
    looks = (
        lambda: (str(tensor.dtype), list(tensor.shape), tensor.tolist()),
        lambda: (tensor.requires_grad, tensor.is_leaf, tensor.retains_grad, tensor.is_inference()),
        lambda: None if name.startswith("g_") else tensor._version,  # PyTorch's counts its kernels
        lambda: None if name.startswith("g_") else base(tensor, tensors),
        lambda: graph(tensor.grad_fn, {}),
        lambda: None if tensor.grad is None else tensor.grad.tolist(),
    )
    return [attempt(look) for look in looks]


def outcome(module, lines: list[str]) -> list:
    """What a program shows under ``module``."""
    names, shown = {"torch": module}, []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for line in lines:
            try:
                exec(line, names)
            except (AttributeError, IndexError, NameError, RuntimeError) as error:
                shown.append([line, type(error).__name__])
        tensors = {n: v for n, v in names.items() if isinstance(v, module.Tensor)}
        return shown + [[name, observe(name, tensor, tensors)] for name, tensor in tensors.items()]


def rounded(shown):
    """As text in which numbers have six digits."""
    text = re.sub(r"-?\d+\.\d+(e[+-]?\d+)?", lambda m: f"{float(m[0]):.4g}", repr(shown))
    return re.sub(r"-0(?=[,\]])", "0", text)


@pytest.mark.parametrize("seed", range(80))
def test_program(seed):
    lines = program(seed)
    expected, found = outcome(torch, lines), outcome(stateful, lines)
    for one, other in zip(expected, found, strict=False):
        assert rounded(one) == rounded(other), "\n".join(["the program:", *lines])
    assert len(expected) == len(found), "\n".join(lines)

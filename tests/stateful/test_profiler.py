"""Profiles that are not inside one another, which PyTorch does not have."""

import stateful as torch
from stateful import execute
from stateful.autograd.profiler import profile


def names(measured):
    return [event.name for event in measured.function_events]


def test_profiles_that_overlap_each_see_their_ops():
    before = execute.policy
    first, second = profile(), profile()
    x = torch.ones(2)
    first.__enter__()
    x.exp()
    second.__enter__()
    x.sin()
    first.__exit__()
    x.cos()
    second.__exit__()
    assert names(first) == ["aten::exp", "aten::sin"]
    assert names(second) == ["aten::sin", "aten::cos"]
    assert execute.policy is before

"""`Size` against `torch.Size`."""

import pickle

import pytest
import torch

from stateful.sizes import Size

EXPRESSIONS = [
    "s", "Size()", "s + (1,)", "(1,) + s", "s[:1]", "s[::-1]", "s[1]", "s * 2", "2 * s", "s + s",
    "s.numel()", "Size().numel()", "s.count(2)", "s.index(3)", "s == (2, 3)", "str(s)",
    "hash(s) == hash((2, 3))",
    "Size([True, 2])", "tuple(s)", "[*s]", "s.__radd__((1,))", "f'{s}'",
]  # fmt: skip
ERRORS = ["Size([2.5])", "Size([1, 'a'])", "Size(3)", "s + [1]", "[1] + s"]


def _evaluate(expression, size_type):
    return eval(expression, {"Size": size_type, "s": size_type([2, 3])})


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_values(expression):
    ours, theirs = _evaluate(expression, Size), _evaluate(expression, torch.Size)
    assert repr(ours) == repr(theirs)
    assert type(ours).__name__ == type(theirs).__name__


@pytest.mark.parametrize("expression", ERRORS)
def test_errors(expression):
    with pytest.raises(TypeError) as theirs:
        _evaluate(expression, torch.Size)
    with pytest.raises(TypeError) as ours:
        _evaluate(expression, Size)
    words = str(theirs.value).split("(not")[0]
    assert words in str(ours.value)


def test_items_become_plain_integers():
    assert [type(item) for item in Size([torch.tensor(3), True])] == [int, int]


def test_pickle():
    size = pickle.loads(pickle.dumps(Size([2, 3])))
    assert size == Size([2, 3]) and type(size) is Size

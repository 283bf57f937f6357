"""``x[index]`` and ``x[index] = value`` are PyTorch's: values, views made, gradients, errors."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from funcgrad.indexing import getitem, parse, setitem

VALUES = np.arange(60, dtype=np.float32).reshape(3, 4, 5) + 1
MASK = VALUES % 7 > 2
ROWS = np.array([[True, False, True, True], [False] * 4, [True] * 4])


def indices(tensor):
    """Indices of a (3, 4, 5) tensor; ``tensor`` makes one of the library under test."""
    pair, column = tensor(np.array([2, 0])), tensor(np.array([[1], [-2]]))
    return {
        "integer": 1, "negative": -1, "numpy integer": np.int64(2), "zero-dim": tensor(np.array(1)),
        "zero-dim numpy": np.array(2), "ellipsis": ..., "empty tuple": (), "none": None,
        "slice": slice(1, None), "full slice": slice(None), "full slices": (slice(None),) * 2,
        "long slice": slice(0, 100), "step": slice(None, None, 2), "negative slice": slice(-2, -1),
        "empty slice": slice(2, 1), "slice numpy": slice(np.int64(1), None),
        "slice and integer": (slice(None), 0), "three integers": (0, 1, 2),
        "last": (..., -1), "between": (0, ..., 1), "two ellipses": (..., 0, ...),
        "none between": (slice(None), None, 1, None), "none ellipsis none": (None, ..., None),
        "list": [0, 2], "empty list": [], "range": range(2), "nested lists": [[0, 1], [1, 3]],
        "boolean list": [True, False, True], "list of a slice": [slice(0, 1), 0],
        "float list": [1.5], "list in tuple": ([0, 1], slice(None), [1, 4]),
        "tuple in tuple": ((0, 1), (1, 2)), "numpy": np.array([0, 1]), "pair": pair,
        "pair twice": (pair, pair), "separated": (pair, slice(None), pair),
        "column": (column, pair),
        "pair last": (..., pair), "pair none": (pair, None), "integer and pair": (0, pair),
        "zero-dim and pair": (tensor(np.array(1)), pair), "pair slice": (pair, slice(1, 3)),
        "mask": tensor(MASK), "mask of rows": tensor(ROWS), "numpy mask": ROWS,
        "mask of one": tensor(ROWS[:, 0]), "mask behind": (slice(None), tensor(MASK[0])),
        "mask and integer": (tensor(ROWS), 0), "mask and column": (tensor(ROWS), column[0]),
        "mask and none": (tensor(ROWS), slice(None), None), "none and mask": (None, tensor(ROWS)),
        "true": True, "false": False, "zero-dim true": tensor(np.array(True)),
        "true and integer": (True, 0), "integer and true": (0, True), "two booleans": (True, True),
        "pair and true": (pair, slice(None), True), "slice and true": (slice(None), True),
        "zero-dim boolean and integer": (tensor(np.array(True)), 0),
    }  # fmt: skip


THEIRS, OURS = indices(torch.tensor), indices(jnp.asarray)


def views_of(result) -> list[str]:
    """The graph nodes behind ``result``, in the order of the calls."""
    names, node = [], result.grad_fn
    while type(node).__name__ != "AccumulateGrad":
        names.append(type(node).__name__)
        node = node.next_functions[0][0]
    return names[::-1]


def theirs(run):
    x = torch.tensor(VALUES, requires_grad=True)
    return run(x), x


@pytest.mark.filterwarnings("ignore:Using a non-tuple sequence")
@pytest.mark.parametrize("name", OURS)
def test_getitem(name):
    expected, x = theirs(lambda x: x[THEIRS[name]])
    result, pull = jax.vjp(lambda a: getitem(a, OURS[name]), jnp.asarray(VALUES))
    np.testing.assert_array_equal(result, expected.detach())
    weights = np.arange(expected.numel(), dtype=np.float32).reshape(expected.shape)
    expected.backward(torch.tensor(weights))
    np.testing.assert_array_equal(pull(jnp.asarray(weights))[0], x.grad)


@pytest.mark.filterwarnings("ignore:Using a non-tuple sequence")
@pytest.mark.parametrize("name", OURS)
def test_makes_the_same_views(name):
    expected, _ = theirs(lambda x: x[THEIRS[name]])
    plan = parse(OURS[name], VALUES.shape)
    made = [op.grad_fn for op, _ in plan.views] + ["IndexBackward0"] * bool(plan.tensors)
    assert made == views_of(expected)
    shape = VALUES.shape
    for op, args in plan.views:
        shape = jax.eval_shape(lambda a, op=op, args=args: op(a, *args), jnp.zeros(shape)).shape
    assert plan.shape == shape


@pytest.mark.filterwarnings("ignore:Using a non-tuple sequence")
@pytest.mark.parametrize(
    ("name", "kind"),
    [(name, kind) for name in OURS for kind in ("number", "full")]
    + [(name, kind) for name in ("integer", "ellipsis", "separated", "pair slice", "mask", "false")
       for kind in ("zero-dim", "leading ones", "last row")],
)  # fmt: skip
def test_setitem(name, kind):
    shape = tuple(torch.tensor(VALUES)[THEIRS[name]].shape)
    sizes = {"zero-dim": (), "full": shape, "leading ones": (1, 1, *shape), "last row": shape[-1:]}
    # Which of several values for one place stays is not defined.
    full = np.full(sizes.get(kind, ()), 7.0, np.float32)
    if name not in ("pair twice", "column"):
        full = full + np.arange(full.size, dtype=np.float32).reshape(full.shape)
    given, array = torch.tensor(full, requires_grad=True), jnp.asarray(full)
    x = torch.tensor(VALUES, requires_grad=True)
    target = x.clone()
    target[THEIRS[name]] = 7.0 if kind == "number" else given
    result, pull = jax.vjp(
        lambda a, v: setitem(a, OURS[name], 7.0 if kind == "number" else v),
        jnp.asarray(VALUES),
        array,
    )
    np.testing.assert_array_equal(result, target.detach())
    target.backward(torch.tensor(VALUES))
    grad, grad_value = pull(jnp.asarray(VALUES))
    np.testing.assert_array_equal(grad, x.grad)
    if given.grad is not None:
        np.testing.assert_allclose(grad_value, given.grad, rtol=1e-6)


WRONG = {
    "float": lambda t: 1.0, "complex": lambda t: 1j, "out of range": lambda t: 3,
    "out of range behind": lambda t: (None, 0, -5), "too many": lambda t: (0, 0, 0, 0),
    "index out of range": lambda t: t(np.array([0, 3])),
    "zero-dim out of range": lambda t: t(np.array(5)),
    "index out of range behind": lambda t: (slice(None), t(np.array([4]))),
    "float tensor": lambda t: t(np.array([1.0], np.float32)),
    "short tensor": lambda t: t(np.array([1], np.int16)),
    "negative step": lambda t: slice(2, 0, -1),
    "zero step": lambda t: slice(None, None, 0), "float slice": lambda t: slice(0, 2.5),
    "mask of another shape": lambda t: t(np.array([True, False])),
    "mask behind": lambda t: (0, t(np.array([True] * 5))),
    "shapes": lambda t: (t(np.array([0, 1])), t(np.array([0, 1, 2]))),
    "numpy boolean": lambda t: np.bool_(True),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_errors(name):
    with pytest.raises(Exception) as expected:  # noqa: B017
        torch.tensor(VALUES)[WRONG[name](torch.tensor)]
    with pytest.raises(expected.type) as error:
        getitem(jnp.asarray(VALUES), WRONG[name](jnp.asarray))
    ours, theirs = (str(e.value).split("\n")[0].split(" (got")[0] for e in (error, expected))
    assert ours == theirs


@pytest.mark.parametrize("index", [0, slice(None), (0, 0)])
def test_errors_of_a_zero_dim_tensor(index):
    with pytest.raises(IndexError) as expected:
        torch.tensor(1.0)[index]
    with pytest.raises(IndexError) as error:
        getitem(jnp.array(1.0), index)
    assert str(error.value) == str(expected.value)


def test_values_that_do_not_fit():
    with pytest.raises(RuntimeError, match="must match the existing size"):
        setitem(jnp.zeros((3, 4)), 0, jnp.ones(3))
    with pytest.raises(RuntimeError, match="shape mismatch: value tensor of shape"):
        setitem(jnp.zeros((3, 4)), jnp.array([0, 1]), jnp.ones(3))
    with pytest.raises(RuntimeError, match="cannot be converted to type float32 without overflow"):
        setitem(jnp.zeros(3), 0, 1j)
    with pytest.raises(TypeError, match="can't assign a list"):
        setitem(jnp.zeros(3), 0, [1.0])


def test_a_number_behind_a_mask_needs_no_values():
    """No shape depends on the mask, so the assignment compiles."""
    compiled = jax.jit(lambda x: setitem(x, x > 1, 0.0))
    np.testing.assert_array_equal(compiled(jnp.array([1.0, 2.0])), [1.0, 0.0])


def test_a_traced_integer_is_an_index():
    compiled = jax.jit(getitem)
    np.testing.assert_array_equal(compiled(VALUES, jnp.array(-1)), VALUES[-1])
    compiled = jax.jit(setitem)
    assert compiled(jnp.zeros(3), jnp.array(1), 5.0).tolist() == [0, 5, 0]

"""assert_matches_torch and first_divergence: they pass what is equal and name what is not."""

# ruff: noqa: E501

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from funcgrad.testing import assert_matches_torch, first_divergence, record, ulp_distance

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 3)).astype(np.float32)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = torch.nn.ModuleList([torch.nn.Linear(3, 5), torch.nn.Linear(5, 2)])

    def forward(self, x):
        return self.layers[1](torch.tanh(self.layers[0](x)))


def ours(params, x, scale=1.0):
    x = record("layers.0", x @ params["layers.0.weight"].T + params["layers.0.bias"])
    x = scale * jnp.tanh(x)
    return record("layers.1", x @ params["layers.1.weight"].T + params["layers.1.bias"])


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64])
def test_equal_functions_pass(dtype):
    def function(tree, n):
        return {"a": (tree["x"] * tree["x"] * tree["y"]).sum(), "n": n + 1, "c": tree["x"].conj()}

    tree = {"x": X.astype(dtype), "y": (X + 1).astype(dtype)}
    assert_matches_torch(function, function, (tree, np.arange(3, dtype=np.int32)))
    assert jnp.ones(1).dtype == jnp.float32


def test_a_module_lends_its_weights():
    assert_matches_torch(ours, Net(), (X,))
    assert_matches_torch(ours, Net(), (torch.tensor(X),))


def test_weights_as_a_pytree_and_rearranged():
    def nested(params, x):
        for i, layer in enumerate(params["layers"]):
            x = (jnp.tanh if i == 0 else lambda y: y)(x @ layer["weight"].T + layer["bias"])
        return x

    shapes = [(3, 5), (5, 2)]
    params = {"layers": [{"weight": jnp.asarray(RNG.normal(size=(o, i)), jnp.float32),
                          "bias": jnp.full(o, 0.5)} for i, o in shapes]}  # fmt: skip
    assert_matches_torch(nested, Net(), (X,), params=params)

    def transposed(params, x):
        for i, (kernel, bias) in enumerate(params):
            x = (jnp.tanh if i == 0 else lambda y: y)(x @ kernel + bias)
        return x

    assert_matches_torch(
        transposed, Net(), (X,),
        to_params=lambda d: [(d[f"layers.{i}.weight"].T, d[f"layers.{i}.bias"]) for i in range(2)],
    )  # fmt: skip
    assert_matches_torch(
        lambda p, x: x @ p["w"], lambda p, x: x @ p["w"], (X,), params={"w": X.T[:, :2]}
    )


@pytest.mark.parametrize(
    "wrong, right, message",
    [
        (lambda x: x.at[2, 1].add(0.5), lambda x: x * 1,
         r"values differ in 1 of 1 leaves.\n  output\[2, 1\]: jax .*ulp \(1 of 12 differ\)"),
        (lambda x: {"y": x, "z": x + jax.lax.stop_gradient(x)}, lambda x: {"y": x, "z": x + x},
         r"gradients differ in 1 of 1 leaves.\n  gradient of inputs\[0\]\[\d, \d\]: jax .*12 of 12"),
        (lambda x: x * jax.lax.stop_gradient(x) * 1.5 - 0.5 * jax.lax.stop_gradient(x) * x
         + x * x / 2 - jax.lax.stop_gradient(x * x) / 2, lambda x: x * x,
         "second derivatives differ"),
        (lambda x: x[None], lambda x: x, r"output: the shape differs: jax \(1, 4, 3\), torch \(4"),
        (lambda x: x > 0, lambda x: x, "output: the dtype differs: jax bool, torch float32"),
        (lambda x: {"a": x}, lambda x: {"b": x}, "output: the trees differ"),
    ],
)  # fmt: skip
def test_differences_are_named(wrong, right, message):
    with pytest.raises(AssertionError, match=message):
        assert_matches_torch(wrong, right, (X,))


def test_order_and_tolerances():
    near = lambda x: x * np.float32(1 + 1e-5)  # noqa: E731
    with pytest.raises(AssertionError, match="values"):
        assert_matches_torch(near, lambda x: x * 1, (X,), atol=0.0)
    assert_matches_torch(near, lambda x: x * 1, (X,), rtol=1e-4)
    assert_matches_torch(near, lambda x: x * 1, (X,), max_ulps=200)
    half = lambda x: x + jax.lax.stop_gradient(x)  # noqa: E731
    assert_matches_torch(half, lambda x: x + x, (X,), order=0)
    with pytest.raises(AssertionError, match="gradients"):
        assert_matches_torch(half, lambda x: x + x, (X,), order=1)


def test_ulps():
    one = np.float32(1)
    assert ulp_distance(one, np.nextafter(one, np.float32(2))) == 1
    assert ulp_distance(np.float32(-0.0), np.float32(0.0)) == 0
    assert ulp_distance(np.float32(-1e-45), np.float32(1e-45)) == 2
    assert ulp_distance(1.0, np.nextafter(np.nextafter(1.0, 2), 2)) == 2
    assert ulp_distance(np.nan, np.nan) == 0 and ulp_distance(np.nan, 1.0) == np.inf


def test_first_divergence_names_layer_and_kind():
    assert first_divergence(ours, Net(), (X,)) is None
    found = first_divergence(lambda p, x: ours(p, x, scale=1.01), Net(), (X,))
    assert (found.layer, found.kind) == ("layers.1", "activation")
    assert "layer 'layers.1' parts first, in its activation[" in str(found)

    def stopped(params, x):
        x = record("layers.0", x @ params["layers.0.weight"].T + params["layers.0.bias"])
        x = jnp.tanh(0.5 * x + 0.5 * jax.lax.stop_gradient(x))
        return record("layers.1", x @ params["layers.1.weight"].T + params["layers.1.bias"])

    found = first_divergence(stopped, Net(), (X,))
    assert (found.layer, found.kind) == ("layers.0", "gradient")


def test_first_divergence_of_a_sequence():
    model = torch.nn.Sequential(torch.nn.Tanh(), torch.nn.ReLU(), torch.nn.Sigmoid())
    good = [jnp.tanh, jax.nn.relu, jax.nn.sigmoid]
    assert first_divergence(good, model, (X,)) is None
    assert first_divergence([good[0], jax.nn.gelu, good[2]], model, (X,)).layer == "1"
    inplace = torch.nn.Sequential(torch.nn.Tanh(), torch.nn.ReLU(inplace=True), torch.nn.Sigmoid())
    assert first_divergence(good, inplace, (X,)) is None
    with pytest.raises(ValueError, match="recorded nothing"):
        first_divergence(lambda p, x: x, model, (X,))
    with pytest.raises(ValueError, match="no module is named 'x'"):
        first_divergence(lambda p, x: record("x", x), model, (X,))

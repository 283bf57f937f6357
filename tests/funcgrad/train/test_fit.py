"""fit against a loop written by hand, against torch, and against itself after an interruption."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch

from funcgrad.train import NonFiniteError, fit, init_state, make_step, scan_steps

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 3)).astype(np.float32)
DATA = {"x": X, "y": (X @ np.array([1.0, -2.0, 0.5]) + 0.3).astype(np.float32)}
PARAMS = {"w": jnp.zeros(3), "b": jnp.zeros(())}


def loss_fn(params, batch):
    return ((batch["x"] @ params["w"] + params["b"] - batch["y"]) ** 2).mean()


def equal(one, other, **tolerance):
    check = np.testing.assert_allclose if tolerance else np.testing.assert_array_equal
    jax.tree.map(lambda a, b: check(a, b, **tolerance), one, other)


def test_full_batch_training_is_torchs():
    w, b = torch.zeros(3, requires_grad=True), torch.zeros((), requires_grad=True)
    x, y = torch.tensor(DATA["x"]), torch.tensor(DATA["y"])
    optimizer, losses = torch.optim.SGD([w, b], lr=0.1, momentum=0.9), []
    average = [w.detach().clone(), b.detach().clone()]
    for i in range(30):
        optimizer.zero_grad()
        loss = ((x @ w + b - y) ** 2).mean()
        losses.append(loss.item())
        loss.backward()
        torch.nn.utils.clip_grad_norm_([w, b], 0.5)
        optimizer.step()
        for old, new in zip(average, (w, b), strict=True):
            old.copy_(new.detach() if i == 0 else 0.9 * old + 0.1 * new.detach())
    result = fit(loss_fn, PARAMS, DATA, optax.sgd(0.1, momentum=0.9), 30, clip_norm=0.5, ema=0.9,
                 chunk=7)  # fmt: skip
    expected = {"w": w.detach().numpy(), "b": b.detach().numpy()}
    equal(result.params, expected, rtol=1e-4, atol=1e-6)
    equal(result.ema, {"w": average[0].numpy(), "b": average[1].numpy()}, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(result.history.loss, losses, rtol=1e-4)
    assert repr(result).startswith("FitResult(30 steps, finished, History(30 steps, loss ")


def test_chunks_and_pieces_do_not_change_the_numbers():
    optimizer = optax.adam(0.1)
    step = make_step(loss_fn, optimizer)
    state, losses = init_state(PARAMS, optimizer), []
    for _ in range(10):
        state, output = step(state, DATA)
        losses.append(output.loss)
    stacked = jax.tree.map(lambda leaf: np.stack([leaf] * 10), DATA)
    scanned, outputs = scan_steps(
        make_step(loss_fn, optimizer, jit=False), init_state(PARAMS, optimizer), stacked
    )
    equal(scanned.params, state.params, rtol=1e-5)
    equal(outputs.loss, np.stack(losses), rtol=1e-5)
    whole = fit(loss_fn, PARAMS, DATA, optimizer, 10)
    for chunk in (1, 2, 3, 10, 100):
        result = fit(loss_fn, PARAMS, DATA, optimizer, 10, chunk=chunk)
        if chunk > 1:  # the compiler may treat a loop of one step in its own way
            equal((result.params, result.history.loss), (whole.params, whole.history.loss))
        equal(result.params, state.params, rtol=1e-5)
        assert int(result.state.step) == len(result.history.loss) == 10


def test_optimizers_that_search_get_the_loss():
    result = fit(loss_fn, PARAMS, DATA, optax.lbfgs(), 15)
    assert result.history.loss[-1] < 1e-8


def test_accumulation_is_the_whole_batch():
    whole = fit(loss_fn, PARAMS, DATA, optax.adam(0.1), 10)
    parts = fit(loss_fn, PARAMS, DATA, optax.adam(0.1), 10, accumulate=4)
    equal(parts.params, whole.params, rtol=1e-4)
    np.testing.assert_allclose(parts.history.loss, whole.history.loss, rtol=1e-4)
    with pytest.raises(ValueError, match=r"accumulate=5: batch\['x'\] is float32\[24, 3\]"):
        fit(loss_fn, PARAMS, DATA, optax.adam(0.1), 10, accumulate=5)


def test_every_kind_of_data_gives_the_same_training():
    order = [np.random.default_rng([7, epoch]) for epoch in range(3)]
    batches = []
    for rng in order:
        indices = np.arange(24, dtype=np.int32)
        rng.shuffle(indices)
        batches += [jax.tree.map(lambda leaf, i=i: leaf[i], DATA) for i in indices.reshape(3, 8)]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *batches)
    sources = [
        (DATA, {"batch_size": 8, "seed": 7}),
        (batches, {}),
        (iter(batches), {}),
        (lambda step: jax.tree.map(lambda leaf: leaf[step], stacked), {}),
    ]
    results = [
        fit(loss_fn, PARAMS, data, optax.sgd(0.1), 9, chunk=4, **keywords)
        for data, keywords in sources
    ]
    for result in results[1:]:
        equal(result.params, results[0].params, rtol=1e-6)
    unshuffled = fit(loss_fn, PARAMS, DATA, optax.sgd(0.1), 9, batch_size=8, shuffle=False)
    assert not np.allclose(unshuffled.params["w"], results[0].params["w"], rtol=1e-6)


def test_lists_start_again_and_iterators_cannot():
    batches = [DATA, DATA]
    equal(fit(loss_fn, PARAMS, batches, optax.sgd(0.1), 5).params,
          fit(loss_fn, PARAMS, DATA, optax.sgd(0.1), 5).params, rtol=1e-5)  # fmt: skip
    with pytest.raises(ValueError, match="data ended after 2 batches"):
        fit(loss_fn, PARAMS, iter(batches), optax.sgd(0.1), 5)


def test_random_keys_schedules_and_metrics():
    def noisy(params, batch, key):
        loss = loss_fn(params, batch) + 0 * jax.random.normal(key)
        return loss, {"draw": jax.random.uniform(key), "norm": jnp.linalg.norm(params["w"])}

    results = [
        fit(noisy, PARAMS, DATA, optax.sgd, 8, schedule=optax.linear_schedule(0.1, 0.0, 8),
            key=jax.random.key(3), has_aux=True, chunk=chunk)
        for chunk in (3, 8)
    ]  # fmt: skip
    draws = results[0].history.metrics["draw"]
    assert len(np.unique(draws)) == 8
    equal(draws, results[1].history.metrics["draw"])
    plain = fit(loss_fn, PARAMS, DATA, optax.sgd(optax.linear_schedule(0.1, 0.0, 8)), 8)
    equal(plain.params, results[0].params, rtol=1e-5)


def test_evaluation_and_early_stop():
    values = itertools.chain([3.0, 2.0, 2.5, 2.4, 2.3], itertools.repeat(9.0))
    seen = []

    def evaluate(params):
        seen.append(np.array(params["w"]))
        return {"loss": next(values), "other": 1}

    result = fit(loss_fn, PARAMS, DATA, optax.sgd(0.1), 100, evaluate=evaluate, evaluate_every=5,
                 patience=3, chunk=2, guard=False)  # fmt: skip
    assert result.stopped == "early" and int(result.state.step) == 25 and result.best_step == 10
    assert [step for step, _ in result.history.evaluations] == [5, 10, 15, 20, 25]
    equal(result.best_params["w"], seen[1])
    with pytest.raises(ValueError, match="monitor='accuracy' is not among.*'loss', 'other'"):
        fit(loss_fn, PARAMS, DATA, optax.sgd(0.1), 1, evaluate=evaluate, monitor="accuracy")


@pytest.mark.parametrize("chunk", [1, 4, 100])
def test_the_guard_names_the_first_bad_leaf(chunk):
    def fragile(params, step):
        late = jnp.where(step == 6, 0.0, 1.0)
        return params["a"].sum() + jnp.sqrt(jnp.abs(params["b"]["c"] * late)).sum()

    params = {"a": jnp.ones(2), "b": {"c": jnp.ones(3)}}
    with pytest.raises(NonFiniteError, match=r"in step 6 .*gradient\['b'\]\['c'\]\[0\] is nan"):
        fit(fragile, params, lambda step: step, optax.sgd(0.001), 20, chunk=chunk)
    fit(fragile, params, lambda step: step, optax.sgd(0.001), 20, chunk=chunk, guard=False)


def test_the_guard_names_bad_data_and_bad_parameters():
    bad = {**DATA, "y": DATA["y"] * np.where(np.arange(24) == 5, np.nan, 1)}
    with pytest.raises(NonFiniteError, match=r"in step 0 .*batch\['y'\]\[5\] is nan"):
        fit(loss_fn, PARAMS, bad, optax.sgd(0.1), 3)
    with pytest.raises(NonFiniteError, match=r"params\['w'\]\[0\] is inf"):
        fit(loss_fn, {**PARAMS, "w": PARAMS["w"] + jnp.inf}, DATA, optax.sgd(0.1), 3)


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        (dict(params={"w": jnp.arange(3)}), RuntimeError, r"params\['w'\] is int32\[3\]"),
        (dict(params={}), ValueError, "params has no arrays"),
        (dict(data=3), TypeError, "data is int"),
        (dict(data=[]), ValueError, "data is empty"),
        (dict(data={"x": np.zeros((0, 3))}), ValueError, r"data\['x'\] is empty, float64\[0, 3\]"),
        (dict(batch_size=25), ValueError, "batch_size=25 does not fit data of 24 samples"),
        (dict(data={**DATA, "y": X[:3]}, batch_size=2), ValueError, "one common first axis"),
        (dict(data=[DATA, jax.tree.map(lambda a: a[:3], DATA)]), ValueError, r"batch\['x'\]"),
        (dict(optimizer=optax.sgd), TypeError, "together with schedule="),
        (dict(steps=-1), ValueError, "steps=-1"),
        (dict(patience=2), ValueError, "need evaluate="),
        (dict(checkpoint_every=2), ValueError, "needs checkpoint="),
        (dict(loss_fn=lambda p, b: p["w"]), RuntimeError, "to return a scalar Tensor"),
    ],
)
def test_bad_arguments_are_named(arguments, error, message):
    good = dict(loss_fn=loss_fn, params=PARAMS, data=DATA, optimizer=optax.sgd(0.1), steps=3)
    with pytest.raises(error, match=message):
        fit(**{**good, **arguments})


def test_the_bar_and_the_plot(tmp_path, capsys):
    result = fit(loss_fn, PARAMS, DATA, optax.sgd(0.1), 20, chunk=5, progress=True,
                 evaluate=lambda p: p["b"], evaluate_every=10)  # fmt: skip
    shown = capsys.readouterr().err
    assert "20/20" in shown and "loss" in shown and "steps/s" in shown
    result.history.plot(tmp_path / "loss.png")
    assert (tmp_path / "loss.png").read_bytes().startswith(b"\x89PNG")


def test_the_loop_is_compiled_once_per_length():
    traces = []

    def counted(params, batch):
        traces.append(1)
        return loss_fn(params, batch)

    fit(counted, PARAMS, DATA, optax.sgd(0.1), 40, chunk=10)
    assert len(traces) == 1

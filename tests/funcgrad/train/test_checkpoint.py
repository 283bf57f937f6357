"""Checkpoints: what is written is what is read, and a killed run loses nothing."""

import json
import os
import signal
import subprocess
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from funcgrad.train import CheckpointError, fit, load_checkpoint, load_metadata, save_checkpoint

TREE = {
    "a": jnp.arange(3.0),
    "half": jnp.ones((2, 2), jnp.bfloat16) * 1.5,
    "key": jax.random.key(5),
    "nested": [np.arange(2), (jnp.array(True), 7, 2.5, None)],
    "z": jnp.array([1 + 2j]),
}


def test_everything_comes_back(tmp_path):
    path = tmp_path / "deep" / "tree.npz"
    save_checkpoint(path, TREE, {"note": [1, "two"]})
    back, metadata = load_checkpoint(path, jax.tree.map(lambda leaf: leaf, TREE))
    assert metadata == load_metadata(path) == {"note": [1, "two"]}
    assert jax.tree.structure(back) == jax.tree.structure(TREE)
    for old, new in zip(jax.tree.leaves(TREE), jax.tree.leaves(back), strict=True):
        assert type(old) is type(new)
        if hasattr(old, "dtype"):
            assert old.dtype == new.dtype
        if hasattr(old, "dtype") and jnp.issubdtype(old.dtype, jax.dtypes.prng_key):
            old, new = jax.random.key_data(old), jax.random.key_data(new)
        np.testing.assert_array_equal(old, new)


def test_mistakes_name_the_leaf(tmp_path):
    path = tmp_path / "tree.npz"
    save_checkpoint(path, {"a": jnp.ones(3)})
    for like, message in [
        ({"a": jnp.ones(2)}, r"tree\['a'\] is float32\[3\] and float32\[2\] is asked for"),
        ({"a": jnp.ones(3, jnp.int32)}, "int32"),
        ({"b": jnp.ones(3)}, r"it lacks tree\['b'\]; it has tree\['a'\]"),
    ]:
        with pytest.raises(CheckpointError, match=message):
            load_checkpoint(path, like)
    with pytest.raises(TypeError, match=r"tree\['f'\] is function"):
        save_checkpoint(path, {"f": lambda: 0})
    with pytest.raises(FileNotFoundError):
        load_checkpoint(tmp_path / "none.npz", {})


def test_damage_is_noticed(tmp_path):
    path = tmp_path / "tree.npz"
    save_checkpoint(path, {"a": jnp.arange(1000.0)})
    content = path.read_bytes()
    half, flipped = content[: len(content) // 2], bytearray(content)
    flipped[600] ^= 1
    for damaged in (half, bytes(flipped), b"", b"text"):
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match="damaged"):
            load_checkpoint(path, {"a": jnp.arange(1000.0)})


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "tree.npz"
    save_checkpoint(path, {"a": jnp.ones(3)})

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        save_checkpoint(path, {"a": jnp.zeros(3)})
    assert os.listdir(tmp_path) == ["tree.npz"]
    assert load_checkpoint(path, {"a": jnp.zeros(3)})[0]["a"].sum() == 3


def loss_fn(params, batch, key):
    noise = jax.random.normal(key, batch["x"].shape)
    return ((jnp.tanh((batch["x"] + 0.1 * noise) @ params["w"]) - batch["y"]) ** 2).mean()


def train(path=None, steps=60, **keywords):
    rng = np.random.default_rng(0)
    data = {"x": rng.normal(size=(50, 4)), "y": rng.normal(size=(50, 2))}
    data = jax.tree.map(lambda leaf: leaf.astype(np.float32), data)
    return fit(
        loss_fn, {"w": jnp.full((4, 2), 0.1)}, data, optax.adamw(0.01), steps, batch_size=8,
        key=jax.random.key(1), ema=0.9, evaluate=lambda p: jnp.abs(p["w"]).sum(),
        evaluate_every=8, checkpoint=path, checkpoint_every=None if path is None else 12,
        chunk=4, **keywords,
    )  # fmt: skip


def same_run(one, other):
    for name in ("state", "ema", "best_params", "best_step"):
        jax.tree.map(np.testing.assert_array_equal, getattr(one, name), getattr(other, name))
    np.testing.assert_array_equal(one.history.loss, other.history.loss)
    assert one.history.evaluations == other.history.evaluations


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("at", [8, 16, 48])
def test_an_interrupted_run_goes_on_to_the_same_bits(tmp_path, at):
    path, calls = tmp_path / "run.npz", []
    whole = train()

    def rng_evaluate(params):
        calls.append(1)
        if len(calls) == at // 8:
            raise Interrupted
        return jnp.abs(params["w"]).sum()

    with pytest.raises(Interrupted):
        interrupted(path, rng_evaluate)
    same_run(train(path), whole)
    same_run(train(path), whole)  # a finished run is read back
    assert len(train(path, steps=64).history.loss) == 64
    assert len(train(path, resume=False).history.loss) == 60


def interrupted(path, evaluate):
    original = globals()["fit"]
    globals()["fit"] = lambda *args, **keywords: original(
        *args, **{**keywords, "evaluate": evaluate}
    )
    try:
        train(path)
    finally:
        globals()["fit"] = original


def test_another_runs_checkpoint_is_refused(tmp_path):
    path = tmp_path / "run.npz"
    save_checkpoint(path, {"a": 1.0})
    with pytest.raises(CheckpointError, match="was not written by fit"):
        train(path)
    train(path, steps=12, resume=False)
    with pytest.raises(CheckpointError, match=r"another tree.*ema"):
        fit(lambda p, b: (p["w"] * b).sum(), {"w": jnp.ones((4, 2))}, jnp.ones(2),
            optax.adamw(0.01), 20, checkpoint=path)  # fmt: skip


PROGRAM = """
import json, sys, time
import jax, jax.numpy as jnp, numpy as np, optax
from funcgrad.train import fit
data = np.random.default_rng(0).normal(size=(64, 8)).astype(np.float32)
def loss(params, batch, key):
    noise = 0.1 * jax.random.normal(key, batch.shape)
    return jnp.tanh((batch + noise) @ params["w"]).std() + (params["w"] ** 2).mean()
def slow(params):
    print("at", flush=True)
    time.sleep(float(sys.argv[2]))
    return (params["w"] ** 2).sum()
result = fit(loss, {"w": jnp.eye(8)}, data, optax.adam(0.01), 400, batch_size=16, chunk=5,
             key=jax.random.key(0), checkpoint=sys.argv[1] or None,
             checkpoint_every=5 if sys.argv[1] else None, evaluate=slow, evaluate_every=10)
bits = np.asarray(result.params["w"]).view(np.int32).sum(dtype=np.int64)
print(json.dumps([int(bits), result.history.loss.astype(float).tolist(),
                  result.history.evaluations]))
"""


def start(path, pause):
    environment = {**os.environ, "JAX_PLATFORMS": "cpu"}
    return subprocess.Popen([sys.executable, "-c", PROGRAM, path, str(pause)], env=environment,
                            stdout=subprocess.PIPE, text=True)  # fmt: skip


def test_a_killed_process_loses_nothing(tmp_path):
    path = str(tmp_path / "run.npz")
    expected, _ = start("", 0.0).communicate(timeout=120)
    seen = -1
    for after in (1, 3, 7):  # evaluations to wait for, so that every life makes progress
        process = start(path, 0.02)
        for _ in range(after):
            assert process.stdout.readline() == "at\n"
        time.sleep(0.003 * after)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        process.stdout.close()
        done = load_metadata(path)["evaluations"] if os.path.exists(path) else []
        assert len(done) > seen
        seen = len(done)
    final, _ = start(path, 0.0).communicate(timeout=120)
    assert json.loads(final.splitlines()[-1]) == json.loads(expected.splitlines()[-1])
    assert final.count("at\n") < expected.count("at\n")

"""Training on 8 simulated devices and on 2 processes: one device's numbers, and clear errors."""

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time

import jax
import numpy as np
import pytest
from jax.sharding import PartitionSpec as P

from funcgrad.sharding import Layout

COMMON = """
import json, sys, time
import jax, jax.numpy as jnp, numpy as np, optax
from jax.sharding import PartitionSpec as P
from funcgrad.train import fit
rng = np.random.default_rng(0)
make = lambda *shape: (rng.normal(size=shape) * 0.3).astype(np.float32)
params = {"in": {"w": make(4, 16), "b": make(16)}, "out": {"w": make(16, 1)}}
data = {"x": make(64, 4), "y": make(64, 1)}
def loss(params, batch):
    hidden = jnp.tanh(batch["x"] @ params["in"]["w"] + params["in"]["b"])
    return ((hidden @ params["out"]["w"] - batch["y"]) ** 2).mean()
def run(steps=20, **keywords):
    return fit(loss, params, data, optax.adam(0.01), steps, batch_size=32, ema=0.9, chunk=4,
               **keywords)
"""


def python(program, *arguments, devices=1):
    environment = {
        **os.environ,
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}",
    }
    return subprocess.Popen(
        [sys.executable, "-c", COMMON + textwrap.dedent(program), *map(str, arguments)],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def output(process):
    out, err = process.communicate(timeout=180)
    assert process.returncode == 0, err
    return json.loads(out.splitlines()[-1])


ON_A_MESH = """
def report(result, sharding=None):
    numbers = {"w": np.asarray(result.params["in"]["w"]).tolist(),
               "ema": np.asarray(result.ema["out"]["w"]).tolist(),
               "loss": result.history.loss.tolist()}
    return numbers
model = {"in.*": P("model"), "out.w": P("model")}
one = run()
meshes = {
    "data": dict(mesh=jax.make_mesh((8,), ("data",))),
    "both": dict(mesh=jax.make_mesh((4, 2), ("data", "model")),
                 shard_params={"in.w": P(None, "model"), "in.b": P("model"), "out.w": P("model")}),
    "model": dict(mesh=jax.make_mesh((1, 8), ("data", "model")),
                  shard_params={"in.w": P(None, "model"), "in.b": P("model")}),
}
results = {"one": report(one)}
places = {}
for name, keywords in meshes.items():
    result = run(**keywords)
    results[name] = report(result)
    momentum = result.state.optimizer_state[0].mu["in"]["w"]
    places[name] = [len(result.params["in"]["w"].sharding.device_set),
                    list(result.params["in"]["w"].addressable_shards[0].data.shape),
                    list(momentum.addressable_shards[0].data.shape)]
path = sys.argv[1]
run(12, checkpoint=path, **meshes["both"])
resumed = run(checkpoint=path, **meshes["both"])
results["resumed"] = report(resumed)
results["elsewhere"] = report(run(checkpoint=path, **meshes["data"]))
print(json.dumps([results, places]))
"""


def test_eight_devices_train_like_one(tmp_path):
    results, places = output(python(ON_A_MESH, tmp_path / "run.npz", devices=8))
    for name, result in results.items():
        for quantity, values in result.items():
            np.testing.assert_allclose(values, results["one"][quantity], rtol=2e-4, atol=2e-5,
                                       err_msg=f"{name}: {quantity}")  # fmt: skip
    assert results["resumed"] == results["both"]
    assert places == {
        "data": [8, [4, 16], [4, 16]],
        "both": [8, [4, 8], [4, 8]],
        "model": [8, [4, 2], [4, 2]],
    }


TWO = """
jax.distributed.initialize(f"localhost:{sys.argv[1]}", 2, int(sys.argv[2]),
                           heartbeat_timeout_seconds=20)
mesh = jax.make_mesh((2,), ("data",))
pause, path, steps = float(sys.argv[3]), sys.argv[4] or None, int(sys.argv[5])
def evaluate(params):
    print("at", flush=True)
    time.sleep(pause)
    return 0.0
result = run(steps, mesh=mesh, checkpoint=path, evaluate=evaluate, evaluate_every=4,
             checkpoint_every=4 if path else None)
print(json.dumps([np.asarray(result.params["in"]["w"]).tolist(), result.history.loss.tolist()]))
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


def pair(pause, path, steps=20):
    port = free_port()
    return [python(TWO, port, rank, pause, path, steps) for rank in range(2)]


def test_two_processes_train_like_one_and_survive_a_kill(tmp_path):
    one = output(python("""
        result = run()
        print(json.dumps([np.asarray(result.params["in"]["w"]).tolist(),
                          result.history.loss.tolist()]))
    """))  # fmt: skip
    both = [output(process) for process in pair(0.0, "")]
    assert both[0] == both[1]
    for mine, other in zip(both[0], one, strict=True):
        np.testing.assert_allclose(mine, other, rtol=2e-4, atol=2e-5)

    path = tmp_path / "run.npz"
    first, second = pair(0.3, path)
    try:
        evaluations = (line for line in first.stdout if line == "at\n")
        for _ in range(3):
            assert next(evaluations, None), first.stderr.read()
        second.send_signal(signal.SIGKILL)
        started = time.monotonic()
        _, errors = first.communicate(timeout=120)
        assert first.returncode != 0 and time.monotonic() - started < 100
        assert "lost another process of this training run" in errors
        assert f"it goes on from the checkpoint {path}" in errors
    finally:
        for process in (first, second):
            process.kill()
            process.communicate()
    resumed = [output(process) for process in pair(0.0, path)]
    assert resumed[0] == resumed[1] == both[0]


def mesh():
    return jax.make_mesh((1, 1), ("data", "model"))


def test_mistakes_name_the_parameter():
    params = {"w": np.ones((3, 4), np.float32)}
    with pytest.raises(ValueError, match=r"no parameter is named 'x\.\*'; there are \['w'\]"):
        Layout(mesh(), None, {"x.*": P("model")}).place_params(params)
    with pytest.raises(ValueError, match=r"'w', float32\[3, 4\], .* names more axes than it has"):
        Layout(mesh(), None, {"w": P(None, None, "model")}).place_params(params)
    with pytest.raises(ValueError, match="the mesh has the axes"):
        Layout(mesh(), None, {"w": P("depth")}).place_params(params)
    with pytest.raises(ValueError, match="data_axis='depth'"):
        Layout(mesh(), "depth")


def test_uneven_cuts_are_refused():
    process = python("""
        from funcgrad.sharding import Layout
        mesh = jax.make_mesh((4, 2), ("data", "model"))
        errors = []
        for call in (
            lambda: Layout(mesh, None, {"w": P("model")}).place_params({"w": np.ones((3, 4))}),
            lambda: fit(loss, params, data, optax.sgd(0.1), 1, batch_size=30, mesh=mesh),
        ):
            try:
                call()
            except ValueError as error:
                errors.append(str(error))
        print(json.dumps(errors))
    """, devices=8)  # fmt: skip
    uneven, batch = output(process)
    assert "'w'" in uneven and "3 is not divisible by 2 devices" in uneven
    assert "batch['x'] is float32[30, 4]" in batch and "4 equal parts" in batch

import jax
import jax.numpy as jnp
import pytest

from stateful.compare.naming import UserCode
from stateful.compare.trace import TraceWriter, read_trace
from stateful.compare.twin import TwinRecorder, compact


@pytest.fixture
def recorded(tmp_path):
    path = tmp_path / "twin.jsonl"
    writer = TraceWriter(path)

    def events(*calls):
        record = TwinRecorder(writer, UserCode(tmp_path / "functional.py"))
        for name, values in calls:
            record(name, **values)
        return read_trace(path).events

    yield events
    writer.close()


def test_names_follow_the_structure(recorded):
    grads = {"layer": {"weight": jnp.ones(2)}, "list": [1.0, 2.0]}
    (event,) = recorded(("backward", {"loss": jnp.float32(3), "grads": grads}))
    assert [(one.name, one.role) for one in event.quantities] == [
        ("loss", "root"),
        ("layer.weight.grad", "grad"),
        ("list[0].grad", "grad"),
        ("list[1].grad", "grad"),
    ]


def test_parameters_keep_their_name(recorded):
    (event,) = recorded(("step", {"params": {"w": jnp.ones(2, jnp.bfloat16)}}))
    assert [(one.name, one.role, one.dtype) for one in event.quantities] == [
        ("w", "param", "bfloat16")
    ]


def test_an_unknown_event_is_an_error(recorded):
    with pytest.raises(ValueError, match="backward, grad, step"):
        recorded(("forward", {}))


def test_compact_opens_calls_and_names_past_z():
    def deep(x):
        for _ in range(30):
            x = jax.nn.relu(x)
        return x

    lines = compact(jax.make_jaxpr(deep)(1.0)).splitlines()
    assert lines[1] == "b:f32[] = max a 0.0"
    assert lines[-1].startswith("ae:f32[] = max")


def test_compact_cuts_off_a_long_program():
    def long(x):
        for _ in range(800):
            x = x + 1.0
        return x

    assert len(compact(jax.make_jaxpr(long)(1.0)).splitlines()) == 501

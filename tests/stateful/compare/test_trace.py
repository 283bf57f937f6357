import numpy as np
import pytest

from stateful.compare.trace import (
    Event,
    Quantity,
    Trace,
    TraceWriter,
    read_trace,
    write_compressed,
)


def quantity(size=1000, seed=0):
    values = np.random.default_rng(seed).normal(size=size).astype(np.float32)
    return Quantity.of("w", "param", values)


@pytest.mark.parametrize(
    "array",
    [
        np.float32(3.0),
        np.zeros((2, 0), np.float32),
        np.array([True, False]),
        np.array([1 + 2j], np.complex64),
        np.arange(500, dtype=np.int64).reshape(5, 100),
        np.array([np.nan, np.inf, -0.0]),
    ],
)
def test_a_quantity_survives_the_file(array):
    before = Quantity.of("x", "root", array)
    after = Quantity.from_json(before.to_json())
    assert after.values.dtype == before.values.dtype
    np.testing.assert_array_equal(after.values, before.values)
    assert after.to_json() == before.to_json()


def test_one_changed_element_shows_although_it_is_not_in_the_sample():
    values = np.random.default_rng(0).normal(size=100_000).astype(np.float32)
    changed = values.copy()
    changed[12_345] += 1
    one, two = Quantity.of("w", "grad", values), Quantity.of("w", "grad", changed)
    np.testing.assert_array_equal(one.values, two.values)
    assert one.checksum != two.checksum
    assert abs(one.projection - two.projection) == pytest.approx(1, rel=1e-3)


def test_writer_and_reader_agree_and_a_torn_line_is_dropped(tmp_path):
    path = tmp_path / "run.jsonl"
    writer = TraceWriter(path)
    writer.header(side="torch", version="2.13.0")
    writer.write(Event("step", 3, "SGD", quantities=(quantity(),)))
    writer.write(Event("end"))
    writer.close()
    path.write_text(path.read_text() + '{"kind":"st')
    trace = read_trace(path)
    assert trace.title == "torch 2.13.0"
    assert trace.finished
    assert [event.kind for event in trace.events] == ["step"]


def test_the_same_trace_compresses_to_the_same_bytes(tmp_path):
    trace = Trace({"side": "torch", "version": "2"}, [Event("print", 1, text="é")], [])
    write_compressed(trace, tmp_path / "a.jsonl.gz")
    write_compressed(trace, tmp_path / "b.jsonl.gz")
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()
    assert read_trace(tmp_path / "a.jsonl.gz").events == trace.events

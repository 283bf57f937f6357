import numpy as np

from stateful.compare.align import align, compare_traces
from stateful.compare.trace import Event, Quantity, Trace


def trace(side, *events):
    return Trace({"side": side, "version": ""}, list(events), [])


def gradient(kind="backward", line=1, **grads):
    named = [Quantity.of(f"{name}.grad", "grad", np.float32(g)) for name, g in grads.items()]
    return Event(kind, line, quantities=(Quantity.of("loss", "root", np.float32(1)), *named))


def verdicts(rows):
    return [(row.number, row.quantity, row.worst.verdict) for row in rows]


def test_streams_meet_again_after_a_missing_event():
    left = [Event(kind, line) for line, kind in enumerate("abcdef")]
    right = [*left[:2], Event("x", 9), *left[3:]]
    pairs = align(left, right, lambda event: event.kind)
    assert [(one and one.kind, two and two.kind) for one, two in pairs] == [
        ("a", "a"), ("b", "b"), ("c", None), (None, "x"), ("d", "d"), ("e", "e"), ("f", "f"),
    ]  # fmt: skip


def test_names_are_matched_not_positions():
    rows = compare_traces(
        trace("torch", gradient(a=1, b=2)), [trace("stateful", gradient(b=2, a=1))]
    )
    assert verdicts(rows) == [(0, "loss", "equal"), (0, "a.grad", "equal"), (0, "b.grad", "equal")]


def test_a_missing_and_a_surplus_quantity_part():
    rows = compare_traces(trace("torch", gradient(a=1)), [trace("stateful", gradient(b=1))])
    assert verdicts(rows)[1:] == [(0, "a.grad", "part"), (0, "b.grad", "part")]


def test_a_surplus_event_parts_after_the_event_before_it():
    extra = Event("print", 7, text="more")
    rows = compare_traces(trace("torch", gradient()), [trace("stateful", gradient(), extra)])
    assert verdicts(rows) == [(0, "loss", "equal"), (0, "", "part")]


def test_a_twin_is_asked_for_gradients_steps_and_text_only():
    reference = trace(
        "torch",
        Event("draw", 1, "randn", quantities=(Quantity.of("randn", "draw", np.float32(1)),)),
        Event("warning", 2, "UserWarning", "careful"),
        gradient("grad", **{"model.w": 1}),
        Event("exception", 3, "backward", "RuntimeError: no"),
        Event("print", 4, text="done"),
    )
    twin = trace("functional", gradient("backward", line=90, w=1), Event("print", 99, text="done"))
    rows = compare_traces(reference, [twin])
    assert not any(row.worst.parts for row in rows)
    assert sum(bool(row.cells) for row in rows) == 3


def test_an_uncaught_error_of_a_twin_parts():
    failed = Event("exception", 5, "uncaught", "TypeError: no")
    rows = compare_traces(trace("torch", gradient()), [trace("functional", gradient(), failed)])
    assert rows[-1].worst.parts


def test_the_first_twenty_gradients_are_held_to_more():
    close = [gradient(a=1 + 5e-5) for _ in range(30)]
    rows = compare_traces(trace("torch", *[gradient(a=1)] * 30), [trace("stateful", *close)])
    parting = [row.number for row in rows if row.worst.parts]
    assert parting == list(range(20))

"""A window is whole whatever comes in the middle of a step: interrupts, handlers, other threads."""

import sys
import threading

import pytest

import stateful as torch
from stateful import lazy


class Interrupt(KeyboardInterrupt):
    pass


def steps():
    a, found = torch.arange(4.0), []
    for i in range(6):
        a = a * 0.5 + float(i)
        found.append(a)
    return found


WANTED = [t.tolist() for t in steps()]


def at_line(number, action):
    """Call ``action`` before the ``number``-th line that runs in `lazy.lazy`."""
    left = [number]

    def trace(frame, event, arg):
        if frame.f_code is not lazy.lazy.__code__:
            return None
        if event == "line":
            left[0] -= 1
            if left[0] == 0:
                sys.settrace(None)
                frame.f_trace = None
                action()
        return trace

    return trace


def interrupt():
    raise Interrupt


@pytest.mark.parametrize("number", range(1, 200, 3))
def test_a_step_that_is_interrupted_is_not_taken(number):
    held = torch.ones(4) * 3.5
    sys.settrace(at_line(number, interrupt))
    try:
        steps()
    except Interrupt:
        pass
    finally:
        sys.settrace(None)
    assert [t.tolist() for t in steps()] == WANTED
    assert held.tolist() == [3.5] * 4


@pytest.mark.parametrize("number", range(1, 200, 3))
def test_a_handler_may_compute_in_the_middle_of_a_step(number):
    held, seen = torch.ones(4) * 3.5, []
    sys.settrace(at_line(number, lambda: seen.append((held * 2.0).tolist())))
    try:
        found = steps()
    finally:
        sys.settrace(None)
    assert [t.tolist() for t in found] == WANTED
    assert seen in ([], [[7.0] * 4])


def test_a_thread_whose_look_fails_lets_the_owner_go_on(monkeypatch):
    def failing(self, *args):
        raise RuntimeError("no program")

    value, caught = torch.ones(3, 5).atan() * 3.25, []

    def look():
        try:
            value.tolist()
        except RuntimeError as error:
            caught.append(str(error))

    with monkeypatch.context() as patch:
        patch.setattr(lazy.Structure, "program", failing)
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert caught == ["no program"]
    assert not lazy._local.window.claimed
    assert [t.tolist() for t in steps()] == WANTED


def test_the_sign_of_a_complex_zero_is_new():
    found = []
    for number in (complex(-1, -0.0), complex(-1, 0.0), complex(-1, -0.0)):
        z = torch.tensor(complex(-1.0, -0.0)) + number
        found.append(str(torch.view_as_real(z)[1].item()))
    assert found == ["-0.0", "0.0", "-0.0"]


def test_a_window_that_only_says_that_it_records():
    """After an interrupt in the last instruction of a step things are recorded as before."""
    with torch.set_execution("lazy"):
        window = lazy._local.window
        window.flush()
        window.recording = True
        found = steps()
        assert len(window.values) > 6 and not window.recording
        assert [t.tolist() for t in found] == WANTED

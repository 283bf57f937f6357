import numpy as np
import pytest

from stateful.compare.tolerance import Tolerance
from stateful.compare.trace import Quantity

policy = Tolerance()


def compare(one, two, role="grad", **options):
    one, two = (Quantity.of("w", role, np.asarray(each)) for each in (one, two))
    return policy.quantities(one, two, **options)


def f32(*values):
    return np.array(values, np.float32)


@pytest.mark.parametrize(
    ("one", "two", "verdict"),
    [
        (f32(1, 2), f32(1, 2), "equal"),
        (f32(0), f32(-0.0), "agree"),
        (f32(1, 1000), f32(1.005, 1000), "agree"),
        (f32(1, 1), f32(1.0001, 1), "part"),
        (f32(np.nan, 1), f32(np.nan, 1.000001), "agree"),
        (f32(np.nan), f32(1), "part"),
        (f32(np.inf), f32(-np.inf), "part"),
        (np.array([1]), np.array([2]), "part"),
        (f32(1), np.array([1.0]), "part"),
        (f32(1), f32(1, 1), "part"),
        (np.array([1 + 1j]), np.array([1 + 1.1j]), "part"),
    ],
)
def test_arrays(one, two, verdict):
    assert compare(one, two).verdict == verdict


def test_ulps_are_counted_in_the_dtype_of_the_reference():
    assert compare(f32(1), np.nextafter(f32(1), f32(2))).ulps == 1
    assert compare(np.array([1.0]), np.nextafter([1.0], [2.0])).ulps == 1
    assert compare(f32(1e-45), f32(-1e-45)).ulps == 2


def test_a_wrong_element_outside_the_sample_parts():
    values = np.random.default_rng(0).normal(size=100_000).astype(np.float32)
    changed = values.copy()
    changed[12_345] += 1
    assert compare(values, changed).parts
    assert not compare(values, values * np.float32(1 + 1e-6)).parts


def test_draws_must_be_bit_equal():
    assert compare(f32(1), np.nextafter(f32(1), f32(2)), role="draw").parts
    assert not compare(f32(1), np.nextafter(f32(1), f32(2)), role="param").parts


def test_late_in_a_run_more_rounding_is_allowed():
    one, two = f32(1), f32(1.00005)
    assert compare(one, two, role="param").parts
    assert not compare(one, two, role="param", late=True).parts


def test_a_vanishing_gradient_keeps_the_rounding_of_what_it_came_from():
    one, two = f32(1e-3, 0), f32(1.1e-3, 0)
    assert compare(one, two).parts
    assert not compare(one, two, peak=1e4).parts
    assert compare(one, two, role="param", peak=1e4).parts


def test_only_a_late_gradient_drifts_and_only_so_far():
    one, near, far = f32(3, 4), f32(3.1, 4), f32(4, 4)
    assert compare(one, near, late=True).verdict == "drift"
    assert compare(one, near).verdict == "part"
    assert compare(one, near, late=True, role="param").verdict == "part"
    assert compare(one, far, late=True).verdict == "part"
    assert compare(one, f32(3, np.nan), late=True).verdict == "part"


def test_a_twin_may_use_another_float_dtype():
    assert not compare(f32(1), np.array([1.0]), loose_dtype=True).parts
    assert compare(f32(1), np.array([1]), loose_dtype=True).parts


@pytest.mark.parametrize(
    ("one", "two", "verdict"),
    [
        ("loss 1.0", "loss 1.0", "equal"),
        ("loss 1.0000", "loss 1.0001", "agree"),
        ("loss 1.000", "loss 1.001", "part"),
        ("loss 2.500000e-03", "loss 2.500001e-03", "agree"),
        ("loss 2.50e-03", "loss 2.60e-03", "part"),
        ("step 3", "step 4", "part"),
        ("0.5", "0.6", "part"),
        ("w 1.0", "v 1.0", "part"),
        ("tensor([ 9.9999])", "tensor([10.0000])", "agree"),
        ("[5.0023479e+00 5.5067020e-04]", "[5.0023484e+00 5.5083277e-04]", "agree"),
        ("5.0023479e+00 5.5067020e-04", "5.0023484e+00 5.5083277e-04", "part"),
        ("<Add object at 0x7f00>", "<Add object at 0x7fab>", "agree"),
        ("AddBackward0", "AddBackward1", "part"),
        ("1.00001+2.00001j", "1.00002+2.00002j", "agree"),
        ("nan", "1.0", "part"),
    ],
)
def test_printed_text(one, two, verdict):
    assert policy.texts(one, two).verdict == verdict


def test_messages_agree_by_type_and_key_phrase():
    reference = "RuntimeError: Trying to backward through the graph a second time (...)"
    assert not policy.messages(
        reference, "RuntimeError: backward a second time is one too many"
    ).parts
    assert policy.messages(reference, "RuntimeError: this was used up").parts
    assert policy.messages(reference, "ValueError: a second time").parts


def test_rtol_replaces_the_table():
    one, two = (Quantity.of("w", "param", f32(value)) for value in (1, 1.01))
    assert policy.quantities(one, two).parts
    assert not Tolerance(rtol=0.1).quantities(one, two).parts

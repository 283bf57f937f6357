"""`torch.testing`: what is close, how it is said, and random tensors for tests."""


def case_tensors(torch, show):
    close, t = torch.testing.assert_close, torch.tensor
    nan = float("nan")
    close(t([1.0]), t([1.0 + 1e-6]))
    close(t([1.0]), t([1.1]), atol=0.2, rtol=0)
    close(t([1.0]), t([1]), check_dtype=False)
    close(t([nan]), t([nan]), equal_nan=True)
    close(t([float("inf")]), t([float("inf")]))
    close(t([]), t([]))
    close(t([1.0], requires_grad=True), t([1.0]))
    for a, b, options, phrase in (
        (t([1.0]), t([1.1]), {}, "Mismatched elements: 1 / 1 (100.0%)"),
        (t([1.0]), t([1.1]), {}, "Tensor-likes are not close!"),
        (t([1.0, 2.0]), t([1.0, 2.5]), {}, "difference: 0.5 at index (1,) (up to 1e-05 allowed)"),
        (t([1, 2]), t([1, 3]), {}, "Tensor-likes are not equal!"),
        (t([1, 2]), t([1, 3]), {}, "Greatest absolute difference: 1 at index (1,)"),
        (t([True]), t([False]), {}, "Tensor-likes are not equal!"),
        (t([1.0]), t([1]), {}, "The values for attribute 'dtype' do not match: torch.float32 != "),
        (t([1.0, 2.0]), t([1.0]), {}, "'shape' do not match: torch.Size([2]) != torch.Size([1])."),
        (t([nan]), t([nan]), {}, "Tensor-likes are not close!"),
        (t([1 + 1j]), t([1 + 2j]), {}, "Tensor-likes are not close!"),
        (torch.ones(2, 2).t(), torch.ones(2, 2), {"check_stride": True}, "'stride()' do not match"),
        (t([2**53 + 1]), t([2**53]), {}, "Greatest absolute difference"),
        (t([1.0]), t([1.1]), {"msg": "words"}, "words"),
        (t([1.0]), t([1.1]), {"msg": lambda m: "More: " + m}, "More: Tensor-likes are not close!"),
        (t([1.0]), t([1.1]), {"atol": 0.2}, "must be either specified or omitted, but got no rtol"),
        (t([1.0]), [1.0], {}, "No comparison pair was able to handle inputs of type"),
        (t(1.0), 1.0, {}, "No comparison pair was able to handle inputs of type"),
    ):
        show.error(lambda a=a, b=b, options=options: close(a, b, **options), phrase)


def case_other_things(torch, show):
    close, t = torch.testing.assert_close, torch.tensor
    close(1.0, 1.0 + 1e-8)
    close([1, t([1.0])], (1, t([1.0])))
    close({"a": t([1.0])}, {"a": t([1.0])})
    close(None, None)
    close(True, True)
    for a, b, phrase in (
        (1, 1.0, "The (d)types do not match"),
        (1.0, 2.0, "Expected 2.0 but got 1.0."),
        (1.0, 2.0, "Absolute difference: 1.0 (up to 1e-07 allowed)"),
        (1, 2, "Scalars are not equal!"),
        (True, False, "Booleans mismatch: True is not False"),
        (None, t([1.0]), "None mismatch: None is not"),
        ([1], [1, 2], "The length of the sequences mismatch: 1 != 2"),
        ([1, [2]], [1, [3]], "The failure occurred for item [1][0]"),
        ({"a": 1}, {"b": 1}, "Missing keys in the actual mapping: ['b']"),
        ({"a": 1}, {"a": 2}, "The failure occurred for item ['a']"),
        ("a", "a", "No comparison pair was able to handle inputs of type"),
        (object(), object(), "No comparison pair was able to handle inputs of type"),
    ):
        show.error(lambda a=a, b=b: close(a, b), phrase)
    show.error(lambda: torch.testing.assert_allclose(t([1.0]), t([2.0])), "not close")


def case_make_tensor(torch, show):
    make = torch.testing.make_tensor

    def seen(*size, **options):
        made = make(*size, device="cpu", **options)
        return list(made.shape), made.dtype, made.requires_grad, made.is_contiguous()

    show(seen((2, 3), dtype=torch.float32), seen(2, 3, dtype=torch.complex64))
    show(seen((), dtype=torch.float64), seen((0, 2), dtype=torch.int64), seen(5, dtype=torch.bool))
    show(seen((2,), dtype=torch.float32, requires_grad=True))
    show(seen((2, 2), dtype=torch.float32, noncontiguous=True))
    show(seen((1,), dtype=torch.float32, noncontiguous=True))
    inside = make((1000,), dtype=torch.int64, device="cpu", low=0, high=3)
    show(int(inside.min()), int(inside.max()))
    show(bool((make((500,), dtype=torch.int8, device="cpu", exclude_zero=True) == 0).any()))
    show.error(lambda: seen((3,), dtype=torch.int64, requires_grad=True), "is not supported for")
    show.error(lambda: seen((3,), dtype=torch.float32, low=5, high=2), "`low` must be less than")

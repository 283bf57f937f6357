"""`gradcheck` and `gradgradcheck`: what they accept, what they reject, and with which words."""


def double(torch, *shape, complex=False):
    torch.manual_seed(len(shape))
    kind = torch.complex128 if complex else torch.float64
    return torch.randn(*shape, dtype=kind).requires_grad_()


def wrong(torch, factor=3.0, forward=2.0):
    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * factor

        @staticmethod
        def jvp(ctx, t):
            return t * forward

    return Wrong.apply


def case_right(torch, show):
    x, y = double(torch, 2, 2), double(torch, 2)
    check = torch.autograd.gradcheck
    show(check(lambda a, b: a * b, (x, y)))
    show(check(lambda a: a.exp(), x))
    show(check(lambda a: (a.sin(), a.sum(0)), [x]))
    show(check(lambda a: a.prod(), (x,), fast_mode=True))
    show(check(lambda a, n: a * n, (x, 3)))
    show(check(lambda a, b: a @ b, (x, y), check_forward_ad=True))
    show(
        check(
            lambda a: a.exp() * a,
            (x,),
            check_forward_ad=True,
            check_batched_grad=True,
            check_batched_forward_grad=True,
        )
    )
    show(check(lambda a: a.exp(), (x,), check_forward_ad=True, check_backward_ad=False))
    show(check(lambda a: a.exp(), (x,), check_forward_ad=True, fast_mode=True))
    show(check(lambda a: a.split(1), (x,)))
    show(
        check(
            lambda a: a.sin(), (x,), masked=True, check_grad_dtypes=True, check_undefined_grad=False
        )
    )


def case_wrong(torch, show):
    x = double(torch, 2)
    check = torch.autograd.gradcheck
    show.error(
        lambda: check(wrong(torch), (x,)),
        "Jacobian mismatch for output 0 with respect to input 0,\nnumerical:tensor([[2.",
    )
    show.error(
        lambda: check(wrong(torch), (x,), fast_mode=True),
        "Jacobian mismatch for output 0 with respect to input 0",
    )
    show.error(
        lambda: check(wrong(torch, 2.0, 3.0), (x,), check_forward_ad=True),
        "Jacobian computed with forward mode mismatch for output 0 with respect to input 0",
    )
    show.error(
        lambda: check(wrong(torch, 2.0, 3.0), (x,), check_forward_ad=True, fast_mode=True),
        "Jacobian computed with forward mode mismatch for output 0 with respect to input 0",
    )
    show(check(wrong(torch), (x,), raise_exception=False))
    show(check(wrong(torch), (x,), raise_exception=False, fast_mode=True))
    show(check(wrong(torch, 2.0, 3.0), (x,)))
    show(check(wrong(torch, 3.0, 2.0), (x,), check_forward_ad=True, check_backward_ad=False))
    show(check(wrong(torch, 2.0001), (x,), raise_exception=False))
    show(check(wrong(torch, 2.01), (x,), raise_exception=False))
    show(check(wrong(torch, 2.01), (x,), rtol=0.1))
    show(check(wrong(torch, 2.01), (x,), atol=0.1))


def case_second_input_is_wrong(torch, show):
    class Mul(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.save_for_backward(x, y)
            return x.clone(), x * y

        @staticmethod
        def backward(ctx, g, h):
            x, y = ctx.saved_tensors
            return g + h * y, h * x * 5

    x, y = double(torch, 2), double(torch, 2)
    show.error(
        lambda: torch.autograd.gradcheck(Mul.apply, (x, y)),
        "Jacobian mismatch for output 1 with respect to input 1",
    )
    show(torch.autograd.gradcheck(Mul.apply, (x, y.detach())))


def case_inputs(torch, show):
    x = double(torch, 2)
    check = torch.autograd.gradcheck
    show.error(
        lambda: check(torch.exp, (x.detach(),)),
        "gradcheck expects at least one input tensor to require gradient, but none of the them "
        "have requires_grad=True."[:70],
    )
    show.warning(
        lambda: check(torch.exp, (x.detach().float().requires_grad_(),), atol=1, eps=1e-2),
        "is not a double precision floating point or complex",
    )
    show.error(
        lambda: check(torch.exp, (x[:1].expand(3),)), "The 0th input has a dimension with stride 0"
    )
    show.error(
        lambda: check(torch.exp, (x,), check_backward_ad=False),
        "Expected at least one of check_forward_ad or check_backward_ad to be True",
    )
    show.error(
        lambda: check(
            torch.exp, (x,), check_backward_ad=False, check_forward_ad=True, check_batched_grad=True
        ),
        "Setting check_batched_grad=True requires check_backward_ad to be True",
    )
    show.error(
        lambda: check(torch.exp, (x,), check_batched_forward_grad=True),
        "Setting check_batched_forward_grad=True requires check_forward_ad to be True",
    )
    again = torch.autograd.gradgradcheck
    show.error(
        lambda: again(torch.exp, (x,), check_rev_over_rev=False),
        "Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True",
    )
    show.error(
        lambda: again(torch.exp, (x,), check_rev_over_rev=False, check_fwd_over_rev=True),
        "Setting check_undefined_grad=True requires check_rev_over_rev to be True",
    )
    show.error(
        lambda: again(
            torch.exp,
            (x,),
            check_rev_over_rev=False,
            check_fwd_over_rev=True,
            check_undefined_grad=False,
            check_batched_grad=True,
        ),
        "Setting check_batched_grad=True requires check_rev_over_rev to be True",
    )


def case_input_is_left_alone(torch, show):
    x = double(torch, 3)
    before = x.detach().clone()
    torch.autograd.gradcheck(torch.sin, (x,))
    show(torch.equal(before, x), x.grad, x.requires_grad)


def case_nothing_differentiable(torch, show):
    x = double(torch, 2)
    check = torch.autograd.gradcheck
    show.error(
        lambda: check(lambda a: a.detach() * 2, (x,)),
        "Numerical gradient for function expected to be zero",
    )
    show(check(lambda a: a.detach() * 0, (x,)))


def case_not_reentrant(torch, show):
    class Random(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2 + torch.rand(g.shape, dtype=g.dtype) * 1e-6

    x = double(torch, 2)
    show.error(lambda: torch.autograd.gradcheck(Random.apply, (x,)), "Backward is not reentrant")
    show(
        torch.autograd.gradcheck(
            Random.apply, (x,), nondet_tol=1e-3, check_undefined_grad=False, raise_exception=False
        )
    )


def case_not_multiplied(torch, show):
    class Constant(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return torch.full_like(g, 2.0) * (g != 0) + (g == 0).all() * 1.0

    x = double(torch, 1)
    show.error(
        lambda: torch.autograd.gradcheck(Constant.apply, (x,)),
        "backward not multiplied by grad_output",
    )


def case_undefined(torch, show):
    class Needs(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, g, h):
            if g is None or h is None:
                raise RuntimeError("no gradient")
            return g * 2 + h * 3

    x = double(torch, 2)
    check = torch.autograd.gradcheck
    show.error(lambda: check(lambda a: Needs.apply(a)[0], (x,)), "no gradient")
    both = lambda a: Needs.apply(a)  # noqa: E731
    show.error(lambda: check(both, (x,)), "no gradient")


def case_dtypes(torch, show):
    class Single(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = double(torch, 2)
    show(torch.autograd.gradcheck(Single.apply, (x,), check_grad_dtypes=True))


def case_complex(torch, show):
    z, x = double(torch, 2, complex=True), double(torch, 2)
    check = torch.autograd.gradcheck
    show(check(lambda a: a * a, (z,)))
    show(check(lambda a: a.exp(), (z,), check_forward_ad=True))
    show(check(lambda a: a.abs(), (z,), check_forward_ad=True))
    show(check(lambda a, b: a * b, (z, x), check_forward_ad=True))
    show(check(lambda a: torch.view_as_real(a), (z,)))
    show(check(lambda a: a * a.conj(), (z,), fast_mode=True))

    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            return a * 1j

        @staticmethod
        def backward(ctx, g):
            return g * 1j

    show.error(
        lambda: check(Wrong.apply, (z,)),
        "While considering the imaginary part of complex outputs only, Jacobian mismatch for "
        "output 0 with respect to input 0",
    )
    show(check(Wrong.apply, (z,), raise_exception=False, fast_mode=True))


def case_second_order(torch, show):
    x, y = double(torch, 2, 2), double(torch, 2)
    check = torch.autograd.gradgradcheck
    show(check(lambda a, b: a * b, (x, y)))
    show(check(lambda a: a.exp(), (x,), check_fwd_over_rev=True))
    show(
        check(
            lambda a: a.exp(),
            (x,),
            check_fwd_over_rev=True,
            check_rev_over_rev=False,
            check_undefined_grad=False,
        )
    )
    show(check(lambda a: a.sin(), (x,), fast_mode=True))
    show(check(lambda a: a.sin(), (x,), check_batched_grad=True))
    show(check(lambda a: a * a, (x,), torch.ones(2, 2, dtype=torch.float64, requires_grad=True)))
    show(check(lambda a: a * a * a, (x,), gen_non_contig_grad_outputs=True))
    show(check(lambda a: a * a, (double(torch, 2, complex=True),)))


def case_second_order_wrong(torch, show):
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 2 * x.detach()

    x = double(torch, 2)
    show(torch.autograd.gradcheck(Square.apply, (x,)))
    show.error(
        lambda: torch.autograd.gradgradcheck(Square.apply, (x,)),
        "Jacobian mismatch for output 0 with respect to input 0",
    )
    show(torch.autograd.gradgradcheck(Square.apply, (x,), raise_exception=False))


def case_batched_gradient_that_cannot_be(torch, show):
    class Looks(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2 if g.sum().item() < 1e30 else g

    x = double(torch, 2)
    show(torch.autograd.gradcheck(Looks.apply, (x,)))
    show.error(
        lambda: torch.autograd.gradcheck(Looks.apply, (x,), check_batched_grad=True),
        "gradcheck or gradgradcheck failed while testing batched gradient computation",
    )


def case_once_differentiable(torch, show):
    from importlib import import_module

    once = import_module(f"{torch.__name__}.autograd.function").once_differentiable

    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @once
        def backward(ctx, g):
            return g * 2 * ctx.saved_tensors[0]

    x = double(torch, 2)
    show(torch.autograd.gradcheck(Square.apply, (x,)))
    show.error(lambda: torch.autograd.gradgradcheck(Square.apply, (x,)), "")


def case_in_place_and_views(torch, show):
    x = double(torch, 2, 3)

    def f(a):
        b = a.clone()
        b[0].mul_(a[1])
        b.t()[1].sin_()
        return b

    show(torch.autograd.gradcheck(f, (x,), check_forward_ad=True))
    show(torch.autograd.gradgradcheck(f, (x,)))


def case_of_vectorized_products(torch, show):
    functional = torch.autograd.functional
    x = torch.tensor([0.3, 0.7], dtype=torch.float64, requires_grad=True)

    def jacobian(a):
        return functional.jacobian(lambda b: b.exp() * b, a, create_graph=True, vectorize=True)

    def hessian(a):
        return functional.hessian(lambda b: b.exp().sum(), a, create_graph=True, vectorize=True)

    show(torch.autograd.gradcheck(jacobian, (x,)), torch.autograd.gradgradcheck(jacobian, (x,)))
    show(torch.autograd.gradcheck(hessian, (x,)), torch.autograd.gradgradcheck(hessian, (x,)))


def case_outputs_that_no_small_change_reaches(torch, show):
    """Integers next to a jump are compared in fast mode only."""
    x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    gradcheck, phrase = torch.autograd.gradcheck, "Numerical gradient for function expected to be"
    show(gradcheck(lambda t: t.long(), x), gradcheck(lambda t: (t + 0.5).long(), x, fast_mode=True))
    show.error(lambda: gradcheck(lambda t: t.long(), x, fast_mode=True), phrase)
    show.error(lambda: gradcheck(lambda t: t.detach() * 2, x), phrase)
    show.error(lambda: gradcheck(lambda t: t.detach() * 2, x, fast_mode=True), phrase)


def case_deprecated_jacobians(torch, show):
    import sys

    module = sys.modules[torch.autograd.gradcheck.__module__]
    numerical, analytical = module.get_numerical_jacobian, module.get_analytical_jacobian
    a = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    b = torch.tensor([3.0, 4.0], dtype=torch.float64, requires_grad=True)
    z = torch.tensor([3 + 4j, 1j], dtype=torch.complex128, requires_grad=True)

    def two(inputs):
        return 2 * inputs[0] + inputs[1] ** 2, inputs[0] * inputs[1]

    show([m.round(decimals=4) for m in numerical(two, (a, b), eps=1e-6)])
    show([m.round(decimals=4) for m in numerical(two, (a, b), target=b, eps=1e-6)])
    found = numerical(lambda inputs: inputs[0].abs(), (z,), eps=1e-6)[0]
    show(torch.view_as_real(found).round(decimals=4))
    show.warning(lambda: numerical(two, (a, b)), "`get_numerical_jacobian` was part of PyTorch's")
    show.error(lambda: numerical(two, (a, b), grad_out=2.0), "Expected grad_out to be 1.0")
    show(analytical((a, b), two((a, b))[0]), analytical((a, b), a * 3))
    calls = []

    class Drifts(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            calls.append(grad)
            return grad * 2 + len(calls)

    show(analytical((a,), Drifts.apply(a))[1:])
    show(analytical((a,), Drifts.apply(a), nondet_tol=100.0)[1:])
    show.error(lambda: analytical((a,), a * 1, grad_out=2.0), "Expected grad_out to be 1.0")
    show.error(lambda: analytical((a,), a * 1j), "Expected output to be non-complex")


def case_what_slow_mode_says(torch, show):
    """After a difference in fast mode the whole Jacobians are shown."""
    phrases = (
        "The above quantities relating the numerical and analytical jacobians are computed",
        "we recompute numerical and analytical", "jacobians in slow mode:", "Numerical:",
        "Analytical:", "The max per-element difference (slow mode) is",
        "Fast gradcheck failed but element-wise differences are small",
    )  # fmt: skip

    def look(function, x, **options):
        try:
            show(torch.autograd.gradcheck(function, (x,), fast_mode=True, **options))
        except RuntimeError as error:
            show([phrase in str(error) for phrase in phrases])

    class Nearly(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, factor):
            ctx.factor = factor
            return x * 1

        @staticmethod
        def backward(ctx, grad):
            return grad * ctx.factor, None

        @staticmethod
        def jvp(ctx, tangent, _):
            return tangent * ctx.factor

    forward = dict(check_forward_ad=True, check_backward_ad=False)
    for factor in (1.0, 1 + 1e-6, 1 + 1e-3, 2.0):
        x = torch.full((8,), 0.5, dtype=torch.float64, requires_grad=True)
        for options in ({}, forward):
            look(lambda t, f=factor: Nearly.apply(t, f), x, atol=1e-5, rtol=0.0, **options)
    z = torch.tensor([1 + 2j, 2 - 1j], dtype=torch.complex128, requires_grad=True)
    for options in ({}, forward):
        look(lambda t: Nearly.apply(t, 2.0), z, **options)


def case_tangents_of_all_inputs(torch, show):
    """In forward mode every input has a tangent, unless missing ones are what is checked."""

    class Adds(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.set_materialize_grads(False)
            return x * 2 + y

        @staticmethod
        def backward(ctx, grad):
            return None if grad is None else grad * 2, grad

        @staticmethod
        def jvp(ctx, x, y):
            return x * 2 + y

    x, y = double(torch, 3), double(torch, 3)
    gradcheck = torch.autograd.gradcheck
    for fast in (False, True):
        options = dict(check_forward_ad=True, fast_mode=fast)
        show(gradcheck(Adds.apply, (x, y), check_undefined_grad=False, **options))
        show.error(lambda o=options: gradcheck(Adds.apply, (x, y), **o), "NoneType")

"""`torch.autograd.forward_ad`."""


def fw(torch):
    return torch.autograd.forward_ad


def data(torch):
    return torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, 0.5, -1.0])


def tangent(torch, x):
    return fw(torch).unpack_dual(x).tangent


def case_make_and_unpack(torch, show):
    x, t = data(torch)
    with fw(torch).dual_level() as level:
        d = fw(torch).make_dual(x, t)
        u = fw(torch).unpack_dual(d)
        show(level, u.primal, u.tangent, u.tangent is t, type(u).__name__, u._fields)
        show(
            tangent(torch, x), tangent(torch, u.primal), d._is_view(), d._base is x, d.requires_grad
        )
        primal, dot = fw(torch).unpack_dual(d * d)
        show(primal, dot)
        show(d * 2)
    show(tangent(torch, d), fw(torch).unpack_dual(d).primal is d)


def case_errors(torch, show):
    x, t = data(torch)
    f = fw(torch)
    show.error(
        lambda: f.make_dual(x, t),
        "Trying to create a dual Tensor for forward AD but no level exists, make sure to "
        "enter_dual_level() first.",
    )
    show.error(lambda: f.exit_dual_level(), "")
    with f.dual_level():
        d = f.make_dual(x, t)
        show.error(
            lambda: f.enter_dual_level(), "Nested forward mode AD is not supported at the moment"
        )
        show.error(
            lambda: f.make_dual(d, t),
            "Making a dual Tensor based on a Tensor that already has a forward gradient at the "
            "same level 0 is not supported",
        )
        show.error(
            lambda: f.make_dual(x, t[:2]),
            "Trying to set a forward gradient that has a different size than that of the original "
            "Tensor, this is not supported",
        )
        show.error(
            lambda: f.make_dual(x, t.long()),
            "Expected tangent to be floating point or complex, but got: torch.int64",
        )
        show.error(
            lambda: f.make_dual(x.long(), t),
            "Expected primal to be floating point or complex, but got: torch.int64",
        )
        show.error(
            lambda: f.exit_dual_level(level=3),
            "Trying to exit a forward AD level that was not the last one that was created",
        )
        show.error(lambda: torch.add(d, d, out=torch.zeros(3)), "because it is an out= function")
    with f.dual_level():
        show(tangent(torch, d))


def case_exit_forgets(torch, show):
    x, t = data(torch)
    f = fw(torch)
    f.enter_dual_level()
    d = f.make_dual(x, t)
    y = d.exp()
    show(tangent(torch, y))
    f.exit_dual_level()
    show(tangent(torch, y))
    with f.dual_level():
        show(tangent(torch, y), tangent(torch, d), tangent(torch, d * 2))
        d = f.make_dual(x, t)
        show(tangent(torch, d * 2))


def case_tangents_are_released(torch, show):
    import weakref

    x, t = data(torch)
    t2 = t * 1
    ref = weakref.ref(t2)
    with fw(torch).dual_level():
        d = fw(torch).make_dual(x, t2)
        del t2
        show(ref() is None)
    show(ref() is None, d)


def case_ops(torch, show):
    x, t = data(torch)
    w = torch.tensor([2.0, 0.5, 1.5])
    functions = [
        lambda d: d * 3,
        lambda d: d * w,
        lambda d: w / d,
        lambda d: d**2,
        lambda d: d.exp().sin(),
        lambda d: d.sum(),
        lambda d: d.mean(),
        lambda d: d.prod(),
        lambda d: d.max(),
        lambda d: d.sort()[0],
        lambda d: d.view(3, 1) @ d.view(1, 3),
        lambda d: torch.dot(d, w),
        lambda d: torch.cat([d, w, d]),
        lambda d: torch.stack([w, d]),
        lambda d: d[1:],
        lambda d: d[torch.tensor([2, 0])],
        lambda d: d.flip(0),
        lambda d: torch.where(d > 1, d, w),
        lambda d: d.clamp(1.5, 2.5),
        lambda d: d.abs(),
        lambda d: d.relu(),
        lambda d: torch.softmax(d, 0),
        lambda d: d.logsumexp(0),
        lambda d: d.cumsum(0),
        lambda d: d.norm(),
        lambda d: d.double(),
        lambda d: d.clone(),
        lambda d: d.expand(2, 3),
        lambda d: d.unsqueeze(0).t(),
        lambda d: d.var(),
        lambda d: torch.tanh(d),
        lambda d: d.sigmoid(),
        lambda d: d.floor(),
        lambda d: torch.max(d, w),
        lambda d: d - d,
        lambda d: -d,
        lambda d: d.reciprocal(),
        lambda d: torch.outer(d, w),
        lambda d: d.repeat(2),
    ]
    with fw(torch).dual_level():
        for f in functions:
            show(tangent(torch, f(fw(torch).make_dual(x, t))))


def case_no_tangent(torch, show):
    x, t = data(torch)
    with fw(torch).dual_level():
        d = fw(torch).make_dual(x, t)
        show(
            tangent(torch, d.detach()),
            tangent(torch, d.data),
            tangent(torch, d > 1),
            tangent(torch, d.argmax()),
        )
        show(tangent(torch, torch.zeros_like(d)), tangent(torch, x * 2), tangent(torch, d.long()))
        with torch.no_grad():
            show(tangent(torch, d * 2))


def case_several_outputs(torch, show):
    x, t = data(torch)
    with fw(torch).dual_level():
        d = fw(torch).make_dual(x, t)
        values, indices = d.max(0)
        show(tangent(torch, values), tangent(torch, indices))
        values, indices = d.sort(descending=True)
        show(tangent(torch, values), tangent(torch, indices))
        show(
            [tangent(torch, part) for part in d.split(2)],
            [tangent(torch, part) for part in d.unbind()],
        )
        show([tangent(torch, p) for p in torch.var_mean(d)])


def case_partial(torch, show):
    x, t = data(torch)
    y = x + 1
    with fw(torch).dual_level():
        a, b = fw(torch).make_dual(x, t), fw(torch).make_dual(y, t * 2)
        show(
            tangent(torch, a * b),
            tangent(torch, a * y),
            tangent(torch, x * b),
            tangent(torch, a / b),
        )


def case_views(torch, show):
    x, t = torch.arange(6.0).reshape(2, 3), torch.arange(6.0).reshape(2, 3) * 10
    with fw(torch).dual_level():
        d = fw(torch).make_dual(x, t)
        v = d[0]
        show(tangent(torch, v), tangent(torch, v)._base is not None)
        show(tangent(torch, d.t()), tangent(torch, d.t()[1]), tangent(torch, d.view(-1)[2:4]))
        tangent(torch, v).mul_(2)
        show(tangent(torch, d))


def case_in_place(torch, show):
    x, t = data(torch)
    f = fw(torch)
    with f.dual_level():
        d = f.make_dual(x.clone(), t.clone())
        kept = tangent(torch, d)
        d.mul_(3)
        show(tangent(torch, d), tangent(torch, d) is kept, d)
        d.exp_()
        show(tangent(torch, d))
        d.zero_()
        show(tangent(torch, d))
        d.copy_(x)
        show(tangent(torch, d))
        y = torch.zeros(3)
        y.add_(f.make_dual(x.clone(), t))
        show(tangent(torch, y))
        y.mul_(y.clone())
        show(tangent(torch, y))
        z = torch.zeros(3)
        z.copy_(y)
        show(tangent(torch, z))
        z.fill_(1.0)
        show(tangent(torch, z))


def case_in_place_on_views(torch, show):
    x, t = data(torch)
    f = fw(torch)
    with f.dual_level():
        base = torch.zeros(2, 3)
        row = base[0]
        row.copy_(f.make_dual(x.clone(), t))
        show(tangent(torch, base), tangent(torch, row), tangent(torch, base[:, 1]))
        base[1] = f.make_dual(x.clone(), t) * 2
        show(tangent(torch, base), base)
        base.mul_(2)
        show(tangent(torch, row))
        d = f.make_dual(torch.zeros(2, 3), torch.ones(2, 3))
        d[0].mul_(5)
        show(tangent(torch, d))
        d[:, 1] = 7.0
        show(tangent(torch, d), d)
        d.t_()
        show(tangent(torch, d))
        e = f.make_dual(torch.zeros(3), torch.ones(3))
        e.unsqueeze_(0).add_(f.make_dual(x, t))
        show(tangent(torch, e))
        view = torch.zeros(4)
        other = view[1:]
        view.add_(f.make_dual(torch.ones(4), torch.arange(4.0)))
        show(tangent(torch, other))


def case_mixed_with_reverse(torch, show):
    x, t = data(torch)
    x.requires_grad_()
    f = fw(torch)
    with f.dual_level():
        d = f.make_dual(x, t)
        show(d.requires_grad, d.is_leaf)
        y = (d**3).exp().sin()
        dot = tangent(torch, y)
        show(dot.detach(), dot.requires_grad)
        show(torch.autograd.grad(dot.sum(), x, retain_graph=True))
        (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
        show(tangent(torch, g).detach())
        (second,) = torch.autograd.grad(tangent(torch, g).sum(), x)
        show(second)


def case_tangent_requires_grad(torch, show):
    x, t = data(torch)
    t.requires_grad_()
    with fw(torch).dual_level():
        d = fw(torch).make_dual(x, t)
        show(d.requires_grad)
        dot = tangent(torch, (d * d).sin())
        dot.sum().backward()
        show(t.grad)


def case_hessian_vector_product(torch, show):
    x, t = data(torch)
    f = fw(torch)
    with f.dual_level():
        d = f.make_dual(x, t).requires_grad_()
        y = (d**3).sum() * d[0]
        (g,) = torch.autograd.grad(y, d, create_graph=True)
        u = f.unpack_dual(g)
        show(u.primal.detach(), u.tangent.detach())


def case_functions(torch, show):
    class Mul(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            ctx.save_for_forward(x, y)
            ctx.save_for_backward(x, y)
            return x * y

        @staticmethod
        def backward(ctx, g):
            x, y = ctx.saved_tensors
            return g * y, g * x

        @staticmethod
        def jvp(ctx, dx, dy):
            x, y = ctx.saved_tensors
            return dx * y + x * dy

    x, t = data(torch)
    f = fw(torch)
    with f.dual_level():
        d = f.make_dual(x, t)
        show(tangent(torch, Mul.apply(d, x)), tangent(torch, Mul.apply(d, d * 2)))
        show(tangent(torch, Mul.apply(x, x)))
    x.requires_grad_()
    with f.dual_level():
        y = Mul.apply(f.make_dual(x, t), x)
        show(tangent(torch, y).detach(), torch.autograd.grad(tangent(torch, y).sum(), x))
    double = x.detach().double().requires_grad_()
    show(
        torch.autograd.gradcheck(
            Mul.apply, (double, double.detach().clone().requires_grad_()), check_forward_ad=True
        )
    )


def function(torch, forward, jvp):
    return type(
        "Custom",
        (torch.autograd.Function,),
        {"forward": staticmethod(forward), "jvp": staticmethod(jvp)},
    ).apply


def case_function_errors(torch, show):
    x, t = data(torch)
    f = fw(torch)

    def run(forward, jvp):
        return function(torch, forward, jvp)(f.make_dual(x.clone(), t.clone()))

    def dirty(ctx, a):
        ctx.mark_dirty(a)
        return a.mul_(2)

    class NoJvp(torch.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            return a * 2

    with f.dual_level():
        show.error(
            lambda: NoJvp.apply(f.make_dual(x, t)),
            "You must implement the jvp function for custom autograd.Function to use it with "
            "forward mode AD.",
        )
        show.error(
            lambda: run(lambda ctx, a: (a * 2, a * 3), lambda ctx, g: g),
            "Function's jvp returned an invalid number of forward gradients (expected 2 but got 1)",
        )
        show.error(
            lambda: run(lambda ctx, a: a * 2, lambda ctx, g: 3),
            "expected Variable or None (got int)",
        )
        show.error(
            lambda: run(lambda ctx, a: a * 2, lambda ctx, g: g[:2]),
            "has a different size than that of the original Tensor",
        )
        show.error(
            lambda: run(lambda ctx, a: a.view(3), lambda ctx, g: g.clone()),
            "A custom Function's forward is returning a view (or an input as-is) but the jvp is "
            "not returning a view.",
        )
        show.error(
            lambda: run(lambda ctx, a: a, lambda ctx, g: g * 2),
            "A custom Function's forward is returning a view (or an input as-is) but the jvp is "
            "not returning a view.",
        )
        show.error(
            lambda: run(dirty, lambda ctx, g: g * 2),
            "An inplace custom Function is not modifying the forward mode gradients inplace",
        )
        show(tangent(torch, run(dirty, lambda ctx, g: g.mul_(2))))
        show(tangent(torch, run(lambda ctx, a: a.view(3, 1), lambda ctx, g: g.view(3, 1))))


def case_function_missing_tangents(torch, show):
    x, t = data(torch)
    f = fw(torch)
    seen = []

    def jvp(ctx, *dots):
        seen.append([None if d is None else d.tolist() for d in dots])
        return dots[0]

    apply = function(torch, lambda ctx, a, b, c: a * b, jvp)
    with f.dual_level():
        apply(f.make_dual(x, t), x, 3)
        apply(f.make_dual(x, t), 2, None)
    show(seen)


def case_function_setup_context(torch, show):
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(x):
            return x**3, 3 * x**2

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_forward(output[1])
            ctx.mark_non_differentiable(output[1])

        @staticmethod
        def jvp(ctx, dot):
            (slope,) = ctx.saved_tensors
            return dot * slope, None

    x, t = data(torch)
    with fw(torch).dual_level():
        y, slope = Cube.apply(fw(torch).make_dual(x, t))
        show(tangent(torch, y), tangent(torch, slope))


def case_switch(torch, show):
    x, t = data(torch)
    f = fw(torch)
    with f.dual_level():
        d = f.make_dual(x, t)
        with f._set_fwd_grad_enabled(False):
            y = d * 2
            show(f._is_fwd_grad_enabled())
        show(tangent(torch, y), tangent(torch, d * 2), f._is_fwd_grad_enabled())


def case_decorator(torch, show):
    x, t = data(torch)

    @fw(torch).dual_level()
    def jvp(f):
        return fw(torch).unpack_dual(f(fw(torch).make_dual(x, t)))

    show(tuple(jvp(lambda d: d.sin())))
    show(tuple(jvp(lambda d: d * 2)))


def case_complex(torch, show):
    z = torch.tensor([1 + 2j, 0.5 - 1j])
    t = torch.tensor([1j, 2 + 0.5j])
    with fw(torch).dual_level():
        for f in (
            lambda d: d * d,
            lambda d: d.abs(),
            lambda d: d.conj() * 2,
            lambda d: d.exp(),
            lambda d: d.real,
            lambda d: d.imag * 2,
            lambda d: torch.view_as_real(d),
        ):
            show(tangent(torch, f(fw(torch).make_dual(z, t))))


def case_layout(torch, show):
    x, t = torch.arange(6.0).reshape(2, 3).t(), torch.arange(6.0).reshape(3, 2)
    with fw(torch).dual_level():
        d = fw(torch).make_dual(x, t)
        show(tangent(torch, d).stride(), tangent(torch, d), tangent(torch, d) is t)
        show(tangent(torch, d.t().view(-1)))


def case_modules(torch, show):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
    x, t = data(torch)
    with fw(torch).dual_level():
        y = model(fw(torch).make_dual(x.view(1, 3), t.view(1, 3)))
        dot = tangent(torch, y)
        show(dot.detach(), dot.requires_grad)
        show(torch.autograd.grad(dot.sum(), list(model.parameters()), allow_unused=True)[0])


def case_gradcheck(torch, show):
    torch.manual_seed(1)
    x = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    y = torch.randn(3, 2, dtype=torch.float64, requires_grad=True)

    def f(a, b):
        c = (a @ b).tanh() * 2
        c[0].mul_(a[1, :2])
        return c.view(-1).cumsum(0), torch.cat([a, b.t()])

    show(torch.autograd.gradcheck(f, (x, y), check_forward_ad=True))
    show(torch.autograd.gradgradcheck(f, (x, y), check_fwd_over_rev=True))


def case_missing_tangents(torch, show):
    """Whether a tangent requires a gradient does not depend on which inputs have one."""
    forward = torch.autograd.forward_ad

    def tangents(function, *shapes):
        inputs = [torch.full(shape, 1.5, requires_grad=True) for shape in shapes]
        for which in range(1, 2 ** len(inputs)):
            with forward.dual_level():
                given = [
                    forward.make_dual(x, torch.ones_like(x)) if which >> i & 1 else x
                    for i, x in enumerate(inputs)
                ]
                out = forward.unpack_dual(function(*given)).tangent
                grads = torch.autograd.grad(out.sum(), inputs, allow_unused=True)
                show(which, out.requires_grad, out.tolist())
                show([g.tolist() for g in grads if g is not None and g.any()])

    tangents(lambda a: a * 2, (3,))
    tangents(lambda a: a / 2, (3,))
    tangents(lambda a, b: a * b, (3,), (3,))
    tangents(lambda a, b: a.mv(b), (2, 3), (3,))
    tangents(lambda a, b, c: torch.addmv(c, a, b), (2, 3), (3,), (2,))
    tangents(lambda a, b, c: torch.nn.functional.linear(a, b, c), (2, 3), (4, 3), (4,))
    tangents(lambda a, b, c: torch.lerp(a, b, c), (3,), (3,), (3,))


def case_missing_tangents_of_sums(torch, show):
    forward = torch.autograd.forward_ad
    a, b = torch.ones(2, requires_grad=True), torch.full((2,), float("inf"), requires_grad=True)
    with forward.dual_level():
        dual = forward.make_dual(a, torch.tensor([-0.0, 1.0]))
        for out in (dual + b, dual + 1, torch.cat([dual, b]), dual - b, torch.addcmul(dual, b, b)):
            tangent = forward.unpack_dual(out).tangent
            show(tangent.requires_grad, tangent.tolist())


def case_function_returns_its_input(torch, show):
    def function(of_tangent):
        class Identity(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x

            @staticmethod
            def jvp(ctx, tangent):
                return of_tangent(tangent)

            @staticmethod
            def backward(ctx, grad):
                return grad

        return Identity

    forward_ad = torch.autograd.forward_ad
    phrase = "A custom Function's forward is returning a view (or an input as-is) but the jvp"
    with forward_ad.dual_level():
        x = forward_ad.make_dual(torch.ones(2), torch.tensor([3.0, 4.0]))
        y = function(lambda t: t.view_as(t)).apply(x)
        show(forward_ad.unpack_dual(y).tangent, y._is_view())
        show.error(lambda: function(lambda t: t).apply(x), phrase)
        show.error(lambda: function(lambda t: t * 2).apply(x), phrase)


def case_tangents_are_laid_out_as_the_primal(torch, show):
    part = torch.arange(5.0)[:4].detach()
    turned = torch.zeros(3, 2).t()
    for primal, given in (
        (part, torch.ones(4)),
        (torch.zeros(6)[2:5], torch.ones(3)),
        (torch.zeros(3), torch.ones(6)[2:5]),
        (turned[:1], torch.ones(2, 3)[:1]),
        (turned, torch.ones(2, 3)),
        (torch.empty_strided((1, 1), (1, 1)), torch.empty_strided((1, 1), (2, 1)).fill_(1)),
        (torch.zeros(2, dtype=torch.complex64).conj(), torch.ones(2, dtype=torch.complex64)),
    ):
        with fw(torch).dual_level():
            found = tangent(torch, fw(torch).make_dual(primal, given))
            show(found, found is given, found.stride(), found.storage_offset(), found.is_conj())
            found.mul_(2)
            show(given)


def case_out_of_a_list(torch, show):
    x, t = data(torch)
    with fw(torch).dual_level():
        d = fw(torch).make_dual(x, t)
        for call in (
            lambda: torch.cat([d, x], out=torch.zeros(6)),
            lambda: torch.stack((x, d), out=torch.zeros(2, 3)),
        ):
            show.error(call, "because it is an out= function")


def case_look_after_many_ops(torch, show):
    x, t = data(torch)
    with fw(torch).dual_level():
        d = fw(torch).make_dual(x, t)
        kept = [d]
        for _ in range(30):
            kept.append((kept[-1] * 1.01).sin())
            kept.append(kept[-1].mean() + kept[-2])
        show(torch.histc(x.detach(), 3), tangent(torch, kept[-1]))


def case_tangents_of_results_are_their_own(torch, show):
    for requires_grad in (False, True):
        for function in (
            lambda a: a.clone(),
            lambda a: a + 1,
            lambda a: torch.cat([a]),
            lambda a: torch.where(torch.tensor(True), a, a),
            lambda a: a.clamp(-5, 5),
        ):
            x, t = data(torch)
            with fw(torch).dual_level():
                y = function(fw(torch).make_dual(x.requires_grad_(requires_grad), t))
                y[:2].mul_(3)
                show(t, tangent(torch, y).detach())


def case_writes_through_views_of_gradients(torch, show):
    def first(a):
        b = a * a
        b[0].mul_(a[1])
        return b

    def second(a):
        b = a.clone().view(2, 2)
        b.t_()
        b[0] *= 2
        b.transpose_(0, 1)
        return b.reshape(-1)

    for function in (first, second):
        x = torch.tensor([0.3, 0.6, 0.8, 0.45], dtype=torch.float64, requires_grad=True)
        show(torch.autograd.gradcheck(function, (x,), check_forward_ad=True))
        show(torch.autograd.gradgradcheck(function, (x,), check_fwd_over_rev=True))
        show(torch.func.hessian(lambda a, f=function: (f(a) ** 2).sum())(x.detach()))
        nested = torch.func.jacrev(torch.func.jacfwd(lambda a, f=function: (f(a) ** 2).sum()))
        show(nested(x.detach()))


def case_unpacking_what_is_no_tensor(torch, show):
    show(fw(torch).unpack_dual(3))
    with fw(torch).dual_level():
        show.error(lambda: fw(torch).unpack_dual(3), "argument 'dual' (position 1) must be Tensor")

"""`torch.func` transforms inside of each other, and of plain autograd: levels do not mix."""


def along(torch, f):
    """The derivative of a function of a scalar, by forward mode."""
    one = torch.tensor(1.0)
    return lambda t: torch.func.jvp(f, (t,), (one,))[1]


def case_forward_of_forward(torch, show):
    x, t = torch.tensor([1.0, 2.0]), torch.tensor([1.0, -1.0])
    s = torch.tensor(2.0)
    func = torch.func
    f = lambda a: a.sin() * a.sum()  # noqa: E731
    show(func.jvp(lambda a: func.jvp(lambda b: b.exp() * b.sum(), (a,), (a,)), (x,), (t,)))
    show(along(torch, along(torch, torch.sin))(s))
    show(along(torch, along(torch, along(torch, lambda a: a**4)))(s))
    show(func.jacfwd(func.jacfwd(lambda a: (a**3).sum() * a[0]))(x))
    show(func.hessian(func.hessian(lambda a: (a**5).sum() * a[0]))(x))
    show(func.jacfwd(func.jacrev(func.jacfwd(f)))(x))
    show(func.jvp(lambda a: func.jvp(lambda b: b[0] * b, (a,), (a,)), (x,), (t,)))


def case_perturbations_do_not_mix(torch, show):
    one = torch.tensor(1.0)
    grad = torch.func.grad
    show(along(torch, lambda x: x * along(torch, lambda y: x + y)(one))(one))
    show(along(torch, lambda x: x * along(torch, lambda y: x * y)(x * 2))(one))
    show(grad(lambda x: x * along(torch, lambda y: x + y)(one))(one))
    show(along(torch, lambda x: x * grad(lambda y: x + y)(one))(one))
    show(along(torch, lambda x: x * grad(lambda y: x * y)(x))(one))
    rows = torch.arange(1.0, 4.0)

    def batch_inside(s):
        return torch.func.vmap(along(torch, lambda y: y * s * y))(rows).sum()

    show(along(torch, batch_inside)(one))


def case_forward_and_reverse(torch, show):
    x, t = torch.tensor([1.0, 2.0]), torch.tensor([0.5, 1.0])
    func = torch.func
    f = lambda a: (a.sin() * a.prod()).sum()  # noqa: E731
    show(func.grad(lambda a: func.jvp(func.grad(f), (a,), (t,))[1].sum())(x))
    show(func.jvp(lambda a: func.grad(lambda b: func.jvp(f, (b,), (t,))[1])(a), (x,), (t,)))
    show(func.jvp(lambda a: func.vjp(f, a)[1](torch.ones(()))[0], (x,), (t,)))
    show(func.vmap(lambda u: func.jvp(func.grad(f), (x,), (u,))[1])(torch.eye(2)))
    for outer in (func.jacfwd, func.jacrev):
        for inner in (func.jacfwd, func.jacrev):
            show(outer(inner(lambda a: a.sin() * a))(x))


def case_dual_levels_do_not_nest(torch, show):
    x, func, fw = torch.tensor([1.0, 2.0]), torch.func, torch.autograd.forward_ad
    phrase = "Nested forward mode AD is not supported at the moment"

    def opens(a):
        with fw.dual_level():
            return fw.unpack_dual(fw.make_dual(a, a).sin()).tangent

    def inside_of_level():
        with fw.dual_level():
            func.jvp(torch.sin, (fw.make_dual(x, x),), (x,))

    show.error(lambda: func.jvp(opens, (x,), (x,)), phrase)
    show.error(inside_of_level, phrase)
    show(func.grad(lambda a: opens(a).sum())(x))
    with fw.dual_level():
        d = fw.make_dual(x, x)
        show(fw.unpack_dual(func.grad(lambda a: a.sin().sum())(d)).tangent)
        show(fw.unpack_dual(func.vmap(torch.sin)(d)).tangent)


def case_forward_mode_switched_off(torch, show):
    x, func, fw = torch.tensor([1.0, 2.0]), torch.func, torch.autograd.forward_ad
    off = fw._set_fwd_grad_enabled
    with off(False):
        show(func.jvp(torch.sin, (x,), (x,)))

    def inner(a):
        with off(False):
            return func.jvp(torch.sin, (a,), (x,))[1]

    def shifted(a):
        with off(False):
            shift = a**2
        return a**2 - shift

    show(func.jvp(inner, (x,), (x,)), func.jvp(shifted, (x,), (x,)))


def case_what_escapes(torch, show):
    x, func = torch.tensor([1.0, 2.0, 3.0]), torch.func
    _, pull = func.vjp(torch.sin, x)
    show(func.grad(lambda c: (pull(c)[0] ** 2).sum())(x), func.jacrev(lambda c: pull(c)[0])(x))
    show(func.vmap(lambda c: pull(c)[0])(torch.eye(3)))
    show(func.vjp(lambda t: (torch.ones(3), t), x)[1]((x, x)), func.vjp(lambda a, b: a, x, x)[1](x))
    show(func.jacrev(lambda a, b: {"s": a.sum(), "b": b}, argnums=(0, 1))(x, x[:1]))

    def no_grad_outside(t):
        with torch.no_grad():
            s = func.grad(lambda u: (u**3).sum())(t)
        return (t**2 - s).sum()

    show(func.grad(no_grad_outside)(x))
    w = x.clone().requires_grad_()
    value, push = func.linearize(lambda t: t * w, x)
    show(value.requires_grad, push(x).requires_grad)
    jacobian = func.jacfwd(lambda t: t**3 * w)(x)
    jacobian.sum().backward()
    show(jacobian.requires_grad, w.grad)


def case_not_inside(torch, show):
    x, func = torch.tensor([1.0, 2.0]), torch.func
    phrase = "inside of a function being transformed by a functorch transform"
    hooks = "don't yet support saved tensor hooks"

    def hooked(t):
        with torch.autograd.graph.saved_tensors_hooks(lambda a: a, lambda a: a):
            return t.sin().sum()

    def retained(t):
        y = t.sin()
        y.retain_grad()
        return y.sum()

    show.error(lambda: func.grad(lambda t: t.requires_grad_().sum())(x), phrase)
    show.error(lambda: func.vmap(lambda t: t.requires_grad_())(x), phrase)
    show.error(lambda: func.grad(retained)(x), phrase)
    show.error(
        lambda: func.grad(lambda t: t.sum().backward())(x),
        "backward() called inside a functorch transform",
    )
    show.error(lambda: func.grad(hooked)(x), hooks)
    show.error(lambda: func.vjp(hooked, x), hooks)
    show(func.jvp(hooked, (x,), (x,)))
    show.error(
        lambda: func.vmap(lambda t: torch.autograd.functional.vjp(torch.sin, t, t)[1])(x),
        "(or perhaps using torch.autograd.functional.* APIs)",
    )
    show(func.grad(lambda t: torch.autograd.grad((t**3).sum(), t, create_graph=True)[0].sum())(x))


def case_captured_tensors(torch, show):
    x, c, func = torch.tensor([1.0, 2.0]), torch.zeros(2), torch.func
    phrase = "that would mutate a captured Tensor"

    def writes(t):
        c.add_(1)
        return t.sum()

    def assigns(t):
        c[0] = t[0]
        return c.sum()

    def own(t):
        new = torch.zeros(2)
        new[0] = t[0] * 3
        new.mul_(t)
        return new.sum()

    def argument(t):
        return t.mul_(2)

    for transform in (func.grad, func.jacrev, func.jacfwd, func.hessian):
        show.error(lambda transform=transform: transform(writes)(x), phrase)
        show.error(lambda transform=transform: transform(assigns)(x), phrase)
    show.error(lambda: func.jvp(assigns, (x,), (x,)), phrase)
    y = x.clone()
    show(c, func.grad(own)(x), func.jvp(argument, (y,), (x,)), y)
    show.error(lambda: func.grad(lambda t: argument(t).sum())(y), "a leaf Variable that requires")


def case_arguments(torch, show):
    x, func = torch.tensor([1.0, 2.0]), torch.func
    phrase = "Expected tensors, got unsupported type <class 'int'>"
    for call in (
        lambda: func.grad(lambda t: (t.sum(), 3), has_aux=True)(x),
        lambda: func.vjp(lambda t: (t, 3), x, has_aux=True),
        lambda: func.jacrev(lambda t: (t, 3), has_aux=True)(x),
        lambda: func.jacfwd(lambda t: (t, 3), has_aux=True)(x),
        lambda: func.jvp(lambda t: (t, 3), (x,), (x,), has_aux=True),
    ):
        show.error(call, phrase)
    for empty in (lambda t: (), lambda t: None):
        show.error(lambda e=empty: func.jvp(e, (x,), (x,)), "a function that has non-empty output")
        show.error(lambda e=empty: func.vjp(e, x), "a function that has non-empty output")
    show.error(lambda: func.jacrev(lambda t, k=2: t * k)(x, k=3), "unexpected keyword argument 'k'")
    _, pull = func.vjp(lambda t: (t, t), x)
    show.error(lambda: pull(x, x), "Expected pytree structure of cotangents to be the same")
    _, push = func.linearize(lambda d: d["a"] * 2, {"a": x})
    show.error(lambda: push(x), "Expected the tangents")
    show.error(lambda: push({"a": x[:1]}), "tangent:0 with shape torch.Size([1])")
    show.error(lambda: push({"a": x.double()}), "tangent:0 with dtype torch.float64")
    show.error(
        lambda: func.functionalize(torch.sin, remove="x")(x), "invalid argument for remove=x"
    )
    show(func.jacfwd(lambda a, b: a * b, argnums=None)(x, x))


def case_linearize_runs_once(torch, show):
    runs = []

    def f(t):
        runs.append(1)
        return {"s": t.sin() * t.sum()}

    value, push = torch.func.linearize(f, torch.tensor([1.0, 2.0]))
    before = len(runs)
    show(value, push(torch.ones(2)), push(torch.tensor([0.0, 1.0])))
    show(len(runs) - before, torch.func.vmap(push)(torch.eye(2)))


def case_functional_call(torch, show):
    x, layer, call = torch.ones(3), torch.nn.Linear(3, 2), torch.func.functional_call
    given = {"weight": torch.ones(2, 3), "bias": torch.zeros(2)}
    show(call(layer, {**given, "other": x}, x))
    show.error(lambda: call(layer, {"weight": given["weight"]}, x, strict=True), "Missing key(s)")
    show.error(lambda: call(layer, {"weight": 3}, x), "3 is not an instance of torch.Tensor")
    tied = torch.nn.Sequential(torch.nn.Linear(2, 2, bias=False), torch.nn.Linear(2, 2, bias=False))
    tied[1].weight = tied[0].weight
    z = torch.ones(2)
    two = {"0.weight": torch.eye(2), "1.weight": torch.zeros(2, 2)}
    show(call(tied, {"0.weight": torch.eye(2) * 2}, z), call(tied, two, z, tie_weights=False))
    show.error(lambda: call(tied, two, z), "functional_call got multiple values for keys")


def case_dual_text(torch, show):
    fw = torch.autograd.forward_ad
    with fw.dual_level():
        d = fw.make_dual(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]))
        show(repr(d), repr(d * 2), repr(d.sum()), repr(d.detach()), repr(d.double()))
    show(repr(d))


def case_forward_over_backward(torch, show):
    fw, x = torch.autograd.forward_ad, torch.tensor([1.0, 2.0])
    with fw.dual_level():
        d = fw.make_dual(x.clone().requires_grad_(), x)
        (g,) = torch.autograd.grad(d.sin().sum(), d)
        show(g, fw.unpack_dual(g).tangent)


def case_strided_tangents(torch, show):
    fw, x = torch.autograd.forward_ad, torch.arange(6.0).view(2, 3)
    with fw.dual_level():
        d = fw.make_dual(x.t(), x.t() * 2)
        v = d.as_strided((2, 2), (1, 3))
        show(v, fw.unpack_dual(v).tangent, fw.unpack_dual(d.diagonal()).tangent)
        with torch.inference_mode():
            show(fw.unpack_dual(d * 2).tangent)
    with fw.dual_level():
        show.error(lambda: fw.make_dual(x, x, level=1), "Invalid level given to _make_dual")


def case_texts(torch, show):
    func = torch.func
    captured = torch.tensor([3.0])
    x = torch.tensor([1.0, 2.0])

    def look(a):
        show(repr(a), str(a * 2), repr((a * 3).detach()), repr(captured), repr(captured * a))
        return a.sum()

    func.grad(look)(x)
    func.vjp(look, x)
    func.jvp(look, (x,), (x,))
    func.grad(lambda a: func.grad(look)(a).sum())(x)
    func.vmap(look)(torch.ones(2, 2))
    func.vmap(func.vmap(look))(torch.ones(2, 2, 2))
    func.vmap(func.grad(look))(torch.ones(2, 2))
    func.grad(lambda a: func.vmap(look)(a).sum())(torch.ones(2, 2))
    func.jacfwd(look)(x)
    show(repr(x), repr(x * 2))

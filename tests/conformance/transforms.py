"""`torch.func`: grad, vjp, jvp, jacobians, hessian, vmap and what they make of each other."""


def data(torch):
    return torch.tensor([1.0, 2.0, 3.0]), torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


def bare(result):
    """Without the names of nodes, which are not the same for a batch."""
    if isinstance(result, tuple | list):
        return [bare(r) for r in result]
    if isinstance(result, dict):
        return {k: bare(v) for k, v in result.items()}
    return [result.detach(), result.requires_grad] if hasattr(result, "detach") else result


def case_grad(torch, show):
    x, _ = data(torch)
    f = lambda t: (t**3).sum()  # noqa: E731
    grad = torch.func.grad
    show(
        grad(f)(x),
        grad(torch.sin)(x[0]),
        grad(grad(torch.sin))(x[0]),
        grad(grad(grad(torch.sin)))(x[0]),
    )
    show(
        grad(lambda a, b: (a * b).sum(), argnums=1)(x, x * 2),
        grad(lambda a, b: (a * b * b).sum(), argnums=(0, 1))(x, x * 2),
    )
    show(
        grad(lambda a, b: (a * b).sum(), argnums=-1)(x, x * 2),
        grad(lambda p: (p["w"] * p["b"]).sum())({"w": x, "b": x * 2}),
    )
    show(grad(lambda t: (f(t), t * 2), has_aux=True)(x))
    show(
        torch.func.grad_and_value(f)(x),
        torch.func.grad_and_value(lambda t: (f(t), {"a": t}), has_aux=True)(x),
    )
    show(
        grad(lambda t: t.detach().sum() + (t * 0).sum())(x),
        grad(lambda t, scale=1: (t * scale).sum())(x, scale=3),
    )


def case_grad_and_outside(torch, show):
    x, _ = data(torch)
    f = lambda t: (t**3).sum()  # noqa: E731
    w = x.clone().requires_grad_()
    g = torch.func.grad(f)(w)
    show(g.requires_grad, torch.autograd.grad(g.sum(), w))
    g = torch.func.grad(lambda t: (t * w * t).sum())(x)
    show(g.requires_grad, torch.autograd.grad(g.sum(), w))
    show(w.grad, x.requires_grad)
    with torch.no_grad():
        show(torch.func.grad(f)(x), torch.func.grad(f)(w).requires_grad)

    def no_grad_inside(t):
        with torch.no_grad():
            c = t**2
        return (t - c).sum()

    show(torch.func.grad(no_grad_inside)(x))
    show(torch.func.grad(lambda t: f(t) if t.sum() > 0 else -f(t))(x))

    def writes(t):
        u = t.clone()
        u.mul_(t)
        u[0] = 5.0
        return u.sum()

    show(torch.func.grad(writes)(x))


def case_grad_errors(torch, show):
    x, _ = data(torch)
    grad = torch.func.grad
    show.error(lambda: grad(torch.sin)(x), "to return a scalar Tensor, got tensor with 1 dims")
    show.error(lambda: grad(lambda t: 3)(x), "to return a Tensor, got <class 'int'>")
    show.error(lambda: grad(torch.sum, argnums=2)(x), "Got argnum=2, but only 1 positional inputs")
    show.error(
        lambda: grad(torch.sum, argnums="0")(x),
        "argnums must be int or Tuple[int, ...], got: <class 'str'>",
    )
    show.error(lambda: grad(torch.sum, argnums=())(x), "argnums must be non-empty")
    show.error(
        lambda: grad(torch.add, argnums=(0, 0))(x, x), "argnums elements must be unique, got (0, 0)"
    )
    show.error(
        lambda: grad(lambda t: t.sum(), has_aux=True)(x),
        "output of function f should be a tuple: (output, aux) if has_aux is True",
    )
    show.error(lambda: grad(lambda t: t)(3.0), "")


def case_vjp(torch, show):
    x, _ = data(torch)
    value, pull = torch.func.vjp(lambda t: t.sin() * t, x)
    show(value, pull(x), pull(x * 2))
    value, pull = torch.func.vjp(lambda a, b: (a * b, {"s": a.sum()}), x, x * 2)
    show(value, pull((x, {"s": torch.tensor(2.0)})))
    value, pull, aux = torch.func.vjp(lambda t: (t.sin(), t * 5), x, has_aux=True)
    show(value, pull(x), aux)
    show.error(
        lambda: torch.func.vjp(lambda t: t > 1, x),
        "All outputs of f must be floating-point or complex Tensors, got Tensor with dtype "
        "torch.bool",
    )
    show.error(lambda: torch.func.vjp(lambda t: 3, x), "unsupported type <class 'int'>")
    show.error(
        lambda: torch.func.vjp(torch.sin, x)[1]((x, x)),
        "Expected pytree structure of cotangents to be the same as pytree structure of outputs",
    )
    show.error(
        lambda: torch.func.vjp(torch.sin, x, has_aux=True),
        "output of function f should be a tuple: (output, aux)",
    )


def case_jvp(torch, show):
    x, _ = data(torch)
    jvp = torch.func.jvp
    show(jvp(torch.sin, (x,), (x,)), jvp(lambda a, b: (a * b, [a.sum()]), (x, x * 2), (x, x)))
    show(jvp(lambda t: (t.sin(), t * 3), (x,), (x,), has_aux=True))
    show(jvp(lambda t: torch.ones(2), (x,), (x,)))
    show.error(lambda: jvp(torch.sin, x, (x,)), "Expected primals to be a tuple")
    show.error(
        lambda: jvp(torch.sin, (x,), (x, x)),
        "Expected primals and tangents to have the same python structure",
    )
    show.error(lambda: jvp(lambda t: 3, (x,), (x,)), "to return only tensors, got unsupported type")
    show.error(
        lambda: jvp(lambda t: torch.ones(2), (x,), (x,), strict=True),
        "The output of f is independent of the inputs. This is not allowed with strict=True.",
    )
    show.error(lambda: jvp(torch.sin, (3.0,), (x,)), "only contain Tensors")


def case_jacobians(torch, show):
    x, _ = data(torch)
    f = lambda t: t.sin() * t.sum()  # noqa: E731
    for jacobian in (torch.func.jacrev, torch.func.jacfwd):
        show(jacobian(f)(x), jacobian(lambda t: (t.sum(), {"a": t * t}))(x))
        show(
            jacobian(lambda a, b: a * b, argnums=1)(x, x * 2),
            jacobian(lambda a, b: a.sum() * b, argnums=(0, 1))(x, x[:2]),
        )
        show(
            jacobian(lambda t: (t * t, t * 7), has_aux=True)(x),
            jacobian(lambda t: t.view(1, 3) * torch.ones(2, 1))(x),
        )
        show(jacobian(lambda p: p["a"] * p["b"])({"a": x, "b": x * 2}))
        show.error(
            lambda jacobian=jacobian: jacobian(torch.sin)(x * 1j), "real but received complex"
        )
    show.error(
        lambda: torch.func.jacrev(torch.sin, chunk_size=0),
        "jacrev: `chunk_size` should be greater than 0.",
    )
    show(torch.func.jacrev(f, chunk_size=2)(x))


def case_second_derivatives(torch, show):
    x, _ = data(torch)
    f = lambda t: (t**3).sum() * t[0]  # noqa: E731
    func = torch.func
    show(
        func.hessian(f)(x),
        func.jacrev(func.jacrev(f))(x),
        func.jacrev(func.grad(f))(x),
        func.jacfwd(func.grad(f))(x),
    )
    show(
        func.grad(lambda t: func.grad(f)(t).sum())(x),
        func.jvp(func.grad(f), (x,), (x,)),
        func.vjp(func.grad(f), x)[1](x),
    )
    show(func.grad(lambda t: func.jvp(torch.sin, (t,), (t,))[1].sum())(x))
    show(func.hessian(lambda a, b: (a * a * b).sum(), argnums=(0, 1))(x[:2], x[1:]))


def case_vmap(torch, show):
    x, rows = data(torch)
    vmap = torch.func.vmap
    show(
        torch.vmap is not None,
        vmap(torch.sin)(rows),
        vmap(torch.dot)(rows, rows),
        vmap(torch.dot, in_dims=(0, None))(rows, x),
    )
    show(
        vmap(torch.sum, in_dims=1)(rows),
        vmap(lambda t: t * 2, out_dims=1)(rows),
        vmap(lambda t: t * 2, in_dims=-1, out_dims=-1)(rows),
    )
    show(
        vmap(lambda t: (t.sum(), {"a": t}), out_dims=0)(rows),
        vmap(lambda a, b: a * b, in_dims=(0, 0))(rows, torch.tensor([2.0, 3.0])),
    )
    show(
        vmap(lambda p: p["a"] * p["b"])({"a": rows, "b": rows}),
        vmap(lambda p, s: p[0] * s, in_dims=([0], None))([rows], 3),
    )
    show(
        vmap(vmap(torch.dot), in_dims=(0, None))(rows.expand(3, 2, 3), rows),
        vmap(vmap(lambda t: t * t))(rows),
    )
    show(
        vmap(lambda t: torch.ones(2))(rows),
        vmap(lambda t: x)(rows),
        vmap(lambda t: t.view(3, 1) @ t.view(1, 3))(rows),
    )
    show(
        vmap(lambda t: torch.stack([t, x]))(rows),
        vmap(lambda t: t[1:])(rows),
        vmap(lambda t: t.max(0)[0])(rows),
    )
    show(vmap(torch.sin, chunk_size=1)(rows))


def case_vmap_in_place(torch, show):
    _, rows = data(torch)

    def writes(t):
        u = t.clone()
        u.mul_(2)
        u[0] = t[1]
        return u

    show(torch.func.vmap(writes)(rows))


def case_vmap_errors(torch, show):
    x, rows = data(torch)
    vmap = torch.func.vmap
    show.error(lambda: vmap(torch.sin)(), "got no inputs")
    show.error(
        lambda: vmap(torch.add)(rows, x),
        "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes [2, "
        "3] for the mapped dimension",
    )
    show.error(
        lambda: vmap(torch.sin, in_dims="x")(rows),
        "expected `in_dims` to be int or a (potentially nested) tuple",
    )
    show.error(
        lambda: vmap(torch.sin, in_dims=(0, 0))(rows),
        "in_dims is not compatible with the structure of `inputs`",
    )
    show.error(
        lambda: vmap(torch.mul, in_dims=(0, 0))(rows, 3),
        "We cannot vmap over non-Tensor arguments, please use None as the respective in_dim",
    )
    show.error(
        lambda: vmap(torch.sin, in_dims=2)(rows),
        "Got in_dim=2 for some input, but that input is a Tensor of dimensionality 2 so expected "
        "in_dim to satisfy -2 <= in_dim < 2.",
    )
    show.error(
        lambda: vmap(torch.sin, in_dims=(0.5,))(rows),
        "Got in_dim=0.5 for an input but in_dim must be either an integer dimension or None.",
    )
    show.error(lambda: vmap(torch.sin, in_dims=None)(rows), "")
    show.error(
        lambda: vmap(torch.mul, in_dims=(None, None))(rows, rows),
        "vmap: Expected at least one Tensor to vmap over",
    )
    show.error(lambda: vmap(lambda t: 3)(rows), "must only return Tensors, got type <class 'int'>")
    show.error(
        lambda: vmap(torch.sin, out_dims=(0, 0))(rows),
        "out_dims is not compatible with the structure of `outputs`",
    )
    show.error(
        lambda: vmap(lambda t: t.sum().item())(rows),
        "vmap: It looks like you're calling .item() on a Tensor. We don't support vmap over "
        "calling .item() on a Tensor",
    )
    show.error(
        lambda: vmap(torch.sin, randomness="x")(rows),
        "Only allowed values for randomness are 'error', 'different', or 'same'. Got x",
    )
    show.error(
        lambda: vmap(torch.sin, chunk_size=0)(rows),
        "vmap: chunk_size should be None or greater than 0. (got 0)",
    )


def case_vmap_and_gradients(torch, show):
    x, rows = data(torch)
    func = torch.func
    f = lambda t: (t**3).sum()  # noqa: E731
    show(
        func.vmap(func.grad(f))(rows),
        func.vmap(func.hessian(f))(rows),
        func.vmap(func.jacrev(torch.sin))(rows),
    )
    show(func.vmap(func.grad(lambda w, t: (w * t).sin().sum()), in_dims=(None, 0))(x, rows))
    show(func.grad(lambda w: func.vmap(lambda t: (t * w).sin().sum())(rows).sum())(x))
    show(func.hessian(lambda w: func.vmap(lambda t: (t * w).sin().sum())(rows).sum())(x))
    show(
        func.jvp(func.vmap(f), (rows,), (rows,)),
        func.vmap(lambda t: func.jvp(torch.sin, (t,), (t,))[1])(rows),
    )
    show(func.vmap(lambda t: func.vjp(torch.sin, t)[1](t)[0])(rows))


def case_vmap_is_recorded(torch, show):
    x, rows = data(torch)
    w, r = x.clone().requires_grad_(), rows.clone().requires_grad_()
    y = torch.func.vmap(lambda t: (t * w.exp()).sin(), in_dims=1, out_dims=1)(r.t())
    show(bare(y))
    (y**2).sum().backward()
    show(w.grad, r.grad)
    y = torch.func.vmap(lambda t: (t * w.exp()).sum())(r)
    g, h = torch.autograd.grad((y**2).sum(), (w, r), create_graph=True)
    show(bare([g, h]))
    show(torch.autograd.grad(g.sum() + (h**2).sum(), (w, r)))


def case_vmap_over_autograd(torch, show):
    x, _ = data(torch)
    x.requires_grad_()
    y = x**2 * x.sum()
    show(torch.vmap(lambda v: torch.autograd.grad(y, x, v, retain_graph=True)[0])(torch.eye(3)))
    rows = torch.autograd.grad(y, x, torch.eye(3), is_grads_batched=True, create_graph=True)[0]
    show(bare(rows), torch.autograd.grad(rows.sum(), x))


def case_modules(torch, show):
    _, rows = data(torch)
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Tanh())
    params = {k: v.detach() for k, v in model.named_parameters()}
    call = torch.func.functional_call

    def loss(p, t):
        return call(model, p, (t,)).sum()

    show(
        call(model, {k: v * 0 for k, v in params.items()}, rows),
        call(model, ({}, params), (rows,)).shape == (2, 2),
    )
    show(
        torch.func.grad(loss)(params, rows[0]),
        torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0))(params, rows),
    )
    models = [torch.nn.Linear(3, 2) for _ in range(3)]
    stacked, buffers = torch.func.stack_module_state(models)
    show(bare(stacked), buffers, [v.is_leaf for v in stacked.values()])
    out = torch.func.vmap(lambda p, b, t: call(models[0], (p, b), (t,)), in_dims=(0, 0, None))(
        stacked, buffers, rows
    )
    show(torch.allclose(out, torch.stack([m(rows) for m in models])))
    show.error(
        lambda: torch.func.stack_module_state([]),
        "stack_module_state: Expected at least one model, got 0.",
    )
    show.error(
        lambda: torch.func.stack_module_state([models[0], model]),
        "stack_module_state: Expected all models to be of the same class.",
    )
    show.error(
        lambda: call(model, ({"a": rows}, {"a": rows}), rows),
        "['a'] appeared in multiple dictionaries; behavior of functional call is ambiguous",
    )
    show.error(
        lambda: call(model, 3, rows),
        "Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got "
        "<class 'int'>",
    )


def case_linearize(torch, show):
    x, _ = data(torch)
    value, push = torch.func.linearize(torch.sin, x)
    show(value, push(x), push(x * 2))


def case_custom_functions(torch, show):
    class Cube(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x):
            return x**3

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(inputs[0])

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 3 * x**2

    x, rows = data(torch)
    func = torch.func
    show(func.grad(lambda t: Cube.apply(t).sum())(x), func.vmap(Cube.apply)(rows))
    show(func.vmap(func.grad(lambda t: Cube.apply(t).sum()))(rows), func.jacrev(Cube.apply)(x))
    show(func.grad(lambda t: func.grad(lambda s: Cube.apply(s).sum())(t).sum())(x))


def case_custom_vmap(torch, show):
    seen = []

    class Scale(torch.autograd.Function):
        @staticmethod
        def forward(x, y):
            return x * y

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx, g):
            x, y = ctx.saved_tensors
            return g * y, g * x

        @staticmethod
        def vmap(info, in_dims, x, y):
            seen.append((info.batch_size, in_dims, list(x.shape), list(y.shape)))
            return Scale.apply(x, y), 0

    x, rows = data(torch)
    show(
        torch.func.vmap(Scale.apply)(rows, rows),
        torch.func.vmap(Scale.apply, in_dims=(0, None))(rows, x),
    )
    show(seen)


def case_no_vmap_rule(torch, show):
    class Plain(torch.autograd.Function):
        @staticmethod
        def forward(x):
            return x * 2

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

        @staticmethod
        def backward(ctx, g):
            return g * 2

    _, rows = data(torch)
    show.error(lambda: torch.func.vmap(Plain.apply)(rows), "it does not have vmap support")

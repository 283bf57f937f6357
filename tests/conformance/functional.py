"""`torch.autograd.functional`."""


def data(torch, *values):
    return torch.tensor(list(values or (1.0, 2.0, 3.0)))


def pair(torch):
    return data(torch, 1.0, 2.0), data(torch, 3.0, 4.0)


def case_vjp(torch, show):
    vjp = torch.autograd.functional.vjp
    x, v = data(torch), data(torch, 1.0, 0.5, 2.0)
    show(vjp(torch.exp, x, v), vjp(lambda t: t.sum(), x))
    show(vjp(lambda t: (t * t, t.sum()), x, (v, torch.tensor(2.0))))
    a, b = pair(torch)
    show(vjp(lambda p, q: p * q, (a, b), b))
    show(vjp(lambda p, q: p * 2, (a, b), b))
    x.requires_grad_()
    show(vjp(torch.exp, x, v), vjp(torch.exp, x, v, create_graph=True))
    show(vjp(lambda t: t * 2, x, v, create_graph=True)[1].requires_grad)


def case_jvp(torch, show):
    jvp = torch.autograd.functional.jvp
    x, v = data(torch), data(torch, 1.0, 0.5, 2.0)
    show(jvp(torch.exp, x, v), jvp(lambda t: t * x, torch.tensor(2.0)))
    show(jvp(lambda t: (t * t, t.sum()), x, v))
    a, b = pair(torch)
    show(jvp(lambda p, q: p * q, (a, b), (b, a)))
    show(jvp(lambda p, q: (p * 2, q.exp()), (a, b), (b, a)))
    x.requires_grad_()
    show(
        jvp(torch.exp, x, v)[1].requires_grad,
        jvp(torch.exp, x, v, create_graph=True)[1].requires_grad,
    )


def case_hessian_products(torch, show):
    functional = torch.autograd.functional
    x, v = data(torch), data(torch, 1.0, 0.5, 2.0)
    f = lambda t: (t**3).sum()  # noqa: E731
    show(functional.vhp(f, x, v), functional.hvp(f, x, v))
    a, b = pair(torch)
    g = lambda p, q: (p * p * q).sum()  # noqa: E731
    show(functional.vhp(g, (a, b), (b, a)), functional.hvp(g, (a, b), (b, a)))
    show(
        functional.vhp(lambda t: t**3, torch.tensor(2.0)),
        functional.hvp(lambda t: t**3, torch.tensor(2.0)),
    )
    show(functional.vhp(lambda p, q: (p**2).sum(), (a, b), (b, a)))
    x.requires_grad_()
    show(
        functional.vhp(f, x, v, create_graph=True)[1].requires_grad,
        functional.hvp(f, x, v, create_graph=True)[1].requires_grad,
    )


def case_jacobian(torch, show):
    jacobian = torch.autograd.functional.jacobian
    x = data(torch, 1.0, 2.0)
    a, b = pair(torch)
    f = lambda t: (t**3, t.sum())  # noqa: E731
    g = lambda p, q: p * q + q.exp()  # noqa: E731
    for options in ({}, {"vectorize": True}, {"vectorize": True, "strategy": "forward-mode"}):
        show(jacobian(torch.exp, x, **options))
        show(jacobian(f, x, **options))
        show(jacobian(g, (a, b), **options))
        show(jacobian(lambda p, q: (p * q, q.sum()), (a, b), **options))
        show(jacobian(lambda t: t.view(1, 2) * torch.ones(3, 1), x, **options))
        show(jacobian(lambda p, q: p * 2, (a, b), **options))
        show(jacobian(lambda t: t.sum(), torch.ones(2, 2), **options))


def case_jacobian_with_graph(torch, show):
    jacobian = torch.autograd.functional.jacobian
    x = data(torch, 1.0, 2.0).requires_grad_()
    show(jacobian(torch.exp, x), jacobian(torch.exp, x).requires_grad)
    for vectorize in (False, True):
        j = jacobian(torch.exp, x, create_graph=True, vectorize=vectorize)
        show(j.detach(), j.requires_grad)
        show(torch.autograd.grad(j.sum(), x))


def case_hessian(torch, show):
    hessian = torch.autograd.functional.hessian
    x = data(torch, 1.0, 2.0)
    a, b = pair(torch)
    f = lambda t: (t**3).sum() * t[0]  # noqa: E731
    g = lambda p, q: (p * p * q).sum()  # noqa: E731
    for options in (
        {},
        {"vectorize": True},
        {"vectorize": True, "outer_jacobian_strategy": "forward-mode"},
    ):
        detached = [t.detach() for t in (hessian(f, x, **options),)]
        show(detached)
        show([[t.detach() for t in row] for row in hessian(g, (a, b), **options)])
        show(hessian(lambda t: (t * t).sum(0, keepdim=True), x, **options).detach())
    x.requires_grad_()
    h = hessian(f, x, create_graph=True)
    show(h.requires_grad, torch.autograd.grad(h.sum(), x))


def case_arguments(torch, show):
    functional = torch.autograd.functional
    x = data(torch)
    f = lambda t: (t * t).sum()  # noqa: E731
    for name in ("vjp", "jvp", "vhp", "hvp"):
        call = getattr(functional, name)
        show.error(
            lambda call=call: call(f, 3.0, x),
            f"The inputs given to {name} must be either a Tensor or a tuple of Tensors but the "
            "given inputs has type <class 'float'>.",
        )
        show.error(
            lambda call=call: call(f, (x, 3), x),
            f"The inputs given to {name} must be either a Tensor or a tuple of Tensors but the "
            "value at index 1 has type <class 'int'>.",
        )
        show.error(
            lambda call=call: call(lambda t: 3, x, x),
            f"The outputs of the user-provided function given to {name} must be either a Tensor or "
            "a tuple of Tensors but the given outputs of the user-provided function has type "
            "<class 'int'>.",
        )
        show.error(
            lambda call=call: call(lambda t: (t, 3), x, x),
            "value at index 1 has type <class 'int'>",
        )
    show.error(
        lambda: functional.vjp(lambda t: t, x, data(torch, 1.0)),
        "v has invalid size: should be torch.Size([3]) but got torch.Size([1]).",
    )
    show.error(
        lambda: functional.vjp(lambda t: t, x, (x, x)),
        "The given v should contain a single Tensor.",
    )
    show.error(
        lambda: functional.vjp(lambda t: (t, t), x, x),
        "v is a tuple of invalid length: should be 2 but got 1.",
    )
    show.error(
        lambda: functional.vjp(lambda t: (t, t), x, (x, x[:1])),
        "Entry 1 in v has invalid size: should be torch.Size([3]) but got torch.Size([1]).",
    )
    show.error(
        lambda: functional.vjp(lambda t: t, x),
        "The vector v can only be None if the user-provided function returns a single Tensor with "
        "a single element.",
    )
    show.error(
        lambda: functional.jvp(lambda t: t, x),
        "The vector v can only be None if the input to the user-provided function is a single "
        "Tensor with a single element.",
    )
    show.error(
        lambda: functional.jvp(lambda t: t, x, 3),
        "The v given to jvp must be either a Tensor or a tuple of Tensors but the given v has type "
        "<class 'int'>.",
    )
    for name in ("vhp", "hvp"):
        call = getattr(functional, name)
        show.error(
            lambda call=call: call(f, x),
            "The vector v can only be None if the input to the user-provided function is a single "
            "Tensor with a single element.",
        )
        show.error(
            lambda call=call: call(lambda t: (f(t), f(t)), x, x),
            f"The function given to {name} should return a single Tensor",
        )
        show.error(
            lambda call=call: call(lambda t: t * 2, x, x),
            f"The Tensor returned by the function given to {name} should contain a single element",
        )


def case_jacobian_arguments(torch, show):
    functional = torch.autograd.functional
    x = data(torch)
    f = lambda t: (t * t).sum()  # noqa: E731
    show.error(
        lambda: functional.jacobian(f, x, strategy="x"),
        'Expected strategy to be either "forward-mode" or "reverse-mode"',
    )
    show.error(
        lambda: functional.jacobian(f, x, strategy="forward-mode"),
        "only implemented for `vectorize=True`",
    )
    show.error(
        lambda: functional.jacobian(
            f, x, strategy="forward-mode", vectorize=True, create_graph=True
        ),
        '`create_graph=True` and `strategy="forward-mode"` are not supported together (yet)',
    )
    show.error(
        lambda: functional.jacobian(f, x, strategy="forward-mode", vectorize=True, strict=True),
        '`strict=True` and `strategy="forward-mode"` are not supported together (yet)',
    )
    show.error(
        lambda: functional.jacobian(f, x, vectorize=True, strict=True),
        "`strict=True` and `vectorized=True` are not supported together",
    )
    show.error(
        lambda: functional.hessian(f, x, outer_jacobian_strategy="x"),
        'Expected strategy to be either "forward-mode" or "reverse-mode"',
    )
    show.error(
        lambda: functional.hessian(lambda t: (f(t), f(t)), x),
        "The function given to hessian should return a single Tensor",
    )
    show.error(
        lambda: functional.hessian(lambda t: t, x),
        "The Tensor returned by the function given to hessian should contain a single element",
    )
    show.error(
        lambda: functional.hessian(f, 3),
        "The inputs given to hessian must be either a Tensor or a tuple of Tensors",
    )


def case_strict(torch, show):
    functional = torch.autograd.functional
    a, b = pair(torch)
    constant, unused, linear = lambda t: t.detach(), lambda p, q: p * p, lambda t: t * 2  # noqa: E731
    no_gradient = "Output 0 of the user-provided function does not require gradients."
    for name in ("vjp", "jvp"):
        call = getattr(functional, name)
        show.error(lambda call=call: call(constant, a, a, strict=True), no_gradient)
        show(call(constant, a, a, strict=False))
    show.error(
        lambda: functional.vjp(unused, (a, b), a, strict=True),
        "The output of the user-provided function is independent of input 1. This is not allowed "
        "in strict mode.",
    )
    show.error(
        lambda: functional.jvp(unused, (a, b), (a, b), strict=True),
        "The output of the user-provided function is independent of input 1. This is not allowed "
        "in strict mode.",
    )
    show.error(
        lambda: functional.vjp(linear, a, a, strict=True, create_graph=True),
        "The jacobian of the user-provided function is independent of input 0. This is not allowed "
        "in strict mode when create_graph=True.",
    )
    show.error(
        lambda: functional.jvp(linear, a, a, strict=True, create_graph=True),
        "The jacobian of the user-provided function is independent of input 0. This is not allowed "
        "in strict mode when create_graph=True.",
    )
    show.error(lambda: functional.jacobian(constant, a, strict=True), no_gradient)
    show.error(
        lambda: functional.jacobian(unused, (a, b), strict=True),
        "Output 0 of the user-provided function is independent of input 1. This is not allowed in "
        "strict mode.",
    )
    show.error(
        lambda: functional.jacobian(linear, a, strict=True, create_graph=True),
        "The jacobian of the user-provided function is independent of input 0. This is not allowed "
        "in strict mode when create_graph=True.",
    )
    show(functional.jacobian(linear, a, strict=True))
    for name in ("vhp", "hvp"):
        call = getattr(functional, name)
        show.error(
            lambda call=call: call(lambda t: t.detach().sum(), a, a, strict=True), no_gradient
        )
        show.error(
            lambda call=call: call(lambda p, q: (p**3).sum(), (a, b), (a, b), strict=True),
            "The output of the user-provided function is independent of input 1",
        )
        show.error(
            lambda call=call: call(lambda t: t.sum(), a, a, strict=True),
            "jacobian of the user-provided function with respect to input 0 is independent of the "
            "input",
        )
        show(call(lambda t: t.sum(), a, a))
    show.error(
        lambda: functional.hessian(lambda t: t.sum(), a, strict=True),
        "jacobian of the user-provided function with respect to input 0 is independent of the "
        "input",
    )
    show.error(lambda: functional.hessian(lambda t: t.detach().sum(), a, strict=True), no_gradient)
    show(functional.hessian(lambda t: t.sum(), a))


def case_under_no_grad(torch, show):
    functional = torch.autograd.functional
    x = data(torch, 1.0, 2.0)
    f = lambda t: (t**3).sum()  # noqa: E731
    with torch.no_grad():
        show(
            functional.vjp(f, x),
            functional.jvp(f, x, x),
            functional.vhp(f, x, x),
            functional.hvp(f, x, x),
        )
        show(
            functional.jacobian(f, x),
            functional.hessian(f, x),
            functional.hessian(f, x, vectorize=True),
        )
        show(functional.vjp(f, x.requires_grad_(), create_graph=True)[1].requires_grad)


def case_result_has_no_history(torch, show):
    w = data(torch, 1.0, 2.0).requires_grad_()
    x = data(torch, 3.0, 4.0)
    show(torch.autograd.functional.jacobian(lambda t: t * w, x))
    show(torch.autograd.functional.jacobian(lambda t: t * w, x, create_graph=True).requires_grad)
    show(torch.autograd.functional.vjp(lambda t: t * w, x, x)[1].requires_grad)


def case_captured_input(torch, show):
    x = data(torch, 1.0, 2.0).requires_grad_()
    show(torch.autograd.functional.jacobian(lambda t: t * x, x))
    show(torch.autograd.functional.hessian(lambda t: (t * t * x).sum(), x))


def case_complex(torch, show):
    z = torch.tensor([1 + 2j, 3 - 1j])
    show(torch.autograd.functional.vjp(lambda t: t * t, z, z))
    show(torch.autograd.functional.jacobian(lambda t: t.abs(), z))


def case_gradcheck_of_products(torch, show):
    x = torch.tensor([0.3, -0.7], dtype=torch.float64, requires_grad=True)
    functional = torch.autograd.functional
    show(
        torch.autograd.gradcheck(lambda t: functional.jacobian(torch.exp, t, create_graph=True), x)
    )
    show(
        torch.autograd.gradcheck(
            lambda t: functional.hessian(lambda s: (s**4).sum(), t, create_graph=True), x
        )
    )
    show(
        torch.autograd.gradcheck(
            lambda t, v: functional.vjp(torch.exp, t, v, create_graph=True)[1],
            (x, x.detach().clone().requires_grad_()),
        )
    )
    show(
        torch.autograd.gradcheck(
            lambda t, v: functional.jvp(torch.exp, t, v, create_graph=True)[1],
            (x, x.detach().clone().requires_grad_()),
        )
    )


def case_standard_basis(torch, show):
    basis = torch.autograd.functional._construct_standard_basis_for
    scalar, one, six = torch.ones(()), torch.ones(1), torch.ones(2, 3, dtype=torch.float64)
    for tensors in ((six,), (scalar,), (one, scalar, six), (six, one)):
        show(basis(tensors, tuple(t.numel() for t in tensors)))

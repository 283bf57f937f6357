# ruff: noqa: E501 (phrases of error messages are searched for as they are)
"""Grad mode and inference mode."""

import threading


def leaf(torch, *values):
    return torch.tensor(list(values or (1.0, 2.0, 3.0)), requires_grad=True)


def case_no_grad(torch, show):
    x = leaf(torch)
    show(torch.is_grad_enabled())
    with torch.no_grad():
        show(torch.is_grad_enabled(), x * 2)
        with torch.enable_grad():
            show(torch.is_grad_enabled(), x * 2)
        show(torch.is_grad_enabled())
        y = torch.ones(2, requires_grad=True)
        show(y.requires_grad, y.is_leaf)
    show(torch.is_grad_enabled())


def case_exception_restores(torch, show):
    try:
        with torch.no_grad():
            raise ValueError
    except ValueError:
        pass
    show(torch.is_grad_enabled())


def case_decorators(torch, show):
    x = leaf(torch)

    @torch.no_grad()
    def a(t):
        "Documented."
        return t * 2, torch.is_grad_enabled()

    @torch.no_grad
    def b(t):
        return t * 2

    @torch.enable_grad()
    def c(t):
        return t * 2

    @torch.set_grad_enabled(False)
    def d(t):
        return t * 2

    show(torch.is_grad_enabled(), a(x), b(x), d(x), a.__name__, a.__doc__)
    with torch.no_grad():
        show(c(x), torch.is_grad_enabled())


def case_decorator_recursive(torch, show):
    @torch.no_grad()
    def f(n):
        if n:
            with torch.enable_grad():
                f(n - 1)
        show(torch.is_grad_enabled())

    f(2)
    show(torch.is_grad_enabled())


def case_generators(torch, show):
    @torch.no_grad()
    def numbers():
        for i in range(2):
            show("in", torch.is_grad_enabled())
            got = yield i
            show(got, torch.is_grad_enabled())
        return "end"

    g = numbers()
    show(next(g), torch.is_grad_enabled())
    show(g.send("sent"), torch.is_grad_enabled())
    try:
        next(g)
    except StopIteration as stop:
        show(stop.value, torch.is_grad_enabled())

    @torch.enable_grad()
    def catching():
        try:
            yield 1
        except ValueError:
            show("caught", torch.is_grad_enabled())
            yield 2
        finally:
            show("finally", torch.is_grad_enabled())

    with torch.no_grad():
        g = catching()
        next(g)
        show(g.throw(ValueError()), torch.is_grad_enabled())
        g.close()
        show(torch.is_grad_enabled())


def case_decorate_class(torch, show):
    def decorate():
        @torch.no_grad()
        class A:
            def __init__(self):
                self.enabled = torch.is_grad_enabled()

            def run(self):
                return torch.is_grad_enabled()

        return A

    cls = show.warning(decorate, "Decorating classes is deprecated")
    a = cls()
    show(a.enabled, a.run())


def case_set_grad_enabled(torch, show):
    torch.set_grad_enabled(False)
    show(torch.is_grad_enabled())
    torch.set_grad_enabled(True)
    show(torch.is_grad_enabled())
    with torch.set_grad_enabled(False):
        show(torch.is_grad_enabled())
    show(torch.is_grad_enabled())
    mode = torch.set_grad_enabled(False)
    show(torch.is_grad_enabled())
    with mode:
        show(torch.is_grad_enabled())
    show(torch.is_grad_enabled(), str(mode))
    torch.set_grad_enabled(True)


def case_thread_local(torch, show):
    seen = []
    with torch.no_grad():
        t = threading.Thread(target=lambda: seen.append(torch.is_grad_enabled()))
        t.start()
        t.join()
    show(seen)


def case_names(torch, show):
    show(
        torch.no_grad,
        torch.autograd.no_grad is torch.no_grad,
        torch.autograd.grad_mode.no_grad is torch.no_grad,
    )
    show(
        torch.autograd.enable_grad is torch.enable_grad,
        torch.autograd.set_grad_enabled is torch.set_grad_enabled,
    )
    show(torch.is_inference_mode_enabled(), torch.inference_mode)


def case_context_object_reused(torch, show):
    mode = torch.no_grad()
    for _ in range(2):
        with mode:
            show(torch.is_grad_enabled())
        show(torch.is_grad_enabled())


def case_set_multithreading(torch, show):
    with torch.autograd.set_multithreading_enabled(False):
        x = leaf(torch)
        (x * 2).sum().backward()
        show(x.grad)


def case_no_grad_factory(torch, show):
    with torch.no_grad():
        x = torch.ones(2, requires_grad=True)
        y = x + 1
        z = y.requires_grad_()
    show(x, y, z is y, y.is_leaf)


def case_backward_under_no_grad(torch, show):
    x = leaf(torch)
    y = (x * x).sum()
    with torch.no_grad():
        y.backward()
    show(x.grad)


# -- inference mode --------------------------------------------------------------------------------

INPLACE = "Inplace update to inference tensor outside InferenceMode is not allowed"
SAVED = "Inference tensors cannot be saved for backward"


def case_inference_basics(torch, show):
    x = leaf(torch)
    with torch.inference_mode():
        show(torch.is_inference_mode_enabled(), torch.is_grad_enabled())
        y = x * 2
        z = torch.ones(3)
        show(y, y.is_inference(), z.is_inference(), x.is_inference())
        z.add_(1)
        show(z)
    show(torch.is_inference_mode_enabled(), torch.is_grad_enabled())
    show(y.is_leaf, y.grad_fn, z.is_inference())
    with torch.inference_mode(False):
        show(torch.is_inference_mode_enabled(), (x * 2).requires_grad)
    with torch.inference_mode(), torch.inference_mode(False):
        show(
            torch.is_inference_mode_enabled(), torch.is_grad_enabled(), torch.ones(1).is_inference()
        )


def case_inference_decorator(torch, show):
    @torch.inference_mode()
    def a(t):
        return t * 2

    @torch.inference_mode
    def b(t):
        return t * 2

    @torch.inference_mode(mode=False)
    def c(t):
        return t * 2

    x = leaf(torch)
    show(a(x), a(x).is_inference(), b(x).is_inference(), c(x), c(x).is_inference())


def case_inference_outside(torch, show):
    x = leaf(torch)
    with torch.inference_mode():
        z = torch.ones(3)
    show.error(lambda: z.add_(1), INPLACE)
    show.error(lambda: z.zero_(), INPLACE)
    show.error(lambda: z.view(3).mul_(2), INPLACE)
    show.error(
        lambda: z.requires_grad_(),
        "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed",
    )
    show.error(lambda: z._version, "Inference tensors do not track version counter.")
    show.error(lambda: x * z, SAVED)
    show(x + z)
    show(
        z.clone().is_inference(),
        z.view(3).is_inference(),
        z.detach().is_inference(),
        (z + 1).is_inference(),
    )
    show(z.view(3)._is_view(), z.requires_grad, z.is_leaf)
    (x * z.clone()).sum().backward()
    show(x.grad)
    y = x.clone()
    show.error(lambda: y.mul_(z), SAVED)
    y.add_(z)
    show(y)
    with torch.no_grad():
        show.error(lambda: z.add_(1), INPLACE)
        show(x * z)
    t = torch.zeros(3)
    t.copy_(z.clone())
    show(t, t.is_inference())


def case_inference_views_of_normal(torch, show):
    x = leaf(torch)
    with torch.inference_mode():
        v = x.view(3)
        show(v.is_inference(), v.requires_grad, v._is_view(), v._version)
    show.error(
        lambda: v.add_(1),
        "A view was created in inference mode and is being modified inplace in normal mode.",
    )
    y = x.clone()
    with torch.inference_mode():
        v = y[:2]
        y.add_(1)
    show(y._version)
    show.error(
        lambda: v.mul_(2),
        "A view was created in inference mode and is being modified inplace in normal mode.",
    )
    show.error(
        lambda: v.grad_fn,
        "its base or another view of its base has been modified inplace in normal mode",
    )


def case_inference_normal_inplace(torch, show):
    t = torch.zeros(3)
    x = leaf(torch)
    with torch.inference_mode():
        t.add_(1)
        x.add_(1)
        t.copy_(x)
    show(t, t._version, x, x._version)


def case_inference_requires_grad(torch, show):
    with torch.inference_mode():
        x = torch.ones(2, requires_grad=True)
        show(x.requires_grad, (x * 2).requires_grad, x.is_inference())
        show.error(lambda: (x * 2).sum().backward(), "does not require grad")
    show((x + 1).requires_grad)
    show.error(lambda: x * x, SAVED)


def case_inference_grad_enabled_inside(torch, show):
    x = leaf(torch)
    with torch.inference_mode(), torch.enable_grad():
        show(torch.is_grad_enabled(), torch.is_inference_mode_enabled())
        y = x * 2
        show(y.requires_grad, y.is_inference())


def case_inference_out(torch, show):
    with torch.inference_mode():
        z = torch.ones(3)
        torch.add(z, 1, out=z)
        show(z)
    show.error(lambda: torch.add(torch.ones(3), 1, out=z), INPLACE)


def case_inference_save_for_backward(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, z):
            ctx.save_for_backward(z)
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            return grad, None

    with torch.inference_mode():
        z = torch.ones(3)
    show.error(lambda: F.apply(leaf(torch), z), SAVED)


def case_inference_thread(torch, show):
    seen = []
    with torch.inference_mode():
        t = threading.Thread(target=lambda: seen.append(torch.is_inference_mode_enabled()))
        t.start()
        t.join()
    show(seen)


def case_wrong_switch(torch, show):
    for value in ("x", None, 1):
        show.error(lambda v=value: torch.set_grad_enabled(v), "must be bool, not")
    show(torch.is_grad_enabled(), torch.inference_mode().mode, torch.inference_mode(False).mode)
    with torch.autograd.set_multithreading_enabled(False):
        show(torch.autograd.is_multithreading_enabled())
    show(torch.autograd.is_multithreading_enabled())


def case_wrong_requires_grad(torch, show):
    x = torch.zeros(3)
    for value in (1, None):
        show.error(
            lambda v=value: x.requires_grad_(v),
            "argument 'requires_grad' (position 1) must be bool, not",
        )
    i = torch.zeros(3, dtype=torch.int64)
    show.error(
        lambda: i.requires_grad_(), "only Tensors of floating point dtype can require gradients"
    )

    def assign():
        i.requires_grad = True

    show.error(assign, "only Tensors of floating point and complex dtype can require gradients")
    show.error(
        lambda: torch.nn.Parameter(i),
        "Only Tensors of floating point and complex dtype can require gradients",
    )
    show(torch.nn.Parameter(i, requires_grad=False))


def case_inference_parameters(torch, show):
    with torch.inference_mode():
        x = torch.ones(2)
        p = torch.nn.Parameter(torch.ones(2))
    show(p.is_inference(), p.requires_grad, torch.nn.Parameter(x.clone()).is_inference())


def case_numpy_without_recording(torch, show):
    """A tensor that requires a gradient is an array where nothing is recorded."""
    x = leaf(torch)
    show.error(lambda: x.numpy(), "Can't call numpy() on Tensor that requires grad.")
    with torch.no_grad():
        show(x.numpy().tolist(), (x * 2).numpy().tolist())
    with torch.inference_mode():
        show(x.numpy().tolist())
    show(x.numpy(force=True).tolist())

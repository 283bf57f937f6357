"""`torch.utils.checkpoint`."""

import contextlib


def leaf(torch, *values):
    return torch.tensor(list(values or (1.0, 2.0, 3.0)), requires_grad=True)


def counted(torch):
    calls = []

    def f(x):
        calls.append(torch.is_grad_enabled())
        return (x.exp().sin() * x).sum()

    return f, calls


def case_values_and_gradients(torch, show):

    check = torch.utils.checkpoint.checkpoint
    for reentrant in (True, False):
        f, calls = counted(torch)
        x = leaf(torch)
        y = check(f, x, use_reentrant=reentrant)
        show(reentrant, y, calls)
        y.backward()
        show(x.grad, calls)


def case_names(torch, show):
    check = torch.utils.checkpoint.checkpoint
    x = leaf(torch)
    show(check(torch.exp, x, use_reentrant=True).grad_fn.name())
    show(check(torch.exp, x, use_reentrant=False).grad_fn.name())


def case_default_warns(torch, show):
    x = leaf(torch)
    check = torch.utils.checkpoint.checkpoint
    show.warning(lambda: check(torch.exp, x), "use_reentrant parameter should be passed explicitly")
    show.warning(
        lambda: check(torch.exp, x.detach(), use_reentrant=True),
        "None of the inputs have requires_grad=True. Gradients will be None",
    )
    sequential = torch.utils.checkpoint.checkpoint_sequential
    show.warning(
        lambda: sequential([torch.exp, torch.sin], 2, x),
        "checkpoint_sequential: the use_reentrant parameter should be passed explicitly",
    )


def case_wrong_arguments(torch, show):
    x = leaf(torch)
    check = torch.utils.checkpoint.checkpoint
    show.error(
        lambda: check(torch.exp, x, use_reentrant=True, foo=3), "Unexpected keyword arguments: foo"
    )
    show.error(
        lambda: check(torch.exp, x, use_reentrant=True, debug=True),
        "Passing `context_fn` or `debug` is only supported when use_reentrant=False",
    )
    show.error(
        lambda: check(torch.exp, x, use_reentrant=False, determinism_check="x"),
        "determinism_check should be one of ['default', 'none'], but got x",
    )
    show.error(
        lambda: check(
            torch.exp,
            x,
            use_reentrant=False,
            debug=True,
            context_fn=lambda: (contextlib.nullcontext(),) * 2,
        ),
        "debug=True is incompatible with non-default context_fn",
    )
    show.error(
        lambda: torch.utils.checkpoint.checkpoint_sequential(
            [torch.exp], 1, x, use_reentrant=False, foo=1
        ),
        "Unexpected keyword arguments: foo",
    )


def case_reentrant_needs_backward(torch, show):
    x = leaf(torch)
    check = torch.utils.checkpoint.checkpoint
    y = check(torch.exp, x, use_reentrant=True)
    show.error(
        lambda: torch.autograd.grad(y.sum(), x),
        "torch.utils.checkpoint is incompatible with .grad()",
    )
    y = check(torch.exp, x, use_reentrant=True)
    show.error(lambda: y.sum().backward(inputs=[x]), "passing an `inputs` parameter to .backward()")
    y = check(lambda t: t.detach() * 2, x, use_reentrant=True)
    show.error(
        lambda: y.sum().backward(),
        "none of output has requires_grad=True, this checkpoint() is not necessary",
    )


def case_grad_without_reentrance(torch, show):
    x = leaf(torch)
    y = torch.utils.checkpoint.checkpoint(torch.exp, x, use_reentrant=False)
    show(torch.autograd.grad(y.sum(), x, retain_graph=True))
    show(torch.autograd.grad(y.sum(), x, create_graph=True)[0].requires_grad)
    (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    show(torch.autograd.grad(g.sum(), x))


def case_several_inputs_and_outputs(torch, show):
    x, y = leaf(torch), leaf(torch, 4.0, 5.0, 6.0)

    def f(a, n, b, none):
        return a * b * n, None, "text", (a + b).exp()

    for reentrant in (True, False):
        x.grad = y.grad = None
        p, none, text, q = torch.utils.checkpoint.checkpoint(
            f, x, 3, y, None, use_reentrant=reentrant
        )
        show(none, text, p, q)
        (p.sum() + q.sum()).backward()
        show(x.grad, y.grad)


def case_keyword_arguments(torch, show):
    x = leaf(torch)
    y = torch.utils.checkpoint.checkpoint(
        lambda a, scale=1.0: a * a * scale, x, use_reentrant=False, scale=3.0
    )
    y.sum().backward()
    show(x.grad)


def case_captured_parameter(torch, show):
    x, w = leaf(torch), leaf(torch, 2.0, 2.0, 2.0)
    y = torch.utils.checkpoint.checkpoint(lambda a: a * w * a, x, use_reentrant=False)
    y.sum().backward()
    show(x.grad, w.grad)
    x.grad = w.grad = None
    y = torch.utils.checkpoint.checkpoint(lambda a: a * w * a, x, use_reentrant=True)
    y.sum().backward()
    show(x.grad, w.grad)
    plain = x.detach()
    y = torch.utils.checkpoint.checkpoint(lambda a: a * w * a, plain, use_reentrant=False)
    y.sum().backward()
    show(w.grad)
    y = torch.utils.checkpoint.checkpoint(lambda a: a * w * a, plain, use_reentrant=True)
    show(y.requires_grad)


def case_nested(torch, show):
    check = torch.utils.checkpoint.checkpoint
    calls = []

    def inner(x):
        calls.append("inner")
        return x.sin().exp()

    def outer(x):
        calls.append("outer")
        return check(inner, x.exp(), use_reentrant=False).cos()

    x = leaf(torch)
    y = check(outer, x, use_reentrant=False)
    y.sum().backward()
    show(x.grad, calls)
    calls.clear()
    x.grad = None
    y = check(lambda t: check(inner, t, use_reentrant=True).cos(), x, use_reentrant=True)
    y.sum().backward()
    show(x.grad, calls)


def case_early_stop(torch, show):
    setting = torch.utils.checkpoint.set_checkpoint_early_stop
    for enable in (True, False, None):
        seen = []

        def f(x, seen=seen):
            y = x.exp()
            seen.append(1)
            y = y.sin()
            seen.append(2)
            y = y + 1
            seen.append(3)
            return y

        x = leaf(torch)
        with contextlib.nullcontext() if enable is None else setting(enable):
            y = torch.utils.checkpoint.checkpoint(f, x, use_reentrant=False)
        seen.clear()
        y.sum().backward()
        show(seen, x.grad)
    seen = []
    y = torch.utils.checkpoint.checkpoint(f, x, use_reentrant=False, early_stop=False)
    y.sum().backward()
    show(seen)


def case_random_state(torch, show):
    for reentrant in (True, False):
        for preserve in (True, False):
            torch.manual_seed(3)
            x = leaf(torch)
            drawn = []

            def f(t, drawn=drawn):
                noise = torch.rand(3)
                drawn.append(noise)
                return (t * noise).exp()

            y = torch.utils.checkpoint.checkpoint(
                f, x, use_reentrant=reentrant, preserve_rng_state=preserve
            )
            torch.rand(2)
            y.sum().backward()
            show(torch.equal(drawn[0], drawn[1]), x.grad, torch.rand(1))


def case_context_fn(torch, show):
    seen = []

    @contextlib.contextmanager
    def noted(name):
        seen.append(f"enter {name}")
        yield
        seen.append(f"exit {name}")

    x = leaf(torch)
    y = torch.utils.checkpoint.checkpoint(
        lambda t: t.exp().sin(),
        x,
        use_reentrant=False,
        context_fn=lambda: (noted("forward"), noted("again")),
    )
    show(seen)
    with torch.utils.checkpoint.set_checkpoint_early_stop(False):
        pass
    y.sum().backward()
    show(seen[:3], x.grad)


def case_different_run_is_noticed(torch, show):
    def region(first, second):
        calls = []

        def f(x):
            calls.append(0)
            return first(x) if len(calls) == 1 else second(x)

        return f

    check = torch.utils.checkpoint.checkpoint
    error = torch.utils.checkpoint.CheckpointError
    show(issubclass(error, RuntimeError))
    x = leaf(torch)
    y = check(region(lambda t: t.exp().sin().cos(), lambda t: t.exp()), x, use_reentrant=False)
    show.error(
        lambda: y.sum().backward(),
        "A different number of tensors was saved during the original forward and recomputation",
    )
    z = check(
        region(lambda t: t.exp(), lambda t: t.exp().sin().cos()),
        x,
        use_reentrant=False,
        early_stop=False,
    )
    show.error(
        lambda: z.sum().backward(),
        "trying to save more tensors during recomputation than during the original forward pass",
    )
    w = check(region(lambda t: t.exp(), lambda t: t[:2].exp()), x, use_reentrant=False)
    show.error(
        lambda: w.sum().backward(),
        "Recomputed values for the following tensors have different metadata than during the "
        "forward pass",
    )
    v = check(
        region(lambda t: t.exp(), lambda t: (t * 2).exp()),
        x,
        use_reentrant=False,
        determinism_check="none",
    )
    v.sum().backward()
    show(x.grad)


def case_unpacked_twice(torch, show):
    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            _ = ctx.saved_tensors
            _ = ctx.saved_tensors
            return g * 2

    x = leaf(torch)
    y = torch.utils.checkpoint.checkpoint(Twice.apply, x, use_reentrant=False)
    show.error(
        lambda: y.sum().backward(),
        "Unpack is being triggered for a tensor that was already unpacked once",
    )


def case_under_no_grad(torch, show):
    f, calls = counted(torch)
    x = leaf(torch)
    with torch.no_grad():
        show(torch.utils.checkpoint.checkpoint(f, x, use_reentrant=False), calls)
        show(torch.utils.checkpoint.checkpoint(f, x, use_reentrant=True).requires_grad)


def case_second_backward(torch, show):
    f, calls = counted(torch)
    x = leaf(torch)
    y = torch.utils.checkpoint.checkpoint(f, x, use_reentrant=False)
    y.backward(retain_graph=True)
    y.backward()
    show(x.grad, len(calls))
    show.error(lambda: y.backward(), "second time")


def case_saved_is_released(torch, show):
    import weakref

    refs = []

    def f(x):
        y = x.exp()
        refs.append(weakref.ref(y))
        return y.sin().cos()

    x = leaf(torch)
    y = torch.utils.checkpoint.checkpoint(f, x, use_reentrant=False)
    show(refs[0]() is None)
    y.sum().backward()
    show(x.grad, all(r() is None for r in refs))


def case_sequential(torch, show):
    from functools import partial

    sequential = partial(torch.utils.checkpoint.checkpoint_sequential, use_reentrant=False)
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2), torch.nn.Sigmoid()
    )
    x = leaf(torch)
    expected = torch.autograd.grad(model(x).sum(), x)[0]
    for segments in (1, 2, 3, 4):
        y = sequential(model, segments, x)
        show(torch.allclose(torch.autograd.grad(y.sum(), x)[0], expected))
    calls = []

    def noted(name, f):
        def run(t):
            calls.append(name)
            return f(t)

        return run

    y = sequential([noted("a", torch.exp), noted("b", torch.sin), noted("c", torch.cos)], 3, x)
    show(calls, y)
    y.sum().backward()
    show(calls, x.grad)


def case_detach_variable(torch, show):
    helper = torch.utils.checkpoint.detach_variable
    x = leaf(torch)
    a, b, c = helper((x * 2, 3, x.detach()))
    show(a, b, c)
    show.error(
        lambda: helper(x), "Only tuple of tensors is supported. Got Unsupported input type: Tensor"
    )


def case_backward_inside(torch, show):
    x = leaf(torch)

    def f(t):
        u = t.sin()
        (g,) = torch.autograd.grad(u.sum(), t, retain_graph=True)
        return u.exp() * g

    y = torch.utils.checkpoint.checkpoint(f, x, use_reentrant=False)
    show(y)
    y.sum().backward()
    show(x.grad)


def case_input_changed_afterwards(torch, show):
    x = leaf(torch)
    z = x * 1
    y = torch.utils.checkpoint.checkpoint(lambda t: t.exp().sin(), z, use_reentrant=False)
    z.add_(1)
    show.error(lambda: y.sum().backward(), "modified by an inplace operation")


def case_in_place_inside(torch, show):
    x = leaf(torch)
    y = torch.utils.checkpoint.checkpoint(
        lambda t: t.exp().mul_(2).sin_().cos(), x, use_reentrant=False
    )
    y.sum().backward()
    show(x.grad)


def case_graph_execution_group(torch, show):
    tools, runs = torch.utils.checkpoint, []
    group = tools.GraphExecGroup

    def region(x):
        runs.append(1)
        return x.sin().exp(), x.cos()

    def outputs():
        runs.clear()
        return tools.checkpoint(region, x, use_reentrant=False)

    x = torch.tensor([0.5, 1.0], requires_grad=True)
    for _ in range(2):
        a, b = outputs()
        with group() as entered:
            show(isinstance(entered, group), group._get_current_group() is entered)
            a.sum().backward()
            b.sum().backward()
        show(len(runs), x.grad, group._get_current_group())
    a, b = outputs()
    a.sum().backward()
    b.sum().backward()
    show(len(runs))
    a, b = outputs()
    with group():
        a.sum().backward(retain_graph=True)
        phrase = "Performing two backward calls that overlap (i.e. require the same saved"
        show.error(lambda: a.sum().backward(), phrase)
        show.error(lambda: group().__enter__(), "GraphExecGroup contexts cannot be nested.")


def case_result_that_is_overwritten_at_the_end(torch, show):
    """The second run stops at the last save, before the write."""

    def squared(x):
        y = x.exp()
        y.mul_(y)
        return y

    def tripled(x):
        y = x.exp()
        return y.mul_(3)

    for function in (squared, tripled):
        x = torch.tensor([1.0, 2.0], requires_grad=True)
        out = torch.utils.checkpoint.checkpoint(function, x, use_reentrant=False)
        out.sum().backward()
        show(out, x.grad)

# ruff: noqa: E501 (phrases of error messages are searched for as they are)
"""`autograd.Function`."""

import gc
import pickle
import weakref


def cube(torch):
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return 3 * x**2 * grad

    return Cube


def leaf(torch, *values):
    return torch.tensor(list(values or (1.0, 2.0)), requires_grad=True)


def case_basic(torch, show):
    x = leaf(torch)
    y = cube(torch).apply(x)
    show(y, y.grad_fn.name(), type(y.grad_fn).__name__, y.is_leaf, y._version, y._is_view())
    show([(n, i) for n, i in y.grad_fn.next_functions], y.grad_fn.metadata)
    y.sum().backward()
    show(x.grad)


def case_class_names(torch, show):
    cls = cube(torch)
    show(cls._backward_cls, cls._backward_cls._forward_cls is cls, cls.__name__)
    show(isinstance(cls.apply(leaf(torch)).grad_fn, cls._backward_cls))
    show(isinstance(cls.apply(leaf(torch)).grad_fn, torch.autograd.graph.Node))
    show(isinstance(cls.apply(leaf(torch)).grad_fn, torch.autograd.function.FunctionCtx))
    show(repr(cls.apply(leaf(torch))))


def case_ctx_is_node(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.note = "hello"
            ctx.scale = 3
            return x * 3

        @staticmethod
        def backward(ctx, grad):
            show(ctx.note, ctx.scale)
            ctx.scale = 4
            return grad * 3

    y = F.apply(leaf(torch))
    show(y.grad_fn.note, y.grad_fn.scale)
    y.sum().backward()
    show(y.grad_fn.scale)
    show.error(lambda: y.grad_fn.missing, "missing")


def case_non_tensor_inputs_and_outputs(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, k, name, flag=True):
            show(ctx.needs_input_grad)
            return x * k, name, None, [x], flag

        @staticmethod
        def backward(ctx, *grads):
            show(grads)
            return grads[0] * 2, None, None, None

    x = leaf(torch)
    out = F.apply(x, 2, "label", False)
    show(out[0], out[1], out[2], out[3][0], out[4])
    out[0].sum().backward()
    show(x.grad)


def case_wrong_number_of_gradients(torch, show):
    def function(result):
        class F(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x, k):
                return x * k

            @staticmethod
            def backward(ctx, grad):
                return result(grad)

        return F

    x = leaf(torch)

    def run(result):
        return lambda: function(result).apply(x, 2.0).sum().backward()

    show.error(
        run(lambda g: g),
        "function FBackward returned an incorrect number of gradients (expected 2, got 1)",
    )
    show.error(run(lambda g: (g, g)), "returned a gradient different than None at position 2")
    show.error(run(lambda g: (3.0, None)), "expected Variable or None (got float)")
    show.error(run(lambda g: (g, None, None, None)))
    show.error(run(lambda g: (g, None, g)), "incorrect number of gradients (expected 2, got 3)")
    show.error(
        run(lambda g: (torch.ones(3), None)),
        "Function FBackward returned an invalid gradient at index 0 - got [3] but expected shape compatible with [2]",
    )
    show.error(run(lambda g: [g, None]), "incorrect number of gradients (expected 2, got 1)")
    x.grad = None
    run(lambda g: (None, None))()
    show(x.grad)
    run(lambda g: (torch.ones(4, 2), None))()
    show(x.grad)
    run(lambda g: (torch.ones(2, dtype=torch.float64), None))()
    show(x.grad)


def case_no_backward(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    class G(torch.autograd.Function):
        pass

    x = leaf(torch)
    y = F.apply(x)
    show(y)
    show.error(lambda: y.sum().backward(), "You must implement either the backward or vjp method")
    show.error(lambda: G.apply(x), "You must implement the forward function")


def case_vjp_name(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def vjp(ctx, grad):
            return grad * 5

    class G(F):
        @staticmethod
        def backward(ctx, grad):
            return grad

    x = leaf(torch)
    F.apply(x).sum().backward()
    show(x.grad)
    show.error(lambda: G.apply(x).sum().backward(), "Implementing both 'backward' and 'vjp'")


def case_legacy(torch, show):
    cls = cube(torch)
    show.warning(lambda: cls(), "should not be instantiated")
    show.error(
        lambda: cls()(leaf(torch)),
        "Legacy autograd function with non-static forward method is deprecated",
    )
    show.error(lambda: cls().apply(3), "")


def case_no_grad(torch, show):
    cls = cube(torch)
    x = leaf(torch)
    with torch.no_grad():
        show(cls.apply(x))
    show(cls.apply(torch.ones(2)))
    show(cls.apply(x.detach()))
    with torch.inference_mode():
        y = cls.apply(torch.ones(2))
        show(y, y.is_inference())


def case_grad_mode_in_forward(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            show(torch.is_grad_enabled(), x.requires_grad, (x * 2).requires_grad)
            with torch.enable_grad():
                show((x * 2).requires_grad)
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            show(torch.is_grad_enabled(), grad.requires_grad)
            return grad * 2

    x = leaf(torch)
    F.apply(x).sum().backward()
    torch.autograd.grad(F.apply(x).sum(), x, create_graph=True)


def case_setup_context(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(x, k=2):
            return x * k

        @staticmethod
        def setup_context(ctx, inputs, output):
            show(inputs, output, torch.is_grad_enabled())
            ctx.save_for_backward(inputs[0], output)
            ctx.k = inputs[1]

        @staticmethod
        def backward(ctx, grad):
            x, out = ctx.saved_tensors
            show(x, out)
            return grad * ctx.k, None

    x = leaf(torch)
    F.apply(x).sum().backward()
    show(x.grad)
    y = F.apply(x, 5)
    y.sum().backward()
    show(x.grad)
    F.apply(x, k=7).sum().backward()
    show(x.grad)
    show.error(lambda: F.apply(), "missing")


def case_setup_context_several_outputs(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(x, y):
            return x * y, x + y

        @staticmethod
        def setup_context(ctx, inputs, output):
            show(type(output).__name__, len(output))
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx, g1, g2):
            x, y = ctx.saved_tensors
            return g1 * y + g2, g1 * x + g2

    x, y = leaf(torch), leaf(torch, 3.0, 4.0)
    a, b = F.apply(x, y)
    show(a, b, a.output_nr, b.output_nr, a.grad_fn is b.grad_fn)
    (a * b).sum().backward()
    show(x.grad, y.grad)


def case_needs_input_grad(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, y, n):
            show(ctx.needs_input_grad)
            return x * y

        @staticmethod
        def backward(ctx, grad):
            show(ctx.needs_input_grad)
            return grad, grad, None

    x, y = leaf(torch), leaf(torch)
    F.apply(x, y.detach(), 3).sum().backward()
    F.apply(x.detach(), y, 3).sum().backward()
    with torch.no_grad():
        F.apply(x, y, 3)
    torch.autograd.grad(F.apply(x, y, None).sum(), x)
    show(x.grad, y.grad)


def case_mark_dirty(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    x = leaf(torch)
    y = x.clone()
    z = F.apply(y)
    show(z is y, y, y._version, y.grad_fn.next_functions[0][0])
    z.sum().backward()
    show(x.grad)
    show.error(
        lambda: F.apply(leaf(torch)),
        "a leaf Variable that requires grad has been used in an in-place operation",
    )
    t = torch.ones(2)
    show(F.apply(t) is t, t._version)


def case_mark_dirty_not_returned(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x * 1

        @staticmethod
        def backward(ctx, grad):
            return grad

    show.error(
        lambda: F.apply(leaf(torch).clone()),
        "Some elements marked as dirty during the forward method were not returned as output",
    )


def case_mark_dirty_saved(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.exp_()
            ctx.mark_dirty(x)
            ctx.save_for_backward(x)
            return x

        @staticmethod
        def backward(ctx, grad):
            (out,) = ctx.saved_tensors
            show(out)
            return grad * out

    x = leaf(torch)
    y = F.apply(x * 1)
    (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    show(g)
    show(torch.autograd.grad(g.sum(), x))


def case_mark_dirty_view(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(3)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, grad):
            return grad * 3

    x = leaf(torch, 1.0, 2.0, 3.0)
    base = x.clone()
    view = base[1:]
    out = F.apply(view)
    show(out is view, view, base, base.grad_fn.next_functions)
    base.sum().backward()
    show(x.grad)


def case_mark_dirty_view_two_outputs(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(3)
            ctx.mark_dirty(x)
            return x, x.clone()

        @staticmethod
        def backward(ctx, grad, other):
            return grad * 3 + other

    base = leaf(torch, 1.0, 2.0, 3.0).clone()
    show.error(lambda: F.apply(base[1:]), "your Function cannot return more than one Tensor")


def case_mark_dirty_of_others(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x * 2
            ctx.mark_dirty(y)
            return y

        @staticmethod
        def backward(ctx, grad):
            return grad

    show.warning(
        lambda: F.apply(leaf(torch)), "Only input Tensors should be given to ctx.mark_dirty()"
    )

    class G(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(3)
            return x

    show.error(lambda: G.apply(leaf(torch)), "mark_dirty can only accept variables, but argument ")


def case_mark_non_differentiable(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            values, mask = x * 2, x > 1
            other = x * 3
            ctx.mark_non_differentiable(mask, other)
            return values, mask, other

        @staticmethod
        def backward(ctx, grad, g_mask, g_other):
            show(grad, g_mask, g_other)
            return grad * 2

    x = leaf(torch)
    out = F.apply(x)
    show(out)
    out[0].sum().backward()
    show(x.grad)

    class G(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_non_differentiable(3)
            return x

    show.error(
        lambda: G.apply(x), "mark_non_differentiable only accepts variable arguments, but got "
    )


def case_mark_non_differentiable_input(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_non_differentiable(x)
            return x, x * 2

        @staticmethod
        def backward(ctx, g, h):
            return h * 2

    x = leaf(torch)
    a, b = F.apply(x)
    show(a, b, a is x, x.requires_grad)


def case_integer_outputs(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, x.long(), x > 1

        @staticmethod
        def backward(ctx, g, h, k):
            show(g, h, k)
            return g

    x = leaf(torch)
    out = F.apply(x)
    show(out)
    out[0].sum().backward()


def case_materialize_grads(torch, show):
    class F(torch.autograd.Function):
        materialize = True

        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(F.materialize)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, g, h):
            show(g, h)
            return None if h is None else h * 3

    x = leaf(torch)
    F.apply(x)[0].sum().backward()
    F.materialize = False
    F.apply(x)[0].sum().backward()
    F.apply(x)[1].sum().backward()
    show(x.grad)


def case_undefined_through(torch, show):
    class Nothing(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, grad):
            return None

    cls = cube(torch)
    x = leaf(torch)
    Nothing.apply(cls.apply(x * 2)).sum().backward()
    show(x.grad)
    show.error(lambda: torch.autograd.grad(Nothing.apply(x).sum(), x), "")
    show(torch.autograd.grad(Nothing.apply(x).sum(), x, allow_unused=True))
    show(torch.autograd.grad(Nothing.apply(x).sum(), x, materialize_grads=True))


def case_returned_input(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, grad):
            return grad * 7

    x = leaf(torch)
    y = F.apply(x)
    show(y is x, y, y._is_view(), y._base is x, x.is_leaf)
    y.sum().backward()
    show(x.grad)
    z = F.apply(x * 2)
    show(z)
    show.error(lambda: z.mul_(2), "This view was created inside a custom Function")
    t = torch.ones(2)
    u = F.apply(t)
    show(u is t, u, u._is_view(), u.requires_grad)


def case_returned_view(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.view(-1)

        @staticmethod
        def backward(ctx, grad):
            return grad.view(1, 2) * 2

    x = torch.ones(1, 2, requires_grad=True)
    y = F.apply(x)
    show(y, y._is_view(), y._base is x)
    show.error(
        lambda: y.add_(1),
        "Output 0 of F is a view and is being modified inplace. This view was created inside a custom Function",
    )
    y.sum().backward()
    show(x.grad)
    with torch.no_grad():
        y.add_(1)
    show.error(lambda: y.grad_fn, "its base or another view of its base has been modified inplace")


def case_two_views_returned(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x[0], x[1]

        @staticmethod
        def backward(ctx, g, h):
            return torch.stack([g, h])

    x = torch.ones(2, 2, requires_grad=True)
    a, b = F.apply(x)
    show(a, b)
    show.error(lambda: a.add_(1), "is a view and is being modified inplace")


def case_saved_output(torch, show):
    class Exp(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x.exp()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        def backward(ctx, grad):
            (y,) = ctx.saved_tensors
            return grad * y

    x = leaf(torch)
    y = Exp.apply(x)
    show(y.grad_fn.saved_tensors[0] is y, y.grad_fn.saved_tensors[0].grad_fn is y.grad_fn)
    (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    (h,) = torch.autograd.grad(g.sum(), x, create_graph=True)
    (k,) = torch.autograd.grad(h.sum(), x)
    show(g, h, k)
    y = Exp.apply(x)
    with torch.no_grad():
        y.mul_(2)
    show.error(lambda: y.sum().backward(), "modified by an inplace operation")


def case_saved_input_identity(torch, show):
    cls = cube(torch)
    x = leaf(torch)
    y = cls.apply(x)
    show(y.grad_fn.saved_tensors[0] is x)
    x2 = x * 1
    y = cls.apply(x2)
    show(y.grad_fn.saved_tensors[0] is x2, y.grad_fn.saved_tensors[0])
    x2.mul_(2)
    show.error(lambda: y.sum().backward(), "is at version 1; expected version 0 instead")


def case_saved_freed(torch, show):
    cls = cube(torch)
    x = leaf(torch)
    y = cls.apply(x)
    y.sum().backward(retain_graph=True)
    show(len(y.grad_fn.saved_tensors))
    y.sum().backward()
    show.error(
        lambda: y.grad_fn.saved_tensors, "Trying to backward through the graph a second time"
    )
    show.error(lambda: y.sum().backward(), "Trying to backward through the graph a second time")


def case_nothing_saved_twice(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    x = leaf(torch)
    y = F.apply(x)
    y.sum().backward()
    y.sum().backward()
    show(x.grad)
    show.error(
        lambda: y.grad_fn.saved_tensors, "Trying to backward through the graph a second time"
    )


def case_save_none_and_intermediate(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            w = x * 2
            ctx.save_for_backward(None, w, x)
            return w * x

        @staticmethod
        def backward(ctx, grad):
            n, w, x = ctx.saved_tensors
            show(n, w, x)
            return grad * w * 2

    x = leaf(torch)
    F.apply(x).sum().backward()
    show(x.grad)


def case_save_wrong(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(3, x)
            return x * 2

    show.error(
        lambda: F.apply(leaf(torch)),
        "save_for_backward can only save variables, but argument 0 is of type int",
    )

    class G(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_forward(3)
            return x * 2

    show.error(lambda: G.apply(leaf(torch)), "save_for_forward expects all arguments to be tensors")


def case_saved_in_forward(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            show(ctx.saved_tensors)
            ctx.save_for_backward(x)
            show(len(ctx.to_save), ctx.saved_tensors)
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            show(len(ctx._raw_saved_tensors))
            return grad

    F.apply(leaf(torch)).sum().backward()


def case_once_differentiable(torch, show):
    once = torch.autograd.function.once_differentiable

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**2

        @staticmethod
        @once
        def backward(ctx, grad):
            show(torch.is_grad_enabled())
            (x,) = ctx.saved_tensors
            return 2 * x * grad

    x = leaf(torch)
    F.apply(x).sum().backward()
    show(x.grad)
    scale = torch.ones(2, requires_grad=True)
    (g,) = torch.autograd.grad((F.apply(x) * scale).sum(), x, create_graph=True)
    show(g.requires_grad, g.grad_fn.name())
    show.error(
        lambda: g.sum().backward(),
        "trying to differentiate twice a function that was marked with @once_differentiable",
    )


def case_double_backward(torch, show):
    cls = cube(torch)
    x = leaf(torch)
    y = cls.apply(x)
    (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    show(g)
    (h,) = torch.autograd.grad(g.sum(), x, create_graph=True)
    show(h)
    (k,) = torch.autograd.grad(h.sum(), x)
    show(k)


def case_function_in_backward(torch, show):
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return Back.apply(grad, x)

    class Back(torch.autograd.Function):
        @staticmethod
        def forward(ctx, grad, x):
            ctx.save_for_backward(grad, x)
            return 2 * grad * x

        @staticmethod
        def backward(ctx, gg):
            grad, x = ctx.saved_tensors
            return 2 * gg * x, 2 * gg * grad

    x = leaf(torch)
    (g,) = torch.autograd.grad(Square.apply(x).sum(), x, create_graph=True)
    show(g, g.grad_fn.name())
    g.sum().backward()
    show(x.grad)


def case_error_in_backward(torch, show):
    class F(torch.autograd.Function):
        fail = True

        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            if F.fail:
                raise ValueError("wrong on purpose")
            return grad * 2

    x = leaf(torch)
    y = F.apply(x * x)
    show.error(lambda: y.sum().backward(), "wrong on purpose")
    F.fail = False
    y.sum().backward()
    show(x.grad)


def case_error_in_forward(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            raise KeyError("on purpose")

    show.error(lambda: F.apply(leaf(torch)), "on purpose")
    show(torch.is_grad_enabled())


def case_pickle(torch, show):
    y = cube(torch).apply(leaf(torch))
    show.error(lambda: pickle.dumps(y.grad_fn), "cannot pickle 'CubeBackward' object")


def case_lifetime(torch, show):
    gc.collect()
    gc.disable()
    try:

        class Token:
            pass

        class F(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.token = Token()
                F.ref = weakref.ref(ctx.token)
                y = x * 2
                ctx.save_for_backward(x, y)
                return y

            @staticmethod
            def backward(ctx, grad):
                return grad

        x = leaf(torch)
        y = F.apply(x)
        show(F.ref() is None)
        z = y.sum()
        del y
        show(F.ref() is None)
        z.backward()
        show(F.ref() is None)
        del z
        show(F.ref() is None)
    finally:
        gc.enable()


def case_keyword_arguments(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, k=2):
            return x * k

        @staticmethod
        def backward(ctx, grad):
            return grad

    show.error(lambda: F.apply(leaf(torch), k=3), "")


def case_same_input_twice(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, y):
            return x + y

        @staticmethod
        def backward(ctx, grad):
            return grad * 2, grad * 3

    x = leaf(torch)
    y = F.apply(x, x)
    show(len(y.grad_fn.next_functions))
    y.sum().backward()
    show(x.grad)


def case_tensor_in_list_is_not_tracked(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, items):
            return items[0] * 2

        @staticmethod
        def backward(ctx, grad):
            return None

    show(F.apply([leaf(torch)]))


def case_hooks_on_function(torch, show):
    cls = cube(torch)
    x = leaf(torch)
    y = cls.apply(x)
    y.register_hook(lambda g: show("tensor", g))
    y.grad_fn.register_prehook(lambda g: show("pre", g))
    y.grad_fn.register_hook(lambda gi, go: show("post", gi, go))
    y.sum().backward()
    show(x.grad)


def case_saved_tensor_hooks(torch, show):
    cls = cube(torch)
    x = leaf(torch)

    def pack(t):
        show("pack", t)
        return t.detach() * 1

    def unpack(t):
        show("unpack", t)
        return t

    with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
        y = cls.apply(x)
    show(y.grad_fn.saved_tensors[0].requires_grad)
    y.sum().backward()
    show(x.grad)


def case_clear_saved_on_access(torch, show):
    cls = cube(torch)
    show(cls.clear_saved_tensors_on_access, cls.boxed_grads_call, cls.generate_vmap_rule)


def case_apply_in_thread_of_enable_grad(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            with torch.enable_grad():
                inner = x.detach().requires_grad_()
                out = inner**2
            ctx.inner, ctx.out = inner, out
            return out.detach()

        @staticmethod
        def backward(ctx, grad):
            (g,) = torch.autograd.grad(ctx.out, ctx.inner, grad)
            return g

    x = leaf(torch)
    F.apply(x).sum().backward()
    show(x.grad)


def case_output_requires_grad_from_inside(torch, show):
    w = torch.ones(2, requires_grad=True)

    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            with torch.enable_grad():
                return x * w

        @staticmethod
        def backward(ctx, grad):
            return grad

    y = F.apply(leaf(torch))
    show(y)
    y.sum().backward()
    show(w.grad)
    show(F.apply(torch.ones(2)))


def case_direct_node_call(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, k):
            return x * k

        @staticmethod
        def backward(ctx, grad):
            return grad * 3, None

    y = F.apply(leaf(torch), 3)
    show.error(lambda: y.grad_fn(torch.ones(2)), "object is not callable")
    show(y.grad_fn.apply(torch.ones(2)))


def case_complex_function(torch, show):
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2j

        @staticmethod
        def backward(ctx, grad):
            return grad * -2j

    x = torch.tensor([1.0 + 1j, 2.0], requires_grad=True)
    y = F.apply(x)
    y.real.sum().backward()
    show(y, x.grad)
    y = F.apply(x)
    y.imag.sum().backward()
    show(x.grad)


def case_keywords_are_positions(torch, show):
    class Scale(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, y=2):
            show(ctx.needs_input_grad)
            return x * y

        @staticmethod
        def backward(ctx, g):
            return tuple(g if need else None for need in ctx.needs_input_grad)

    x = leaf(torch)
    for call in (lambda: Scale.apply(x=x), lambda: Scale.apply(x, y=x), lambda: Scale.apply(x)):
        x.grad = None
        y = call()
        y.sum().backward()
        show(y, x.grad)
    show.error(lambda: Scale.apply(x, z=3), "forward() got an unexpected keyword argument 'z'")

    class KeywordOnly(torch.autograd.Function):
        @staticmethod
        def forward(x, *, y=2):
            return x * y

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

    show.error(lambda: KeywordOnly.apply(x), "forward() got an unexpected keyword argument 'y'")


def case_complex_gradient_of_real_input(torch, show):
    class Twist(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 1j

    x = leaf(torch)
    show.error(
        lambda: Twist.apply(x).sum().backward(), "Expected isFloatingType(grad.scalar_type())"
    )
    z = torch.tensor([1j], requires_grad=True)
    Twist.apply(z).real.sum().backward()
    show(x.grad, z.grad)


def case_dirty_views(torch, show):
    class Add(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x.add_(1)

        @staticmethod
        def backward(ctx, g):
            show("backward")
            return g * 2

    for write in (False, True):
        a = leaf(torch)
        b = a.clone()
        v = b.view(-1)
        y = Add.apply(v)
        if write:
            y.mul_(2)
        (g,) = torch.autograd.grad(y.sum(), a, retain_graph=True)
        show(y is v, y.grad_fn, b.grad_fn, g, torch.autograd.grad(b.sum(), a)[0])
    show.error(
        lambda: Add.apply(leaf(torch).view(-1)),
        "a view of a leaf Variable that requires grad is being used in an in-place operation",
    )


def case_view_of_plain_input(torch, show):
    class View(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.view_as(x)

        @staticmethod
        def backward(ctx, g):
            return g

    t = torch.ones(3)
    y = View.apply(t)
    show(y.add_(1) is y, t, y._is_view())
    show.error(
        lambda: y.mul_(leaf(torch)),
        "This view was created inside a custom Function (or because an input was returned as-is)",
    )


def case_saved_tensors_are_cleared(torch, show):
    class Once(torch.autograd.Function):
        clear_saved_tensors_on_access = True

        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 1

        @staticmethod
        def backward(ctx, grad):
            show(ctx.saved_tensors)
            show.error(lambda: ctx.saved_tensors, "saved_tensors can only be accessed once when")
            return grad

    class Asked(Once):
        clear_saved_tensors_on_access = False

        @staticmethod
        def backward(ctx, grad):
            ctx.maybe_clear_saved_tensors()
            try:
                show(len(ctx.saved_tensors))
            except RuntimeError as error:
                show("after they have already been freed" in str(error))
            return grad

    x = torch.ones(2, requires_grad=True)
    y = Once.apply(x)
    y.sum().backward()
    show.error(lambda: y.grad_fn.saved_tensors, "")
    y = Asked.apply(x)
    y.grad_fn.maybe_clear_saved_tensors()
    show(len(y.grad_fn.saved_tensors))
    y.sum().backward(retain_graph=True)
    y.sum().backward()


def case_class_of_a_returned_input(torch, show):
    """An input that is returned as it is is seen as its class sees a view of it."""

    class Plain(torch.Tensor):
        pass

    class Wraps(torch.Tensor):
        def __init__(self, data):
            super().__init__()
            self._data = data

        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            inner = tuple(a._data if isinstance(a, cls) else a for a in args)
            found = func(*inner, **(kwargs or {}))
            return cls(found) if isinstance(found, torch.Tensor) else found

    class Same(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    x = torch.ones(2).as_subclass(Plain).requires_grad_()
    y = Same.apply(x)
    show(type(y).__name__, y is x, y.grad_fn.name())
    y.sum().backward()
    show(x.grad.tolist(), type(Same.apply(x.detach())).__name__)
    show(type(Same.apply(Wraps(torch.ones(2)))).__name__)
    show(type(Same.apply(torch.nn.Parameter(torch.ones(2)))).__name__)

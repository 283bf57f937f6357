"""`__torch_dispatch__`: modes and classes that decide what ops mean, below autograd."""

import importlib


def utils(torch, name):
    return importlib.import_module(f"{torch.__name__}.utils.{name}")


def lines(torch, lines):
    """A mode that notes the ops, all but those of bookkeeping."""

    class Names(utils(torch, "_python_dispatch").TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            if func._schema.name not in ("aten::detach", "aten::lift_fresh"):
                lines.append(str(func))
            return func(*args, **(kwargs or {}))

    return Names()


def logging_tensor(torch, log):
    tree = utils(torch, "_pytree")

    class LoggingTensor(torch.Tensor):
        @staticmethod
        def __new__(cls, elem, *, requires_grad=False):
            out = torch.Tensor._make_wrapper_subclass(
                cls, elem.size(), strides=elem.stride(), storage_offset=elem.storage_offset(),
                dtype=elem.dtype, layout=elem.layout, device=elem.device,
                requires_grad=requires_grad,
            )  # fmt: skip
            out.elem = elem.detach() if requires_grad else elem
            return out

        @classmethod
        def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
            def unwrap(x):
                return x.elem if isinstance(x, cls) else x

            def wrap(x):
                return cls(x) if isinstance(x, torch.Tensor) else x

            if func is not torch.ops.aten.detach.default:
                shown = [x if isinstance(x, int | float | list) else type(x).__name__ for x in args]
                log.append([f"{func.__module__}.{func.__name__}", shown, sorted(kwargs or {})])
            kwargs = tree.tree_map(unwrap, kwargs or {})
            return tree.tree_map(wrap, func(*tree.tree_map(unwrap, args), **kwargs))

    return LoggingTensor


def told(log):
    """Without the memory format of gradients that passes begin with."""
    return [[name, shown] for name, shown, _ in log if "ones_like" not in name]


def case_ops_of_a_mode(torch, show):
    seen = []
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    w = torch.ones(3, 2, requires_grad=True)
    functional = torch.nn.functional
    for f in (
        lambda: x * 2, lambda: x * x, lambda: x**2, lambda: x.sum(0), lambda: x.mean(),
        lambda: x.view(4), lambda: x[0], lambda: torch.cat([x, x]), lambda: x.tanh(),
        lambda: torch.softmax(x, 1), lambda: x / 2, lambda: 1 - x, lambda: x.to(torch.float64),
        lambda: torch.relu(x), lambda: x * x[0, 0], lambda: x.exp().log(), lambda: x.t() @ x,
        lambda: x.unsqueeze(0).expand(3, 2, 2), lambda: functional.gelu(x), lambda: x.sigmoid(),
        lambda: functional.mse_loss(x, torch.zeros(2, 2)), lambda: x.permute(1, 0).contiguous(),
        lambda: functional.cross_entropy(x, torch.tensor([0, 1])), lambda: x.clamp(0, 2),
        lambda: torch.stack([x, x]), lambda: x.max(1).values, lambda: x == 1, lambda: x > x,
        lambda: x.cumsum(0), lambda: x.abs(), lambda: torch.where(x > 0, x, x), lambda: x - x,
        lambda: torch.addmm(x, x, x), lambda: x.masked_fill(x > 1, 0.0), lambda: x.gather(
            1, torch.zeros(2, 1, dtype=torch.long)
        ), lambda: x.split(1)[0], lambda: x.chunk(2, 1)[1], lambda: functional.linear(x, w).relu(),
    ):  # fmt: skip
        seen.clear()
        with lines(torch, seen):
            y = f()
        show(y.detach(), y.grad_fn, seen)


def case_ops_of_a_backward_pass(torch, show):
    seen = []
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    for f in (
        lambda: x * 2, lambda: x * x, lambda: x.sum(0), lambda: x.tanh(),
        lambda: torch.softmax(x, 1), lambda: x / 2, lambda: 1 - x, lambda: torch.relu(x),
        lambda: x.exp(), lambda: x.sigmoid(), lambda: x.unsqueeze(0), lambda: torch.cat([x, x]),
        lambda: x.sin(), lambda: x.log(), lambda: x[0], lambda: x.clone(),
    ):  # fmt: skip
        seen.clear()
        with lines(torch, seen):
            (grad,) = torch.autograd.grad(f().sum(), x)
        show(grad, sorted(seen))


def case_gradients_that_are_accumulated(torch, show):
    seen = []
    x, y = (torch.ones(2, requires_grad=True) for _ in range(2))
    given = torch.ones(2)
    with lines(torch, seen):
        for _ in range(2):
            (x + y).backward(given)
    copies = ("aten.new_empty_strided.default", "aten.copy_.default", "aten.clone.default")
    show([name for name in seen if name not in copies], x.grad, y.grad)
    x.grad.add_(1)
    show(x.grad, y.grad)
    seen.clear()
    z = (x * x).sum()
    with lines(torch, seen):
        (g,) = torch.autograd.grad(z, x, create_graph=True)
        show(torch.autograd.grad(g.sum(), x))
    show(seen)
    seen.clear()
    with lines(torch, seen):
        z = (x * 3).exp()
    show(torch.autograd.grad(z.sum(), x), seen)


def case_names_of_ops(torch, show):
    class Schema(utils(torch, "_python_dispatch").TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            if func.overloadpacket is torch.ops.aten.detach:
                return func(*args, **(kwargs or {}))
            show(str(func), repr(func), func.__name__, func.__module__, func.name())
            show(func.namespace, func._overloadname, func._schema.name, func.overloadpacket)
            show(func._schema.overload_name, func._schema.is_mutable, types, kwargs or {})
            show([a.name for a in func._schema.arguments][:1], len(args))
            show(func is getattr(func.overloadpacket, func._overloadname))
            return func(*args, **(kwargs or {}))

    x = torch.ones(2)
    mul, add_, exp = torch.ops.aten.mul.Tensor, torch.ops.aten.add_.Tensor, torch.ops.aten.exp
    with Schema():
        x * 3
        x.add_(1)
        x.exp()
        x.exp_()
        torch.sum(x, 0, keepdim=True)
        x.view(2, 1)
    show(mul(x, 2), add_(x, 1), x, exp(x), exp.default(x), exp.overloads()[:1])
    show.error(lambda: torch.ops.aten.mul.Nothing, "has no overload name 'Nothing'")


def case_in_place(torch, show):
    seen = []
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with lines(torch, seen):
        y = x * 1
        version = y._version
        z = y.mul_(2)
        show(z is y, y._version - version, y.grad_fn)
        y[0].add_(5)
        show(y.grad_fn, y)
        y.sum().backward()
        show.error(lambda: x.add_(1), "a leaf Variable that requires grad")
        with torch.no_grad():
            x.add_(1)
    show(x.grad, x, [line for line in seen if "l_." in line or "d_." in line])


def case_results_that_are_changed(torch, show):
    mode = utils(torch, "_python_dispatch").TorchDispatchMode

    class Double(mode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            out = func(*args, **(kwargs or {}))
            return out * 2 if func is torch.ops.aten.exp.default else out

    class Shout(mode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            if func is not torch.ops.aten.detach.default:
                show(str(func), [type(a).__name__ for a in args])
            return func(*args, **(kwargs or {}))

    x = torch.zeros(2, requires_grad=True)
    with Double():
        y = x.exp()
        show(y, (y + 1).grad_fn)
        y.sum().backward()
    show(x.grad)
    with Shout(), Double():
        show(x.detach().exp())
    with Double(), Shout():
        show((x * 1).requires_grad)
    current = utils(torch, "_python_dispatch")._get_current_dispatch_mode
    show(current())
    with Double() as outer:
        with Shout() as inner:
            show(current() is inner)
            with utils(torch, "_mode_utils").no_dispatch():
                show(x.detach().exp())
        show(current() is outer)

    class Refuses(mode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            return NotImplemented

    def run():
        with Refuses():
            return x.exp()

    show.error(run)
    show(current())


def case_wrapper(torch, show):
    log = []
    kind = logging_tensor(torch, log)
    x = kind(torch.tensor([3.0]), requires_grad=True)
    y = x * x
    show(type(y).__name__, y.grad_fn, y.shape, y.dtype, y.requires_grad, y.elem, x.is_leaf)
    (g,) = torch.autograd.grad(y, x, kind(torch.tensor([1.0])))
    show(type(g).__name__, g.elem, g.requires_grad, told(log))
    log.clear()
    (x * 2 + 1).sum().backward()
    show(type(x.grad).__name__, x.grad.elem, told(log))
    log.clear()
    (x.exp() / 2).sum().backward()
    show(x.grad.elem, told(log))
    show([type(t).__name__ for t in (x + torch.ones(1), torch.ones(1) + x, x[0], x.detach())])
    show.error(lambda: x.numpy())


def case_wrapper_and_tensors(torch, show):
    log = []
    kind = logging_tensor(torch, log)
    w = torch.ones(2, 2, requires_grad=True)
    x = kind(torch.ones(2, 2))
    y = (x @ w).relu()
    show(type(y).__name__, y.requires_grad, y.grad_fn)
    y.sum().backward()
    show(type(w.grad).__name__, w.grad.elem, told(log))
    out = torch.nn.functional.linear(x, w, None)
    show(type(out).__name__, out.elem)
    (a, b), c = x.unbind(), torch.cat([x, x])
    show(type(a).__name__, b.elem, c.elem)
    values, indices = x.max(1)
    show(type(values).__name__, indices.elem)


def case_second_derivatives_of_a_wrapper(torch, show):
    kind = logging_tensor(torch, [])
    x = kind(torch.tensor([2.0, 3.0]), requires_grad=True)
    (g,) = torch.autograd.grad((x**3).sum(), x, create_graph=True)
    show(type(g).__name__, g.elem.detach(), g.requires_grad)
    (h,) = torch.autograd.grad(g.sum(), x)
    show(type(h).__name__, h.elem)


def case_wrapper_in_place(torch, show):
    log = []
    kind = logging_tensor(torch, log)

    class InPlace(kind):
        @classmethod
        def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
            out = super().__torch_dispatch__(func, types, args, kwargs)
            return args[0] if func._schema.is_mutable else out

    x = InPlace(torch.ones(2), requires_grad=True)
    y = x * 1
    z = y.mul_(3)
    show(z is y, y.elem, y.grad_fn, y._version)
    y.sum().backward()
    show(x.grad.elem, [name for name, *_ in log])


def case_function_of_ones_own(torch, show):
    seen = []

    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x * x

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return grad * 3 * x.pow(2)

    x = torch.tensor([2.0], requires_grad=True)
    with lines(torch, seen):
        y = Cube.apply(x)
        y.backward()
    show(y, x.grad, [line for line in seen if "ones_like" not in line])
    log = []
    kind = logging_tensor(torch, log)
    x = kind(torch.tensor([2.0]), requires_grad=True)
    y = Cube.apply(x)
    show(type(y).__name__, y.grad_fn)
    y.sum().backward()
    show(x.grad.elem, [name for name, *_ in log if "ones_like" not in name])


def case_subclass_with_elements(torch, show):
    no_dispatch = utils(torch, "_mode_utils").no_dispatch

    class Counted(torch.Tensor):
        calls = []

        @classmethod
        def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
            if func is not torch.ops.aten.detach.default:
                cls.calls.append([str(func), [t.__name__ for t in types]])
            with no_dispatch():
                return func(*args, **(kwargs or {}))

    x = torch.Tensor._make_subclass(Counted, torch.ones(2), True)
    show(type(x).__name__, x.requires_grad)
    Counted.calls.clear()
    y = x * 2 + torch.ones(2)
    show(y.detach().tolist(), Counted.calls, y.requires_grad, y.grad_fn)


def case_classes_that_refuse(torch, show):
    class A(torch.Tensor):
        @staticmethod
        def __new__(cls, size):
            return torch.Tensor._make_wrapper_subclass(cls, size)

        @classmethod
        def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
            return NotImplemented

    class B(A):
        @classmethod
        def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
            show([t.__name__ for t in types])
            return torch.ones(2)

    a, b = A((2,)), B((2,))
    show(a + b, b + a, b.exp())
    show.error(lambda: a.exp(), "Multiple dispatch failed for 'torch._ops.aten.exp.default'")

    class C(torch.Tensor):
        pass

    show.error(lambda: torch.Tensor._make_wrapper_subclass(C, (2,)), "must define __torch_dispatch")


def case_modules(torch, show):
    counts = {}

    class Count(utils(torch, "_python_dispatch").TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            counts[str(func)] = counts.get(str(func), 0) + 1
            return func(*args, **(kwargs or {}))

    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
    with Count():
        model(torch.ones(4, 2)).sum().backward()
    names = "addmm.default mm.default tanh.default tanh_backward.default t.default"
    show([counts.get(f"aten.{name}", 0) for name in names.split()[:4]])
    show(model[0].weight.grad)


def case_threads_do_not_share_modes(torch, show):
    import threading

    seen, results = [], []
    x = torch.ones(2)
    with lines(torch, seen):
        thread = threading.Thread(target=lambda: results.append(x * 2))
        thread.start()
        thread.join()
    show(seen, results)


def case_hooks_on_wrappers(torch, show):
    kind = logging_tensor(torch, [])
    x = kind(torch.tensor([2.0]), requires_grad=True)
    seen = []
    x.register_hook(lambda g: seen.append(type(g).__name__))
    y = x * 3
    y.retain_grad()
    y.register_hook(lambda g: seen.append(type(g).__name__))
    z = (y * y).sum()
    z.backward()
    show(seen, type(y.grad).__name__, y.grad.elem, x.grad.elem)


def case_wrapper_of_a_wrapper(torch, show):
    log = []
    kind = logging_tensor(torch, log)
    inner = logging_tensor(torch, log)
    x = kind(inner(torch.ones(2)), requires_grad=True)
    y = (x * 2).sum()
    y.backward()
    show(
        type(x.grad).__name__,
        type(x.grad.elem).__name__,
        x.grad.elem.elem,
        [n for n, *_ in log if "ones_like" not in n],
    )


def case_mode_over_wrapper(torch, show):
    log = []
    kind = logging_tensor(torch, log)
    seen = []
    x = kind(torch.ones(2), requires_grad=True)
    with lines(torch, seen):
        y = (x * 2).exp().sum()
        y.backward()
    show(seen, told(log), x.grad.elem)


def case_module_with_wrapper_input(torch, show):
    log = []
    kind = logging_tensor(torch, log)
    torch.manual_seed(0)
    m = torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.LayerNorm(4), torch.nn.ReLU(), torch.nn.Linear(4, 2)
    )
    out = m(kind(torch.ones(2, 3)))
    show(type(out).__name__, out.elem.shape, out.requires_grad)
    out.sum().backward()
    show([type(p.grad).__name__ for p in m.parameters()])
    show([p.grad.elem for p in m.parameters()])


def case_checkpointed_regions(torch, show):
    checkpoint = utils(torch, "checkpoint").checkpoint
    kind = logging_tensor(torch, [])
    for reentrant in (True, False):
        x = kind(torch.ones(2), requires_grad=True)
        y = checkpoint(lambda t: (t * 2).exp(), x, use_reentrant=reentrant).sum()
        y.backward()
        show(type(x.grad).__name__, x.grad.elem)
    seen = []
    x = torch.ones(2, requires_grad=True)
    with lines(torch, seen):
        checkpoint(lambda t: (t * 2).exp(), x, use_reentrant=False).sum().backward()
    show(x.grad, [s for s in seen if "mul" in s or "exp." in s])


def case_anomaly_and_inputs(torch, show):
    kind = logging_tensor(torch, [])
    x = kind(torch.ones(2), requires_grad=True)
    w = torch.ones(2, requires_grad=True)
    y = (x * w + w).sum()
    y.backward(inputs=[w])
    show(x.grad is None, type(w.grad).__name__, w.grad.elem)
    with torch.autograd.detect_anomaly():
        y = (x * w).sum()
        y.backward()
    show(x.grad.elem)
    show(torch.autograd.grad((x * 1).sum(), [x, w], allow_unused=True)[1])


def case_views_and_reductions_of_a_wrapper(torch, show):
    kind = logging_tensor(torch, [])
    x = kind(torch.arange(4.0), requires_grad=True)
    a, b = x.split(2)
    (a * b).sum().backward()
    show(x.grad.elem, type(a).__name__)
    y = kind(torch.tensor([[1.0, 5.0], [7.0, 2.0]]), requires_grad=True)
    v, i = y.max(1)
    show(type(v).__name__, v.elem, i.elem)
    v.sum().backward()
    show(y.grad.elem)
    y.grad = None
    torch.stack([y, y * 2]).sum().backward()
    show(y.grad.elem)
    y.grad = None
    torch.cat([y, torch.ones(1, 2)]).sum().backward()
    show(y.grad.elem)
    y.grad = None
    (y[0] * y[:, 1]).sum().backward()
    show(y.grad.elem)
    y.grad = None
    y.var().backward()
    show(y.grad.elem)
    y.grad = None
    torch.nn.functional.softmax(y, 1).log().sum().backward()
    show(y.grad.elem)


def case_broadcast_wrappers(torch, show):
    kind = logging_tensor(torch, [])
    x = kind(torch.ones(2, 3), requires_grad=True)
    s = kind(torch.tensor(2.0), requires_grad=True)
    (x * s + s).sum().backward()
    show(x.grad.elem, s.grad.elem)
    d = kind(torch.ones(2, dtype=torch.float64), requires_grad=True)
    f = kind(torch.ones(2), requires_grad=True)
    (d * f).sum().backward()
    show(d.grad.dtype, f.grad.dtype, f.grad.elem)


def case_hooks_on_saved_wrappers(torch, show):
    kind = logging_tensor(torch, [])
    x = kind(torch.ones(2), requires_grad=True)
    seen = []
    with torch.autograd.graph.saved_tensors_hooks(
        lambda t: (seen.append(type(t).__name__), t)[1], lambda t: t
    ):
        y = (x * x).exp().sum()
    y.backward()
    show(seen, x.grad.elem)


def case_what_a_wrapper_is(torch, show):
    kind = logging_tensor(torch, [])
    x = kind(torch.tensor([1.0, 2.0]))
    show(
        x.shape,
        x.dim(),
        x.numel(),
        x.stride(),
        x.is_contiguous(),
        x.device,
        x.dtype,
        len(x),
        x.size(0),
    )
    show(
        bool((x.elem == x.elem).all()), x.is_floating_point(), isinstance(x, torch.Tensor), x.layout
    )
    p = torch.nn.Parameter(x)
    show(type(p).__name__, p.requires_grad, isinstance(p, torch.nn.Parameter))
    z = x.detach()
    show(type(z).__name__, z.elem)
    show(
        type(x.clone()).__name__,
        type(x.to(torch.float64)).__name__,
        type(torch.zeros_like(x)).__name__,
    )
    show(type(x.requires_grad_()).__name__, x.requires_grad)


def case_out(torch, show):
    seen = []
    a, o = torch.ones(2), torch.empty(2)
    with lines(torch, seen):
        torch.add(a, 1, out=o)
    show(o)


def case_transforms(torch, show):
    seen = []
    x = torch.arange(3.0)
    with lines(torch, seen):
        r = torch.func.grad(lambda t: (t * t).sum())(x)
        v = torch.vmap(lambda t: t * 2)(x)
    show(r, v)

"""`torch.autocast` on the CPU, and what belongs to it."""


def history(node, depth=4):
    if node is None or not depth:
        return "..." if node else None
    names = [history(following, depth - 1) for following, _ in node.next_functions]
    return [node.name(), *names] if names else node.name()


def case_dtypes_of_functions(torch, show):
    functional = torch.nn.functional
    x = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True)
    w = torch.full((3, 3), 0.5, requires_grad=True)
    target, image = torch.tensor([0, 1]), torch.ones(1, 1, 4, 4, requires_grad=True)
    for f in (
        lambda: x @ w, lambda: torch.mm(x, w), lambda: x.mm(w), lambda: x.matmul(w),
        lambda: torch.matmul(x, w[0]), lambda: functional.linear(x, w, w[0]),
        lambda: torch.bmm(x[None], w[None]), lambda: torch.einsum("ij,jk", x, w),
        lambda: torch.addmm(x[0], x, w), lambda: torch.tensordot(x, w, 1),
        lambda: functional.conv2d(image, torch.ones(1, 1, 2, 2)), lambda: (x @ w) + x,
        lambda: functional.conv1d(x[None], torch.ones(1, 2, 2)), lambda: (x @ w).sum(),
        lambda: functional.conv_transpose2d(image, torch.ones(1, 1, 2, 2)), lambda: x + 1,
        lambda: torch.softmax(x @ w, 1), lambda: functional.layer_norm(x @ w, (3,)),
        lambda: functional.mse_loss(x @ w, x), lambda: functional.cross_entropy(x @ w, target),
        lambda: functional.l1_loss(x @ w, x), lambda: (x @ w).prod(), lambda: (x @ w).exp(),
        lambda: functional.nll_loss(torch.log_softmax(x @ w, 1), target),
        lambda: functional.binary_cross_entropy_with_logits(x @ w, torch.ones(2, 3)),
        lambda: functional.huber_loss(x @ w, x), lambda: functional.smooth_l1_loss(x @ w, x),
        lambda: functional.kl_div(x @ w, torch.ones(2, 3)), lambda: torch.cdist(x @ w, x @ w),
        lambda: torch.cat([x @ w, x]), lambda: torch.stack([x @ w, x @ w]), lambda: x[0].dot(x[1]),
        lambda: torch.cat([x @ w, x @ w]), lambda: torch.outer(x[0], x[1]), lambda: torch.mv(
            w, x[0]
        ), lambda: functional.prelu(x, torch.full((1,), 0.5)),
        lambda: torch.linalg.inv((w + 10 * torch.eye(3)).bfloat16()),
        lambda: functional.pad(x[None] @ w, (1, 1), "replicate"), lambda: x.double() @ w.double(),
        lambda: functional.pad(x @ w, (1, 1)), lambda: torch.trace(w @ w), lambda: x.relu(),
        lambda: torch.baddbmm(x[None], x[None], w[None]), lambda: x.half() @ w,
        lambda: x.double(),
    ):  # fmt: skip
        with torch.autocast("cpu"):
            y = f()
        show(y.dtype, y.grad_fn, y.shape)
        show((x.float() @ w).dtype)


def case_training_step(torch, show):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.125)
    x, target = torch.randn(5, 3), torch.tensor([0, 1, 0, 1, 1])
    for _ in range(3):
        optimizer.zero_grad()
        with torch.autocast(device_type="cpu", dtype=torch.bfloat16):
            out = model(x)
            loss = torch.nn.functional.cross_entropy(out, target)
        loss.backward()
        optimizer.step()
        show(out.dtype, loss.dtype, round(loss.item(), 2))
        show([p.grad.dtype for p in model.parameters()], [p.dtype for p in model.parameters()])
    show(history(out.grad_fn))


def case_gradients(torch, show):
    x = torch.tensor([[1.0, 3.0]], requires_grad=True)
    w = torch.tensor([[1.0], [0.1]], requires_grad=True)
    with torch.autocast("cpu"):
        y = x @ w
        z = y * y + x.sum()
    show(z.detach(), history(z.grad_fn))
    z.sum().backward()
    show(x.grad, w.grad)
    with torch.autocast("cpu"):
        y = (x @ w).sum()
        y.backward()
    show(x.grad, w.grad)
    with torch.autocast("cpu", dtype=torch.float16):
        show((x @ w).dtype, torch.get_autocast_dtype("cpu"))
    (g,) = torch.autograd.grad((x @ w).sum(), x)
    show(g.dtype)


def case_casts_of_parameters_are_kept(torch, show):
    w = torch.ones(2, 2, requires_grad=True)
    x = torch.ones(2, 2)
    for cached in (True, False, None):
        with torch.autocast("cpu", cache_enabled=cached):
            show(torch.is_autocast_cache_enabled())
            a, b = torch.mm(x, w), torch.mm(x, w)
            same = a.grad_fn.next_functions[1][0] is b.grad_fn.next_functions[1][0]
            show(same)
            with torch.autocast("cpu"):
                c = torch.mm(x, w)
            show(c.grad_fn.next_functions[1][0] is a.grad_fn.next_functions[1][0])
    with torch.autocast("cpu"):
        d = torch.mm(x, w)
    show(d.grad_fn.next_functions[1][0] is a.grad_fn.next_functions[1][0])
    (d + d).sum().backward()
    show(w.grad)


def case_nesting_and_state(torch, show):
    x = torch.ones(2, 2)

    def state():
        return (torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu"), (x @ x).dtype)

    show(state(), torch.is_autocast_enabled(), torch.get_autocast_dtype("cuda"))
    with torch.autocast("cpu", dtype=torch.float16):
        show(state())
        with torch.autocast("cpu", enabled=False):
            show(state())
            with torch.autocast("cpu"):
                show(state())
        show(state())
        with torch.amp.autocast("cpu", dtype=torch.bfloat16):
            show(state())
        show(state())
    show(state())

    @torch.autocast("cpu")
    def f():
        return state()

    show(f(), state())
    torch.set_autocast_enabled("cpu", True)
    torch.set_autocast_dtype("cpu", torch.float16)
    show(state(), torch.is_autocast_cpu_enabled(), torch.get_autocast_cpu_dtype())
    torch.set_autocast_cpu_enabled(False)
    torch.set_autocast_cpu_dtype(torch.bfloat16)
    show(state())
    context = torch.autocast("cpu")
    show(context.device, context.fast_dtype, context._enabled)
    bad = show.warning(lambda: torch.autocast("cpu", dtype=torch.float32), "target dtype is not su")
    with bad:
        show(state()[0], state()[2])
    show.warning(lambda: torch.autocast("cuda"), "CUDA is not available")
    show.error(lambda: torch.autocast(torch.device("cpu")), "Expected `device_type` of type `str`")
    show.error(lambda: torch.autocast("toaster"))
    x3 = torch.ones(1, 2, 3)
    with torch.autocast("cpu"):
        show(torch.nn.functional.scaled_dot_product_attention(x3, x3, x3).dtype)
        show(torch.linalg.multi_dot([x, x, x]).dtype)
    show(torch.amp.is_autocast_available("cpu"))

    def fails():
        with torch.autocast("cpu"):
            raise ValueError("no")

    show.error(fails, "no")
    show(state())


def case_functions_of_ones_own(torch, show):
    class Product(torch.autograd.Function):
        @staticmethod
        @torch.amp.custom_fwd(device_type="cpu")
        def forward(ctx, a, b):
            ctx.save_for_backward(a, b)
            return a.mm(b)

        @staticmethod
        @torch.amp.custom_bwd(device_type="cpu")
        def backward(ctx, grad):
            a, b = ctx.saved_tensors
            show(torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu"), grad.dtype)
            return grad.mm(b.t()), a.t().mm(grad)

    class InFull(torch.autograd.Function):
        @staticmethod
        @torch.amp.custom_fwd(device_type="cpu", cast_inputs=torch.float32)
        def forward(ctx, a, scale):
            show(a.dtype, torch.is_autocast_enabled("cpu"))
            ctx.scale = scale
            return a.mm(a) * scale

        @staticmethod
        @torch.amp.custom_bwd(device_type="cpu")
        def backward(ctx, grad):
            show(grad.dtype, torch.is_autocast_enabled("cpu"), (grad @ grad).dtype)
            return grad * ctx.scale, None

    x = torch.ones(2, 2, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.float16):
        y = Product.apply(x, x)
        z = InFull.apply(x @ x, 2.0)
    show(y.dtype, z.dtype)
    (y.sum() + z.sum()).backward()
    show(x.grad)
    show(Product.apply(x, x).dtype, InFull.apply(x, 1.0).dtype)
    show.error(lambda: torch.amp.custom_fwd(lambda c: c, device_type=0), "Expected `device_type`")


def case_checkpoint(torch, show):
    from importlib import import_module

    checkpoint = import_module(f"{torch.__name__}.utils.checkpoint").checkpoint
    w = torch.tensor([[1.0, 0.3], [0.2, 1.0]], requires_grad=True)
    dtypes = []

    def region(x):
        y = x @ w
        dtypes.append(y.dtype)
        return y.exp()

    for reentrant in (True, False):
        x = torch.ones(2, 2, requires_grad=True)
        with torch.autocast("cpu"):
            y = checkpoint(region, x, use_reentrant=reentrant)
        y.sum().backward()
        show(y.dtype, dtypes, x.grad, w.grad)
        with torch.autocast("cpu", enabled=False):
            y = checkpoint(region, x, use_reentrant=reentrant)
        y.sum().backward()
        show(dtypes)


def case_scaler(torch, show):
    p = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    optimizer = torch.optim.SGD([p], lr=0.5)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0, growth_interval=2)
    show(scaler.is_enabled(), scaler.get_scale(), scaler.get_growth_factor())
    show(scaler.get_backoff_factor(), scaler.get_growth_interval())
    for factor in (1.0, float("inf"), 2.0, 1.0, 1.0):
        optimizer.zero_grad()
        loss = (p * factor).sum()
        scaled = scaler.scale(loss)
        show(scaled.detach(), scaled.dtype)
        scaled.backward()
        show(p.grad)
        scaler.step(optimizer)
        scaler.update()
        show(p.detach(), p.grad, scaler.get_scale())
    state = scaler.state_dict()
    show(state)
    other = torch.amp.GradScaler("cpu")
    other.load_state_dict(state)
    show(other.get_scale(), other.state_dict())
    (p * 1).sum().backward()
    scaler.scale(torch.ones(1))
    scaler.unscale_(optimizer)
    show(p.grad)
    show.error(lambda: scaler.unscale_(optimizer), "unscale_() has already been called")
    scaler.step(optimizer)
    show.error(lambda: scaler.step(optimizer), "step() has already been called")
    scaler.update(4.0)
    show(scaler.get_scale(), scaler.scale([torch.ones(1), (torch.ones(2),)]))
    off = torch.amp.GradScaler("cpu", enabled=False)
    show(off.scale(torch.ones(1)), off.get_scale(), off.state_dict(), off.is_enabled())
    off.unscale_(optimizer)
    off.step(optimizer)
    off.update()
    fresh = torch.amp.GradScaler("cpu")
    show.error(lambda: fresh.update(), "Attempted update but _scale is None")
    show.error(lambda: fresh.step(optimizer), "Attempted step but _scale is None")
    fresh.set_growth_factor(3.0)
    fresh.set_backoff_factor(0.25)
    fresh.set_growth_interval(7)
    show(fresh.state_dict())
    show.error(lambda: torch.amp.GradScaler("cpu", growth_factor=0.5), "growth factor must be > 1")
    show.error(lambda: torch.amp.GradScaler("cpu", backoff_factor=2.0), "backoff factor must be <")


def case_older_names(torch, show):
    from importlib import import_module

    old = import_module(f"{torch.__name__}.cuda.amp")
    context = show.warning(lambda: old.autocast(enabled=False), "is deprecated")
    with context:
        show(torch.is_autocast_enabled())
    show(context.device, isinstance(context, torch.autocast))
    scaler = show.warning(lambda: old.GradScaler(enabled=False), "is deprecated")
    show(scaler.is_enabled(), scaler.scale(torch.ones(1)))
    forward = show.warning(lambda: old.custom_fwd(lambda ctx, x: x), "is deprecated")
    backward = show.warning(lambda: old.custom_bwd(lambda ctx, x: x), "is deprecated")

    class Context:
        pass

    context = Context()
    show(forward(context, torch.ones(1)), backward(context, torch.ones(1)))
    show(context._fwd_used_autocast, context._dtype, torch.cuda.amp is old)


def case_recorded_passes_inside_and_outside(torch, show):
    """What a pass does under autocast is not what it does without, and the reverse."""
    for inside in (False, True, False, True, False):
        x = torch.tensor([[0.1, 1.3]], requires_grad=True)
        w = torch.tensor([[0.7, 0.3], [0.2, 1.1]], requires_grad=True)
        y = (x @ w).tanh().sum()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=inside):
            (g,) = torch.autograd.grad(y, x, create_graph=True)
        show(g.dtype, torch.autograd.grad(g.sum(), w)[0].dtype)

"""`torch.library.custom_op`: ops of one's own, with gradients."""


def case_forward_and_backward(torch, show):
    @torch.library.custom_op("conformance::sine", mutates_args=())
    def sine(x: torch.Tensor) -> torch.Tensor:
        return x.sin()

    x = torch.tensor([0.0, 1.0], requires_grad=True)
    show(sine(x.detach()), sine(x).requires_grad)
    show.error(lambda: sine(x).sum().backward(), "no autograd formula was registered")

    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[0])

    def backward(ctx, grad):
        return grad * ctx.saved_tensors[0].cos()

    sine.register_autograd(backward, setup_context=setup_context)
    y = sine(x)
    y.sum().backward()
    show(x.grad, torch.ops.conformance.sine(x).detach())
    (g,) = torch.autograd.grad(sine(x).sum(), x, create_graph=True)
    show(torch.autograd.grad(g.sum(), x))
    with torch.no_grad():
        show(sine(x).requires_grad)


def case_several_outputs_and_numbers(torch, show):
    @torch.library.custom_op("conformance::scaled", mutates_args=())
    def scaled(x: torch.Tensor, factor: float, shift: float = 1.0) -> tuple[
        torch.Tensor, torch.Tensor
    ]:  # fmt: skip
        return x * factor, x + shift

    seen = []

    def setup_context(ctx, inputs, output):
        _, ctx.factor, shift = inputs
        seen.append([ctx.factor, shift, len(output), ctx.needs_input_grad])

    def backward(ctx, grad, other):
        return grad * ctx.factor + other, None, None

    torch.library.register_autograd("conformance::scaled", backward, setup_context=setup_context)
    x = torch.ones(2, requires_grad=True)
    a, b = scaled(x, 3.0)
    show(a.detach(), b.detach())
    (a.sum() + 2 * b.sum()).backward()
    show(x.grad, seen)
    show([t.detach() for t in scaled(x, factor=2.0, shift=5.0)])


def case_writes_and_refusals(torch, show):
    @torch.library.custom_op("conformance::fill", mutates_args={"x"})
    def fill(x: torch.Tensor, value: float) -> None:
        x.fill_(value)

    x = torch.zeros(2)
    fill(x, 3.0)
    show(x, x._version)
    show.error(lambda: fill.register_autograd(lambda ctx: None), "Cannot register autograd formula")

    @torch.library.custom_op("conformance::same", mutates_args=())
    def same(x: torch.Tensor) -> torch.Tensor:
        return x

    show.error(lambda: same(x), "must not also be an input to this custom operator")

    def plain(x: torch.Tensor) -> torch.Tensor:
        return x.clone()

    make = torch.library.custom_op
    show.error(lambda: make("plain", plain, mutates_args=()))
    show.error(lambda: make("conformance::bare", lambda x: x, mutates_args=()), "must have a type")


def case_arguments_by_keyword_only(torch, show):
    @torch.library.custom_op("conformance::times", mutates_args=())
    def times(x: torch.Tensor, *, factor: float = 2.0) -> torch.Tensor:
        return x * factor

    def setup_context(ctx, inputs, keyword_only_inputs, output):
        show(len(inputs), keyword_only_inputs)
        ctx.factor = keyword_only_inputs["factor"]

    times.register_autograd(lambda ctx, grad: grad * ctx.factor, setup_context=setup_context)
    x = torch.ones(2, requires_grad=True)
    (times(x) + times(x, factor=5.0)).sum().backward()
    show(x.grad)
    show.error(
        lambda: torch.library.custom_op("conformance::to", _named_tensor(torch), mutates_args=()),
        "kwarg-only Tensor args",
    )


def _named_tensor(torch):
    def function(x: torch.Tensor, *, y: torch.Tensor) -> torch.Tensor:
        return x + y

    return function


def case_lists_of_tensors(torch, show):
    tensor = torch.Tensor

    @torch.library.custom_op("conformance::joined", mutates_args=())
    def joined(xs: list[tensor], factor: float) -> tensor:
        return torch.cat(list(xs)) * factor

    x, y = torch.ones(2, requires_grad=True), torch.full((1,), 3.0)
    show(joined([x, y], 2.0).requires_grad, joined([y], 2.0).requires_grad)

    def setup_context(ctx, inputs, output):
        show(type(inputs[0]), len(inputs[0]), inputs[1])
        ctx.sizes, ctx.factor = [len(t) for t in inputs[0]], inputs[1]

    def backward(ctx, grad):
        show(ctx.needs_input_grad)
        parts = (grad * ctx.factor).split(ctx.sizes)
        return [p if n else None for p, n in zip(parts, ctx.needs_input_grad[0], strict=True)], None

    joined.register_autograd(backward, setup_context=setup_context)
    out = joined([x, y], 2.0)
    (out * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    show(x.grad, y.grad, out.grad_fn)
    joined.register_autograd(lambda ctx, grad: (None, None), setup_context=setup_context)
    show.error(
        lambda: joined([x, y], 1.0).sum().backward(), "to be of the same structure as the in"
    )

    @torch.library.custom_op("conformance::halves", mutates_args=())
    def halves(x: tensor) -> list[tensor]:
        return [part.clone() for part in x.chunk(2)]

    seen = []

    def back(ctx, grads):
        seen.append([type(grads), len(grads)])
        return torch.cat([g * (i + 1) for i, g in enumerate(grads)])

    halves.register_autograd(back)
    first, second = halves(torch.ones(4, requires_grad=True)), halves(torch.ones(1))
    show(type(first), first[0].grad_fn, len(second))
    z = torch.ones(4, requires_grad=True)
    a, b = halves(z)
    (one,) = halves(z[:1])
    (a.sum() + b.sum() + one.sum()).backward()
    show(z.grad, seen)

    @torch.library.custom_op("conformance::mixed", mutates_args=())
    def mixed(x: tensor, ys: list[tensor]) -> tuple[tensor, list[tensor]]:
        return x * 2, [y * 3 for y in ys]

    def back_of_mixed(ctx, grad, grads):
        show(grad is None, [g is None for g in grads])
        return grad * 2, [g * 3 for g in grads]

    mixed.register_autograd(back_of_mixed)
    p, q, r = (torch.ones(1, requires_grad=True) for _ in range(3))
    out, (u, v) = mixed(p, [q, r])
    (out + u + 2 * v).backward()
    show(p.grad, q.grad, r.grad)


def case_schemas_of_functions(torch, show):
    from collections.abc import Sequence
    from typing import List, Optional, Union  # noqa: UP035

    tensor = torch.Tensor

    def f(x: tensor, y: tensor | None, n: int, a: float = 1.5, b: bool = True, s: str = "hi",
          *, k: int = 3) -> tuple[tensor, tensor]: ...  # fmt: skip

    def g(xs: List[tensor], fs: Sequence[float], bs: list[bool], n: Optional[int] = None,  # noqa: UP006, UP045
          num: Union[int, float, bool] = 2) -> list[tensor]: ...  # noqa: UP007  # fmt: skip

    def h(
        x: tensor, device: torch.device, kind: torch.dtype, q: list[int] | None = None
    ) -> None: ...

    def bad_type(x: tensor, y: dict) -> tensor: ...

    def no_return(x: tensor): ...

    def bare(x, y: tensor) -> tensor: ...

    def several(x: tensor, *rest) -> tensor: ...

    def listed(x: tensor, sizes: Sequence[int] = (1, 2)) -> tensor: ...

    infer = torch.library.infer_schema
    show(infer(f, mutates_args=()), infer(g, mutates_args=()), infer(h, mutates_args={"x"}))
    show(infer(f, mutates_args="unknown"), infer(f, mutates_args={"y"}, op_name="f"))
    show.error(
        lambda: infer(bad_type, mutates_args=()), "Parameter y has unsupported type <class 'di"
    )
    show.error(lambda: infer(no_return, mutates_args=()), "No return type annotation was provided")
    show.error(lambda: infer(bare, mutates_args=()), "Parameter x must have a type annotation")
    show.error(lambda: infer(several, mutates_args=()), "do not support positional-only args")
    show.error(lambda: infer(listed, mutates_args=()), "unsupported default value type")
    show.error(lambda: infer(f, mutates_args={"z"}), "were not found in the custom op's signature")


def case_libraries(torch, show):
    with torch.library._scoped_library("conformance_lib", "FRAGMENT") as lib:
        show(lib.define("scale(Tensor x, float a=2.0, *, int n=1) -> Tensor"))
        lib.impl("scale", lambda x, a=2.0, *, n=1: x * a * n, "CPU")
        op = torch.ops.conformance_lib.scale
        x = torch.ones(2, requires_grad=True)
        y = op(x, 3.0)
        show(y.detach(), y.requires_grad, op(x.detach(), a=1.0, n=4), str(op.default), repr(op))
        show.warning(lambda: y.sum().backward(), "an autograd kernel was not registered")
        show(str(op.default._schema), op.default.name(), op.overloads())
        show.error(
            lambda: op(x, b=1), "Unknown keyword argument 'b' for operator 'conformance_lib::"
        )
        show.error(
            lambda: op("a"), "Expected a value of type 'Tensor' for argument 'x' but instead"
        )
        show.error(lambda: op(), "is missing value for argument 'x'")
        show.error(lambda: torch.ops.conformance_lib.none, "has no attribute 'none'")
        show.error(lambda: lib.define("scale(Tensor x) -> Tensor"), "multiple times")
        lib.define("square(Tensor x) -> Tensor")
        lib.impl("square", lambda x: x * x, "CompositeImplicitAutograd")
        show(torch.autograd.grad(torch.ops.conformance_lib.square(x).sum(), x))
        lib.define("own(Tensor x) -> Tensor")
        lib.impl("own", lambda x: x.sin(), "CPU")

        class Own(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                with torch._C._AutoDispatchBelowAutograd():
                    return torch.ops.conformance_lib.own(x)

            @staticmethod
            def backward(ctx, grad):
                return grad * 7

        lib.impl("own", Own.apply, "Autograd")
        z = torch.ops.conformance_lib.own(x)
        show(z.grad_fn, torch.autograd.grad(z.sum(), x))
        torch.library.define(
            "conformance_lib::times", "(Tensor x, Tensor[] ys) -> Tensor[]", lib=lib
        )
        torch.library.impl(
            "conformance_lib::times", "cpu", lambda x, ys: [x * y for y in ys], lib=lib
        )

        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(inputs[0], *inputs[1])

        def backward(ctx, grads):
            a, *ys = ctx.saved_tensors
            return sum(g * y for g, y in zip(grads, ys, strict=True)), [g * a for g in grads]

        torch.library.register_autograd(
            "conformance_lib::times", backward, setup_context=setup_context, lib=lib
        )
        ys = [torch.full((2,), 2.0, requires_grad=True), torch.full((2,), 3.0)]
        out = torch.ops.conformance_lib.times(x, ys)
        show(torch.autograd.grad(out[0].sum() + 2 * out[1].sum(), [x, ys[0]]), out[0].grad_fn)
    show.error(
        lambda: torch.library.Library("aten", "DEF"), "Only a single TORCH_LIBRARY can be used"
    )
    show.error(lambda: torch.library.Library("conformance_lib", "WHAT"), "Unsupported kind: WHAT")


def case_arguments_that_are_refused(torch, show):
    tensor = torch.Tensor

    @torch.library.custom_op("conformance::maybe", mutates_args=())
    def maybe(x: tensor, y: tensor | None = None, n: int = 2) -> tensor:
        return x * n if y is None else x * y

    maybe.register_autograd(lambda ctx, grad: (grad * 2, None, None))
    x = torch.ones(2, requires_grad=True)
    show(maybe(x), maybe(x, None, 3), maybe(x, n=4, y=x.detach()))
    show.error(lambda: maybe(x, n="a"), "Expected a value of type 'int' for argument 'n'")
    show.error(lambda: maybe(), "is missing value for argument 'x'")
    show.error(lambda: maybe(x, q=1), "Unknown keyword argument 'q'")
    show(str(maybe._opoverload), maybe._qualname, repr(maybe))

    @torch.library.custom_op("conformance::elsewhere", mutates_args=(), device_types="cuda")
    def elsewhere(x: tensor) -> tensor:
        return x * 2

    show.error(lambda: elsewhere(x), "Could not run 'conformance::elsewhere' with arguments")
    elsewhere.register_kernel("cpu")(lambda x: x * 3)
    show(elsewhere(x.detach()))


def case_modes(torch, show):
    import importlib

    mode = importlib.import_module(f"{torch.__name__}.utils._python_dispatch").TorchDispatchMode
    tensor, seen = torch.Tensor, []

    @torch.library.custom_op("conformance::third", mutates_args=())
    def third(x: tensor) -> tensor:
        return x / 3

    third.register_autograd(lambda ctx, grad: grad / 3)

    class Names(mode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            seen.append(str(func))
            return func(*args, **(kwargs or {}))

    x = torch.ones(2, requires_grad=True)
    with Names():
        y = third(x)
    show(y.detach(), y.grad_fn, seen)


def case_checks_of_ops(torch, show):
    make, check = torch.library.custom_op, torch.library.opcheck

    def sine(x: torch.Tensor) -> torch.Tensor:
        return x.sin()

    def changed(x: torch.Tensor) -> torch.Tensor:
        x.add_(1)
        return x.clone()

    op = make("conformance::checked", sine, mutates_args=())
    op.register_fake(torch.empty_like)
    show(check(op, (torch.ones(2),)), check(op, [torch.ones(2)], test_utils="test_schema"))
    asking = (torch.ones(2, requires_grad=True),)
    show.error(lambda: check(op, asking), "no autograd formula was registered")
    op.register_autograd(lambda ctx, grad: grad)
    show(check(op, asking))
    show.error(lambda: check(sine, asking), "op must be instance of")
    show.error(lambda: check(op, asking, test_utils="other"), "expected test_utils to be subset of")
    wrong = make("conformance::changed", changed, mutates_args=())
    run = lambda: check(wrong, (torch.ones(2),), test_utils="test_schema")  # noqa: E731
    show.error(run, "Argument x is not defined as mutable but was mutated")
    library = torch.library.Library("conformance", "FRAGMENT")
    for name, kernel in (("alias", lambda x: x), ("plain", lambda x: x.clone())):
        library.define(f"{name}(Tensor x) -> Tensor")
        library.impl(name, kernel, "CPU")
    alias, plain = torch.ops.conformance.alias.default, torch.ops.conformance.plain.default
    show.error(lambda: check(alias, asking, test_utils="test_schema"), "but was aliasing")
    names = "test_autograd_registration"
    show.error(lambda: check(plain, asking, test_utils=names), "does not have an autograd kernel")
    found = check(plain, asking, test_utils=names, raise_exception=False)
    show([type(error).__name__ for error in found.values()])
    library._destroy()


def case_casts_of_ops(torch, show):
    seen = []

    def total(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        seen.append([x.dtype, y.dtype, torch.is_autocast_enabled("cpu")])
        return x + y

    op = torch.library.custom_op("conformance::total", total, mutates_args=())
    op.register_autocast("cpu", torch.bfloat16)
    x = torch.ones(2)
    with torch.autocast("cpu", torch.bfloat16):
        show(op(x, x).dtype, op(x, x.double()).dtype)
    show(op(x, x).dtype, seen)
    show.error(lambda: op.register_autocast(3, torch.float32), "Expected `device_type` of type")


def case_defaults_that_are_dtypes(torch, show):
    def made(x: torch.Tensor, dtype: torch.dtype = torch.float64) -> torch.Tensor:
        return x.to(dtype)

    op = torch.library.custom_op("conformance::made", made, mutates_args=())
    show(op(torch.ones(1)).dtype, op(torch.ones(1), torch.float16).dtype)


def case_outputs_of_ops_that_write(torch, show):
    def both(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        y.add_(1)
        return x * 2

    op = torch.library.custom_op("conformance::both", both, mutates_args=("y",))
    x, y = torch.ones(1, requires_grad=True), torch.zeros(1)
    out = op(x, y)
    show(out.requires_grad, y, y._version)
    show.error(out.sum().backward, "no autograd formula was registered")

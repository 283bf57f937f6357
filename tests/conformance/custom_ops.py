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

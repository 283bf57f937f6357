"""Passes through what was written in place, once more; who is told of a pass and of what."""


def chain(node):
    """The text of a graph."""
    if node is None:
        return "-"
    below = ", ".join(chain(following) for following, _ in node.next_functions)
    return f"{node.name()}({below})" if below else node.name()


def leaf(torch):
    return torch.tensor([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], requires_grad=True)


def twice(torch, show, x, y, **kwargs):
    (first,) = torch.autograd.grad((y * y).sum(), x, create_graph=True)
    show(first)
    show(torch.autograd.grad(first.sum(), x, **kwargs))


def case_result_written_to_a_view(torch, show):
    for write in (torch.Tensor.tanh_, torch.Tensor.exp_, torch.Tensor.sigmoid_):
        for keep in (None, True):
            x = leaf(torch)
            y = x * x
            write(y[0])
            twice(torch, show, x, y, retain_graph=keep)


def case_result_written_to_a_transposed_part(torch, show):
    x = leaf(torch)
    y = x * x
    view = y.t()[1:]
    view.tanh_()
    twice(torch, show, x, y)


def case_result_written_to_parts_of_complex_numbers(torch, show):
    x = leaf(torch)
    y = x * (1 + 2j)
    torch.view_as_real(y)[0].exp_()
    (first,) = torch.autograd.grad((y * y.conj()).sum().real, x, create_graph=True)
    show(first, torch.autograd.grad(first.sum(), x))


def case_function_writes_to_a_view(torch, show):
    class Exp(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            ctx.save_for_backward(x.exp_())
            return x

        @staticmethod
        def backward(ctx, grad):
            return grad * ctx.saved_tensors[0]

    x = leaf(torch)
    y = x * x
    Exp.apply(y[0])
    twice(torch, show, x, y)


def case_graph_of_the_gradient_of_a_write(torch, show):
    for view in (lambda y: y[0], lambda y: y.t(), lambda y: y[1:].view(-1)[1:]):
        x = leaf(torch)
        y = x * 1
        seen, seed = view(y), torch.ones((), requires_grad=True)
        seen.exp_()
        (grad,) = torch.autograd.grad(y.sum(), x, seed, create_graph=True)
        show(chain(grad.grad_fn))


def case_overwritten_by_a_function_has_no_grad(torch, show):
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x.mul_(2)

        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    y = leaf(torch) * 1
    y.retain_grad()
    y.sum().backward(retain_graph=True)
    show(y.grad, Double.apply(y) is y, y.grad, y.retains_grad)


def case_hook_of_several_with_the_only_root(torch, show):
    def told(grads):
        show("told", grads)

    register = torch.autograd.graph.register_multi_grad_hook
    x = leaf(torch)
    y = (x * x).sum()
    register((x, y), told)
    y.backward(retain_graph=True)
    torch.autograd.backward([y, x.sum()])
    register((y,), lambda grads: show("never", grads))
    (x * x).sum().backward()
    z = x * x
    y = z.sum()
    register((y, z), told)
    y.backward(inputs=[z])


def case_root_is_not_executed(torch, show):
    x = leaf(torch)
    y = x * x
    z = y.sum()
    ask = torch._C._will_engine_execute_node
    z.grad_fn.register_hook(lambda *_: show(ask(z.grad_fn), ask(y.grad_fn)))
    z.backward(retain_graph=True)
    torch.autograd.backward([z, z])


def case_hook_of_any_has_the_name_of_the_function(torch, show):
    def hook(grad):
        return None

    x = leaf(torch)
    torch.autograd.graph.register_multi_grad_hook((x,), hook, mode="any")
    show([item.__name__ for item in x._backward_hooks.values()])


def case_pack_hooks_see_that_indices_need_no_gradient(torch, show):
    def pack(tensor):
        show(str(tensor.dtype), tensor.requires_grad)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        leaf(torch).sort()
        leaf(torch).max(0)
        leaf(torch).exp()


def case_create_graph_is_not_warned_of_without_a_graph(torch, show):
    def fails():
        try:
            torch.ones(2, dtype=torch.int64).sum().backward(create_graph=True)
        except RuntimeError as error:
            show("does not require grad" in str(error))

    show.warning(fails, "reference cycle")

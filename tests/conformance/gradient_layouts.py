"""How gradients lie in memory: strides, views, and which of them are one and the same tensor."""


def matrix(torch):
    return (torch.arange(6.0).reshape(2, 3) / 4).requires_grad_()


def look(show):
    return lambda grad: show(
        grad.stride(), grad.is_contiguous(), grad._is_view(), grad.is_conj(), grad.is_neg()
    )


PROGRAMS = {
    "sum": lambda x: x.sum(),
    "sum of columns": lambda x: x.sum(0),
    "mean": lambda x: x.mean(),
    "add": lambda x: x + 1,
    "mul": lambda x: x * 2,
    "t": lambda x: x.t() * x.new_ones(3, 2),
    "permute": lambda x: x.permute(1, 0).sum(0),
    "view": lambda x: x.view(6),
    "select": lambda x: x[0],
    "expand": lambda x: x.expand(4, 2, 3),
    "mm": lambda x: x @ x.new_ones(3, 4),
    "mm of a transposed matrix": lambda x: x.new_ones(2, 3) @ x.t(),
    "mm with a transposed matrix": lambda x: x.t() @ x.new_ones(2, 3),
    "add a row": lambda x: x[0] + x.new_ones(2, 3),
    "unbind": lambda x: x.unbind(1)[1],
    "reshape": lambda x: x.reshape(3, 2).t(),
}


def case_what_hooks_see(torch, show):
    for program in PROGRAMS.values():
        x = matrix(torch)
        y = x * 1
        y.register_hook(look(show))
        program(y).sum().backward()
        show(x.grad.stride(), x.grad._is_view())


def case_what_grad_returns(torch, show):
    for program in PROGRAMS.values():
        x = matrix(torch)
        y = program(x)
        (grad,) = torch.autograd.grad(y, x, torch.ones(y.shape), retain_graph=True)
        look(show)(grad)
        look(show)(torch.autograd.grad(y.sum(), x)[0])


def case_hooks_of_nodes(torch, show):
    x = matrix(torch)
    y = (x + 1).t()
    seen = look(show)
    y.grad_fn.register_hook(lambda ins, outs: (seen(ins[0]), seen(outs[0]))[0])
    y.grad_fn.next_functions[0][0].register_prehook(lambda outs: seen(outs[0]))
    y.sum().backward()


def case_an_addition_hands_on_the_gradient(torch, show):
    x, y, g = matrix(torch), matrix(torch), torch.ones(2, 3)
    for z in (x + 1, x + y, x - y, x + 1 + y, 3 + x):
        found = torch.autograd.grad(z, (x, y), g, allow_unused=True)
        show([grad is g for grad in found])
    (grad,) = torch.autograd.grad(x + torch.ones(3), x, g)
    show(grad is g)
    (grad,) = torch.autograd.grad(x.double() + 1, x, g.double())
    show(grad is g, grad.dtype)
    (grad,) = torch.autograd.grad(x, x, g)
    show(grad is g)


def case_two_inputs_with_one_gradient(torch, show):
    x, y = matrix(torch), matrix(torch)
    a, b = torch.autograd.grad((x + y).sum(), (x, y))
    show(a is b, a.data_ptr() == b.data_ptr(), a.stride())
    a, b = torch.autograd.grad((x + y).exp(), (x, y), torch.ones(2, 3))
    show(a is b)
    a += 1
    show(b)


def case_a_view_of_the_given_gradient(torch, show):
    x, g = matrix(torch), torch.arange(6.0).reshape(3, 2)
    (grad,) = torch.autograd.grad(x.t(), x, g)
    show(grad._base is g, grad.data_ptr() == g.data_ptr(), grad.stride())
    grad[0, 1] = 9
    show(g)
    (grad,) = torch.autograd.grad(x.view(6), x, torch.ones(6).expand(6))
    show(grad.stride(), grad._base is None)


def case_a_write_to_a_gradient_that_is_expanded(torch, show):
    x = matrix(torch)
    y = x * 1
    y.register_hook(lambda grad: grad.mul_(2))
    show.error(lambda: y.sum().backward(), "more than one element of the written-to tensor")
    (grad,) = torch.autograd.grad((x * x.detach().new_ones(())).sum() + x.sum(), x)
    grad.add_(1)
    show(grad)
    (grad,) = torch.autograd.grad(x.sum(), x)
    show.error(lambda: grad.add_(1), "more than one element of the written-to tensor")
    grad.zero_()
    show(grad)


def case_a_write_to_a_gradient_reaches_the_rest_of_the_pass(torch, show):
    x, y = matrix(torch), matrix(torch)
    z = x + y
    z.register_hook(lambda grad: (grad.mul_(2), None)[1])
    (z * 3).sum().backward()
    show(x.grad, y.grad)


def case_complex_gradients(torch, show):
    z = torch.tensor([[1 + 2j, 3 - 1j], [0.5j, 2.0]], requires_grad=True)
    r = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    g = torch.tensor([[1j, 2 + 0j], [1 - 1j, 3j]])
    for out in (z.conj(), z.mH, z.conj() * z, z + r, z.conj_physical(), z.resolve_conj(), -z):
        found = torch.autograd.grad(out, (z, r), g, allow_unused=True)
        for grad in found:
            if grad is not None:
                look(show)(grad)
                show(grad)
    for out in (z.real, z.imag, z.conj().real, z.conj().imag, z.abs(), z.angle()):
        (grad,) = torch.autograd.grad(out, z, torch.ones(2, 2))
        look(show)(grad)
        show(grad)


def case_hooks_see_complex_gradients(torch, show):
    for program in (
        lambda z: z.conj().sum().real,
        lambda z: torch.view_as_real(z).sum(),
        lambda z: z.real.sum(),
        lambda z: (z * z.conj()).real.sum(),
        lambda z: z.mH.abs().sum(),
    ):
        z = torch.tensor([[1 + 2j, 3 - 1j], [0.5j, 2.0]], requires_grad=True)
        y = z * 1
        y.register_hook(look(show))
        program(y).backward()
        show(z.grad)


def case_a_leaf_that_is_transposed(torch, show):
    x = torch.ones(3, 2).t().requires_grad_()
    w = torch.ones(4, 3).t().requires_grad_()
    (x @ w).sum().backward()
    show(x.grad.stride(), w.grad.stride())
    show([grad.stride() for grad in torch.autograd.grad((x @ w).exp().sum(), (x, w))])


def case_the_same_graph_with_another_gradient(torch, show):
    x = matrix(torch)
    for g in (torch.ones(3, 2), torch.ones(2, 3).t(), torch.ones(1, 2).expand(3, 2)):
        (grad,) = torch.autograd.grad(x.t() + 1, x, g)
        show(grad.stride(), grad.is_contiguous(), grad.data_ptr() == g.data_ptr())


def case_retained_gradients(torch, show):
    x = matrix(torch)
    y = x * 1
    y.retain_grad()
    y.sum().backward()
    show(y.grad.stride(), y.grad._is_view())

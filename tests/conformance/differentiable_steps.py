"""Optimizers with ``differentiable=True``: a step is part of the graph."""

import itertools
from importlib import import_module


def stepped(torch, rule, param, grad, state, **options):
    """A parameter after one step, and the parts of its state that have a history."""
    param = param.clone()
    param.grad = grad
    optimizer = rule([param], lr=0.5, differentiable=True, **options)
    optimizer.state[param].update({k: v.clone() for k, v in state.items()})
    optimizer.step()
    return param, *[v for v in optimizer.state[param].values() if v.requires_grad]


def numbers(torch):
    """Different leaves."""
    starts = itertools.count(1)
    while True:
        start = next(starts)
        values = [start + 0.25, 2.0 / start, 0.75]
        yield torch.tensor(values, dtype=torch.float64, requires_grad=True)


def case_gradients_of_steps(torch, show):
    optim, averages = torch.optim, ["exp_avg", "exp_avg_sq"]
    for rule, names, options in [
        (optim.SGD, ["momentum_buffer"], {"momentum": 0.9, "weight_decay": 0.1}),
        (optim.Adam, averages, {"weight_decay": 0.1}),
        (optim.AdamW, averages, {"maximize": True}),
        (optim.RAdam, averages, {}),
        (optim.Adamax, ["exp_avg", "exp_inf"], {}),
        (optim.Adagrad, ["sum"], {"lr_decay": 0.1}),
        (optim.Adadelta, ["square_avg", "acc_delta"], {"weight_decay": 0.1}),
        (optim.RMSprop, ["square_avg", "momentum_buffer"], {"momentum": 0.9}),
        (optim.Rprop, ["prev", "step_size"], {}),
    ]:
        leaves = numbers(torch)
        param, grad = next(leaves), next(leaves)
        state = {name: next(leaves) for name in names}
        inputs = [param, grad, *state.values()]
        if rule is not optim.SGD:
            state["step"] = torch.tensor(10.0, dtype=torch.float64)
        found = stepped(torch, rule, param, grad, state, **options)
        gradients = torch.autograd.grad(sum(x.sum() for x in found), inputs, allow_unused=True)
        show(rule.__name__, len(found), [x.detach().round(decimals=5) for x in found])
        show([None if g is None else g.round(decimals=5) for g in gradients])


def case_second_derivatives_of_steps(torch, show):
    leaves = numbers(torch)
    param, grad, buffer = next(leaves), next(leaves), next(leaves)

    def function(param, grad, buffer):
        rule = torch.optim.RMSprop
        return stepped(torch, rule, param, grad, {"square_avg": buffer, "step": torch.ones(())})

    show(torch.autograd.gradgradcheck(function, (param, grad, buffer)))


def case_what_differentiable_steps_may_write(torch, show):
    leaf = torch.ones(2, requires_grad=True)
    leaf.grad = torch.ones(2)
    step = torch.optim.SGD([leaf], lr=0.1, differentiable=True).step
    show.error(step, "a leaf Variable that requires grad is being used in an in-place operation")
    show.error(lambda: torch.optim.SGD([leaf * 2], lr=0.1), "can't optimize a non-leaf Tensor")


def case_learning_rates_with_gradients(torch, show):
    leaves = numbers(torch)
    param, grad = next(leaves), next(leaves)
    rate = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    value = param.clone()
    value.grad = grad
    torch.optim.SGD([value], lr=rate, differentiable=True).step()
    show(torch.autograd.grad(value.sum(), [param, grad, rate], allow_unused=True))


def case_names_for_optimizers_of_ones_own(torch, show):
    names = import_module(f"{torch.__name__}.optim.optimizer")
    show(names._get_value(torch.tensor(3.0)), names._get_value(2))

    class Asked(torch.optim.Optimizer):
        @names._use_grad_for_differentiable
        def step(self, closure=None):
            return torch.is_grad_enabled()

    for differentiable in (False, True):
        leaf = torch.nn.Parameter(torch.ones(1))
        optimizer = Asked([leaf], {"differentiable": differentiable})
        show(optimizer.step())
    handle = optimizer.register_step_pre_hook(lambda *args: None)
    show(len(optimizer._optimizer_step_pre_hooks), len(optimizer._optimizer_step_post_hooks))
    handle.remove()
    show(len(optimizer._optimizer_step_pre_hooks), len(names._global_optimizer_pre_hooks))

"""Calls that PyTorch has no kernel for, and arguments of the wrong kind."""

import operator


def case_orders_of_complex_numbers(torch, show):
    c, f = torch.tensor([1 + 2j]), torch.tensor([1.0])
    F, kernel = torch.nn.functional, "not implemented for 'ComplexFloat'"
    for name, *args in (
        ("max",), ("min",), ("amax",), ("amin",), ("aminmax",), ("median",), ("nanmedian",),
        ("median", 0), ("mode",), ("kthvalue", 1), ("cummax", 0), ("cummin", 0), ("round",),
        ("frac",), ("erf",), ("lgamma",), ("digamma",), ("logit",), ("lt", c), ("ge", 1.0),
        ("fmod", c), ("remainder", 2), ("floor_divide", c), ("atan2", c), ("hypot", c),
        ("clamp_min", c), ("xlogy", c), ("bitwise_and", c), ("gcd", c),
    ):  # fmt: skip
        show.error(lambda name=name, args=args: getattr(c, name)(*args), kernel)
    for name in ("floor", "ceil", "trunc"):
        show.error(lambda name=name: getattr(c, name)(), f"{name} is not supported for complex")
    for call in (lambda: c.clamp(0), lambda: c.relu(), lambda: F.hardtanh(c)):
        show.error(call, "clamp is not supported for complex types")
    for name in ("maximum", "minimum", "fmax", "fmin"):
        text = f"{name} not implemented for complex tensors"
        show.error(lambda name=name: getattr(torch, name)(f, c), text)
    for name in ("gelu", "elu", "softplus", "hardswish", "mish", "leaky_relu", "logsigmoid"):
        show.error(lambda name=name: getattr(F, name)(c), kernel)
    for name in ("mse_loss", "huber_loss", "smooth_l1_loss", "binary_cross_entropy"):
        show.error(lambda name=name: getattr(F, name)(c, c), kernel)
    for call in (
        lambda: torch.searchsorted(c, c), lambda: torch.bucketize(c, c), lambda: F.prelu(c, c),
    ):  # fmt: skip
        show.error(call, kernel)
    show.error(lambda: torch.isposinf(c), "isposinf does not support complex inputs")
    show.error(lambda: c.sign(), "torch.sign is not intended to support complex numbers")
    show.error(lambda: c.signbit(), "signbit is not implemented for complex tensors")
    show.error(lambda: torch.heaviside(c, c), "heaviside is not yet implemented for complex")


def case_bits_of_floats(torch, show):
    f, b, i = torch.tensor([1.0]), torch.tensor([True]), torch.tensor([6])
    for name in ("and_", "or_", "xor", "lshift", "rshift"):
        apply = getattr(operator, name)
        for left, right in ((f, f), (f, i), (f, 1), (i, f), (i, 1.5), (1, f)):
            call = lambda apply=apply, left=left, right=right: apply(left, right)  # noqa: E731
            show.error(call, "not implemented for 'Float'")
        show(apply(i, 2), apply(i, i))
    for apply in (operator.lshift, operator.rshift):
        show.error(lambda apply=apply: apply(b, b), "not implemented for 'Bool'")
    for name in ("gcd", "lcm"):
        show.error(lambda name=name: getattr(torch, name)(f, f), f'"{name}_cpu"')
        show.error(lambda name=name: getattr(torch, name)(b, b), f'"{name}_cpu"')
    for name in ("floor_divide", "remainder", "fmod"):
        show.error(lambda name=name: getattr(torch, name)(b, b), "not implemented for 'Bool'")
    for name in ("floor", "ceil", "trunc", "round"):
        show.error(lambda name=name: getattr(b, name)(), f'"{name}_vml_cpu"')
    show.error(lambda: torch.div(b, b, rounding_mode="floor"), '"div_floor_cpu"')
    show(~i, ~b)
    for x in (f, f * 1j, f.bfloat16()):
        show.error(lambda x=x: ~x, "~ (operator.invert) is only implemented on integer and Boolean")
    show.error(lambda: torch.bitwise_not(f), "\"bitwise_not_cpu\" not implemented for 'Float'")
    show.error(lambda: i.round(decimals=1), "\"round_cpu\" not implemented for 'Long'")


def case_index_of_two_dimensions(torch, show):
    x, index = torch.ones(3, 3), torch.tensor([[0, 1]])
    show.error(lambda: x.index_fill(0, index, 1.0), "Index has to be a vector/scalar")
    show.error(lambda: x.index_select(0, index), "Index is supposed to be a vector")


def case_batched_gradients_that_were_left_out(torch, show):
    x = torch.tensor([2.0], requires_grad=True)

    def batched(*roots, seeds=None):
        seeds = seeds or [None] * len(roots)
        return torch.autograd.grad(roots, x, seeds, is_grads_batched=True)

    text = "invalid gradient at index 0 - got [] but expected shape compatible with [1]"
    show.error(lambda: batched(x * 2), text)
    show.error(lambda: batched(x * 2, x * 3, seeds=[None, torch.ones(1, 1)]), text)
    show.error(lambda: batched(x * 2, x * 3, seeds=[None, torch.ones(3, 1)]))
    show.error(lambda: batched((x * 2).sum()), "Tensor of dimensionality 0 so exp")
    show.error(lambda: batched(x.expand(2) * 2), "can be implicitly created only for scalar")


def case_matrix_attributes_of_other_tensors(torch, show):
    torch.set_warn_always(True)
    try:
        for x in (torch.tensor(1 + 2j), torch.ones(3), torch.ones(2, 2), torch.ones(1, 2, 3)):
            show.warning(lambda x=x: x.T, "deprecated")
            for name in ("mT", "mH", "adjoint", "H"):

                def read(x=x, name=name):
                    found = getattr(x, name)
                    return found() if callable(found) else found

                try:
                    show(show.warning(read, "deprecated on 0-D tensors"))
                except RuntimeError as error:
                    show("is only supported on matrices" in str(error))
    finally:
        torch.set_warn_always(False)


def case_hooks_that_are_assigned(torch, show):
    def leaf():
        return torch.tensor([2.0], requires_grad=True)

    for before, hooks in ((0, {1: lambda g: g * 2}), (5, {1: lambda g: g * 2}), (5, None)):
        x = leaf()
        if before:
            x.register_hook(lambda g: g * 5)
        x._backward_hooks = hooks
        (x * 3).sum().backward()
        show(x.grad, x._backward_hooks is hooks)
    x = leaf()
    y = x * 2
    y._backward_hooks = {1: lambda g: g * 7}
    y.sum().backward()
    show(x.grad)


def case_draws(torch, show):
    F = torch.nn.functional
    f, i, c = torch.tensor([0.5, 0.7]), torch.tensor([1, 2]), torch.tensor([0.5 + 1j])
    show.error(lambda: F.rrelu(f, 0.5, 0.1), "Lower bound should be less than or equal to the")
    show.error(lambda: F.rrelu(f, 0.1, float("inf"), True), "upper bound must be finite, got inf")
    show.error(lambda: F.rrelu(i), "\"leaky_relu_cpu\" not implemented for 'Long'")
    show.error(lambda: F.rrelu(c), "\"leaky_relu_cpu\" not implemented for 'ComplexFloat'")
    show.error(lambda: F.rrelu(i, training=True), '"rrelu_with_noise_out_cpu" not implemented')
    show.error(lambda: torch.bernoulli(i), "\"bernoulli_tensor_cpu_p_\" not implemented for 'Long'")
    show.error(lambda: torch.bernoulli(c), '"bernoulli_tensor_cpu_self_" not implemented')
    show.error(lambda: c.clone().bernoulli_(0.5), '"bernoulli_scalar_cpu_" not implemented')
    show(i.clone().bernoulli_(1.0), F.rrelu(f, 0.1, 0.1))
    for x in (i, i > 1):
        show.error(lambda x=x: F.dropout(x, 0.5), "result type Float can't be cast to the desired")
        show.error(lambda x=x: F.dropout1d(x[None], 0.5), "result type Float can't be cast to the")
        show(F.dropout(x, 0.0), F.dropout(x, 0.5, training=False))
    show.error(lambda: F.dropout(c, 0.5), '"bernoulli_scalar_cpu_" not implemented for \'Complex')
    show.error(lambda: c.clone().abs_(), "In-place abs is not supported for complex tensors")
    show((f - 0.6).abs_())


def case_matrices_that_cannot_be_factored(torch, show):
    zero, one = torch.zeros(2, 2), torch.eye(2)
    for call, *args in (
        (torch.inverse, zero), (torch.linalg.inv, torch.ones(3, 3)), (torch.linalg.inv, zero[None]),
        (torch.linalg.inv, torch.stack([one, zero])), (torch.linalg.solve, zero, one[0]),
        (torch.linalg.cholesky, -one),
        (torch.linalg.inv, one), (torch.linalg.cholesky, one), (torch.linalg.solve, one, one),
    ):  # fmt: skip
        try:
            call(*args)
        except torch.linalg.LinAlgError as error:
            show(str(error).partition(" because")[0])
        else:
            show("fine")


def case_roots_of_numbers_that_have_none(torch, show):
    x = torch.tensor([-0.0, 0.0, float("-inf"), float("inf"), -1.0, 4.0])
    for dtype in (torch.float32, torch.float64):
        for exponent in (0.5, -0.5, 1.5, 2, -1, 0):
            power = x.to(dtype) ** exponent
            show(exponent, str(power.tolist()), torch.signbit(power.nan_to_num(1.0)))

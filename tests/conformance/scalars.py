"""Tensors that become Python numbers."""

import math

PHRASE = "Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior"


def case_warning_of_a_lost_gradient(torch, show):
    x = torch.tensor(2.0, requires_grad=True)
    y = x * 2
    torch.set_warn_always(True)
    try:
        show(torch.is_warn_always_enabled())
        for look in (
            lambda: float(x), lambda: float(y), lambda: complex(x), lambda: math.sqrt(x),
            lambda: torch.tensor([x, y]), lambda: torch.no_grad()(float)(x),
            lambda: int(x), lambda: x.item(), lambda: bool(x), lambda: x.tolist(),
            lambda: f"{x:.1f}", lambda: float(x.detach()), lambda: torch.ones(1).fill_(x),
        ):  # fmt: skip
            show(show.warning(look, PHRASE))
    finally:
        torch.set_warn_always(False)


def case_the_warning_comes_once(torch, show):
    x = torch.tensor(2.0, requires_grad=True)
    float(x)
    show.warning(lambda: float(x))


def case_numbers_that_do_not_fit(torch, show):
    x = torch.ones(2, requires_grad=True)
    show.error(lambda: float(x), "only one element tensors can be converted to Python scalars")
    show.error(x.item, "a Tensor with 2 elements cannot be converted to Scalar")
    show.error(lambda: x[0].__index__(), "only integer tensors of a single element")
    z = torch.tensor(1 + 2j)
    show.error(lambda: float(z), "value cannot be converted to type double without overflow")
    show.error(lambda: int(z), "value cannot be converted to type int64_t without overflow")
    show(float(torch.tensor(1 + 0j)), int(torch.tensor(3 + 0j)), complex(z))


def case_copies_that_warn(torch, show):
    x = torch.ones(1, requires_grad=True)
    phrase = "To copy construct from a tensor, it is recommended to use sourceTensor"
    for make in (torch.tensor, torch.as_tensor, x.new_tensor, torch.ones(1).new_tensor):
        made = show.warning(lambda make=make: make(x), phrase)
        show(made.requires_grad, made.is_leaf)

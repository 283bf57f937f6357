"""Forward mode: dtypes of tangents, ops that are constant or have no formula, levels."""


def pushed(torch, f, x, t):
    """The value and the tangent of ``f`` at the dual tensor of ``x`` and ``t``."""
    with torch.autograd.forward_ad.dual_level():
        made = torch.autograd.forward_ad.make_dual(x.clone(), t.clone())
        return tuple(torch.autograd.forward_ad.unpack_dual(f(made)))


OPS = (
    lambda torch, d: d, lambda torch, d: d * d, lambda torch, d: d.sum(), lambda torch, d: d.exp(),
    lambda torch, d: torch.cat([d, d]), lambda torch, d: d.double(), lambda torch, d: d[1:],
    lambda torch, d: d.view(3, 1) * torch.ones(3, 1), lambda torch, d: d.mul_(3),
    lambda torch, d: torch.ones(3).mul_(d), lambda torch, d: d / torch.ones(3),
    lambda torch, d: d.softmax(0), lambda torch, d: d.clone(), lambda torch, d: d.cumsum(0),
)  # fmt: skip


def case_dtypes(torch, show):
    x = torch.tensor([1.0, 2.0, 3.0])
    for dtype in (torch.float64, torch.float16, torch.bfloat16):
        t = torch.tensor([1.0, 0.5, -1.0], dtype=dtype)
        for op in OPS:
            show(pushed(torch, lambda d, op=op: op(torch, d), x, t))
            show(torch.func.jvp(lambda d, op=op: op(torch, d), (x.clone(),), (t,)))
    wide = torch.tensor([1.0, 0.5, -1.0])
    show(pushed(torch, lambda d: d * d, x.double(), wide), pushed(torch, torch.sum, x.half(), wide))


def case_draws_do_not_move(torch, show):
    x = torch.tensor([0.25, 0.5, 0.75])
    for draw in (
        torch.poisson, torch.bernoulli, lambda d: torch.normal(d, 1.0),
        lambda d: torch.normal(0.0, d), lambda d: d.normal_(), lambda d: d.exponential_(),
        lambda d: (d[:2].uniform_(), d)[1], lambda d: d.clone().cauchy_(),
        lambda d: d.clone().geometric_(0.5), lambda d: d.clone().random_(9),
    ):  # fmt: skip
        torch.manual_seed(0)
        show(pushed(torch, draw, x, x), torch.func.jvp(draw, (x.clone(),), (x,))[1])


def case_no_formula(torch, show):
    x, special = torch.tensor([0.5, 1.5]), torch.special
    rows = x.view(1, 2)
    label, mask = torch.tensor([0]), torch.tensor([[1, 0]])
    functions = torch.nn.functional
    for call, name in (
        (lambda d: torch.igamma(d, x), "igamma"), (lambda d: torch.igammac(x, d), "igammac"),
        (lambda d: special.zeta(d + 1, x), "special_zeta"),
        (lambda d: torch.cdist(d[None], rows), "_cdist_forward"),
        (lambda d: functions.pdist(d[:, None]), "_pdist_forward"),
        (lambda d: functions.multi_margin_loss(d[None], label), "multi_margin_loss"),
        (lambda d: functions.multilabel_margin_loss(d[None], mask), "multilabel_margin_loss"),
        (lambda d: d.index_reduce(0, label, d[:1], "prod"), "index_reduce"),
        (lambda d: torch.floor_divide(d, 2), "aten::floor_divide"),
        (lambda d: torch.heaviside(d, x), "aten::heaviside"),
        (lambda d: functions.grid_sample(d.view(1, 1, 1, 2), torch.zeros(1, 1, 1, 2)),
         "grid_sampler_2d"),
        (lambda d: torch.geqrf(d[:, None])[0], "geqrf"),
    ):  # fmt: skip
        phrase = f"Trying to use forward AD with {name}"
        show.error(lambda call=call: pushed(torch, call, x, x), phrase)


def case_no_derivative_of_one_input(torch, show):
    for f, name in (
        (torch.igamma, "igamma: input"), (torch.igammac, "igammac: input"),
        (torch.special.zeta, "zeta"),
    ):  # fmt: skip
        a, b = (torch.tensor([1.5, 2.5], requires_grad=True) for _ in range(2))
        y = f(a, b)
        show(y, torch.autograd.grad(y.sum(), b, retain_graph=True))
        show.error(y.sum().backward, f"the derivative for '{name}' is not implemented.")
        show.error(lambda f=f, b=b: f(a, b).sum().backward(), "is not implemented.")  # noqa: B023


def case_levels(torch, show):
    forward, x = torch.autograd.forward_ad, torch.tensor([1.0, 2.0])
    with forward.dual_level():
        d = forward.make_dual(x, x)
        show.error(lambda: forward.unpack_dual(d, level=2), "Invalid level given to _fw_primal")
        phrase = "Setting a forward grad that itself has a forward gradient at the same level"
        show.error(lambda: forward.make_dual(x.clone(), forward.make_dual(x.clone(), x)), phrase)
        with forward._set_fwd_grad_enabled(False):
            show(forward.unpack_dual(d).tangent, forward.unpack_dual(d * 2).tangent)
        show(forward.unpack_dual(d).tangent)


def case_sources_larger_than_the_index(torch, show):
    x, index = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0])
    for f in (
        lambda d: d.scatter(0, index, d[1:]), lambda d: d.scatter_add(0, index, d[1:]),
        lambda d: d.scatter_reduce(0, index, d[1:], "amax"),
        lambda d: torch.zeros(3, 3).scatter(0, torch.tensor([[0, 1]]), torch.outer(d, d)),
    ):  # fmt: skip
        show(torch.func.jvp(f, (x,), (x,)))
        w = x.clone().requires_grad_()
        show.error(f(w).sum().backward, "returned an invalid gradient at index")

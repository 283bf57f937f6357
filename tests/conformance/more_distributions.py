"""`torch.distributions`: powers and ratios of others, angles, matrices."""


def made(torch, a, b):
    D = torch.distributions
    return (
        D.Weibull(a, b), D.Pareto(a, b), D.HalfCauchy(a), D.Kumaraswamy(a, b), D.InverseGamma(a, b),
        D.FisherSnedecor(a, b), D.VonMises(a, b), D.VonMises(a, a / 1e6),
        D.LowRankMultivariateNormal(a, torch.ones(2, 1) * b[0], b),
        D.Wishart(b[0] + 3, torch.diag(a + 1)),
    )  # fmt: skip


def pair(torch):
    return (torch.tensor(v, requires_grad=True) for v in ([0.5, 3.0], [2.5, 5.0]))


def case_draws_and_densities(torch, show):
    for number in range(10):
        a, b = pair(torch)
        d = made(torch, a, b)[number]
        torch.manual_seed(3)
        x = d.sample((4,))
        y = d.log_prob(x)
        show(type(d).__name__, repr(d), x, y, torch.rand(1), d.batch_shape, d.event_shape)
        show(torch.autograd.grad(y.sum(), (a, b), allow_unused=True), str(d.support))
        show(d.mean, d.mode, d.variance, d.has_rsample, d.expand((3, 2)).mean.shape)


def case_entropies_and_distribution_functions(torch, show):
    a, b = pair(torch)
    for d in made(torch, a, b):
        for call in (
            lambda d=d: d.entropy(), lambda d=d: d.cdf(torch.tensor([0.4, 4.0])),
            lambda d=d: d.icdf(torch.tensor([0.4, 0.6])),
        ):  # fmt: skip
            try:
                show(call())
            except (NotImplementedError, ValueError) as error:
                show(type(error).__name__)


def case_gradients_of_draws(torch, show):
    for number in (0, 1, 2, 3, 4, 5, 8):
        a, b = pair(torch)
        torch.manual_seed(1)
        x = made(torch, a, b)[number].rsample((3,))
        show(x, torch.autograd.grad(x.sum(), (a, b), allow_unused=True))


def case_refused(torch, show):
    D = torch.distributions
    for make in (
        lambda: D.Weibull(-1.0, 1.0), lambda: D.Pareto(1.0, -1.0), lambda: D.HalfCauchy(-1.0),
        lambda: D.Kumaraswamy(0.0, 1.0), lambda: D.InverseGamma(1.0, -1.0),
        lambda: D.FisherSnedecor(0.0, 1.0), lambda: D.VonMises(0.0, 0.0),
        lambda: D.Wishart(torch.tensor(3.0)), lambda: D.Wishart(0.5, torch.eye(2)),
        lambda: D.LowRankMultivariateNormal(torch.zeros(2), torch.ones(3, 1), torch.ones(2)),
    ):  # fmt: skip
        show.error(make)

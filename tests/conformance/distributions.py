"""`torch.distributions`: draws, densities, divergences, what is refused, what is printed."""


def case_draws(torch, show):
    D = torch.distributions
    torch.manual_seed(0)
    two = torch.tensor([0.5, 3.0])
    for d in (
        D.Normal(two, two), D.Uniform(0.0, two), D.Bernoulli(torch.tensor([0.2, 0.9])),
        D.Categorical(torch.tensor([[0.2, 0.8], [0.5, 0.5]])), D.Exponential(two),
        D.Laplace(0.0, two), D.Cauchy(0.0, two), D.Gumbel(0.0, two), D.LogNormal(0.0, two),
        D.HalfNormal(two), D.Geometric(torch.tensor([0.3, 0.6])), D.Gamma(two, two),
        D.Beta(two, two), D.Dirichlet(two), D.Poisson(torch.tensor([0.5, 30.0])),
        D.StudentT(two), D.Multinomial(5, two), D.OneHotCategorical(two),
        D.MultivariateNormal(two, torch.eye(2)),
        D.MixtureSameFamily(D.Categorical(two), D.Normal(two, 1.0)),
    ):  # fmt: skip
        x = d.sample((3,))
        show(type(d).__name__, d, x, d.log_prob(x), d.batch_shape, d.event_shape)


def case_gradients_of_draws_and_densities(torch, show):
    D = torch.distributions
    torch.manual_seed(1)
    a = torch.tensor([0.3, 0.7], requires_grad=True)
    for d in (
        D.Normal(a, a.exp()), D.Laplace(a, a.exp()), D.Independent(D.Normal(a, 1.0), 1),
        D.TransformedDistribution(D.Normal(a, 1.0), [D.TanhTransform(cache_size=1)]),
        D.MultivariateNormal(a, scale_tril=torch.eye(2) * a), D.Uniform(a - 1, a),
    ):  # fmt: skip
        x = d.rsample()
        show(x, torch.autograd.grad(d.log_prob(x).sum(), a, retain_graph=True, allow_unused=True))
        show(torch.autograd.grad(x.sum(), a))


def case_divergences(torch, show):
    D = torch.distributions
    one, two = torch.tensor([0.3, 0.7]), torch.tensor([0.6, 0.4])
    for kind in (D.Bernoulli, D.Categorical, D.Dirichlet, D.Exponential, D.Geometric, D.Poisson,
                 D.OneHotCategorical):  # fmt: skip
        show(kind.__name__, D.kl_divergence(kind(one), kind(two)), kind(one).entropy()
             if kind is not D.Poisson else None)  # fmt: skip
    for kind in (D.Normal, D.Laplace, D.Gumbel, D.Gamma, D.Beta):
        show(kind.__name__, D.kl_divergence(kind(one, two), kind(two, one)),
             kind(one, two).entropy())  # fmt: skip
    show(D.kl_divergence(D.MultivariateNormal(one, torch.eye(2)),
                         D.MultivariateNormal(two, 2 * torch.eye(2))))  # fmt: skip


def case_what_is_refused(torch, show):
    D = torch.distributions
    for make in (
        lambda: D.Normal(0.0, -1.0), lambda: D.Categorical(torch.ones(3)).log_prob(torch.tensor(5)),
        lambda: D.Bernoulli(0.3).log_prob(torch.tensor(0.5)), lambda: D.Uniform(1.0, 0.0),
        lambda: D.Categorical(), lambda: D.Normal("a", 1.0),
    ):  # fmt: skip
        try:
            show(make())
        except ValueError as error:
            show("ValueError", str(error).split("\n")[0][:60])
    show(D.Normal(0.0, -1.0, validate_args=False))


def case_gradients_of_draws(torch, show):
    """By the implicit reparameterization: its series, its expansion and its rational function."""
    D = torch.distributions
    for size in (0.5, 3.0, 12.0, 200.0):
        torch.manual_seed(0)
        a = torch.linspace(0.6, 1.9, 12, dtype=torch.float64).reshape(4, 3).mul(size)
        a.requires_grad_()
        for draw in (D.Dirichlet(a).rsample(), D.Beta(a, a * 0.5).rsample((2,)),
                     D.Gamma(a, torch.ones_like(a)).rsample()):  # fmt: skip
            (grad,) = torch.autograd.grad(draw.square().sum(), a, create_graph=True)
            show(draw, grad)
            try:
                torch.autograd.grad(grad.sum(), a)
            except RuntimeError as error:  # NotImplementedError is one
                show(type(error).__name__, str(error).split(".")[0])

"""Orthogonal polynomials, Bessel functions and Airy's: no derivatives; dtypes and bounds."""

POLYNOMIALS = """
chebyshev_polynomial_t chebyshev_polynomial_u chebyshev_polynomial_v chebyshev_polynomial_w
shifted_chebyshev_polynomial_t shifted_chebyshev_polynomial_u shifted_chebyshev_polynomial_v
shifted_chebyshev_polynomial_w hermite_polynomial_h hermite_polynomial_he laguerre_polynomial_l
legendre_polynomial_p
""".split()
BESSEL = """
airy_ai bessel_j0 bessel_j1 bessel_y0 bessel_y1 modified_bessel_i0 modified_bessel_i1
modified_bessel_k0 modified_bessel_k1 scaled_modified_bessel_k0 scaled_modified_bessel_k1
spherical_bessel_j0
""".split()


def case_polynomials(torch, show):
    x = torch.tensor([-1.5, -1.0, -0.5, 0.0, 0.25, 0.5, 1.0, 2.0])
    for name in POLYNOMIALS:
        f = getattr(torch.special, name)
        for n in (-1, 0, 1, 3, 9, 12.0, torch.tensor(4.5), torch.tensor([2])):
            show(name, f(x, n), f(x.double(), n))
        show(f(0.5, torch.arange(12)), f(torch.arange(3), 2), f(x.requires_grad_(), 2))
        show.error(lambda f=f, x=x: f(x.half(), 2), f"\"{name}_cpu\" not implemented for 'Half'")
        show(torch.vmap(lambda t, f=f: f(t, 3))(x.detach()))
        x = x.detach()


def case_bessel(torch, show):
    inf = float("inf")
    x = torch.tensor([-2.0, -0.0, 0.0, 1e-3, 0.5, 1.0, 4.0, inf, -inf, float("nan")])
    for name in BESSEL:
        f = getattr(torch.special, name)
        show(name, f(x), f(x[:7].double()), f(torch.arange(3)), f(torch.tensor(0.5)))
        show(f(x.requires_grad_()).requires_grad, f(torch.ones(0)), torch.vmap(f)(x.detach()))
        show.error(
            lambda f=f, x=x: f(x.bfloat16()), f"\"{name}_cpu\" not implemented for 'BFloat16'"
        )
        x = x.detach()


def case_erfcx(torch, show):
    x = torch.tensor([-1.0, 0.0, 0.5, 3.0], dtype=torch.float64, requires_grad=True)
    y = torch.special.erfcx(x)
    (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    show(y, g, torch.autograd.grad(g.sum(), x))
    show(torch.func.jvp(torch.special.erfcx, (x.detach(),), (torch.ones(4).double(),)))

"""Examples of special functions and of others that are made from tables.

>>> import stateful as torch

nn.functional.fractional_max_pool2d
    >>> torch.nn.functional.fractional_max_pool2d(torch.ones(1, 4, 4), 2, output_size=2)
    tensor([[[1., 1.],
             [1., 1.]]])

nn.functional.fractional_max_pool2d_with_indices
    >>> x = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    >>> torch.nn.functional.fractional_max_pool2d_with_indices(x, 2, output_size=1)
    (tensor([[[4.]]]), tensor([[[3]]]))

nn.functional.fractional_max_pool3d
    >>> torch.nn.functional.fractional_max_pool3d(torch.ones(1, 4, 4, 4), 2, output_size=1)
    tensor([[[[1.]]]])

nn.functional.fractional_max_pool3d_with_indices
    >>> x = torch.ones(1, 3, 3, 3)
    >>> torch.nn.functional.fractional_max_pool3d_with_indices(x, 1, output_size=1)
    (tensor([[[[1.]]]]), tensor([[[[26]]]]))

special.airy_ai
    >>> torch.special.airy_ai(torch.tensor([0.5, 2.0]))
    tensor([0.2317, 0.0349])

special.bessel_j0
    >>> torch.special.bessel_j0(torch.tensor([0.5, 2.0]))
    tensor([0.9385, 0.2239])

special.bessel_j1
    >>> torch.special.bessel_j1(torch.tensor([0.5, 2.0]))
    tensor([0.2423, 0.5767])

special.bessel_y0
    >>> torch.special.bessel_y0(torch.tensor([0.5, 2.0]))
    tensor([-0.4445,  0.5104])

special.bessel_y1
    >>> torch.special.bessel_y1(torch.tensor([0.5, 2.0]))
    tensor([-1.4715, -0.1070])

special.chebyshev_polynomial_t
    >>> torch.special.chebyshev_polynomial_t(torch.tensor([0.25, 2.0]), 3)
    tensor([-0.6875, 26.0000])

special.chebyshev_polynomial_u
    >>> torch.special.chebyshev_polynomial_u(torch.tensor([0.25, 2.0]), 3)
    tensor([-0.8750, 56.0000])

special.chebyshev_polynomial_v
    >>> torch.special.chebyshev_polynomial_v(torch.tensor([0.25, 2.0]), 3)
    tensor([-0.1250, 41.0000])

special.chebyshev_polynomial_w
    >>> torch.special.chebyshev_polynomial_w(torch.tensor([0.25, 2.0]), 3)
    tensor([-1.6250, 71.0000])

special.erfcx
    >>> torch.special.erfcx(torch.tensor([0.5, 2.0]))
    tensor([0.6157, 0.2554])

special.hermite_polynomial_h
    >>> torch.special.hermite_polynomial_h(torch.tensor([0.25, 2.0]), 3)
    tensor([-2.8750, 40.0000])

special.hermite_polynomial_he
    >>> torch.special.hermite_polynomial_he(torch.tensor([0.25, 2.0]), 3)
    tensor([-0.7344,  2.0000])

special.laguerre_polynomial_l
    >>> torch.special.laguerre_polynomial_l(torch.tensor([0.25, 2.0]), 3)
    tensor([ 0.3411, -0.3333])

special.legendre_polynomial_p
    >>> torch.special.legendre_polynomial_p(torch.tensor([0.25, 2.0]), 3)
    tensor([-0.3359, 17.0000])

special.modified_bessel_i0
    >>> torch.special.modified_bessel_i0(torch.tensor([0.5, 2.0]))
    tensor([1.0635, 2.2796])

special.modified_bessel_i1
    >>> torch.special.modified_bessel_i1(torch.tensor([0.5, 2.0]))
    tensor([0.2579, 1.5906])

special.modified_bessel_k0
    >>> torch.special.modified_bessel_k0(torch.tensor([0.5, 2.0]))
    tensor([0.9244, 0.1139])

special.modified_bessel_k1
    >>> torch.special.modified_bessel_k1(torch.tensor([0.5, 2.0]))
    tensor([1.6564, 0.1399])

special.scaled_modified_bessel_k0
    >>> torch.special.scaled_modified_bessel_k0(torch.tensor([0.5, 2.0]))
    tensor([1.5241, 0.8416])

special.scaled_modified_bessel_k1
    >>> torch.special.scaled_modified_bessel_k1(torch.tensor([0.5, 2.0]))
    tensor([2.7310, 1.0335])

special.shifted_chebyshev_polynomial_t
    >>> torch.special.shifted_chebyshev_polynomial_t(torch.tensor([0.25, 2.0]), 3)
    tensor([ 1., 99.])

special.shifted_chebyshev_polynomial_u
    >>> torch.special.shifted_chebyshev_polynomial_u(torch.tensor([0.25, 2.0]), 3)
    tensor([  1., 204.])

special.shifted_chebyshev_polynomial_v
    >>> torch.special.shifted_chebyshev_polynomial_v(torch.tensor([0.25, 2.0]), 3)
    tensor([  1., 169.])

special.shifted_chebyshev_polynomial_w
    >>> torch.special.shifted_chebyshev_polynomial_w(torch.tensor([0.25, 2.0]), 3)
    tensor([  1., 239.])

special.spherical_bessel_j0
    >>> torch.special.spherical_bessel_j0(torch.tensor([0.5, 2.0]))
    tensor([0.9589, 0.4546])
"""

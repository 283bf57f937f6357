"""Derivatives of derivatives: create_graph=True writes backward itself on the tape."""

import math

import torch

# The Taylor coefficients of tanh at 0.5, one autograd.grad at a time.
x = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
derivative = torch.tanh(x)
for order in range(5):
    print(f"tanh^({order}) / {order}!  {derivative.item() / math.factorial(order):.8f}")
    (derivative,) = torch.autograd.grad(derivative, x, create_graph=True)

# The gradient of the squared length of a gradient.
torch.manual_seed(8)
matrix = torch.randn(3, 3, dtype=torch.float64)
v = torch.randn(3, dtype=torch.float64, requires_grad=True)
energy = (matrix @ v).sin().sum()
(slope,) = torch.autograd.grad(energy, v, create_graph=True)
penalty = slope.pow(2).sum()
penalty.backward()
print("gradient penalty", [f"{g:.6f}" for g in v.grad.tolist()])

# A Hessian, row by row, and its product with a vector without ever building it.
energy = (matrix @ v).sin().sum()
(slope,) = torch.autograd.grad(energy, v, create_graph=True)
rows = []
for component in slope.unbind():
    (row,) = torch.autograd.grad(component, v, retain_graph=True)
    rows.append(row)
hessian = torch.stack(rows)
direction = torch.tensor([1.0, -1.0, 2.0], dtype=torch.float64)
(product,) = torch.autograd.grad(slope, v, grad_outputs=direction)
print("Hessian diagonal", [f"{h:.6f}" for h in hessian.diagonal().tolist()])
print("times direction ", [f"{p:.6f}" for p in product.tolist()])
print("the same either way:", torch.allclose(hessian @ direction, product))

# What takes no part in a result has no gradient: an error, unless one asks for zeros.
unused = torch.ones(2, dtype=torch.float64, requires_grad=True)
total = v.sum()
(zeros,) = torch.autograd.grad(total, [unused], materialize_grads=True)
print("unused:", zeros.tolist())

"""backward(gradient) for results that are no scalars, and a loop whose length depends on data."""

import torch

torch.manual_seed(4)

# A vector result: backward(v) computes v^T J.
x = torch.randn(3, requires_grad=True)
y = x**2 + x.sum()
y.backward(torch.tensor([1.0, 0.1, 0.01]))
print("vector    x.grad", [f"{g:.5f}" for g in x.grad.tolist()])

# A matrix result: the gradient has the matrix's shape.
a = torch.tensor([[0.0, 1.0], [2.0, 3.0]], requires_grad=True)
b = torch.tensor([[1.0, 2.0], [1.0, 3.0]], requires_grad=True)
product = a @ b
product.backward(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
print("matrix    a.grad", a.grad.tolist())
print("matrix    b.grad", b.grad.tolist())

# Without it there is no gradient to start from.
try:
    (x * 2).backward()
except RuntimeError as error:
    print("no gradient argument:", "only for scalar outputs" in str(error))

# How often this loop runs is known only when it has run.
x = torch.randn(3, requires_grad=True)
y = x * 2
doublings = 1
while y.norm() < 1000:
    y = y * 2
    doublings += 1
y.backward(torch.tensor([0.1, 1.0, 0.0001]))
print("doublings", doublings)
print("loop      x.grad", [f"{g:.5f}" for g in x.grad.tolist()])

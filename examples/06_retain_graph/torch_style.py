"""backward() frees what it used; retain_graph=True keeps it for another one."""

import torch

x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
w = torch.tensor([0.5, -1.0, 0.25], requires_grad=True)

y = (x * w).tanh().sum()
y.backward()
print("first backward   x.grad", [f"{g:.5f}" for g in x.grad.tolist()])
try:
    y.backward()
except RuntimeError as error:
    print("second backward:", "second time" in str(error))

# Keeping the graph: two passes, and the gradients of both are added.
x.grad = None
w.grad = None
y = (x * w).tanh().sum()
y.backward(retain_graph=True)
y.backward()
print("two passes       x.grad", [f"{g:.5f}" for g in x.grad.tolist()])

# Two heads on one trunk: the first pass must leave the trunk for the second.
x.grad = None
w.grad = None
trunk = (x * w).exp()
first = trunk.sum()
second = trunk.prod()
first.backward(retain_graph=True)
print("first head       w.grad", [f"{g:.4f}" for g in w.grad.tolist()])
second.backward()
print("and second head  w.grad", [f"{g:.4f}" for g in w.grad.tolist()])

# A graph that saved nothing has nothing to free: a sum may be walked as often as one likes.
x.grad = None
total = x.sum()
total.backward()
total.backward()
print("sum, twice       x.grad", x.grad.tolist())

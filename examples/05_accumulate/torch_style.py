"""Gradients add up in .grad until somebody clears them: a feature, and a trap."""

import torch

torch.manual_seed(5)

x = torch.randn(12, 3)
y = x @ torch.tensor([1.0, -2.0, 3.0]) + 0.5
w = torch.zeros(3, requires_grad=True)
b = torch.zeros(1, requires_grad=True)


def loss_of(x, y):
    return (x @ w + b - y).pow(2).mean()


def show(what):
    print(f"{what:22s} w.grad {[f'{g:.3f}' for g in w.grad.tolist()]}  b.grad {b.grad.item():.3f}")


# The trap: a second backward adds to the first.
loss = loss_of(x, y)
loss.backward()
show("one backward")
loss = loss_of(x, y)
loss.backward()
show("two without clearing")

# Clearing: either fill the tensors with zeros, or drop them.
w.grad.zero_()
b.grad.zero_()
show("zeroed in place")
w.grad = None
b.grad = None
print("dropped                w.grad", w.grad)

# The feature: three small batches make the gradient of one large batch.
for part in range(3):
    rows = slice(4 * part, 4 * part + 4)
    loss = loss_of(x[rows], y[rows]) / 3
    loss.backward()
show("three batches of four")

# The usual loop: four batches' worth of memory, twelve rows' worth of gradient.
optimizer = torch.optim.SGD([w, b], lr=0.1)
for _ in range(8):
    optimizer.zero_grad()
    for part in range(3):
        rows = slice(4 * part, 4 * part + 4)
        loss = loss_of(x[rows], y[rows]) / 3
        loss.backward()
    optimizer.step()
print("after 8 steps          w", [f"{v:.3f}" for v in w.tolist()], f" b {b.item():.3f}")

"""Several losses at once: four ways to weight them, one gradient."""

import torch

torch.manual_seed(7)

x = torch.randn(6, 4)
target = torch.randn(6)
w = torch.randn(4, requires_grad=True)
weights = torch.tensor([1.0, 0.1])


def losses():
    fit = (x @ w - target).pow(2).mean()
    size = w.abs().sum()
    return fit, size


def show(what):
    print(f"{what:16s} {[f'{g:.5f}' for g in w.grad.tolist()]}")
    w.grad = None


# 1. One root that is their weighted sum.
fit, size = losses()
loss = weights[0] * fit + weights[1] * size
loss.backward()
show("weighted sum")

# 2. Several roots, and a weight for each.
fit, size = losses()
torch.autograd.backward([fit, size], grad_tensors=[weights[0], weights[1]])
show("grad_tensors")

# 3. A vector of losses, and the weights as its gradient.
fit, size = losses()
both = torch.stack([fit, size])
both.backward(gradient=weights)
show("stacked")

# 4. One after the other: .grad adds them up.
fit, size = losses()
fit.backward()
weighted = weights[1] * size
weighted.backward()
show("one by one")

# A frozen branch: detach() takes a loss's influence away and leaves its value.
fit, size = losses()
ratio = fit / size.detach()
ratio.backward()
show("detached scale")

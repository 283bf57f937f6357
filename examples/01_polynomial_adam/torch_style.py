"""Fit a cubic polynomial to a stream of noisy samples with Adam."""

import torch

torch.manual_seed(1)

coefficients = torch.randn(4, requires_grad=True)
optimizer = torch.optim.Adam([coefficients], lr=0.1)


def sample(count):
    """Points between -2 and 2, and the values of the hidden polynomial there, with noise."""
    x = 4 * torch.rand(count) - 2
    y = 1 - 2 * x + 0.5 * x**3 + 0.5 * torch.randn(count)
    return x, y


for step in range(150):
    x, y = sample(50)
    powers = torch.stack([torch.ones_like(x), x, x**2, x**3], dim=1)
    prediction = powers @ coefficients
    loss = torch.nn.functional.mse_loss(prediction, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 15 == 0:
        print(f"step {step:3d}  loss {loss.item():.5f}")

print("fitted", [f"{c:.3f}" for c in coefficients.tolist()])

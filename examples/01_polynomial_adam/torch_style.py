"""Fit a cubic polynomial to noisy samples with Adam."""

import torch

torch.manual_seed(1)

x = 4 * torch.rand(100) - 2
noise = 0.1 * torch.randn(100)
y = 1 - 2 * x + 0.5 * x**3 + noise

powers = torch.stack([torch.ones_like(x), x, x**2, x**3], dim=1)
coefficients = torch.randn(4, requires_grad=True)
optimizer = torch.optim.Adam([coefficients], lr=0.1)

for step in range(200):
    prediction = powers @ coefficients
    loss = torch.nn.functional.mse_loss(prediction, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 20 == 0:
        print(f"step {step:3d}  loss {loss.item():.5f}")

print("fitted", [round(c, 3) for c in coefficients.tolist()])

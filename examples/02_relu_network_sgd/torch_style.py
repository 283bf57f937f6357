"""A two-layer ReLU network whose two weight matrices learn at different rates."""

import sys

import torch

try:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
except ImportError:
    plt = None

torch.manual_seed(2)

x = torch.randn(64, 10)
y = torch.sin(x[:, :3]) + x[:, 3:6] * x[:, 6:9]

w1 = (0.3 * torch.randn(10, 40)).requires_grad_()
w2 = (0.3 * torch.randn(40, 3)).requires_grad_()
optimizer = torch.optim.SGD(
    [{"params": [w1], "momentum": 0.9}, {"params": [w2], "lr": 0.02}],
    lr=0.05,
)

losses = []
for _ in range(150):
    hidden = x.mm(w1).clamp(min=0)
    prediction = hidden.mm(w2)
    loss = (prediction - y).pow(2).mean()
    losses.append(loss.item())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

for step in [0, 1, 2, 5, 10, 20, 50, 100, 149]:
    print(f"step {step:3d}  loss {losses[step]:.5f}")

if plt is None:
    print("no picture: matplotlib is not installed", file=sys.stderr)
else:
    plt.figure(figsize=(6, 4))
    plt.plot(losses)
    plt.yscale("log")
    plt.xlabel("step")
    plt.ylabel("mean squared error")
    plt.title("Two-layer ReLU network, SGD with two parameter groups")
    plt.savefig("relu_network_loss.png", dpi=120)
    plt.close()

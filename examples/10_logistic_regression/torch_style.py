"""Logistic regression: nn.Module, BCELoss, SGD with momentum, and the line it learns."""

import sys

import torch
from torch import nn

try:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
except ImportError:
    plt = None

torch.manual_seed(10)

count = 80
spread = torch.tensor([[1.0, 0.6], [0.0, 0.8]])
class_0 = torch.randn(count, 2) @ spread + torch.tensor([-1.0, 1.0])
class_1 = torch.randn(count, 2) @ spread + torch.tensor([1.5, 0.0])
points = torch.cat([class_0, class_1])
labels = torch.cat([torch.zeros(count), torch.ones(count)])


class LogisticRegression(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 1)
        self.sigmoid = nn.Sigmoid()

    def forward(self, points):
        return self.sigmoid(self.linear(points)).squeeze(1)


model = LogisticRegression()
loss_function = nn.BCELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

for step in range(101):
    probability = model(points)
    loss = loss_function(probability, labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 20 == 0:
        accuracy = ((probability > 0.5).float() == labels).float().mean()
        print(f"step {step:3d}  loss {loss.item():.5f}  accuracy {accuracy.item():.4f}")

(slope_x, slope_y), (offset,) = model.linear.weight[0].tolist(), model.linear.bias.tolist()
print(f"boundary: {slope_x:+.4f} x {slope_y:+.4f} y {offset:+.4f} = 0")

if plt is None:
    print("no picture: matplotlib is not installed", file=sys.stderr)
else:
    plt.figure(figsize=(5, 5))
    plt.scatter(*class_0.T.tolist(), label="class 0")
    plt.scatter(*class_1.T.tolist(), label="class 1")
    left, right = points[:, 0].min().item(), points[:, 0].max().item()
    ends = [-(slope_x * end + offset) / slope_y for end in (left, right)]
    plt.plot([left, right], ends, color="black", label="probability 1/2")
    plt.ylim(points[:, 1].min().item() - 0.5, points[:, 1].max().item() + 0.5)
    plt.legend()
    plt.savefig("logistic_regression_boundary.png", dpi=120)
    plt.close()

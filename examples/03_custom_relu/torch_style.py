"""A ReLU with its own backward rule, and why its value at exactly zero matters."""

import torch


class GenerousReLU(torch.autograd.Function):
    """A ReLU that lets the gradient through at zero, where torch.relu stops it."""

    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return input.clamp(min=0)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        grad_input = grad_output.clone()
        grad_input[input < 0] = 0
        return grad_input


rules = [
    ("generous", GenerousReLU.apply),
    ("relu", torch.relu),
    ("clamp", lambda input: input.clamp(min=0)),
]

for name, relu in rules:
    z = torch.tensor([-1.0, 0.0, 1.0], requires_grad=True)
    total = relu(z).sum()
    total.backward()
    print(f"{name:9s} gradient at -1, 0, 1: {z.grad.tolist()}")

# A layer that starts at zero gives only zeros: here a whole network waits at the kink.
for name, relu in rules:
    torch.manual_seed(3)
    x = torch.randn(32, 4)
    y = x.abs().sum(dim=1, keepdim=True)
    w1 = torch.zeros(4, 16, requires_grad=True)
    w2 = (0.25 * torch.randn(16, 1)).requires_grad_()
    for _ in range(20):
        loss = (relu(x.mm(w1)).mm(w2) - y).pow(2).mean()
        loss.backward()
        with torch.no_grad():
            w1 -= 0.02 * w1.grad
            w2 -= 0.02 * w2.grad
            w1.grad.zero_()
            w2.grad.zero_()
    print(f"{name:9s} loss after 20 steps {loss.item():.4f}")

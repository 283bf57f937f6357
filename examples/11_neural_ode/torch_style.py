"""A neural ODE: backpropagation through the solver's steps beside the adjoint equation."""

import math
import sys

import torch

try:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
except ImportError:
    plt = None

torch.manual_seed(11)


def field(y, w1, b1, w2, b2):
    """The learned velocity at the points y: a small network."""
    return torch.tanh(y @ w1 + b1) @ w2 + b2


def runge_kutta(velocity, state, step, steps):
    """Classical Runge-Kutta of order four on a list of tensors."""

    def moved(slopes, by):
        return [value + by * slope for value, slope in zip(state, slopes, strict=True)]

    for _ in range(steps):
        k1 = velocity(state)
        k2 = velocity(moved(k1, step / 2))
        k3 = velocity(moved(k2, step / 2))
        k4 = velocity(moved(k3, step))
        stages = zip(k1, k2, k3, k4, strict=True)
        mean = [(a + 2 * b + 2 * c + d) / 6 for a, b, c, d in stages]
        state = moved(mean, step)
    return state


def solve(y, steps, *parameters):
    """Follow the field from time 0 to time 1; every operation goes on the tape."""
    return runge_kutta(lambda state: [field(state[0], *parameters)], [y], 1 / steps, steps)[0]


class SolveAdjoint(torch.autograd.Function):
    """The same solution; its gradient is a second equation, solved backwards in time."""

    @staticmethod
    def forward(ctx, y, steps, *parameters):
        end = solve(y, steps, *parameters)
        ctx.steps = steps
        ctx.save_for_backward(end, *parameters)
        return end

    @staticmethod
    def backward(ctx, grad_end):
        end, *parameters = ctx.saved_tensors

        def velocity(state):
            y, adjoint, *_ = state
            with torch.enable_grad():
                y = y.detach().requires_grad_()
                inputs = [y] + [p.detach().requires_grad_() for p in parameters]
                slope = field(*inputs)
                pulled = torch.autograd.grad(slope, inputs, -adjoint)
            return [slope.detach(), *pulled]

        start = [end, grad_end] + [torch.zeros_like(p) for p in parameters]
        _, grad_y, *grads = runge_kutta(velocity, start, -1 / ctx.steps, ctx.steps)
        return grad_y, None, *grads


def saved_bytes(root):
    """How many bytes of tensors the tape behind a result keeps for backward."""
    seen, kept, stack = set(), {}, [root.grad_fn]
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        saved = [getattr(node, name) for name in dir(node) if name.startswith("_saved_")]
        for value in [*saved, *getattr(node, "saved_tensors", ())]:
            if isinstance(value, torch.Tensor):
                kept[value.data_ptr()] = value.numel() * value.element_size()
        stack += [parent for parent, _ in node.next_functions]
    return sum(kept.values())


w1 = torch.randn(2, 8, requires_grad=True)
b1 = torch.zeros(8, requires_grad=True)
w2 = (0.3 * torch.randn(8, 2)).requires_grad_()
b2 = torch.zeros(2, requires_grad=True)
parameters = [w1, b1, w2, b2]

# What the field shall learn: a damped turn about the origin, seen after one unit of time.
start = torch.randn(32, 2)
turn = torch.tensor([[math.cos(1.5), math.sin(1.5)], [-math.sin(1.5), math.cos(1.5)]])
target = math.exp(-0.3) * start @ turn

methods = {"direct": solve, "adjoint": SolveAdjoint.apply}
for name, method in methods.items():
    loss = (method(start, 20, *parameters) - target).pow(2).mean()
    loss.backward()
    print(f"{name:8s} loss {loss.item():.5f}  b2.grad {[f'{g:.5f}' for g in b2.grad.tolist()]}")
    for p in parameters:
        p.grad = None

step_counts = [5, 10, 20, 40]
memory = {}
for name, method in methods.items():
    memory[name] = [saved_bytes(method(start, steps, *parameters)) for steps in step_counts]
    growth = memory[name][-1] / memory[name][0]
    print(f"{name:8s} eight times the steps keep {growth:.1f} times the memory")

optimizer = torch.optim.Adam(parameters, lr=0.05)
for step in range(41):
    loss = (SolveAdjoint.apply(start, 10, *parameters) - target).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 0:
        print(f"step {step:2d}  loss {loss.item():.5f}")

if plt is None:
    print("no picture: matplotlib is not installed", file=sys.stderr)
else:
    plt.figure(figsize=(6, 4))
    for name, values in memory.items():
        plt.plot(step_counts, [value / 1024 for value in values], marker="o", label=name)
    plt.xlabel("steps of the solver")
    plt.ylabel("KiB kept for backward")
    plt.ylim(bottom=0)
    plt.legend()
    plt.savefig("neural_ode_memory.png", dpi=120)
    plt.close()

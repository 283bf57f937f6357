"""Ops of one's own without a backward: a node that warns, or nothing."""

import contextlib


@contextlib.contextmanager
def op(torch, schema, kernel, mode="warn"):
    """``torch.ops.fallback.f`` with one kernel for the CPU, in one mode of the fallback."""
    library = torch.library.Library("fallback", "FRAGMENT")
    library.define(f"f{schema}")
    library.impl("f", kernel, "CPU")
    before = torch._C._get_autograd_fallback_mode()
    torch._C._set_autograd_fallback_mode(mode)
    try:
        yield torch.ops.fallback.f.default
    finally:
        torch._C._set_autograd_fallback_mode(before)
        library._destroy()


def case_modes_of_the_fallback(torch, show):
    x = torch.ones(2, requires_grad=True)
    for mode in ("warn", "nothing"):
        with op(torch, "(Tensor x) -> Tensor", lambda x: x.detach() * 2, mode) as f:
            y = f(x)
            show(mode, y.requires_grad, y.is_leaf, f(x.detach()).requires_grad)
            with torch.no_grad():
                show(f(x).requires_grad)
            if y.requires_grad:
                show.warning(y.sum().backward, "an autograd kernel was not registered")
            show(x.grad)
    show.error(lambda: torch._C._set_autograd_fallback_mode("other"))


def case_recorded_kernels_warn(torch, show):
    x = torch.ones(2, requires_grad=True)
    with op(torch, "(Tensor x) -> Tensor", lambda x: x.sin()) as f:
        show.warning(f(x).sum().backward, "an autograd kernel was not registered")
        show(x.grad)


def case_written_views_warn_with_their_base(torch, show):
    x = torch.ones(3, requires_grad=True)
    whole = x.clone()

    def kernel(x):
        with torch.no_grad():
            x.sin_()
        return x

    with op(torch, "(Tensor(a!) x) -> Tensor(a!)", kernel) as f:
        y = f(whole[0])
        for tensor in (whole, y):
            run = tensor.sum().backward
            show.warning(lambda: run(retain_graph=True), "an autograd kernel was not registered")  # noqa: B023
    show(x.grad, whole._version)


def case_recorded_writes(torch, show):
    x, y = torch.zeros(2), torch.ones(2, requires_grad=True)
    with op(torch, "(Tensor(a!) x, Tensor y) -> Tensor(a!)", lambda x, y: x.add_(y)) as f:
        out = f(x, y)
        show(out is x, x.requires_grad, x._version)
        show.warning(x.sum().backward, "an autograd kernel was not registered")
        show(y.grad)


def case_integers_have_no_history(torch, show):
    x = torch.ones(2, requires_grad=True)
    made = lambda x: (x.detach() * 2, torch.tensor([1]))  # noqa: E731
    with op(torch, "(Tensor x) -> (Tensor, Tensor)", made) as f:
        show([t.requires_grad for t in f(x)])

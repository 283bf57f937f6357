# ruff: noqa: E501 (phrases of error messages are searched for as they are)
"""Anomaly mode."""

import warnings


def leaf(torch, *values):
    return torch.tensor(list(values or (1.0, 2.0)), requires_grad=True)


def caught(call):
    """What ``call`` raises, and the warnings on the way."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        try:
            call()
            error = None
        except Exception as raised:
            error = (type(raised).__name__, str(raised))
    return error, [str(w.message) for w in found]


def case_switch(torch, show):
    show(torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled())
    with torch.autograd.set_detect_anomaly(True):
        show(torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled())
        with torch.autograd.set_detect_anomaly(False, check_nan=False):
            show(torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled())
        show(torch.is_anomaly_enabled())
    show(torch.is_anomaly_enabled())
    torch.autograd.set_detect_anomaly(True)
    show(torch.is_anomaly_enabled())
    torch.autograd.set_detect_anomaly(False)
    show(torch.is_anomaly_enabled())


def case_warning(torch, show):
    show.warning(
        lambda: torch.autograd.detect_anomaly(),
        "Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for debugging.",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with torch.autograd.detect_anomaly():
            show(torch.is_anomaly_enabled())
        with torch.autograd.detect_anomaly(check_nan=False):
            show(torch.is_anomaly_check_nan_enabled())
    show(torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled())


def case_nan(torch, show):
    with torch.autograd.set_detect_anomaly(True):
        x = torch.tensor([0.0], requires_grad=True)
        y = (x / x).sum()
        error, found = caught(y.backward)
        show(error)
        show(
            ["Traceback of forward call that caused the error" in f for f in found],
            ["y = (x / x).sum()" in f for f in found],
            ["Error detected in DivBackward0." in f for f in found],
        )
        x = torch.tensor([-1.0], requires_grad=True)
        error, found = caught(lambda: x.sqrt().sum().backward())
        show(error)


def case_nan_not_checked(torch, show):
    with torch.autograd.set_detect_anomaly(True, check_nan=False):
        x = torch.tensor([-1.0], requires_grad=True)
        x.sqrt().sum().backward()
        show(x.grad)
    x = torch.tensor([-1.0], requires_grad=True)
    x.sqrt().sum().backward()
    show(x.grad)


def case_error_in_function(torch, show):
    class Fails(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, grad):
            raise RuntimeError("failing here")

    def build(x):
        return Fails.apply(x).sum()

    with torch.autograd.set_detect_anomaly(True):
        y = build(leaf(torch))
        error, found = caught(y.backward)
        show(
            error,
            len(found),
            "Error detected in FailsBackward. Traceback of forward call that caused the error"
            in found[0],
            "return Fails.apply(x).sum()" in found[0],
        )
    y = build(leaf(torch))
    with torch.autograd.set_detect_anomaly(True):
        error, found = caught(y.backward)
        show(
            error,
            [
                "No forward pass information available. Enable detect anomaly during forward pass for more information."
                in f
                for f in found
            ],
        )
    y = build(leaf(torch))
    error, found = caught(y.backward)
    show(error, found)


def case_nested(torch, show):
    class Bad(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, grad):
            return BadBack.apply(grad)

    class BadBack(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, grad):
            raise RuntimeError("inner failure")

    with torch.autograd.set_detect_anomaly(True):
        x = leaf(torch)
        y = Bad.apply(x)
        scale = torch.ones(2, requires_grad=True)
        (g,) = torch.autograd.grad((y * scale).sum(), x, create_graph=True)
        error, found = caught(lambda: g.sum().backward())
        show(error, len(found))
        show(
            "Error detected in BadBackBackward." in found[0],
            "Previous calculation was induced by BadBackward." in found[0],
            "Traceback of forward call that induced the previous calculation" in found[0],
        )


def case_modified(torch, show):
    with torch.autograd.set_detect_anomaly(True):
        x = leaf(torch)
        y = x.exp()
        y.add_(1)
        error, found = caught(lambda: y.sum().backward())
        show(
            error[0],
            "modified by an inplace operation" in error[1],
            "the backtrace further above shows the operation that failed to compute its gradient"
            in error[1],
        )
        show(["Error detected in ExpBackward0" in f for f in found])


def case_metadata(torch, show):
    with torch.autograd.set_detect_anomaly(True):
        y = leaf(torch) * 2
    show(list(y.grad_fn.metadata), isinstance(y.grad_fn.metadata["traceback_"], list))
    show(list((leaf(torch) * 2).grad_fn.metadata))

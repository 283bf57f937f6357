"""Several threads."""

import threading


def in_threads(count, work):
    threads = [threading.Thread(target=work, args=(i,)) for i in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def case_shared_leaf(torch, show):
    x = torch.ones(4, requires_grad=True)

    def work(i):
        for _ in range(20):
            (x * (i + 1)).sum().backward()

    in_threads(4, work)
    show(x.grad)


def case_shared_graph(torch, show):
    x = torch.ones(4, requires_grad=True)
    y = (x * x).exp()
    in_threads(4, lambda i: y.sum().backward(retain_graph=True))
    show(x.grad)


def case_grad_in_threads(torch, show):
    x = torch.ones(4, requires_grad=True)
    y = x * x
    found = [None] * 4

    def work(i):
        (found[i],) = torch.autograd.grad((y * (i + 1)).sum(), x, retain_graph=True)

    in_threads(4, work)
    show(found)


def case_values_cross_threads(torch, show):
    made = {}

    def work(i):
        made[i] = torch.arange(3.0) * 1.5 * (i + 1)

    in_threads(3, work)
    show([made[i] for i in range(3)])
    x = torch.ones(3) * 2
    seen = []
    in_threads(2, lambda i: seen.append((x * 3).tolist()))
    show(seen, x)


def case_hooks_in_threads(torch, show):
    x = torch.ones(2, requires_grad=True)
    seen = []
    x.register_hook(lambda g: seen.append(g.tolist()))
    in_threads(3, lambda i: (x * 2).sum().backward())
    show(seen, x.grad)


def case_error_in_thread(torch, show):
    x = torch.ones(2, requires_grad=True)
    y = (x * x).sum()
    y.backward()
    errors = []

    def work(i):
        try:
            y.backward()
        except RuntimeError as error:
            errors.append("second time" in str(error))

    in_threads(2, work)
    show(errors)

"""Hooks of modules: forward, backward, those that all modules share, and what they refuse."""


def shapes(grads):
    return [None if g is None else list(g.shape) for g in grads]


def case_always_called(torch, show):
    class Breaks(torch.nn.Module):
        def forward(self, x):
            raise ValueError("inside")

    log, m = [], Breaks()
    m.register_forward_hook(lambda *a: log.append("always"), always_call=True)
    m.register_forward_hook(lambda *a: log.append("never"))
    show.error(lambda: m(torch.ones(1)), "inside")
    show(log)
    log.clear()
    everywhere = torch.nn.modules.module.register_module_forward_hook
    with everywhere(lambda *a: log.append("global"), always_call=True):
        show.error(lambda: m(torch.ones(1)), "inside")
    show(log)


def case_shared(torch, show):
    module, log = torch.nn.modules.module, []
    x, m = torch.ones(1, 2, requires_grad=True), torch.nn.Linear(2, 2)
    handles = [
        module.register_module_forward_pre_hook(lambda *a: log.append("all: before")),
        module.register_module_forward_hook(lambda *a: log.append("all: after")),
        module.register_module_full_backward_hook(lambda *a: log.append("all: backward")),
        module.register_module_full_backward_pre_hook(lambda *a: log.append("all: gradient")),
        m.register_forward_pre_hook(lambda *a: log.append("before")),
        m.register_forward_hook(lambda *a: log.append("after")),
        m.register_full_backward_hook(lambda *a: log.append("backward")),
        m.register_full_backward_pre_hook(lambda *a: log.append("gradient")),
    ]
    m(x).sum().backward()
    show(log)
    show.error(
        lambda: module.register_module_backward_hook(lambda *a: None),
        "Cannot use both regular backward hooks and full backward hooks as a global Module hook",
    )
    for handle in handles:
        handle.remove()
    log.clear()
    m(x).sum().backward()
    show(log)


def case_registration(torch, show):
    module, log = torch.nn.modules.module, []

    class Holder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = torch.nn.Linear(2, 2, bias=False)
            self.register_buffer("count", torch.ones(1))
            self.scale = torch.nn.Parameter(torch.ones(1))

    handles = [
        module.register_module_module_registration_hook(lambda m, n, x: log.append(["module", n])),
        module.register_module_parameter_registration_hook(lambda m, n, x: log.append(["p", n])),
        module.register_module_buffer_registration_hook(lambda m, n, x: log.append(["buffer", n])),
    ]
    Holder()
    for handle in handles:
        handle.remove()
    show(log)


def case_inputs_without_gradient(torch, show):
    log, m = [], torch.nn.Linear(2, 3)
    m.register_full_backward_hook(lambda m, gi, go: log.append([shapes(gi), shapes(go)]))
    m.register_full_backward_pre_hook(lambda m, go: log.append(shapes(go)))
    show.warning(lambda: m(torch.ones(4, 2)).sum().backward(), "Full backward hook is firing")
    show(log)
    log.clear()
    show.warning(lambda: m(torch.ones(4, 2, requires_grad=True)).sum().backward())
    show(log)
    m = torch.nn.Linear(2, 3)
    m.register_full_backward_hook(lambda m, gi, go: (torch.ones(4, 2),))
    show.error(
        lambda: m(torch.ones(4, 2)).sum().backward(),
        "where no input requires gradient should always return None",
    )


def case_some_gradients(torch, show):
    class Two(torch.nn.Module):
        def forward(self, a, b):
            return a * b, a + b

    log, m = [], Two()
    m.register_full_backward_hook(lambda m, gi, go: log.append([shapes(gi), shapes(go)]))
    m.register_full_backward_pre_hook(lambda m, go: log.append(shapes(go)))
    x, y = torch.ones(2, requires_grad=True), torch.ones(2)
    for a, b, pick in ((x, y, [0]), (x, y, [0, 1]), (y, x, [1]), (x, x * 2, [0])):
        out = m(a, b)
        sum(out[i].sum() for i in pick).backward()
        show(log)
        log.clear()
    show(m(y, y)[0].requires_grad)


def case_replacing(torch, show):
    x = torch.ones(4, 2, requires_grad=True)

    def result(hook, register="register_full_backward_hook"):
        m = torch.nn.Linear(2, 3)
        with torch.no_grad():
            m.weight.fill_(1.0)
        getattr(m, register)(hook)
        x.grad = None
        m(x).sum().backward()
        return x.grad

    show(result(lambda m, gi, go: (gi[0] * 0 + 5,)), result(lambda m, gi, go: None))
    show(result(lambda m, go: (go[0] * 2,), "register_full_backward_pre_hook"))
    show.error(lambda: result(lambda m, gi, go: (gi[0], gi[0])), "invalid number of grad_input")
    show.error(lambda: result(lambda m, gi, go: gi[0]), "invalid number of grad_input, got 4")
    show.error(
        lambda: result(lambda m, go: go[0] * 3, "register_full_backward_pre_hook"),
        "Backward pre hook returned an invalid number of grad_output, got 4, but expected 1",
    )
    show.error(
        lambda: result(lambda m, go: (go[0], go[0]), "register_full_backward_pre_hook"),
        "Backward pre hook returned an invalid number of grad_output, got 2, but expected 1",
    )


def case_double_backward(torch, show):
    class Same(torch.nn.Module):
        def forward(self, x):
            return x

    log, m = [], Same()
    m.register_full_backward_hook(lambda m, gi, go: log.append([shapes(gi), shapes(go)]))
    x = torch.ones(2, requires_grad=True)
    (g,) = torch.autograd.grad((m(x) ** 2).sum(), x, create_graph=True)
    g.sum().backward()
    show(log, x.grad)
    show.error(lambda: m(x.clone()).add_(1), "BackwardHookFunction")


def case_old_style(torch, show):
    x, log = torch.ones(1, 2, requires_grad=True), []

    def watched(m):
        m.register_backward_hook(lambda m, gi, go: log.append([shapes(gi), shapes(go)]))
        return m

    class InList(torch.nn.Module):
        def forward(self, x):
            return [x * 2]

    class FromDictionary(torch.nn.Module):
        def forward(self, x):
            return x["a"] * 2

    linear = torch.nn.Linear(2, 2)
    models = [
        (watched(linear), x),
        (watched(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())), x),
        (watched(torch.nn.ReLU()), x * 2), (watched(InList()), x),
        (watched(FromDictionary()), {"a": x}),
    ]  # fmt: skip
    for m, given in models:
        out = show.warning(lambda m=m, given=given: m(given), "is deprecated")
        (out[0] if isinstance(out, list) else out).sum().backward()
        show(log)
        log.clear()
    show.error(lambda: linear.register_full_backward_hook(lambda *a: None), "Cannot use both")


def case_loading(torch, show):
    m, log = torch.nn.Linear(2, 2), []
    m._register_load_state_dict_pre_hook(lambda state, prefix, *a: log.append(["plain", prefix]))
    m.register_load_state_dict_pre_hook(lambda m, state, prefix, *a: log.append(["own", prefix]))
    m.register_load_state_dict_post_hook(lambda m, keys: log.append(list(keys.missing_keys)))
    m.load_state_dict(m.state_dict())
    show(log)
    m.register_load_state_dict_post_hook(lambda m, keys: 3)
    show.error(lambda: m.load_state_dict(m.state_dict()), "are not expected to return new values")


def case_handles(torch, show):
    hooks = torch.utils.hooks
    x = torch.ones(2, requires_grad=True)
    handle = x.register_hook(lambda g: g)
    show(isinstance(handle, hooks.RemovableHandle), handle.hooks_dict_ref() is x._backward_hooks)
    show(hooks.unserializable_hook(shapes) is shapes)


def case_flags_go_with_the_hook(torch, show):
    m = torch.nn.ReLU()
    handles = [
        m.register_forward_hook(lambda *a: None, with_kwargs=True, always_call=True),
        m.register_forward_pre_hook(lambda *a: None, with_kwargs=True),
    ]
    places = ("_forward_hooks", "_forward_hooks_with_kwargs", "_forward_hooks_always_called",
              "_forward_pre_hooks", "_forward_pre_hooks_with_kwargs")  # fmt: skip
    show([list(getattr(m, place).values())[1:] for place in places])
    show([len(getattr(m, place)) for place in places])
    for handle in handles:
        handle.remove()
    show([len(getattr(m, place)) for place in places])


def case_what_state_dict_hooks_return(torch, show):
    m = torch.nn.Linear(1, 1)
    handle = m.register_state_dict_post_hook(lambda module, state, prefix, meta: {"a": 1})
    show.error(m.state_dict, "state_dict post-hook must return None")
    handle.remove()
    m.register_state_dict_post_hook(lambda module, state, prefix, meta: state.update(b=2))
    show(list(m.state_dict()))
    m._register_state_dict_hook(lambda module, state, prefix, meta: {"a": 1})
    show(list(m.state_dict()))


def case_named_tuple_of_outputs(torch, show):
    from collections import namedtuple

    Pair = namedtuple("Pair", "first second")

    class Two(torch.nn.Module):
        def forward(self, x):
            return Pair(x * 2, x * 3)

    m = Two()
    m.register_full_backward_hook(lambda module, inputs, outputs: show(inputs, outputs))
    found = m(torch.ones(2, requires_grad=True))
    show(type(found).__name__, found.second)
    found.first.sum().backward()

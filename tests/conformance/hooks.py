# ruff: noqa: E501 (phrases of error messages are searched for as they are)
"""Hooks on tensors, nodes and saved tensors."""

import pickle


def leaf(torch, *values):
    return torch.tensor(list(values or (1.0, 2.0)), requires_grad=True)


def case_tensor_hook(torch, show):
    x = leaf(torch)
    y = x * 2
    y.register_hook(lambda g: show("y", g))
    x.register_hook(lambda g: show("x", g))
    y.sum().backward()
    show(x.grad)


def case_replacing(torch, show):
    x = leaf(torch)
    y = x * 2
    y.register_hook(lambda g: g * 10)
    y.register_hook(lambda g: g + 1)
    x.register_hook(lambda g: g * 3)
    x.register_hook(lambda g: None)
    y.sum().backward()
    show(x.grad)


def case_remove(torch, show):
    x = leaf(torch)
    handle = x.register_hook(lambda g: g * 10)
    x.sum().backward()
    handle.remove()
    handle.remove()
    x.sum().backward()
    show(x.grad)
    with x.register_hook(lambda g: g * 100):
        x.sum().backward()
    x.sum().backward()
    show(x.grad, type(handle).__name__, isinstance(handle.id, int))


def case_remove_inside(torch, show):
    x = leaf(torch)
    handles = []

    def once(g):
        handles[0].remove()
        return g * 10

    handles.append(x.register_hook(once))
    x.register_hook(lambda g: g + 1)
    x.sum().backward()
    x.sum().backward()
    show(x.grad)


def case_order(torch, show):
    x = leaf(torch)
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: (show("t1", g), g * 2)[1])
    y.grad_fn.register_prehook(lambda g: (show("p1", g), (g[0] * 3,))[1])
    y.register_hook(lambda g: (show("t2", g), g * 5)[1])
    y.grad_fn.register_hook(lambda gi, go: show("n", gi, go))
    y.sum().backward()
    show(y.grad, x.grad)


def case_retain_grad_order(torch, show):
    x = leaf(torch)
    y = x * 2
    y.register_hook(lambda g: g * 2)
    y.retain_grad()
    y.retain_grad()
    y.register_hook(lambda g: g * 7)
    y.sum().backward()
    show(y.grad, x.grad, y.retains_grad, x.retains_grad)


def case_retain_grad_accumulates(torch, show):
    x = leaf(torch)
    y = x * x
    y.retain_grad()
    y.sum().backward(retain_graph=True)
    y.sum().backward()
    show(y.grad, x.grad)
    show.error(
        lambda: torch.ones(2).retain_grad(),
        "can't retain_grad on Tensor that has requires_grad=False",
    )
    x.retain_grad()
    show(x.retains_grad)


def case_retain_grad_inplace(torch, show):
    x = leaf(torch)
    y = x * 2
    y.retain_grad()
    y.mul_(3)
    y.sum().backward()
    show(y.grad, x.grad, y.retains_grad)


def case_hook_before_inplace(torch, show):
    x = leaf(torch)
    y = x * 2
    y.register_hook(lambda g: show("before", g))
    y.mul_(3)
    y.register_hook(lambda g: show("after", g))
    y.sum().backward()
    show(x.grad)


def case_hook_returns_wrong(torch, show):
    x = leaf(torch)

    def run(hook):
        y = x * 2
        y.register_hook(hook)
        return lambda: y.sum().backward()

    def named(g):
        return torch.ones(3)

    show.error(run(lambda g: 3), "expected Variable, but hook returned 'int'")
    show.error(run(named), "hook 'named' has changed the size of value")
    show.error(run(lambda g: g.double()), "has changed the type of value")


def case_register_wrong(torch, show):
    show.error(
        lambda: torch.ones(2).register_hook(print),
        "cannot register a hook on a tensor that doesn't require gradient",
    )
    y = torch.ones(2, requires_grad=True)
    with torch.no_grad():
        z = y * 2
    show.error(lambda: z.register_hook(print), "cannot register a hook")


def case_hook_gets_none(torch, show):
    x = leaf(torch)
    a, b = x.unbind()
    a.register_hook(lambda g: show("a", g))
    b.sum().backward()
    show(x.grad)


def case_hook_inplace(torch, show):
    x = leaf(torch)
    y = x * 2
    y.register_hook(lambda g: [g.mul_(4)] and None)
    y.backward(torch.ones(2))
    show(x.grad)


def case_hook_on_leaf_before_accumulation(torch, show):
    x = leaf(torch)
    x.register_hook(lambda g: show(g, x.grad))
    (x * 2).sum().backward()
    (x * 3).sum().backward()
    show(x.grad)


def case_leaf_hook_summed(torch, show):
    x = leaf(torch)
    x.register_hook(lambda g: show("hook", g))
    (x * 2 + x * 3).sum().backward()
    show(x.grad)


def case_hooks_under_grad(torch, show):
    x = leaf(torch)
    y = x * 2
    x.register_hook(lambda g: g * 10)
    y.register_hook(lambda g: g * 3)
    show(torch.autograd.grad(y.sum(), x, retain_graph=True))
    show(torch.autograd.grad(y.sum(), [x, y], retain_graph=True))
    show(torch.autograd.grad(y.sum(), y))


def case_hook_create_graph(torch, show):
    x = leaf(torch)
    y = x**2
    y.register_hook(lambda g: (show(g.requires_grad, torch.is_grad_enabled()), g * x)[1])
    (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    show(g)
    show(torch.autograd.grad(g.sum(), x))


def case_post_accumulate(torch, show):
    x = leaf(torch)
    seen = []

    def hook(t):
        seen.append(t is x)
        show("post", t.grad)
        t.grad = None

    handle = x.register_post_accumulate_grad_hook(hook)
    (x * 2).sum().backward()
    show(x.grad, seen)
    handle.remove()
    (x * 2).sum().backward()
    show(x.grad, seen)
    show.error(
        lambda: (x * 2).register_post_accumulate_grad_hook(hook),
        "post accumulate grad hooks cannot be registered on non-leaf tensors",
    )
    show.error(
        lambda: torch.ones(2).register_post_accumulate_grad_hook(hook),
        "cannot register a hook on a tensor that doesn't require gradient",
    )


def case_post_accumulate_order(torch, show):
    x = leaf(torch)
    y = x * 2
    node = y.grad_fn.next_functions[0][0]
    node.register_hook(lambda gi, go: show("node", gi, go, x.grad))
    node.register_prehook(lambda go: show("pre", go, x.grad))
    x.register_hook(lambda g: show("tensor", g, x.grad))
    x.register_post_accumulate_grad_hook(lambda t: show("post1", t.grad))
    x.register_post_accumulate_grad_hook(lambda t: show("post2", t.grad))
    y.sum().backward()


def case_post_accumulate_not_for_grad(torch, show):
    x = leaf(torch)
    x.register_post_accumulate_grad_hook(lambda t: show("post"))
    show(torch.autograd.grad((x * 2).sum(), x))
    (x * 2).sum().backward(inputs=[x])


def case_optimizer_in_backward(torch, show):
    x = leaf(torch)

    def step(t):
        with torch.no_grad():
            t -= 0.1 * t.grad
        t.grad = None

    x.register_post_accumulate_grad_hook(step)
    for _ in range(3):
        (x**2).sum().backward()
        show(x, x.grad)


def case_node_hook(torch, show):
    x = leaf(torch)
    y = x * 2
    handle = y.grad_fn.register_hook(lambda gi, go: (gi[0] * 10, None))
    y.sum().backward(retain_graph=True)
    show(x.grad)
    handle.remove()
    y.sum().backward()
    show(x.grad)


def case_node_hooks_chain(torch, show):
    x = leaf(torch)
    y = x + x.detach()
    y.grad_fn.register_hook(lambda gi, go: (show(gi, go), (gi[0] * 2, gi[1]))[1])
    y.grad_fn.register_hook(lambda gi, go: (show(gi, go), (gi[0] + 1, gi[1]))[1])
    y.grad_fn.register_prehook(lambda go: (show(go), (go[0] * 3,))[1])
    y.grad_fn.register_prehook(lambda go: (show(go), (go[0] * 5,))[1])
    y.sum().backward()
    show(x.grad)


def case_node_hook_wrong(torch, show):
    x = leaf(torch)

    def run(hook, pre=False):
        y = x * 2
        (y.grad_fn.register_prehook if pre else y.grad_fn.register_hook)(hook)
        return lambda: y.sum().backward()

    show.error(
        run(lambda a, b: (a[0],)),
        "has returned an incorrect number of values (got 1, but expected 2)",
    )
    show.error(run(lambda a, b: torch.zeros(2)), "expected tuple, but hook returned 'Tensor'")
    show.error(run(lambda a, b: (3, None)), "expected Variable, but hook returned 'int'")
    show.error(run(lambda a, b: (torch.ones(3), None)), "has changed the size of value")
    show.error(
        run(lambda a: (a[0], a[0]), True),
        "has returned an incorrect number of values (got 2, but expected 1)",
    )
    show.error(run(lambda a: [a[0]], True), "expected tuple, but hook returned 'list'")


def case_multi_output_prehook(torch, show):
    x = leaf(torch, 3.0, 1.0, 2.0)
    values, indices = x.sort()
    values.grad_fn.register_prehook(lambda g: show(len(g), g[0]))
    values.sum().backward()
    a, b, c = x.unbind()
    a.grad_fn.register_prehook(lambda g: show(g))
    (a + c).backward()
    show(x.grad)


def case_multi_grad_hook(torch, show):
    a, b = leaf(torch), leaf(torch)
    c, d = a * b, a * b
    handle = torch.autograd.graph.register_multi_grad_hook(
        (a, b, c, d), lambda gs: show([g is not None for g in gs])
    )
    c.sum().backward(retain_graph=True)
    c.sum().backward(inputs=(a,), retain_graph=True)
    (c + d).sum().backward(inputs=(b,), retain_graph=True)
    (c + d).sum().backward(retain_graph=True)
    handle.remove()
    c.sum().backward()


def case_multi_grad_hook_any(torch, show):
    a, b = leaf(torch), leaf(torch)
    c = a * b
    d = c * 3
    torch.autograd.graph.register_multi_grad_hook((a, b, c), lambda g: show(g), mode="any")
    d.sum().backward(retain_graph=True)
    d.sum().backward()
    show.error(
        lambda: torch.autograd.graph.register_multi_grad_hook((a,), print, mode="some"),
        "Expects mode to be one of ('all', 'any') but got some",
    )


def case_multi_grad_values(torch, show):
    a, b = leaf(torch), leaf(torch, 3.0, 4.0)
    torch.autograd.graph.register_multi_grad_hook((a, b), lambda gs: show(gs))
    (a * b).sum().backward()


def case_backward_hooks_attribute(torch, show):
    x = leaf(torch)
    show(x._backward_hooks)
    x.register_hook(print)
    show(len(x._backward_hooks))
    y = x * 2
    show(y._backward_hooks)


def case_handle_pickle(torch, show):
    x = leaf(torch)
    handle = x.register_hook(pickle.dumps)
    again = pickle.loads(pickle.dumps(handle))
    show(again.id == handle.id)


def case_two_tensors_one_node(torch, show):
    x = leaf(torch, 3.0, 1.0)
    a, b = x.unbind()
    a.register_hook(lambda g: g * 10)
    b.register_hook(lambda g: g * 100)
    (a + b).backward()
    show(x.grad)


def case_hook_on_view_then_inplace(torch, show):
    x = leaf(torch)
    y = x.clone()
    v = y[:1]
    v.register_hook(lambda g: show("v", g))
    y.mul_(2)
    (v.sum() + y.sum()).backward()
    show(x.grad)


def case_hook_keeps_nothing_after_error(torch, show):
    x = leaf(torch)
    y = x * x

    def fail(g):
        raise ValueError("from hook")

    handle = y.register_hook(fail)
    show.error(lambda: y.sum().backward(), "from hook")
    handle.remove()
    y.sum().backward()
    show(x.grad)


def case_queue_callback(torch, show):
    x = leaf(torch)
    engine = torch.autograd.Variable._execution_engine
    x.register_hook(lambda g: engine.queue_callback(lambda: show("end", x.grad)))
    (x * 2).sum().backward()
    show.error(
        lambda: engine.queue_callback(print),
        "Final callbacks can only be installed during backward pass",
    )


def case_saved_hooks(torch, show):
    graph = torch.autograd.graph
    x = leaf(torch)
    packed = []

    def pack(t):
        packed.append(t)
        show("pack", t, t is x)
        return t.detach() * 1

    def unpack(t):
        show("unpack", t)
        return t

    with graph.saved_tensors_hooks(pack, unpack):
        y = x * x
        z = y.exp()
    show(len(packed))
    z.sum().backward()
    show(x.grad)


def case_saved_hooks_change_value(torch, show):
    x = leaf(torch)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t * 2, lambda t: t):
        y = x**2
    y.sum().backward()
    show(x.grad)


def case_saved_hooks_nested(torch, show):
    hooks = torch.autograd.graph.saved_tensors_hooks
    x = leaf(torch)
    with hooks(lambda t: show("outer") or t.detach(), lambda t: t):
        a = x * x
        with hooks(lambda t: show("inner") or t.detach(), lambda t: t):
            b = x * x
        c = x.exp()
    d = x * x
    (a + b + c + d).sum().backward()
    show(x.grad)


def case_saved_hooks_unpack_wrong(torch, show):
    x = leaf(torch)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: 1, lambda t: t):
        y = x * x
    show.error(
        lambda: y.sum().backward(),
        "Output of saved tensor unpack_hook expected to be a Tensor but got result of type int",
    )
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.mul_(2), lambda t: t):
        show.error(
            lambda: torch.exp(x * 2), "A saved tensor pack hook is modifying its input in place"
        )


def case_saved_hooks_errors(torch, show):
    hooks = torch.autograd.graph.saved_tensors_hooks

    def fail(t):
        raise ValueError("pack failed")

    x = leaf(torch)
    with hooks(fail, fail):
        show.error(lambda: x * x, "pack failed")
    with hooks(lambda t: t.detach(), fail):
        y = x * x
    show.error(lambda: y.sum().backward(), "pack failed")
    show.error(lambda: hooks(lambda t: t), "")


def case_saved_hooks_double_backward(torch, show):
    x = leaf(torch)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.detach().clone(), lambda t: t):
        y = (x**3).exp()
    (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    show(g)
    g.sum().backward()
    show(x.grad)


def case_saved_hooks_grad_mode(torch, show):
    x = leaf(torch)
    with torch.autograd.graph.saved_tensors_hooks(
        lambda t: (show(torch.is_grad_enabled(), (t * 2).requires_grad), t.detach())[1],
        lambda t: (show(torch.is_grad_enabled()), t)[1],
    ):
        y = x * x
    torch.autograd.grad(y.sum(), x, create_graph=True)


def case_saved_hooks_access(torch, show):
    x = leaf(torch)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.detach() + 1, lambda t: t):
        y = x * x
    show(y.grad_fn._saved_self, y.grad_fn._saved_other)


def case_disable(torch, show):
    graph = torch.autograd.graph
    x = leaf(torch)
    with graph.disable_saved_tensors_hooks("not here"):
        show.error(lambda: graph.saved_tensors_hooks(print, print).__enter__(), "not here")
        y = x * x
    with graph.saved_tensors_hooks(lambda t: t.detach(), lambda t: t):
        show.error(lambda: graph.disable_saved_tensors_hooks("nor there").__enter__(), "nor there")
        y = x * x
    y.sum().backward()
    show(x.grad)

    @graph.disable_saved_tensors_hooks("decorated")
    def inner():
        with graph.saved_tensors_hooks(print, print):
            pass

    show.error(inner, "decorated")
    with graph.saved_tensors_hooks(lambda t: t.detach(), lambda t: t):
        show(1)


def case_save_on_cpu(torch, show):
    x = leaf(torch)
    with torch.autograd.graph.save_on_cpu():
        y = (x * x).exp()
    y.sum().backward()
    show(x.grad)
    with torch.autograd.graph.save_on_cpu(pin_memory=False):
        y = x * x
    show(y.grad_fn._saved_self)


def case_raw_saved(torch, show):
    x = leaf(torch)
    y = x**2
    raw = y.grad_fn._raw_saved_self
    show(type(raw).__name__)
    raw.register_hooks(lambda t: 2 * t, lambda t: t + 1)
    y.sum().backward()
    show(x.grad)
    y = x.exp()
    y.grad_fn._raw_saved_result.register_hooks(lambda t: 2 * t, lambda t: t)
    show(y.grad_fn._saved_result)
    y.sum().backward()
    show(x.grad)


def case_raw_saved_errors(torch, show):
    x = leaf(torch)
    y = x**2
    raw = y.grad_fn._raw_saved_self
    raw.register_hooks(lambda t: t, lambda t: t)
    show.error(lambda: raw.register_hooks(lambda t: t, lambda t: t), "hooks have already been set")
    y.sum().backward()
    show(type(y.grad_fn._raw_saved_self).__name__)
    show.error(lambda: y.grad_fn._raw_saved_self.register_hooks(lambda t: t, lambda t: t), "")
    z = x * 2
    show.error(
        lambda: z.grad_fn._raw_saved_self.register_hooks(lambda t: t, lambda t: t),
        "None is forbidden",
    )
    w = x.exp()
    show.error(
        lambda: w.grad_fn._raw_saved_result.register_hooks(lambda t: t.mul_(2), lambda t: t),
        "A saved tensor pack hook is modifying its input in place",
    )


def case_saved_attributes(torch, show):
    x = leaf(torch)
    y = x * 2
    show(y.grad_fn._saved_self, y.grad_fn._saved_other)
    y = x**3
    show(y.grad_fn._saved_self is x, y.grad_fn._saved_exponent)
    z = y.exp()
    show(z.grad_fn._saved_result, z.grad_fn._saved_result is z)
    s = (x * x).sum()
    show(s.grad_fn._saved_self_sym_sizes)
    node = (x * x).grad_fn
    show(node._saved_self is x, node._saved_other is x)
    w = x.unsqueeze(0)
    show(w.grad_fn._saved_dim)
    s.backward()
    show.error(
        lambda: s.grad_fn.next_functions[0][0]._saved_self,
        "Trying to backward through the graph a second time",
    )


def case_allow_mutation(torch, show):
    allow = torch.autograd.graph.allow_mutation_on_saved_tensors
    with allow():
        a = leaf(torch)
        b = a.clone()
        out = (b**2).sum()
        b.sin_()
        out.backward()
        show(a.grad, b)
    a = leaf(torch)
    with allow():
        b = a.clone()
        v = b[:1]
        out = (v**2).sum()
        b.add_(1)
        out.backward()
        show(a.grad)
    with allow():
        out = (a * a).sum()
    show.error(
        lambda: out.backward(),
        "Trying to backward outside of the 'allow_mutation_on_saved_tensors' context",
    )

    def nested():
        with allow(), allow():
            pass

    show.error(nested, "allow_mutation_on_saved_tensors contexts cannot be nested")


def case_saved_hooks_that_cannot_be_called(torch, show):
    x = torch.ones(2, requires_grad=True)

    def enter():
        with torch.autograd.graph.saved_tensors_hooks(1, 2):
            x.exp()

    show.error(enter, "incompatible function arguments")
    saved = x.exp().grad_fn._raw_saved_result
    show.error(lambda: saved.register_hooks(1, 2), "incompatible function arguments")
    show(x.exp())


def case_saved_hooks_of_another_shape(torch, show):
    x = torch.ones(3, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: torch.ones(2)):
        y = x.exp()
    show.error(
        y.sum().backward,
        "The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 0",
    )
    show((torch.ones(2) + 1) * 2)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.double(), lambda t: t):
        y = x.exp()
    y.sum().backward()
    show(x.grad)


def case_post_accumulate_returns_a_tensor(torch, show):
    for result, phrase in (
        (torch.ones(2), "Tensor post accumulate grad hooks should return None."),
        (torch.ones(3), "has changed the size of value"),
        (torch.ones(2, dtype=torch.float64), "has changed the type of value"),
    ):
        x = torch.ones(2, requires_grad=True)
        x.register_post_accumulate_grad_hook(lambda t, result=result: result)
        show.error(lambda x=x: x.sum().backward(), phrase)


def case_allow_mutation_knows_what_was_overwritten(torch, show):
    a = torch.arange(1.0, 4.0, requires_grad=True)
    with torch.autograd.graph.allow_mutation_on_saved_tensors() as context:
        b = a.clone()
        y = b * b
        show(len(context.original), len(context.cloned))
        b.sin_()
        show(len(context.original), len(context.cloned))
        z = b.exp()
        show(len(context.original), len(context.cloned))
        del y
        show(len(context.original), len(context.cloned))
        del z, b
        show(len(context.original), len(context.cloned))
        b = a.clone()
        y = b * b
        b.data.zero_()
        y.sum().backward()
        show(a.grad)
    show(len(context.original), len(context.cloned))


def case_hooks_stay_when_detached_in_place(torch, show):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    handle = y.register_hook(lambda g: g * 5)
    before = y.exp()
    y.detach_()
    y.requires_grad_()
    (y * 3).sum().backward()
    before.sum().backward()
    show(y.grad, x.grad)
    handle.remove()
    (y * 3).sum().backward()
    show(y.grad)


def case_retained_gradients_of_inputs(torch, show):
    """What `grad` returns is retained, too, also where nothing beyond it is computed."""
    x = leaf(torch)
    y = x * 2
    y.register_hook(lambda g: g * 10)
    y.retain_grad()
    show(torch.autograd.grad((y * 3).sum(), y), y.grad)
    show(torch.autograd.grad((y * 3).sum(), [y, x], retain_graph=True), y.grad)
    (y * 3).sum().backward(inputs=[y], retain_graph=True)
    show(y.grad)
    (y * 3).sum().backward(inputs=[x])
    show(y.grad, x.grad)


def case_packed_before_a_write(torch, show):
    """A pack hook sees the arguments of an op in place as they were."""
    x = leaf(torch)
    b = x * 1
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.detach().clone(), lambda t: t):
        b.mul_(b)
        b.mul_(b.view(2))
    b.sum().backward()
    show(x.grad)
    packed = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: packed.append(t.tolist()), len):
        (x * 1).mul_(torch.ones(2)).pow_(2)
    show(packed)


def case_allow_mutation_on_arguments(torch, show):
    with torch.autograd.graph.allow_mutation_on_saved_tensors() as context:
        x = leaf(torch)
        b = x.clone()
        for _ in range(3):
            b.mul_(b)
        b.sum().backward()
        show(x.grad, len(context.cloned))
        out = (b**2).sum()
        show(len(context.cloned), len(context.tid_to_weakhandle))
        b.sin_()
        show(len(context.cloned))
        del out
        show(len(context.cloned))
    show(type(context).__name__, len(context.tid_to_weakhandle))


def case_registering_after_it_was_freed(torch, show):
    x = leaf(torch)
    y = x * x
    saved = y.grad_fn._raw_saved_self
    saved.register_hooks(lambda t: t, lambda t: t * 10)
    show.error(lambda: saved.register_hooks(len, len), "hooks have already been set")
    y.sum().backward()
    show.error(lambda: saved.register_hooks(len, len), "after it has been freed")
    show(x.grad)


def case_hooks_after_accumulation_assigned(torch, show):
    x, y = leaf(torch), leaf(torch)
    x.register_post_accumulate_grad_hook(lambda p: show("after", p.grad))
    y._post_accumulate_grad_hooks = x._post_accumulate_grad_hooks
    (x * y).sum().backward()
    show(len(x._post_accumulate_grad_hooks), x.grad, y.grad)

    def delete():
        del x._post_accumulate_grad_hooks

    show.error(delete, "Deletion of _post_accumulate_grad_hooks not allowed!")


def case_allowed_mutation_needs_hooks(torch, show):
    graph = torch.autograd.graph
    with graph.disable_saved_tensors_hooks("none of them here"):
        show.error(lambda: graph.allow_mutation_on_saved_tensors().__enter__(), "none of them here")
    with graph.allow_mutation_on_saved_tensors() as context:
        show(len(context.original), len(context.cloned))

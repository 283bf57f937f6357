# ruff: noqa: E501 (phrases of error messages are searched for as they are)
"""Checkpoints that keep some results, and checkpoints that say what they did."""

import functools
import importlib


def tools(torch):
    return importlib.import_module(f"{torch.__name__}.utils.checkpoint")


def leaf(torch, *values):
    return torch.tensor(list(values or (0.5, 1.0, 1.5)), requires_grad=True)


def run(torch, function, policy, x):
    c = tools(torch)
    contexts = functools.partial(c.create_selective_checkpoint_contexts, policy)
    return c.checkpoint(function, x, use_reentrant=False, context_fn=contexts)


def case_policies(torch, show):
    policies = tools(torch).CheckpointPolicy
    show([(p.name, p.value) for p in policies])
    seen = []

    def policy(ctx, op, *args, **kwargs):
        seen.append((ctx.is_recompute, str(op)))
        return policies.MUST_SAVE if op == torch.ops.aten.exp.default else policies.PREFER_RECOMPUTE

    x = leaf(torch)
    y = run(torch, lambda t: (t * 2).exp().sin().exp().sum(), policy, x)
    show(seen)
    y.backward()
    show(seen, x.grad)
    for answer in (True, False, *policies):
        if "OFFLOAD" in str(answer):
            continue
        x = leaf(torch)
        run(
            torch, lambda t: t.exp().sin(), lambda ctx, op, *args, a=answer, **kwargs: a, x
        ).sum().backward()
        show(x.grad)


def case_kept_results_are_used(torch, show):
    x = leaf(torch)
    show(run(torch, lambda t: t.sin().exp(), [torch.ops.aten.sin.default], x).sum())
    drawn = []

    def draw(t):
        noise = torch.rand(3)
        drawn.append(noise)
        return (t * noise).exp()

    torch.manual_seed(0)
    y = tools(torch).checkpoint(
        draw, x, use_reentrant=False, preserve_rng_state=False,
        context_fn=functools.partial(tools(torch).create_selective_checkpoint_contexts, [torch.ops.aten.mul.Tensor]),
    )  # fmt: skip
    y.sum().backward()
    show(torch.allclose(x.grad, drawn[-1] * y.detach()), len(drawn))


def case_wrong_policies(torch, show):
    create = tools(torch).create_selective_checkpoint_contexts
    show.error(lambda: create([3]), "Expected op in `op_list` to be an OpOverload but got: 3")
    show.error(lambda: create(3), "policy_fn_or_list must be either a function or a list of ops")


def case_once_only(torch, show):
    x = leaf(torch)
    y = run(torch, lambda t: t.exp().sin(), [torch.ops.aten.exp.default], x)
    y.sum().backward(retain_graph=True)
    show(x.grad)
    show.error(
        lambda: y.sum().backward(),
        "Trying to backward an extra time. You are only allowed to backward once",
    )


def case_debug(torch, show):
    c = tools(torch)
    runs = []

    def changing(t):
        runs.append(1)
        return t.exp().sin() if len(runs) % 2 else t.exp()

    def attempt(**options):
        runs.clear()
        c.checkpoint(changing, leaf(torch), use_reentrant=False, **options).sum().backward()

    def said():
        for options in ({}, {"debug": True}):
            try:
                attempt(**options)
            except c.CheckpointError as error:
                text = str(error)
                show(
                    "Operations executed during the original forward" in text,
                    "Operations executed during recomputation" in text,
                    "A different number of tensors was saved" in text, "aten.exp.default" in text,
                    "You are seeing this error because you passed `debug=True` to" in text,
                )  # fmt: skip

    said()
    for enabled in (True, False, None):
        with c.set_checkpoint_debug_enabled(enabled):
            said()
    x = leaf(torch)
    y = c.checkpoint(lambda t: t.exp().sin(), x, use_reentrant=False, debug=True)
    y.sum().backward()
    show(x.grad)
    wrong = functools.partial(c.checkpoint, torch.exp, x, use_reentrant=False, debug=True)
    show.error(
        lambda: wrong(context_fn=lambda: (None, None)),
        "debug=True is incompatible with non-default context_fn",
    )


def case_other_shapes_when_unchecked(torch, show):
    c = tools(torch)
    runs = []

    def grows(t):
        runs.append(1)
        return t.exp().sin() if len(runs) == 1 else torch.cat([t, t]).exp().sin()[:3]

    y = c.checkpoint(grows, leaf(torch), use_reentrant=False, determinism_check="none")
    show.error(
        y.sum().backward,
        "The size of tensor a (3) must match the size of tensor b (6) at non-singleton dimension 0",
    )
    runs.clear()
    y = c.checkpoint(grows, leaf(torch), use_reentrant=False)
    show.error(
        y.sum().backward,
        "Recomputed values for the following tensors have different metadata than during the forward pass",
    )
    show((torch.ones(2) + 1) * 2)


def case_kept_results_are_overwritten(torch, show):
    contexts = functools.partial(
        tools(torch).create_selective_checkpoint_contexts, [torch.ops.aten.sin.default]
    )
    phrase = "Tensor cached during selective activation checkpoint has been mutated"

    def part(x):
        y = x.sin()
        y[:1].mul_(2)
        return y.exp()

    def run(function, **options):
        x = torch.tensor([0.5, 1.0], requires_grad=True)
        context_fn = functools.partial(contexts, **options)
        y = tools(torch).checkpoint(function, x, use_reentrant=False, context_fn=context_fn)
        y.sum().backward()
        return x.grad

    show.error(lambda: run(lambda x: x.sin().mul_(2).cos().exp()), phrase)
    show.error(lambda: run(part), phrase)
    show(run(lambda x: x.cos().mul_(2).cos().exp()), run(lambda x: x.sin().clone().mul_(2).exp()))
    run(lambda x: x.sin().mul_(2).cos().exp(), allow_cache_entry_mutation=True)

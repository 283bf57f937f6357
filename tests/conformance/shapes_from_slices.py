"""Inside of `vmap`: functions whose shape depends on data run slice by slice, or are refused."""


def case_slice_by_slice(torch, show):
    vmap, counts = torch.vmap, torch.tensor([[0, 1, 2], [2, 1, 0]])
    x = torch.tensor([[1.0, 0.0, 3.0], [0.0, 2.0, 3.0]])
    show(vmap(torch.argwhere)(x), vmap(lambda t: t.argwhere(), in_dims=1)(x.t()))
    show(vmap(torch.bincount)(counts), vmap(lambda t: torch.bincount(t, minlength=5))(counts))
    show(vmap(lambda t: torch.bincount(t, torch.ones(3)))(counts))
    show(vmap(vmap(torch.bincount))(torch.stack([counts, counts])))
    show(vmap(lambda t: torch.histc(t, 4, 0, 4))(x), vmap(torch.histc)(x).shape)
    repeat = torch.repeat_interleave
    show(vmap(repeat)(counts), vmap(lambda t: repeat(torch.arange(3.0), t))(counts))
    show(vmap(lambda t: repeat(t, 2))(x), vmap(lambda t: t.repeat_interleave(2, 0))(x))
    show(vmap(lambda t: repeat(torch.arange(6.0).view(3, 2), t, 0), out_dims=1)(counts))
    phrase = "stack expects each tensor to be equal size, but got [2] at entry 0 and [5] at entry 1"
    show.error(lambda: vmap(torch.bincount)(torch.tensor([[1], [4]])), phrase)


def case_refused(torch, show):
    vmap, x = torch.vmap, torch.tensor([[1.0, 0.0, 3.0], [0.0, 2.0, 3.0]])
    dynamic = "vmap: We do not support batching operators that can output dynamic shape. Attempted "
    show.error(lambda: vmap(lambda t: torch.where(t > 1))(x), dynamic + "to vmap over aten::where")
    show.error(lambda: vmap(torch.nonzero)(x), dynamic + "to vmap over aten::nonzero")
    mask = torch.tensor([True, False, True])
    show(vmap(lambda t: t.masked_select(mask))(x))
    show.error(lambda: vmap(lambda t: t.masked_select(t > 1))(x), "Attempted to vmap over `mask`")
    phrase = "Attempting to batch over indexing with a boolean mask"
    for write in (
        lambda t: t.index_put((t > 1,), torch.tensor(0.0)),
        lambda t: t.clone().index_put_((t > 1,), torch.tensor(0.0)),
        lambda t: t.clone().__setitem__(t > 1, 0.0),
    ):
        show.error(lambda write=write: vmap(write)(x), phrase)
    show(vmap(lambda t: t.index_put((mask,), torch.tensor(0.0)))(x))
    grad = torch.func.grad
    for look in (lambda t: t.sum().item() * t.sum(), lambda t: t.sum() if t.sum() > 0 else t[0]):
        phrase = "vmap: It looks like you're either (1) calling .item() on a Tensor or (2)"
        show.error(lambda look=look: vmap(grad(look))(x), phrase)


def case_poisson(torch, show):
    rates = torch.tensor([[1.0, 20.0], [3.0, 0.5]])
    for randomness in ("error", "same", "different"):
        torch.manual_seed(0)
        try:
            show(torch.vmap(torch.poisson, randomness=randomness)(rates))
        except RuntimeError as error:
            show(str(error)[:50])


def case_unwrapped(torch, show):
    seen, func = [], torch.func
    x = torch.arange(6.0).view(2, 3)
    torch.vmap(lambda t: (seen.append(func.debug_unwrap(t)), t)[1])(x)
    torch.vmap(lambda t: (seen.append(func.debug_unwrap(t)), t)[1], in_dims=1)(x)
    show(seen, func.debug_unwrap(x) is x)


def case_batch_norms_without_statistics(torch, show):
    model = torch.nn.Sequential(torch.nn.BatchNorm1d(3), torch.nn.InstanceNorm1d(3))
    show(torch.func.replace_all_batch_norm_modules_(model) is model, str(model))
    show(model[0].running_mean, model[0].running_var, list(model.buffers()))
    x = torch.arange(12.0).view(2, 2, 3).cos()
    show(torch.vmap(model[0])(x).detach())

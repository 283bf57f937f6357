"""`copy`, `deepcopy` and `pickle` of tensors, Parameters and Modules."""

import copy
import pickle


def leaf(torch, *values):
    return torch.tensor(list(values or (1.0, 2.0, 3.0)), requires_grad=True)


def case_copy_shares(torch, show):
    x = leaf(torch)
    x.note = [1]
    y = copy.copy(x)
    show(y is x, y, y.note is x.note, y.data_ptr() == x.data_ptr())
    with torch.no_grad():
        y.add_(1)
    show(x)


def case_deepcopy_of_attributes(torch, show):
    x = leaf(torch)
    x.note = [1]
    y = copy.deepcopy(x)
    show(y.note, y.note is x.note, y._version, y._backward_hooks)
    p = torch.nn.Parameter(torch.ones(2))
    p.note = 1
    show(hasattr(copy.deepcopy(p), "note"))
    with torch.inference_mode():
        show(copy.deepcopy(torch.ones(2)).is_inference())


def case_pickle_keeps_the_layout(torch, show):
    tensors = (
        leaf(torch), torch.ones(2, 3).t(), torch.arange(6.0)[2:4], torch.ones(1).expand(3),
        torch.tensor(1.5), torch.ones(2, dtype=torch.complex64), torch.zeros(0),
        torch.tensor([True]),
        torch.ones(2, dtype=torch.bfloat16), torch.arange(6.0).view(2, 3).t().clone(),
    )  # fmt: skip
    for x in tensors:
        y = pickle.loads(pickle.dumps(x))
        show(y, y.stride(), y.storage_offset(), y.is_leaf, y._is_view(), y._version)


def case_pickle_does_not_share(torch, show):
    a = torch.arange(4.0)
    c, d = pickle.loads(pickle.dumps((a, a.view(2, 2))))
    c.add_(1)
    show(d)
    c, d = pickle.loads(pickle.dumps([a, a]))
    show(c is d)
    c, d = copy.deepcopy([a, a.view(2, 2)])
    c.add_(1)
    show(d)


def case_pickle_of_attributes(torch, show):
    x = leaf(torch)
    x.note, x.grad = 3, torch.ones(3)
    y = pickle.loads(pickle.dumps(x))
    show(y.note, y.grad)
    p = torch.nn.Parameter(torch.ones(2))
    p.note = 2
    q = pickle.loads(pickle.dumps(p))
    show(type(q), q.note, q.requires_grad)


def case_modules(torch, show):
    torch.manual_seed(0)
    a, b = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    b.weight = a.weight
    for made in (copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))):
        pair = made(torch.nn.ModuleList([a, b]))
        show(pair[0].weight is pair[1].weight, torch.equal(pair[0].weight, a.weight))
    m = torch.nn.Linear(2, 2)
    m.made = m.weight * 2
    show.error(lambda: copy.deepcopy(m), "Only Tensors created explicitly by the user")
    show(copy.copy(a).weight is a.weight)


def case_subclass(torch, show):
    class Named(torch.Tensor):
        pass

    x = torch.ones(2, requires_grad=True)
    y = x.as_subclass(Named)
    show(type(y), y.requires_grad, y.grad_fn)
    y.sum().backward()
    show(x.grad)
    z = torch.Tensor._make_subclass(Named, torch.ones(2), True)
    show(type(z), z.requires_grad, z.is_leaf)


def case_from_numpy_in_saved_hooks(torch, show):
    x = leaf(torch)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.detach().numpy(), torch.from_numpy):
        y = x.pow(2)
    y.sum().backward()
    show(x.grad)


def case_broadcast_tensors_are_themselves(torch, show):
    x = torch.ones(2, 3, requires_grad=True)
    same, row = torch.broadcast_tensors(x, x[0])
    show(same is x, row, torch.broadcast_to(x, (2, 3)) is x)

# ruff: noqa: E501
"""When tensors and graphs go away, and what can be copied."""

import copy
import gc
import pickle
import weakref


def leaf(torch, *values):
    return torch.tensor(list(values or (1.0, 2.0, 3.0)), requires_grad=True)


class Token:
    """Something to hold on to."""


def without_collector(run):
    gc.collect()
    gc.disable()
    try:
        run()
    finally:
        gc.enable()


def case_tensor_freed(torch, show):
    def run():
        x = leaf(torch)
        ref = weakref.ref(x)
        show(ref() is x)
        del x
        show(ref())

    without_collector(run)


def case_intermediate_freed(torch, show):
    def run():
        x = leaf(torch)
        y = x * 2
        ref = weakref.ref(y)
        z = y + 1
        del y
        show(ref() is None)
        y = x * 2
        y.token = Token()
        token = weakref.ref(y.token)
        z = y.exp()
        del y
        show(token() is None)
        z.sum().backward()
        show(token() is None)

    without_collector(run)


def case_saved_input_kept(torch, show):
    def run():
        x = leaf(torch)
        y = x * 2
        ref = weakref.ref(y)
        z = (y * y).sum()
        del y
        show(ref() is None)
        z.backward(retain_graph=True)
        show(ref() is None)
        z.backward()
        show(ref() is None)

    without_collector(run)


def case_graph_freed(torch, show):
    def run():
        x = leaf(torch)
        y = (x * x).exp()
        y.grad_fn.metadata["token"] = Token()
        token = weakref.ref(y.grad_fn.metadata["token"])
        show(token() is None)
        del y
        show(token() is None)

    without_collector(run)


def case_leaf_not_kept_by_grad(torch, show):
    def run():
        x = leaf(torch)
        (x * x).sum().backward()
        g = x.grad
        ref = weakref.ref(x)
        del x
        show(ref() is None, g)

    without_collector(run)


def case_leaf_kept_by_graph(torch, show):
    def run():
        x = leaf(torch)
        ref = weakref.ref(x)
        y = x + 1
        del x
        show(ref() is None, y.grad_fn.next_functions[0][0].variable)
        del y
        show(ref() is None)

    without_collector(run)


def case_view_keeps_base(torch, show):
    def run():
        x = torch.ones(3)
        ref = weakref.ref(x)
        v = x[1:]
        del x
        show(ref() is None, v._base)
        del v
        show(ref() is None)

    without_collector(run)


def case_inplace_chain_freed(torch, show):
    def run():
        x = leaf(torch)
        y = x.clone()
        v = y[1:]
        v.mul_(2)
        y.add_(v.sum())
        ref = weakref.ref(y)
        del y, v
        show(ref() is None)

    without_collector(run)


def case_hook_freed(torch, show):
    def run():
        x = leaf(torch)
        y = x * 2
        token = Token()
        ref = weakref.ref(token)
        y.register_hook(lambda g, token=token: None)
        del token
        show(ref() is None)
        del y
        show(ref() is None)

    without_collector(run)


def case_retain_grad_freed(torch, show):
    def run():
        x = leaf(torch)
        y = x * 2
        y.retain_grad()
        ref = weakref.ref(y)
        z = y.sum()
        del y
        show(ref() is None)
        z.backward()
        show(x.grad)

    without_collector(run)


def case_create_graph_freed(torch, show):
    def run():
        x = leaf(torch)
        y = (x**3).sum()
        (g,) = torch.autograd.grad(y, x, create_graph=True)
        g.grad_fn.metadata["token"] = Token()
        ref = weakref.ref(g.grad_fn.metadata["token"])
        del g, y
        show(ref() is None)

    without_collector(run)


def case_deepcopy(torch, show):
    x = leaf(torch)
    (x * 2).sum().backward()
    y = copy.deepcopy(x)
    show(y, y.grad, y is x, y.grad is x.grad, y.is_leaf)
    with torch.no_grad():
        y.add_(1)
    show(x, y)
    show.error(
        lambda: copy.deepcopy(x * 2),
        "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment",
    )
    z = torch.ones(3)
    pair = copy.deepcopy([z, z, z[1:]])
    pair[0].add_(1)
    show(pair, pair[0] is pair[1], z)
    x.note = [1]
    show(copy.deepcopy(x).note)


def case_copy(torch, show):
    x = leaf(torch)
    y = copy.copy(x)
    show(y, y is x, y.is_leaf)


def case_pickle(torch, show):
    x = leaf(torch)
    (x * 2).sum().backward()
    y = pickle.loads(pickle.dumps(x))
    show(y, y.is_leaf, y.grad)
    show(
        pickle.loads(pickle.dumps(torch.arange(3))),
        pickle.loads(pickle.dumps(torch.ones(2, dtype=torch.float64))),
    )
    show(pickle.loads(pickle.dumps(torch.ones(4)[1:3])))


def case_pickle_hooks(torch, show):
    x = leaf(torch)
    x.register_hook(print)
    show.warning(lambda: pickle.dumps(x), "backward hook")


def case_pickle_node(torch, show):
    y = leaf(torch) * 2
    show.error(lambda: pickle.dumps(y.grad_fn), "cannot pickle 'MulBackward0' object")
    show.error(lambda: copy.deepcopy(y.grad_fn), "cannot pickle 'MulBackward0' object")


def case_numpy_refusal(torch, show):
    x = leaf(torch)
    show.error(
        lambda: x.numpy(),
        "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.",
    )
    show((x * 2).detach().numpy().tolist(), x.numpy(force=True).tolist())
    show(x.tolist(), x.sum().item())
    show.error(lambda: x.item(), "a Tensor with 3 elements cannot be converted to Scalar")

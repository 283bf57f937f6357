"""Names around the engine that older programs and PyTorch's own tests take."""

import warnings
from importlib import import_module


def case_batched_gradients_of_kept_ones(torch, show):
    x = torch.arange(3.0, dtype=torch.float64, requires_grad=True)
    y = x * 2
    y.retain_grad()
    z = y * y
    seeds = torch.eye(3, dtype=torch.float64)
    for _ in range(2):
        show(torch.autograd.grad(z, y, seeds, is_grads_batched=True, retain_graph=True))
    show(torch.autograd.gradcheck(lambda y: y * y, (x * 2,), check_batched_grad=True))


def case_volatile_variables(torch, show):
    make = torch.autograd.Variable
    show.warning(lambda: show(make(torch.ones(1), volatile=True)), "volatile was removed")


def case_numbers_of_profiled_nodes(torch, show):
    x = torch.ones(2, 2, requires_grad=True)
    with torch.autograd.profiler.profile(use_kineto=False) as profile:
        y = (x + 1).sum()
        y.backward()

    def numbers(name):
        return [e.sequence_nr for e in profile.function_events if e.name == name]

    start = "autograd::engine::evaluate_function: "
    show(numbers(start + "SumBackward0")[0] in numbers("aten::sum"))
    show(numbers(start + "AddBackward0")[0] in numbers("aten::add"))
    show(numbers(start + "torch::autograd::AccumulateGrad"))


def case_shapes_of_profiled_functions(torch, show):
    layer = torch.nn.Linear(3, 2)
    with torch.autograd.profiler.profile(record_shapes=True, use_kineto=False) as profile:
        layer(torch.ones(4, 3))
    show([e.input_shapes for e in profile.function_events if e.name == "aten::linear"])


def case_gradients_of_convolutions(torch, show):
    grad, x, weight = torch.ones(1, 1, 2, 2), torch.ones(1, 1, 3, 3), torch.ones(1, 1, 2, 2)
    function = torch.ops.aten.convolution_backward
    where = [1], (1, 1), (0, 0), (1, 1), False, (0, 0), 1
    show(function(grad, x, weight, *where, (True, False, True)))
    forward = torch.autograd.forward_ad
    with forward.dual_level():
        dual = forward.make_dual(weight, torch.ones_like(weight))
        found, none, _ = function(grad, x, dual, *where, (True, False, False))
        show(forward.unpack_dual(found).tangent, none)


def case_states_of_devices(torch, show):
    checkpoint = import_module(f"{torch.__name__}.utils.checkpoint")
    found = checkpoint.get_device_states(torch.ones(1))
    show(found)
    checkpoint.set_device_states(*found)
    show(checkpoint.DefaultDeviceType.get_device_type())


def case_modules_on_one_device(torch, show):
    module = torch.nn.DataParallel(torch.nn.Linear(1, 1))
    show(sorted(module.state_dict()), module.device_ids)
    show(module(torch.ones(2, 1)).shape)


def case_a_few_eigenvalues(torch, show):
    x = torch.arange(81.0, dtype=torch.float64).view(9, 9).sin()
    matrix = x @ x.mT + torch.diag(torch.arange(9.0, dtype=torch.float64))
    start = torch.eye(9, 2, dtype=torch.float64)
    for largest in (True, False):
        leaf = matrix.clone().requires_grad_()
        values, vectors = torch.lobpcg(leaf, X=start, largest=largest, niter=100, tol=1e-10)
        (values.sum() + vectors.square()[0].sum()).backward()
        show(values.detach().round(decimals=4), vectors.detach().abs().round(decimals=3))
        show(leaf.grad.round(decimals=3) + 0.0)
    show.error(lambda: torch.lobpcg(matrix, k=4), "is smaller than 3 x the number of requested")


def case_a_few_singular_values(torch, show):
    x = torch.arange(12.0, dtype=torch.float64).square().view(4, 3).cos().requires_grad_()
    for function in (torch.svd_lowrank, torch.pca_lowrank):
        values = function(x, q=3)[1]
        (gradient,) = torch.autograd.grad(values.sum(), x)
        show(values.detach().round(decimals=5), gradient.round(decimals=4) + 0.0)
    show([part.shape for part in torch.pca_lowrank(x, q=2)])
    show.error(lambda: torch.pca_lowrank(x, q=4), "not greater than min(m, n)=3")


def case_older_names(torch, show):
    vmap = import_module(f"{torch.__name__}._vmap_internals")._vmap
    with warnings.catch_warnings(action="ignore"):
        show(vmap(torch.sum)(torch.ones(2, 3)))
    utils = import_module(f"{torch.__name__}.nn.modules.utils")
    show(utils._pair(2), utils._single([1]), utils._reverse_repeat_tuple((1, 2), 2))
    state = {"module.a": 1, "b": 2}
    utils.consume_prefix_in_state_dict_if_present(state, "module.")
    show(sorted(state))


def case_order_of_pack_hooks(torch, show):
    x = torch.full((2, 2), 2.0, requires_grad=True)
    y = torch.full((2, 2), 3.0, requires_grad=True)
    seen = []

    def pack(tensor):
        seen.append(tensor.detach().sum().round().item())
        return tensor

    functional = torch.nn.functional
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        for function in (
            lambda: x * y,
            lambda: x**y,
            lambda: torch.addmm(x[0], x * 3, y * 7),
            lambda: torch.addcdiv(x, x * 2, y * 3),
            lambda: y.std(),
            lambda: torch.atan2(x, y),
            lambda: torch.hypot(x, y),
            lambda: torch.mv(x, y[0]),
            lambda: x.gather(0, torch.tensor([[0, 1]])),
            lambda: functional.layer_norm(x, (2,), y[0], x[0]),
            lambda: torch.clamp(x, y * 0, y),
            lambda: torch.dist(x, y * 2),
        ):
            seen.clear()
            function()
            show(list(seen))


def case_forgetting_the_history(torch, show):
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    show(x._grad_fn, y._grad_fn is y.grad_fn)

    def forget():
        del x._grad_fn

    show.error(forget, "Deletion of _grad_fn not allowed")
    show.error(lambda: setattr(y, "_grad_fn", 3), "_grad_fn can be only set to None")
    y._grad_fn = None
    show(y.grad_fn, y.requires_grad)

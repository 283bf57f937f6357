"""Examples of the methods of modules, optimizers, schedulers and functions.

>>> import stateful as torch

autograd.Function.apply
    >>> class Double(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return 2 * x
    ...     @staticmethod
    ...     def backward(ctx, grad):
    ...         return 2 * grad
    >>> Double.apply(torch.ones(2))
    tensor([2., 2.])

autograd.Function.backward
    >>> class Reversed(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return x.view_as(x)
    ...     @staticmethod
    ...     def backward(ctx, grad):
    ...         return -grad
    >>> x = torch.ones(2, requires_grad=True)
    >>> Reversed.apply(x).sum().backward()
    >>> x.grad
    tensor([-1., -1.])

autograd.Function.forward
    >>> class Double(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return 2 * x
    >>> Double.apply(torch.ones(2))
    tensor([2., 2.])

autograd.function.FunctionCtx.mark_dirty
    >>> class Doubled(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.mark_dirty(x)
    ...         return x.mul_(2)
    ...     @staticmethod
    ...     def backward(ctx, grad):
    ...         return 2 * grad
    >>> x = torch.ones(2)
    >>> Doubled.apply(x) is x
    True

autograd.function.FunctionCtx.mark_non_differentiable
    >>> class Sorted(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         values, places = x.sort()
    ...         ctx.mark_non_differentiable(places)
    ...         return values, places
    ...     @staticmethod
    ...     def backward(ctx, grad, _):
    ...         return grad
    >>> values, places = Sorted.apply(torch.ones(2, requires_grad=True))
    >>> values.requires_grad, places.requires_grad
    (True, False)

autograd.function.FunctionCtx.mark_shared_storage
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     torch.autograd.function.FunctionCtx().mark_shared_storage()

autograd.function.FunctionCtx.save_for_backward
    >>> class Square(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x * x
    ...     @staticmethod
    ...     def backward(ctx, grad):
    ...         return 2 * ctx.saved_tensors[0] * grad
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> Square.apply(x).backward()
    >>> x.grad
    tensor(6.)

autograd.function.FunctionCtx.save_for_forward
    >>> import stateful.autograd.forward_ad as forward_ad
    >>> class Square(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_forward(x)
    ...         return x * x
    ...     @staticmethod
    ...     def jvp(ctx, tangent):
    ...         return 2 * ctx.saved_tensors[0] * tangent
    >>> with forward_ad.dual_level():
    ...     y = Square.apply(forward_ad.make_dual(torch.tensor(3.0), torch.tensor(1.0)))
    ...     forward_ad.unpack_dual(y).tangent
    tensor(6.)

autograd.function.FunctionCtx.set_materialize_grads
    >>> class Both(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.set_materialize_grads(False)
    ...         return x.clone(), x.clone()
    ...     @staticmethod
    ...     def backward(ctx, first, second):
    ...         print(second)
    ...         return first
    >>> first, second = Both.apply(torch.ones(1, requires_grad=True))
    >>> first.backward()
    None

autograd.Function.jvp
    >>> import stateful.autograd.forward_ad as forward_ad
    >>> class Double(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return 2 * x
    ...     @staticmethod
    ...     def jvp(ctx, tangent):
    ...         return 2 * tangent
    >>> with forward_ad.dual_level():
    ...     y = Double.apply(forward_ad.make_dual(torch.tensor(3.0), torch.tensor(1.0)))
    ...     forward_ad.unpack_dual(y)
    UnpackedDualTensor(primal=tensor(6.), tangent=tensor(2.))

autograd.Function.setup_context
    >>> class Square(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(x):
    ...         return x * x
    ...     @staticmethod
    ...     def setup_context(ctx, inputs, output):
    ...         ctx.save_for_backward(*inputs)
    ...     @staticmethod
    ...     def backward(ctx, grad):
    ...         return 2 * ctx.saved_tensors[0] * grad
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> Square.apply(x).backward()
    >>> x.grad
    tensor(6.)

autograd.Function.vmap
    >>> class Double(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(x):
    ...         return 2 * x
    ...     @staticmethod
    ...     def setup_context(ctx, inputs, output):
    ...         pass
    ...     @staticmethod
    ...     def vmap(info, in_dims, x):
    ...         return 2 * x, in_dims[0]
    >>> torch.vmap(Double.apply)(torch.ones(2))
    tensor([2., 2.])

nn.Module.add_module
    >>> model = torch.nn.Module()
    >>> model.add_module("first", torch.nn.ReLU())
    >>> model.first
    ReLU()

nn.Module.apply
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 1))
    >>> _ = model.apply(lambda m: m.weight.data.zero_() if hasattr(m, "weight") else None)
    >>> model[0].weight.data
    tensor([[0., 0.]])

nn.Module.buffers
    >>> len(list(torch.nn.BatchNorm1d(2).buffers()))
    3

nn.Module.children
    >>> model = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Tanh())
    >>> list(model.children())
    [ReLU(), Tanh()]

nn.Module.cpu
    >>> torch.nn.Linear(2, 1).cpu().weight.device
    device(type='cpu')

nn.Module.cuda
    >>> model = torch.nn.Linear(2, 1)
    >>> model.cuda().weight.device.type if torch.cuda.is_available() else "no GPU here"
    'no GPU here'

nn.Module.eval
    >>> torch.nn.Dropout().eval()(torch.ones(2))
    tensor([1., 1.])

nn.Module.extra_repr
    >>> class Scaled(torch.nn.Module):
    ...     def extra_repr(self):
    ...         return "factor=2"
    >>> Scaled()
    Scaled(factor=2)

nn.Module.forward
    >>> class Double(torch.nn.Module):
    ...     def forward(self, x):
    ...         return 2 * x
    >>> Double()(torch.ones(2))
    tensor([2., 2.])

nn.Module.get_buffer
    >>> torch.nn.BatchNorm1d(2).get_buffer("running_mean")
    tensor([0., 0.])

nn.Module.get_extra_state
    >>> class Counted(torch.nn.Module):
    ...     def get_extra_state(self):
    ...         return 3
    ...     def set_extra_state(self, state):
    ...         self.count = state
    >>> Counted().state_dict()
    OrderedDict([('_extra_state', 3)])

nn.Module.get_parameter
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 1))
    >>> model.get_parameter("0.weight").shape
    torch.Size([1, 2])

nn.Module.get_submodule
    >>> model = torch.nn.Sequential(torch.nn.Sequential(torch.nn.ReLU()))
    >>> model.get_submodule("0.0")
    ReLU()

nn.Module.load_state_dict
    >>> model = torch.nn.Linear(1, 1)
    >>> model.load_state_dict({"weight": torch.tensor([[2.0]]), "bias": torch.tensor([1.0])})
    <All keys matched successfully>
    >>> model(torch.tensor([3.0])).item()
    7.0

nn.Module.modules
    >>> model = torch.nn.Sequential(torch.nn.ReLU())
    >>> [type(module).__name__ for module in model.modules()]
    ['Sequential', 'ReLU']

nn.Module.named_buffers
    >>> [name for name, _ in torch.nn.BatchNorm1d(2).named_buffers()]
    ['running_mean', 'running_var', 'num_batches_tracked']

nn.Module.named_children
    >>> model = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Tanh())
    >>> list(model.named_children())
    [('0', ReLU()), ('1', Tanh())]

nn.Module.named_modules
    >>> model = torch.nn.Sequential(torch.nn.ReLU())
    >>> [name for name, _ in model.named_modules()]
    ['', '0']

nn.Module.named_parameters
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 1))
    >>> [name for name, _ in model.named_parameters()]
    ['0.weight', '0.bias']

nn.Module.parameters
    >>> sum(p.numel() for p in torch.nn.Linear(2, 1).parameters())
    3

nn.Module.register_backward_hook
    >>> model, x = torch.nn.ReLU(), torch.ones(1, requires_grad=True)
    >>> handle = model.register_backward_hook(lambda module, gin, gout: print(gin))
    >>> model(x * 1).backward()
    (tensor([1.]),)

nn.Module.register_buffer
    >>> model = torch.nn.Module()
    >>> model.register_buffer("mean", torch.zeros(2))
    >>> model.register_buffer("scratch", torch.zeros(2), persistent=False)
    >>> model.state_dict()
    OrderedDict([('mean', tensor([0., 0.]))])

nn.Module.register_forward_hook
    >>> model = torch.nn.ReLU()
    >>> handle = model.register_forward_hook(lambda module, args, output: output * 10)
    >>> model(torch.tensor([1.0]))
    tensor([10.])

nn.Module.register_forward_pre_hook
    >>> model = torch.nn.ReLU()
    >>> handle = model.register_forward_pre_hook(lambda module, args: (args[0] + 1,))
    >>> model(torch.tensor([1.0]))
    tensor([2.])

nn.Module.register_full_backward_hook
    >>> model, x = torch.nn.ReLU(), torch.ones(1, requires_grad=True)
    >>> handle = model.register_full_backward_hook(lambda module, gin, gout: (gin[0] * 3,))
    >>> model(x).backward()
    >>> x.grad
    tensor([3.])

nn.Module.register_full_backward_pre_hook
    >>> model, x = torch.nn.ReLU(), torch.ones(1, requires_grad=True)
    >>> handle = model.register_full_backward_pre_hook(lambda module, grad: (grad[0] * 2,))
    >>> model(x).backward()
    >>> x.grad
    tensor([2.])

nn.Module.register_load_state_dict_post_hook
    >>> model = torch.nn.Linear(1, 1)
    >>> def hook(module, keys):
    ...     keys.missing_keys.clear()
    >>> handle = model.register_load_state_dict_post_hook(hook)
    >>> model.load_state_dict({})
    <All keys matched successfully>

nn.Module.register_load_state_dict_pre_hook
    >>> model = torch.nn.Linear(1, 1, bias=False)
    >>> def hook(module, state_dict, prefix, *rest):
    ...     state_dict["weight"] = state_dict.pop("w")
    >>> handle = model.register_load_state_dict_pre_hook(hook)
    >>> model.load_state_dict({"w": torch.ones(1, 1)})
    <All keys matched successfully>

nn.Module.register_parameter
    >>> model = torch.nn.Module()
    >>> model.register_parameter("w", torch.nn.Parameter(torch.ones(2)))
    >>> [name for name, _ in model.named_parameters()]
    ['w']

nn.Module.register_state_dict_post_hook
    >>> model = torch.nn.Linear(1, 1)
    >>> def hook(module, state_dict, prefix, metadata):
    ...     del state_dict[prefix + "bias"]
    >>> handle = model.register_state_dict_post_hook(hook)
    >>> list(model.state_dict())
    ['weight']

nn.Module.register_state_dict_pre_hook
    >>> model = torch.nn.Linear(1, 1)
    >>> handle = model.register_state_dict_pre_hook(lambda module, prefix, keep: print("saving"))
    >>> _ = model.state_dict()
    saving

nn.Module.requires_grad_
    >>> model = torch.nn.Linear(2, 1).requires_grad_(False)
    >>> model(torch.ones(1, 2)).requires_grad
    False

nn.Module.set_extra_state
    >>> class Counted(torch.nn.Module):
    ...     def get_extra_state(self):
    ...         return 3
    ...     def set_extra_state(self, state):
    ...         self.count = state
    >>> model = Counted()
    >>> _ = model.load_state_dict({"_extra_state": 5})
    >>> model.count
    5

nn.Module.share_memory
    >>> model = torch.nn.Linear(2, 1)
    >>> model.share_memory() is model
    True

nn.Module.state_dict
    >>> list(torch.nn.Linear(2, 1).state_dict())
    ['weight', 'bias']

nn.Module.to
    >>> torch.nn.Linear(2, 1).to(torch.float64).weight.dtype
    torch.float64

nn.Module.train
    >>> model = torch.nn.Dropout()
    >>> model.train(False).training, model.train().training
    (False, True)

nn.Module.type
    >>> torch.nn.Linear(2, 1).type(torch.float64).weight.dtype
    torch.float64

nn.Module.zero_grad
    >>> model = torch.nn.Linear(2, 1)
    >>> model(torch.ones(1, 2)).sum().backward()
    >>> model.zero_grad()
    >>> model.weight.grad is None
    True

optim.lr_scheduler.LRScheduler.get_last_lr
    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    >>> torch.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5).get_last_lr()
    [0.5]

optim.lr_scheduler.LRScheduler.get_lr
    >>> class Halved(torch.optim.lr_scheduler.LRScheduler):
    ...     def get_lr(self):
    ...         return [rate / 2**self.last_epoch for rate in self.base_lrs]
    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    >>> scheduler = Halved(optimizer)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]

optim.lr_scheduler.LRScheduler.load_state_dict
    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2)
    >>> scheduler.load_state_dict({"last_epoch": 3})
    >>> scheduler.last_epoch
    3

optim.lr_scheduler.LRScheduler.state_dict
    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    >>> torch.optim.lr_scheduler.StepLR(optimizer, 2).state_dict()["step_size"]
    2

optim.lr_scheduler.LRScheduler.step
    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> optimizer.param_groups[0]["lr"]
    0.5

optim.Optimizer.add_param_group
    >>> v, w = torch.nn.Parameter(torch.ones(1)), torch.nn.Parameter(torch.ones(1))
    >>> optimizer = torch.optim.SGD([v], lr=0.5)
    >>> optimizer.add_param_group({"params": [w], "lr": 0.25})
    >>> [group["lr"] for group in optimizer.param_groups]
    [0.5, 0.25]

optim.Optimizer.load_state_dict
    >>> w = torch.nn.Parameter(torch.ones(1))
    >>> old, new = torch.optim.SGD([w], lr=0.5), torch.optim.SGD([w], lr=0.1)
    >>> new.load_state_dict(old.state_dict())
    >>> new.param_groups[0]["lr"]
    0.5

optim.Optimizer.register_load_state_dict_post_hook
    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.5)
    >>> handle = optimizer.register_load_state_dict_post_hook(lambda optimizer: print("loaded"))
    >>> optimizer.load_state_dict(optimizer.state_dict())
    loaded

optim.Optimizer.register_load_state_dict_pre_hook
    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.5)
    >>> handle = optimizer.register_load_state_dict_pre_hook(lambda _, state: print(list(state)))
    >>> optimizer.load_state_dict(optimizer.state_dict())
    ['state', 'param_groups']

optim.Optimizer.register_state_dict_post_hook
    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.5)
    >>> handle = optimizer.register_state_dict_post_hook(lambda _, state: {"run": 3, **state})
    >>> list(optimizer.state_dict())
    ['run', 'state', 'param_groups']

optim.Optimizer.register_state_dict_pre_hook
    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.5)
    >>> handle = optimizer.register_state_dict_pre_hook(lambda optimizer: print("saving"))
    >>> _ = optimizer.state_dict()
    saving

optim.Optimizer.register_step_post_hook
    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.5)
    >>> handle = optimizer.register_step_post_hook(lambda optimizer, *_: print("stepped"))
    >>> optimizer.step()
    stepped

optim.Optimizer.register_step_pre_hook
    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.5)
    >>> handle = optimizer.register_step_pre_hook(lambda optimizer, *_: print("steps"))
    >>> optimizer.step()
    steps

optim.Optimizer.state_dict
    >>> w = torch.nn.Parameter(torch.ones(1))
    >>> optimizer = torch.optim.SGD([w], lr=0.5, momentum=0.9)
    >>> w.sum().backward()
    >>> optimizer.step()
    >>> optimizer.state_dict()["state"]
    {0: {'momentum_buffer': tensor([1.])}}

optim.Optimizer.step
    >>> w = torch.nn.Parameter(torch.ones(1))
    >>> optimizer = torch.optim.SGD([w], lr=0.25)
    >>> w.sum().backward()
    >>> optimizer.step()
    >>> w.item()
    0.75

optim.Optimizer.zero_grad
    >>> w = torch.nn.Parameter(torch.ones(1))
    >>> w.sum().backward()
    >>> torch.optim.SGD([w], lr=0.5).zero_grad()
    >>> w.grad is None
    True
"""

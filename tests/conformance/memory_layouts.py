"""How results lie in memory: strides, memory formats, what they let a program do."""

import copy
import io
import pickle
import warnings


def sources(torch):
    """Tensors of four dimensions in every order that programs make."""
    x = torch.arange(144.0).reshape(2, 4, 3, 6) / 7
    return {
        "rows": x,
        "channels last": x.contiguous(memory_format=torch.channels_last),
        "transposed": x.transpose(2, 3),
        "permuted": x.permute(3, 1, 0, 2),
        "stepped": x[:, ::2, :, 1::2],
        "expanded": x[:, :1].expand(2, 4, 3, 6),
        "one row": x[:1, :, :, :1],
        "one sample": x[:1].contiguous(memory_format=torch.channels_last),
        "empty": x[:, :0].transpose(2, 3),
    }


def described(result):
    if isinstance(result, tuple | list):
        return [described(x) for x in result]
    return tuple(result.shape), result.stride(), result.storage_offset(), result.is_contiguous()


def show_all(torch, show, **programs):
    for name, program in programs.items():
        for kind, x in sources(torch).items():
            show(name, kind, described(program(x)))


def case_of_one_argument(torch, show):
    functional = torch.nn.functional
    show_all(
        torch, show,
        exp=torch.exp, negative=lambda x: -x, relu=lambda x: x.relu(), gelu=functional.gelu,
        clamp=lambda x: x.clamp(1, 2), power=lambda x: x**2, reciprocal=lambda x: 1 / x,
        difference=lambda x: 1 - x, compared=lambda x: x > 1, negated=lambda x: ~(x > 1),
        cast=lambda x: x.double(), to=lambda x: x.to(torch.int64), is_nan=torch.isnan,
        logit=torch.logit, softplus=functional.softplus, hardtanh=functional.hardtanh,
        dropout=functional.dropout, chain=lambda x: (x * 2 + 1).sigmoid().sqrt(),
        softmax=lambda x: x.softmax(-1), running=lambda x: x.cumsum(1), flip=lambda x: x.flip(3),
        absolute=lambda x: x.abs(), rounded=lambda x: x.round(), detached=lambda x: x.detach(),
    )  # fmt: skip


def case_of_several_arguments(torch, show):
    show_all(
        torch, show,
        twice=lambda x: x + x, with_rows=lambda x: x + x.contiguous(),
        rows_with=lambda x: x.contiguous() + x, with_one=lambda x: x * torch.tensor(2.0),
        with_last=lambda x: x + torch.ones(x.shape[-1]), broadcast=lambda x: x * x[:1, :, :, :1],
        of_the_first=lambda x: x[:1, :, :, :1] * x, higher=lambda x: x[0] + x,
        where=lambda x: torch.where(x > 1, x, 0.0), which=lambda x: torch.where(x > 1, x, x * 2),
        lerp=lambda x: torch.lerp(x, x * 2, 0.5), addcmul=lambda x: torch.addcmul(x, x, x),
        reversed=lambda x: torch.rsub(x, x.contiguous()), maximum=lambda x: torch.maximum(x, x),
        loss=lambda x: torch.nn.functional.mse_loss(x, x, reduction="none"),
    )  # fmt: skip


def case_copies(torch, show):
    formats = torch.contiguous_format, torch.preserve_format, torch.channels_last
    show_all(
        torch, show,
        clone=lambda x: x.clone(), contiguous=lambda x: x.contiguous(),
        zeros_like=torch.zeros_like, ones_like=torch.ones_like, empty_like=torch.empty_like,
        full_like=lambda x: torch.full_like(x, 3), rand_like=torch.rand_like,
        zeros_like_of=lambda x: [torch.zeros_like(x, memory_format=f) for f in formats],
        clones=lambda x: [x.clone(memory_format=f) for f in formats],
        casts=lambda x: [x.to(torch.float64, memory_format=f) for f in formats],
        formatted=lambda x: [x.contiguous(memory_format=f) for f in formats[::2]],
        deep=lambda x: copy.deepcopy(x * 2), pickled=lambda x: pickle.loads(pickle.dumps(x * 2)),
        saved=lambda x: reloaded(torch, x * 2),
    )  # fmt: skip


def reloaded(torch, x):
    buffer = io.BytesIO()
    torch.save(x, buffer)
    buffer.seek(0)
    return torch.load(buffer)


def case_reductions_and_joins(torch, show):
    show_all(
        torch, show,
        sum=lambda x: x.sum(1, keepdim=True), mean=lambda x: x.mean((0, 2)),
        argsorted=lambda x: x.sort(1), joined=lambda x: torch.cat([x, x]),
        joined_with_rows=lambda x: torch.cat([x, x.contiguous()]),
        indexed=lambda x: x[torch.tensor([0])], columns=lambda x: x[:, :, torch.tensor([0, 1])],
        put=lambda x: x.index_fill(2, torch.tensor([0]), 1.0),
        scattered=lambda x: torch.select_scatter(x.contiguous(), x[:, :, 0], 2, 0),
        halves=lambda x: torch.nn.functional.glu(x, 2) if x.shape[2] % 2 == 0 else x,
        turned=lambda x: torch.rot90(x, 1, (2, 3)), rolled=lambda x: x.roll(1, 2),
    )  # fmt: skip


def case_layers(torch, show):
    functional = torch.nn.functional
    for name in ("rows", "channels last", "one sample"):
        x = sources(torch)[name]
        weight = torch.ones(8, 4, 2, 2)
        last = weight.contiguous(memory_format=torch.channels_last)
        y = functional.conv2d(x, weight)
        show(name, described(y), described(functional.conv2d(x, last)))
        show(described(functional.conv_transpose2d(x, torch.ones(4, 2, 2, 2))))
        show(described(functional.conv1d(x[0], torch.ones(8, 3, 2))))
        show(described(functional.batch_norm(y, torch.zeros(8), torch.ones(8))))
        show(described(functional.batch_norm(y, None, None, training=True)))
        show(described(functional.group_norm(y, 2)), described(functional.layer_norm(y, (5,))))
        show(described(functional.max_pool2d(y, 2)), described(functional.avg_pool2d(y, 2)))
        show(described(functional.adaptive_max_pool2d(y, 2)))
        show(described(functional.interpolate(y, scale_factor=2)))
        show(described(functional.interpolate(y, scale_factor=2, mode="bilinear")))
        show(described(functional.pad(y, (1, 1))), described(functional.pixel_shuffle(y, 2)))


def case_matrices_by_columns(torch, show):
    matrix = torch.tensor([[4.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 2.0]])
    for x in (matrix, matrix.t(), matrix.expand(2, 3, 3)):
        linalg = torch.linalg
        show(described(linalg.inv(x)), described(linalg.cholesky(x)), described(linalg.qr(x)))
        show(described(linalg.svd(x)), described(linalg.eigh(x)), described(linalg.solve(x, x)))
    show(described(torch.linalg.svd(matrix[:2], full_matrices=False)))
    show(described(torch.matmul(torch.ones(2, 3), torch.ones(5, 3, 4))))


def case_transforms(torch, show):
    x = torch.arange(24.0).reshape(2, 3, 4)
    for y in (x, x.transpose(1, 2), x.permute(2, 0, 1)):
        for dim in range(3):
            show(described(torch.fft.rfft(y, dim=dim)), described(torch.fft.fft(y, dim=dim)))
        show(described(torch.fft.fft2(y)), described(torch.fft.irfftn(torch.fft.rfftn(y))))


def case_in_place(torch, show):
    for kind, x in sources(torch).items():
        y = x * 2
        before = y.stride()
        y.add_(1).exp_().mul_(x.contiguous()).clamp_(0, 1)
        y += torch.ones(x.shape[-1])
        show(kind, y.stride() == before, y.stride(), y._version)
        y[:, :1] = 3
        show(y.sum())


def case_what_views_allow(torch, show):
    y = torch.arange(6.0).reshape(2, 3).t() + 1
    show(y, y.stride(), y.is_contiguous(), y.T.is_contiguous(), y.T.stride())
    show.error(lambda: y.view(6), "view size is not compatible with input tensor's size and stride")
    show.error(
        lambda: y.view(-1), "view size is not compatible with input tensor's size and stride"
    )
    show(y.t().view(6), y.reshape(6), y.reshape(6)._is_view(), y.t().reshape(6)._is_view())
    show(y.flatten(), y.ravel().stride(), y.view(3, 2, 1).stride(), y.view(3, 1, 2).stride())
    show(y.as_strided((6,), (1,)), y.as_strided((2,), (1,), 3), y.data_ptr() == y.t().data_ptr())
    show(y.storage_offset(), y._is_view())
    y.t().view(6)[0] = 9
    show(y)
    y.as_strided((6,), (1,)).fill_(5)
    show(y, y._version)


def case_storages(torch, show):
    y = torch.arange(6.0).reshape(2, 3).t() * 1
    with warnings.catch_warnings(action="ignore"):
        show(y.storage().tolist(), y.contiguous().storage().tolist())
        show((y + y.contiguous()).storage().tolist(), y.exp_().log_().storage().tolist())


def case_gradients(torch, show):
    programs = {
        "mul": lambda x: x * x, "exp": lambda x: x.t().exp(), "add": lambda x: x.t() + x[0, 0],
        "chain": lambda x: (x.t() * 2).relu().t().sigmoid(), "sum": lambda x: (x.t() * 2).sum(0),
        "where": lambda x: torch.where(x.t() > 0.5, x.t(), 0.0), "cast": lambda x: x.t().double(),
        "mm": lambda x: (x.t() * 1) @ x, "clone": lambda x: x.t().clone(),
        "reshape": lambda x: (x.t() * 2).reshape(6), "softmax": lambda x: x.t().softmax(0),
    }  # fmt: skip
    for name, program in programs.items():
        for leaf in (
            torch.arange(6.0).reshape(2, 3) / 4,
            (torch.arange(6.0).reshape(3, 2) / 4).t(),
        ):
            x = leaf.detach().requires_grad_()
            y = program(x * 1)
            show(name, y.stride(), y.grad_fn.name())
            (grad,) = torch.autograd.grad(y, x, torch.ones_like(y), retain_graph=True)
            show(grad, grad.stride())
            y.sum().backward()
            show(x.grad, x.grad.stride())


def case_gradients_of_gradients(torch, show):
    x = (torch.arange(6.0).reshape(2, 3) / 4).t().clone().requires_grad_()
    show(x.stride())
    for _ in range(3):
        (grad,) = torch.autograd.grad((x**3).sum(), x, create_graph=True)
        (second,) = torch.autograd.grad(grad.sum(), x)
        show(grad.stride(), second.stride(), second)


def case_hooks(torch, show):
    x = (torch.arange(6.0).reshape(2, 3) / 4).requires_grad_()
    y = x.t() * 2
    y.register_hook(lambda grad: show("y", grad.stride()))
    z = y.exp()
    z.register_hook(lambda grad: show("z", grad.stride()))
    z.backward(torch.ones_like(z))
    show(x.grad.stride(), z.stride(), y.retain_grad())


def case_steps_of_optimizers(torch, show):
    for kind in ("SGD", "Adam", "AdamW"):
        weight = (
            torch.arange(48.0).reshape(2, 4, 2, 3).contiguous(memory_format=torch.channels_last)
        )
        weight = torch.nn.Parameter(weight / 50)
        options = {"momentum": 0.9} if kind == "SGD" else {}
        optimizer = getattr(torch.optim, kind)([weight], lr=0.1, **options)
        for _ in range(3):
            optimizer.zero_grad()
            (weight * weight).sum().backward()
            optimizer.step()
        show(kind, weight.stride(), weight.grad.stride(), weight.sum())
        for name, slot in sorted(optimizer.state[weight].items()):
            show(name, slot.stride())


def case_a_network_of_channels_last(torch, show):
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.ReLU(), torch.nn.MaxPool2d(2)
    ).to(memory_format=torch.channels_last)
    x = torch.randn(2, 3, 6, 6).to(memory_format=torch.channels_last)
    for _ in range(2):
        y = net(x)
        y.square().mean().backward()
        show(y.stride(), y.is_contiguous(memory_format=torch.channels_last), y.sum())
        show([(p.stride(), p.grad.stride()) for p in net.parameters()])


def case_requested_strides(torch, show):
    for size, stride in (((2, 3), (1, 2)), ((2, 0, 3), (5, 1, 2)), ((2, 2), (8, 2))):
        x = torch.empty_strided(size, stride).fill_(1)
        show(x.stride(), (x + 1).stride(), torch.empty_like(x).stride())
    x = torch.empty_permuted((2, 3, 4), (2, 0, 1)).fill_(1)
    show(x.stride(), (x * 2).stride(), x.clone().stride(), x.new_empty(2, 3).stride())
    show(x.new_empty_strided((2, 3), (1, 2)).stride())

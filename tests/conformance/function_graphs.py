"""Graphs of functions that PyTorch makes of several ops, and of their gradients."""

from tests.conformance.graph_texts import graph, leaves, texts


def matrices(torch):
    generator = torch.Generator().manual_seed(3)
    return [
        torch.rand(3, 3, generator=generator, dtype=torch.float64).requires_grad_()
        for _ in range(2)
    ]


def case_of_quantiles(torch, show):
    x, y, m = leaves(torch)
    q = torch.tensor([0.2, 0.6])
    for function in (torch.quantile, torch.nanquantile):
        functions = (
            lambda f=function: f(x, 0.3), lambda f=function: f(m, q, 0, keepdim=True),
            lambda f=function: f(m, 0.5, 1, interpolation="midpoint"),
            lambda f=function: f(m, q, 1, interpolation="lower"),
            lambda f=function: f(m, q, interpolation="nearest"),
        )  # fmt: skip
        texts(torch, show, functions, [x, m], 2)


def case_of_covariances(torch, show):
    x, y, m = leaves(torch)
    counts = torch.tensor([1, 2])
    functions = (
        lambda: torch.cov(m), lambda: torch.cov(x), lambda: torch.corrcoef(m),
        lambda: torch.corrcoef(x), lambda: torch.cov(m, correction=0, aweights=m[0]),
        lambda: torch.cov(m, fweights=counts), lambda: torch.cov(m, fweights=counts, aweights=m[1]),
    )  # fmt: skip
    texts(torch, show, functions, [x, m], 2)


def case_of_products_of_many(torch, show):
    x, y, m = leaves(torch)
    a, b = matrices(torch)
    chain = torch.linalg.multi_dot
    functions = (
        lambda: torch.tensordot(a, b, 2), lambda: torch.tensordot(a, b.t(), 2),
        lambda: torch.tensordot(a, b, ([1, 0], [1, 0])), lambda: torch.tensordot(a[:1], b[:1], 2),
        lambda: torch.inner(x, y), lambda: torch.inner(a, b), lambda: torch.kron(m, m),
        lambda: chain([a, b, a]), lambda: chain([a[0], b, b[0]]), lambda: chain([a, b, a, b]),
        lambda: torch.einsum("ij,jk,kl->il", a, b, a), lambda: torch.einsum("ij,jk->", a, b),
        lambda: torch.einsum("i,j,k->ijk", x, y, x), lambda: torch.einsum("ii->i", a),
        lambda: torch.einsum("bij,bjk->bik", a[None], b[None]),
    )  # fmt: skip
    texts(torch, show, functions, [x, y, m, a, b], 2)


def case_of_transforms(torch, show):
    x, _, m = leaves(torch)
    fft = torch.fft
    functions = (
        lambda: fft.ifft(x), lambda: fft.hfft(x), lambda: fft.ihfft(x), lambda: fft.hfft2(m),
        lambda: fft.ihfft2(m), lambda: fft.rfft(x), lambda: fft.irfft(x), lambda: fft.rfft2(m),
        lambda: fft.fft2(m, (3, 1)), lambda: fft.irfft2(m), lambda: fft.rfft(x, 4),
    )  # fmt: skip
    texts(torch, show, functions, [x, m], 2)
    show(fft.ifft(x).is_conj(), fft.fft(x).is_conj(), fft.fft2(m, (3, 3)).grad_fn.name())


def case_of_padding_around(torch, show):
    pad = torch.nn.functional.pad
    x = torch.arange(1.0, 13).view(1, 3, 4).requires_grad_()
    functions = (
        lambda: pad(x, (1, 2), "circular"), lambda: pad(x, (1, 0), "circular"),
        lambda: pad(x, (-1, 2), "circular"), lambda: pad(x[None], (1, 2, 2, 1), "circular"),
        lambda: pad(x[:0], (1, 1), "circular"),
    )  # fmt: skip
    texts(torch, show, functions, [x], 2)


def case_of_differences(torch, show):
    x, _, m = leaves(torch)
    places = torch.tensor([0.0, 1.0, 3.0])
    functions = (
        lambda: torch.diff(x), lambda: torch.diff(x, 0, prepend=x), lambda: torch.diff(m, 1, 0),
        lambda: torch.gradient(x), lambda: torch.gradient(x, spacing=0.5, edge_order=2),
        lambda: torch.gradient(x, spacing=(places,)),
        lambda: torch.gradient(x, spacing=(places,), edge_order=2),
        lambda: torch.gradient(x, spacing=None), lambda: torch.gradient(m, dim=1),
    )  # fmt: skip
    texts(torch, show, functions, [x, m], 2)


def case_of_powers(torch, show):
    x, y, m = leaves(torch)
    special = torch.special
    functions = (lambda: torch.vander(x), lambda: torch.vander(x, 2, True))
    texts(torch, show, functions, [x], 0)  # PyTorch cannot find the gradient of the powers
    functions = (
        lambda: torch.vander(x, 1) + x, lambda: torch.linalg.vander(x),
        lambda: torch.linalg.vander(m, N=3),
        lambda: special.ndtr(x), lambda: special.i1(x), lambda: special.i1e(x - 0.5),
        lambda: torch.logit(x / 3), lambda: torch.logit(x / 3, 0.2),
    )  # fmt: skip
    texts(torch, show, functions, [x, m], 2)
    show(torch.vander(torch.tensor([2, 3], dtype=torch.int32)))


def case_of_layouts(torch, show):
    x, _, m = leaves(torch)
    functions = (
        lambda: m.t().ravel(), lambda: m.ravel(), lambda: x[::2].ravel(),
        lambda: x.repeat_interleave(2), lambda: m.repeat_interleave(2),
        lambda: m.t().repeat_interleave(2, 0), lambda: m.repeat_interleave(1, 1),
        lambda: m.repeat_interleave(torch.tensor([1, 2]), 0),
        lambda: torch.linalg.matrix_norm(m, "nuc", keepdim=True), lambda: x[0].expand(()),
        lambda: torch.linalg.matrix_norm(m, 2, keepdim=True), lambda: x[0].expand(2),
        lambda: m.norm("nuc", (0, 1), True), lambda: torch.cdist(m[None], m[None].expand(2, 2, 2)),
    )  # fmt: skip
    texts(torch, show, functions, [x, m], 0)


def case_of_reductions_at_places(torch, show):
    x, y, m = leaves(torch)
    index = torch.tensor([0, 1, 1])
    for reduce in ("prod", "mean", "amax", "amin"):
        for inside in (True, False):
            functions = (
                lambda r=reduce, i=inside: x.index_reduce(0, index, y, r, include_self=i),
                lambda r=reduce, i=inside: x.scatter_reduce(0, index, y, r, include_self=i),
            )
            texts(torch, show, functions, [x, y], 2)


def case_of_products_with_zeros(torch, show):
    """What the gradient is made of depends on the numbers: one pass says nothing of the next."""
    for values in ([1.0, 2.0], [3.0, 2.0], [4.0, 2.0], [0.0, 3.0], [0.0, 0.0], [5.0, 2.0]):
        x = torch.tensor([values, [1.0, 2.0]], requires_grad=True)
        for function in (lambda x=x: x.prod(), lambda x=x: x.prod(0), lambda x=x: x.prod(1, True)):
            texts(torch, show, (function,), [x], 2)
            out = function()
            (grad,) = torch.autograd.grad(out.sum(), x, create_graph=True)
            show(torch.autograd.grad(grad.sum(), x))
    number = torch.tensor(2.0, requires_grad=True)
    texts(torch, show, (lambda: number.prod(), lambda: number.prod(0)), [number], 2)


def case_of_solutions(torch, show):
    a, b = matrices(torch)
    LU, pivots = torch.linalg.lu_factor((a + 2 * torch.eye(3)).detach())
    LU.requires_grad_()
    solve = torch.linalg.lu_solve
    for left in (True, False):
        for adjoint in (True, False):
            functions = (lambda i=left, j=adjoint: solve(LU, pivots, b, left=i, adjoint=j),)
            texts(torch, show, functions, [LU, b], 2)
    for upper in (True, False):
        for turned in (True, False):
            solved = torch.triangular_solve(b, LU, upper, turned)
            show([x.grad_fn.name() for x in solved], solved[0].grad_fn is solved[1].grad_fn)
            functions = (lambda s=solved: s[0], lambda s=solved: s[1], lambda s=solved: list(s))
            texts(torch, show, functions, [LU, b], 2)


def attentions(torch):
    generator = torch.Generator().manual_seed(0)
    attend = torch.nn.functional.scaled_dot_product_attention
    q, k, v = (
        torch.rand(1, 2, 3, 4, generator=generator, dtype=torch.float64).requires_grad_()
        for _ in range(3)
    )
    return attend, q, k, v


def case_of_attention(torch, show):
    attend, q, k, v = attentions(torch)
    nothing, wide = torch.zeros(3, 3, dtype=torch.bool), torch.ones(3, 3, dtype=torch.bool).tril()
    bias = torch.arange(9.0, dtype=torch.float64).view(3, 3)
    functions = (
        lambda: attend(q, k, v), lambda: attend(q, k, v, is_causal=True, scale=0.3),
        lambda: attend(q, k, v, wide), lambda: attend(q, k, v, nothing),
        lambda: attend(q, k, v, bias), lambda: attend(q, k, v, bias.expand(1, 2, 3, 3), scale=-1.0),
        lambda: attend(q, k[:, :1], v[:, :1], enable_gqa=True), lambda: attend(q[:, :, :2], k, v),
        lambda: attend(q[:, :, :2], k, v, is_causal=True),
    )  # fmt: skip
    texts(torch, show, functions, [q, k, v], 2)
    for function in functions:
        show(function(), torch.autograd.grad((function() ** 2).sum(), [q, k, v]))
    weight = bias.clone().requires_grad_()
    functions = (
        lambda: attend(q[0], k[0], v[0]), lambda: attend(q, k, v[..., :2]),
        lambda: attend(q, k, v, weight), lambda: attend(q, k, v, bias.expand(2, 3, 3)),
        lambda: attend(q.mT.contiguous().mT, k, v), lambda: attend(q.expand(2, 2, 3, 4), k, v),
    )  # fmt: skip
    for function in functions:
        show(graph(function().grad_fn, {}), function())


def case_of_attention_twice(torch, show):
    attend, q, k, v = attentions(torch)
    (grad,) = torch.autograd.grad(attend(q, k, v).sum(), q, create_graph=True)
    show.error(lambda: torch.autograd.grad(grad.sum(), q), "is not implemented")
    show.error(lambda: torch.func.jvp(lambda q: attend(q, k, v), (q,), (q,)), "does not support it")
    kernel = torch.nn.attention.sdpa_kernel
    with kernel(torch.nn.attention.SDPBackend.MATH):
        out = attend(q, k, v)
        (grad,) = torch.autograd.grad(out.sum(), q, create_graph=True)
        show(out, out.grad_fn, torch.autograd.grad(grad.sum(), q))
    node = attend(q, k, v, torch.ones(3, 3, dtype=torch.bool), scale=0.5).grad_fn
    for name in ("attn_mask", "dropout_p", "is_causal", "logsumexp", "output", "scale", "query"):
        show(name, getattr(node, f"_saved_{name}"))
    show([(m.shape, m.dtype) for m in node._input_metadata], attend(q, k, v).grad_fn._saved_scale)

"""``x[index] = value``, in-place comparisons and ``out=``: what they record, what they refuse."""

import warnings


def chain(node):
    """The text of a graph."""
    if node is None:
        return "-"
    below = ", ".join(chain(following) for following, _ in node.next_functions)
    return f"{node.name()}({below})" if below else node.name()


def case_assignments(torch, show):
    first, rest, far = slice(None, 1), slice(1, None), slice(0, 9)
    indices = (..., 0, first, rest, far, (..., 0), (..., first), None, (None, ...))
    values = (2.0, (), (1,), (3,), (1, 3), (1, 1, 3))
    for shape in ((), (1,), (3,), (1, 3), (2, 3), (0,)):
        for index in indices:
            for value in values:
                x = torch.ones(shape, requires_grad=True) * 1
                given = torch.ones(value, requires_grad=True) if type(value) is tuple else value
                try:
                    x[index] = given
                except (IndexError, RuntimeError) as error:
                    show(type(error).__name__)
                else:
                    show(chain(x.grad_fn))


def case_slices_of_everything(torch, show):
    far, here = slice(0, 9), slice(0, 3)
    for shape in ((3,), (1, 3), (0,)):
        for index in (far, here, (..., far), (..., here), (..., slice(-9, 9)), (far, ...)):
            show(chain(torch.ones(shape, requires_grad=True)[index].grad_fn))
    show(chain(torch.ones(2, 3, requires_grad=True)[0, far].grad_fn))


def case_comparisons_in_place(torch, show):
    a = torch.ones(2, 3, requires_grad=True)
    b = torch.tensor([0.0, 1.0, 2.0], requires_grad=True)
    plain = torch.ones(2, 3)
    plain.eq_(b)
    show(plain, chain(plain.grad_fn))
    c = a * 1
    c.lt_(b)
    c.sum().backward()
    show(c, a.grad, b.grad)
    d = a * 1
    d.ge_(d)
    show(chain(d.grad_fn))
    part = torch.ones(2, 3)
    part[0].gt_(a[0])
    show(chain(part.grad_fn))
    show.error(lambda: a.ne_(2), "leaf Variable")


def case_out_of_what_has_no_gradient(torch, show):
    a = torch.tensor([1.0, -1.0], requires_grad=True)
    b = a * 1
    torch.gt(a, 0, out=a)
    torch.eq(b, b, out=b)
    show(a, a._version, b, b._version)
    show.error(lambda: torch.sin(b, out=b), "out=... arguments don't support automatic")


def case_arguments_in_the_memory_that_is_written(torch, show):
    t, where = torch.ones(3), torch.tensor([0, 1, 2])
    phrase = "unsupported operation: some elements of the input tensor"
    show.error(lambda: t.index_add_(0, where, t), phrase)
    show.error(lambda: t.index_copy_(0, where, t), phrase)
    show.error(lambda: t.scatter_(0, where, t), phrase)
    show.error(lambda: t.scatter_add_(0, where, t), phrase)
    show.error(lambda: t.index_put_((where,), t), phrase)
    show.error(lambda: t.put_(where, t[:]), phrase)
    show(t.masked_scatter_(t > 0, t), t._version)


def case_complex_view_of_one_element_shown_twice(torch, show):
    twice = torch.ones(()).expand(2)
    show.error(lambda: torch.view_as_complex(twice), "must have a last dimension with stride 1")
    columns = torch.ones(2, 3).t()
    show.error(lambda: torch.view_as_complex(columns), "must have a last dimension with stride 1")
    show(torch.view_as_complex(torch.ones(3, 4)[:, :2].contiguous()))


def case_draws_without_a_dimension(torch, show):
    torch.manual_seed(0)
    t = torch.ones(4)
    t[1].bernoulli_(0.5)
    t[2].bernoulli_(torch.tensor(0.0))
    show(t, t._version, torch.bernoulli(torch.tensor(0.5)))
    show(torch.nn.functional.dropout(torch.tensor(2.0), 0.5))
    flags = torch.ones(2, 2, dtype=torch.bool)
    flags.unbind(-1)[1].bernoulli_(0.5)
    show(flags, flags._version)


def case_numbers_with_tensors_of_inference(torch, show):
    with torch.inference_mode():
        t = torch.ones(2, requires_grad=True)
    show(t.lerp(t, 0.5).requires_grad, (t * 2).requires_grad, (t + t).requires_grad)


def case_no_kernel_for_integers(torch, show):
    f = torch.nn.functional
    names = "gelu softplus leaky_relu elu celu selu silu mish hardswish hardsigmoid hardshrink"
    for dtype in (torch.int64, torch.bool):
        x = torch.ones(4).to(dtype)
        for name in (names + " softshrink logsigmoid glu").split():
            show.error(lambda x=x, name=name: getattr(f, name)(x), "not implemented for")
        show.error(lambda x=x: f.leaky_relu_(x), "leaky_relu_cpu")
        for name in ("hypot", "logaddexp", "nextafter"):
            show.error(lambda x=x, name=name: getattr(torch, name)(x, x), "not implemented for")
        show.error(lambda x=x: x.frac(), "frac_cpu")
        show.error(lambda x=x: torch.lerp(x, x, x), "lerp_kernel_tensor")
        show.error(lambda x=x: f.binary_cross_entropy(x, x), "binary_cross_entropy")
        show.error(lambda x=x: f.layer_norm(x, (4,)), "LayerNormKernelImpl")


def case_no_kernel_for_bool(torch, show):
    x = torch.ones(2, 2, dtype=torch.bool)
    show.error(lambda: x.abs(), "abs_cpu")
    show.error(lambda: x @ x, "addmm_impl_cpu_")
    show.error(lambda: x @ x[0], "addmv_impl_cpu")
    show.error(lambda: x[0].dot(x[0]), "dot")
    show.error(lambda: x[None] @ x[None], "bmm")
    show.error(lambda: torch.addcmul(x, x, x), "addcmul_cpu_out")
    show.error(lambda: x.clamp(x, x), "clamp_cpu")
    show.error(lambda: x.trace(), "trace")
    show.error(lambda: x.kthvalue(1), "kthvalue_cpu")
    show.error(lambda: x.argmax(), "does not support bool input")
    show.error(lambda: x.topk(1), "topk does not support bool")
    show.error(lambda: torch.nn.functional.relu6(x), "Bool inputs not supported for hardtanh")


def case_numbers_that_do_not_fit(torch, show):
    show(torch.ones(3, dtype=torch.bool).fill_(1j))
    show.error(lambda: torch.ones(3).fill_(1j), "without overflow")
    flags = torch.zeros(3, dtype=torch.bool)
    flags[torch.tensor([0, 0])] = 1 + 2j
    show(flags, flags.fmod(2), flags.remainder(1.5))
    show.error(lambda: flags.fmod(True), "fmod_cpu")
    index = torch.tensor([1])
    show.error(lambda: torch.ones(3).index_fill_(0, index, 1j), "Converting complex Scalar")
    x, wide = torch.ones(3), torch.ones(3, dtype=torch.float64)
    show.error(lambda: torch.lerp(x, x, wide), "for `weight`")
    show(torch.lerp(x, x, wide[0]))


def case_warnings_of_what_is_lost(torch, show):
    before = torch.is_warn_always_enabled()
    torch.set_warn_always(True)
    z = torch.ones(2, dtype=torch.complex64)
    for dtype in (torch.bool, torch.float32):
        for x in (z, z[:0]):
            show.warning(lambda x=x, dtype=dtype: x.to(dtype), "imaginary")
            show.warning(
                lambda x=x, dtype=dtype: torch.ones_like(x, dtype=dtype).copy_(x), "imagin"
            )
    torch.set_warn_always(before)


def case_variance_of_too_few(torch, show):
    for dtype in (torch.float32, torch.complex64):
        for shape in ((), (1,), (0,), (2, 1), (0, 2), (2, 0), (2,)):
            x = torch.ones(shape, dtype=dtype)
            for name in ("var", "std", "var_mean", "std_mean"):
                for kwargs in ({}, {"dim": -1}, {"correction": 0}, {"correction": 2}):
                    with warnings.catch_warnings(record=True) as caught:
                        warnings.simplefilter("always")
                        getattr(torch, name)(x, **kwargs)
                    phrase = f"{name}(): degrees of freedom is <= 0"
                    show(len(caught), all(phrase in str(w.message) for w in caught))

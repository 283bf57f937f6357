"""Conjugates and negatives that are still to be taken: the bits of views."""

import copy
import io
import pickle


def case_bits(torch, show):
    z = torch.tensor([1 + 2j, 3 - 1j])
    c = z.conj()
    show(z.is_conj(), c.is_conj(), c.is_neg(), c.conj().is_conj(), torch.is_conj(c))
    show(c.resolve_conj().is_conj(), c.resolve_conj() is c, z.resolve_conj() is z)
    show(torch.resolve_conj(c), c.resolve_neg() is c, torch.conj_physical(c).is_conj())
    show([w.is_conj() for w in (c[0], c.view(2, 1), c + 1, c.clone(), c.detach(), c.data, c.t())])
    n = c.imag
    show(n, n.is_neg(), torch.is_neg(n), n.is_conj(), c.real.is_neg(), z.imag.is_neg())
    show(n.resolve_neg(), n.resolve_neg() is n, n.resolve_neg().is_neg(), c.conj().imag.is_neg())
    show([w.is_neg() for w in (n[0], n.view(2, 1), n + 1, n.clone(), n.detach(), n.neg())])
    m = torch.ones(2, 3, dtype=torch.complex64)
    show(m.mH.is_conj(), m.H.is_conj(), m.adjoint().is_conj(), m.mT.is_conj(), m.mH.mH.is_conj())
    r = torch.ones(3)
    show(r.conj() is r, r.conj().is_conj(), r.resolve_conj() is r, r.resolve_neg() is r)
    show(repr(c), repr(n), repr(c.resolve_conj()))


def case_bits_refuse(torch, show):
    c = torch.tensor([1 + 2j, 3 - 1j]).conj()
    phrase = "view_as_real doesn't work on unresolved conjugated tensors"
    show.error(lambda: torch.view_as_real(c), phrase)
    show(torch.view_as_real(c.resolve_conj()), torch.view_as_real(c.conj()))
    phrase = "Can't call numpy() on Tensor that has conjugate bit set"
    show.error(lambda: c.numpy(), f"{phrase}. Use tensor.resolve_conj().numpy()")
    phrase = "Can't call numpy() on Tensor that has negative bit set"
    show.error(lambda: c.imag.numpy(), f"{phrase}. Use tensor.resolve_neg().numpy()")
    show(c.numpy(force=True).tolist(), c.tolist(), c.imag.tolist(), c.real.numpy().tolist())


def case_bits_and_writes(torch, show):
    z = torch.tensor([1 + 2j, 3 - 1j])
    c = z.conj()
    c[0] = 5 + 1j
    show(z, c, c.is_conj(), z._version)
    c.imag.mul_(2)
    show(z, c)
    c.mul_(1j)
    c.conj_physical_()
    show(z, c.is_conj())
    c.resolve_conj().zero_()
    c.imag.resolve_neg().zero_()
    show(z)


def case_bits_and_gradients(torch, show):
    z = torch.tensor([1 + 2j, 3 - 1j], requires_grad=True)
    c = z.conj()
    show(c.grad_fn, c.resolve_conj(), c.resolve_conj().grad_fn.next_functions)
    show(c.imag.resolve_neg(), z.resolve_conj() is z)
    show(torch.autograd.grad(c.resolve_conj(), z, torch.tensor([1j, 2.0 + 0j])))
    show(torch.autograd.grad(c.imag.resolve_neg().sum(), z))
    show(repr(c), repr(c.imag))


def case_negative_views(torch, show):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    n = x._neg_view()
    show(n, n.is_neg(), n._is_view(), n._base is x, torch._neg_view(x), n[1:].is_neg())
    n.sum().backward()
    show(x.grad, x.grad.is_neg(), n._neg_view(), n._neg_view().is_neg(), torch.neg(n).is_neg())
    r = n.resolve_neg()
    show(r, r.is_neg(), torch.resolve_neg(x) is x, n.view(2, 1).is_neg(), n.clone().is_neg())
    d = torch.tensor([1.0, 2.0])
    v = d._neg_view()
    v.add_(1)
    v[0] = 9
    show(d, v, v.detach().is_neg(), (v + 1).is_neg())
    show.error(v.numpy, "negative bit set")
    show(v.numpy(force=True).tolist(), torch.tensor([1j]).conj().imag._neg_view().is_neg())


def case_write_to_a_negative_view(torch, show):
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    v = y._neg_view()
    v.mul_(torch.tensor([2.0, 5.0]))
    show(y, v, v.is_neg())
    (y * y).sum().backward()
    show(x.grad)
    w = (x * 2)._neg_view()
    (g,) = torch.autograd.grad((w * w).sum(), x)
    show(g)


def case_copies_of_pending_conjugates(torch, show):
    z = torch.tensor([1 + 2j, 3 - 1j])
    for x in (z.conj(), z.conj()[1:], z.conj().imag, torch._neg_view(torch.ones(2))):
        file = io.BytesIO()
        torch.save(x, file)
        file.seek(0)
        for made in (
            copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x)), torch.load(file)
        ):  # fmt: skip
            show(made.is_conj(), made.is_neg(), made._is_view(), made)
    whole, part = copy.deepcopy([z, z.conj()])
    whole.mul_(2)
    show(whole, part)
    same = copy.copy(z.conj())
    z.mul_(2)
    show(same)


def case_second_conjugate_in_memory(torch, show):
    z = torch.tensor([1 + 2j], requires_grad=True)
    (g,) = torch.autograd.grad(z.conj_physical(), z, torch.ones_like(z), create_graph=True)
    show(g, g.is_conj())

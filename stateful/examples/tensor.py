"""Examples of methods and attributes of Tensor.

>>> import stateful as torch

Tensor.as_strided_
    >>> torch.arange(4).as_strided_((2, 2), (1, 1))
    tensor([[0, 1],
            [1, 2]])

Tensor.backward
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])

Tensor.bfloat16
    >>> torch.tensor([1.0]).bfloat16()
    tensor([1.], dtype=torch.bfloat16)

Tensor.bool
    >>> torch.tensor([0, 2]).bool()
    tensor([False,  True])

Tensor.byte
    >>> torch.tensor([1.0]).byte()
    tensor([1], dtype=torch.uint8)

Tensor.cdouble
    >>> torch.tensor([1.0]).cdouble()
    tensor([1.+0.j], dtype=torch.complex128)

Tensor.cfloat
    >>> torch.tensor([1.0]).cfloat()
    tensor([1.+0.j])

Tensor.char
    >>> torch.tensor([1.0]).char()
    tensor([1], dtype=torch.int8)

Tensor.const_data_ptr
    >>> x = torch.ones(1)
    >>> x.const_data_ptr() == x.data_ptr()
    True

Tensor.data
    >>> x = torch.ones(2, requires_grad=True)
    >>> x.data.mul_(3)
    tensor([3., 3.])
    >>> x
    tensor([3., 3.], requires_grad=True)

Tensor.double
    >>> torch.tensor([1]).double()
    tensor([1.], dtype=torch.float64)

Tensor.expand_as
    >>> torch.tensor([1, 2]).expand_as(torch.zeros(2, 2))
    tensor([[1, 2],
            [1, 2]])

Tensor.float
    >>> torch.tensor([1]).float()
    tensor([1.])

Tensor.grad
    >>> x = torch.ones(2, requires_grad=True)
    >>> (x * 3).sum().backward()
    >>> x.grad
    tensor([3., 3.])

Tensor.grad_fn
    >>> x = torch.ones(2, requires_grad=True)
    >>> x.grad_fn is None
    True
    >>> (x * 3).grad_fn.name()
    'MulBackward0'

Tensor.H
    >>> torch.tensor([[1, 2j]]).H
    tensor([[1.-0.j],
            [0.-2.j]])

Tensor.half
    >>> torch.tensor([1]).half()
    tensor([1.], dtype=torch.float16)

Tensor.int
    >>> torch.tensor([1.5, -1.5]).int()
    tensor([ 1, -1], dtype=torch.int32)

Tensor.is_coalesced
    False: there are no sparse tensors here. PyTorch raises an error for a dense one.
    >>> torch.ones(1).is_coalesced()
    False

Tensor.is_cpu
    Whether the elements are in host memory.
    >>> torch.ones(1).is_cpu
    True

Tensor.is_ipu
    False: there are no IPU devices.
    >>> torch.ones(1).is_ipu
    False

Tensor.is_leaf
    >>> x = torch.ones(2, requires_grad=True)
    >>> x.is_leaf, (x * 3).is_leaf
    (True, False)

Tensor.is_maia
    False: there are no MAIA devices.
    >>> torch.ones(1).is_maia
    False

Tensor.is_meta
    Whether the tensor has a shape and a dtype but no elements.
    >>> torch.ones(1).is_meta
    False

Tensor.is_mkldnn
    False: there is one layout.
    >>> torch.ones(1).is_mkldnn
    False

Tensor.is_mps
    False: there are no Metal devices.
    >>> torch.ones(1).is_mps
    False

Tensor.is_mtia
    False: there are no MTIA devices.
    >>> torch.ones(1).is_mtia
    False

Tensor.is_nested
    False: there are no nested tensors.
    >>> torch.ones(1).is_nested
    False

Tensor.is_nonzero
    Whether the only element is not zero. RuntimeError for any other number of elements.
    >>> torch.tensor([2]).is_nonzero()
    True

Tensor.is_pinned
    False: memory is not pinned.
    >>> torch.ones(1).is_pinned()
    False

Tensor.is_quantized
    False: there are no quantized tensors.
    >>> torch.ones(1).is_quantized
    False

Tensor.is_shared
    False: memory is not shared between processes.
    >>> torch.ones(1).is_shared()
    False

Tensor.is_sparse
    False: there are no sparse tensors.
    >>> torch.ones(1).is_sparse
    False

Tensor.is_sparse_csr
    False: there is one layout.
    >>> torch.ones(1).is_sparse_csr
    False

Tensor.is_vulkan
    False: there are no Vulkan devices.
    >>> torch.ones(1).is_vulkan
    False

Tensor.is_xla
    False: there are no XLA devices of PyTorch; XLA runs everything.
    >>> torch.ones(1).is_xla
    False

Tensor.is_xpu
    False: there are no XPU devices.
    >>> torch.ones(1).is_xpu
    False

Tensor.long
    >>> torch.tensor([1.5, -1.5]).long()
    tensor([ 1, -1])

Tensor.mH
    >>> torch.tensor([[1, 2j]]).mH
    tensor([[1.-0.j],
            [0.-2.j]])

Tensor.mT
    >>> torch.zeros(4, 2, 3).mT.shape
    torch.Size([4, 3, 2])

Tensor.name
    >>> torch.ones(1).name is None
    True

Tensor.new_empty
    >>> torch.ones(1, dtype=torch.int32).new_empty(2).dtype
    torch.int32

Tensor.new_full
    >>> torch.ones(1, dtype=torch.int32).new_full((2,), 3)
    tensor([3, 3], dtype=torch.int32)

Tensor.new_ones
    >>> torch.zeros(1, dtype=torch.int32).new_ones(2)
    tensor([1, 1], dtype=torch.int32)

Tensor.new_tensor
    A new leaf with a copy of ``data``, with the dtype of this tensor.
    >>> torch.zeros(1, dtype=torch.float64).new_tensor([1, 2])
    tensor([1., 2.], dtype=torch.float64)

Tensor.new_zeros
    >>> torch.ones(1, dtype=torch.int32).new_zeros(2)
    tensor([0, 0], dtype=torch.int32)

Tensor.output_nr
    >>> x = torch.ones(2, requires_grad=True)
    >>> [part.output_nr for part in x.unbind()]
    [0, 1]

Tensor.register_hook
    >>> x = torch.ones(2, requires_grad=True)
    >>> handle = x.register_hook(lambda grad: grad * 10)
    >>> x.sum().backward()
    >>> x.grad
    tensor([10., 10.])

Tensor.register_post_accumulate_grad_hook
    >>> x = torch.ones(2, requires_grad=True)
    >>> handle = x.register_post_accumulate_grad_hook(lambda leaf: print(leaf.grad))
    >>> x.sum().backward()
    tensor([1., 1.])

Tensor.repeat
    >>> torch.tensor([1, 2]).repeat(2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])

Tensor.requires_grad
    >>> x = torch.ones(2)
    >>> x.requires_grad = True
    >>> (x * 2).requires_grad
    True

Tensor.requires_grad_
    >>> torch.ones(2).requires_grad_()
    tensor([1., 1.], requires_grad=True)

Tensor.reshape_as
    >>> torch.arange(4).reshape_as(torch.zeros(2, 2))
    tensor([[0, 1],
            [2, 3]])

Tensor.retain_grad
    >>> x = torch.ones(2, requires_grad=True)
    >>> y = x * 2
    >>> y.retain_grad()
    >>> y.sum().backward()
    >>> y.grad
    tensor([1., 1.])

Tensor.retains_grad
    >>> y = torch.ones(2, requires_grad=True) * 2
    >>> y.retain_grad()
    >>> y.retains_grad
    True

Tensor.short
    >>> torch.tensor([1.5, -1.5]).short()
    tensor([ 1, -1], dtype=torch.int16)

Tensor.squeeze_
    >>> torch.zeros(1, 2).squeeze_().shape
    torch.Size([2])

Tensor.swapaxes_
    >>> torch.zeros(1, 2).swapaxes_(0, 1).shape
    torch.Size([2, 1])

Tensor.swapdims_
    >>> torch.zeros(1, 2).swapdims_(0, 1).shape
    torch.Size([2, 1])

Tensor.T
    >>> torch.tensor([[1, 2]]).T
    tensor([[1],
            [2]])

Tensor.t_
    >>> torch.zeros(1, 2).t_().shape
    torch.Size([2, 1])

Tensor.to_dense
    The tensor itself: it is dense; in another dtype if asked.
    >>> torch.ones(2).to_dense()
    tensor([1., 1.])

Tensor.transpose_
    >>> torch.zeros(1, 2).transpose_(0, 1).shape
    torch.Size([2, 1])

Tensor.unfold
    >>> torch.arange(4).unfold(0, 2, 1)
    tensor([[0, 1],
            [1, 2],
            [2, 3]])

Tensor.unsqueeze_
    >>> torch.zeros(2).unsqueeze_(0).shape
    torch.Size([1, 2])

Tensor.view_as
    >>> torch.arange(4).view_as(torch.zeros(2, 2))
    tensor([[0, 1],
            [2, 3]])

Tensor.where
    >>> torch.tensor([1, -2]).where(torch.tensor([True, False]), torch.tensor(0))
    tensor([1, 0])

Tensor.zero_
    >>> torch.ones(2).zero_()
    tensor([0., 0.])
"""

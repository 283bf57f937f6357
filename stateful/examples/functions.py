"""Examples of functions and types that are made from tables.

>>> import stateful as torch

alias_copy
    >>> torch.alias_copy(torch.ones(2))
    tensor([1., 1.])

as_strided_copy
    >>> torch.as_strided_copy(torch.arange(4), (2, 2), (1, 1))
    tensor([[0, 1],
            [1, 2]])

BoolTensor
    >>> torch.BoolTensor([0, 2])
    tensor([False,  True])

ByteTensor
    >>> torch.ByteTensor([1, 2])
    tensor([1, 2], dtype=torch.uint8)

CharTensor
    >>> torch.CharTensor([1, -2])
    tensor([ 1, -2], dtype=torch.int8)

detach_copy
    >>> torch.detach_copy(torch.ones(2))
    tensor([1., 1.])

diagonal_copy
    >>> torch.diagonal_copy(torch.eye(2))
    tensor([1., 1.])

distributions.constraints.greater_than
    >>> from stateful.distributions import constraints
    >>> constraints.greater_than(0.0).check(torch.tensor([0.0, 1.0]))
    tensor([False,  True])

distributions.constraints.greater_than_eq
    >>> from stateful.distributions import constraints
    >>> constraints.greater_than_eq(0.0).check(torch.tensor([0.0, -1.0]))
    tensor([ True, False])

distributions.constraints.half_open_interval
    >>> from stateful.distributions import constraints
    >>> constraints.half_open_interval(0.0, 1.0).check(torch.tensor([0.0, 1.0]))
    tensor([ True, False])

distributions.constraints.integer_interval
    >>> from stateful.distributions import constraints
    >>> constraints.integer_interval(0, 2).check(torch.tensor([0.5, 2.0]))
    tensor([False,  True])

distributions.constraints.interval
    >>> from stateful.distributions import constraints
    >>> constraints.interval(0.0, 1.0).check(torch.tensor([0.0, 1.5]))
    tensor([ True, False])

distributions.constraints.less_than
    >>> from stateful.distributions import constraints
    >>> constraints.less_than(1.0).check(torch.tensor([0.0, 1.0]))
    tensor([ True, False])

DoubleTensor
    >>> torch.DoubleTensor([1, 2])
    tensor([1., 2.], dtype=torch.float64)

empty
    >>> torch.empty(2, 3).shape
    torch.Size([2, 3])

empty_like
    >>> torch.empty_like(torch.ones(2, dtype=torch.int32)).dtype
    torch.int32

expand_copy
    >>> torch.expand_copy(torch.tensor([1]), (3,))
    tensor([1, 1, 1])

FloatTensor
    >>> torch.FloatTensor([1, 2])
    tensor([1., 2.])
    >>> isinstance(torch.ones(1), torch.FloatTensor)
    True

HalfTensor
    >>> torch.HalfTensor([1, 2])
    tensor([1., 2.], dtype=torch.float16)

index_put_
    >>> x = torch.zeros(3)
    >>> torch.index_put_(x, (torch.tensor([0, 0]),), torch.ones(2), accumulate=True)
    tensor([2., 0., 0.])

IntTensor
    >>> torch.IntTensor([1, 2])
    tensor([1, 2], dtype=torch.int32)

LongTensor
    >>> torch.LongTensor([1, 2])
    tensor([1, 2])

nn.functional.dropout1d
    >>> _ = torch.manual_seed(0)
    >>> torch.nn.functional.dropout1d(torch.ones(3, 2))
    tensor([[0., 0.],
            [0., 0.],
            [2., 2.]])

nn.functional.dropout2d
    >>> _ = torch.manual_seed(0)
    >>> torch.nn.functional.dropout2d(torch.ones(1, 3, 1, 2))
    tensor([[[[0., 0.]],
    <BLANKLINE>
             [[0., 0.]],
    <BLANKLINE>
             [[2., 2.]]]])

nn.functional.dropout3d
    >>> torch.nn.functional.dropout3d(torch.ones(1, 1, 1, 1, 2), training=False)
    tensor([[[[[1., 1.]]]]])

permute_copy
    >>> torch.permute_copy(torch.zeros(2, 3), (1, 0)).stride()
    (2, 1)

rand_like
    >>> _ = torch.manual_seed(0)
    >>> torch.rand_like(torch.zeros(2))
    tensor([0.4963, 0.7682])

randint_like
    >>> _ = torch.manual_seed(0)
    >>> torch.randint_like(torch.zeros(2), 10)
    tensor([4., 9.])

randn_like
    >>> _ = torch.manual_seed(0)
    >>> torch.randn_like(torch.zeros(2))
    tensor([ 1.5410, -0.2934])

select_copy
    >>> torch.select_copy(torch.tensor([[1, 2], [3, 4]]), 0, 1)
    tensor([3, 4])

ShortTensor
    >>> torch.ShortTensor([1, 2])
    tensor([1, 2], dtype=torch.int16)

slice_copy
    >>> torch.slice_copy(torch.arange(5), 0, 1, 4, 2)
    tensor([1, 3])

special.entr
    >>> torch.special.entr(torch.tensor([0.0, 0.5]))
    tensor([0.0000, 0.3466])

special.i0e
    >>> torch.special.i0e(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 0.4658])

special.i1
    >>> torch.special.i1(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.5652])

special.i1e
    >>> torch.special.i1e(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.2079])

special.log_ndtr
    >>> torch.special.log_ndtr(torch.tensor([0.0, -2.0]))
    tensor([-0.6931, -3.7832])

special.ndtr
    >>> torch.special.ndtr(torch.tensor([0.0, 2.0]))
    tensor([0.5000, 0.9772])

special.ndtri
    >>> torch.special.ndtri(torch.tensor([0.5]))
    tensor([0.])

special.xlog1py
    >>> torch.special.xlog1py(torch.tensor([0.0, 1.0]), torch.tensor([-1.0, 0.0]))
    tensor([0., 0.])

special.zeta
    >>> torch.special.zeta(torch.tensor([2.0]), torch.tensor([1.0]))
    tensor([1.6449])

split_copy
    >>> torch.split_copy(torch.arange(3), 2)
    (tensor([0, 1]), tensor([2]))

split_with_sizes_copy
    >>> torch.split_with_sizes_copy(torch.arange(3), (1, 2))
    (tensor([0]), tensor([1, 2]))

squeeze_copy
    >>> torch.squeeze_copy(torch.zeros(1, 2)).shape
    torch.Size([2])

t_copy
    >>> torch.t_copy(torch.zeros(2, 3)).stride()
    (2, 1)

transpose_copy
    >>> torch.transpose_copy(torch.zeros(2, 3), 0, 1).stride()
    (2, 1)

unbind_copy
    >>> torch.unbind_copy(torch.tensor([1, 2]))
    (tensor(1), tensor(2))

unfold_copy
    >>> torch.unfold_copy(torch.arange(3), 0, 2, 1)
    tensor([[0, 1],
            [1, 2]])

unsqueeze_copy
    >>> torch.unsqueeze_copy(torch.zeros(2), 0).shape
    torch.Size([1, 2])

view_as_complex_copy
    >>> torch.view_as_complex_copy(torch.tensor([[1.0, 2.0]]))
    tensor([1.+2.j])

view_as_real_copy
    >>> torch.view_as_real_copy(torch.tensor([1 + 2j]))
    tensor([[1., 2.]])

view_copy
    >>> torch.view_copy(torch.arange(4), (2, 2))
    tensor([[0, 1],
            [2, 3]])

zero_
    >>> torch.zero_(torch.ones(2))
    tensor([0., 0.])

alpha_dropout_
    >>> torch.alpha_dropout_(torch.ones(2), 0.2, False)
    tensor([1., 1.])

convolution
    >>> x = torch.arange(4.0).view(1, 1, 4)
    >>> torch.convolution(x, torch.ones(1, 1, 2), None, [1], [0], [1], False, [0], 1)
    tensor([[[1., 3., 5.]]])

dropout_
    >>> torch.dropout_(torch.ones(2), 0.2, False)
    tensor([1., 1.])

feature_alpha_dropout_
    >>> torch.feature_alpha_dropout_(torch.ones(1, 2), 0.2, False)
    tensor([[1., 1.]])

gru
    >>> x, h = torch.zeros(1, 1, 2), torch.ones(1, 1, 1)
    >>> weights = [torch.ones(3, 2), torch.zeros(3, 1)]
    >>> torch.gru(x, h, weights, False, 1, 0.0, False, False, False)
    (tensor([[[0.5000]]]), tensor([[[0.5000]]]))

gru_cell
    >>> torch.gru_cell(torch.zeros(1, 2), torch.ones(1, 1), torch.ones(3, 2), torch.zeros(3, 1))
    tensor([[0.5000]])

lstm
    >>> x, h = torch.zeros(1, 1, 2), torch.zeros(1, 1, 1)
    >>> weights = [torch.ones(4, 2), torch.ones(4, 1)]
    >>> torch.lstm(x, (h, h), weights, False, 1, 0.0, False, False, False)
    (tensor([[[0.]]]), tensor([[[0.]]]), tensor([[[0.]]]))

lstm_cell
    >>> h = torch.zeros(1, 1)
    >>> torch.lstm_cell(torch.zeros(1, 2), (h, h), torch.ones(4, 2), torch.ones(4, 1))
    (tensor([[0.]]), tensor([[0.]]))

native_group_norm
    >>> torch.native_group_norm(torch.tensor([[[1.0, 3.0]]]), None, None, 1, 1, 2, 1, 0.0)
    (tensor([[[-1.,  1.]]]), tensor([[2.]]), tensor([[1.]]))

native_layer_norm
    >>> torch.native_layer_norm(torch.tensor([[1.0, 3.0]]), [2], None, None, 0.0)
    (tensor([[-1.,  1.]]), tensor([[2.]]), tensor([[1.]]))

rnn_relu
    >>> x, h = torch.ones(1, 1, 2), torch.zeros(1, 1, 1)
    >>> weights = [torch.ones(1, 2), torch.ones(1, 1)]
    >>> torch.rnn_relu(x, h, weights, False, 1, 0.0, False, False, False)
    (tensor([[[2.]]]), tensor([[[2.]]]))

rnn_relu_cell
    >>> h = torch.ones(1, 1)
    >>> torch.rnn_relu_cell(torch.ones(1, 2), h, torch.ones(1, 2), torch.ones(1, 1))
    tensor([[3.]])

rnn_tanh
    >>> x, h = torch.zeros(1, 1, 2), torch.zeros(1, 1, 1)
    >>> weights = [torch.ones(1, 2), torch.ones(1, 1)]
    >>> torch.rnn_tanh(x, h, weights, False, 1, 0.0, False, False, False)
    (tensor([[[0.]]]), tensor([[[0.]]]))

rnn_tanh_cell
    >>> h = torch.zeros(1, 1)
    >>> torch.rnn_tanh_cell(torch.zeros(1, 2), h, torch.ones(1, 2), torch.ones(1, 1))
    tensor([[0.]])
"""

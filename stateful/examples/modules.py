"""Examples of the modules that are a row of a table.

>>> import stateful as torch

nn.AdaptiveAvgPool1d
    >>> torch.nn.AdaptiveAvgPool1d(2)(torch.tensor([[1.0, 3.0, 5.0, 7.0]]))
    tensor([[2., 6.]])

nn.AdaptiveAvgPool2d
    >>> torch.nn.AdaptiveAvgPool2d(1)(torch.tensor([[[1.0, 3.0], [5.0, 7.0]]]))
    tensor([[[4.]]])

nn.AdaptiveAvgPool3d
    >>> torch.nn.AdaptiveAvgPool3d((1, 2, 2))(torch.zeros(3, 4, 4, 4)).shape
    torch.Size([3, 1, 2, 2])

nn.AdaptiveMaxPool1d
    >>> torch.nn.AdaptiveMaxPool1d(2)(torch.tensor([[1.0, 3.0, 5.0, 7.0]]))
    tensor([[3., 7.]])

nn.AdaptiveMaxPool2d
    >>> torch.nn.AdaptiveMaxPool2d(1)(torch.tensor([[[1.0, 3.0], [5.0, 7.0]]]))
    tensor([[[7.]]])

nn.AdaptiveMaxPool3d
    >>> torch.nn.AdaptiveMaxPool3d((1, 2, 2))(torch.zeros(3, 4, 4, 4)).shape
    torch.Size([3, 1, 2, 2])

nn.AlphaDropout
    >>> torch.nn.AlphaDropout(0.2).eval()(torch.ones(2))
    tensor([1., 1.])

nn.AvgPool1d
    >>> torch.nn.AvgPool1d(2)(torch.tensor([[1.0, 3.0, 5.0, 7.0]]))
    tensor([[2., 6.]])

nn.AvgPool2d
    >>> torch.nn.AvgPool2d(2)(torch.tensor([[[1.0, 3.0], [5.0, 7.0]]]))
    tensor([[[4.]]])

nn.AvgPool3d
    >>> torch.nn.AvgPool3d(2)(torch.zeros(3, 4, 4, 4)).shape
    torch.Size([3, 2, 2, 2])

nn.BCELoss
    >>> torch.nn.BCELoss()(torch.tensor([0.5, 0.5]), torch.tensor([0.0, 1.0]))
    tensor(0.6931)

nn.BCEWithLogitsLoss
    >>> torch.nn.BCEWithLogitsLoss()(torch.zeros(2), torch.tensor([0.0, 1.0]))
    tensor(0.6931)

nn.CELU
    >>> torch.nn.CELU()(torch.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])

nn.CircularPad1d
    >>> torch.nn.CircularPad1d(1)(torch.tensor([[1.0, 2.0, 3.0]]))
    tensor([[3., 1., 2., 3., 1.]])

nn.CircularPad2d
    >>> torch.nn.CircularPad2d((1, 1, 0, 0))(torch.tensor([[[1.0, 2.0, 3.0]]]))
    tensor([[[3., 1., 2., 3., 1.]]])

nn.CircularPad3d
    >>> torch.nn.CircularPad3d(1)(torch.zeros(1, 2, 2, 2)).shape
    torch.Size([1, 4, 4, 4])

nn.ConstantPad1d
    >>> torch.nn.ConstantPad1d(1, 9.0)(torch.tensor([[1.0, 2.0]]))
    tensor([[9., 1., 2., 9.]])

nn.ConstantPad2d
    >>> torch.nn.ConstantPad2d((1, 0, 0, 1), 9.0)(torch.tensor([[[1.0, 2.0]]]))
    tensor([[[9., 1., 2.],
             [9., 9., 9.]]])

nn.ConstantPad3d
    >>> torch.nn.ConstantPad3d(1, 9.0)(torch.zeros(1, 2, 2, 2)).shape
    torch.Size([1, 4, 4, 4])

nn.CosineEmbeddingLoss
    >>> x, y = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    >>> torch.nn.CosineEmbeddingLoss()(x, y, torch.tensor([1.0]))
    tensor(1.)

nn.CrossEntropyLoss
    >>> torch.nn.CrossEntropyLoss()(torch.zeros(2, 3), torch.tensor([0, 2]))
    tensor(1.0986)

nn.CTCLoss
    >>> scores = torch.zeros(4, 1, 3).log_softmax(2)
    >>> torch.nn.CTCLoss()(scores, torch.tensor([[1, 2]]), torch.tensor([4]), torch.tensor([2]))
    tensor(0.8432)

nn.Dropout
    >>> _ = torch.manual_seed(0)
    >>> torch.nn.Dropout(0.5)(torch.ones(4))
    tensor([0., 0., 2., 0.])

nn.Dropout1d
    >>> _ = torch.manual_seed(0)
    >>> torch.nn.Dropout1d(0.5)(torch.ones(3, 2))
    tensor([[0., 0.],
            [0., 0.],
            [2., 2.]])

nn.Dropout2d
    >>> _ = torch.manual_seed(0)
    >>> torch.nn.Dropout2d(0.5)(torch.ones(1, 3, 1, 2))
    tensor([[[[0., 0.]],
    <BLANKLINE>
             [[0., 0.]],
    <BLANKLINE>
             [[2., 2.]]]])

nn.Dropout3d
    >>> torch.nn.Dropout3d(0.5).eval()(torch.ones(1, 3, 1, 1, 2)).sum()
    tensor(6.)

nn.ELU
    >>> torch.nn.ELU()(torch.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])

nn.FeatureAlphaDropout
    >>> torch.nn.FeatureAlphaDropout(0.2).eval()(torch.ones(1, 2))
    tensor([[1., 1.]])

nn.GaussianNLLLoss
    >>> torch.nn.GaussianNLLLoss()(torch.zeros(2), torch.ones(2), torch.ones(2))
    tensor(0.5000)

nn.GELU
    >>> torch.nn.GELU()(torch.tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])

nn.GLU
    >>> torch.nn.GLU()(torch.tensor([3.0, 0.0]))
    tensor([1.5000])

nn.Hardshrink
    >>> torch.nn.Hardshrink()(torch.tensor([-1.0, 0.5]))
    tensor([-1.,  0.])

nn.Hardsigmoid
    >>> torch.nn.Hardsigmoid()(torch.tensor([-3.0, 0.0, 1.0]))
    tensor([0.0000, 0.5000, 0.6667])

nn.Hardswish
    >>> torch.nn.Hardswish()(torch.tensor([-1.0, 3.0]))
    tensor([-0.3333,  3.0000])

nn.Hardtanh
    >>> torch.nn.Hardtanh()(torch.tensor([-3.0, 0.5]))
    tensor([-1.0000,  0.5000])

nn.HingeEmbeddingLoss
    >>> torch.nn.HingeEmbeddingLoss()(torch.tensor([0.5, 0.25]), torch.tensor([1.0, -1.0]))
    tensor(0.6250)

nn.HuberLoss
    >>> torch.nn.HuberLoss()(torch.tensor([0.0, 3.0]), torch.tensor([1.0, 0.0]))
    tensor(1.5000)

nn.KLDivLoss
    >>> p = torch.tensor([[0.5, 0.5]])
    >>> torch.nn.KLDivLoss(reduction="batchmean")(torch.tensor([[0.25, 0.75]]).log(), p)
    tensor(0.1438)

nn.L1Loss
    >>> torch.nn.L1Loss()(torch.tensor([1.0, 2.0]), torch.tensor([0.0, 4.0]))
    tensor(1.5000)

nn.LazyBatchNorm1d
    >>> norm = torch.nn.LazyBatchNorm1d()
    >>> norm(torch.zeros(2, 3)).shape, norm.num_features
    (torch.Size([2, 3]), 3)

nn.LazyBatchNorm2d
    >>> norm = torch.nn.LazyBatchNorm2d()
    >>> norm(torch.zeros(2, 3, 4, 4)).shape, norm.num_features
    (torch.Size([2, 3, 4, 4]), 3)

nn.LazyBatchNorm3d
    >>> norm = torch.nn.LazyBatchNorm3d()
    >>> norm(torch.zeros(2, 3, 4, 4, 4)).shape, norm.num_features
    (torch.Size([2, 3, 4, 4, 4]), 3)

nn.LazyConv1d
    >>> conv = torch.nn.LazyConv1d(5, kernel_size=3)
    >>> conv(torch.zeros(2, 4)).shape, conv.weight.shape
    (torch.Size([5, 2]), torch.Size([5, 2, 3]))

nn.LazyConv2d
    >>> conv = torch.nn.LazyConv2d(5, kernel_size=3)
    >>> conv(torch.zeros(1, 2, 4, 4)).shape, conv.weight.shape
    (torch.Size([1, 5, 2, 2]), torch.Size([5, 2, 3, 3]))

nn.LazyConv3d
    >>> conv = torch.nn.LazyConv3d(5, kernel_size=3)
    >>> conv(torch.zeros(1, 2, 4, 4, 4)).shape
    torch.Size([1, 5, 2, 2, 2])

nn.LazyConvTranspose1d
    >>> conv = torch.nn.LazyConvTranspose1d(5, kernel_size=3)
    >>> conv(torch.zeros(1, 2, 4)).shape, conv.weight.shape
    (torch.Size([1, 5, 6]), torch.Size([2, 5, 3]))

nn.LazyConvTranspose2d
    >>> conv = torch.nn.LazyConvTranspose2d(5, kernel_size=3)
    >>> conv(torch.zeros(1, 2, 4, 4)).shape
    torch.Size([1, 5, 6, 6])

nn.LazyConvTranspose3d
    >>> conv = torch.nn.LazyConvTranspose3d(5, kernel_size=3)
    >>> conv(torch.zeros(1, 2, 2, 2, 2)).shape
    torch.Size([1, 5, 4, 4, 4])

nn.LazyInstanceNorm1d
    >>> norm = torch.nn.LazyInstanceNorm1d()
    >>> norm(torch.zeros(2, 3, 4)).shape, norm.num_features
    (torch.Size([2, 3, 4]), 3)

nn.LazyInstanceNorm2d
    >>> norm = torch.nn.LazyInstanceNorm2d()
    >>> norm(torch.zeros(2, 3, 4, 4)).shape, norm.num_features
    (torch.Size([2, 3, 4, 4]), 3)

nn.LazyInstanceNorm3d
    >>> norm = torch.nn.LazyInstanceNorm3d()
    >>> norm(torch.zeros(2, 3, 4, 4, 4)).shape, norm.num_features
    (torch.Size([2, 3, 4, 4, 4]), 3)

nn.LeakyReLU
    >>> torch.nn.LeakyReLU(0.1)(torch.tensor([-1.0, 2.0]))
    tensor([-0.1000,  2.0000])

nn.LogSigmoid
    >>> torch.nn.LogSigmoid()(torch.tensor([0.0]))
    tensor([-0.6931])

nn.LogSoftmax
    >>> torch.nn.LogSoftmax(dim=0)(torch.zeros(2))
    tensor([-0.6931, -0.6931])

nn.LPPool1d
    >>> torch.nn.LPPool1d(2, 2)(torch.tensor([[3.0, 4.0]]))
    tensor([[5.]])

nn.LPPool2d
    >>> torch.nn.LPPool2d(2, 2)(torch.ones(1, 2, 2))
    tensor([[[2.]]])

nn.LPPool3d
    >>> torch.nn.LPPool3d(2, 2)(torch.zeros(1, 4, 4, 4)).shape
    torch.Size([1, 2, 2, 2])

nn.MarginRankingLoss
    >>> x, y, order = torch.tensor([1.0]), torch.tensor([3.0]), torch.tensor([1.0])
    >>> torch.nn.MarginRankingLoss()(x, y, order)
    tensor(2.)

nn.MaxPool1d
    >>> torch.nn.MaxPool1d(2)(torch.tensor([[1.0, 3.0, 7.0, 5.0]]))
    tensor([[3., 7.]])

nn.MaxPool2d
    >>> torch.nn.MaxPool2d(2)(torch.tensor([[[1.0, 3.0], [5.0, 7.0]]]))
    tensor([[[7.]]])

nn.MaxPool3d
    >>> torch.nn.MaxPool3d(2)(torch.zeros(3, 4, 4, 4)).shape
    torch.Size([3, 2, 2, 2])

nn.Mish
    >>> torch.nn.Mish()(torch.tensor([-1.0, 2.0]))
    tensor([-0.3034,  1.9440])

nn.MSELoss
    >>> torch.nn.MSELoss()(torch.tensor([1.0, 2.0]), torch.tensor([0.0, 4.0]))
    tensor(2.5000)

nn.MultiLabelMarginLoss
    >>> scores, classes = torch.tensor([[0.1, 0.2, 0.4]]), torch.tensor([[2, -1, 0]])
    >>> torch.nn.MultiLabelMarginLoss()(scores, classes)
    tensor(0.5000)

nn.MultiLabelSoftMarginLoss
    >>> torch.nn.MultiLabelSoftMarginLoss()(torch.zeros(1, 2), torch.tensor([[1.0, 0.0]]))
    tensor(0.6931)

nn.MultiMarginLoss
    >>> torch.nn.MultiMarginLoss()(torch.tensor([[0.1, 0.2, 0.4]]), torch.tensor([2]))
    tensor(0.5000)

nn.NLLLoss
    >>> torch.nn.NLLLoss()(torch.tensor([[-1.0, -2.0]]), torch.tensor([1]))
    tensor(2.)

nn.PoissonNLLLoss
    >>> torch.nn.PoissonNLLLoss()(torch.zeros(2), torch.tensor([1.0, 2.0]))
    tensor(1.)

nn.ReflectionPad1d
    >>> torch.nn.ReflectionPad1d(2)(torch.tensor([[1.0, 2.0, 3.0]]))
    tensor([[3., 2., 1., 2., 3., 2., 1.]])

nn.ReflectionPad2d
    >>> torch.nn.ReflectionPad2d((1, 1, 0, 0))(torch.tensor([[[1.0, 2.0, 3.0]]]))
    tensor([[[2., 1., 2., 3., 2.]]])

nn.ReflectionPad3d
    >>> torch.nn.ReflectionPad3d(1)(torch.zeros(1, 2, 2, 2)).shape
    torch.Size([1, 4, 4, 4])

nn.ReLU
    >>> torch.nn.ReLU()(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])

nn.ReLU6
    >>> torch.nn.ReLU6()(torch.tensor([-1.0, 8.0]))
    tensor([0., 6.])

nn.ReplicationPad1d
    >>> torch.nn.ReplicationPad1d(2)(torch.tensor([[1.0, 2.0, 3.0]]))
    tensor([[1., 1., 1., 2., 3., 3., 3.]])

nn.ReplicationPad2d
    >>> torch.nn.ReplicationPad2d((1, 1, 0, 0))(torch.tensor([[[1.0, 2.0, 3.0]]]))
    tensor([[[1., 1., 2., 3., 3.]]])

nn.ReplicationPad3d
    >>> torch.nn.ReplicationPad3d(1)(torch.zeros(1, 2, 2, 2)).shape
    torch.Size([1, 4, 4, 4])

nn.SELU
    >>> torch.nn.SELU()(torch.tensor([-1.0, 2.0]))
    tensor([-1.1113,  2.1014])

nn.Sigmoid
    >>> torch.nn.Sigmoid()(torch.tensor([0.0, 2.0]))
    tensor([0.5000, 0.8808])

nn.SiLU
    >>> torch.nn.SiLU()(torch.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])

nn.SmoothL1Loss
    >>> torch.nn.SmoothL1Loss()(torch.tensor([0.0, 3.0]), torch.tensor([1.0, 0.0]))
    tensor(1.5000)

nn.SoftMarginLoss
    >>> torch.nn.SoftMarginLoss()(torch.zeros(2), torch.tensor([1.0, -1.0]))
    tensor(0.6931)

nn.Softmax
    >>> torch.nn.Softmax(dim=0)(torch.tensor([0.0, 1.0]))
    tensor([0.2689, 0.7311])

nn.Softmin
    >>> torch.nn.Softmin(dim=0)(torch.tensor([0.0, 1.0]))
    tensor([0.7311, 0.2689])

nn.Softplus
    >>> torch.nn.Softplus()(torch.tensor([0.0, 30.0]))
    tensor([ 0.6931, 30.0000])

nn.Softshrink
    >>> torch.nn.Softshrink()(torch.tensor([-1.0, 0.5]))
    tensor([-0.5000,  0.0000])

nn.Softsign
    >>> torch.nn.Softsign()(torch.tensor([-1.0, 3.0]))
    tensor([-0.5000,  0.7500])

nn.Tanh
    >>> torch.nn.Tanh()(torch.tensor([-1.0, 0.0]))
    tensor([-0.7616,  0.0000])

nn.Tanhshrink
    >>> torch.nn.Tanhshrink()(torch.tensor([-1.0, 0.0]))
    tensor([-0.2384,  0.0000])

nn.Threshold
    >>> torch.nn.Threshold(1.0, 9.0)(torch.tensor([0.5, 2.0]))
    tensor([9., 2.])

nn.TripletMarginLoss
    >>> anchor, positive, negative = torch.zeros(1, 2), torch.zeros(1, 2), torch.zeros(1, 2)
    >>> torch.nn.TripletMarginLoss()(anchor, positive, negative)
    tensor(1.)

nn.ZeroPad1d
    >>> torch.nn.ZeroPad1d(1)(torch.tensor([[1.0, 2.0]]))
    tensor([[0., 1., 2., 0.]])

nn.ZeroPad2d
    >>> torch.nn.ZeroPad2d((1, 0, 0, 1))(torch.tensor([[[1.0, 2.0]]]))
    tensor([[[0., 1., 2.],
             [0., 0., 0.]]])

nn.ZeroPad3d
    >>> torch.nn.ZeroPad3d(1)(torch.zeros(1, 2, 2, 2)).shape
    torch.Size([1, 4, 4, 4])
"""

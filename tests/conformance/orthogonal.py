"""`parametrizations.orthogonal`: values, gradients, assignments, what is refused."""


def case_maps(torch, show):
    for sizes in ((3, 3), (3, 5), (5, 3)):
        for name in (None, "matrix_exp", "cayley", "householder"):
            for trivial in (True, False):
                torch.manual_seed(0)
                layer = torch.nn.Linear(*sizes)
                torch.nn.utils.parametrizations.orthogonal(
                    layer, orthogonal_map=name, use_trivialization=trivial
                )
                weight = layer.weight
                (
                    weight * torch.arange(float(weight.numel())).sin().view_as(weight)
                ).sum().backward()
                show(weight, layer.parametrizations.weight.original.grad, list(layer.state_dict()))
    show(repr(layer))


def case_assigned(torch, show):
    orthogonal = torch.nn.utils.parametrizations.orthogonal
    layer = orthogonal(torch.nn.Linear(3, 3))
    layer.weight = torch.eye(3).flip(0)
    show(layer.weight)
    layer = orthogonal(torch.nn.Linear(3, 3), orthogonal_map="cayley", use_trivialization=False)
    phrase = "It is not possible to assign to the matrix exponential or the Cayley"
    show.error(lambda: setattr(layer, "weight", torch.eye(3)), phrase)
    layer = orthogonal(torch.nn.Linear(4, 2), use_trivialization=False)
    layer.weight = torch.eye(4)[1:3]
    show(layer.weight)


def case_refused(torch, show):
    orthogonal = torch.nn.utils.parametrizations.orthogonal
    linear = torch.nn.Linear(2, 2)
    show.error(lambda: orthogonal(linear, orthogonal_map="x"), "orthogonal_map has to be one of")
    show.error(lambda: orthogonal(torch.nn.LayerNorm(3)), "Expected a matrix or batch of matrices")
    show.error(lambda: orthogonal(linear, "other"), "has no parameter or buffer with name 'other'")

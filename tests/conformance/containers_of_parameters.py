"""`ParameterDict`, `ParameterList` and `Sequential` as collections."""


def case_dictionaries(torch, show):
    nn = torch.nn
    made = nn.ParameterDict({"a": torch.ones(1)})
    made["b"] = 3
    show(repr(made), list(made), made.get("q"), made.setdefault("z", torch.ones(2)).shape)
    made |= {"w": torch.ones(1)}
    show(list(made), list(reversed(made)), len(made), "w" in made)
    show(made.popitem()[0], made.pop("z").shape, list(made))
    show(list(made.copy()), list(made.fromkeys(["r"], torch.ones(1))))
    joined = made | nn.ParameterDict({"a": torch.zeros(1)})
    show(joined["a"], made["a"], [name for name, _ in joined.named_parameters()])
    del made["a"]
    made.clear()
    show(len(made), sorted(joined.state_dict()))
    show.error(lambda: made.update(3), "should be called with an iterable of key/value pairs")
    show.error(lambda: made.update([3]), "should be Iterable")
    show.error(lambda: made.update([(1, 2, 3)]), "has length 3; 2 is required")
    show.error(lambda: made["nope"])
    show.error(lambda: made(1), "should not be called")


def case_lists(torch, show):
    made = torch.nn.ParameterList([torch.ones(1), 3])
    made += [torch.ones(2)]
    show(repr(made), len(made))
    show.error(lambda: made.extend(3), "should be called with an iterable, but got int")
    show.error(lambda: made(1), "should not be called")


def case_sequences(torch, show):
    nn = torch.nn
    made = nn.Sequential(nn.ReLU(), nn.Tanh())
    show(repr(made * 2), repr(2 * made))
    made *= 2
    made.insert(-1, nn.GELU())
    show(repr(made))
    show.error(lambda: made * 0, "Non-positive multiplication factor 0")
    show.error(lambda: made * 1.5, "unsupported operand type")
    show.error(lambda: made.insert(20, nn.ReLU()), "Index out of range: 20")
    show.error(lambda: made + 3, "supports only objects of Sequential class")
    show.error(lambda: nn.ModuleList().extend(3), "should be called with an iterable")


def case_places_of_modules(torch, show):
    nn = torch.nn
    module = nn.Module()
    module.set_submodule("a", nn.ReLU())
    module.set_submodule("a", nn.Tanh(), strict=True)
    module.number = 3
    show(repr(module))
    show.error(lambda: module.set_submodule("", module), "without a target name")
    show.error(lambda: module.set_submodule("b", nn.ReLU(), strict=True), "has no attribute `b`")
    show.error(lambda: module.set_submodule("number", nn.ReLU()), "`number` is not an nn.Module")
    show(nn.Linear(2, 2).to_empty(device="cpu").weight.requires_grad)
    show.error(lambda: module.to(torch.int), "only accepts floating point or complex dtypes")
    show.warning(lambda: show(sorted(nn.Linear(1, 1).state_dict({}, "x."))), "Positional args")


def case_softmax_without_a_dimension(torch, show):
    functional = torch.nn.functional
    for name in ("softmax", "log_softmax", "softmin"):
        function = getattr(functional, name)
        for shape in ((), (2,), (2, 3), (2, 3, 2)):
            x = torch.arange(12.0)[: max(1, torch.Size(shape).numel())].view(shape)
            show.warning(lambda: show(function(x)), "Implicit dimension choice")  # noqa: B023
        show(function(x, 1), function(x, dim=0, dtype=torch.float64))
    show.warning(lambda: torch.nn.Softmax()(torch.ones(2, 2)), "Implicit dimension choice")


def case_margins(torch, show):
    nn, ones = torch.nn, torch.ones(2, 3)
    show.error(lambda: nn.TripletMarginLoss(margin=0), "expected margin to be greater than 0")
    margin = nn.functional.multi_margin_loss
    for wrong in (3, -1):
        target = torch.tensor([0, wrong])
        show.error(lambda: margin(ones, target), "target out of range")  # noqa: B023
    weight = torch.ones(2)
    show.error(lambda: margin(ones, torch.tensor([0, 1]), weight=weight), "inconsistent weight")
    labels = nn.functional.multilabel_margin_loss
    for wrong in (3, -2):
        target = torch.tensor([0, wrong, 1])
        show.error(lambda: labels(torch.ones(3), target), "is out of range")  # noqa: B023


def case_bags_outside_of_the_table(torch, show):
    bag, table = torch.nn.functional.embedding_bag, torch.ones(3, 2)
    start = torch.tensor([0])
    for wrong in (3, -1):
        rows = torch.tensor([wrong])
        show.error(lambda: bag(rows, table, start), "which is not in the valid range")  # noqa: B023
    first = torch.tensor([0])
    show.error(lambda: bag(first, table, torch.tensor([1])), "offsets[0] has to be 0")
    show.error(lambda: bag(first, table, torch.tensor([0, 5])), "can not be greater than input's")
    show.error(lambda: torch.ones(3).index_add(0, torch.tensor([3]), torch.ones(1)))
    show.error(lambda: torch.ones(3, 3).index_add(0, torch.tensor([3]), torch.ones(1, 3)))


def case_structures_of_dimensions(torch, show):
    vmap, x = torch.vmap, torch.arange(6.0).view(2, 3)
    show.error(lambda: vmap(lambda d: d["a"], in_dims=({"b": 0},))({"a": x}), "not compatible")
    show.error(lambda: vmap(lambda x: {"a": x}, out_dims={"b": 0})(x), "not compatible")
    show(vmap(lambda x: {"a": x, "b": x + 1}, out_dims={"a": 1, "b": 0})(x))

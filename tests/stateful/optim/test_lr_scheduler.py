"""The stateful schedulers against PyTorch's, each on its own optimizer."""

import pickle
import re
import warnings

import pytest
import torch

from stateful.optim import lr_scheduler

theirs = torch.optim.lr_scheduler


class Optimizer:
    """All that a scheduler sees of an optimizer."""

    def __init__(self, **defaults):
        self.defaults = defaults
        self.param_groups = [{**defaults, "lr": 0.3}, {**defaults, "lr": 0.7}]

    def step(self):
        pass


class Falling:
    """A function of the epoch with something to remember."""

    def __init__(self, speed):
        self.speed = speed

    def __call__(self, epoch):
        return 1.0 / (1.0 + self.speed * epoch)


def torch_optimizer(name="SGD"):
    groups = [{"params": [torch.zeros(1)], "lr": lr} for lr in (0.3, 0.7)]
    return getattr(torch.optim, name)(groups)


def readable(parameter) -> str:
    """A name for a case that is the same in every process."""
    return re.sub(r" at 0x[0-9a-f]+", "", str(parameter))


CASES = [
    ("LambdaLR", {"lr_lambda": Falling(0.1)}),
    ("LambdaLR", {"lr_lambda": [Falling(0.1), lambda epoch: 0.9**epoch]}),
    ("MultiplicativeLR", {"lr_lambda": Falling(0.02)}),
    ("StepLR", {"step_size": 4, "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [9, 2, 2]}),
    ("ConstantLR", {}),
    ("LinearLR", {"start_factor": 0.5, "end_factor": 0.1, "total_iters": 11}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("PolynomialLR", {"total_iters": 12, "power": 2.0}),
    ("CosineAnnealingLR", {"T_max": 6, "eta_min": 0.01}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2}),
    ("CosineAnnealingWarmRestarts", {"T_0": 5, "eta_min": 0.01}),
    ("CyclicLR", {"base_lr": [0.1, 0.2], "max_lr": 1.0, "step_size_up": 4}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 3, "mode": "triangular2"}),
    (
        "CyclicLR",
        {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 3, "mode": "exp_range", "gamma": 0.9},
    ),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "step_size_up": 3, "scale_fn": Falling(0.5)}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 25}),
    ("OneCycleLR", {"max_lr": [1.0, 2.0], "epochs": 5, "steps_per_epoch": 6, "three_phase": True}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 30, "anneal_strategy": "linear"}),
]


def groups_of(optimizer):
    return [
        {key: group.get(key) for key in ("lr", "initial_lr", "momentum", "max_momentum", "max_lr")}
        for group in optimizer.param_groups
    ]


def comparable(value):
    """A state without functions, which are not equal to each other."""
    if isinstance(value, dict):
        return {key: comparable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [comparable(item) for item in value]
    return type(value).__name__ if callable(value) else value


def pair(name, options):
    one, two = torch_optimizer(), Optimizer(momentum=0.0)
    return (one, getattr(theirs, name)(one, **options)), (
        two,
        getattr(lr_scheduler, name)(two, **options),
    )


def advance(both, steps, *args):
    for _ in range(steps):
        for optimizer, scheduler in both:
            optimizer.step()
            scheduler.step(*args)


def assert_same(both):
    (one, their), (two, mine) = both
    assert groups_of(two) == groups_of(one)
    assert mine.get_last_lr() == their.get_last_lr()
    assert comparable(mine.state_dict()) == comparable(their.state_dict())


@pytest.mark.parametrize("name, options", CASES, ids=readable)
def test_same_rates_momenta_and_state(name, options):
    both = pair(name, options)
    assert_same(both)
    for _ in range(24):
        advance(both, 1)
        assert_same(both)


@pytest.mark.parametrize("name, options", CASES, ids=readable)
def test_state_moves_over_from_torch(name, options):
    both = pair(name, options)
    one, their = both[0]
    advance(both[:1], 7)
    (two, mine) = pair(name, options)[1]
    mine.load_state_dict(their.state_dict())
    for group, other in zip(two.param_groups, one.param_groups, strict=True):
        group.update({key: value for key, value in other.items() if key != "params"})
    both = (one, their), (two, mine)
    two._opt_called = True
    advance(both, 8)
    assert_same(both)


@pytest.mark.parametrize("name, options", CASES, ids=readable)
def test_the_deprecated_epoch(name, options):
    both = pair(name, options)
    advance(both, 3)
    for _, scheduler in both:
        if name == "CosineAnnealingWarmRestarts":
            scheduler.step(5.5)
        else:
            with pytest.warns(UserWarning, match="The epoch parameter in `scheduler.step"):
                scheduler.step(5)
    assert_same(both)


def test_combinations():
    def make(module, optimizer):
        return [module.ConstantLR(optimizer, 0.5, 4), module.ExponentialLR(optimizer, 0.9)]

    one, two = torch_optimizer(), Optimizer(momentum=0)
    both = (
        (one, theirs.ChainedScheduler(make(theirs, one))),
        (two, lr_scheduler.ChainedScheduler(make(lr_scheduler, two))),
    )
    for _ in range(10):
        advance(both, 1)
        assert_same(both)
    one, two = torch_optimizer(), Optimizer(momentum=0)
    both = (
        (one, theirs.SequentialLR(one, make(theirs, one), [5])),
        (two, lr_scheduler.SequentialLR(two, make(lr_scheduler, two), [5])),
    )
    assert_same(both)
    for _ in range(10):
        advance(both, 1)
        assert_same(both)
    state = both[1][1].state_dict()
    both[1][1].load_state_dict(pickle.loads(pickle.dumps(state)))
    assert both[1][1].state_dict() == state


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"mode": "max", "patience": 1, "cooldown": 2, "min_lr": [0.01, 0.1]},
        {"threshold_mode": "abs", "patience": 0},
    ],
    ids=readable,
)
def test_plateau(options):
    both = pair("ReduceLROnPlateau", options)
    for index in range(40):
        advance(both, 1, torch.tensor(abs((index * 7) % 11 - 5.0)))
        assert_same(both)


def test_beta1_follows_the_cycle():
    one, two = torch_optimizer("Adam"), Optimizer(betas=(0.9, 0.999))
    options = {"max_lr": 1.0, "total_steps": 10}
    both = (
        (one, theirs.OneCycleLR(one, **options)),
        (two, lr_scheduler.OneCycleLR(two, **options)),
    )
    for _ in range(9):
        advance(both, 1)
        assert [group["betas"] for group in two.param_groups] == [
            group["betas"] for group in one.param_groups
        ]


def test_warnings():
    scheduler = lr_scheduler.StepLR(Optimizer(), 2)
    with pytest.warns(UserWarning, match="before `optimizer.step\\(\\)`"):
        scheduler.step()
    optimizer = Optimizer()
    scheduler = lr_scheduler.StepLR(optimizer, 2)
    optimizer.step = lambda: None
    with pytest.warns(UserWarning, match="has been overridden after learning rate scheduler"):
        scheduler.step()
    with pytest.warns(UserWarning, match="please use `get_last_lr\\(\\)`"):
        scheduler.get_lr()
    optimizer = Optimizer()
    scheduler = lr_scheduler.StepLR(optimizer, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizer.step()
        scheduler.step()


ERRORS = [
    ("LambdaLR", {"lr_lambda": [len]}),
    ("MultiplicativeLR", {"lr_lambda": [len]}),
    ("MultiplicativeLR", {"lr_lambda": 3}),
    ("ConstantLR", {"factor": 2.0}),
    ("LinearLR", {"start_factor": 0.0}),
    ("LinearLR", {"end_factor": 2.0}),
    ("StepLR", {"step_size": 3, "last_epoch": 2}),
    ("CosineAnnealingWarmRestarts", {"T_0": 0}),
    ("CosineAnnealingWarmRestarts", {"T_0": 1, "T_mult": 0}),
    ("CosineAnnealingWarmRestarts", {"T_0": 1, "eta_min": "0"}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": [1.0]}),
    ("CyclicLR", {"base_lr": 0.1, "max_lr": 1.0, "mode": "square"}),
    ("OneCycleLR", {"max_lr": 1.0}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 9, "pct_start": 2.0}),
    ("OneCycleLR", {"max_lr": 1.0, "total_steps": 9, "anneal_strategy": "exp"}),
    ("ReduceLROnPlateau", {"factor": 1.0}),
    ("ReduceLROnPlateau", {"mode": "best"}),
    ("ReduceLROnPlateau", {"min_lr": [0.1]}),
    ("SequentialLR", {"schedulers": [], "milestones": []}),
]


@pytest.mark.parametrize("name, options", ERRORS, ids=readable)
def test_errors_are_torchs(name, options):
    with pytest.raises(Exception) as expected:
        getattr(theirs, name)(torch_optimizer(), **options)
    with pytest.raises(expected.type) as error:
        getattr(lr_scheduler, name)(Optimizer(momentum=0.0), **options)
    assert str(error.value)[:60] == str(expected.value)[:60]


def test_too_many_steps_and_no_momentum():
    optimizer = Optimizer(momentum=0.0)
    scheduler = lr_scheduler.OneCycleLR(optimizer, 1.0, total_steps=2)
    optimizer.step()
    scheduler.step()
    scheduler.step()
    with pytest.raises(ValueError, match="Tried to step 3 times"):
        scheduler.step()
    with pytest.raises(ValueError, match="optimizer must support momentum or beta1"):
        lr_scheduler.CyclicLR(Optimizer(), 0.1, 1.0)
    with pytest.raises(TypeError, match="int is not an Optimizer"):
        lr_scheduler.StepLR(3, 1)

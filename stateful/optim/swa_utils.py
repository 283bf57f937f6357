"""Averages of weights: stochastic weight averaging (Izmailov et al. 2018), exponential averages."""

from __future__ import annotations

import copy
import itertools
import math
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from .. import modes
from ..creation import tensor
from ..dtypes import long
from ..nn.modules.batchnorm import _BatchNorm
from ..nn.modules.module import Module
from .lr_scheduler import LRScheduler


def _check_decay(decay: float) -> None:
    if not 0.0 <= decay <= 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] "
                         "range.")  # fmt: skip


def get_ema_avg_fn(decay: float = 0.999) -> Callable:
    """``decay * average + (1 - decay) * parameter``, for one parameter.

    >>> import stateful as torch
    >>> average = torch.optim.swa_utils.get_ema_avg_fn(0.75)
    >>> average(torch.tensor(0.0), torch.tensor(4.0), 1)
    tensor(1.)
    """
    _check_decay(decay)

    def average(ema_param, current_param, num_averaged):
        with modes.no_grad():
            return decay * ema_param + (1 - decay) * current_param

    return average


def get_swa_avg_fn() -> Callable:
    """The mean of all parameters so far, for one parameter.

    >>> import stateful as torch
    >>> average = torch.optim.swa_utils.get_swa_avg_fn()
    >>> average(torch.tensor(1.0), torch.tensor(4.0), 2)
    tensor(2.)
    """

    def average(averaged_param, current_param, num_averaged):
        with modes.no_grad():
            return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return average


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable:
    """`get_ema_avg_fn` for a list of parameters, in place.

    >>> import stateful as torch
    >>> averages, values = [torch.tensor(0.0)], [torch.tensor(4.0)]
    >>> torch.optim.swa_utils.get_ema_multi_avg_fn(0.75)(averages, values, 1)
    >>> averages
    [tensor(1.)]
    """
    _check_decay(decay)

    def update(ema_param_list, current_param_list, num_averaged):
        with modes.no_grad():
            for average, current in zip(ema_param_list, current_param_list, strict=True):
                if average.is_floating_point() or average.is_complex():
                    average.lerp_(current, 1 - decay)
                else:
                    average.copy_(current * (1 - decay) + average * decay)

    return update


def get_swa_multi_avg_fn() -> Callable:
    """`get_swa_avg_fn` for a list of parameters, in place.

    >>> import stateful as torch
    >>> averages, values = [torch.tensor(1.0)], [torch.tensor(4.0)]
    >>> torch.optim.swa_utils.get_swa_multi_avg_fn()(averages, values, torch.tensor(2))
    >>> averages
    [tensor(2.)]
    """

    def update(averaged_param_list, current_param_list, num_averaged):
        weight = 1 / (float(num_averaged) + 1)
        with modes.no_grad():
            for average, current in zip(averaged_param_list, current_param_list, strict=True):
                if average.is_floating_point() or average.is_complex():
                    average.lerp_(current, weight)
                else:
                    average.add_((current - average) * weight)

    return update


class AveragedModel(Module):
    """A copy of ``model`` whose parameters are averages of the model's at each update.

    The mean by default; ``avg_fn(average, parameter, count)`` or ``multi_avg_fn`` of lists decide.
    ``use_buffers`` averages buffers too, else they are copied.

    >>> import stateful as torch
    >>> model = torch.nn.Linear(1, 1)
    >>> average = torch.optim.swa_utils.AveragedModel(model)
    >>> average.update_parameters(model)
    >>> int(average.n_averaged)
    1
    """

    n_averaged: Any

    def __init__(self, model, device=None, avg_fn=None, multi_avg_fn=None, use_buffers=False):
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", tensor(0, dtype=long, device=device))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args, **kwargs):
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the parameters of ``model`` into the average; the first time they are copied."""
        pairs = list(zip(self._averaged(self.module), self._averaged(model), strict=True))
        mine = [average.detach() for average, _ in pairs]
        theirs = [current.detach().to(average.device) for average, current in pairs]
        with modes.no_grad():
            if not int(self.n_averaged):
                for average, current in zip(mine, theirs, strict=True):
                    average.copy_(current)
            elif self.avg_fn is not None:
                for average, current in zip(mine, theirs, strict=True):
                    average.copy_(self.avg_fn(average, current, self.n_averaged))
            else:
                (self.multi_avg_fn or get_swa_multi_avg_fn())(mine, theirs, self.n_averaged)
            if not self.use_buffers:
                for average, current in zip(self.module.buffers(), model.buffers(), strict=True):
                    average.detach().copy_(current.detach())
            self.n_averaged.add_(1)

    def _averaged(self, model: Module) -> Iterable[Any]:
        if self.use_buffers:
            return itertools.chain(model.parameters(), model.buffers())
        return model.parameters()


def update_bn(loader: Iterable, model: Module, device: Any = None) -> None:
    """Compute the running statistics of batch normalization anew, over the batches of a loader.

    >>> import stateful as torch
    >>> model = torch.nn.BatchNorm1d(1)
    >>> torch.optim.swa_utils.update_bn([torch.tensor([[1.0], [3.0]])], model)
    >>> model.running_mean
    tensor([2.])
    """
    found = [m for m in model.modules() if isinstance(m, _BatchNorm)]
    if not found:
        return
    momenta = {module: module.momentum for module in found}
    training = model.training
    with modes.no_grad():
        model.train()
        for module in found:
            module.reset_running_stats()
            module.momentum = None
        for batch in loader:
            batch = batch[0] if isinstance(batch, list | tuple) else batch
            model(batch if device is None else batch.to(device))
        for module, momentum in momenta.items():
            module.momentum = momentum
        model.train(training)


class SWALR(LRScheduler):
    """Anneals the rate of each group to ``swa_lr`` and stays there.

    >>> import stateful as torch
    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    >>> SWALR = torch.optim.swa_utils.SWALR
    >>> scheduler = SWALR(optimizer, 0.5, anneal_epochs=2, anneal_strategy="linear")
    >>> rates = []
    >>> for _ in range(3):
    ...     rates.append(optimizer.param_groups[0]["lr"])
    ...     optimizer.step()
    ...     scheduler.step()
    >>> rates
    [1.0, 0.75, 0.5]
    """

    def __init__(self, optimizer, swa_lr, anneal_epochs=10, anneal_strategy="cos", last_epoch=-1):
        groups = optimizer.param_groups
        rates = list(swa_lr) if isinstance(swa_lr, list | tuple) else [swa_lr] * len(groups)
        if len(rates) != len(groups):
            raise ValueError(
                "swa_lr must have the same length as optimizer.param_groups: swa_lr has "
                f"{len(rates)}, optimizer.param_groups has {len(groups)}"
            )
        for rate, group in zip(rates, groups, strict=True):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"anneal_strategy must by one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self.anneal_epochs, self._strategy = anneal_epochs, anneal_strategy
        super().__init__(optimizer, last_epoch)

    def _share(self, t: float) -> float:
        return (1 - math.cos(math.pi * t)) / 2 if self._strategy == "cos" else t

    def get_lr(self):
        """The rates of the next epoch, from those of this one."""
        if not getattr(self, "_get_lr_called_within_step", True):
            warnings.warn(
                "To get the last learning rate computed by the scheduler, please use "
                "`get_last_lr()`.", UserWarning, stacklevel=2,
            )  # fmt: skip
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before = self._share(max(0, min(1, (step - 1) / max(1, self.anneal_epochs))))
        now = self._share(max(0, min(1, step / max(1, self.anneal_epochs))))
        rates = []
        for group in self.optimizer.param_groups:
            swa, rate = group["swa_lr"], group["lr"]
            start = swa if before == 1 else (rate - before * swa) / (1 - before)
            rates.append(swa * now + start * (1 - now))
        return rates

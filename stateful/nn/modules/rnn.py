"""`RNN`, `LSTM`, `GRU` and their cells: recurrences written as a loop over time.

Equations: https://pytorch.org/docs/stable/generated/torch.nn.LSTM.html and its siblings.
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable
from typing import Any

from ...methods import FUNCTIONS
from ...view_copies import unsafe_chunk
from .. import functional as F
from .. import init
from ..utils.rnn import PackedSequence
from .linear import empty
from .module import Module

_torch = FUNCTIONS["torch"]
_cat, _stack = _torch["cat"], _torch["stack"]


# -- one step in time ------------------------------------------------------------------------------


def _plain_step(activation: Callable) -> Callable:
    def step(gates_x, gates_h, state):
        return (activation(gates_h + gates_x),)

    return step


def _lstm_step(gates_x, gates_h, state):
    i, f, g, o = unsafe_chunk(gates_h + gates_x, 4, -1)
    cell = f.sigmoid() * state[1] + i.sigmoid() * g.tanh()
    return o.sigmoid() * cell.tanh(), cell


def _gru_step(gates_x, gates_h, state):
    reset_x, update_x, new_x = unsafe_chunk(gates_x, 3, -1)
    reset_h, update_h, new_h = unsafe_chunk(gates_h, 3, -1)
    reset, update = (reset_h + reset_x).sigmoid(), (update_h + update_x).sigmoid()
    new = (new_x + new_h * reset).tanh()
    return ((state[0] - new) * update + new,)


_STEPS = {"RNN_TANH": _plain_step(_torch["tanh"]), "RNN_RELU": _plain_step(_torch["relu"]),
          "LSTM": _lstm_step, "GRU": _gru_step}  # fmt: skip
_GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}


class _Layer:
    """One direction of one layer over time."""

    def __init__(self, mode: str, weights: dict[str, Any]):
        self.step, self.weights = _STEPS[mode], weights

    def run(self, input, state: tuple, reverse: bool):
        """Outputs (time, batch, size) and the last state."""
        weights = self.weights
        gates = F.linear(input, weights["weight_ih"], weights.get("bias_ih"))
        steps = gates.unbind(0)
        outputs = []
        for gates_x in reversed(steps) if reverse else steps:
            gates_h = F.linear(state[0], weights["weight_hh"], weights.get("bias_hh"))
            state = self.step(gates_x, gates_h, state)
            if "weight_hr" in weights:
                state = (F.linear(state[0], weights["weight_hr"]), *state[1:])
            outputs.append(state[0])
        return _stack(outputs[::-1] if reverse else outputs, 0), state

    def run_packed(self, data, sizes: list[int], state: tuple, reverse: bool):
        """`run` over packed steps of ``sizes`` rows: a sequence that has ended keeps its state."""
        weights = self.weights
        gates = F.linear(data, weights["weight_ih"], weights.get("bias_ih"))
        places = list(zip(itertools.accumulate(sizes, initial=0), sizes, strict=False))
        outputs, start, ended = [], state, []
        if reverse:
            state = tuple(part[: sizes[-1]] for part in start)
        for place, want in reversed(places) if reverse else places:
            gates_x, have = gates.narrow(0, place, want), state[0].size(0)
            if want < have:
                ended.append(tuple(part[want:] for part in state))
                state = tuple(part[:want] for part in state)
            elif want > have:
                state = tuple(
                    _cat([part, first[have:want]], 0)
                    for part, first in zip(state, start, strict=True)
                )
            gates_h = F.linear(state[0], weights["weight_hh"], weights.get("bias_hh"))
            state = self.step(gates_x, gates_h, state)
            if "weight_hr" in weights:
                state = (F.linear(state[0], weights["weight_hr"]), *state[1:])
            outputs.append(state[0])
        if ended:
            state = tuple(_cat(parts, 0) for parts in zip(state, *reversed(ended), strict=True))
        return _cat(outputs[::-1] if reverse else outputs, 0), state


# -- layers ----------------------------------------------------------------------------------------


def _over_layers(
    mode: str, input, states: tuple, weights: list[list[dict]], dropout: float, run: Callable
) -> tuple[Any, tuple]:
    """Outputs and last states; ``weights`` are those of each direction of each layer."""
    last: list[tuple] = []
    for number, layer in enumerate(weights):
        outputs = []
        for direction, named in enumerate(layer):
            start = tuple(state[len(last)] for state in states)
            output, state = run(_Layer(mode, named), input, start, direction == 1)
            outputs.append(output)
            last.append(state)
        input = outputs[0] if len(outputs) == 1 else _cat(outputs, -1)
        if dropout and number < len(weights) - 1:
            input = F.dropout(input, dropout, True)
    return input, tuple(_stack(list(parts), 0) for parts in zip(*last, strict=True))


def run_layers(
    mode: str, input, hx, params, has_biases: bool, num_layers: int, dropout: float, train: bool,
    bidirectional: bool, batch_first: bool,
) -> tuple:  # fmt: skip
    """A recurrence with its parameters in a flat list: the outputs, and each last state."""
    names = ["weight_ih", "weight_hh", *(["bias_ih", "bias_hh"] if has_biases else [])]
    directions = 1 + bidirectional
    if len(params) != num_layers * directions * len(names):
        names.append("weight_hr")
    given = iter(params)
    weights = [
        [{name: next(given) for name in names} for _ in range(directions)]
        for _ in range(num_layers)
    ]
    states = tuple(hx) if mode == "LSTM" else (hx,)
    input = input.transpose(0, 1) if batch_first else input
    rate = dropout if train else 0.0
    output, states = _over_layers(mode, input, states, weights, rate, _Layer.run)
    return _batch_first(mode, output) if batch_first else output, *states


def run_cell(mode: str, input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
    """One step of a recurrence: the next state, or both of an LSTM."""
    states = tuple(hx) if mode == "LSTM" else (hx,)
    gates_h = F.linear(states[0], w_hh, b_hh)
    after = _STEPS[mode](F.linear(input, w_ih, b_ih), gates_h, states)
    return after if mode == "LSTM" else after[0]


def _batch_first(mode: str, output):
    """With the batch first; in place where PyTorch does so, which the name of the node shows."""
    return output.transpose(0, 1) if mode == "LSTM" else output.transpose_(0, 1)


class RNNBase(Module):
    """Layers of a recurrence over (time, batch, feature), or (batch, time, feature).

    >>> import stateful as torch
    >>> issubclass(torch.nn.LSTM, torch.nn.RNNBase)
    True
    """

    def __init__(
        self, mode, input_size, hidden_size, num_layers=1, bias=True, batch_first=False,
        dropout=0.0, bidirectional=False, proj_size=0, device=None, dtype=None,
    ):  # fmt: skip
        super().__init__()
        _check_options(mode, hidden_size, num_layers, dropout, proj_size)
        self.mode, self.input_size, self.hidden_size = mode, input_size, hidden_size
        self.num_layers, self.bias, self.batch_first = num_layers, bias, batch_first
        self.dropout, self.bidirectional, self.proj_size = float(dropout), bidirectional, proj_size
        self._all_weights: list[list[str]] = []
        out, gates = proj_size or hidden_size, _GATES[mode] * hidden_size
        for layer in range(num_layers):
            for suffix in self._suffixes(layer):
                size = input_size if layer == 0 else out * len(self._suffixes(layer))
                shapes = {"weight_ih": (gates, size), "weight_hh": (gates, out)}
                if bias:
                    shapes.update(bias_ih=(gates,), bias_hh=(gates,))
                if proj_size:
                    shapes["weight_hr"] = (proj_size, hidden_size)
                for name, shape in shapes.items():
                    self.register_parameter(
                        name + suffix, empty(*shape, device=device, dtype=dtype)
                    )
                self._all_weights.append([name + suffix for name in shapes])
        self.reset_parameters()

    def _suffixes(self, layer: int) -> list[str]:
        return [f"_l{layer}", f"_l{layer}_reverse"][: 1 + self.bidirectional]

    @property
    def all_weights(self) -> list[list[Any]]:
        """The parameters of each direction of each layer."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def flatten_parameters(self) -> None:
        """Nothing to do: XLA lays out memory."""

    def reset_parameters(self) -> None:
        """Uniform within 1 / sqrt(hidden_size)."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def forward(self, input, hx=None):
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, hx)
        if input.dim() not in (2, 3):
            raise ValueError(
                f"{type(self).__name__}: Expected input to be 2D or 3D, got {input.dim()}D instead"
            )
        batched = input.dim() == 3
        batch_dim = 0 if self.batch_first else 1
        input = input if batched else input.unsqueeze(batch_dim)
        input = input.transpose(0, 1) if self.batch_first else input
        if input.size(-1) != self.input_size:
            raise RuntimeError(
                "input.size(-1) must be equal to input_size. Expected "
                f"{self.input_size}, got {input.size(-1)}"
            )
        states = self._states(input, hx, batched)
        output, states = self._layers(input, states, _Layer.run)
        if self.batch_first:
            output = _batch_first(self.mode, output)
        if not batched:
            output, states = output.squeeze(batch_dim), tuple(s.squeeze(1) for s in states)
        return output, states if self.mode == "LSTM" else states[0]

    def _forward_packed(self, packed: PackedSequence, hx):
        """Of packed sequences; states are in the order of the batch that was packed."""
        data, batch_sizes, order, back = packed
        sizes = batch_sizes.tolist()
        if hx is not None and order is not None:
            many = isinstance(hx, tuple | list)
            hx = tuple(h.index_select(1, order) for h in hx) if many else hx.index_select(1, order)
        states = self._states(data, hx, True, sizes[0])

        def run(layer, data, state, reverse):
            return layer.run_packed(data, sizes, state, reverse)

        output, states = self._layers(data, states, run)
        if back is not None:
            states = tuple(state.index_select(1, back) for state in states)
        packed = PackedSequence(output, batch_sizes, order, back)
        return packed, states if self.mode == "LSTM" else states[0]

    def _states(self, input, hx, batched: bool, batch: int | None = None) -> tuple:
        directions = len(self._all_weights)
        batch = input.size(1) if batch is None else batch
        sizes = (self.proj_size or self.hidden_size, self.hidden_size)[: 1 + (self.mode == "LSTM")]
        if hx is None:
            return tuple(input.new_zeros((directions, batch, size)) for size in sizes)
        given = tuple(hx) if self.mode == "LSTM" else (hx,)
        if not batched:
            if any(state.dim() != 2 for state in given):
                raise RuntimeError(
                    "For unbatched 2-D input, hx should also be 2-D but got "
                    f"{given[0].dim()}-D tensor"
                )
            given = tuple(state.unsqueeze(1) for state in given)
        for state, size in zip(given, sizes, strict=True):
            if tuple(state.shape) != (directions, batch, size):
                raise RuntimeError(
                    f"Expected hidden size {(directions, batch, size)}, got {list(state.shape)}"
                )
        return given

    def _layers(self, input, states: tuple, run: Callable) -> tuple[Any, tuple]:
        weights, names = [], iter(self._all_weights)
        for layer in range(self.num_layers):
            suffixes = self._suffixes(layer)
            weights.append([
                {name[: -len(suffix)]: getattr(self, name) for name in next(names)}
                for suffix in suffixes
            ])  # fmt: skip
        dropout = self.dropout if self.training else 0.0
        return _over_layers(self.mode, input, states, weights, dropout, run)

    def extra_repr(self) -> str:
        shown = f"{self.input_size}, {self.hidden_size}"
        if self.proj_size:
            shown += f", proj_size={self.proj_size}"
        if self.num_layers != 1:
            shown += f", num_layers={self.num_layers}"
        if self.bias is not True:
            shown += f", bias={self.bias}"
        if self.batch_first is not False:
            shown += f", batch_first={self.batch_first}"
        if self.dropout != 0:
            shown += f", dropout={self.dropout}"
        if self.bidirectional is not False:
            shown += f", bidirectional={self.bidirectional}"
        return shown


def _check_options(mode, hidden_size, num_layers, dropout, proj_size) -> None:
    if not isinstance(dropout, int | float) or not 0 <= dropout <= 1 or isinstance(dropout, bool):
        raise ValueError(
            "dropout should be a number in range [0, 1] representing the probability of an element "
            "being zeroed"
        )
    if dropout > 0 and num_layers == 1:
        warnings.warn(
            "dropout option adds dropout after all but last recurrent layer, so non-zero dropout "
            f"expects num_layers greater than 1, but got dropout={dropout} and "
            f"num_layers={num_layers}", stacklevel=4,
        )  # fmt: skip
    if not isinstance(hidden_size, int):
        raise TypeError(f"hidden_size should be of type int, got: {type(hidden_size).__name__}")
    if hidden_size <= 0:
        raise ValueError("hidden_size must be greater than zero")
    if num_layers <= 0:
        raise ValueError("num_layers must be greater than zero")
    if proj_size < 0:
        raise ValueError("proj_size should be a positive integer or zero to disable projections")
    if proj_size >= hidden_size:
        raise ValueError("proj_size has to be smaller than hidden_size")
    if proj_size and mode != "LSTM":
        raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")


class RNN(RNNBase):
    """``h' = tanh(W x + U h + b)`` over time; or relu.

    >>> import stateful as torch
    >>> output, h = torch.nn.RNN(3, 2, num_layers=2)(torch.zeros(5, 1, 3))
    >>> output.shape, h.shape
    (torch.Size([5, 1, 2]), torch.Size([2, 1, 2]))
    """

    def __init__(self, input_size, hidden_size, num_layers=1, nonlinearity="tanh", *args, **kwargs):
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(
                f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'."
            )
        super().__init__(f"RNN_{nonlinearity.upper()}", input_size, hidden_size, num_layers, *args,
                         **kwargs)  # fmt: skip
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """Long short-term memory (Hochreiter and Schmidhuber 1997).

    >>> import stateful as torch
    >>> output, (hidden, cell) = torch.nn.LSTM(3, 4)(torch.zeros(5, 2, 3))
    >>> output.shape, cell.shape
    (torch.Size([5, 2, 4]), torch.Size([1, 2, 4]))
    """

    def __init__(self, *args, **kwargs):
        super().__init__("LSTM", *args, **kwargs)


class GRU(RNNBase):
    """Gated recurrent unit (Cho et al. 2014).

    >>> import stateful as torch
    >>> output, h = torch.nn.GRU(3, 2)(torch.zeros(5, 1, 3))
    >>> output.shape, h.shape
    (torch.Size([5, 1, 2]), torch.Size([1, 1, 2]))
    """

    def __init__(self, *args, **kwargs):
        super().__init__("GRU", *args, **kwargs)


# -- cells -----------------------------------------------------------------------------------------


class RNNCellBase(Module):
    """One step of a recurrence.

    >>> import stateful as torch
    >>> issubclass(torch.nn.GRUCell, torch.nn.RNNCellBase)
    True
    """

    mode: str

    def __init__(self, input_size, hidden_size, bias, num_chunks, device=None, dtype=None):
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        rows = num_chunks * hidden_size
        self.weight_ih = empty(rows, input_size, device=device, dtype=dtype)
        self.weight_hh = empty(rows, hidden_size, device=device, dtype=dtype)
        for name in ("bias_ih", "bias_hh"):
            made = empty(rows, device=device, dtype=dtype) if bias else None
            self.register_parameter(name, made)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Uniform within 1 / sqrt(hidden_size)."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def forward(self, input, hx=None):
        states = self._check(input, hx)
        single = input.dim() == 1
        x = input.unsqueeze(0) if single else input
        if states is None:
            zeros = x.new_zeros((x.size(0), self.hidden_size))
            states = (zeros,) * (1 + (self.mode == "LSTM"))
        elif single:
            states = tuple(state.unsqueeze(0) for state in states)
        hx = states if self.mode == "LSTM" else states[0]
        after = run_cell(
            self.mode, x, hx, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh
        )
        if not single:
            return after
        if self.mode == "LSTM":
            return tuple(state.squeeze(0) for state in after)
        return after.squeeze(0)

    def _check(self, input, hx) -> tuple | None:
        name = type(self).__name__
        if input.dim() not in (1, 2):
            raise ValueError(f"{name}: Expected input to be 1D or 2D, got {input.dim()}D instead")
        if hx is None:
            return None
        states = tuple(hx) if self.mode == "LSTM" else (hx,)
        for i, state in enumerate(states):
            if state.dim() not in (1, 2):
                place = f"hx[{i}]" if self.mode == "LSTM" else "hidden"
                raise ValueError(
                    f"{name}: Expected {place} to be 1D or 2D, got {state.dim()}D instead"
                )
        return states

    def extra_repr(self) -> str:
        shown = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            shown += f", bias={self.bias}"
        if getattr(self, "nonlinearity", "tanh") != "tanh":
            shown += f", nonlinearity={self.nonlinearity}"
        return shown


class RNNCell(RNNCellBase):
    """One step of `RNN`.

    >>> import stateful as torch
    >>> torch.nn.RNNCell(3, 2)(torch.zeros(1, 3)).shape
    torch.Size([1, 2])
    """

    def __init__(
        self, input_size, hidden_size, bias=True, nonlinearity="tanh", device=None, dtype=None
    ):
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    @property
    def mode(self) -> str:  # type: ignore[override]
        """Which step to take."""
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        return f"RNN_{self.nonlinearity.upper()}"


class LSTMCell(RNNCellBase):
    """One step of `LSTM`.

    >>> import stateful as torch
    >>> h, c = torch.nn.LSTMCell(3, 2)(torch.zeros(1, 3))
    >>> h.shape, c.shape
    (torch.Size([1, 2]), torch.Size([1, 2]))
    """

    mode = "LSTM"

    def __init__(self, input_size, hidden_size, bias=True, device=None, dtype=None):
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)


class GRUCell(RNNCellBase):
    """One step of `GRU`.

    >>> import stateful as torch
    >>> torch.nn.GRUCell(3, 2)(torch.zeros(1, 3)).shape
    torch.Size([1, 2])
    """

    mode = "GRU"

    def __init__(self, input_size, hidden_size, bias=True, device=None, dtype=None):
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

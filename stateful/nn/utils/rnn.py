"""Sequences of different lengths: padded to one tensor, or packed step by step.

A packed sequence holds, for each step in time, the elements of all sequences that are still going
on, longest sequence first; ``batch_sizes`` says how many those are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from funcgrad.ops.packing import packed_steps

from ...creation import FACTORIES, as_tensor
from ...methods import FUNCTIONS
from ...tensor import Tensor

_torch = FUNCTIONS["torch"]
_cat, _stack = _torch["cat"], _torch["stack"]


class PackedSequence_(NamedTuple):
    """The parts of a `PackedSequence`.

    >>> import stateful as torch
    >>> packed = torch.nn.utils.rnn.pack_sequence([torch.tensor([1, 2]), torch.tensor([3])])
    >>> isinstance(packed, torch.nn.utils.rnn.PackedSequence_)
    True
    """

    data: Any
    batch_sizes: Any
    sorted_indices: Any
    unsorted_indices: Any


class PackedSequence(PackedSequence_):
    """Sequences packed step by step; made by `pack_padded_sequence` and taken by `nn.RNN` etc.

    ``sorted_indices`` are the places of the sequences, longest first, in the batch they came from;
    None if they came in this order.

    >>> import stateful as torch
    >>> packed = torch.nn.utils.rnn.pack_sequence([torch.tensor([1, 2]), torch.tensor([3])])
    >>> packed.data, packed.batch_sizes, packed.sorted_indices
    (tensor([1, 3, 2]), tensor([2, 1]), None)
    """

    def __new__(cls, data, batch_sizes=None, sorted_indices=None, unsorted_indices=None):
        if batch_sizes is None:
            data, batch_sizes, *rest = data
            sorted_indices = rest[0] if rest else None
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def _with(self, data: Any) -> PackedSequence:
        return PackedSequence(data, self.batch_sizes, self.sorted_indices, self.unsorted_indices)

    def to(self, *args, **kwargs) -> PackedSequence:
        """The same sequences in another dtype or on another device."""
        return self._with(self.data.to(*args, **kwargs))

    def cpu(self) -> PackedSequence:
        """The same sequences in host memory."""
        return self.to("cpu")

    def cuda(self, *args, **kwargs) -> PackedSequence:
        """The same sequences on a GPU."""
        return self.to("cuda", *args, **kwargs)

    def double(self) -> PackedSequence:
        """The same sequences as float64."""
        return self._with(self.data.double())

    def float(self) -> PackedSequence:
        """The same sequences as float32."""
        return self._with(self.data.float())

    @property
    def is_cuda(self) -> bool:
        """Whether the elements are on a GPU."""
        return self.data.is_cuda


def invert_permutation(permutation: Any) -> Any:
    """The permutation that undoes this one; None of None.

    >>> import stateful as torch
    >>> torch.nn.utils.rnn.invert_permutation(torch.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    if permutation is None:
        return None
    order = FACTORIES["arange"](permutation.numel())
    return FACTORIES["empty_like"](permutation).scatter_(0, permutation, order)


def _lengths(lengths: Any) -> list[int]:
    found = [int(n) for n in (lengths.tolist() if isinstance(lengths, Tensor) else lengths)]
    if any(n <= 0 for n in found):
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' "
            f"that is <= 0: {found}"
        )
    return found


def pack_padded_sequence(
    input: Any, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """A padded batch, (time, batch, ...), without what lies behind the end of each sequence.

    Raises RuntimeError for lengths that do not decrease, unless ``enforce_sorted`` is False.

    >>> import stateful as torch
    >>> packed = torch.nn.utils.rnn.pack_padded_sequence(torch.tensor([[1, 2], [3, 0]]), [2, 1])
    >>> packed.data, packed.batch_sizes
    (tensor([1, 2, 3]), tensor([2, 1]))
    """
    counts = _lengths(lengths)
    if not input.numel():
        raise RuntimeError(f"Cannot pack empty tensors: the batch has shape {tuple(input.shape)}")
    batch_dim, time_dim = (0, 1) if batch_first else (1, 0)
    if len(counts) != input.size(batch_dim):
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(counts)} (batch_size="
            f"{input.size(batch_dim)})"
        )
    order = None
    if not enforce_sorted:
        _, order = as_tensor(counts).sort(descending=True)
        counts = [counts[i] for i in order.tolist()]
        input = input.index_select(batch_dim, order)
    elif any(a < b for a, b in zip(counts, counts[1:], strict=False)):
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You "
            "can pass `enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to "
            "sidestep this requirement if you do not need ONNX exportability."
        )
    if counts[0] > input.size(time_dim):
        raise RuntimeError(
            f"Expected the longest of `lengths` ({counts[0]}) to be at most the number of steps "
            f"in time ({input.size(time_dim)})"
        )
    data, sizes = packed_steps(input, counts, batch_first)
    return PackedSequence(data, sizes, order)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0,
    total_length: int | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The inverse of `pack_padded_sequence`: a padded batch and the lengths.

    Raises ValueError if ``total_length`` is shorter than the longest sequence.

    >>> import stateful as torch
    >>> packed = torch.nn.utils.rnn.pack_sequence([torch.tensor([1, 2]), torch.tensor([3])])
    >>> torch.nn.utils.rnn.pad_packed_sequence(packed, batch_first=True)
    (tensor([[1, 2],
            [3, 0]]), tensor([2, 1]))
    """
    sizes = sequence.batch_sizes.tolist()
    longest = len(sizes)
    if total_length is not None and total_length < longest:
        raise ValueError(
            "Expected total_length to be at least the length of the longest sequence in input, "
            f"but got total_length={total_length} and max sequence length being {longest}"
        )
    shape = (sizes[0], *sequence.data.shape[1:])
    steps = []
    for part in sequence.data.split(sizes, 0):
        missing = sizes[0] - part.size(0)
        if missing:
            part = _cat([part, part.new_full((missing, *shape[1:]), padding_value)], 0)
        steps.append(part)
    for _ in range(longest, total_length or longest):
        steps.append(sequence.data.new_full(shape, padding_value))
    padded = _stack(steps, 1 if batch_first else 0)
    lengths: Any = as_tensor([sum(size > i for size in sizes) for i in range(sizes[0])])
    if sequence.unsorted_indices is not None:
        padded = padded.index_select(0 if batch_first else 1, sequence.unsorted_indices)
        lengths = lengths[sequence.unsorted_indices]
    return padded, lengths


def pad_sequence(
    sequences: Any, batch_first: bool = False, padding_value: float = 0.0,
    padding_side: str = "right",
) -> Any:  # fmt: skip
    """Sequences (length, ...) filled up to the longest, as (time, batch, ...).

    >>> import stateful as torch
    >>> a, b = torch.tensor([1, 2]), torch.tensor([3])
    >>> torch.nn.utils.rnn.pad_sequence([a, b], batch_first=True)
    tensor([[1, 2],
            [3, 0]])
    """
    if not isinstance(sequences, Sequence | Tensor):
        raise RuntimeError(
            "pad_sequence: Expected iterable for input sequences, but got arg of type: "
            f"{type(sequences)}"
        )
    if padding_side not in ("left", "right"):
        raise ValueError(f"pad_sequence: padding_side is 'left' or 'right', not {padding_side!r}")
    parts: Any = list(sequences)
    longest = max(part.size(0) for part in parts)
    padded = []
    for part in parts:
        missing = longest - part.size(0)
        if missing:
            fill = part.new_full((missing, *part.shape[1:]), padding_value)
            part = _cat([part, fill] if padding_side == "right" else [fill, part], 0)
        padded.append(part)
    return _stack(padded, 0 if batch_first else 1)


def unpad_sequence(padded_sequences: Any, lengths: Any, batch_first: bool = False) -> list:
    """The inverse of `pad_sequence`.

    >>> import stateful as torch
    >>> padded = torch.tensor([[1, 2], [3, 0]])
    >>> torch.nn.utils.rnn.unpad_sequence(padded, torch.tensor([2, 1]), batch_first=True)
    [tensor([1, 2]), tensor([3])]
    """
    batch = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [row[: int(n)] for row, n in zip(batch, lengths, strict=True)]


def pack_sequence(sequences: Sequence, enforce_sorted: bool = True) -> PackedSequence:
    """`pack_padded_sequence` of sequences that are not padded yet.

    >>> import stateful as torch
    >>> packed = torch.nn.utils.rnn.pack_sequence([torch.tensor([1, 2]), torch.tensor([3])])
    >>> packed.data, packed.batch_sizes
    (tensor([1, 3, 2]), tensor([2, 1]))
    """
    lengths = [part.size(0) for part in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list:
    """The inverse of `pack_sequence`.

    >>> import stateful as torch
    >>> packed = torch.nn.utils.rnn.pack_sequence([torch.tensor([1, 2]), torch.tensor([3])])
    >>> torch.nn.utils.rnn.unpack_sequence(packed)
    [tensor([1, 2]), tensor([3])]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)

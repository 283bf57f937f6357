"""`AdaptiveLogSoftmaxWithLoss`: many classes, the rare ones in clusters of their own.

Grave et al., Efficient softmax approximation for GPUs, https://arxiv.org/abs/1609.04309.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ...creation import FACTORIES
from .. import functional as F
from .container import ModuleList, Sequential
from .linear import Linear
from .module import Module


class _ASMoutput(NamedTuple):
    output: Any
    loss: Any


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log-probabilities of targets among ``n_classes``, sorted by how frequent they are.

    The classes up to ``cutoffs[0]`` and one class for each cluster make the head; cluster i holds
    those from ``cutoffs[i]`` on, after a projection to ``in_features // div_value ** (i + 1)``.

    >>> import stateful as torch
    >>> layer = torch.nn.AdaptiveLogSoftmaxWithLoss(16, 6, cutoffs=[2, 4])
    >>> output, loss = layer(torch.zeros(3, 16), torch.tensor([0, 3, 5]))
    >>> output.detach().exp()
    tensor([0.2500, 0.1250, 0.1250])
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        ascending = cutoffs == sorted(set(cutoffs)) and all(int(c) == c for c in cutoffs)
        if not ascending or min(cutoffs) <= 0 or max(cutoffs) > n_classes - 1:
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing "
                "order, where each value is between 1 and n_classes-1"
            )
        self.in_features, self.n_classes = in_features, n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value, self.head_bias = div_value, head_bias
        self.shortlist_size, self.n_clusters = self.cutoffs[0], len(cutoffs)
        self.head_size = self.shortlist_size + self.n_clusters
        made = {"device": device, "dtype": dtype}
        self.head: Any = Linear(in_features, self.head_size, bias=head_bias, **made)
        self.tail: Any = ModuleList()
        for i in range(self.n_clusters):
            inner = int(in_features // div_value ** (i + 1))
            size = self.cutoffs[i + 1] - self.cutoffs[i]
            first = Linear(in_features, inner, bias=False, **made)
            self.tail.append(Sequential(first, Linear(inner, size, bias=False, **made)))

    def reset_parameters(self) -> None:
        """Draw all weights again."""
        self.head.reset_parameters()
        for first, second in self.tail:
            first.reset_parameters()
            second.reset_parameters()

    def forward(self, input: Any, target: Any) -> Any:
        """The log-probabilities of ``target`` (N) for ``input`` (N, in_features), and their loss.

        Raises RuntimeError for targets that are no class or do not fit.
        """
        self._check(input, target)
        single = target.dim() == 0
        if single:
            input, target = input.unsqueeze(0), target.unsqueeze(0)
        output = input.new_zeros(target.size(0))
        head_places = target.new_empty(target.size(0))
        used = 0
        for i, (low, high) in enumerate(zip([0, *self.cutoffs], self.cutoffs, strict=False)):
            rows = ((target >= low) & (target < high)).nonzero().squeeze(1)
            if rows.numel() == 0:
                continue
            if i == 0:
                head_places.index_copy_(0, rows, target[rows])
            else:
                scores = self.tail[i - 1](input.index_select(0, rows))
                head_places.index_fill_(0, rows, self.shortlist_size + i - 1)
                places = (target[rows] - low).unsqueeze(1)
                found = F.log_softmax(scores, dim=1).gather(1, places)
                output.index_copy_(0, rows, found.squeeze(1))
            used += rows.numel()
        if used != target.size(0):
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range "
                f"[{target.min().item()}, {target.max().item()}] were found. "
            )
        head = F.log_softmax(self.head(input), dim=1)
        output = output + head.gather(1, head_places.unsqueeze(1)).squeeze()
        loss = (-output).mean()
        return _ASMoutput(output.squeeze(0) if single else output, loss)

    @staticmethod
    def _check(input: Any, target: Any) -> None:
        if target.dim() == 1:
            if input.size(0) != target.size(0):
                raise RuntimeError(
                    "Input and target should have the same size in the batch dimension."
                )
            if input.dim() != 2:
                raise RuntimeError(
                    "1D target tensor expects 2D input tensors, but found inputs with size "
                    f"{input.size()}"
                )
        elif target.dim() == 0:
            if input.dim() != 1:
                raise RuntimeError(
                    "0D target tensor expects 1D input tensors, but found inputs with size "
                    f"{input.size()}"
                )
        else:
            raise RuntimeError(
                "0D or 1D target tensor expected, multi-target not supported: the target has "
                f"{target.dim()} dimensions"
            )

    def log_prob(self, input: Any) -> Any:
        """The log-probabilities of all classes, (N, n_classes)."""
        head = self.head(input)
        out = FACTORIES["empty"]((head.size(0), self.n_classes), dtype=input.dtype)
        scores = F.log_softmax(head, dim=1)
        out[:, : self.shortlist_size] = scores[:, : self.shortlist_size]
        for i, (low, high) in enumerate(zip(self.cutoffs, self.cutoffs[1:], strict=False)):
            within = F.log_softmax(self.tail[i](input), dim=1)
            out[:, low:high] = within + scores[:, self.shortlist_size + i].unsqueeze(1)
        return out

    def predict(self, input: Any) -> Any:
        """The most likely class of each row."""
        output = self.head(input).argmax(dim=1)
        beyond = output >= self.shortlist_size
        if not beyond.any():
            return output
        if beyond.all():
            return self.log_prob(input).argmax(dim=1)
        output[beyond] = self.log_prob(input[beyond]).argmax(dim=1)
        return output

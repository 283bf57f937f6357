"""Tables of vectors, looked up by index."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from .. import types
from ..composite import composite
from ..op import op
from .compare import eq
from .extrema import amax
from .mask import masked_fill
from .norm import Order, linalg_vector_norm
from .view import unsqueeze


def _check_indices(indices, rows: int) -> None:
    """PyTorch's error where values are at hand; a traced lookup out of range gives nan."""
    if not jnp.issubdtype(indices.dtype, jnp.integer):
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: "
            f"Long, Int; but got {indices.dtype} instead"
        )
    if isinstance(indices, jax.core.Tracer) or not indices.size:
        return
    values = np.asarray(indices)
    if values.min() < 0 or values.max() >= rows:
        raise IndexError(
            f"index out of range in self: there are {rows} rows, and indices from {values.min()} "
            f"to {values.max()}"
        )


def _looked_up_again(grad, indices, padding_idx):
    """The adjoint of the gradient; the padding row takes no part."""
    rows = embedding_op(grad, indices, padding_idx)
    if padding_idx < 0:
        return rows
    return masked_fill(rows, unsqueeze(eq(indices, padding_idx), -1), 0.0)


@op("embedding_dense_backward", grad_fn="EmbeddingDenseBackwardBackward0", face="private",
    vjp=dict(grad_output=_looked_up_again))  # fmt: skip
def embedding_dense_backward(
    grad_output, indices, num_weights: int, padding_idx: int, scale_grad_by_freq: bool
):
    """Each row of the table takes the gradients of its uses; the padding row takes none."""
    flat = indices.reshape(-1)
    grads = grad_output.reshape(flat.size, grad_output.shape[-1])
    if scale_grad_by_freq:
        counts = jnp.zeros(num_weights, grads.dtype).at[flat].add(1)
        grads = grads / counts[flat][:, None]
    if padding_idx >= 0:
        grads = jnp.where((flat == padding_idx)[:, None], 0, grads)
    table = jnp.zeros((num_weights, grads.shape[1]), grads.dtype)
    return table.at[flat].add(grads, mode="drop")


@op(
    "embedding", grad_fn="EmbeddingBackward0", face="private",
    vjp=dict(weight=lambda grad, weight_sym_sizes, indices, padding_idx, scale_grad_by_freq: (
        embedding_dense_backward(
            grad, indices, weight_sym_sizes[0], padding_idx, scale_grad_by_freq
        )
    )),
)  # fmt: skip
def embedding_op(
    weight, indices, padding_idx: int = -1, scale_grad_by_freq: bool = False, sparse: bool = False
):
    """The rows of ``weight`` at ``indices``."""
    if weight.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    _check_indices(indices, weight.shape[0])
    return jnp.take(weight, indices, axis=0, mode="fill")


def padding_row(padding_idx, rows: int) -> int:
    """``padding_idx`` counted from the front; -1 for none."""
    if padding_idx is None:
        return -1
    if not -rows <= padding_idx < rows:
        raise AssertionError(
            f"Padding_idx must be within num_embeddings, but got {padding_idx} of {rows}"
        )
    return padding_idx % rows


@composite(face="nn")
def embedding(
    input, weight, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False,
    sparse=False,
):  # fmt: skip
    """The rows of the table ``weight`` at the indices ``input``.

    The row ``padding_idx`` gets no gradient. ``scale_grad_by_freq`` divides a row's gradient by
    the number of its uses. ``sparse`` is accepted; gradients are dense. ``max_norm`` changes the
    table in place, which a pure function cannot: renormalize it before.

    An index out of range raises IndexError; in a traced program, which cannot look, it gives nan.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.embedding(jnp.array([1, 1]), jnp.array([[1.0, 2.0], [3.0, 4.0]]))
    Array([[3., 4.],
           [3., 4.]], dtype=float32)
    """
    if max_norm is not None:
        raise NotImplementedError(
            "embedding(max_norm=...) changes the table in place; a pure function cannot. "
            "Renormalize the table before the call (funcgrad.renorm)."
        )
    row = padding_row(padding_idx, weight.shape[0])
    return embedding_op(weight, input, row, scale_grad_by_freq, sparse)


@op("_embedding_renormed", face="private")
def embedding_renorm(self, indices, max_norm: float, norm_type: Order):
    """The table with the rows at ``indices`` scaled down to a norm of at most ``max_norm``."""
    norms = linalg_vector_norm.fn(self, norm_type, (1,), True)
    used = jnp.zeros((self.shape[0], 1), bool).at[indices.reshape(-1)].set(True, mode="drop")
    scale = types.cast(max_norm / (norms + 1e-7), self.dtype)
    return jnp.where(used & (norms > max_norm), self * scale, self)


@op("_one_hot", face="private")
def _one_hot(self, num_classes: int):
    """Ones where the class is. Classes that are not there give zeros in a traced program."""
    if self.dtype != types.index_dtype():
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    if not isinstance(self, jax.core.Tracer) and self.size:
        if self.min() < 0:
            raise RuntimeError("Class values must be non-negative.")
        if self.max() >= num_classes:
            raise RuntimeError("Class values must be smaller than num_classes.")
    same = self[..., None] == jnp.arange(num_classes, dtype=self.dtype)
    return same.astype(types.index_dtype())


@composite(face="nn")
def one_hot(tensor, num_classes=-1):
    """Integers with a new last dimension: 1 at the class, 0 elsewhere.

    ``num_classes = -1`` takes one more than the largest class, and so cannot be traced.

    >>> import jax.numpy as jnp, funcgrad
    >>> funcgrad.one_hot(jnp.array([0, 2]))
    Array([[1, 0, 0],
           [0, 0, 1]], dtype=int32)
    """
    if num_classes == -1:
        if 0 in tuple(tensor.shape):
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
        num_classes = int(amax(tensor)) + 1
    elif num_classes < 1 and 0 not in tuple(tensor.shape):
        raise RuntimeError("num_classes should be positive")
    return _one_hot(tensor, num_classes)

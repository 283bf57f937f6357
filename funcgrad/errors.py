"""Exceptions that are this library's own.

Where PyTorch raises, the same built-in type is raised with PyTorch's key phrase. The classes below
exist for what has no counterpart there: a wrong declaration, or a defect of this library.
"""


class DeclarationError(TypeError):
    """An op or a rule was declared wrongly: a formula names something that is not saved, say."""


class InternalError(AssertionError):
    """This library broke its own rule. Please report it: no input should be able to cause it."""


def dimension_error(dim: int, rank: int) -> IndexError:
    """PyTorch's error for a dimension outside ``[-rank, rank - 1]``."""
    low, high = (-rank, rank - 1) if rank else (-1, 0)
    return IndexError(
        f"Dimension out of range (expected to be in range of [{low}, {high}], but got {dim})"
    )

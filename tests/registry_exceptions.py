"""Where the registry may differ from PyTorch, with the reason. This table may only shrink.

Every entry is ``(check, op): reason`` and must fail: an entry that passes is an error.
"""

EXCEPTIONS: dict[tuple[str, str], str] = {}

"""Which values are overwritten in a block: of some values a change would be a mistake."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..execute import Value
from ..views import Storage


class Overwritten:
    """Context manager that notes every value in whose place another is written.

    Every write goes through ``Storage.value``, so inside that attribute is a property. As
    `Intercepted`, it holds for all threads.
    """

    def __init__(self):
        self._values: dict[int, Value] = {}

    def any_of(self, values: Iterable[Any]) -> bool:
        """Whether one of ``values`` was overwritten."""
        return any(id(value) in self._values for value in values)

    def __enter__(self) -> None:
        self._slot: Any = Storage.value
        Storage.value = property(self._slot.__get__, self._write)  # type: ignore[assignment]

    def __exit__(self, *exc: Any) -> None:
        Storage.value = self._slot

    def _write(self, storage: Storage, value: Value) -> None:
        try:
            before = self._slot.__get__(storage)
        except AttributeError:  # a storage that is being made
            before = value
        if before is not value:
            self._values[id(before)] = before
        self._slot.__set__(storage, value)

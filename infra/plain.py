"""Values as JSON has them: times with Beijing's offset, personal data masked unless they are to be shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from domain.personal import Sealed
from projections.working_days import CHINA

SEALED = {"subject", "ciphertext", "commitment"}


class Plain:
    """`open_` gives a personal value in clear, None where its key was destroyed."""

    def __init__(self, open_: Callable[[Sealed], str | None], reveal: bool, zh: bool = True) -> None:
        self._open = open_
        self._reveal = reveal
        self._erased = "（已销毁）" if zh else "(erased)"

    def __call__(self, value: Any) -> Any:
        if isinstance(value, datetime):
            return value.astimezone(CHINA).isoformat()
        if isinstance(value, date):
            return value.isoformat()
        if isinstance(value, Sealed):
            return self.person(value)
        if isinstance(value, Mapping):
            if value.keys() == SEALED:
                return self.person(Sealed(**value))
            return {key: self(part) for key, part in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self(part) for part in value]
        return value

    def person(self, sealed: Sealed) -> str:
        found = self._open(sealed)
        if found is None:
            return self._erased
        return found if self._reveal else found[:1] + "*"

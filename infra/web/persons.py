"""Personal values in clear, for several threads."""

from __future__ import annotations

import threading
from collections.abc import Callable

from adapters.crypto.sealer import Sealer
from domain.personal import Sealed


class Persons:
    """One sealer at a time; its keys are cached for no longer than it lives."""

    def __init__(self, sealer: Callable[[], Sealer]) -> None:
        self._sealer = sealer()
        self._lock = threading.Lock()

    def open(self, sealed: Sealed) -> str | None:
        """None where its key was destroyed."""
        with self._lock:
            return self._sealer.open(sealed)

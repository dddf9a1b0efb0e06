"""Personal values in clear, for several threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from adapters.crypto.sealer import Sealer
from domain.personal import Sealed

CACHED_S = 5.0


class Persons:
    """One sealer at a time. Its keys are asked for anew every few seconds: who was erased is seen no more."""

    def __init__(self, sealer: Callable[[], Sealer]) -> None:
        self._sealer = sealer()
        self._lock = threading.Lock()
        self._since = time.monotonic()

    def open(self, sealed: Sealed) -> str | None:
        """None where its key was destroyed."""
        with self._lock:
            if time.monotonic() - self._since > CACHED_S:
                self._sealer.forget()
                self._since = time.monotonic()
            return self._sealer.open(sealed)

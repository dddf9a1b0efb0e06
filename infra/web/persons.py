"""Personal values in clear, for several threads."""

from __future__ import annotations

import threading
from collections.abc import Callable

from adapters.crypto.sealer import Sealer
from domain.personal import Sealed
from domain.signatures import Signature


class Persons:
    """One sealer at a time."""

    def __init__(self, sealer: Callable[[], Sealer]) -> None:
        self._sealer = sealer()
        self._lock = threading.Lock()

    def open(self, sealed: Sealed) -> str | None:
        """None where its key was destroyed."""
        with self._lock:
            return self._sealer.open(sealed)

    def opening(self, sealed: Sealed) -> tuple[bytes, str] | None:
        """With its salt. None where its key was destroyed."""
        with self._lock:
            return self._sealer.opening(sealed)

    def signed_bytes(self, signature: Signature) -> bytes | None:
        """The JWS, a line feed and the data; None where a key of those whom they are about was destroyed."""
        with self._lock:
            return self._sealer.open_jointly(signature.subjects, signature.ciphertext)

"""How much memory this process holds while something runs."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from statistics import median
from typing import Self

EVERY_S = 0.05
_STATM = Path("/proc/self/statm")


class Memory:
    """Resident memory at intervals while the block lasts; nothing where the system does not tell."""

    def __init__(self) -> None:
        self._seen: list[float] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def thirds(self) -> dict[str, float]:
        """The medians of the first and of the last third, in MiB, and the ratio of the last to the first."""
        if not self._seen:
            return {}
        part = max(1, len(self._seen) // 3)
        first, last = median(self._seen[:part]), median(self._seen[-part:])
        return {"first_third": round(first, 1), "last_third": round(last, 1), "ratio": round(last / first, 3)}

    def _watch(self) -> None:
        while _STATM.exists():
            pages = int(_STATM.read_text(encoding="ascii").split()[1])
            self._seen.append(pages * os.sysconf("SC_PAGE_SIZE") / 2**20)
            if self._stopped.wait(EVERY_S):
                return

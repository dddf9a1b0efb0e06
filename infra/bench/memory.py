"""How much memory this process and those below it hold while something runs."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from statistics import median
from typing import Self

EVERY_S = 0.05
_PROCESSES = Path("/proc")


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
        while (_PROCESSES / "self" / "statm").exists():
            self._seen.append(_resident(os.getpid()))
            if self._stopped.wait(EVERY_S):
                return


def _resident(pid: int) -> float:
    """MiB; of a process that has just ended nothing."""
    try:
        pages = int((_PROCESSES / str(pid) / "statm").read_text(encoding="ascii").split()[1])
        below = [part for task in (_PROCESSES / str(pid) / "task").iterdir() for part in _children(task)]
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20 + sum(_resident(int(one)) for one in below)


def _children(task: Path) -> list[str]:
    return (task / "children").read_text(encoding="ascii").split()

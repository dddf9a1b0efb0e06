"""Several roles together, each in a thread or in a process of its own; one that dies is started again."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterable
from types import FrameType, TracebackType
from typing import Self

import structlog

from infra.memory import calm
from infra.roles.apart import run_apart
from infra.roles.catalogue import ROLES
from infra.store import Store

_log = structlog.get_logger("shenguan.supervisor")
BACK_OFF = (0.5, 1.0, 2.0, 5.0, 15.0)
HEALTHY_S = 60.0
"""After so long a life a death counts as the first again."""
JOIN_S = 45.0


class RoleDied(Exception):
    """A role has ended by an error; it is being started again."""


class _Post:
    """One role's thread, which runs the role or sees to its process."""

    def __init__(self, store: Store, name: str, apart: bool) -> None:
        self._store = store
        self._apart = apart
        self.name = name
        self.error: BaseException | None = None
        self._stopping = threading.Event()
        self._role_lock = threading.Lock()
        self._role_stopped: threading.Event | None = None
        self.thread = threading.Thread(target=self._hold, name=name, daemon=True)

    def stop(self) -> None:
        with self._role_lock:
            self._stopping.set()
            if self._role_stopped is not None:
                self._role_stopped.set()

    def _hold(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            begun = time.monotonic()
            try:
                self._run()
            except BaseException as error:  # noqa: BLE001 - whatever it died of, the other roles go on
                if time.monotonic() - begun > HEALTHY_S:
                    failures = 0
                wait = BACK_OFF[min(failures, len(BACK_OFF) - 1)]
                failures += 1
                self.error = error
                if self._stopping.is_set():
                    _log.warning("role_ended_badly", role=self.name, error=type(error).__name__)
                    return
                _log.error("role_died", role=self.name, retry_in_s=wait, exc_info=error)
                self._stopping.wait(wait)
            else:
                if not self._stopping.is_set():
                    _log.warning("role_ended", role=self.name)
                    self._stopping.wait(BACK_OFF[0])

    def _run(self) -> None:
        if self._apart:
            run_apart(self._store, self.name, self._stopping)
            return
        role = ROLES[self.name](self._store)
        with self._role_lock:
            if self._stopping.is_set():
                return
            self._role_stopped = role.stopped
        role.run()


class Crew:
    """Roles at work while the block lasts; `apart` in processes of their own, where none takes another's interpreter.

    Raises KeyError for a role that there is not.
    """

    def __init__(self, store: Store, names: Iterable[str] = ROLES, *, apart: bool = False) -> None:
        wanted = list(dict.fromkeys(names))
        if unknown := set(wanted) - ROLES.keys():
            raise KeyError(", ".join(sorted(unknown)))
        self._posts = [_Post(store, name, apart) for name in wanted]

    def __enter__(self) -> Self:
        for post in self._posts:
            post.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def check(self) -> None:
        """Raises RoleDied where a role has died since the start, even if it is back."""
        for post in self._posts:
            if post.error is not None:
                raise RoleDied(f"{post.name}: {type(post.error).__name__}: {post.error}") from post.error

    def stop(self) -> None:
        """Lets every role end its batch, and waits for it."""
        for post in self._posts:
            post.stop()
        until = time.monotonic() + JOIN_S
        for post in self._posts:
            post.thread.join(max(0.0, until - time.monotonic()))
            if post.thread.is_alive():
                _log.warning("role_does_not_end", role=post.name)


def run_roles(store: Store, names: Iterable[str], *, apart: bool = False) -> None:
    """Runs roles until SIGTERM or Ctrl-C. Call from the main thread. Raises KeyError for a role that there is not."""
    calm()
    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    crew = Crew(store, names, apart=apart)
    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with crew:
            ended.wait()
            # A second Ctrl-C ends at once: every role may be killed anywhere.
            signal.signal(signal.SIGINT, signal.default_int_handler)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

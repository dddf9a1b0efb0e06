"""Live streams: one thread follows the log for all who listen, and says what the read models have taken in of it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from typing import Any, NamedTuple

import structlog
from psycopg import Connection, OperationalError

from adapters.postgres.moves import LOG, Move, heads, moves
from adapters.postgres.runner import first_line
from infra.web.reading import EVERYBODY, Readers
from projections.receipts import receipts_named

_log = structlog.get_logger("shenguan.live")
IDLE_S = 0.5
BEHIND_S = 0.05
AWAY_S = 1.0
STEPS = 2_000
"""So many steps are told of at once."""
QUEUED = 1_000
"""Who is so many messages behind must begin anew."""
FAR = 200_000
MISSED = 1_000
"""So many positions, or messages, are made up for when a client comes back."""
Shown = Callable[[Iterable[Mapping[str, Any]]], list[str]]
"""Rows of the receipt ledger, as the clients are shown them, each as JSON."""


class Message(NamedTuple):
    """One event of a stream; its id is the position in the log up to which the client is then told of everything."""

    position: int
    event: str
    data: str

    def encode(self) -> bytes:
        """As text/event-stream has it (HTML Standard §9.2)."""
        return f"id: {self.position}\nevent: {self.event}\ndata: {self.data}\n\n".encode()


class Ended(NamedTuple):
    """The stream ends; `reset`: for the client has fallen too far behind."""

    reset: bool = False


class Subscriber:
    """One stream: of a department's notices, or of counts; `department` None: everybody's."""

    def __init__(self, department: str | None, counts: bool, after: int) -> None:
        self.department = department
        self.counts = counts
        self.after = after
        self.queue: asyncio.Queue[Message | Ended] = asyncio.Queue()
        self.behind = False

    def put(self, message: Message | Ended) -> None:
        """In the event loop. Who does not keep up is told that, and nothing more."""
        if self.behind:
            return
        if self.queue.qsize() >= QUEUED:
            self.behind = True
            while not self.queue.empty():
                self.queue.get_nowait()
            message = Ended(reset=True)
        self.queue.put_nowait(message)


class _Round(NamedTuple):
    """What is new, by department: of notices, and how often which step was taken."""

    notices: Mapping[str, list[Message]]
    counts: tuple[int, Mapping[str, Mapping[str, int]]] | None


class Live:
    """`start` and whatever a stream asks of it are for one event loop; nothing is read while nobody listens."""

    def __init__(
        self, connect: Callable[[], Connection[Any]], readers: Readers, shown: Shown, ending: threading.Event
    ) -> None:
        self._connect = connect
        self._readers = readers
        self._shown = shown
        self._ending = ending
        self.error: str | None = None  # why nobody is told anything now
        self._subscribers: set[Subscriber] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)
        self._known = asyncio.Event()
        self._position = 0
        self._log_head = 0
        self._pending: dict[str, Counter[str]] = {}
        self._pending_to = 0

    def start(self) -> None:
        """In the event loop that serves."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def join(self) -> None:
        """Once `ending` is set."""
        self._thread.join()

    def count(self) -> int:
        """How many listen."""
        return len(self._subscribers)

    @property
    def position(self) -> int:
        """Up to here everybody who listens has been told."""
        return self._position

    async def known(self, seconds: float) -> bool:
        """Whether the log has been found, after so many seconds at the latest."""
        try:
            await asyncio.wait_for(self._known.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def join_stream(self, department: str | None, counts: bool) -> Subscriber:
        """Who is told of everything after `position` as it is now."""
        made = Subscriber(department, counts, self._position)
        self._subscribers.add(made)
        if self._ending.is_set():
            made.put(Ended())
        return made

    def leave(self, subscriber: Subscriber) -> None:
        self._subscribers.discard(subscriber)

    def missed(self, department: str, after: int, up_to: int) -> list[Message] | None:
        """What a department was to be told of between two positions; None where that is too much, or cannot be.
        In any thread."""
        if after > max(up_to, self._log_head) or up_to - after > FAR:
            return None
        if after >= up_to:
            return []
        with self._readers.log() as conn:
            steps = moves(conn, after, up_to, STEPS * 10)
        if len(steps) == STEPS * 10:
            return None
        found = self._messages(steps, department).get(department, [])
        return found if len(found) <= MISSED else None

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                with closing(self._connect()) as conn:
                    conn.execute(f"LISTEN {LOG}")
                    self._follow(conn)
            except Exception as error:  # noqa: BLE001 - it stands still visibly, and goes on once what was wrong is mended
                self.error = first_line(error)
                _log.error("live_stands_still", error=self.error, exc_info=not isinstance(error, OperationalError))
                self._ending.wait(AWAY_S)
        self._post(self._end)

    def _follow(self, conn: Connection[Any]) -> None:
        while not self._ending.is_set():
            behind = self._turn(conn)
            self.error = None
            for _ in conn.notifies(timeout=BEHIND_S if behind else IDLE_S, stop_after=1):
                pass

    def _turn(self, conn: Connection[Any]) -> bool:
        """Tells what is new; whether there is more to come."""
        head = heads(conn)
        self._log_head = head.log
        if not self._subscribers or not self._known.is_set():
            self._pending = {}
            self._post(lambda: self._skip(head.receipts))
            return False
        told: Mapping[str, list[Message]] = {}
        position = self._position
        if head.receipts > position:
            steps = moves(conn, position, head.receipts, STEPS)
            position = steps[-1].position if len(steps) == STEPS else head.receipts
            told = self._messages(steps)
            for department, messages in told.items():
                self._pending.setdefault(department, Counter()).update(one.event for one in messages)
                self._pending_to = position
        counts = None
        if self._pending and head.daily >= self._pending_to:
            counts = self._pending_to, self._pending
            self._pending = {}
        if told or counts or position > self._position:
            self._post(lambda: self._deliver(_Round(told, counts), position))
        return head.log > position or bool(self._pending)

    def _messages(self, steps: list[Move], department: str | None = None) -> dict[str, list[Message]]:
        """By department; each with its notice's row as it is now."""
        if not steps:
            return {}
        with self._readers.lend(department or EVERYBODY) as conn:
            rows = receipts_named(conn, sorted({one.notice for one in steps}))
        if department is not None:
            rows = [row for row in rows if row["department"] == department]
        shown = {row["notice"]: (row["department"], text) for row, text in zip(rows, self._shown(rows), strict=True)}
        found: dict[str, list[Message]] = {}
        for position, topic, notice in steps:
            if notice in shown:
                whose, text = shown[notice]
                found.setdefault(whose, []).append(Message(position, topic, text))
        return found

    def _post(self, action: Callable[[], None]) -> None:
        assert self._loop is not None
        done = threading.Event()

        def run() -> None:
            action()
            done.set()

        try:
            self._loop.call_soon_threadsafe(run)
        except RuntimeError:  # the loop has ended, and every stream with it
            return
        while not done.wait(IDLE_S) and not self._ending.is_set():
            pass

    def _deliver(self, new: _Round, position: int) -> None:
        """In the event loop, so that who joins has missed all of it or nothing."""
        self._position = position
        for one in list(self._subscribers):
            if one.behind:
                self.leave(one)
            elif one.counts:
                if new.counts is not None and (message := _counted(*new.counts, one.department)) is not None:
                    one.put(message)
            elif one.department is not None:
                for message in new.notices.get(one.department, ()):
                    if message.position > one.after:
                        one.put(message)

    def _skip(self, position: int) -> None:
        """In the event loop: nobody is to be told, unless he has come meanwhile."""
        if not self._subscribers or not self._known.is_set():
            self._position = max(self._position, position)
        self._known.set()

    def _end(self) -> None:
        for one in list(self._subscribers):
            one.put(Ended())


def _counted(position: int, counts: Mapping[str, Mapping[str, int]], department: str | None) -> Message | None:
    """How often which step was taken since the message before, by department."""
    seen = counts if department is None else {code: one for code, one in counts.items() if code == department}
    if not seen:
        return None
    return Message(position, "counts", json.dumps({"position": position, "departments": seen}, sort_keys=True))

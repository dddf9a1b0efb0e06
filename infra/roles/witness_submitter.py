"""New checkpoints to the log's witnesses, and their signatures back (C2SP tlog-witness).

Each witness has a thread of its own: one that is slow, away, or refuses, holds up neither the others nor integrating.
Not every checkpoint is sent: what comes while one is on its way is covered by the next. What a witness refuses is shown
as the reason, with its name, until it cosigns again.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import structlog
from psycopg import Connection

from adapters.channels.http import Answer, Line, NotReached, trusting
from adapters.postgres.checkpoints import MADE, Made, latest
from adapters.postgres.cosignatures import last_cosigned
from adapters.postgres.liveness import forget, show_alive, take_lease
from adapters.postgres.trees import LOG, TreeMismatch, nodes
from domain.merkle_proofs import prove_consistency
from domain.unproven import Unproven
from domain.witnessing import Proposal
from infra.cosigning import KnownWitness, read_witnesses, take
from infra.roles.role import persist
from infra.store import Store
from infra.witness.logs import WitnessError
from infra.witness.serving import SIZE_TYPE

_log = structlog.get_logger("shenguan.prover")
WITNESSES: Final = "witnesses"
"""The name under which it is shown that there is none to ask, for their file cannot be read."""
REST_S: Final = 1.0
"""Between checkpoints that are sent to a witness, at least."""
RETRY_S: Final = (1.0, 5.0, 30.0)
ALIVE_EVERY_S: Final = 5.0
SECONDS: Final = 20.0
_SIZE: Final = re.compile(rb"(0|[1-9][0-9]{0,18})\n?")
_RULE: Final = re.compile(rb"[a-z]+(\.[a-z]+)+")


class WitnessSubmitters:
    """One thread for each witness that is to be asked."""

    def __init__(self, store: Store, stopped: threading.Event) -> None:
        self._store = store
        self._stopped = stopped

    def run(self) -> None:
        """Until `stopped` is set."""
        found = [WitnessSubmitter(self._store, one, self._stopped) for one in self._witnesses() if one.url is not None]
        persist(self._stopped, partial(self._forget, [one.name for one in found]))
        threads = [
            threading.Thread(target=persist, args=(self._stopped, one.run), name=one.name, daemon=True) for one in found
        ]
        for one in threads:
            one.start()
        for one in threads:
            one.join()

    def _witnesses(self) -> list[KnownWitness]:
        """A file that cannot be read is read again until it can; nobody waits for it but this."""
        shown: str | None = None
        while not self._stopped.is_set():
            found, error = self._read()
            if error is None:
                return found
            persist(self._stopped, partial(self._show, error))
            if error != shown:
                _log.error("witnesses_unknown", error=error)
            shown = error
            self._stopped.wait(ALIVE_EVERY_S)
        return []

    def _read(self) -> tuple[list[KnownWitness], str | None]:
        settings = self._store.settings
        try:
            found = read_witnesses(settings.witness_file)
            if found:
                trusting(settings.ca_file)
        except WitnessError as error:
            return [], str(error)
        except OSError as error:
            return [], f"{settings.ca_file}: {type(error).__name__}"
        return found, None

    def _show(self, error: str) -> None:
        with self._store.connect() as conn:
            show_alive(conn, {WITNESSES: error})

    def _forget(self, but: list[str]) -> None:
        """What is shown of witnesses that are asked no more, and of a file that could not be read."""
        with self._store.connect() as conn:
            forget(conn, "witness", but)


class WitnessSubmitter:
    """One leads for each witness; others stand by."""

    def __init__(self, store: Store, witness: KnownWitness, stopped: threading.Event) -> None:
        assert witness.url is not None
        self.name = f"witness.{witness.key.name}"
        self._store = store
        self._witness = witness
        self._url = f"{witness.url}/add-checkpoint"
        self._stopped = stopped
        self._old = 0  # the size that it last cosigned, as far as is known here
        self._have = -1  # the size up to which its signature is here; at first it is asked in any case
        self._failures = 0
        self._shown_at = 0.0
        self._error: str | None = None

    def run(self) -> None:
        """Until `stopped` is set. Raises psycopg.OperationalError."""
        trust = trusting(self._store.settings.ca_file)
        with self._store.connect() as conn, Line(self._url, trust, SECONDS) as line:
            while not take_lease(conn, self.name):
                if self._stopped.wait(REST_S):
                    return
            conn.execute(f"LISTEN {MADE}")
            self._old, self._have = last_cosigned(conn, self._witness.key.text), -1
            while not self._stopped.is_set():
                error = self.turn(conn, line.post)
                self._failures = self._failures + 1 if error is not None else 0
                self._show(conn, error)
                self._rest(conn, RETRY_S[min(self._failures, len(RETRY_S)) - 1] if error is not None else REST_S)

    def turn(self, conn: Connection[Any], post: Callable[[bytes, dict[str, str]], Answer]) -> str | None:
        """Has the latest checkpoint cosigned, where it is not yet; else why it was not."""
        for _ in range(3):  # it may have cosigned another one meanwhile, which it says
            made = latest(conn)
            if made is None or made.head.size <= self._have:
                return None
            old = min(self._old, made.head.size)
            try:
                answer = post(_proposal(conn, made, old).data, {"content-type": "text/plain; charset=utf-8"})
            except NotReached as why:
                return f"{self._url}: {why}"
            except TreeMismatch as error:
                return str(error)
            if answer.status == 200:
                return self._taken(conn, made, answer)
            theirs = _SIZE.fullmatch(answer.body) if answer.headers.get("content-type") == SIZE_TYPE else None
            if answer.status != 409 or theirs is None or int(theirs[1]) == old:
                return self._refused(answer, made, old)
            size = int(theirs[1])
            if size > made.head.size and size > _size(latest(conn)):
                return self._said(
                    f"曾见证大小 {size}，此处却只到 {made.head.size}：数据库被退回，或另有一份日志",
                    f"has cosigned size {size}, but only {made.head.size} is here: the database was put back, or there"
                    " is another log",
                )
            self._old = size
        return f"{self._url}: HTTP 409"

    def _taken(self, conn: Connection[Any], made: Made, answer: Answer) -> str | None:
        """Keeps its signature, which is the one of the lines that is in its name."""
        rules = []
        for line in answer.body.decode(errors="replace").splitlines():
            try:
                if take(conn, [self._witness], made.head.size, line) is not None:
                    self._old = self._have = made.head.size
                    return None
            except Unproven as error:
                rules.append(error.rule)
        why = ", ".join(dict.fromkeys(rules)) or "—"
        return self._said(
            f"应答中没有其有效的见证签名（{why}）", f"answered without a good signature of its own: {why}"
        )

    def _refused(self, answer: Answer, made: Made, old: int) -> str:
        said = _RULE.match(answer.body)
        why = f"HTTP {answer.status}" + (f", {said[0].decode()}" if said is not None else "")
        size = made.head.size
        if said is not None and said[0] == b"witness.forked":
            return self._said(
                f"发现日志曾分叉或被退回，不再见证（{why}）",
                f"has found the log forked or rolled back, and cosigns no more: {why}",
            )
        if answer.status == 409:
            return self._said(
                f"见证过大小 {old} 的另一个根：日志已分叉（{why}）",
                f"has cosigned another root of size {old}: a fork, {why}",
            )
        if answer.status == 422:
            return self._said(
                f"不认大小 {size} 是它见证过的大小 {old} 的延续（{why}）",
                f"does not find that size {size} goes on from size {old}, which it cosigned: {why}",
            )
        return self._said(f"不予见证大小 {size}（{why}）", f"does not cosign size {size}: {why}")

    def _said(self, zh: str, en: str) -> str:
        return f"见证方 {self._witness.key.name} {zh} (the witness {en})"

    def _rest(self, conn: Connection[Any], seconds: float) -> None:
        """So long at least; where nothing was wrong, until there is a new checkpoint."""
        self._stopped.wait(seconds)
        if self._error is None and not self._stopped.is_set():
            for _ in conn.notifies(timeout=REST_S, stop_after=1):
                pass

    def _show(self, conn: Connection[Any], error: str | None) -> None:
        if error != self._error and error is not None:
            _log.error("checkpoint_not_cosigned", witness=self._witness.key.name, error=error)
        if error != self._error or time.monotonic() >= self._shown_at + ALIVE_EVERY_S:
            self._shown_at, self._error = time.monotonic(), error
            show_alive(conn, {self.name: error})


def _proposal(conn: Connection[Any], made: Made, old: int) -> Proposal:
    size = made.head.size
    path = prove_consistency(old, size, nodes(conn, LOG, size)) if 0 < old < size else []
    return Proposal(old, tuple(path), made.note.encode())


def _size(made: Made | None) -> int:
    return made.head.size if made is not None else 0

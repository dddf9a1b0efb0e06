"""`shenguan verify`: the store against itself, naming the first wrong thing. The oracle of the tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import psycopg
from psycopg import Connection

from adapters.postgres.follower import position_of
from adapters.postgres.log import COLUMNS, Log
from adapters.postgres.mapper import EventMapper, UnknownEvent
from domain.event import Recorded
from domain.note_keys import VerifierKey
from domain.recheck import Problem, Recheck, Run, Runs
from infra.memory import calmer
from infra.proving import PROOFS
from infra.verify_keys import Unwraps, late_orders, unwrapped
from infra.verify_models import ReadModel
from infra.verify_proofs import proofs
from infra.verify_signatures import Signatures, doubts, receipts
from infra.verify_tables import OUTLET, Claims, Expected, Turns, deliveries, subjects, tables
from projections.catalogue import PROJECTIONS

BATCH = 5000
Progress = Callable[[int, int], None]
"""(events read, events in all)."""
FOLLOWERS = (*(projection.name for projection in PROJECTIONS), OUTLET, PROOFS)
_AFTER = f"SELECT {COLUMNS} FROM shenguan.stored_events WHERE notification_id > %b ORDER BY notification_id LIMIT %b"


class HasMigrator(Protocol):
    """A store, as far as it is asked here."""

    @property
    def migrator_url(self) -> str: ...


@dataclass(slots=True)
class Verdict:
    """What was read and what is wrong; clean when `problems` is empty. `head` is the log position it speaks of.

    `behind`: read models (the outlet, the proofs) that have not come to the head yet, and by how many positions; that
    is no problem, but what they have not taken in was not compared. `signatures`: signed submissions by what became of
    their signature (`verify_signatures.KINDS`). `doubts`: what others have signed and this log has not, and
    orders that came after the deed, for people to ask about.
    """

    events: int
    notices: int
    submissions: int
    head: int
    problems: list[Problem]
    behind: dict[str, int] = field(default_factory=dict)
    signatures: dict[str, int] = field(default_factory=dict)
    doubts: list[Problem] = field(default_factory=list)


def verify(
    store: HasMigrator,
    progress: Progress = lambda _done, _all: None,
    most: int = 20,
    keys: Sequence[VerifierKey] = (),
    reveals: Unwraps | None = None,
    kept: Sequence[str] = (),
    witnesses: Sequence[VerifierKey] = (),
) -> Verdict:
    """Reads everything in one snapshot; writes nothing. Stops after `most` problems. `keys`: those that may have signed
    checkpoints, known from elsewhere than the database. `reveals`: has the master key, and opens the vault's keys and
    what is kept of signed submissions; without it only the digests of these are compared. `kept`: checkpoints that
    others have kept. `witnesses`: the keys that may have cosigned; none: those that the database names."""
    with calmer(), psycopg.connect(store.migrator_url) as conn:
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        conn.execute("SET LOCAL work_mem = '256MB'")  # read models are sorted to be compared
        recheck, signed = Recheck(), Signatures(conn, reveals)
        asked: list[Problem] = []
        head = Log(conn).head()
        behind = {name: head - at for name in FOLLOWERS if (at := position_of(conn, name)) < head}
        problems: list[Problem] = []
        for problem in _checks(conn, recheck, progress, keys, kept, witnesses, reveals, signed, asked.append):
            problems.append(problem)
            if len(problems) >= most:
                break
        row = conn.execute("SELECT count(*) FROM shenguan.submission").fetchone()
        conn.rollback()
    return Verdict(
        recheck.events, recheck.notices, int(row[0]) if row else 0, head, problems, behind, dict(+signed.counts), asked
    )


def _checks(
    conn: Connection[Any],
    recheck: Recheck,
    progress: Progress,
    keys: Sequence[VerifierKey],
    kept: Sequence[str],
    witnesses: Sequence[VerifierKey],
    reveals: Unwraps | None,
    signed: Signatures,
    ask: Callable[[Problem], None],
) -> Iterator[Problem]:
    yield from proofs(conn, keys, kept, witnesses)  # first: what was altered since is named exactly
    models = [ReadModel(conn, projection) for projection in PROJECTIONS]
    yield from _log(conn, recheck, models, progress, signed, ask)
    yield from tables(conn)
    if reveals is not None:
        yield from unwrapped(conn, reveals)
    for doubt in late_orders(conn):
        ask(doubt)
    yield from _followers(conn)
    for model in models:
        yield from model.compare()


def _log(
    conn: Connection[Any],
    recheck: Recheck,
    models: list[ReadModel],
    progress: Progress,
    signed: Signatures,
    ask: Callable[[Problem], None],
) -> Iterator[Problem]:
    """Order, versions, notices owed, recorded and queued; of every fact the submission that made it; keys.

    The read models are folded on the way, so that every event is decoded once.
    """
    row = conn.execute("SELECT count(*) FROM shenguan.stored_events").fetchone()
    total = int(row[0]) if row else 0
    outlet = position_of(conn, OUTLET)
    claims, runs, turns, mapper = Claims(conn), Runs(), Turns(conn), EventMapper()
    position = 0
    while rows := conn.execute(_AFTER, (position, BATCH), binary=True, prepare=True).fetchall():
        batch: list[Recorded] = []
        ended: list[Run | None] = []
        expected: Expected = {}
        states: list[bytes] = []
        own: list[Recorded] = []
        for stream, version, topic, state, position, at in rows:
            try:
                recorded = Recorded(position, at, mapper.read(stream, version, topic, state))
                if not recheck.followed(recorded.event):  # before it changes the registers by which it is judged
                    yield from signed.judge(recorded, recheck.registers, recheck.owing(stream))
                yield from recheck.take(recorded)
            except (UnknownEvent, ValueError, LookupError) as error:
                reason = f"{type(error).__name__}: {error}"
                yield Problem(position, stream, "decode", f"无法读取的事件：{reason}", f"unreadable: {reason}")
                models[:] = []  # the rest is not known: there is nothing to compare them with
                return
            batch.append(recorded)
            followed = recheck.followed(recorded.event)
            ended.append(runs.take(recorded, followed))
            if not followed:  # its keys are its master's
                states.append(state)
                own.append(recorded)
            if position <= outlet:
                expected |= turns.take(recorded, recheck.registers)
        yield from claims.take([run for run in ended if run is not None])
        yield from deliveries(conn, expected)
        yield from subjects(conn, states, position)
        yield from signed.take(own)
        yield from receipts(conn, own)
        for doubt in doubts(conn, own):
            ask(doubt)
        for model in models:
            yield from model.apply(batch)
        progress(recheck.events, total)
    last = runs.finish()
    yield from claims.take([last] if last is not None else [])
    yield from claims.finish()
    yield from turns.finish()
    yield from signed.finish()
    yield from recheck.finish()


def _followers(conn: Connection[Any]) -> Iterator[Problem]:
    """Nobody is past the head: what is recorded next would be left out."""
    for name, at, head in conn.execute(
        "SELECT application_name, notification_id, head FROM shenguan.notification_tracking,"
        " (SELECT coalesce(max(notification_id), 0) AS head FROM shenguan.stored_events) AS log"
        " WHERE notification_id > head AND application_name = ANY(%s)",
        (list(FOLLOWERS),),
    ):
        yield Problem(at, name, "follower", f"{name} 的位置在日志末尾 {head} 之后", f"{name} is past the end {head}")

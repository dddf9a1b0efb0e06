"""What intake remembers in PostgreSQL: places seen, identities claimed, submissions parked. Rows in and out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection, Cursor

from adapters.postgres.bulk import copy_rows
from domain.arrivals import CLAIMING, RELEASES_PER_BATCH, Arrival, Place, Result
from domain.catalogue import PAYLOADS
from domain.handling import streams_of
from domain.notices import notice_stream
from domain.personal import Sealed
from domain.signatures import Signature
from domain.submissions import Submission

LEVELS = 8
"""So far is foreseen who waits for those who wait; longer chains are followed link by link."""
NOTICES = notice_stream("")
PLACES = "unnest(%b::text[], %b::int4[], %b::int8[])"


def columns(places: Sequence[Place]) -> tuple[list[str], list[int], list[int]]:
    """Three arrays for `PLACES`."""
    return [p.topic_id for p in places], [p.partition for p in places], [p.offset for p in places]


_COLUMNS = (
    'topic_id, partition, "offset", s.topic, s.principal, s.auth, s.arrived_at, s.content, s.source, s.id, s.type,'
    " s.retry_of"
)


class PostgresDesk:
    """The `Desk` of one batch, within its transaction; what the batch may ask is read at once."""

    def __init__(
        self,
        conn: Connection[Any],
        arrivals: Sequence[Arrival],
        releases: int = RELEASES_PER_BATCH,
        never_read: Callable[[str, int, int], bool] = lambda *_: False,
    ) -> None:
        """`releases`: how many the batch releases before it cuts. No more of those that wait are read than suffice.
        `never_read`: whether a place is certain to be new, and need not be looked up."""
        self._conn = conn
        self._left = releases + 1
        self._seen: set[Place] = set()
        self._claims: dict[tuple[str, str], bytes] = {}
        if arrivals:
            self._read(arrivals, [a.place for a in arrivals if not never_read(*a.place)])
        self._counted: dict[str, int] = {}  # how many wait for a stream
        self._streams: set[str] = set()  # whose counts are known
        self._facts: set[str] = set()  # of whose notices the counts are known
        self._taken: set[str] = set()  # streams whose waiting ones somebody has taken on
        self._waiting: dict[str, list[Arrival]] = {}
        self._foresee(arrivals)

    def _read(self, arrivals: Sequence[Arrival], doubtful: Sequence[Place]) -> None:
        if doubtful:
            seen = self._conn.execute(
                'SELECT topic_id, partition, "offset" FROM shenguan.submission'
                f' JOIN {PLACES} AS p (topic_id, partition, "offset") USING (topic_id, partition, "offset")',
                columns(doubtful),
                prepare=True,
            )
            self._seen = {Place(*row) for row in seen}
        named = [a for a in arrivals if a.submission is not None]
        # LIMIT: else a young store's planner would go through all that was ever claimed, and hold each against each.
        claims = self._conn.execute(
            "SELECT p.source, p.id, s.content FROM unnest(%b::text[], %b::text[]) AS p (source, id) CROSS JOIN LATERAL"
            " (SELECT content FROM shenguan.submission AS one WHERE one.source = p.source AND one.id = p.id"
            " AND disposition IN ('accepted', 'refused', 'parked') LIMIT 1) AS s",
            ([a.source for a in named], [a.id for a in named]),
            prepare=True,
        )
        self._claims = {(source, id_): bytes(content) for source, id_, content in claims}

    def seen(self, place: Place) -> bool:
        return place in self._seen

    def claim(self, source: str, id_: str) -> bytes | None:
        return self._claims.get((source, id_))

    def still_dead(self, letters: Mapping[Place, Arrival]) -> dict[Place, Arrival]:
        """Without those that somebody else has had decided since they were read."""
        if not letters:
            return {}
        rows = self._conn.execute(
            'SELECT topic_id, partition, "offset" FROM shenguan.submission'
            f' JOIN {PLACES} AS p (topic_id, partition, "offset") USING (topic_id, partition, "offset")'
            " WHERE disposition = 'dead'",
            columns(list(letters)),
        )
        return {(place := Place(*row)): letters[place] for row in rows}

    def _foresee(self, arrivals: Sequence[Arrival]) -> None:
        """Reads who waits for what these arrivals are about, or for a notice that one of them may owe; then who waits
        for those, and so on, as far as there is room. Whoever is not foreseen is looked up when asked for."""
        room = self._left
        for _ in range(LEVELS):
            streams = streams_of(a.submission for a in arrivals if a.submission) - self._streams
            facts = {f"{a.source}/{a.id}" for a in arrivals} - self._facts
            counted = self._count(list(streams), list(facts))
            self._streams |= streams | counted.keys()
            self._facts |= facts
            expected: list[str] = []
            for stream, count in counted.items():
                if count <= room:
                    expected.append(stream)
                    room -= count
            if not expected:
                return
            self._waiting |= {stream: [] for stream in expected}
            found = list(self._parked("WHERE p.stream = ANY(%s)", (expected,)))
            for stream, arrival in found:
                self._waiting[stream].append(arrival)
            arrivals = [arrival for _, arrival in found]

    def _count(self, streams: list[str], facts: list[str]) -> dict[str, int]:
        if not streams and not facts:
            return {}
        rows = self._conn.execute(
            "SELECT stream, count(*) FROM shenguan.parked WHERE stream = ANY(%b::text[]) OR fact = ANY(%b::text[])"
            " GROUP BY stream",
            (streams, facts),
            prepare=True,
        )
        counted = {stream: count for stream, count in rows if stream not in self._taken}
        self._counted |= counted
        return counted

    def waiting(self, stream: str) -> list[Arrival]:
        """Whoever asks takes them on: asked again, there are none.

        Where there are more than the batch will release, the first come, so many that the chain is cut, and all the
        others are made ready for the batches after it.
        """
        if stream in self._taken:
            return []
        owing = stream.split("/", 2)[-1] if stream.startswith(NOTICES) else None
        if stream not in self._streams and owing not in self._facts:
            self._count([stream], [])
        self._taken.add(stream)
        count = self._counted.pop(stream, 0)
        if not count:
            return []
        known = self._waiting.pop(stream, None)
        if known is None:
            if count > self._left:
                self._conn.execute("UPDATE shenguan.parked SET ready = true WHERE stream = %s AND NOT ready", (stream,))
            known = self.parked("WHERE p.stream = %s", (stream,), self._left) if self._left else []
            self._foresee(known)
        self._left = max(0, self._left - len(known))
        return known

    def ready(self, limit: int) -> list[Arrival]:
        """Those whose chain was cut in an earlier batch."""
        found = self.parked("WHERE p.ready", (), limit)
        self._left += len(found)  # they wait for streams too, and who has been decided is not released by them
        self._foresee(found)
        return found

    def parked(self, clause: str, params: tuple[Any, ...], limit: int | None = None) -> list[Arrival]:
        return [arrival for _, arrival in self._parked(clause, params, limit)]

    def _parked(self, clause: str, params: tuple[Any, ...], limit: int | None = None) -> Iterator[tuple[str, Arrival]]:
        """(stream waited for, who waits), in the order of their coming."""
        rows = self._conn.execute(
            f"SELECT p.stream, {_COLUMNS}, p.sealed FROM shenguan.parked AS p"
            f' JOIN shenguan.submission AS s USING (topic_id, partition, "offset") {clause}'
            ' ORDER BY s.arrived_at, topic_id, partition, "offset" LIMIT %s',
            (*params, limit),
        )
        return ((row[0], _arrival(row[1:])) for row in rows)


def _arrival(row: Any) -> Arrival:
    topic_id, partition, offset, topic, principal, auth, arrived_at, content, source, id_, type_, retry_of, sealed = row
    submission = Submission(
        source=source,
        id=id_,
        occurred_at=datetime.fromisoformat(sealed["occurred_at"]),
        principal=principal,
        auth=auth,
        payload=PAYLOADS[type_].model_validate(sealed["payload"]),
        classified=sealed["classified"],
        caller=sealed.get("caller"),
        signature=Signature.model_validate(sealed["signature"]) if sealed.get("signature") else None,
    )
    return Arrival(
        place=Place(topic_id, partition, offset),
        topic=topic,
        principal=principal,
        auth=auth,
        arrived_at=arrived_at,
        submission=submission,
        content=bytes(content),
        source=source,
        id=id_,
        type=type_,
        retry_of=retry_of,
    )


def sealed_json(submission: Submission[Any]) -> str:
    """What a parked submission needs in order to be decided later, as JSON; its personal data is sealed already."""
    signature = submission.signature.model_dump_json() if submission.signature else "null"
    return (
        f'{{"occurred_at":"{submission.occurred_at.isoformat()}","classified":{json.dumps(submission.classified)},'
        f'"caller":{json.dumps(submission.caller)},"signature":{signature},"payload":{submission.payload.model_dump_json()}}}'
    )


_COUNT = """
INSERT INTO shenguan.outcome_count AS o SELECT d, n FROM unnest(%b::text[], %b::int8[]) AS given (d, n)
ON CONFLICT (disposition) DO UPDATE SET count = o.count + excluded.count
"""


def put_results(
    conn: Connection[Any], results: Iterable[Result], cut: set[Place], now: datetime, parked_for: timedelta
) -> None:
    """Writes each arrival's disposition as this batch leaves it, and parks or unparks it."""
    last: dict[Place, Result] = {}
    known: set[Place] = set()
    for result in results:
        place = result.arrival.place
        if result.released and place not in last:
            known.add(place)
        last[place] = result
    new = [r for place, r in last.items() if place not in known]
    old = [r for place, r in last.items() if place in known]
    with conn.cursor() as cursor:
        # Identities are given up before they are taken: one that died waiting may come again in the same batch.
        _update(cursor, [r for r in old if r.outcome.disposition not in CLAIMING], now)
        if new:
            copy_rows(cursor, "shenguan.submission", _NAMES, _TYPES, (_row(r, now) for r in new))
        _update(cursor, [r for r in old if r.outcome.disposition in CLAIMING], now)
        if old:
            gone = [r.arrival.place for r in old if r.outcome.disposition != "parked"]
            if gone:
                cursor.execute(
                    f"DELETE FROM shenguan.parked USING {PLACES} AS p (t, n, o)"
                    ' WHERE topic_id = t AND partition = n AND "offset" = o',
                    columns(gone),
                )
        parked = [r for r in last.values() if r.outcome.disposition == "parked"]
        if parked:
            rows = [
                (*r.arrival.place, r.outcome.stream, sealed_json(r.arrival.submission), now, now + parked_for)
                for r in parked
                if r.arrival.submission is not None
            ]
            cursor.execute(_PARK, [list(c) for c in zip(*rows, strict=True)], prepare=True)
        counts = Counter(r.outcome.disposition for r in last.values())
        cursor.execute(_COUNT, (list(counts), list(counts.values())), prepare=True)
        if cut:
            cursor.execute(
                f"UPDATE shenguan.parked SET ready = true FROM {PLACES} AS p (t, n, o)"
                ' WHERE topic_id = t AND partition = n AND "offset" = o',
                columns(list(cut)),
            )


def _update(cursor: Cursor[Any], results: Sequence[Result], now: datetime) -> None:
    if results:
        cursor.execute(_UPDATE, [list(c) for c in zip(*(_change(r, now) for r in results), strict=True)])


_NAMES = (
    'topic_id, partition, "offset", topic, principal, auth, source, id, type, content, department, occurred_at,'
    " arrived_at, decided_at, disposition, rule, stream, version, retry_of"
)
_TYPES = (
    *("text", "int4", "int8", "text", "text", "text", "text", "text", "text", "bytea", "text", "timestamptz"),
    *("timestamptz", "timestamptz", "text", "text", "text", "int8", "text"),
)
_UPDATE = """
UPDATE shenguan.submission AS s SET decided_at = n.d, disposition = n.disposition, rule = n.rule, stream = n.stream,
    version = n.version
FROM unnest(%b::text[], %b::int4[], %b::int8[], %b::timestamptz[], %b::text[], %b::text[], %b::text[], %b::int8[])
    AS n (t, p, o, d, disposition, rule, stream, version)
WHERE s.topic_id = n.t AND s.partition = n.p AND s."offset" = n.o
"""
_PARK = """
INSERT INTO shenguan.parked (topic_id, partition, "offset", stream, sealed, parked_at, expires_at)
SELECT t, p, o, stream, sealed::jsonb, parked_at, expires_at
FROM unnest(%b::text[], %b::int4[], %b::int8[], %b::text[], %b::text[], %b::timestamptz[], %b::timestamptz[])
    AS new (t, p, o, stream, sealed, parked_at, expires_at)
ON CONFLICT (topic_id, partition, "offset") DO UPDATE SET stream = excluded.stream, ready = false
"""


def _fact(result: Result) -> tuple[str | None, int | None]:
    if result.outcome.events:
        first = result.outcome.events[0]
        return first.originator_id, first.originator_version
    return result.outcome.stream, None


def _row(result: Result, now: datetime) -> tuple[Any, ...]:
    a, outcome = result.arrival, result.outcome
    submission = a.submission
    return (
        *a.place,
        a.topic,
        a.principal,
        a.auth,
        a.source,
        a.id,
        a.type,
        a.content,
        submission.payload.department if submission and not submission.classified else None,
        submission.occurred_at if submission else None,
        a.arrived_at,
        now,
        outcome.disposition,
        outcome.rule,
        *_fact(result),
        a.retry_of,
    )


def _change(result: Result, now: datetime) -> tuple[Any, ...]:
    return (*result.arrival.place, now, result.outcome.disposition, result.outcome.rule, *_fact(result))


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A letter that is dead still: its row, and what was kept of it, sealed."""

    place: Place
    topic: str
    kept: Sealed
    row: tuple[Any, ...]

    def parked_before(self, text: str) -> Arrival | None:
        """Of one that died waiting, the sealed submission was kept (`text`), not the record: as it was parked."""
        kept = json.loads(text)
        return _arrival((*self.row, kept)) if "payload" in kept else None


def dead_letters(conn: Connection[Any], places: Sequence[Place]) -> list[DeadLetter]:
    """The letters at these places that are dead still."""
    rows = conn.execute(
        f"SELECT {_COLUMNS}, d.subject, d.ciphertext FROM shenguan.dead_letter AS d"
        ' JOIN shenguan.submission AS s USING (topic_id, partition, "offset")'
        f' JOIN {PLACES} AS p (topic_id, partition, "offset") USING (topic_id, partition, "offset")'
        " WHERE s.disposition = 'dead'",
        columns(places),
    )
    return [
        DeadLetter(Place(*row[:3]), row[3], Sealed(subject=row[-2], ciphertext=row[-1], commitment=""), row[:-2])
        for row in rows
    ]

"""Reading the log: whole streams for deciding, positions in order for followers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any

from eventsourcing.application import Application
from psycopg import Connection, conninfo

from adapters.postgres.mapper import EventMapper
from domain.clock_state import clock_stream
from domain.event import Event, Recorded
from domain.leaves import Row, leaf, microseconds
from domain.merkle import leaf_hash
from domain.notices import NoticeOwed, ledger_stream, notice_stream
from domain.registers import REGISTER_TOPICS, Registers

COLUMNS = "originator_id, originator_version, topic, state, notification_id, recorded_at"


def leaf_of(row: Any) -> str:
    """The leaf hash (RFC 9162 §2.1.1) of a row of `COLUMNS`, in hexadecimal."""
    stream, version, topic, state, position, recorded_at = row
    given = position, microseconds(recorded_at), stream.encode(), version, topic.encode(), state
    return leaf_hash(leaf(Row(*given))).hex()


class LogApplication(Application[str]):
    """The log as the library's `Application`: its recorder and mapper are ours, and so is its table."""

    name = "stored"  # the library's name of the table: stored_events


def application(url: str) -> LogApplication:
    """Opens the log at a database URL."""
    return LogApplication(environment(url))


def environment(url: str) -> dict[str, str]:
    """The library's settings for the log at a database URL."""
    parts = conninfo.conninfo_to_dict(url)
    return {
        "PERSISTENCE_MODULE": "adapters.postgres.factory",
        "MAPPER_TOPIC": "adapters.postgres.mapper:EventMapper",
        "ORIGINATOR_ID_TYPE": "text",
        "CREATE_TABLE": "n",
        "POSTGRES_SCHEMA": "shenguan",
        "POSTGRES_DBNAME": str(parts["dbname"]),
        "POSTGRES_HOST": str(parts.get("host") or "127.0.0.1"),
        "POSTGRES_PORT": str(parts.get("port") or 5432),
        "POSTGRES_USER": str(parts["user"]),
        "POSTGRES_PASSWORD": str(parts.get("password") or ""),
    }


class Log:
    """Reads over one connection."""

    def __init__(self, conn: Connection[Any]) -> None:
        self._conn = conn
        self._mapper = EventMapper()

    def streams(self, wanted: Iterable[str]) -> dict[str, list[Event]]:
        """Whole streams; of a ledger or of reads its last event only; for a notice first what was owed, from the
        ledger."""
        names = list(wanted)
        ledgers = [name for name in names if name.startswith(("ledger/", "read/"))]
        notices = [name.removeprefix("notice/") for name in names if name.startswith("notice/")]
        others = [name for name in names if not name.startswith(("ledger/", "read/"))]
        found: dict[str, list[Event]] = {}
        if notices:
            for row in self._rows("WHERE unique_key = ANY(%s)", (notices,)):
                event = self._event(row)
                found[f"notice/{event.unique_key}"] = [event]
        if others:
            for row in self._rows(
                "WHERE originator_id = ANY(%s) ORDER BY originator_id, originator_version", (others,)
            ):
                found.setdefault(row[0], []).append(self._event(row))
        if ledgers:
            query = (
                f"SELECT e.* FROM unnest(%s::text[]) AS l(name), LATERAL (SELECT {COLUMNS} FROM shenguan.stored_events"
                " WHERE originator_id = l.name ORDER BY originator_version DESC LIMIT 1) AS e"
            )
            for row in self._conn.execute(query, (ledgers,), binary=True, prepare=True):
                found[row[0]] = [self._event(row)]
        return found

    def stream(self, name: str, as_known_at: datetime | None = None) -> list[Recorded]:
        """A stream's events in order, as the log knew it at that time."""
        return [
            self._recorded(row)
            for row in self._rows(
                "WHERE originator_id = %s AND recorded_at <= coalesce(%s, 'infinity'::timestamptz)"
                " ORDER BY originator_version",
                (name, as_known_at),
            )
        ]

    def histories(self, streams: Iterable[str], as_known_at: datetime | None = None) -> dict[str, list[Recorded]]:
        """Several streams, each as `stream` gives it; those that had no event then are left out."""
        found: dict[str, list[Recorded]] = {}
        for row in self._rows(
            "WHERE originator_id = ANY(%s) AND recorded_at <= coalesce(%s, 'infinity'::timestamptz)"
            " ORDER BY originator_id, originator_version",
            (list(streams), as_known_at),
        ):
            found.setdefault(row[0], []).append(self._recorded(row))
        return found

    def at(self, positions: Iterable[int], as_known_at: datetime | None = None) -> list[Recorded]:
        """The events at these places in log order, as the log knew them at that time."""
        rows = self._rows(
            "WHERE notification_id = ANY(%s) AND recorded_at <= coalesce(%s, 'infinity'::timestamptz)"
            " ORDER BY notification_id",
            (list(positions), as_known_at),
        )
        return [self._recorded(row) for row in rows]

    def streams_at(self, positions: Iterable[int]) -> set[str]:
        """The streams that have these places; for what was owed the notice's."""
        rows = self._conn.execute(
            "SELECT DISTINCT CASE WHEN unique_key IS NULL THEN originator_id ELSE 'notice/' || unique_key END"
            " FROM shenguan.stored_events WHERE notification_id = ANY(%s)",
            (list(positions),),
        )
        return {row[0] for row in rows}

    def streams_under(self, prefix: str, known_at: datetime | None = None) -> dict[str, list[Event]]:
        """The streams whose names begin `prefix/`, of kinds that are few, as the log knew them at that time."""
        found: dict[str, list[Event]] = {}
        for one in self.recorded_under(prefix, known_at):
            found.setdefault(one.event.originator_id, []).append(one.event)
        return found

    def recorded_under(self, prefix: str, known_at: datetime | None = None) -> list[Recorded]:
        """As `streams_under`, with their places in the log."""
        rows = self._rows(
            "WHERE originator_id >= %s AND originator_id < %s AND recorded_at <= coalesce(%s, 'infinity'::timestamptz)"
            " ORDER BY originator_id, originator_version",
            (f"{prefix}/", f"{prefix}0", known_at),  # 0 comes after /
        )
        return [self._recorded(row) for row in rows]

    def latest_of(
        self, streams: Iterable[str], before: int, limit: int, known_at: datetime | None = None
    ) -> list[Recorded]:
        """The last events of these streams together that lie before a position, the latest first."""
        query = (
            f"SELECT e.* FROM unnest(%s::text[]) AS s(name), LATERAL (SELECT {COLUMNS} FROM shenguan.stored_events"
            " WHERE originator_id = s.name AND notification_id < %s"
            " AND recorded_at <= coalesce(%s, 'infinity'::timestamptz)"
            " ORDER BY originator_version DESC LIMIT %s) AS e ORDER BY notification_id DESC LIMIT %s"
        )
        rows = self._conn.execute(query, (list(streams), before, known_at, limit, limit), binary=True, prepare=True)
        return [self._recorded(row) for row in rows]

    def notices(self, names: Iterable[str], known_at: datetime | None = None) -> dict[str, list[Recorded]]:
        """What was owed and what became of it, by the notices' ids, as the log knew it at that time."""
        wanted = list(names)
        found: dict[str, list[Recorded]] = {}
        for row in self._rows(
            "WHERE (unique_key = ANY(%s) OR originator_id = ANY(%s))"
            " AND recorded_at <= coalesce(%s, 'infinity'::timestamptz) ORDER BY notification_id",
            (wanted, [notice_stream(one) for one in wanted], known_at),
        ):
            one = self._recorded(row)
            found.setdefault(one.event.unique_key or one.event.originator_id.removeprefix("notice/"), []).append(one)
        return found

    def lives(self, names: Iterable[str], known_at: datetime | None = None) -> dict[str, list[Recorded]]:
        """As `notices`, with what became of their clocks."""
        wanted = list(names)
        streams = [notice_stream(one) for one in wanted]
        found: dict[str, list[Recorded]] = {}
        for row in self._rows(
            "WHERE (unique_key = ANY(%s) OR originator_id = ANY(%s))"
            " AND recorded_at <= coalesce(%s, 'infinity'::timestamptz) ORDER BY notification_id",
            (wanted, [*streams, *map(clock_stream, streams)], known_at),
        ):
            one = self._recorded(row)
            name = one.event.originator_id.removeprefix(clock_stream("")).removeprefix(notice_stream(""))
            found.setdefault(name if one.event.unique_key is None else one.event.unique_key, []).append(one)
        return found

    def ledger(self, addressee: str, serial: int) -> Recorded | None:
        """What was owed under a serial."""
        rows = self._rows("WHERE originator_id = %s AND originator_version = %s", (ledger_stream(addressee), serial))
        return self._recorded(rows[0]) if rows else None

    def ledger_after(self, addressee: str, serial: int, limit: int) -> list[NoticeOwed]:
        """What was owed under the next serials, in their order."""
        rows = self._rows(
            "WHERE originator_id = %s AND originator_version > %s ORDER BY originator_version LIMIT %s",
            (ledger_stream(addressee), serial, limit),
        )
        return [event for row in rows if isinstance(event := self._event(row), NoticeOwed)]

    def owed(self, notices: Iterable[str]) -> dict[str, Recorded]:
        """What was owed under these names."""
        found = map(self._recorded, self._rows("WHERE unique_key = ANY(%s)", (list(notices),)))
        return {str(one.event.unique_key): one for one in found}

    def after(
        self, position: int, limit: int, up_to: int | None = None, topics: Collection[str] | None = None
    ) -> list[Recorded]:
        """The next events in log order, of these topics or of all."""
        clause = (
            f"WHERE notification_id > %s AND notification_id <= %s{'' if topics is None else ' AND topic = ANY(%s)'}"
            " ORDER BY notification_id LIMIT %s"
        )
        chosen = [] if topics is None else [sorted(topics)]
        rows = self._rows(clause, (position, 2**62 if up_to is None else up_to, *chosen, limit))
        return [self._recorded(row) for row in rows]

    def fact(self, stream: str, version: int, batch: int = 100) -> list[Recorded]:
        """All that one submission made, of which this is the first event: it lies together in the log."""
        rows = self._rows("WHERE originator_id = %s AND originator_version = %s", (stream, version))
        found = [self._recorded(row) for row in rows]
        while found and (more := self.after(found[-1].position, batch)):
            same = [one for one in more if one.event.meta.fact == found[0].event.meta.fact]
            found += same
            if len(same) < len(more):
                break
        return found

    def all(self, up_to: int | None = None, batch: int = 5000) -> Iterator[Recorded]:
        """The whole log, in bounded memory."""
        position = 0
        while found := self.after(position, batch, up_to):
            yield from found
            position = found[-1].position

    def streams_since(self, position: int, most: int) -> set[str] | None:
        """The streams that have changed after a position, notices whose owing is new among them; None if they are
        more than `most` events."""
        rows = self._conn.execute(
            "SELECT originator_id, unique_key FROM shenguan.stored_events WHERE notification_id > %s LIMIT %s",
            (position, most + 1),
            prepare=True,
        ).fetchall()
        if len(rows) > most:
            return None
        return {stream for stream, _ in rows} | {f"notice/{notice}" for _, notice in rows if notice is not None}

    def leaf(self, stream: str, version: int) -> str | None:
        """The leaf hash of an event, in hexadecimal; None where there is none."""
        rows = self._rows("WHERE originator_id = %s AND originator_version = %s", (stream, version))
        return leaf_of(rows[0]) if rows else None

    def head(self) -> int:
        """The last position, 0 in an empty log."""
        row = self._conn.execute("SELECT max(notification_id) FROM shenguan.stored_events").fetchone()
        return (row and row[0]) or 0

    def recorded_after(self, position: int) -> datetime | None:
        """When the first event after a position was recorded; None where there is none."""
        row = self._conn.execute(
            "SELECT recorded_at FROM shenguan.stored_events WHERE notification_id > %s"
            " ORDER BY notification_id LIMIT 1",
            (position,),
        ).fetchone()
        return row[0] if row else None

    def registers_head(self) -> int:
        """The position of the last register event, 0 where there is none."""
        topics = ", ".join(f"'{topic}'" for topic in REGISTER_TOPICS)
        query = f"SELECT max(notification_id) FROM shenguan.stored_events WHERE topic IN ({topics})"
        row = self._conn.execute(query).fetchone()
        return (row and row[0]) or 0

    def refresh(self, registers: Registers, since: int, up_to: int = 2**62, known_at: datetime | None = None) -> None:
        """Folds in the register events after a position, up to another, that were recorded by a moment."""
        topics = ", ".join(f"'{topic}'" for topic in REGISTER_TOPICS)
        clause = (
            f"WHERE topic IN ({topics}) AND notification_id > %s AND notification_id <= %s"
            " AND recorded_at <= coalesce(%s, 'infinity'::timestamptz) ORDER BY notification_id"
        )
        for row in self._rows(clause, (since, up_to, known_at)):
            registers.evolve(self._event(row))

    def registers_by(self, position: int) -> list[Recorded]:
        """The register events up to a position, in log order."""
        topics = ", ".join(f"'{topic}'" for topic in REGISTER_TOPICS)
        rows = self._rows(f"WHERE topic IN ({topics}) AND notification_id <= %s ORDER BY notification_id", (position,))
        return [self._recorded(row) for row in rows]

    def _rows(self, clause: str, params: tuple[Any, ...]) -> list[Any]:
        query = f"SELECT {COLUMNS} FROM shenguan.stored_events {clause}"
        return self._conn.execute(query, params, binary=True, prepare=True).fetchall()

    def _event(self, row: Any) -> Event:
        return self._mapper.read(row[0], row[1], row[2], row[3])

    def _recorded(self, row: Any) -> Recorded:
        return Recorded(row[4], row[5], self._event(row))

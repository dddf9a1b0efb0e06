"""Which department's channels do not work at present, and since how many attempts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from domain.channels import Channel


@dataclass(frozen=True, slots=True)
class Trouble:
    """`failures` in a row; `gone`: the address that said that it is no more."""

    failures: int = 0
    gone: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a department's channel does. `sent_at`: when it last took anything; `waiting`: how many are in its queue."""

    channel: Channel
    waiting: int
    sent_at: datetime | None
    failures: int
    failed_at: datetime | None
    error: str | None
    gone: str | None


NONE = Trouble()


def troubles(conn: Connection[Any], channel: Channel, departments: Collection[str]) -> dict[str, Trouble]:
    """Of the departments that have any."""
    rows = conn.execute(
        "SELECT department, failures, gone FROM shenguan.channel_trouble WHERE channel = %b AND department = ANY(%b)",
        (channel, list(departments)),
        prepare=True,
    )
    return {department: Trouble(failures, gone) for department, failures, gone in rows}


def in_trouble(conn: Connection[Any], channel: Channel) -> set[str]:
    """The departments to which it has failed since something last went through."""
    rows = conn.execute(
        "SELECT department FROM shenguan.channel_trouble WHERE channel = %b AND failures > 0", (channel,)
    )
    return {row[0] for row in rows}


def failed(conn: Connection[Any], channel: Channel, department: str, error: str, gone: str | None = None) -> int:
    """How many failures in a row that makes."""
    row = conn.execute(
        "INSERT INTO shenguan.channel_trouble AS t (department, channel, failures, failed_at, error, gone)"
        " VALUES (%b, %b, 1, clock_timestamp(), %b, %b) ON CONFLICT (department, channel) DO UPDATE"
        " SET failures = t.failures + 1, failed_at = excluded.failed_at, error = excluded.error, gone = excluded.gone"
        " RETURNING failures",
        (department, channel, error, gone),
    ).fetchone()
    assert row is not None
    return int(row[0])


def works(conn: Connection[Any], channel: Channel, departments: Collection[str]) -> None:
    """Something went through; what went wrong last stays to be seen."""
    conn.execute(
        "UPDATE shenguan.channel_trouble SET failures = 0, gone = NULL"
        " WHERE channel = %b AND department = ANY(%b) AND (failures > 0 OR gone IS NOT NULL)",
        (channel, list(departments)),
    )


def begin_anew(conn: Connection[Any], departments: Sequence[str]) -> None:
    """Their entries were written anew: whatever was wrong with their channels may be mended, so all is due."""
    conn.execute(
        "UPDATE shenguan.channel_trouble SET failures = 0, gone = NULL WHERE department = ANY(%b)",
        (list(departments),),
    )
    conn.execute(
        "UPDATE shenguan.delivery SET due_at = clock_timestamp()"
        " WHERE sent_at IS NULL AND department = ANY(%b) AND due_at > clock_timestamp()",
        (list(departments),),
    )


def standings(conn: Connection[Any], department: str, channels: Sequence[Channel]) -> list[Standing]:
    """In this order. The last success is looked for backwards through the department's ledger."""
    found = []
    for channel in channels:
        row = conn.execute(
            "SELECT (SELECT count(*) FROM shenguan.delivery"
            " WHERE department = %(department)s AND channel = %(channel)s AND sent_at IS NULL),"
            " (SELECT d.sent_at FROM shenguan.stored_events AS e"
            " JOIN shenguan.delivery AS d ON d.notice = e.unique_key AND d.channel = %(channel)s"
            " WHERE e.originator_id = 'ledger/' || %(department)s AND d.sent_at IS NOT NULL"
            " ORDER BY e.originator_version DESC LIMIT 1), failures, failed_at, error, gone"
            " FROM (SELECT) AS one LEFT JOIN shenguan.channel_trouble"
            " ON department = %(department)s AND channel = %(channel)s",
            {"department": department, "channel": channel},
        ).fetchone()
        assert row is not None
        waiting, sent_at, failures, *rest = row
        found.append(Standing(channel, waiting, sent_at, failures or 0, *rest))
    return found

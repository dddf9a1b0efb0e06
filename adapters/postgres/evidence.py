"""Sent deliveries for which there is no evidence yet that they arrived."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from adapters.postgres.deliveries import WOKEN
from domain.channels import Channel

# One row per topic by skipping through the index: there may be millions of deliveries that nobody ever fetched.
_TOPICS = """
WITH RECURSIVE topic (id) AS (
    (SELECT topic_id FROM shenguan.delivery WHERE sent_at IS NOT NULL AND delivered_at IS NULL
     ORDER BY topic_id LIMIT 1)
    UNION ALL
    SELECT (SELECT topic_id FROM shenguan.delivery
            WHERE sent_at IS NOT NULL AND delivered_at IS NULL AND topic_id > t.id ORDER BY topic_id LIMIT 1)
    FROM topic AS t WHERE t.id IS NOT NULL
)
SELECT t.id, one.department FROM topic AS t CROSS JOIN LATERAL (
    SELECT department FROM shenguan.delivery
    WHERE topic_id = t.id AND channel = %b AND sent_at IS NOT NULL AND delivered_at IS NULL LIMIT 1) AS one
"""


def unproven(conn: Connection[Any], channel: Channel) -> list[tuple[str, str]]:
    """(topic id, department) wherever something was sent and is not delivered; a topic is one department's."""
    return [(row[0], row[1]) for row in conn.execute(_TOPICS, (channel,), prepare=True)]


def sent_before(
    conn: Connection[Any], channel: Channel, topic_id: str, partition: int, offset: int, limit: int
) -> list[str]:
    """Undelivered notices that lie before an offset, the first ones first."""
    rows = conn.execute(
        'SELECT notice FROM shenguan.delivery WHERE topic_id = %b AND partition = %b AND "offset" < %b'
        ' AND channel = %b AND sent_at IS NOT NULL AND delivered_at IS NULL ORDER BY "offset" LIMIT %b',
        (topic_id, partition, offset, channel, limit),
        prepare=True,
    )
    return [row[0] for row in rows]


def mark_delivered(conn: Connection[Any], channel: Channel, notices: Sequence[str]) -> None:
    """In the transaction that records their delivery."""
    conn.execute(
        "UPDATE shenguan.delivery SET delivered_at = clock_timestamp()"
        " WHERE notice = ANY(%b::text[]) AND channel = %b AND delivered_at IS NULL",
        (list(notices), channel),
        prepare=True,
    )


def send_again(conn: Connection[Any], channel: Channel, topic_id: str) -> int:
    """The topic is gone, and with it what nobody fetched: that is due again. What was recorded stays recorded."""
    again = conn.execute(
        "UPDATE shenguan.delivery SET sent_at = NULL, leased_until = NULL, due_at = clock_timestamp()"
        " WHERE topic_id = %b AND channel = %b AND sent_at IS NOT NULL AND delivered_at IS NULL",
        (topic_id, channel),
    )
    conn.execute(f"NOTIFY {WOKEN}")
    return again.rowcount


def unreported(conn: Connection[Any], channel: Channel, limit: int) -> dict[str, list[str]]:
    """Notices by what the channel calls the message that told of them, sent in the last days and not known to have
    come; the latest first, for most reports come soon."""
    rows = conn.execute(
        "SELECT reference, array_agg(notice) FROM shenguan.delivery WHERE channel = %b AND sent_at IS NOT NULL"
        " AND delivered_at IS NULL AND reference IS NOT NULL AND sent_at > now() - interval '3 days'"
        " GROUP BY reference ORDER BY max(sent_at) DESC LIMIT %b",
        (channel, limit),
    )
    return dict(rows.fetchall())


def received_already(conn: Connection[Any], notices: Sequence[str]) -> set[str]:
    """Those that were signed for, or have moved on: there is nothing left to tell of."""
    rows = conn.execute(
        "SELECT DISTINCT substr(originator_id, 8) FROM shenguan.stored_events"
        " WHERE originator_id = ANY(%b::text[]) AND topic IN ('notice.received', 'notice.moved')",
        ([f"notice/{notice}" for notice in notices],),
    )
    return {row[0] for row in rows}

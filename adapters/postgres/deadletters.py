"""Dead letters and quarantined conflicts go into their table: bytes sealed under a key of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from adapters.postgres.desk import PLACES, columns, sealed_json
from domain.arrivals import Place, Result
from domain.personal import Sealed

SealText = Callable[[str, str], Sealed]
"""(subject, text) → sealed."""


def put_dead(conn: Connection[Any], results: Sequence[Result], seal: SealText, now: datetime) -> None:
    """Those of the results that are dead or in conflict; of one that had been parked, what was kept of it."""
    kept = [r for r in results if r.outcome.disposition in ("dead", "conflict")]
    if not kept:
        return
    rows = []
    for result in kept:
        arrival = result.arrival
        raw = arrival.raw
        if raw is None:
            assert arrival.submission is not None
            raw = json.dumps(sealed_json(arrival.submission), ensure_ascii=False).encode()
        sealed = seal(f"deadletter/{arrival.place}", raw.decode())
        errors = [
            {"field": e.field, "rule": e.rule, "message": e.message, "found": e.found} for e in result.outcome.errors
        ]
        rows.append((*arrival.place, sealed.subject, sealed.ciphertext, Jsonb(errors), now))
    with conn.cursor() as cursor:
        cursor.executemany(
            'INSERT INTO shenguan.dead_letter (topic_id, partition, "offset", subject, ciphertext, errors,'
            " dead_at) VALUES (%s, %s, %s, %s, %s, %s, %s)"
            ' ON CONFLICT (topic_id, partition, "offset") DO UPDATE'
            " SET number = excluded.number, ciphertext = excluded.ciphertext, errors = excluded.errors,"  # told of anew
            " dead_at = excluded.dead_at",
            rows,
        )


def mark_retried(conn: Connection[Any], places: Sequence[Place], now: datetime) -> None:
    """Those letters were decided again, whatever came of it."""
    if places:
        conn.execute(
            f"UPDATE shenguan.dead_letter SET retried_at = %b FROM {PLACES} AS p (t, n, o)"
            ' WHERE topic_id = t AND partition = n AND "offset" = o',
            (now, *columns(places)),
        )

"""Dead letters and quarantined conflicts go into their table: bytes sealed under a key of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection

from adapters.postgres.desk import PLACES, columns, sealed_json
from domain.arrivals import Arrival, Place, Result
from domain.personal import Sealed

SealTexts = Callable[[Mapping[str, str]], Mapping[str, Sealed]]
"""Text by subject → sealed by subject; all at once, because each new key is a commit."""


def put_dead(conn: Connection[Any], results: Sequence[Result], seal: SealTexts, now: datetime) -> None:
    """Those of the results that are dead or in conflict; of one that had been parked, what was kept of it."""
    kept = {r.arrival.place: r for r in results if r.outcome.disposition in ("dead", "conflict")}.values()
    if not kept:
        return
    sealed = seal({_subject(result.arrival): _kept(result.arrival) for result in kept})
    rows = []
    for result in kept:
        letter = sealed[_subject(result.arrival)]
        errors = [
            {"field": e.field, "rule": e.rule, "message": e.message, "found": e.found} for e in result.outcome.errors
        ]
        rows.append((*result.arrival.place, letter.subject, letter.ciphertext, json.dumps(errors), now))
    conn.execute(
        'INSERT INTO shenguan.dead_letter (topic_id, partition, "offset", subject, ciphertext, errors, dead_at)'
        " SELECT t, p, o, s, c, e::jsonb, d FROM unnest(%b::text[], %b::int4[], %b::int8[], %b::text[], %b::text[],"
        " %b::text[], %b::timestamptz[]) AS new (t, p, o, s, c, e, d)"
        ' ON CONFLICT (topic_id, partition, "offset") DO UPDATE'
        " SET number = excluded.number, ciphertext = excluded.ciphertext, errors = excluded.errors,"  # told of anew
        " dead_at = excluded.dead_at",
        [list(column) for column in zip(*rows, strict=True)],
    )


def _subject(arrival: Arrival) -> str:
    return f"deadletter/{arrival.place}"


def _kept(arrival: Arrival) -> str:
    """The record as it came, or of one that had been parked the submission."""
    if arrival.raw is not None:
        return arrival.raw()
    assert arrival.submission is not None
    return sealed_json(arrival.submission)


def mark_retried(conn: Connection[Any], places: Sequence[Place], now: datetime) -> None:
    """Those letters were decided again, whatever came of it."""
    if places:
        conn.execute(
            f"UPDATE shenguan.dead_letter SET retried_at = %b FROM {PLACES} AS p (t, n, o)"
            ' WHERE topic_id = t AND partition = n AND "offset" = o',
            (now, *columns(places)),
        )

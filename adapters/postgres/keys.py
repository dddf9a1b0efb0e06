"""The vault's table of wrapped keys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from psycopg import Connection


class KeyTable:
    """Over a connection in autocommit: a key without its event is harmless, an event without its key is not."""

    def __init__(self, conn: Connection[Any]) -> None:
        self._conn = conn

    def fetch(self, subjects: Iterable[str]) -> dict[str, bytes]:
        rows = self._conn.execute(
            "SELECT subject, wrapped FROM vault.subject_key WHERE subject = ANY(%s) AND wrapped IS NOT NULL",
            (list(subjects),),
            binary=True,
        )
        return dict(rows.fetchall())

    def add(self, wrapped: dict[str, bytes]) -> None:
        self._conn.execute(
            "INSERT INTO vault.subject_key (subject, wrapped) SELECT * FROM unnest(%b::text[], %b::bytea[])"
            " ON CONFLICT (subject) DO NOTHING",
            (list(wrapped), list(wrapped.values())),
        )

"""The vault's table of wrapped keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import psycopg
from psycopg import Connection


class KeyTable:
    """Over a connection in autocommit: a key without its event is harmless, an event without its key is not."""

    def __init__(self, connect: Callable[[], Connection[Any]]) -> None:
        self._connect = connect
        self._conn: Connection[Any] | None = None

    def fetch(self, subjects: Iterable[str]) -> dict[str, bytes]:
        """Raises psycopg.OperationalError; the next call connects anew."""
        rows = self._execute(
            "SELECT subject, wrapped FROM vault.subject_key WHERE subject = ANY(%s) AND wrapped IS NOT NULL",
            (list(subjects),),
        )
        return dict(rows.fetchall())

    def add(self, wrapped: dict[str, bytes]) -> set[str]:
        """Whose keys were added; keys that somebody else added first stay. Raises psycopg.OperationalError."""
        added = self._execute(
            "INSERT INTO vault.subject_key (subject, wrapped) SELECT * FROM unnest(%b::text[], %b::bytea[])"
            " ON CONFLICT (subject) DO NOTHING RETURNING subject",
            (list(wrapped), list(wrapped.values())),
        )
        return {subject for (subject,) in added}

    def _execute(self, query: str, params: tuple[Any, ...]) -> psycopg.Cursor[Any]:
        if self._conn is None or self._conn.closed:
            self._conn = self._connect()
        return self._conn.execute(query, params, binary=True)

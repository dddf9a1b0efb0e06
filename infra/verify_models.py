"""The read models against the log: a fresh fold beside each must give the very same rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from psycopg import Connection, sql

from adapters.postgres.follower import position_of
from adapters.postgres.runner import first_line
from domain.event import Recorded
from domain.recheck import Problem
from projections.projection import Projection

_KEYS = ("notice", "stream", "case_stream", "position")


class ReadModel:
    """One read model anew, in a schema of its own that the transaction's end takes away. `apply` the log in order."""

    def __init__(self, conn: Connection[Any], projection: Projection) -> None:
        self._conn = conn
        self._projection = projection
        self._up_to = position_of(conn, projection.name)
        self._schema = f"verify_{projection.name}"
        self._broken = False
        conn.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(self._schema)))
        self._enter()
        tables, _ = projection.ddl()
        conn.execute(tables)

    def apply(self, batch: Sequence[Recorded]) -> Iterator[Problem]:
        """Takes in what the read model has taken in; a log that was tampered with may not be foldable."""
        mine = batch if batch[-1].position <= self._up_to else [r for r in batch if r.position <= self._up_to]
        if not mine or self._broken:
            return
        try:
            with self._conn.transaction():
                self._enter()
                self._projection.apply(self._conn, mine, bulk=True)
        except (LookupError, TypeError, ValueError, psycopg.DataError, psycopg.IntegrityError) as error:
            self._broken = True
            reason = f"{type(error).__name__}: {first_line(error)}"
            name = self._projection.name
            zh, en = f"日志已不能折算：{reason}", f"the log cannot be folded: {reason}"
            yield Problem(mine[0].position, name, f"read.{name}", zh, en)

    def compare(self) -> Iterator[Problem]:
        """Some rows that differ, each named by what it is about."""
        if self._broken:
            return
        for table in self._projection.tables:
            found = list(self._only("read", self._schema, table, "多出", "is not what the log says"))
            # All the rows of one are rows of the other: only where it has fewer is there anything to look for.
            if found or not self._as_many(table):
                found += self._only(self._schema, "read", table, "缺少或不同", "is missing or differs")
            yield from found

    def _only(self, first: str, second: str, table: str, zh: str, en: str) -> Iterator[Problem]:
        query = sql.SQL(
            "SELECT to_jsonb(x) FROM (SELECT * FROM {}.{t} EXCEPT ALL SELECT * FROM {}.{t}) AS x LIMIT 3"
        ).format(sql.Identifier(first), sql.Identifier(second), t=sql.Identifier(table))
        for (values,) in self._conn.execute(query):
            name = str(next((values[key] for key in _KEYS if key in values), ""))
            yield Problem(self._up_to, name, f"read.{table}", f"读模型 {table} 有{zh}的行", f"a row of {table} {en}")

    def _as_many(self, table: str) -> bool:
        query = sql.SQL("SELECT (SELECT count(*) FROM read.{t}) = (SELECT count(*) FROM {}.{t})")
        row = self._conn.execute(query.format(sql.Identifier(self._schema), t=sql.Identifier(table))).fetchone()
        return row is not None and bool(row[0])

    def _enter(self) -> None:
        self._conn.execute(sql.SQL("SET LOCAL search_path TO {}").format(sql.Identifier(self._schema)))

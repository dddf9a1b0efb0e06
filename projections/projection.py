"""What every read model is: tables of its own, filled from the log alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from psycopg import Connection

from domain.catalogue import EVENT_TYPES
from domain.event import Recorded

_QUERIES_ONLY = "-- For queries only:"
"""In a projection's SQL file, what follows this line is not needed for folding."""


class Projection(ABC):
    """Folds events into its tables. Table names are written without schema: the runner chooses it by search_path,
    so that a rebuild can fill a second set side by side. Every table has a column `department`, whose rows they are.

    `topics` are those that it takes: the others need not be read for it.
    """

    name: ClassVar[str]
    tables: ClassVar[tuple[str, ...]]
    topics: ClassVar[frozenset[str]]

    def ddl(self) -> tuple[str, str]:
        """The tables, and the indexes that queries need and folding does not; from `<name>.sql` beside this file."""
        text = (Path(__file__).parent / f"{self.name}.sql").read_text(encoding="utf-8")
        tables, _, indexes = text.partition(_QUERIES_ONLY)
        return tables, indexes

    def apply(self, conn: Connection[Any], events: Sequence[Recorded], bulk: bool = False) -> None:
        """Takes in a batch, of which it folds its own topics; the runner commits.

        `bulk`: the tables are the connection's own, so that new rows go by COPY, which PostgreSQL does not allow where
        row-level security holds.
        """
        mine = [one for one in events if one.event.TOPIC in self.topics]
        if mine:
            self.fold(conn, mine, bulk)

    @abstractmethod
    def fold(self, conn: Connection[Any], events: Sequence[Recorded], bulk: bool) -> None:
        """Folds events in memory first, then writes with a few set-based statements."""


def topics_of(*prefixes: str) -> frozenset[str]:
    """Every topic that begins with one of these."""
    return frozenset(topic for topic in EVENT_TYPES if topic.startswith(prefixes))

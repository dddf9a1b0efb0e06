"""What every read model is: tables of its own, filled from the log alone."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from psycopg import Connection

from domain.event import Recorded


class Projection(ABC):
    """Folds events into its tables. Table names are written without schema: the runner chooses it by search_path,
    so that a rebuild can fill a second set side by side. Every table has a column `department`, whose rows they are.
    """

    name: ClassVar[str]
    tables: ClassVar[tuple[str, ...]]

    def ddl(self) -> str:
        """The tables, from `<name>.sql` beside this file."""
        return (Path(__file__).parent / f"{self.name}.sql").read_text(encoding="utf-8")

    @abstractmethod
    def apply(self, conn: Connection[Any], events: Sequence[Recorded]) -> None:
        """Folds a batch in memory first, then writes it with a few set-based statements; the runner commits."""

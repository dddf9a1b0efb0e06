"""The registers for those who only read: kept, and brought up to date with one small query."""

from __future__ import annotations

from typing import Any

from psycopg import Connection

from adapters.postgres.log import Log
from domain.registers import Registers


class RegisterCache:
    """The registers as the log knew them at the last `refresh`. For one thread."""

    def __init__(self) -> None:
        self.registers = Registers()
        self._at = 0

    def refresh(self, conn: Connection[Any]) -> Registers:
        """The connection is in autocommit. Head and registers are read in one snapshot, so that none counts twice."""
        with conn.transaction():
            conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            log = Log(conn)
            head = log.head()
            log.refresh(self.registers, self._at)
            self._at = head
        return self.registers


def registers_before(conn: Connection[Any], position: int) -> Registers:
    """The registers as they were when the event at that position was decided."""
    found = Registers()
    Log(conn).refresh(found, 0, position - 1)
    return found

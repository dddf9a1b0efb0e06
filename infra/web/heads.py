"""How far the read models have come: what an answer rests on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from psycopg import Connection

from infra.web.line import Line
from projections.catalogue import PROJECTIONS

_NAMES = [one.name for one in PROJECTIONS]


class Heads:
    """Asked by several threads."""

    def __init__(self, connect: Callable[[], Connection[Any]]) -> None:
        self._line = Line(connect)

    def positions(self) -> dict[str, int]:
        """By read model: the position of the last event that it has taken in."""
        rows = self._line.ask(
            lambda conn: conn.execute(
                "SELECT application_name, max(notification_id) FROM shenguan.notification_tracking"
                " WHERE application_name = ANY(%s) GROUP BY application_name",
                (_NAMES,),
            ).fetchall()
        )
        return dict.fromkeys(_NAMES, 0) | {str(name): int(position or 0) for name, position in rows}

    def close(self) -> None:
        self._line.close()

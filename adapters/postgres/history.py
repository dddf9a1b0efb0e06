"""Everything the log holds about one case, as it was known at a moment: no read model is asked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection

from adapters.postgres.log import COLUMNS
from adapters.postgres.mapper import EventMapper
from domain.clock_state import clock_stream
from domain.event import Recorded
from domain.notices import notice_stream
from domain.ratings import OF_CASE, rating_stream
from domain.tasks import TaskOpened


class History:
    """Reads by stream and by notice; `departments` are all there are, `as_known_at` None means all that is known."""

    def __init__(self, conn: Connection[Any], departments: Iterable[str], as_known_at: datetime | None = None) -> None:
        self._conn = conn
        self._departments = sorted(departments)
        self._until = as_known_at
        self._mapper = EventMapper()

    def organs_of(self, number: str) -> list[str]:
        """The departments that have a case of this number."""
        cases = [f"case/{department}/{number}" for department in self._departments]
        found = self._read("originator_id = ANY(%s) AND originator_version = 1", cases)
        return [one.event.originator_id.split("/")[1] for one in found]

    def case(self, organ: str, number: str) -> list[Recorded]:
        """The case, its seal actions, opinions and tasks, ratings, inspections and feedback on it, its reviews and
        consultations, every notice owed because of all that, and what was done about their clocks, in log order."""
        stream = f"case/{organ}/{number}"
        facts = self._read(
            "originator_id = ANY(%s)", [f"{kind}/{organ}/{number}" for kind in ("case", "seal", "opinion", "tasks")]
        )
        facts += self._read("originator_id = ANY(%s)", [rating_stream(organ, number, one) for one in OF_CASE])
        threads = self._threads_on(stream, "feedback", "feedback.raised")
        threads += self._threads_on(stream, "inspection", "inspection.reported")
        threads += self._threads_on(stream, "review", "review.submitted")
        threads += self._threads_on(stream, "consultation", "consultation.asked")
        facts += self._read("originator_id = ANY(%s)", threads)
        owed = self._owed(facts)
        subjects = {one.event.originator_id for one in facts} | {notice_stream(str(n.event.unique_key)) for n in owed}
        subjects |= {f"{e.originator_id}/{e.task}" for one in facts if isinstance(e := one.event, TaskOpened)}
        pressed = self._read("originator_id = ANY(%s)", [clock_stream(one) for one in subjects])
        owed += self._owed(pressed)
        lives = self._read("originator_id = ANY(%s)", [notice_stream(str(one.event.unique_key)) for one in owed])
        return sorted(facts + owed + pressed + lives, key=lambda one: one.position)

    def _owed(self, facts: Sequence[Recorded]) -> list[Recorded]:
        """A notice is named by its addressee and the fact that owes it, so every one there could be is looked up."""
        made = {one.event.meta.fact for one in facts}
        return self._read("unique_key = ANY(%s)", [f"{d}/{fact}" for d in self._departments for fact in made])

    def _threads_on(self, case: str, kind: str, begins: str) -> list[str]:
        """Threads have streams of their own; all of a kind lie together in the log's key, and are read through."""
        mark = f'"case":{json.dumps(case, ensure_ascii=False)}'.encode()
        rows = self._read(
            f"originator_id >= '{kind}/' AND originator_id < '{kind}0' AND topic = '{begins}'"
            " AND position(%s IN state) > 0",
            mark,
        )
        return [one.event.originator_id for one in rows if getattr(one.event, "case", None) == case]

    def _read(self, clause: str, value: Sequence[str] | bytes) -> list[Recorded]:
        rows = self._conn.execute(
            f"SELECT {COLUMNS} FROM shenguan.stored_events WHERE {clause}"
            " AND recorded_at <= coalesce(%s, 'infinity'::timestamptz) ORDER BY notification_id",
            (value if isinstance(value, bytes) else list(value), self._until),
            binary=True,
        )
        return [Recorded(row[4], row[5], self._mapper.read(*row[:4])) for row in rows]

"""Inspectors' reads over HTTP: recorded before they are answered (3.3e)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from adapters.http.problems import Problem
from adapters.postgres.writer import Writer
from domain.access import Caller
from domain.attempts import AttemptRefused
from domain.event import Event
from domain.personal import Officer
from domain.reads import Parameter, Question, read_stream
from domain.rules import RULES
from domain.system import read_recorded
from domain.world import World
from infra.inspector import short
from infra.store import Store


class Recorder:
    """Records by one writer, for several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._writer: Writer | None = None
        self._seal: Callable[..., Any] = store.sealed

    def read(
        self,
        caller: Caller,
        command: str,
        parameters: Mapping[str, Any],
        rows: int,
        *,
        known_at: datetime | None = None,
        reason: str | None = None,
        revealed: bool = False,
    ) -> None:
        """That an inspector reads so many rows. Raises Problem where the read is refused."""
        question = Question(
            principal=self._store.settings.http_principal,
            department=caller.department,
            officer=Officer(id=caller.officer, name=caller.name),
            command=command,
            parameters=tuple(
                Parameter(name=name, value=short(value)) for name, value in parameters.items() if value is not None
            ),
            as_known_at=known_at,
            revealed=revealed,
            reason=reason or None,
            rows=rows,
        )
        made: list[Event] = []
        with self._lock:
            question = self._store.sealed(question, read_stream(caller.department))

            def fact(world: World, now: datetime) -> list[Event]:
                made[:] = read_recorded(world, question, now, caller.subject)
                return made

            if self._writer is None:
                self._writer = self._store.writer()
            self._writer.write(facts=[fact])
        refused = next((event for event in made if isinstance(event, AttemptRefused)), None)
        if refused is not None:
            rule = RULES[refused.rule]
            raise Problem(403, rule.zh, rule.en, rule=rule.code, clause=rule.clause)

    def close(self) -> None:
        with self._lock:
            if self._writer is not None:
                self._writer.close()

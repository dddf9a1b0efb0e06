"""Leased deliveries become Kafka records, or what another channel sends."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import structlog
from psycopg import Connection

from adapters.crypto.sealer import Sealer
from adapters.kafka.cloudevents import Value, encode
from adapters.postgres.deliveries import Delivery, OwedRow, events_at, owings
from adapters.postgres.registers import RegisterCache
from domain.cases import CaseAccepted, CaseDecided
from domain.event import Event
from domain.message import CasePart, FactPart, case_part, fact_part, notice_message, notice_type, subjects
from domain.notices import NoticeOwed

ACCEPTED, DECIDED = 1, 2
"""Versions in a case's stream: nothing can happen between them."""
_Told = dict[tuple[str, int, str, str], tuple[CasePart | None, FactPart]]
"""What a batch has to say of each fact, opened once for all its addressees."""
Write = Callable[[Mapping[str, Value], bytes], tuple[list[tuple[str, bytes]], bytes]]
"""A CloudEvent's attributes and data as a channel carries them: headers and body."""
_log = structlog.get_logger("shenguan.outlet")
# What CloudEvents forbids in attributes; a case number may hold some of it. The escape itself is escaped too.
_ESCAPED = re.compile("[%\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def source(store: str) -> str:
    """The CloudEvents `source` of all that a store sends."""
    return f"urn:shenguan:{store}"


def attribute(text: str) -> str:
    """The text as a CloudEvents attribute may hold it."""
    return _ESCAPED.sub(lambda found: quote(found[0], safe=""), text)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record to send, or why there is none."""

    delivery: Delivery
    key: bytes = b""
    value: bytes = b""
    headers: tuple[tuple[str, bytes], ...] = ()
    error: str | None = None


class Composer:
    """Composes notices, a batch with four queries. For one thread."""

    def __init__(self, store: str, sealer: Sealer, registers: RegisterCache, write: Write = encode) -> None:
        self._source = source(store)
        self._sealer = sealer
        self._registers = registers
        self._write = write

    def compose(self, conn: Connection[Any], deliveries: Sequence[Delivery]) -> list[Outgoing]:
        """One for each, in their order. May raise what the database and the key store raise."""
        registers = self._registers.refresh(conn)
        owed = owings(conn, [d.position for d in deliveries])
        places = []
        for one in owed.values():
            event = one.recorded.event
            assert isinstance(event, NoticeOwed)
            places.append((event.owing_stream, event.owing_version))
            if event.case:
                places += [(event.case, ACCEPTED), (event.case, DECIDED)]
        facts = events_at(conn, places)
        self._sealer.prepare(subjects(facts.values()), create=False)
        told: _Told = {}
        found = []
        for delivery in deliveries:
            try:
                found.append(self._record(delivery, owed[delivery.position], facts, registers.matters, told))
            except Exception as error:  # noqa: BLE001 - one notice that cannot be written must not stop the others
                _log.error("notice_not_composed", notice=delivery.notice, error=type(error).__name__)
                found.append(Outgoing(delivery, error=type(error).__name__))
        return found

    def _record(
        self,
        delivery: Delivery,
        owed: OwedRow,
        facts: dict[tuple[str, int], Event],
        matters: dict[str, Any],
        told: _Told,
    ) -> Outgoing:
        notice = owed.recorded.event
        assert isinstance(notice, NoticeOwed)
        key = (notice.owing_stream, notice.owing_version, notice.case, notice.matter)
        if key not in told:
            told[key] = (
                self._case(notice, facts, matters),
                fact_part(facts[notice.owing_stream, notice.owing_version], self._sealer.open),
            )
        message = notice_message(owed.recorded, *told[key])
        attributes: dict[str, Value] = {
            "specversion": "1.0",
            "id": notice.notice,
            "source": self._source,
            "type": notice_type(notice.about),
            "subject": attribute(notice.case or notice.owing_stream),
            "time": owed.recorded.recorded_at.isoformat(),
            "serial": notice.serial,
            "leaf": owed.leaf,
        }
        headers, value = self._write(attributes, message.model_dump_json().encode())
        key_text = notice.case.rpartition("/")[2] or notice.owing_stream
        return Outgoing(delivery, key_text.encode(), value, tuple(headers))

    def _case(
        self, notice: NoticeOwed, facts: dict[tuple[str, int], Event], matters: dict[str, Any]
    ) -> CasePart | None:
        if not notice.case:
            return None
        accepted, decision = facts[notice.case, ACCEPTED], facts.get((notice.case, DECIDED))
        assert isinstance(accepted, CaseAccepted)
        assert decision is None or isinstance(decision, CaseDecided)
        return case_part(accepted, decision, matters[notice.matter].entry, self._sealer.open)

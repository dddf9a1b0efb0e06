"""Tells liaison officers by 短信 that there are notices for their department: how many and which, and nothing else.

One message for all that waits, in working hours, to the liaison officer, else to a deputy. Numbers are opened for
sending only, and are never logged.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import structlog
from psycopg import Connection

from adapters.channels.sms import Gateway, Outcome
from adapters.postgres.deliveries import Delivery, due, mark_pushed, postpone
from adapters.postgres.proofs import mark_delivered, received_already, unreported
from adapters.postgres.registers import RegisterCache
from adapters.postgres.troubles import failed, works
from adapters.postgres.writer import Writer
from domain import system
from domain.calendars import CalendarUnknown
from domain.channels import Channel, GivenUpWhy
from domain.event import Event
from domain.liaisons import liaisons_on
from domain.notices import notice_stream
from domain.personal import Sealed
from domain.registers import Registers
from domain.submissions import local_date
from domain.world import World
from infra.roles.giving_up import GivenUp, give_up
from infra.store import Store
from infra.working_hours import at_work

_log = structlog.get_logger("shenguan.outlet")
CHANNEL: Channel = "sms"
BATCH = 5000
BACK_OFF = (60.0, 300.0, 900.0, 1800.0)
HOLD_S = 60.0
"""The gateway is away, or does not know us: nobody's messages are tried for so long."""
REPORT_S = 60.0
REPORTS = 200
ALL = ""
"""In the place of a department: the trouble is the gateway's."""
LISTED = 5
"""So many serials, or runs of them, stand in a message; more would cost a second one."""


class Texter:
    """For one thread."""

    def __init__(
        self,
        store: Store,
        writer: Writer,
        registers: RegisterCache,
        gateway: Gateway,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = store.settings
        self._sealer = store.sealer()
        self._writer = writer
        self._registers = registers
        self._gateway = gateway
        self._clock = clock
        self._held_until = 0.0
        self._report_at = 0.0

    def close(self) -> None:
        """Nothing is kept open."""

    def reset(self, conn: Connection[Any]) -> None:
        """Takes over; nothing is leased."""

    def turn(self, conn: Connection[Any]) -> bool:
        """Sends what may be sent now, and asks what arrived; whether there may be more to do at once."""
        if time.monotonic() >= self._report_at:
            self._report_at = time.monotonic() + REPORT_S
            self._ask(conn)
        if time.monotonic() < self._held_until:
            return False
        registers = self._registers.refresh(conn)
        if self._open(conn, registers):
            waiting = due(conn, CHANNEL, self._settings.sms_gather_seconds, BATCH)
            for department, group in groupby(waiting, lambda d: d.department):
                if not self._tell(conn, registers, department, list(group)):
                    break
        return False

    def _open(self, conn: Connection[Any], registers: Registers) -> bool:
        try:
            return at_work(self._clock(), self._settings.sms_hours, registers.calendar)
        except CalendarUnknown as unknown:
            self._hold(conn, f"calendar {unknown.year}")
            return False

    def _tell(self, conn: Connection[Any], registers: Registers, department: str, waiting: list[Delivery]) -> bool:
        """Whether the gateway is there."""
        known = received_already(conn, [d.notice for d in waiting])
        if known:
            give_up(self._writer, CHANNEL, [GivenUp(notice, department, "needless") for notice in sorted(known)])
        waiting = [d for d in waiting if d.notice not in known]
        if not waiting:
            return True
        numbers = self._numbers(registers, department)
        if not numbers:
            self._give_up(waiting, department, "no_liaison")
            return True
        words = message(registers.departments[department].name, [d.serial for d in waiting])
        outcome = self._try(numbers, words)
        match outcome.fate:
            case "sent":
                self._record({d.notice: outcome.reference for d in waiting})
                works(conn, CHANNEL, [department, ALL])
            case "permanent":
                self._give_up(waiting, department, "number_refused", outcome.detail)
            case "technical":
                self._hold(conn, outcome.detail)
                return False
            case "temporary":
                self._later(conn, department, waiting, outcome)
        return True

    def _numbers(self, registers: Registers, department: str) -> list[str]:
        """The liaison officer's, then the deputies', as registered."""
        phones = [one.person.phone for one in liaisons_on(registers, department, local_date(self._clock()))]
        return [opened for phone in phones if isinstance(phone, Sealed) and (opened := self._sealer.open(phone))]

    def _try(self, numbers: Sequence[str], words: str) -> Outcome:
        """One number after the other, until one is not refused for good."""
        outcome = Outcome("permanent")
        for number in numbers:
            outcome = self._gateway.send(number, words, uuid.uuid4().hex)
            if outcome.fate != "permanent":
                break
        return outcome

    def _later(self, conn: Connection[Any], department: str, waiting: list[Delivery], outcome: Outcome) -> None:
        failures = failed(conn, CHANNEL, department, outcome.detail)
        _log.warning("text_not_sent", department=department, failures=failures, error=outcome.detail)
        if failures >= self._settings.channel_attempts:
            self._give_up(waiting, department, "exhausted", outcome.detail)
            works(conn, CHANNEL, [department])
            return
        pause = max(BACK_OFF[min(failures, len(BACK_OFF)) - 1], outcome.retry_after or 0.0)
        postpone(conn, CHANNEL, department, outcome.detail, pause)

    def _hold(self, conn: Connection[Any], detail: str) -> None:
        _log.error("text_gateway_unavailable", error=detail, retry_in_s=HOLD_S)
        failed(conn, CHANNEL, ALL, detail)
        self._held_until = time.monotonic() + HOLD_S

    def _give_up(self, waiting: list[Delivery], department: str, reason: GivenUpWhy, detail: str | None = None) -> None:
        give_up(self._writer, CHANNEL, [GivenUp(d.notice, department, reason, detail) for d in waiting])

    def _record(self, references: Mapping[str, str]) -> None:
        def fact(world: World, now: datetime) -> list[Event]:
            world.prefetch(notice_stream(notice) for notice in references)
            return [e for n, r in references.items() for e in system.pushed(world, n, CHANNEL, r, now)]

        self._writer.run(lambda conn: mark_pushed(conn, CHANNEL, references, delivered=False), [fact])

    def _ask(self, conn: Connection[Any]) -> None:
        """Which messages the telephones have; of the others it stays unknown."""
        for reference, notices in unreported(conn, CHANNEL, REPORTS).items():
            if self._gateway.delivered(reference):
                self._arrived(reference, notices)

    def _arrived(self, reference: str, notices: Sequence[str]) -> None:
        def fact(world: World, now: datetime) -> list[Event]:
            world.prefetch(notice_stream(notice) for notice in notices)
            return [e for n in notices for e in system.arrived(world, n, CHANNEL, reference, now)]

        self._writer.run(lambda conn: mark_delivered(conn, CHANNEL, notices), [fact])


def message(name: str, serials: Sequence[int]) -> str:
    """No content and nobody's name: who reads it may not be who may know."""
    runs = _runs(sorted(serials))
    listed = "、".join(str(a) if a == b else f"{a}–{b}" for a, b in runs[:LISTED])
    listed += "等" if len(runs) > LISTED else ""
    return f"【审管】{name}：您单位有 {len(serials)} 件告知待签收（编号 {listed}），请登录系统办理。"


def _runs(serials: Sequence[int]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for serial in serials:
        if found and serial == found[-1][1] + 1:
            found[-1] = found[-1][0], serial
        else:
            found.append((serial, serial))
    return found

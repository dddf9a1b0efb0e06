"""Tells liaison officers by 短信 that there are notices for their department: how many and which, and nothing else.

One message for all that waits, in working hours, to the liaison officer, else to a deputy. Numbers are opened for
sending only, and are never logged.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from itertools import groupby
from typing import Any

import structlog
from psycopg import Connection

from adapters.channels.http import NotReached
from adapters.channels.sms import Gateway, Outcome
from adapters.postgres.deliveries import Delivery, due, mark_pushed, postpone
from adapters.postgres.evidence import mark_delivered, received_already, unreported
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
TURN_S = 5.0
"""In a turn nothing more begins after that."""
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
        self._unasked: list[tuple[str, list[str]]] = []
        self._behind = ""
        self._doubted: set[str] = set()
        self._blamed: set[str] = set()

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
        if not self._open(conn, registers):
            return False
        ends = time.monotonic() + TURN_S
        waiting = due(conn, CHANNEL, self._settings.sms_gather_seconds, BATCH, self._behind)
        for department, group in groupby(waiting, lambda d: d.department):
            if time.monotonic() > ends:
                return True
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
        """Whether others may be told."""
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
        outcome = self._try(numbers, words, [d.notice for d in waiting])
        match outcome.fate:
            case "sent":
                self._record({d.notice: outcome.reference for d in waiting})
                works(conn, CHANNEL, [department, ALL])
                self._blamed |= self._doubted - {department}
                self._doubted.clear()
            case "permanent":
                self._give_up(waiting, department, "number_refused", outcome.detail)
            case "technical" | "unanswered":
                return self._failed(conn, department, waiting, outcome)
            case "temporary":
                self._later(conn, department, waiting, outcome)
        return True

    def _numbers(self, registers: Registers, department: str) -> list[tuple[Sealed, str]]:
        """The liaison officer's, then the deputies', as registered."""
        phones = [one.person.phone for one in liaisons_on(registers, department, local_date(self._clock()))]
        return [(one, opened) for one in phones if isinstance(one, Sealed) and (opened := self._sealer.open(one))]

    def _try(self, numbers: Sequence[tuple[Sealed, str]], words: str, notices: Sequence[str]) -> Outcome:
        """One number after the other, until one is not refused for good."""
        outcome = Outcome("permanent")
        for sealed, number in numbers:
            outcome = self._gateway.send(number, words, reference(sealed, notices))
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

    def _failed(self, conn: Connection[Any], department: str, waiting: list[Delivery], outcome: Outcome) -> bool:
        """Whether others may be told: not where another failed too since anything last went. It is the department's
        own trouble where others were told after it failed before, or where the text may have gone: that is counted."""
        if outcome.fate == "unanswered" or department in self._blamed:
            self._later(conn, department, waiting, outcome)
        else:
            _log.warning("text_fate_unclear", department=department, error=outcome.detail)
            postpone(conn, CHANNEL, department, outcome.detail, HOLD_S)
        self._behind = department
        self._blamed.discard(department)
        self._doubted.add(department)
        if len(self._doubted) > 1:
            self._doubted.clear()
            self._hold(conn, outcome.detail)
            return False
        failed(conn, CHANNEL, ALL, outcome.detail)
        return True

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
        """Which messages the telephones have; of the others it stays unknown. Those for which there is no time are the
        first to be asked for the next time."""
        self._unasked = self._unasked or list(unreported(conn, CHANNEL, REPORTS).items())
        ends = time.monotonic() + TURN_S
        while self._unasked and time.monotonic() < ends:
            said, notices = self._unasked.pop(0)
            try:
                if self._gateway.delivered(said):
                    self._arrived(said, notices)
            except NotReached as why:
                _log.warning("text_reports_unavailable", error=str(why))
                break

    def _arrived(self, reference: str, notices: Sequence[str]) -> None:
        def fact(world: World, now: datetime) -> list[Event]:
            world.prefetch(notice_stream(notice) for notice in notices)
            return [e for n in notices for e in system.arrived(world, n, CHANNEL, reference, now)]

        self._writer.run(lambda conn: mark_delivered(conn, CHANNEL, notices), [fact])


def reference(phone: Sealed, notices: Sequence[str]) -> str:
    """What we call a text: the same for the same notices and number, so that a gateway can tell a repetition. Nobody
    can work the number out from it."""
    return sha256("\n".join((phone.ciphertext, *sorted(notices))).encode()).hexdigest()[:32]


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

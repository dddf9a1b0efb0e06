"""All registers folded together: the answers to who may do what, and who must be told, on a given date."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from domain.calendars import Calendar, CalendarAdopted, CalendarUnknown, CalendarYear
from domain.clocks import DEFAULTS, LADDER, ClockKind, Due, Rung, TimeLimit, limit_keys, reckon
from domain.departments import Department, DepartmentRegistered, LiaisonRegistered, PrincipalRegistered
from domain.entries import Entry
from domain.event import Event
from domain.following import RegistersFollowed
from domain.identifiers import is_within
from domain.matters import (
    Matter,
    MatterRegistered,
    MatterReturned,
    MatterRouted,
    MatterTransferred,
    PublicRecordMapped,
    Supervisor,
)
from domain.registering import EntryRegistered, EntryStruck
from domain.submissions import local_date
from domain.succession import DepartmentSucceeded

MASTERED_TOPICS = tuple(
    kind.TOPIC
    for kind in (
        DepartmentRegistered,
        PrincipalRegistered,
        LiaisonRegistered,
        DepartmentSucceeded,
        MatterRegistered,
        MatterTransferred,
        MatterReturned,
        MatterRouted,
        PublicRecordMapped,
        EntryRegistered,
        EntryStruck,
        CalendarAdopted,
    )
)
"""What registers consist of; one store masters them, and others may follow it."""
REGISTER_TOPICS = (*MASTERED_TOPICS, RegistersFollowed.TOPIC)
"""What `Registers` are folded from."""
_FOLDED = frozenset(REGISTER_TOPICS)
DUES_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Transfer:
    """The transfer in force that gave an approval department the power: to whom, since when, on what basis, and in
    which batch."""

    to: str
    valid_from: date
    basis: str
    batch: str | None = None


@dataclass(slots=True)
class MatterHistory:
    """A matter's entry and its dated versions; of several from the same date the last recorded counts."""

    entry: Matter
    holders: list[tuple[date, int, Transfer | None]] = field(default_factory=list)
    routes: list[tuple[date, int, tuple[Supervisor, ...], str]] = field(default_factory=list)


class Succession(NamedTuple):
    """Who took over a department's duties from a date on: over these matters, or, with none, all that was left."""

    since: date
    sequence: int
    to: str
    matters: frozenset[str]
    basis: str


class Version(NamedTuple):
    """What a list has under a key from a date on, and on what basis; nothing where it was struck. `sequence` is the
    order of recording, `number` that of the event in the entry's stream."""

    since: date
    sequence: int
    entry: Entry | None
    basis: str
    number: int


class Limit(NamedTuple):
    """The rule that a clock goes by: its name (key and version in the list; "" for the default) and its document."""

    days: int
    yellow: int
    ladder: tuple[Rung, ...]
    deemed_after: int | None
    name: str
    document: str


@dataclass(frozen=True, slots=True)
class Principal:
    """What a principal may do: speak for these departments, operate, or vouch for whom it has authenticated."""

    acts_for: frozenset[str]
    operator: bool
    vouches: bool = False


class Registers:
    """Folded from the register events in log order; answers are as the log's position knows them."""

    def __init__(self) -> None:
        self.departments: dict[str, Department] = {}
        self.principals: dict[str, Principal] = {}
        self.successions: dict[str, list[Succession]] = {}  # by who ceased, in the order of their dates
        # by department and number, in the order of their dates
        self.liaisons: dict[str, dict[str, list[tuple[date, int, LiaisonRegistered]]]] = {}
        self.matters: dict[str, MatterHistory] = {}
        self.mappings: dict[tuple[str, str], tuple[str, str]] = {}
        self.entries: dict[str, dict[str, list[Version]]] = {}  # by list and key, in the order of their dates
        self.founded_on: date | None = None
        self.master: str | None = None  # the store whose registers these are; None: this one's own
        self.calendar = Calendar()
        self.clock_rules: tuple[str, int] | None = None  # the last event that changed limits or calendar
        self._adopted: CalendarAdopted | None = None
        self._dues: dict[tuple[ClockKind, date, str, str], Due] = {}
        self._sequence = 0

    def evolve(self, event: Event) -> None:
        """Takes in one more event; those that are no register's change nothing."""
        self._sequence += 1
        if event.TOPIC not in _FOLDED:
            return
        match event:
            case RegistersFollowed():
                self.master = event.store
                self.founded_on = local_date(event.meta.occurred_at)
            case DepartmentRegistered():
                self.founded_on = self.founded_on or local_date(event.meta.occurred_at)
                self.departments[event.entry.code] = event.entry
            case DepartmentSucceeded():
                one = Succession(event.valid_from, self._sequence, event.to, frozenset(event.matters), event.basis)
                insort(self.successions.setdefault(event.old, []), one, key=lambda v: v[:2])
            case PrincipalRegistered():
                self.principals[event.principal] = Principal(frozenset(event.acts_for), event.operator, event.vouches)
            case LiaisonRegistered():
                versions = self.liaisons.setdefault(event.department, {}).setdefault(event.number, [])
                insort(versions, (event.since, self._sequence, event), key=lambda v: v[:2])
            case MatterRegistered():
                if event.entry.code in self.matters:
                    self.matters[event.entry.code].entry = event.entry
                else:
                    self.matters[event.entry.code] = MatterHistory(event.entry)
            case MatterTransferred():
                history = self.matters[event.matter]
                transfer = Transfer(event.to, event.valid_from, event.basis, event.batch)
                insort(history.holders, (event.valid_from, self._sequence, transfer), key=lambda v: v[:2])
                route = (event.valid_from, self._sequence, event.supervisors, event.basis)
                insort(history.routes, route, key=lambda v: v[:2])
            case MatterReturned():
                insort(
                    self.matters[event.matter].holders, (event.valid_from, self._sequence, None), key=lambda v: v[:2]
                )
            case MatterRouted():
                routes = self.matters[event.matter].routes
                route = (event.valid_from, self._sequence, event.supervisors, event.basis)
                insort(routes, route, key=lambda v: v[:2])
            case PublicRecordMapped():
                self.mappings[event.organ_uscc, event.certificate_type] = (event.organ, event.matter)
            case CalendarAdopted():
                self._adopted = event
                self._reckon_anew(event)
            case EntryRegistered():
                self._enter(event.entry.kind, event.entry.key(), event.valid_from, event.entry, event)
            case EntryStruck():
                self._enter(event.kind, event.key, event.valid_from, None, event)

    def _enter(
        self, kind: str, key: str, since: date, entry: Entry | None, event: EntryRegistered | EntryStruck
    ) -> None:
        versions = self.entries.setdefault(kind, {}).setdefault(key, [])
        insort(
            versions, Version(since, self._sequence, entry, event.basis, event.originator_version), key=lambda v: v[:2]
        )

        if kind in ("time_limit", "calendar"):
            self._reckon_anew(event)

    def _reckon_anew(self, event: Event) -> None:
        """The rules that clocks go by have changed."""
        self.clock_rules = (event.originator_id, event.originator_version)
        self._dues.clear()
        years = {}
        for key in self.entries.get("calendar", {}):
            version = self.version("calendar", key, date.max)
            if version is not None and isinstance(version.entry, CalendarYear):
                years[int(key)] = (version.entry, f"{key}/{version.number}")
        self.calendar = Calendar(self._adopted, years)

    @property
    def edition(self) -> str | None:
        """Of the calendar that came with the program, once it was adopted."""
        return None if self._adopted is None else self._adopted.edition

    def limit(self, clock: ClockKind, on: date, region: str, matter: str = "") -> Limit | None:
        """By what a clock that begins on that date goes: the nearest rule on record, or the default; None where neither
        says how many days."""
        if self.entries.get("time_limit"):
            for key in limit_keys(clock, region, matter):
                version = self.version("time_limit", key, on)
                if version is not None and isinstance(version.entry, TimeLimit):
                    found, name = version.entry, f"{key}/{version.number}"
                    return Limit(found.days, found.yellow, found.ladder, found.deemed_after, name, version.basis)
        days = DEFAULTS.get(clock)
        return None if days is None else Limit(days, 1, LADDER, None, "", "")

    def due(self, clock: ClockKind, since: date, *, region: str, matter: str = "") -> Due:
        """Until when what began on that day is to be done; `on` is None where the calendar does not reach so far."""
        key = (clock, since, region, matter if self.entries.get("time_limit") else "")
        found = self._dues.get(key)
        if found is None:
            limit = self.limit(clock, since, region, matter)
            assert limit is not None, clock
            found = reckon(self.calendar, since, limit.days, limit.yellow, limit.name, limit.document)
            if len(self._dues) >= DUES_KEPT:
                self._dues.clear()
            self._dues[key] = found
        return found

    def waited(self, since: date, until: date) -> int | None:
        """The working days after one day, as far as another; None where the calendar does not say."""
        try:
            return self.calendar.between(since, until)
        except CalendarUnknown:
            return None

    @property
    def empty(self) -> bool:
        """Whether nothing was registered yet."""
        return not (self.departments or self.principals or self.matters)

    def transfer(self, matter: str, on: date) -> Transfer | None:
        """The transfer in force on that date, or None where the competent department holds the power itself."""
        return next((found for since, _, found in reversed(self.matters[matter].holders) if since <= on), None)

    def holder(self, matter: str, on: date) -> str:
        """Who held the power over the matter on that date (1.2b)."""
        transfer = self.transfer(matter, on)
        return self.acting(transfer.to, on, matter) if transfer else self.competent(matter, on)

    def competent(self, matter: str, on: date) -> str:
        """The competent department, by the name of who had its duties on that date."""
        return self.acting(self.matters[matter].entry.competent, on, matter)

    def is_competent(self, department: str, matter: str, on: date) -> bool:
        """Whether it is the competent department, or was until others had its duties."""
        return department in (self.matters[matter].entry.competent, self.competent(matter, on))

    def supervisors(self, matter: str, on: date, told_on: date | None = None) -> tuple[Supervisor, ...]:
        """Who must hear of a decision taken on that date, by the name of who has their duties on the day of telling, if
        that is another: nobody where the matter was not transferred (2.1d)."""
        if self.transfer(matter, on) is None:
            return ()
        routed = next((found for since, _, found, _ in reversed(self.matters[matter].routes) if since <= on), ())
        if not self.successions:
            return routed
        acting: dict[str, Supervisor] = {}
        for one in routed:
            code = self.acting(one.department, told_on or on, matter)
            acting.setdefault(code, one.model_copy(update={"department": code}))
        return tuple(acting.values())

    def in_charge(self, matter: str, on: date) -> tuple[str, ...]:
        """Who supervises the matter on that date; where it was not transferred, who holds the power."""
        if self.transfer(matter, on) is None:
            return (self.holder(matter, on),)
        return tuple(one.department for one in self.supervisors(matter, on))

    def route_basis(self, matter: str, department: str, on: date) -> str | None:
        """By what document the department was named to supervise the matter; None where it was not."""
        for since, _, found, basis in reversed(self.matters[matter].routes):
            if since <= on:
                named = {self.acting(one.department, on, matter) for one in found}
                return basis if department in named else None
        return None

    def acting(self, department: str, on: date, matter: str) -> str:
        """Who had a department's duties over a matter on that date: itself, until another succeeded it."""
        while (to := self._successor(department, on, matter)) is not None:
            department = to
        return department

    def acting_for(self, departments: tuple[str, ...], on: date, matter: str) -> tuple[str, ...]:
        """Who has the duties of each, everybody once."""
        if not self.successions:
            return departments
        return tuple(dict.fromkeys(self.acting(one, on, matter) for one in departments))

    def _successor(self, department: str, on: date, matter: str) -> str | None:
        inforce = [one for one in self.successions.get(department, ()) if one.since <= on]
        named = [one for one in inforce if matter in one.matters]
        general = [one for one in inforce if not one.matters]
        found = named or general
        return found[-1].to if found else None

    def ceased(self, department: str, on: date) -> bool:
        """Whether all its duties had gone to others by that date."""
        return any(one.since <= on and not one.matters for one in self.successions.get(department, ()))

    def leads_to(self, department: str, other: str) -> bool:
        """Whether duties of the one ever come to the other by succession."""
        followed = {one.to for one in self.successions.get(department, ())}
        return other in followed or any(self.leads_to(code, other) for code in followed)

    def moved_on(self, matter: str, on: date) -> date | None:
        """When the power over the matter last changed hands, as of that date."""
        return next((since for since, _, _ in reversed(self.matters[matter].holders) if since <= on), None)

    def version(self, kind: str, key: str, on: date) -> Version | None:
        """What a list says under a key on that date; None before it first said anything. A year's table is that of the
        whole year whenever it is asked for, as it was last recorded."""
        versions = self.entries.get(kind, {}).get(key, [])
        if kind == "calendar":
            return max(versions, key=lambda one: one.sequence, default=None)
        return next((found for found in reversed(versions) if found.since <= on), None)

    def entries_on(self, kind: str, on: date) -> dict[str, Entry]:
        """A list as it stood on that date, by key."""
        found = {}
        for key in sorted(self.entries.get(kind, {})):
            version = self.version(kind, key, on)
            if version is not None and version.entry is not None:
                found[key] = version.entry
        return found

    def mapping(self, organ_uscc: str, certificate_type: str) -> tuple[str, str] | None:
        """(organ, matter) for 双公示 rows of this organ and certificate type."""
        return self.mappings.get((organ_uscc, certificate_type))

    def reform_office(self, region: str, on: date) -> str | None:
        """Who rules on duties in a region: its own office, else the league's, else the region's, else any."""
        offices = [d for d in self.departments.values() if "REFORM_OFFICE" in d.roles and not self.ceased(d.code, on)]
        for prefix in (region, region[:4] + "00", region[:2] + "0000"):
            for office in offices:
                if office.region == prefix:
                    return office.code
        return offices[0].code if offices else None

    def higher_authority(self, region: str, on: date) -> str | None:
        """The nearest department above a region; None where there is none."""
        above = [
            d
            for d in self.departments.values()
            if "HIGHER_AUTHORITY" in d.roles and is_within(region, d.region) and not self.ceased(d.code, on)
        ]
        return min(above, key=lambda d: (-len(d.region.rstrip("0")), d.code)).code if above else None

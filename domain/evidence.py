"""证据: which register events applied to a case, so that whoever has the case's events can judge them by the registers.

The rule: whole streams, from their first event up to the last event of the case, of the matters that the case is of; of
every department that its events, or those matters' routes, name, and of who succeeded those; of the principals that
handed anything of it in; of the keys that signed any of it, and of the lists that say who must sign; of the seals used;
of every list's entries about those matters; of the time limits that may hold for those matters and regions; of the
calendars; and of the master of the registers, where that is another store.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, get_args

from domain.calendars import STREAM as CALENDAR
from domain.clocks import ClockKind, limit_keys
from domain.departments import DepartmentRegistered, department_stream, principal_stream
from domain.entries import entry_stream
from domain.event import Event, Recorded
from domain.following import STREAM as FOLLOWING
from domain.matters import MatterRegistered, MatterRouted, MatterTransferred, PublicRecordMapped, matter_stream
from domain.notices import NoticeReceived
from domain.public_keys import PublicKey
from domain.registering import EntryRegistered
from domain.seals import SealApplied
from domain.succession import DepartmentSucceeded

_NAMES_A_DEPARTMENT: Final = ("organ", "addressee", "supervisor", "department", "to", "submitter", "asker")


@dataclass(slots=True)
class Concern:
    """What a case has to do with. Grows as register events are found to concern it."""

    matters: set[str] = field(default_factory=set)
    departments: set[str] = field(default_factory=set)
    principals: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    seals: set[str] = field(default_factory=set)
    regions: set[str] = field(default_factory=set)

    def learn(self, event: Event) -> None:
        """What an event of the case names."""
        self.meet(event)
        if isinstance(matter := getattr(event, "matter", None), str) and matter:
            self.matters.add(matter)
        for name in _NAMES_A_DEPARTMENT:
            if isinstance(code := getattr(event, name, None), str) and code:
                self.departments.add(code)
        self.departments |= {code for code in getattr(event, "supervisors", ()) if isinstance(code, str)}
        if isinstance(event, NoticeReceived) and event.receipt is not None:
            self.keys.add(event.receipt.key)
        if isinstance(event, SealApplied):
            self.seals.add(event.seal)

    def meet(self, event: Event) -> None:
        """By whom an event was handed in, and with which key."""
        meta = event.meta
        self.principals.add(meta.principal)
        if meta.department is not None:
            self.departments.add(meta.department)
        if meta.signed is not None:
            self.keys.add(meta.signed.key)

    def follow(self, event: Event) -> None:
        """What a register event that concerns the case names in its turn."""
        self.meet(event)
        match event:
            case MatterRegistered():
                self.departments.add(event.entry.competent)
            case MatterTransferred():
                self.departments |= {event.to, *(one.department for one in event.supervisors)}
            case MatterRouted():
                self.departments |= {one.department for one in event.supervisors}
            case DepartmentSucceeded():
                self.departments.add(event.to)
            case DepartmentRegistered():
                self.regions.add(event.entry.region)
            case EntryRegistered() if isinstance(event.entry, PublicKey):
                self.principals.add(event.entry.principal)

    def covers(self, event: Event) -> bool:
        """Whether a register event whose stream is none of `streams` concerns the case, and so its whole stream."""
        match event:
            case PublicRecordMapped():
                return event.matter in self.matters
            case EntryRegistered():
                return self._lists(event.entry)
        return False

    def streams(self) -> set[str]:
        """Those that are known by their names. Of time limits: the matters' and the regions' own, and those for all."""
        limits = {
            key
            for clock in get_args(ClockKind)
            for region in self.regions or {""}
            for matter in self.matters or {""}
            for key in limit_keys(clock, region, matter)
        }
        return {
            CALENDAR,
            FOLLOWING,
            *map(matter_stream, self.matters),
            *map(department_stream, self.departments),
            *map(principal_stream, self.principals),
            *(entry_stream("time_limit", key) for key in limits),
            *(entry_stream("public_key", key) for key in self.keys),
            *(entry_stream("seal", code) for code in self.seals),
        }

    def _lists(self, entry: Any) -> bool:
        match entry.kind:
            case "calendar":
                return True
            case "signing":
                named = entry.principal in self.principals or entry.department in self.departments
                return entry.type is not None or named
        return not self.matters.isdisjoint({getattr(entry, "matter", None), *getattr(entry, "matters", ())})


def registers_of(case: Iterable[Event], registers: Sequence[Recorded]) -> list[Recorded]:
    """Of all register events up to the last event of the case, in log order, those that applied to it."""
    concern = Concern()
    for event in case:
        concern.learn(event)
    streams = concern.streams()
    before = 0
    # A stream names departments, principals and keys that bring in further streams: until there is nothing new.
    while before != len(streams):
        before = len(streams)
        for one in registers:
            if one.event.originator_id in streams or concern.covers(one.event):
                streams.add(one.event.originator_id)
                concern.follow(one.event)
        streams |= concern.streams()
    return [one for one in registers if one.event.originator_id in streams]

"""Rows of what is asked of the registers at the terminal and over HTTP alike; departments by their codes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from domain.blanks import BlanksState
from domain.documents import Citation, citing, documents
from domain.duties import duties
from domain.event import Event
from domain.handovers import HandoverState, MatterHandover, matter_handovers
from domain.placements import placed
from domain.registers import Registers
from domain.subscriptions import SubscriptionState
from domain.succession import SuccessionState, succession_stream

Row = dict[str, Any]
Streams = Mapping[str, Sequence[Event]]
"""As `Log.streams_under` gives them."""


def placement_rows(registers: Registers, on: date) -> Iterator[Row]:
    """Every matter that was not transferred: where it is handled, and what is wanting (3.2)."""
    for one in placed(registers, on):
        found = one.found.model_dump() if one.found else {}
        standing = {"holder": one.holder, "pilot": one.pilot, "wanting": list(one.wanting)}
        yield found | standing | {"matter": one.matter, "name": registers.matters[one.matter].entry.name}


def handover_rows(registers: Registers, streams: Streams, on: date) -> Iterator[Row]:
    """Every matter that is transferred: how far its handover has come (2.1c)."""
    states = [HandoverState(name).folded(events) for name, events in streams.items()]
    for one in matter_handovers(registers, states, on):
        yield _handover(registers, one)


def blanks_rows(streams: Streams) -> Iterator[Row]:
    """Every series of a department: what became of its numbers (2.5c)."""
    for name, events in streams.items():
        state = BlanksState(name).folded(events)
        _, department, series = name.split("/")
        yield {
            "department": department,
            "series": series,
            "certificate": state.certificate,
            "total": sum(run.copies for run in state.runs),
            **{fate: getattr(state, fate) for fate in ("issued", "spoiled", "voided", "left")},
            "requested": state.due or None,
            "runs": [[run.first, run.first + run.copies - 1] for run in state.runs],
        }


def duty_rows(registers: Registers, on: date) -> Iterator[Row]:
    """Every task of the reform, the first due first (5.2a)."""
    for one in duties(registers, on):
        yield one.duty.model_dump() | {"status": one.status}


def document_rows(registers: Registers, on: date, secret: frozenset[str] = frozenset()) -> Iterator[Row]:
    """Every policy document: whether it holds, and how much rests on it (5.3a); what is about `secret` matters does not
    count."""
    cited = Counter(row["document"] for row in citation_rows(registers, on, secret))
    for known in documents(registers, on).values():
        standing = {"status": known.status, "since": known.since, "basis": known.basis}
        yield known.document.model_dump() | standing | {"affects": cited[known.document.number]}


def citation_rows(registers: Registers, on: date, secret: frozenset[str] = frozenset()) -> Iterator[Row]:
    """All that rests on any document by its number, but for what is about `secret` matters."""
    for number, found in citing(registers, on).items():
        for one in found:
            if secret.isdisjoint(_matters(registers, one, on)):
                yield one._asdict() | {"document": number, "name": _cited_name(registers, one)}


def succession_rows(registers: Registers, streams: Streams) -> Iterator[Row]:
    """Every succession, and as far as which serial its notices were passed on."""
    for old, found in sorted(registers.successions.items()):
        for count, one in enumerate(found, 1):
            stream = succession_stream(old, count)
            state = SuccessionState(stream).folded(streams.get(stream, ()))
            said = {"old": old, "count": count, "to": one.to, "since": one.since, "basis": one.basis}
            yield said | {"matters": sorted(one.matters), "through": state.through}


def subscription_rows(streams: Streams) -> Iterator[Row]:
    """Every subscription, and how many permits from before were told of (2.2i)."""
    for name, events in streams.items():
        state = SubscriptionState(name).folded(events)
        started = state.started
        assert started is not None
        yield {
            "department": started.department,
            "number": started.number,
            "matters": list(started.matters),
            "started_at": started.meta.occurred_at,
            "serial": started.serial,
            "backfill_from": started.backfill_from,
            "told": state.told,
            "complete": state.complete,
        }


def _handover(registers: Registers, one: MatterHandover) -> Row:
    drawn = one.handover.drawn if one.handover else None
    signed = one.handover.signed if one.handover else ()
    sides = {"giver": one.giver, "taker": one.taker}
    row: Row = {
        "matter": one.matter,
        "name": registers.matters[one.matter].entry.name,
        **sides,
        "progress": one.progress,
        "signed": [code for side, code in sides.items() if side in signed],
    }
    if drawn is not None:
        row |= {
            "number": drawn.number,
            "items": [item.model_dump() for item in drawn.items],
            "approval": list(drawn.note.approval),
            "supervision": list(drawn.note.supervision),
        }
    return row


def _matters(registers: Registers, one: Citation, on: date) -> set[str]:
    """The matters that what cites is about."""
    if one.kind in ("matter", "transfer", "route"):
        return {one.key}
    if one.kind == "succession":
        return set()
    version = registers.version(one.kind, one.key, on)
    entry = version.entry if version is not None else None
    return {getattr(entry, "matter", None) or "", *getattr(entry, "matters", ())}


def _cited_name(registers: Registers, one: Citation) -> str | None:
    """What the key names: a matter, a department, or an entry that has a name."""
    matter = registers.matters.get(one.key.partition(".")[0])
    if matter is not None:
        return matter.entry.name
    if one.kind == "succession":
        department = registers.departments.get(one.key)
        return one.key if department is None else department.name
    versions = registers.entries.get(one.kind, {}).get(one.key)
    return getattr(versions[-1].entry, "name", None) if versions else None

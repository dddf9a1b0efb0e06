"""What might be handed in beside cases: blanks, handovers, and what departments and operators say of themselves."""

from __future__ import annotations

from datetime import timedelta

from domain.blanks import BlanksState
from domain.handovers import HandoverState
from domain.ladders import ClockState
from tests.unit.machine.life import (
    FLAGGED,
    MATTERS,
    OFFICE,
    TRANSFERRED,
)
from tests.unit.machine.pick import DEPARTMENTS, Data, Pick, offer


@offer("blanks.request", "blanks.assist", "blanks.receive", "blanks.print", "blanks.use")
def blanks(pick: Pick) -> Data:
    known: list[BlanksState] = pick.states("blanks")
    streams = [one.stream for one in known if (one.left if pick.type_ == "blanks.use" else one.due)]
    _, department, series = pick.among(streams, ["blanks/sp1/X", "blanks/sp2/X", "blanks/sp1/Y"]).split("/")
    first = {"first": pick.of(1, 3, 6, 7), "copies": pick.of(3, 2)}
    match pick.type_:
        case "blanks.assist":
            return {"department": pick.by("zjj"), "requester": department, "series": series}
        case "blanks.request":
            more: Data = {"certificate": "许可证", "copies": pick.of(3, 5), "to": pick.role("HIGHER_AUTHORITY")}
        case "blanks.receive":
            more = first
        case "blanks.print":
            more = {"certificate": "许可证", **first}
        case _:
            granted = [one.stream.split("/")[2] for one in pick.states("case") if one.status == "granted"]
            fate = pick.of("issued", "spoiled", "voided")
            number = pick.among(granted, ["1", "2"]) if fate == "issued" else None
            more = {"serial_number": pick.rng.randint(1, 6), "fate": fate, "number": number}
    return {"department": pick.by(department), "series": series, **more}


@offer("handover.draw", "handover.sign")
def handover(pick: Pick) -> Data:
    known: list[HandoverState] = pick.states("handover")
    if pick.type_ == "handover.sign":
        state = pick.of(*known, pick.state("handover/zjj/J1"))
        _, giver, number = state.stream.split("/")
        sides = (state.drawn.taker, state.drawn.giver) if state.drawn else ("zjj",)
        return {"department": pick.by(*sides), "giver": giver, "number": number}
    matters = pick.some((TRANSFERRED, FLAGGED, *MATTERS[1:2]))
    return {
        "department": pick.by(pick.registers.matters[matters[0]].entry.competent), "number": f"J{pick.number()}",
        "taker": pick.by(pick.registers.holder(matters[0], pick.life.today)), "matters": matters,
        "items": [{"kind": "archive", "title": "档案", "copies": 9}],
        "note": {"approval": ["审批"], "supervision": ["检查"]},
    }  # fmt: skip


@offer("clock.extend", "clock.suspend", "clock.resume")
def press(pick: Pick) -> Data:
    known: list[ClockState] = pick.states("clock")
    stopped = [one.stream.removeprefix("clock/") for one in known if one.suspended_on is not None]
    running = [f"notice/{one.notice}" for one in pick.life.owed if not pick.life.world.notice(one.notice).received]
    right = stopped if pick.type_ == "clock.resume" else running
    clock = pick.among(right, [*pick.life.streams("feedback"), "case/sp1/1"])
    said: Data = {"department": pick.of("qu", OFFICE, pick.role("REFORM_OFFICE")), "clock": clock}
    if pick.type_ == "clock.extend":
        return said | {"days": pick.of(1, 5), "reason": "系统停机"}
    said["on"] = str(pick.life.today - timedelta(days=pick.of(0, 1)))
    return said if pick.type_ == "clock.resume" else said | {"reason": "系统停机"}


@offer("count.declare")
def declare(pick: Pick) -> Data:
    department = pick.by(*DEPARTMENTS)
    return {"department": department, "counted_source": pick.by(department), "day": str(pick.day()), "count": 3}


@offer("liaison.register")
def liaison(pick: Pick) -> Data:
    return {
        "department": pick.by(*DEPARTMENTS), "number": pick.number(), "person": {"name": "李联络"},
        "deputy": pick.of(False, True), "active": pick.of(True, False),
    }  # fmt: skip


@offer("deadletter.retry")
def retry(pick: Pick) -> Data:
    dead = [str(place) for place, one in pick.life.results.items() if one.outcome.disposition == "dead"]
    return {"place": pick.among(dead, ["t-sp1/0/99"])}


@offer("principal.register")
def principal(pick: Pick) -> Data:
    code = pick.of("both", "extra", *DEPARTMENTS)
    own = [code] if code in DEPARTMENTS else ["sp2", "s2"]
    return {"principal": code, "acts_for": pick.of(own, own, [*own, "s3"], [])}

"""What might be handed in beside cases: blanks, handovers, circulars, consultations, and what departments and operators
say of themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from domain.blanks import BlanksState
from domain.circulars import INVITATIONS, CircularState
from domain.clock_state import ClockState
from domain.consultations import ConsultationState
from domain.handovers import HandoverState
from domain.identifiers import make_receipt_code
from domain.jose import ed25519_thumbprint
from domain.ratings import BAD, RatingState
from tests.unit.machine.life import (
    FLAGGED,
    MATTERS,
    OFFICE,
    ON_PAPER,
    TRANSFERRED,
)
from tests.unit.machine.pick import DEPARTMENTS, Data, Pick, offer

KEYS = ("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik")
"""Public keys that somebody might have."""


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


@offer("rating.record")
def rate(pick: Pick) -> Data:
    said: Data = {"department": pick.role("PLATFORM"), "level": pick.of(1, 2, 4), "rated_at": pick.moment()}
    if pick.seldom():
        return said | {"organ": pick.by("sp1"), "number": pick.number(), "service": "counter", "window": "A1"}
    organ, number, state = pick.case()
    services = ("acceptance", "decision", "collection")
    on = state.accepted_on if state.status else None
    return said | {"organ": organ, "number": number, "service": pick.of(*services), "rated_at": pick.moment(on)}


@offer("rating.contact", "rating.rectify", "rating.revisit", "rating.appeal", "rating.decide_appeal")
def with_rating(pick: Pick) -> Data:
    known: list[RatingState] = pick.states("rating")
    wanted: dict[str, Callable[[RatingState], bool]] = {
        "rating.contact": lambda one: one.contacted is None,
        "rating.rectify": lambda one: one.contacted is not None and one.rectified is None,
        "rating.revisit": lambda one: one.rectified is not None and one.revisited is None,
        "rating.appeal": lambda one: one.appeal == "",
        "rating.decide_appeal": lambda one: one.appeal == "appealed",
    }
    bad = [one for one in known if one.recorded and one.recorded.level <= BAD and wanted[pick.type_](one)]
    state = pick.among(bad, [*known, pick.state("rating/sp1/1/decision")])
    _, organ, number, service = state.stream.split("/")
    matter = state.recorded.matter if state.recorded else ""
    rated = pick.registers.acting(organ, pick.life.today, matter)
    said: Data = {"department": pick.by(rated), "organ": organ, "number": number, "service": service}
    match pick.type_:
        case "rating.contact":
            said |= {"contacted_at": pick.moment(), "finding": pick.of("confirmed", "unfounded"), "detail": "已联系"}
        case "rating.rectify":
            said |= {"on": str(pick.day(state.contacted)), "measures": "已整改"}
        case "rating.revisit":
            said |= {"on": str(pick.day(state.rectified)), "satisfied": pick.of(True, False)}
            said["department"] = pick.of(said["department"], pick.role("PLATFORM"))
        case "rating.appeal":
            said |= {"reason": "误评"}
        case _:
            said |= {"outcome": pick.of("excluded", "upheld"), "reason": "属误评"}
            said["department"] = pick.role(pick.of("PLATFORM", "HIGHER_AUTHORITY", "REFORM_OFFICE"))
    return said


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


@offer("circular.send", "circular.answer", "circular.withdraw")
def circular(pick: Pick) -> Data:
    if pick.type_ != "circular.send":
        known: list[CircularState] = pick.states("circular")
        invitations = [one for one in known if one.sent and one.sent.kind in INVITATIONS]
        right = invitations if pick.type_ == "circular.answer" else known
        state = pick.among([one for one in right if not one.withdrawn], [*known, pick.state("circular/zjj/1")])
        _, sender, number = state.stream.split("/")
        said: Data = {"sender": sender, "number": number}
        if pick.type_ == "circular.withdraw":
            return said | {"department": pick.by(sender), "reason": "改期", "replaced_by": pick.of(None, "2")}
        invited = state.sent.addressees if state.sent else ("s1",)
        coming: Data = pick.of({"attending": False}, {"attending": True, "attendees": [{"id": "1", "name": "李"}]})
        return said | {"department": pick.by(*invited)} | coming
    department = pick.by("qu", "zjj", "sp1", "s1")
    others = ("zjj", "s1", "s2") if department.startswith("sp") else ("sp1", "sp2")
    addressees = [one for one in pick.some((*others, "zjj", "s3"), 3) if one != department]
    kind: Data = pick.of(
        {"kind": "policy", "changed_on": str(pick.day())},
        {"kind": "meeting", "meets_at": pick.moment(), "venue": "大厅"},
        {"kind": "training", "meets_at": pick.moment()},
        {"kind": "guidance"},
    )
    return {
        "department": department, "number": pick.number(), "title": "通知", "body": "请遵照执行",
        "main": addressees[:1], "copies": addressees[1:], "concerns": pick.of([], pick.some(MATTERS)), **kind,
    }  # fmt: skip


@offer("consultation.ask", "consultation.answer", "consultation.ask_again", "consultation.close")
def consultation(pick: Pick) -> Data:
    if pick.type_ == "consultation.ask":
        sides = pick.of(("sp1", "qu"), ("qu", "s1"), ("s1", "qu"), ("qu", "sp1"))
        organ, number, _ = pick.case()
        about: Data = pick.of({}, {"matter": pick.of(*MATTERS)}, {"case_organ": organ, "case_number": number})
        return {
            "department": pick.by(sides[0]), "number": pick.number(), "to": pick.by(sides[1]), "question": "如何办理",
            "reply_by": pick.of(None, str(pick.life.today + timedelta(days=20))), **about,
        }  # fmt: skip
    wanted = "open" if pick.type_ == "consultation.answer" else "answered"
    known: list[ConsultationState] = pick.states("consultation")
    state = pick.among([one for one in known if one.status == wanted], [*known, pick.state("consultation/sp1/1")])
    _, asker, number = state.stream.split("/")
    said: Data = {"asker": asker, "number": number, "department": pick.by(asker)}
    match pick.type_:
        case "consultation.answer":
            return said | {"department": pick.by(state.asked.to if state.asked else "qu"), "answer": "依法办理"}
        case "consultation.ask_again":
            return said | {"question": "材料呢"}
    return said


@offer("count.declare")
def declare(pick: Pick) -> Data:
    department = pick.by(*DEPARTMENTS)
    return {"department": department, "counted_source": pick.by(department), "day": str(pick.day()), "count": 3}


@offer("letter.issue")
def issue_letter(pick: Pick) -> Data:
    notice, addressee = pick.notice(
        fit=lambda one: (
            not one.received and "letter" not in one.dispatched and one.owed.addressee in ON_PAPER
            if one.owed
            else False
        )
    )
    owed = pick.life.world.notice(notice).owed
    organ = owed.case.split("/")[1] if owed and owed.case else OFFICE
    return {
        "department": pick.by(organ, OFFICE), "addressee": addressee,
        "issued_on": str(pick.day() if pick.seldom() else pick.life.today), "notices": [notice],
    }  # fmt: skip


@offer("letter.receive")
def receive_letter(pick: Pick) -> Data:
    issued = [letter for one in pick.states("letter") for letter in one.issued.values()]
    said: Data = {
        "signer": {"id": "9", "name": "苏和"}, "received_at": pick.of(str(pick.life.today), pick.moment()),
        "scan_sha256": "0" * 64,
    }  # fmt: skip
    if not issued:
        none = {"organ": "sp1", "number": "sp函〔2026〕1号", "addressee": "s1", "code": make_receipt_code("none")}
        return {"department": pick.by("sp1"), **said, **none}
    letter, other = pick.of(*issued), pick.of(*issued)
    return {
        "department": pick.by(letter.organ), **said, "organ": letter.organ, "number": letter.number,
        "addressee": letter.addressee, "code": other.code if pick.seldom() else letter.code,
    }  # fmt: skip


@offer("liaison.register")
def liaison(pick: Pick) -> Data:
    return {
        "department": pick.by(*DEPARTMENTS), "number": pick.number(), "person": {"name": "李联络"},
        "deputy": pick.of(False, True), "active": pick.of(True, False), "valid_from": pick.of(None, str(pick.day())),
    }  # fmt: skip


@offer("deadletter.retry")
def retry(pick: Pick) -> Data:
    dead = [str(place) for place, one in pick.life.results.items() if one.outcome.disposition == "dead"]
    return {"place": pick.among(dead, ["t-sp1/0/99"])}


@offer("key.register")
def key(pick: Pick) -> Data:
    entry = {"principal": pick.of("s1", "s2", "extra"), "public_key": pick.of(*KEYS)}
    more = {"until": str(pick.day())} if pick.seldom() else {}
    return {"entry": entry | more, "valid_from": str(pick.day()), "basis": "密钥登记表"}


@offer("key.strike")
def strike_key(pick: Pick) -> Data:
    known = list(pick.registers.entries.get("public_key", ()))
    key = pick.among(known, [ed25519_thumbprint(KEYS[0])])
    return {"key": key, "valid_from": str(pick.day()), "basis": "密钥遗失"}


@offer("principal.register")
def principal(pick: Pick) -> Data:
    code = pick.of("both", "extra", *DEPARTMENTS)
    own = [code] if code in DEPARTMENTS else ["sp2", "s2"]
    return {"principal": code, "acts_for": pick.of(own, own, [*own, "s3"], [])}

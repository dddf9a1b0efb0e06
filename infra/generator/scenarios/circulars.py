"""What sides and levels tell each other beside the case: circulars, invitations, consultations (2.4, 4.1, 4.3).

Receipts and answers wait for the circular, and nothing else bears on them; the case goes on as any. A consultation, in
which both sides have several turns, comes through the platform, in one order.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from infra.generator.case import Case
from infra.generator.offices import HIGHER, PLATFORM_PRINCIPAL
from infra.generator.scenario import scenario


def _send(case: Case, sender: str, kind: str, about: str, main: list[str], **more: Any) -> str:
    """The circular's number; everybody is owed a notice that is about no case."""
    number = f"{case.league}通〔{case.now.year}〕{case.index:07d}{len(case.arrivals):02d}"
    said = {"kind": kind, "number": number, "title": "关于审管衔接有关事项的通知", "body": "请遵照执行", "main": main}
    fact = case.send("circular.send", sender, {**said, "concerns": [case.item.code], **more})
    for one in (*main, *more.get("copies", ())):
        case.owe(one, fact, about, case="")
    return number


def _decide(case: Case) -> None:
    case.wait(1, 9)
    case.decide()
    case.seal()
    case.licence()
    for notice in case.told:
        case.wait(1, 3)
        case.receive(notice)


@scenario(0.2)
def policy_changed(case: Case) -> None:
    """The competent department tells of a change that holds already; then takes the circular back."""
    case.accept()
    number = _send(case, case.competent, "policy", "circular", [case.organ], changed_on=case.day(-10))
    told = case.notices[-1]
    _decide(case)
    case.receive(told)
    case.wait(5, 20)
    named = {"sender": case.competent, "number": number, "reason": "另行印发"}
    case.owe(case.organ, case.send("circular.withdraw", case.competent, named), "circular_withdrawn", case="")


@scenario(0.2)
def approver_not_invited(case: Case) -> None:
    """A meeting from above to which the competent department alone is invited (4.1b); the approval department, which
    was missed, cannot answer. Guidance on it comes to both."""
    case.accept()
    meets = (case.now + timedelta(days=12)).isoformat()
    number = _send(case, HIGHER, "meeting", "invitation", [case.competent], meets_at=meets, venue="自治区政务服务中心")
    invited = case.notices[-1]
    case.wait(1, 3)
    case.receive(invited)
    reply = {"sender": HIGHER, "number": number}
    coming = {**reply, "attending": True, "attendees": [case.registry.officer(case.rng, case.competent)]}
    case.owe(HIGHER, case.send("circular.answer", case.competent, coming), "invitation_answer", case="")
    refused = {**reply, "attending": False}
    case.send("circular.answer", case.organ, refused, expect="refused", rule="circular.not_addressed")
    _send(case, HIGHER, "guidance", "guidance", [case.competent], copies=[case.organ])
    _decide(case)


@scenario(0.2)
def consulted_above(case: Case) -> None:
    """The approval department asks above about a case, and once more; with its own level there are no consultations."""
    case.through = PLATFORM_PRINCIPAL
    case.accept()
    number = f"SX{case.index:07d}"
    said = {
        "number": number,
        "question": "该情形能否适用告知承诺",
        "case_organ": case.organ,
        "case_number": case.number,
    }
    asked = case.send("consultation.ask", case.organ, {**said, "to": HIGHER, "reply_by": case.day(15)})
    case.owe(HIGHER, asked, "consultation")
    beside = {**said, "number": f"{number}B", "to": case.competent}
    case.send("consultation.ask", case.organ, beside, expect="refused", rule="consultation.level")
    thread = {"asker": case.organ, "number": number}
    steps: tuple[tuple[str, str, dict[str, str], str, str], ...] = (
        ("consultation.answer", HIGHER, {"answer": "可以适用"}, case.organ, "consultation_answer"),
        ("consultation.ask_again", case.organ, {"question": "核查期限多长"}, HIGHER, "consultation_again"),
        ("consultation.answer", HIGHER, {"answer": "两个月"}, case.organ, "consultation_answer"),
        ("consultation.close", case.organ, {}, HIGHER, "consultation_closed"),
    )
    for type_, department, words, addressee, about in steps:
        case.wait(1, 3)
        case.owe(addressee, case.send(type_, department, {**thread, **words}), about)
    _decide(case)

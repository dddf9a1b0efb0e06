"""Wrong roles: somebody does what the notice, or its principal's mandate, does not allow.

Each attempt is refused by registers and decisions that it first waits for, so it makes no difference when it comes;
repeated steps compete only with what their own principal sent before them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from infra.generator import names
from infra.generator.beginnings import handover_number
from infra.generator.case import Case
from infra.generator.lists import REPEALED, evaluation
from infra.generator.offices import HIGHER, OPERATOR, REFORM_OFFICE
from infra.generator.scenario import scenario


def _receive_all(case: Case) -> None:
    case.wait(1, 3)
    for notice in case.told:
        case.receive(notice)


@scenario()
def decided_by_competent(case: Case) -> None:
    """The former competent department decides the transferred matter (1.1b). It waits for the acceptance, which shows
    that the transfer is known, and is refused whether the approval department has decided or not.
    """
    case.accept()
    case.wait(1, 4)
    case.decide(department=case.competent, expect="refused", rule="power.transferred")
    case.decide()
    _receive_all(case)


@scenario()
def decided_by_stranger(case: Case) -> None:
    """A department that never had the power decides (1.1a). As above."""
    case.accept()
    case.wait(1, 4)
    case.decide(department=case.others()[0], expect="refused", rule="power.none")
    case.decide()
    _receive_all(case)


@scenario()
def feedback_by_approver(case: Case) -> None:
    """The approval department supervises what it approved (1.1c): waits for the decision, then refused."""
    case.grant()
    case.wait(5, 20)
    case.feedback(case.organ, expect="refused", rule="supervision.by_approver")
    _receive_all(case)


@scenario()
def feedback_by_untold(case: Case) -> None:
    """A department that was not told raises feedback. Nothing is ever returned to it, so it is never told."""
    case.grant()
    case.wait(5, 20)
    case.feedback(case.others()[0], expect="refused", rule="supervision.not_addressee")
    _receive_all(case)


@scenario()
def receipt_of_anothers(case: Case) -> None:
    """A department receives another's notice: waits for the notice, then refused."""
    case.grant()
    case.wait(1, 3)
    case.receive(case.told[0], department=case.others()[0], expect="refused", rule="notice.not_addressee")
    _receive_all(case)


@scenario()
def no_mandate(case: Case) -> None:
    """A principal speaks for a department that it may not act for: refused before anything else is looked at."""
    elsewhere = case.rng.choice([one.code for one in names.LEAGUES if one.code != case.league])
    principal = (f"sp-{elsewhere}", f"jg-{case.league}", f"jg-{elsewhere}")[case.turn % 3]
    case.accept(principal=principal, expect="refused", rule="mandate.principal")
    case.grant()
    _receive_all(case)


@scenario()
def wrong_role(case: Case) -> None:
    """What is not the department's to do: the registers, a ruling, an operator's facts, an operator's own affairs."""
    _TRIALS[case.turn % len(_TRIALS)](case)


def _writes_register(case: Case) -> None:
    entry = {"code": f"{case.league}-XX", "name": "自设科室", "roles": ["APPROVAL"], "region": case.league}
    said = {"entry": {**entry, "valid_from": case.today}}
    case.send("department.register", case.organ, said, expect="refused", rule="mandate.role")
    case.grant()
    _receive_all(case)


def _rules(case: Case) -> None:
    case.grant()
    said = {"notice": case.told[0].id, "assign_to": case.others()[0], "reason": "自行裁定"}
    case.wait(1, 3)
    case.send("duty.rule", case.organ, said, expect="refused", rule="mandate.role")
    case.send("duty.rule", REFORM_OFFICE, said, expect="refused", rule="notice.not_addressee")
    _receive_all(case)


def _operates(case: Case) -> None:
    said = {**case.key_of_case, "document_number": case.document, "on": case.today, "reason": "无"}
    case.send("case.cancel", case.organ, said, principal=OPERATOR, expect="refused", rule="mandate.role")
    mine = f"sp-{case.league}"
    wish = {"principal": mine, "acts_for": [case.organ, HIGHER]}
    case.send("principal.register", OPERATOR, wish, principal=mine, expect="refused", rule="mandate.role")
    case.grant()
    _receive_all(case)


def _approver_takes(case: Case) -> None:
    case.grant()
    case.wait(5, 20)
    case.feedback(case.told[0].addressee, "rectify")
    heard = case.notices[-1]
    case.wait(1, 2)
    case.receive(heard)
    case.take(heard, expect="refused", rule="mandate.role")


@scenario(0.2)
def wrong_office(case: Case) -> None:
    """The lists, a handover, another's counts: what is not this office's to write, or not true by the registers."""
    said = {"kind": "power_item", "matter": case.item.code, "name": case.item.kind.name, "duties": ["决定责任"]}
    entry = {**said, "organ": case.competent, "legal_basis": case.item.kind.basis, "published_on": case.today}
    list_ = {"entry": entry, "valid_from": case.today, "basis": "权力清单调整"}
    case.send("register.enter", case.organ, list_, expect="refused", rule="mandate.role")
    case.send("register.enter", REFORM_OFFICE, list_, expect="refused", rule="list.not_holder")
    charged = {**evaluation(case.item.league, case.organ), "payer": "applicant", "budget": None}
    duty = {"entry": charged, "valid_from": case.today, "basis": "改革任务台账"}
    case.send("register.enter", REFORM_OFFICE, duty, expect="refused", rule="duty.charged")
    resting = {**list_, "entry": {**entry, "organ": case.organ}, "basis": f"依据{REPEALED}"}
    case.send("register.enter", REFORM_OFFICE, resting, expect="refused", rule="document.repealed")
    stranger, giver = case.others()[0], f"{case.league}-SCJG"
    package = {
        "number": f"YJ{case.index:07d}",
        "taker": case.organ,
        "matters": [case.item.code],
        "items": [{"kind": "archive", "title": "审批档案", "copies": 1}],
        "note": {"approval": ["审批"], "supervision": ["监管"]},
    }
    case.send("handover.draw", stranger, package, expect="refused", rule="handover.not_transferred")
    handed = {"giver": giver, "number": handover_number(giver)}
    case.send("handover.sign", HIGHER, handed, expect="refused", rule="handover.not_party")
    case.send("handover.sign", case.organ, handed, expect="refused", rule="handover.signed")
    count = {"counted_source": f"jg-{case.league}.nm", "day": case.today, "count": 100}
    case.send("count.declare", case.organ, count, expect="refused", rule="count.not_yours")
    case.grant()
    _receive_all(case)


@scenario(1.3)
def step_repeated(case: Case) -> None:
    """A step is taken twice under another id, or after the end: the second is refused, being its principal's own."""
    case.accept()
    if case.turn % 5 == 0:
        case.accept(expect="refused", rule="case.exists")
    case.wait(1, 9)
    case.decide()
    case.seal()
    case.licence()
    match case.turn % 5:
        case 1:
            case.licence(expect="refused", rule="case.state")
        case 2:
            case.wait(5, 20)
            case.amend("case.cancel", "cancellation", reason="被许可人申请注销")
            said = {**case.key_of_case, "document_number": case.document, "on": case.today, "content": "变更名称"}
            case.send("case.change", case.organ, said, expect="refused", rule="case.state")
        case 3:
            case.wait(5, 20)
            finding = case.feedback(case.told[0].addressee, "rectify")
            again = {**finding.data, "detail": "再次录入"}
            again.pop("officer")
            department = again.pop("department")
            case.send("feedback.raise", department, again, expect="refused", rule="feedback.exists")
            case.wait(1, 3)
            case.dispose(finding)
            case.dispose(finding, "not", expect="refused", rule="feedback.disposed")
        case _:
            pass
    _receive_all(case)
    if case.turn % 5 == 4:
        case.receive(case.told[0], expect="refused", rule="notice.already")


@scenario()
def two_decisions(case: Case) -> None:
    """Decided twice: the first stands. Both are the deciding department's own, so their order is sure."""
    case.accept()
    case.wait(1, 9)
    case.decide()
    case.decide({"outcome": "not_granted"}, expect="refused", rule="case.state")
    _receive_all(case)


_TRIALS: Final[tuple[Callable[[Case], None], ...]] = (_writes_register, _rules, _operates, _approver_takes)

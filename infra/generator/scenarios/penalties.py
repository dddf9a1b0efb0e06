"""Penalties by the enforcing side: 吊销 ends a permit, 暂扣 suspends it.

A penalty waits for the decision; after it the deciding department does nothing that depends on it, but for the 注销,
which comes through the platform in one order with the 吊销.
"""

from __future__ import annotations

from typing import Any

from infra.generator import names
from infra.generator.arrival import Arrival
from infra.generator.case import Case
from infra.generator.offices import PLATFORM_PRINCIPAL
from infra.generator.scenario import scenario


def _penalise(case: Case, type_: str, department: str, data: dict[str, Any], **options: Any) -> Arrival:
    document = names.document_number(case.rng, case.item.league, case.now.year).replace("审批许", "罚")
    said = {
        **case.key_of_case,
        "penalty": f"CF{case.index:07d}",
        "document_number": document,
        "on": case.today,
        "reason": "检查发现违法行为，立案查实",
        **data,
    }
    return case.send(f"penalty.{type_}", department, said, **options)


@scenario(0.2)
def revoked_by_penalty(case: Case) -> None:
    """吊销 by the first supervisor, answered by the 注销. Through the platform."""
    case.through = PLATFORM_PRINCIPAL
    case.grant()
    for notice in case.told:
        case.receive(notice)
    case.wait(20, 50)
    penalty = _penalise(case, "impose", case.told[0].addressee, {"measure": "permit_revocation"})
    heard = case.hear(penalty, "penalty")
    case.wait(1, 3)
    for notice in heard:
        case.receive(notice)
    for notice in case.amend("case.cancel", "cancellation", reason="许可证件被吊销，依法办理注销手续"):
        case.receive(notice)


@scenario(0.2)
def suspended(case: Case) -> None:
    """暂扣 and its lifting, which comes once."""
    case.grant(electronic=True)
    supervisor = case.told[0].addressee
    case.wait(10, 30)
    penalty = _penalise(case, "impose", supervisor, {"measure": "permit_suspension", "until": case.day(30)})
    heard = case.hear(penalty, "penalty")
    case.wait(5, 10)
    lifted = _penalise(case, "lift", supervisor, {"reason": "已整改"})
    heard += case.hear(lifted, "penalty_lifted")
    _penalise(case, "lift", supervisor, {"reason": "已整改"}, expect="refused", rule="penalty.over")
    for notice in heard:
        case.receive(notice)


@scenario(0.2)
def penalty_by_stranger(case: Case) -> None:
    """By one who was not told, and by the approver (1.1c)."""
    case.grant()
    case.wait(10, 30)
    measure = {"measure": "permit_revocation"}
    _penalise(case, "impose", case.others()[0], measure, expect="refused", rule="supervision.not_addressee")
    _penalise(case, "impose", case.organ, measure, expect="refused", rule="supervision.by_approver")
    for notice in case.told:
        case.receive(notice)

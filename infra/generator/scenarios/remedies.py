"""Remedies 行政复议: the review organ stops execution, upholds, or orders to decide anew.

What it says waits for the decision. As it comes from another principal, the deciding department does nothing after the
decision that a stop or an end would forbid: it issues no licence. To accept the case anew waits for the order.
"""

from __future__ import annotations

from typing import Any

from infra.generator import names
from infra.generator.arrival import Arrival
from infra.generator.case import Case
from infra.generator.full_registry import REVIEW
from infra.generator.scenario import scenario


def _decide(case: Case) -> None:
    case.wait(1, 15)
    case.decide()
    case.seal()
    case.wait(5, 20)


def _remedy(case: Case, outcome: str, department: str | None = None, **options: Any) -> Arrival:
    document = names.document_number(case.rng, case.item.league, case.now.year).replace("审批许", "复决")
    said = {
        **case.key_of_case,
        "procedure": "reconsideration",
        "outcome": outcome,
        "document_number": document,
        "on": case.today,
        "content": "经复议审查，作出如下决定",
    }
    fact = case.send("remedy.record", department or f"{case.league}-{REVIEW}", said, **options)
    if fact.disposition == "accepted":
        case.hear(fact, "stop_execution" if outcome == "stop_execution" else "remedy")
    return fact


@scenario(0.2)
def upheld(case: Case) -> None:
    """Execution is stopped, then the decision upheld, which ends the stop; somebody who is no review organ tries."""
    case.accept()
    _decide(case)
    _remedy(case, "annulled", case.competent, expect="refused", rule="mandate.role")
    _remedy(case, "stop_execution")
    case.wait(10, 30)
    _remedy(case, "upheld")
    _remedy(case, "resume_execution", expect="refused", rule="remedy.stopped")
    for notice in case.notices:
        case.receive(notice)


@scenario(0.2)
def decided_anew(case: Case) -> None:
    """Annulled with the order to decide anew: in a case of its own."""
    case.accept()
    _decide(case)
    _remedy(case, "anew")
    case.wait(5, 15)
    old = case.number
    case.number, case.document = f"{old}-2", f"{case.document}重"
    case.accept({"anew_of": {"organ": case.organ, "number": old}})
    _decide(case)
    case.licence()
    for notice in case.told:
        case.receive(notice)

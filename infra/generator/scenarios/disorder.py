"""Out of order: what came too early waits for what it needs; some waits for ever.

The early one waits for a stream, not for a time, so the end is the same in every order.
"""

from __future__ import annotations

from infra.generator.case import Case
from infra.generator.scenario import scenario
from infra.generator.story import Notice


@scenario()
def decided_before_accepted(case: Case) -> None:
    """The acceptance comes after the decision, the seal and the licence: all wait for the case."""
    case.grant()
    case.arrive_after(case.arrivals[0], case.arrivals[-1])
    case.wait(3, 5)
    for notice in case.told:
        case.receive(notice)


@scenario()
def feedback_before_decision(case: Case) -> None:
    """The feedback comes before the decision that it is about."""
    case.accept()
    case.wait(1, 9)
    decision = case.decide()
    case.wait(1, 2)
    finding = case.feedback(case.told[0].addressee, "rectify")
    case.arrive_after(decision, finding)
    case.wait(2, 4)
    case.receive(case.told[0])


@scenario()
def receipt_before_decision(case: Case) -> None:
    """Receipt and taking come before the decision; with some the acceptance is late as well."""
    acceptance = case.accept()
    case.wait(1, 9)
    decision = case.decide()
    for notice in case.told:
        case.receive(notice)
        case.take(notice)
    case.arrive_after(decision, case.arrivals[-1])
    if case.turn % 2:
        case.arrive_after(acceptance, decision)


@scenario()
def disposition_before_feedback(case: Case) -> None:
    """The disposition, and its receipt, come before the feedback."""
    case.grant()
    case.wait(5, 20)
    case.receive(case.told[0])
    finding = case.feedback(case.told[0].addressee, "change")
    disposition = case.dispose(finding, "partly")
    answer = case.notices[-1]
    case.arrive_after(finding, disposition)
    case.wait(2, 4)
    case.receive(answer)


@scenario(2)
def receipt_of_nothing(case: Case) -> None:
    """A receipt, or a taking without receipt, of a notice that is never owed: parked for ever."""
    case.grant()
    case.wait(1, 3)
    supervisor = case.told[0]
    if case.turn % 2:
        ghost = Notice(f"{supervisor.addressee}/nm.lost/{case.index:07d}", supervisor.addressee, "", "", "")
        case.receive(ghost, expect="parked")
    else:
        case.take(supervisor, expect="parked")
    for notice in case.told[1:]:
        case.receive(notice)


@scenario(2)
def step_without_case(case: Case) -> None:
    """Steps in a case that was never accepted, or after an acceptance without decision: parked for ever."""
    match case.turn % 3:
        case 0:
            case.licence(expect="parked")
        case 1:
            case.decide(expect="parked")
            case.seal(expect="parked")
            case.licence(expect="parked")
            lost = Notice(f"{case.competent}/nm.lost/{case.index:07d}", case.competent, "", "", "")
            case.receive(lost, expect="parked")
        case _:
            case.accept()
            case.wait(1, 3)
            case.licence(expect="parked")
            case.feedback(case.competent, expect="parked")

"""Returns: the supervisor says that it is another department's duty, once or twice.

A league's supervision departments have one principal, so their receipts and returns of a case stay in order; the ruling
comes from the reform office and waits for the dispute's notice. No change, correction, end or feedback by a department
told only later happens in these cases: it would compete with the return.
"""

from __future__ import annotations

from infra.generator.case import Case
from infra.generator.offices import REFORM_OFFICE
from infra.generator.scenario import scenario


@scenario(1.5)
def returned_once(case: Case) -> None:
    """The first department returns, some after receiving; the proposed one receives and takes."""
    case.grant()
    first, *rest = case.told
    case.wait(1, 3)
    if case.turn % 2:
        case.receive(first)
    moved = case.hand_back(first, case.others()[0])
    assert moved is not None
    case.wait(1, 3)
    case.receive(moved)
    case.take(moved)
    for notice in rest:
        case.receive(notice)


@scenario(1.3)
def duty_dispute(case: Case) -> None:
    """Returned twice; the reform office receives, rules for the first department or a third, and that one receives. A
    further return is refused whether it comes before or after the receipt: both are one principal's, in order.
    """
    case.grant()
    first = case.told[0]
    second, third = case.others(2)
    case.wait(1, 3)
    moved = case.hand_back(first, second)
    assert moved is not None
    case.wait(1, 2)
    dispute = case.hand_back(moved, first.addressee, to=REFORM_OFFICE)
    assert dispute is not None
    case.wait(1, 3)
    if case.turn % 2:
        case.receive(dispute)
    case.wait(2, 6)
    ruled = case.rule(dispute, first.addressee if case.rng.random() < 0.6 else third)
    case.wait(1, 3)
    case.receive(ruled)
    if case.turn % 3 == 0:
        case.hand_back(ruled, second, expect="refused", rule="notice.ruled")


@scenario()
def wrong_return(case: Case) -> None:
    """Returns that cannot be: after taking, of a disposition, to oneself; and a receipt after a return. Each competes
    at most with what its own principal sent before.
    """
    case.grant()
    first = case.told[0]
    case.wait(1, 3)
    match case.turn % 4:
        case 0:
            case.receive(first)
            case.take(first)
            case.hand_back(first, case.others()[0], expect="refused", rule="notice.not_returnable")
        case 1:
            finding = case.feedback(first.addressee)
            case.dispose(finding, "not")
            answer = case.notices[-1]
            case.wait(1, 2)
            case.hand_back(answer, case.others()[0], expect="refused", rule="notice.not_returnable")
        case 2:
            case.hand_back(first, first.addressee, expect="dead", rule="department.unknown_role")
            case.receive(first)
        case _:
            case.hand_back(first, case.others()[0])
            case.receive(first, expect="refused", rule="notice.moved")

"""Resent submissions: duplicates, and conflicts with what was sent before under the same id.

The copy goes to the same topic with the same key, after the original, and a submission claims its id on arrival, parked
or not: so the original is always the first.
"""

from __future__ import annotations

from infra.generator.arrival import Arrival
from infra.generator.case import Case
from infra.generator.scenario import scenario


def _one(case: Case) -> Arrival:
    """Any arrival of a whole case: the approving side's or a receipt, accepted, some refused."""
    case.grant()
    if case.turn % 4 == 0:
        case.seal(department=case.competent, expect="refused", rule="seal.second")
    case.wait(1, 3)
    for notice in case.told:
        case.receive(notice)
    return case.rng.choice(case.arrivals)


@scenario(2)
def duplicate(case: Case) -> None:
    """Sent again as it was: one submission, once or twice, or after a failure all of them."""
    original = _one(case)
    for again in list(case.arrivals) if case.turn % 2 else [original] * case.rng.choice((1, 2)):
        case.send_again(again, "duplicate")


@scenario(1.5)
def duplicate_reworded(case: Case) -> None:
    """Sent again with its members in another order, other white space, or in the other content mode."""
    again = case.send_again(_one(case), "duplicate")
    again.data = dict(reversed(again.data.items()))
    again.layout = "pretty"
    if case.turn % 2:
        again.mode = "structured" if again.mode == "binary" else "binary"


@scenario(2)
def conflict(case: Case) -> None:
    """The same source and id with another content: the first stands, the second is quarantined."""
    case.grant()
    case.wait(1, 3)
    for notice in case.told:
        case.receive(notice)
    acceptance, decision, seal = case.arrivals[:3]
    case.send_again(acceptance, "conflict", accepted_on=case.day(-40))
    case.send_again(decision, "conflict", document_number=f"{case.document}-2")
    case.send_again(decision, "conflict", content="内容与前次报送不一致")
    if case.turn % 2:
        case.send_again(seal, "conflict", document_sm3="0" * 64)

"""Seals: the approval seal suffices (2.7).

A seal action depends on the case's acceptance and on who holds the power, never on other seals.
"""

from __future__ import annotations

from infra.generator.case import Case
from infra.generator.scenario import scenario


@scenario(1.5)
def second_seal(case: Case) -> None:
    """The former competent department puts its seal beside the approval seal: refused, whenever it comes (2.7b)."""
    case.grant()
    case.seal(department=case.competent, expect="refused", rule="seal.second")
    case.wait(1, 3)
    for notice in case.told:
        case.receive(notice)


@scenario(1.3)
def seal_demanded(case: Case) -> None:
    """The former competent department demands one more seal: always refused (2.7c)."""
    case.grant()
    case.demand_seal(case.competent)
    case.wait(1, 3)
    for notice in case.told:
        case.receive(notice)


@scenario(stands="stays")
def foreign_seal(case: Case) -> None:
    """The approval department seals a case of a matter that was never transferred to it: refused (2.7a)."""
    case.grant()
    case.seal(department=f"{case.league}-SP", expect="refused", rule="seal.not_organ")

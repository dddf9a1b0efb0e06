"""Seals: the approval seal suffices (2.7).

A seal action depends on the case's acceptance, on who holds the power and on the register of seals, never on other
seals.
"""

from __future__ import annotations

from infra.generator import names
from infra.generator.case import Case
from infra.generator.lists import old_seal, seal
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


@scenario(0.2)
def wrong_seal(case: Case) -> None:
    """By a certificate that has expired, by one that is not the seal's, and a seal of another league's."""
    case.grant()
    mine, expired = seal(case.item.league), old_seal(case.item.league)
    other = next(one for one in names.LEAGUES if one.code != case.league)
    serials = case.registry.certificates
    old = {"seal": expired, "certificate_serial": serials[expired]}
    case.seal(old, expect="refused", rule="seal.expired")
    case.seal({"seal": mine, "certificate_serial": serials[expired]}, expect="refused", rule="seal.certificate")
    theirs = {"seal": seal(other), "certificate_serial": serials[seal(other)]}
    case.seal(theirs, expect="refused", rule="seal.not_yours")
    case.wait(1, 3)
    for notice in case.told:
        case.receive(notice)

"""Ordinary cases: granted or not, the supervisors receive in time, late, or not at all."""

from __future__ import annotations

from infra.generator import names
from infra.generator.case import Case
from infra.generator.scenario import scenario


@scenario(15)
def plain(case: Case) -> None:
    """Granted, sealed, licensed; every supervisor receives within days. Receipts only wait for their notice."""
    case.grant()
    for notice in case.told:
        case.wait(0, 2)
        case.receive(notice)


@scenario(5)
def late_receipt(case: Case) -> None:
    """The supervisors receive weeks later. Nothing depends on when."""
    case.grant()
    for notice in case.told:
        case.wait(12, 30)
        case.receive(notice)


@scenario(4)
def no_receipt(case: Case) -> None:
    """The first supervisor, or none, receives; the others never do. Nothing competes."""
    case.grant()
    case.wait(1, 3)
    for notice in case.told[: case.turn % 2 * (len(case.told) - 1)]:
        case.receive(notice)


@scenario(6)
def taken_into_supervision(case: Case) -> None:
    """Received and taken into supervision. The taking waits for the receipt, which one principal sends before it."""
    case.grant()
    for notice in case.told:
        case.wait(1, 4)
        case.receive(notice)
        case.take(notice)


@scenario(stands="silent")
def not_granted(case: Case) -> None:
    """Not granted, and the matter says that nobody is told: one principal alone."""
    case.accept()
    case.wait(2, 15)
    case.decide({"outcome": "not_granted"})
    case.seal()


@scenario(stands="pushed")
def not_granted_told(case: Case) -> None:
    """Not granted, but the matter says that the supervisors hear of it. Receipts only wait."""
    case.accept()
    case.wait(2, 15)
    case.decide({"outcome": "not_granted"})
    case.wait(1, 3)
    for notice in case.told:
        case.receive(notice)


@scenario(0.2)
def discontinued(case: Case) -> None:
    """The applicant withdraws: nobody is told. One principal alone."""
    case.accept()
    case.wait(2, 15)
    case.decide({"outcome": "discontinued"})


@scenario(party=names.PERSON)
def natural_person(case: Case) -> None:
    """A natural person with an identity document. As `plain`."""
    plain(case)


@scenario(party=names.SOLE_TRADER)
def sole_trader(case: Case) -> None:
    """A sole trader, whose name is personal too. As `plain`."""
    plain(case)

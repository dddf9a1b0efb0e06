"""Cases apart: classified, not transferred, from before the system, of departments and matters not yet registered."""

from __future__ import annotations

from dataclasses import replace

from infra.generator.case import Case
from infra.generator.offices import REFORM_OFFICE
from infra.generator.scenario import scenario


@scenario()
def marked_classified(case: Case) -> None:
    """The sender marks it classified: refused unseen, whatever comes before or after."""
    case.accept(attributes={"classified": "true"}, expect="refused", rule="classified")


@scenario(stands="classified")
def classified_matter(case: Case) -> None:
    """The register says that the matter is classified: refused."""
    case.accept(expect="refused", rule="classified")


@scenario(2, stands="stays")
def not_transferred(case: Case) -> None:
    """The competent department approves and supervises its own matter; no notice is owed (2.1d). One principal."""
    case.grant()
    if case.turn % 2:
        case.wait(10, 30)
        case.feedback(case.organ, "rectify")


@scenario(0.2, stands="placed")
def outside_window(case: Case) -> None:
    """Decided elsewhere than in an authorised window: flagged, not refused (3.2c). One principal."""
    case.accept()
    case.wait(1, 9)
    case.decide({"window": "B11"})
    case.seal()
    case.licence()


@scenario(1.5)
def legacy(case: Case) -> None:
    """Stock from before the system owes nothing: decided by the competent department before the transfer and extended
    by the approval department since, which waits for it; or by the approval department since the transfer.
    """
    if case.turn % 2:
        case.accept({"accepted_on": "2024-08-05"})
        case.decide(_old("2024-08-20"))
        return
    approval, case.organ = case.organ, case.competent
    case.accept({"accepted_on": "2021-05-10"})
    case.decide(_old("2021-05-20"))
    case.wait(3, 20)
    case.amend("case.extend", "extension", approval, valid_to="2035-12-31")


def _old(on: str) -> dict[str, str]:
    return {"basis": "legacy", "decided_on": on, "valid_from": on, "valid_to": "2026-06-30"}


@scenario()
def registered_late(case: Case) -> None:
    """A town's government decides matters that the reform office registers only afterwards, with the town itself where
    it is the league's first. The case waits for its department, then for its matter. The matter is not transferred, so
    that it makes no difference how much later: whenever the register comes, the power is the town's.
    """
    league = case.item.league
    town = case.registry.late_department(league)
    kind, code = case.item.kind, f"{town['uscc']}4{case.index:012d}"
    case.at_item(replace(case.item, code=code, competent=town["code"], supervisors=()))
    case.accept()
    case.wait(1, 4)
    case.decide()
    case.wait(1, 4)
    entry = {"code": code, "name": f"{kind.name}（委托乡镇实施）", "competent": town["code"], "legal_basis": kind.basis}
    case.send("matter.register", REFORM_OFFICE, {"entry": entry}, key=code)
    if case.registry.first(town["code"]):
        case.wait(1, 4)
        case.send("department.register", REFORM_OFFICE, {"entry": town}, key=town["code"])

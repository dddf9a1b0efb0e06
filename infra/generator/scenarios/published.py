"""双公示: a permit that the platform reports by the published record alone, without case number or officer.

It is one submission, and the mapping has settled; receipts only wait.
"""

from __future__ import annotations

from infra.generator import names
from infra.generator.case import Case
from infra.generator.offices import HIGHER, PLATFORM
from infra.generator.scenario import scenario


@scenario(0.2)
def published(case: Case) -> None:
    """Acceptance, decision and licence in one; the same document is reported once."""
    kind = case.item.kind
    league = case.registry.items[case.league]
    case.at_item(next(i for i in league if i.transferred and i.kind.certificate == kind.certificate))
    case.number = case.document
    organ, source = case.registry.departments[case.organ], case.registry.departments[HIGHER]
    record = {
        "organ_uscc": organ.uscc,
        "organ_name": organ.name,
        "certificate": kind.certificate,
        "kind": "普通",
        "document_title": f"{kind.name}准予行政许可决定书",
        "document_number": case.document,
        "licence_number": names.licence_number(case.rng, kind, case.county[0], case.now.year, case.index % 1_000_000),
        "party": case.party,
        "content": f"准予{kind.name}",
        "decided_on": case.today,
        "valid_from": case.today,
        "valid_to": "2099-12-31",
        "source_name": source.name,
        "source_uscc": source.uscc,
    }
    reported = case.send("permit.report", PLATFORM, record, officer=False)
    case.decided(reported)
    again = {**record, "content": f"准予{kind.name}（再次公示）"}
    case.send("permit.report", PLATFORM, again, officer=False, expect="refused", rule="case.exists")
    case.wait(1, 4)
    for notice in case.told:
        case.receive(notice)

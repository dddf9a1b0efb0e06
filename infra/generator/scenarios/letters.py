"""Letters 公函: told on paper as well, the signed slip entered later (2.2h).

An organ's letters are numbered in the order in which they come; so that it is known, each writes one in the year, with
its league's first such case. The approval department issues and enters: one principal, one order.
"""

from __future__ import annotations

from domain.identifiers import make_receipt_code
from infra.generator.case import Case
from infra.generator.lists import mark
from infra.generator.scenario import scenario


@scenario(0.2, stands="flagged")
def by_letter(case: Case) -> None:
    """The addressee signs the slip; only the letter's sender enters it."""
    case.grant()
    mine, *others = case.told
    case.wait(1, 3)
    for notice in others:
        case.receive(notice)
    if not case.registry.first(f"letter/{case.organ}"):
        case.receive(mine)
        return
    said = {"addressee": mine.addressee, "issued_on": case.today, "notices": [mine.id]}
    issued = case.send("letter.issue", case.organ, said)
    number = f"{mark(case.item.league)}〔{case.now.year}〕1号"
    slip = {
        "organ": case.organ,
        "number": number,
        "addressee": mine.addressee,
        "code": make_receipt_code(f"{number} {issued.source}/{issued.id}"),
        "signer": case.registry.officer(case.rng, mine.addressee),
        "received_at": case.today,
        "scan_sha256": f"{case.rng.getrandbits(256):064x}",
    }
    case.wait(2, 5)
    case.send("letter.receive", mine.addressee, slip, expect="refused", rule="letter.not_sender")
    case.send("letter.receive", case.organ, slip)
    mine.final = "received"

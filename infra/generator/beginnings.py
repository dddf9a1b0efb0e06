"""What there is before the year begins, beside the registers: handovers after the transfers, and stock of permits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from random import Random
from typing import Any, Final

from infra.generator import names
from infra.generator.arrival import Arrival
from infra.generator.case import Case
from infra.generator.clerk import Clerk
from infra.generator.full_registry import FullRegistry
from infra.generator.working_time import SHANGHAI

STOCK_SINCE: Final = "2024-10-01"
"""The permits of `stock` are decided after this day. Of every other permit of their matter that is decided after it the
supervisor that joined last is told anyway."""
_STOCK: Final = ("2024-10-15", "2024-11-12")
_RECORDED: Final = datetime(2024, 12, 9, tzinfo=SHANGHAI)
_NUMBERED_FROM: Final = 8_000_000
"""Beyond the cases of any year."""


def handovers(registry: FullRegistry) -> Iterator[Arrival]:
    """One department of each league has handed over, signed by both; another's package lacks the taker's signature."""
    clerk = Clerk("handover", _RECORDED)
    for league in names.LEAGUES:
        for giver, signing in ((f"{league.code}-SCJG", True), (f"{league.code}-WJW", False)):
            taker, number = f"{league.code}-SP", handover_number(giver)
            matters = [i.code for i in registry.items[league.code] if i.competent == giver and i.transferred]
            package = {
                "number": number,
                "taker": taker,
                "matters": matters,
                "items": [
                    {"kind": "policy", "title": "相关法律法规及政策文件汇编", "copies": 1},
                    {"kind": "licence", "title": "空白证照及证照文书样本", "copies": 10 * len(matters)},
                    {"kind": "archive", "title": "近三年审批档案目录", "copies": len(matters)},
                ],
                "note": {
                    "approval": ["依法审批并对审批行为负责", "及时告知审批结果"],
                    "supervision": ["事中事后监管", "及时反馈监管情况"],
                },
            }
            yield _said(registry, clerk, giver, number, "handover.draw", package)
            for side in (giver, taker) if signing else (giver,):
                yield _said(registry, clerk, side, number, "handover.sign", {"giver": giver, "number": number})


def handover_number(giver: str) -> str:
    return f"YJ2024-{giver}"


def _said(registry: FullRegistry, clerk: Clerk, department: str, key: str, type_: str, data: dict[str, Any]) -> Arrival:
    said = {"department": department, **data}
    return clerk.hand_in(registry.principal(department), key, type_, said)


def stock(registry: FullRegistry, league: str) -> list[Case]:
    """Permits in force from before the system, of the matter that a supervisor has joined: nobody was told of them."""
    item = next(item for item in registry.items[league] if item.trait == "joined")
    first = _NUMBERED_FROM + len(_STOCK) * [one.code for one in names.LEAGUES].index(league)
    found = []
    for index, on in enumerate(_STOCK, first):
        case = Case(registry, item, names.LEGAL, index, _RECORDED, Random(f"{registry.seed}/stock/{index}"))
        case.accept({"accepted_on": on})
        case.decide({"basis": "legacy", "decided_on": on, "valid_from": on})
        found.append(case)
    return found

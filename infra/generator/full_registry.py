"""The registry with everything that registers can hold: lists, seals, review organs, a platform for both sides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from random import Random
from typing import Final

from domain.identifiers import make_matter_code
from infra.generator import lists, names
from infra.generator.arrival import Arrival
from infra.generator.clerk import Clerk
from infra.generator.offices import HIGHER, PLATFORM, PLATFORM_PRINCIPAL, REVIEW_PRINCIPAL
from infra.generator.registry import Item, Registry, Trait, supervised

REVIEW: Final = "SF"
"""Ends the code of a league's review organ."""
MERGING: Final = "RF"
"""Ends the code of a league's civil defence office, which only a merger is about."""
SUCCESSOR: Final = "ZJ"
ON_PAPER: Final = "ST"
"""Ends the code of a league's department that is told by letter too."""
MERGED_ON: Final = date(2025, 12, 29)
"""Later than every decision of the year."""
JOINED_ON: Final = "2024-12-02"
_TRAITS: Final[dict[str, Trait]] = {
    "动物防疫条件合格证核发": "joined",
    "辐射安全许可": "flagged",
    "医疗机构执业登记": "surveyed",
    "燃气经营许可": "worked",
    "烟草专卖零售许可": "placed",
}
_SHELTERS: Final = names.Matter(
    "应建防空地下室的民用建筑项目报建审批",
    "住建",
    (names.LEGAL,),
    None,
    "住建",
    (),
    "《中华人民共和国人民防空法》第二十二条",
    "人防工程报建批准书",
    "RF",
)


class FullRegistry(Registry):
    """Needed by the rare scenarios. `merging`: by league, the matter of the office that is merged."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._department(PLATFORM, "内蒙古自治区一体化政务服务平台", "PLATFORM")
        self.merging: dict[str, Item] = {}
        for league in names.LEAGUES:
            self._department(f"{league.code}-{REVIEW}", f"{league.name}司法局（行政复议机构）", "REVIEW_ORGAN")
            self._department(f"{league.code}-{MERGING}", f"{league.name}人民防空办公室", "SUPERVISION")
            self.merging[league.code] = self._shelters(league)
            for seal in (lists.seal(league), lists.old_seal(league)):
                self.certificates[seal] = f"{Random(f'{seed}/seal/{seal}').getrandbits(64):016X}"

    def principal(self, department: str) -> str:
        if department == PLATFORM:
            return PLATFORM_PRINCIPAL
        return REVIEW_PRINCIPAL if department.endswith(f"-{REVIEW}") else super().principal(department)

    def acts_for(self) -> dict[str, list[str]]:
        found = super().acts_for()
        both = [PLATFORM, HIGHER]
        for league in names.LEAGUES:
            found[f"jg-{league.code}"].append(f"{league.code}-{MERGING}")
            both += [f"{league.code}-SP", *self.supervision(league.code)]
        reviews = [f"{league.code}-{REVIEW}" for league in names.LEAGUES]
        return {**found, PLATFORM_PRINCIPAL: both, REVIEW_PRINCIPAL: reviews}

    def _registered(self, clerk: Clerk) -> Iterator[Arrival]:
        for arrival in super()._registered(clerk):
            entry = arrival.data.get("entry", {})
            if entry.get("code", "").endswith(f"-{ON_PAPER}"):
                entry["channels"] = ["kafka", "letter"]
            yield arrival
        for league in names.LEAGUES:
            yield from self._matter(clerk, self.merging[league.code])
            for item in self.items[league.code]:
                if item.trait == "joined":
                    yield clerk.reform(
                        item.code,
                        "matter.route",
                        matter=item.code,
                        valid_from=JOINED_ON,
                        basis="内蒙古自治区审管联动职责分工调整通知",
                        supervisors=supervised(*item.supervisors),
                    )
        yield from lists.entries(self, clerk)

    def _matter(self, clerk: Clerk, item: Item) -> Iterator[Arrival]:
        for arrival in super()._matter(clerk, item):
            if arrival.attributes["type"] == "cn.shenguan.matter.transfer.v1":
                arrival.data["batch"] = f"{item.league.code}-2024"
            yield arrival

    def _item(self, league: names.League, kind: names.Matter, at: int) -> Item:
        item = super()._item(league, kind, at)
        trait = _TRAITS.get(kind.name)
        joining = (f"{league.code}-SCJG",) if trait == "joined" else ()
        return replace(item, trait=trait, supervisors=(*item.supervisors, *joining))

    def _shelters(self, league: names.League) -> Item:
        office = f"{league.code}-{MERGING}"
        code = make_matter_code(self.departments[office].uscc, 3, "000100900000")
        return Item(code, _SHELTERS, league, office, (office, f"{league.code}-YJ"), trait="merging")

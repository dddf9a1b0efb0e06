"""The registry of the generated world: who exists in each league, which matters it has, and who supervises them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, Final, Literal

from domain.identifiers import make_matter_code
from infra.generator import names
from infra.generator.arrival import Arrival
from infra.generator.clerk import Clerk
from infra.generator.offices import HIGHER, HIGHER_PRINCIPAL, OPERATOR, REFORM_OFFICE, REFORM_PRINCIPAL
from infra.generator.people import liaison, officers
from infra.generator.signers import SIGNING_BASIS, signer_of

LATE: Final = "XZ"
"""Ends the code of a league's one department that enters the register late, in the middle of the year."""
_ENDINGS: Final = {
    "市场监管": "SCJG", "卫生健康": "WJW", "住建": "ZJ", "城市管理": "CG", "交通运输": "JT", "水利": "SL", "林草": "LC",
    "文旅": "WL", "教育": "JY", "人社": "RS", "应急管理": "YJ", "生态环境": "ST", "农牧": "NM", "烟草专卖": "YC",
    "公安": "GA", "消防救援": "XF", "民政": "MZ",
}  # fmt: skip
_STAY: Final = ("烟草专卖零售许可", "林木采伐许可", "护士执业注册", "公路超限运输许可")
"""Left with their departments in every league."""
_CLASSIFIED: Final = "生产建设项目水土保持方案审批"
_PUSHED: Final = "危险化学品经营许可"
"""The matter whose refusals are told as well."""


@dataclass(frozen=True, slots=True)
class Department:
    """A department as the register has it."""

    code: str
    name: str
    role: str
    region: str
    uscc: str


Trait = Literal["joined", "flagged", "surveyed", "worked", "placed", "merging"]
"""What some matters have that others have not: a supervisor that joined after the transfer, the last of them; a flag
for written opinions; a survey without which nothing is granted; associated work on record; windows authorised to
decide; a supervisor that is merged into another at the year's end, the first of them."""
WINDOW: Final = "A03"
"""Authorised to decide on the matters that are placed."""


@dataclass(frozen=True, slots=True)
class Item:
    """A matter in a league; `supervisors` empty where it was not transferred."""

    code: str
    kind: names.Matter
    league: names.League
    competent: str
    supervisors: tuple[str, ...]
    push_not_granted: bool = False
    classified: bool = False
    trait: Trait | None = None

    @property
    def transferred(self) -> bool:
        return bool(self.supervisors)

    @property
    def organ(self) -> str:
        """Who holds the power in the generated year."""
        return f"{self.league.code}-SP" if self.transferred else self.competent


class Registry:
    """Everything the registers hold before the year begins; the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(f"{seed}/registry")
        self.seed = seed
        self.departments: dict[str, Department] = {}
        self._office = self._department(REFORM_OFFICE, "内蒙古自治区党委机构编制委员会办公室", "REFORM_OFFICE")
        self._department(HIGHER, "内蒙古自治区政务服务与数据管理局", "HIGHER_AUTHORITY")
        self.items: dict[str, list[Item]] = {}
        self._officers: dict[str, tuple[dict[str, str], ...]] = {}
        self.certificates: dict[str, str] = {}  # serials by seal; of seals that are in no register there are none
        self._asked: set[str] = set()
        for league in names.LEAGUES:
            self._department(f"{league.code}-SP", names.department_name(league.name, names.APPROVAL), "APPROVAL")
            for kind, ending in _ENDINGS.items():
                name = names.department_name(league.name, kind)
                self._department(f"{league.code}-{ending}", name, "SUPERVISION")
            self.items[league.code] = [self._item(league, kind, at) for at, kind in enumerate(names.MATTERS)]

    def supervision(self, league: str) -> list[str]:
        """A league's supervision departments."""
        return [f"{league}-{ending}" for ending in _ENDINGS.values()]

    def principal(self, department: str) -> str:
        """Which principal speaks for a department."""
        if department == REFORM_OFFICE:
            return REFORM_PRINCIPAL
        if department == HIGHER:
            return HIGHER_PRINCIPAL
        region, _, ending = department.partition("-")
        return f"sp-{region}" if ending == "SP" else f"jg-{region}"

    def officer(self, rng: Random, department: str) -> dict[str, str]:
        """One of the department's officers."""
        if department not in self._officers:
            self._officers[department] = officers(Random(f"{self.seed}/officers/{department}"))
        return rng.choice(self._officers[department])

    def founding(self) -> dict[str, Any]:
        """What a store is founded with."""
        return {
            "reform_office": _entry(self._office, "2020-05-01"),
            "principals": {REFORM_PRINCIPAL: [REFORM_OFFICE]},
            "operator": OPERATOR,
            "vouching": "api",
        }

    def late_department(self, league: names.League) -> dict[str, Any]:
        """The entry of the league's late department: a town's government that is given powers in mid-year."""
        region, name = league.counties[-1]
        code = names.uscc(Random(f"{self.seed}/late/{league.code}"), region, "11")
        town = Department(f"{league.code}-{LATE}", f"{name}城关镇人民政府", "SUPERVISION", region, code)
        return _entry(town, "2025-01-01")

    def first(self, what: str) -> bool:
        """Whether this is asked about for the first time."""
        first = what not in self._asked
        self._asked.add(what)
        return first

    def arrivals(self) -> Iterator[Arrival]:
        """The registers as submissions, in an order in which each finds what it needs."""
        yield from self._registered(Clerk("register"))

    def acts_for(self) -> dict[str, list[str]]:
        """Whom each principal speaks for, but the reform office's and the operator."""
        found = {HIGHER_PRINCIPAL: [HIGHER]}
        for league in names.LEAGUES:
            found[f"sp-{league.code}"] = [f"{league.code}-SP"]
            found[f"jg-{league.code}"] = [*self.supervision(league.code), f"{league.code}-{LATE}"]
        return found

    def _registered(self, clerk: Clerk) -> Iterator[Arrival]:
        for principal, acts_for in self.acts_for().items():
            said = {"principal": principal, "acts_for": acts_for}
            yield clerk.hand_in(OPERATOR, principal, "principal.register", said)
            public = signer_of(principal).public_key
            key = {"kind": "public_key", "principal": principal, "public_key": public}
            given = {"entry": key, "valid_from": "2024-12-02", "basis": SIGNING_BASIS}
            yield clerk.hand_in(OPERATOR, principal, "key.register", given)
        for department in self.departments.values():
            if department is not self._office:
                entry = _entry(department, "2024-01-01")
                yield clerk.reform(department.code, "department.register", entry=entry)
        for department in self.departments.values():
            if department.role in ("APPROVAL", "SUPERVISION"):
                rng = Random(f"{self.seed}/liaison/{department.code}")
                data: dict[str, Any] = {"department": department.code, "number": "LL01", "person": liaison(rng)}
                yield clerk.hand_in(self.principal(department.code), department.code, "liaison.register", data)
        for league in names.LEAGUES:
            mapped: set[str] = set()
            for item in self.items[league.code]:
                yield from self._matter(clerk, item)
                if item.transferred and item.kind.certificate not in mapped:
                    mapped.add(item.kind.certificate)
                    yield clerk.reform(item.code, "mapping.register", **self._mapping(item))
            # A later version: it holds from a date that none of the year's decisions reaches.
            routed = next(item for item in self.items[league.code] if len(item.supervisors) == 2)
            yield clerk.reform(
                routed.code,
                "matter.route",
                matter=routed.code,
                valid_from="2027-01-01",
                basis="内蒙古自治区审管联动职责分工调整通知",
                supervisors=supervised(routed.competent),
            )

    def _matter(self, clerk: Clerk, item: Item) -> Iterator[Arrival]:
        yield clerk.reform(item.code, "matter.register", entry=_matter(item))
        if item.transferred:
            told = item.supervisors[:-1] if item.trait == "joined" else item.supervisors
            yield clerk.reform(item.code, "matter.transfer", **_transfer(item, told))

    def _department(self, code: str, name: str, role: str) -> Department:
        region = code[:6]
        made = Department(code, name, role, region, names.uscc(self._rng, region, "11"))
        self.departments[code] = made
        return made

    def _item(self, league: names.League, kind: names.Matter, at: int) -> Item:
        competent = f"{league.code}-{_ENDINGS[kind.department]}"
        code = make_matter_code(self.departments[competent].uscc, 3, f"0001{at + 1:05d}000")
        classified = kind.name == _CLASSIFIED
        moved = kind.name not in _STAY and not classified
        supervisors = tuple(f"{league.code}-{_ENDINGS[one]}" for one in (kind.lead, *kind.assisting)) if moved else ()
        return Item(code, kind, league, competent, supervisors, kind.name == _PUSHED, classified)

    def _mapping(self, item: Item) -> dict[str, str]:
        return {
            "organ_uscc": self.departments[item.organ].uscc,
            "certificate_type": item.kind.certificate,
            "organ": item.organ,
            "matter": item.code,
        }


def _entry(department: Department, valid_from: str) -> dict[str, Any]:
    return {
        "code": department.code,
        "name": department.name,
        "roles": [department.role],
        "region": department.region,
        "uscc": department.uscc,
        "valid_from": valid_from,
    }


def _matter(item: Item) -> dict[str, Any]:
    return {
        "code": item.code,
        "name": item.kind.name,
        "competent": item.competent,
        "legal_basis": item.kind.basis,
        "push_not_granted": item.push_not_granted,
        "classified": item.classified,
        **({"opinions": ["ministry"]} if item.trait == "flagged" else {}),
    }


def _transfer(item: Item, supervisors: tuple[str, ...]) -> dict[str, Any]:
    return {
        "matter": item.code,
        "valid_from": f"2024-{3 + int(item.code[-6:-3]) % 4:02d}-01",
        "basis": f"{item.league.name}相对集中行政许可权改革划转事项清单（2024年）",
        "to": item.organ,
        "supervisors": supervised(*supervisors),
    }


def supervised(lead: str, *assisting: str) -> list[dict[str, str]]:
    """Who supervises a matter, as the register wants it."""
    others = ({"department": one, "part": "assist"} for one in assisting)
    return [{"department": lead, "part": "lead"}, *others]

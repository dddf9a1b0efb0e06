"""A case as both sides live it: the steps that scenarios are made of, each with the notices it must owe."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from domain.identifiers import make_licence_id
from infra.generator import names, people
from infra.generator.arrival import Arrival
from infra.generator.registry import WINDOW, Item, Registry
from infra.generator.story import Notice, Story

KINDS = ("普通", "特许", "认可", "核准", "登记")
_NOT_GRANTED = {
    "not_granted": "申请材料不符合法定条件，不予许可",
    "discontinued": "申请人撤回申请，终止办理",
}
_LICENCE_TYPE = "11150000MB0307758B001"
"""The catalogue's code for the kind of licence, the same for all of them here."""


class Case(Story):
    """One case of the holder of the power. Options that a step does not name go to `Story.send`.

    `turn` counts the cases of one scenario, so that it can play its variants in turn.
    A step changes what is expected of notices only where it is expected to be accepted.
    """

    def __init__(
        self,
        registry: Registry,
        item: Item,
        party_kind: str,
        index: int,
        start: datetime,
        rng: Random,
        turn: int = 0,
    ) -> None:
        super().__init__(registry, item, index, start, rng)
        self.turn = turn
        self.county = names.county(rng, item.league)
        self.party = people.party(rng, party_kind, self.county, item.kind.department)
        self.document = names.document_number(rng, item.league, self.now.year, index)
        self.told: list[Notice] = []
        self.stock = False

    @property
    def key_of_case(self) -> dict[str, str]:
        return {"organ": self.organ, "number": self.number}

    @property
    def competent(self) -> str:
        return self.item.competent

    def others(self, count: int = 1) -> list[str]:
        """Supervision departments of the league that have nothing to do with the matter."""
        mine = {self.competent, *self.item.supervisors}
        return self.rng.sample([d for d in self.registry.supervision(self.league) if d not in mine], count)

    # The approving side.

    def accept(self, data: dict[str, Any] | None = None, **options: Any) -> Arrival:
        """受理."""
        said = {**self.key_of_case, "matter": self.item.code, "party": self.party, "accepted_on": self.today}
        return self.send("case.accept", self.organ, {**said, **(data or {})}, **options)

    def decide(self, data: dict[str, Any] | None = None, *, department: str | None = None, **options: Any) -> Arrival:
        """准予 or, with `outcome` in the data, 不予许可."""
        said: dict[str, Any] = {
            **self.key_of_case,
            "outcome": "granted",
            "document_number": self.document,
            "decided_on": self.today,
            "valid_from": self.today,
            "kind": self.rng.choice(KINDS),
            "content": f"准予{self.party['name']}{self.item.kind.name}，地点：{self.county[1]}",
        }
        if self.item.trait == "placed":
            said["window"] = WINDOW
        if self.item.kind.years:
            said["valid_to"] = self.day(365 * self.item.kind.years)
        said |= data or {}
        if said["outcome"] != "granted":
            said["content"] = _NOT_GRANTED[said["outcome"]]
            said.pop("valid_from", None)
            said.pop("valid_to", None)
        fact = self.send("case.decide", department or self.organ, said, **options)
        if fact.disposition == "accepted":
            self.stock = said.get("basis") == "legacy"
            pushed = said["outcome"] == "granted" or (said["outcome"] == "not_granted" and self.item.push_not_granted)
            self.decided(fact, pushed and not self.stock)
        return fact

    def decided(self, fact: Arrival, pushed: bool = True) -> None:
        """A decision stands; where it is pushed, the supervisors hear of it."""
        self.totals["decisions"] += 1
        if pushed:
            self.totals["supervisors_of_decisions"] += len(self.item.supervisors)
            self.told = [self.owe(one, fact, "decision") for one in self.item.supervisors]

    def grant(self, electronic: bool = False) -> Arrival:
        """Accepted, and some days later granted, sealed and licensed."""
        self.accept()
        self.wait(1, 15)
        decision = self.decide()
        self.seal()
        self.licence(electronic)
        return decision

    def licence(self, electronic: bool = False, **options: Any) -> Arrival:
        """颁证, as a paper or as an electronic licence too."""
        number = names.licence_number(self.rng, self.item.kind, self.county[0], self.now.year, self.index % 1_000_000)
        said = {"licence_number": number, "certificate": self.item.kind.certificate, "issued_on": self.today}
        if electronic:
            issuer = self.registry.departments[self.organ].uscc
            said["electronic_id"] = make_licence_id(_LICENCE_TYPE, issuer, f"{self.index:010d}")
        return self.send("case.issue_licence", self.organ, {**self.key_of_case, **said}, **options)

    def seal(self, data: dict[str, Any] | None = None, *, department: str | None = None, **options: Any) -> Arrival:
        """用印."""
        whose = department or self.organ
        seal = f"{whose}-{'XZSP' if whose.endswith('-SP') else 'GZ'}"
        said = {
            **self.key_of_case,
            "seal": seal,
            "certificate_serial": self.registry.certificates.get(seal) or f"{self.rng.getrandbits(64):016X}",
            "document_sm3": f"{self.rng.getrandbits(256):064x}",
            "applied_at": self.now.isoformat(),
        }
        fact = self.send("seal.apply", whose, {**said, **(data or {})}, **options)
        if fact.disposition in ("accepted", "refused"):
            self.totals["seals_applied" if fact.disposition == "accepted" else "seals_refused"] += 1
        return fact

    def demand_seal(self, department: str) -> Arrival:
        """Somebody wants one more seal."""
        said = {**self.key_of_case, "demanded_of": self.organ, "seal": "原主管部门行政审批专用章"}
        self.totals["seals_refused"] += 1
        return self.send("seal.demand", department, said, expect="refused", rule="seal.demand")

    def amend(self, type_: str, about: str, department: str | None = None, **data: Any) -> list[Notice]:
        """变更, 延续, 撤回, 撤销 or 注销: everyone who was told hears of it, of stock the matter's supervisors, and the
        organ of what it has not done itself."""
        document = names.document_number(self.rng, self.item.league, self.now.year)
        said = {**self.key_of_case, "document_number": document, "on": self.today, **data}
        fact = self.send(type_, department or self.organ, said)
        hearers = [notice.addressee for notice in self.told]
        hearers += [*(self.item.supervisors if self.stock else []), *([self.organ] if department else [])]
        return [self.owe(one, fact, about) for one in dict.fromkeys(hearers)]

    def correct(self, target: str, old: str, new: str, joining: Sequence[str] = (), **options: Any) -> Arrival:
        """更正: its notices supersede those of the decision; by another day or matter others may have to hear of it."""
        said = {
            **self.key_of_case,
            "target": target,
            "old": old,
            "new": new,
            "on": self.today,
            "reason": "文书制作时录入有误",
            "authorised_by": "行政审批和政务服务局局务会",
        }
        fact = self.send("case.correct", self.organ, said, **options)
        if fact.disposition == "accepted":
            for notice in self.told:
                notice.final = "moved"
            told = [*(notice.addressee for notice in self.told), *joining]
            self.told = [self.owe(one, fact, "correction", "decision") for one in told]
            self.totals["supervisors_of_decisions"] += len(joining)
        return fact

    def hear(self, fact: Arrival, about: str) -> list[Notice]:
        """What others do to a permit: everyone hears who was told of it, and the deciding department; nobody of its own
        doing.
        """
        told = dict.fromkeys([*(notice.addressee for notice in self.told), self.organ])
        return [self.owe(one, fact, about) for one in told if one != fact.data["department"]]

    def dispose(self, finding: Arrival, outcome: str = "adopted", **options: Any) -> Arrival:
        """处理 of a feedback; the supervisor hears of it."""
        supervisor = finding.data["department"]
        said = {
            "supervisor": supervisor,
            "number": finding.data["number"],
            "outcome": outcome,
            "reason": {"adopted": "意见采纳，已责成整改", "partly": "部分采纳", "not": "经核查不予采纳"}[outcome],
        }
        fact = self.send("feedback.dispose", self.organ, said, **options)
        if fact.disposition == "accepted":
            self.owe(supervisor, fact, "disposition")
        return fact

    # The supervising side.

    def receive(self, notice: Notice, *, department: str | None = None, **options: Any) -> Arrival:
        """签收, by the addressee unless somebody else tries."""
        received = (self.now - timedelta(minutes=self.rng.randint(0, 40))).isoformat()
        said = {"notice": notice.id, "received_at": received}
        fact = self.send("notice.receive", department or notice.addressee, said, **options)
        if fact.disposition == "accepted":
            notice.final = "received"
        return fact

    def take(self, notice: Notice, **options: Any) -> Arrival:
        """纳入监管."""
        fact = self.send("notice.take", notice.addressee, {"notice": notice.id}, **options)
        if fact.disposition == "accepted":
            notice.final = "taken"
        return fact

    def hand_back(self, notice: Notice, proposed: str, to: str | None = None, **options: Any) -> Notice | None:
        """退回, naming whose it is instead; `to`: who is told next, where that is not the proposed department."""
        said = {"notice": notice.id, "proposed": proposed, "reason": "不属于本部门监管职责"}
        fact = self.send("notice.return", notice.addressee, said, **options)
        if fact.disposition != "accepted":
            return None
        notice.final = "moved"
        return self.owe(to or proposed, fact, "duty_dispute" if to else "reassignment", "decision")

    def rule(self, dispute: Notice, assigned: str) -> Notice:
        """The reform office rules whose duty it is."""
        said = {"notice": dispute.id, "assign_to": assigned, "reason": "依据监管职责清单裁定"}
        fact = self.send("duty.rule", dispute.addressee, said)
        dispute.final = "moved"
        return self.owe(assigned, fact, "ruling", "decision")

    def feedback(self, department: str, suggestion: str = "rectify", **options: Any) -> Arrival:
        """监管反馈; the deciding department hears of it."""
        said = {
            "number": f"FK{self.index:07d}{len(self.arrivals):02d}",
            "case_organ": self.organ,
            "case_number": self.number,
            "found_on": self.today,
            "suggestion": suggestion,
            "detail": f"检查{self.party['name']}：现场情况与许可内容核对",
        }
        fact = self.send("feedback.raise", department, said, **options)
        if fact.disposition == "accepted" and department != self.organ:
            self.owe(self.organ, fact, "feedback")
        return fact

"""Reorganised in the year: a merger, a new supervisor that wants the permits from before, a matter that goes and comes.

The first two are carried out by the `clock` role whenever it comes to it. The office that is merged supervises a matter
that nothing else is about, all whose decisions come before the day of the merger, and it receives nothing; what its
successor receives waits until it has passed on. What the new supervisor is told of from before is stock that has
settled with the registers; by every later decision it is told itself.
"""

from __future__ import annotations

from domain.subscriptions import joining_id
from domain.succession import passing_id
from infra.generator.beginnings import STOCK_SINCE, stock
from infra.generator.case import Case
from infra.generator.full_registry import MERGED_ON, MERGING, SUCCESSOR, FullRegistry
from infra.generator.offices import REFORM_OFFICE
from infra.generator.registry import supervised
from infra.generator.scenario import scenario
from infra.generator.story import Notice

SYSTEM = "shenguan"
"""The source of what the system itself records."""


@scenario(0.2)
def merged(case: Case) -> None:
    """The civil defence office is merged into the housing department, with the league's first such case. Its notice
    passes on; it tries to receive it itself, and is no more.
    """
    assert isinstance(case.registry, FullRegistry)
    case.at_item(case.registry.merging[case.league])
    case.grant()
    mine, *others = case.told
    case.wait(1, 4)
    for notice in others:
        case.receive(notice)
    case.wait_until(MERGED_ON)
    old, to = (f"{case.league}-{ending}" for ending in (MERGING, SUCCESSOR))
    if case.registry.first(old):
        said = {
            "old": old,
            "to": to,
            "valid_from": MERGED_ON.isoformat(),
            "basis": f"{case.item.league.name}机构改革方案",
        }
        case.send("department.succeed", REFORM_OFFICE, said, key=old)
    mine.final = "moved"
    passed = Notice(f"{to}/{SYSTEM}/{passing_id(mine.id)}", to, "succession", "decision", case.stream)
    case.notices.append(passed)
    case.wait(1, 3)
    case.receive(passed, department=old, expect="refused", rule="department.ceased")
    case.receive(passed)
    case.take(passed)


@scenario(0.2, stands="joined")
def newcomer(case: Case) -> None:
    """The supervisor that joined last subscribes to the matter; the league's first such case brings it the stock. A
    stranger subscribes to nothing.
    """
    assert isinstance(case.registry, FullRegistry)
    case.grant()
    joined = case.told[-1].addressee
    case.wait(1, 4)
    for notice in case.told:
        case.receive(notice)
    number = f"DY{case.index:07d}"
    said = {"number": number, "matters": [case.item.code]}
    stranger = case.others()[0]
    case.send("subscription.start", stranger, said, expect="refused", rule="supervision.not_addressee")
    if not case.registry.first(f"stock/{joined}"):
        case.send("subscription.start", joined, said)
        return
    case.send("subscription.start", joined, {**said, "backfill_from": STOCK_SINCE})
    permits = [one.stream for one in stock(case.registry, case.league)]
    for permit in permits:
        told = joining_id(f"subscription/{joined}/{number}", permit)
        case.notices.append(Notice(f"{joined}/{SYSTEM}/{told}", joined, "backfill", "decision", permit))
    case.totals["supervisors_of_decisions"] += len(permits)
    case.wait(1, 3)
    case.receive(case.notices[-1])
    case.take(case.notices[-1])


@scenario(0.2)
def matter_returned(case: Case) -> None:
    """A matter of its own is registered, transferred and taken back; no case is about it. The reform office alone."""
    code = f"{case.registry.departments[case.competent].uscc}5{case.index:012d}"
    name, basis = f"{case.item.kind.name}（试点）", f"{case.item.league.name}划转事项动态调整通知"
    entry = {"code": code, "name": name, "competent": case.competent, "legal_basis": case.item.kind.basis}
    case.send("matter.register", REFORM_OFFICE, {"entry": entry}, key=code)
    moved = {"matter": code, "valid_from": case.today, "basis": basis}
    told = {"to": case.organ, "supervisors": supervised(*case.item.supervisors)}
    case.send("matter.transfer", REFORM_OFFICE, {**moved, **told}, key=code)
    case.grant()
    case.wait(30, 60)
    back = {"matter": code, "valid_from": case.today, "basis": basis}
    case.send("matter.return", REFORM_OFFICE, back, key=code)
    for notice in case.told:
        case.receive(notice)

"""Registers mastered elsewhere: taken over in order, never registered here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain import system
from domain.deadletters import RetryDeadLetter
from domain.departments import PrincipalRegistered
from domain.event import Event, Recorded
from domain.following import CannotFollow, follow
from domain.handling import handle
from domain.recheck import Problem, Recheck, Runs
from domain.registers import MASTERED_TOPICS, Registers
from domain.submissions import Submission
from domain.world import World
from tests.unit.memory_intake import MemoryIntake
from tests.unit.spec import MATTER, NOW, OPERATOR, Region, founded

USCC = "11150100000000001F"
PERSON = {"name": "李联络"}
ENTRY = {"code": "s9", "name": "新局", "roles": ["SUPERVISION"], "region": "150100", "valid_from": "2020-01-01"}
DATED = {"matter": MATTER, "valid_from": "2026-05-01", "basis": "通知"}
ENTERED = {"valid_from": "2026-05-01", "basis": "通知"}
MATTER_ENTRY = {"code": MATTER, "name": "施工许可", "competent": "zjj", "legal_basis": "建筑法"}
REGISTRATIONS: list[tuple[str, str, dict[str, Any]]] = [
    ("department.register", "sgb", {"entry": ENTRY}),
    ("principal.register", "operator", {"principal": "p9", "acts_for": ["s1"]}),
    ("liaison.register", "s1", {"number": "01", "person": PERSON}),
    ("matter.register", "sgb", {"entry": MATTER_ENTRY}),
    ("matter.transfer", "sgb", {**DATED, "to": "spj", "supervisors": [{"department": "s1"}]}),
    ("matter.return", "sgb", DATED),
    ("department.succeed", "sgb", {"old": "s2", "to": "s3", "valid_from": "2026-05-01", "basis": "通知"}),
    ("matter.route", "sgb", {**DATED, "supervisors": [{"department": "s1"}]}),
    ("register.enter", "sgb", {**ENTERED, "entry": {"kind": "proposal", "matter": MATTER, "batch": "1"}}),
    ("register.strike", "sgb", {**ENTERED, "kind": "proposal", "key": MATTER}),
    ("mapping.register", "sgb", {"organ_uscc": USCC, "certificate_type": "证", "organ": "spj", "matter": MATTER}),
]


def following() -> Region:
    """A league's store that has taken the region's registers over."""
    league = MemoryIntake()
    league.record(lambda world: system.registers_followed(world, "150000", NOW))
    for event in founded(MemoryIntake()).events:
        league.record(lambda world, event=event: follow(world, event, None))
    return Region(league)


@pytest.mark.parametrize(("type_", "department", "data"), REGISTRATIONS, ids=[one[0] for one in REGISTRATIONS])
def test_nothing_is_registered_where_registers_are_followed(type_: str, department: str, data: dict[str, Any]) -> None:
    assert Region().submit(type_, department, **data).rule != "registers.followed"
    following().refused("registers.followed", type_, department, **data)


def test_every_register_event_comes_of_such_a_submission() -> None:
    said = {type_.replace(".register", ".registered") for type_, _, _ in REGISTRATIONS}
    said |= {f"matter.{done}" for done in ("transferred", "returned", "routed")}
    said |= {"register.entered", "register.struck", "department.succeeded"}
    said |= {"calendar.adopted"}  # the program brings it
    assert set(MASTERED_TOPICS) <= said


def test_cases_are_decided_by_followed_registers() -> None:
    league = following()
    league.accept()
    league.accepted("case.decide", "spj", **league.decision())
    assert [event.addressee for event in league.events if event.TOPIC == "notice.owed"] == ["s1", "s2"]  # type: ignore[attr-defined]


def test_the_operator_retries_dead_letters_there() -> None:
    retry = RetryDeadLetter(department=OPERATOR, place="topic/0/1")
    assert handle(Submission(OPERATOR, "1", NOW, OPERATOR, "none", retry), following().world).disposition == "accepted"


def test_a_gap_is_never_skipped() -> None:
    master, league = Region(), following()
    entry = {**ENTRY, "code": "s1"}
    second, third = (
        master.accepted("department.register", "sgb", entry={**entry, "name": name})[0] for name in ("甲", "乙")
    )
    with pytest.raises(CannotFollow, match=r"department/s1.*1 here.*3"):
        follow(league.world, third, None)
    league.record(lambda world: follow(world, second, None))
    league.record(lambda world: follow(world, third, None))
    assert league.world.registers.departments["s1"].name == "乙"


def test_what_is_known_is_known_by_its_place_and_must_be_the_same() -> None:
    league = following()
    known = next(event for event in league.events if isinstance(event, PrincipalRegistered))
    assert follow(league.world, known, known) == []
    with pytest.raises(CannotFollow, match="not what the master recorded"):
        follow(league.world, known.model_copy(update={"acts_for": ("zjj",)}), known)


def test_a_store_follows_one_master_from_its_beginning() -> None:
    league = following()
    assert system.registers_followed(league.world, "150000", NOW) == []
    with pytest.raises(CannotFollow, match="cannot become"):
        system.registers_followed(league.world, "150001", NOW)
    with pytest.raises(CannotFollow, match="of its own"):
        system.registers_followed(Region().world, "150000", NOW)
    office = league.world.registers.departments["sgb"].model_copy(update={"code": "other"})
    assert system.found(league.world, office, {}, "operator", NOW) == []


def test_stock_is_what_was_decided_before_the_store_began_to_follow() -> None:
    world = World(Registers(), lambda _: {}, NOW)
    world.append(system.registers_followed(world, "150000", datetime(2027, 1, 4, tzinfo=UTC)))
    for event in Region().events:
        world.append(follow(world, event, None))
    assert world.registers.founded_on == date(2027, 1, 4)


def recheck(events: list[Event]) -> tuple[list[Problem], list[str]]:
    """What is wrong, and the streams of the facts that must have their submissions."""
    check, runs, problems, claimed = Recheck(), Runs(), [], []
    for position, event in enumerate(events, 1):
        recorded = Recorded(position, NOW + timedelta(seconds=position), event)
        problems += check.take(recorded)
        ended = runs.take(recorded, check.followed(event))
        claimed += [ended.first.event.originator_id] if ended else []
    last = runs.finish()
    return problems, claimed + ([last.first.event.originator_id] if last else [])


def test_followed_events_need_no_submission_and_all_others_do() -> None:
    league = following()
    league.accept()
    problems, claimed = recheck(league.events)
    assert problems == []
    assert claimed == ["case/spj/1"]
    problems, claimed = recheck(Region().events)
    assert problems == []
    assert "department/s1" in claimed


def test_a_refused_attempt_under_the_identity_of_a_followed_submission_is_its_own() -> None:
    league = following()
    last = league.events[-1]
    attempt = league.submit("department.register", "sgb", entry=ENTRY).events[0]
    twin = attempt.model_copy(update={"meta": last.meta})
    assert recheck([*league.events[:-1], twin])[1] == [twin.originator_id]


@pytest.mark.parametrize(
    "tamper",
    [
        lambda events: [*events[1:5], events[0].model_copy(update={"originator_version": 1})],  # after registers
        lambda events: [events[0].model_copy(update={"originator_id": "elsewhere"})],
        lambda events: [events[0], events[0].model_copy(update={"originator_version": 2})],
        lambda events: [events[0].model_copy(update={"store": "150001"})],  # not the one its id names
    ],
)
def test_following_is_said_once_and_before_all_registers(tamper: Callable[[list[Event]], list[Event]]) -> None:
    assert recheck(tamper(following().events))[0]

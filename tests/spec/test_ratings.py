"""好差评 (3.3a–c): five levels, once for each service; the steps of a bad one; wrong ones excluded by others."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from domain import system
from domain.clock_state import Clock
from domain.clocks import ClockKind, Due
from domain.ladders import clock_of
from domain.notices import NoticeOwed
from domain.ratings import RatingState
from tests.unit.memory_intake import MemoryIntake
from tests.unit.spec import MATTER, OPERATOR, Region, founded, owed

AT = "2026-03-01T10:00:00+08:00"
ONE: dict[str, Any] = {"organ": "spj", "number": "1", "service": "decision"}
COUNTER: dict[str, Any] = {"organ": "spj", "number": "A03-17", "service": "counter"}
CONTACT = {"contacted_at": "2026-03-02T10:00:00+08:00", "finding": "confirmed", "detail": "已致电，情况属实"}


@pytest.fixture
def rated(region: Region) -> Region:
    """A granted case; the platform may act for the approval department."""
    region.accepted("principal.register", OPERATOR, by=OPERATOR, principal="pt", acts_for=["pt", "spj"])
    region.granted()
    return region


def rate(region: Region, level: int = 1, of: dict[str, Any] = ONE, **more: Any) -> list[str]:
    """The notices it owes."""
    return owed(region.accepted("rating.record", "pt", **of, level=level, rated_at=AT, **more))


def state(region: Region, of: dict[str, Any] = ONE) -> RatingState:
    return region.world.rating("rating/{organ}/{number}/{service}".format(**of))


@pytest.mark.clause("3.3a")
def test_five_levels_once_for_each_service(rated: Region) -> None:
    levels = {"acceptance": 5, "decision": 3, "collection": 4}
    for service, level in levels.items():
        assert rate(rated, level, ONE | {"service": service}, tags="服务态度") == []  # nothing follows
    assert rate(rated, 5, COUNTER, window="A03", matter=MATTER) == []
    recorded = state(rated, COUNTER).recorded
    assert recorded is not None
    assert (recorded.level, recorded.case, recorded.matter) == (5, "", MATTER)
    assert {one: getattr(state(rated, ONE | {"service": one}).recorded, "level", 0) for one in levels} == levels
    rated.refused("rating.exists", "rating.record", "pt", **ONE, level=1, rated_at=AT)


@pytest.mark.clause("3.3a", refused=True)
def test_nobody_rates_itself_and_the_platform_only_for_whom_it_may_act(rated: Region) -> None:
    said = {"level": 5, "rated_at": AT}
    rated.refused("mandate.role", "rating.record", "spj", **ONE, **said)
    rated.refused("mandate.role", "rating.record", "s1", **ONE, **said)
    rated.refused("mandate.principal", "rating.record", "pt", by="spj", **ONE, **said)
    other = COUNTER | {"organ": "zjj", "window": "B1"}
    rated.refused("mandate.principal", "rating.record", "pt", **other, **said)
    rated.waits("case/spj/9", "rating.record", "pt", **(ONE | {"number": "9"}), **said)
    for level in (0, 6):
        with pytest.raises(ValidationError):
            rated.submit("rating.record", "pt", **ONE, level=level, rated_at=AT)
    rated.dead("rated_at", "date.future", "rating.record", "pt", **ONE, level=1, rated_at="2026-03-03T00:00:00+08:00")
    rated.dead("rated_at", "date.order", "rating.record", "pt", **ONE, level=1, rated_at="2026-01-01T00:00:00+08:00")
    with pytest.raises(ValidationError, match="窗口"):
        rated.submit("rating.record", "pt", **COUNTER, **said)
    assert state(rated).recorded is None


@pytest.mark.clause("3.3b")
def test_a_bad_one_is_told_contacted_put_right_and_asked_again(rated: Region) -> None:
    [notice] = rate(rated, 2, comment="跑了三趟")
    told = rated.state(notice).owed
    assert told is not None
    assert (told.addressee, told.about, told.case) == ("spj", "rating", "case/spj/1")
    rated.accepted("rating.contact", "spj", **ONE, **CONTACT, complexity="complex")
    rated.accepted("rating.rectify", "spj", **ONE, on="2026-03-02", measures="一次性告知")
    rated.accepted("rating.revisit", "pt", **ONE, on="2026-03-02", satisfied=True)
    found = state(rated)
    assert [one and one.isoformat() for one in (found.contacted, found.rectified, found.revisited)] == [
        "2026-03-02", "2026-03-02", "2026-03-02"
    ]  # fmt: skip
    [counter] = rate(rated, 1, COUNTER, window="A03")
    told = rated.state(counter).owed
    assert told is not None
    assert (told.addressee, told.case, told.matter) == ("spj", "", "")
    assert all("跑了三趟" not in event.model_dump_json() for event in rated.events)


def clock(region: Region, stage: str) -> Clock:
    found = clock_of(f"rating/spj/1/decision/{stage}", region.world)
    assert found is not None
    return found


def by_default(region: Region, kind: ClockKind, since: date) -> Due:
    return region.world.registers.due(kind, since, region="150100", matter=MATTER)


@pytest.mark.clause("3.3b")
def test_each_step_has_a_day_of_its_own(rated: Region) -> None:
    rate(rated, 1)
    contact = clock(rated, "contact")
    assert (contact.holders, contact.case, contact.running) == (("spj",), "case/spj/1", True)
    assert contact.due == by_default(rated, "rating_contact", contact.due.since)
    for stage in ("rectify", "other"):
        assert clock_of(f"rating/spj/1/decision/{stage}", rated.world) is None
    rated.accepted("rating.contact", "spj", **ONE, **CONTACT, complexity="complex")
    assert not clock(rated, "contact").running
    rectify = clock(rated, "rectify").due
    assert rectify == by_default(rated, "rating_rectify_complex", rectify.since)
    rated.accepted("rating.rectify", "spj", **ONE, on="2026-03-02", measures="一次性告知")
    revisit = clock(rated, "revisit").due
    assert revisit == by_default(rated, "rating_revisit", revisit.since)
    rate(rated, 2, COUNTER, window="A03")
    counter = "rating/spj/A03-17/counter/contact"
    rated.accepted("rating.appeal", "spj", **COUNTER, reason="误评")
    assert clock_of(counter, rated.world).running  # type: ignore[union-attr]
    rated.accepted("rating.decide_appeal", "qu", **COUNTER, outcome="excluded", reason="属误评")
    assert not clock_of(counter, rated.world).running  # type: ignore[union-attr]


def test_who_misses_the_day_is_pressed_and_who_is_above_may_give_more() -> None:
    intake = founded(MemoryIntake())
    region = Region(intake)
    region.accepted("principal.register", OPERATOR, by=OPERATOR, principal="pt", acts_for=["pt", "spj"])
    region.granted()
    rate(region, 1)
    assert clock(region, "contact").due.on == date(2026, 6, 2)
    region.accepted("clock.extend", "sgb", clock="rating/spj/1/decision/contact", days=2, reason="涉及多部门")
    assert clock(region, "contact").due.on == date(2026, 6, 4)
    intake.now += timedelta(days=30)
    for _ in range(4):
        region.record(lambda world: system.rung_climbed(world, "rating/spj/1/decision/contact", intake.now))
    told = [(one.addressee, one.about) for one in region.events if isinstance(one, NoticeOwed)]
    assert told[-5:] == [
        ("spj", "reminder"), ("sgb", "escalation"), ("spj", "escalation"), ("qu", "escalation"), ("spj", "escalation")
    ]  # fmt: skip


@pytest.mark.clause("3.3b", refused=True)
def test_who_was_rated_gives_itself_no_longer(rated: Region) -> None:
    rate(rated, 1)
    more = {"clock": "rating/spj/1/decision/contact", "days": 5, "reason": "x"}
    rated.refused("mandate.role", "clock.extend", "spj", **more)
    rated.refused("mandate.role", "clock.extend", "pt", **more)
    rated.refused("clock.none", "clock.extend", "sgb", **(more | {"clock": "rating/spj/1/decision/revisit"}))
    rated.waits("rating/spj/9/decision", "clock.extend", "sgb", **(more | {"clock": "rating/spj/9/decision/contact"}))


@pytest.mark.clause("3.3b", refused=True)
def test_no_step_before_the_one_before_it_and_none_by_others(rated: Region) -> None:
    stream = "rating/spj/1/decision"
    rated.waits(stream, "rating.contact", "spj", **ONE, **CONTACT)
    rate(rated, 5, ONE | {"service": "collection"})
    rated.refused("rating.good", "rating.contact", "spj", **(ONE | {"service": "collection"}), **CONTACT)
    rate(rated)  # releases what waited for it: the contact
    assert state(rated).contacted is not None
    rated.refused("rating.done", "rating.contact", "spj", **ONE, **CONTACT)
    rated.refused("rating.not_yours", "rating.rectify", "s1", **ONE, on="2026-03-02", measures="x")
    rated.refused("rating.not_yours", "rating.rectify", "pt", **ONE, on="2026-03-02", measures="x")
    rated.waits(stream, "rating.revisit", "pt", **ONE, on="2026-03-02", satisfied=True)
    rated.dead("on", "date.order", "rating.rectify", "spj", **ONE, on="2026-03-01", measures="x")
    rate(rated, 1, COUNTER, window="A03")
    rated.waits("rating/spj/A03-17/counter", "rating.rectify", "spj", **COUNTER, on="2026-03-02", measures="x")
    early = CONTACT | {"contacted_at": "2026-02-28T00:00:00+08:00"}
    rated.dead("contacted_at", "date.order", "rating.contact", "spj", **COUNTER, **early)


@pytest.mark.clause("3.3c")
def test_a_wrong_one_is_excluded_and_stays_on_record(rated: Region) -> None:
    rate(rated)
    rated.accepted("rating.appeal", "spj", **ONE, reason="误评其他窗口")
    events = rated.accepted("rating.decide_appeal", "qu", **ONE, outcome="excluded", reason="属误评")
    [notice] = owed(events)
    told = rated.state(notice).owed
    assert told is not None
    assert (told.addressee, told.about) == ("spj", "rating_appeal")
    assert (state(rated).appeal, getattr(state(rated).recorded, "level", 0)) == ("excluded", 1)
    rated.refused("rating.excluded", "rating.contact", "spj", **ONE, **CONTACT)
    rate(rated, 2, COUNTER, window="A03")
    rated.accepted("rating.appeal", "spj", **COUNTER, reason="不实")
    rated.accepted("rating.decide_appeal", "pt", **COUNTER, outcome="upheld", reason="属实")
    rated.accepted("rating.contact", "spj", **COUNTER, **CONTACT)  # the clock goes on


@pytest.mark.clause("3.3c", refused=True)
def test_who_was_rated_does_not_exclude(rated: Region) -> None:
    rate(rated)
    decision = {"outcome": "excluded", "reason": "x"}
    rated.waits("rating/spj/1/decision", "rating.decide_appeal", "sgb", **ONE, **decision)
    rated.refused("rating.own", "rating.decide_appeal", "spj", **ONE, **decision)
    rated.refused("mandate.role", "rating.decide_appeal", "s1", **ONE, **decision)
    entry = {"code": "bt", "name": "包头审改办", "roles": ["REFORM_OFFICE"], "region": "150200"}
    rated.accepted("department.register", "sgb", entry=entry | {"valid_from": "2020-01-01"})
    rated.accepted("principal.register", OPERATOR, by=OPERATOR, principal="bt", acts_for=["bt"])
    rated.refused("mandate.role", "rating.decide_appeal", "bt", **ONE, **decision)  # of another city
    rated.refused("rating.not_yours", "rating.appeal", "s1", **ONE, reason="x")
    rated.accepted("rating.appeal", "spj", **ONE, reason="x")  # releases what waited for it: the reform office's
    assert state(rated).appeal == "excluded"
    rate(rated, 1, COUNTER, window="A03")
    rated.accepted("rating.appeal", "spj", **COUNTER, reason="x")
    rated.refused("rating.appealed", "rating.appeal", "spj", **COUNTER, reason="y")
    rated.accepted("rating.decide_appeal", "sgb", **COUNTER, outcome="upheld", reason="x")
    rated.refused("rating.appealed", "rating.decide_appeal", "pt", **COUNTER, **decision)

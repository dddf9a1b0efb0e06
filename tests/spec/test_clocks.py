"""Clocks: due dates by rule, document and calendar; ladders, more time, recomputation, expiry (2.2j, 3.3d)."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest

from domain import system
from domain.calendars import CalendarUnknown
from domain.clock_state import ClockEscalated, ClockReminded, Rise
from domain.clocks import Due, lamp
from domain.event import Event
from domain.ladders import clock_of, entries_due
from domain.notices import NoticeDeemed, NoticeOwed
from tests.spec.test_succession import problems
from tests.unit.spec import MATTER, OWN_MATTER, Region, owed

RECORDED = date(2026, 6, 1)  # a Monday
DOCUMENT = "呼政办发〔2026〕8号"


def enter(region: Region, /, since: str = "2026-01-01", **entry: Any) -> None:
    region.accepted("register.enter", "sgb", entry=entry, valid_from=since, basis=DOCUMENT)


def due(region: Region, notice: str) -> Due:
    found = clock_of(f"notice/{notice}", region.world)
    assert found is not None
    return found.due


def climb(region: Region, subject: str) -> list[Event]:
    """All that is to be climbed by now; one more look finds nothing."""
    found: list[Event] = []
    while more := region.record(partial(system.rung_climbed, subject=subject, now=region.door.now)):
        found += more
    return found


def rungs(events: list[Event]) -> list[tuple[str, int]]:
    return [(one.TOPIC, one.rung) for one in events if isinstance(one, Rise)]


@pytest.mark.clause("2.2j")
def test_a_due_date_says_by_which_rule_document_and_calendar(region: Region) -> None:
    s1, _ = region.granted("1")
    assert due(region, s1) == Due(
        since=RECORDED, on=date(2026, 6, 4), yellow=date(2026, 6, 3), calendar=region.world.registers.edition or ""
    )
    enter(region, kind="time_limit", clock="receive", region="150000", days=10)
    enter(region, kind="time_limit", clock="receive", region="150100", days=15, yellow=2)
    enter(region, kind="time_limit", clock="receive", matter=OWN_MATTER, days=1)
    s1, _ = region.granted("2")
    found = due(region, s1)
    # 端午: Friday the 19th is off; the yellow lamp two working days before.
    assert (found.on, found.yellow) == (date(2026, 6, 23), date(2026, 6, 18))
    assert (found.limit, found.document) == ("receive.150100/1", DOCUMENT)
    enter(region, kind="time_limit", clock="receive", matter=MATTER, days=2)
    s1, _ = region.granted("3")
    assert (due(region, s1).on, due(region, s1).limit) == (date(2026, 6, 3), f"receive.{MATTER}/1")
    assert problems(region) == []


@pytest.mark.clause("2.2j", refused=True)
@pytest.mark.clause("3.3d", refused=True)
def test_nobody_below_changes_limits_or_calendars(region: Region) -> None:
    limit = {"kind": "time_limit", "clock": "receive", "days": 300}
    year = {"kind": "calendar", "year": 2027, "off": [], "worked": []}
    said = {"valid_from": "2026-01-01", "basis": DOCUMENT}
    for entry in (limit, year):
        for department in ("s1", "spj", "qu"):
            region.refused("mandate.role", "register.enter", department, entry=entry, **said)
    wrong = {**year, "off": ["2027-01-02"]}
    region.dead(
        "entry.calendar.off",
        "calendar.weekday",
        "register.enter",
        "sgb",
        entry=wrong,
        valid_from="2026-01-01",
        basis="一",
    )
    both = {**limit, "region": "150100", "matter": MATTER}
    region.dead(
        "entry.time_limit.matter",
        "limit.scope",
        "register.enter",
        "sgb",
        entry=both,
        valid_from="2026-01-01",
        basis="一",
    )


@pytest.mark.clause("2.2j")
def test_the_ladder_is_climbed_once(region: Region) -> None:
    s1, s2 = region.granted()
    subject = f"notice/{s1}"
    region.later(3)
    assert climb(region, subject) == []  # the last day is in time
    region.later(1)
    [reminded, told] = climb(region, subject)
    assert isinstance(reminded, ClockReminded)
    assert isinstance(told, NoticeOwed)
    assert (told.addressee, told.about, told.case, told.due) == ("s1", "reminder", "case/spj/1", None)
    region.later(4)
    escalated = [one for one in climb(region, subject) if isinstance(one, ClockEscalated)]
    assert [(one.rung, one.to) for one in escalated] == [(2, "sgb")]
    region.later(20)  # a week and more in which nobody looked
    assert rungs(climb(region, subject)) == [("clock.escalated", 3)]
    assert rungs(climb(region, f"notice/{s2}")) == [
        ("clock.reminded", 1),
        ("clock.escalated", 2),
        ("clock.escalated", 3),
    ]
    assert climb(region, f"notice/{told.notice}") == []  # nobody is reminded of a reminder
    assert problems(region) == []


@pytest.mark.clause("2.2j", refused=True)
def test_what_is_received_is_not_pressed(region: Region) -> None:
    s1, s2 = region.granted()
    region.accepted("notice.receive", "s1", notice=s1, received_at="2026-03-02T16:00:00+08:00")
    moved = owed(region.accepted("notice.return", "s2", notice=s2, proposed="s3", reason="不归我"))[0]
    region.later(60)
    assert climb(region, f"notice/{s1}") == climb(region, f"notice/{s2}") == []
    assert rungs(climb(region, f"notice/{moved}"))[0] == ("clock.reminded", 1)  # overdue belongs to who holds it now


@pytest.mark.clause("2.2j")
def test_deemed_received_only_where_a_rule_says_so(region: Region) -> None:
    s1, _ = region.granted()
    region.later(90)
    assert not [one for one in climb(region, f"notice/{s1}") if isinstance(one, NoticeDeemed)]
    enter(region, since="2026-08-01", kind="time_limit", clock="receive", days=3, deemed_after=5, ladder=[])
    s1, _ = region.granted("2")
    region.later(99)
    [deemed] = climb(region, f"notice/{s1}")
    assert isinstance(deemed, NoticeDeemed)
    assert (deemed.limit, deemed.document) == ("receive/1", DOCUMENT)
    state = region.state(s1)
    assert (state.deemed, state.received) == (True, False)
    region.accepted("notice.receive", "s1", notice=s1, received_at="2026-03-02T16:00:00+08:00")  # it stands, too
    assert region.state(s1).received


@pytest.mark.clause("2.2j")
def test_more_time_and_time_that_stands_still(region: Region) -> None:
    s1, s2 = region.granted()
    region.accepted("clock.extend", "sgb", clock=f"notice/{s1}", days=5, reason="系统切换")
    assert due(region, s1).on == date(2026, 6, 11)
    region.accepted("clock.suspend", "qu", clock=f"notice/{s2}", on="2026-03-02", reason="系统停机")
    region.later(30)
    assert climb(region, f"notice/{s2}") == []
    region.accepted("clock.resume", "qu", clock=f"notice/{s2}", on="2026-03-02")
    assert rungs(climb(region, f"notice/{s2}"))[0] == ("clock.reminded", 1)
    assert problems(region) == []


@pytest.mark.clause("2.2j", refused=True)
def test_only_who_stands_above_gives_more_time(region: Region) -> None:
    s1, _ = region.granted()
    more = {"clock": f"notice/{s1}", "days": 5, "reason": "忙"}
    for department in ("s1", "spj"):
        region.refused("mandate.role", "clock.extend", department, **more)
    region.refused("clock.state", "clock.resume", "sgb", clock=f"notice/{s1}", on="2026-03-02")
    region.waits("notice/s9/spj/1", "clock.extend", "sgb", **{**more, "clock": "notice/s9/spj/1"})
    region.accepted("notice.receive", "s1", notice=s1, received_at="2026-03-02T16:00:00+08:00")
    region.refused("clock.state", "clock.extend", "sgb", **more)


@pytest.mark.clause("2.2j")
def test_a_new_calendar_moves_what_runs_and_nothing_else(region: Region) -> None:
    first, second = region.granted()
    region.accepted("notice.receive", "s2", notice=second, received_at="2026-03-02T16:00:00+08:00")
    enter(region, kind="calendar", year=2026, off=["2026-06-02", "2026-06-03"], worked=[])
    for notice in (first, second):
        for _ in range(2):  # twice is once
            region.record(partial(system.due_recomputed, subject=f"notice/{notice}", now=region.door.now))
    assert (due(region, first).on, due(region, first).calendar) == (date(2026, 6, 8), "2026/1")
    assert due(region, second).on == date(2026, 6, 4)
    assert [one.TOPIC for one in region.events].count("clock.recomputed") == 1
    assert problems(region) == []


@pytest.mark.clause("2.2j", refused=True)
def test_beyond_the_calendar_nothing_is_guessed_and_nothing_lost(region: Region) -> None:
    region.later(212)  # 2026-12-30
    s1, _ = region.granted()
    assert (due(region, s1).on, due(region, s1).calendar) == (None, "")
    assert lamp(None, None, None, RECORDED) == "unknown"
    region.later(60)
    assert climb(region, f"notice/{s1}") == []
    with pytest.raises(CalendarUnknown, match="2027"):
        region.world.registers.calendar.works(date(2027, 1, 4))
    enter(region, kind="calendar", year=2027, off=["2027-01-01"], worked=[])
    region.record(partial(system.due_recomputed, subject=f"notice/{s1}", now=region.door.now))
    assert due(region, s1).on == date(2027, 1, 5)
    assert rungs(climb(region, f"notice/{s1}"))[0] == ("clock.reminded", 1)


@pytest.mark.clause("2.2j")
def test_a_finding_a_task_and_a_case_have_clocks_too(region: Region) -> None:
    enter(region, kind="guide", matter=MATTER, elements=["申请表"], steps=["受理"], promised_days=5)
    enter(region, kind="work_capability", matter=MATTER, work="survey", party="competent")
    region.granted("1")
    finding = {
        "number": "F1",
        "case_organ": "spj",
        "case_number": "1",
        "found_on": "2026-03-01",
        "suggestion": "rectify",
    }
    region.accepted("feedback.raise", "s1", **finding, detail="不符")
    region.accept("2")
    task = region.case("2", task="T1", work="survey", opened_on="2026-02-02", due_on="2026-02-20")
    region.accepted("task.open", "spj", **task)
    clocks = {name: clock_of(name, region.world) for name in ("feedback/s1/F1", "tasks/spj/2/T1", "case/spj/2")}
    assert {name: (c.kind, c.holders, c.due.on, c.running) for name, c in clocks.items() if c} == {
        "feedback/s1/F1": ("reply", ("spj",), date(2026, 6, 8), True),
        "tasks/spj/2/T1": ("task", ("zjj",), date(2026, 2, 20), True),
        "case/spj/2": ("decide", ("spj",), date(2026, 2, 6), False),  # it waits for the survey
    }
    assert rungs(climb(region, "tasks/spj/2/T1"))[0] == ("clock.reminded", 1)
    times = {"began_at": "2026-02-10T09:00:00+08:00", "ended_at": "2026-02-10T10:00:00+08:00"}
    done = region.case("2", task="T1", result="passed", conclusion="符合", signers=[{"id": "1", "name": "李"}], **times)
    region.accepted("task.complete", "zjj", **done)
    case = clock_of("case/spj/2", region.world)
    assert case is not None
    assert (case.due.on, case.running) == (date(2026, 2, 14), True)  # a Saturday that is worked
    region.later(30)
    assert rungs(climb(region, "case/spj/2"))[0] == ("clock.reminded", 1)
    assert rungs(climb(region, "feedback/s1/F1"))[0] == ("clock.reminded", 1)


@pytest.mark.clause("1.2d")
def test_a_deferred_matters_review_falls_due_and_is_told(region: Region) -> None:
    enter(region, kind="deferral", matter=OWN_MATTER, reason="条件不足", review_on="2026-06-10")
    assert entries_due(region.world.registers, date(2026, 6, 9)) == []
    [subject] = entries_due(region.world.registers, date(2026, 6, 10))
    region.later(10)
    assert [one.addressee for one in climb(region, subject) if isinstance(one, NoticeOwed)] == ["sgb"]
    enter(region, since="2026-06-12", kind="deferral", matter=OWN_MATTER, reason="仍不足", review_on="2026-07-10")
    region.later(32)
    [later] = entries_due(region.world.registers, date(2026, 7, 13))
    assert later != subject
    assert rungs(climb(region, later))[0] == ("clock.reminded", 1)


@pytest.mark.clause("2.2a")
def test_the_end_of_a_permit_is_told_once(region: Region) -> None:
    region.accept()
    region.accepted("case.decide", "spj", **region.decision(valid_to="2026-06-05"))
    tell = partial(system.permit_expired, case="case/spj/1", now=region.door.now)
    region.later(4)
    assert region.record(tell) == []  # its last day
    region.later(1)
    assert {one.split("/")[0] for one in owed(region.record(tell))} == {"s1", "s2", "spj"}
    assert region.record(tell) == []
    region.accepted("case.extend", "spj", **region.case(document_number="延1", on="2026-03-02", valid_to="2026-06-20"))
    region.later(20)
    assert len(owed(region.record(tell))) == 3
    wrong = {"target": "valid_to", "old": "2026-06-20", "new": "2026-07-10", "reason": "笔误", "authorised_by": "局长"}
    region.accepted("case.correct", "spj", **region.case(**wrong, on="2026-03-02"))
    assert region.record(tell) == []
    region.later(20)
    assert len(owed(region.record(tell))) == 3  # the day as corrected
    assert region.record(tell) == []
    assert problems(region) == []


@pytest.mark.clause("3.3d")
def test_the_lamp(region: Region) -> None:
    s1, _ = region.granted()
    day, found = timedelta(days=1), due(region, s1)
    assert found.on is not None
    shown = [lamp(found.on, found.yellow, None, RECORDED + day * n) for n in range(5)]
    assert shown == ["green", "green", "yellow", "yellow", "red"]
    assert lamp(found.on, found.yellow, found.on, found.on + day * 9) == "green"  # it was done in time
    assert lamp(found.on, found.yellow, found.on + day, found.on + day) == "red"


@pytest.mark.clause("5.2a")
def test_a_task_of_the_reform_is_pressed_by_its_overseer(region: Region) -> None:
    task = {"code": "R1", "name": "编制清单", "responsible": "spj", "overseer": "zjj", "due_on": "2026-06-05"}
    enter(region, kind="duty", **task)
    region.later(9)
    [subject] = entries_due(region.world.registers, date(2026, 6, 10))
    told = [(one.addressee, one.about) for one in climb(region, subject) if isinstance(one, NoticeOwed)]
    assert told == [("spj", "reminder"), ("zjj", "escalation"), ("spj", "escalation")]
    enter(region, since="2026-06-10", kind="duty", **task, done=True)
    assert entries_due(region.world.registers, date(2026, 6, 11)) == []


@pytest.mark.clause("2.2j")
def test_what_is_asked_again_has_a_clock_of_its_own(region: Region) -> None:
    region.granted()
    finding = {"number": "F1", "case_organ": "spj", "case_number": "1", "suggestion": "rectify", "detail": "不符"}
    region.accepted("feedback.raise", "s1", **finding, found_on="2026-03-01")
    region.later(60)
    first = rungs(climb(region, "feedback/s1/F1"))
    of = {"supervisor": "s1", "number": "F1"}
    region.accepted("feedback.dispose", "spj", **of, outcome="not", reason="符合")
    assert climb(region, "feedback/s1/F1") == []
    region.accepted("feedback.reply", "s1", **of, detail="仍不符")
    assert climb(region, "feedback/s1/F1") == []
    region.later(30)
    assert rungs(climb(region, "feedback/s1/F1")) == first
    consulting = {"number": "C1", "to": "qu", "question": "如何办理", "reply_by": "2026-03-20"}
    region.accepted("consultation.ask", "spj", **consulting)
    assert rungs(climb(region, "consultation/spj/C1"))[0] == ("clock.reminded", 1)
    assert problems(region) == []


@pytest.mark.clause("4.3a")
def test_every_question_is_pressed_by_itself(region: Region) -> None:
    """All are said to be of one day, as of one of before; the second and the third are recorded on one."""
    subject, of = "consultation/spj/C1", {"asker": "spj", "number": "C1"}
    region.accepted("consultation.ask", "spj", number="C1", to="qu", question="如何办理", reply_by="2026-03-20")
    found = clock_of(subject, region.world)
    assert found is not None
    assert (found.due.since, found.due.on) == (RECORDED, date(2026, 3, 20))
    first = rungs(climb(region, subject))
    assert first[0] == ("clock.reminded", 1)
    region.later(1)
    for question in ("材料向谁提交", "由谁盖章"):
        region.accepted("consultation.answer", "qu", **of, answer="由受理地办理")
        assert climb(region, subject) == []
        region.accepted("consultation.ask_again", "spj", **of, question=question, reply_by="2026-03-20")
        assert rungs(climb(region, subject)) == first
    climbed = [one.meta.id for one in region.events if isinstance(one, Rise)]
    assert len(set(climbed)) == len(climbed) == 3 * len(first)
    assert problems(region) == []


@pytest.mark.clause("2.2e")
def test_more_time_for_a_finding_is_not_for_the_next(region: Region) -> None:
    region.granted()
    finding = {"number": "F1", "case_organ": "spj", "case_number": "1", "suggestion": "rectify", "detail": "不符"}
    region.accepted("feedback.raise", "s1", **finding, found_on="2026-03-01")
    region.accepted("clock.extend", "sgb", clock="feedback/s1/F1", days=5, reason="系统切换")
    of = {"supervisor": "s1", "number": "F1"}
    region.accepted("feedback.dispose", "spj", **of, outcome="not", reason="符合")
    region.accepted("feedback.reply", "s1", **of, detail="仍不符")  # on the same day
    found = clock_of("feedback/s1/F1", region.world)
    assert found is not None
    assert found.due.on == date(2026, 6, 8)


@pytest.mark.clause("2.2j")
def test_a_named_day_keeps_the_time_given_beyond_it(region: Region) -> None:
    subject = "consultation/qu/C1"
    region.accepted("consultation.ask", "qu", number="C1", to="s1", question="如何办理", reply_by="2026-12-30")
    region.accepted("clock.extend", "sgb", clock=subject, days=3, reason="系统切换")
    recompute = partial(system.due_recomputed, subject=subject)

    def due_on() -> date | None:
        region.record(partial(recompute, now=region.door.now))
        found = clock_of(subject, region.world)
        assert found is not None
        return found.due.on

    assert due_on() is None
    enter(region, kind="calendar", year=2027, off=["2027-01-01"], worked=[])
    assert due_on() == date(2027, 1, 5)
    assert due_on() == date(2027, 1, 5)
    assert [one.TOPIC for one in region.events].count("clock.recomputed") == 1
    assert problems(region) == []


@pytest.mark.clause("2.2j", refused=True)
def test_the_same_days_are_not_given_twice(region: Region) -> None:
    s1, _ = region.granted()
    stop = {"clock": f"notice/{s1}", "reason": "系统停机"}
    region.accepted("clock.suspend", "qu", **stop, on="2026-02-24")
    region.accepted("clock.resume", "qu", clock=f"notice/{s1}", on="2026-03-01")
    region.dead("on", "date.order", "clock.suspend", "qu", **stop, on="2026-02-28")
    region.accepted("clock.suspend", "qu", **stop, on="2026-03-01")


@pytest.mark.clause("2.2j", refused=True)
def test_what_is_no_clocks_name_is_said_to_be_none(region: Region) -> None:
    ratings = ("rating/spj/1", "rating/spj/1/decision", "rating/spj/1/decision/other")
    wrong = ("tasks/foo", "tasks/spj/1", "case/foo", "case/a/b/c", "notice/s1/spj", "feedback/s1", "entry/duty/R1/1")
    for name in (*wrong, *ratings, "case/spj/1\n"):
        region.dead("clock", "string_pattern_mismatch", "clock.extend", "sgb", clock=name, days=1, reason="忙")
    stage = "rating/spj/1/decision/contact"
    for name, stream in (("tasks/spj/1/T1", "tasks/spj/1"), ("case/spj/号1", "case/spj/号1"), (stage, stage[:-8])):
        region.waits(stream, "clock.extend", "sgb", clock=name, days=1, reason="忙")

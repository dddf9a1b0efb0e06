"""Feedback threads to their end (2.2e, 2.2f): disposed of, replied to and disposed of again, closed."""

from __future__ import annotations

from typing import Any

import pytest

from domain.attempts import AttemptRefused
from domain.event import Event
from domain.notices import NoticeOwed
from tests.unit.spec import OWN_MATTER, Region

FINDING = {"found_on": "2026-02-20", "suggestion": "rectify", "detail": "未按图施工"}
THREAD = {"supervisor": "s1", "number": "F1"}
ANSWER: dict[str, Any] = {**THREAD, "outcome": "partly", "reason": "已责令整改一处"}
REPLY: dict[str, Any] = {**THREAD, "detail": "另一处仍未整改"}


@pytest.fixture
def region(region: Region) -> Region:
    region.granted()
    region.accepted("feedback.raise", "s1", number="F1", case_organ="spj", case_number="1", **FINDING)
    return region


def status(region: Region) -> str:
    return region.world.feedback("s1", "F1").status


def told(events: list[Event]) -> list[tuple[str, str, str]]:
    """Who is owed a notice about what, in which case."""
    return [(one.addressee, one.about, one.case) for one in events if isinstance(one, NoticeOwed)]


@pytest.mark.clause("2.2e")
@pytest.mark.clause("2.2f")
def test_a_thread_goes_to_its_end_and_each_side_hears_of_the_others_steps(region: Region) -> None:
    assert status(region) == "open"
    for _ in range(2):
        assert told(region.accepted("feedback.dispose", "spj", **ANSWER)) == [("s1", "disposition", "case/spj/1")]
        assert status(region) == "disposed"
        assert told(region.accepted("feedback.reply", "s1", **REPLY)) == [("spj", "feedback_reply", "case/spj/1")]
        assert status(region) == "open"
    region.accepted("feedback.dispose", "spj", **ANSWER)
    assert told(region.accepted("feedback.close", "s1", **THREAD)) == [("spj", "feedback_closed", "case/spj/1")]
    assert status(region) == "closed"


@pytest.mark.clause("2.2e")
def test_what_comes_before_the_disposition_waits_for_it(region: Region) -> None:
    unknown = THREAD | {"number": "F2"}
    region.waits("feedback/s1/F2", "feedback.close", "s1", **unknown)
    for type_, data in (("feedback.reply", REPLY), ("feedback.close", THREAD)):
        region.waits("feedback/s1/F1", type_, "s1", **data)
    region.accepted("feedback.dispose", "spj", **ANSWER)
    assert status(region) == "open"  # by the reply, which came first: the closing waits on
    region.waits("feedback/s1/F1", "feedback.reply", "s1", **REPLY)
    region.accepted("feedback.dispose", "spj", **ANSWER)
    assert status(region) == "closed"


@pytest.mark.clause("2.2e", refused=True)
@pytest.mark.parametrize("department", ["spj", "s2", "zjj"])
def test_only_who_raised_it_replies_or_closes(region: Region, department: str) -> None:
    region.accepted("feedback.dispose", "spj", **ANSWER)
    for type_, data in (("feedback.reply", REPLY), ("feedback.close", THREAD)):
        outcome = region.submit(type_, department, **data)
        [attempt] = outcome.events
        assert isinstance(attempt, AttemptRefused)
        assert (outcome.rule, attempt.about) == ("mandate.role", "feedback/s1/F1")
    assert status(region) == "disposed"


@pytest.mark.clause("2.2f", refused=True)
def test_it_is_disposed_of_once_and_once_more_after_each_reply(region: Region) -> None:
    region.accepted("feedback.dispose", "spj", **ANSWER)
    region.refused("feedback.disposed", "feedback.dispose", "spj", **ANSWER)
    region.accepted("feedback.reply", "s1", **REPLY)
    region.refused("mandate.role", "feedback.dispose", "s2", **ANSWER)
    region.accepted("feedback.dispose", "spj", **ANSWER)
    region.refused("feedback.disposed", "feedback.dispose", "spj", **ANSWER)


@pytest.mark.clause("2.2f", refused=True)
def test_nothing_follows_its_end(region: Region) -> None:
    region.accepted("feedback.dispose", "spj", **ANSWER)
    region.accepted("feedback.close", "s1", **THREAD)
    region.refused("feedback.closed", "feedback.dispose", "spj", **ANSWER)
    region.refused("feedback.closed", "feedback.reply", "s1", **REPLY)
    region.refused("feedback.closed", "feedback.close", "s1", **THREAD)


@pytest.mark.clause("2.1d")
def test_a_department_that_approves_and_supervises_owes_itself_nothing(region: Region) -> None:
    region.accept("5", OWN_MATTER, "zjj")
    region.accepted("case.decide", "zjj", **(region.decision("5") | {"organ": "zjj"}))
    region.accepted("feedback.raise", "zjj", number="F1", case_organ="zjj", case_number="5", **FINDING)
    own = {"supervisor": "zjj"}
    for type_, data in (
        ("feedback.dispose", ANSWER),
        ("feedback.reply", REPLY),
        ("feedback.dispose", ANSWER),
        ("feedback.close", THREAD),
    ):
        assert told(region.accepted(type_, "zjj", **(data | own))) == []

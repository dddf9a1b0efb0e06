"""Integrity-risk signals (3.3f): each found where it was planted, and not just below its threshold."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.decisions import AcceptCase, DecideCase
from domain.guides import Guide
from domain.risks import RiskThreshold, Signal
from domain.seals import ApplySeal, DemandSeal
from domain.tasks import CompleteTask, OpenTask, WorkCapability
from tests.integration.region import (
    APPROVAL,
    DAY,
    FORMER,
    MATTER,
    S1,
    accept,
    by_letter,
    case,
    decide,
    granted,
    receive,
)
from tests.integration.test_queries import ask, ask_json
from tests.integration.test_registers import enter, moment_after
from tests.integration.teststore import TestStore, officer

MORNING = datetime(2026, 3, 2, 2, tzinfo=UTC)  # a Monday, ten o'clock in Beijing
GUIDE = Guide(matter=MATTER, elements=("申请书",), steps=("受理",), promised_days=5)


def found(store: TestStore, signal: Signal) -> list[dict[str, Any]]:
    store.project()
    rows: list[dict[str, Any]] = ask_json(store, "risks", "--kind", signal)["items"]
    return rows


def accepted(store: TestStore, number: str, at: datetime = MORNING, **changes: Any) -> None:
    payload: AcceptCase = accept(number).model_copy(update=changes)
    store.submit(payload, occurred_at=at)


def decided(store: TestStore, number: str, at: datetime = MORNING + timedelta(hours=4), **changes: Any) -> None:
    payload: DecideCase = decide(number).model_copy(update=changes)
    store.submit(payload, occurred_at=at)


def threshold(store: TestStore, signal: Signal, value: int, period: int | None = None) -> None:
    enter(store, RiskThreshold(signal=signal, value=value, period=period), since=date(2026, 1, 1))


@pytest.mark.door("command")
@pytest.mark.clause("3.3f")
def test_what_is_dated_long_before_it_is_handed_in(region: TestStore) -> None:
    accepted(region, "1", accepted_on=DAY - timedelta(days=9))
    assert found(region, "backdated") == []
    accepted(region, "2", accepted_on=DAY - timedelta(days=10))
    [one] = found(region, "backdated")
    assert (one["case"], one["department"], one["measured"], one["threshold"]) == ("2", APPROVAL, 10, 10)
    assert one["positions"] == [one["position"]]
    fact = granted(region, "3")
    region.submit(receive(S1, fact, region.now - timedelta(days=12)))
    assert found(region, "backdated")[0]["department"] == S1


@pytest.mark.door("command")
@pytest.mark.clause("3.3f")
def test_what_is_handed_in_long_before_it_is_recorded(region: TestStore) -> None:
    now = datetime.now(UTC)
    accepted(region, "1", at=now - timedelta(days=2))
    assert found(region, "late") == []
    accepted(region, "2", at=now - timedelta(days=3))
    assert [(one["case"], one["measured"]) for one in found(region, "late")] == [("2", 3)]


@pytest.mark.door("command")
@pytest.mark.clause("3.3f")
def test_what_is_decided_in_seconds(region: TestStore) -> None:
    accepted(region, "0")
    decided(region, "0", MORNING + timedelta(seconds=30))  # by a matter that promises nothing
    enter(region, GUIDE, since=date(2026, 1, 1))
    for number, seconds in (("1", 601), ("2", 600), ("3", 42)):
        accepted(region, number)
        decided(region, number, MORNING + timedelta(seconds=seconds))
    assert [(one["case"], one["measured"]) for one in found(region, "hasty")] == [("3", 42), ("2", 600)]
    accepted(region, "5")
    decided(region, "5", MORNING - timedelta(seconds=1))  # before it was even accepted
    assert found(region, "hasty")[0]["measured"] == 0
    enter(region, GUIDE.model_copy(update={"promised_days": 1}), since=date(2026, 2, 1))
    accepted(region, "4")
    decided(region, "4", MORNING + timedelta(seconds=5))  # 即办件
    assert len(found(region, "hasty")) == 3


@pytest.mark.door("command")
@pytest.mark.clause("3.3f")
def test_the_same_officer_and_party_again_and_again(region: TestStore) -> None:
    threshold(region, "same_party", 3, 30)
    for number in ("1", "2"):
        accepted(region, number)
        decided(region, number)
    accepted(region, "3")
    decided(region, "3", officer=officer("008", "李四光"))  # another officer
    accepted(region, "4", at=MORNING - timedelta(days=40), accepted_on=DAY - timedelta(days=40))
    decided(region, "4", MORNING - timedelta(days=40), decided_on=DAY - timedelta(days=40))  # long ago
    assert found(region, "same_party") == []
    accepted(region, "5")
    decided(region, "5")
    [one] = found(region, "same_party")
    assert (one["officer"], one["party"], one["measured"], len(one["positions"])) == ("007", "91150100MA0000000X", 3, 3)
    assert one["officer_name"] == "张*"


@pytest.mark.door("command")
@pytest.mark.clause("3.3f")
def test_what_was_refused_again_and_again(region: TestStore) -> None:
    granted(region, "1")
    demand = case(DemandSeal, "1", by=FORMER, demanded_of=APPROVAL, seal="住建局印章")
    region.submit(demand, demand, expect="refused")
    assert found(region, "attempts") == []
    region.submit(demand, expect="refused")
    [one] = found(region, "attempts")
    assert (one["department"], one["rule"], one["measured"]) == (FORMER, "seal.demand", 3)
    region.submit(demand, demand, expect="refused")
    assert len(found(region, "attempts")) == 1  # counted anew after a signal


@pytest.mark.door("command")
@pytest.mark.clause("3.3f")
def test_a_seal_before_the_decision(region: TestStore) -> None:
    def seal(number: str, at: datetime) -> ApplySeal:
        return case(ApplySeal, number, seal="SP1", certificate_serial="ab12", document_sm3="0" * 64, applied_at=at)

    for number in ("1", "2", "3"):
        accepted(region, number, accepted_on=DAY - timedelta(days=5))
    region.submit(seal("1", MORNING))
    region.submit(seal("2", MORNING - timedelta(days=1)))
    for number in ("1", "2", "3"):
        decided(region, number)
    region.submit(seal("3", MORNING - timedelta(days=2)))  # comes after the decision was recorded
    assert [(one["case"], one["measured"]) for one in found(region, "seal_first")] == [("3", 2), ("2", 1)]


@pytest.mark.door("command")
@pytest.mark.clause("3.3f")
def test_receipts_in_one_burst(region: TestStore) -> None:
    threshold(region, "burst", 3, 60)
    facts = [granted(region, str(number)) for number in range(4)]

    def sign(fact: str, seconds: int) -> None:
        at = region.now + timedelta(seconds=seconds)
        signed = receive(S1, fact, region.now).model_copy(update={"officer": officer("11", "高娃")})
        region.submit(signed, occurred_at=at)

    sign(facts[0], 0)
    sign(facts[1], 90)
    sign(facts[2], 100)
    assert found(region, "burst") == []
    sign(facts[3], 110)
    [one] = found(region, "burst")
    assert (one["department"], one["officer"], one["measured"], one["period"]) == (S1, "11", 3, 60)


@pytest.mark.door("command")
@pytest.mark.clause("3.3f")
def test_a_letters_slip_is_one_act(region: TestStore) -> None:
    """However many notices are signed for on it."""
    threshold(region, "burst", 3, 60)
    by_letter(region, "1", "2", "3", "4", officer=officer("11", "高娃"))
    assert found(region, "burst") == []
    assert [one["department"] for one in found(region, "late") if one["officer"] == "11"] == [APPROVAL]


@pytest.mark.door("command")
@pytest.mark.clause("3.3f")
def test_decisions_at_night_and_on_days_off(region: TestStore) -> None:
    for number in ("1", "2", "3", "4"):
        accepted(region, number, at=MORNING - timedelta(days=3), accepted_on=DAY - timedelta(days=3))
    decided(region, "1", datetime(2026, 3, 2, 11, 29, tzinfo=UTC))  # 19:29
    decided(region, "2", datetime(2026, 3, 2, 11, 30, tzinfo=UTC))  # two hours after the office has closed
    decided(region, "3", datetime(2026, 3, 1, 2, tzinfo=UTC), decided_on=date(2026, 3, 1))  # a Sunday
    decided(
        region, "4", datetime(2026, 2, 28, 2, tzinfo=UTC), decided_on=date(2026, 2, 28)
    )  # a Saturday that is worked
    assert [(one["case"], one["measured"]) for one in found(region, "off_hours")] == [("3", 1440), ("2", 120)]


@pytest.mark.door("command")
@pytest.mark.clause("3.3f")
def test_granted_soon_after_a_failed_result(region: TestStore) -> None:
    enter(region, WorkCapability(matter=MATTER, work="survey", party="competent"), since=date(2026, 1, 1))
    enter(region, WorkCapability(matter=MATTER, work="testing", party="competent"), since=date(2026, 1, 1))
    for number, *results in (
        ("1", ("survey", "failed", 31)),
        ("2", ("survey", "failed", 30)),
        ("3", ("survey", "failed", 20), ("survey", "passed", 10)),  # done again, and well
        ("4", ("survey", "failed", 20), ("testing", "passed", 10)),  # which is something else
        ("5", ("survey", "passed", 9), ("survey", "failed", 19)),  # recorded the other way round
        ("6", ("survey", "passed", 19), ("survey", "failed", 9)),
    ):
        first = MORNING - timedelta(days=max(days for *_, days in results))
        accepted(region, number, at=first, accepted_on=first.date())
        for task, (work, result, days) in enumerate(results, 1):
            began = MORNING - timedelta(days=days)
            region.submit(
                case(OpenTask, number, task=str(task), work=work, opened_on=began.date()),
                case(
                    CompleteTask, number, by=FORMER, task=str(task), began_at=began, ended_at=began, result=result,
                    conclusion="见附件", signers=(officer(),),
                ),
            )  # fmt: skip
        decided(region, number)
    signals = found(region, "failed_task")
    assert [(one["case"], one["measured"]) for one in signals] == [("6", 9), ("4", 20), ("2", 30)]
    assert all(len(one["positions"]) == 2 for one in signals)


@pytest.mark.door("command")
@pytest.mark.clause("3.3f")
def test_a_threshold_holds_from_its_recording_and_for_its_days(region: TestStore) -> None:
    accepted(region, "1", accepted_on=DAY - timedelta(days=5))
    before = moment_after(region)
    threshold(region, "backdated", 4)
    accepted(region, "2", accepted_on=DAY - timedelta(days=5))
    accepted(region, "3", at=datetime(2025, 12, 15, 2, tzinfo=UTC), accepted_on=date(2025, 12, 10))  # of before
    [one] = found(region, "backdated")
    assert (one["case"], one["threshold"]) == ("2", 4)
    assert ask_json(region, "risks", "--kind", "backdated", "--as-known-at", before)["total"] == 0
    assert ask_json(region, "risks", "--kind", "backdated", "--department", S1)["total"] == 0
    assert "廉政风险信号（供核查，不是结论）" in ask(region, "risks")
    assert "backdated" in ask(region, "risks", "--lang", "en")
    assert "4" in ask(region, "lists", "risk_threshold")


@pytest.mark.door("command")
@pytest.mark.clause("3.3f", refused=True)
def test_there_are_no_other_signals(region: TestStore) -> None:
    ask(region, "risks", "--kind", "corrupt", code=2)

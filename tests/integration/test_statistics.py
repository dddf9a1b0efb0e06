"""Statistics at the terminal (2.2k)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.postgres.writer import Writer
from domain.clock_state import ExtendClock
from domain.departments import RegisterDepartment
from domain.event import Event
from domain.notices import NoticeDeemed, ReturnNotice
from domain.submissions import BEIJING
from domain.supervision import DisposeFeedback, RaiseFeedback
from domain.system import system_meta
from domain.world import World
from tests.integration.region import (
    APPROVAL,
    DAY,
    MATTER,
    OFFICE,
    S1,
    S2,
    S3,
    dispatched,
    granted,
    receive,
    registers,
)
from tests.integration.test_queries import ask, ask_json
from tests.integration.teststore import TestStore, department


@contextmanager
def recorded(store: TestStore, month: int, day: int, hour: int = 10) -> Iterator[datetime]:
    """What is done meanwhile occurs and is recorded then, in 2026."""
    store.now = datetime(2026, month, day, hour, tzinfo=BEIJING)
    store.writer = Writer(store.connect, store.sealer.seal_all, clock=lambda: store.now)
    yield store.now


@pytest.fixture
def march(store: TestStore) -> TestStore:
    """Two cases for S1 and S2. S1 receives one in time and one late; S2 returns one when it is overdue to S3, which
    has not received it, and lets the other lie. S1 raises feedback about the first."""
    with recorded(store, 2, 2):
        registers(store)
        store.submit(
            RegisterDepartment(department=OFFICE, entry=department(S2, "监管二局", "SUPERVISION", region="150221"))
        )
    with recorded(store, 3, 2) as now:
        facts = [granted(store, number) for number in ("1", "2")]
        store.facts(dispatched(f"{S1}/{facts[0]}", now))
    with recorded(store, 3, 4) as now:
        store.submit(receive(S1, facts[0], now))
        store.facts(dispatched(f"{S2}/{facts[0]}", now))
    with recorded(store, 3, 6) as now:
        store.submit(receive(S1, facts[1], now))
        store.submit(ReturnNotice(department=S2, notice=f"{S2}/{facts[0]}", proposed=S3, reason="不归我"), id_="r1")
    with recorded(store, 3, 9):
        store.submit(
            RaiseFeedback(
                department=S1, number="f1", case_organ=APPROVAL, case_number="1", found_on=DAY, suggestion="rectify",
                detail="不符",
            )
        )  # fmt: skip
    with recorded(store, 3, 11):
        store.submit(DisposeFeedback(department=APPROVAL, supervisor=S1, number="f1", outcome="adopted", reason="属实"))
    store.project()
    return store


def rates(row: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {key: (one["part"], one["whole"]) for key, one in row.items() if isinstance(one, dict) and "part" in one}


STATE = ("owed", "received", "deemed", "moved", "outstanding")


@pytest.mark.door("command")
@pytest.mark.clause("2.2k")
def test_every_rate_of_every_department(march: TestStore) -> None:
    found = ask_json(march, "statistics", "--by", "department", "--as-known-at", "2026-03-31", "--about", "decision")
    lines = {item["key"]: item for item in found["items"]}
    assert {key: [line[name] for name in STATE] for key, line in lines.items()} == {
        S1: [2, 2, 0, 0, 0],
        S2: [2, 0, 0, 1, 1],
        S3: [1, 0, 0, 0, 1],
    }
    assert rates(lines[S1]) == {
        "dispatch_rate": (1, 2),
        "receipt_rate": (2, 2),
        "timely_receipt_rate": (1, 2),
        "return_rate": (0, 2),
        "feedback_rate": (1, 2),
        "timely_feedback_rate": (0, 0),
        "disposition_rate": (0, 0),
    }
    assert lines[S1]["mean_receipt_days"] == {"days": 3.0, "receipts": 2}  # Wednesday and Friday after a Monday
    assert rates(lines[S2])["return_rate"] == (1, 2)
    assert rates(lines[S2])["timely_receipt_rate"] == (0, 2)  # both fell due in its hands
    assert (lines[S2]["overdue"], lines[S2]["overdue_outstanding"]) == (2, 1)
    assert rates(lines[S2])["feedback_rate"] == (0, 1)  # the case it returned is no longer its own
    assert rates(lines[S3])["timely_receipt_rate"] == (0, 1)
    total = found["total"]
    assert [total[name] for name in STATE] == [5, 2, 0, 1, 2]
    assert total["owed"] == total["received"] + total["deemed"] + total["moved"] + total["outstanding"]
    every = ask_json(march, "statistics", "--by", "department", "--as-known-at", "2026-03-31")
    [organ] = [item for item in every["items"] if item["key"] == APPROVAL]
    assert rates(organ)["timely_feedback_rate"] == rates(organ)["disposition_rate"] == (1, 1)


@pytest.mark.door("command")
@pytest.mark.clause("2.2k")
def test_as_known_then_stays_as_it_was(march: TestStore) -> None:
    """Later facts, and facts of before that are recorded later, change nothing in what a past day knew."""
    days = [f"2026-03-{day:02d}" for day in range(2, 13)]
    before = {day: ask_json(march, "statistics", "--by", "department", "--as-known-at", day) for day in days}
    known = {day: before[day]["total"] for day in days}
    assert [known[day]["received"] for day in days[:6]] == [0, 0, 1, 1, 2, 2]
    assert [known[day]["due"] for day in days[:5]] == [0, 0, 0, 4, 4]
    assert [known[day]["overdue_outstanding"] for day in days[:5]] == [0, 0, 0, 3, 1]
    assert [known[day]["outstanding"] for day in days[:5]] == [4, 4, 3, 3, 2]
    assert [known[day]["dispatch_due"] for day in days[:2]] == [0, 4]
    with recorded(march, 3, 13) as now:
        march.submit(receive(S2, "test/d-2", now - timedelta(days=9)))  # on Wednesday the 4th, so they say now
    march.project()
    assert {day: ask_json(march, "statistics", "--by", "department", "--as-known-at", day) for day in days} == before
    now_known = ask_json(march, "statistics", "--as-known-at", "2026-03-13", "--department", S2)["total"]
    assert rates(now_known)["timely_receipt_rate"] == (1, 2)


@pytest.mark.door("command")
@pytest.mark.clause("2.2k")
def test_ranking_periods_and_regions(march: TestStore) -> None:
    def ranks(*words: str) -> list[tuple[Any, ...]]:
        found = ask_json(march, "statistics", "--as-known-at", "2026-03-31", "--about", "decision", *words)
        return [(item.get("rank"), item["key"], item["name"], item["owed"]) for item in found["items"]]

    assert [line[:2] for line in ranks("--by", "department")] == [(1, S1), (2, S2), (2, S3)]
    assert [line[:2] for line in ranks("--by", "department", "--rank", "return_rate")] == [(1, S2), (2, S1), (2, S3)]
    assert ranks("--by", "region") == [(1, "150100", "呼和浩特市", 3), (2, "150200", "包头市", 2)]
    assert ranks("--by", "matter") == [(1, MATTER, "施工许可", 5)]
    assert ranks("--by", "day") == [(None, "2026-03-02", "2026-03-02", 4), (None, "2026-03-06", "2026-03-06", 1)]
    assert ranks("--by", "quarter") == [(None, "2026Q1", "2026Q1", 5)]
    assert ranks("--by", "month", "--from", "2026-03-03", "--to", "2026-03-31") == [(None, "2026-03", "2026-03", 1)]
    assert ranks("--by", "year", "--matter", "x") == []
    nothing = ask_json(march, "statistics", "--matter", "x")["total"]
    assert {one["rate"] for one in nothing.values() if isinstance(one, dict) and "rate" in one} == {None}
    assert nothing["mean_receipt_days"]["days"] is None


@pytest.mark.door("command")
@pytest.mark.clause("2.2k")
def test_overdue_notices_are_listed(march: TestStore) -> None:
    at = ("statistics", "--overdue", "--as-known-at")
    found = ask_json(march, *at, "2026-03-11")
    assert [(one["department"], one["case"], one["due_on"], one["days_over"]) for one in found["items"]] == [
        (S2, "2", "2026-03-05", 4),
        (S3, "1", "2026-03-11", 0),
    ]
    assert [one["department"] for one in ask_json(march, *at, "2026-03-05")["items"]] == [S1, S2, S2]
    assert ask_json(march, *at, "2026-03-04")["total"] == 0
    assert ask_json(march, *at, "2026-03-05", "--department", S1)["total"] == 1
    assert "监管三局" in ask(march, *at, "2026-03-11")


@pytest.mark.door("command")
@pytest.mark.clause("2.2k")
def test_people_see_what_was_divided_by_what(march: TestStore, tmp_path: Path) -> None:
    words = ("statistics", "--by", "department", "--as-known-at", "2026-03-31", "--about", "decision")
    text = ask(march, *words)
    assert "50.0% 1/2" in text
    assert "按时签收率" in text
    assert "合计" in text
    assert "0/0" not in text
    assert "—" in text
    english = ask(march, *words, "--lang", "en")
    assert "timely receipt rate" in english
    assert "合计" not in english
    ask(march, *words, "--export", str(tmp_path / "s.csv"))
    rows = list(csv.DictReader((tmp_path / "s.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert [(row["部门"], row["应告知"], row["按时签收率"]) for row in rows] == [
        ("监管一局", "2", "0.5"), ("监管二局", "2", "0.0"), ("监管三局", "1", "0.0"),
    ]  # fmt: skip
    assert ask_json(march, "statistics", "--overdue", "--export", str(tmp_path / "o.jsonl"))["rows"] > 0


@pytest.mark.door("command")
@pytest.mark.clause("2.2k", refused=True)
def test_a_question_that_has_no_answer_is_not_answered_otherwise(march: TestStore, tmp_path: Path) -> None:
    """No deemed receipt, no rate of nothing, no day that is not over, no moment, no breakdown that is not there."""
    tomorrow = (datetime.now(BEIJING).date() + timedelta(days=1)).isoformat()
    assert "尚未到" in ask(march, "statistics", "--as-known-at", tomorrow, code=2)
    assert "只给日期" in ask(march, "statistics", "--as-known-at", "2026-03-04T12:00", code=2)
    assert "须是" in ask(march, "statistics", "--by", "officer", code=2)
    assert "须是" in ask(march, "statistics", "--by", "department", "--rank", "deemed", code=2)
    assert "须是" in ask(march, "statistics", "--about", "rumour", code=2)
    assert "--public" in ask(march, "statistics", "--quarter", "2026Q1", code=2)
    assert "早于" in ask(march, "statistics", "--from", "2026-03-04", "--to", "2026-03-03", code=2)
    (tmp_path / "s.csv").write_text("mine")
    assert "已存在" in ask(march, "statistics", "--export", str(tmp_path / "s.csv"), code=1)
    assert (tmp_path / "s.csv").read_text() == "mine"
    with march.connect_reader(S1) as conn:
        assert conn.execute("SELECT DISTINCT department FROM read.daily").fetchall() == [(S1,)]
        assert conn.execute("SELECT DISTINCT department FROM read.daily_notices").fetchall() == [(S1,)]


@pytest.mark.door("command")
@pytest.mark.clause("2.2k", refused=True)
def test_a_deemed_receipt_is_never_counted_as_received(march: TestStore) -> None:
    with recorded(march, 3, 16) as now:

        def deem(world: World, _: datetime) -> list[Event]:
            meta = system_meta("deemed", now)
            return [world.notice(f"{S2}/test/d-2").then(NoticeDeemed, meta, limit="receive/1", document="文")]

        march.facts(deem)
    march.project()
    found = ask_json(march, "statistics", "--department", S2, "--as-known-at", "2026-03-16")["total"]
    assert [found[name] for name in STATE] == [2, 0, 1, 1, 0]
    assert rates(found)["receipt_rate"] == (0, 2)
    assert rates(found)["timely_receipt_rate"] == (0, 2)
    assert found["overdue_outstanding"] == 0
    assert ask_json(march, "statistics", "--overdue", "--department", S2, "--as-known-at", "2026-03-16")["total"] == 0
    before = ask_json(march, "statistics", "--department", S2, "--as-known-at", "2026-03-15")["total"]
    assert [before[name] for name in STATE] == [2, 0, 0, 1, 1]


@pytest.mark.door("command")
@pytest.mark.clause("2.2k")
def test_an_extended_notice_falls_due_on_its_new_day(march: TestStore) -> None:
    """From the day of the extension on, and not before."""
    with recorded(march, 3, 10):
        march.submit(ExtendClock(department=OFFICE, clock=f"notice/{S3}/test/r1", days=2, reason="人手不足"))
    march.project()

    def late(on: str) -> list[tuple[str, str]]:
        found = ask_json(march, "statistics", "--overdue", "--department", S3, "--as-known-at", on)
        total = ask_json(march, "statistics", "--department", S3, "--as-known-at", on)["total"]
        assert total["overdue_outstanding"] == found["total"]
        return [(one["due_on"], one["department"]) for one in found["items"]]

    assert late("2026-03-11") == late("2026-03-12") == []
    assert late("2026-03-13") == [("2026-03-13", S3)]
    with recorded(march, 3, 16):
        march.submit(ExtendClock(department=OFFICE, clock=f"notice/{S3}/test/r1", days=9, reason="人手不足"))
    march.project()
    assert late("2026-03-13") == [("2026-03-13", S3)]
    assert late("2026-03-16") == []

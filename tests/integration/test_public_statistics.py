"""Anonymised public statistics (5.4a): what they show, what they hide, and what is refused."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from domain.departments import RegisterDepartment
from domain.disclosure import Cell, hidden
from domain.matters import Matter, RegisterMatter, Supervisor, TransferMatter
from infra.public_statistics import Grid
from tests.attack import Place, Range, narrowed
from tests.integration.region import (
    APPROVAL,
    FORMER,
    MATTER,
    OFFICE,
    S1,
    S2,
    S3,
    accept,
    decide,
    receive,
    registers,
)
from tests.integration.test_queries import ask, ask_json
from tests.integration.test_statistics import recorded
from tests.integration.teststore import TestStore, department

FIRST = ("statistics", "--public", "--quarter", "2026Q1")
NIGHT = "11150100000000001F3000112009000"


@pytest.fixture
def quarter(store: TestStore) -> TestStore:
    """Many cases in January and March, few in February, for two leagues and two matters; the fewest for S3."""
    with recorded(store, 1, 5):
        registers(store)
        store.submit(
            RegisterDepartment(department=OFFICE, entry=department(S2, "监管二局", "SUPERVISION", region="150221")),
            RegisterDepartment(department=OFFICE, entry=department(S3, "监管三局", "SUPERVISION", region="152201")),
            RegisterMatter(
                department=OFFICE, entry=Matter(code=NIGHT, name="夜间施工", competent=FORMER, legal_basis="条例")
            ),
            TransferMatter(
                department=OFFICE, matter=NIGHT, valid_from=date(2025, 1, 1), basis="二", to=APPROVAL,
                supervisors=(Supervisor(department=S3), Supervisor(department=S1)),
            ),
        )  # fmt: skip
    number = 0
    for month, usual, seldom in ((1, 9, 7), (2, 8, 2), (3, 12, 6)):
        with recorded(store, month, 9) as now:
            for code in [MATTER] * usual + [NIGHT] * seldom:
                number += 1
                more = {"accepted_on": now.date()}
                store.submit(accept(str(number), matter=code).model_copy(update=more), id_=f"a-{number}")
                day = {"decided_on": now.date(), "valid_from": now.date()}
                store.submit(decide(str(number)).model_copy(update=day), id_=f"d-{number}")
                if number % 3:
                    store.submit(receive(S1, f"test/d-{number}", now))
    store.project()
    return store


def cells(found: dict[str, Any], counter: str) -> dict[tuple[str, str], int | None]:
    return {(item["key"], item["month"]): item[counter] for item in found["items"]}


COUNTERS = ("owed", "received", "due", "received_in_time", "feedback_raised", "feedback_disposed")
PARTS = (
    *(("received", "owed"), ("received_in_time", "due"), ("feedback_disposed", "feedback_raised")),
    *(("due", "owed"), ("received_in_time", "received")),
)


def published(store: TestStore) -> dict[str, list[list[int | None]]]:
    """Every table of the quarter, with its totals."""
    found = {}
    for by in ("region", "matter"):
        items = ask_json(store, *FIRST, "--by", by)["items"]
        for counter in COUNTERS:
            values = [item[counter] for item in items]
            found[f"{counter} by {by}"] = [values[at : at + 4] for at in range(0, len(values), 4)]
    return found


def attacked(shown: dict[str, list[list[int | None]]]) -> dict[Place, Range]:
    """What whoever has all of them comes to know."""
    parts = [(f"{part} by {by}", f"{whole} by {by}") for part, whole in PARTS for by in ("region", "matter")]
    return narrowed(shown, parts, [(f"{counter} by region", f"{counter} by matter") for counter in COUNTERS])


@pytest.mark.door("command")
@pytest.mark.clause("5.4a")
@pytest.mark.parametrize("by", ["region", "matter"])
def test_public_statistics_add_up_and_name_nobody(quarter: TestStore, by: str, tmp_path: Path) -> None:
    found = ask_json(quarter, *FIRST, "--by", by)
    assert (found["quarter"], found["as_known_at"], found["smallest"]) == ("2026Q1", "2026-03-31", 5)
    shown = cells(found, "owed")
    assert shown["total", "合计"] == 2 * (9 + 7 + 8 + 2 + 12 + 6)
    assert shown["total", "2026-01"] == 2 * (9 + 7)
    assert any(value is None for value in shown.values())
    rates = [item for item in found["items"] if item["receipt_rate"] is not None]
    assert rates
    assert all(item["receipt_rate"] == round(item["received"] / item["owed"], 4) for item in rates)
    for text in (json.dumps(found, ensure_ascii=False), ask(quarter, *FIRST, "--by", by)):
        for word in ("张三丰", "王小二", "蒙草", "case/", "notice", "文1", "监管一局", "审批局"):
            assert word not in text
    ask(quarter, *FIRST, "--by", by, "--export", str(tmp_path / "p.csv"))
    assert "＊" in (tmp_path / "p.csv").read_text(encoding="utf-8-sig")
    # Nothing that is recorded later changes what was published.
    with recorded(quarter, 4, 1) as now:
        quarter.submit(receive(S2, "test/d-1", now))
    quarter.project()
    assert ask_json(quarter, *FIRST, "--by", by) == found


@pytest.mark.door("command")
@pytest.mark.clause("5.4a", refused=True)
def test_what_is_hidden_cannot_be_worked_out(quarter: TestStore, monkeypatch: pytest.MonkeyPatch) -> None:
    true: list[Grid] = []

    def seen(wholes: list[Grid], parts: list[Grid], smallest: int) -> set[Cell]:
        true.extend(table for pair in zip(wholes, parts, strict=True) for table in pair)
        return hidden(wholes, parts, smallest)

    monkeypatch.setattr("infra.public_statistics.hidden", seen)
    shown = published(quarter)
    found = attacked(shown)
    delicate = 0
    for at, (name, table) in enumerate(shown.items()):
        few = [(i, j) for i, row in enumerate(true[at]) for j, value in enumerate(row) if value < 5]
        assert all(table[i][j] is None for i, j in few)
        places = [(name, i, j) for i, j in few]
        if at % 2:  # a part
            over = [
                (i, j)
                for i, row in enumerate(true[at])
                for j in range(len(row))
                if 0 < true[at - 1][i][j] - true[at][i][j] < 5
            ]
            places += [(f"{list(shown)[at - 1]}-{name}", i, j) for i, j in over]
        delicate += len(places)
        assert all(found[place][1] - found[place][0] >= 5 for place in places)
    assert delicate > 20
    # Where only what is small is hidden, the same attack works out what it is.
    monkeypatch.setattr(
        "infra.public_statistics.hidden",
        lambda wholes, parts, smallest: {
            (i, j) for whole in wholes for i, row in enumerate(whole) for j, value in enumerate(row) if value < smallest
        },
    )
    assert attacked(published(quarter))["owed by matter", 1, 1] == (4, 4)


@pytest.mark.door("command")
@pytest.mark.clause("5.4a", refused=True)
@pytest.mark.parametrize(
    ("words", "field", "rule"),
    [
        (("--by", "case"), "by", "public.breakdown"),
        (("--by", "officer"), "by", "public.breakdown"),
        (("--by", "party"), "by", "public.breakdown"),
        (("--by", "department"), "by", "public.breakdown"),
        (("--by", "day"), "by", "public.breakdown"),
        (("--department", S1), "department", "public.selection"),
        (("--matter", MATTER), "matter", "public.selection"),
        (("--about", "decision"), "about", "public.selection"),
        (("--from", "2026-01-01"), "from", "public.selection"),
        (("--to", "2026-01-09"), "to", "public.selection"),
        (("--as-known-at", "2026-01-09"), "as_known_at", "public.selection"),
        (("--overdue",), "overdue", "public.selection"),
        (("--quarter", "2026Q5"), "quarter", "public.quarter"),
        (("--quarter", "2099Q1"), "quarter", "public.quarter"),
    ],
)
def test_what_would_single_out_is_refused(store: TestStore, words: tuple[str, ...], field: str, rule: str) -> None:
    result = ask_json(store, "statistics", "--public", *words, code=1)
    assert (result["field"], result["rule"]) == (field, rule)
    assert rule in ask(store, "statistics", "--public", *words, code=1)

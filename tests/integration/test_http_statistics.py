"""Statistics over HTTP: own or all, as known at the end of a past day for ever, and the public tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.departments import RegisterDepartment, RegisterPrincipal
from infra.statistics import COUNT
from infra.web.api.statistics import Figures, RateKey
from projections.rates import RATES
from tests.integration.doors import Doors, doors
from tests.integration.outlet_kit import store_for
from tests.integration.region import APPROVAL, MATTER, OFFICE, S1, S2, S3, receive
from tests.integration.test_statistics import march, recorded
from tests.integration.teststore import MASTER, TestStore, department

assert march  # the fixture


@pytest.fixture
def opened(march: TestStore, bootstrap: str, tmp_path: Path) -> Iterator[Doors]:
    march.submit(RegisterPrincipal(principal="jw", acts_for=("jw",)), principal="operator")
    march.submit(RegisterDepartment(department=OFFICE, entry=department("jw", "纪委监委", "DISCIPLINE")))
    march.project()
    outer = store_for(march, MASTER, bootstrap, tmp_path)
    with doors(outer) as made:
        yield made
    outer.close()


def lines(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["key"]: one for one in found["items"]}


def test_the_model_has_every_figure() -> None:
    from typing import get_args

    assert set(Figures.model_fields) == {one.key for one in COUNT} | {one.key for one in RATES} | {"mean_receipt_days"}
    assert get_args(RateKey) == tuple(one.key for one in RATES)


@pytest.mark.clause("2.2k")
def test_rates_by_department_own_or_all(opened: Doors) -> None:
    asked = {"by": "department", "as_known_at": "2026-03-31", "about": "decision"}
    found = opened.get("/statistics", APPROVAL, **asked)
    assert {key: (one["owed"], one["received"]) for key, one in lines(found).items()} == {
        S1: (2, 2), S2: (2, 0), S3: (1, 0),
    }  # fmt: skip
    assert lines(found)[S1]["timely_receipt_rate"] == {"rate": 0.5, "part": 1, "whole": 2}
    total = found["total"]
    assert total["owed"] == total["received"] + total["deemed"] + total["moved"] + total["outstanding"] == 5
    assert found["complete"]
    own = opened.get("/statistics", S1, **asked)
    assert lines(own) == {S1: lines(found)[S1]}
    assert own["total"]["owed"] == 2
    assert opened.get("/statistics", S1, department=S2, **asked)["items"] == []
    opened.get("/statistics", "operator", 403)
    opened.get("/statistics", "jw", **asked)


def test_a_past_day_is_answered_alike_for_ever(opened: Doors, march: TestStore) -> None:
    def then() -> list[Any]:
        days = [f"2026-03-{day:02d}" for day in range(2, 13)]
        parts = [(by, day) for day in days for by in ("department", "day")]
        found = [opened.get("/statistics", OFFICE, by=by, as_known_at=day) for by, day in parts]
        # by no inspector: his reads are recorded now, and then nothing can be recorded in March
        overdue = [opened.get("/statistics/overdue", S2, as_known_at=day) for day in days]
        return [{key: one[key] for key in ("items", "total", "limits_ended") if key in one} for one in found + overdue]

    before = then()
    assert len({str(one) for one in before}) > 5
    with recorded(march, 3, 13) as now:
        march.submit(receive(S2, "test/d-2", now - timedelta(days=9)))
    march.project()
    assert then() == before
    after = opened.get("/statistics", OFFICE, department=S2, as_known_at="2026-03-13")["total"]
    assert after["timely_receipt_rate"]["part"] == 1


def test_an_answer_says_whether_all_is_counted(opened: Doors, march: TestStore) -> None:
    with recorded(march, 3, 13) as now:
        march.submit(receive(S2, "test/d-2", now))
    assert not opened.get("/statistics", OFFICE, as_known_at="2026-03-13")["complete"]
    assert opened.get("/statistics", OFFICE, as_known_at="2026-03-12")["complete"]


def test_ranking(opened: Doors) -> None:
    asked = {"as_known_at": "2026-03-31", "about": "decision"}
    found = opened.get("/statistics/ranking", OFFICE, **asked)["items"]
    assert [(one["rank"], one["key"]) for one in found] == [(1, S1), (2, S2), (2, S3)]
    [first] = opened.get("/statistics/ranking", OFFICE, limit=1, rank="receipt_rate", **asked)["items"]
    assert first["key"] == S1
    [own] = opened.get("/statistics/ranking", S2, **asked)["items"]
    assert (own["rank"], own["key"]) == (None, S2)  # a rank among those that one is not shown would tell of them
    regions = opened.get("/statistics", OFFICE, by="region", **asked)["items"]
    assert {one["name"] for one in regions} == {"呼和浩特市", "包头市"}
    months = opened.get("/statistics", OFFICE, by="month", **asked)["items"]
    assert [one["key"] for one in months] == ["2026-03"]
    [matter] = opened.get("/statistics", OFFICE, by="matter", **asked)["items"]
    assert (matter["key"], matter["name"]) == (MATTER, "施工许可")


def test_overdue_page_by_page(opened: Doors) -> None:
    asked = {"as_known_at": "2026-03-12"}
    whole = opened.get("/statistics/overdue", "jw", **asked)["items"]
    assert whole
    found, cursor = [], None
    while True:
        page = opened.get("/statistics/overdue", "jw", limit=1, **asked, **({"cursor": cursor} if cursor else {}))
        found += page["items"]
        if (cursor := page["next"]) is None:
            break
    assert found == whole
    assert {one["department"] for one in opened.get("/statistics/overdue", S2, **asked)["items"]} == {S2}


@pytest.mark.parametrize(
    "wrong",
    [
        {"as_known_at": "2026-03-12T10:00:00"},
        {"as_known_at": "2999-01-01"},
        {"since": "2026-03-02", "until": "2026-03-01"},
        {"by": "officer"},
        {"about": "gossip"},
    ],
)
def test_what_cannot_be_asked(opened: Doors, wrong: dict[str, str]) -> None:
    found = opened.get("/statistics", OFFICE, 422, **wrong)
    assert found["faults"]


@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonl"])
def test_as_a_file(opened: Doors, form: str) -> None:
    asked = f"format={form}&by=department&as_known_at=2026-03-31"
    found = opened.client.get(f"/api/v1/statistics?{asked}", headers=opened.headers(OFFICE))
    assert found.status_code == 200
    if form == "csv":
        assert "按时签收率" in found.text


@pytest.mark.parametrize("form", ["json", "csv", "xlsx", "jsonl"])
def test_what_is_public_may_be_kept_by_anybody_for_a_while(opened: Doors, form: str) -> None:
    path = f"/api/v1/statistics/public?format={form}&quarter=2026Q1"
    found = opened.client.get(path)
    assert found.status_code == 200
    tag = found.headers["etag"]
    for one in (found, opened.client.get(path, headers={"If-None-Match": tag})):
        assert (one.headers["cache-control"], one.headers["vary"]) == ("public, max-age=300", "Cookie")
        assert one.headers["etag"] == tag
    assert (one.status_code, one.content) == (304, b"")
    other = opened.client.get(f"{path}&lang=en", headers={"If-None-Match": tag})
    assert (other.status_code, other.headers["vary"]) == (200, "Cookie")


def test_what_is_a_callers_is_kept_by_nobody_else(opened: Doors) -> None:
    headers = opened.headers(S1)
    path = "/api/v1/notices"
    headers["If-None-Match"] = opened.client.get(path, headers=headers).headers["etag"]
    answers = [
        opened.client.get(path, headers=headers),
        opened.client.get(path),
        opened.client.get("/api/v1/registers/matters", headers=opened.headers(S1)),
        opened.client.get("/api/v1/statistics/public?quarter=2999Q1"),
    ]
    assert [one.status_code for one in answers] == [304, 401, 200, 422]
    for one in answers:
        assert one.headers["cache-control"] == "private, no-cache"
        assert one.headers["vary"] == "Authorization, Cookie, Shenguan-Department"
    assert opened.client.get(f"{path}?format=csv", headers=opened.headers(S1)).headers["cache-control"] == "no-store"


@pytest.mark.clause("5.4a")
def test_public_statistics_need_no_sign_in_and_hide_what_is_small(opened: Doors) -> None:
    found = opened.client.get("/api/v1/statistics/public?quarter=2026Q1")
    assert found.status_code == 200
    made = found.json()
    assert (made["quarter"], made["as_known_at"], made["by"]) == ("2026Q1", "2026-03-31", "region")
    assert made["items"]
    shown = [one[key] for one in made["items"] for key in ("owed", "received", "due") if one[key] is not None]
    assert all(value >= made["smallest"] for value in shown)
    assert all(name not in found.text for name in (S1, S2, "监管一局", "蒙草"))
    assert opened.client.get("/api/v1/statistics/public?quarter=2026Q1&by=&format=csv").status_code == 200
    again = opened.client.get(
        "/api/v1/statistics/public?quarter=2026Q1", headers={"If-None-Match": found.headers["etag"]}
    )
    assert again.status_code == 304


@pytest.mark.clause("5.4a", refused=True)
@pytest.mark.parametrize(
    ("asked", "rule"),
    [
        ("by=department", "public.breakdown"),
        ("by=officer", "public.breakdown"),
        ("department=s1", "public.selection"),
        ("as_known_at=2026-03-01", "public.selection"),
        ("quarter=2999Q1", "public.quarter"),
        ("quarter=2026-1", "public.quarter"),
    ],
)
def test_public_statistics_take_no_other_choice(opened: Doors, asked: str, rule: str) -> None:
    found = opened.client.get(f"/api/v1/statistics/public?{asked}")
    assert (found.status_code, found.json()["rule"]) == (422, rule)


def test_a_public_table_is_not_given_before_it_is_whole(opened: Doors, march: TestStore) -> None:
    with recorded(march, 3, 30) as now:
        march.submit(receive(S2, "test/d-2", now))
    found = opened.client.get("/api/v1/statistics/public?quarter=2026Q1")
    assert (found.status_code, found.headers["retry-after"]) == (503, "60")
    march.project()
    assert opened.client.get("/api/v1/statistics/public?quarter=2026Q1").status_code == 200

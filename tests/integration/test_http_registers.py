"""The registers over HTTP: of a date, as known then, every list, and what is not shown to whom."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import get_args

import pytest

from domain.lists import PowerItem, SupervisionItem
from domain.matters import Matter, RegisterMatter
from domain.registering import EnterRegister, Kind, StrikeEntry
from infra.store import Store
from tests.integration.doors import Doors, doors
from tests.integration.region import APPROVAL, DAY, FORMER, HIGHER, MATTER, OFFICE, OWN_MATTER, S1, S2
from tests.integration.teststore import TestStore

SECRET = "11150100000000001F3000112003000"


@pytest.fixture
def region(every: TestStore) -> TestStore:
    return every


@pytest.fixture
def opened(region: TestStore, outer: Store) -> Iterator[Doors]:
    power = PowerItem(
        matter=MATTER, name="施工许可", organ=APPROVAL, legal_basis="建筑法", duties=("受理",), published_on=DAY
    )
    item = SupervisionItem(
        item="j1", matter=MATTER, name="检查", organ=S1, legal_basis="建筑法", duties=("检查",), published_on=DAY
    )
    region.submit(
        RegisterMatter(
            department=OFFICE,
            entry=Matter(code=SECRET, name="密", competent=FORMER, legal_basis="保密法", classified=True),
        ),
        *(EnterRegister(department=OFFICE, entry=one, valid_from=DAY, basis="四") for one in (power, item)),
    )
    region.submit(
        EnterRegister(
            department=OFFICE,
            entry=power.model_copy(update={"duties": ("受理", "审查")}),
            valid_from=date(2026, 5, 1),
            basis="五",
        ),
        StrikeEntry(department=OFFICE, kind="power_item", key=MATTER, valid_from=date(2026, 6, 1), basis="六"),
    )
    with doors(outer) as made:
        yield made


def test_departments_and_who_succeeded_them(opened: Doors) -> None:
    found = {one["code"]: one for one in opened.get("/registers/departments", S1, limit=500)["items"]}
    assert (found[APPROVAL]["roles"], found[APPROVAL]["league"]) == (["APPROVAL"], "呼和浩特市")
    assert found["s3"]["successors"] == [{"to": S1, "since": DAY.isoformat(), "matters": [], "basis": "六"}]
    assert not found["s3"]["serving"]
    assert found[S1]["contact"] == "liaison"
    assert found[S2]["contact"] == "none"
    assert [one["code"] for one in opened.get("/registers/departments", S1, role="HIGHER_AUTHORITY")["items"]] == [
        HIGHER
    ]
    before = {one["code"]: one for one in opened.get("/registers/departments", S1, as_true_at="2026-02-01")["items"]}
    assert before["s3"]["serving"]
    opened.get("/registers/departments", S1, 422, role="KING")
    opened.get("/registers/departments", S1, 422, as_true_at="soon")


@pytest.mark.clause("1.2b")
def test_who_held_the_power_on_a_date(opened: Doors) -> None:
    def holder(**when: str) -> str:
        found: str = opened.get(f"/registers/matters/{MATTER}", S1, **when)["holder"]
        return found

    assert [holder(as_true_at=f"{year}-06-01") for year in (2024, 2026, 2028)] == [FORMER, APPROVAL, FORMER]
    one = opened.get(f"/registers/matters/{MATTER}", S1)
    assert [(part["holder"], part["since"], part["until"]) for part in one["powers"]] == [
        (FORMER, None, "2025-01-01"),
        (APPROVAL, "2025-01-01", "2028-01-01"),
        (FORMER, "2028-01-01", None),
    ]
    assert [part["until"] for part in one["routes"]] == ["2027-01-01", None]
    [only] = opened.get("/registers/matters", S1, standing="transferred", as_true_at="2026-06-01")["items"]
    assert only["code"] == MATTER
    assert [part["department"] for part in only["supervisors"]] == [S1, S2]
    assert opened.get("/registers/matters", S1, supervisor=HIGHER)["items"] == []
    opened.get("/registers/matters/nothing", S1, 404)


def test_as_known_before_it_was_recorded(opened: Doors, region: TestStore) -> None:
    with region.connect() as conn:
        row = conn.execute(
            "SELECT recorded_at FROM shenguan.stored_events WHERE topic = 'matter.transferred' ORDER BY 1 LIMIT 1"
        ).fetchone()
    assert row is not None
    when = (row[0] - timedelta(microseconds=1)).isoformat()
    then = opened.get("/registers/matters", S1, as_known_at=when, as_true_at="2026-06-01")
    assert {one["standing"] for one in then["items"]} == {"untransferred"}
    assert opened.get("/registers/departments", S1, as_known_at="2020-01-01")["items"] == []


@pytest.mark.clause("1.3a")
def test_the_lists_version_by_version(opened: Doors) -> None:
    on = {"as_true_at": "2026-05-15"}
    [now] = opened.get("/registers/powers", S1, **on)["items"]
    assert (now["version"], now["valid_from"], now["until"], now["duties"]) == (
        2, "2026-05-01", "2026-06-01", ["受理", "审查"],
    )  # fmt: skip
    assert opened.get("/registers/entries/power_item", S1, **on)["items"] == [now]
    assert opened.get("/registers/powers", S1, as_true_at="2026-07-01")["items"] == []
    versions = opened.get("/registers/powers", S1, history=True)["items"]
    assert [(one["version"], one["until"]) for one in versions] == [(1, "2026-05-01"), (2, "2026-06-01")]
    [item] = opened.get("/registers/supervision", S1, matter=MATTER, **on)["items"]
    assert (item["key"], item["organ"]) == ("j1", S1)
    assert opened.get("/registers/supervision", S1, matter=OWN_MATTER)["items"] == []


def test_every_list_answers(opened: Doors) -> None:
    filled = set()
    for kind in get_args(Kind):
        found = opened.get(f"/registers/entries/{kind}", "pt", history=True)
        assert found["complete"]
        filled |= {kind} if found["items"] else set()
    assert {"power_item", "supervision_item", "proposal", "work_capability", "letterhead", "time_limit"} <= filled
    opened.get("/registers/entries/nothing", S1, 404)


@pytest.mark.clause("1.3c")
def test_what_the_lists_lack_of_each_other(opened: Doors) -> None:
    assert opened.get("/registers/matching", S1, as_true_at="2026-05-15")["items"] == []
    [one, other] = opened.get("/registers/matching", S1, as_true_at="2026-07-01")["items"]
    assert (one["matter"], one["wanting"], one["item"]) == (MATTER, "power_item", None)
    assert other["item"] == "j1"
    first = opened.get("/registers/matching", S1, as_true_at="2026-07-01", limit=1)
    second = opened.get("/registers/matching", S1, as_true_at="2026-07-01", limit=1, cursor=first["next"])
    assert [*first["items"], *second["items"]] == [one, other]
    assert second["next"] is None


def test_classified_matters_are_shown_to_those_who_write_or_inspect_them(opened: Doors) -> None:
    for caller, shown in ((S1, False), ("pt", False), ("operator", False), (OFFICE, True), ("jw", True)):
        codes = {one["code"] for one in opened.get("/registers/matters", caller)["items"]}
        assert (SECRET in codes) == shown, caller
        opened.get(f"/registers/matters/{SECRET}", caller, 200 if shown else 404)


def test_liaison_officers_are_masked(opened: Doors) -> None:
    asked = {"department": S1}
    [one] = opened.get("/registers/liaisons", "pt", **asked)["items"]
    assert (one["name"], one["contact"]) == ("李*", "liaison")
    assert [row["name"] for row in opened.get("/registers/liaisons", S2, reveal=True, **asked)["items"]] == ["李联络"]
    opened.get("/registers/liaisons", "pt", 403, reveal=True, **asked)
    opened.get("/registers/liaisons", "operator", 403, reveal=True, **asked)
    missing = opened.get("/registers/liaisons", S1, missing=True)["items"]
    assert {one["department"]: one["contact"] for one in missing}[S2] == "none"


def test_principals_and_calendar(opened: Doors) -> None:
    found = {one["principal"]: one for one in opened.get("/registers/principals", S1)["items"]}
    assert found["api"]["vouches"]
    assert found["operator"]["operator"]
    assert found[S1]["acts_for"] == [S1]
    years = {one["year"]: one for one in opened.get("/registers/calendar", S1)["items"]}
    assert "2025-10-01" in years[2025]["off"]
    assert "2025-09-28" in years[2025]["worked"]


def test_unchanged_registers_are_not_sent_again_and_changed_ones_are(opened: Doors, region: TestStore) -> None:
    headers = opened.headers(S1)
    first = opened.client.get("/api/v1/registers/powers", headers=headers)
    asked = {**headers, "If-None-Match": first.headers["etag"]}
    assert opened.client.get("/api/v1/registers/powers", headers=asked).status_code == 304
    region.submit(StrikeEntry(department=OFFICE, kind="supervision_item", key="j1", valid_from=DAY, basis="七"))
    assert opened.client.get("/api/v1/registers/powers", headers=asked).status_code == 200


@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonl"])
def test_as_a_file(opened: Doors, form: str) -> None:
    found = opened.client.get(
        f"/api/v1/registers/powers?format={form}&as_true_at=2026-05-15", headers=opened.headers(S1)
    )
    assert found.status_code == 200
    if form == "csv":
        assert "责任事项" in found.text
        assert MATTER in found.text

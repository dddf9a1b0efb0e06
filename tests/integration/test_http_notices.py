"""Notices over HTTP: whose they are, page by page, then and now, and as files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest

from adapters.http import exports
from infra.store import Store
from infra.web.reading import FILES, READERS, Readers
from tests.integration.doors import Doors, doors
from tests.integration.region import APPROVAL, S1, S2
from tests.integration.teststore import TestStore


@pytest.fixture
def region(full: TestStore) -> TestStore:
    return full


@pytest.fixture
def opened(region: TestStore, outer: Store) -> Iterator[Doors]:
    region.project()
    with doors(outer) as made:
        yield made


def test_nobody_reads_without_signing_in(opened: Doors) -> None:
    found = opened.client.get("/api/v1/notices")
    assert found.status_code == 401
    assert found.headers["content-type"] == "application/problem+json"
    assert found.headers["www-authenticate"] == "Bearer"


def test_a_supervisor_sees_its_own_and_the_organ_all_of_its_cases(opened: Doors) -> None:
    own = opened.get("/notices", S1)["items"]
    assert own
    assert {one["department"] for one in own} == {S1}
    assert [one["serial"] for one in own] == list(range(len(own), 0, -1))
    assert opened.get("/notices", S1, department=S2)["items"] == []
    organs = opened.get("/notices", APPROVAL)["items"]
    assert {S1, S2} <= {one["department"] for one in organs}
    opened.get(f"/departments/{S1}/notices/1", S1)
    opened.get(f"/departments/{S2}/notices/1", S1, 404)


def test_page_by_page_is_the_whole(opened: Doors) -> None:
    whole = opened.get("/notices", S1, limit=500)
    assert whole["complete"]
    found, cursor = [], None
    while True:
        page = opened.get("/notices", S1, limit=3, **({"cursor": cursor} if cursor else {}))
        found += page["items"]
        if (cursor := page["next"]) is None:
            break
        assert not page["complete"]
    assert found == whole["items"]
    opened.get("/notices", S1, 422, cursor="bm9uc2Vuc2U")


def test_as_known_then(opened: Doors, region: TestStore) -> None:
    now = opened.get("/notices", S1, limit=500)["items"]
    received = next(one for one in now if one["status"] == "received")
    before = opened.get("/notices", S1, limit=500, as_known_at=received["owed_at"])["items"]
    [then] = [one for one in before if one["notice"] == received["notice"]]
    assert (then["status"], then["received_at"], then["dispatched_at"]) == ("outstanding", None, None)
    asked = {"as_known_at": received["owed_at"], "status": "received"}
    assert received["notice"] not in [one["notice"] for one in opened.get("/notices", S1, **asked)["items"]]
    assert all(one["owed_at"] <= received["owed_at"] for one in before)
    assert opened.get("/notices", S1, as_known_at=(region.now - timedelta(days=9)).date().isoformat())["items"] == []
    opened.get("/notices", S1, 422, as_known_at="yesterday")


def test_what_is_unchanged_is_not_sent_again(opened: Doors) -> None:
    headers = opened.headers(S1)
    first = opened.client.get("/api/v1/notices", headers=headers)
    again = opened.client.get("/api/v1/notices", headers={**headers, "If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = opened.client.get("/api/v1/notices", headers={**opened.headers(S2), "If-None-Match": first.headers["etag"]})
    assert other.status_code == 200


@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonl"])
def test_as_a_file(opened: Doors, form: str) -> None:
    found = opened.client.get(f"/api/v1/notices?format={form}", headers=opened.headers(S1))
    assert found.status_code == 200
    rows = len(opened.get("/notices", S1, limit=500)["items"])
    if form != "xlsx":
        assert len(found.text.splitlines()) == rows + (form == "csv")
    assert "attachment" in found.headers["content-disposition"]


def test_files_wait_for_files_alone(opened: Doors) -> None:
    """However many read: each needs one connection at a time, and no more files are made at once than may be."""
    readers: Readers = opened.app.state.readers
    headers = opened.headers(S1)
    with ExitStack() as lent:
        for _ in range(FILES):
            lent.enter_context(readers.lend_for_file(S1))
        found = opened.client.get("/api/v1/notices?format=csv", headers=headers)
        assert (found.status_code, found.headers["retry-after"]) == (503, "5")
        opened.get("/notices", S1)
    with ExitStack() as lent:
        for _ in range(READERS - 1):
            lent.enter_context(readers.lend(S1))
        assert opened.client.get("/api/v1/notices?format=csv", headers=headers).status_code == 200


def test_a_worksheet_holds_so_many_rows(opened: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "MOST_XLSX", 1)
    found = opened.client.get("/api/v1/notices?format=xlsx", headers=opened.headers(S1))
    assert found.status_code == 422
    assert [one["rule"] for one in found.json()["faults"]] == ["xlsx.rows"]
    assert opened.client.get("/api/v1/notices?format=jsonl", headers=opened.headers(S1)).status_code == 200


def test_a_list_of_then_needs_one_connection_of_the_log(opened: Doors) -> None:
    """Names of matters are read by the connection that the list has already."""
    readers: Readers = opened.app.state.readers
    with ExitStack() as lent:
        for _ in range(READERS - 1):
            lent.enter_context(readers.log())
        for path in ("/cases", "/licences"):
            assert opened.get(path, APPROVAL, as_known_at="2999-01-01")["items"]

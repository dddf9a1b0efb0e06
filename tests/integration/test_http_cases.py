"""Cases over HTTP: whose they are, then and now, their record step by step, and what changed between two moments."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from adapters.http import cursors
from adapters.postgres.history import History
from adapters.postgres.log import Log
from domain.departments import RegisterDepartment, RegisterPrincipal
from domain.permits import ChangeCase, RevokeCase
from domain.reads import read_stream
from infra.store import Store
from projections.two_way import positions_of
from tests.integration.doors import Doors, doors
from tests.integration.region import (
    APPROVAL,
    DAY,
    FORMER,
    HIGHER,
    MATTER,
    OFFICE,
    OWN_MATTER,
    S1,
    S2,
    S3,
    accept,
    case,
    decide,
    granted,
)
from tests.integration.test_queries import ask_json
from tests.integration.teststore import TestStore, department

CASE = f"/cases/{APPROVAL}"


def inspector(store: TestStore) -> str:
    """A department of discipline inspection, that is registered."""
    store.submit(RegisterPrincipal(principal="jw", acts_for=("jw",)), principal="operator")
    store.submit(RegisterDepartment(department=OFFICE, entry=department("jw", "纪委监委", "DISCIPLINE")))
    return "jw"


@pytest.fixture
def region(full: TestStore) -> TestStore:
    return full


@pytest.fixture
def opened(region: TestStore, outer: Store) -> Iterator[Doors]:
    inspector(region)
    region.project()
    with doors(outer) as made:
        yield made


def numbers(found: Any) -> list[str]:
    return [one["number"] for one in found["items"]]


def test_a_party_lists_its_own_and_an_inspector_all(opened: Doors) -> None:
    everybody = opened.get("/cases", "jw")
    assert numbers(everybody) == ["9", "8", "7", "6", "5", "4", "3", "2", "1"]
    assert numbers(opened.get("/cases", APPROVAL)) == ["9", "7", "6", "5", "4", "3", "2", "1"]
    # S1 was told of what was granted; of 5 and 7 there was nothing to be told, 6 is stock.
    assert numbers(opened.get("/cases", S1)) == ["9", "4", "3", "2", "1"]
    assert numbers(opened.get("/cases", S3)) == ["9"]
    assert numbers(opened.get("/cases", FORMER)) == ["8", "1"]  # 8 is its own; of 1 it gave an opinion
    assert numbers(opened.get("/cases", HIGHER)) == ["7", "4"]
    assert opened.get("/cases", S1)["complete"]
    opened.get("/cases", "operator", 403)


@pytest.mark.parametrize("caller", ["jw", APPROVAL, S1])
def test_page_by_page_is_the_whole(opened: Doors, caller: str) -> None:
    for more in ({}, {"as_known_at": "2999-01-01"}):
        whole = opened.get("/cases", caller, **more)["items"]
        found, cursor = [], None
        while True:
            page = opened.get("/cases", caller, limit=2, **more, **({"cursor": cursor} if cursor else {}))
            found += page["items"]
            if (cursor := page["next"]) is None:
                break
            assert not page["complete"]
        assert found == whole
    other = S1 if caller == "jw" else "jw"
    cursor = opened.get("/cases", other, limit=1)["next"]
    if caller != APPROVAL:
        opened.get("/cases", caller, 422, cursor=cursor)
    for forged in (["x"], [2**70], [], [1, 2]):
        for name in ("cases", "own-cases"):
            opened.get("/cases", caller, 422, cursor=cursors.write(name, forged))


def test_filters_choose_the_same_now_and_then(opened: Doors) -> None:
    [uscc] = {one["uscc"] for one in opened.get("/cases", "jw", number="1")["items"]}
    for chosen, expected in (
        ({"organ": FORMER}, ["8"]),
        ({"matter": OWN_MATTER}, ["8"]),
        ({"matter": MATTER, "status": "accepted"}, ["7"]),
        ({"status": "ended"}, ["4", "3", "2"]),
        ({"number": "4"}, ["4"]),
        ({"since": "2026-03-02", "number": "9"}, ["9"]),
        ({"since": "2999-01-01"}, []),
        ({"uscc": uscc, "status": "not_granted"}, ["5"]),
    ):
        now = opened.get("/cases", "jw", **chosen)
        then = opened.get("/cases", "jw", as_known_at="2999-01-01", **chosen)
        assert numbers(now) == expected
        assert now["items"] == then["items"]
    assert then["scanned"] >= len(then["items"])
    opened.get("/cases", "jw", 422, number="a\x00b")
    opened.get("/cases", "jw", 422, status="gone")
    opened.get("/cases", "jw", 422, as_known_at="9999-12-31T23:59:59Z")


def test_one_case_is_whole_for_its_parties_and_nothing_for_others(opened: Doors) -> None:
    found = opened.get(f"{CASE}/9", S1)
    assert (found["case"]["status"], found["state"]["licence"]) == ("granted", "in_force")
    assert found["state"]["told"] == [S1, S2, S3]
    assert [one["department"] for one in found["notices"]][:2] == [S1, S2]
    assert [one["status"] for one in found["feedback"]] == ["disposed"]
    assert found["case"]["party_name"] == "蒙草公司"
    for caller in (APPROVAL, S2, S3, "jw"):
        assert opened.get(f"{CASE}/9", caller)["case"] == found["case"]
    for caller in (FORMER, HIGHER):
        opened.get(f"{CASE}/9", caller, 404)
        opened.get(f"{CASE}/9/steps", caller, 404)
        opened.get(f"{CASE}/9/attempts", caller, 404)
        opened.get(f"{CASE}/9/difference", caller, 404, **{"from": "2026-01-01", "to": "2999-01-01"})
    opened.get(f"{CASE}/77", APPROVAL, 404)
    opened.get(f"{CASE}/77", "jw", 404)


def test_one_case_is_the_lists_row(opened: Doors) -> None:
    for one in opened.get("/cases", "jw")["items"]:
        found = opened.get(f"/cases/{one['organ']}/{one['number']}", "jw")
        assert found["case"] == one
        mine = {n["notice"]: n for n in opened.get("/notices", "jw", case=one["stream"], limit=500)["items"]}
        assert {n["notice"]: n for n in found["notices"]} == mine


def test_one_case_as_known_and_as_true(opened: Doors, region: TestStore) -> None:
    early = accept("20").model_copy(update={"accepted_on": DAY - timedelta(days=9)})
    region.submit(
        early, decide("20"), case(RevokeCase, "20", by=HIGHER, reason="不应准予", document_number="撤1", on=DAY)
    )
    region.project()
    now = opened.get(f"{CASE}/20", S1)
    assert (now["case"]["status"], now["state"]["licence"]) == ("ended", "revoked")
    owed = max(one["owed_at"] for one in now["notices"] if one["about"] == "decision")
    then = opened.get(f"{CASE}/20", S1, as_known_at=owed)
    assert (then["case"]["status"], then["state"]["licence"], then["case"]["ended_on"]) == ("granted", "in_force", None)
    assert [(one["department"], one["status"]) for one in then["notices"]] == [(S1, "outstanding"), (S2, "outstanding")]
    assert {one["about"] for one in now["notices"]} == {"decision", "revocation"}
    before = opened.get(f"{CASE}/20", S1, as_true_at=str(DAY - timedelta(days=1)))
    assert (before["case"]["status"], before["case"]["decided_on"]) == ("accepted", None)
    assert (before["notices"], before["as_true_at"]) == ([], str(DAY - timedelta(days=1)))
    opened.get(f"{CASE}/20", S1, 404, as_true_at="2020-01-01")
    opened.get(f"{CASE}/20", S1, 404, as_known_at="2020-01-01")
    opened.get(f"{CASE}/20", S1, 422, as_true_at="someday")


@pytest.mark.parametrize("number", ["1", "4", "9"])
def test_true_on_a_day_is_what_the_replay_says(opened: Doors, region: TestStore, number: str) -> None:
    before = str(DAY - timedelta(days=1))
    ask_json(region, "replay", number, "--as-true-at", before, code=1)
    opened.get(f"{CASE}/{number}", APPROVAL, 404, as_true_at=before)
    statuses = set()
    for day in (DAY, region.now.date(), DAY + timedelta(days=3000)):
        replayed = ask_json(region, "replay", number, "--as-true-at", str(day))
        found = opened.get(f"{CASE}/{number}", APPROVAL, as_true_at=str(day))
        assert found["state"] == replayed["state"]
        assert found["events"] == len(replayed["events"])
        assert found["notices_total"] == len(found["notices"]) == len(replayed["notices"])
        assert [one["notice"] for one in found["notices"]] == [one["notice"] for one in replayed["notices"]]
        assert [one["number"] for one in found["feedback"]] == [one["number"] for one in replayed["feedback"]]
        statuses.add(found["state"]["licence"])
    assert statuses == {"1": {"in_force", "expired"}, "4": {"revoked"}, "9": {"in_force", "expired"}}[number]


def test_a_persons_name_shows_where_the_role_needs_it(opened: Doors) -> None:
    assert opened.get(f"{CASE}/7", APPROVAL)["case"]["party_name"] == "赵*"
    assert opened.get(f"{CASE}/7", APPROVAL, reveal=True)["case"]["party_name"] == "赵铁柱"
    opened.get(f"{CASE}/7", "jw", 422, reveal=True)
    assert opened.get(f"{CASE}/7", "jw", reveal=True, reason="核查")["case"]["party_name"] == "赵铁柱"
    assert opened.get("/cases", "sgb", 403, reveal=True)["status"] == 403


def test_the_record_by_steps(opened: Doors) -> None:
    whole = opened.get(f"{CASE}/9/steps", S2)
    assert whole["complete"]
    positions = [one["position"] for one in whole["items"]]
    assert positions == sorted(positions)
    assert {"case.decided", "notice.owed", "notice.returned", "feedback.disposed"} <= {
        one["kind"] for one in whole["items"]
    }
    first = opened.get(f"{CASE}/9/steps", S2, limit=3)
    rest = opened.get(f"{CASE}/9/steps", S2, limit=500, cursor=first["next"])
    assert first["items"] + rest["items"] == whole["items"]
    third = whole["items"][2]
    then = opened.get(f"{CASE}/9/steps", S2, as_known_at=third["recorded_at"])
    assert then["items"] == whole["items"][:3]
    csv = opened.client.get(f"/api/v1{CASE}/9/steps?format=csv", headers=opened.headers(S2))
    assert csv.status_code == 200
    assert len(csv.text.splitlines()) == len(whole["items"]) + 1


def test_what_differs_between_two_moments(opened: Doors) -> None:
    steps = opened.get(f"{CASE}/4/steps", "jw")["items"]
    accepted, decided = steps[0], next(one for one in steps if one["kind"] == "case.decided")
    span = {"from": accepted["recorded_at"], "to": decided["recorded_at"]}
    found = opened.get(f"{CASE}/4/difference", "jw", **span)
    changes = {one["field"]: (one["before"], one["after"]) for one in found["case"]}
    assert changes["status"] == ("accepted", "granted")
    assert changes["decided_by"] == (None, APPROVAL)
    assert "organ" not in changes
    assert found["steps"][0]["kind"] == "case.decided"
    assert {one["department"] for one in found["notices"] if one["new"]} == set()  # they are recorded after it
    whole = opened.get(f"{CASE}/4/difference", "jw", **{"from": "2020-01-01", "to": "2999-01-01"}, limit=2)
    assert (whole["new"], whole["case"], whole["recorded"], whole["complete"]) == (True, [], len(steps), False)
    rest = opened.get(f"{CASE}/4/steps", "jw", cursor=whole["next"], as_known_at="2999-01-01")
    assert whole["steps"] + rest["items"] == steps
    later = opened.get(f"{CASE}/4/difference", "jw", **{"from": decided["recorded_at"], "to": "2999-01-01"})
    assert {one["department"] for one in later["notices"]} >= {S1, S2}
    assert {one["field"] for one in later["case"]} >= {"status", "ended_by", "ended_on"}
    same = opened.get(f"{CASE}/4/difference", "jw", **{"from": "2999-01-01", "to": "2999-01-01"})
    assert (same["case"], same["notices"], same["steps"], same["recorded"]) == ([], [], [], 0)
    opened.get(f"{CASE}/4/difference", "jw", 422, **{"from": "2999-01-01", "to": "2020-01-01"})
    opened.get(f"{CASE}/4/difference", "jw", 422, to="2999-01-01")


def test_a_long_record_is_read_in_parts(opened: Doors, region: TestStore) -> None:
    """Of 5,000 steps: the last notices, page by page, and what changed in the end."""
    granted(region, "30")
    for block in range(0, 1700, 100):
        changes = (f"变{block + number}" for number in range(100))
        region.submit(*[case(ChangeCase, "30", content="变更", on=DAY, document_number=one) for one in changes])
    region.project()
    found = opened.get(f"{CASE}/30", S1, limit=10)
    assert found["events"] > 5000
    assert (found["notices_total"], len(found["notices"])) == (3402, 10)
    notices = opened.get("/notices", "jw", case=f"case/{APPROVAL}/30", limit=10)["items"]
    assert found["notices"] == notices[::-1]
    assert opened.get(f"{CASE}/30", S1, as_true_at=str(DAY), limit=10)["notices"] == found["notices"]
    last = opened.get(f"{CASE}/30/steps", S1, limit=500, cursor=cursors.write("case-steps", [0]))
    seen, cursor = len(last["items"]), last["next"]
    while cursor is not None:
        page = opened.get(f"{CASE}/30/steps", S1, limit=500, cursor=cursor)
        seen, cursor, last = seen + len(page["items"]), page["next"], page
    assert seen == found["events"]
    span = {"from": last["items"][-4]["recorded_at"], "to": "2999-01-01"}
    changed = opened.get(f"{CASE}/30/difference", S1, **span)
    assert (changed["recorded"], changed["notices_total"], changed["complete"]) == (3, 2, True)
    assert [one["new"] for one in changed["notices"]] == [True, True]
    assert changed["case"] == []  # of a change the row has the last one's kind and day, which are the same
    then = opened.get(f"{CASE}/30", S1, as_known_at=span["from"], limit=1)
    assert (then["events"], then["notices_total"]) == (found["events"] - 3, 3400)


def test_the_two_way_record_has_all_that_the_log_has_of_a_case(every: TestStore) -> None:
    """So that a case is found by it, without reading through whole kinds of streams."""
    with every.connect() as conn:
        cases = [row[0] for row in conn.execute("SELECT stream FROM read.approvals").fetchall()]
        departments = [row[0] for row in conn.execute("SELECT DISTINCT department FROM read.two_way_parties")]
        history = History(conn, {*departments, OFFICE, "pt"})
        assert len(cases) == 15
        for stream in cases:
            organ, number = stream.split("/")[1:]
            expected = [one.position for one in history.case(organ, number)]
            assert positions_of(conn, stream) == expected, stream
            assert [one.position for one in Log(conn).at(expected)] == expected


def test_attempts_on_a_case(opened: Doors) -> None:
    found = opened.get(f"{CASE}/1/attempts", "jw")["items"]
    assert {one["type"] for one in found} == {"seal.apply", "seal.demand"}
    assert opened.get(f"{CASE}/1/attempts", FORMER)["items"] == found
    assert opened.get(f"{CASE}/1/attempts", S1)["items"] == []
    assert opened.get(f"{CASE}/9/attempts", "jw")["items"] == []


def test_an_inspectors_reads_are_recorded_before_they_are_answered(opened: Doors, region: TestStore) -> None:
    def reads() -> list[Any]:
        with region.connect() as conn:
            return [one.event for one in Log(conn).stream(read_stream("jw"))]

    for path, more, command in (
        ("/cases", {"number": "4"}, "cases"),
        (f"{CASE}/4", {"as_true_at": str(DAY)}, "case"),
        (f"{CASE}/4/steps", {}, "case-steps"),
        (f"{CASE}/4/attempts", {}, "case-attempts"),
        (f"{CASE}/4/difference", {"from": "2026-01-01", "to": "2999-01-01"}, "case-difference"),
        ("/attempts", {"rule": "seal.not_holder"}, "attempts"),
        ("/feedback", {"status": "closed"}, "feedback"),
        ("/inspections", {"result": "failed"}, "inspections"),
        ("/licences", {"status": "revoked"}, "licences"),
    ):
        before = len(reads())
        opened.get(path, "jw", **more)
        [made] = reads()[before:]
        assert made.command == command
        assert {one.name for one in made.parameters} >= set(more)
    opened.get(f"{CASE}/none/steps", "jw", 404)
    assert (reads()[-1].command, reads()[-1].rows) == ("case-steps", 0)
    assert opened.client.get("/api/v1/cases?format=csv", headers=opened.headers("jw")).status_code == 200
    assert (reads()[-1].command, reads()[-1].rows) == ("cases", 9)
    count = len(reads())
    opened.get("/cases", S1)
    assert len(reads()) == count


def test_unchanged_is_not_sent_again(opened: Doors, region: TestStore) -> None:
    for path in ("/cases", f"{CASE}/9", f"{CASE}/9/steps", "/feedback", "/licences", "/inspections", "/attempts"):
        headers = opened.headers(APPROVAL)
        first = opened.client.get(f"/api/v1{path}", headers=headers)
        again = opened.client.get(f"/api/v1{path}", headers={**headers, "If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    granted(region, "99")
    region.project()
    tag = {"If-None-Match": first.headers["etag"]}
    assert opened.client.get("/api/v1/attempts", headers={**headers, **tag}).status_code == 200


def test_files(opened: Doors, region: TestStore) -> None:
    assert region.now > datetime.now(region.now.tzinfo) - timedelta(days=999)
    for path in ("cases", "feedback", "attempts", "licences", "inspections"):
        rows = len(opened.get(f"/{path}", APPROVAL, limit=500)["items"])
        for form in ("csv", "xlsx", "jsonl"):
            found = opened.client.get(f"/api/v1/{path}?format={form}", headers=opened.headers(APPROVAL))
            assert found.status_code == 200
            if form != "xlsx":
                assert len(found.text.splitlines()) == rows + (form == "csv"), path

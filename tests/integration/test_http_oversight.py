"""Seals, ratings, risks, inspectors' reads, dead letters and operations over HTTP: whose, which, and then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from domain.party import Party
from domain.permits import ChangeCase
from domain.personal import Person
from domain.registering import EnterRegister
from domain.seal_registry import Seal
from domain.seals import DemandSeal
from infra.store import Store
from infra.verify import verify
from tests.integration.doors import Doors, doors
from tests.integration.region import APPROVAL, DAY, FORMER, OFFICE, S1, S2, accept, case, decide
from tests.integration.test_registers import moment_after
from tests.integration.teststore import TestStore, officer


@pytest.fixture
def region(every: TestStore) -> TestStore:
    return every


@pytest.fixture
def opened(region: TestStore, outer: Store) -> Iterator[Doors]:
    seal = Seal(
        code="JS1",
        name="监管一局印章",
        seal_kind="special_seal",
        owners=(S1,),
        delegated_to=(S2,),
        certificate_serial="ab12",
        certificate_from=date(2025, 1, 1),
        certificate_to=date(2026, 4, 1),
    )
    region.submit(EnterRegister(department=OFFICE, entry=seal, valid_from=DAY, basis="四"))
    late = accept("90").model_copy(update={"accepted_on": DAY - timedelta(days=12)})
    region.submit(late, accept("91").model_copy(update={"accepted_on": DAY - timedelta(days=11)}))
    region.project()
    with doors(outer) as made:
        yield made


def pages(opened: Doors, path: str, caller: str, limit: int = 1, **params: Any) -> list[Any]:
    found, cursor = [], None
    while True:
        page = opened.get(path, caller, limit=limit, **params, **({"cursor": cursor} if cursor else {}))
        found += page["items"]
        if (cursor := page["next"]) is None:
            return found


def test_a_null_character_or_an_empty_reason_is_no_trouble(opened: Doors) -> None:
    for path in ("/notices", "/ratings", "/deadletters", "/registers/powers", "/seals/applied"):
        found = opened.client.get(f"/api/v1{path}?department=%00", headers=opened.headers(APPROVAL))
        assert found.status_code == 422, path
    found = opened.client.get("/api/v1/registers/matters/%00", headers=opened.headers(APPROVAL))
    assert found.status_code == 422
    opened.get("/notices", "jw", reason="")
    opened.get("/notices", "jw", reason="\x10因")  # a workbook holds no such character
    assert opened.client.get("/api/v1/reads?format=xlsx", headers=opened.headers("jw")).status_code == 200


def test_seals_are_the_owners_and_delegates(opened: Doors) -> None:
    on = {"as_true_at": "2026-03-15"}
    [own] = opened.get("/seals", S1, **on)["items"]
    assert (own["key"], own["status"]) == ("JS1", "valid")
    assert opened.get("/seals", S2, **on)["items"] == [own]
    assert opened.get("/seals", APPROVAL, **on)["items"] == []
    assert opened.get("/seals", "jw", **on)["items"] == [own]
    assert opened.get("/seals", S1, as_true_at="2026-05-01", status="valid")["items"] == []
    opened.get("/seals", OFFICE, 403)


@pytest.mark.clause("2.7a")
def test_seals_applied_are_shown_to_the_parties(opened: Doors) -> None:
    [one] = opened.get("/seals/applied", APPROVAL)["items"]
    assert (one["seal"], one["case"], one["department"], one["registered"]) == ("SP1", "1", APPROVAL, False)
    assert opened.get("/seals/applied", S1)["items"] == [one]
    assert opened.get("/seals/applied", FORMER)["items"] == [one]  # it has issued an opinion on the case
    assert opened.get("/seals/applied", S1, seal="XX")["items"] == []
    assert opened.get("/seals/applied", "jw", as_known_at="2020-01-01")["items"] == []


@pytest.mark.clause("3.3a")
def test_ratings(opened: Doors) -> None:
    rows = opened.get("/ratings", APPROVAL)["items"]
    assert {(one["number"], one["level"], one["status"]) for one in rows} == {
        ("1", 1, "settled"), ("Q17", 2, "excluded"), ("2", 5, "good"),
    }  # fmt: skip
    assert pages(opened, "/ratings", APPROVAL) == rows
    assert {one["comment"] for one in rows} == {"窗*"}
    assert opened.get("/ratings", S1)["items"] == []
    assert opened.get("/ratings", OFFICE)["items"] == rows
    opened.get("/ratings", OFFICE, 403, reveal=True)
    [figures] = opened.get("/ratings/figures", OFFICE)["items"]
    assert (figures["total"], figures["bad"], figures["bad_rate"], figures["excluded"]) == (2, 1, 0.5, 1)
    assert opened.get("/ratings/figures", OFFICE, as_known_at="2020-01-01")["items"] == []


def test_a_rating_as_it_was_known(opened: Doors, region: TestStore) -> None:
    with region.connect() as conn:
        row = conn.execute(
            "SELECT recorded_at FROM shenguan.stored_events WHERE originator_id LIKE 'rating/%/1/%'"
            " AND topic = 'rating.recorded'"
        ).fetchone()
    assert row is not None
    [then] = opened.get("/ratings", APPROVAL, as_known_at=row[0].isoformat())["items"]
    assert (then["status"], then["contacted_at"], then["satisfied"]) == ("to_contact", None, None)


@pytest.mark.clause("3.3f")
def test_risks_are_for_inspectors(opened: Doors) -> None:
    rows = opened.get("/risks", "jw", signal="backdated")["items"]
    assert {one["case"] for one in rows} >= {"90", "91"}
    assert {one["unit"] for one in rows} == {"days"}
    assert pages(opened, "/risks", "jw", limit=2) == opened.get("/risks", "jw", limit=500)["items"]
    for caller in (APPROVAL, S1, OFFICE, "operator", "pt"):
        opened.get("/risks", caller, 403)


@pytest.mark.clause("3.3f")
def test_what_one_officer_did(opened: Doors, region: TestStore) -> None:
    one = {"officer": officer("008", "李四")}
    backdated = accept("95").model_copy(update={"accepted_on": DAY - timedelta(days=12), **one})
    region.submit(backdated)
    region.submit(decide("95").model_copy(update=one))
    region.submit(case(DemandSeal, "1", by=FORMER, demanded_of=APPROVAL, seal="印章", **one), expect="refused")
    region.project()
    [decided] = opened.get("/cases", "jw", officer="008")["items"]
    assert decided["number"] == "95"
    assert opened.get("/cases", "jw", officer="008", organ=FORMER)["items"] == []
    before = (datetime.fromisoformat(decided["decision_recorded_at"]) - timedelta(microseconds=1)).isoformat()
    assert opened.get("/cases", "jw", officer="008", as_known_at=before)["items"] == []
    now = moment_after(region)
    assert [row["number"] for row in opened.get("/cases", "jw", officer="008", as_known_at=now)["items"]] == ["95"]
    [tried] = opened.get("/attempts", "jw", officer="008")["items"]
    assert (tried["department"], tried["rule"]) == (FORMER, "seal.demand")
    assert {row["case"] for row in opened.get("/risks", "jw", officer="008", signal="backdated")["items"]} == {"95"}
    opened.get("/cases", "jw", 422, officer="李四")

    def desk(**chosen: str) -> list[str]:
        found = opened.client.get("/desk", params=chosen, headers=opened.headers("jw"))
        assert found.status_code == 200
        return [
            found.text.split(f'id="{name}-h"')[-1].split("</section>")[0] for name in ("cases", "risks", "attempts")
        ]

    cases, risks, attempts = desk(officer="008")
    assert (">95<" in cases, ">95<" in risks, ">007<" in cases + risks + attempts) == (True, True, False)
    assert "/lists/attempts?officer=008" in attempts
    assert "/cases?officer=008" in cases
    assert ">008<" in attempts
    assert ">008<" not in desk(officer="008", department=APPROVAL)[2]
    assert opened.get("/reads", "jw")["items"][0]["parameters"] == {"officer": "008", "department": APPROVAL}
    assert ">007<" in "".join(desk()[1:])


@pytest.mark.clause("3.3e")
def test_another_inspector_sees_what_was_read(opened: Doors) -> None:
    opened.get("/notices", "jw", department=S1)
    [latest, *_] = opened.get("/reads", "jw")["items"]
    assert (latest["command"], latest["parameters"], latest["officer"]) == ("notices", {"department": S1}, "W01")
    assert latest["caller"] == "https://id.example jw.W01"
    assert opened.get("/reads", "jw", command="reads")["items"][0]["command"] == "reads"
    assert opened.get("/reads", "jw", department="jw2")["items"] == []
    for caller in (APPROVAL, OFFICE, "operator"):
        opened.get("/reads", caller, 403)


def test_what_an_inspector_reads_over_http_is_verified(opened: Doors, region: TestStore) -> None:
    """He reads by a principal that vouches for him and acts for nobody itself."""
    opened.get("/notices", "jw")
    region.project()
    problems = verify(SimpleNamespace(migrator_url=region.urls.migrator)).problems
    assert [one for one in problems if one.check == "audience"] == []


def test_reads_page_by_page_and_as_known(opened: Doors, region: TestStore) -> None:
    for number in range(3):
        opened.get("/notices", "jw", department=f"d{number}")
    then = moment_after(region)
    before = opened.get("/reads", "jw", as_known_at=then, limit=500)["items"]
    assert len(before) >= 4  # with the one of the terminal
    assert pages(opened, "/reads", "jw", limit=2, as_known_at=then) == before
    assert [one["position"] for one in before] == sorted((one["position"] for one in before), reverse=True)


@pytest.fixture
def troubled(region: TestStore, opened: Doors) -> Doors:
    region.submit(accept("31"), id_="same")
    region.submit(
        accept("1x", Party(kind="自然人", name="赵铁柱", person=Person(name="赵铁柱"))), id_="same", expect="conflict"
    )
    for number in range(3):
        wrong = accept(f"w{number}").model_copy(update={"accepted_on": date(2027, 1, 1)})
        region.submit(wrong, id_=f"dead{number}", expect="dead")
        change = case(ChangeCase, f"zz{number}", on=DAY, document_number="x", content="y")
        region.submit(change, expect="parked")
    region.submit(case(ChangeCase, "zz9", by=S1, on=DAY, document_number="x", content="y"), expect="parked")
    return opened


def test_dead_letters_say_what_is_wrong_and_never_what_they_say(troubled: Doors) -> None:
    rows = troubled.get("/deadletters", APPROVAL)["items"]
    assert [one["id"] for one in rows] == ["dead2", "dead1", "dead0"]
    assert rows[0]["errors"][0]["rule"] == "date.future"
    assert "accepted_on" in rows[0]["reason"]
    assert pages(troubled, "/deadletters", APPROVAL) == rows
    assert troubled.get("/deadletters", "operator")["items"] == rows
    assert troubled.get("/deadletters", S1)["items"] == []
    assert troubled.get("/deadletters", S1, department=APPROVAL)["items"] == []
    assert troubled.get("/deadletters", APPROVAL, retried=True)["items"] == []
    assert troubled.get("/deadletters", APPROVAL, as_known_at="2020-01-01")["items"] == []
    assert "蒙草" not in str(rows)
    [conflict] = troubled.get("/deadletters/conflicts", APPROVAL)["items"]
    assert conflict["id"] == "same"
    assert conflict["holder"]
    assert "赵" not in str(conflict)


def test_what_is_parked_waits_for_something(troubled: Doors) -> None:
    rows = troubled.get("/parked", APPROVAL)["items"]
    assert {one["waits_for"] for one in rows} == {f"case/{APPROVAL}/zz{number}" for number in range(3)}
    assert rows[0]["awaited"].startswith("办件")
    assert pages(troubled, "/parked", APPROVAL) == rows
    assert len(troubled.get("/parked", "operator")["items"]) == 4
    assert len(troubled.get("/parked", S1)["items"]) == 1
    troubled.get("/parked", APPROVAL, 422, as_known_at="2026-03-02")


def test_a_new_dead_letter_changes_the_answer(troubled: Doors, region: TestStore) -> None:
    headers = troubled.headers(APPROVAL)
    first = troubled.client.get("/api/v1/deadletters", headers=headers)
    again = {**headers, "If-None-Match": first.headers["etag"]}
    assert troubled.client.get("/api/v1/deadletters", headers=again).status_code == 304
    wrong = accept("w9").model_copy(update={"accepted_on": date(2027, 1, 1)})
    region.submit(wrong, expect="dead")
    assert troubled.client.get("/api/v1/deadletters", headers=again).status_code == 200


def test_operations(troubled: Doors, region: TestStore) -> None:
    with region.connect() as conn:
        conn.execute(
            "INSERT INTO shenguan.follower (name, host, pid, alive_at, error) VALUES"
            " ('receipts', 'h', 1, clock_timestamp(), NULL), ('outlet.sms', 'h', 1, clock_timestamp(), 'gateway down'),"
            " ('clocks', 'h', 1, clock_timestamp() - interval '1 minute', NULL)"
        )
        conn.execute(
            "INSERT INTO shenguan.delivery (notice, channel, department, serial, position, due_at)"
            " VALUES ('s1/x', 'kafka', 's1', 1, 1, now())"
        )
    found = troubled.get("/operations", "operator")
    by = {one["name"]: one for one in found["followers"]}
    assert (by["receipts"]["alive"], by["receipts"]["role"]) == (True, "projector")
    assert by["receipts"]["behind_seconds"] is not None
    assert (by["outlet.sms"]["alive"], by["outlet.sms"]["error"], by["outlet.sms"]["role"]) == (
        False, "gateway down", "outlet",
    )  # fmt: skip
    assert not by["clocks"]["alive"]
    assert not by["approvals"]["alive"]
    assert (found["outcomes"]["dead"], found["outcomes"]["parked"], found["outcomes"]["conflict"]) == (3, 4, 1)
    outcomes = found["outcomes"]
    assert outcomes.pop("came") == sum(outcomes.values())
    [queue] = found["queues"]
    assert (queue["department"], queue["channel"], queue["waiting"]) == (S1, "kafka", 1)
    troubled.get("/operations", "jw")
    troubled.get("/operations", APPROVAL, 403)
    troubled.get("/operations", "operator", 422, as_known_at="2026-03-02")


@pytest.mark.parametrize(
    "path", ["/seals", "/seals/applied", "/ratings", "/risks", "/reads", "/deadletters", "/parked"]
)
@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonl"])
def test_as_a_file(troubled: Doors, path: str, form: str) -> None:
    found = troubled.client.get(f"/api/v1{path}?format={form}", headers=troubled.headers("jw"))
    assert found.status_code == 200
    rows = len(troubled.get(path, "jw", limit=500)["items"])
    if form != "xlsx":
        assert len(found.text.splitlines()) == rows + (form == "csv")
    last = next(one for one in troubled.get("/reads", "jw")["items"] if one["parameters"].get("format") == form)
    assert last["rows"] == rows - (path == "/reads")  # it is itself among them, once it is recorded

"""What officers do with notices and feedback over HTTP, with a real intake."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from domain.leaves import parse_leaf
from domain.signed_receipts import ReceiptStatement
from infra.roles.intake import IntakeRole
from tests.integration.channel_kit import command
from tests.integration.doors import Doors, doors
from tests.integration.outlet_kit import TrackedStore, count, running
from tests.integration.region import APPROVAL, FORMER, S1, S2, S3, granted
from tests.integration.signing_kit import KEY, register
from tests.integration.test_prover import prove
from tests.integration.teststore import TestStore


@pytest.fixture
def opened(region: TestStore, outer: TrackedStore) -> Iterator[Doors]:
    with doors(outer) as made, running(IntakeRole(outer)):
        yield made


def act(doors: Doors, path: str, caller: str, body: Any = None, code: int = 200, **headers: str) -> Any:
    asked = doors.headers(caller, **{"Prefer": "wait=20", **headers})
    found = doors.client.post(f"/api/v1{path}", json=body, headers=asked)
    assert found.status_code == code, found.text
    return found.json()


def test_received_taken_into_supervision_and_fed_back_to_the_end(region: TestStore, opened: Doors) -> None:
    granted(region, "1")
    notice = f"/departments/{S1}/notices/1"
    early = act(opened, f"{notice}/supervision", S1)
    assert (early["disposition"], early["waits_for"].partition("/")[0]) == ("parked", "notice")
    received = act(opened, f"{notice}/receipt", S1)
    assert (received["type"], received["events"]) == ("notice.receive", ["notice.received"])
    assert opened.get(f"/submissions/{early['id']}", S1)["disposition"] == "accepted"
    again = act(opened, f"{notice}/receipt", S1, {})
    assert (again["disposition"], again["rule"]["code"]) == ("refused", "notice.already")
    finding = {"number": "F1", "case_organ": APPROVAL, "case_number": "1", "found_on": "2026-03-02"}
    said = {"suggestion": "rectify", "detail": "未按图施工"}
    assert act(opened, "/feedback", S1, finding | said)["events"] == ["feedback.raised"]
    of_it = f"/feedback/{S1}/F1"
    disposed = act(opened, f"{of_it}/disposition", APPROVAL, {"outcome": "partly", "reason": "已责令改正"})
    assert disposed["events"] == ["feedback.disposed"]
    assert act(opened, f"{of_it}/reply", S1, {"detail": "仍未改正"})["events"] == ["feedback.replied"]
    act(opened, f"{of_it}/disposition", APPROVAL, {"outcome": "adopted", "reason": "已改正"})
    assert act(opened, f"{of_it}/closure", S1)["events"] == ["feedback.closed"]


def test_returned_to_whom_it_belongs(region: TestStore, opened: Doors) -> None:
    granted(region, "1")
    returned = act(opened, f"/departments/{S2}/notices/1/return", S2, {"proposed": S3, "reason": "不归我"})
    assert returned["events"] == ["notice.returned", "case.supervision_moved", "notice.moved"]
    assert [(one["addressee"], one["about"]) for one in returned["notices"]] == [(S3, "reassignment")]
    act(opened, f"/departments/{S1}/notices/1/return", S1, {"proposed": S3}, 422)


def test_a_receipt_may_be_signed(region: TestStore, outer: TrackedStore, opened: Doors) -> None:
    """Over the leaf, which the ledger shows; what it says it must be of."""
    register(region, S1)
    granted(region, "1")
    granted(region, "2")
    prove(region, outer)
    first, _ = opened.get(f"/departments/{S1}/ledger/entries", S1)["items"]
    notice = json.loads(parse_leaf(base64.b64decode(first["leaf"])).state)["notice"]
    leaf = base64.b64decode(first["leaf_hash"]).hex()
    said = ReceiptStatement(notice=notice, serial=first["serial"], leaf=leaf, received_at=region.now)
    jws = KEY.compact(said.model_dump(mode="json", exclude_none=True))
    other = act(opened, f"/departments/{S1}/notices/2/receipt", S1, {"receipt": jws})
    assert (other["disposition"], [one["rule"] for one in other["errors"]]) == ("dead", ["receipt.other"])
    act(opened, f"/departments/{S1}/notices/1/receipt", S1, {"receipt": "no"}, 422)
    assert act(opened, f"/departments/{S1}/notices/1/receipt", S1, {"receipt": jws})["disposition"] == "accepted"
    found = json.loads(command(outer, "had", notice, "--json").splitlines()[0])
    assert (found["had"], found["standing"], found["key"]) == ("signed", "good", KEY.thumbprint)


def test_many_at_once_each_has_its_answer(region: TestStore, opened: Doors) -> None:
    for number in ("1", "2", "3"):
        granted(region, number)
    many = f"/departments/{S1}/receipts"
    act(opened, f"/departments/{S1}/notices/2/receipt", S1)
    found = act(opened, many, S1, {"serials": [3, 1, 2, 9]})["items"]
    assert [one["serial"] for one in found] == [3, 1, 2, 9]
    assert [(one["status"], one["outcome"] and one["outcome"]["disposition"]) for one in found] == [
        (200, "accepted"),
        (200, "accepted"),
        (200, "refused"),
        (404, None),
    ]
    assert found[3]["problem"]["title"] == "没有此项"
    named = {"Idempotency-Key": "K"}
    first = act(opened, many, S1, {"serials": [1, 2]}, **named)["items"]
    assert act(opened, many, S1, {"serials": [2, 1]}, **named)["items"] == first[::-1]
    assert [one["status"] for one in act(opened, many, S1, {"serials": [1]}, **named)["items"]] == [422]
    act(opened, many, S1, {"serials": []}, 422)
    assert count(region, "SELECT count(*) FROM shenguan.stored_events WHERE topic = 'notice.received'") == 3


def test_when_it_was_received_and_when_that_cannot_be(region: TestStore, opened: Doors) -> None:
    granted(region, "1")
    at = (region.now + timedelta(hours=1)).isoformat()
    path = f"/departments/{S1}/notices/1/receipt"
    wrong = act(opened, path, S1, {"received_at": "3000-01-01T00:00:00Z"}, 422)
    assert [(one["field"], one["rule"]) for one in wrong["faults"]] == [("body.received_at", "less_than_equal")]
    act(opened, path, S1, {"received_at": "gestern"}, 422)
    assert act(opened, path, S1, {"received_at": at})["disposition"] == "accepted"


@pytest.mark.parametrize("action", ["receipt", "supervision", "return"])
def test_nobody_acts_for_another_department(region: TestStore, opened: Doors, action: str) -> None:
    granted(region, "1")
    body = {"proposed": S3, "reason": "不归我"} if action == "return" else None
    for caller in (S2, APPROVAL, FORMER, "operator"):
        act(opened, f"/departments/{S1}/notices/1/{action}", caller, body, 403)
        act(opened, f"/departments/{S1}/receipts", caller, {"serials": [1]}, 403)
    act(opened, "/departments/operator/receipts", "operator", {"serials": [1]}, 403)
    act(opened, f"/departments/{S1}/notices/7/{action}", S1, body, 404)
    assert count(region, "SELECT count(*) FROM shenguan.submission WHERE principal = 'api'") == 0

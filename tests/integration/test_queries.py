"""The questions at the terminal: readable tables, stable JSON, masked persons, replay from the log."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from domain.seals import ApplySeal
from infra.queries import app
from projections.receipts import find_receipts
from tests.integration.region import APPROVAL, FORMER, HIGHER, MATTER, OWN_MATTER, S1, S2, S3, accept, case, granted
from tests.integration.teststore import TestStore


def ask(store: TestStore, *words: str, code: int = 0) -> str:
    result: Result = CliRunner().invoke(app, list(words), obj=store, env={"COLUMNS": "400"})
    assert result.exit_code == code, (result.output, result.exception)
    return result.output


def ask_json(store: TestStore, *words: str, code: int = 0) -> Any:
    return json.loads(ask(store, *words, "--json", code=code))


def test_approvals(full: TestStore) -> None:
    text = ask(full, "approvals")
    assert "审批台账" in text
    assert "审批局" in text
    assert "蒙草公司" in text
    assert "共 9 条" in text
    assert "赵铁柱" not in text
    assert "赵*" in text
    assert "赵铁柱" in ask(full, "approvals", "--reveal")
    assert "Approvals" in ask(full, "approvals", "--lang", "en")
    found = ask_json(full, "approvals", "--department", APPROVAL, "--matter", MATTER, "--since", "2026-01-01")
    assert found["total"] == 7  # the accepted one has no date of decision, FORMER's another organ
    assert found["items"][0]["decided_on"] == "2026-03-02"
    assert {item["officer_name"] for item in found["items"]} == {"张*"}
    assert found["items"][0]["recorded_at"].endswith("+08:00")
    assert ask_json(full, "approvals", "--matter", OWN_MATTER)["items"][0]["organ"] == FORMER


@pytest.mark.door("command")
@pytest.mark.clause("2.7d")
def test_an_opinion_stands_in_the_two_way_record(full: TestStore) -> None:
    steps = [step for step in ask_json(full, "case", "1")["steps"] if step["kind"] == "opinion.issued"]
    assert [(step["from_department"], step["to_department"]) for step in steps] == [(FORMER, APPROVAL)]
    assert "opinion.issued" in {event["kind"] for event in ask_json(full, "replay", "1")["events"]}
    assert "出具书面意见" in ask(full, "case", "1")


@pytest.mark.door("command")
@pytest.mark.clause("4.2a")
def test_a_review_stands_in_the_two_way_record(full: TestStore) -> None:
    steps = [s for s in ask_json(full, "case", "7")["steps"] if s["kind"].startswith("review.")]
    assert [(s["kind"], s["from_department"], s["to_department"]) for s in steps] == [
        ("review.submitted", APPROVAL, HIGHER),
        ("review.returned", HIGHER, APPROVAL),
    ]
    assert "直接报送" in ask(full, "case", "7")
    replayed = {event["kind"] for event in ask_json(full, "replay", "7")["events"]}
    assert {"review.submitted", "review.returned", "notice.owed"} <= replayed


@pytest.mark.door("command")
@pytest.mark.clause("2.8c")
def test_inspections_stand_in_the_two_way_record(full: TestStore) -> None:
    kinds = ["inspection.reported", "inspection.corrected", "inspection.retracted"]
    steps = [step for step in ask_json(full, "case", "1")["steps"] if step["kind"] in kinds]
    assert [(step["kind"], step["from_department"], step["to_department"]) for step in steps] == [
        (kind, S1, None) for kind in kinds
    ]
    text = json.dumps(steps, ensure_ascii=False)
    assert "孙检查" not in text
    assert "15010000001" in text
    replayed = [event for event in ask_json(full, "replay", "1")["events"] if event["kind"] in kinds]
    assert [event["position"] for event in replayed] == [step["position"] for step in steps]
    assert "撤回检查" in ask(full, "case", "1")


@pytest.mark.door("command")
@pytest.mark.clause("2.7e")
def test_approvals_without_seal_and_seals_without_approval(full: TestStore) -> None:
    unsealed = {item["number"] for item in ask_json(full, "approvals", "--unsealed")["items"]}
    assert {"2", "3", "8", "9"} <= unsealed
    assert not unsealed & {"1", "5", "6", "7"}  # sealed, not granted, stock, undecided
    assert ask_json(full, "approvals", "--undecided")["total"] == 0
    full.submit(
        case(
            ApplySeal, "7", seal="SP1", certificate_serial="ab12", document_sm3="0" * 64,
            applied_at=full.now - timedelta(hours=1),
        )
    )  # fmt: skip
    full.project()
    assert [item["number"] for item in ask_json(full, "approvals", "--undecided")["items"]] == ["7"]


@pytest.mark.clause("2.7e", refused=True)
def test_a_seal_for_a_case_that_nobody_accepted_is_parked(full: TestStore) -> None:
    seal = case(
        ApplySeal, "nobody", seal="SP1", certificate_serial="ab12", document_sm3="0" * 64,
        applied_at=full.now - timedelta(hours=1),
    )  # fmt: skip
    full.submit(seal, expect="parked")
    full.project()
    assert ask_json(full, "approvals", "--undecided")["total"] == 0


def test_a_cut_list_says_so(full: TestStore) -> None:
    assert "共 9 条，只列出前 2 条" in ask(full, "approvals", "--limit", "2")
    found = ask_json(full, "approvals", "--limit", "2")
    assert (found["total"], found["shown"], len(found["items"])) == (9, 2, 2)


def test_receipts(full: TestStore) -> None:
    text = ask(full, "receipts", "--outstanding", "--department", S2)
    assert "未签收" in text
    assert "监管二局" in text
    found = ask_json(full, "receipts", "--outstanding", "--department", S2)
    assert {item["status"] for item in found["items"]} == {"outstanding"}
    received = [item for item in ask_json(full, "receipts", "--department", S1)["items"] if item["received_at"]]
    assert [(item["case"], item["received_by"], item["received_by_name"]) for item in received] == [("9", "42", "王*")]
    assert received[0]["overdue"] in (False, None)  # None: no calendar is published for the day this test runs


def test_a_due_date_beyond_the_calendar(full: TestStore) -> None:
    from infra.answers import with_due

    with full.connect_reader() as conn:
        rows = find_receipts(conn, limit=1).rows
    rows[0] |= {"due_on": None, "yellow_on": None}
    (row,) = with_due(rows, datetime(2027, 4, 1, tzinfo=UTC))
    assert (row["due_on"], row["due"], row["overdue"], row["lamp"]) == (None, "unknown", None, "unknown")


def test_case(full: TestStore) -> None:
    found = ask_json(full, "case", "9")
    assert found["case"]["status"] == "granted"
    assert len(found["steps"]) == 23
    assert {notice["department"] for notice in found["notices"]} >= {S1, S2, S3}
    text = ask(full, "case", "1")
    assert "告知移交" in ask(full, "case", "9")
    for word in ("双向记录", "用印", "更正", "被拒绝的尝试", "审批专用章已足够"):
        assert word in text


def test_a_number_that_several_organs_have(full: TestStore) -> None:
    full.submit(accept("1", organ=FORMER, matter=OWN_MATTER))
    full.project()
    for command in ("case", "replay"):
        assert "--organ" in ask(full, command, "1", code=1)
        assert ask_json(full, command, "1", code=1)["organs"] == [APPROVAL, FORMER]
        assert ask_json(full, command, "1", "--organ", FORMER)
        assert "没有办件" in ask(full, command, "nix", code=1)


def test_replay_agrees_with_the_read_models(full: TestStore) -> None:
    found, model = ask_json(full, "replay", "9"), ask_json(full, "case", "9")
    assert [event["position"] for event in found["events"]] == [step["position"] for step in model["steps"]]
    assert {n["notice"]: n["status"] for n in found["notices"]} == {
        n["notice"]: n["status"] for n in model["notices"]
    }  # fmt: skip
    assert found["feedback"] == [
        {"stream": f"feedback/{S1}/f1", "department": S1, "number": "f1", "suggestion": "rectify", "status": "disposed"}
    ]
    one = ask_json(full, "replay", "1")["state"]
    assert (one["status"], one["document_number"], one["licence_number"], one["seals"]) == ("granted", "文一", "证1", 1)
    replayed = ask_json(full, "replay", "1")
    assert [thread["status"] for thread in replayed["feedback"]] == ["closed"]
    replied = next(event for event in replayed["events"] if event["kind"] == "feedback.replied")
    then = ask_json(full, "replay", "1", "--as-known-at", replied["recorded_at"])
    assert [thread["status"] for thread in then["feedback"]] == ["open"]
    assert "已办结" in ask(full, "replay", "1")
    assert "现场不符" not in ask(full, "replay", "9")
    assert "现场不符" in ask(full, "replay", "9", "--reveal", "--json")


def test_replay_as_known_at(full: TestStore) -> None:
    every = ask_json(full, "replay", "9")["events"]
    for upto in (2, 4, 9):
        found = ask_json(full, "replay", "9", "--as-known-at", every[upto - 1]["recorded_at"])
        assert [event["position"] for event in found["events"]] == [event["position"] for event in every[:upto]]
    assert found["state"]["status"] == "granted"
    before = datetime.fromisoformat(every[0]["recorded_at"]) - timedelta(microseconds=1)
    ask(full, "replay", "9", "--as-known-at", before.isoformat(), code=1)
    today = datetime.fromisoformat(every[0]["recorded_at"]).date().isoformat()
    assert len(ask_json(full, "replay", "9", "--as-known-at", today)["events"]) == len(every)
    ask(full, "replay", "9", "--as-known-at", "yesterday", code=2)


def test_dead_letters_and_parked(full: TestStore) -> None:
    from domain.permits import ChangeCase

    future = accept("x").model_copy(update={"accepted_on": datetime(2027, 1, 1, tzinfo=UTC).date()})
    full.submit(future, id_="bad", expect="dead")
    full.submit(accept("y"), id_="a-1", expect="conflict")
    full.submit(case(ChangeCase, "later", on=full.now.date(), document_number="1", content="x"), expect="parked")
    dead = ask_json(full, "deadletters")
    assert (dead["total"], dead["items"][0]["errors"][0]["rule"]) == (1, "date.future")
    assert dead["conflicts"]["total"] == 1
    text = ask(full, "deadletters")
    assert "accepted_on" in text
    assert "冲突" in text
    waiting = ask_json(full, "parked")["items"][0]
    assert waiting["waits_for"] == f"case/{APPROVAL}/later"
    assert waiting["expires_at"] > waiting["parked_at"]
    assert f"办件 {APPROVAL}/later" in ask(full, "parked")
    assert f"the case {APPROVAL}/later" in ask(full, "parked", "--lang", "en")


def test_status(full: TestStore) -> None:
    found = ask_json(full, "status")
    assert {f["name"]: f["behind"] for f in found["followers"]} == {
        "approvals": 0, "attempts": 0, "clocks": 0, "daily": 0, "feedback": 0, "inspections": 0, "ratings": 0,
        "receipts": 0, "risks": 0, "two_way": 0,
    }  # fmt: skip
    assert found["submissions"]["in"] == sum(n for key, n in found["submissions"].items() if key != "in")
    assert found["notices"]["owed"] == 15
    assert (found["decisions"], found["seals"]) == (8, {"applied": 1, "refused": 2})
    assert found["overdue"] in (0, None)  # None: no calendar is published for the day this test runs
    granted(full, "more")
    assert ask_json(full, "status")["followers"][0]["behind"] == 4
    assert "日志位置" in ask(full, "status")
    assert "Log position" in ask(full, "status", "--lang", "en")


@pytest.mark.parametrize("command", ["approvals", "receipts", "case", "replay", "deadletters", "parked", "status"])
def test_help(command: str) -> None:
    assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0

"""Inspectors ask at the terminal, at any past time, and every read is on record before it is answered (3.3e)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adapters.postgres.writer import Fact
from domain.departments import RegisterDepartment, RegisterPrincipal
from domain.permits import ChangeCase
from infra.queries import app
from tests.integration.region import DAY, OFFICE, S1, case, granted
from tests.integration.test_queries import ask, ask_json
from tests.integration.test_registers import moment_after
from tests.integration.teststore import TestStore, department

AS = ("--as", "jw", "--officer", "J01,乌日娜")


@pytest.fixture
def watched(region: TestStore) -> TestStore:
    """With two discipline inspections and a granted case."""
    for code, name in (("jw", "纪委监委"), ("jw2", "自治区纪委监委")):
        region.submit(RegisterPrincipal(principal=code, acts_for=(code,)), principal="operator")
        region.submit(RegisterDepartment(department=OFFICE, entry=department(code, name, "DISCIPLINE")))
    granted(region, "1")
    region.project()
    return region


def run(store: TestStore, *words: str) -> Result:
    result: Result = CliRunner().invoke(app, list(words), obj=store, env={"COLUMNS": "400"})
    return result


def reads(store: TestStore) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = ask_json(store, "reads")["items"]
    return rows


@pytest.mark.door("command")
@pytest.mark.clause("3.3e")
def test_a_case_is_replayed_as_it_was_known_and_that_is_on_record(watched: TestStore) -> None:
    then = moment_after(watched)
    change = {"document_number": "变1", "on": DAY, "content": "变更内容"}
    watched.submit(case(ChangeCase, "1", **change))
    before = ask_json(watched, "replay", "1", "--as-known-at", then, *AS)
    assert "case.changed" not in {event["kind"] for event in before["events"]}
    assert "变更" in ask(watched, "replay", "1", *AS)
    now, past = reads(watched)
    assert (past["department"], past["principal"], past["officer"], past["command"]) == ("jw", "jw", "J01", "replay")
    assert past["parameters"] == {"number": "1", "as_known_at": then[:64]}
    assert datetime.fromisoformat(past["as_known_at"]) == datetime.fromisoformat(then)
    assert past["rows"] >= len(before["events"])
    assert (now["as_known_at"], now["officer_name"], now["revealed"]) == (None, "乌*", False)


@pytest.mark.door("command")
@pytest.mark.clause("3.3e")
def test_another_inspector_sees_who_read_what(watched: TestStore) -> None:
    for words in (("approvals", "--department", "spj"), ("receipts",), ("liability", "1"), ("risks",), ("matters",)):
        ask(watched, *words, *AS)
    text = ask(watched, "reads", "--as", "jw2", "--officer", "Z9，高娃")
    for command in ("approvals", "receipts", "liability", "risks", "matters"):
        assert command in text
    assert "department=spj" in text
    assert [one["command"] for one in reads(watched)[:2]] == ["reads", "matters"]
    assert ask_json(watched, "reads", "--department", "jw2")["total"] == 1


@pytest.mark.door("command")
@pytest.mark.clause("3.3e")
def test_persons_in_clear_for_a_reason(watched: TestStore, tmp_path: Path) -> None:
    assert "张三丰" in ask(watched, "case", "1", "--reveal", "--reason", "核查信访件", *AS)
    [one] = reads(watched)
    assert (one["revealed"], one["reason"]) == (True, "核*")
    assert "核查信访件" in ask(watched, "reads", "--reveal")
    file = tmp_path / "a.csv"
    ask(watched, "export", "approvals", str(file), *AS)
    assert file.exists()
    exported = reads(watched)[0]
    assert (exported["command"], exported["parameters"], exported["rows"]) == (
        "export",
        {"kind": "approvals", "file": "yes"},
        1,
    )
    with watched.connect() as conn:
        states = conn.execute("SELECT state FROM shenguan.stored_events WHERE topic = 'read.recorded'").fetchall()
    assert all("乌日娜".encode() not in state and "核查".encode() not in state for (state,) in states)


@pytest.mark.door("command")
@pytest.mark.clause("3.3e", refused=True)
def test_who_is_no_inspector_sees_nothing_and_the_attempt_is_on_record(watched: TestStore, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    for principal in (S1, "nobody", "operator"):
        for words in (("replay", "1"), ("replay", "1", "--json"), ("export", "approvals", str(file))):
            result = run(watched, *words, "--as", principal, "--officer", "1,某某")
            assert result.exit_code == 1
            assert result.stdout == ""
            assert "不得以其名义查阅" in result.stderr
    assert list(tmp_path.iterdir()) == []
    assert reads(watched) == []
    watched.project()
    found = ask_json(watched, "attempts", "--rule", "read.not_inspector")
    assert found["total"] == 9
    assert {one["about"] for one in found["items"]} == {f"principal/{one}" for one in (S1, "nobody", "operator")}
    assert "该接入方不代表纪检监察部门" in ask(watched, "attempts", "--department", S1)


@pytest.mark.door("command")
@pytest.mark.clause("3.3e", refused=True)
def test_no_reason_no_persons_no_officer_no_answer(watched: TestStore) -> None:
    result = run(watched, "case", "1", "--reveal", *AS)
    assert (result.exit_code, result.stdout) == (1, "")
    watched.project()
    assert ask_json(watched, "attempts", "--rule", "read.reason")["items"][0]["department"] == "jw"
    assert run(watched, "case", "1", "--as", "jw").exit_code == 2
    assert reads(watched) == []


IDENTITY = "110101199003070011"


@pytest.mark.door("command")
@pytest.mark.clause("3.3e")
def test_what_is_typed_names_nobody_in_the_log(watched: TestStore) -> None:
    padded = "x" * 50 + " " + IDENTITY
    for typed in ("张三丰", IDENTITY, padded, "1"):
        ask(watched, "approvals", "--matter", typed, *AS)
    found = [one["parameters"]["matter"] for one in reads(watched)]
    assert found == ["1", "x*", "1*", "张*"]
    revealed = [one["parameters"]["matter"] for one in ask_json(watched, "reads", "--reveal")["items"]]
    assert revealed == ["1", padded[:64], IDENTITY, "张三丰"]
    assert_unnamed(watched, "张三丰", IDENTITY[:12])


@pytest.mark.door("command")
@pytest.mark.clause("3.3e", refused=True)
def test_nobody_asks_under_an_identity_number(watched: TestStore) -> None:
    for words in (("--as", IDENTITY, "--officer", "J01,乌日娜"), ("--as", "jw", "--officer", f"{IDENTITY},乌日娜")):
        result = run(watched, "case", "1", *words)
        assert (result.exit_code, result.stdout) == (2, "")
        assert IDENTITY not in result.stderr
    assert_unnamed(watched, IDENTITY)
    assert ask_json(watched, "attempts")["total"] == 0


def assert_unnamed(store: TestStore, *words: str) -> None:
    """None of them is anywhere in the log."""
    with store.connect() as conn:
        stored = b"".join(
            row[0] for row in conn.execute("SELECT row_to_json(e)::text::bytea FROM shenguan.stored_events AS e")
        )
        states = b"".join(row[0] for row in conn.execute("SELECT state FROM shenguan.stored_events"))
    for word in words:
        for form in (word.encode(), word.encode("unicode_escape")):
            assert form not in stored + states, word


@pytest.mark.door("command")
@pytest.mark.clause("3.3e", refused=True)
def test_what_cannot_be_recorded_is_not_answered(watched: TestStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("the log is full")

    monkeypatch.setattr(watched, "facts", fail)
    result = run(watched, "case", "1", *AS)
    assert isinstance(result.exception, OSError)
    assert result.stdout == ""


@pytest.mark.door("command")
@pytest.mark.clause("3.3e", refused=True)
@pytest.mark.parametrize(
    "words", [("export", "receipts"), ("statistics", "--overdue", "--export"), ("lists", "document", "--csv")]
)
def test_nothing_is_on_the_disk_before_the_read_is_on_record(
    watched: TestStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    found: list[list[Path]] = []

    def facts(*made: Fact) -> None:
        found.append(list(tmp_path.iterdir()))
        TestStore.facts(watched, *made)

    monkeypatch.setattr(watched, "facts", facts)
    file = tmp_path / "a.csv"
    ask(watched, *words, str(file), *AS)
    assert found == [[]]
    [read] = reads(watched)
    assert read["rows"] == len(file.read_text(encoding="utf-8-sig").splitlines()) - 1
    assert read["parameters"]["file"] == "yes"

"""What a letter says on paper: composed from the log as it was when the letter was issued."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from domain.circulars import SendCircular
from domain.departments import RegisterDepartment, RegisterLiaison, RegisterPrincipal
from domain.letters import IssueLetter
from domain.party import Party
from domain.personal import Person
from domain.supervision import DisposeFeedback, RaiseFeedback
from infra import letter_commands, queries
from infra import letters as answer
from tests.integration.region import APPROVAL, DAY, FORMER, OFFICE, S1, S2, accept, by_letter, decide, granted
from tests.integration.test_registers import moment_after
from tests.integration.teststore import TestStore, department
from tests.pdf import read_pdf

HOLDER = "娜仁格日乐"
SIGNER = "苏和"


def letters(store: TestStore, *words: str, code: int = 0) -> Any:
    result = CliRunner().invoke(letter_commands.app, [*words, "--json"], obj=store)
    assert result.exit_code == code, (result.output, result.exception)
    return json.loads(result.output.strip().splitlines()[-1])


def to_a_person(store: TestStore) -> str:
    """A letter about a permit of a natural person; its number."""
    by_letter(store, "14")
    person = Person(name=HOLDER, id_type="护照", id_number="E12345678")
    store.submit(accept("15", Party(kind="自然人", name=HOLDER, person=person)))
    store.submit(decide("15"), id_="d-15")
    store.submit(IssueLetter(department=APPROVAL, addressee=S1, issued_on=DAY, notices=(f"{S1}/test/d-15",)))
    return f"呼审批函〔{DAY.year}〕2号"


def printed(store: TestStore, number: str, file: Path) -> bytes:
    letters(store, "print", number, "--out", str(file))
    return file.read_bytes()


def listed(content: bytes) -> str:
    return read_pdf(content).pages[1].text


def test_what_becomes_of_a_department_later_changes_no_letter(region: TestStore, tmp_path: Path) -> None:
    number = to_a_person(region)
    before = printed(region, number, tmp_path / "a.pdf")
    assert HOLDER in listed(before)
    renamed = department(S1, "监管总局", "SUPERVISION").model_copy(update={"channels": ("letter",)})
    region.submit(RegisterDepartment(department=OFFICE, entry=renamed))
    granted(region, "16")
    assert printed(region, number, tmp_path / "b.pdf") == before
    assert "监管一局：" in read_pdf(before).pages[0].text


def test_an_erased_holder_shows_as_such(region: TestStore, tmp_path: Path) -> None:
    number = to_a_person(region)
    with psycopg.connect(region.urls.superuser) as conn:
        conn.execute("UPDATE vault.subject_key SET wrapped = NULL, destroyed_at = now() WHERE subject LIKE 'person/%'")
    region.sealer.forget()
    text = listed(printed(region, number, tmp_path / "a.pdf"))
    assert HOLDER not in text
    assert "（已销毁）" in text


def test_the_log_names_nobody(region: TestStore) -> None:
    to_a_person(region)
    with region.connect() as conn:
        stored = b"".join(row[0] for row in conn.execute("SELECT state FROM shenguan.stored_events"))
    for name in (HOLDER, SIGNER):
        assert name.encode() not in stored
        assert name.encode("unicode_escape") not in stored


def test_it_says_what_any_fact_says(region: TestStore, tmp_path: Path) -> None:
    """An invitation, about no case, and an answer to a finding."""
    by_letter(region, "14")
    meeting = {"kind": "meeting", "number": "会〔2026〕1号", "title": "会商", "body": "请派员参加", "venue": "三楼"}
    region.submit(
        SendCircular(department=APPROVAL, main=(S1,), meets_at=datetime(2026, 3, 9, 1, tzinfo=UTC), **meeting),
        id_="c1",
    )
    region.submit(
        RaiseFeedback(
            department=S1, number="f1", case_organ=APPROVAL, case_number="14", found_on=DAY, suggestion="rectify",
            detail="不符",
        )
    )  # fmt: skip
    region.submit(
        DisposeFeedback(department=APPROVAL, supervisor=S1, number="f1", outcome="not", reason="不属实"), id_="x1"
    )
    notices = tuple(f"{S1}/test/{fact}" for fact in ("c1", "x1"))
    region.submit(IssueLetter(department=APPROVAL, addressee=S1, issued_on=DAY, notices=notices))
    text = listed(printed(region, f"呼审批函〔{DAY.year}〕2号", tmp_path / "a.pdf"))
    for said in (
        "标题：会商", "时间：2026-03-0909:00", "地点：三楼", "正文：请派员参加", "反馈处理", "理由：不属实",
        "许可内容：准予施工",
    ):  # fmt: skip
        assert said in text, said


def test_there_is_no_letter_of_a_number_that_none_has(region: TestStore, tmp_path: Path) -> None:
    by_letter(region, "14")
    found = letters(region, "print", "呼审批函〔2026〕9号", "--out", str(tmp_path / "a.pdf"), code=1)
    assert found["error"] == "No letter 呼审批函〔2026〕9号."
    assert not list(tmp_path.iterdir())


def test_what_is_due_is_what_no_letter_carries(region: TestStore) -> None:
    by_letter(region, "14")
    one, two = granted(region, "15"), granted(region, "16")
    region.project()
    found = letters(region, "due")
    assert [row["notice"] for row in found["items"]] == [f"{S1}/{one}", f"{S1}/{two}"]  # S2 is told otherwise
    region.submit(IssueLetter(department=APPROVAL, addressee=S1, issued_on=DAY, notices=(f"{S1}/{two}",)))
    assert [row["notice"] for row in letters(region, "due")["items"]] == [f"{S1}/{one}"]
    assert letters(region, "due", "--department", S2)["items"] == []
    rows = letters(region, "list")["items"]
    assert [(row["number"], row["serials"], row["received"]) for row in rows] == [
        ("呼审批函〔2026〕1号", [1], 1),
        ("呼审批函〔2026〕2号", [3], 0),
    ]
    assert [row["number"] for row in letters(region, "list", "--outstanding")["items"]] == ["呼审批函〔2026〕2号"]
    assert letters(region, "list", "--department", OFFICE)["items"] == []


def test_nothing_that_is_due_is_hidden_behind_what_others_are_to_send(
    region: TestStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_letter(region, "14")
    for number in ("1", "2"):
        said = {"kind": "policy", "number": number, "title": "条件调整", "body": "新标准", "changed_on": DAY}
        region.submit(SendCircular(department=FORMER, main=(APPROVAL,), copies=(S1,), **said), id_=f"c{number}")
    mine = [f"{S1}/{granted(region, number)}" for number in ("15", "16", "17")]
    region.project()
    monkeypatch.setattr(answer, "MOST", 2)
    assert answer.to_send(region, APPROVAL, S1, None) == mine[:2]
    assert answer.to_send(region, APPROVAL, S1, [6]) == mine[2:]
    assert answer.to_send(region, FORMER, S1, None) == [f"{S1}/test/c1", f"{S1}/test/c2"]
    assert answer.to_send(region, APPROVAL, S2, None) == []
    found = letters(region, "due", "--limit", "1")
    assert (found["total"], found["shown"]) == (5, 1)


@pytest.mark.parametrize(
    ("said", "handed_in"),
    [
        ("2026-03-02", "2026-03-02"),
        ("20260302", "2026-03-02"),
        ("2026-03-02T10:00", "2026-03-02T10:00:00+08:00"),
    ],
)
def test_a_slip_that_bears_a_day_is_of_that_day_however_it_is_typed(
    region: TestStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, handed_in: str
) -> None:
    by_letter(region, "14")
    scan = tmp_path / "scan.jpg"
    scan.write_bytes(b"the slip")
    found: list[Any] = []
    monkeypatch.setattr(letter_commands, "_hand_in", lambda *given: found.append(given[4]))
    signed = ("--signer-id", "9", "--signer-name", SIGNER, "--received-at", said, "--scan", str(scan))
    words = ("receive", f"呼审批函〔{DAY.year}〕1号", "--principal", APPROVAL, "--code", "301366791", *signed)
    result = CliRunner().invoke(letter_commands.app, words, obj=region)
    assert result.exit_code == 0, result.output
    assert [one["received_at"] for one in found] == [handed_in]


def test_which_letters_were_received_as_it_was_known(region: TestStore) -> None:
    before = moment_after(region)
    by_letter(region, "14")
    [now] = letters(region, "list")["items"]
    after = moment_after(region)
    with region.connect() as conn:
        rows = conn.execute(
            "SELECT recorded_at FROM shenguan.stored_events WHERE topic = ANY(%s) ORDER BY notification_id",
            (["letter.issued", "notice.received"],),
        ).fetchall()
    issued_at, received_at = (row[0].isoformat() for row in rows)
    then = [letters(region, "list", "--as-known-at", at)["items"] for at in (before, issued_at, received_at, after)]
    assert [[one["received"] for one in items] for items in then] == [[], [0], [1], [1]]
    assert then[1][0]["received_at"] is None
    assert then[3] == [now]
    assert now["received_at"]
    assert len(letters(region, "list", "--outstanding", "--as-known-at", issued_at)["items"]) == 1


@pytest.mark.parametrize(("language", "word"), [("zh", "副联络员代"), ("en", "deputy acting")])
def test_liaison_officers_in_words(region: TestStore, language: str, word: str) -> None:
    deputy = Person(name="其木格", phone="0471-0000022")
    region.submit(RegisterLiaison(department=S2, number="L02", person=deputy, deputy=True))
    result = CliRunner().invoke(queries.app, ["liaisons", "--missing", "--lang", language], obj=region)
    assert result.exit_code == 0, result.output
    assert word in result.output
    assert "其*" in result.output
    assert "其木格" not in result.output
    assert "监管一局" not in result.output  # has its own


@pytest.mark.door("command")
@pytest.mark.clause("3.3e")
@pytest.mark.clause("3.3e", refused=True)
def test_an_inspector_reads_a_letter_for_a_reason_and_on_record(region: TestStore, tmp_path: Path) -> None:
    region.submit(RegisterPrincipal(principal="jw", acts_for=("jw",)), principal="operator")
    region.submit(RegisterDepartment(department=OFFICE, entry=department("jw", "纪委监委", "DISCIPLINE")))
    number, asked = to_a_person(region), ("--as", "jw", "--officer", "J01,乌日娜")
    file = tmp_path / "a.pdf"
    result = CliRunner().invoke(letter_commands.app, ["print", number, "--out", str(file), *asked], obj=region)
    assert (result.exit_code, result.stdout, file.exists()) == (1, "", False)
    letters(region, "print", number, "--out", str(file), *asked, "--reason", "核查信访件")
    assert HOLDER in listed(file.read_bytes())
    letters(region, "list", *asked)
    found = CliRunner().invoke(queries.app, ["reads", "--json", "--reveal"], obj=region)
    listing, printing = json.loads(found.output)["items"]
    assert (listing["command"], listing["rows"], listing["revealed"]) == ("letters-list", 2, False)
    assert (printing["command"], printing["rows"], printing["revealed"]) == ("letters-print", 1, True)
    assert printing["parameters"] == {"number": number, "out": "yes"}

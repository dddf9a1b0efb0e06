"""A department with no system, served by letter from the decision to the signed slip, at the terminal (2.2)."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from domain.identifiers import make_receipt_code
from tests.acceptance.command import environment, until, up
from tests.acceptance.forked import Commands
from tests.pdf import read_pdf

MATTER = "11150100000000001F3000112001000"
APPROVAL, BUREAU, OFFICE = "spj", "wlj", "sgb"
NUMBER = "呼审批函〔2026〕1号"
HOLDER = "娜仁格日乐"
PERSON = {"name": HOLDER, "id_type": "护照", "id_number": "E12345678"}


class City:
    """Three departments of which one is told by letter only, and what they do at the terminal."""

    def __init__(self, commands: Commands, path: Path) -> None:
        self._commands = commands
        self.path = path

    def run(self, *arguments: str, code: int = 0) -> str:
        ended, printed = self._commands.run(list(arguments))
        assert ended == code, printed
        return printed

    def ask(self, *arguments: str) -> Any:
        """The JSON that a question prints last."""
        return json.loads(self.run(*arguments, "--json").strip().splitlines()[-1])

    def submit(self, type_: str, by: str, *more: str, code: int = 0, **data: Any) -> Any:
        file = self.path / "data.json"
        file.write_text(json.dumps({"department": by, **data}, ensure_ascii=False), encoding="utf-8")
        said = ["submit", type_, "--principal", by, "--data", str(file), "--wait", "60", "--json", *more]
        return json.loads(self.run(*said, code=code))


@pytest.fixture(scope="module")
def city() -> Iterator[City]:
    path = Path(tempfile.mkdtemp(prefix="shenguan-letters-"))
    path.chmod(0o711)
    env = environment(path)
    try:
        with up(env), Commands(env) as commands:
            city = City(commands, path)
            _register(city)
            yield city
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _register(city: City) -> None:
    entry = {"region": "150100", "valid_from": "2019-01-01"}
    founding = {
        "reform_office": {"code": OFFICE, "name": "审改办", "roles": ["REFORM_OFFICE"], **entry},
        "principals": {one: [one] for one in (OFFICE, APPROVAL, BUREAU)},
        "operator": "operator",
    }
    (city.path / "founding.json").write_text(json.dumps(founding, ensure_ascii=False), encoding="utf-8")
    city.run("found", "founding.json")
    city.run("topics", "apply")
    for code, name, role, channels in (
        (APPROVAL, "呼和浩特市行政审批和政务服务局", "APPROVAL", ["kafka"]),
        (BUREAU, "呼和浩特市文化旅游广电局", "SUPERVISION", ["letter"]),
    ):
        told = {"code": code, "name": name, "roles": [role], "channels": channels, **entry}
        city.submit("department.register", OFFICE, entry=told)
    law = {"name": "娱乐场所经营许可", "competent": BUREAU, "legal_basis": "《娱乐场所管理条例》第九条"}
    city.submit("matter.register", OFFICE, entry={"code": MATTER, **law})
    city.submit(
        "matter.transfer", OFFICE, matter=MATTER, valid_from="2025-01-01", basis="通知", to=APPROVAL,
        supervisors=[{"department": BUREAU}],
    )  # fmt: skip
    head = {
        "kind": "letterhead",
        "organ": APPROVAL,
        "mark": "呼审批函",
        "address": "新华大街1号",
        "phone": "0471-0000001",
    }
    city.submit("register.enter", OFFICE, entry=head, valid_from="2025-01-01", basis="通知")


def _decide(city: City) -> str:
    """A permit for a natural person; the notice that the bureau is owed."""
    case = {"organ": APPROVAL, "number": "1"}
    party = {"kind": "自然人", "name": HOLDER, "person": PERSON}
    city.submit("case.accept", APPROVAL, **case, matter=MATTER, party=party, accepted_on="2026-08-06")
    decision = {
        "outcome": "granted",
        "document_number": "呼1号",
        "decided_on": "2026-08-10",
        "valid_from": "2026-08-10",
    }
    decided = ("--id", "D1", "--time", "2026-08-10T10:00")
    found = city.submit("case.decide", APPROVAL, *decided, **case, **decision, content="准予：歌舞娱乐，核定 120 人。")
    [owed] = found["notices"]
    assert (owed["addressee"], owed["serial"]) == (BUREAU, 1)
    return str(owed["notice"])


@pytest.mark.clause("2.2h")
@pytest.mark.clause("2.2h", refused=True)
@pytest.mark.door("command")
def test_a_department_without_a_system_is_served_by_letter(city: City) -> None:
    notice = _decide(city)
    [due] = until(lambda: city.ask("letters", "due")["items"])
    assert (due["department"], due["serial"], due["notice"]) == (BUREAU, 1, notice)

    said = ("--principal", APPROVAL, "--time", "2026-08-11T09:00", "--id", "L1")
    issued = city.ask("letters", "issue", BUREAU, *said)
    assert issued == {"number": NUMBER, "notices": [notice]}
    assert city.ask("letters", "due")["items"] == []
    assert "没有待发给该部门的告知" in city.run("letters", "issue", BUREAU, "--principal", APPROVAL, code=1)
    again = {"addressee": BUREAU, "issued_on": "2026-08-11", "notices": [notice]}
    assert city.submit("letter.issue", APPROVAL, code=1, **again)["rule"] == "letter.carried"

    printed = city.ask("letters", "print", NUMBER, "--out", "letter.pdf")
    content = (city.path / "letter.pdf").read_bytes()
    assert printed["sha256"] == hashlib.sha256(content).hexdigest()
    assert printed["sm3"] == hashlib.new("sm3", content).hexdigest()
    assert city.ask("letters", "print", NUMBER, "--out", "again.pdf")["sha256"] == printed["sha256"]
    assert "不覆盖" in city.run("letters", "print", NUMBER, "--out", "letter.pdf", code=1)
    code = make_receipt_code(f"{NUMBER} {APPROVAL}/L1")
    front, listed, slip = (page.text for page in read_pdf(content).pages)
    assert "呼和浩特市文化旅游广电局：" in front
    for text in (HOLDER, "娱乐场所经营许可", "呼1号", "核定120人", "审批决定（准予）"):
        assert text in listed, text
    assert code in slip

    scan = city.path / "scan.jpg"
    scan.write_bytes(b"the slip, signed and stamped")
    slip_said = ("--signer-id", "W07", "--signer-name", "苏和", "--received-at", "2026-08-13", "--scan", str(scan))
    by_sender = ("letters", "receive", NUMBER, "--principal", APPROVAL, *slip_said)
    other = make_receipt_code("another letter's")
    assert "letter.code" in city.run(*by_sender, "--code", other, code=1)
    mistyped = f"{code[:8]}{(int(code[8]) + 1) % 10}"
    assert "回执码校验位不符" in city.run(*by_sender, "--code", mistyped, code=1)
    by_office = ("letters", "receive", NUMBER, "--principal", OFFICE, *slip_said)
    assert "letter.not_sender" in city.run(*by_office, "--code", code, code=1)
    city.run(*by_sender, "--code", f"{code[:3]} {code[3:6]} {code[6:]}")
    assert "notice.already" in city.run(*by_sender, "--code", code, code=1)

    [row] = until(lambda: [one for one in _receipts(city) if one["status"] == "received"])
    assert (row["channel"], row["received_by"], row["received_by_name"]) == ("letter", "W07", "苏*")
    assert row["received_at"] == "2026-08-13T00:00:00+08:00"
    assert datetime.fromisoformat(row["receipt_recorded_at"]) > datetime.fromisoformat(row["received_at"])
    [letter] = city.ask("letters", "list", "--addressee", BUREAU)["items"]
    assert (letter["number"], letter["total"], letter["received"]) == (NUMBER, 1, 1)
    assert city.ask("letters", "list", "--outstanding")["items"] == []
    steps = until(lambda: [one for one in city.ask("case", "1")["steps"] if one["kind"] == "notice.received"])
    summary = steps[0]["summary"]
    assert (steps[0]["from_department"], summary["letter"]) == (BUREAU, NUMBER)
    assert summary["scan_sha256"] == hashlib.sha256(scan.read_bytes()).hexdigest()
    assert "全部相符" in city.run("verify")


def _receipts(city: City) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = city.ask("receipts", "--department", BUREAU)["items"]
    return found


@pytest.mark.clause("2.2g")
@pytest.mark.clause("2.2g", refused=True)
@pytest.mark.door("command")
def test_its_liaison_officer_is_whom_it_names_itself(city: City) -> None:
    person = {"name": "苏和", "phone": "0471-0000021"}
    deputy = {"name": "其木格", "phone": "0471-0000022"}
    city.submit("liaison.register", BUREAU, number="L02", person=deputy, deputy=True, valid_from="2026-07-01")
    missing = {one["department"]: one["contact"] for one in city.ask("liaisons", "--missing")["items"]}
    assert missing == {APPROVAL: "none", OFFICE: "none", BUREAU: "deputy_acting"}
    named = ("--data", str(city.path / "data.json"), "--wait", "60", "--json")
    city.submit("liaison.register", BUREAU, number="L01", person=person, valid_from="2026-08-01")
    refused = json.loads(city.run("submit", "liaison.register", "--principal", APPROVAL, *named, code=1))
    assert refused["rule"] == "mandate.principal"
    first, second = city.ask("liaisons", "--department", BUREAU, "--as-true-at", "2026-08-01")["items"]
    assert (first["contact"], first["number"], first["deputy"], second["number"]) == ("liaison", "L01", False, "L02")
    assert (first["name"], first["phone"]) == ("苏*", "0*")
    revealed = city.ask("liaisons", "--department", BUREAU, "--reveal")["items"]
    assert (revealed[0]["name"], revealed[0]["phone"]) == ("苏和", "0471-0000021")
    [before] = city.ask("liaisons", "--department", BUREAU, "--as-true-at", "2026-07-31")["items"]
    assert (before["number"], before["contact"]) == ("L02", "deputy_acting")
    assert city.ask("liaisons", "--as-known-at", "2020-01-01")["items"] == []

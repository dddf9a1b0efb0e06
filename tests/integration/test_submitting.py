"""`shenguan submit`: what a person hands in at the terminal becomes what a system's submission would."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from domain.attempts import AttemptRefused
from domain.submissions import Payload
from infra.main import app
from infra.roles.intake import IntakeRole
from tests.integration.outlet_kit import TrackedStore, count, messages, running
from tests.integration.region import APPROVAL, FORMER, MATTER, OFFICE, S1, accept, decide, granted
from tests.integration.teststore import TestStore

assert AttemptRefused
Submit = Callable[..., Result]


@pytest.fixture
def submit(outer: TrackedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Submit]:
    """The command, set up by its environment as a person's would be."""
    settings = outer.settings
    monkeypatch.setenv("SHENGUAN_STORE", settings.store)
    monkeypatch.setenv("SHENGUAN_DATA_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("SHENGUAN_KAFKA_BOOTSTRAP_SERVERS", settings.kafka_bootstrap_servers or "")
    monkeypatch.setenv("SHENGUAN_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("SHENGUAN_MASTER_KEY_FILE", str(settings.master_key_file))

    def run(type_: str, data: Payload | Any, *more: str, principal: str = APPROVAL, code: int = 0) -> Result:
        content = data.model_dump(mode="json", exclude_none=True) if isinstance(data, Payload) else data
        text = content if isinstance(content, (str, bytes)) else json.dumps(content, ensure_ascii=False)
        result = CliRunner().invoke(app, ["submit", type_, "--principal", principal, *more], input=text)
        assert result.exit_code == code, (result.output, result.exception)
        return result

    yield run
    assert not (tmp_path / "none").exists()  # no embedded server was begun


@pytest.fixture
def intake(outer: TrackedStore) -> Iterator[None]:
    with running(IntakeRole(outer)):
        yield


WAIT = ("--wait", "30")


def test_an_accepted_one_says_what_it_records_and_whom_it_owes_notices(
    region: TestStore, submit: Submit, intake: None
) -> None:
    result = submit("case.accept", accept("1"), *WAIT, "--id", "A1")
    assert result.stdout == f"受理入账：{APPROVAL}/A1\n  记录：受理（case.accepted）\n"
    submit("case.accept", accept("2"), *WAIT)
    chinese = submit("case.decide", decide("1"), *WAIT, "--id", "D1").stdout
    assert chinese == (
        f"受理入账：{APPROVAL}/D1\n"
        "  记录：作出决定（case.decided）\n"
        f"  应告知：监管一局，编号 1，审批决定，告知 s1/{APPROVAL}/D1\n"
        f"  应告知：监管二局，编号 1，审批决定，告知 s2/{APPROVAL}/D1\n"
    )
    english = submit("case.decide", decide("2"), *WAIT, "--id", "D2", "--lang", "en").stdout
    assert f"Accepted: {APPROVAL}/D2\n  recorded: decided (case.decided)\n" in english
    assert f"  notice owed: 监管一局, serial 2, decision, notice s1/{APPROVAL}/D2\n" in english


def test_json_for_programs(region: TestStore, submit: Submit, intake: None) -> None:
    submit("case.accept", accept("1"), *WAIT)
    found = json.loads(submit("case.decide", decide("1"), *WAIT, "--id", "D1", "--json").stdout)
    assert (found["source"], found["id"], found["type"]) == (APPROVAL, "D1", "case.decide")
    assert (found["disposition"], found["events"], found["rule"]) == ("accepted", ["case.decided"], None)
    assert found["notices"][0] == {
        "notice": f"s1/{APPROVAL}/D1",
        "addressee": S1,
        "serial": 1,
        "about": "decision",
    }
    refused = json.loads(submit("case.accept", accept("1"), *WAIT, "--json", code=1).stdout)
    assert (refused["disposition"], refused["rule"], refused["clause"]) == ("refused", "case.exists", None)


def test_a_refusal_says_the_rule_and_its_clause(region: TestStore, submit: Submit, intake: None) -> None:
    granted(region, "1")
    demand = {"department": FORMER, "organ": APPROVAL, "number": "1", "demanded_of": APPROVAL, "seal": "住建局印章"}
    said = submit("seal.demand", demand, *WAIT, "--id", "S1", principal=FORMER, code=1).stdout
    assert said == f"拒绝，尝试已记录在案：{FORMER}/S1\n  不得要求再加盖印章（规则 seal.demand，条款 2.7c）\n"
    said = submit("seal.demand", demand, *WAIT, "--lang", "en", principal=FORMER, code=1).stdout
    assert "  a further seal may not be demanded (rule seal.demand, clause 2.7c)\n" in said
    assert count(region, "SELECT count(*) FROM shenguan.stored_events WHERE topic = 'attempt.refused'") == 2


def test_what_waits_and_what_is_dead_say_why(region: TestStore, submit: Submit, intake: None) -> None:
    early = submit("case.decide", decide("7"), *WAIT, code=1).stdout
    assert f"  等待办件 {APPROVAL}/7，" in early
    assert "waits for the case" in submit("case.decide", decide("8"), *WAIT, "--lang", "en", code=1).stdout
    found = json.loads(submit("case.decide", decide("9"), *WAIT, "--json", code=1).stdout)
    assert (found["disposition"], found["waits_for"]) == ("parked", f"case/{APPROVAL}/9")

    wrong = decide("1").model_dump(mode="json", exclude_none=True) | {"decided_on": "2026-02-30", "colour": "red"}
    del wrong["content"]
    said = submit("case.decide", wrong, *WAIT, code=1).stdout
    assert "死信" in said
    assert "  content：缺少必填字段（missing，" in said
    assert "  decided_on：须为 YYYY-MM-DD 日期（date_from_datetime_parsing，实际：2026-02-30）" in said
    said = submit("case.decide", wrong, *WAIT, "--lang", "en", code=1).stdout
    assert "  content: a required field is missing (missing, found: an object of " in said
    assert "  (unknown field): there is no such field (extra_forbidden, found: 3 characters)" in said
    errors = json.loads(submit("case.decide", wrong, *WAIT, "--json", code=1).stdout)["errors"]
    assert {"field": "decided_on", "rule": "date_from_datetime_parsing"}.items() <= errors[0].items()


def test_the_same_again_is_a_duplicate_and_other_content_a_conflict(
    region: TestStore, submit: Submit, intake: None
) -> None:
    named = (*WAIT, "--id", "A1", "--time", "2026-03-02T09:00")
    submit("case.accept", accept("1"), *named)
    assert "重复，不再入账" in submit("case.accept", accept("1"), *named).stdout
    assert "先前的一件：受理入账" in submit("case.accept", accept("1"), *named).stdout
    assert "冲突" in submit("case.accept", accept("2"), *named, code=1).stdout
    assert count(region, "SELECT count(*) FROM shenguan.stored_events WHERE topic = 'case.accepted'") == 1


def test_a_file_and_a_list_of_several(region: TestStore, submit: Submit, intake: None, tmp_path: Path) -> None:
    file = tmp_path / "划转.json"
    transfer = {"department": OFFICE, "matter": MATTER, "basis": "二", "to": "s1", "supervisors": [{"department": S1}]}
    several = [transfer | {"valid_from": day} for day in ("2027-01-01", "2027-02-01")]
    file.write_text(json.dumps(several), encoding="utf-8-sig")
    said = submit("matter.transfer", "", *WAIT, "--data", str(file), "--id", "T", principal=OFFICE, code=1).stdout
    assert said.count("该部门的职责不允许此操作") == 2
    assert [line for line in said.splitlines() if f"{OFFICE}/T" in line] == [
        f"拒绝，尝试已记录在案：{OFFICE}/T-1",
        f"拒绝，尝试已记录在案：{OFFICE}/T-2",
    ]


@pytest.mark.parametrize(
    ("type_", "data", "more", "words"),
    [
        ("case.accept", '{"number": ', (), "不是有效的 JSON：第 1 行第 12 列；没有提交"),
        ("case.accept", '{"number": NaN}', (), "NaN 与 Infinity 不是 JSON"),
        ("case.accept", "[1]", (), "须是一个 JSON 对象，或对象的列表"),
        ("case.accept", "[]", ("--lang", "en"), "must be a JSON object, or a list of them"),
        ("case.accept", "{}".encode("utf-16"), (), "不是 UTF-8 文字"),
        ("case.acept", "{}", (), "没有信息类型 case.acept；是否 case.accept"),
        ("case.accept", "{}", ("--data", "nowhere.json", "--lang", "en"), "cannot read nowhere.json"),
        ("case.accept", "{}", ("--id", "one\ntwo", "--lang", "en"), "id: characters"),
    ],
)
def test_what_is_plainly_wrong_is_not_handed_in(
    outer: TrackedStore, submit: Submit, type_: str, data: Any, more: tuple[str, ...], words: str
) -> None:
    assert words in submit(type_, data, *more, code=1).stderr
    assert messages(outer, outer.names.intake(APPROVAL)) == []


def test_who_does_not_wait_needs_kafka_and_nothing_else(
    outer: TrackedStore, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHENGUAN_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    text = accept("1").model_dump_json(exclude_none=True)
    said = submit("case.accept", text, "--source", f"{APPROVAL}.oa", "--id", "A1", "--time", "2026-03-02T09:00").stdout
    assert said.startswith(f"已提交：{APPROVAL}.oa/A1，位置 ")
    [(attributes, data)] = messages(outer, outer.names.intake(APPROVAL))
    assert data.decode() == text
    assert {name: attributes[name] for name in ("id", "source", "type", "time")} == {
        "id": "A1",
        "source": f"{APPROVAL}.oa",
        "type": "cn.shenguan.case.accept.v1",
        "time": "2026-03-02T09:00:00+08:00",
    }


def test_without_an_intake_it_says_that_nothing_is_decided(region: TestStore, submit: Submit) -> None:
    assert "0.3 秒内尚未裁定" in submit("case.accept", accept("1"), "--wait", "0.3", code=1).stdout
    found = json.loads(submit("case.accept", accept("1"), "--wait", "0", "--json", code=1).stdout)
    assert found["disposition"] is None
    assert found["place"].endswith("/0/1")


def test_an_unknown_principal_is_told(submit: Submit) -> None:
    assert "topics apply" in submit("case.accept", accept("1"), principal="nobody", code=1).stderr
    assert (
        "a principal is named by" in submit("case.accept", accept("1"), "--lang", "en", principal="a.b", code=1).stderr
    )

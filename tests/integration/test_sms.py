"""短信 by a real gateway server: one for all that waits, in working hours, to whom the register names; nothing of the
content, and nobody's number anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.channels.http import trusting
from adapters.channels.sms import GatewayProblem, JsonGateway, describe
from adapters.postgres.registers import RegisterCache
from infra.roles import texter
from infra.roles.outlet import OutletRole
from infra.roles.texter import Texter, message
from tests.integration.channel_kit import answer, command, liaison, life, standing, told_by
from tests.integration.outlet_kit import TrackedStore, count, fill, owe, running, store_for, until
from tests.integration.region import S1, S2, receive
from tests.integration.teststore import MASTER, TestStore
from tests.servers.web import Server, silence
from tests.servers.web import answer as says

AT_WORK = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)  # Monday, 9:00 in Beijing
PHONE, DEPUTY = "13900000001", "13900000002"


@pytest.fixture
def gateway() -> Iterator[Server]:
    with ExitStack() as stack:
        server = stack.enter_context(Server().running())
        server.usual = says({"code": 0, "data": {"id": "m-1"}})
        yield server


@pytest.fixture
def texting(region: TestStore, bootstrap: str, tmp_path: Path, gateway: Server) -> Iterator[TrackedStore]:
    file = tmp_path / "gateway.json"
    described = {
        "url": gateway.url, "phone": "mobile", "text": "content", "id": "data.id", "fixed": {"sign": "审管"},
        "temporary": ["5"], "permanent": ["7"], "reference": "ours", "report": {"url": gateway.url + "/report"},
    }  # fmt: skip
    file.write_text(json.dumps(described, ensure_ascii=False), encoding="utf-8")
    made = store_for(
        region, MASTER, bootstrap, tmp_path, sms_gateway=file, sms_secret="s3cret", sms_gather_seconds=0,
        channel_attempts=2, push_seconds=1.0,
    )  # fmt: skip
    yield made
    made.close()


class Hands:
    """The texter, moved by hand at a time of one's choice."""

    def __init__(self, store: TrackedStore) -> None:
        self.now = AT_WORK
        self.conn = store.connect()
        self.writer = store.writer()
        settings = store.settings
        assert settings.sms_gateway is not None
        gateway = JsonGateway(describe(settings.sms_gateway), settings.sms_secret, trusting(None), 1.0)
        self.texter = Texter(store, self.writer, RegisterCache(), gateway, lambda: self.now)

    def turn(self) -> None:
        """With nothing held back from before."""
        self.texter._held_until = self.texter._report_at = 0.0
        self.conn.execute("UPDATE shenguan.delivery SET due_at = now() - interval '1 second' WHERE channel = 'sms'")
        self.texter.turn(self.conn)


@pytest.fixture
def hands(texting: TrackedStore) -> Iterator[Hands]:
    made = Hands(texting)
    with closing(made.writer):
        yield made


def texted(gateway: Server, field: str) -> list[Any]:
    """A field of every text, reports aside."""
    return [one.json[field] for one in gateway.requests if "mobile" in one.json]


@pytest.mark.door("command")
@pytest.mark.clause("2.2h")
def test_one_message_tells_of_all_that_waits(
    region: TestStore, texting: TrackedStore, gateway: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the channel that carries the notices; no word of them, and no number in anything kept or shown."""
    monkeypatch.setattr(texter, "at_work", lambda *_: True)
    monkeypatch.setattr(texter, "REPORT_S", 0.1)
    told_by(region, S1, "sms", "kafka")
    liaison(region, S1, "1", PHONE)
    owe(region, ["1", "2", "3"])
    gateway.acts.append(says({"code": 0, "data": {"id": "m-7"}}))
    gateway.usual = says({"status": "DELIVRD"})
    with running(OutletRole(texting)):
        until(lambda: len([one for one in life(region, S1) if one[2] == "sms"]) == 6)
        until(lambda: not standing(texting, S1)["sms"]["waiting"])
    told, *reports = gateway.requests
    assert {name: value for name, value in told.json.items() if name != "ours"} == {
        "sign": "审管",
        "mobile": PHONE,
        "content": "【审管】s1监管局：您单位有 3 件告知待签收（编号 1–3），请登录系统办理。",
    }
    assert told.headers["authorization"] == "Bearer s3cret"
    assert {one.json["id"] for one in reports} == {"m-7"}
    assert {one[3] for one in life(region, S1) if one[2] == "sms"} == {"m-7"}
    region.project()
    rows = region.rows("SELECT DISTINCT channel FROM read.receipts", S1)
    assert rows == [("kafka",)]  # a message is no notice
    assert PHONE not in command(texting, "channels")
    kept = "SELECT count(*) FROM shenguan.stored_events WHERE position(%s in convert_from(state, 'UTF8')) > 0"
    assert count(region, kept, PHONE) == 0


def test_only_in_working_hours_of_working_days(region: TestStore, hands: Hands, gateway: Server) -> None:
    told_by(region, S1, "sms", "kafka")
    liaison(region, S1, "1", PHONE)
    owe(region, ["1"])
    for closed in (
        datetime(2026, 3, 1, 1, 0, tzinfo=UTC),  # Sunday
        datetime(2026, 3, 2, 0, 29, tzinfo=UTC),
        datetime(2026, 3, 2, 4, 0, tzinfo=UTC),
        datetime(2026, 3, 2, 9, 30, tzinfo=UTC),
        datetime(2031, 3, 3, 1, 0, tzinfo=UTC),  # nobody knows yet whether that day is worked
    ):
        hands.now = closed
        hands.turn()
    assert gateway.requests == []
    hands.now = datetime(2026, 5, 9, 1, 0, tzinfo=UTC)  # a Saturday that is worked
    hands.turn()
    assert len(gateway.requests) == 1


def test_the_deputy_where_the_number_is_refused(region: TestStore, hands: Hands, gateway: Server) -> None:
    told_by(region, S1, "sms", "kafka")
    liaison(region, S1, "2", DEPUTY, deputy=True)
    liaison(region, S1, "1", PHONE)
    liaison(region, S1, "3", "13900000003", active=False)
    owe(region, ["1"])
    gateway.acts.append(says({"code": 7}))
    hands.turn()
    assert [one.json["mobile"] for one in gateway.requests] == [PHONE, DEPUTY]
    assert life(region, S1) == [("dispatched", 1, "sms", "m-1")]


@pytest.mark.door("command")
@pytest.mark.clause("2.2h", refused=True)
def test_nobody_is_told_where_nobody_may_be(
    region: TestStore, texting: TrackedStore, hands: Hands, gateway: Server
) -> None:
    """All numbers refused, or no liaison officer: given up, on record; the notice itself goes its way."""
    told_by(region, S1, "sms", "letter")
    owe(region, ["1"])
    hands.turn()
    assert gateway.requests == []
    assert standing(texting, S1)["sms"]["liaison"] is False
    liaison(region, S1, "1", PHONE)
    owe(region, ["2"])
    gateway.usual = says({"code": 7})
    hands.turn()
    assert life(region, S1) == [
        ("given_up", 1, "sms", "no_liaison"),
        ("given_up", 2, "sms", "number_refused"),
    ]
    waiting = {name: row["waiting"] for name, row in standing(texting, S1).items()}
    assert waiting == {"sms": 0, "letter": 2}


def test_a_busy_gateway_is_asked_again_and_given_up_at_last(
    region: TestStore, texting: TrackedStore, hands: Hands, gateway: Server
) -> None:
    told_by(region, S1, "sms", "kafka")
    liaison(region, S1, "1", PHONE)
    owe(region, ["1"])
    gateway.usual = says({"code": 5})
    hands.turn()
    assert (standing(texting, S1)["sms"]["waiting"], standing(texting, S1)["sms"]["failures"]) == (1, 1)
    hands.turn()
    assert life(region, S1) == [("given_up", 1, "sms", "exhausted")]


@pytest.mark.parametrize("code", [9, None])
def test_a_gateway_that_is_away_or_knows_us_not_is_no_fault_of_the_departments(
    region: TestStore, texting: TrackedStore, hands: Hands, gateway: Server, code: int | None
) -> None:
    """Nothing is counted against them, all wait, and it shows."""
    told_by(region, S1, "sms", "kafka")
    liaison(region, S1, "1", PHONE)
    owe(region, ["1"])
    gateway.usual = says({"code": code}, 401)
    hands.turn()
    hands.turn()
    hands.turn()
    found = standing(texting, S1)["sms"]
    assert (found["waiting"], found["failures"]) == (1, None)
    assert life(region, S1) == []
    hands.texter.turn(hands.conn)  # held
    assert len(gateway.requests) == 3
    gateway.usual = says({"code": 0, "data": {"id": "m-1"}})
    hands.turn()
    assert life(region, S1) == [("dispatched", 1, "sms", "m-1")]


def test_one_departments_trouble_keeps_nobody_else_waiting(
    region: TestStore, texting: TrackedStore, hands: Hands, gateway: Server
) -> None:
    """Where others are told meanwhile it is the department's own, and is counted; two failing alike are the gateway's,
    and the next round begins behind them."""
    for code in (S1, S2):
        told_by(region, code, "sms", "kafka")
        liaison(region, code, "1", PHONE if code == S1 else DEPUTY)
    owe(region, ["1"])

    def only_the_deputys(handler: Any, server: Server) -> None:
        good = server.requests[-1].json.get("mobile") == DEPUTY
        says({"code": 0 if good else 9, "data": {"id": "m-1"}})(handler, server)

    gateway.usual = says({"code": 9})
    hands.turn()
    assert texted(gateway, "mobile") == [PHONE, DEPUTY]
    hands.texter.turn(hands.conn)  # held
    assert len(gateway.requests) == 2
    gateway.usual = only_the_deputys
    hands.turn()
    assert life(region, S2) == [("dispatched", 1, "sms", "m-1")]
    assert standing(texting, S1)["sms"]["failures"] is None
    hands.turn()
    assert standing(texting, S1)["sms"]["failures"] == 1  # for the other was told after it had failed
    hands.turn()
    assert standing(texting, S1)["sms"]["failures"] == 1  # but not since
    owe(region, ["2"])
    hands.turn()
    hands.turn()
    assert life(region, S1) == [("given_up", 1, "sms", "exhausted"), ("given_up", 2, "sms", "exhausted")]
    assert [one[0] for one in life(region, S2)] == ["dispatched", "dispatched"]


def test_a_text_that_may_have_gone_is_counted_and_known_again(
    region: TestStore, texting: TrackedStore, hands: Hands, gateway: Server
) -> None:
    """No answer came: the same text has the same reference, so that the gateway can tell."""
    told_by(region, S1, "sms", "kafka")
    liaison(region, S1, "1", PHONE)
    owe(region, ["1"])
    gateway.acts.append(silence)
    hands.turn()
    assert standing(texting, S1)["sms"]["failures"] == 1
    query = "SELECT extract(epoch FROM due_at - clock_timestamp())::int8 FROM shenguan.delivery WHERE channel = 'sms'"
    assert 50 < count(region, query) <= 60
    hands.turn()
    owe(region, ["2"])
    hands.turn()
    first, again, other = texted(gateway, "ours")
    assert first == again != other
    assert PHONE not in first
    assert life(region, S1)[0] == ("dispatched", 1, "sms", "m-1")


def test_reports_are_asked_for_in_bounded_time(
    region: TestStore, hands: Hands, gateway: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway that does not answer is not asked any more; what there was no time for is the first the next time."""
    told_by(region, S1, "sms", "kafka")
    liaison(region, S1, "1", PHONE)
    for number in ("1", "2", "3"):
        gateway.usual = says({"code": 0, "data": {"id": f"m-{number}"}})
        owe(region, [number])
        hands.turn()
    gateway.requests.clear()
    gateway.acts.append(silence)
    for seconds, asked in ((5.0, ["m-3"]), (0.0, []), (5.0, ["m-2", "m-1"])):
        monkeypatch.setattr(texter, "TURN_S", seconds)
        hands.turn()
        assert [one.json["id"] for one in gateway.requests] == asked
        gateway.requests.clear()


def test_what_was_received_meanwhile_is_not_told_of(region: TestStore, hands: Hands, gateway: Server) -> None:
    told_by(region, S1, "sms", "kafka")
    liaison(region, S1, "1", PHONE)
    owe(region, ["1", "2"])
    region.submit(receive(S1, "test/d-1", region.now))
    fill(region)
    hands.turn()
    assert gateway.requests[0].json["content"].startswith("【审管】s1监管局：您单位有 1 件告知待签收（编号 2）")
    assert life(region, S1)[0] == ("given_up", 1, "sms", "needless")


def test_the_trouble_of_the_gateway_shows(
    region: TestStore, texting: TrackedStore, gateway: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texter, "at_work", lambda *_: True)
    told_by(region, S1, "sms", "kafka")
    liaison(region, S1, "1", PHONE)
    owe(region, ["1"])
    gateway.usual = says("?", 500)
    with running(OutletRole(texting)):
        until(lambda: "HTTP 500" in [one["trouble"] for one in answer(texting)["workers"]])


def test_a_description_that_cannot_be_used_says_where(tmp_path: Path) -> None:
    file = tmp_path / "gateway.json"
    file.write_text(json.dumps({"url": "http://gateway.example/", "phones": "x"}))
    with pytest.raises(GatewayProblem, match="url, phones"):
        describe(file)
    with pytest.raises(GatewayProblem):
        describe(tmp_path / "none")


def test_many_serials_are_told_in_short() -> None:
    assert message("局", [1, 3, 4, 5, 7, 9, 11, 13]).endswith(
        "8 件告知待签收（编号 1、3–5、7、9、11等），请登录系统办理。"
    )

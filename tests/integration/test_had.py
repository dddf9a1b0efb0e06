"""The reference client signs receipts by the leaf that a notice names; "had it by then" is answered from the log."""

from __future__ import annotations

import json
import threading
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from adapters.crypto.jws import JwsSigner
from adapters.postgres.checkpoints import latest
from adapters.postgres.log import Log
from domain.checkpoints import Checkpoint
from domain.key_registering import StrikeKey
from domain.notices import NoticeOwed
from domain.registering import EnterRegister
from domain.signing import Signing
from infra.handing_in import Record, hand_in
from infra.main import app
from infra.receipting import Receiver, Told
from infra.roles.checkpoint_publisher import CheckpointPublisher
from infra.roles.intake import IntakeRole
from infra.roles.outlet import OutletRole
from infra.roles.publisher import Publication
from infra.subscriber import Wishes, run
from infra.verify import verify
from tests.integration.outlet_kit import TrackedStore, count, events, owe, running, unsent, until
from tests.integration.region import APPROVAL, DAY, OFFICE, S1, receive
from tests.integration.signing_kit import KEY, register
from tests.integration.test_signature_keys import STRANGER, alter
from tests.integration.test_subscribe import SIGNER
from tests.integration.teststore import LOG_NAME, TestStore, superuser

NOTICES = [f"{S1}/test/d-{number}" for number in (1, 2, 3)]


def ask(region: TestStore, notice: str, *more: str, code: int = 0) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["had", notice, "--json", *more], obj=region)
    assert result.exit_code == code, (result.output, result.exception)
    found: dict[str, Any] = json.loads(result.stdout.splitlines()[0])
    return found


def test_what_a_department_had_by_when(region: TestStore, outer: TrackedStore) -> None:
    register(region, S1)
    with running(IntakeRole(outer), OutletRole(outer)):
        owe(region, ["1", "2"])
        until(lambda: unsent(region) == 0)
        wishes = Wishes(S1, SIGNER, from_beginning=True, idle_s=1, signer=KEY)
        run(wishes, outer.kafka_options, outer.names, static=True, out=lambda _: None, tell=lambda _: None)
        until(lambda: events(region, "notice.received") == 2)
    owe(region, ["3"])
    first, second, third = (ask(region, one) for one in NOTICES)
    for number, found in enumerate((first, second), 1):
        assert (found["had"], found["standing"], found["serial"]) == ("signed", "good", number)
        assert (found["key"], found["owner"], found["key_in_force"]) == (KEY.thumbprint, S1, True)
    assert first["leaf"] != second["leaf"]
    assert (third["had"], third["key"]) == ("none", None)
    head = count(region, "SELECT max(notification_id) FROM shenguan.stored_events")
    assert third["through"] == head
    assert count(region, "SELECT count(*) FROM shenguan.signature") == 2  # the submissions were signed as well

    recorded = (
        region.connect()
        .execute("SELECT recorded_at FROM shenguan.stored_events WHERE notification_id = %s", (first["position"],))
        .fetchone()
    )
    assert recorded is not None
    before = (recorded[0] - timedelta(microseconds=1)).isoformat()
    earlier = ask(region, NOTICES[0], "--as-known-at", before)
    assert (earlier["had"], earlier["through"]) == ("none", first["position"] - 1)
    assert ask(region, NOTICES[0], "--as-known-at", recorded[0].isoformat())["had"] == "signed"
    ask(region, "s1/test/no", code=1)

    region.submit(receive(S1, "test/d-3", region.now))
    assert ask(region, NOTICES[2])["had"] == "unsigned"
    chinese = CliRunner().invoke(app, ["had", NOTICES[0]], obj=region).stdout
    assert "已签收并签名" in chinese
    assert "与告知相符" in chinese
    assert [one for one in verify(outer).problems if one.check not in ("dispatched", "delivered", "delivery")] == []


def test_a_notice_that_was_altered_is_not_what_was_signed(region: TestStore, outer: TrackedStore) -> None:
    register(region, S1)
    with running(IntakeRole(outer), OutletRole(outer)):
        owe(region, ["1"])
        until(lambda: unsent(region) == 0)
        wishes = Wishes(S1, SIGNER, from_beginning=True, idle_s=1, signer=KEY)
        run(wishes, outer.kafka_options, outer.names, static=True, out=lambda _: None, tell=lambda _: None)
        until(lambda: events(region, "notice.received") == 1)
    with superuser(region) as conn:
        conn.execute(
            "UPDATE shenguan.stored_events SET recorded_at = recorded_at - interval '1 microsecond'"
            " WHERE unique_key = %s", (NOTICES[0],)
        )  # fmt: skip
    assert ask(region, NOTICES[0], code=1)["standing"] == "wrong"
    problems = [one for one in verify(outer).problems if one.check == "receipt"]
    assert [one.en for one in problems] == [f"the signed receipt does not fit the notice {NOTICES[0]}"]


def test_the_checkpoint_that_a_receipt_names_is_held_against_what_was_signed(
    region: TestStore, outer: TrackedStore
) -> None:
    """The reference client names the latest that was published; one of another log, and one that never was, show."""
    register(region, S1)
    owe(region, ["1"])
    region.prove()
    with region.connect() as conn, closing(Publication(outer, outer.names.checkpoints)) as publication:
        assert CheckpointPublisher(outer, threading.Event()).turn(conn, publication) is None
        made = latest(conn)
    assert made is not None
    with running(IntakeRole(outer), OutletRole(outer)):
        until(lambda: unsent(region) == 0)
        wishes = Wishes(S1, SIGNER, from_beginning=True, idle_s=1, signer=KEY)
        run(wishes, outer.kafka_options, outer.names, static=True, out=lambda _: None, tell=lambda _: None)
        owe(region, ["2", "3"])
        receiver = Receiver(SIGNER, S1, outer.names.store, KEY)
        for serial, size in ((2, made.head.size), (3, made.head.size + 7)):
            with region.connect() as conn:
                told = Told(NOTICES[serial - 1], S1, serial, Log(conn).leaf(f"ledger/{S1}", serial) or "")
            headers, value = receiver.receipt(told, region.now, Checkpoint(LOG_NAME, size, bytes(32)))
            hand_in(outer.kafka_options, outer.names, S1, [Record("k", headers, value)])
        until(lambda: events(region, "notice.received") == 3)
    said = [ask(region, one)["checkpoint_standing"] for one in NOTICES]
    assert said == ["same", "other", "unknown"]
    assert "本日志所签的不同" in CliRunner().invoke(app, ["had", NOTICES[1]], obj=region).stdout
    verdict = verify(outer)
    assert [one.stream for one in verdict.doubts] == [f"notice/{one}" for one in NOTICES[1:]]
    assert {one.check for one in verdict.doubts} == {"receipt checkpoint"}
    assert [one for one in verdict.problems if one.check not in ("dispatched", "delivered", "delivery")] == []


@pytest.mark.parametrize("owner", [None, APPROVAL])
def test_a_receipt_signed_anew_by_a_key_that_is_not_the_departments_shows(
    region: TestStore, outer: TrackedStore, owner: str | None
) -> None:
    register(region, S1, KEY)
    if owner is not None:
        register(region, owner, STRANGER)
    signed_receipt(region)
    assert receipt_problems(outer) == []
    forged(region, STRANGER)
    found = ask(region, NOTICES[0], code=1)
    assert (found["standing"], found["owner"], found["key_in_force"]) == ("key", owner, owner is not None)
    assert "公钥当日不是该部门的" in CliRunner().invoke(app, ["had", NOTICES[0]], obj=region).output
    assert receipt_problems(outer) == [f"{NOTICES[0]}: the signing key is not registered as theirs"]


def test_what_was_received_under_a_key_stands_when_the_key_is_struck_from_an_earlier_day(
    region: TestStore, outer: TrackedStore
) -> None:
    """And nothing that was signed after it was struck, or after its last day, is good."""
    later = JwsSigner(Ed25519PrivateKey.from_private_bytes(bytes([3]) * 32))
    over = JwsSigner(Ed25519PrivateKey.from_private_bytes(bytes([4]) * 32))
    register(region, S1, later)
    register(region, S1, over, until=DAY)
    register(region, S1, KEY)
    strike(region, later)
    signed_receipt(region)
    strike(region, KEY)
    found = ask(region, NOTICES[0])
    assert (found["standing"], found["owner"], found["key_in_force"]) == ("good", S1, True)
    assert receipt_problems(outer) == []
    for signer in (later, over):
        forged(region, signer)
        found = ask(region, NOTICES[0], code=1)
        assert (found["standing"], found["owner"], found["key_in_force"]) == ("key", S1, False)
        said = f"{NOTICES[0]}: the signing key was struck, or its time is over"
        assert receipt_problems(outer) == [said]


def test_a_receipt_that_had_to_be_signed_and_is_not_shows(region: TestStore, outer: TrackedStore) -> None:
    register(region, S1, KEY)
    owe(region, ["2"])
    region.submit(receive(S1, "test/d-2", region.now))  # nobody demanded it yet
    duty = EnterRegister(department=OFFICE, entry=Signing(department=S1), valid_from=DAY, basis="办法")
    region.submit(duty)
    signed_receipt(region)
    assert receipt_problems(outer) == []
    bare = "convert_to((convert_from(state, 'UTF8')::jsonb - 'receipt')::text, 'UTF8')"
    alter(region, f"UPDATE shenguan.stored_events SET state = {bare} WHERE originator_id = 'notice/{NOTICES[0]}'")
    assert receipt_problems(outer) == [f"{NOTICES[0]}: the department's receipts must be signed"]


def strike(region: TestStore, signer: JwsSigner) -> None:
    payload = StrikeKey(department="operator", key=signer.thumbprint, valid_from=DAY, basis="遗失")
    region.submit(payload, principal="operator")


def statement(region: TestStore) -> dict[str, Any]:
    """Of the first notice's receipt."""
    with region.connect() as conn:
        [owed] = [one for one in Log(conn).notices([NOTICES[0]])[NOTICES[0]] if isinstance(one.event, NoticeOwed)]
        serial = owed.event.originator_version
        leaf = Log(conn).leaf(f"ledger/{S1}", serial)
    return {"notice": NOTICES[0], "serial": serial, "leaf": leaf, "received_at": region.now.isoformat()}


def signed_receipt(region: TestStore) -> None:
    """The first notice is owed and received."""
    owe(region, ["1"])
    payload = receive(S1, "test/d-1", region.now)
    region.submit(payload.model_copy(update={"receipt": KEY.compact(statement(region))}))


def forged(region: TestStore, signer: JwsSigner) -> None:
    """The first notice's receipt is another's, of the same."""
    receipt = json.dumps({"key": signer.thumbprint, "jws": signer.compact(statement(region))})
    made = f"jsonb_set(convert_from(state, 'UTF8')::jsonb, '{{receipt}}', '{receipt}')"
    alter(
        region,
        f"UPDATE shenguan.stored_events SET state = convert_to(({made})::text, 'UTF8')"
        f" WHERE originator_id = 'notice/{NOTICES[0]}' AND topic = 'notice.received'",
    )


def receipt_problems(outer: TrackedStore) -> list[str]:
    return [one.en for one in verify(outer).problems if one.check == "receipt"]


def test_receipts_must_be_signed(region: TestStore) -> None:
    duty = EnterRegister(department=OFFICE, entry=Signing(department=S1), valid_from=DAY, basis="办法")
    region.submit(duty)
    owe(region, ["1"])
    region.submit(receive(S1, "test/d-1", region.now), expect="refused")
    assert ask(region, NOTICES[0])["had"] == "none"

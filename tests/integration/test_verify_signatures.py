"""`verify` reads what was kept of signatures, and holds the checkpoints that receipts name against the log: what was
altered, lost or put in is named, what was erased is counted, who was shown another log has it in writing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from adapters.crypto.jws import JwsSigner
from adapters.crypto.sealer import Sealer
from adapters.postgres.keys import KeyTable
from domain.armour import armoured
from domain.signatures import Signature
from infra.main import app
from infra.verify import Verdict, verify
from infra.verify_report import tell
from tests.integration.region import APPROVAL, DAY, S1, S2, accept, granted, registers
from tests.integration.signed_kit import KEY, NEXT, register, seen, signed_receipt, submit_signed
from tests.integration.teststore import TestStore

KEY_OF_S2 = JwsSigner(Ed25519PrivateKey.from_private_bytes(bytes([3]) * 32))


@pytest.fixture
def signed(stores: Callable[..., TestStore]) -> TestStore:
    """Three signed submissions, a signed receipt under a checkpoint of the log."""
    store = stores(registers)
    register(store, APPROVAL, KEY, DAY)
    register(store, S1, NEXT, DAY)
    for number in ("a", "b", "c"):
        submit_signed(store, accept(number), f"sig-{number}")
    fact = granted(store, "1")
    store.prove()
    store.submit(signed_receipt(store, S1, fact, store.now, NEXT, seen(store)))
    store.prove()
    store.project()
    return store


def tamper(store: TestStore, statement: str, *params: Any) -> None:
    with psycopg.connect(store.urls.superuser) as conn:
        conn.execute("SET session_replication_role = replica")
        assert conn.execute(statement, params).rowcount == 1  # type: ignore[arg-type]


def found(store: TestStore, signed_bytes: Any = None) -> Verdict:
    return verify(Migrating(store), signed_bytes=signed_bytes or store.signed_bytes)


class Migrating:
    def __init__(self, store: TestStore) -> None:
        self.migrator_url = store.urls.migrator


def named(store: TestStore) -> list[tuple[str, str]]:
    return [(one.check, one.stream) for one in found(store).problems]


def test_what_was_kept_verifies(signed: TestStore) -> None:
    verdict = found(signed)
    assert verdict.problems == []
    assert (verdict.signatures.good, verdict.signatures.erased, verdict.signatures.unchecked) == (3, 0, 0)


def test_without_the_master_key_it_says_that_it_did_not_look(signed: TestStore) -> None:
    verdict = verify(Migrating(signed))
    assert (verdict.signatures.good, verdict.signatures.unchecked) == (0, 3)
    other = Sealer(bytes(32), KeyTable(signed.connect))

    def opened(signature: Signature) -> bytes | None:
        return other.open_jointly(signature.subjects, signature.ciphertext)

    verdict = found(signed, opened)
    assert (verdict.signatures.good, verdict.signatures.unchecked) == (0, 3)
    assert [one for one in verdict.problems if one.check == "signature"] == []
    tamper(signed, "UPDATE shenguan.signature SET digest = 'x' WHERE id = 'sig-b'")
    assert [one.check for one in verify(Migrating(signed)).problems if one.check == "signature"] == ["signature"]


def test_it_says_in_words_and_as_json_what_it_did_not_check(
    signed: TestStore, capsys: pytest.CaptureFixture[str]
) -> None:
    tamper(signed, "DELETE FROM shenguan.signature WHERE id = 'sig-b'")
    verdict = verify(Migrating(signed))
    tell(verdict, [("清单没有", "not in the list")], english=False, as_json=False)
    said = capsys.readouterr().out
    for text in ("[signature]", f"case/{APPROVAL}/b", "清单没有", "未核对原文的签名 2 件", "不符 1 处"):
        assert text in said, text
    tell(verdict, [("清单没有", "not in the list")], english=True, as_json=True)
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["signatures"] == {"good": 0, "erased": 0, "unchecked": 2}
    assert last["remarks"] == ["清单没有"]
    assert [one["check"] for one in last["problems"]] == ["signature"]


def test_what_was_erased_is_counted(signed: TestStore) -> None:
    row = signed.connect().execute("SELECT subjects FROM shenguan.signature WHERE id = 'sig-a'").fetchone()
    assert row is not None
    own = [one for one in row[0] if "sig-a" in one or one.startswith("officer/")]
    tamper(signed, "UPDATE vault.subject_key SET wrapped = NULL WHERE subject = %s", own[0])
    signed.sealer.forget()
    verdict = found(signed)
    assert verdict.signatures.erased >= 1
    assert verdict.signatures.good + verdict.signatures.erased == 3
    assert [one for one in verdict.problems if one.check == "signature"] == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE shenguan.signature SET key = 'x' WHERE id = 'sig-b'",
        "UPDATE shenguan.signature SET value = 'x' WHERE id = 'sig-b'",
        "DELETE FROM shenguan.signature WHERE id = 'sig-b'",
        "UPDATE shenguan.signature SET ciphertext = 'AAAA' || substr(ciphertext, 5) WHERE id = 'sig-b'",
        "UPDATE shenguan.signature SET ciphertext = '?' WHERE id = 'sig-b'",
        "UPDATE shenguan.signature AS s SET ciphertext = o.ciphertext, subjects = o.subjects"
        " FROM shenguan.signature AS o WHERE s.id = 'sig-b' AND o.id = 'sig-c'",
    ],
)
def test_what_was_altered_or_lost_is_named(signed: TestStore, statement: str) -> None:
    tamper(signed, statement)
    assert named(signed) == [("signature", f"case/{APPROVAL}/b")]


def test_a_row_of_nothing_is_named(signed: TestStore) -> None:
    tamper(
        signed,
        "INSERT INTO shenguan.signature SELECT source, 'd-1', key, digest, value, subjects, ciphertext"
        " FROM shenguan.signature WHERE id = 'sig-b'",
    )
    assert named(signed) == [("signature", "test/d-1")]


def had(store: TestStore, notice: str, code: int = 0) -> Any:
    result = CliRunner().invoke(app, ["had", notice, "--json"], obj=store)
    assert result.exit_code == code, (result.output, result.exception)
    return json.loads(result.stdout.splitlines()[0])


def test_a_receipt_under_the_logs_own_checkpoint_is_the_same(signed: TestStore) -> None:
    assert had(signed, f"{S1}/test/d-1")["checkpoint_standing"] == "same"
    assert "与本库日志相同" in CliRunner().invoke(app, ["had", f"{S1}/test/d-1"], obj=signed).stdout


@pytest.mark.parametrize(
    ("more", "how", "problem"),
    [
        ({"root": armoured(bytes(32))}, "fork", "fork"),
        ({"size": 10_000}, "ahead", "fork"),
        ({"size": 3}, "fork", "fork"),  # of a size that was never signed here, it is held against the tree
        ({"origin": "another/log"}, "other_log", None),
    ],
)
def test_a_receipt_under_another_logs_checkpoint_is_named(
    signed: TestStore, more: dict[str, Any], how: str, problem: str | None
) -> None:
    """Intake takes it: the receipt stands, and so does what its signer was shown."""
    register(signed, S2, KEY_OF_S2, DAY)
    signed.submit(signed_receipt(signed, S2, "test/d-1", signed.now, KEY_OF_S2, seen(signed, **more)))
    signed.prove()
    signed.project()
    row = had(signed, f"{S2}/test/d-1", 1 if problem else 0)
    assert (row["standing"], row["checkpoint_standing"]) == ("good", how)
    assert named(signed) == ([(problem, f"notice/{S2}/test/d-1")] if problem else [])


def test_a_receipt_whose_notice_was_altered_no_longer_fits(signed: TestStore) -> None:
    tamper(
        signed,
        "UPDATE shenguan.stored_events SET recorded_at = recorded_at - interval '1 microsecond' WHERE unique_key = %s",
        f"{S1}/test/d-1",
    )
    assert ("receipt", f"notice/{S1}/test/d-1") in named(signed)

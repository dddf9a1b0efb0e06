"""Signed submissions through Kafka: what is kept of them, verified again, erased, altered, waiting, retried."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg.errors import InsufficientPrivilege
from typer.testing import CliRunner

from adapters.crypto.jws import JwsSigner, verify_kept
from adapters.kafka.cloudevents import encode
from adapters.kafka.outbox import Outbox, Sent
from adapters.postgres.signatures import signature_of
from domain.submissions import full_type
from infra.main import app
from infra.operating import retry_dead_letter
from infra.roles.intake import IntakeRole
from infra.store import Store
from infra.verify import verify
from tests.integration.outlet_kit import TrackedStore, count, running, until
from tests.integration.region import APPROVAL, MATTER
from tests.integration.signing_kit import KEY, OTHER
from tests.integration.test_retry import disposition, place_of
from tests.integration.teststore import TestStore, superuser

PERSON = {"name": "王小明", "id_type": "身份证", "id_number": "150102199001010019"}
OFFICER = {"id": "007", "name": "张三丰"}


@pytest.fixture
def intake(region: TestStore, outer: TrackedStore) -> Iterator[None]:
    """With a registered key."""
    with running(IntakeRole(outer)):
        entry = {"kind": "public_key", "principal": APPROVAL, "public_key": KEY.public_key}
        hand_in(outer, "operator", "key.register", "k1", {"department": "operator"} | entered(entry))
        until(lambda: disposition(region, "k1") == "accepted")
        yield


def entered(entry: dict[str, Any]) -> dict[str, Any]:
    return {"entry": entry, "valid_from": "2026-01-01", "basis": "密钥登记表1号"}


def acceptance(number: str, **more: Any) -> dict[str, Any]:
    party = {"kind": "自然人", "name": "王小明", "person": PERSON}
    return {"department": APPROVAL, "organ": APPROVAL, "number": number, "matter": MATTER, "party": party,
            "accepted_on": "2026-03-01", "officer": OFFICER, **more}  # fmt: skip


def hand_in(
    store: Store,
    principal: str,
    type_: str,
    id_: str,
    data: dict[str, Any],
    signer: JwsSigner | None = None,
    structured: bool = False,
) -> None:
    """In either content mode; in the structured one `data` stands there with white space of its own."""
    attributes: dict[str, Any] = {
        "specversion": "1.0", "id": id_, "source": principal, "type": full_type(type_),
        "time": datetime.now(UTC).isoformat(),
    }  # fmt: skip
    text = json.dumps(data, ensure_ascii=False, indent=1 if structured else None)
    if signer is not None:
        attributes["signature"] = signer.detached(attributes, store.names.store, text.encode())
    headers, value = encode(attributes, text.encode())
    if structured:
        headers = [("content-type", b"application/cloudevents+json")]
        value = f'{json.dumps(attributes)[:-1]} , "data" :\n{text}  }}'.encode()
    outbox = Outbox(store.kafka_options)
    outbox.send(store.names.intake(principal), b"k", value, headers)
    assert [type(fate) for fate in outbox.flush(10)] == [Sent]
    outbox.close()


def ask(region: TestStore, id_: str, code: int = 0) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["signature", APPROVAL, id_, "--json"], obj=region)
    assert result.exit_code == code, (result.output, result.exception)
    found: dict[str, Any] = json.loads(result.stdout.splitlines()[0])
    return found


@pytest.mark.parametrize("structured", [False, True])
def test_what_was_signed_is_verified_again_from_what_was_kept(
    region: TestStore, outer: TrackedStore, intake: None, structured: bool
) -> None:
    hand_in(outer, APPROVAL, "case.accept", "a1", acceptance("1"), KEY, structured)
    assert until(lambda: disposition(region, "a1")) == "accepted"
    found = ask(region, "a1")
    assert (found["standing"], found["owner"], found["key"]) == ("good", APPROVAL, KEY.thumbprint)
    assert found["key_in_force"] is True
    kept = signature_of(region.connect(), APPROVAL, "a1")
    assert kept is not None
    assert {one.partition("/")[0] for one in kept.subjects} == {"person", "officer"}
    assert PERSON["id_number"] not in str(kept)
    opened = outer.signed_bytes(kept)
    assert opened is not None
    assert json.loads(opened.partition(b"\n")[2])["party"]["person"] == PERSON
    assert verify_kept(opened).store == outer.names.store
    verdict = verify(outer, reveals=outer)
    assert (verdict.problems, verdict.signatures) == ([], {"good": 1})
    assert verify(outer).signatures == {"unread": 1}
    chinese = CliRunner().invoke(app, ["signature", APPROVAL, "a1"], obj=region).stdout
    assert "签名与原文相符" in chinese


def test_who_is_erased_takes_the_signed_bytes_along_and_digest_and_signature_stand(
    region: TestStore, outer: TrackedStore, intake: None
) -> None:
    for number in ("1", "2"):
        whose = {} if number == "1" else {"party": {"kind": "法人及非法人组织", "name": "蒙草公司"}}
        hand_in(outer, APPROVAL, "case.accept", f"a{number}", acceptance(number, **whose), KEY)
        assert until(lambda n=number: disposition(region, f"a{n}")) == "accepted"
    before = ask(region, "a1")
    with psycopg.connect(region.urls.superuser) as conn:
        conn.execute("UPDATE vault.subject_key SET wrapped = NULL, destroyed_at = now() WHERE subject LIKE 'person/%'")
    region.sealer.forget()
    after = ask(region, "a1")
    assert after == before | {"standing": "erased"}
    assert ask(region, "a2")["standing"] == "good"
    verdict = verify(outer, reveals=outer)
    assert [one.check for one in verdict.problems] == ["erasure"]  # nobody has ordered it
    assert verdict.signatures == {"erased": 1, "good": 1}


def test_what_a_superuser_alters_shows(region: TestStore, outer: TrackedStore, intake: None) -> None:
    for number in ("1", "2"):
        hand_in(outer, APPROVAL, "case.accept", f"a{number}", acceptance(number), KEY)
        assert until(lambda n=number: disposition(region, f"a{n}")) == "accepted"
    with region.connect() as conn:
        for change in ("UPDATE shenguan.signature SET value = ''", "DELETE FROM shenguan.signature"):
            with pytest.raises(InsufficientPrivilege):
                conn.execute(change)  # type: ignore[arg-type]
    with superuser(region) as conn:
        conn.execute(
            "UPDATE shenguan.signature AS s SET ciphertext = o.ciphertext, subjects = o.subjects"
            " FROM shenguan.signature AS o WHERE s.id = 'a1' AND o.id = 'a2'"
        )
    assert ask(region, "a1", code=1)["standing"] == "wrong"
    assert ask(region, "a2")["standing"] == "good"
    assert "error" in ask(region, "a3", code=1)
    assert wrong(outer) == [f"case/{APPROVAL}/1: the signature of {APPROVAL}/a1 does not fit what was kept of it"]


def wrong(store: Store) -> list[str]:
    """What `verify` says of signatures."""
    return [f"{p.stream}: {p.en}" for p in verify(store, reveals=store).problems if p.check == "signature"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("UPDATE shenguan.signature SET digest = repeat('0', 64)", "is not the one that was kept"),
        (
            "UPDATE shenguan.signature SET ciphertext = 'AAAA' || substr(ciphertext, 5)",
            "does not fit what was kept of it",
        ),
        ("UPDATE shenguan.signature SET value = 'x'", "does not fit what was kept of it"),
        ("DELETE FROM shenguan.signature", "was not kept"),
    ],
)
def test_verify_names_the_signature_that_was_altered(
    region: TestStore, outer: TrackedStore, intake: None, change: str, named: str
) -> None:
    hand_in(outer, APPROVAL, "case.accept", "a1", acceptance("1"), KEY)
    assert until(lambda: disposition(region, "a1")) == "accepted"
    assert wrong(outer) == []
    with superuser(region) as conn:
        conn.execute(change)  # type: ignore[arg-type]
    assert wrong(outer)[:1] == [f"case/{APPROVAL}/1: the signature of {APPROVAL}/a1 {named}"]


def test_verify_names_a_signature_of_nothing(region: TestStore, outer: TrackedStore) -> None:
    with psycopg.connect(region.urls.superuser) as conn:
        conn.execute("INSERT INTO shenguan.signature VALUES ('s', 'nobody', 'k', 'd', 'v', '{}', 'c')")
    assert wrong(outer) == ["s/nobody: a signature of s/nobody is of no event"]


def test_what_waits_and_what_died_keep_their_signature(region: TestStore, outer: TrackedStore, intake: None) -> None:
    decision = {"department": APPROVAL, "organ": APPROVAL, "number": "1", "outcome": "granted", "content": "准予",
                "document_number": "文1", "decided_on": "2026-03-01", "valid_from": "2026-03-01",
                "officer": OFFICER}  # fmt: skip
    hand_in(outer, APPROVAL, "case.decide", "d1", decision, KEY)
    assert until(lambda: disposition(region, "d1")) == "parked"
    hand_in(outer, APPROVAL, "case.accept", "a1", acceptance("1"), OTHER)
    assert until(lambda: disposition(region, "a1")) == "dead"
    entry = {"kind": "public_key", "principal": APPROVAL, "public_key": OTHER.public_key}
    hand_in(outer, "operator", "key.register", "k2", {"department": "operator"} | entered(entry))
    until(lambda: disposition(region, "k2") == "accepted")
    retry_dead_letter(outer, place_of(region, "a1"))
    until(lambda: disposition(region, "a1") == "accepted")
    until(lambda: disposition(region, "d1") == "accepted")
    assert (ask(region, "a1")["key"], ask(region, "d1")["key"]) == (OTHER.thumbprint, KEY.thumbprint)
    assert {ask(region, name)["standing"] for name in ("a1", "d1")} == {"good"}
    assert count(region, "SELECT count(*) FROM shenguan.signature") == 2


def test_nothing_is_kept_of_what_is_not_signed_or_came_to_nothing(
    region: TestStore, outer: TrackedStore, intake: None
) -> None:
    hand_in(outer, APPROVAL, "case.accept", "a1", acceptance("1"))
    hand_in(outer, APPROVAL, "case.accept", "a2", acceptance("2", matter="x"), KEY)
    until(lambda: disposition(region, "a2"))
    assert disposition(region, "a1") == "accepted"
    assert count(region, "SELECT count(*) FROM shenguan.signature") == 0


def test_what_is_about_nobody_is_sealed_too(region: TestStore, outer: TrackedStore, intake: None) -> None:
    entry = {
        "kind": "public_key",
        "principal": "operator",
        "public_key": JwsSigner(Ed25519PrivateKey.generate()).public_key,
    }
    hand_in(outer, "operator", "key.register", "k2", {"department": "operator"} | entered(entry))
    until(lambda: disposition(region, "k2") == "accepted")
    data = {"department": APPROVAL, "counted_source": APPROVAL, "day": "2026-03-01", "count": 1}
    hand_in(outer, APPROVAL, "count.declare", "c1", data, KEY)
    until(lambda: disposition(region, "c1") == "accepted")
    kept = signature_of(region.connect(), APPROVAL, "c1")
    assert kept is not None
    assert kept.subjects == (f"submission/{APPROVAL}/c1",)
    assert ask(region, "c1")["standing"] == "good"

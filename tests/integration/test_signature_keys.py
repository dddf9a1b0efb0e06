"""Whose key signed what is in the log: judged as at intake, by the registers of then; what must be signed, is."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from adapters.crypto.jws import JwsSigner, verify_detached, verify_kept
from adapters.postgres.signatures import signature_of
from adapters.postgres.writer import Writer
from domain.arrivals import Arrival
from domain.key_registering import RegisterKey, StrikeKey
from domain.personal import plain_values
from domain.public_keys import PublicKey
from domain.registering import EnterRegister
from domain.signatures import Signature
from domain.signing import Signing
from domain.submissions import Payload, cloud_event, local_date, own_subject
from infra.main import app
from infra.verify import verify
from tests.integration.outlet_kit import TrackedStore, until
from tests.integration.region import APPROVAL, DAY, OFFICE, S1, accept, decide
from tests.integration.test_retry import disposition
from tests.integration.test_signatures import KEY, acceptance, ask, entered, hand_in, intake, wrong
from tests.integration.teststore import TestStore, superuser

__all__ = ["intake"]
STRANGER = JwsSigner(Ed25519PrivateKey.from_private_bytes(bytes([9]) * 32))
EVENTS = "shenguan.stored_events"


def alter(region: TestStore, *changes: str) -> None:
    """As whoever owns the database does it."""
    with superuser(region) as conn:
        for change in changes:
            assert conn.execute(change.encode()).rowcount, change


def state(*pairs: tuple[str, str]) -> str:
    """What sets an event's state to itself with these texts replaced."""
    text = "convert_from(state, 'UTF8')"
    for old, new in pairs:
        text = f"replace({text}, '{old}', '{new}')"
    return f"state = convert_to({text}, 'UTF8')"


def forge(region: TestStore, id_: str, made: Signature) -> None:
    """One that is kept becomes another, and the events say so too."""
    kept = signature_of(region.connect(), APPROVAL, id_)
    assert kept is not None
    names = ", ".join(f"'{one}'" for one in made.subjects)
    said = state((kept.key, made.key), (kept.digest, made.digest))
    alter(
        region,
        f"UPDATE shenguan.signature SET key = '{made.key}', digest = '{made.digest}', value = '{made.value}',"
        f" subjects = ARRAY[{names}], ciphertext = '{made.ciphertext}' WHERE id = '{id_}'",
        f"UPDATE {EVENTS} SET {said} WHERE convert_from(state, 'UTF8')::jsonb #>> '{{meta,id}}' = '{id_}'",
    )


def erase(store: TrackedStore, subject: str) -> None:
    order = ("--department", APPROVAL, "--officer", "A9,高娃", "--reason", "离职", "--yes")
    assert CliRunner().invoke(app, ["erase", subject, *order], obj=store).exit_code == 0
    store._opener.forget()


def sign(store: TestStore, payload: Payload, id_: str, signer: JwsSigner) -> Signature:
    """What intake keeps of it; handed in as `test`'s."""
    attributes = cloud_event(type(payload), "test", id_, store.now)
    data = payload.model_dump_json().encode()
    jws = signer.detached(attributes, "150000", data)
    subject = payload.subject() or own_subject("test", id_)
    whose = {one.subject for one in plain_values(payload, store.sealer, subject)} or {own_subject("test", id_)}
    sealed = store.sealer.seal_jointly(whose, f"{jws}\n".encode() + data)
    fields = verify_detached(jws, attributes, "150000", data)._asdict()
    return Signature(**fields, subjects=tuple(sorted(whose)), ciphertext=sealed)


def signed(store: TestStore, payload: Payload, id_: str, signer: JwsSigner) -> Arrival:
    return store.arrival(payload, id_=id_, signature=sign(store, payload, id_, signer))


def test_a_submission_signed_anew_by_a_key_that_is_nobodys_shows(
    region: TestStore, outer: TrackedStore, intake: None
) -> None:
    """By whoever has the master key: it fits what is kept, and is not its principal's."""
    hand_in(outer, APPROVAL, "case.accept", "a1", acceptance("1"), KEY)
    until(lambda: disposition(region, "a1") == "accepted")
    kept = signature_of(region.connect(), APPROVAL, "a1")
    assert kept is not None
    opened = outer.signed_bytes(kept)
    assert opened is not None
    said, data = verify_kept(opened), opened.partition(b"\n")[2]
    jws = STRANGER.detached(said.identity, said.store, data)
    sealed = region.sealer.seal_jointly(kept.subjects, f"{jws}\n".encode() + data)
    fields = verify_detached(jws, said.identity, said.store, data)._asdict()
    forge(region, "a1", Signature(**fields, subjects=kept.subjects, ciphertext=sealed))
    assert wrong(outer) == [f"case/{APPROVAL}/1: {APPROVAL}/a1: the signing key is not registered as theirs"]
    assert verify(outer, reveals=outer).signatures == {"key": 1}
    found = ask(region, "a1", code=1)
    assert (found["standing"], found["owner"], found["key_in_force"]) == ("key", None, False)
    assert "公钥当日不是该接入方的" in CliRunner().invoke(app, ["signature", APPROVAL, "a1"], obj=region).output

    entry = {"kind": "public_key", "principal": S1, "public_key": STRANGER.public_key}
    hand_in(outer, "operator", "key.register", "k2", {"department": "operator"} | entered(entry))
    until(lambda: disposition(region, "k2") == "accepted")
    assert len(wrong(outer)) == 1  # S1's from then on, and never this principal's
    assert ask(region, "a1", code=1)["owner"] is None


@pytest.mark.parametrize("key", ["nobody", KEY.thumbprint])
def test_nothing_is_erased_with_who_has_no_part_in_it(
    region: TestStore, outer: TrackedStore, intake: None, key: str
) -> None:
    """A signature that was made up is not believed because somebody else was erased by order."""
    hand_in(outer, APPROVAL, "case.accept", "a1", acceptance("1"), KEY)
    until(lambda: disposition(region, "a1") == "accepted")
    region.sealer.seal("officer/s1/01", "x")
    erase(outer, "officer/s1/01")
    forge(region, "a1", Signature(key=key, digest="0" * 64, value="AA", subjects=("officer/s1/01",), ciphertext="AA"))
    theirs = f"the signature of {APPROVAL}/a1 is said to be erased with others than its own"
    stranger = f"{APPROVAL}/a1: the signing key is not registered as theirs"
    assert wrong(outer) == [f"case/{APPROVAL}/1: {stranger if key == 'nobody' else theirs}"]
    assert verify(outer, reveals=outer).signatures == {"key" if key == "nobody" else "wrong": 1}
    assert ask(region, "a1", code=1)["standing"] == "wrong"


def test_nothing_is_erased_with_who_never_had_a_key(region: TestStore, outer: TrackedStore, intake: None) -> None:
    """Of a refused attempt the log has only the officer: whom else it named cannot be told."""
    for number in ("1", "2"):
        hand_in(outer, APPROVAL, "case.accept", f"a{number}", acceptance("1"), KEY)
        until(lambda n=number: disposition(region, f"a{n}"))  # type: ignore[misc]
    assert disposition(region, "a2") == "refused"
    assert verify(outer, reveals=outer).signatures == {"good": 2}
    kept = signature_of(region.connect(), APPROVAL, "a2")
    assert kept is not None
    forge(region, "a2", kept.model_copy(update={"subjects": (f"officer/{APPROVAL}/007", "person/none")}))
    said = f"attempt/{APPROVAL}/a2: the signature of {APPROVAL}/a2 is said to be erased with"
    assert wrong(outer) == [f"{said} who never had a key"]
    forge(region, "a2", kept.model_copy(update={"subjects": ("person/none",)}))
    assert wrong(outer) == [f"{said} who never had a key"]
    forge(region, "a2", kept.model_copy(update={"subjects": ("officer/s1/01",)}))
    region.sealer.seal("officer/s1/01", "x")
    erase(outer, "officer/s1/01")
    assert wrong(outer) == [f"{said} others than its own"]


@pytest.mark.parametrize("whose", [{"principal": APPROVAL}, {"type": "case.accept"}])
def test_what_must_be_signed_and_is_not_shows(
    region: TestStore, outer: TrackedStore, intake: None, whose: dict[str, str]
) -> None:
    day = local_date(datetime.now(UTC))
    hand_in(outer, APPROVAL, "case.accept", "a0", acceptance("0"))  # nobody demanded it yet
    until(lambda: disposition(region, "a0") == "accepted")
    region.submit(EnterRegister(department=OFFICE, entry=Signing(**whose), valid_from=day, basis="办法"))
    hand_in(outer, APPROVAL, "case.accept", "a1", acceptance("1"), KEY)
    until(lambda: disposition(region, "a1") == "accepted")
    assert wrong(outer) == []
    kept = signature_of(region.connect(), APPROVAL, "a1")
    assert kept is not None
    bare = state(
        (json.dumps(kept.signed.model_dump(), separators=(",", ":")), "null"), ('"auth":"jws"', '"auth":"acl"')
    )
    alter(
        region,
        "DELETE FROM shenguan.signature",
        f"UPDATE {EVENTS} SET {bare} WHERE originator_id = 'case/{APPROVAL}/1'",
    )
    assert wrong(outer) == [f"case/{APPROVAL}/1: {APPROVAL}/a1: a signature is a must, and there is none"]


def test_all_events_of_a_submission_are_signed_or_none(region: TestStore, outer: TrackedStore) -> None:
    region.submit(
        RegisterKey(entry=PublicKey(principal=APPROVAL, public_key=KEY.public_key), valid_from=DAY, basis="登记表"),
        principal="operator",
    )
    region.submit(accept("1"))
    region.writer.write([signed(region, decide("1"), "d1", KEY)])
    assert wrong(outer) == []
    bare = "state = convert_to((convert_from(state, 'UTF8')::jsonb #- '{meta,signed}')::text, 'UTF8')"
    alter(region, f"UPDATE {EVENTS} SET {bare} WHERE unique_key = '{S1}/test/d1'")
    assert wrong(outer) == [f"ledger/{S1}: the events of test/d1 are not all signed as its first"]


def test_keys_that_change_in_the_middle_of_the_log_are_judged_as_they_were(
    region: TestStore, outer: TrackedStore
) -> None:
    """Rotation, a last day, a strike in the same batch and one that is dated back: what was recorded before stands."""
    begin = datetime.now(UTC) + timedelta(days=1)
    clock = [begin]

    def now() -> datetime:
        return clock[0]

    region.writer = Writer(region.connect, region.sealer.seal_all, clock=now)
    today = local_date(begin)
    old, new, last = (JwsSigner(Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32)) for n in (3, 4, 5))

    def key(signer: JwsSigner, principal: str = APPROVAL, **more: Any) -> None:
        entry = PublicKey(principal=principal, public_key=signer.public_key, **more)
        region.submit(RegisterKey(entry=entry, valid_from=today, basis="登记表"), principal="operator")

    def strike(signer: JwsSigner) -> Arrival:
        payload = StrikeKey(department="operator", key=signer.thumbprint, valid_from=today, basis="遗失")
        return region.arrival(payload, principal="operator")

    def put(*arrivals: Arrival, expect: str = "accepted") -> None:
        found = [one.outcome.disposition for one in region.writer.write(arrivals).results]
        assert found == [expect] * len(arrivals)

    key(old, until=today)
    put(region.arrival(accept("0")))  # unsigned, before anybody demanded it
    for whose in ({"principal": APPROVAL}, {"principal": OFFICE}, {"type": "case.accept"}):
        entry = Signing(**whose)
        # the second demands it of its own sender, from today on, and is not signed itself
        duty = EnterRegister(department=OFFICE, entry=entry, valid_from=today, basis="办法")
        if whose == {"type": "case.accept"}:
            key(last, OFFICE)
            put(signed(region, duty, "duty", last))
        else:
            region.submit(duty)
    put(region.arrival(accept("x"), id_="x"), expect="dead")
    put(
        region.arrival(Payload(department="classified"), APPROVAL, classified=True), expect="refused"
    )  # nobody reads it
    put(signed(region, accept("1"), "a1", old))
    key(new)
    put(signed(region, accept("2"), "a2", new))
    put(signed(region, accept("2"), "twice", old), expect="refused")
    put(signed(region, decide("2"), "d2", new), strike(new))
    put(signed(region, accept("3"), "a3", new), expect="dead")
    clock[0] += timedelta(days=1)
    put(signed(region, accept("4"), "a4", old), expect="dead")  # yesterday was its last day
    put(strike(old))
    found = verify(outer, reveals=outer)
    assert [one for one in found.problems if one.check in ("signature", "receipt")] == []
    assert found.signatures == {"good": 5}
    for id_ in ("a1", "d2", "twice"):
        said = json.loads(CliRunner().invoke(app, ["signature", "test", id_, "--json"], obj=region).stdout)
        assert (said["standing"], said["owner"], said["key_in_force"]) == ("good", APPROVAL, True)

"""Registered keys, signed submissions, and who must sign. What is handed in is recorded from 2026-06-01 on."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from adapters.crypto.jws import JwsSigner
from domain.attempts import AttemptRefused
from domain.cases import CaseDecided
from domain.event import Event
from domain.signing import registered
from tests.unit.memory_intake import Record
from tests.unit.spec import MATTER, ORGANISATION, VOUCHING, Region

KEY, NEXT, STRANGE = (JwsSigner(Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32)) for n in (1, 2, 3))
SINCE = "2026-03-01"
ACCEPT = {"organ": "spj", "number": "1", "matter": MATTER, "party": ORGANISATION, "accepted_on": "2026-02-01"}


def entry(signer: JwsSigner = KEY, principal: str = "spj", **more: Any) -> dict[str, Any]:
    return {"kind": "public_key", "principal": principal, "public_key": signer.public_key, **more}


def register(region: Region, signer: JwsSigner = KEY, principal: str = "spj", since: str = SINCE, **more: Any) -> None:
    given = entry(signer, principal, **more)
    region.accepted("key.register", "operator", entry=given, valid_from=since, basis="密钥登记表1号")


def strike(region: Region, signer: JwsSigner = KEY, since: str = SINCE) -> None:
    region.accepted("key.strike", "operator", key=signer.thumbprint, valid_from=since, basis="密钥遗失")


def demand(region: Region, since: str = SINCE, **whose: str) -> None:
    region.accepted("register.enter", "sgb", entry={"kind": "signing", **whose}, valid_from=since, basis="签名管理办法")


def accept(region: Region, number: str = "1", signer: JwsSigner | None = KEY) -> list[Event]:
    return region.accepted("case.accept", "spj", **(ACCEPT | {"number": number}), jws_by=signer)


def dead(region: Region, rule: str, signer: JwsSigner | None, number: str = "1", **more: Any) -> None:
    region.dead("signature", rule, "case.accept", "spj", jws_by=signer, **(ACCEPT | {"number": number}), **more)


@pytest.mark.clause("1.1a")
def test_a_fact_says_by_which_key_it_was_signed(region: Region) -> None:
    register(region)
    accept(region)
    events = region.accepted("case.decide", "spj", jws_by=KEY, **region.decision())
    assert isinstance(events[0], CaseDecided)
    assert {event.meta.auth for event in events} == {"jws"}
    [signed] = {event.meta.signed for event in events}
    assert signed is not None
    assert (signed.key, len(signed.digest)) == (KEY.thumbprint, 64)


@pytest.mark.clause("1.1a", refused=True)
def test_nobody_signs_with_a_key_that_is_not_registered_as_his(region: Region) -> None:
    dead(region, "signature.key", STRANGE)
    register(region, STRANGE, "s1")
    dead(region, "signature.key", STRANGE)
    register(region, NEXT, since="2026-06-02")  # tomorrow
    dead(region, "signature.key", NEXT)
    region.later(1)
    accept(region, signer=NEXT)


@pytest.mark.clause("1.1a", refused=True)
def test_a_key_ends_with_its_last_day_or_when_it_is_struck(region: Region) -> None:
    """By the day on which it is recorded: a thief of the key would date his submission back."""
    register(region, until="2026-06-02")
    register(region, NEXT)
    accept(region, "1")
    region.later(1)
    accept(region, "2")
    region.later(1)
    dead(region, "signature.key_over", KEY, "3")
    accept(region, "3", NEXT)
    strike(region, NEXT, "2026-06-03")
    dead(region, "signature.key_over", NEXT, "4")
    register(region, NEXT, since="2026-06-04")
    region.later(1)
    accept(region, "4", NEXT)


@pytest.mark.clause("1.1a", refused=True)
def test_a_refused_attempt_is_signed_too(region: Region) -> None:
    register(region)
    accept(region)
    region.refused("case.exists", "case.accept", "spj", jws_by=KEY, **ACCEPT)
    [attempt] = [event for event in region.events if isinstance(event, AttemptRefused)]
    assert (attempt.meta.auth, attempt.meta.signed and attempt.meta.signed.key) == ("jws", KEY.thumbprint)


@pytest.mark.clause("1.1a")
def test_what_had_to_wait_keeps_its_signature(region: Region) -> None:
    register(region)
    region.waits("case/spj/1", "case.decide", "spj", jws_by=KEY, **region.decision())
    accept(region, signer=None)
    [decided] = [event for event in region.events if isinstance(event, CaseDecided)]
    assert (decided.meta.auth, decided.meta.signed and decided.meta.signed.key) == ("jws", KEY.thumbprint)


@pytest.mark.clause("1.1a", refused=True)
def test_what_waited_for_longer_than_its_key_is_dead(region: Region) -> None:
    register(region, until="2026-06-01")
    region.waits("case/spj/1", "case.decide", "spj", jws_by=KEY, **region.decision())
    region.later(1)
    accept(region, signer=None)
    assert not [event for event in region.events if isinstance(event, CaseDecided)]


@pytest.mark.clause("1.1a", refused=True)
def test_nothing_of_what_is_signed_may_change(region: Region) -> None:
    register(region)
    first = region.record_of("case.accept", "spj", jws_by=KEY, **ACCEPT)
    second = region.record_of("case.accept", "spj", jws_by=KEY, **(ACCEPT | {"number": "2"}))
    altered = Record(first.principal, first.key, first.headers, first.value.replace(b'"1"', b'"3"'))
    assert altered.value != first.value
    assert _rule(region, altered) == "signature.wrong"
    for name in ("ce_id", "ce_time", "ce_type"):
        assert _rule(region, _with(first, name, b"x")) not in (None, "accepted")
    assert _rule(region, _with(first, "ce_id", dict(second.headers)["ce_id"])) == "signature.identity"
    assert _rule(region, _with(first, "ce_time", b"2026-03-02T09:00:01+00:00")) == "signature.identity"
    swapped = Record(first.principal, first.key, second.headers, first.value)
    assert _rule(region, swapped) == "signature.wrong"
    assert _rule(region, _with(first, "ce_classified", b"false")) == "signature.identity"
    assert _rule(region, first) is None  # none of these has taken its identity
    assert _rule(region, second) is None


@pytest.mark.clause("1.1a")
def test_the_same_again_is_a_duplicate_signed_or_not(region: Region) -> None:
    register(region)
    record = region.record_of("case.accept", "spj", jws_by=KEY, **ACCEPT)
    unsigned = Record(record.principal, record.key, _without(record), record.value)
    found = [region.door.hand_in(one).disposition for one in (record, record, unsigned)]
    assert found == ["accepted", "duplicate", "duplicate"]


@pytest.mark.clause("1.1a", refused=True)
def test_who_must_sign_does(region: Region) -> None:
    register(region)
    demand(region, "2026-06-02", principal="spj")
    accept(region, "1", None)
    region.later(1)
    dead(region, "signature.missing", None, "2")
    accept(region, "2")
    region.accepted("register.strike", "sgb", kind="signing", key="spj", valid_from="2026-06-02", basis="暂停")
    accept(region, "3", None)


@pytest.mark.clause("1.1a", refused=True)
def test_what_must_be_signed_is_whoever_hands_it_in(region: Region) -> None:
    register(region)
    register(region, NEXT, VOUCHING)
    demand(region, type="case.accept")
    dead(region, "signature.missing", None)
    dead(region, "signature.missing", None, by=VOUCHING, caller="https://id.example 7")
    [accepted] = region.accepted(
        "case.accept", "spj", by=VOUCHING, caller="https://id.example 7", jws_by=NEXT, **ACCEPT
    )
    assert (accepted.meta.auth, accepted.meta.signed and accepted.meta.signed.key) == ("token", NEXT.thumbprint)
    region.accepted("case.decide", "spj", **region.decision())


def test_a_mended_one_may_keep_its_name(region: Region) -> None:
    """A dead letter claims no id."""
    register(region)
    demand(region, principal="spj")
    record = region.record_of("case.accept", "spj", jws_by=KEY, **ACCEPT)
    unsigned = Record(record.principal, record.key, _without(record), record.value)
    assert _rule(region, unsigned) == "signature.missing"
    assert _rule(region, record) is None


@pytest.mark.clause("1.1a")
def test_the_register_tells_whose_a_key_was_on_any_day(region: Region) -> None:
    register(region, since="2026-02-01", until="2026-12-31")
    strike(region, since="2026-06-01")
    registers = region.world.registers
    found = [registered(registers, KEY.thumbprint, date(2026, month, 1)) for month in (1, 2, 5, 6)]
    assert [entry and entry.principal for entry, _ in found] == [None, "spj", "spj", "spj"]
    assert [over for _, over in found] == [False, False, False, True]
    assert list(registers.entries_on("public_key", date(2026, 5, 1))) == [KEY.thumbprint]


@pytest.mark.clause("1.1a", refused=True)
def test_keys_are_the_operators_to_register_and_nobody_elses(region: Region) -> None:
    given = {"entry": entry(), "valid_from": SINCE, "basis": "登记表"}
    region.refused("mandate.role", "register.enter", "sgb", **given)
    region.refused("mandate.role", "key.register", "spj", **given)
    register(region)
    struck = {"key": KEY.thumbprint, "valid_from": SINCE, "basis": "遗失"}
    region.refused("mandate.role", "register.strike", "sgb", kind="public_key", **struck)
    region.refused("mandate.role", "key.strike", "spj", **struck)
    region.refused("mandate.role", "register.enter", "operator", entry={"kind": "signing", "principal": "spj"},
                   valid_from=SINCE, basis="办法")  # fmt: skip


def test_a_key_is_one_principals_for_ever(region: Region) -> None:
    register(region)
    strike(region, since="2026-03-02")
    taken = {"entry": entry(principal="s1"), "valid_from": "2026-04-01", "basis": "登记表"}
    region.refused("key.taken", "key.register", "operator", **taken)


def test_what_a_key_must_be(region: Region) -> None:
    given = {"valid_from": SINCE, "basis": "登记表"}
    stranger = entry(principal="x")
    region.waits("principal/x", "key.register", "operator", entry=stranger, **given)
    region.dead("entry.until", "date.order", "key.register", "operator", entry=entry(until="2026-02-01"), **given)
    for wrong in ({"public_key": "A" * 43}, {"public_key": KEY.public_key[:-1] + "p"}, {"algorithm": "RSA"}):
        with pytest.raises(ValidationError):
            region.accepted("key.register", "operator", entry=entry() | wrong, **given)


def test_what_is_struck_is_there(region: Region) -> None:
    struck = {"key": KEY.thumbprint, "valid_from": "2026-02-01", "basis": "遗失"}
    region.waits(f"entry/public_key/{KEY.thumbprint}", "key.strike", "operator", **struck)
    register(region)
    region.refused("entry.none", "key.strike", "operator", **struck)


def test_who_may_be_asked_to_sign(region: Region) -> None:
    entered = {"valid_from": SINCE, "basis": "办法"}
    operator = {"kind": "signing", "principal": "operator"}
    region.refused("signing.operator", "register.enter", "sgb", entry=operator, **entered)
    for whose, stream in (({"principal": "x"}, "principal/x"), ({"department": "y"}, "department/y")):
        region.waits(stream, "register.enter", "sgb", entry={"kind": "signing", **whose}, **entered)
    for wrong in ({}, {"principal": "spj", "type": "case.accept"}, {"type": "key.register"}, {"type": "no.such"}):
        with pytest.raises(ValidationError):
            region.accepted("register.enter", "sgb", entry={"kind": "signing", **wrong}, **entered)


def _rule(region: Region, record: Record) -> str | None:
    """By which a record is dead; None where it is accepted."""
    outcome = region.door.hand_in(record)
    if outcome.disposition == "accepted":
        return None
    [error] = outcome.errors
    return error.rule


def _with(record: Record, name: str, value: bytes) -> Record:
    headers = (*_without(record, name), (name, value))
    return Record(record.principal, record.key, headers, record.value)


def _without(record: Record, name: str = "ce_signature") -> tuple[tuple[str, bytes], ...]:
    return tuple(one for one in record.headers if one[0] != name)

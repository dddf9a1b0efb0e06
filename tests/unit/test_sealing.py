"""What is personal comes in plain, goes out sealed, and each person's under that person's key."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag

from adapters.crypto.sealer import KEPT_S, MasterKeyError, Sealer, SubjectErased
from domain.catalogue import PAYLOADS
from domain.personal import Officer, Sealed, plain_values, seal, sealed_in, unseal
from domain.rules import Rejection
from domain.submissions import Payload, read_payload
from infra.examples import story


class Keys:
    """A key store that may lose what it was given last, as a database that does not wait for the disk."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def fetch(self, subjects: Any) -> dict[str, bytes]:
        return {s: self.kept[s] for s in subjects if s in self.kept}

    def add(self, wrapped: dict[str, bytes]) -> set[str]:
        new = {s: key for s, key in wrapped.items() if s not in self.kept}
        self.kept |= new
        return set(new)


ACCEPT = {
    "department": "150100-SP",
    "officer": {"id": "R1", "name": "张三"},
    "organ": "150100-SP",
    "number": "n1",
    "matter": "11150100011000001P3000100001001",
    "accepted_on": "2026-03-02",
    "party": {
        "kind": "自然人",
        "name": "李四",
        "person": {"name": "李四", "id_type": "护照", "id_number": "E12345678"},
    },
}
SEALED = {"subject": "s", "ciphertext": "c", "commitment": "0"}


def read(data: dict[str, Any]) -> Payload:
    return read_payload("case.accept", json.dumps(data).encode())


def test_every_person_has_a_key_and_the_case_has_one() -> None:
    sealer = Sealer(bytes(32), Keys())
    payload = read(ACCEPT)
    wanted = {"officer/150100-SP/R1", f"person/{sealer.pseudonym('E12345678')}"}
    assert {value.subject for value in plain_values(payload, sealer, "case/x")} == wanted
    sealed = seal(payload, sealer, "case/x")
    assert isinstance(sealed.officer, Officer)
    assert isinstance(sealed.officer.name, Sealed)
    assert sealed.officer.name.subject == "officer/150100-SP/R1"
    assert sealer.open(sealed.officer.name) == "张三"
    text = sealed.model_dump_json()
    assert not any(plain in text for plain in ("张三", "李四", "E12345678"))
    assert payload.officer is not None
    assert payload.officer.name == "张三"  # what was read is left as it was


def test_the_same_staff_number_elsewhere_is_somebody_else() -> None:
    sealer = Sealer(bytes(32), Keys())
    other = read(ACCEPT | {"department": "150200-SP"})
    assert "officer/150200-SP/R1" in {value.subject for value in plain_values(other, sealer, "x")}


@pytest.mark.parametrize("spoilt", [False, True])
@pytest.mark.parametrize("escaped", [False, True])
def test_nothing_sealed_comes_from_outside(escaped: bool, spoilt: bool) -> None:
    part = {**SEALED, "extra": 1} if spoilt else SEALED
    data = json.dumps({**ACCEPT, "officer": {"id": "R1", "name": part}, "accepted_on": "no date"})
    if escaped:
        data = data.replace("ciphertext", "cipher\\u0074ext")
    for text in (data, data.replace("no date", "2026-03-02")):
        with pytest.raises(Rejection) as caught:
            read_payload("case.accept", text.encode())
        found = {error.field: error.rule for error in caught.value.errors}
        assert found.pop("officer.name") == "personal.sealed"
        assert set(found) == ({"accepted_on"} if text is data else set())


def test_every_marked_field_of_every_payload_refuses_what_is_sealed() -> None:
    marked = 0
    for type_, kind in PAYLOADS.items():
        for name in ("content", "reason", "detail", "authorised_by", "text"):
            if name in kind.model_fields:
                marked += 1
                with pytest.raises(Rejection) as caught:
                    read_payload(type_, json.dumps({name: SEALED}).encode())
                assert (name, "personal.sealed") in {(e.field, e.rule) for e in caught.value.errors}
    assert marked > 5


def test_a_key_that_the_store_has_lost_is_made_anew_once_forgotten() -> None:
    keys = Keys()
    sealer = Sealer(bytes(32), keys)
    sealer.seal("person/1", "x")
    keys.kept.clear()  # a crash of the database, between the key's commit and the disk
    sealer.forget()
    sealed = sealer.seal("person/1", "y")
    assert keys.kept.keys() == {"person/1"}
    assert Sealer(bytes(32), keys).open(sealed) == "y"


def test_of_two_who_make_a_key_at_once_the_first_counts() -> None:
    keys = Keys()
    first, second = Sealer(bytes(32), keys), Sealer(bytes(32), keys)
    late = keys.fetch
    first.prepare(["person/1"])
    keys.fetch = lambda _: {}  # type: ignore[method-assign]  # the second looked before the first had stored it

    def add(wrapped: dict[str, bytes]) -> set[str]:
        keys.fetch = late  # type: ignore[method-assign]
        return Keys.add(keys, wrapped)

    keys.add = add  # type: ignore[method-assign]
    assert first.open(second.seal("person/1", "x")) == "x"


def test_of_every_event_all_that_is_sealed_is_known_beforehand() -> None:
    """By its class, without looking at every value: what a batch's messages need is fetched at once."""
    found = 0
    for recorded in story().events:
        opened: set[str] = set()
        unseal(recorded.event, lambda sealed, opened=opened: opened.add(sealed.ciphertext))  # type: ignore[misc]
        assert {one.ciphertext for one in sealed_in(recorded.event)} == opened, recorded.event.TOPIC
        found += len(opened)
    assert found


def test_what_is_about_several_opens_only_while_there_is_everyones_key() -> None:
    keys = Keys()
    sealer = Sealer(bytes(32), keys)
    sealed = sealer.seal_jointly(["person/b", "person/a"], b"both")
    assert sealer.open_jointly(["person/a", "person/b", "person/a"], sealed) == b"both"
    assert sealed != sealer.seal_jointly(["person/a", "person/b"], b"both")
    with pytest.raises(InvalidTag):
        sealer.open_jointly(["person/a"], sealed)
    for gone in ("person/a", "person/b"):
        left = Keys()
        left.kept = {name: key for name, key in keys.kept.items() if name != gone}
        assert Sealer(bytes(32), left).open_jointly(["person/a", "person/b"], sealed) is None


def test_a_key_that_was_destroyed_is_used_for_a_few_seconds_at_most() -> None:
    keys, now = Keys(), [0.0]
    sealer = Sealer(bytes(32), keys, lambda: now[0])
    sealed = sealer.seal("person/x", "王小明")
    assert sealer.open(sealed) == "王小明"
    keys.kept.clear()
    keys.add = lambda wrapped: set()  # type: ignore[method-assign]  # that there was one is not forgotten
    now[0] = KEPT_S
    assert sealer.open(sealed) == "王小明"
    now[0] = KEPT_S + 0.1
    assert sealer.open(sealed) is None
    assert sealer.opening(sealed) is None
    with pytest.raises(SubjectErased):
        sealer.seal("person/x", "王小明")


@pytest.mark.parametrize("box", [bytes(60), bytes(3), b""], ids=["zeros", "short", "nothing"])
def test_a_key_that_was_overwritten_is_told_from_the_others(box: bytes) -> None:
    keys = Keys()
    sealer = Sealer(bytes(32), keys)
    sealer.prepare(["person/1", "person/2", "person/3"])
    keys.kept["person/2"] = box
    assert sealer.misfits(keys.kept) == ["person/2"]
    assert len(Sealer(bytes(31) + b"1", keys).misfits(keys.kept)) == 3
    sealer.forget()
    with pytest.raises(MasterKeyError):
        sealer.prepare(["person/2"])

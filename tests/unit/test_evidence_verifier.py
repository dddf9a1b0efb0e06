"""The verifier of bundles beside the product's own checks, which it was written without: they find the same."""

from __future__ import annotations

import base64
import hashlib
import struct
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from adapters.crypto.jws import JwsSigner, verify_compact, verify_detached
from adapters.crypto.notes import NoteSigner, NoteVerifier, new_signer_key
from adapters.crypto.sealer import Sealer
from domain.checkpoints import Checkpoint
from domain.jose import unpadded
from domain.leaves import LeafError, Row, leaf, parse_leaf
from domain.merkle import Head, ProofError, node_hash, tree_hash
from domain.merkle_proofs import prove_inclusion, verify_inclusion
from domain.note_keys import NoteError, parse_verifier_key
from domain.notes import open_note, sign_note
from domain.public_keys import is_weak
from domain.rules import Rejection
from domain.unproven import Unproven
from infra import evidence_verifier as verifier

HASHES = [hashlib.sha256(bytes([one])).digest() for one in range(70)]
SIGNER = NoteSigner(new_signer_key("shenguan/test"))
KEY = verifier.parse_key(SIGNER.verifier_key.text)
JWS = JwsSigner(Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32))
CHECKPOINT = Checkpoint("shenguan/test", 9, HASHES[0], ("ledgers/v1 0 x",))
NOTE = sign_note(CHECKPOINT.text, [SIGNER])
MANIFEST = {"log": "shenguan/test", "size": 9, "root": CHECKPOINT.text.split("\n")[2]}


def node(level: int, index: int) -> bytes:
    if level == 0:
        return HASHES[index]
    return node_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1))


@pytest.mark.parametrize("size", range(1, 70))
def test_every_path_leads_where_the_product_s_leads(size: int) -> None:
    head = Head(size, tree_hash(HASHES[:size]))
    for index in range(size):
        path = prove_inclusion(index, size, node)
        assert verifier.root_of(HASHES[index], index, size, path) == head.root
        for other in (path[:-1], [*path, HASHES[0]], path[::-1]):
            try:
                verify_inclusion(HASHES[index], index, other, head)
            except ProofError:
                with pytest.raises((ValueError, AssertionError)):
                    assert verifier.root_of(HASHES[index], index, size, other) == head.root


@given(st.integers(0, 2**63), st.integers(-(2**62), 2**62), st.text(max_size=9), st.integers(1, 2**62), st.binary())
def test_leaves_are_read_alike(position: int, at: int, stream: str, version: int, state: bytes) -> None:
    made = leaf(Row(position, at, stream.encode(errors="ignore"), version, b"case.decided", state))
    found = parse_leaf(made)
    assert verifier.parse_leaf(made, None) == (
        found.position, found.recorded_at, found.stream, found.version, found.topic, found.state,
    )  # fmt: skip


@given(st.data())
def test_what_is_no_leaf_to_the_product_is_none_here(data: st.DataObject) -> None:
    made = leaf(Row(7, 8, b"case/a/1", 3, b"case.decided", b'{"a":1}'))
    at, by = data.draw(st.integers(0, len(made) - 1)), data.draw(st.integers(1, 255))
    other = made[:at] + bytes([made[at] ^ by]) + made[at + 1 :]
    try:
        parse_leaf(other)
    except LeafError:
        with pytest.raises((verifier.Wrong, ValueError, struct.error)):
            verifier.parse_leaf(other, None)


def test_a_state_too_long_for_its_leaf_lies_beside_it() -> None:
    state = b'{"x":"' + b"y" * 70_000 + b'"}'
    made = leaf(Row(7, 8, b"case/a/1", 3, b"case.decided", state))
    assert verifier.parse_leaf(made, state)[-1] == state
    for beside in (None, state + b" ", b""):
        with pytest.raises(verifier.Wrong, match=r"leaf\.state"):
            verifier.parse_leaf(made, beside)


def opened(note: bytes) -> bool:
    try:
        verifier.check_checkpoint(note, MANIFEST, [KEY], [])
    except (verifier.Wrong, ValueError):
        return False
    return True


@given(st.integers(0, len(NOTE) - 1), st.integers(1, 255))
def test_no_note_is_opened_that_the_product_would_not_open(at: int, by: int) -> None:
    assert opened(NOTE)
    other = NOTE[:at] + bytes([NOTE[at] ^ by]) + NOTE[at + 1 :]
    try:
        open_note(other, [NoteVerifier(SIGNER.verifier_key)])
    except Unproven:
        assert not opened(other)


@given(st.data())
def test_keys_are_read_alike(data: st.DataObject) -> None:
    text = SIGNER.verifier_key.text
    at, to = data.draw(st.integers(0, len(text) - 1)), data.draw(st.characters(min_codepoint=33, max_codepoint=126))
    other = text[:at] + to + text[at + 1 :]
    try:
        parse_verifier_key(other)
    except NoteError:
        with pytest.raises(verifier.Wrong):
            verifier.parse_key(other)


ATTRIBUTES = {"source": "s", "id": "1", "type": "t"}


@given(st.data())
def test_jws_are_verified_alike(data: st.DataObject) -> None:
    body = b'{"a": 1}'
    for made, over in ((JWS.detached(ATTRIBUTES, "150000", body), body), (JWS.compact({"a": 1}), None)):
        assert verifier.verify_jws(made, over)[0] == JWS.thumbprint
        at = data.draw(st.integers(0, len(made) - 1))
        other = made[:at] + data.draw(st.characters(min_codepoint=33, max_codepoint=126)) + made[at + 1 :]
        try:
            verify_compact(other, "receipt") if over is None else verify_detached(other, ATTRIBUTES, "150000", body)
        except Rejection as refused:
            if refused.errors[0].rule != "signature.identity":
                with pytest.raises(verifier.Wrong):
                    verifier.verify_jws(other, over)
    with pytest.raises(verifier.Wrong):
        verifier.verify_jws(JWS.detached(ATTRIBUTES, "150000", body), body + b" ")


def test_weak_keys_are_weak_here_too() -> None:
    p = 2**255 - 19
    for y in (0, 1, p - 1, p, p + 1, 2, 9):
        point = y.to_bytes(32, "little")
        assert verifier._weak(point) == is_weak(point)
    assert verifier._thumbprint(unpadded(bytes(32))) is not None


def test_openings_are_of_one_value_only() -> None:
    class Keys:
        def fetch(self, _: Any) -> dict[str, bytes]:
            return {}

        def add(self, wrapped: dict[str, bytes]) -> set[str]:
            return set(wrapped)

    sealer = Sealer(bytes(32), Keys())
    sealed = sealer.seal("person/x", "王小明")
    opening = sealer.opening(sealed)
    assert opening is not None
    salt, value = opening
    row = {"commitment": sealed.commitment, "salt": base64.b64encode(salt).decode(), "value": value}
    assert verifier.check_openings([row], {sealed.commitment}) == {sealed.commitment: "王小明"}
    longer = salt + "王".encode()
    shifted = {**row, "salt": base64.b64encode(longer).decode(), "value": "小明"}
    assert hashlib.sha256(longer + "小明".encode()).hexdigest() == sealed.commitment
    with pytest.raises(verifier.Wrong, match=r"opening\.wrong"):
        verifier.check_openings([shifted], {sealed.commitment})
    with pytest.raises(verifier.Wrong, match=r"opening\.other"):
        verifier.check_openings([row], set())


def test_a_signature_counts_on_the_days_of_its_key_only() -> None:
    """By the register as it was when the event was recorded, and on that day."""

    def event(position: int, day: int, stream: str, version: int, **state: Any) -> verifier.Event:
        at = (20_500 + day) * 86_400_000_000
        return verifier.Event(position, at, stream, version, "x", state, "")

    stream = f"entry/public_key/{JWS.thumbprint}"
    entry = {"principal": "spj", "public_key": JWS.public_key, "until": None}
    first = event(1, 0, stream, 1, valid_from="2026-02-16", entry=entry)
    struck = event(5, 9, stream, 2, valid_from="2026-02-25", key=JWS.thumbprint)
    fact = event(3, 5, "case/a/1", 1)
    assert fact.time.date().isoformat() == "2026-02-21"
    assert verifier._owner([first, struck], JWS.thumbprint, fact) == "spj"
    assert verifier._owner([first, struck], JWS.thumbprint, event(6, 20, "case/a/1", 2)) is None
    assert verifier._owner([first], JWS.thumbprint, event(0, 5, "case/a/1", 1)) is None
    early = first._replace(state=first.state | {"valid_from": "2026-03-01"})
    assert verifier._owner([early], JWS.thumbprint, fact) is None
    over = first._replace(state=first.state | {"entry": entry | {"until": "2026-02-20"}})
    assert verifier._owner([over], JWS.thumbprint, fact) is None

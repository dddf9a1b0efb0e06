"""Signatures are those of RFC 7515, 7797 and 8037, others' libraries make and take them; and nothing else is taken."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws as joserfc_jws
from joserfc.jwk import OKPKey

from adapters.crypto.jws import JwsSigner, Verified, verify_compact, verify_detached
from adapters.crypto.keyfiles import KeyFileError, new_key, read_key
from domain.jose import ed25519_thumbprint, unpadded
from domain.public_keys import PublicKey, is_weak
from domain.rules import Rejection

SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
"""Of RFC 8037 appendix A, as RFC 8032 has it."""
X = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
SIGNER = JwsSigner(Ed25519PrivateKey.from_private_bytes(SEED))
OTHER = JwsSigner(Ed25519PrivateKey.from_private_bytes(bytes(32)))
IDENTITY = {
    "specversion": "1.0", "source": "spj", "id": "1", "type": "cn.shenguan.case.decide.v1",
    "time": "2026-03-02T09:00:00+08:00",
}  # fmt: skip
DATA = '{"department":"spj","content":"准予"}'.encode()
JWS = SIGNER.detached(IDENTITY, "150000", DATA)


def verified(jws: str = JWS, data: bytes = DATA, store: str = "150000", **other: Any) -> Verified:
    return verify_detached(jws, IDENTITY | other, store, data)


def refused(rule: str, jws: str = JWS, data: bytes = DATA, store: str = "150000", **other: Any) -> None:
    with pytest.raises(Rejection) as raised:
        verified(jws, data, store, **other)
    assert [(one.field, one.rule) for one in raised.value.errors] == [("signature", rule)]


def made(header: dict[str, Any] | str, data: bytes = DATA, key: JwsSigner = SIGNER) -> str:
    """A detached JWS of any header at all, rightly signed."""
    text = header if isinstance(header, str) else json.dumps(header)
    head = unpadded(text.encode())
    return f"{head}..{unpadded(key._key.sign(head.encode() + b'.' + data))}"


def header() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(JWS.partition(".")[0] + "=="))
    return found


def test_the_key_of_rfc_8037_has_the_thumbprint_that_it_says() -> None:
    assert SIGNER.public_key == X
    assert SIGNER.thumbprint == ed25519_thumbprint(X) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_the_signature_of_rfc_8037_is_ours() -> None:
    """Its example A.4 with the header that it has."""
    signed = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
    value = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    assert unpadded(SIGNER._key.sign(signed)) == value


def test_what_is_signed_is_known_by_its_key_and_digest() -> None:
    found = verified()
    assert found.key == SIGNER.thumbprint
    again = SIGNER.detached(IDENTITY, "150000", DATA)
    assert verified(again).digest != found.digest  # each has a salt of its own


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
def test_another_library_takes_ours() -> None:
    public = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": X})
    registry = joserfc_jws.JWSRegistry(algorithms=["EdDSA"], strict_check_header=False)
    assert joserfc_jws.deserialize_compact(JWS, public, registry=registry, payload=DATA).payload == DATA
    compact = SIGNER.compact({"notice": "s1/spj/1"})
    found = joserfc_jws.deserialize_compact(compact, public, registry=registry).payload
    assert json.loads(found) == {"notice": "s1/spj/1"}


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("name", ["EdDSA", "Ed25519"])
def test_we_take_another_librarys(name: str) -> None:
    private = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": X, "d": unpadded(SEED)})
    registry = joserfc_jws.JWSRegistry(algorithms=[name], strict_check_header=False)
    theirs = joserfc_jws.serialize_compact(header() | {"alg": name}, DATA, private, registry=registry)
    assert verified(theirs).key == SIGNER.thumbprint
    compact = joserfc_jws.serialize_compact({"alg": name, "jwk": header()["jwk"]}, b"{}", private, registry=registry)
    assert verify_compact(compact, "receipt") == SIGNER.thumbprint


@given(st.integers(0, len(DATA) - 1), st.integers(1, 255))
def test_no_byte_of_the_data_may_change(at: int, by: int) -> None:
    refused("signature.wrong", data=DATA[:at] + bytes([DATA[at] ^ by]) + DATA[at + 1 :])


def test_no_character_of_the_jws_may_change() -> None:
    """Not even to another way of writing the same bytes: the last character's two idle bits are among them."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ "
    for at in range(len(JWS)):
        for other in {alphabet[(at * 7) % len(alphabet)], alphabet[(alphabet.index(JWS[at]) + 1) % 64], "="}:
            if other != JWS[at]:
                with pytest.raises(Rejection):
                    verified(JWS[:at] + other + JWS[at + 1 :])
    for longer in (JWS + "=", JWS + "A", " " + JWS, JWS + "\n", "." + JWS, JWS + ".", JWS[:-1]):
        with pytest.raises(Rejection):
            verified(longer)


@pytest.mark.parametrize("name", ["source", "id", "type", "time", "retryof", "caller", "classified"])
def test_it_is_of_that_identity_alone(name: str) -> None:
    refused("signature.identity", **{name: "x"})


def test_it_is_for_that_store_alone() -> None:
    refused("signature.identity", store="150100")


def test_two_signed_submissions_cannot_change_places() -> None:
    other = IDENTITY | {"id": "2"}
    data = b'{"department":"spj"}'
    second = SIGNER.detached(other, "150000", data)
    assert verify_detached(second, other, "150000", data)
    refused("signature.identity", jws=second, data=data)
    refused("signature.wrong", data=data)


def test_attributes_are_signed_the_same_in_both_modes() -> None:
    jws = SIGNER.detached(IDENTITY | {"classified": False}, "150000", DATA)
    assert verified(jws, classified="false") == verified(jws, classified=False)


@pytest.mark.parametrize(
    "wrong",
    [
        {"alg": "none"}, {"alg": "HS256"}, {"alg": None}, {"b64": True}, {"b64": None}, {"crit": []}, {"crit": None},
        {"crit": ["b64", "exp"]}, {"salt": None}, {"salt": "AAAA"}, {"jwk": None}, {"jwk": "x"},
    ],
)  # fmt: skip
def test_a_header_is_as_agreed(wrong: dict[str, Any]) -> None:
    given = header() | wrong
    refused("signature.shape", made({name: value for name, value in given.items() if value is not None}))


@pytest.mark.parametrize(
    "jwk",
    [
        {"crv": "Ed25519", "kty": "OKP"},
        {"crv": "Ed448", "kty": "OKP", "x": X},
        {"crv": "Ed25519", "kty": "OKP", "x": X, "d": unpadded(SEED)},
        {"crv": "Ed25519", "kty": "OKP", "x": X[:-1] + "p"},
        {"crv": "Ed25519", "kty": "OKP", "x": X + "AA"},
        {"crv": "Ed25519", "kty": "OKP", "x": 7},
        {"crv": "Ed25519", "kty": "OKP", "x": OTHER.public_key},
    ],
)
def test_a_key_is_as_agreed_and_the_signers(jwk: dict[str, Any]) -> None:
    refused("signature.wrong", made(header() | {"jwk": jwk}))


def test_a_member_that_stands_there_twice_is_believed_in_neither_place() -> None:
    text = json.dumps(header())
    refused("signature.shape", made(text[:-1] + ',"store":"150000"}'))
    refused("signature.shape", made("[]"))
    refused("signature.shape", made("[" * 2_000))
    refused("signature.shape", JWS * 20)


@given(st.text(max_size=60))
def test_anything_else_is_no_signature(text: str) -> None:
    with pytest.raises(Rejection):
        verified(text)
    with pytest.raises(Rejection):
        verify_compact(text, "receipt")


def test_the_one_kind_is_not_taken_for_the_other() -> None:
    compact = SIGNER.compact({"notice": "s1/spj/1"})
    refused("signature.shape", compact)
    head, _, value = JWS.split(".")
    for text in (JWS, f"{head}.{unpadded(DATA)}.{value}"):
        with pytest.raises(Rejection):
            verify_compact(text, "receipt")


WEAK = (
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
)


@pytest.mark.parametrize("text", WEAK)
@pytest.mark.parametrize("sign", [0, 0x80])
def test_a_key_under_which_one_signature_fits_many_texts_is_refused(text: str, sign: int) -> None:
    point = bytearray.fromhex(text)
    point[31] |= sign
    assert is_weak(bytes(point))
    with pytest.raises(ValueError, match="key"):
        PublicKey(principal="spj", public_key=unpadded(bytes(point)))
    refused("signature.wrong", made(header() | {"jwk": {"crv": "Ed25519", "kty": "OKP", "x": unpadded(bytes(point))}}))


def test_such_a_key_is_a_danger_indeed() -> None:
    """The identity as key: the signature of R = identity, S = 0 fits whatever one likes."""
    anything = Ed25519PublicKey.from_public_bytes(bytes.fromhex(WEAK[1]))
    anything.verify(bytes.fromhex(WEAK[1]) + bytes(32), b"whatever one likes")


@given(st.binary(min_size=32, max_size=32))
def test_other_keys_are_not(seed: bytes) -> None:
    assert not is_weak(Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw())


class TestKeyFiles:
    def test_a_key_is_its_owners_and_made_once(self, tmp_path: Path) -> None:
        made = new_key(tmp_path / "key.pem")
        assert (tmp_path / "key.pem").stat().st_mode & 0o777 == 0o600
        assert read_key(tmp_path / "key.pem").thumbprint == made.thumbprint
        with pytest.raises(FileExistsError):
            new_key(tmp_path / "key.pem")

    def test_what_is_none_is_said(self, tmp_path: Path) -> None:
        (tmp_path / "key.pem").write_text("no key")
        for name in ("key.pem", "missing.pem"):
            with pytest.raises(KeyFileError):
                read_key(tmp_path / name)

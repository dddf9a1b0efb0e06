"""Signed notes: the published ones open, ours are those that were expected, and nothing that was touched opens."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.crypto.notes import NoteSigner, NoteVerifier, new_signer_key, verifier_key
from domain.note_keys import (
    KeyKind,
    NoteError,
    SignerKey,
    VerifierKey,
    is_key_name,
    parse_signer_key,
    parse_verifier_key,
)
from domain.notes import MAX_BYTES, Opened, Signature, Verifier, open_note, parse_note, sign_note

# from the documentation and tests of golang.org/x/mod/sumdb/note
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)  # fmt: skip
BY_PETER = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
BY_ENOCH = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
NOTE = (TEXT + "\n" + BY_PETER).encode()
# from C2SP signed-note
FOO = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
FOO_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)


def verifier(text: str) -> Verifier:
    return NoteVerifier(parse_verifier_key(text))


def opened(data: bytes, *keys: str) -> Opened:
    return open_note(data, map(verifier, keys))


def rule_of(data: bytes, *keys: str) -> str:
    with pytest.raises(NoteError) as caught:
        opened(data, *(keys or (PETER, ENOCH)))
    return caught.value.rule


def test_published_notes_open() -> None:
    found = opened(NOTE, PETER)
    assert (found.text, [one.name for one in found.verified], found.unknown) == (TEXT, ["PeterNeumann"], ())
    both = (TEXT + "\n" + BY_PETER + BY_ENOCH).encode()
    assert [one.line for one in opened(both, ENOCH, PETER, FOO).verified] == [BY_PETER, BY_ENOCH]
    one = opened(both, PETER)
    assert ([s.line for s in one.verified], [s.line for s in one.unknown]) == ([BY_PETER], [BY_ENOCH])
    assert opened(FOO_NOTE.encode(), FOO).text == "This is an example message.\n"


def test_the_published_key_signs_as_published() -> None:
    signer = NoteSigner(parse_signer_key(PETER_SECRET))
    assert signer.verifier_key.text == PETER
    assert sign_note(TEXT, [signer]) == NOTE
    enoch = parse_note((TEXT + "\n" + BY_PETER + BY_ENOCH).encode()).signatures
    # what was signed before stays in front, but for what is signed anew
    assert sign_note(TEXT, [signer], enoch).decode() == TEXT + "\n" + BY_ENOCH + BY_PETER


def test_the_text_may_hold_empty_lines() -> None:
    # from C2SP signed-note, whose key is not given
    data = (
        "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n"
        "— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaq"
        "P3ZekRwNtIc=\n"
    ).encode()
    note = parse_note(data)
    assert note.text.endswith("\n\ned è subito sera.\n")
    assert note.signatures[0].name == "quasimodo.example/salvatore"
    assert note.data == data
    for text in ("\n", "\n\n", "a\n\n", "a\n\n\nb\n\n"):
        key = new_signer_key("log")
        assert open_note(sign_note(text, [NoteSigner(key)]), [NoteVerifier(verifier_key(key))]).text == text


@pytest.mark.parametrize("bit", range(8))
def test_no_byte_can_be_changed(bit: int) -> None:
    known = [verifier(PETER)]
    for at in range(len(NOTE)):
        changed = NOTE[:at] + bytes([NOTE[at] ^ 1 << bit]) + NOTE[at + 1 :]
        with pytest.raises(NoteError):
            open_note(changed, known)


def test_no_byte_can_be_cut_or_added() -> None:
    known = [verifier(PETER)]
    for at in range(len(NOTE)):
        for changed in (NOTE[:at], NOTE[at + 1 :], NOTE[:at] + NOTE[at + 1 :], NOTE[:at] + b"A" + NOTE[at:]):
            with pytest.raises(NoteError):
                open_note(changed, known)


def test_what_is_no_note_is_refused() -> None:
    sig = BY_PETER
    assert rule_of(b"") == "note.shape"
    assert rule_of(TEXT.encode()) == "note.shape"
    assert rule_of((TEXT + "\n").encode()) == "note.shape"
    assert rule_of((TEXT + sig).encode()) == "note.shape"
    assert rule_of(("\n" + sig).encode()) == "note.shape"
    assert rule_of(NOTE[:-1]) == "note.shape"
    assert rule_of(NOTE + b"\n") == "note.shape"
    assert rule_of(b"\x01" + NOTE) == "note.control"
    assert rule_of(NOTE.replace(b"\n", b"\r\n")) == "note.control"
    assert rule_of(NOTE.replace(b"think", b"th\tnk")) == "note.control"
    assert rule_of(b"\xff" + NOTE) == "note.encoding"
    assert rule_of(b"\xed\xa0\x80" + NOTE) == "note.encoding"
    assert rule_of(NOTE + b"Unexpected line.\n") == "note.signature"
    assert rule_of(b"a" * MAX_BYTES + NOTE) == "note.size"
    assert rule_of((TEXT + "\n" + sig * 101).encode()) == "note.many"
    assert rule_of((TEXT + "\n" + sig * 2).encode()) == "note.duplicate"
    forged = sig.replace("ZJkuBS", "ZJkuBT")
    assert rule_of((TEXT + "\n" + forged + sig).encode()) == "note.duplicate"
    assert rule_of((TEXT + "\n" + forged).encode()) == "note.forged"
    assert rule_of((TEXT + "\n" + BY_ENOCH + forged).encode()) == "note.forged"
    assert rule_of(NOTE, ENOCH) == "note.unsigned"
    assert rule_of(NOTE, FOO) == "note.unsigned"
    assert rule_of(NOTE, PETER, PETER) == "note.ambiguous"


@pytest.mark.parametrize(
    "line",
    [
        "— Bad Name x08go/ZJkuA=",
        "— PeterNeumann  x08go/ZJkuA=",
        "— PeterNeumann x08go/ZJkuA= ",
        "—  x08go/ZJkuA=",
        "— x08go/ZJkuA=",
        "—PeterNeumann x08go/ZJkuA=",
        "- PeterNeumann x08go/ZJkuA=",
        "– PeterNeumann x08go/ZJkuA=",
        " — PeterNeumann x08go/ZJkuA=",
        "— Peter+Neumann x08go/ZJkuA=",
        "— Peter\u00a0Neumann x08go/ZJkuA=",
        "— Peter\u3000Neumann x08go/ZJkuA=",
        "— Peter\u2028Neumann x08go/ZJkuA=",
        "— PeterNeumann",
        "— PeterNeumann ",
        "— PeterNeumann x08go/ZJkuA",
        "— PeterNeumann x08go_ZJkuA=",
        "— PeterNeumann x08go/ZJkuB=",  # the same bytes, spelt otherwise
        "— PeterNeumann x08g",  # no key id whole
        "— PeterNeumann x08gow==",  # a key id and nothing after it
    ],
)
def test_a_malformed_signature_line_is_refused(line: str) -> None:
    data = f"{TEXT}\n{BY_PETER}{line}\n".encode()
    assert rule_of(data) == "note.signature"


def test_sixteen_signatures_must_be_accepted() -> None:
    keys = [new_signer_key(f"witness.example/{number}") for number in range(100)]
    data = sign_note(TEXT, map(NoteSigner, keys))
    assert len(open_note(data, [NoteVerifier(verifier_key(key)) for key in keys[:16]]).verified) == 16


def test_a_name_or_an_id_alone_is_not_the_key() -> None:
    other = new_signer_key("PeterNeumann")
    namesake = NoteSigner(other)
    data = sign_note(TEXT, [namesake], parse_note(NOTE).signatures)
    found = opened(data, PETER)
    assert [one.key_id.hex() for one in found.verified] == ["c74f20a3"]
    assert [one.key_id for one in found.unknown] == [other.key_id]
    renamed = NOTE.replace(b"PeterNeumann", b"CarmenSandiego")
    assert rule_of(renamed, PETER) == "note.unsigned"


def test_a_signature_of_another_text_is_refused() -> None:
    moved = ("Another text.\n\n" + BY_PETER).encode()
    assert rule_of(moved) == "note.forged"


def test_nothing_is_signed_that_could_not_be_read() -> None:
    signer = NoteSigner(parse_signer_key(PETER_SECRET))
    for text, rule in (
        ("", "note.shape"),
        ("no newline", "note.shape"),
        ("a\x00b\n", "note.control"),
        ("a\r\n", "note.control"),
        ("\ud800\n", "note.encoding"),
        ("a" * MAX_BYTES + "\n", "note.size"),
    ):
        with pytest.raises(NoteError, match=rule.replace(".", r"\.")):
            sign_note(text, [signer])
    with pytest.raises(NoteError, match=r"note\.shape"):
        sign_note(TEXT, [])
    with pytest.raises(NoteError, match=r"note\.duplicate"):
        sign_note(TEXT, [signer, signer])
    for name, key_id, signature in (("two words", b"1234", b"s"), ("a", b"123", b"s"), ("a", b"1234", b"")):
        with pytest.raises(NoteError, match=r"note\.signature"):
            Signature(name, key_id, signature)


@settings(deadline=None)
@given(st.text(max_size=40), st.text(max_size=8))
def test_every_text_that_is_signed_opens(text: str, name: str) -> None:
    if not is_key_name(name):
        with pytest.raises(NoteError, match=r"key\.name"):
            new_signer_key(name)
        return
    key = new_signer_key(name)
    body = "".join(one for one in text if one == "\n" or one >= " ") + "\n"
    if any("\ud800" <= one <= "\udfff" for one in body):
        body = "\n"
    found = open_note(sign_note(body, [NoteSigner(key)]), [NoteVerifier(verifier_key(key))])
    assert found.text == body


@given(st.binary(max_size=200))
def test_whatever_comes_is_refused_in_the_same_way(data: bytes) -> None:
    for sent in (data, TEXT.encode() + b"\n" + data, NOTE + data):
        try:
            assert parse_note(sent).data == sent
        except NoteError:
            continue


def test_keys_are_read_as_they_were_written() -> None:
    key = parse_verifier_key(PETER)
    assert (key.name, key.kind, key.key_id.hex(), key.text) == ("PeterNeumann", KeyKind.ED25519, "c74f20a3", PETER)
    secret = parse_signer_key(PETER_SECRET)
    assert (secret.text, verifier_key(secret)) == (PETER_SECRET, key)
    assert "seed" not in repr(secret)
    for kind in KeyKind:
        new = new_signer_key("log.example/store", kind)
        assert parse_signer_key(new.text) == new
        assert parse_verifier_key(verifier_key(new).text) == verifier_key(new)
    assert new_signer_key("a").seed != new_signer_key("a").seed


def test_every_mangled_verifier_key_is_refused() -> None:
    mangled = [PETER[start:end] for start in range(len(PETER)) for end in range(start + 1, len(PETER) + 1)]
    mangled += [PETER[:at] + chr(ord(PETER[at]) + 1) + PETER[at + 1 :] for at in range(len(PETER))]
    for text in mangled:
        if text != PETER:
            with pytest.raises(NoteError, match=r"key\.(shape|kind|id|name|length)"):
                parse_verifier_key(text)


def test_every_mangled_signer_key_is_refused() -> None:
    secret = PETER_SECRET
    mangled = [secret[start:end] for start in range(len(secret)) for end in range(start + 1, len(secret) + 1)]
    mangled += [secret[:at] + chr(ord(secret[at]) + 1) + secret[at + 1 :] for at in range(len(secret))]
    for text in mangled:
        if text != secret:
            with pytest.raises(NoteError, match=r"key\.(shape|kind|id|name|length)") as caught:
                verifier_key(parse_signer_key(text))
            assert secret[-20:] not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==", "shape"),
        ("PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "kind"),
        (PETER.replace("c74f20a3", "C74F20A3"), "shape"),
        (PETER.replace("c74f20a3", "c74f20a4"), "id"),
        (PETER.replace("PeterNeumann", "Peter Neumann"), "name"),
        (PETER.replace("c74f20a3+AR", "c74f20a3+AA"), "kind"),
        (f"{PETER}+", "shape"),
        (f"{PETER}\n", "shape"),
        (f"a+00000000+{base64.b64encode(bytes([1]) * 32).decode()}", "length"),
    ],
)
def test_it_is_said_what_is_wrong_with_a_key(text: str, rule: str) -> None:
    with pytest.raises(NoteError, match=rf"key\.{rule}:"):
        parse_verifier_key(text)


def test_a_key_is_of_one_kind() -> None:
    secret = parse_signer_key(PETER_SECRET)
    with pytest.raises(NoteError, match=r"key\.id"):
        NoteSigner(replace(secret, key_id=b"1234"))
    with pytest.raises(NoteError, match=r"key\.kind"):
        NoteSigner(new_signer_key("w", KeyKind.COSIGNATURE))
    as_witness = VerifierKey("PeterNeumann", KeyKind.COSIGNATURE, verifier_key(secret).public)
    assert as_witness.key_id.hex() != "c74f20a3"
    assert rule_of(NOTE, as_witness.text) == "note.unsigned"
    with pytest.raises(NoteError, match=r"key\.length"):
        SignerKey("a", KeyKind.ED25519, b"1234", b"short")

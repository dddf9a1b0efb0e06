"""Witnesses' signatures: over the checkpoint, as of a time that cannot be changed either."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.crypto.notes import Cosigner, NoteSigner, NoteVerifier, new_signer_key, verifier_key
from domain.checkpoints import Checkpoint, CheckpointError
from domain.cosignatures import MAX_TIME, cosigned_message, stamped, unstamped
from domain.note_keys import KeyKind, NoteError
from domain.notes import Note, Signature, open_note, parse_note, sign_note

# the example of C2SP tlog-cosignature, whose keys are not given
TEXT = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
NOTE = (
    f"{TEXT}\n"
    "— example.com/behind-the-sofa"
    " Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1"
    " jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)
LOG = new_signer_key("example.com/behind-the-sofa")
WITNESS = new_signer_key("witness.example.com/w1", KeyKind.COSIGNATURE)
KNOWN = [NoteVerifier(verifier_key(LOG)), NoteVerifier(verifier_key(WITNESS))]
AT = 1679315147


def test_the_example_of_the_specification() -> None:
    note = parse_note(NOTE.encode())
    assert note.text == TEXT
    at, signature = unstamped(note.signatures[1].signature)
    assert (at, len(signature)) == (AT, 64)
    assert cosigned_message(note.text, at).decode() == f"cosignature/v1\ntime 1679315147\n{TEXT}"
    assert stamped(at, signature) == note.signatures[1].signature


def test_a_witness_adds_its_line() -> None:
    signed = sign_note(TEXT, [NoteSigner(LOG)])
    data = sign_note(TEXT, [Cosigner(WITNESS, AT)], parse_note(signed).signatures)
    found = open_note(data, KNOWN)
    assert [one.name for one in found.verified] == [LOG.name, WITNESS.name]
    assert unstamped(found.verified[1].signature)[0] == AT
    # signing again takes the place of what it signed before
    later = sign_note(TEXT, [Cosigner(WITNESS, AT + 60)], found.verified)
    assert [unstamped(one.signature)[0] for one in open_note(later, KNOWN).verified[1:]] == [AT + 60]


def test_neither_time_nor_text_can_be_changed() -> None:
    signature = Cosigner(WITNESS, AT).sign(TEXT)
    key = NoteVerifier(verifier_key(WITNESS))
    assert key.verify(TEXT, signature)
    for at in range(len(signature)):
        changed = signature[:at] + bytes([signature[at] ^ 1]) + signature[at + 1 :]
        assert not key.verify(TEXT, changed)
        assert not key.verify(TEXT, signature[:at])
    assert not key.verify(TEXT, signature + b"\0")
    for text in (TEXT.replace("20852163", "20852164"), TEXT + "extension\n", TEXT[:-1], "no checkpoint\n"):
        assert not key.verify(text, signature)


def test_a_log_cannot_be_taken_for_a_witness() -> None:
    # one key under both kinds: what it signs as a log is no cosignature, though the text looks like one
    as_witness = replace(LOG, kind=KeyKind.COSIGNATURE, key_id=b"")
    public = replace(verifier_key(LOG), kind=KeyKind.COSIGNATURE)
    as_witness = replace(as_witness, key_id=public.key_id)
    assert not NoteVerifier(public).verify(TEXT, NoteSigner(LOG).sign(TEXT))
    assert not NoteVerifier(verifier_key(LOG)).verify(TEXT, Cosigner(as_witness, AT).sign(TEXT))
    pretended = NoteSigner(LOG).sign(f"cosignature/v1\ntime {AT}\n{TEXT}")
    line = Signature(public.name, public.key_id, pretended)
    with pytest.raises(NoteError, match=r"note\.forged"):
        open_note(Note(TEXT, (line,)).data, [NoteVerifier(public)])


def test_only_checkpoints_are_cosigned() -> None:
    for text in ("hello\n", TEXT[:-1], TEXT + "\n", TEXT.replace("20852163", "020852163")):
        with pytest.raises(CheckpointError):
            Cosigner(WITNESS, AT).sign(text)
    with pytest.raises(NoteError, match=r"key\.kind"):
        Cosigner(LOG, AT)


@given(st.integers(0, MAX_TIME))
def test_the_time_is_read_as_it_was_written(at: int) -> None:
    assert unstamped(stamped(at, b"signature")) == (at, b"signature")


def test_a_time_that_cannot_be_is_refused() -> None:
    for at in (-1, MAX_TIME + 1):
        with pytest.raises(NoteError, match=r"cosignature\.time"):
            Cosigner(WITNESS, at).sign(TEXT)
    for signature in (b"", b"1234567", b"\x80" + bytes(71)):
        with pytest.raises(NoteError, match=r"cosignature\.time"):
            unstamped(signature)
        assert not NoteVerifier(verifier_key(WITNESS)).verify(TEXT, signature)


def test_extensions_are_signed_too() -> None:
    checkpoint = Checkpoint("log", 7, bytes(32), ("ledgers abc",))
    data = sign_note(checkpoint.text, [NoteSigner(LOG), Cosigner(WITNESS, AT)])
    assert len(open_note(data, KNOWN).verified) == 2
    with pytest.raises(NoteError, match=r"note\.forged"):
        open_note(data.replace(b"ledgers abc", b"ledgers abd"), KNOWN)

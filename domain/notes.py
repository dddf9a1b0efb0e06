"""签名文本 signed notes: a text, a blank line, and a line for each signature over it (C2SP signed-note).

Checkpoints are such texts. What is not known is ignored and shows as such; a signature in the name of a known key that
does not verify spoils the whole note.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from domain.armour import armoured, is_unicode, unarmoured
from domain.note_keys import ID_SIZE, KeyKind, NoteError, is_key_name

MAX_BYTES: Final = 1_000_000
MAX_SIGNATURES: Final = 100
_DASH: Final = "— "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class Verifier(Protocol):
    """Checks signatures of one key."""

    @property
    def name(self) -> str: ...

    @property
    def key_id(self) -> bytes: ...

    @property
    def kind(self) -> KeyKind: ...

    def verify(self, text: str, signature: bytes) -> bool:
        """Whether the key made this signature, key id not included, over the note's text."""
        ...


class Signer(Protocol):
    """Signs with one key."""

    @property
    def name(self) -> str: ...

    @property
    def key_id(self) -> bytes: ...

    def sign(self, text: str) -> bytes:
        """The signature over the note's text, key id not included."""
        ...


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature line: the key's name and id (four bytes), and what it signed with.

    Raises NoteError `note.signature`.
    """

    name: str
    key_id: bytes
    signature: bytes

    def __post_init__(self) -> None:
        if not (is_key_name(self.name) and len(self.key_id) == ID_SIZE and self.signature):
            raise NoteError("note.signature", "签名行格式不正确")

    @property
    def line(self) -> str:
        """Its newline included."""
        return f"{_DASH}{self.name} {armoured(self.key_id + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text, its last newline included, with signatures that nobody has verified yet."""

    text: str
    signatures: tuple[Signature, ...]

    @property
    def data(self) -> bytes:
        """As it is stored and sent. Raises NoteError as `parse_note` does."""
        _check_text(self.text)
        data = f"{self.text}\n{''.join(one.line for one in self.signatures)}".encode()
        if parse_note(data) != self:
            raise NoteError("note.shape", "文本不能作为签名文本")
        return data


@dataclass(frozen=True, slots=True)
class Opened:
    """A note at least one of whose signatures verified: which did, and which are of unknown keys."""

    text: str
    verified: tuple[Signature, ...]
    unknown: tuple[Signature, ...]


def parse_note(data: bytes) -> Note:
    """Reads a note and verifies nothing; `data` of the result is the same again.

    Stricter than the specification in that a key may sign once only. Raises NoteError: `note.size` (over 1,000,000
    bytes), `note.encoding`, `note.control`, `note.shape`, `note.signature` (a line is malformed), `note.many` (over
    100 signatures), `note.duplicate`.
    """
    if len(data) > MAX_BYTES:
        raise NoteError("note.size", f"签名文本超过{MAX_BYTES}字节")
    try:
        whole = data.decode()
    except UnicodeDecodeError:
        raise NoteError("note.encoding", "签名文本不是UTF-8") from None
    _check_text(whole)
    text, blank, tail = whole.rpartition("\n\n")
    if not blank or not tail:
        raise NoteError("note.shape", "签名文本应为正文、空行和签名行")
    lines = tail.removesuffix("\n").split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteError("note.many", f"签名超过{MAX_SIGNATURES}个")
    signatures = tuple(map(parse_signature, lines))
    if len({(one.name, one.key_id) for one in signatures}) < len(signatures):
        raise NoteError("note.duplicate", "同一密钥有多个签名")
    return Note(f"{text}\n", signatures)


def open_note(data: bytes, verifiers: Iterable[Verifier]) -> Opened:
    """The text, if a known key signed it. How many must have signed is for the caller to judge.

    Raises NoteError as `parse_note` does, `note.ambiguous` (two verifiers of one name and id), `note.forged` (a known
    key's signature does not verify) or `note.unsigned` (no known key signed).
    """
    known: dict[tuple[str, bytes], Verifier] = {}
    for verifier in verifiers:
        if known.setdefault((verifier.name, verifier.key_id), verifier) is not verifier:
            raise NoteError("note.ambiguous", "两个公钥的名称和编号相同")
    note = parse_note(data)
    verified, unknown = [], []
    for one in note.signatures:
        key = known.get((one.name, one.key_id))
        if key is None:
            unknown.append(one)
        elif key.verify(note.text, one.signature):
            verified.append(one)
        else:
            raise NoteError("note.forged", f"{one.name} 的签名不正确")
    if not verified:
        raise NoteError("note.unsigned", "没有已知密钥的签名")
    return Opened(note.text, tuple(verified), tuple(unknown))


def sign_note(text: str, signers: Iterable[Signer], earlier: Iterable[Signature] = ()) -> bytes:
    """The note over a text that ends with a newline; of the earlier signatures those stay, in front, whose keys do not
    sign anew. Raises NoteError as `parse_note` does, of the text before anything is signed."""
    _check_text(text)
    new = [Signature(signer.name, signer.key_id, signer.sign(text)) for signer in signers]
    replaced = {(one.name, one.key_id) for one in new}
    kept = [one for one in earlier if (one.name, one.key_id) not in replaced]
    return Note(text, (*kept, *new)).data


def with_signatures(data: bytes, more: Iterable[Signature]) -> bytes:
    """The note with further signatures behind those it has; none is verified, and of a key's two the first stays.
    Raises NoteError as `parse_note` does."""
    note = parse_note(data)
    by_key: dict[tuple[str, bytes], Signature] = {}
    for one in (*note.signatures, *more):
        by_key.setdefault((one.name, one.key_id), one)
    return Note(note.text, tuple(by_key.values())).data


def parse_signature(line: str) -> Signature:
    """Reads a signature line, without its newline. Raises NoteError `note.signature`."""
    name, space, value = line.removeprefix(_DASH).partition(" ")
    try:
        data = unarmoured(value)
    except ValueError:
        data = b""
    if not (line.startswith(_DASH) and space):
        raise NoteError("note.signature", "签名行格式不正确")
    return Signature(name, data[:ID_SIZE], data[ID_SIZE:])


def _check_text(text: str) -> None:
    if not text.endswith("\n"):
        raise NoteError("note.shape", "签名文本应以换行结束")
    if _CONTROL.search(text) is not None:
        raise NoteError("note.control", "签名文本含控制字符")
    if not is_unicode(text):
        raise NoteError("note.encoding", "签名文本不能写成UTF-8")

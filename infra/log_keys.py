"""The keys of the transparency log: a file beside the master key, one key a line, and what of it is public.

    <since> <until, or -> <key>

Times are those of RFC 3339. A key that may still sign is there with its seed, one that has ended as a verifier key
only (both as C2SP signed-note writes them). Lines that begin with # are comments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapters.crypto.notes import NoteSigner, NoteVerifier, new_signer_key, verifier_key
from adapters.postgres.checkpoints import KeyInUse
from domain.note_keys import NoteError, SignerKey, VerifierKey, parse_signer_key, parse_verifier_key
from infra.whole_files import SECRET, make_secret, replace_file

_HEAD = "# Keys of a Shenguan transparency log: whoever has this file can sign in its name.\n"
_SECRET = "PRIVATE+KEY+"


class LogKeyError(Exception):
    """The file with the log's keys is missing, malformed, or not this log's."""


@dataclass(frozen=True, slots=True)
class LogKey:
    """`secret` is None where the key no longer signs."""

    public: VerifierKey
    since: datetime
    until: datetime | None
    secret: SignerKey | None

    def signs(self, now: datetime) -> bool:
        return self.secret is not None and self.since <= now and (self.until is None or now < self.until)

    @property
    def in_use(self) -> KeyInUse:
        return KeyInUse(self.public.text, self.since, self.until)

    @property
    def line(self) -> str:
        key = self.secret.text if self.secret is not None else self.public.text
        return f"{self.since.isoformat()} {self.until.isoformat() if self.until is not None else '-'} {key}\n"


def read_keys(file: Path) -> list[LogKey]:
    """Empty where there is no file. Raises LogKeyError; no message repeats a key."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise LogKeyError(f"{file}: {type(error).__name__}") from None
    found = []
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            try:
                found.append(_key(line))
            except (ValueError, NoteError):
                raise LogKeyError(f"{file}: 第 {number} 行不是密钥 (line {number} is no key)") from None
    return found


def make_keys(file: Path, name: str, now: datetime) -> list[LogKey]:
    """A first key, unless another process has just made one. Raises OSError, LogKeyError."""
    make_secret(file, _HEAD + _new(name, now).line)
    return read_keys(file)


def rotate_keys(file: Path, name: str, now: datetime, overlap: timedelta) -> LogKey:
    """A new key signs from now on, those that sign now go on beside it for the overlap; of those that have ended the
    seed is taken away. Raises LogKeyError, OSError."""
    new = _new(name, now)
    lines = [one.line for one in (*_ending(read_keys(file), now, now + overlap), new)]
    replace_file(file, _HEAD + "".join(lines), SECRET)
    return new


def signers(keys: Sequence[LogKey], name: str, now: datetime) -> list[NoteSigner]:
    """Those that sign now, in the log's name; the newest last."""
    return [NoteSigner(one.secret) for one in keys if one.secret and one.signs(now) and one.public.name == name]


def trusted_keys(file: Path) -> list[VerifierKey]:
    """What the file says of who may have signed; empty where it is not at hand. Raises LogKeyError."""
    return [one.public for one in read_keys(file)]


def verifiers(keys: Sequence[VerifierKey]) -> list[NoteVerifier]:
    return [NoteVerifier(one) for one in dict.fromkeys(keys)]


def _ending(keys: Sequence[LogKey], now: datetime, until: datetime) -> list[LogKey]:
    found = []
    for one in keys:
        ends = until if one.until is None else one.until
        found.append(replace(one, until=ends, secret=None if ends <= now else one.secret))
    return found


def _new(name: str, now: datetime) -> LogKey:
    secret = new_signer_key(name)
    return LogKey(verifier_key(secret), now.astimezone(UTC), None, secret)


def _key(line: str) -> LogKey:
    since, until, text = line.split(" ")
    secret = parse_signer_key(text) if text.startswith(_SECRET) else None
    public = verifier_key(secret) if secret is not None else parse_verifier_key(text)
    return LogKey(public, _time(since), None if until == "-" else _time(until), secret)


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without its zone")
    return at

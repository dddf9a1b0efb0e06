"""What a witness is given to begin with: its own key, and the logs that it knows, each by keys from elsewhere.

The file of logs has a line for each key: the log's name, as the first line of its checkpoints has it, a space, the
verifier key as C2SP signed-note writes it. Lines that begin with # are comments.
"""

from __future__ import annotations

from pathlib import Path

from adapters.crypto.notes import NoteVerifier, new_signer_key, verifier_key
from domain.note_keys import KeyKind, NoteError, SignerKey, VerifierKey, parse_signer_key, parse_verifier_key
from infra.whole_files import make_secret

Logs = dict[str, list[NoteVerifier]]
"""By the log's name, who may have signed its checkpoints."""
_HEAD = "# The key of a witness: whoever has this file can cosign in its name.\n"


class WitnessError(Exception):
    """A file of the witness's is missing or malformed, or somebody cannot be reached: `zh`, `en`."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} ({en})")
        self.zh = zh
        self.en = en


def new_key(file: Path, name: str) -> VerifierKey:
    """Makes the witness's key, in a file for its owner alone. Raises FileExistsError, OSError, NoteError."""
    key = new_signer_key(name, KeyKind.COSIGNATURE)
    if not make_secret(file, f"{_HEAD}{key.text}\n"):
        raise FileExistsError(file)
    return verifier_key(key)


def read_key(file: Path) -> SignerKey:
    """Raises WitnessError, which repeats nothing of it."""
    lines = lines_of(file)
    try:
        (_, line) = lines[0]
        key = parse_signer_key(line)
        if len(lines) == 1 and key.kind is KeyKind.COSIGNATURE and verifier_key(key):
            return key
    except (IndexError, NoteError):
        pass
    raise WitnessError(f"{file}：不是见证私钥", f"{file}: no key of a witness")


def read_logs(file: Path) -> Logs:
    """Raises WitnessError."""
    found: Logs = {}
    for number, line in lines_of(file):
        origin, _, text = line.rpartition(" ")
        try:
            key = parse_verifier_key(text)
        except NoteError as error:
            raise bad_line(file, number, error.message, error.rule) from None
        if key.name != origin or key.kind is not KeyKind.ED25519:
            raise bad_line(
                file,
                number,
                "须为日志名称、空格、该名称的日志公钥",
                "must be a log's name, a space, its verifier key, of that name",
            )
        found.setdefault(origin, []).append(NoteVerifier(key))
    if not found:
        raise WitnessError(f"{file}：没有日志", f"{file}: no log is there")
    return found


def lines_of(file: Path) -> list[tuple[int, str]]:
    """Of a file, with their numbers, without comments. Raises WitnessError."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = type(error).__name__
        raise WitnessError(f"{file}：无法读取（{why}）", f"{file}: cannot be read ({why})") from None
    lines = enumerate((one.strip() for one in text.splitlines()), 1)
    return [(number, line) for number, line in lines if line and not line.startswith("#")]


def bad_line(file: Path | None, number: int, zh: str, en: str) -> WitnessError:
    return WitnessError(f"{file} 第 {number} 行：{zh}", f"{file}, line {number}: {en}")

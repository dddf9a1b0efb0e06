"""What a witness remembers, on its own disk: of each log the last checkpoint that it cosigned, and what was wrong.

    <directory>/<log's name, percent-encoded>/checkpoint    the signed note, with the witness's own signature
    …/fork-<size>-<size>-<root>.json        the log has signed what cannot both be: nothing more is cosigned until a
                                            person has taken the file away
    …/doubt-<size>-<size>-<root>.json       what was refused, and may be somebody else's doing

What is cosigned is on disk before anybody is given the signature. Several processes may share a directory.
"""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from adapters.crypto.notes import Cosigner, verifier_key
from domain.armour import armoured
from domain.checkpoints import Checkpoint, parse_checkpoint
from domain.log_proofs import opened
from domain.note_keys import SignerKey, VerifierKey
from domain.notes import Signature, parse_note, with_signatures
from domain.unproven import Unproven
from domain.witnessing import Proposal, Refused, Shown, judge
from infra.whole_files import PUBLIC, make_file, replace_file
from infra.witness.logs import Logs

MOST_DOUBTS = 100
LONGEST_NAME = 200


class Overtaken(Exception):
    """Another one cosigned something for the log meanwhile: look again."""


class Witness:
    """For several threads."""

    def __init__(self, directory: Path, key: SignerKey, logs: Logs, clock: Callable[[], float] = time.time) -> None:
        self._directory = directory
        self._key = key
        self._logs = logs
        self._clock = clock

    @property
    def verifier_key(self) -> VerifierKey:
        return verifier_key(self._key)

    def kept(self, origin: str) -> bytes | None:
        """The signed note of the last checkpoint that was cosigned. Raises Refused `witness.origin`, OSError."""
        try:
            return (self._place(origin) / "checkpoint").read_bytes()
        except FileNotFoundError:
            return None

    def origin_of(self, note: bytes) -> str:
        """Which log it is of, nothing of it verified. Raises Refused `witness.origin`, Unproven."""
        origin = parse_checkpoint(parse_note(note).text).origin
        self._place(origin)
        return origin

    def consider(
        self, proposal: Proposal, shown: Shown = "sent", before: bytes | None = None
    ) -> tuple[Checkpoint, Signature]:
        """Cosigns, or raises Refused. `before`: what was kept when the witness began to look, where it did. Raises
        Unproven for what is no checkpoint, OSError, Overtaken."""
        origin = self.origin_of(proposal.note)
        try:
            proposed = opened(proposal.note.decode(), self._logs[origin])
        except Unproven as error:
            zh = f"检查点不是日志 {origin} 的已知密钥所签：{error.message}（{error.rule}）"
            raise Refused(
                "witness.key", zh, f"no known key of the log {origin} has signed the checkpoint ({error.rule})"
            ) from None
        place = self._place(origin)
        with _alone(place):
            note = self.kept(origin)
            if shown != "sent" and note != before:
                raise Overtaken
            _unforked(place, origin)
            kept = parse_checkpoint(parse_note(note).text) if note is not None else None
            try:
                judge(kept, proposed, proposal.old, proposal.path, shown)
            except Refused as refused:
                if note is not None and kept is not None and refused.rule not in ("witness.size", "witness.old"):
                    self._write_down(place, refused, (kept, note), (proposed, proposal))
                raise
            cosigner = Cosigner(self._key, int(self._clock()))
            signature = Signature(cosigner.name, cosigner.key_id, cosigner.sign(proposed.text))
            if kept is None or kept.size < proposed.size:
                made = with_signatures(_without(proposal.note, signature), [signature])
                replace_file(place / "checkpoint", made.decode(), PUBLIC)
        return proposed, signature

    def _place(self, origin: str) -> Path:
        name = quote(origin, safe="")
        if origin not in self._logs or len(name) > LONGEST_NAME or set(name) <= {"."}:
            raise Refused("witness.origin", f"不认识日志 {origin}", f"the log {origin} is not known here")
        return self._directory / name

    def _write_down(
        self, place: Path, refused: Refused, kept: tuple[Checkpoint, bytes], proposed: tuple[Checkpoint, Proposal]
    ) -> None:
        """Both notes, for whoever is to judge; what was written down before stays."""
        (one, note), (other, proposal) = kept, proposed
        kind = "fork" if refused.fork else "doubt"
        if not refused.fork and len(list(place.glob("doubt-*.json"))) >= MOST_DOUBTS:
            return  # whoever sends nonsense does not fill the disk
        found = {
            "rule": refused.rule,
            "zh": refused.message,
            "en": refused.en,
            "at": datetime.fromtimestamp(int(self._clock()), UTC).isoformat(),
            "cosigned": note.decode(),
            "shown": proposal.note.decode(),
            "old": proposal.old,
            "path": [armoured(one) for one in proposal.path],
        }
        file = place / f"{kind}-{one.size}-{other.size}-{other.root.hex()[:16]}.json"
        make_file(file, json.dumps(found, ensure_ascii=False, indent=1) + "\n", PUBLIC)


def _unforked(place: Path, origin: str) -> None:
    found = sorted(place.glob("fork-*.json"))
    if found:
        raise Refused(
            "witness.forked",
            f"日志 {origin} 曾被发现分叉或退回，证据在 {found[0].name}；有人查清并移走之前不再见证",
            f"the log {origin} was found forked or rolled back, see {found[0].name}; until then nothing is cosigned",
        )


def _without(note: bytes, mine: Signature) -> bytes:
    """The note without what stands there in our name, which nobody has verified."""
    found = parse_note(note)
    others = tuple(one for one in found.signatures if (one.name, one.key_id) != (mine.name, mine.key_id))
    return type(found)(found.text, others).data


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """One at a time for each log, among threads and processes."""
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

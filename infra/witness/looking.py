"""A witness that goes and looks: asks the log for its latest checkpoint and the proof, cosigns, hands it back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import ValidationError

from adapters.channels.http import Line, NotReached, trusting
from domain.armour import unarmoured
from domain.checkpoints import Checkpoint, parse_checkpoint
from domain.log_proofs import GrowthProof
from domain.notes import Signature, parse_note
from domain.unproven import Unproven
from domain.witnessing import Proposal, Refused, Shown
from infra.witness.keeping import Overtaken, Witness
from infra.witness.logs import WitnessError

API: Final = "/api/v1/log"
LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
AGAIN: Final = 5


class Doors:
    """A log's doors over HTTP. Raises WitnessError where they cannot be reached or do not let in."""

    def __init__(self, url: str, token: str | None, ca_file: Path | None, seconds: float = 20.0) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and (parts.scheme != "http" or parts.hostname not in LOCAL):
            raise WitnessError(f"{url}：须为https地址", f"{url}: must be an https address")
        self.url = url.rstrip("/")
        self._seconds = seconds
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        try:
            self._trust = trusting(ca_file)
        except OSError as error:
            why = type(error).__name__
            raise WitnessError(f"{ca_file}：无法读取（{why}）", f"{ca_file}: cannot be read ({why})") from None

    def checkpoint(self) -> bytes:
        status, body = self._ask("/checkpoint")
        if status != 200:
            raise self._odd("/checkpoint", status)
        return body

    def growth(self, first: int, second: int) -> tuple[bytes, ...] | None:
        """The path; None: the log has no proof of it. Raises WitnessError for what cannot be read."""
        at = f"/growth?first={first}&second={second}"
        status, body = self._ask(at)
        if status == 404:
            return None
        if status != 200:
            raise self._odd(at, status)
        try:
            return tuple(unarmoured(one) for one in GrowthProof.model_validate_json(body).path)
        except (ValidationError, ValueError):
            raise self._odd(at, status) from None

    def hand_back(self, size: int, signature: Signature) -> None:
        status, _ = self._ask("/cosignatures", json.dumps({"size": size, "signature": signature.line.rstrip("\n")}))
        if status != 200:
            raise self._odd("/cosignatures", status)

    def _ask(self, path: str, body: str | None = None) -> tuple[int, bytes]:
        try:
            with Line(f"{self.url}{API}{path}", self._trust, self._seconds) as line:
                if body is None:
                    found = line.get(self._headers)
                else:
                    found = line.post(body.encode(), {**self._headers, "content-type": "application/json"})
        except NotReached as why:
            raise WitnessError(f"{self.url} 无法访问：{why}", f"{self.url} cannot be reached: {why}") from None
        return found.status, found.body

    def _odd(self, path: str, status: int) -> WitnessError:
        where = f"{self.url}{API}{path}"
        return WitnessError(f"{where} 应答 HTTP {status}", f"{where} answered HTTP {status}")


@dataclass(frozen=True, slots=True)
class Looked:
    """What was cosigned; `since`: the size that was cosigned before."""

    checkpoint: Checkpoint
    signature: Signature
    since: int


def look(witness: Witness, origin: str, doors: Doors | None, file: Path | None) -> Looked:
    """Looks once at the log of that name: at the file where one is given, else at its door. Raises Refused, Unproven,
    WitnessError, OSError."""
    for _ in range(AGAIN):
        try:
            return _look(witness, origin, doors, file)
        except Overtaken:
            continue
    raise WitnessError("另有进程同时在为此日志见证", "another process cosigns for this log all the time")


def _look(witness: Witness, origin: str, doors: Doors | None, file: Path | None) -> Looked:
    before = witness.kept(origin)  # before the log is asked: what is cosigned meanwhile is no contradiction
    if file is not None:
        note = _read(file)
        shown: Shown = "filed"
    elif doors is not None:
        note, shown = doors.checkpoint(), "latest"
    else:
        raise WitnessError("须给出日志的地址或检查点文件", "neither the log's address nor a file was given")
    try:
        found = parse_checkpoint(parse_note(note).text)
    except Unproven as error:  # such as a page of some proxy's
        raise WitnessError(f"取得的不是检查点（{error.rule}）", f"this is no checkpoint ({error.rule})") from None
    if found.origin != origin:
        en = f"this is a checkpoint of {found.origin}, not of {origin}"
        raise Refused("witness.origin", f"这是日志 {found.origin} 的检查点，不是 {origin} 的", en)
    kept = parse_checkpoint(parse_note(before).text).size if before is not None else 0
    path: tuple[bytes, ...] = ()
    if 0 < kept < found.size:
        if doors is None:
            en = "without the log's address there is no proof that it only grew"
            raise WitnessError("没有日志的地址，无从取得一致性证明", en)
        grown = doors.growth(kept, found.size)
        if grown is None:  # refused below, but no proof of anything
            shown = "filed"
        path = grown or ()
    proposal = Proposal(kept, path, note)
    checkpoint, signature = witness.consider(proposal, shown, before)
    return Looked(checkpoint, signature, kept)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        why = type(error).__name__
        raise WitnessError(f"{file}：无法读取（{why}）", f"{file}: cannot be read ({why})") from None

"""证据包: a case to be carried away and verified elsewhere, years later: docs/reference/evidence.md has the format.

What is made is verified as a stranger would before it is handed out. All but the manifest is the same again for the
same checkpoint and options.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, Protocol

from psycopg import Connection

from adapters.postgres.checkpoints import KeyInUse, Made, keys_in_use
from adapters.postgres.history import History
from adapters.postgres.leaves import leaf_rows_at
from adapters.postgres.log import Log
from adapters.postgres.signatures import signatures_of
from adapters.postgres.trees import LOG, index_of, nodes
from domain.armour import armoured
from domain.cases import case_stream
from domain.checkpoints import parse_checkpoint
from domain.event import Recorded
from domain.evidence import registers_of
from domain.leaves import Digest, leaf, parse_leaf
from domain.merkle_proofs import prove_inclusion
from domain.notes import parse_note
from domain.personal import Sealed
from domain.registers import Registers
from domain.signatures import Signature
from infra import evidence_verifier as verifier
from infra import proofs
from infra.evidence_summary import Disclosed, Material, reading, summary_pdf

MOST_EVENTS: Final = 100_000
README = Path(__file__).parent / "evidence_readme.txt"
Personal = Literal["withheld", "included"]


class TooLarge(Exception):
    """More than a bundle may hold."""


class Opener(Protocol):
    """Who has the keys of personal data; None where one was destroyed."""

    def opening(self, sealed: Sealed) -> tuple[bytes, str] | None: ...

    def signed_bytes(self, signature: Signature) -> bytes | None: ...


class Wanted(NamedTuple):
    """`size`: by which checkpoint, None the latest; `department`: whose share it is, None for all of it; `visible`: the
    positions that it sees."""

    organ: str
    number: str
    personal: Personal = "withheld"
    size: int | None = None
    department: str | None = None
    visible: Collection[int] | None = None


class Asker(NamedTuple):
    """Who asked for it, as far as that is known."""

    principal: str | None = None
    department: str | None = None
    officer: str | None = None


class Gathered(NamedTuple):
    """A case by a checkpoint, in one moment of the log. `later`: how many of its events no checkpoint had yet."""

    wanted: Wanted
    made: Made
    origin: str
    case: list[Recorded]
    registers: list[Recorded]
    known: Registers
    later: int
    lines: list[dict[str, Any]]
    signatures: dict[tuple[str, str], Signature]
    keys: list[KeyInUse]

    @property
    def rows(self) -> int:
        return len(self.lines)

    @property
    def events(self) -> list[Recorded]:
        return sorted([*self.case, *self.registers], key=lambda one: one.position)


class Bundle(NamedTuple):
    """The file, and what its verification found."""

    data: bytes
    report: verifier.Report
    later: int


def gather(conn: Connection[Any], wanted: Wanted) -> Gathered | None:
    """None where there is no such checkpoint, or the case is in none. `conn` is within one transaction. Raises
    TooLarge."""
    made = proofs.checkpoint(conn, wanted.size)
    if made is None:
        return None
    log = Log(conn)
    register_events = log.registers_by(made.position)
    known = Registers()
    for one in register_events:
        known.evolve(one.event)
    everything = History(conn, known.departments).case(wanted.organ, wanted.number)
    if wanted.visible is not None:
        everything = [one for one in everything if one.position in wanted.visible]
    case = [one for one in everything if one.position <= made.position]
    if not any(one.event.originator_id == case_stream(wanted.organ, wanted.number) for one in case):
        return None
    last = case[-1].position
    applied = registers_of((one.event for one in case), [one for one in register_events if one.position <= last])
    if len(case) + len(applied) > MOST_EVENTS:
        raise TooLarge(f"{len(case) + len(applied)} events")
    both = sorted([*case, *applied], key=lambda one: one.position)
    signed = {(one.event.meta.source, one.event.meta.id) for one in both if one.event.meta.signed is not None}
    return Gathered(
        wanted=wanted,
        made=made,
        origin=parse_checkpoint(parse_note(made.note.encode()).text).origin,
        case=case,
        registers=applied,
        known=known,
        later=len(everything) - len(case),
        lines=_lines(conn, both, made),
        signatures=signatures_of(conn, sorted(signed)),
        keys=keys_in_use(conn),
    )


def bundle(
    found: Gathered,
    opener: Opener,
    asker: Asker,
    trusted: Sequence[verifier.Key] | None = None,
    now: datetime | None = None,
) -> Bundle:
    """The bundle. `trusted`: the log's keys where they are known from elsewhere than the database. Raises
    verifier.Wrong where the record does not hold, TooLarge."""
    openings = _openings(found.lines, opener) if found.wanted.personal == "included" else None
    files = {
        "README.txt": README.read_bytes(),
        "summary.pdf": b"",
        "summary.json": b"",
        "events.jsonl": b"".join(_json(_public(line)) + b"\n" for line in found.lines),
        "checkpoint.txt": found.made.note.encode(),
        "keys.json": _pretty(
            {
                "origin": found.origin,
                "items": [{"verifier": one.verifier, "since": one.since, "until": one.until} for one in found.keys],
            }
        ),
        "submissions.json": _pretty(_submissions(found, opener)),
    }
    if openings is not None:
        files[verifier.OPENINGS] = _pretty(openings)
    files[verifier.VERIFIER] = Path(verifier.__file__).read_bytes()
    values = {one["commitment"]: one["value"] for one in openings or ()}
    material = Material(
        found.wanted.organ, found.wanted.number, found.made, found.origin, found.case, found.registers, found.known
    )
    shown = Disclosed(values, withheld=openings is None)
    files["summary.json"] = _pretty(
        {
            "case": _case(found.wanted),
            "reading": reading(material, shown),
            "events": verifier.summary_events(_events(found), values),
        }
    )
    files["summary.pdf"] = summary_pdf(material, shown)
    files |= _manifest(found, files, asker, now or datetime.now(UTC))
    data = _zip(files)
    if len(data) > verifier.LARGEST:
        raise TooLarge(f"{len(data)} bytes")
    return Bundle(data, verifier.check(data, None if trusted is None else list(trusted)), found.later)


def _lines(conn: Connection[Any], events: Sequence[Recorded], made: Made) -> list[dict[str, Any]]:
    """As `events.jsonl` has them, with the state's bytes under a name of their own."""
    rows = {row.position: row for row in leaf_rows_at(conn, [one.position for one in events])}
    read = nodes(conn, LOG, made.head.size)
    found = []
    for one in events:
        row = rows[one.position]
        entry, index = leaf(row), index_of(conn, one.position)
        if index is None:
            raise verifier.Wrong("event.path", one.event.originator_id)
        line = {
            "position": row.position,
            "stream": row.stream.decode(),
            "version": row.version,
            "topic": row.topic.decode(),
            "index": index,
            "leaf": armoured(entry),
            "path": [armoured(hash_) for hash_ in prove_inclusion(index, made.head.size, read)],
            "": row,
        }
        if isinstance(parse_leaf(entry).state, Digest):
            line["state"] = armoured(row.state)
        found.append(line)
    return found


def _public(line: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name}


def _events(found: Gathered) -> list[verifier.Event]:
    return [
        verifier.Event(
            row.position,
            row.recorded_at,
            row.stream.decode(),
            row.version,
            row.topic.decode(),
            json.loads(row.state),
            leaf_hash="",
        )
        for row in (line[""] for line in found.lines)
    ]


def _openings(lines: Iterable[Mapping[str, Any]], opener: Opener) -> list[dict[str, str]]:
    """What of the personal values can still be opened, by commitment."""
    sealed = {one.commitment: one for line in lines for one in _sealed(json.loads(line[""].state))}
    found = []
    for commitment, one in sorted(sealed.items()):
        opening = opener.opening(one)
        if opening is not None:
            found.append({"commitment": commitment, "salt": armoured(opening[0]), "value": opening[1]})
    return found


def _sealed(value: Any) -> Iterable[Sealed]:
    if isinstance(value, dict) and value.keys() == Sealed.model_fields.keys():
        yield Sealed(**value)
    elif isinstance(value, (dict, list)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _sealed(part)


def _submissions(found: Gathered, opener: Opener) -> list[dict[str, Any]]:
    """The signatures; what is signed holds personal values, so that it is there only with these."""
    rows = []
    for (source, id_), one in sorted(found.signatures.items()):
        row = {"source": source, "id": id_, "key": one.key, "digest": one.digest, "value": one.value}
        kept = opener.signed_bytes(one) if found.wanted.personal == "included" else None
        rows.append(row if kept is None else {**row, "signed": armoured(kept)})
    return rows


def _manifest(found: Gathered, files: Mapping[str, bytes], asker: Asker, now: datetime) -> dict[str, bytes]:
    versions: dict[str, list[int]] = {}
    for one in found.events:
        versions.setdefault(one.event.originator_id, []).append(one.event.originator_version)
    whole = [
        stream
        for stream, found_ in versions.items()
        if not stream.startswith("ledger/")
        and (found.wanted.department is None or found_ == [*range(1, len(found_) + 1)])
    ]
    manifest = _pretty(
        {
            "format": verifier.FORMAT,
            "log": found.origin,
            "size": found.made.head.size,
            "root": armoured(found.made.head.root),
            "case": _case(found.wanted),
            "personal": found.wanted.personal,
            "scope": "all" if found.wanted.department is None else found.wanted.department,
            "made_at": now.isoformat(timespec="seconds"),
            "made_for": asker._asdict(),
            "whole": sorted(whole),
            "files": [
                {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
                for name, content in files.items()
            ],
        }
    )
    seal = f"{hashlib.sha256(manifest).hexdigest()}  {verifier.MANIFEST}\n".encode()
    return {verifier.MANIFEST: manifest, verifier.SEAL: seal}


def _case(wanted: Wanted) -> dict[str, str]:
    return {"organ": wanted.organ, "number": wanted.number}


def _zip(files: Mapping[str, bytes]) -> bytes:
    """Stored, of no time: the same files are the same bytes, and no reader can be made to inflate anything."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            info.external_attr = 0o100644 << 16
            archive.writestr(info, content)
    return made.getvalue()


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _pretty(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, default=_moment).encode() + b"\n"


def _moment(value: Any) -> str:
    return str(value.isoformat())

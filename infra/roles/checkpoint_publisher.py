"""The latest checkpoint to where others can keep it: a file for external storage, a topic of its own.

Whoever has kept one checkpoint can show whether a later one goes on from it. Not every one is published: what comes
while one is on its way is covered by the next.
"""

from __future__ import annotations

import json
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import structlog
from psycopg import Connection

from adapters.kafka.cloudevents import encode
from adapters.postgres.checkpoints import MADE, Made
from adapters.postgres.follower import Postponed
from adapters.postgres.liveness import show_alive, take_lease
from domain.checkpoints import Checkpoint, parse_checkpoint
from domain.notes import parse_note
from domain.submissions import full_type
from infra import proofs
from infra.roles.composer import attribute, source
from infra.roles.publisher import Publication, Record
from infra.store import Store
from infra.whole_files import PUBLIC, replace_file

_log = structlog.get_logger("shenguan.prover")
CHECKPOINTS = "checkpoints"
TYPE = full_type("checkpoint")
POLL_S = 1.0
STANDBY_S = 1.0
ALIVE_EVERY_S = 5.0


def published(file: Path | None) -> bytes | None:
    """The checkpoint in the file; None where none is kept, or none is there yet. Raises Postponed."""
    if file is None:
        return None
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Postponed(f"{file}: {type(error).__name__}") from None


class CheckpointPublisher:
    """One publishes at a time; others stand by. What cannot be reached is tried again, and shown as the reason."""

    def __init__(self, store: Store, stopped: threading.Event) -> None:
        self._store = store
        self._file = store.settings.checkpoint_file
        self._stopped = stopped
        self._filed = ""  # notes
        self._sent = ""
        self._shown_at = 0.0
        self._error: str | None = None

    def run(self) -> None:
        """Until `stopped` is set. Raises psycopg.OperationalError."""
        topic = self._store.names.checkpoints
        with self._store.connect() as conn, closing(Publication(self._store, topic)) as publication:
            while not take_lease(conn, CHECKPOINTS):
                if self._stopped.wait(STANDBY_S):
                    return
            conn.execute(f"LISTEN {MADE}")
            self._filed = self._sent = ""
            while not self._stopped.is_set():
                error = self.turn(conn, publication)
                self._show(conn, error)
                for _ in conn.notifies(timeout=POLL_S, stop_after=1):
                    pass

    def turn(self, conn: Connection[Any], publication: Publication) -> str | None:
        """Publishes the latest checkpoint, where that is not done, and again when witnesses have cosigned it; what
        could not be reached."""
        made = proofs.checkpoint(conn)
        if made is None:
            return None
        errors = []
        if self._file is not None and self._filed != made.note:
            try:
                replace_file(self._file, made.note, PUBLIC)
                self._filed = made.note
            except OSError as error:
                errors.append(f"{self._file}: {type(error).__name__}")
        if self._sent != made.note:
            try:
                publication.send([record(made, self._store.settings.store)])
                self._sent = made.note
            except Postponed as error:
                errors.append(str(error))
        return "; ".join(errors) or None

    def _show(self, conn: Connection[Any], error: str | None) -> None:
        if error != self._error and error is not None:
            _log.error("checkpoint_not_published", error=error)
        if error != self._error or time.monotonic() >= self._shown_at + ALIVE_EVERY_S:
            self._shown_at, self._error = time.monotonic(), error
            show_alive(conn, {CHECKPOINTS: error})


def record(made: Made, store: str) -> Record:
    """A checkpoint as it stands in its topic: a CloudEvent whose data has the signed note. The same with more
    signatures is another."""
    found = parse_note(made.note.encode())
    checkpoint = parse_checkpoint(found.text)
    witnesses = sum(one.name != checkpoint.origin for one in found.signatures)
    attributes = {
        "specversion": "1.0",
        "id": attribute(f"{checkpoint.origin}/{checkpoint.size}" + (f"/{witnesses}" if witnesses else "")),
        "source": source(store),
        "type": TYPE,
        "subject": attribute(checkpoint.origin),
        "time": made.made_at.isoformat(),
    }
    headers, value = encode(attributes, json.dumps(data_of(checkpoint, made.note), ensure_ascii=False).encode())
    return checkpoint.origin.encode(), value, headers


def data_of(checkpoint: Checkpoint, note: str) -> dict[str, Any]:
    """`size` and `origin` are in the note too; only what is in the note is signed."""
    return {"origin": checkpoint.origin, "size": checkpoint.size, "checkpoint": note}

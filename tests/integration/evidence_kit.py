"""A store with a case in which everything is signed that can be, and a bundle of it taken as a command takes it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.postgres.log import Log
from infra import evidence_verifier as verifier
from infra.log_keys import read_keys
from infra.roles.intake import IntakeRole
from tests.integration.channel_kit import command
from tests.integration.outlet_kit import TrackedStore, running, until
from tests.integration.region import APPROVAL, S1, S2
from tests.integration.signing_kit import KEY, OTHER, register
from tests.integration.test_retry import disposition
from tests.integration.test_signatures import PERSON, acceptance, hand_in
from tests.integration.teststore import TestStore

CONTENT = "准予王小明开办青城宾馆"
NUMBER = "1"
CLEAR = (PERSON["name"], PERSON["id_number"], CONTENT, "张三丰", "苏日娜")
"""What of the case is personal: party, its number, the decision's text, the officers of both sides."""


def lived(region: TestStore, outer: TrackedStore) -> None:
    """A natural person's case, accepted and granted by signed submissions; S1 has signed its receipt."""
    for principal, key in ((APPROVAL, KEY), (S1, OTHER)):
        register(region, principal, key)
    with running(IntakeRole(outer)):
        hand_in(outer, APPROVAL, "case.accept", "a1", acceptance(NUMBER), KEY)
        until(lambda: disposition(region, "a1") == "accepted")
        hand_in(outer, APPROVAL, "case.decide", "d1", decision(NUMBER), KEY)
        until(lambda: disposition(region, "d1") == "accepted")
        for department in (S1, S2):
            hand_in(outer, department, "notice.receive", f"r-{department}", receipt(region, department))
            until(lambda d=department: disposition(region, f"r-{d}") == "accepted")  # type: ignore[misc]


def decision(number: str) -> dict[str, Any]:
    return {"department": APPROVAL, "organ": APPROVAL, "number": number, "outcome": "granted", "content": CONTENT,
            "document_number": "呼审批许字〔2026〕1号", "decided_on": "2026-03-01", "valid_from": "2026-03-01",
            "valid_to": "2029-02-28", "officer": {"id": "007", "name": "张三丰"}}  # fmt: skip


def receipt(region: TestStore, department: str) -> dict[str, Any]:
    notice, at = f"{department}/{APPROVAL}/d1", datetime(2026, 3, 2, 9, tzinfo=UTC).isoformat()
    given: dict[str, Any] = {"department": department, "notice": notice, "received_at": at,
                             "officer": {"id": "42", "name": "苏日娜"}}  # fmt: skip
    if department == S1:
        with region.connect() as conn:
            row = conn.execute(
                "SELECT originator_version FROM shenguan.stored_events WHERE unique_key = %s", (notice,)
            ).fetchone()
            assert row is not None
            leaf = Log(conn).leaf(f"ledger/{department}", row[0])
        statement = {"notice": notice, "serial": row[0], "leaf": leaf, "received_at": at}
        given["receipt"] = OTHER.compact(statement)
    return given


def take(store: TrackedStore, out: Path, *arguments: str, number: str = NUMBER) -> dict[str, Any]:
    """What the command says; the bundle is in the file."""
    said = command(store, "evidence", number, "--out", str(out), *arguments, "--json")
    found: dict[str, Any] = json.loads(said)
    return found


def known_keys(store: TrackedStore) -> list[verifier.Key]:
    return [verifier.parse_key(one.public.text) for one in read_keys(store.settings.log_key_file)]


def again(files: Mapping[str, bytes]) -> bytes:
    """These files as a bundle whose digests are right, as whoever forges one would make it."""
    files = dict(files)
    manifest = json.loads(files.pop(verifier.MANIFEST))
    files.pop(verifier.SEAL, None)
    manifest["files"] = [
        {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in files.items()
    ]
    spelt = json.dumps(manifest, ensure_ascii=False).encode()
    seal = f"{hashlib.sha256(spelt).hexdigest()}  {verifier.MANIFEST}\n".encode()
    return verifier.pack(files | {verifier.MANIFEST: spelt, verifier.SEAL: seal})

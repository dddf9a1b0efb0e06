"""`shenguan evidence`: what a bundle holds, that it verifies, and what is found of one that was made otherwise."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adapters.crypto.notes import Cosigner, NoteVerifier, new_signer_key, verifier_key
from domain.departments import RegisterDepartment, RegisterPrincipal
from domain.leaves import parse_leaf
from domain.log_proofs import check_event, event_proof
from domain.note_keys import KeyKind, parse_verifier_key
from domain.notes import parse_note, sign_note
from domain.seals import ApplySeal
from infra import evidence_verifier as verifier
from infra.log_keys import read_keys
from infra.verify import verify
from tests.integration.channel_kit import command
from tests.integration.evidence_kit import CLEAR, NUMBER, again, known_keys, lived, take
from tests.integration.outlet_kit import TrackedStore
from tests.integration.region import APPROVAL, MATTER, OFFICE, S1, S2, S3, case, granted
from tests.integration.signing_kit import KEY, OTHER
from tests.integration.test_prover import prove
from tests.integration.teststore import TestStore, department, superuser
from tests.pdf import read_pdf

Files = dict[str, bytes]
EVENTS, NOTE = "events.jsonl", "checkpoint.txt"


@pytest.fixture
def store(region: TestStore, outer: TrackedStore) -> TrackedStore:
    lived(region, outer)
    prove(region, outer)
    return outer


def files_of(bundle: Path) -> Files:
    return verifier.unpack(bundle.read_bytes())


def rows_of(files: Files) -> list[dict[str, Any]]:
    return [json.loads(line) for line in files[EVENTS].splitlines()]


def events_as(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def rule_of(data: bytes, keys: list[verifier.Key], *more: Any) -> str | None:
    """By which rule it is refused; None: it verifies."""
    try:
        verifier.check(data, keys, *more)
    except verifier.Wrong as wrong:
        return wrong.rule
    return None


def test_a_bundle_holds_the_case_and_what_applied_to_it(store: TrackedStore, tmp_path: Path) -> None:
    said = take(store, tmp_path / "a.zip")
    data = (tmp_path / "a.zip").read_bytes()
    found = verifier.check(data, known_keys(store))
    assert (said["sha256"], said["bytes"], said["events"]) == (found.digest, len(data), len(found.events))
    topics = {one.topic for one in found.events}
    assert {"case.accepted", "case.decided", "notice.owed", "notice.received", "matter.registered"} <= topics
    assert {"matter.transferred", "department.registered", "register.entered", "calendar.adopted"} <= topics
    streams = {one.stream for one in found.events}
    assert {f"matter/{MATTER}", f"department/{S1}", f"principal/{APPROVAL}", f"ledger/{S2}", "calendar",
            f"entry/public_key/{KEY.thumbprint}", f"entry/public_key/{OTHER.thumbprint}"} <= streams  # fmt: skip
    assert not {f"department/{S3}", f"liaison/{S1}"} & streams  # they have nothing to do with it
    assert f"case/{APPROVAL}/{NUMBER}" in found.manifest["whole"]
    assert f"ledger/{S1}" not in found.manifest["whole"]
    assert (found.submissions, found.receipts, found.own_keys) == ((2, 0), 1, False)
    assert verifier.check(data).own_keys
    with zipfile.ZipFile(io.BytesIO(data)) as archive:  # any other tool reads it too
        assert {name: archive.read(name) for name in archive.namelist()} == verifier.unpack(data)
    assert subprocess.run(
        ["sha256sum", "-c", "manifest.sha256"], cwd=extracted(data, tmp_path), check=True, capture_output=True
    )


def extracted(data: bytes, path: Path) -> Path:
    (path / "out").mkdir()
    for name, content in verifier.unpack(data).items():
        (path / "out" / name).write_bytes(content)
    return path / "out"


def test_the_same_checkpoint_and_options_give_the_same_but_for_the_manifest(
    region: TestStore, store: TrackedStore, tmp_path: Path
) -> None:
    first = take(store, tmp_path / "a.zip")
    granted(region, "2")
    prove(region, store)
    take(store, tmp_path / "b.zip", "--size", str(first["checkpoint"]))
    take(store, tmp_path / "c.zip")
    a, b, c = (files_of(tmp_path / f"{name}.zip") for name in "abc")
    changing = {verifier.MANIFEST, verifier.SEAL}
    assert {n: f for n, f in a.items() if n not in changing} == {n: f for n, f in b.items() if n not in changing}
    assert a[NOTE] != c[NOTE]
    assert command(store, "evidence", NUMBER, "--out", str(tmp_path / "a.zip"), code=1)  # never written over
    assert "没有办件" in command(store, "evidence", "no", "--out", str(tmp_path / "d.zip"), code=1)


def test_what_no_checkpoint_has_yet_is_said_to_be_left_out(
    region: TestStore, outer: TrackedStore, tmp_path: Path
) -> None:
    lived(region, outer)
    assert "检查点" in command(outer, "evidence", NUMBER, "--out", str(tmp_path / "a.zip"), code=1)
    prove(region, outer)
    seal: dict[str, Any] = {
        "seal": "SP1",
        "certificate_serial": "ab12",
        "document_sm3": "0" * 64,
        "applied_at": region.now,
    }
    region.submit(case(ApplySeal, NUMBER, **seal))
    assert take(outer, tmp_path / "b.zip")["later"] == 1
    assert "另有 1 个事件" in command(outer, "evidence", NUMBER, "--out", str(tmp_path / "c.zip"))


def test_persons_are_hidden_unless_they_are_asked_for(store: TrackedStore, tmp_path: Path) -> None:
    take(store, tmp_path / "hidden.zip")
    take(store, tmp_path / "open.zip", "--personal", "included")
    hidden, opened = files_of(tmp_path / "hidden.zip"), files_of(tmp_path / "open.zip")
    keys = known_keys(store)
    for text in CLEAR:
        assert text.encode() not in (tmp_path / "hidden.zip").read_bytes()
    shown = "".join(page.text for page in read_pdf(hidden["summary.pdf"]).pages)
    assert not any(text in shown for text in CLEAR)
    assert verifier.HIDDEN in shown
    assert verifier.OPENINGS not in hidden
    found = verifier.check((tmp_path / "open.zip").read_bytes(), keys)
    assert set(CLEAR) <= set(found.opened.values())
    assert found.submissions == (2, 2)
    assert "王小明" in "".join(page.text for page in read_pdf(opened["summary.pdf"]).pages)
    assert hidden[EVENTS] == opened[EVENTS]
    # a later holder discloses one of them, to who has the bundle without
    [one] = [row for row in json.loads(opened[verifier.OPENINGS]) if row["value"] == "王小明"][:1]
    single = verifier.check((tmp_path / "hidden.zip").read_bytes(), keys, (), json.dumps([one]).encode())
    assert [*single.opened.values()] == ["王小明"]
    for wrong in ({"value": "王大明"}, {"salt": one["salt"][:-4] + "AA=="}, {"commitment": "0" * 64}):
        given_ = json.dumps([one | wrong]).encode()
        assert rule_of((tmp_path / "hidden.zip").read_bytes(), keys, (), given_) in ("opening.wrong", "bundle.shape")


def test_an_inspector_s_bundle_is_a_read_on_record(region: TestStore, store: TrackedStore, tmp_path: Path) -> None:
    region.submit(RegisterPrincipal(principal="jw", acts_for=("jw",)), principal="operator")
    region.submit(RegisterDepartment(department=OFFICE, entry=department("jw", "纪委监委", "DISCIPLINE")))
    who = ("--as", "jw", "--officer", "J1,乌日娜")
    take(store, tmp_path / "a.zip", *who)
    refused = command(
        store, "evidence", NUMBER, "--out", str(tmp_path / "b.zip"), "--personal", "included", *who, code=1
    )
    assert "SHA-256" not in refused
    assert not (tmp_path / "b.zip").exists()
    take(store, tmp_path / "b.zip", "--personal", "included", *who, "--reason", "核查信访")
    manifest = json.loads(files_of(tmp_path / "b.zip")[verifier.MANIFEST])
    assert manifest["made_for"] == {"principal": "jw", "department": None, "officer": "J1"}
    command(store, "evidence", NUMBER, "--out", str(tmp_path / "c.zip"), "--as", S1, "--officer", "1,其其格", code=1)
    assert not (tmp_path / "c.zip").exists()
    rows = region.connect().execute(
        "SELECT s ->> 'command', (s ->> 'rows')::int, (s ->> 'revealed')::bool FROM shenguan.stored_events,"
        " LATERAL (SELECT convert_from(state, 'UTF8')::jsonb) AS j (s) WHERE topic = 'read.recorded'"
        " ORDER BY notification_id"
    ).fetchall()  # fmt: skip
    count = len(rows_of(files_of(tmp_path / "a.zip")))
    assert rows == [("evidence", count, False), ("evidence", count, True)]


def test_the_product_s_own_checks_agree(store: TrackedStore, tmp_path: Path) -> None:
    take(store, tmp_path / "a.zip")
    files = files_of(tmp_path / "a.zip")
    keys = [NoteVerifier(one.public) for one in read_keys(store.settings.log_key_file)]
    found = verifier.check((tmp_path / "a.zip").read_bytes(), known_keys(store))
    for row, one in zip(rows_of(files), found.events, strict=True):
        leaf = base64.b64decode(row["leaf"])
        path = [base64.b64decode(part) for part in row["path"]]
        proof = event_proof(row["position"], row["index"], bytes.fromhex(one.leaf_hash), path, files[NOTE].decode())
        assert check_event(proof, keys, leaf) == parse_leaf(leaf)
        assert (one.stream, one.version, one.topic) == tuple(row[name] for name in ("stream", "version", "topic"))


def test_any_byte_altered_is_found(store: TrackedStore, tmp_path: Path) -> None:
    take(store, tmp_path / "a.zip", "--personal", "included")
    data, keys = (tmp_path / "a.zip").read_bytes(), known_keys(store)
    files = verifier.unpack(data)
    true = essence(verifier.check(data, keys))

    @settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.integers(0, len(data) - 1), st.integers(1, 255))
    @example(0, 1)
    @example(len(data) - 1, 1)
    def altered(at: int, by: int) -> None:
        other = data[:at] + bytes([data[at] ^ by]) + data[at + 1 :]
        assert rule_of(other, keys) is not None

    @settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.sampled_from([EVENTS, NOTE, "submissions.json", verifier.OPENINGS, "summary.json"]), st.data())
    def forged(name: str, draw: st.DataObject) -> None:
        """By somebody who makes the digests right again: nothing else comes out of it."""
        content = files[name]
        at, by = draw.draw(st.integers(0, len(content) - 1)), draw.draw(st.integers(1, 255))
        other = again(files | {name: content[:at] + bytes([content[at] ^ by]) + content[at + 1 :]})
        try:
            found = verifier.check(other, keys)
        except verifier.Wrong:
            return
        assert essence(found) == true

    altered()
    forged()


def essence(found: verifier.Report) -> Any:
    return found.events, found.opened, found.submissions, found.receipts, found.signed_by


FORGERIES: dict[str, tuple[Callable[[list[dict[str, Any]]], object], str]] = {
    "two leaves swapped": (lambda rows: swap(rows[0], rows[1], "leaf"), "leaf.other"),
    "a whole line under another's index": (lambda rows: swap(rows[0], rows[1], "index", "path"), "event.path"),
    "reordered": (lambda rows: rows.reverse(), "events.order"),
    "one twice": (lambda rows: rows.insert(0, rows[0]), "events.order"),
    "none": (lambda rows: rows.clear(), "events.shape"),
    "a register event left out": (lambda rows: drop(rows, f"matter/{MATTER}", 1), "stream.gap"),
    "the beginning of the case left out": (lambda rows: drop(rows, f"case/{APPROVAL}/{NUMBER}", 1), "stream.gap"),
    "a path cut short": (lambda rows: rows[3]["path"].pop(), "bundle.shape"),
    "another stream stated": (lambda rows: rows[3].update(stream="case/x/1"), "leaf.other"),
    "a key's registration left out": (
        lambda rows: drop(rows, f"entry/public_key/{KEY.thumbprint}", 1), "stream.gap"),
    "a state beside a leaf that has its own": (lambda rows: rows[3].update(state="e30="), "leaf.state"),
}  # fmt: skip


def swap(one: dict[str, Any], other: dict[str, Any], *names: str) -> None:
    for name in names:
        one[name], other[name] = other[name], one[name]


def drop(rows: list[dict[str, Any]], stream: str, version: int) -> None:
    rows[:] = [row for row in rows if (row["stream"], row["version"]) != (stream, version)]


def test_forgeries_are_named(store: TrackedStore, tmp_path: Path) -> None:
    take(store, tmp_path / "a.zip", "--personal", "included")
    data, keys = (tmp_path / "a.zip").read_bytes(), known_keys(store)
    files = verifier.unpack(data)
    assert rule_of(again(files), keys) is None
    for name, (forge, rule) in FORGERIES.items():
        rows = rows_of(files)
        forge(rows)
        assert rule_of(again(files | {EVENTS: events_as(rows)}), keys) == rule, name
    stranger = new_signer_key(store.settings.log_name)
    other = verifier.parse_key(verifier_key(stranger).text)
    assert rule_of(data, [other]) == "note.unsigned"
    assert rule_of(data, []) == "note.unsigned"
    submissions = json.loads(files["submissions.json"])
    for change, rule in (
        (submissions[1:], "submission.other"),
        ([*submissions, submissions[0] | {"id": "x"}], "submission.other"),
        ([submissions[0] | {"signed": submissions[1]["signed"]}, submissions[1]], "submission.other"),
    ):
        assert rule_of(again(files | {"submissions.json": json.dumps(change).encode()}), keys) == rule
    summary = json.loads(files["summary.json"])
    summary["events"][0]["topic"] = "case.decided"
    assert rule_of(again(files | {"summary.json": json.dumps(summary).encode()}), keys) == "summary.other"
    # what a stream's end is, no proof of single events says: so the report does
    cut = rows_of(files)
    drop(cut, f"notice/{S2}/{APPROVAL}/d1", 1)
    manifest = json.loads(files[verifier.MANIFEST])
    manifest["whole"].remove(f"notice/{S2}/{APPROVAL}/d1")
    summary = json.loads(files["summary.json"])
    summary["events"] = [one for one in summary["events"] if one["stream"] != f"notice/{S2}/{APPROVAL}/d1"]
    shorter = {EVENTS: events_as(cut), verifier.MANIFEST: json.dumps(manifest).encode(),
               "summary.json": json.dumps(summary).encode()}  # fmt: skip
    assert rule_of(again(files | shorter | {verifier.OPENINGS: b"[]"}), keys) == "summary.other"
    report = verifier.check(data, keys)
    assert any("此后没有" in line for line in verifier.report_lines(report, True))


def test_containers_that_are_no_bundle_are_refused_unread(
    store: TrackedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(store, tmp_path / "a.zip")
    data, keys = (tmp_path / "a.zip").read_bytes(), known_keys(store)
    files = verifier.unpack(data)

    def zipped(*more: tuple[str, bytes], deflated: bool = False) -> bytes:
        made = io.BytesIO()
        kind = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
        with zipfile.ZipFile(made, "w", kind) as archive:
            for name, content in (*files.items(), *more):
                archive.writestr(zipfile.ZipInfo(name), content, kind)
        return made.getvalue()

    assert rule_of(zipped(deflated=True), keys) == "bundle.packed"
    assert rule_of(zipped(("bomb", bytes(10_000_000)), deflated=True), keys) == "bundle.packed"
    with pytest.warns(UserWarning, match="Duplicate"):
        twice = zipped((EVENTS, b""))
    assert rule_of(twice, keys) == "bundle.twice"
    for name in ("/etc/passwd", "../x", "a/b", ".x", "x" * 65, "文"):
        assert rule_of(zipped((name, b"x")), keys) == "bundle.name"
    for end in (0, 1, 30, len(data) // 2, len(data) - 1):
        assert rule_of(data[:end], keys) in ("bundle.packed", "bundle.name", "manifest.digest")
    for other in (data + b"x", b"x" + data, data + data):
        assert rule_of(other, keys) == "bundle.packed"
    assert rule_of(verifier.pack(files | {"more": b"x"}), keys) == "manifest.files"
    assert rule_of(verifier.pack({n: f for n, f in files.items() if n != "README.txt"}), keys) == "manifest.files"
    monkeypatch.setattr(verifier, "LARGEST", len(data) - 1)
    assert rule_of(data, keys) == "bundle.large"


def test_witnesses_who_must_have_seen_it(store: TrackedStore, tmp_path: Path) -> None:
    take(store, tmp_path / "a.zip")
    keys, files = known_keys(store), files_of(tmp_path / "a.zip")
    secret = new_signer_key("witness.example", KeyKind.COSIGNATURE)
    witness = verifier.parse_key(verifier_key(secret).text)
    assert rule_of(again(files), keys, [witness]) == "note.unwitnessed"
    note = parse_note(files[NOTE])
    seen = sign_note(note.text, [Cosigner(secret, 1_780_000_000)], note.signatures)
    found = verifier.check(again(files | {NOTE: seen}), keys, [witness])
    assert [(key, at.timestamp()) for key, at in found.witnessed] == [(witness, 1_780_000_000.0)]
    assert rule_of(again(files | {NOTE: seen}), [witness]) == "note.unsigned"  # a witness is not the log
    later = sign_note(note.text, [Cosigner(secret, 1_780_000_001)]).decode().rsplit("\n", 2)[1]
    line = seen.decode().rsplit("\n", 2)[1]
    swapped = base64.b64decode(later.split(" ")[2])[:12] + base64.b64decode(line.split(" ")[2])[12:]
    forged = seen.decode().replace(line.split(" ")[2], base64.b64encode(swapped).decode()).encode()
    assert rule_of(again(files | {NOTE: forged}), keys, [witness]) == "note.forged"


def test_keys_are_read_from_what_others_have_of_them(store: TrackedStore, tmp_path: Path) -> None:
    listed = command(store, "log-keys", "list", "--json").encode()
    [text] = [one["verifier"] for one in json.loads(listed)["keys"]]
    lines = f"# from the discipline inspection\n{text}\n".encode()
    published = json.dumps({"origin": "x", "items": [{"verifier": text}]}).encode()
    assert (
        verifier.parse_keys(listed) == verifier.parse_keys(lines) == verifier.parse_keys(published) == known_keys(store)
    )
    key = parse_verifier_key(text)
    assert (key.name, key.key_id, key.public) == known_keys(store)[0][:2] + known_keys(store)[0][3:]


def test_nothing_is_handed_out_of_a_record_that_does_not_hold(
    region: TestStore, store: TrackedStore, tmp_path: Path
) -> None:
    for number, (statement, rule) in enumerate((
        ("UPDATE shenguan.stored_events SET state = state || ' ' WHERE topic = 'case.decided'", "event.path"),
        ("DELETE FROM shenguan.signature WHERE id = 'd1'", "submission.other"),
        ("UPDATE shenguan.signature SET digest = repeat('0', 64) WHERE id = 'a1'", "submission.other"),
    )):  # fmt: skip
        with superuser(region) as conn:
            conn.execute(statement)
        out = tmp_path / f"{number}.zip"
        said = command(store, "evidence", NUMBER, "--out", str(out), "--json", code=1)
        assert json.loads(said)["rule"] == "event.path" or number, rule
        assert not out.exists()
    assert verify(store).problems

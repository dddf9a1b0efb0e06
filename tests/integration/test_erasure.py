"""Who is erased is gone from everywhere the product keeps or shows him, and every proof stands as it did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from adapters.postgres.signatures import signature_of
from domain.leaves import parse_leaf
from domain.log_proofs import check_event
from domain.note_keys import parse_verifier_key
from domain.succession import SucceedDepartment
from infra import evidence_verifier as verifier
from infra import proofs
from infra.log_keys import verifiers
from infra.main import app
from infra.roles.intake import IntakeRole
from infra.verify import verify
from tests.integration.channel_kit import command
from tests.integration.doors import doors
from tests.integration.evidence_kit import CLEAR, CONTENT, NUMBER, known_keys, lived, take
from tests.integration.outlet_kit import TrackedStore, running, until
from tests.integration.region import APPROVAL, DAY, OFFICE, S1, S3
from tests.integration.test_prover import prove
from tests.integration.test_retry import disposition
from tests.integration.test_signatures import PERSON, acceptance, hand_in
from tests.integration.teststore import TestStore
from tests.pdf import read_pdf

NAME, IDENTITY = PERSON["name"], PERSON["id_number"]
ORDER = ("--department", APPROVAL, "--officer", "A9,高娃", "--reason", "当事人申请删除")
GONE = (NAME, IDENTITY, CONTENT)
"""Of the person, and of the decision's text, which names him: the case's own key seals that."""


def erase(store: TrackedStore) -> list[str]:
    """By the number, which stands in no command line; and what the case's own key sealed."""
    said = CliRunner().invoke(app, ["erase", "--person", *ORDER, "--yes", "--json"], obj=store, input=f"{IDENTITY}\n")
    assert said.exit_code == 0, said.output
    assert IDENTITY not in said.output
    found = [json.loads(said.stdout[said.stdout.index("{") :])]
    found.append(json.loads(command(store, "erase", f"case/{APPROVAL}/{NUMBER}", *ORDER, "--yes", "--json")))
    assert all(one["now"] for one in found)
    return [one["subject"] for one in found]


def everything_stored(region: TestStore) -> bytes:
    """All rows of all tables, as text and, where they are bytes, as these."""
    found = []
    with psycopg.connect(region.urls.superuser) as conn:
        tables = conn.execute(
            "SELECT c.oid::regclass::text FROM pg_class AS c WHERE c.relkind = 'r'"
            " AND c.relnamespace::regnamespace::text IN ('shenguan', 'read', 'vault', 'proof', 'public')"
        ).fetchall()  # fmt: skip
        assert len(tables) > 30
        for (table,) in tables:
            for row in conn.execute(f"SELECT * FROM {table}").fetchall():
                found += [part if isinstance(part, bytes) else str(part).encode() for part in row]
    return b"\n".join(found)


def shown(store: TrackedStore, path: Path) -> str:
    """What commands, files, pages and the API show at their most open."""
    found = [
        command(store, *asked, "--reveal", "--json")
        for asked in (("case", NUMBER), ("approvals",), ("receipts",), ("replay", NUMBER), ("licences",))
    ]
    for kind in ("approvals", "receipts"):
        file = path / f"{kind}-{len(list(path.iterdir()))}.jsonl"
        command(store, "export", kind, str(file))
        found.append(file.read_text(encoding="utf-8"))
    with doors(store) as opened:
        for address in (f"/api/v1/cases/{APPROVAL}/{NUMBER}", "/api/v1/cases", f"/cases/{APPROVAL}/{NUMBER}"):
            answer = opened.client.get(address, params={"reveal": "true"}, headers=opened.headers(APPROVAL))
            assert answer.status_code == 200, (address, answer.text)
            found.append(answer.text)
    return "\n".join(found)


def leaves_of(files: dict[str, bytes]) -> list[dict[str, Any]]:
    """A bundle's events without their paths, which grow with the log."""
    return [{k: v for k, v in json.loads(line).items() if k != "path"} for line in files["events.jsonl"].splitlines()]


def test_who_is_erased_is_nowhere_and_the_proofs_stand(region: TestStore, outer: TrackedStore, tmp_path: Path) -> None:
    lived(region, outer)
    prove(region, outer)
    region.project()
    take(outer, tmp_path / "before.zip", "--personal", "included")
    listed = json.loads(command(outer, "log-keys", "list", "--json"))["keys"]
    keys = verifiers([parse_verifier_key(one["verifier"]) for one in listed])
    with region.connect() as conn:
        row = conn.execute(
            "SELECT notification_id FROM shenguan.stored_events WHERE topic = 'case.accepted'"
        ).fetchone()
        assert row is not None
        proof, leaf = proofs.prove_event(conn, row[0]), proofs.leaf_at(conn, row[0])
    assert proof is not None
    assert leaf is not None
    (tmp_path / "files").mkdir()
    assert NAME in shown(outer, tmp_path / "files")
    stored = everything_stored(region)
    assert not any(text.encode() in stored for text in CLEAR)  # never in clear, not even before

    subjects = erase(outer)
    outer.sealer().forget()
    outer._opener.forget()
    region.sealer.forget()
    stored = everything_stored(region)
    assert not any(text.encode() in stored for text in CLEAR)
    assert all(subject.encode() in stored for subject in subjects)  # that there was a key, and until when
    after = shown(outer, tmp_path / "files")
    assert not any(text in after for text in GONE)
    assert "已销毁" in after

    # what is kept of the signed submissions went along; digest and signature stand
    for id_ in ("a1", "d1"):
        kept = signature_of(region.connect(), APPROVAL, id_)
        assert kept is not None
        assert outer.signed_bytes(kept) is None
        said = json.loads(command(outer, "signature", APPROVAL, id_, "--json").splitlines()[0])
        assert said["standing"] == "erased"

    assert verify(outer).problems == []
    assert check_event(proof, keys, leaf) == parse_leaf(leaf)  # an old proof
    with region.connect() as conn:
        assert proofs.leaf_at(conn, proof.position) == leaf
    prove(region, outer)
    known = known_keys(outer)
    old = verifier.check((tmp_path / "before.zip").read_bytes(), known)  # a bundle from before: who has it has it
    assert set(GONE) <= set(old.opened.values())
    take(outer, tmp_path / "after.zip", "--personal", "included")
    data = (tmp_path / "after.zip").read_bytes()
    new = verifier.check(data, known)
    files = verifier.unpack(data)
    text = "".join(page.text for page in read_pdf(files["summary.pdf"]).pages)
    for gone in GONE:
        assert gone.encode() not in data
        assert gone not in text
        assert gone not in str(new.opened)
    assert "张三丰" in new.opened.values()  # whose key is there
    assert leaves_of(files) == leaves_of(verifier.unpack((tmp_path / "before.zip").read_bytes()))
    assert new.submissions == (2, 0)


def test_a_running_store_hears_of_it(region: TestStore, outer: TrackedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs asks for keys anew every few seconds: nothing more is taken of whoever is erased."""
    monkeypatch.setattr("adapters.crypto.sealer.KEPT_S", 0.0)
    with running(IntakeRole(outer)):
        hand_in(outer, APPROVAL, "case.accept", "a1", acceptance("1"))
        until(lambda: disposition(region, "a1") == "accepted")
        said = CliRunner().invoke(app, ["erase", "--person", *ORDER, "--yes"], obj=outer, input=f"{IDENTITY}\n")
        assert "已销毁" in said.stdout
        hand_in(outer, APPROVAL, "case.accept", "a2", acceptance("2"))
        until(lambda: disposition(region, "a2"))
        assert disposition(region, "a2") == "dead"


def test_what_cannot_be_erased_is_said(region: TestStore, outer: TrackedStore) -> None:
    hand = command(outer, "erase", "person/none", *ORDER, "--yes", code=1)
    assert "没有主体" in hand
    command(outer, "erase", *ORDER, "--yes", code=2)
    command(outer, "erase", "case/x", "--person", *ORDER, "--yes", code=2)
    for wrong in (("--department", "nobody"), ("--officer", "007"), ("--reason", "")):
        refused = CliRunner().invoke(app, ["erase", "case/x", *ORDER, *wrong, "--yes"], obj=outer)
        assert (refused.exit_code, wrong[0] in refused.output) == (2, True), refused.output
    lived(region, outer)
    subject = f"officer/{APPROVAL}/007"
    refused = CliRunner().invoke(app, ["erase", subject, *ORDER], obj=outer, input="n\n")
    assert refused.exit_code == 1
    assert outer.sealer().seal(subject, "x").subject == subject  # still there
    assert "已销毁" in command(outer, "erase", subject, *ORDER, "--yes")
    assert "早已销毁" in command(outer, "erase", subject, *ORDER, "--yes")
    (row,) = json.loads(command(outer, "erasures", "--json"))["items"]
    assert (row["subject"], row["department"], row["officer"]) == (subject, APPROVAL, "A9")
    assert row["destroyed_at"]
    assert "当事人申请" not in str(row)
    assert "当事人申请" in command(outer, "erasures", "--reveal", "--json")


def test_who_was_erased_may_order_and_orders_stay(region: TestStore, outer: TrackedStore) -> None:
    """Under a key of its own each order says who gave it, whoever is erased, and that key is no order's to destroy."""
    lived(region, outer)
    subject = f"officer/{APPROVAL}/007"
    own = ("--department", APPROVAL, "--officer", "007,张三丰", "--reason", "本人申请", "--yes")
    for one in (subject, f"case/{APPROVAL}/{NUMBER}"):
        assert "已销毁" in command(outer, "erase", one, *own)
        outer._opener.forget()
    rows = json.loads(command(outer, "erasures", "--reveal", "--json"))["items"]
    assert [(row["officer"], row["officer_name"], row["reason"]) for row in rows] == [("007", "张三丰", "本人申请")] * 2

    refused = CliRunner().invoke(app, ["erase", f"erasure/{subject}", *own], obj=outer)
    assert (refused.exit_code, "SUBJECT" in refused.output, "不得销毁" in refused.output) == (2, True, True)
    with psycopg.connect(region.urls.migrator) as conn:  # as could be ordered before
        conn.execute(
            "UPDATE vault.subject_key SET wrapped = NULL, destroyed_at = now() WHERE subject = %s",
            (f"erasure/{subject}",),
        )
    outer._opener.forget()
    assert "早已销毁" in command(outer, "erase", subject, *own)


def test_a_department_that_has_ceased_orders_nothing(region: TestStore, outer: TrackedStore) -> None:
    lived(region, outer)
    region.submit(SucceedDepartment(department=OFFICE, old=S3, to=S1, valid_from=DAY, basis="机构改革"))
    subject = f"case/{APPROVAL}/{NUMBER}"
    refused = CliRunner().invoke(app, ["erase", subject, *ORDER, "--department", S3, "--yes"], obj=outer)
    assert (refused.exit_code, "--department" in refused.output, "撤并" in refused.output) == (2, True, True)
    assert json.loads(command(outer, "erasures", "--json"))["items"] == []

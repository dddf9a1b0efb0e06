"""Whoever has the database and the log's own key can make everything anew so that it fits itself. What others have kept
still finds it, and names it; what nobody has kept is found where the facts that owe notices are left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from adapters.crypto.notes import NoteVerifier
from adapters.postgres.checkpoints import latest
from domain.armour import armoured
from domain.log_proofs import check_complete, check_ledger
from domain.merkle import ProofError, leaf_hashes
from infra import proofs
from infra.kept_ledgers import Kept, keep
from infra.verify import verify
from tests.integration.region import S1
from tests.integration.test_verify import EVENTS, check
from tests.integration.teststore import LOG_KEY, TestStore, superuser
from tests.integration.witness_kit import begun, grow

KEYS = [NoteVerifier(LOG_KEY.verifier_key)]
WITHHELD = 3
"""Of the seven that S1 was told."""


def remake(store: TestStore) -> None:
    """Every tile, head and checkpoint anew, signed by the log's key."""
    with superuser(store) as conn:
        conn.execute("TRUNCATE proof.tile, proof.run, proof.checkpoint, proof.ledger_head, proof.cosignature")
        conn.execute("DELETE FROM shenguan.notification_tracking WHERE application_name = 'proofs'")
    store.prove()


def withhold(store: TestStore, serial: int) -> None:
    """The notice is gone and the ledger is closed up, its later serials with it."""
    with superuser(store) as conn:
        ledger = f"originator_id = 'ledger/{S1}'"
        conn.execute(f"DELETE FROM {EVENTS} WHERE {ledger} AND originator_version = {serial}")  # type: ignore[arg-type]
        for version in range(serial + 1, 8):
            conn.execute(
                f"UPDATE {EVENTS} SET originator_version = %s WHERE {ledger} AND originator_version = %s",  # type: ignore[arg-type]
                (version - 1, version),
            )
    remake(store)


def department_keeps(store: TestStore, file: Path) -> Kept | None:
    """What its command does: proves the ledger and holds it against what was kept."""
    with store.connect() as conn:
        proof = proofs.prove_ledger(conn, S1)
        assert proof is not None
        head = check_ledger(proof, KEYS)
        entries = [one.leaf for one in proofs.ledger_entries(conn, S1, up_to=head.size)]
        check_complete(S1, entries, head)
        hashes = [armoured(one) for one in leaf_hashes(entries)]
        return keep(conn, file, Kept(department=S1, leaf_hashes=hashes, checkpoint=proof.checkpoint), KEYS)


def checks_of(store: TestStore, *kept: str) -> list[str]:
    found = verify(SimpleNamespace(migrator_url=store.urls.migrator), keys=[LOG_KEY.verifier_key], kept=kept).problems
    return [f"{one.check} {one.stream} {one.en}" for one in found]


@pytest.fixture
def log(stores: Callable[..., TestStore]) -> TestStore:
    return stores(begun)


def note(store: TestStore) -> str:
    with store.connect() as conn:
        made = latest(conn)
    assert made is not None
    return made.note


def test_what_only_grew_is_kept_again_and_again(log: TestStore, tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    assert department_keeps(log, file) is None
    grow(log, 8, 9)
    before = department_keeps(log, file)
    assert before is not None
    assert len(before.leaf_hashes) == 7
    assert len(Kept.model_validate_json(file.read_bytes()).leaf_hashes) == 9
    assert checks_of(log, before.checkpoint) == []


def test_a_notice_withheld_by_who_has_the_key_is_missed_by_verify_and_by_its_addressee(
    log: TestStore, tmp_path: Path
) -> None:
    """`verify` recomputes what the facts owe; the department has kept what it was told."""
    file, published = tmp_path / "kept.json", note(log)
    department_keeps(log, file)
    withhold(log, WITHHELD)
    found = checks_of(log)
    assert found, "the decision still owes it"
    assert any(f"{S1}/test/" in one and ("owed" in one or "ledger" in one) for one in found), found
    assert not any(one.startswith(("leaf", "tile", "checkpoint")) for one in found), "its proofs fit themselves"
    with pytest.raises(ProofError, match=f"第{WITHHELD}号") as told:
        department_keeps(log, file)
    assert told.value.rule == "ledger.altered"
    assert any(one.startswith("kept checkpoint") for one in checks_of(log, published))
    assert len(Kept.model_validate_json(file.read_bytes()).leaf_hashes) == 7, "what was kept stays"


def test_the_last_notice_withheld_is_missed_by_its_addressee(log: TestStore, tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    department_keeps(log, file)
    withhold(log, 7)
    with pytest.raises(ProofError, match="第7号已不在编号簿中") as told:
        department_keeps(log, file)
    assert told.value.rule == "ledger.withheld"


def test_an_older_backup_is_found_by_whoever_kept_a_later_checkpoint(
    log: TestStore, stores: Callable[..., TestStore], tmp_path: Path
) -> None:
    file = tmp_path / "kept.json"
    department_keeps(log, file)
    grow(log, 8, 9)
    published, size = note(log), int(note(log).splitlines()[1])
    assert check(log).problems == []
    restored = stores(begun)
    assert check(restored).problems == [], "nothing in it says so"
    assert any(f"checkpoint/{size}" in one for one in checks_of(restored, published))
    grow(restored, 18, 19)  # as many others, signed by the same key
    assert check(restored).problems == []
    [found] = checks_of(restored, published)
    assert f"checkpoint/{size}" in found
    department_keeps(log, file)  # the department kept nine of the log that there was
    with pytest.raises(ProofError) as told:
        department_keeps(restored, file)
    assert (told.value.rule, "第8号" in told.value.message) == ("ledger.altered", True)


def test_what_was_kept_is_not_replaced_by_nonsense(log: TestStore, tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    file.write_text("{}", encoding="utf-8")
    with pytest.raises(ProofError) as told:
        department_keeps(log, file)
    assert told.value.rule == "kept.shape"
    assert file.read_text(encoding="utf-8") == "{}"

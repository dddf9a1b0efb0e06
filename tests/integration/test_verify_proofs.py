"""`shenguan verify` and the transparency log: whatever of events, tiles, ledgers, checkpoints or keys a superuser
changes is the thing that is named."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace

import psycopg
import pytest

from adapters.crypto.notes import NoteSigner, new_signer_key
from adapters.postgres.checkpoints import latest
from adapters.postgres.follower import catch_up
from domain.checkpoints import Checkpoint
from domain.ledger_heads import extension
from domain.merkle import EMPTY_ROOT, Head
from domain.note_keys import VerifierKey
from domain.notes import sign_note
from infra.proving import Proofs
from infra.verify import verify
from tests.integration.region import S1, S2, granted, registers
from tests.integration.test_proofs import burn
from tests.integration.teststore import LOG_KEY, LOG_NAME, TestStore, superuser

EVENTS = "shenguan.stored_events"
FALSE = NoteSigner(new_signer_key(LOG_NAME))


def proven(store: TestStore) -> None:
    """More than a full tile, more than one run of positions, some checkpoints; read models are not at issue here."""
    registers(store)
    for number in range(1, 40):
        granted(store, str(number))
    burn(store, 3)
    for number in range(40, 75):
        granted(store, str(number))
    store.prove(limit=60)


@pytest.fixture
def store(stores: Callable[..., TestStore]) -> TestStore:
    return stores(proven)


def found(store: TestStore, *keys: VerifierKey) -> list[tuple[str, str]]:
    """Only what is said of proofs."""
    problems = verify(SimpleNamespace(migrator_url=store.urls.migrator), most=100, keys=keys).problems
    assert all(p.zh and p.en for p in problems)
    return [(p.check, f"{p.position} {p.stream} {p.en}") for p in problems if p.check in CHECKS]


CHECKS = {"leaf", "tile", "run", "ledger", "ledger head", "checkpoint", "log key"}


def test_what_nobody_touched_is_clean_and_may_go_on(store: TestStore) -> None:
    assert found(store) == found(store, LOG_KEY.verifier_key) == []
    granted(store, "80")
    assert found(store) == []  # not integrated yet: behind, and nothing wrong
    store.prove()
    assert found(store) == []


STATE = f"UPDATE {EVENTS} SET state = set_byte(state, 20, get_byte(state, 20) # 1) WHERE notification_id = "
MOVE = f"UPDATE {EVENTS} SET notification_id = "
TAMPERINGS: dict[str, tuple[list[str], str, str]] = {
    # what was done: (statements, the check that finds it first, what it names)
    "one byte of an event": ([f"{STATE} 100"], "leaf", "100 .* event at position 100 is not what was integrated"),
    "one byte of the first event": ([f"{STATE} 1"], "leaf", "position 1 is not"),
    "one byte of the last event": (
        [f"{STATE} (SELECT max(notification_id) FROM {EVENTS})"], "leaf", "is not what was integrated"),
    "a record time": (
        [f"UPDATE {EVENTS} SET recorded_at = recorded_at + interval '1 microsecond' WHERE notification_id = 100"],
        "leaf", "position 100 is not"),
    "an event dropped": ([f"DELETE FROM {EVENTS} WHERE notification_id = 100"], "leaf", "position 100 is gone"),
    "the last event dropped": (
        [f"DELETE FROM {EVENTS} WHERE notification_id = (SELECT max(notification_id) FROM {EVENTS})"],
        "leaf", "is gone"),
    "all events dropped": ([f"DELETE FROM {EVENTS}"], "leaf", "position [1-9] is gone"),
    "two events swapped": (
        [f"{MOVE} 0 WHERE notification_id = 100", f"{MOVE} 100 WHERE notification_id = 101",
         f"{MOVE} 101 WHERE notification_id = 0"], "leaf", "position 100 is not"),
    "an event moved into a gap": (
        [f"{MOVE} (SELECT min(e.notification_id) + 1 FROM {EVENTS} AS e WHERE NOT EXISTS (SELECT FROM {EVENTS} AS n"
         f" WHERE n.notification_id = e.notification_id + 1)) WHERE notification_id = (SELECT max(notification_id)"
         f" FROM {EVENTS})"], "leaf", "this event is in no leaf"),
    "an event put in before all others": (
        [f"INSERT INTO {EVENTS} SELECT 'case/x/1', 1, topic, state, 0, recorded_at FROM {EVENTS}"
         " WHERE notification_id = 100"], "leaf", "0 case/x/1 position 0: this event is in no leaf"),
    "an event of another stream": (
        [f"UPDATE {EVENTS} SET originator_id = originator_id || '9' WHERE notification_id = 100"], "leaf", "100"),
    "a notice withheld": (
        [f"DELETE FROM {EVENTS} WHERE originator_id = 'ledger/{S1}' AND originator_version = 20"], "leaf", "is gone"),
    "a notice withheld and the ledger closed up": (
        [f"DELETE FROM {EVENTS} WHERE originator_id = 'ledger/{S1}' AND originator_version = 20",
         f"UPDATE {EVENTS} SET originator_version = -originator_version WHERE originator_id = 'ledger/{S1}'"
         " AND originator_version > 20",
         f"UPDATE {EVENTS} SET originator_version = -originator_version - 1 WHERE originator_version < 0"],
        "leaf", "is gone"),
    "a notice given to another ledger": (
        [f"UPDATE {EVENTS} SET originator_id = 'ledger/{S2}', originator_version = 99"
         f" WHERE originator_id = 'ledger/{S1}' AND originator_version = 74"], "leaf", f"ledger/{S2}"),
    "a tile altered": (
        ["UPDATE proof.tile SET hashes = set_byte(hashes, 999, 255 - get_byte(hashes, 999))"
         " WHERE tree = '' AND level = 0 AND number = 0"], "tile", "log/tile/0/000"),
    "the last tile altered": (
        ["UPDATE proof.tile SET hashes = set_byte(hashes, 9, 255 - get_byte(hashes, 9))"
         " WHERE tree = '' AND level = 0 AND number = 1"], "tile", "log/.*tile/0/001"),
    "an upper tile altered": (
        ["UPDATE proof.tile SET hashes = set_byte(hashes, 9, 255 - get_byte(hashes, 9)) WHERE level = 1"],
        "tile", "log/tile/1/000"),
    "a tile gone": (["DELETE FROM proof.tile WHERE tree = '' AND number = 1"], "tile", "log/tile/0/00"),
    "an upper tile gone": (["DELETE FROM proof.tile WHERE level = 1"], "tile", "log/tile/1/000"),
    "a tile grown": (
        ["UPDATE proof.tile SET hashes = hashes || substr(hashes, 1, 32) WHERE tree = '' AND number = 1"],
        "tile", "has more than"),
    "a tile more": (
        ["INSERT INTO proof.tile SELECT tree, level, 2, hashes FROM proof.tile WHERE tree = '' AND number = 1"],
        "tile", "has more than"),
    "a ledger's tile altered": (
        [f"UPDATE proof.tile SET hashes = set_byte(hashes, 99, 255 - get_byte(hashes, 99)) WHERE tree = '{S2}'"],
        "tile", f"ledger/{S2}/tile/0/000"),
    "a ledger's tile gone": ([f"DELETE FROM proof.tile WHERE tree = '{S2}'"], "tile", f"ledger/{S2}/tile/0/000"),
    "a ledger's tile of nobody": (
        [f"INSERT INTO proof.tile SELECT 'nobody', 0, 0, hashes FROM proof.tile WHERE tree = '{S2}'"],
        "tile", "no ledger nobody"),
    "a ledger's head altered": (
        [f"UPDATE proof.ledger_head SET root = set_byte(root, 9, 255 - get_byte(root, 9)) WHERE addressee = '{S1}'"
         " AND size = 120"], "ledger head", f"ledger/{S1}.*size 120"),
    "a ledger's heads gone": ([f"DELETE FROM proof.ledger_head WHERE addressee = '{S2}'"], "ledger head", "size 60"),
    "a ledger's head of no checkpoint": (
        [f"UPDATE proof.ledger_head SET size = 121 WHERE addressee = '{S1}' AND size = 120"], "ledger head", "120"),
    "a ledger's head too many": (
        [f"INSERT INTO proof.ledger_head SELECT addressee, 9999, entries, root FROM proof.ledger_head"
         f" WHERE addressee = '{S1}' AND size = 120"], "ledger head", "of no checkpoint"),
    "a checkpoint's root altered": (
        ["UPDATE proof.checkpoint SET root = set_byte(root, 9, 255 - get_byte(root, 9)) WHERE size = 120"],
        "checkpoint", "size 120 is not what was signed"),
    "a checkpoint's note altered": (
        ["UPDATE proof.checkpoint SET note = replace(note, E'\\n120\\n', E'\\n121\\n') WHERE size = 120"],
        "checkpoint", "size 120: .*note.forged"),
    "a checkpoint of another size": (
        ["UPDATE proof.checkpoint SET size = 121 WHERE size = 120"], "checkpoint", "size 121 is not what was signed"),
    "a checkpoint's position altered": (
        ["UPDATE proof.checkpoint SET position = position + 1 WHERE size = (SELECT max(size) FROM proof.checkpoint)"],
        "checkpoint", "the last leaf is at"),
    "a checkpoint dropped": (["DELETE FROM proof.checkpoint WHERE size = 120"], "ledger head", "of no checkpoint"),
    "all checkpoints dropped": (["DELETE FROM proof.checkpoint"], "checkpoint", "there is no checkpoint"),
    "positions altered": (["UPDATE proof.run SET position = position + 1 WHERE index > 0"], "run", "do not belong"),
}  # fmt: skip


@pytest.mark.parametrize("what", TAMPERINGS)
def test_what_a_superuser_does_is_found_and_named(store: TestStore, what: str) -> None:
    statements, check, named = TAMPERINGS[what]
    with superuser(store) as conn:
        for statement in statements:
            assert conn.execute(statement).rowcount, statement  # type: ignore[call-overload]
    wrong = found(store)
    assert wrong
    assert wrong[0][0] == check, wrong
    assert re.search(named, wrong[0][1]), wrong


def forged(store: TestStore, head: Head, ledgers: Head) -> str:
    text = Checkpoint(LOG_NAME, head.size, head.root, (extension(ledgers),)).text
    return sign_note(text, [FALSE]).decode()


def test_who_signs_with_a_key_of_his_own_is_found_out_by_the_key_file(store: TestStore) -> None:
    """All is made anew: an event, the tree over it, the checkpoints; only the signature cannot be."""
    with superuser(store) as conn:
        conn.execute(f"{STATE} 100")  # type: ignore[call-overload]
        conn.execute(
            "TRUNCATE proof.tile, proof.run, proof.checkpoint, proof.cosignature, proof.ledger_head, proof.key,"
            " proof.key_end"
        )
        conn.execute("DELETE FROM shenguan.notification_tracking WHERE application_name = 'proofs'")
        conn.execute("INSERT INTO proof.key VALUES (%s, now())", (FALSE.verifier_key.text,))
    with store.connect() as conn:
        catch_up(conn, [Proofs(LOG_NAME, lambda _: [FALSE])])
    assert found(store) == []  # the database alone cannot tell
    assert found(store, LOG_KEY.verifier_key)[0][0] == "log key"
    with superuser(store) as conn:
        conn.execute("TRUNCATE proof.key, proof.key_end")
    assert "note.unsigned" in found(store, LOG_KEY.verifier_key)[0][1]


def test_a_checkpoint_of_another_log_is_none(store: TestStore) -> None:
    with store.connect() as conn:
        made = latest(conn)
    assert made is not None
    text = Checkpoint("another/log", made.head.size, made.head.root, (extension(made.ledgers),)).text
    bare = Checkpoint(LOG_NAME, made.head.size, made.head.root).text
    empty = Checkpoint(LOG_NAME, made.head.size, made.head.root, (extension(Head(0, EMPTY_ROOT)),)).text
    for one, named in ((text, "note.unsigned"), (bare, "checkpoint.ledgers"), (empty, "not what was signed")):
        with superuser(store) as conn:
            note = sign_note(one, [LOG_KEY]).decode()
            conn.execute("UPDATE proof.checkpoint SET note = %s WHERE size = %s", (note, made.head.size))
        assert named in found(store)[0][1]


def test_reading_it_changes_nothing(store: TestStore) -> None:
    with psycopg.connect(store.urls.superuser) as conn:
        query = "SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM proof.tile AS t"
        before = conn.execute(query).fetchone()
        assert found(store) == []
        assert conn.execute(query).fetchone() == before

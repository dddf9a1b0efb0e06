"""The transparency log grows with the event log: the same tree however it is cut, killed or shared; every checkpoint
the beginning of the next; and nothing signed where the past was changed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from adapters.crypto.notes import NoteVerifier
from adapters.postgres.checkpoints import checkpoints_after, first_with, latest, ledgers_at
from adapters.postgres.follower import EventFailed, catch_up, run_batch
from adapters.postgres.leaves import leaf_rows_after, leaf_rows_of_ledger
from adapters.postgres.trees import LOG, index_of, nodes, positions_between
from domain.checkpoints import parse_checkpoint
from domain.leaves import leaves
from domain.ledger_heads import LedgerHeads, committed
from domain.merkle import leaf_hashes, tree_hash
from domain.merkle_proofs import prove_consistency, prove_inclusion, verify_consistency, verify_inclusion
from domain.notes import open_note
from domain.notices import ledger_stream
from infra.proving import Proofs
from tests.integration.region import S1, granted
from tests.integration.teststore import LOG_KEY, LOG_NAME, TestStore, superuser

KEYS = [NoteVerifier(LOG_KEY.verifier_key)]


@pytest.fixture
def lived(region: TestStore) -> TestStore:
    for number in range(1, 8):
        granted(region, str(number))
    burn(region, 3)  # a batch that was rolled back
    for number in range(8, 12):
        granted(region, str(number))
    return region


def burn(store: TestStore, count: int) -> None:
    """Positions that no event ever has."""
    with psycopg.connect(store.urls.superuser) as conn:
        for _ in range(count):
            conn.execute("SELECT nextval('shenguan.stored_events_notification_id_seq')")


def state(conn: Connection[Any]) -> dict[str, list[Any]]:
    """Everything that is proven, without what depends on where batches ended."""
    queries = {
        "tiles": "SELECT * FROM proof.tile ORDER BY tree, level, number",
        "runs": "SELECT * FROM proof.run ORDER BY index",
        "ledgers": "SELECT DISTINCT ON (addressee) addressee, entries, root FROM proof.ledger_head"
        " ORDER BY addressee, size DESC",
        "last": "SELECT size, position, root, ledgers, ledgers_root FROM proof.checkpoint ORDER BY size DESC LIMIT 1",
    }
    return {name: conn.execute(query).fetchall() for name, query in queries.items()}


def test_it_is_the_tree_of_the_rows(lived: TestStore) -> None:
    lived.prove()
    with lived.connect() as conn:
        rows = leaf_rows_after(conn, 0, 10_000)
        entries = leaf_hashes(leaves(rows))
        made = latest(conn)
        assert made is not None
        assert (made.head, made.position) == ((len(rows), tree_hash(entries)), rows[-1].position)
        read = nodes(conn, LOG, len(rows))
        for index, entry in enumerate(entries):
            assert index_of(conn, rows[index].position) == index
            verify_inclusion(entry, index, prove_inclusion(index, len(rows), read), made.head)
        assert positions_between(conn, 5, len(rows)) == [row.position for row in rows[5:]]
        dense = set(range(1, rows[-1].position + 1)) - {row.position for row in rows}
        assert len(dense) >= 3
        assert [index_of(conn, one) for one in (0, *dense, rows[-1].position + 1)] == [None] * (len(dense) + 2)
        mine = leaf_rows_of_ledger(conn, S1, 0, 100)
        ledgers = LedgerHeads(ledgers_at(conn, len(rows)))
        assert ledgers.size(S1) == len(mine) == 11
        assert {one.addressee: one.root for one in ledgers}[S1] == tree_hash(leaf_hashes(leaves(mine)))
        assert ledgers.head == made.ledgers


def test_every_checkpoint_is_signed_and_begins_the_next(lived: TestStore) -> None:
    lived.prove(limit=7)
    with lived.connect() as conn:
        found = checkpoints_after(conn, 0, 1000)
        assert len(found) > 9
        for one in found:
            text = parse_checkpoint(open_note(one.note.encode(), KEYS).text)
            assert (text.origin, text.head, committed(text)) == (LOG_NAME, one.head, one.ledgers)
            assert LedgerHeads(ledgers_at(conn, one.head.size)).head == one.ledgers
        for first, second in pairwise(found):
            read = nodes(conn, LOG, second.head.size)
            verify_consistency(first.head, second.head, prove_consistency(first.head.size, second.head.size, read))
        with_it = first_with(conn, 7)
        assert with_it is not None
        assert with_it.head.size == 14


@pytest.mark.parametrize("limit", [1, 13, 256])
def test_however_it_is_cut_it_is_the_same(lived: TestStore, stores: Callable[..., TestStore], limit: int) -> None:
    lived.prove()
    with lived.connect() as conn:
        whole = state(conn)
    with superuser(lived) as conn:
        conn.execute("TRUNCATE proof.tile, proof.run, proof.checkpoint, proof.ledger_head, proof.cosignature")
        conn.execute("DELETE FROM shenguan.notification_tracking WHERE application_name = 'proofs'")
    lived.prove(limit)
    with lived.connect() as conn:
        assert state(conn) == whole


def test_killed_midway_and_started_again_it_is_the_same(lived: TestStore) -> None:
    """Whatever of a batch was written before it died is undone; another one, or the same, goes on."""
    with lived.connect() as conn:
        one = lived.proofs()
        run_batch(conn, one, 10)

        def dies(_: Connection[Any]) -> Any:
            raise KeyboardInterrupt

        before = state(conn)
        killed = Proofs(LOG_NAME, dies)
        with pytest.raises(KeyboardInterrupt):
            run_batch(conn, killed, 10)
        assert state(conn) == before
        run_batch(conn, lived.proofs(), 4)  # another one led for a while
        catch_up(conn, [one], 10)
        rows = leaf_rows_after(conn, 0, 10_000)
        made = latest(conn)
        assert made is not None
        assert made.head == (len(rows), tree_hash(leaf_hashes(leaves(rows))))


def test_a_batch_that_was_not_committed_is_forgotten(lived: TestStore) -> None:
    with lived.connect() as conn:
        one = lived.proofs()
        run_batch(conn, one, 10)
        with conn.transaction(force_rollback=True):
            one.apply(conn, one.read(conn, latest(conn).position, 10))  # type: ignore[union-attr]
        catch_up(conn, [one], 10)
        rows = leaf_rows_after(conn, 0, 10_000)
        assert latest(conn).head.root == tree_hash(leaf_hashes(leaves(rows)))  # type: ignore[union-attr]


LAST = "(SELECT position FROM proof.checkpoint ORDER BY size DESC LIMIT 1)"
CHANGES = {
    "the last event altered": (
        f"UPDATE shenguan.stored_events SET state = state || ' ' WHERE notification_id = {LAST}",
        "is not the one that was integrated",
    ),
    "the last event gone": (
        f"DELETE FROM shenguan.stored_events WHERE notification_id = {LAST}",
        "but position",
    ),
    "the position regressed": (
        "UPDATE shenguan.notification_tracking SET notification_id = 3 WHERE application_name = 'proofs'",
        "integrated up to",
    ),
    "events passed over": (
        "UPDATE shenguan.notification_tracking SET notification_id = (SELECT max(notification_id) - 1"
        " FROM shenguan.stored_events) WHERE application_name = 'proofs'",
        "integrated up to",
    ),
    "a notice withheld": (
        "DELETE FROM shenguan.stored_events WHERE notification_id = (SELECT min(notification_id)"
        f" FROM shenguan.stored_events WHERE originator_id = '{ledger_stream(S1)}' AND notification_id > {LAST})",
        f"ledger {S1}: serial",
    ),
    "a tile altered": (
        "UPDATE proof.tile SET hashes = set_byte(hashes, 33, 255 - get_byte(hashes, 33)) WHERE tree = ''",
        "the tiles do not give the root",
    ),
    "a tile cut": (
        "UPDATE proof.tile SET hashes = substr(hashes, 1, octet_length(hashes) - 32) WHERE tree = ''",
        "tile/0/000",
    ),
    "a ledger's tile grown": (
        f"UPDATE proof.tile SET hashes = hashes || substr(hashes, 1, 32) WHERE tree = '{S1}'",
        "after growing",
    ),
    "a ledger's head altered": (
        f"UPDATE proof.ledger_head SET entries = entries + 1 WHERE addressee = '{S1}'",
        "the ledgers are not those",
    ),
    "the checkpoint altered": (
        "UPDATE proof.checkpoint SET root = set_byte(root, 0, 255 - get_byte(root, 0))",
        "the tiles do not give the root",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_where_the_past_was_changed_nothing_is_signed(lived: TestStore, change: str) -> None:
    statement, says = CHANGES[change]
    lived.prove()
    for number in ("20", "21"):
        granted(lived, number)
    with superuser(lived) as conn:
        assert conn.execute(statement).rowcount
    with lived.connect() as conn:
        before = state(conn)
        with pytest.raises(EventFailed, match=says):
            catch_up(conn, [lived.proofs()])
        assert state(conn) == before


def test_a_store_put_back_to_an_earlier_state_signs_nothing(lived: TestStore) -> None:
    """The checkpoint that lies outside is further on than the database, or of other events."""
    lived.prove()
    granted(lived, "20")
    with lived.connect() as conn:
        here = latest(conn)
        assert here is not None
        further = here.note.replace(f"\n{here.head.size}\n", f"\n{here.head.size + 1}\n").encode()
        other = here.note.replace("\n" + here.note.split("\n")[2], "\n" + "A" * 43 + "=").encode()
        foreign = here.note.replace(LOG_NAME, "other/log").encode()
        for note, says in ((further, "is published"), (other, "of other events"), (foreign, "another log")):
            with pytest.raises(EventFailed, match=says):
                catch_up(conn, [Proofs(LOG_NAME, lambda _: [LOG_KEY], lambda note=note: note)])  # type: ignore[misc]
        assert latest(conn) == here
        catch_up(conn, [Proofs(LOG_NAME, lambda _: [LOG_KEY], here.note.encode)])
        assert latest(conn) != here
    granted(lived, "21")
    with pytest.raises(EventFailed, match="of another log than"), lived.connect() as conn:
        catch_up(conn, [Proofs("renamed", lambda _: [LOG_KEY])])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE proof.checkpoint SET note = ''",
        "DELETE FROM proof.checkpoint",
        "UPDATE proof.run SET position = 1",
        "DELETE FROM proof.tile",
        "UPDATE proof.tile SET hashes = set_byte(hashes, 0, 255 - get_byte(hashes, 0))",
        "UPDATE proof.tile SET hashes = substr(hashes, 1, 32)",
        "UPDATE proof.key SET since = now()",
        "TRUNCATE proof.ledger_head",
    ],
)
@pytest.mark.parametrize("role", ["runtime", "migrator", "reader"])
def test_nobody_but_a_superuser_changes_what_was_integrated(lived: TestStore, statement: str, role: str) -> None:
    lived.prove()
    with psycopg.connect(getattr(lived.urls, role)) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(statement)


def test_readers_are_shown_nothing_of_it(lived: TestStore) -> None:
    lived.prove()
    with psycopg.connect(lived.urls.reader) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("SELECT * FROM proof.tile")

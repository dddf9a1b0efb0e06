"""The list of stores out of the log, with its proof; and whether the store itself is as the list has it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from typing import Any

from psycopg import Connection

from adapters.postgres.checkpoints import Made, keys_in_use
from adapters.postgres.log import Log
from adapters.postgres.registers import RegisterCache
from domain.armour import armoured
from domain.registering import EntryRegistered
from domain.store_list_proofs import ProvenList
from domain.store_lists import KIND, STREAM, StoreList
from domain.submissions import local_date
from infra.proofs import leaf_at, prove_event
from infra.store import Store


def proven_list(conn: Connection[Any], made: Made, on: date) -> ProvenList | None:
    """The one in force on a day, as far as a checkpoint has it; None where there is none."""
    known = [one for one in Log(conn).stream(STREAM) if one.position <= made.position]
    holding = [one for one in known if str(one.event.effective_on) <= on.isoformat()]
    # of two from the same day the one recorded later counts
    last = max(holding, key=lambda one: (str(one.event.effective_on), one.position), default=None)
    if last is None or not isinstance(last.event, EntryRegistered):  # none, or struck
        return None
    proof, leaf = prove_event(conn, last.position, made.head.size), leaf_at(conn, last.position)
    return None if proof is None or leaf is None else ProvenList(leaf=armoured(leaf), proof=proof)


def remarks(store: Store) -> list[tuple[str, str]]:
    """What the list in force today says otherwise of this store. No problem of the record: a key may be new."""
    with closing(store.connect()) as conn:
        registers = RegisterCache().refresh(conn)
        version = registers.version(KIND, KIND, local_date(datetime.now(UTC)))
        if version is None or not isinstance(version.entry, StoreList):
            return []
        return list(differences(conn, version.entry, store.settings.store, store.settings.log_name))


def differences(conn: Connection[Any], stores: StoreList, store: str, log: str) -> Iterator[tuple[str, str]]:
    """What the list says otherwise of this store than is so, in Chinese and English."""
    listed = stores.find(store)
    if listed is None:
        yield f"信息库清单没有本库 {store}", f"the list of stores does not have this one, {store}"
        return
    if listed.log != log:
        yield f"信息库清单所列本库日志名为 {listed.log}，实为 {log}", f"the list names this log {listed.log}, not {log}"
    for one in keys_in_use(conn):
        if one.verifier not in listed.keys:
            yield f"信息库清单没有本库公钥 {one.verifier}", f"the list does not have this store's key {one.verifier}"

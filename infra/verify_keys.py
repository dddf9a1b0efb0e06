"""The vault's keys, as `shenguan verify` reads them: each opens under the master key, where that is at hand; and orders
to destroy one that came after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from psycopg import Connection

from domain.recheck import Problem
from infra.verify_signatures import RevealsMany

BATCH = 10_000
NAMED = 5
_AFTER = (
    "SELECT subject, wrapped FROM vault.subject_key WHERE wrapped IS NOT NULL AND subject > %b ORDER BY subject LIMIT"
    f" {BATCH}"
)
_LATE = (
    "SELECT e.notification_id, k.subject, k.destroyed_at::text, e.recorded_at::text"
    " FROM shenguan.stored_events AS e JOIN vault.subject_key AS k"
    f" ON k.subject = substr(e.originator_id, {len('erasure/') + 1})"
    " WHERE e.originator_id >= 'erasure/' AND e.originator_id < 'erasure0' AND k.destroyed_at < e.recorded_at"
    f" ORDER BY 1 LIMIT {NAMED}"
)


class Unwraps(RevealsMany, Protocol):
    """Whoever has the master key."""

    def misfits(self, wrapped: Mapping[str, bytes]) -> list[str]:
        """The subjects whose key does not unwrap, in their order."""
        ...


def unwrapped(conn: Connection[Any], master: Unwraps) -> Iterator[Problem]:
    """Keys that were overwritten: what they sealed is lost as if they had been destroyed. Where none unwraps it is the
    master key that is another."""
    last, seen, unfit = "", 0, 0
    named: list[str] = []
    while rows := conn.execute(_AFTER, (last,), binary=True, prepare=True).fetchall():
        found = master.misfits(dict(rows))
        last, seen, unfit = rows[-1][0], seen + len(rows), unfit + len(found)
        named += found[: NAMED - len(named)]
        if unfit < seen and len(named) == NAMED:
            break
    if seen and unfit == seen:
        zh = f"密钥库中 {seen} 把密钥无一能解：主密钥不是封存此库数据时所用的密钥"
        en = f"none of the {seen} keys in the vault unwraps: the master key is not the one that wrapped them"
        yield Problem(0, "vault", "key", zh, en)
        return
    for subject in named:
        zh = f"主体 {subject} 的密钥已被改动，主密钥解不开"
        yield Problem(0, subject, "key", zh, f"the key of {subject} was altered: the master key does not unwrap it")


def late_orders(conn: Connection[Any]) -> Iterator[Problem]:
    """Orders recorded after the key was destroyed. Clocks may disagree, so that is for people to ask about."""
    for position, subject, destroyed_at, recorded_at in conn.execute(_LATE):
        zh = f"主体 {subject} 的密钥 {destroyed_at} 已销毁，销毁的命令 {recorded_at} 才记载：请问明缘由"
        en = f"the key of {subject} was destroyed {destroyed_at}, before its order was recorded ({recorded_at})"
        yield Problem(position, f"erasure/{subject}", "erasure", zh, en)

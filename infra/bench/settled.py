"""After a benchmark: everything that follows the log comes to its end, and `verify` reads the store."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from adapters.postgres.deliveries import Dispatch, mark_sent
from adapters.postgres.evidence import mark_delivered
from adapters.postgres.follower import catch_up
from adapters.postgres.registers import RegisterCache
from domain import system
from domain.channels import Channel
from domain.event import Event
from domain.notices import notice_stream
from domain.world import World
from infra.bench.options import Options
from infra.proving import BATCH as PROVEN_AT_ONCE
from infra.proving import Keys, Proofs
from infra.roles.outlet import Filler
from infra.store import Store
from infra.verify import verify
from projections.catalogue import PROJECTIONS

CHANNEL: Channel = "kafka"
BATCH = 2000


class Unclean(Exception):
    """`verify` has found something wrong with a store that a benchmark has left."""


def follow(store: Store) -> None:
    """Read models, deliveries and proofs come to the head of the log; no role of the store may be at work."""
    with store.connect() as conn:
        conn.execute("SET synchronous_commit TO off")
        catch_up(conn, [*PROJECTIONS, Filler()])
        settings = store.settings
        catch_up(conn, [Proofs(settings.log_name, Keys(settings).signers)], PROVEN_AT_ONCE)


def verified(store: Store, options: Options) -> dict[str, Any]:
    """What `verify` has read, and how fast; empty where it is not wanted. Raises Unclean naming what is wrong."""
    if not options.verify:
        return {}
    follow(store)
    begun = time.perf_counter()
    verdict = verify(store)
    rate = verdict.events / (time.perf_counter() - begun)
    options.say(f"verify: {verdict.events:,} events at {rate:,.0f}/s, {len(verdict.problems)} problems")
    if verdict.problems or verdict.behind:
        found = "; ".join(f"{p.position} {p.stream} {p.check}: {p.en}" for p in verdict.problems)
        raise Unclean(f"{found or 'no problem'}; behind: {verdict.behind}")
    return {"events": verdict.events, "problems": 0, "events_per_s": round(rate)}


def deliver(store: Store) -> None:
    """Records every notice that is due as dispatched and delivered, as the outlet does, but sends nothing."""
    follow(store)
    writer = store.writer()
    with store.connect() as conn:
        departments = RegisterCache().refresh(conn).departments
        rows = conn.execute(
            "SELECT notice, department, serial FROM shenguan.delivery WHERE sent_at IS NULL ORDER BY position"
        ).fetchall()
    try:
        for at in range(0, len(rows), BATCH):
            part = rows[at : at + BATCH]
            sent = [Dispatch(notice, f"notices-of-{department}", 0, serial - 1) for notice, department, serial in part]
            groups = {notice: (departments[department].group, serial) for notice, department, serial in part}

            def dispatched(world: World, now: datetime, sent: list[Dispatch] = sent) -> list[Event]:
                world.prefetch(notice_stream(one.notice) for one in sent)
                return [
                    event
                    for one in sent
                    for event in system.dispatched(
                        world, one.notice, CHANNEL, one.topic_id, one.partition, one.offset, now
                    )
                ]

            def delivered(world: World, now: datetime, groups: dict[str, tuple[str, int]] = groups) -> list[Event]:
                return [
                    event
                    for notice, (group, committed) in groups.items()
                    for event in system.delivered(world, notice, CHANNEL, group, committed, now)
                ]

            writer.run(lambda conn, sent=sent: mark_sent(conn, CHANNEL, sent), [dispatched])  # type: ignore[misc]
            writer.run(lambda conn, groups=groups: mark_delivered(conn, CHANNEL, list(groups)), [delivered])  # type: ignore[misc]
    finally:
        writer.close()
    follow(store)

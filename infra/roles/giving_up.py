"""A channel is given up for a notice: that goes on record, and the next in the department's order has its turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from psycopg import Connection

from adapters.postgres.deliveries import queued, turn_to_next
from adapters.postgres.writer import Writer
from domain import system
from domain.channels import CARRIERS, Channel, GivenUpWhy, carried, turns_after
from domain.event import Event
from domain.notices import NoticeState, notice_stream
from domain.world import World

_log = structlog.get_logger("shenguan.outlet")
LAST_TOO: frozenset[GivenUpWhy] = frozenset({"not_accepted", "no_liaison", "number_refused", "needless"})
"""What waiting cannot change. For other reasons the last channel is never given up: what it is to bring waits."""


@dataclass(frozen=True, slots=True)
class GivenUp:
    notice: str
    department: str
    reason: GivenUpWhy
    detail: str | None = None


def give_up(writer: Writer, channel: Channel, wanted: Sequence[GivenUp]) -> set[str]:
    """The notices for which it was; of the others this is the last channel that carries them, or has them no more."""
    given: set[str] = set()
    if not wanted:
        return given
    held: list[Connection[Any]] = []

    def hold(conn: Connection[Any]) -> None:
        held[:] = [conn]

    def fact(world: World, now: datetime) -> list[Event]:
        given.clear()
        world.prefetch(notice_stream(one.notice) for one in wanted)
        found: list[Event] = []
        following: dict[str, tuple[Channel, ...]] = {}
        there = queued(held[0], channel, [one.notice for one in wanted])
        for one in wanted:
            state = world.state(notice_stream(one.notice))
            assert isinstance(state, NoticeState)
            after = turns_after(channel, world.registers.departments[one.department].channels, state.given_up)
            last = channel in CARRIERS and not carried(after)
            if one.notice not in there or (last and one.reason not in LAST_TOO):
                continue
            found += system.given_up(world, one.notice, channel, one.reason, one.detail, now)
            following[one.notice] = after
            given.add(one.notice)
        turn_to_next(held[0], channel, following)
        return found

    writer.run(hold, [fact])
    for one in wanted:
        if one.notice in given:
            _log.warning(
                "channel_given_up", channel=channel, department=one.department, reason=one.reason, detail=one.detail
            )
    return given

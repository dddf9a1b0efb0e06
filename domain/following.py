"""Registers that another store masters: taken over event by event, under the very places they have there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.event import Event

if TYPE_CHECKING:
    from domain.world import World

STREAM = "registers"


class RegistersFollowed(Event):
    """From here on the registers are `store`'s, and nobody registers anything here."""

    TOPIC = "registers.followed"
    store: str


class CannotFollow(Exception):
    """What the master's log holds does not continue what is recorded here: nothing may be skipped."""


def follow(world: World, event: Event, recorded: Event | None) -> list[Event]:
    """The master's next register event, or nothing where it is `recorded` at its place already.

    The master is the only one to write these streams, so a place names one event. Raises CannotFollow for a gap in the
    stream, and where another event stands at the place.
    """
    stream, version = event.originator_id, event.originator_version
    if recorded is not None:
        if recorded != event:
            raise CannotFollow(f"{stream} {version} is not what the master recorded there")
        return []
    here = world.state(stream).version
    if version != here + 1:
        raise CannotFollow(f"a gap in {stream}: it is at {here} here, and {version} came from the master")
    return [event]

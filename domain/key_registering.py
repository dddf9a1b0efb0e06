"""The operator registers the public keys with which principals sign, and strikes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import StringConstraints

from domain.departments import OperatorPayload
from domain.documents import require_in_force
from domain.entries import entry_stream
from domain.event import Event
from domain.public_keys import PublicKey, require_public_key
from domain.registering import EntryRegistered, EntryStruck
from domain.rules import Refusal, Waiting
from domain.submissions import Day, Submission, Title, decides

if TYPE_CHECKING:
    from domain.world import World


class RegisterKey(OperatorPayload):
    """The operator enters a key, from a date on, or writes its entry anew."""

    TYPE = "key.register"
    entry: PublicKey
    valid_from: Day
    basis: Title

    def streams(self) -> tuple[str, ...]:
        return (entry_stream("public_key", self.entry.key()),)


class StrikeKey(OperatorPayload):
    """From a date on nothing that the key signs is taken any more; what was taken before stands. `key`: the key's
    thumbprint."""

    TYPE = "key.strike"
    key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]
    valid_from: Day
    basis: Title

    def streams(self) -> tuple[str, ...]:
        return (entry_stream("public_key", self.key),)


@decides(RegisterKey)
def register_key(submission: Submission[RegisterKey], world: World) -> list[Event]:
    world.require_own_registers()
    payload = submission.payload
    entry, since = payload.entry, payload.valid_from
    require_in_force(world, payload.basis, since, entry)
    require_public_key(entry, world, since)
    return [
        world.state(entry_stream(entry.kind, entry.key())).then(
            EntryRegistered, submission.meta, entry=entry, valid_from=since, basis=payload.basis
        )
    ]


@decides(StrikeKey)
def strike_key(submission: Submission[StrikeKey], world: World) -> list[Event]:
    world.require_own_registers()
    payload = submission.payload
    if not world.registers.entries.get("public_key", {}).get(payload.key):
        raise Waiting(entry_stream("public_key", payload.key))
    version = world.registers.version("public_key", payload.key, payload.valid_from)
    if version is None or version.entry is None:
        raise Refusal("entry.none")
    struck = {"kind": "public_key", "key": payload.key, "valid_from": payload.valid_from, "basis": payload.basis}
    return [world.state(entry_stream("public_key", payload.key)).then(EntryStruck, submission.meta, **struck)]

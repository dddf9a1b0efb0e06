"""Expiry 到期: needs no message; it is computed, and told to whoever was told of the permit (domain notes §4.5)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from domain.case_state import hearers
from domain.cases import CaseExpired
from domain.event import Event, Meta

if TYPE_CHECKING:
    from domain.world import World


def expiring_id(case: str, term: int) -> str:
    """Under which the end of a term is told: the same whoever does it."""
    return f"expired.{term}.{hashlib.sha256(case.encode()).hexdigest()[:32]}"


def expired(world: World, case: str, meta: Meta) -> list[Event]:
    """The permit's last day has gone by; nothing where it has not, or that was told."""
    state = world.case_at(case)
    on = state.terms[-1][1] if state.terms else None
    if state.status != "granted" or on is None or on >= world.today or state.expired_term == state.ending_version:
        return []
    return [
        state.then(
            CaseExpired,
            meta,
            matter=state.matter,
            document_number=state.decision["document_number"] or "",
            on=on,
            audience=hearers(state, world.registers, meta),
            term=state.ending_version,
        )
    ]

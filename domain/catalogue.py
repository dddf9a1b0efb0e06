"""Everything the domain knows: importing this fills the tables of events and submissions."""

from domain import (  # noqa: F401 - each adds its own to the tables
    attempts,
    blanks,
    calendars,
    cases,
    circulars,
    consultations,
    counts,
    deadletters,
    decisions,
    departments,
    erasure,
    following,
    handovers,
    inspections,
    key_registering,
    ladders,
    letters,
    matters,
    notices,
    opinions,
    penalties,
    permits,
    public_records,
    ratings,
    reads,
    registering,
    remedies,
    reviews,
    seals,
    subscriptions,
    succession,
    supervision,
    system,
    tasks,
)
from domain.event import EVENT_TYPES
from domain.submissions import DECIDERS, PAYLOADS

__all__ = ["DECIDERS", "EVENT_TYPES", "PAYLOADS"]

"""Everything the domain knows: importing this fills the tables of events and submissions."""

from domain import (  # noqa: F401 - each adds its own to the tables
    attempts,
    blanks,
    cases,
    counts,
    deadletters,
    departments,
    following,
    handovers,
    inspections,
    matters,
    notices,
    opinions,
    permits,
    public_records,
    registering,
    reviews,
    seals,
    supervision,
    system,
)
from domain.event import EVENT_TYPES
from domain.submissions import DECIDERS, PAYLOADS

__all__ = ["DECIDERS", "EVENT_TYPES", "PAYLOADS"]

"""Refused attempts: that somebody tried what the notice forbids is a fact in itself."""

from __future__ import annotations

from domain.event import Event, Meta
from domain.rules import Rule


class AttemptRefused(Event):
    """On a stream of its own. Of a classified submission nothing but source, id and time is kept."""

    TOPIC = "attempt.refused"
    rule: str
    clause: str | None
    type: str
    about: str | None


def attempt_refused(meta: Meta, rule: Rule, type_: str, about: str | None) -> AttemptRefused:
    if rule.code == "classified":
        meta = meta.model_copy(update={"officer": None, "department": None})
        about = None
    return AttemptRefused(
        originator_id=f"attempt/{meta.fact}",
        originator_version=1,
        meta=meta,
        rule=rule.code,
        clause=rule.clause,
        type=type_,
        about=about,
    )

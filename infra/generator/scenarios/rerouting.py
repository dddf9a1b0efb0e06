"""Corrections by which others must hear of the decision too: of its matter, and of its day.

As in other corrections, nobody receives what is superseded. Nobody leaves either: the figures of a year add up by
those who were told at first and those who took over.
"""

from __future__ import annotations

from dataclasses import replace

from infra.generator.case import Case
from infra.generator.registry import Item
from infra.generator.scenario import scenario


def _receive_all(case: Case) -> None:
    case.wait(1, 3)
    for notice in case.told:
        case.receive(notice)


@scenario(0.2)
def matter_corrected(case: Case) -> None:
    """Decided under one matter, meant under another, which the same and more departments supervise."""
    pairs = [
        (narrow, wide)
        for narrow in case.registry.items[case.league]
        for wide in case.registry.items[case.league]
        if narrow.transferred and narrow.trait is None and set(narrow.supervisors) < set(wide.supervisors)
        if wide.trait != "surveyed"  # what was decided without a survey was not decided under that
    ]
    narrow, wide = case.rng.choice(pairs)
    case.at_item(narrow)
    case.grant()
    case.wait(1, 5)
    joining = [one for one in wide.supervisors if one not in narrow.supervisors]
    case.correct("matter", narrow.code, wide.code, joining)
    _receive_all(case)


@scenario(0.2, stands="joined")
def day_corrected(case: Case) -> None:
    """Recorded long after it was taken, month and day exchanged: on the right day one more department supervised."""
    joined = case.item
    case.at_item(_before(joined))
    case.accept({"accepted_on": "2024-09-02"})
    case.decide({"decided_on": "2024-09-12", "valid_from": "2024-09-12"})
    case.wait(1, 5)
    case.correct("decided_on", "2024-09-12", "2024-12-09", joined.supervisors[-1:])
    _receive_all(case)


def _before(joined: Item) -> Item:
    """The matter as it was supervised before the last joined."""
    return replace(joined, supervisors=joined.supervisors[:-1])

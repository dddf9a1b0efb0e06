"""The year: every case in its time, one file of arrivals, one of what must become of them."""

from __future__ import annotations

import heapq
import json
import math
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final, TextIO

from infra.generator import names, scenarios, truth
from infra.generator.arrival import Arrival
from infra.generator.beginnings import handovers, stock
from infra.generator.case import Case
from infra.generator.counts import Counts
from infra.generator.full_registry import FullRegistry
from infra.generator.registry import Registry
from infra.generator.scenario import mix
from infra.generator.working_time import SHANGHAI

__all__ = ["Summary", "generate", "scenarios", "schedule"]

FIRST: Final = datetime(2025, 1, 2, tzinfo=SHANGHAI)
STARTS_WITHIN: Final = timedelta(days=333)
"""So that every decision lies within the year."""


@dataclass(slots=True)
class Summary:
    """What was made; the counts are those expected once all of it is taken in. Registers are counted with the rest."""

    cases: int
    seed: int
    arrivals: int = 0
    registers: int = 0
    submissions: int = 0
    dispositions: dict[str, int] = field(default_factory=dict)
    notices: int = 0
    decisions: int = 0
    supervisors_of_decisions: int = 0
    seals: dict[str, int] = field(default_factory=lambda: {"applied": 0, "refused": 0})
    scenarios: dict[str, int] = field(default_factory=dict)


def generate(cases: int, seed: int, out: Path, rare: bool = True) -> Summary:
    """Writes founding.json, registers.jsonl, submissions.jsonl and truth.jsonl; the same for the same arguments.

    Without the `rare` scenarios there are no lists, and nothing but what the registers need comes before the year.
    The truth holds for every order in which an intake takes in the submissions, as long as it keeps the order of each
    (principal, key), the registers have settled before, and successions and subscriptions are carried out some time
    after they are recorded. Memory grows with the cases that are open at one time.
    """
    if cases < 1:
        raise ValueError("at least one case")
    out.mkdir(parents=True, exist_ok=True)
    registry = FullRegistry(seed) if rare else Registry(seed)
    (out / "founding.json").write_text(json.dumps(registry.founding(), ensure_ascii=False, indent=1), encoding="utf-8")
    summary = Summary(cases, seed)
    with (out / truth.FILE).open("w", encoding="utf-8") as told:
        with (out / "registers.jsonl").open("w", encoding="utf-8") as lines:
            summary.registers = _write(_before(registry, summary), lines, told, summary)
        with (out / "submissions.jsonl").open("w", encoding="utf-8") as lines:
            year = _in_time(_stories(registry, schedule(cases, seed, rare), seed, rare, summary, told))
            if rare:
                year = _counted(year, registry)
            summary.submissions = _write(year, lines, told, summary)
        summary.dispositions = dict(sorted(summary.dispositions.items()))
        summary.scenarios = dict(sorted(summary.scenarios.items()))
        _line(told, ["totals", asdict(summary)])
    return summary


def schedule(cases: int, seed: int, rare: bool = True) -> array[int]:
    """Which scenario each case is, as places in the mix: each has its share, one case at least, and 1 % unless it is
    rare; the first takes the rest.

    Below a hundred cases there are too few for that: any scenarios are played, none twice before each was once.
    """
    least = math.ceil(cases / 100)
    shares = [max(1 if one.rare else least, round(one.share * cases / 100)) for one in mix(rare)]
    order = Random(f"{seed}/schedule")
    if (rest := cases - sum(shares[1:])) < least:
        every = order.sample(range(len(shares)), len(shares))
        return array("H", (every[at % len(every)] for at in range(cases)))
    chosen = array("H", [0]) * rest
    for at, share in enumerate(shares[1:], 1):
        chosen.extend([at] * share)
    order.shuffle(chosen)
    return chosen


def _before(registry: Registry, summary: Summary) -> Iterator[Arrival]:
    """What must have settled before the year: the registers, and what there is beside them."""
    yield from registry.arrivals()
    if isinstance(registry, FullRegistry):
        yield from handovers(registry)
        for league in names.LEAGUES:
            for permit in stock(registry, league.code):
                summary.decisions += permit.totals["decisions"]
                yield from permit.arrivals


def _counted(year: Iterable[Arrival], registry: Registry) -> Iterator[Arrival]:
    counts = Counts()
    for arrival in year:
        counts.add(arrival)
        yield arrival
    yield from counts.declarations(registry)


def _stories(
    registry: Registry, plan: array[int], seed: int, rare: bool, summary: Summary, told: TextIO
) -> Iterator[tuple[datetime, list[Arrival]]]:
    """Each case's arrivals, with a time that no arrival of it or of a later case comes before."""
    every = mix(rare)
    played: Counter[str] = Counter()
    for index, at in enumerate(plan):
        rng = Random(f"{seed}/{index}")
        chosen = every[at]
        start = FIRST + STARTS_WITHIN * (index / len(plan))
        item, party = chosen.choose(registry.items[names.league(rng).code], rng)
        case = Case(registry, item, party, index, start, rng, turn=played[chosen.name])
        chosen.play(case)
        played[chosen.name] += 1
        for notice in case.notices:
            _line(told, ["notice", *notice.expectation()])
        summary.notices += len(case.notices)
        summary.decisions += case.totals["decisions"]
        summary.supervisors_of_decisions += case.totals["supervisors_of_decisions"]
        summary.seals["applied"] += case.totals["seals_applied"]
        summary.seals["refused"] += case.totals["seals_refused"]
        yield start, case.arrivals
    summary.scenarios = dict(played)


def _in_time(stories: Iterable[tuple[datetime, list[Arrival]]]) -> Iterator[Arrival]:
    waiting: list[tuple[datetime, int, Arrival]] = []
    number = 0
    for start, arrivals in stories:
        while waiting and waiting[0][0] < start:
            yield heapq.heappop(waiting)[2]
        for arrival in arrivals:
            number += 1
            heapq.heappush(waiting, (arrival.arrives, number, arrival))
    while waiting:
        yield heapq.heappop(waiting)[2]


def _write(arrivals: Iterable[Arrival], lines: TextIO, told: TextIO, summary: Summary) -> int:
    count = 0
    for arrival in arrivals:
        count += 1
        summary.arrivals += 1
        found = summary.dispositions
        found[arrival.disposition] = found.get(arrival.disposition, 0) + 1
        lines.write(arrival.line())
        lines.write("\n")
        _line(told, ["disposition", *arrival.expectation()])
    return count


def _line(told: TextIO, row: list[Any]) -> None:
    told.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")))
    told.write("\n")

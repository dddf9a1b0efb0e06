"""Counts per source and day (2.6b): what a principal's system says at the year's end that it has sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from infra.generator.arrival import Arrival
from infra.generator.clerk import Clerk
from infra.generator.offices import REFORM_OFFICE, REFORM_PRINCIPAL
from infra.generator.registry import Registry
from infra.generator.working_time import SHANGHAI


class Counts:
    """Of what is sent, but for copies of it."""

    def __init__(self) -> None:
        self._sent: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._last = datetime.min.replace(tzinfo=SHANGHAI)

    def add(self, arrival: Arrival) -> None:
        self._last = max(self._last, arrival.arrives)
        day = arrival.attributes.get("time", "")[:10]
        if arrival.source and day and arrival.disposition != "duplicate":
            self._sent[arrival.source][day] += 1

    def declarations(self, registry: Registry) -> Iterator[Arrival]:
        """Each source's for its busiest day."""
        clerk = Clerk("count", self._last)
        acts_for = {REFORM_PRINCIPAL: [REFORM_OFFICE], **registry.acts_for()}
        for principal, departments in sorted(acts_for.items()):
            source = f"{principal}.nm"
            if days := self._sent.get(source):
                count, day = max((count, day) for day, count in days.items())
                said = {"department": departments[0], "counted_source": source, "day": day, "count": count}
                yield clerk.hand_in(principal, source, "count.declare", said)

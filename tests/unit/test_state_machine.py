"""The whole domain lived through by chance: whatever is handed in, in whatever order, what must hold holds."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import get_args

from hypothesis import event, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain.catalogue import EVENT_TYPES, PAYLOADS
from domain.handling import Disposition
from domain.notices import About
from tests.unit.machine.life import begun, later
from tests.unit.machine.mandates import ANYBODY, FOLLOWS, MAY, SYSTEM_ONLY
from tests.unit.machine.pick import OFFERS
from tests.unit.machine.walk import FACTS, hand_in, record_fact, send_again, wander
from tests.unit.machine.watch import Watch

LIVES, STEPS = 120, 110
NEVER = {"seal.demand", "review.forward"}
"""Always refused, always recorded."""
chance = st.randoms(use_true_random=False)


class Region(RuleBasedStateMachine):
    """With a rule for every type, below: of which hypothesis leaves out some in every run."""

    def __init__(self) -> None:
        super().__init__()
        self.life = begun()
        self.watch = Watch(self.life)

    @rule(random=chance)
    def something_is_sent_again(self, random: Random) -> None:
        send_again(self.life, random)

    @rule(random=chance, kind=st.sampled_from(FACTS))
    def shenguan_records(self, random: Random, kind: str) -> None:
        record_fact(self.life, random, kind)

    @rule(random=chance)
    def time_passes(self, random: Random) -> None:
        later(self.life, random)

    @invariant()
    def what_must_hold_holds(self) -> None:
        self.watch.look()

    def teardown(self) -> None:
        self.watch.end()


def hands_in(type_: str) -> Callable[[Region, Random], None]:
    def somebody(self: Region, random: Random) -> None:
        result = hand_in(self.life, random, type_)
        event(f"{result.outcome.disposition} {result.arrival.type}")
        note(f"{result.outcome.disposition}: {result.arrival.submission}")

    somebody.__name__ = f"hands_in_{type_.replace('.', '_')}"
    return somebody


for _type in PAYLOADS:
    _hands_in = hands_in(_type)
    setattr(Region, _hands_in.__name__, rule(random=chance)(_hands_in))

TestRegion = Region.TestCase
TestRegion.settings = settings(
    deadline=None, max_examples=int(os.environ.get("SHENGUAN_EXAMPLES", "60")), stateful_step_count=60
)


def test_there_is_something_to_hand_in_of_every_type_and_a_rule_who_may_bring_about_every_fact() -> None:
    assert set(OFFERS) == set(PAYLOADS)
    assert set(MAY) | SYSTEM_ONLY | FOLLOWS | ANYBODY == set(EVENT_TYPES)


def test_lives_by_chance_leave_nothing_out() -> None:
    """The machine cannot silently do nothing: every type is accepted, every fact recorded, every notice owed."""
    accepted: Counter[str] = Counter()
    dispositions: Counter[str] = Counter()
    topics: Counter[str] = Counter()
    abouts: Counter[str] = Counter()
    for seed in range(LIVES):
        life = begun()
        watch = Watch(life)
        for _ in wander(life, seed, STEPS):
            watch.look()
        watch.end()
        dispositions.update(result.outcome.disposition for result in life.results.values())
        accepted.update(one.arrival.type for one in life.results.values() if one.outcome.disposition == "accepted")
        topics.update(one.TOPIC for one in life.events)
        abouts.update(one.about for one in life.owed)
    assert set(dispositions) == set(get_args(Disposition))
    assert set(accepted) == set(PAYLOADS) - NEVER
    assert set(topics) == set(EVENT_TYPES) - {"registers.followed"}  # only a store without registers follows others
    assert set(abouts) == set(get_args(About))

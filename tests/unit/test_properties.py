"""What must hold whatever Kafka does: records again, batches cut anywhere, partitions interleaved, rivals racing."""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import cycle
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import arrivals as business
from domain.arrivals import Intake, Place
from domain.cases import CaseCorrected, CaseDecided
from domain.event import Event, Recorded
from domain.notices import NoticeMoved, NoticeOwed, NoticeReceived, SupervisorJoined
from domain.recheck import Recheck
from domain.registers import MatterHistory
from infra.generator import names
from infra.generator.arrival import Arrival
from infra.generator.case import Case
from infra.generator.feed import record
from infra.generator.full_registry import FullRegistry
from infra.generator.offices import OPERATOR, REFORM_OFFICE
from infra.generator.registry import Registry
from infra.generator.scenario import mix
from infra.generator.year import FIRST, STARTS_WITHIN, schedule
from tests.unit.memory_intake import NOW, MemoryIntake, Record, read
from tests.unit.memory_steward import carry_out

POOL = 120
"""Cases to choose from; every scenario is among them."""
SEED = 7
RIVAL = "rival"
"""A second principal of the first league's departments."""
WITHOUT_PLACE = {"originator_version", "owing_version", "target_version", "serial"}
"""A fact is the same wherever in its stream it stands, and after whatever else its department was told."""
Placed = tuple[Place, Record]
few = settings(deadline=None, max_examples=int(os.environ.get("SHENGUAN_EXAMPLES", "60")))


@dataclass(slots=True)
class Store(MemoryIntake):
    """An intake to which the very same record may come again."""

    again: int = 0

    def take(self, batch: Iterable[Placed]) -> None:
        """One batch of records, each with its place."""
        world = self.world
        intake = Intake(world, self)
        ready, self._cut = self._cut, []
        for arrival in ready:
            intake.again(arrival)
        for place, one in batch:
            intake.take(read(one, place))
        self._keep(world, intake)
        self.again += len(intake.redelivered)

    def take_all(self, records: Sequence[Placed], sizes: Iterable[int]) -> Store:
        """In batches of these sizes, over and over; then batches without records as long as chains were cut, and at
        last what the steward has to do."""
        at, rest = 0, cycle(sizes)
        while at < len(records):
            size = next(rest)
            self.take(records[at : at + size])
            at += size
        while self._cut or carry_out(self):
            self.take(())
        return self

    def copy(self) -> Store:
        """Of a store in which nothing is parked."""
        assert not self._parked
        registers = copy(self.registers)
        for name, value in vars(registers).items():
            if isinstance(value, dict):
                setattr(registers, name, dict(value))
        for code, one in registers.matters.items():
            registers.matters[code] = MatterHistory(one.entry, list(one.holders), list(one.routes))
        return Store(
            registers=registers,
            events=list(self.events),
            results=dict(self.results),
            _streams=defaultdict(list, {name: list(events) for name, events in self._streams.items()}),
            _claims=dict(self._claims),
        )


@cache
def registry() -> Registry:
    return FullRegistry(SEED)


@cache
def settled() -> Store:
    """A store that knows the generated registers, and the rival."""
    store = Store()
    store.found(registry().founding())
    acts_for = [f"{LEAGUE.code}-SP", *registry().supervision(LEAGUE.code), REFORM_OFFICE]
    header = {"specversion": "1.0", "id": RIVAL, "source": OPERATOR, "type": "cn.shenguan.principal.register.v1"}
    rival = Arrival(
        OPERATOR, RIVAL, {**header, "time": FIRST.isoformat()}, {"principal": RIVAL, "acts_for": acts_for}, FIRST
    )
    store.submit(*(written(one) for one in (*registry().arrivals(), rival)))
    assert {one.outcome.disposition for one in store.results.values()} == {"accepted"}
    return store


LEAGUE = names.LEAGUES[0]


def written(arrival: Arrival) -> Record:
    """As it lies in Kafka."""
    principal, key, headers, value = record(json.loads(arrival.line()))
    return Record(principal, key, tuple(headers), value)


@cache
def pool() -> tuple[tuple[Record, ...], ...]:
    """The arrivals of generated cases, case by case, in time."""
    found = []
    played: Counter[str] = Counter()
    for index, at in enumerate(schedule(POOL, SEED)):
        rng = Random(f"{SEED}/{index}")
        chosen = mix()[at]
        item, party = chosen.choose(registry().items[names.league(rng).code], rng)
        case = Case(
            registry(), item, party, index, FIRST + STARTS_WITHIN * (index / POOL), rng, turn=played[chosen.name]
        )
        chosen.play(case)
        played[chosen.name] += 1
        found.append(tuple(written(one) for one in sorted(case.arrivals, key=lambda one: one.arrives)))
    return tuple(found)


cases = st.lists(st.integers(0, POOL - 1), min_size=1, max_size=6, unique=True)
batch_sizes = st.lists(st.integers(1, 9), min_size=1, max_size=5)


def in_time(chosen: Sequence[int]) -> list[Placed]:
    """The cases' arrivals, one case after the other."""
    return placed(one for index in chosen for one in pool()[index])


def placed(records: Iterable[Record]) -> list[Placed]:
    """Every (principal, key) is a partition."""
    offsets: Counter[tuple[str, bytes]] = Counter()
    found = []
    for one in records:
        offsets[one.principal, one.key] += 1
        found.append((Place(f"{one.principal}-{one.key.hex()}", 0, offsets[one.principal, one.key]), one))
    return found


def interleaved(data: st.DataObject, records: Sequence[Placed]) -> list[Placed]:
    """Any order that keeps that of each (principal, key)."""
    partitions: dict[str, deque[Placed]] = {}
    for one in records:
        partitions.setdefault(one[0].topic_id, deque()).append(one)
    groups = list(partitions.values())
    turns = data.draw(st.permutations([number for number, group in enumerate(groups) for _ in group]), "partitions")
    return [groups[number].popleft() for number in turns]


def facts(store: Store) -> Counter[str]:
    """What was recorded, but for places in streams; notices owed are compared by themselves."""
    return Counter(
        f"{event.TOPIC} {event.originator_id} {event.model_dump_json(exclude=WITHOUT_PLACE)}"
        for event in store.events[len(settled().events) :]
        if not isinstance(event, NoticeOwed)
    )


def pairs(store: Store) -> Counter[tuple[str, str]]:
    """(owing fact, addressee)."""
    return Counter((one.meta.fact, one.addressee) for one in store.owed)


def dispositions(store: Store) -> dict[Place, str]:
    return {place: one.outcome.disposition for place, one in store.results.items()}


def check(store: Store) -> None:
    """The log by itself: notices as owed, gapless serials, and the sum that leaders look at."""
    recheck = Recheck()
    found = [
        problem
        for position, event in enumerate(store.events, 1)
        for problem in recheck.take(Recorded(position, NOW + timedelta(microseconds=position), event))
    ]
    assert [*found, *recheck.finish()] == []
    serials: defaultdict[str, list[int]] = defaultdict(list)
    for one in store.owed:
        serials[one.addressee].append(one.serial)
    for addressee, numbers in serials.items():
        assert numbers == list(range(1, len(numbers) + 1)), addressee
    _sums(store.events, recheck)


def _sums(events: list[Event], recheck: Recheck) -> None:
    """For notices of decisions: owed = received + deemed + moved + outstanding; nothing is deemed received yet."""
    of_decisions = {owed.notice: final for owed, final in recheck.final().values() if owed.root == "decision"}
    decided = sum(len(event.supervisors) for event in events if isinstance(event, CaseDecided))
    joined = sum(len(event.joining) for event in events if isinstance(event, CaseCorrected))
    joined += sum(isinstance(event, SupervisorJoined) for event in events)
    closed = {event.originator_id.removeprefix("notice/") for event in events if isinstance(event, NoticeMoved)}
    signed = {event.originator_id.removeprefix("notice/") for event in events if isinstance(event, NoticeReceived)}
    finals = Counter(of_decisions.values())
    moved, received = len(closed & of_decisions.keys()), len((signed - closed) & of_decisions.keys())
    assert len(of_decisions) == decided + joined + moved
    assert (finals["moved"], finals["received"] + finals["taken"]) == (moved, received)
    assert finals["outstanding"] == len(of_decisions.keys() - closed - signed)
    assert len(of_decisions) == moved + received + finals["outstanding"]


@few
@given(data=st.data(), chosen=cases, sizes=batch_sizes)
def test_records_again_and_batches_cut_anywhere_change_nothing(
    data: st.DataObject, chosen: list[int], sizes: list[int]
) -> None:
    """After a crash Kafka gives again what was not committed, and batches end elsewhere: the log is the same."""
    order = interleaved(data, in_time(chosen))
    crashes = data.draw(st.lists(st.tuples(st.integers(0, len(order) - 1), st.integers(1, 12)), max_size=5))
    delivered: list[Placed] = []
    for at, one in enumerate(order):
        delivered.append(one)
        for where, back in crashes:
            if where == at:
                delivered += order[max(0, at + 1 - back) : at + 1]

    plain = settled().copy().take_all(order, [1])
    crashed = settled().copy().take_all(delivered, sizes)

    assert crashed.events == plain.events
    assert dispositions(crashed) == dispositions(plain)
    assert crashed.again == len(delivered) - len(order)
    check(crashed)


@few
@given(data=st.data(), chosen=cases, sizes=batch_sizes, most=st.sampled_from([1, 2, 5, 5_000]))
def test_partitions_may_come_in_any_order(data: st.DataObject, chosen: list[int], sizes: list[int], most: int) -> None:
    """What does not compete gives the same facts and owes the same departments, however long chains may become."""
    records = in_time(chosen)
    order = interleaved(data, records)

    one = settled().copy().take_all(records, [len(records)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(business, "RELEASES_PER_BATCH", most)
        other = settled().copy().take_all(order, sizes)

    assert facts(other) == facts(one)
    assert pairs(other) == pairs(one)
    assert max(pairs(other).values(), default=1) == 1
    assert dispositions(other) == dispositions(one)
    check(one)
    check(other)


Race = Callable[[Case], list[Arrival]]
"""Plays a case up to the race; the rivals in it."""
RACES: dict[str, tuple[Race, str]] = {}
"""By name, with the rule by which the loser is refused (or `conflict`)."""


def race(loser: str) -> Callable[[Race], Race]:
    def put(run: Race) -> Race:
        RACES[run.__name__] = run, loser
        return run

    return put


@race("case.exists")
def two_acceptances(case: Case) -> list[Arrival]:
    return [case.accept(), case.accept(principal=RIVAL)]


@race("case.state")
def two_decisions(case: Case) -> list[Arrival]:
    case.accept()
    return [case.decide(), case.decide({"outcome": "not_granted"}, principal=RIVAL)]


@race("case.state")
def two_licences(case: Case) -> list[Arrival]:
    case.accept()
    case.decide()
    return [case.licence(), case.licence(principal=RIVAL)]


@race("case.state")
def two_ends(case: Case) -> list[Arrival]:
    case.accept()
    case.decide()
    said = {**case.key_of_case, "document_number": case.document, "on": case.today, "reason": "情况变化"}
    ends = ("case.withdraw", case.registry.principal(case.organ)), ("case.cancel", RIVAL)
    return [case.send(type_, case.organ, said, principal=principal) for type_, principal in ends]


@race("notice.already")
def two_receipts(case: Case) -> list[Arrival]:
    case.grant()
    return [case.receive(case.told[0]), case.receive(case.told[0], principal=RIVAL)]


@race("notice.already")
def two_takings(case: Case) -> list[Arrival]:
    case.grant()
    case.receive(case.told[0])
    return [case.take(case.told[0]), case.take(case.told[0], principal=RIVAL)]


@race("notice.moved")
def two_first_returns(case: Case) -> list[Arrival]:
    case.grant()
    one, other = case.others(2)
    case.hand_back(case.told[0], one)
    case.hand_back(case.told[0], other, principal=RIVAL)
    return case.arrivals[-2:]


@race("notice.moved")
def two_rulings(case: Case) -> list[Arrival]:
    case.grant()
    second, third = case.others(2)
    moved = case.hand_back(case.told[0], second)
    assert moved is not None
    dispute = case.hand_back(moved, third, to=REFORM_OFFICE)
    assert dispute is not None
    said = {"notice": dispute.id, "reason": "依据监管职责清单裁定"}
    rulings = (second, "reform"), (third, RIVAL)
    return [
        case.send("duty.rule", REFORM_OFFICE, {**said, "assign_to": whose}, principal=principal)
        for whose, principal in rulings
    ]


@race("feedback.disposed")
def two_dispositions(case: Case) -> list[Arrival]:
    case.grant()
    finding = case.feedback(case.told[0].addressee)
    return [case.dispose(finding), case.dispose(finding, "not", principal=RIVAL)]


@race("feedback.exists")
def two_findings_of_one_number(case: Case) -> list[Arrival]:
    case.grant()
    finding = case.feedback(case.told[0].addressee)
    said = {name: value for name, value in finding.data.items() if name not in ("department", "officer")}
    other = {**said, "suggestion": "revoke"}
    return [finding, case.send("feedback.raise", finding.data["department"], other, principal=RIVAL)]


@race("dead")
def one_who_takes_anothers_identity(case: Case) -> list[Arrival]:
    """A source is its principal's: nobody makes another's submission a duplicate or a conflict."""
    case.accept()
    one = case.decide()
    names_ = {"source": one.source, "id": one.id}
    return [one, case.decide({"outcome": "not_granted"}, principal=RIVAL, attributes=names_)]


@pytest.mark.parametrize("name", RACES)
@settings(deadline=None, max_examples=20)
@given(data=st.data(), index=st.integers(0, 9), sizes=batch_sizes)
def test_of_rivals_exactly_one_wins(name: str, data: st.DataObject, index: int, sizes: list[int]) -> None:
    """Rivals come by different principals, so any of them may be first."""
    run, loser = RACES[name]
    rng = Random(index)
    item = rng.choice([one for one in registry().items[LEAGUE.code] if one.transferred and one.trait is None])
    case = Case(registry(), item, item.kind.parties[0], 9_000 + index, FIRST, rng)
    rivals = [written(one) for one in run(case)]
    records = placed(written(one) for one in case.arrivals)

    store = settled().copy().take_all(interleaved(data, records), sizes)

    found = {one: store.results[place] for place, one in records}
    ends = sorted(found[one].outcome.disposition for one in rivals)
    rules = [found[one].outcome.rule for one in rivals]
    if loser == "dead":
        assert ends == ["accepted", "dead"]
    else:
        assert (ends, set(rules)) == (["accepted", "refused"], {None, loser})
    assert all(found[one].outcome.disposition == "accepted" for one in found if one not in rivals)
    check(store)

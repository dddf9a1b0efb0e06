"""The generated year: the same for the same seed, varied enough, and its truth holds for every order of arrival."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from datetime import date
from pathlib import Path
from random import Random
from typing import get_args

import pytest

from adapters.formats.workdays import published
from domain.cases import CaseCorrected, CaseDecided
from domain.catalogue import EVENT_TYPES
from domain.registering import EntryRegistered, Kind
from domain.system import calendar_adopted
from infra.generator import truth
from infra.generator.feed import FILES, Headers, feed
from infra.generator.scenario import SCENARIOS
from infra.generator.signers import Sign, signing
from infra.generator.year import Summary, generate
from tests.unit.memory_intake import NOW, MemoryIntake, Record
from tests.unit.memory_steward import carry_out, rules_change, time_passes
from tests.unit.signing_kit import signing_problems

CASES = 400
Order = Callable[[list[Record], Random], list[Record]]


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("year")
    generate(CASES, 11, out)
    return out


def arrivals(out: Path, name: str, sign: Sign | None = None) -> list[Record]:
    found: list[Record] = []

    def send(principal: str, key: bytes, headers: Headers, value: bytes) -> None:
        found.append(Record(principal, key, tuple(headers), value))

    feed(out, send, (name,), sign)
    return found


def in_file_order(found: list[Record], rng: Random) -> list[Record]:
    return found


def _partitions(found: list[Record]) -> list[deque[Record]]:
    groups: defaultdict[tuple[str, bytes], deque[Record]] = defaultdict(deque)
    for arrival in found:
        groups[arrival.principal, arrival.key].append(arrival)
    return list(groups.values())


def at_random(found: list[Record], rng: Random) -> list[Record]:
    """Any order that keeps that of each (principal, key)."""
    groups = _partitions(found)
    turns = [at for at, group in enumerate(groups) for _ in group]
    rng.shuffle(turns)
    return [groups[at].popleft() for at in turns]


def one_after_another(found: list[Record], rng: Random) -> list[Record]:
    """Whole partitions one after the other."""
    groups = _partitions(found)
    rng.shuffle(groups)
    return [arrival for group in groups for arrival in group]


def supervisors_first(found: list[Record], rng: Random) -> list[Record]:
    return sorted(found, key=lambda arrival: arrival.principal)


def supervisors_last(found: list[Record], rng: Random) -> list[Record]:
    return sorted(found, key=lambda arrival: arrival.principal, reverse=True)


ORDERS = [in_file_order, supervisors_first, supervisors_last, *[at_random, one_after_another] * 3]


@pytest.mark.parametrize(("seed", "order"), list(enumerate(ORDERS)))
def test_the_truth_holds_for_every_order(year: Path, seed: int, order: Order) -> None:
    rng = Random(seed)
    intake = MemoryIntake()
    intake.found(json.loads((year / "founding.json").read_text(encoding="utf-8")))
    for name in FILES:
        records = deque(order(arrivals(year, name), rng))
        while records:
            intake.submit(*(records.popleft() for _ in range(min(len(records), rng.choice((1, 3, 50))))))
            if rng.random() < 0.05:
                carry_out(intake)
    while carry_out(intake):
        pass
    expected = truth.load(year)

    assert truth.compare(expected, intake.dispositions, intake.notices) == []
    rules = Counter(row[:3] + row[4:] for row in expected.dispositions if row[4] is not None)
    assert rules - Counter(intake.rules) == Counter()
    owed = {(one.notice, one.addressee, one.about, one.root, one.case) for one in intake.owed}
    assert owed == {row[:5] for row in expected.notices}
    _totals_hold(intake, expected.totals)


def test_whoever_reads_a_signed_year_again_finds_it_signed_as_it_was_decided(year: Path) -> None:
    intake = MemoryIntake()
    intake.found(json.loads((year / "founding.json").read_text(encoding="utf-8")))
    registers, submissions = FILES
    intake.submit(*arrivals(year, registers))
    intake.submit(*arrivals(year, submissions, signing(intake.store, lambda _: True)))
    signed = {event.meta.fact for event in intake.events if event.meta.signed is not None}
    assert len(signed) > CASES
    assert signing_problems(intake.recorded) == []


def _totals_hold(intake: MemoryIntake, totals: dict[str, object]) -> None:
    events = Counter(event.TOPIC for event in intake.events)
    assert totals["dispositions"] == Counter(row[3] for row in intake.dispositions)
    assert totals["decisions"] == events["case.decided"]
    first = sum(one.root == "decision" and one.origin is None for one in intake.owed)
    assert totals["supervisors_of_decisions"] == first
    refused = sum(getattr(event, "type", "").startswith("seal.") for event in intake.events)
    assert totals["seals"] == {"applied": events["seal.applied"], "refused": refused}
    assert totals["notices"] == len(intake.owed)


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    one, two, other = (generate(60, seed, tmp_path / name) for seed, name in ((3, "a"), (3, "b"), (4, "c")))
    for name in ("founding.json", *FILES, truth.FILE):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert (tmp_path / "a" / FILES[1]).read_bytes() != (tmp_path / "c" / FILES[1]).read_bytes()
    assert one == two != other


def test_every_scenario_has_its_hundredth(tmp_path: Path) -> None:
    summary = generate(1000, 5, tmp_path)
    assert summary.scenarios.keys() == SCENARIOS.keys()
    rare = {name: count for name, count in summary.scenarios.items() if SCENARIOS[name].rare}
    assert min(count for name, count in summary.scenarios.items() if name not in rare) >= 10
    assert all(1 <= count < 10 for count in rare.values())
    assert sum(rare.values()) < 100
    assert sum(summary.scenarios.values()) == 1000
    for disposition in ("accepted", "refused", "duplicate", "conflict", "parked", "dead"):
        assert summary.dispositions[disposition] >= math.ceil(summary.submissions / 100), disposition
    lines = (tmp_path / "submissions.jsonl").read_text(encoding="utf-8").splitlines()
    assert (summary.registers, len(lines)) == (len(arrivals(tmp_path, FILES[0])), summary.submissions)
    assert sum(summary.dispositions.values()) == summary.arrivals == summary.registers + summary.submissions


def test_a_year_of_the_demo_has_every_kind_of_event(tmp_path: Path) -> None:
    """But for those of a store that follows, of a running intake, a retry, the outlet, readers, erasures."""
    generate(300, 2020, tmp_path)
    intake = MemoryIntake()
    intake.found(json.loads((tmp_path / "founding.json").read_text(encoding="utf-8")))
    for name in FILES:
        intake.submit(*arrivals(tmp_path, name))
    while carry_out(intake):
        pass
    assert time_passes(intake, 60)
    whole = published()
    june = tuple(day for n in range(30) if (day := date(2026, 6, n + 1)).weekday() < 5)
    intake.record(lambda world: calendar_adopted(world, whole._replace(edition="next", off=whole.off + june), NOW))
    assert rules_change(intake)
    assert time_passes(intake, 700)
    elsewhere = {"registers.followed", "intake.epoch_opened", "deadletter.retried", "erasure.ordered"}
    assert set(EVENT_TYPES) - {event.TOPIC for event in intake.events} == elsewhere | {
        "notice.delivered", "notice.given_up", "read.recorded"
    }  # fmt: skip
    decisions = [event for event in intake.events if isinstance(event, CaseDecided)]
    assert {event.manner for event in decisions} == {"ordinary", "commitment", "lacking"}
    assert {event.outcome for event in decisions} == {"granted", "not_granted", "discontinued"}
    assert {event.outside_window for event in decisions if event.window} == {True, False}
    corrected = {event.target for event in intake.events if isinstance(event, CaseCorrected) and event.joining}
    assert corrected == {"decided_on", "matter"}
    assert {event.entry.kind for event in intake.events if isinstance(event, EntryRegistered)} == set(get_args(Kind))


def test_counts_are_as_declared(tmp_path: Path) -> None:
    """Of a source's day, what came is what was said to be sent, copies left out."""
    generate(100, 8, tmp_path)
    expected = truth.load(tmp_path)
    sent: Counter[tuple[str, str]] = Counter()
    declared: list[tuple[str, str, int]] = []
    lines = [json.loads(line) for name in FILES for line in (tmp_path / name).read_text(encoding="utf-8").splitlines()]
    for line, row in zip(lines, expected.dispositions, strict=True):
        said = line.get("attributes", {})
        if said.get("type") == "cn.shenguan.count.declare.v1" and row[3] == "accepted":
            declared.append((line["data"]["counted_source"], line["data"]["day"], line["data"]["count"]))
        elif "time" in said and row[1] and row[3] != "duplicate":
            sent[row[1], said["time"][:10]] += 1
    assert len({source for source, _, _ in declared}) == len(declared) > 20
    assert [(source, day, count) for source, day, count in declared if sent[source, day] != count] == []


def test_the_benchmarks_mix_stays_what_it_is(tmp_path: Path) -> None:
    """Figures of different versions are of the same submissions: rare scenarios and lists are not among them."""
    summary = generate(300, 2020, tmp_path, rare=False)
    assert not any(SCENARIOS[name].rare for name in summary.scenarios)
    found = {name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()[:16] for name in FILES}
    assert found == {"registers.jsonl": "052328ca0a6ee871", "submissions.jsonl": "f68517a981312204"}


@pytest.mark.parametrize("cases", [1, 7, 100])
def test_few_cases_are_possible(tmp_path: Path, cases: int) -> None:
    summary = generate(cases, 1, tmp_path)
    assert isinstance(summary, Summary)
    assert sum(summary.scenarios.values()) == cases
    if cases == 100:
        assert summary.scenarios.keys() == SCENARIOS.keys()


def test_no_cases_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one"):
        generate(0, 1, tmp_path)


def test_differences_are_told() -> None:
    expected = truth.Truth(
        dispositions=[("sp", "s", "1", "accepted", None), ("sp", "", "", "dead", None)],
        notices=[("A/s/1", "A", "decision", "decision", "case/B/1", "received")],
    )
    found = truth.compare(expected, [("sp", "s", "1", "parked")], [("C/s/1", "C", "decision", "outstanding")])
    assert found == [
        "sp 无法读取的信息：应为 dead，实为 无",
        "sp s/1：应为 accepted，实为 parked",
        "告知 A/s/1：应为 A decision received，实为 无",
        "告知 C/s/1：应为 无，实为 C decision outstanding",
    ]
    twice = [("A/s/1", "A", "decision", "received")] * 2
    assert truth.compare(expected, [row[:4] for row in expected.dispositions], twice) == ["告知 A/s/1：重复"]

"""What is fetched place by place is handed out by time, and nothing is lost or turned round within a place."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from adapters.kafka.holdings import Holdings
from adapters.kafka.records import Place, RawRecord

A, B = ("a", 0), ("b", 0)


def record(place: Place, offset: int, at: int, size: int = 1) -> RawRecord:
    return RawRecord(*place, offset, None, b"", (), at, size)


def holding(*places: Place) -> Holdings:
    held = Holdings()
    for place in places:
        held.open(place, 0)
    return held


def test_places_are_merged_by_time() -> None:
    held = holding(A, B)
    held.add(A, [record(A, n, at) for n, at in enumerate((10, 40, 50))])
    held.add(B, [record(B, n, at) for n, at in enumerate((20, 30, 60))])
    assert held.topics == {"a", "b"}
    assert [r.timestamp_ms for r in held.take(4, 100)] == [10, 20, 30, 40]
    assert [r.timestamp_ms for r in held.take(9, 100)] == [50, 60]
    assert (len(held), held.bytes, held.given) == (0, 0, {A: 3, B: 3})


def test_a_clock_that_is_ahead_waits_only_for_what_was_fetched_before() -> None:
    now = int(time.time() * 1000)
    held = holding(A, B)
    held.add(A, [record(A, 0, now + 86_400_000)])
    time.sleep(0.01)
    held.add(B, [record(B, 0, int(time.time() * 1000))])
    assert [r.topic for r in held.take(2, 100)] == ["a", "b"]


def test_a_record_larger_than_the_limit_comes_alone() -> None:
    held = holding(A, B)
    held.add(A, [record(A, 0, 1, 500), record(A, 1, 2, 5)])
    held.add(B, [record(B, 0, 3, 5)])
    assert [r.size for r in held.take(9, 100)] == [500]
    assert [r.size for r in held.take(9, 100)] == [5, 5]


def test_given_up_places_leave_the_others_as_they_are() -> None:
    held = holding(A, B)
    held.add(A, [record(A, n, n) for n in range(3)])
    held.add(B, [record(B, n, n) for n in range(3)])
    held.drop([A])
    assert held.add(A, [record(A, 3, 3)]) == 0
    assert (len(held), held.bytes, held.places) == (3, 3, {B})
    held.open(A, 2)
    assert held.add(A, [record(A, 1, 1), record(A, 2, 2)]) == 1
    assert sorted(r.place for r in held.take(9, 100)) == [A, B, B, B]


@given(st.lists(st.tuples(st.sampled_from([A, B, ("c", 1)]), st.integers(0, 50)), max_size=60), st.integers(1, 7))
def test_each_place_keeps_its_order(arriving: list[tuple[Place, int]], most: int) -> None:
    held = holding(A, B, ("c", 1))
    offsets = dict.fromkeys((A, B, ("c", 1)), 0)
    out: list[RawRecord] = []
    for place, at in arriving:
        held.add(place, [record(place, offsets[place], at)])
        offsets[place] += 1
        if at % 5 == 0:
            out += held.take(most, 3)
    while len(held):
        out += held.take(most, 3)
    for place, count in offsets.items():
        assert [r.offset for r in out if r.place == place] == list(range(count))
    assert held.bytes == 0

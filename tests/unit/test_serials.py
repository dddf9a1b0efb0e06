"""The addressee's check for gaps."""

from domain.serials import SerialWatch


def test_in_order_nothing_is_missing() -> None:
    watch = SerialWatch()
    assert [list(watch.take(serial)) for serial in (7, 8, 9)] == [[], [], []]
    assert watch.missing == set()


def test_a_gap_is_told_and_may_be_filled() -> None:
    watch = SerialWatch()
    watch.take(1)
    assert list(watch.take(4)) == [2, 3]
    assert list(watch.take(3)) == []
    assert watch.missing == {2}
    assert list(watch.take(5)) == []


def test_a_notice_counts_once() -> None:
    watch = SerialWatch()
    assert [watch.seen(notice) for notice in ("a", "b", "a")] == [False, False, True]

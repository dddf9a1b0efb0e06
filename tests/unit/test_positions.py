"""What is certain not to have been read before need not be looked up."""

from __future__ import annotations

from adapters.postgres.positions import Advance, never_read


def test_only_a_first_epoch_is_certain_and_only_from_where_it_goes_on() -> None:
    new = never_read([Advance("t", 0, 5, 1, 9), Advance("t", 1, 0, 2, 9)])
    assert new("t", 0, 5)
    assert new("t", 0, 8)
    assert not new("t", 0, 4)  # a letter's, which was read long ago
    assert not new("t", 1, 3)  # read once more, under a second epoch
    assert not new("t", 2, 3)  # of no partition that moves
    assert not new("u", 0, 5)

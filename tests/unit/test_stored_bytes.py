"""The bytes of a row and of its leaf: fixed for ever, and never the same for two different rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.bundles import MAX_ENTRY
from domain.leaves import (
    Digest,
    LeafError,
    Row,
    digest,
    leaf,
    leaves,
    microseconds,
    moment,
    parse_leaf,
    stored_bytes,
)
from domain.notices import ledger_stream
from tests.unit.merkle_kit import flipped, reasons

texts = st.text(max_size=9).map(str.encode)
parts = (texts, st.integers(1, 2**63 - 1), texts, st.binary(max_size=9))
Stored = tuple[bytes, int, bytes, bytes]
stored = st.tuples(*parts)
rows = st.builds(Row, st.integers(0, 2**63 - 1), st.integers(-(2**63), 2**63 - 1), *parts)
FIRST = Row(7, 1_583_137_872_000_001, b"case/A/1", 12, b"case.accepted", b"{}")


def test_they_are_these() -> None:
    row = (
        "0000000000000008636173652f412f31" "00000000000000023132"
        "000000000000000d636173652e6163636570746564" "00000000000000027b7d"
    )  # fmt: skip
    assert stored_bytes(b"case/A/1", 12, b"case.accepted", b"{}").hex() == row
    assert leaf(FIRST).hex() == "01" "0000000000000007" "00059fdb027db401" + row  # fmt: skip


def test_a_long_state_stands_there_as_its_digest() -> None:
    room = MAX_ENTRY - len(leaf(FIRST._replace(state=b"")))
    longest, longer = b"x" * room, b"x" * (room + 1)
    assert len(leaf(FIRST._replace(state=longest))) == MAX_ENTRY
    assert parse_leaf(leaf(FIRST._replace(state=longest))).state == longest
    short = leaf(FIRST._replace(state=longer))
    end = (40).to_bytes(8, "big") + (room + 1).to_bytes(8, "big") + sha256(longer).digest()
    assert short == b"\x02" + leaf(FIRST._replace(state=b""))[1:-8] + end
    found = parse_leaf(short)
    assert found.state == Digest(room + 1, sha256(longer).digest())
    assert found.is_of(longer)
    assert not found.is_of(longest)
    # of a state that is not long there is no such leaf: an event would have two
    lie = short.replace((room + 1).to_bytes(8, "big"), room.to_bytes(8, "big"))
    assert reasons(parse_leaf, lie) == "leaf.digest"
    with pytest.raises(LeafError, match=r"leaf\.long"):
        leaf(FIRST._replace(stream=b"x" * MAX_ENTRY))


@given(stored, stored)
def test_two_rows_never_share_them(
    one: tuple[bytes, int, bytes, bytes], other: tuple[bytes, int, bytes, bytes]
) -> None:
    assert (stored_bytes(*one) == stored_bytes(*other)) == (one == other)


@given(rows, rows)
def test_nor_their_leaves(one: Row, other: Row) -> None:
    first, second = leaves((one, other))
    assert (first == second) == (one == other)
    assert first[17:] == stored_bytes(*one[2:])


@given(rows)
def test_a_leaf_is_read_as_it_was_written(row: Row) -> None:
    found = parse_leaf(leaf(row))
    assert (found.position, found.recorded_at, found.version) == (row.position, row.recorded_at, row.version)
    assert (found.stream.encode(), found.topic.encode(), found.state) == (row.stream, row.topic, row.state)
    assert found.is_of(row.state)


def test_what_is_no_leaf_is_refused_and_every_byte_counts() -> None:
    whole = leaf(FIRST)
    for at in range(len(whole)):
        assert reasons(parse_leaf, whole[:at]) == "leaf.short"
    assert reasons(parse_leaf, whole + b"\0") == "leaf.long"
    assert reasons(parse_leaf, b"\x03" + whole[1:]) == "leaf.format"
    assert reasons(parse_leaf, whole.replace(b"12", b"02")) == "leaf.version"
    assert reasons(parse_leaf, whole.replace(b"case/A", b"case/\xff")) == "leaf.text"
    for bad in flipped(whole):
        try:
            found = parse_leaf(bad)
        except LeafError:
            continue
        assert found != parse_leaf(whole)


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_are_whole_microseconds(at: datetime) -> None:
    assert moment(microseconds(at)) == at
    assert microseconds(at.astimezone(timezone(timedelta(hours=8)))) == microseconds(at)


def test_a_time_that_no_calendar_has() -> None:
    assert microseconds(datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=UTC)) == 1_000_005
    assert reasons(moment, 2**62) == "leaf.time"  # type: ignore[arg-type]


def test_whose_ledger_it_is() -> None:
    assert FIRST.addressee is None
    assert FIRST._replace(stream=ledger_stream("hs-1").encode()).addressee == "hs-1"
    assert digest(b"") == Digest(0, sha256(b"").digest())

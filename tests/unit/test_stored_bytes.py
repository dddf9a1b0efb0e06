"""The bytes of a row that proofs will hash: fixed for ever, and never the same for two different rows."""

from __future__ import annotations

from eventsourcing.persistence import StoredEvent
from hypothesis import given
from hypothesis import strategies as st

from adapters.postgres.log import stored_bytes

events = st.builds(StoredEvent, st.text(max_size=9), st.integers(1, 10**9), st.text(max_size=9), st.binary(max_size=9))


def test_they_are_these() -> None:
    found = stored_bytes(StoredEvent("case/A/1", 12, "case.accepted", b"{}"))
    assert found.hex() == (
        "0000000000000008636173652f412f31" "00000000000000023132"
        "000000000000000d636173652e6163636570746564" "00000000000000027b7d"
    )  # fmt: skip


@given(events, events)
def test_two_rows_never_share_them(one: StoredEvent, other: StoredEvent) -> None:
    assert (stored_bytes(one) == stored_bytes(other)) == (one == other)

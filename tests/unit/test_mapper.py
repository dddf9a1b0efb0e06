"""Stored state read back: the very event, old versions upcast, and nothing that it claims of its place believed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from adapters.postgres.mapper import EventMapper, UnknownEvent
from domain.event import EVENT_TYPES, Event, Recorded
from infra.examples import story

MAPPER = EventMapper()
META = b'"meta":{"source":"s","id":"1","principal":"p","auth":"acl","occurred_at":"2026-03-02T01:02:03Z"}'


@pytest.fixture
def renamed() -> Iterator[str]:
    """An event class in its third version."""

    class Renamed(Event):
        TOPIC = "test.renamed"
        class_version: ClassVar[int] = 3
        colour: str
        size: int

        @staticmethod
        def upcast_v1_v2(state: dict[str, Any]) -> None:
            state["colour"] = state.pop("color")

        @staticmethod
        def upcast_v2_v3(state: dict[str, Any]) -> None:
            state["size"] = 7

    yield Renamed.TOPIC
    del EVENT_TYPES[Renamed.TOPIC]


@pytest.mark.parametrize("recorded", story().events, ids=lambda one: one.event.TOPIC)
def test_what_was_stored_comes_back_and_is_stored_as_it_was(recorded: Recorded) -> None:
    stored = MAPPER.to_stored_event(recorded.event)
    found = MAPPER.to_domain_event(stored)
    assert found == recorded.event
    assert found.model_fields_set >= {"originator_id", "originator_version", "meta"}
    assert MAPPER.to_stored_event(found) == stored


@pytest.mark.parametrize(
    "state", [b'"color":"red"', b'"class_version":2,"colour":"red"', b'"class_version":3,"colour":"red","size":7']
)
def test_old_versions_are_upcast_and_the_last_one_read(renamed: str, state: bytes) -> None:
    found = MAPPER.read("a/1", 5, renamed, b"{%b,%b}" % (state, META))
    assert MAPPER.to_stored_event(found).state == (
        b'{"class_version":3,"meta":{"source":"s","id":"1","principal":"p","auth":"acl","department":null,'
        b'"officer":null,"occurred_at":"2026-03-02T01:02:03Z","caller":null,"signed":null},"colour":"red","size":7}'
    )


def test_what_is_not_known_is_said(renamed: str) -> None:
    with pytest.raises(UnknownEvent, match=r"a/1 5: topic test\.other"):
        MAPPER.read("a/1", 5, "test.other", b"{%b}" % META)
    with pytest.raises(UnknownEvent, match="version 4"):
        MAPPER.read("a/1", 5, renamed, b'{"class_version":4,%b}' % META)


@pytest.mark.parametrize("state", [b"", b"{", b"{%b" % META, b"{%b,}" % META, b'{%b,"more":1}' % META, b"{}", b"\xff"])
def test_what_cannot_be_read_is_refused(state: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        MAPPER.read("a/1", 5, "notice.taken", state)


def test_the_place_is_the_row_s_whatever_the_state_says() -> None:
    state = b'{"originator_id":"b/2","originator_version":9,%b,"originator_id":"c/3"}' % META
    found = MAPPER.read("a/1", 5, "notice.taken", state)
    assert (found.originator_id, found.originator_version) == ("a/1", 5)

"""Whatever a decider may wait for releases those who wait."""

from __future__ import annotations

from domain.arrivals import AWAITED
from domain.catalogue import PAYLOADS
from infra.deciders import findings


def test_every_kind_of_stream_that_is_waited_for_is_looked_up() -> None:
    waited = {stream.partition("/")[0] for type_ in PAYLOADS for stream in findings(type_).waits}
    assert waited == AWAITED

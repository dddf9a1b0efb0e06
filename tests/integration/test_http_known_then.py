"""Lists of an earlier moment."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from infra.store import Store
from tests.integration.doors import doors
from tests.integration.region import APPROVAL, S1, usual
from tests.integration.test_http_cases import inspector
from tests.integration.teststore import TestStore

CALLERS = ("jw", APPROVAL, S1)


def test_as_known_then_is_what_was_answered_then(region: TestStore, outer: Store) -> None:
    """Whatever is asked later of a moment is what was answered in that moment."""
    inspector(region)
    region.project()
    answers: list[tuple[datetime, dict[str, Any]]] = []
    with doors(outer) as opened:

        def look() -> None:
            region.project()
            [(at,)] = region.connect().execute("SELECT max(recorded_at) FROM shenguan.stored_events").fetchall()
            answers.append((at, {caller: opened.get("/cases", caller)["items"] for caller in CALLERS}))

        submit = region.submit

        def submitted(*payloads: Any, **more: Any) -> Any:
            written = submit(*payloads, **more)
            look()
            return written

        region.submit = submitted  # type: ignore[method-assign]
        usual(region)
        for caller in CALLERS:
            assert len({len(items[caller]) for _, items in answers}) > 3
            for at, items in answers:
                assert opened.get("/cases", caller, as_known_at=at.isoformat())["items"] == items[caller]

"""Live streams by a real server, with intake and read models at work: written, decided, and seen."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx2
import pytest

from adapters.crypto.sealer import read_master_key
from adapters.http.sessions import Sessions
from domain.departments import RegisterDepartment
from infra.addresses import web_address, with_port
from infra.roles.api import ApiRole
from infra.roles.intake import IntakeRole
from infra.roles.projector import ProjectorRole
from infra.web import live
from infra.web.api import streams
from tests.integration.doors import ISSUER
from tests.integration.outlet_kit import TrackedStore, count, running, until
from tests.integration.region import APPROVAL, HIGHER, OFFICE, S1, S2, accept, decide, granted, receive
from tests.integration.streaming import Listener, listening
from tests.integration.teststore import TestStore, department


class Served:
    """The server's address, and callers."""

    def __init__(self, store: TrackedStore) -> None:
        self.address = web_address(store.settings)
        settings = store.settings
        self._sessions = Sessions(read_master_key(settings.ensure_master_key()), f"{settings.store}/{settings.sign_in}")

    def headers(self, *departments: str, seconds: int = 600, **more: str) -> dict[str, str]:
        claims = {"sub": f"{ISSUER} {departments[0]}.W01", "officer": "W01", "name": "巴特尔"}
        token = self._sessions.make({**claims, "departments": list(departments)}, seconds)
        return {"Authorization": f"Bearer {token}", **{name.replace("_", "-"): value for name, value in more.items()}}

    def listen(self, path: str, *caller: str, **headers: str) -> Any:
        return listening(f"{self.address}/api/v1{path}", self.headers(*caller, **headers))

    def post(self, path: str, caller: str, body: Any = None) -> Any:
        headers = self.headers(caller, Prefer="wait=20")
        found = httpx2.post(f"{self.address}/api/v1{path}", json=body, headers=headers, timeout=30)
        assert found.status_code == 200, found.text
        return found.json()


@pytest.fixture
def role(region: TestStore, outer: TrackedStore) -> ApiRole:
    region.submit(RegisterDepartment(department=OFFICE, entry=department("jw", "纪委", "DISCIPLINE")))
    outer.settings = with_port(outer.settings.model_copy(update={"http_port": 0}))
    return ApiRole(outer)


@pytest.fixture
def served(outer: TrackedStore, role: ApiRole) -> Iterator[Served]:
    with running(IntakeRole(outer), ProjectorRole(outer), role):
        made = Served(outer)
        until(lambda: _answers(made.address))
        yield made


def _answers(address: str) -> bool:
    try:
        return httpx2.get(f"{address}/api/v1/me").status_code == 401
    except httpx2.HTTPError:
        return False


def ready(*listeners: Listener) -> None:
    until(lambda: all("ready" in one.events for one in listeners))


def test_written_decided_and_seen(region: TestStore, served: Served) -> None:
    with (
        served.listen(f"/departments/{S1}/events", S1) as first,
        served.listen(f"/departments/{S2}/events", S2) as second,
        served.listen("/events", APPROVAL) as all_counts,
        served.listen("/events", S1) as own_counts,
    ):
        ready(first, second, all_counts, own_counts)
        granted(region, "1")
        until(lambda: first.of("notice.owed") and second.of("notice.owed"))
        [owed] = first.of("notice.owed")
        assert (owed.data["department"], owed.data["serial"], owed.data["status"]) == (S1, 1, "outstanding")
        assert served.post(f"/departments/{S1}/notices/1/receipt", S1)["disposition"] == "accepted"
        began = time.monotonic()
        until(lambda: first.of("notice.received"))
        assert time.monotonic() - began < 5
        [received] = first.of("notice.received")
        assert received.id > owed.id
        assert (received.data["status"], received.data["received_by"]) == ("received", "W01")
        assert received.data["received_by_name"] == "巴*"
        until(lambda: sum(one.data["departments"].get(S1, {}).get("notice.received", 0) for one in all_counts.told[1:]))
        assert {one.data["department"] for one in second.told[1:]} == {S2}
        assert not second.of("notice.received")
        seen = {code for one in all_counts.of("counts") for code in one.data["departments"]}
        assert seen == {S1, S2}
        until(lambda: own_counts.of("counts"))
        assert {code for one in own_counts.of("counts") for code in one.data["departments"]} == {S1}


def test_who_comes_back_is_told_what_he_missed(
    region: TestStore, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/departments/{S1}/events"
    with served.listen(path, S1) as before:
        ready(before)
        granted(region, "1")
        until(lambda: before.of("notice.owed"))
    last = before.told[-1].id
    granted(region, "2")
    granted(region, "3")
    region.submit(receive(S1, "test/d-2", region.now))
    until(lambda: _taken_in(region))
    with served.listen(path, S1, Last_Event_ID=str(last)) as after:
        ready(after)  # what the hub had not seen by then comes after it
        until(lambda: len(after.events) == 4)
        told = [one for one in after.told if one.event != "ready"]
        assert [one.event for one in told] == ["notice.owed", "notice.owed", "notice.received"]
        assert [one.data["serial"] for one in told] == [2, 3, 2]
        granted(region, "4")
        until(lambda: len(after.of("notice.owed")) == 3)
        ids = [one.id for one in after.told]
        assert ids == sorted(ids)
    with served.listen(f"{path}?after={after.told[-1].id}", S1) as none:
        ready(none)
        assert none.events == ["ready"]
    with served.listen(path, S1, Last_Event_ID=str(10**12)) as other_store:
        until(lambda: other_store.events == ["reset"])
    with served.listen("/events", S1, Last_Event_ID=str(last)) as counts:
        until(lambda: counts.events == ["reset"])
    with served.listen(path, "jw", Last_Event_ID=str(last)) as inspector:
        ready(inspector)
        handed = inspector.events.index("ready")
    assert handed
    query = "SELECT convert_from(state, 'UTF8')::jsonb FROM shenguan.stored_events WHERE topic = 'read.recorded'"
    [(read,)] = region.connect().execute(query).fetchall()
    assert read["rows"] == handed
    assert [one["name"] for one in read["parameters"]] == ["department", "after"]
    monkeypatch.setattr(live, "MISSED", 2)
    with served.listen(path, S1, Last_Event_ID=str(last)) as too_late:
        until(lambda: too_late.events == ["reset"])
        granted(region, "5")
        until(lambda: too_late.of("notice.owed"))


def _taken_in(region: TestStore) -> bool:
    head = count(region, "SELECT max(notification_id) FROM shenguan.stored_events")
    query = "SELECT notification_id FROM shenguan.notification_tracking WHERE application_name = 'receipts'"
    return count(region, query) == head


def test_who_is_too_slow_begins_anew(region: TestStore, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "QUEUED", 2)
    with served.listen(f"/departments/{S1}/events", S1) as slow:
        ready(slow)
        region.submit(*[make(f"m{number}") for number in range(6) for make in (accept, decide)])
        until(lambda: slow.ended)
    assert slow.events[-1] == "reset"


@pytest.mark.parametrize(
    ("path", "caller", "status"),
    [
        (f"/departments/{S1}/events", S2, 403),
        (f"/departments/{S1}/events", APPROVAL, 403),
        (f"/departments/{S1}/events", "operator", 403),
        ("/events", "operator", 403),
        (f"/departments/{S1}/events", S1, 200),
        (f"/departments/{S1}/events", "jw", 200),
        ("/events", HIGHER, 200),
    ],
)
def test_to_whom_what_is_told(region: TestStore, served: Served, path: str, caller: str, status: int) -> None:
    with served.listen(path, caller) as found:
        assert found.status == status
    recorded = count(region, "SELECT count(*) FROM shenguan.stored_events WHERE topic = 'read.recorded'")
    assert recorded == (caller == "jw")


@pytest.mark.parametrize("how", ["signed out", "expired"])
def test_a_stream_ends_with_its_session(served: Served, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    monkeypatch.setattr(streams, "HEARTBEAT_S", 0.3)
    path = f"/departments/{S1}/events"
    headers = served.headers(S1, seconds=3 if how == "expired" else 600)
    with listening(f"{served.address}/api/v1{path}", headers) as mine, served.listen(path, S1) as other:
        ready(mine, other)
        until(lambda: mine.beats)
        if how == "signed out":
            httpx2.post(f"{served.address}/signout", headers=headers)
        until(lambda: mine.ended)
        beats = other.beats
        until(lambda: other.beats > beats + 2)
        assert not other.ended


def test_two_hundred_listen_and_the_end_is_clean(
    region: TestStore, served: Served, role: ApiRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "HEARTBEAT_S", 0.3)
    before = threading.active_count()
    with ExitStack() as stack:
        path = f"/departments/{S1}/events"
        all_of_them = [stack.enter_context(served.listen(path, S1)) for _ in range(200)]
        ready(*all_of_them)
        assert threading.active_count() - before - len(all_of_them) < 50  # theirs are the test's own
        granted(region, "1")
        until(lambda: all(one.of("notice.owed") for one in all_of_them))
        until(lambda: all(one.beats for one in all_of_them))
        began = time.monotonic()
        role.stopped.set()
        until(lambda: all(one.ended for one in all_of_them))
        until(lambda: not _answers(served.address))
        assert time.monotonic() - began < 4

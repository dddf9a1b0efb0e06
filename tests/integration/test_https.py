"""Pushes over HTTPS to real servers: signed, in order, with evidence; and what becomes of them where a server is
unruly."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from infra.roles import dispatcher, pusher
from infra.roles.outlet import OutletRole
from infra.verify import verify
from infra.webhook_receiver import NotVerified, verify_webhook
from tests.integration.channel_kit import answer, command, life, standing, told_by
from tests.integration.outlet_kit import TrackedStore, events, fill, owe, running, serials, store_for, until
from tests.integration.region import S1, S2
from tests.integration.teststore import MASTER, TestStore
from tests.servers.web import Act, Authority, Server, drip, flood, silence, status


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def serve(authority: Authority) -> Iterator[Callable[..., Server]]:
    """Starts servers, by default with a certificate of the authority that is trusted."""
    with ExitStack() as stack:

        def start(*acts: Act, by: Authority = authority, host: str = "127.0.0.1") -> Server:
            server = stack.enter_context(Server(by.issue(host)).running())
            server.acts.extend(acts)
            return server

        yield start


@pytest.fixture
def pushing(
    region: TestStore, bootstrap: str, tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TrackedStore]:
    """A store that trusts the authority, gives a server a second, and does not wait long between attempts."""
    monkeypatch.setattr(pusher, "BACK_OFF", (0.05,))
    made = store_for(region, MASTER, bootstrap, tmp_path, ca_file=authority.file, push_seconds=1.0, channel_attempts=3)
    yield made
    made.close()


def secret(store: TrackedStore, department: str, *more: str) -> str:
    lines = command(store, "channels", "secret", department, *more).splitlines()
    return next(line for line in lines if line.startswith("whsec_"))


def clean(store: TestStore) -> bool:
    problems = verify(type("Urls", (), {"migrator_url": store.urls.migrator})()).problems
    assert problems == []
    return True


@pytest.mark.door("command")
@pytest.mark.clause("2.2h")
def test_a_department_is_pushed_to_in_order_with_signatures_and_evidence(
    region: TestStore, pushing: TrackedStore, serve: Callable[..., Server]
) -> None:
    """Another implementation of the signatures believes them; the command says how the channel does."""
    server = serve(status(200, x_request_id="theirs-1"))
    told_by(region, S1, "https", "letter", endpoint=server.url)
    key = secret(pushing, S1)
    with running(OutletRole(pushing)):
        owe(region, ["1", "2", "3"])
        until(lambda: len(life(region, S1)) == 6)
        until(lambda: not standing(pushing, S1)["https"]["waiting"])
    for number, request in enumerate(server.requests, start=1):
        told = Webhook(key).verify(request.body, request.headers)
        assert (told["id"], told["serial"]) == (f"{S1}/test/d-{number}", number)
        assert told["type"] == "cn.shenguan.notice.decision.v1"
        assert told["data"]["case"]["number"] == str(number)
        assert request.headers["webhook-id"] == told["id"]
        assert verify_webhook(key, request.headers, request.body, time.time()) == told["id"]
    assert sorted(life(region, S1), key=lambda one: one[1]) == [
        ("dispatched", 1, "https", "theirs-1"),
        ("delivered", 1, "https", "theirs-1"),
        ("dispatched", 2, "https", f"{S1}/test/d-2"),
        ("delivered", 2, "https", f"{S1}/test/d-2"),
        ("dispatched", 3, "https", f"{S1}/test/d-3"),
        ("delivered", 3, "https", f"{S1}/test/d-3"),
    ]
    found = standing(pushing, S1)
    assert list(found) == ["https", "letter"]
    assert (found["https"]["endpoint"], found["https"]["secret"]) == (server.url, True)
    assert found["https"]["sent_at"]
    assert key not in command(pushing, "channels")
    assert serials(pushing, S2) == [1, 2, 3]  # by Kafka, as ever
    assert clean(region)


def test_both_secrets_sign_while_one_replaces_the_other(
    region: TestStore, pushing: TrackedStore, serve: Callable[..., Server]
) -> None:
    server = serve()
    told_by(region, S1, "https", endpoint=server.url)
    forgotten, old, new = secret(pushing, S1), secret(pushing, S1), secret(pushing, S1)
    with running(OutletRole(pushing)):
        owe(region, ["1"])
        until(lambda: server.requests)
    request = server.requests[0]
    for key in (old, new):
        assert verify_webhook(key, request.headers, request.body, time.time())
    with pytest.raises(NotVerified, match="signature"):
        verify_webhook(forgotten, request.headers, request.body, time.time())
    command(pushing, "channels", "secret", "nobody", code=1)


@pytest.mark.door("command")
@pytest.mark.clause("2.2h", refused=True)
@pytest.mark.parametrize("wrong", ["authority", "address"])
def test_a_server_that_cannot_prove_who_it_is_is_told_nothing(
    region: TestStore, pushing: TrackedStore, serve: Callable[..., Server], tmp_path: Path, wrong: str
) -> None:
    (tmp_path / "other").mkdir()
    server = serve(by=Authority(tmp_path / "other")) if wrong == "authority" else serve(host="127.0.0.2")
    told_by(region, S1, "https", "kafka", endpoint=server.url)
    secret(pushing, S1)
    with running(OutletRole(pushing)):
        owe(region, ["1"])
        until(lambda: serials(pushing, S1))
        until(lambda: ("dispatched", 1, "kafka", None) in life(region, S1))
    assert server.requests == []
    assert life(region, S1)[0] == ("given_up", 1, "https", "exhausted")
    assert standing(pushing, S1)["https"]["error"] == "certificate"
    assert clean(region)


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (status(500), "HTTP 500"),
        (status(401), "HTTP 401"),
        (status(302, location="https://127.0.0.1:1/"), "HTTP 302"),
        (silence, "timeout"),
        (drip, "timeout"),
    ],
)
def test_what_may_pass_is_tried_again_in_order(
    region: TestStore, pushing: TrackedStore, serve: Callable[..., Server], act: Act, error: str
) -> None:
    server = serve(act, act)
    told_by(region, S1, "https", "letter", endpoint=server.url)
    secret(pushing, S1)
    with running(OutletRole(pushing)):
        owe(region, ["1", "2"])
        until(lambda: len(life(region, S1)) == 4)
    assert [json.loads(one.body)["serial"] for one in server.requests] == [1, 1, 1, 2]
    assert standing(pushing, S1)["https"]["failures"] is None
    assert standing(pushing, S1)["https"]["error"] == error  # seen afterwards
    assert clean(region)


def test_an_answer_without_end_is_not_read_to_its_end(
    region: TestStore, pushing: TrackedStore, serve: Callable[..., Server]
) -> None:
    server = serve(flood)
    told_by(region, S1, "https", endpoint=server.url)
    secret(pushing, S1)
    with running(OutletRole(pushing)):
        owe(region, ["1", "2"])
        until(lambda: len(life(region, S1)) == 4)
    assert len(server.requests) == 2


def test_a_server_may_say_how_long_to_wait(
    region: TestStore, pushing: TrackedStore, serve: Callable[..., Server]
) -> None:
    server = serve(status(429, retry_after="3600"))
    told_by(region, S1, "https", endpoint=server.url)
    secret(pushing, S1)
    with running(OutletRole(pushing)):
        owe(region, ["1"])
        until(lambda: standing(pushing, S1)["https"]["failures"])
    with region.connect() as conn:
        query = "SELECT extract(epoch FROM due_at - clock_timestamp()) FROM shenguan.delivery WHERE department = %s"
        (wait,) = conn.execute(query, (S1,)).fetchone() or (0,)
    assert wait > 3000


def test_the_next_channel_has_its_turn_after_so_many_failures(
    region: TestStore, pushing: TrackedStore, serve: Callable[..., Server]
) -> None:
    """A later notice is tried once more, for the server may be back; the other department is not held up."""
    server, other = serve(), serve()
    server.usual = status(503)
    told_by(region, S1, "https", "kafka", endpoint=server.url)
    told_by(region, S2, "https", endpoint=other.url)
    secret(pushing, S1), secret(pushing, S2)
    with running(OutletRole(pushing)):
        owe(region, ["1", "2"])
        until(lambda: serials(pushing, S1) == [1, 2])
        until(lambda: len(life(region, S2)) == 4)
        until(lambda: len(life(region, S1)) == 4)
        server.usual = status(200)
        owe(region, ["3"])
        until(lambda: ("delivered", 3, "https", f"{S1}/test/d-3") in life(region, S1))
    given = [one for one in life(region, S1) if one[0] == "given_up"]
    assert given == [("given_up", 1, "https", "exhausted"), ("given_up", 2, "https", "exhausted")]
    assert [json.loads(one.body)["serial"] for one in server.requests] == [1, 1, 1, 2, 3]
    assert clean(region)


def test_what_the_server_will_not_take_does_not_keep_back_the_rest(
    region: TestStore, pushing: TrackedStore, serve: Callable[..., Server]
) -> None:
    """Even where no channel is left: waiting would not make it take it."""
    server = serve(status(422))
    told_by(region, S1, "https", endpoint=server.url)
    secret(pushing, S1)
    with running(OutletRole(pushing)):
        owe(region, ["1", "2"])
        until(lambda: len(life(region, S1)) == 3)
    assert life(region, S1)[0] == ("given_up", 1, "https", "not_accepted")
    assert life(region, S1)[2] == ("delivered", 2, "https", f"{S1}/test/d-2")
    region.project()
    rows = region.rows("SELECT serial, given_up_channel, given_up_why FROM read.receipts ORDER BY serial", S1)
    assert rows == [(1, "https", "not_accepted"), (2, None, None)]
    assert clean(region)


def test_an_address_that_is_gone_is_left_alone_until_it_is_registered_anew(
    region: TestStore, pushing: TrackedStore, serve: Callable[..., Server]
) -> None:
    server = serve(status(410))
    told_by(region, S1, "https", endpoint=server.url)
    secret(pushing, S1)
    with running(OutletRole(pushing)):
        owe(region, ["1", "2"])
        until(lambda: standing(pushing, S1)["https"]["gone"] == server.url)
        assert standing(pushing, S1)["https"]["waiting"] == 2
        assert life(region, S1) == []  # it is the only channel: nothing is given up
        told_by(region, S1, "https", endpoint=server.url)
        fill(region)
        until(lambda: len(life(region, S1)) == 4)
    assert [json.loads(one.body)["serial"] for one in server.requests] == [1, 1, 2]
    assert clean(region)


def test_a_gone_address_gives_all_that_waits_to_the_next_channel(
    region: TestStore, pushing: TrackedStore, serve: Callable[..., Server]
) -> None:
    server = serve(status(410))
    told_by(region, S1, "https", "sms", "letter", endpoint=server.url)
    secret(pushing, S1)
    with running(OutletRole(pushing)):
        owe(region, ["1", "2"])
        until(lambda: len(life(region, S1)) == 2)
    assert {one[3] for one in life(region, S1)} == {"gone"}
    waiting = {name: row["waiting"] for name, row in standing(pushing, S1).items()}
    assert waiting == {"https": 0, "sms": 2, "letter": 2}
    assert clean(region)


def test_without_a_secret_nothing_is_pushed(
    region: TestStore, pushing: TrackedStore, serve: Callable[..., Server]
) -> None:
    server = serve()
    told_by(region, S1, "https", endpoint=server.url)
    with running(OutletRole(pushing)):
        owe(region, ["1"])
        until(lambda: (standing(pushing, S1)["https"]["failures"] or 0) >= 3)
        assert standing(pushing, S1)["https"]["error"] == "no_secret"
        assert server.requests == []
        secret(pushing, S1)
        told_by(region, S1, "https", endpoint=server.url)
        until(lambda: len(life(region, S1)) == 2)


def unmade(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The departments whose topics cannot be made, for as long as they are listed; there is one."""
    monkeypatch.setattr(dispatcher, "BACK_OFF", (0.05,))
    there, broken = dispatcher.NoticeTopics.ids, [S1]

    def without(self: Any, departments: Any, registers: Any) -> dict[str, str]:
        return {name: id_ for name, id_ in there(self, departments, registers).items() if name not in broken}

    monkeypatch.setattr(dispatcher.NoticeTopics, "ids", without)
    return broken


def test_what_was_given_up_has_its_turn_again_where_the_new_order_has_nothing_else(
    region: TestStore, pushing: TrackedStore, serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = unmade(monkeypatch)
    server = serve()
    server.usual = status(503)
    told_by(region, S1, "kafka", "https", endpoint=server.url)
    secret(pushing, S1)
    with running(OutletRole(pushing)):
        owe(region, ["1"])
        until(lambda: (standing(pushing, S1)["https"]["failures"] or 0) >= 3)
        told_by(region, S1, "kafka")
        fill(region)
        until(lambda: life(region, S1)[1:] == [("given_up", 1, "https", "unregistered")])
        until(lambda: (standing(pushing, S1)["kafka"]["failures"] or 0) >= 3)
        told_by(region, S1, "https", endpoint=server.url)
        fill(region)
        until(lambda: life(region, S1)[2:] == [("given_up", 1, "kafka", "exhausted")])
        told_by(region, S1, "kafka")
        broken.clear()
        fill(region)
        until(lambda: serials(pushing, S1) == [1])
        until(lambda: life(region, S1)[4:] == [("dispatched", 1, "kafka", None)])
    assert clean(region)


def test_what_waits_for_a_broken_channel_goes_by_the_only_one_of_the_new_order(
    region: TestStore, pushing: TrackedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    unmade(monkeypatch)
    told_by(region, S1, "kafka")
    with running(OutletRole(pushing)):
        owe(region, ["1", "2"])
        until(lambda: (standing(pushing, S1)["kafka"]["failures"] or 0) >= 3)
        told_by(region, S1, "letter")
        fill(region)
        until(lambda: len(life(region, S1)) == 2)
    assert {name: row["waiting"] for name, row in standing(pushing, S1).items()} == {"letter": 2}
    assert clean(region)


def test_kafka_too_is_given_up_for_what_comes_next(
    region: TestStore, pushing: TrackedStore, serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    unmade(monkeypatch)
    server = serve()
    told_by(region, S1, "kafka", "https", endpoint=server.url)
    secret(pushing, S1)
    with running(OutletRole(pushing)):
        owe(region, ["1"])
        until(lambda: len(life(region, S1)) == 3)
        until(lambda: serials(pushing, S2) == [1])
    assert life(region, S1)[0] == ("given_up", 1, "kafka", "exhausted")
    assert clean(region)


def test_a_channel_that_breaks_down_stops_itself_only_and_says_so(
    region: TestStore, pushing: TrackedStore, serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    told_by(region, S1, "https", endpoint=serve().url)
    secret(pushing, S1)
    monkeypatch.setattr(pusher.Pusher, "_begin", lambda *_: 1 / 0)
    with running(OutletRole(pushing)):
        owe(region, ["1"])
        until(lambda: serials(pushing, S2) == [1])

        def stopped() -> bool:
            workers = answer(pushing)["workers"]
            return [one["channel"] for one in workers if "ZeroDivisionError" in (one["error"] or "")] == ["https"]

        until(stopped)
    assert events(region, "notice.dispatched") == 1

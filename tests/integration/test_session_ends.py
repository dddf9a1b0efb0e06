"""Sessions end for whoever has a copy of their token, at every server of a store: by signing out, by an operator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.store import Store
from infra.web.identity import COOKIE, Identity, Known
from tests.integration.channel_kit import command
from tests.integration.doors import Doors, doors
from tests.integration.outlet_kit import TrackedStore, count, until
from tests.integration.region import S1, S2
from tests.integration.teststore import TestStore

SUBJECT = "https://id.example u-1"
PAGE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def servers(region: TestStore, outer: Store) -> Iterator[tuple[Doors, Doors]]:
    """Two of one store; both have been asked before anything ends."""
    with doors(outer) as one, doors(outer) as other:
        assert [status(server, session(one)) for server in (one, other)] == [200, 200]
        yield one, other


def session(server: Doors, *departments: str, officer: str = "W01", subject: str = SUBJECT, seconds: int = 600) -> str:
    identity: Identity = server.app.state.identity
    return identity.begin(Known(subject, officer, "巴特尔", departments or (S1,)), seconds)


def status(server: Doors, token: str) -> int:
    return server.client.get("/api/v1/me", headers={"Cookie": f"{COOKIE}={token}"}).status_code


def sign_out(server: Doors, token: str) -> None:
    headers = {**PAGE, "Cookie": f"{COOKIE}={token}"}
    assert server.client.post("/signout", headers=headers, follow_redirects=False).status_code == 303


def test_a_copied_cookie_is_worth_nothing_after_signing_out(servers: tuple[Doors, Doors], outer: Store) -> None:
    one, other = servers
    mine, elsewhere = session(one), session(one)
    sign_out(one, mine)
    assert status(one, mine) == 401
    until(lambda: status(other, mine) == 401, 5)
    assert [status(server, elsewhere) for server in servers] == [200, 200]
    sign_out(other, mine)  # once more does no harm
    with doors(outer) as begun_later:
        assert status(begun_later, mine) == 401
        assert status(begun_later, elsewhere) == 200


def test_a_token_of_the_demonstration_is_signed_out_as_well(servers: tuple[Doors, Doors]) -> None:
    one, _ = servers
    headers = {"Authorization": f"Bearer {session(one)}"}
    assert one.client.get("/api/v1/me", headers=headers).status_code == 200
    one.client.post("/signout", headers=headers, follow_redirects=False)
    assert one.client.get("/api/v1/me", headers=headers).status_code == 401


def test_what_is_no_session_ends_nothing(servers: tuple[Doors, Doors], region: TestStore) -> None:
    one, _ = servers
    for wrong in ("planted", session(one) + "x", session(one, seconds=-1)):
        sign_out(one, wrong)
    assert count(region, "SELECT count(*) FROM shenguan.session_end") == 0


@pytest.mark.parametrize("whose", [("--department", S2, "--officer", "W01"), ("--subject", SUBJECT)])
def test_an_operator_ends_all_sessions_of_somebody(
    servers: tuple[Doors, Doors], outer: TrackedStore, whose: tuple[str, ...]
) -> None:
    one, other = servers
    his = [session(one, S1, S2), session(other, S2)]
    others = [
        session(one, S1, officer="W02", subject="https://id.example u-2"),
        session(one, S2, officer="W02", subject="https://id.example u-3"),
        session(one, S1, subject="https://id.example u-4"),
    ]
    assert {status(server, token) for server in servers for token in his + others} == {200}
    command(outer, "sessions", "end", *whose)
    for server in servers:
        until(lambda server=server: {status(server, token) for token in his} == {401}, 5)
        assert {status(server, token) for token in others} == {200}
        assert status(server, session(server, S1, S2)) == 200  # he may sign in again
    again = session(one, S2)
    command(outer, "sessions", "end", *whose)
    until(lambda: status(other, again) == 401, 5)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ((), 2),
        (("--officer", "W01"), 2),
        (("--department", S1), 2),
        (("--department", S1, "--officer", "W01", "--subject", SUBJECT), 2),
        (("--department", "nowhere", "--officer", "W01"), 1),
    ],
)
def test_it_must_be_said_whose(outer: TrackedStore, region: TestStore, given: tuple[str, ...], code: int) -> None:
    command(outer, "sessions", "end", *given, code=code)
    assert count(region, "SELECT count(*) FROM shenguan.session_end") == 0


def test_what_is_over_anyway_is_forgotten(servers: tuple[Doors, Doors], region: TestStore) -> None:
    one, _ = servers
    short = session(one, seconds=4)
    sign_out(one, short)
    assert count(region, "SELECT count(*) FROM shenguan.session_end") == 1
    until(lambda: count(region, "SELECT count(*) FROM shenguan.session_end WHERE until < now()"))
    assert status(one, short) == 401
    sign_out(one, session(one))
    assert count(region, "SELECT count(*) FROM shenguan.session_end") == 1

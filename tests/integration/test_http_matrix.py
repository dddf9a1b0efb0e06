"""Every door of the API × every role × its own department and one that nothing concerns: let in or refused as the
domain's table says, and shown what row-level security shows of the read models. Doors are found, not listed here: a new
one is asked too, and needs a line here only where its address has a parameter that is not known yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter

from adapters.http import cursors
from domain.access import READS, Area, Reader
from domain.departments import RegisterDepartment
from domain.permits import ChangeCase
from domain.submissions import BEIJING
from infra.servers.broker import EmbeddedBroker
from infra.web.matrix import API, READERS, Door, NoArea, all_doors, doors_of, page
from tests.integration.doors import Doors, doors
from tests.integration.outlet_kit import store_for
from tests.integration.region import (
    APPROVAL,
    DAY,
    HIGHER,
    MATTER,
    OFFICE,
    S1,
    accept,
    case,
)
from tests.integration.stages import complete
from tests.integration.teststore import MASTER, TestStore, department

OWN: dict[Reader, str] = {
    "APPROVAL": APPROVAL,
    "SUPERVISION": S1,
    "HIGHER_AUTHORITY": HIGHER,
    "REFORM_OFFICE": OFFICE,
    "REVIEW_ORGAN": "sfj",
    "DISCIPLINE": "jw",
    "PLATFORM": "pt",
    "OPERATOR": "operator",
}
"""Of each role a department that has to do with the cases."""
WALKED = 4
"""Rows of a list that are asked for one by one."""
STRANGERS: dict[Reader, str] = {role: f"{role.lower()[:6]}9" for role in READERS if role != "OPERATOR"}
"""And one that has not."""
VALUES = {
    "department": S1,
    "organ": APPROVAL,
    "supervisor": S1,
    "number": "1",
    "serial": "1",
    "matter": MATTER,
    "position": "1",
    "id": "asked-1",
    "path": "0/000.p/1",
    "size": "1",
    "month": f"{datetime.now(BEIJING):%Y-%m}",
}
"""For parameters of addresses: of something that is there."""
PARAMS: dict[str, dict[str, str]] = {
    "/cases/{organ}/{number}/difference": {"from": "2026-01-01", "to": "2026-12-31"},
    "/log/growth": {"first": "1"},
}
"""By path, what must be asked with."""
SAMPLES: dict[str, dict[str, str]] = {"/log/tile/entries/{path}": {"path": "000.p/1"}}
"""By path, where these values are of nothing."""
ROWS: dict[Area, tuple[str, tuple[str, ...]]] = {
    "cases": ("approvals", ("organ", "number")),
    "notices": ("receipts", ("notice",)),
    "licences": ("approvals", ("organ", "number")),
    "inspections": ("inspections", ("department", "number")),
    "ratings": ("ratings", ("position",)),
    "attempts": ("attempts", ("position",)),
    "risks": ("risks", ("position",)),
}
"""Of an area the read model in which its rows lie, and by what they are known again there."""
WHOLE = {"/notices", "/ratings", "/risks"}
"""Lists that, without filters, are just the read model's rows."""


@pytest.fixture(scope="module")
def region(kept: Callable[..., TestStore]) -> TestStore:
    region = kept(complete)
    region.submit(
        *(
            RegisterDepartment(department=OFFICE, entry=department(code, f"旁{code}", role))  # type: ignore[arg-type]
            for role, code in STRANGERS.items()
        )
    )
    wrong = accept("w1").model_copy(update={"accepted_on": date(2027, 1, 1)})
    region.submit(wrong, expect="dead")
    region.submit(case(ChangeCase, "zz", on=DAY, document_number="x", content="y"), expect="parked")
    region.submit(accept("50").model_copy(update={"accepted_on": date(2026, 1, 1)}))  # a signal
    region.project()
    region.prove(limit=1, batches=1)
    region.prove()
    with region.connect() as conn:
        conn.execute(
            "INSERT INTO shenguan.http_request (caller, key, digest, id, type, department, occurred_at)"
            " VALUES ('a b', 'k', '', 'asked-1', 'case.accept', %s, now())",
            (APPROVAL,),
        )
    return region


@pytest.fixture(scope="module")
def opened(
    region: TestStore, embedded_broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Doors]:
    path = tmp_path_factory.mktemp("matrix")
    with (
        closing(store_for(region, MASTER, embedded_broker.bootstrap_servers, path)) as outer,
        doors(outer) as made,
    ):
        yield made


def reads(opened: Doors) -> list[Door]:
    """All but the live streams, which have no end to wait for."""
    found = [door for door in doors_of(opened.app.routes) if door.method == "GET"]
    return [door for door in found if not streams(opened, door)]


def live(opened: Doors) -> list[Door]:
    return [door for door in doors_of(opened.app.routes) if streams(opened, door)]


def address(door: Door) -> str:
    known = VALUES | SAMPLES.get(door.path, {})
    try:
        return API + door.path.format(**known)
    except KeyError as missing:
        pytest.fail(f"{door.path}: say in VALUES or SAMPLES what to ask for as {missing}")


def streams(opened: Doors, door: Door) -> bool:
    """Whether it is a live stream."""
    answers = opened.app.openapi()["paths"].get(API + door.path, {}).get("get", {}).get("responses", {})
    return "text/event-stream" in answers.get("200", {}).get("content", {})


def ask(opened: Doors, door: Door, code: str, **params: Any) -> Any:
    params = PARAMS.get(door.path, {}) | params
    return opened.client.get(address(door), params=params, headers=opened.headers(code))


def items(opened: Doors, door: Door, code: str) -> list[dict[str, Any]] | None:
    """All rows of a list; None where the door is none."""
    found, cursor = [], None
    while True:
        answer = ask(opened, door, code, **({"cursor": cursor} if cursor else {}))
        made = answer.json() if answer.headers["content-type"] == "application/json" else None
        if answer.status_code != 200 or not isinstance(made, dict) or "items" not in made:
            return None
        found += made["items"]
        if (cursor := made.get("next")) is None:
            return found


def test_every_list_goes_on_where_it_says(opened: Doors) -> None:
    gone_on = set()
    for door in reads(opened):
        whole = ask(opened, door, "jw", limit=500)
        if whole.status_code != 200 or not isinstance(made := _json(whole), dict) or "scanned" not in made:
            continue
        rows, cursor = [], None
        while True:
            found = ask(opened, door, "jw", limit=1, **({"cursor": cursor} if cursor else {}))
            assert found.status_code == 200, (door.path, found.text)
            rows += found.json()["items"]
            assert len(rows) <= WALKED + 1, door.path
            if (cursor := found.json()["next"]) is None or len(rows) > WALKED:
                break
            gone_on.add(door.path)
        if not door.path.startswith("/reads"):  # each page of that is one more
            assert rows == made["items"][: len(rows)], door.path
            assert cursor is not None or len(rows) == len(made["items"]), door.path
    assert {"/risks", "/registers/matching", "/registers/liaisons", "/notices", "/reads"} <= gone_on
    for text in ("a\0", "\ud800"):  # as nobody was given it
        for name, path in (("departments", "/registers/departments"), ("matters", "/registers/matters")):
            found = opened.get(path, "jw", 422, cursor=cursors.write(name, [text]))
            assert found["faults"][0]["rule"] == "cursor.shape"


def _json(answer: Any) -> Any:
    return answer.json() if answer.headers["content-type"] == "application/json" else None


def test_every_door_is_of_an_area_or_said_to_be_open() -> None:
    assert {area for door in all_doors() for area in door.areas} <= READS.keys()
    router = APIRouter()

    @router.get("/everything")
    def everything_there_is() -> str:
        return "all of it"

    with pytest.raises(NoArea, match="GET /everything"):
        doors_of(router.routes, "")


def test_the_page_has_every_door_of_the_application(opened: Doors) -> None:
    written = (Path(__file__).parents[2] / "docs" / "reference" / "http-access.md").read_text(encoding="utf-8")
    assert written == page(), "run `shenguan schemas` and commit"
    for door in doors_of(opened.app.routes):
        assert f"| `{door.method} {API}{door.path}` |" in written


@pytest.mark.parametrize("role", READERS)
def test_let_in_or_refused(opened: Doors, role: Reader) -> None:
    wrong = []
    for door in (*reads(opened), *live(opened)):
        allowed = door.scope(role) is not None
        for code in {OWN[role], STRANGERS.get(role, OWN[role])}:
            if allowed and streams(opened, door):
                continue
            found = ask(opened, door, code).status_code
            # of a single thing, whoever is let in may find that it is not his
            expected = {200, 404} if "{" in door.path else {200}
            if door.open == "anybody":
                expected = {200, 503}  # not before it is whole
            if found not in (expected if allowed else {403}):
                wrong.append((door.path, code, found))
    assert not wrong


def test_nobody_without_signing_in(opened: Doors) -> None:
    wrong = []
    for door in doors_of(opened.app.routes):
        sent = {} if door.method == "GET" else {"json": {}}
        found = opened.client.request(door.method, address(door), **sent).status_code  # type: ignore[arg-type]
        if (found != 401) != (door.open == "anybody"):
            wrong.append((door, found))
    assert not wrong


def test_what_is_asked_for_is_there(opened: Doors) -> None:
    """Else all these tests would say little."""
    missing = [door.path for door in reads(opened) if "{" in door.path and ask(opened, door, "jw").status_code != 200]
    assert not missing, "say in SAMPLES what there is"
    filled = {area for door in reads(opened) for area in door.areas if items(opened, door, "jw")}
    assert filled >= {area for door in reads(opened) for area in door.areas} - {"operations", "submissions", "entries"}


@pytest.mark.parametrize("role", STRANGERS)
def test_a_department_that_nothing_concerns_sees_nothing_of_others(opened: Doors, role: Reader) -> None:
    wrong = []
    for door in reads(opened):
        if door.scope(role) != "own" or streams(opened, door):
            continue
        if "{" in door.path:
            if ask(opened, door, STRANGERS[role]).status_code != 404:
                wrong.append((door.path, "found"))
        elif items(opened, door, STRANGERS[role]):
            wrong.append((door.path, "rows"))
    assert not wrong


@pytest.mark.parametrize("role", READERS)
def test_rows_are_those_that_the_readers_role_is_shown(opened: Doors, region: TestStore, role: Reader) -> None:
    wrong = []
    for door in reads(opened):
        scope = door.scope(role)
        if scope is None or len(door.areas) != 1 or door.areas[0] not in ROWS:
            continue
        table, keys = ROWS[door.areas[0]]
        for code in {OWN[role], STRANGERS.get(role, OWN[role])}:
            rows = items(opened, door, code)
            if rows is None or any(not row.keys() >= set(keys) for row in rows):
                continue
            query = f"SELECT {', '.join(keys)} FROM read.{table}"
            seen = set(region.rows(query, "*" if scope == "all" else code))
            shown = {tuple(row[key] for key in keys) for row in rows}
            if not shown <= seen or (door.path in WHOLE and shown != seen):
                wrong.append((door.path, code, shown ^ seen))
    assert not wrong


def test_nobody_speaks_for_another_department(opened: Doors) -> None:
    headers = opened.headers(S1)
    headers["Shenguan-Department"] = APPROVAL
    wrong = [
        door.path
        for door in reads(opened)
        if door.open != "anybody" and opened.client.get(address(door), headers=headers).status_code != 403
    ]
    assert not wrong


def test_readers_are_shown_nothing_beside_the_read_models(opened: Doors, region: TestStore) -> None:
    """Dead letters, what is parked, submissions, the log, keys: the readers' role has no way to them."""
    tables = [
        row[0]
        for row in region.rows(
            "SELECT c.oid::regclass::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
            " WHERE n.nspname IN ('shenguan', 'vault') AND c.relkind IN ('r', 'v', 'p')"
            " AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')"
        )
    ]
    assert tables == []
    unguarded = region.rows(
        "SELECT c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'read' AND c.relkind = 'r' AND NOT c.relrowsecurity"
    )
    assert unguarded == []

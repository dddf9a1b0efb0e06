"""What follows from the registers over HTTP: handovers, blanks, successions, subscriptions, placements, documents and
tasks of the reform, as the terminal has them, and of classified matters nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from domain.documents import PolicyDocument
from domain.duties import Duty
from domain.guides import Guide
from domain.handovers import SignHandover
from domain.identifiers import make_matter_code, make_uscc
from domain.matters import Matter, RegisterMatter
from domain.placements import Placement
from domain.registering import EnterRegister
from infra.store import Store
from tests.integration.doors import Doors, doors
from tests.integration.region import APPROVAL, DAY, FORMER, HIGHER, MATTER, OFFICE, OWN_MATTER, S1, S2
from tests.integration.test_queries import ask_json
from tests.integration.test_registers import moment_after
from tests.integration.teststore import TestStore

NUMBER = "内政办发〔2020〕9号"
ELSEWHERE = make_matter_code(make_uscc("11150200000000002"), 3, MATTER[19:])
ON = {"as_true_at": "2026-06-01"}


@pytest.fixture
def region(every: TestStore) -> TestStore:
    return every


@pytest.fixture
def opened(region: TestStore, outer: Store) -> Iterator[Doors]:
    matter = Matter(code=ELSEWHERE, name="施工许可", competent=FORMER, legal_basis=f"建筑法，{NUMBER}")
    duty = Duty(code="R1", name="印制证照", responsible=APPROVAL, overseer=OFFICE, due_on=date(2026, 5, 1))
    document = PolicyDocument(
        code="D1", number=NUMBER, title="通知", issuer="自治区政府办公厅", issued_on=date(2020, 4, 30)
    )
    placed = Placement(
        matter=OWN_MATTER, organ=FORMER, section="审批科", in_hall=True, windows=("A1",), online=True, monitored=False
    )
    guide = Guide(matter=MATTER, elements=("申请表",), steps=("受理", "决定"), promised_days=10)
    other = guide.model_copy(update={"matter": ELSEWHERE, "promised_days": 20})
    region.submit(
        RegisterMatter(department=OFFICE, entry=matter),
        *(
            EnterRegister(department=OFFICE, entry=one, valid_from=DAY, basis="四")
            for one in (document, duty, placed, guide, other)
        ),
    )
    with doors(outer) as made:
        yield made


@pytest.mark.parametrize(
    ("path", "command"),
    [
        ("/registers/handovers", ["handovers"]),
        ("/registers/blanks", ["blanks"]),
        ("/registers/successions", ["successions"]),
        ("/subscriptions", ["subscriptions"]),
        ("/registers/placements", ["placements"]),
        ("/consultations", ["consultations"]),
        ("/registers/unlike", ["unlike"]),
        ("/registers/duties", ["duties"]),
        ("/registers/documents", ["documents"]),
        ("/registers/citations", ["documents", "--impact", NUMBER]),
    ],
)
def test_the_terminal_says_the_same(opened: Doors, region: TestStore, path: str, command: list[str]) -> None:
    told = ask_json(region, *command)["items"]
    assert told
    found = opened.get(path, "jw", limit=500)["items"]
    assert [{key: one[key] for key in told[0]} for one in found] == sorted(told, key=lambda one: _order(found, one))


def _order(found: list[dict[str, Any]], row: dict[str, Any]) -> int:
    """Where the row stands among those found; lists are ordered by what identifies a row."""
    return next((place for place, one in enumerate(found) if row.items() <= one.items()), len(found))


@pytest.mark.clause("2.1c")
def test_a_handover_goes_on_with_its_signatures(opened: Doors, region: TestStore) -> None:
    [one] = opened.get("/registers/handovers", S1, incomplete=True, **ON)["items"]
    assert (one["matter"], one["progress"], one["signed"]) == (MATTER, "drawn", [FORMER])
    assert one["items"] == [{"kind": "archive", "title": "档案", "copies": 9}]
    assert opened.get("/registers/handovers", S1, department=S1, **ON)["items"] == []
    headers = opened.headers(S1)
    path = "/api/v1/registers/handovers?as_true_at=2026-06-01"
    headers["If-None-Match"] = opened.client.get(path, headers=headers).headers["etag"]
    assert opened.client.get(path, headers=headers).status_code == 304
    region.submit(SignHandover(department=APPROVAL, giver=FORMER, number="J1"))
    again = opened.client.get(path, headers=headers)  # no register was written, and yet it is another answer
    assert again.json()["items"][0]["progress"] == "complete"
    assert opened.get("/registers/handovers", S1, incomplete=True, **ON)["items"] == []


@pytest.mark.clause("2.5c")
def test_blanks_as_known_before_one_was_used(opened: Doors, region: TestStore) -> None:
    found = {one["series"]: one for one in opened.get("/registers/blanks", "pt", department=APPROVAL)["items"]}
    assert (found["A"]["total"], found["A"]["issued"], found["A"]["left"], found["A"]["runs"]) == (3, 1, 2, [[1, 3]])
    with region.connect() as conn:
        row = conn.execute("SELECT recorded_at FROM shenguan.stored_events WHERE topic = 'blanks.used'").fetchone()
    assert row is not None
    before = {"as_known_at": (row[0] - timedelta(microseconds=1)).isoformat()}
    assert [one["issued"] for one in opened.get("/registers/blanks", "pt", **before)["items"]] == [0, 0]
    assert opened.get("/registers/blanks", "pt", department=S1)["items"] == []


def test_successions_and_how_far_they_were_carried_out(opened: Doors) -> None:
    [one] = opened.get("/registers/successions", "pt")["items"]
    assert (one["old"], one["to"], one["since"], one["matters"]) == ("s3", S1, DAY.isoformat(), [])
    assert one["through"] >= 1
    assert opened.get("/registers/successions", "pt", department=S2)["items"] == []


@pytest.mark.clause("2.2i")
def test_subscriptions_are_a_departments_own(opened: Doors) -> None:
    [one] = opened.get("/subscriptions", S1)["items"]
    assert (one["number"], one["matters"], one["complete"]) == ("1", [MATTER], True)
    assert opened.get("/subscriptions", S2)["items"] == []
    assert opened.get("/subscriptions", S2, department=S1)["items"] == []
    assert opened.get("/subscriptions", S1, department=S2)["items"] == []
    for caller in (OFFICE, "jw"):
        assert opened.get("/subscriptions", caller, department=S1)["items"] == [one]
    for caller in (APPROVAL, HIGHER, "pt", "operator"):
        opened.get("/subscriptions", caller, 403)


@pytest.mark.clause("4.3a")
def test_consultations_are_the_parties(opened: Doors, region: TestStore) -> None:
    [one] = opened.get("/consultations", HIGHER)["items"]
    assert (one["asker"], one["number"], one["to"], one["case"]) == (APPROVAL, "S1", HIGHER, f"{APPROVAL}/1")
    assert (one["status"], one["steps"]) == ("closed", 5)
    for caller in (APPROVAL, "jw"):
        assert opened.get("/consultations", caller, department=HIGHER)["items"] == [one]
    assert opened.get("/consultations", S1)["items"] == []
    assert opened.get("/consultations", "jw", status="open")["items"] == []
    with region.connect() as conn:
        row = conn.execute(
            "SELECT recorded_at FROM shenguan.stored_events WHERE topic = 'consultation.asked'"
        ).fetchone()
    assert row is not None
    [then] = opened.get("/consultations", APPROVAL, as_known_at=row[0].isoformat(), status="open")["items"]
    assert then["steps"] == 1
    for caller in (OFFICE, "pt", "operator"):
        opened.get("/consultations", caller, 403)


@pytest.mark.clause("3.2a")
def test_what_is_wanting_where_matters_are_handled(opened: Doors) -> None:
    found = {one["matter"]: one for one in opened.get("/registers/placements", S1, **ON)["items"]}
    assert (found[OWN_MATTER]["section"], found[OWN_MATTER]["wanting"]) == ("审批科", ["monitored"])
    assert (found[ELSEWHERE]["section"], found[ELSEWHERE]["wanting"]) == (None, ["placement"])
    assert MATTER not in found  # is transferred
    assert opened.get("/registers/placements", S1, holder=APPROVAL, **ON)["items"] == []


@pytest.mark.clause("5.2a")
def test_tasks_of_the_reform_by_their_status(opened: Doors) -> None:
    [late] = opened.get("/registers/duties", S1, status="overdue", **ON)["items"]
    assert (late["code"], late["responsible"]) == ("R1", APPROVAL)
    assert opened.get("/registers/duties", S1, status="overdue", as_true_at="2026-04-01")["items"] == []
    assert opened.get("/registers/duties", S1, responsible=S1, **ON)["items"] == []


@pytest.mark.clause("5.3a")
def test_what_rests_on_a_document(opened: Doors) -> None:
    [one] = opened.get("/registers/documents", S1, **ON)["items"]
    found = opened.get("/registers/citations", S1, document="内政办发[2020]9号", **ON)["items"]
    assert {(row["kind"], row["key"]) for row in found} == {("matter", ELSEWHERE), ("transfer", MATTER)}
    assert (one["number"], one["affects"], one["status"]) == (NUMBER, 2, "in_force")
    assert opened.get("/registers/citations", S1, document="别的", **ON)["items"] == []


@pytest.mark.clause("3.1b")
def test_of_classified_matters_nothing_is_shown(opened: Doors, region: TestStore) -> None:
    before = moment_after(region)  # when it was not classified yet
    paths = ("unlike", "placements", "documents", "citations", "successions", "handovers")
    [like] = opened.get("/registers/unlike", S1, **ON)["items"]
    assert (like["differs"], set(like["matters"])) == (["promised_days"], {MATTER, ELSEWHERE})
    entry = opened.app.state.registry.now().matters[ELSEWHERE].entry
    region.submit(RegisterMatter(department=OFFICE, entry=entry.model_copy(update={"classified": True})))
    for path in paths:
        assert ELSEWHERE not in str(opened.get(f"/registers/{path}", S1, **ON)["items"]), path
        assert ELSEWHERE not in str(opened.get(f"/registers/{path}", S1, as_known_at=before, **ON)["items"]), path
    [one] = opened.get("/registers/documents", S1, **ON)["items"]
    assert one["affects"] == 1
    [one] = opened.get("/registers/documents", OFFICE, **ON)["items"]
    assert one["affects"] == 2


@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonl"])
@pytest.mark.parametrize("path", ["/registers/handovers", "/subscriptions", "/registers/citations"])
def test_as_a_file(opened: Doors, path: str, form: str) -> None:
    found = opened.client.get(f"/api/v1{path}?format={form}", headers=opened.headers(S1))
    assert found.status_code == 200
    if form == "csv":
        assert MATTER in found.text

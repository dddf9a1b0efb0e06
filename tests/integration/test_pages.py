"""The pages without a browser: whose they are, that their addresses are their state, that they show what lists show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from domain.matters import RegisterMatter
from infra.store import Store
from infra.web.pages.cells import case_path, link
from infra.web.pages.lists import LABELS, PAGES
from infra.web.pages.page import PLACES, path_of
from infra.web.provider_sign_in import inside
from tests.integration.doors import Doors, doors
from tests.integration.region import APPROVAL, MATTER, OFFICE, S1, S2
from tests.integration.test_registers import moment_after
from tests.integration.teststore import TestStore

FORBIDDEN = re.compile(r"\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=\"/static/)|https?://")
HTML = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def region(every: TestStore) -> TestStore:
    return every


@pytest.fixture
def opened(region: TestStore, outer: Store) -> Iterator[Doors]:
    region.project()
    with doors(outer) as made:
        yield made


def page(opened: Doors, path: str, caller: str | None, code: int = 200) -> str:
    """Its text; checks its status."""
    headers = {**HTML, **(opened.headers(caller) if caller is not None else {})}
    found = opened.client.get(path, headers=headers, follow_redirects=False)
    assert found.status_code == code, found.text
    return found.text if code != 303 else found.headers["location"]


def classify(opened: Doors, region: TestStore) -> None:
    entry = opened.app.state.registry.now().matters[MATTER].entry
    region.submit(RegisterMatter(department=OFFICE, entry=entry.model_copy(update={"classified": True})))


def numbers(text: str) -> list[int]:
    return [int(found) for found in re.findall(r'href="/inbox/(\d+)">\1<', text)]


def test_who_is_not_signed_in_is_led_to_signing_in(opened: Doors) -> None:
    assert page(opened, "/inbox?about=decision", None, 303) == "/signin?next=/inbox%3Fabout%3Ddecision"
    assert opened.client.get("/inbox", follow_redirects=False).status_code == 401  # a program is told so
    for away in ("//elsewhere.example", "https://elsewhere.example", "/\\elsewhere.example", "/\t/elsewhere.example"):
        assert inside(away) == "/"
    assert inside("/inbox?about=decision") == "/inbox?about=decision"


def test_the_navigation_is_what_one_may_read_and_all_of_it_opens(opened: Doors) -> None:
    for caller in (APPROVAL, S1, OFFICE, "jw", "operator"):
        first = page(opened, page(opened, "/", caller, 303), caller)
        nav = first[first.index("<nav") : first.index("</nav>")]
        offered = set(re.findall(r'<a href="([^"]+)"', nav))
        assert offered
        for place in PLACES:
            if place.path != "/inbox" or caller != "jw":  # nothing is ever owed to it
                page(opened, place.path, caller, 200 if place.path in offered else 403)


def test_an_inbox_is_of_ones_own_department(opened: Doors) -> None:
    own = opened.get("/notices", S1, status="outstanding", department=S1)["items"]
    assert numbers(page(opened, "/inbox", S1)) == sorted(one["serial"] for one in own)
    others = opened.get("/notices", "jw", department=S2, limit=500)["items"]
    beyond = max(one["serial"] for one in others) + 100
    page(opened, f"/inbox/{beyond}", S1, 404)


def test_a_case_is_shown_to_its_parties_only(opened: Doors) -> None:
    case = opened.get("/cases", APPROVAL)["items"][0]
    path = f"/cases/{case['organ']}/{case['number']}"
    assert case["matter_name"] in page(opened, path, APPROVAL)
    page(opened, path, "jw")
    page(opened, path, "operator", 403)
    told = {one["department"] for one in opened.get("/notices", "jw", case=case["stream"])["items"]}
    for stranger in {S1, S2} - told:
        page(opened, path, stranger, 404)
    page(opened, f"/cases/{case['organ']}/nowhere", APPROVAL, 404)


def test_going_to_a_step_leads_to_what_was_known_then(opened: Doors) -> None:
    case = opened.get("/cases", APPROVAL)["items"][0]
    path = f"/cases/{case['organ']}/{case['number']}"
    steps = opened.get(f"{path}/steps", APPROVAL, limit=500)["items"]
    then = page(opened, f"{path}?at_step=1", APPROVAL, 303)
    text = page(opened, then, APPROVAL)
    assert text.count('<li class="step') == 1
    now = page(opened, path, APPROVAL)
    assert now.count('<li class="step') == len(steps)
    first, last = (quote(one["recorded_at"]) for one in (steps[0], steps[-1]))
    compared = page(opened, f"{path}?as_known_at={last}&compare={first}", APPROVAL)
    later = [one for one in steps if one["recorded_at"] > steps[0]["recorded_at"]]
    assert re.findall(r"记录了 (\d+) 件事实", compared) == [str(len(later))]


def test_every_list_of_the_api_is_a_page_with_its_files(opened: Doors) -> None:
    for one in PAGES:
        text = page(opened, f"/lists/{one.listing.name}", "jw")
        late = int(one.listing.name == "reads")  # the page itself is one more by now
        rows = opened.get(one.path, "jw", limit=50 + late)["items"][late:]
        assert text.count("<tr>") == (len(rows) + 1 if rows else 0), one.listing.name
        for form in ("csv", "xlsx", "jsonl"):
            assert f'href="/api/v1{one.path}?format={form}"' in text
        for name in re.findall(r'<(?:input|select)[^>]* name="([^"]+)"', text):
            assert name in LABELS, name


def test_empty_fields_of_a_form_are_no_part_of_an_address(opened: Doors) -> None:
    assert page(opened, "/lists/notices?status=&about=decision&since=", S1, 303) == "/lists/notices?about=decision"
    page(opened, "/lists/notices?status=nonsense", S1, 422)


def test_an_inspectors_page_is_on_record_and_needs_nothing_that_the_policy_forbids(opened: Doors) -> None:
    page(opened, "/overview", "jw")
    page(opened, "/desk", "jw")
    assert [one["command"] for one in opened.get("/reads", "jw")["items"]][:2] == ["desk", "overview"]
    assert "总览" in page(opened, "/desk", "jw")
    case = opened.get("/cases", "jw")["items"][0]
    paths = [place.path for place in PLACES if place.path != "/inbox"] + [f"/cases/{case['organ']}/{case['number']}"]
    for path in paths:
        assert not FORBIDDEN.search(page(opened, path, "jw")), path


def test_no_address_leads_to_another_host(opened: Doors) -> None:
    assert path_of({"path": "/cases/spj/呼审1"}) == "/cases/spj/%E5%91%BC%E5%AE%A11"
    assert page(opened, "https://testserver//elsewhere.example/x?a=", S1, 303) == "/elsewhere.example/x"
    assert page(opened, "https://testserver/%5C/elsewhere.example/x?a=&b=1", S1, 303) == "/elsewhere.example/x?b=1"
    assert not re.search(r'href="[/\\\\]{2}', page(opened, "https://testserver//elsewhere.example/x", S1, 404))


def test_figures_are_of_all_and_rows_of_ones_own(opened: Doors) -> None:
    today = opened.get("/statistics", OFFICE)["as_known_at"]
    whole = page(opened, f"/lists/flow?step=owed&day={today}", "jw")
    own = page(opened, f"/lists/flow?step=owed&day={today}", OFFICE)
    assert whole.count("<tr>") > own.count("<tr>") == 2  # what it is owed itself
    assert re.findall(r"共 (\d+)", whole) == re.findall(r"共 (\d+)", own) != ["0"]
    late = page(opened, "/lists/overdue", OFFICE)
    assert late.count("<tr>") == 0
    assert opened.get("/statistics/overdue", OFFICE)["items"] == []


def test_what_the_pages_were_asked_with_is_on_record(opened: Doors) -> None:
    case = opened.get("/cases", "jw")["items"][0]
    page(opened, f"/cases/{case['organ']}/{case['number']}?at_step=1", "jw", 303)
    page(opened, f"/cases/{case['organ']}/nowhere?at_step=1", "jw", 404)
    page(opened, f"/cases/{case['organ']}/{case['number']}?at_step=1", "operator", 403)
    page(opened, "/overview?since=2026-01-01&every=true&rank=receipt_rate", "jw")
    page(opened, "/lists/overdue?as_known_at=2026-01-02", "jw")
    overdue, overview, nowhere, step = opened.get("/reads", "jw")["items"][:4]
    assert overdue["as_known_at"] is not None
    for one, words in (
        (overview, ("2026-01-01", "receipt_rate", "every")),
        (nowhere, ("nowhere",)),
        (step, ("at_step",)),
    ):
        assert all(word in str(one["parameters"]) for word in words), one


def test_odd_addresses_are_answered(opened: Doors) -> None:
    for path in ("/cases", "/registers", "/lists/notices", "/lists/departments"):
        assert "<h1>" in page(opened, f"{path}?format=csv", "jw")
    for path in ("/lists/flow?step=owed&day=9999-12-31", "/outcomes?id=%00"):
        page(opened, path, APPROVAL, 422)
    page(opened, "/outcomes?id=nowhere", APPROVAL, 404)


def test_a_classified_matter_is_no_line_of_the_ranking(opened: Doors, region: TestStore) -> None:
    path = "/overview?by=matter&every=true"
    named = f"matter={MATTER}"
    assert named in page(opened, path, APPROVAL)
    classify(opened, region)
    assert named not in page(opened, path, APPROVAL)
    assert named in page(opened, path, OFFICE)


def test_a_classified_matter_is_neither_named_nor_counted(opened: Doors, region: TestStore) -> None:
    name, before = "施工许可", moment_after(region)  # when it was not classified yet
    paths = (f"/overview?matter={MATTER}", f"/registers?as_known_at={quote(before)}", "/inbox")
    for path in paths:
        assert name in page(opened, path, S1), path
    classify(opened, region)
    for path in paths:
        assert name not in page(opened, path, S1), path
    for path in paths[:2]:
        assert name in page(opened, path, OFFICE), path
    nothing = opened.get("/statistics", APPROVAL, matter="nowhere")["total"]
    assert opened.get("/statistics", APPROVAL, matter=MATTER)["total"] == nothing
    assert opened.get("/statistics", OFFICE, matter=MATTER)["total"] != nothing
    rates = [
        page(opened, f"/overview?matter={code}", APPROVAL).split('id="rates-h"')[1] for code in (MATTER, "nowhere")
    ]
    assert rates[0].split("</section>")[0].replace(MATTER, "nowhere") == rates[1].split("</section>")[0]


def test_a_number_of_feedback_is_none_of_a_case(opened: Doors) -> None:
    threads = opened.get("/feedback", "jw")["items"]
    assert threads
    assert link("number", threads[0]) is None
    assert link("case", threads[0]) == case_path(threads[0]["case_stream"])

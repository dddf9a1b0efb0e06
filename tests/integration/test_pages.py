"""The pages without a browser: whose they are, that their addresses are their state, that they show what lists show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from infra.store import Store
from infra.web.pages.lists import LABELS, PAGES
from infra.web.pages.page import PLACES
from infra.web.pages.signin import within
from tests.integration.doors import Doors, doors
from tests.integration.region import APPROVAL, OFFICE, S1, S2, everything
from tests.integration.teststore import TestStore

FORBIDDEN = re.compile(r"\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=\"/static/)|https?://")
HTML = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture
def opened(region: TestStore, outer: Store) -> Iterator[Doors]:
    everything(region)
    region.project()
    with doors(outer) as made:
        yield made


def page(opened: Doors, path: str, caller: str | None, code: int = 200) -> str:
    """Its text; checks its status."""
    headers = {**HTML, **(opened.headers(caller) if caller is not None else {})}
    found = opened.client.get(path, headers=headers, follow_redirects=False)
    assert found.status_code == code, found.text
    return found.text if code != 303 else found.headers["location"]


def numbers(text: str) -> list[int]:
    return [int(found) for found in re.findall(r'href="/inbox/(\d+)">\1<', text)]


def test_who_is_not_signed_in_is_led_to_signing_in(opened: Doors) -> None:
    assert page(opened, "/inbox?about=decision", None, 303) == "/signin?next=/inbox%3Fabout%3Ddecision"
    assert opened.client.get("/inbox", follow_redirects=False).status_code == 401  # a program is told so
    for away in ("//elsewhere.example", "https://elsewhere.example", "/\\elsewhere.example"):
        assert within(away) == "/"
    assert within("/inbox?about=decision") == "/inbox?about=decision"


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
        rows = opened.get(one.path, "jw")["items"]
        if one.listing.name == "reads":  # the page itself is one more by now
            rows = rows[1:]
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

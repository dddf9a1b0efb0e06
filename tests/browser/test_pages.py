"""Every page, for every duty: no violation of WCAG 2.1 AA that axe finds, and nothing that the browser complains of."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import DISCIPLINE, Site, Visit

AA = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
REFORM, HIGHER, OPERATOR = "150000-BB", "150000-SP", "operator"
PAGES = {
    DISCIPLINE: [
        *(
            "/overview",
            "/overview?by=region",
            "/overview?by=matter&rank=receipt_rate",
            "/overview?as_known_at=2026-01-05",
        ),
        *("/cases", "/desk", "/registers", "/operations", "/lists/notices", "/lists/feedback", "/lists/attempts"),
        *("/lists/inspections", "/lists/licences", "/lists/departments", "/lists/matching", "/lists/liaisons"),
        *("/lists/seals", "/lists/seals-applied", "/lists/risks", "/lists/reads", "/lists/deadletters"),
        *("/lists/conflicts", "/lists/parked", "/lists/flow?step=owed", "/lists/overdue", "/lists/lamps?lamp=green"),
    ],
    REFORM: ["/overview", "/inbox", "/cases", "/registers?standing=transferred"],
    HIGHER: ["/overview", "/inbox", "/lists/notices"],
    OPERATOR: ["/registers", "/operations"],
}


def accessible(page: Page) -> None:
    found = Axe().run(page, options=AA).response["violations"]
    assert not found, [(one["id"], one["help"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found]


@pytest.mark.parametrize(("department", "path"), [(who, path) for who, paths in PAGES.items() for path in paths])
def test_every_page_is_for_everybody(visit: Visit, department: str, path: str) -> None:
    page = visit(department, path)
    assert page.locator("main h1").count() == 1
    accessible(page)
    page.goto(f"{path}{'&' if '?' in path else '?'}lang=en")
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_the_pages_of_one_case_and_one_notice(visit: Visit, site: Site) -> None:
    notice = site.outstanding()
    page = visit(notice["department"], f"/inbox/{notice['serial']}")
    accessible(page)
    page.get_by_role("link", name=notice["case"]).click()
    accessible(page)
    page.get_by_role("link", name="上一步").click()
    expect(page.get_by_text("系统在该时刻所知的")).to_be_visible()
    accessible(page)


def test_the_pages_of_a_matter_and_of_signing_in(visit: Visit) -> None:
    accessible(visit(None, "/signin"))
    page = visit(DISCIPLINE, "/registers")
    page.locator("tbody th a").first.click()
    expect(page.get_by_role("heading", name="审批权的变动")).to_be_visible()
    accessible(page)


def test_a_page_that_is_not_there_says_so(site: Site) -> None:
    asked = urllib.request.Request(f"{site.url}/nowhere", headers={"Accept": "text/html"})
    with pytest.raises(urllib.error.HTTPError) as answer:
        urllib.request.urlopen(asked)
    with answer.value as found:
        assert found.code == 404
        assert "没有此项" in found.read().decode()

"""What officers do on the pages: signing in, receiving, taking, returning, feedback, travelling in time, exporting."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import DISCIPLINE, Site, Visit

LIVE_MS = 15_000


def box(page: Page, notice: dict[str, Any]) -> Any:
    return page.locator(f"#inbox-rows input[value='{notice['notice']}']")


def receive(page: Page, notice: dict[str, Any]) -> None:
    """On the inbox."""
    box(page, notice).check()
    page.get_by_role("button", name="签收所选").click()
    expect(page.get_by_text("受理入账")).to_be_visible()


def test_who_is_not_signed_in_is_asked_to_and_comes_back(visit: Visit, site: Site) -> None:
    notice = site.outstanding()
    page = visit(None, f"/inbox/{notice['serial']}")
    expect(page).to_have_url(re.compile(r"/signin\?next="))
    page.get_by_label("查找部门").press_sequentially(notice["department"])
    button = page.locator(f"details button[value='{notice['department']}']")
    expect(button).to_be_visible()
    expect(page.locator("details button:visible")).to_have_count(1)
    button.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"告知编号 {notice['serial']}")
    page.get_by_role("button", name="退出").click()
    page.goto("/inbox")
    expect(page).to_have_url(re.compile(r"/signin"))


def test_a_notice_is_received_and_a_second_page_sees_it_live(visit: Visit, site: Site) -> None:
    notice = site.outstanding()
    mine = visit(notice["department"], "/inbox")
    other = visit(notice["department"], "/inbox", officer="D02")
    count = other.locator(".tabs [aria-current] .count")
    before = int(count.inner_text())
    expect(box(other, notice)).to_be_visible()
    receive(mine, notice)
    expect(box(other, notice)).to_have_count(0, timeout=LIVE_MS)
    expect(count).to_have_text(str(before - 1))
    [row] = [one for one in site.get("/notices", notice["department"])["items"] if one["notice"] == notice["notice"]]
    assert (row["status"], row["received_by"]) == ("received", "D01")


def test_several_are_received_at_once_by_the_keyboard(visit: Visit, site: Site) -> None:
    notice = site.outstanding()
    page = visit(notice["department"], "/inbox")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_label("全选本页").focus()
    page.keyboard.press("Space")
    boxes = page.locator("#inbox-rows input[name=notice]").count()
    expect(page.get_by_text(f"已选 {boxes} 件")).to_be_visible()
    page.get_by_role("button", name="签收所选").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("受理入账")).to_have_count(boxes)


def test_taken_fed_back_disposed_and_closed(visit: Visit, site: Site) -> None:
    """The whole round, each side on its own page."""
    notice = site.outstanding()
    page = visit(notice["department"], "/inbox")
    receive(page, notice)
    page.goto(f"/inbox/{notice['serial']}")
    page.get_by_role("button", name="纳入监管").click()
    expect(page.get_by_text("受理入账")).to_be_visible()
    page.get_by_role("link", name="返回").click()
    page.get_by_text("监管反馈：").click()
    page.get_by_label("建议").select_option("rectify")
    page.get_by_label("情况").fill("现场与许可内容不符")
    page.get_by_role("button", name="提交反馈").click()
    expect(page.get_by_text("受理入账")).to_be_visible()

    _, organ, number = notice["case_stream"].split("/")
    organs = visit(organ, f"/cases/{organ}/{number}")
    organs.get_by_role("link", name="显示往来全文").click()
    expect(organs.locator("article").get_by_text("现场与许可内容不符")).to_be_visible()
    mine = organs.locator("article", has_text="现场与许可内容不符")
    mine.get_by_text("处理此反馈").click()
    mine.get_by_label("理由").fill("已责令改正")
    mine.get_by_role("button", name="提交处理").click()
    expect(organs.get_by_text("受理入账")).to_be_visible()

    page.goto(f"/cases/{organ}/{number}")
    mine = page.locator("article", has_text="FK-")
    mine.get_by_text("对处理的意见").click()
    mine.get_by_role("button", name="无异议，办结").click()
    expect(page.get_by_text("受理入账")).to_be_visible()
    threads = site.get("/feedback", notice["department"], case=notice["case_stream"])["items"]
    [thread] = [one for one in threads if one["number"].startswith("FK-")]
    assert (thread["status"], thread["outcome"]) == ("closed", "adopted")


def test_what_is_returned_appears_live_in_the_other_inbox(visit: Visit, site: Site) -> None:
    notice = site.outstanding()
    page = visit(notice["department"], f"/inbox/{notice['serial']}")
    page.get_by_text("退回：").click()
    holding = {one["department"] for one in site.get("/notices", DISCIPLINE, case=notice["case_stream"])["items"]}
    codes = page.get_by_label("应归部门").locator("option").evaluate_all("all => all.map(one => one.value)")
    proposed = next(code for code in codes if code and code not in holding)
    other = visit(proposed, "/inbox")
    before = int(other.locator(".tabs [aria-current] .count").inner_text())
    page.get_by_label("应归部门").select_option(proposed)
    page.get_by_label("退回缘由").fill("不属本部门职责")
    page.get_by_role("button", name="退回", exact=True).click()
    expect(page.get_by_text("受理入账")).to_be_visible()
    expect(other.locator(".tabs [aria-current] .count")).to_have_text(str(before + 1), timeout=LIVE_MS)
    expect(other.locator("#inbox-rows").get_by_role("link", name=notice["case"])).to_be_visible()


def test_what_a_rule_forbids_is_told_with_the_rule(visit: Visit, site: Site) -> None:
    """A page that was open too long: the notice was received meanwhile."""
    notice = site.outstanding()
    first = visit(notice["department"], f"/inbox/{notice['serial']}", java_script_enabled=False)
    second = visit(notice["department"], f"/inbox/{notice['serial']}", java_script_enabled=False)
    for page in (first, second):
        page.get_by_role("button", name="签收").click()
    expect(first.get_by_text("受理入账")).to_be_visible()
    expect(second.locator(".message.bad code", has_text="notice.already")).to_be_visible()


def test_travelling_in_time_and_comparing(visit: Visit, site: Site) -> None:
    notice = site.outstanding()
    _, organ, number = notice["case_stream"].split("/")
    page = visit(organ, f"/cases/{organ}/{number}")
    whole = page.locator(".lanes .step").count()
    slider = page.get_by_label("时间轴")
    slider.focus()
    page.keyboard.press("Home")
    page.wait_for_url(re.compile("as_known_at="))
    expect(page.locator(".lanes .step")).to_have_count(1)
    expect(page.locator(".standing")).to_contain_text("已受理")
    expect(page.get_by_text("没有应告知的部门")).to_be_visible()
    page.get_by_text("指定时刻、比较两个时刻").click()
    page.get_by_role("link", name="比较当时与此刻").click()
    changes = page.get_by_role("region", name="两个时刻之间")
    expect(changes.locator("p").first).to_contain_text(f"记录了 {whole - 1}")
    expect(changes.get_by_role("row", name=re.compile("状态.*已受理.*准予"))).to_be_visible()


def test_the_list_behind_a_number_is_exported(visit: Visit, tmp_path: Path) -> None:
    page = visit(DISCIPLINE, "/overview")
    told = page.locator(".equation a").first
    owed = int(told.locator(".big").inner_text())
    told.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("签收台账")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    file = tmp_path / "notices.csv"
    download.value.save_as(file)
    rows = list(csv.reader(io.StringIO(file.read_text("utf-8-sig"))))
    assert len(rows) - 1 == owed
    assert {"部门", "编号", "签收"} <= set(rows[0])


def test_numbers_of_the_flow_are_those_of_their_lists(visit: Visit) -> None:
    page = visit(DISCIPLINE, "/overview")
    for step in range(page.locator(".tiles a").count()):
        page.goto("/overview")
        tile = page.locator(".tiles a").nth(step)
        count = tile.locator(".big").inner_text()
        tile.click()
        expect(page.locator(".sub")).to_contain_text(f"共 {count}")


def test_an_inspectors_read_is_seen_by_another(visit: Visit, site: Site) -> None:
    case = site.outstanding()["case"]
    first = visit(DISCIPLINE, "/desk", officer="J01")
    first.get_by_label("办件号").fill(case)
    first.get_by_role("button", name="查办件").click()
    expect(first).to_have_url(re.compile(f"/cases/[^/]+/{case}$"))
    second = visit(DISCIPLINE, "/lists/reads", officer="J02")
    row = second.get_by_role("row", name=re.compile(f"J01.*一件办件.*{case}"))
    expect(row.first).to_be_visible()


def test_persons_are_masked_until_there_is_a_reason(visit: Visit, site: Site) -> None:
    one = next(one for one in site.get("/cases", DISCIPLINE, limit="100")["items"] if one["party_name"].endswith("*"))
    page = visit(DISCIPLINE, f"/cases/{one['organ']}/{one['number']}")
    party = page.locator(".facts div", has=page.get_by_text("相对人", exact=True)).locator("dd")
    expect(party).to_have_text(one["party_name"])
    page.get_by_text("显示完整的个人信息").click()
    page.get_by_label("查阅事由").fill("线索核查")
    page.get_by_role("button", name="显示").click()
    expect(party).not_to_contain_text("*")
    [read] = [read for read in site.get("/reads", DISCIPLINE, limit="5")["items"] if read["revealed"]]
    assert read["reason"].startswith("线")


def test_nobody_sees_another_departments_case(visit: Visit, site: Site) -> None:
    notice = site.outstanding()
    _, organ, number = notice["case_stream"].split("/")
    told = {one["department"] for one in site.get("/notices", DISCIPLINE, case=notice["case_stream"])["items"]}
    departments = site.get("/registers/departments", DISCIPLINE, role="SUPERVISION", limit="500")["items"]
    stranger = next(one["code"] for one in reversed(departments) if one["code"] not in told and one["serving"])
    page = visit(stranger, "/cases")
    answer = page.request.get(f"/cases/{organ}/{number}", headers={"Accept": "text/html"})
    assert answer.status == 404
    assert page.request.get("/desk", headers={"Accept": "text/html"}).status == 403
    assert page.request.get("/operations", headers={"Accept": "text/html"}).status == 403


def test_without_scripts_everything_is_there(visit: Visit, site: Site) -> None:
    notice = site.outstanding()
    page = visit(None, "/signin?q=" + notice["department"], java_script_enabled=False)
    page.locator(f"details button[value='{notice['department']}']").click()
    page.goto("/inbox")
    receive(page, notice)
    page.goto(f"/inbox/{notice['serial']}")
    page.get_by_role("link", name=notice["case"]).click()
    page.get_by_label("时间轴").focus()
    page.keyboard.press("ArrowLeft")
    page.get_by_role("button", name="看当时").click()
    expect(page).to_have_url(re.compile("as_known_at="))


def test_the_language_is_kept_and_pages_can_be_printed(visit: Visit) -> None:
    page = visit(DISCIPLINE, "/overview")
    page.get_by_role("link", name="English").click()
    page.goto("/desk")
    expect(page.get_by_role("heading", level=1)).to_have_text("Inspector’s desk")
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation", name="main")).to_be_hidden()
    expect(page.locator("table").first).to_be_visible()

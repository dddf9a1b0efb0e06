"""A statement as a PDF: the same bytes for the same statement, all of it on official paper, however long."""

from __future__ import annotations

import pytest

from adapters.formats.paper import BOTTOM, LEFT, WIDTH
from domain.statements import Raised, Statement, totals
from infra.statement_pages import pdf_of
from tests.pdf import read_pdf
from tests.unit.statement_kit import Month, Months

MONTHS = Months([Month(["d"]), Month(["e"]), Month(["d", None] * 500)])


def month(number: int, **more: object) -> Statement:
    return MONTHS.statement("d", number, name="呼和浩特市卫生健康委员会", **more)


@pytest.mark.parametrize(("number", "pages"), [(0, 3), (1, 3), (2, 27)])
def test_every_page_is_whole_and_numbered(number: int, pages: int) -> None:
    made = month(number)
    content = pdf_of(made)
    assert pdf_of(Statement.model_validate_json(made.model_dump_json())) == content
    found = read_pdf(content)
    assert len(found.pages) == pages
    for at, page in enumerate(found.pages, 1):
        assert page.size == (210, 297)
        assert all(embedded for _, embedded in page.fonts)
        assert page.extent[0] > LEFT - 1
        assert page.extent[1] < LEFT + WIDTH + 1
        if at > 1:
            assert f"—{at}—" in page.text
            assert page.foot < BOTTOM + 14
    for page in found.pages[2 : pages - 1]:
        assert page.text.split("—", 2)[-1].startswith("编号告知内容事项办件号告知时间送达时间结果灯")


def test_every_notice_is_on_it_once() -> None:
    text = "".join(page.text for page in read_pdf(pdf_of(month(2))).pages[1:-1])
    for item in month(2).items:
        assert text.count(f"审批决定许可{item.case}03-01") == 1, item.serial


def test_feedback_has_a_list_of_its_own() -> None:
    made = month(0)
    finding = Raised(
        number="W2026-001", organ="x", case="7", matter="m", matter_name="公共场所卫生许可", raised_at=made.since,
        status="open", outcome=None, disposed_at=None, closed_at=None,
    )  # fmt: skip
    assert len(read_pdf(pdf_of(made)).pages) == 3
    made = made.model_copy(update={"feedback": [finding], "totals": totals(made.items, [finding], made.ended)})
    front, table, feedback, proof = (page.text for page in read_pdf(pdf_of(made)).pages)
    assert "2.监管反馈清单3.核对凭据" in front
    assert "处理率0.0%0/1" in table
    assert "W2026-0017公共场所卫生许可01-0100:00待处理" in feedback
    assert "附件3" in proof


def test_a_month_that_is_not_over_says_so() -> None:
    made = month(0)
    running = made.model_copy(update={"over": False, "as_at": made.until.replace(month=1, day=20, hour=9)})
    front = read_pdf(pdf_of(running)).pages[0].text
    assert "（未满月，截至2026年1月20日9时00分）" in front
    assert "未满月" not in read_pdf(pdf_of(made)).pages[0].text

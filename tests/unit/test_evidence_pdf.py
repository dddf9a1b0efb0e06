"""A case's summary as a PDF: the same bytes for the same content, every row there, no page overfull."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from adapters.formats.evidence_pdf import TITLE, EvidencePage, Section, evidence_pdf
from adapters.formats.paper import BOTTOM, LEFT, WIDTH
from tests.pdf import read_pdf

COLUMNS = (("编号", 20.0), ("内容", 136.0))
PAGE = EvidencePage(
    subtitle="办件 2026031000001",
    author="审批局",
    facts=[("办件号", "2026031000001"), ("相对人", "内蒙古草原餐饮有限公司")],
    sections=[Section("一、办件经过", COLUMNS, [("1", "受理")])],
    notes=["说明：其文字本身不受证明。"],
    code="shenguan/150000\n9\nx\n",
    made_at=datetime(2026, 4, 9, tzinfo=UTC),
)


def test_it_has_all_that_it_is_given() -> None:
    content = evidence_pdf(PAGE)
    assert evidence_pdf(PAGE) == content
    found = read_pdf(content)
    [page] = found.pages
    for text in (TITLE, "办件2026031000001", "内蒙古草原餐饮有限公司", "一、办件经过", "受理", "不受证明"):
        assert text in page.text
    assert found.metadata["Author"] == "审批局"


def test_long_tables_and_long_rows_go_on_under_their_headings() -> None:
    rows = [(str(number), f"事项{number}终") for number in range(1, 121)]
    rows.append(("121", "很长的内容" * 1200 + "最后"))
    found = read_pdf(evidence_pdf(replace(PAGE, sections=[Section("一、办件经过", COLUMNS, rows)])))
    whole = "".join(page.text for page in found.pages)
    assert all(f"事项{number}终" in whole for number in range(1, 121))
    assert whole.count("很长的内容") > 1000
    assert "最后" in whole
    assert len(found.pages) > 4
    for number, page in enumerate(found.pages, 1):
        assert f"—{number}—" in page.text or number == 1
        assert "编号" in page.text
        left, right = page.extent
        assert left >= LEFT - 1
        assert right <= LEFT + WIDTH + 1
        assert page.foot <= BOTTOM + 15  # the page's number stands below the block

"""A letter as a PDF: the same bytes for the same letter, its text to be read, its type embedded, its pages whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from adapters.formats.letter_pdf import TITLE, Item, LetterPage, letter_pdf
from adapters.formats.paper import BOTTOM, LEFT, PITCH, POINT, TOP, WIDTH, Paper, printable, ranges
from tests.pdf import read_pdf

ITEM = Item(
    serial=3,
    about="审批决定（准予）",
    matter="食品经营许可",
    case="2026031000001",
    party="内蒙古草原餐饮有限公司",
    day="2026-03-13",
    due="2026-03-18",
    note="文号：呼审批许字〔2026〕21号　内容：准予食品经营许可：热食类食品制售。",
)
LETTER = LetterPage(
    organ="呼和浩特市行政审批和政务服务局",
    number="呼审批函〔2026〕12号",
    issued_on=date(2026, 4, 9),
    addressee="呼和浩特市卫生健康委员会",
    items=(ITEM,),
    code="301366791",
    reference="hs-xzspj/2026/12/301366791",
    address="呼和浩特市新城区新华东街1号",
    phone="0471-0000001",
)


LETTER_TIME = datetime(2026, 4, 9, tzinfo=UTC)


def many(count: int, **more: Any) -> LetterPage:
    return replace(LETTER, items=tuple(replace(ITEM, serial=at, **more) for at in range(1, count + 1)))


def pages(letter: LetterPage) -> list[str]:
    """The text of each page, white space apart."""
    return [page.text for page in read_pdf(letter_pdf(letter)).pages]


def test_it_says_who_tells_whom_of_what_and_by_which_code() -> None:
    front, listed, slip = pages(LETTER)
    for text in (
        LETTER.organ, "呼审批函〔2026〕12号", TITLE, "呼和浩特市卫生健康委员会：", "信息1项（告知编号3）",
        "2026年4月9日", "附件：1.告知事项清单",
    ):  # fmt: skip
        assert text in front, text
    for text in ("附件1", "签收期限", "食品经营许可", "2026031000001", "2026-03-18", "呼审批许字〔2026〕21号"):
        assert text in listed, text
    for text in ("附件2", "301366791", "新华东街1号", "0471-0000001", "签收人（签名）："):
        assert text in slip, text


def test_the_same_letter_gives_the_same_bytes_and_another_others() -> None:
    assert letter_pdf(LETTER) == letter_pdf(LETTER)
    assert letter_pdf(LETTER) != letter_pdf(replace(LETTER, code="739152651"))


def test_the_file_says_nothing_of_when_it_was_written() -> None:
    found = read_pdf(letter_pdf(LETTER)).metadata
    assert found["CreationDate"] == "D:20260409000000+08'00'"
    assert (found["ModDate"], found["Author"]) == ("", LETTER.organ)
    assert found["Title"] == f"{LETTER.number} {TITLE}"


def test_all_type_is_embedded_and_only_what_is_used() -> None:
    content = letter_pdf(LETTER)
    assert len(content) < 200_000
    fonts = {font for page in read_pdf(content).pages for font in page.fonts}
    assert {(name.partition("+")[2], embedded) for name, embedded in fonts} == {
        ("NotoSerifSC", True), ("NotoSansSC", True)
    }  # fmt: skip


def test_pages_are_a4_and_numbered_but_for_the_first() -> None:
    found = read_pdf(letter_pdf(many(40))).pages
    assert {page.size for page in found} == {(210, 297)}
    texts = [page.text for page in found]
    assert len(texts) > 4
    assert "—1—" not in texts[0]
    for number, text in enumerate(texts[1:], 2):
        assert f"—{number}—" in text


def test_a_long_list_repeats_its_heads_and_keeps_every_notice_whole() -> None:
    listed = pages(many(40))[1:-1]
    assert all("告知内容" in text for text in listed)
    rows = [f"{serial}审批决定" for serial in range(1, 41)]
    assert "".join(listed).count("审批决定（准") == 40
    for text in listed:  # as many notices as notes begin on a page
        assert text.count("审批决定（准") == text.count("文号：")
    assert rows[0] in "".join(listed)


def test_what_is_longer_than_a_page_goes_on_on_the_next() -> None:
    note = "内容：" + "".join(f"第{at}条，经营项目与场所。" for at in range(1, 400))
    listed = "".join(pages(many(1, note=note))[1:-1])
    for at in (1, 200, 399):
        assert f"第{at}条，" in listed


@pytest.mark.parametrize(
    "more",
    [
        {"party": "呼和浩特市赛罕区" + "乳制品加工专业合作社" * 15},
        {"case": "11150100011000001P3000131001002202604070000" + "1" * 21},
        {"matter": "", "case": "", "party": "", "due": "", "note": ""},
    ],
)
def test_long_and_missing_fields_have_room(more: dict[str, str]) -> None:
    listed = "".join(pages(many(2, **more))[1:-1])
    for text in more.values():
        assert text in listed


def test_a_long_addressee_and_organ_stay_on_the_page() -> None:
    letter = replace(LETTER, organ="内蒙古自治区" * 4 + "委员会", addressee="呼和浩特市" * 12 + "局")
    found = read_pdf(letter_pdf(letter)).pages
    front, _, slip = (page.text for page in found)
    for left, right in (page.extent for page in found):
        assert left >= 20
        assert right <= 190
    assert letter.organ in front
    assert f"{letter.addressee}：" in front
    assert letter.addressee in slip


@pytest.mark.parametrize("count", [1, 30, 40, 100, 200])
def test_scattered_serials_run_off_no_page(count: int) -> None:
    letter = replace(LETTER, items=tuple(replace(ITEM, serial=at) for at in range(1_000_001, 1_000_001 + 2 * count, 2)))
    front, *others = read_pdf(letter_pdf(letter)).pages
    assert front.foot <= BOTTOM
    number = BOTTOM + 7 + 14 * POINT  # of the page, with nothing below it
    assert all(page.foot <= number for page in others)
    listed, slip = "".join(page.text for page in others[:-1]), others[-1].text
    assert all(str(item.serial) in listed for item in letter.items)
    for text in ("单位印章", "请将本回执退回", f"（共{count}项）"):
        assert text in slip
    assert ("告知编号见附件1" in slip) == ("告知编号见附件1" in front.text) == (count > 1)


def test_a_few_scattered_serials_are_written_out_even_under_long_names() -> None:
    letter = replace(
        LETTER, organ="内蒙古自治区呼和浩特市行政审批和政务服务与数据管理局", addressee="呼和浩特市" * 5 + "局"
    )
    for serials, said in (
        ([1000001, 1000002, 1000011, 1000021], "1000001—1000002、1000011、1000021"),
        ([2, 4, 6, 8, 10, 12], "2、4、6、8、10、12"),
        ([1000001, 1000002, 1000011, 1000021, 1000031, 1000041], "见附件1"),
    ):
        items = tuple(replace(ITEM, serial=at) for at in serials)
        front, *_, slip = read_pdf(letter_pdf(replace(letter, items=items))).pages
        assert front.foot <= BOTTOM
        assert f"告知编号{said}" in front.text
        assert f"告知编号{said}" in slip.text


def test_what_the_font_lacks_is_written_by_its_code() -> None:
    assert printable("敕勒川") == "敕勒川"
    assert printable("\U00020bb7野家") == "[U+20BB7]野家"
    assert printable("一\r\n二\t三") == "一\n二 三"
    assert "[U+20BB7]" in "".join(pages(many(1, party="\U00020bb7野家餐饮店")))


def test_no_line_begins_with_a_closing_mark_or_ends_with_an_opening_one() -> None:
    text = "一二三四五六七八九十，（甲）乙丙丁。" * 5
    with Paper("", "", LETTER_TIME) as paper:
        for width in (30.0, 31.0, 40.0, 55.0, 77.7):
            lines = paper.lines(text, width, 16)
            assert "".join(lines) == text
            for line in lines:
                assert line[0] not in "，。）"
                assert line[-1] != "（"
                assert paper.width(line, 16) <= width + 1e-6


def test_numbers_and_words_are_not_torn() -> None:
    with Paper("", "", LETTER_TIME) as paper:
        assert paper.lines("准予许可2026031000001号", 40.0, 16) == ["准予许可", "2026031000001", "号"]


def test_the_block_has_22_lines_of_28_characters() -> None:
    assert (TOP, LEFT, WIDTH, BOTTOM - TOP) == (37, 28, 156, 225)
    assert round((BOTTOM - TOP) / PITCH) == 22
    spacing = WIDTH / 28 - 16 * POINT
    with Paper("", "", LETTER_TIME) as paper:
        assert [len(line) for line in paper.lines("正" * 60, WIDTH, 16, spacing=spacing)] == [28, 28, 4]


def test_serials_in_ranges() -> None:
    assert ranges([1, 2, 3, 5]) == "1—3、5"
    assert ranges([7]) == "7"
    assert ranges([9, 2, 8]) == "2、8—9"

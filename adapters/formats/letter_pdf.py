"""A 公函 as a PDF in the letter's form 信函格式 of GB/T 9704-2012: the letter, the list of notices, the slip 回执."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone

from adapters.formats.letter_form import LINE, Table, attachment, first_page
from adapters.formats.paper import (
    BLACK,
    BOTTOM,
    CHARACTER,
    LEFT,
    POINT,
    SIZE_4,
    SIZE_5,
    TOP,
    WIDTH,
    Paper,
    ranges,
    under,
)

TITLE = "关于告知审批监管信息的函"
_CHINA = timezone(timedelta(hours=8))
_PAD = 1.2
COLUMNS = (
    ("编号", 11.0),
    ("告知内容", 20.0),
    ("事项", 26.0),
    ("办件号", 30.0),
    ("行政相对人", 25.0),
    ("日期", 22.0),
    ("签收期限", 22.0),
)
IN_THE_LIST = "见附件1"
WRITTEN = 40
"""So many characters of serials are written out beside the list at most."""
_TABLE = Table(COLUMNS, frozenset(("编号", "日期", "签收期限")), size=SIZE_5, step=LINE, pad=_PAD, drop=0.4)


@dataclass(frozen=True, slots=True)
class Item:
    """One notice, as the list has it; empty where there is none. `note`: what was decided or found, in words."""

    serial: int
    about: str
    matter: str
    case: str
    party: str
    day: str
    due: str
    note: str

    def cells(self) -> tuple[str, ...]:
        return str(self.serial), self.about, self.matter, self.case, self.party, self.day, self.due


@dataclass(frozen=True, slots=True)
class LetterPage:
    """All that a letter says. `reference` is what the slip's QR code holds."""

    organ: str
    number: str
    issued_on: date
    addressee: str
    items: tuple[Item, ...]
    code: str
    reference: str
    address: str
    phone: str

    @property
    def serials(self) -> str:
        """In ranges; the list has them where they would take up the room of all else."""
        found = ranges([one.serial for one in self.items])
        return found if len(found) <= WRITTEN else IN_THE_LIST


def letter_pdf(letter: LetterPage) -> bytes:
    """The same letter gives the same bytes."""
    made_at = datetime.combine(letter.issued_on, time(), _CHINA)
    with Paper(f"{letter.number} {TITLE}", letter.organ, made_at) as paper:
        first_page(paper, letter, TITLE, _body(letter), ("告知事项清单", "回执"))
        _list(paper, letter)
        _slip(paper, letter)
        return paper.finish()


def grouped(code: str) -> str:
    """A code in groups of three, to be read out and typed."""
    return " ".join(code[at : at + 3] for at in range(0, len(code), 3))


def _body(letter: LetterPage) -> tuple[str, ...]:
    due = "于各项所列签收期限前" if any(one.due for one in letter.items) else "及时"
    detail = "" if letter.serials == IN_THE_LIST else f"详{IN_THE_LIST}，"
    return (
        "按照内政办发〔2020〕9号文件关于审批与监管信息双向告知的要求，现将你单位应当知悉的信息"
        f"{len(letter.items)}项（告知编号{letter.serials}）告知你单位，{detail}请予查收。",
        f"请你单位收函后，由经办人在回执（附件2）上签名并加盖印章，{due}退回我单位。"
        "认为所列事项不属于你单位职责的，请在回执中注明并说明理由。",
        "特此函告。",
    )


def _list(paper: Paper, letter: LetterPage) -> None:
    y = attachment(paper, 1, "告知事项清单")
    caption = f"{letter.number}    共{len(letter.items)}项"
    paper.put(LEFT, y - 2.0, caption, SIZE_5)
    y = _TABLE.heads(paper, y)
    for item in letter.items:
        y = _row(paper, item, y)


def _row(paper: Paper, item: Item, y: float) -> float:
    """A notice stays on one page if it can: what is said of it too, unless that alone is longer than a page."""
    cells, height = _TABLE.cells(paper, item.cells())
    note = paper.lines(item.note, WIDTH - 2 * _PAD, SIZE_5) if item.note else []
    said = len(note) * LINE + 2 * _PAD if note else 0.0
    if y + height + min(said, BOTTOM - TOP - height - 20.0) > BOTTOM:
        y = _TABLE.turned(paper)
    return _note(paper, note, _TABLE.row(paper, y, cells, height))


def _note(paper: Paper, lines: list[str], y: float) -> float:
    while lines:
        fit = int((BOTTOM - y - 2 * _PAD) / LINE)
        if fit < 1:
            y = _TABLE.turned(paper)
            continue
        height = min(fit, len(lines)) * LINE + 2 * _PAD
        paper.box(LEFT, y, WIDTH, height)
        for number, line in enumerate(lines[:fit]):
            paper.put(LEFT + _PAD, under(y + _PAD + 0.4 + number * LINE, SIZE_5), line, SIZE_5)
        lines, y = lines[fit:], y + height
    return y


def _slip(paper: Paper, letter: LetterPage) -> None:
    y = attachment(paper, 2, "回    执")
    side = 24.0
    paper.code(LEFT + WIDTH - side, TOP, side, letter.reference)
    step, label = 12.0, 34.0
    rows = (
        ("发函机关", letter.organ),
        ("发文字号", letter.number),
        ("回执码", grouped(letter.code)),
        ("收函单位", letter.addressee),
        ("告知编号", f"{letter.serials}（共{len(letter.items)}项）"),
    )
    for name, text in rows:
        lines = paper.lines(text, WIDTH - label - 4 * _PAD, SIZE_4)
        height = max(step, len(lines) * 6.5 + 4.0)
        paper.box(LEFT, y, label, height)
        paper.box(LEFT + label, y, WIDTH - label, height)
        paper.centred(LEFT + label / 2, _middle(y, height), name, SIZE_4, "hei")
        for number, line in enumerate(lines):
            at = y + (height - len(lines) * 6.5) / 2 + number * 6.5
            paper.put(LEFT + label + 2 * _PAD, _middle(at, 6.5), line, SIZE_4)
        y += height
    y = _signed(paper, y)
    where = f"请将本回执退回：{letter.organ}，{letter.address}，联系电话{letter.phone}。登记回执时须录入回执码。"
    for number, line in enumerate(paper.lines(where, WIDTH, SIZE_5)):
        paper.put(LEFT, under(y + 3.0 + number * 5.0, SIZE_5), line, SIZE_5, colour=BLACK)


def _signed(paper: Paper, y: float) -> float:
    """What the addressee fills in."""
    height = 92.0
    paper.box(LEFT, y, WIDTH, height)
    x = LEFT + 4 * _PAD
    for down, text in (
        (10.0, "□ 上列告知已全部收到。"),
        (20.0, "□ 只收到下列编号："),
        (30.0, "□ 下列编号不属于本单位职责（理由另附）："),
        (46.0, "签收人（签名）："),
        (58.0, "签收时间：        年      月      日      时      分"),
    ):
        paper.put(x, y + down, text, SIZE_4)
    for down, text, until in (
        (20.0, "□ 只收到下列编号：", WIDTH - 8 * _PAD),
        (30.0, "□ 下列编号不属于本单位职责（理由另附）：", WIDTH - 8 * _PAD),
        (46.0, "签收人（签名）：", 82.0),
    ):
        start = paper.width(text, SIZE_4)
        paper.rule(x + start, y + down + 1.2, until - start, 0.2, BLACK)
    number = "工作证号："
    paper.put(x + 86.0, y + 46.0, number, SIZE_4)
    start = 86.0 + paper.width(number, SIZE_4)
    paper.rule(x + start, y + 47.2, WIDTH - 8 * _PAD - start, 0.2, BLACK)
    stamp = "（单位印章）"
    paper.put(LEFT + WIDTH - 6 * CHARACTER - paper.width(stamp, SIZE_4), y + height - 10.0, stamp, SIZE_4)
    return y + height


def _middle(y: float, height: float) -> float:
    """The base line of 四号 in the middle of a box."""
    return y + height / 2 + 0.38 * SIZE_4 * POINT

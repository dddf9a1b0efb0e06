"""双公示 administrative permit records: read a file, check a row, report what is wrong.

The record is that of the national standard for publishing permits (field codes XK_…, domain.md §5); its files come as
CSV, XLSX or JSON. `read_rows` streams cells as they stand, `validate_row` turns a row into a `PermitRecord` or the list
of its errors, `write_report` writes those for people. Errors and reports never repeat personal data.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from adapters.formats.rows import EXACT, PROBLEM, Cell, FormatError, Row, Vocabulary
from adapters.formats.rows import read_rows as read_table
from domain.identifiers import DocumentType, IdentifierError, normalise_uscc, parse_document_type, parse_resident_id

__all__ = [
    "FIELDS",
    "LONG_TERM",
    "PROBLEM",
    "Cell",
    "FormatError",
    "PartyKind",
    "PermitField",
    "PermitRecord",
    "Row",
    "RowError",
    "read_rows",
    "validate_row",
    "write_report",
]

LONG_TERM: Final = date(2099, 12, 31)
LICENCE_KINDS: Final = frozenset({"普通", "特许", "认可", "核准", "登记"})
_FIRST_DAY: Final = date(1949, 10, 1)


class PartyKind(StrEnum):
    """行政相对人类别."""

    LEGAL = "法人及非法人组织"
    PERSON = "自然人"
    SOLE_TRADER = "个体工商户"


def _f(code: str, title: str, length: int, **more: Any) -> Any:
    """A required text field with the standard's code, Chinese name and greatest length in characters."""
    return Field(alias=code, title=title, max_length=length, **more)


def _o(code: str, title: str, length: int, **more: Any) -> Any:
    """The same, optional."""
    return Field(default=None, alias=code, title=title, max_length=length, **more)


class PermitRecord(BaseModel):
    """One permit of the 双公示 standard; made by `validate_row`. Personal fields do not show in `repr`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, populate_by_name=True)

    party_name: str = _f("XK_XDR_MC", "行政相对人名称", 200, repr=False)
    party_kind: PartyKind = Field(alias="XK_XDR_LB", title="行政相对人类别")
    party_uscc: str | None = _o("XK_XDR_SHXYM", "行政相对人代码_1(统一社会信用代码)", 18)
    party_registration: str | None = _o("XK_XDR_GSZC", "行政相对人代码_2(工商注册号)", 50)
    party_organisation: str | None = _o("XK_XDR_ZZJG", "行政相对人代码_3(组织机构代码)", 9)
    party_tax_number: str | None = _o("XK_XDR_SWDJ", "行政相对人代码_4(税务登记号)", 15, repr=False)
    party_institution: str | None = _o("XK_XDR_SYDW", "行政相对人代码_5(事业单位证书号)", 12)
    party_association: str | None = _o("XK_XDR_SHZZ", "行政相对人代码_6(社会组织登记证号)", 50)
    representative: str | None = _o("XK_FRDB", "法定代表人", 50, repr=False)
    representative_document_type: str | None = _o("XK_FR_ZJLX", "法定代表人证件类型", 64)
    representative_document: str | None = _o("XK_FR_ZJHM", "法定代表人证件号码", 64, repr=False)
    party_document_type: str | None = _o("XK_XDR_ZJLX", "证件类型", 64)
    party_document: str | None = _o("XK_XDR_ZJHM", "证件号码", 64, repr=False)
    document_title: str = _f("XK_XKWS", "行政许可决定文书名称", 64)
    document_number: str = _f("XK_WSH", "行政许可决定文书号", 64)
    licence_kind: str = _f("XK_XKLB", "许可类别", 256)
    certificate: str | None = _o("XK_XKZS", "许可证书名称", 64)
    licence_number: str | None = _o("XK_XKBH", "许可编号", 64)
    content: str = _f("XK_NR", "许可内容", 4000, repr=False)
    decided_on: date = Field(alias="XK_JDRQ", title="许可决定日期")
    valid_from: date = Field(alias="XK_YXQZ", title="有效期自")
    valid_to: date = Field(alias="XK_YXQZI", title="有效期至")
    organ: str = _f("XK_XKJG", "许可机关", 200)
    organ_uscc: str = _f("XK_XKJGDM", "许可机关统一社会信用代码", 18)
    status: str = _f("XK_ZT", "当前状态", 1)
    source: str = _f("XK_LYDW", "数据来源单位", 200)
    source_uscc: str = _f("XK_LYDWDM", "数据来源单位统一社会信用代码", 18)
    note: str | None = _o("BZ", "备注", 512, repr=False)

    @property
    def party_uscc_valid(self) -> bool | None:
        """Whether the party's code passes GB 32100; None without one. A flag: the record stands either way."""
        return None if self.party_uscc is None else _uscc_valid(self.party_uscc)

    @property
    def organ_uscc_valid(self) -> bool:
        """Whether the organ's code, whose shape is sure, passes its check."""
        return _uscc_valid(self.organ_uscc)

    @property
    def long_term(self) -> bool:
        """2099-12-31 stands for no end; some systems write later years."""
        return self.valid_to >= LONG_TERM


def _uscc_valid(value: str) -> bool:
    try:
        return normalise_uscc(value).valid
    except IdentifierError:
        return False


def _resident(value: str) -> bool:
    try:
        return bool(parse_resident_id(value))
    except IdentifierError:
        return False


@dataclass(frozen=True, slots=True)
class PermitField:
    """One field of the standard: code, Chinese name, greatest length (None: not text), required or not."""

    code: str
    title: str
    max_length: int | None
    required: bool


FIELDS: Final[Mapping[str, PermitField]] = MappingProxyType(
    {
        str(info.alias): PermitField(
            str(info.alias),
            str(info.title),
            next((meta.max_length for meta in info.metadata if hasattr(meta, "max_length")), None),
            info.is_required(),
        )
        for info in PermitRecord.model_fields.values()
    }
)
"""The standard's fields in its order, by code: the model above is their one source."""

_DATES: Final = ("XK_JDRQ", "XK_YXQZ", "XK_YXQZI")
_PERSONAL: Final = frozenset({"XK_FRDB", "XK_FR_ZJHM", "XK_XDR_ZJHM", "XK_XDR_SWDJ", "XK_NR", "BZ"})
_ALIASES: Final = {
    "统一社会信用代码": "XK_XDR_SHXYM",
    "工商注册号": "XK_XDR_GSZC",
    "组织机构代码": "XK_XDR_ZZJG",
    "税务登记号": "XK_XDR_SWDJ",
    "事业单位证书号": "XK_XDR_SYDW",
    "社会组织登记证号": "XK_XDR_SHZZ",
    "法定代表人姓名": "XK_FRDB",
    "行政相对人证件类型": "XK_XDR_ZJLX",
    "行政相对人证件号码": "XK_XDR_ZJHM",
    "行政许可决定书文号": "XK_WSH",
    "许可证编号": "XK_XKBH",
}
_WORDS: Final = Vocabulary(
    {name: code for code, f in FIELDS.items() for name in (code, f.title, f.title.split("(", 1)[0])} | _ALIASES,
    {code: f.title for code, f in FIELDS.items() if f.required},
)
_EMPTY: Final = frozenset({"", "/", "\\", "-", "—", "——", "无", "NULL", "null", "N/A"})
_BAD_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")  # neither PostgreSQL nor UTF-8 can hold them
_DATE = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?", re.ASCII)
_DATE_PLAIN = re.compile(r"(\d{4})()(\d{2})(\d{2})", re.ASCII)
_DATE_HAN = re.compile(r"(\d{4})(年)(\d{1,2})月(\d{1,2})日", re.ASCII)
# A shifted column can bring a resident or mobile number into any field, so what looks like one is never shown.
_LOOKS_PERSONAL = re.compile(
    r"[1-9]\d{5}(?:18|19|20)?\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]?(?![0-9A-Za-z])|(?<!\d)1[3-9]\d{9}(?!\d)"
)


def read_rows(path: Path) -> Iterator[tuple[int, Row]]:
    """Stream (row number, row by field code) of a permit file; `adapters.formats.rows.read_rows` says how.

    Raises FormatError for a file that is none of the formats, is empty, or lacks the header or a required column.
    """
    return read_table(path, _WORDS)


@dataclass(frozen=True, slots=True)
class RowError:
    """One fault: field code (PROBLEM for the row as a whole), dotted rule, Chinese message, what was found (masked)."""

    field: str
    rule: str
    message: str
    found: str


def _text(cell: Cell) -> str:
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < EXACT:
        cell = int(cell)
    if isinstance(cell, date):
        return cell.isoformat()
    return "" if cell is None else str(cell).strip("\ufeff\u200b \t\r\n\u3000\xa0")


def _date(cell: Cell, text: str) -> date | None:
    """The day a cell means, or None: the standard's forms, spreadsheet dates and serials, ISO times in China's zone."""
    if isinstance(cell, date):
        return cell.date() if isinstance(cell, datetime) else cell
    if isinstance(cell, int | float) and 61 <= cell <= 2_958_465:  # from 61 on: sheets think 1900 was a leap year
        return date(1899, 12, 30) + timedelta(days=int(cell))
    try:
        for form in (_DATE, _DATE_PLAIN, _DATE_HAN):
            if match := form.fullmatch(text):
                return date(int(match[1]), int(match[3]), int(match[4]))
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    return None if moment.tzinfo is None else moment.astimezone(timezone(timedelta(hours=8))).date()


class _Check:
    """One row under examination: its texts, the values found good, the errors."""

    def __init__(self, row: Mapping[str, Cell]) -> None:
        self.row = row
        self.text = {code: _text(row.get(code)) for code in FIELDS}
        self.kind = self.text["XK_XDR_LB"]
        self.values: dict[str, object] = {}
        self.errors: list[RowError] = []

    def fail(self, code: str, rule: str, message: str) -> None:
        self.errors.append(RowError(code, rule, message, self.found(code)))

    def found(self, code: str) -> str:
        """The value as people may see it. Only a row that surely names an organisation may have its name shown."""
        text = self.text[code]
        named = self.kind in (PartyKind.LEGAL, PartyKind.SOLE_TRADER)
        hidden = code in _PERSONAL or (not named and code in ("XK_XDR_MC", "XK_XDR_SHXYM"))
        if not text or not (hidden or len(text) > 64 or _BAD_TEXT.search(text) or _LOOKS_PERSONAL.search(text)):
            return text
        return f"{len(text)} 个字符"

    def general(self) -> None:
        """What holds for every field: something where it is required, whole numbers, storable text, its length."""
        for code, field in FIELDS.items():
            cell, text = self.row.get(code), self.text[code]
            if not text or (not field.required and text in _EMPTY):
                self.text[code] = ""
                if field.required:
                    self.fail(code, "field.required", f"{field.title}为必填项")
            elif isinstance(cell, float) and not abs(cell) < EXACT:
                self.fail(code, "number.lost", f"{field.title}按数字保存，15位以后已失真，请改为文本格式")
            elif _BAD_TEXT.search(text):
                self.fail(code, "text.control", f"{field.title}含有不可见的控制字符")
            elif field.max_length is not None and len(text) > field.max_length:
                self.fail(code, "field.length", f"{field.title}不得超过{field.max_length}个字符")
            else:
                self.values[code] = text

    def dates(self) -> None:
        """The three dates exist, are plausible, and the validity does not end before it begins."""
        for code in _DATES:
            if code in self.values:
                day = _date(self.row.get(code), self.text[code])
                if day is None:
                    self.fail(code, "date.format", f"{FIELDS[code].title}不是有效日期，应如 2026-01-05")
                elif day < _FIRST_DAY:
                    self.fail(code, "date.range", f"{FIELDS[code].title}早于1949年10月1日")
                self.values[code] = day
        start, end = self.values.get("XK_YXQZ"), self.values.get("XK_YXQZI")
        if isinstance(start, date) and isinstance(end, date) and end < start:
            self.fail("XK_YXQZI", "date.order", "有效期至早于有效期自")

    def kinds(self) -> None:
        """Values that come from a list: party kind, licence kind, status."""
        if self.kind and self.kind not in set(PartyKind):
            self.fail("XK_XDR_LB", "party.kind", f"行政相对人类别应为{'、'.join(PartyKind)}之一")
        kind = self.values.get("XK_XKLB")
        other = isinstance(kind, str) and re.fullmatch(r"其他\s*[-－—]\s*\S.*", kind) is not None
        if kind is not None and kind not in LICENCE_KINDS and not other:
            self.fail("XK_XKLB", "licence.kind", "许可类别应为普通、特许、认可、核准、登记，或“其他-”加说明")
        if self.values.get("XK_ZT", "1") not in ("1", "2"):
            self.fail("XK_ZT", "status.code", "当前状态应为1（有效）或2（无效）")

    def codes(self) -> None:
        """USCC of organ and source must have the shape; the party's is normalised where it can be, and kept."""
        for code in ("XK_XKJGDM", "XK_LYDWDM", "XK_XDR_SHXYM"):
            if code not in self.values:
                continue
            try:
                self.values[code] = normalise_uscc(self.text[code]).value
            except IdentifierError as error:
                if code != "XK_XDR_SHXYM":
                    self.fail(code, error.rule, error.message)
        party = self.values.get("XK_XDR_SHXYM")
        if isinstance(party, str) and not _uscc_valid(party) and _resident(party):
            # an owner's number given for a shop without a code: kept here it would stand in clear (domain.md §4.11)
            self.fail("XK_XDR_SHXYM", "party.resident", "统一社会信用代码栏填写了公民身份号码")

    def person(self) -> None:
        """A natural person is known by a document; a resident number must be one, for it is the key of a subject."""
        if self.kind != PartyKind.PERSON:
            return
        if "XK_XDR_SHXYM" in self.values:
            # such a value is most often the person's own number in the wrong column, where nothing would encrypt it
            self.fail("XK_XDR_SHXYM", "person.uscc", "自然人不应填写统一社会信用代码")
        for code in ("XK_XDR_ZJLX", "XK_XDR_ZJHM"):
            if not self.text[code]:
                self.fail(code, "person.document", f"行政相对人为自然人时，{FIELDS[code].title}为必填项")
        code = "XK_XDR_ZJLX"
        try:
            if code in self.values:
                kind = parse_document_type(self.text[code])
                self.values[code] = str(kind)
                code = "XK_XDR_ZJHM"
                if kind is DocumentType.RESIDENT and code in self.values:
                    self.values[code] = parse_resident_id(self.text[code]).value
        except IdentifierError as error:
            self.fail(code, error.rule, error.message)


def validate_row(row: Mapping[str, Cell]) -> PermitRecord | list[RowError]:
    """The record a row holds, or every fault found in it (never an empty list)."""
    problem = row.get(PROBLEM)
    if problem is not None:  # its cells may belong to other fields: judging them would mislead, showing them could leak
        return [RowError(PROBLEM, "row.shape", str(problem), "")]
    check = _Check(row)
    check.general()
    check.dates()
    check.kinds()
    check.codes()
    check.person()
    return check.errors or PermitRecord.model_validate(check.values)


def write_report(errors: Iterable[tuple[int, RowError]], path: Path) -> int:
    """Write (row number, error) pairs as CSV for people, with the BOM Excel needs for UTF-8; returns the count."""
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        report = csv.writer(file)
        report.writerow(("行号", "字段", "规则", "说明", "原值"))
        for number, error in errors:
            # a leading = + - @ would make a spreadsheet run the value as a formula
            found = f"'{error.found}" if error.found[:1] in tuple("=+-@\t\r") else error.found
            report.writerow((number, error.field, error.rule, error.message, found))
            count += 1
    return count

"""双公示 permit files: three formats, every rule, masked errors."""

import csv
import json
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.formats.shuanggongshi import (
    FIELDS,
    PROBLEM,
    Cell,
    FormatError,
    PartyKind,
    PermitRecord,
    Row,
    RowError,
    read_rows,
    validate_row,
    write_report,
)
from domain.identifiers import make_resident_id, make_uscc

ORGAN = make_uscc("11150100MB1234567")
PARTY = make_uscc("91150102MA0N1ABCX")
PERSON = make_resident_id("15010219900101001")
GOOD: Row = {
    "XK_XDR_MC": "内蒙古草原牧业有限公司",
    "XK_XDR_LB": "法人及非法人组织",
    "XK_XDR_SHXYM": PARTY,
    "XK_FRDB": "王志强",
    "XK_XKWS": "准予行政许可决定书",
    "XK_WSH": "呼审批许字〔2026〕1号",
    "XK_XKLB": "普通",
    "XK_XKZS": "食品经营许可证",
    "XK_XKBH": "JY11501020000001",
    "XK_NR": "热食类食品制售",
    "XK_JDRQ": "2026-01-05",
    "XK_YXQZ": "2026/1/5",
    "XK_YXQZI": "20310104",
    "XK_XKJG": "呼和浩特市行政审批和政务服务局",
    "XK_XKJGDM": ORGAN,
    "XK_ZT": "1",
    "XK_LYDW": "呼和浩特市行政审批和政务服务局",
    "XK_LYDWDM": ORGAN,
    "BZ": "",
}
NATURAL: Row = GOOD | {
    "XK_XDR_MC": "白其其格",
    "XK_XDR_LB": "自然人",
    "XK_XDR_SHXYM": None,
    "XK_FRDB": None,
    "XK_XDR_ZJLX": "身份证",
    "XK_XDR_ZJHM": PERSON,
}


def record(row: Row) -> PermitRecord:
    """The record of a row that must be good."""
    got = validate_row(row)
    assert isinstance(got, PermitRecord), got
    return got


def faults(row: Row) -> list[RowError]:
    """The errors of a row that must be bad."""
    got = validate_row(row)
    assert isinstance(got, list)
    assert got
    return got


def rules(row: Row) -> set[tuple[str, str]]:
    return {(error.field, error.rule) for error in faults(row)}


def write_csv(path: Path, header: list[str], rows: list[list[str]], encoding: str = "utf-8", mark: str = ",") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=mark).writerows([header, *rows])
    return path


def write_xlsx(path: Path, rows: list[list[Cell]]) -> Path:
    book = openpyxl.Workbook()
    book.active.title = "填报说明"
    book.active.append(["请按标准填写"])
    sheet = book.create_sheet("数据")
    for row in rows:
        sheet.append(row)
    book.save(path)
    book.close()
    return path


def texts(row: Row) -> list[str]:
    return ["" if cell is None else str(cell) for cell in row.values()]


def test_the_standard_has_28_fields() -> None:
    assert len(FIELDS) == 28
    assert FIELDS["XK_NR"].max_length == 4000
    assert FIELDS["XK_WSH"].title == "行政许可决定文书号"
    optional = {code for code, field in FIELDS.items() if not field.required}
    assert optional == {
        *(f"XK_XDR_{name}" for name in ("SHXYM", "GSZC", "ZZJG", "SWDJ", "SYDW", "SHZZ", "ZJLX", "ZJHM")),
        *("XK_FRDB", "XK_FR_ZJLX", "XK_FR_ZJHM", "XK_XKZS", "XK_XKBH", "BZ"),
    }


def test_a_good_row() -> None:
    got = record(GOOD)
    assert got.party_kind is PartyKind.LEGAL
    assert (got.decided_on, got.valid_from, got.valid_to) == (date(2026, 1, 5), date(2026, 1, 5), date(2031, 1, 4))
    assert (got.party_uscc_valid, got.organ_uscc_valid, got.long_term, got.note) == (True, True, False, None)
    assert "王志强" not in repr(got)
    with pytest.raises(ValueError, match="frozen"):
        got.status = "2"  # type: ignore[misc]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("mark", [",", "\t", ";"])
@pytest.mark.parametrize("chinese", [False, True])
def test_csv(tmp_path: Path, encoding: str, mark: str, chinese: bool) -> None:
    header = [FIELDS[code].title.replace("(", " （").replace(")", "）") if chinese else code.lower() for code in GOOD]
    path = write_csv(
        tmp_path / "a.csv", [*header, "本地列"], [[*texts(GOOD), "x"], [], [*texts(GOOD), "y"]], encoding, mark
    )
    got = list(read_rows(path))
    assert [number for number, _ in got] == [2, 4]
    assert record(got[0][1]) == record(GOOD)


def test_gb18030_after_a_megabyte_of_ascii(tmp_path: Path) -> None:
    filler = GOOD | {"BZ": "x" * 500}
    ascii_only = [[cell if cell.isascii() else "x" for cell in texts(filler)]] * 2000
    path = write_csv(tmp_path / "a.csv", list(GOOD), [*ascii_only, texts(GOOD)], "gb18030")
    assert record(list(read_rows(path))[-1][1]) == record(GOOD)


def test_codes_above_chinese_names_are_one_header(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", list(GOOD), [[FIELDS[code].title for code in GOOD], texts(GOOD)])
    assert [number for number, _ in read_rows(path)] == [3]


def test_a_shifted_row_is_not_judged_field_by_field(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", list(GOOD), [[*texts(GOOD)[:3], PERSON, *texts(GOOD)[3:-1], "备注"]])
    ((_, row),) = read_rows(path)
    assert faults(row) == [RowError(PROBLEM, "row.shape", "单元格多于表头，可能有未加引号的分隔符", "")]


def test_xlsx_with_dates_numbers_titles_and_a_sheet_of_instructions(tmp_path: Path) -> None:
    row = GOOD | {"XK_JDRQ": datetime(2026, 1, 5), "XK_YXQZ": 46027, "XK_YXQZI": date(2031, 1, 4), "XK_ZT": 1}  # noqa: DTZ001
    path = write_xlsx(tmp_path / "a.xlsx", [["行政许可信息"], [], [FIELDS[c].title for c in row], list(row.values())])
    ((number, got),) = read_rows(path)
    assert number == 4
    assert record(got) == record(GOOD)


def test_a_number_that_lost_its_digits_is_noticed(tmp_path: Path) -> None:
    row = NATURAL | {"XK_XDR_ZJHM": int(PERSON[:17]) * 10}
    ((_, got),) = read_rows(write_xlsx(tmp_path / "a.xlsx", [list(row), list(row.values())]))
    assert ("XK_XDR_ZJHM", "number.lost") in rules(got)
    assert PERSON[:15] not in str(faults(got))


@pytest.mark.parametrize("lines", [False, True])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_json(tmp_path: Path, lines: bool, encoding: str) -> None:
    rows = [GOOD | {"XK_WSH": f"呼审批许字〔2026〕{n}号", "extra": [1, {"a": 2}]} for n in range(300)]
    objects = [json.dumps(row, ensure_ascii=False) for row in rows]
    text = "\n".join(objects) if lines else json.dumps(rows, ensure_ascii=False, indent=1)
    (tmp_path / "a").write_text(text, encoding=encoding)
    got = list(read_rows(tmp_path / "a"))
    assert [number for number, _ in got] == list(range(1, 301))
    assert record(got[299][1]).document_number == "呼审批许字〔2026〕299号"


def test_a_json_object_with_nested_or_doubled_fields_is_a_row_error(tmp_path: Path) -> None:
    bad = [GOOD | {"XK_NR": ["a"]}, GOOD | {"许可内容": "b"}, GOOD]
    (tmp_path / "a.json").write_text(json.dumps(bad), encoding="utf-8")
    got = [validate_row(row) for _, row in read_rows(tmp_path / "a.json")]
    assert [isinstance(one, list) for one in got] == [True, True, False]


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [c for c in GOOD if c != "XK_ZT"], [["x"]])
    with pytest.raises(FormatError, match="XK_ZT（当前状态）"):
        list(read_rows(path))


@pytest.mark.parametrize("code", [code for code, field in FIELDS.items() if field.required])
def test_required_fields(code: str) -> None:
    for empty in (None, "", " \u3000"):
        assert (code, "field.required") in rules(GOOD | {code: empty})


@pytest.mark.parametrize("code", [code for code, field in FIELDS.items() if field.max_length])
def test_lengths(code: str) -> None:
    length = FIELDS[code].max_length
    assert length is not None
    long = "其他-" + "长" * (length - 2)
    assert (code, "field.length") in rules(NATURAL | {code: long})
    if code not in ("XK_XDR_SHXYM", "XK_XDR_ZJLX", "XK_XDR_ZJHM", "XK_XKJGDM", "XK_LYDWDM", "XK_ZT"):
        record(NATURAL | {code: long[:length]})


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ({"XK_XDR_LB": "企业"}, "XK_XDR_LB", "party.kind"),
        ({"XK_XKLB": "其他-"}, "XK_XKLB", "licence.kind"),
        ({"XK_XKLB": "备案"}, "XK_XKLB", "licence.kind"),
        ({"XK_ZT": "3"}, "XK_ZT", "status.code"),
        ({"XK_JDRQ": "2026-02-30"}, "XK_JDRQ", "date.format"),
        ({"XK_JDRQ": "2026-1/5"}, "XK_JDRQ", "date.format"),
        ({"XK_JDRQ": True}, "XK_JDRQ", "date.format"),
        ({"XK_JDRQ": "0026-01-05"}, "XK_JDRQ", "date.range"),
        ({"XK_YXQZI": "2026-01-04"}, "XK_YXQZI", "date.order"),
        ({"XK_XKJGDM": "1115"}, "XK_XKJGDM", "uscc.shape"),
        ({"XK_LYDWDM": "1115"}, "XK_LYDWDM", "uscc.shape"),
        ({"XK_NR": "a\0b"}, "XK_NR", "text.control"),
        ({"XK_NR": "a\ud800b"}, "XK_NR", "text.control"),
        ({"XK_XKBH": 1.5e17}, "XK_XKBH", "number.lost"),
        ({"XK_XKBH": float("nan")}, "XK_XKBH", "number.lost"),
        ({"XK_XKBH": float("inf")}, "XK_XKBH", "number.lost"),
    ],
)
def test_rules(change: Row, field: str, rule: str) -> None:
    assert rules(GOOD | change) == {(field, rule)}


def test_a_wrong_party_code_is_kept_and_flagged_and_so_is_an_organ_check() -> None:
    wrong = PARTY[:17] + ("0" if PARTY[17] != "0" else "1")
    assert (record(GOOD | {"XK_XDR_SHXYM": wrong}).party_uscc, record(GOOD | {"XK_XDR_SHXYM": "abc"}).party_uscc) == (
        wrong,
        "abc",
    )
    assert record(GOOD | {"XK_XDR_SHXYM": wrong}).party_uscc_valid is False
    assert record(GOOD | {"XK_XDR_SHXYM": "abc"}).party_uscc_valid is False
    assert record(GOOD | {"XK_XDR_SHXYM": "/"}).party_uscc_valid is None
    assert record(GOOD | {"XK_XDR_SHXYM": PARTY.lower()}).party_uscc == PARTY
    assert record(GOOD | {"XK_XKJGDM": "00000000000000000X"}).organ_uscc_valid is False


@pytest.mark.parametrize("text", ["2099-12-31", "9999-12-31", "2099年12月31日", "2099-12-31 00:00:00", 73050])
def test_long_term(text: Cell) -> None:
    assert record(GOOD | {"XK_YXQZI": text}).long_term


def test_an_instant_is_the_day_in_china() -> None:
    assert record(GOOD | {"XK_JDRQ": "2026-01-04T16:00:00.000Z"}).decided_on == date(2026, 1, 5)


@given(st.dates(date(1949, 10, 1), date(9999, 12, 31)))
def test_every_form_of_a_date_is_the_same_day(day: date) -> None:
    serial = (day - date(1899, 12, 30)).days
    for cell in (
        day.isoformat(),
        f"{day.year}/{day.month}/{day.day}",
        day.isoformat().replace("-", ""),
        int(day.isoformat().replace("-", "")),
        day,
        serial,
        float(serial),
        f"{day.isoformat()} 00:00:00",
    ):
        assert record(GOOD | {"XK_JDRQ": cell}).decided_on == day


def test_natural_persons() -> None:
    got = record(NATURAL | {"XK_XDR_ZJLX": "居民身份证", "XK_XDR_ZJHM": PERSON.lower()})
    assert (got.party_document_type, got.party_document) == ("身份证", PERSON)
    assert PERSON not in repr(got)
    assert "白其其格" not in repr(got)
    record(NATURAL | {"XK_XDR_ZJLX": "护照号", "XK_XDR_ZJHM": "E12345678"})


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ({"XK_XDR_ZJHM": "/"}, "XK_XDR_ZJHM", "person.document"),
        ({"XK_XDR_ZJLX": None}, "XK_XDR_ZJLX", "person.document"),
        ({"XK_XDR_ZJLX": "饭卡"}, "XK_XDR_ZJLX", "document.type"),
        ({"XK_XDR_ZJHM": "1501**********1234"}, "XK_XDR_ZJHM", "resident.shape"),
        ({"XK_XDR_SHXYM": ORGAN}, "XK_XDR_SHXYM", "person.uscc"),
    ],
)
def test_rules_for_natural_persons(change: Row, field: str, rule: str) -> None:
    assert rules(NATURAL | change) == {(field, rule)}


@pytest.mark.parametrize("kind", list(PartyKind))
def test_a_resident_number_cannot_pass_as_a_party_code(kind: PartyKind) -> None:
    errors = faults(NATURAL | {"XK_XDR_LB": kind, "XK_XDR_SHXYM": PERSON})
    assert "party.resident" in {error.rule for error in errors}
    assert PERSON not in str(errors)


PERSONAL = ("XK_XDR_MC", "XK_FRDB", "XK_FR_ZJHM", "XK_XDR_ZJHM")


@given(st.sampled_from(PERSONAL), st.sampled_from(["自然人", "", "个人"]))
def test_errors_never_show_personal_fields(code: str, kind: str) -> None:
    secret = "秘密\x01" + PERSON * 12
    errors = faults(NATURAL | {"XK_XDR_LB": kind, code: secret})
    assert PERSON not in str(errors)
    assert "秘密" not in str(errors)
    assert f"{len(secret)} 个字符" in {error.found for error in errors if error.field == code}


@given(
    st.sampled_from([code for code in FIELDS if code != "XK_XDR_SHXYM"]),
    st.sampled_from([PERSON, "13847112345", f"张三{PERSON}"]),
)
def test_a_number_in_the_wrong_column_is_not_shown_either(code: str, secret: str) -> None:
    got = validate_row(GOOD | {"XK_XDR_LB": "企业", code: secret})
    assert isinstance(got, list)
    assert not any(secret in error.found or PERSON in error.found for error in got)


def test_what_identifies_nobody_is_shown() -> None:
    assert [error.found for error in faults(GOOD | {"XK_ZT": "9", "XK_JDRQ": "昨天"})] == ["昨天", "9"]


def test_report(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    errors = [
        RowError("XK_ZT", "status.code", "当前状态应为1（有效）或2（无效）", "=1+1"),
        *faults(NATURAL | {"XK_XDR_ZJHM": "1"}),
    ]
    assert write_report(((number, error) for number, error in enumerate(errors, 2)), path) == 2
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["行号", "字段", "规则", "说明", "原值"]
    assert rows[1][0::4] == ["2", "'=1+1"]
    assert rows[2][1:3] == ["XK_XDR_ZJHM", "resident.shape"]
    assert rows[2][4] == "1 个字符"


@given(
    st.dictionaries(
        st.sampled_from(list(FIELDS)),
        st.none()
        | st.text("a1 -/.:TZ\0\ud800年２Ｘ\u3000=")
        | st.integers()
        | st.floats()
        | st.booleans()
        | st.dates(),
    )
)
def test_no_cell_breaks_the_check(change: Row) -> None:
    got = validate_row(NATURAL | change)
    assert got
    if isinstance(got, list):
        assert all(error.message and error.rule for error in got)

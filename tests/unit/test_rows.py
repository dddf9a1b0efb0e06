"""Files that hold no table, or break off: one clear error, never a silent loss."""

import json
from pathlib import Path

import pytest

from adapters.formats.shuanggongshi import FormatError, read_rows
from tests.unit.test_shuanggongshi import GOOD, write_xlsx

HEADER = ",".join(GOOD)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xef\xbb\xbf",
        b" \r\n\r\n",
        b"hello",
        b"a,b,c\n1,2,3\n",
        HEADER.encode(),
        HEADER.replace("XK_WSH,", "").encode() + b"\nx",
        HEADER.encode() + b",XK_WSH\nx",
        HEADER.encode("utf-16"),
        b"\xff\xd8\xff\xe0JFIF\x80\xff",
        b"PK\x03\x04 not a workbook",
        b"\xd0\xcf\x11\xe0\xa1\xb1",
        b"[]",
        b"[1]",
        b"[[[[",
        b'{"a": 1}',
        b'{"data": [{"XK_WSH": "1"}]}',
        json.dumps([GOOD]).encode()[:-1],
        json.dumps([GOOD]).encode() + b"x",
        json.dumps(GOOD).encode()[:-5],
        b'{"a":' * 100_000,
        b'{"a": ' + b"9" * 5000 + b"}",
        HEADER.encode() + b'\n"open,quote\nx,y\n',
    ],
)
def test_bad_files_raise_one_clear_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "f").write_bytes(content)
    with pytest.raises(FormatError) as caught:
        list(read_rows(tmp_path / "f"))
    assert any("\u4e00" <= char <= "\u9fff" for char in str(caught.value))


def test_a_broken_workbook_and_another_zip_are_format_errors(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", [list(GOOD), list(GOOD.values())])
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], whole.replace(b"xl/workbook.xml", b"xl/workbonk.xml")):
        path.write_bytes(content)
        with pytest.raises(FormatError):
            list(read_rows(path))


def test_a_csv_that_breaks_off_gives_the_rows_before(tmp_path: Path) -> None:
    (tmp_path / "f").write_text(HEADER + '\na\n"open,quote\nx,y\n', encoding="utf-8")
    rows = read_rows(tmp_path / "f")
    assert next(rows) == (2, {"XK_XDR_MC": "a"})
    with pytest.raises(FormatError, match="第 3 行"):
        next(rows)


def test_a_missing_file_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        next(read_rows(tmp_path / "none"))

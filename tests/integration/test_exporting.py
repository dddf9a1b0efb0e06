"""Read models as files (2.6c)."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import openpyxl
import pytest

from infra.exporting import as_cell
from tests.integration.region import APPROVAL, FORMER, S1
from tests.integration.test_queries import ask, ask_json
from tests.integration.teststore import TestStore


@pytest.mark.door("command")
@pytest.mark.clause("2.6c")
def test_every_format_holds_every_row(full: TestStore, tmp_path: Path) -> None:
    total = ask_json(full, "approvals")["total"]
    for suffix in ("csv", "xlsx", "jsonl"):
        assert f"已导出 {total} 条" in ask(full, "export", "approvals", str(tmp_path / f"审批.{suffix}"))
    rows = list(csv.DictReader((tmp_path / "审批.csv").read_text(encoding="utf-8-sig").splitlines()))
    lines = [json.loads(line) for line in (tmp_path / "审批.jsonl").read_text().splitlines()]
    sheet = openpyxl.load_workbook(tmp_path / "审批.xlsx").worksheets[0]
    cells = [[value or "" for value in row] for row in sheet.iter_rows(values_only=True)]
    assert [row["办件号"] for row in rows] == [line["number"] for line in lines]
    assert cells == [list(rows[0]), *(list(row.values()) for row in rows)]
    assert {line["organ"] for line in lines} == {APPROVAL, FORMER}
    assert ask_json(full, "export", "receipts", str(tmp_path / "r.csv"), "--department", S1)["rows"] > 0
    assert "Case" not in (tmp_path / "r.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.csv", "审批.csv", "审批.jsonl", "审批.xlsx"]


@pytest.mark.door("command")
@pytest.mark.clause("2.6c", refused=True)
def test_no_person_in_clear_and_nothing_written_over(full: TestStore, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    ask(full, "export", "approvals", str(file))
    assert "赵铁柱" not in file.read_text()
    assert "赵*" in file.read_text()
    assert [as_cell(text) for text in ("=1+1", "@x", "甲\x01", "乙")] == ["'=1+1", "'@x", "甲\ufffd", "乙"]
    ask(full, "export", "approvals", str(tmp_path / "b.csv"), "--reveal", code=2)
    before = file.read_bytes()
    assert "已存在" in ask(full, "export", "approvals", str(file), code=1)
    assert file.read_bytes() == before
    assert "须以" in ask(full, "export", "approvals", str(tmp_path / "a.pdf"), code=2)
    assert "须是" in ask(full, "export", "keys", str(tmp_path / "a.csv"), code=2)
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]

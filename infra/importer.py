"""`shenguan import shuanggongshi`: permit records in the 双公示 field set, row by row, through the principal's topic.

One good row is one submission `permit.report` with an id, time and content made of nothing but the row, so that the
same file may be imported again: what is there already becomes a duplicate. A bad row goes to the report. A row that no
administered mapping routes yet is submitted all the same and waits at intake for its mapping (domain notes §4.16).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from adapters.formats.shuanggongshi import FormatError, PermitRecord, RowError, read_rows, validate_row, write_report
from adapters.kafka.cloudevents import encode
from adapters.kafka.outbox import Failed, Outbox
from adapters.postgres.log import Log
from domain.public_records import ReportPermit
from domain.registers import Registers
from domain.rules import Rejection
from domain.submissions import local_date, read_payload
from infra.permit_rows import CODES, attributes_of, payload_of
from infra.store import Store

IN_FLIGHT: Final = 1_000
ATTEMPTS: Final = 5
FLUSH_SECONDS: Final = 10.0
SHOWN: Final = 10
Progress = Callable[[int], None]
"""Rows read so far."""


class ImportProblem(Exception):
    """Why an import cannot go on, in words for people: Chinese and English."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(zh)
        self.zh = zh
        self.en = en


@dataclass(slots=True)
class Summary:
    """What became of a file. `rows` = `submitted` + `reported`; `unmapped`: organ and certificate type → rows that
    wait at intake; `broken`: where the file cannot be read on."""

    rows: int = 0
    submitted: int = 0
    reported: int = 0
    unmapped: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    broken: str | None = None
    report: Path | None = None
    dry_run: bool = False

    def lines(self, language: str = "zh") -> list[str]:
        """For people."""
        english = language == "en"
        if english:
            did = "would be submitted" if self.dry_run else "submitted"
            found = [f"{self.rows} rows, {self.submitted} {did}, {self.reported} reported"]
        else:
            found = [
                f"共 {self.rows} 行，{'可提交' if self.dry_run else '提交'} {self.submitted}，报告 {self.reported}"
            ]
        if self.broken:
            found.append(f"The file breaks off: {self.broken}" if english else f"文件未能读完：{self.broken}")
        if self.unmapped:
            total = sum(self.unmapped.values())
            found.append(
                f"{total} rows wait for a mapping (organ, certificate type → matter):"
                if english
                else f"其中 {total} 行尚无对应事项，在摄取处等待登记对应关系："
            )
            for (organ, uscc, certificate), count in self.unmapped.most_common(SHOWN):
                found.append(f"  {organ} {uscc} {certificate}: {count}")
            if len(self.unmapped) > SHOWN:
                found.append(f"  … {len(self.unmapped) - SHOWN}")
        if self.report is not None:
            found.append(f"Report: {self.report}" if english else f"报告：{self.report}")
        return found


def import_permits(
    store: Store,
    file: Path,
    *,
    principal: str | None = None,
    department: str | None = None,
    legacy: bool = False,
    report: Path | None = None,
    dry_run: bool = False,
    progress: Progress = lambda _rows: None,
) -> Summary:
    """Submits every good row and waits for the broker to have it; what is wrong with the others goes to `report`.

    Args:
        principal: who speaks; default the only one that acts for a platform department.
        department: for whom it speaks; default its platform department, or the only one it acts for. Part of what is
            submitted: to import a file again it must be the same.
        legacy: stock from before the system, which owes no notice.
        report: default `<name>.report.csv` in the current directory; not left behind where nothing is wrong.

    Raises:
        ImportProblem: the file is no permit file, nobody can speak, or Kafka does not take it. Importing again is safe.
        OSError, psycopg.Error, clients.BrokerError: the file, the database, the broker.
    """
    registers = Registers()
    with store.connect() as conn:
        Log(conn).refresh(registers, 0)
    principal, department = speaker(registers, principal, department)
    run = _Run(store, registers, principal, department, legacy, dry_run, progress)
    path = report or Path(f"{file.stem}.report.csv")
    try:
        count = write_report(run.faults(file), path)
    except BaseException as error:
        path.unlink(missing_ok=True)
        if not isinstance(error, FormatError):
            raise
        raise ImportProblem(str(error), f"the file cannot be read as permit records: {error}") from None
    if count:
        run.summary.report = path
    else:
        path.unlink()
    return run.summary


def speaker(registers: Registers, principal: str | None, department: str | None) -> tuple[str, str]:
    """Who hands in, and for which department. Raises ImportProblem where that is not certain."""
    platforms = {code for code, entry in registers.departments.items() if "PLATFORM" in entry.roles}
    if principal is None:
        able = sorted(name for name, entry in registers.principals.items() if entry.acts_for & platforms)
        if len(able) != 1:
            raise ImportProblem(
                "请用 --principal 指明以哪个接入方的名义提交", "name the principal that submits: --principal"
            )
        principal = able[0]
    known = registers.principals.get(principal)
    if known is None or known.operator:
        raise ImportProblem(f"没有登记接入方 {principal}", f"no principal {principal} is registered")
    if department is None:
        candidates = sorted(known.acts_for & platforms) or sorted(known.acts_for)
        if len(candidates) != 1:
            raise ImportProblem(
                f"接入方 {principal} 可代表多个部门，请用 --department 指明其一",
                f"principal {principal} acts for several departments: name one with --department",
            )
        department = candidates[0]
    if department not in known.acts_for:
        raise ImportProblem(
            f"接入方 {principal} 未获授权代表部门 {department}", f"principal {principal} may not act for {department}"
        )
    return principal, department


class _Run:
    """One import under way: yields faults, submits the rest."""

    def __init__(
        self,
        store: Store,
        registers: Registers,
        principal: str,
        department: str,
        legacy: bool,
        dry_run: bool,
        progress: Progress,
    ) -> None:
        self.summary = Summary(dry_run=dry_run)
        self._registers = registers
        self._topic = store.names.intake(principal)
        self._principal = principal
        self._department = department
        self._legacy = legacy
        self._progress = progress
        self._outbox = None if dry_run else Outbox(store.kafka_options)
        self._waiting: dict[int, _Sending] = {}

    def faults(self, file: Path) -> Iterator[tuple[int, RowError]]:
        """Every fault with its row; what has none is submitted on the way."""
        try:
            try:
                for number, row in read_rows(file):
                    self.summary.rows += 1
                    yield from self._row(number, validate_row(row))
                    if len(self._waiting) >= IN_FLIGHT:
                        yield from self._settle()
                    self._progress(self.summary.rows)
            except FormatError as error:
                if not self.summary.rows:
                    raise
                self.summary.broken = str(error)
            yield from self._settle()
        finally:
            if self._outbox is not None:
                self._outbox.close()

    def _row(self, number: int, record: PermitRecord | list[RowError]) -> Iterator[tuple[int, RowError]]:
        if isinstance(record, PermitRecord):
            record = _sendable(record) or record
        if isinstance(record, PermitRecord):
            data = json.dumps(
                payload_of(record, self._department, legacy=self._legacy), ensure_ascii=False, separators=(",", ":")
            ).encode()
            try:
                payload = read_payload(ReportPermit.TYPE, data)
            except Rejection as rejection:
                record = [RowError(CODES.get(e.field, e.field), e.rule, e.message, e.found) for e in rejection.errors]
            else:
                assert isinstance(payload, ReportPermit)
                self._submit(number, record, payload, data)
                return
        self.summary.reported += 1
        for error in record:
            yield number, error

    def _submit(self, number: int, record: PermitRecord, payload: ReportPermit, data: bytes) -> None:
        self.summary.submitted += 1
        if self._registers.mapping(payload.organ_uscc, payload.certificate_type) is None:
            self.summary.unmapped[record.organ, payload.organ_uscc, payload.certificate_type] += 1
        if self._outbox is not None:
            headers, value = encode(attributes_of(payload, self._principal), data)
            self._send(_Sending(number, payload.key.encode(), value, headers))

    def _send(self, one: _Sending) -> None:
        assert self._outbox is not None
        one.attempts += 1
        self._waiting[self._outbox.send(self._topic, one.key, one.value, one.headers)] = one

    def _settle(self) -> Iterator[tuple[int, RowError]]:
        """Waits until the broker has everything sent so far; sends again what may yet arrive."""
        while self._waiting and self._outbox is not None:
            for result in self._outbox.flush(FLUSH_SECONDS):
                one = self._waiting.pop(result.handle)
                if not isinstance(result, Failed):
                    continue
                if not result.temporary and result.error == "MessageSizeTooLargeError":
                    self.summary.submitted -= 1
                    self.summary.reported += 1
                    yield (
                        one.number,
                        RowError("*", "row.size", "该行内容超过 Kafka 允许的消息大小", f"{len(one.value)} 字节"),
                    )
                elif not result.temporary or one.attempts >= ATTEMPTS:
                    raise ImportProblem(
                        f"Kafka 未接收（{result.error}）：请确认主题 {self._topic} 已建立（shenguan topics apply）"
                        "且可写。已提交的行再次导入不会重复",
                        f"Kafka did not take it ({result.error}): does the topic {self._topic} exist (shenguan topics "
                        "apply) and may it be written? Importing the file again repeats nothing",
                    )
                else:
                    self._send(one)


@dataclass(slots=True)
class _Sending:
    """A row on its way."""

    number: int
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]
    attempts: int = 0


def _sendable(record: PermitRecord) -> list[RowError] | None:
    """Why a well-formed record is not to be submitted."""
    if record.status == "2":
        return [RowError("XK_ZT", "status.invalid", "当前状态为无效，未导入", record.status)]
    if record.decided_on > local_date(datetime.now(UTC)):
        return [RowError("XK_JDRQ", "date.future", "许可决定日期晚于今天", record.decided_on.isoformat())]
    return None

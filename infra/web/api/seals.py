"""Seals: the register of the department's own, with their certificates, and where they were applied (2.7)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from psycopg import Connection
from pydantic import BaseModel

from adapters.http.exports import FILES
from adapters.http.problems import responses
from domain.seal_registry import CertificateState, Seal, SealKind
from infra.presentation import columns
from infra.registers import SEAL
from infra.web.book import listed, registers_of
from infra.web.listing import AskedFor, Listed, Listing, answer
from infra.web.reading import Reading, reading
from infra.web.times import MomentText, since_of, true_on
from projections.page import Slice
from projections.two_way import SEALS_KEY, seals_slice

router = APIRouter(prefix="/seals", tags=["seals"])
ReadingSeals = Annotated[Reading, Depends(reading("seals"), scope="function")]
APPLIED = columns("""
    position
    applied_at | 用印时间 | applied
    department | 用印部门 | by
    officer | 经办人 | officer
    officer_name | 姓名 | name
    seal | 印章 | seal
    registered | 在登记中 | registered
    case | 办件号 | case
    case_stream
    certificate_serial | 证书序列号 | certificate
    document_sm3 | 文件摘要 SM3 | document, SM3
    recorded_at | 记录时间 | recorded
""")


class SealRow(BaseModel):
    """A seal on record on a date. `status`: of its certificate then."""

    key: str
    name: str
    seal_kind: SealKind
    owners: list[str]
    delegated_to: list[str]
    certificate_serial: str
    certificate_from: date
    certificate_to: date
    status: CertificateState
    valid_from: date
    basis: str


class AppliedRow(BaseModel):
    """A seal put on a document of a case. `registered`: it was in the register on that day."""

    position: int
    applied_at: datetime
    department: str
    officer: str | None
    officer_name: str | None
    seal: str
    registered: bool
    case: str
    case_stream: str
    certificate_serial: str
    document_sm3: str
    recorded_at: datetime


SEALS = Listing("seals", ("key",), SEAL, SealRow)
APPLICATIONS = Listing("seals-applied", SEALS_KEY, APPLIED, AppliedRow)


@router.get("", response_model=Listed[SealRow], responses={**FILES, **responses(401, 403, 422)})
def seals(
    reading: ReadingSeals,
    asked: AskedFor,
    response: Response,
    as_true_at: Annotated[MomentText | None, Query(description="何日的情况；不给则今日")] = None,
    status: Annotated[CertificateState | None, Query(description="证书当日的状态")] = None,
) -> Any:
    """印章登记：本部门所有或受权使用的印章，证书当日是否有效。"""
    registers, on = registers_of(reading, asked), true_on(as_true_at)
    rows = []
    for key, entry in registers.entries_on("seal", on).items():
        version = registers.version("seal", key, on)
        if not isinstance(entry, Seal) or version is None or status not in (None, entry.certificate_on(on)):
            continue
        if reading.department in (None, *entry.owners, *entry.delegated_to):
            said = {"key": key, "valid_from": version.since, "basis": version.basis}
            rows.append(entry.model_dump() | said | {"status": entry.certificate_on(on)})
    return listed(SEALS, reading, asked, response, rows, {"as_true_at": as_true_at, "status": status})


@router.get("/applied", response_model=Listed[AppliedRow], responses={**FILES, **responses(401, 403, 422)})
def applied(
    reading: ReadingSeals,
    asked: AskedFor,
    response: Response,
    department: Annotated[str | None, Query(description="用印部门")] = None,
    case: Annotated[str | None, Query(description="办件：case/部门/办件号")] = None,
    seal: Annotated[str | None, Query(description="印章编码")] = None,
    since: Annotated[MomentText | None, Query(description="何时起")] = None,
) -> Any:
    """用印记录：哪个部门何时在哪个办件的文件上用了哪枚印章；最近登记的在前。"""
    chosen = {"department": department, "case": case, "seal": seal}
    from_when = since_of(since)

    def find(conn: Connection[Any], after: Sequence[Any] | None, limit: int) -> Slice:
        found = seals_slice(conn, after, limit, since=from_when, known_at=asked.known_at, **chosen)
        return Slice([_row(row) for row in found.rows], found.more)

    return answer(APPLICATIONS, reading, asked, response, find, {**chosen, "since": since})


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {**row["summary"], **row, "case": row["case_stream"].rpartition("/")[2]}

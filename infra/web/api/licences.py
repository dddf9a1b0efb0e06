"""Licences: where each stands on a day, who answers for its supervision, and by whom it was never inspected (2.8)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from psycopg import Connection
from pydantic import BaseModel

from adapters.http.problems import responses
from adapters.postgres.log import Log
from domain.case_state import CaseState
from domain.event import Recorded
from domain.licences import STANDING, LicenceStatus, accountable, licence_status, supervision_basis
from domain.notices import NoticeReceived
from domain.registers import Registers
from domain.submissions import local_date
from infra.licences import LICENCE
from infra.web.api.cases import names_of
from infra.web.api.inspections import inspections_then
from infra.web.filters import DepartmentAsked, MatterAsked, NumberAsked, OrganAsked
from infra.web.folding import BLOCK, Histories, Row, sift
from infra.web.listing import AskedFor, Listed, Listing, answer
from infra.web.reading import Reading, reading
from projections.approvals import approval_then
from projections.inspections import inspections_of
from projections.licences import granted_slice, licences_slice
from projections.page import Slice

router = APIRouter(tags=["licences"])
ReadingLicences = Annotated[Reading, Depends(reading("licences"), scope="function")]


class LicenceRow(BaseModel):
    """One permit. `standing`: where it stands on the day asked about; `supervisors`: who answers for its supervision
    then, on which legal `bases`; `never_inspected_by`: who of them has received it and never inspected."""

    stream: str
    organ: str
    number: str
    matter: str
    matter_name: str
    document_number: str | None
    decided_on: date
    licence_number: str | None
    certificate: str | None
    electronic_id: str | None
    valid_from: date | None
    valid_to: date | None
    standing: LicenceStatus
    supervisors: list[str]
    bases: list[str]
    never_inspected_by: list[str]
    decision_position: int


LICENCES = Listing("licences", ("decision_position",), LICENCE, LicenceRow)


@router.get("/licences", response_model=Listed[LicenceRow], responses=responses(401, 403, 422))
def licences(
    reading: ReadingLicences,
    asked: AskedFor,
    response: Response,
    department: Annotated[DepartmentAsked, Query(description="负责监管的部门")] = None,
    organ: OrganAsked = None,
    matter: MatterAsked = None,
    number: NumberAsked = None,
    status: Annotated[LicenceStatus | None, Query()] = None,
    unsupervised: Annotated[bool, Query(description="只列无人监管的有效证照")] = False,
    never_inspected: Annotated[bool, Query(description="只列已签收而从未检查的有效证照")] = False,
    as_true_at: Annotated[date | None, Query(description="当日所实，默认今日")] = None,
) -> Any:
    """证照：某日的状态、由谁监管、依据何在；最近决定的在前。"""
    on = as_true_at or local_date(datetime.now(UTC))
    fixed: Row = {"organ": organ, "number": number}
    changing: Row = {"matter": matter, "status": status, "department": department}
    flags: Row = {"unsupervised": unsupervised, "never_inspected": never_inspected}

    def find(conn: Connection[Any], after: Any, limit: int) -> Slice:
        registers = _registers(reading, asked.known_at)
        candidates = _candidates(conn, registers, asked.known_at, on, {**fixed, "party": reading.department}, changing)
        chosen = any(value is not None for value in changing.values()) or any(flags.values())
        with reading.log() as log:
            fold = _Fold(reading, conn, log, registers, on, asked.known_at)
            return sift(
                lambda after, block: candidates(after, block, **flags),
                fold.rows,
                lambda row: _fits(row, **changing, **flags),
                "decision_position",
                after,
                limit,
                BLOCK if chosen else limit + 1,
            )

    given = {key: value for key, value in flags.items() if value}
    return answer(LICENCES, reading, asked, response, find, {**fixed, **changing, **given, "as_true_at": as_true_at})


def _registers(reading: Reading, known_at: datetime | None) -> Registers:
    registry = reading.request.app.state.registry
    found: Registers = registry.now() if known_at is None else registry.then(known_at)
    return found


def _candidates(
    conn: Connection[Any], registers: Registers, known_at: datetime | None, on: date, fixed: Row, changing: Row
) -> Callable[..., Slice]:
    """Permits that may fit: what the read models know of it now is asked of them."""

    def find(after: Any, block: int, unsupervised: bool, never_inspected: bool) -> Slice:
        if known_at is not None:
            return granted_slice(conn, after, block, known_at=known_at, **fixed)
        return licences_slice(
            conn,
            after,
            block,
            on=on,
            ceased=[code for code in registers.departments if registers.ceased(code, on)],
            matter=changing["matter"],
            status=changing["status"],
            unsupervised=[code for code in registers.matters if not registers.in_charge(code, on)]
            if unsupervised
            else None,
            standing=never_inspected,
            **fixed,
        )

    return find


class _Fold:
    """Rows of permits by the log: who answers for one is more than the reader's own notices tell."""

    def __init__(
        self,
        reading: Reading,
        conn: Connection[Any],
        log: Connection[Any],
        registers: Registers,
        on: date,
        known_at: datetime | None,
    ) -> None:
        self._name = names_of(reading, log)
        self._conn = conn
        self._log = log
        self._registers = registers
        self._on = on
        self._known_at = known_at

    def rows(self, found: list[Row]) -> Iterator[Row]:
        names = [row["stream"] for row in found]
        histories = Log(self._log).histories(names, self._known_at)
        cases = {name: CaseState(name).folded(one.event for one in histories[name]) for name in names}
        held = Log(self._log).notices((h.notice for case in cases.values() for h in case.holders), self._known_at)
        inspected = self._inspected(names)
        for name, case in cases.items():
            row, standing = approval_then(histories[name], self._name), licence_status(case, self._on)
            if row is None or standing is None:
                continue
            supervisors = accountable(case, self._registers, self._on)
            bases = (supervision_basis(self._registers, case.matter, one, self._on) for one in supervisors)
            yield row | {
                "standing": standing,
                "supervisors": list(supervisors),
                "bases": list(dict.fromkeys(bases)),
                "never_inspected_by": self._lazy(case, held, inspected),
            }

    def _lazy(self, case: CaseState, held: Histories, inspected: set[tuple[str, str]]) -> list[str]:
        return sorted(
            one.department
            for one in case.holders
            if not one.disputed
            and not self._registers.ceased(one.department, self._on)
            and (case.stream, one.department) not in inspected
            and _received(held.get(one.notice, ()))
        )

    def _inspected(self, cases: list[str]) -> set[tuple[str, str]]:
        rows = inspections_of(self._conn, cases)
        if self._known_at is not None:
            rows = inspections_then(self._log, rows, self._known_at)
        return {
            (row["case_stream"], row["department"])
            for row in rows
            if row["retracted_at"] is None and row["inspected_on"] <= self._on
        }


def _received(life: Any) -> bool:
    events: Iterator[Recorded] = iter(life)
    return any(isinstance(one.event, NoticeReceived) for one in events)


def _fits(
    row: Row,
    matter: str | None,
    status: str | None,
    department: str | None,
    unsupervised: bool,
    never_inspected: bool,
) -> bool:
    standing = row["standing"] in STANDING
    return (
        matter in (None, row["matter"])
        and status in (None, row["standing"])
        and (department is None or department in row["supervisors"])
        and (not unsupervised or (standing and not row["supervisors"]))
        and (not never_inspected or (standing and bool(row["never_inspected_by"])))
    )

"""The register of licences at the terminal: where each stands on a date, and who answers for it (2.8).

Two time axes: as true at a date, by the read models; as known at a moment too, by the log itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date
from typing import Any, NamedTuple, get_args

import typer

from adapters.postgres.log import Log
from domain.case_state import CaseState
from domain.licences import STANDING, LicenceStatus, accountable, licence_status, supervision_basis
from domain.registers import Registers
from infra.presentation import Context, Shown, columns, known_at, names_over
from infra.registers import day, registers_at
from projections.inspections import find_inspections
from projections.licences import find_licences
from projections.page import Page

LICENCE = columns("""
    organ | 审批部门 | organ
    number | 办件号 | case
    matter
    matter_name | 事项 | matter
    document_number | 文号 | document
    licence_number | 证照号 | licence
    certificate | 证照 | certificate
    electronic_id
    valid_from | 有效期自 | valid from
    valid_to | 有效期至 | valid to
    standing | 状态 | status
    supervisors | 监管部门 | supervisors
    bases | 监管依据 | legal basis
    never_inspected_by | 未检查 | never inspected by
""")
INSPECTION = columns("""
    department | 部门 | department
    number | 检查编号 | inspection
    case | 办件号 | case
    case_stream
    matter
    item | 监管事项 | item
    category | 类别 | category
    result | 结果 | result
    inspected_on | 检查日期 | inspected
    corrections | 更正 | corrected
    retracted_at | 撤回 | retracted
    recorded_at
""")


class Wanted(NamedTuple):
    """Which licences are asked for; all of them where nothing is said."""

    department: str | None = None
    matter: str | None = None
    number: str | None = None
    status: str | None = None
    unsupervised: bool = False
    never_inspected: bool = False


def licences(
    context: Context, shown: Shown, wanted: Wanted, as_true_at: str | None, as_known_at: str | None, limit: int
) -> None:
    if wanted.status is not None and wanted.status not in get_args(LicenceStatus):
        raise typer.BadParameter(f"须是 {'、'.join(get_args(LicenceStatus))} 之一", param_hint="--status")
    if wanted.never_inspected and as_known_at is not None:
        raise typer.BadParameter("--never-inspected 不能与 --as-known-at 同用", param_hint="--never-inspected")
    on = day(as_true_at)
    registers = registers_at(context, as_known_at)
    found = _known(context, registers, wanted, on, as_known_at, limit) if as_known_at else None
    if found is None:
        found = _now(context, registers, wanted, on, limit)
    names = {code: entry.name for code, entry in registers.departments.items()}
    rows = []
    for row in found.rows:
        supervisors = list(row["supervisors"])
        bases = [supervision_basis(registers, row["matter"], one, on) for one in supervisors]
        row |= {"supervisors": supervisors, "bases": list(dict.fromkeys(bases))}
        if not shown.as_json:
            row["supervisors"] = [names.get(one, one) for one in supervisors]
            row["never_inspected_by"] = [names.get(one, one) for one in row.get("never_inspected_by", ())]
            row = names_over([row], ["organ"], names)[0]
        rows.append(row)
    shown.page(("证照", "Licences"), LICENCE, Page(found.total, rows))


def _now(context: Context, registers: Registers, wanted: Wanted, on: date, limit: int) -> Page:
    in_charge = {code: registers.in_charge(code, on) for code in registers.matters}
    with closing(context.connect_reader()) as conn:
        found = find_licences(
            conn,
            on,
            ceased=[code for code in registers.departments if registers.ceased(code, on)],
            supervisor=wanted.department,
            in_charge=[code for code, charged in in_charge.items() if wanted.department in charged],
            matter=wanted.matter,
            number=wanted.number,
            status=wanted.status,
            unsupervised=[code for code, charged in in_charge.items() if not charged] if wanted.unsupervised else None,
            never_inspected=wanted.never_inspected,
            limit=limit,
        )
    for row in found.rows:
        if not row["routed"]:
            row["supervisors"] = list(dict.fromkeys((*row["supervisors"], *in_charge[row["matter"]])))
    return found


def _known(context: Context, registers: Registers, wanted: Wanted, on: date, as_known_at: str, limit: int) -> Page:
    rows = []
    for case in known_cases(context, registers, as_known_at):
        standing = licence_status(case, on)
        organ, number = case.stream.split("/")[1:]
        if standing is None or wanted.number not in (None, number) or wanted.matter not in (None, case.matter):
            continue
        supervisors = accountable(case, registers, on)
        nobody = not supervisors and standing in STANDING
        if (
            wanted.status in (None, standing)
            and (wanted.department is None or wanted.department in supervisors)
            and (nobody or not wanted.unsupervised)
        ):
            rows.append(_row(case, organ, number, registers) | {"standing": standing, "supervisors": supervisors})
    rows.sort(key=lambda row: (row["decided_on"], row["number"]), reverse=True)
    return Page(len(rows), rows[:limit])


def known_cases(context: Context, registers: Registers, as_known_at: str) -> Iterator[CaseState]:
    """All cases as they were known then: one department's after another, so that not all are held at once."""
    with closing(context.connect()) as conn:
        log = Log(conn)
        for organ in sorted(registers.departments):
            for stream, events in log.streams_under(f"case/{organ}", known_at(as_known_at)).items():
                yield CaseState(stream).folded(events)


def _row(case: CaseState, organ: str, number: str, registers: Registers) -> dict[str, Any]:
    return {
        "organ": organ,
        "number": number,
        "matter": case.matter,
        "matter_name": registers.matters[case.matter].entry.name,
        "licence_number": case.licence_number,
        **case.decision,
    }


def inspections(
    context: Context, shown: Shown, department: str | None, case: str | None, since: str | None, limit: int
) -> None:
    registers = registers_at(context, None)
    with closing(context.connect_reader()) as conn:
        found = find_inspections(
            conn, department=department, case=case, since=day(since) if since else None, limit=limit
        )
    names = {code: entry.name for code, entry in registers.departments.items()}
    rows = with_case(found.rows)
    rows = rows if shown.as_json else names_over(rows, ["department"], names)
    shown.page(("检查", "Inspections"), INSPECTION, Page(found.total, rows))


def with_case(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Adds the case's number."""
    return [row | {"case": row["case_stream"].rpartition("/")[2]} for row in rows]

"""A department's month 对账函 as data with its proof, and on paper."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response

from adapters.http.problems import of_status, responses
from domain.access import Caller
from domain.statements import Month, Statement
from infra import statements
from infra.statement_pages import pdf_of
from infra.store import Store
from infra.web.api.ledgers import log_of, noted, own
from infra.web.api.notices import DepartmentCode
from infra.web.identity import reads

router = APIRouter(prefix="/departments/{department}/statements", tags=["proofs"])
MayRead = Annotated[Caller, Depends(reads("ledgers"))]
MonthPath = Annotated[Month, Path(description="月份，如 2026-10（北京时间）")]
_PDF: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}},
    **responses(401, 403, 404, 422),
}


# Before the other one, whose month would take in the ending: paths are tried in this order.
@router.get("/{month}.pdf", response_class=Response, responses=_PDF)
def statement_pdf(request: Request, caller: MayRead, department: DepartmentCode, month: MonthPath) -> Response:
    """对账函，公文样式。"""
    made = _made(request, caller, department, month)
    name = f"{made.store}-{made.month}-{made.department}.pdf"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(pdf_of(made), media_type="application/pdf", headers=headers)


@router.get("/{month}", responses=responses(401, 403, 404, 422))
def statement(request: Request, caller: MayRead, department: DepartmentCode, month: MonthPath) -> Statement:
    """对账函：该月告知该部门的全部事项、各自结果与凭据；尚无检查点或未到的月份没有。"""
    return _made(request, caller, department, month)


def _made(request: Request, caller: Caller, department: str, month: str) -> Statement:
    own(caller, department)
    store: Store = request.app.state.store
    with log_of(request) as conn:
        made = statements.statement(conn, store.settings.store, department, month, datetime.now(UTC))
    if made is None:
        raise of_status(404)
    noted(request, caller, "statement", {"department": department, "month": month}, len(made.items))
    return made

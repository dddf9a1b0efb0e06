"""A department's ledger of notices, with proof: how far it has come by a signed checkpoint, and its entries as the tree
has them. Who has them all, 1…n, and finds the committed root, knows that none is missing and none was withheld."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel

from adapters.http.problems import of_status, responses
from domain.access import Caller
from domain.armour import armoured
from domain.log_proofs import LedgerProof
from domain.merkle import leaf_hash
from infra import proofs
from infra.web.api.notices import DepartmentCode
from infra.web.api.transparency import Size
from infra.web.identity import reads
from infra.web.reading import Readers

router = APIRouter(prefix="/departments/{department}/ledger", tags=["proofs"])
MayRead = Annotated[Caller, Depends(reads("ledgers"))]
MOST = 1000


class LedgerEntry(BaseModel):
    """The notice of a serial: `leaf` is what stands in the log's tree and the ledger's, as `leaf_hash`; in base64."""

    serial: int
    position: int
    leaf_hash: str
    leaf: str


class LedgerEntries(BaseModel):
    """In the order of their serials; `more`: ask on `after` the last one."""

    items: list[LedgerEntry]
    more: bool


@router.get("", responses=responses(401, 403, 404, 422))
def ledger(request: Request, caller: MayRead, department: DepartmentCode, size: Size = None) -> LedgerProof:
    """编号簿证明：截至某检查点，告知该部门的共几件，其根；或尚无一件。"""
    own(caller, department)
    with log_of(request) as conn:
        found = proofs.prove_ledger(conn, department, size)
    if found is None:
        raise of_status(404)
    noted(request, caller, "ledger-proof", {"department": department, "size": size}, 1)
    return found


@router.get("/entries", responses=responses(401, 403, 404, 422))
def ledger_entries(
    request: Request,
    caller: MayRead,
    department: DepartmentCode,
    after: Annotated[int, Query(ge=0, lt=2**62, description="此编号之后的")] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST, description="最多几件")] = MOST,
) -> LedgerEntries:
    """编号簿各条：按编号，告知的原样与散列，供该部门自行核对。"""
    own(caller, department)
    with log_of(request) as conn:
        found = proofs.ledger_entries(conn, department, after, limit + 1)
    items = [
        LedgerEntry(
            serial=one.row.version,
            position=one.row.position,
            leaf_hash=armoured(leaf_hash(one.leaf)),
            leaf=armoured(one.leaf),
        )
        for one in found[:limit]
    ]
    noted(request, caller, "ledger-entries", {"department": department, "after": after}, len(items))
    return LedgerEntries(items=items, more=len(found) > limit)


def log_of(request: Request) -> Any:
    readers: Readers = request.app.state.readers
    return readers.log()


def own(caller: Caller, department: str) -> None:
    """Another department's is answered as if it were not there."""
    if caller.scope("ledgers") != "all" and department != caller.department:
        raise of_status(404)


def noted(request: Request, caller: Caller, name: str, given: dict[str, Any], rows: int) -> None:
    if caller.inspector:
        request.app.state.recorder.read(caller, name, given, rows)

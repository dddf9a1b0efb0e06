"""A case to be carried away with its proof: everything, for who may see everything; else what the caller sees of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from adapters.http.problems import Problem, of_status, responses
from infra.evidence import Asker, TooLarge, Wanted, bundle, gather
from infra.evidence_verifier import Wrong
from infra.web.api.cases import require_case
from infra.web.api.transparency import Size
from infra.web.filters import NumberPath, OrganPath
from infra.web.listing import Asked, note, plain_of
from infra.web.reading import ReadingCases
from projections.two_way import positions_of

router = APIRouter(tags=["cases", "proofs"])
ZIP = "application/zip"
_FILE: dict[int | str, dict[str, Any]] = {200: {"content": {ZIP: {"schema": {"type": "string", "format": "binary"}}}}}


@router.get(
    "/cases/{organ}/{number}/evidence",
    response_class=Response,
    responses={**_FILE, **responses(401, 403, 404, 409, 422)},
)
def evidence(
    reading: ReadingCases,
    organ: OrganPath,
    number: NumberPath,
    personal: Annotated[
        Literal["withheld", "included"], Query(description="个人信息：隐去，或连同证明公开，限职责所需")
    ] = "withheld",
    size: Size = None,
    reason: Annotated[str | None, Query(max_length=4000, description="监察取得个人信息的事由")] = None,
) -> Response:
    """证据包：一件办件的事件、当时适用的登记与证明，一个 ZIP 文件，可在别处离线核验。"""
    asked = Asked(None, 1, None, personal == "included", reason, "json")
    plain_of(reading, asked)
    chosen = {"organ": organ, "number": number, "personal": personal, "size": size}
    stream = require_case(reading, "evidence", chosen, asked)
    visible = None if reading.department is None else set(positions_of(reading.conn, stream))
    reading.release()
    caller = reading.caller
    try:
        with reading.log() as log:
            found = gather(log, Wanted(organ, number, personal, size, reading.department, visible))
        note(reading, "evidence", chosen, found.rows if found is not None else 0, asked)
        if found is None:
            raise of_status(404)
        made = bundle(found, reading.request.app.state.persons, Asker(None, caller.department, caller.officer))
    except TooLarge as large:
        raise Problem(422, "办件的事件过多，请用命令行", "too many events for one bundle", detail=str(large)) from None
    except Wrong as wrong:
        raise Problem(
            409, f"证据不成立：{wrong.zh}", f"the record does not hold: {wrong.en}", rule=wrong.rule
        ) from None
    headers = {"Content-Disposition": f'attachment; filename="evidence-{found.made.head.size}.zip"'}
    return Response(made.data, media_type=ZIP, headers=headers | {"Cache-Control": "no-store"})

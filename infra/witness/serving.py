"""A witness over HTTP, by C2SP tlog-witness: logs send it their checkpoints."""

from __future__ import annotations

from typing import Final

import structlog
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from domain.checkpoints import parse_checkpoint
from domain.notes import parse_note
from domain.unproven import Unproven
from domain.witnessing import MAX_PROPOSAL, Refused, parse_proposal
from infra.witness.keeping import Witness

_log = structlog.get_logger("shenguan.witness")
SIZE_TYPE: Final = "text/x.tlog.size"
_STATUS: Final = {
    "witness.shape": 400,
    "witness.old": 400,
    "witness.key": 403,
    "witness.forked": 403,
    "witness.origin": 404,
    "witness.size": 409,
    "witness.root": 409,
    "witness.ledgers": 409,
    "witness.growth": 422,
}


def create_app(witness: Witness) -> Starlette:
    """Answers `POST /add-checkpoint`: 200 with the cosignature, or why not."""

    async def add_checkpoint(request: Request) -> Response:
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > MAX_PROPOSAL:
                return PlainTextResponse("witness.shape: too long\n", 413)
        return await run_in_threadpool(answer, witness, bytes(body))

    return Starlette(routes=[Route("/add-checkpoint", add_checkpoint, methods=["POST"])])


def answer(witness: Witness, body: bytes) -> Response:
    try:
        proposed, signature = witness.consider(parse_proposal(body))
    except Refused as refused:
        _log.warning("checkpoint_refused", rule=refused.rule, why=refused.en)
        status = _STATUS[refused.rule]
        if status == 409:
            # as a header, for of a media type Starlette would add a charset
            return Response(f"{_size(witness, body)}\n", status, {"Content-Type": SIZE_TYPE})
        return PlainTextResponse(f"{refused.rule}: {refused.en}\n", status)
    except Unproven as error:
        return PlainTextResponse(f"{error.rule}\n", 400)
    _log.info("checkpoint_cosigned", origin=proposed.origin, size=proposed.size)
    return PlainTextResponse(signature.line)


def _size(witness: Witness, body: bytes) -> int:
    """Of the last checkpoint of the log that was cosigned."""
    note = witness.kept(witness.origin_of(parse_proposal(body).note))
    return parse_checkpoint(parse_note(note).text).size if note is not None else 0

"""What inspectors have asked 查阅留痕 (3.3e), this very question among it when it is asked again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from psycopg import Connection
from pydantic import BaseModel

from adapters.http.exports import FILES
from adapters.http.problems import responses
from adapters.postgres.log import Log
from domain.event import Recorded
from domain.reads import read_stream
from infra.reads import READ, read_row
from infra.web.book import registers_of
from infra.web.folding import MOST_SCANNED
from infra.web.listing import AskedFor, Listed, Listing, answer
from infra.web.reading import Reading, reading
from infra.web.times import MomentText, since_of
from projections.page import Slice

router = APIRouter(tags=["reads"])
ReadingReads = Annotated[Reading, Depends(reading("reads"), scope="function")]
BLOCK = 500
LAST = 2**62


class ReadRow(BaseModel):
    """A read. `caller`: issuer and subject of the token, where it came over HTTP; `rows`: how many were answered."""

    position: int
    recorded_at: datetime
    department: str
    principal: str
    caller: str | None
    officer: str | None
    officer_name: str | None
    command: str
    parameters: dict[str, str]
    as_known_at: datetime | None
    revealed: bool
    reason: str | None
    rows: int


READS = Listing("reads", ("position",), READ, ReadRow)


@router.get("/reads", response_model=Listed[ReadRow], responses={**FILES, **responses(401, 403, 422)})
def reads(
    reading: ReadingReads,
    asked: AskedFor,
    response: Response,
    department: Annotated[str | None, Query(description="哪个监察部门的")] = None,
    command: Annotated[str | None, Query(description="查阅了什么，如 notices")] = None,
    since: Annotated[MomentText | None, Query(description="何时起")] = None,
) -> Any:
    """监察查阅记录：谁何时查阅了什么、为何、见到几条；最近的在前。本次查阅也记录在内，下次可见。"""
    registers = registers_of(reading, asked)
    streams = [read_stream(code) for code in registers.departments if department in (None, code)]
    from_when = since_of(since)
    with reading.log() as conn:
        reading.positions = {"log": Log(conn).head()}

    def find(_: Connection[Any], after: Sequence[Any] | None, limit: int) -> Slice:
        rows: list[dict[str, Any]] = []
        scanned = 0
        for one in _latest(reading, streams, after[0] if after is not None else LAST, asked.known_at):
            if from_when is not None and one.recorded_at < from_when:
                break
            row = read_row(one, reading.request.app.state.persons.open)
            if row is not None and command in (None, row["command"]):
                if len(rows) == limit:
                    return Slice(rows, True, scanned)
                rows.append(row)
            scanned += 1
            if scanned >= MOST_SCANNED:
                return Slice(rows, True, scanned, [one.position])
        return Slice(rows, False, scanned)

    chosen = {"department": department, "command": command, "since": since}
    return answer(READS, reading, asked, response, find, chosen)


def _latest(reading: Reading, streams: list[str], before: int, known_at: datetime | None) -> Iterator[Recorded]:
    with reading.log() as conn:
        log = Log(conn)
        while found := log.latest_of(streams, before, BLOCK, known_at):
            yield from found
            before = found[-1].position

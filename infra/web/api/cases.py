"""Cases: who approved what, and all that is on record about one, as known and as true at any time (1.1, 2.2, 3.3e)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from psycopg import Connection

from adapters.http.problems import of_status, responses
from adapters.postgres.log import Log
from domain.cases import case_stream
from domain.clock_state import clock_stream
from domain.event import Recorded
from domain.matters import MatterRegistered, matter_stream
from domain.notices import NoticeOwed, notice_stream
from infra.answers import APPROVAL, STEP, with_due
from infra.replay import replay_case
from infra.web.api.attempts import ATTEMPTS, AttemptRow
from infra.web.api.case_rows import CaseAnswer, CaseRow, CaseStatus, StateRow, StepRow
from infra.web.api.notices import NoticeRow
from infra.web.api.threads import FeedbackRow, threads_in
from infra.web.filters import (
    AskedForOne,
    MatterAsked,
    NumberAsked,
    NumberPath,
    OfficerAsked,
    OrganAsked,
    OrganPath,
    UsccAsked,
)
from infra.web.folding import BLOCK, Row, sift, together
from infra.web.listing import MOST, Asked, AskedFor, Listed, Listing, answer, note, plain_of, row_of, tagged
from infra.web.reading import Reading, ReadingCases, reading
from projections.approvals import approval_then, approvals_slice
from projections.attempts import attempts_slice
from projections.page import Slice
from projections.receipts import receipt_then
from projections.two_way import notices_of, positions_of, steps_of, steps_slice

router = APIRouter(tags=["cases"])
CASES = Listing("cases", ("recorded_at",), APPROVAL, CaseRow)
OWN_CASES = replace(CASES, name="own-cases", key=("since",))
"""A party's, in the order in which it heard of them."""
STEPS = Listing("case-steps", ("position",), STEP, StepRow)
CASE_ATTEMPTS = replace(ATTEMPTS, name="case-attempts")
ReadingAttempts = Annotated[Reading, Depends(reading("attempts"), scope="function")]
TrueOn = Annotated[date | None, Query(description="当日所实：到该日为止的事实，按今日或当时所知")]


@router.get("/cases", response_model=Listed[CaseRow], responses=responses(401, 403, 422))
def cases(
    reading: ReadingCases,
    asked: AskedFor,
    response: Response,
    organ: OrganAsked = None,
    matter: MatterAsked = None,
    number: NumberAsked = None,
    status: Annotated[CaseStatus | None, Query()] = None,
    officer: Annotated[OfficerAsked, Query(description="作出决定的经办人，其在本部门的工号")] = None,
    since: Annotated[date | None, Query(description="何日起决定")] = None,
    uscc: UsccAsked = None,
) -> Any:
    """审批台账：最近的在前。监管部门所见为应告知其的办件及其经办的办件，按其得知的先后。"""
    fixed: Row = {"organ": organ, "number": number, "uscc": uscc, "party": reading.department}
    changing: Row = {"matter": matter, "status": status, "officer": officer, "since": since}

    def find(conn: Connection[Any], after: Any, limit: int) -> Slice:
        if asked.known_at is None:
            return approvals_slice(conn, after, limit, **fixed, **changing)
        return _then(reading, conn, after, limit, asked.known_at, fixed, changing)

    chosen = {"organ": organ, "number": number, "uscc": uscc, **changing}
    listing = CASES if reading.department is None else OWN_CASES
    return answer(listing, reading, asked, response, find, chosen)


@router.get("/cases/{organ}/{number}", responses=responses(401, 403, 404, 422))
def case(
    reading: ReadingCases,
    asked: AskedForOne,
    response: Response,
    organ: OrganPath,
    number: NumberPath,
    as_true_at: TrueOn = None,
    limit: Annotated[int, Query(ge=1, le=MOST, description="最多几件告知，取最近应告知的")] = 100,
) -> CaseAnswer:
    """一件办件：审批、告知与签收、反馈、状态，按当时所知与当日所实，自日志折算。"""
    plain = plain_of(reading, asked)
    tag = tagged(reading, "case")
    chosen = {"organ": organ, "number": number, "as_true_at": as_true_at}
    stream = require_case(reading, "case", chosen, asked)
    # Which notices there were on a day shows only once all is read.
    named_then = notices_of(reading.conn, stream, known_at=asked.known_at) if as_true_at is None else []
    events = record_of(reading, stream, asked.known_at, named_then[-limit:] if as_true_at is None else None)
    replayed = replay_case(events, organ, number, as_true_at)
    row = approval_then(replayed.events, names_of(reading)) if replayed is not None else None
    if replayed is None or row is None:
        note(reading, "case", chosen, 0, asked)
        raise of_status(404)
    lives, recorded = lives_in(replayed.events), len(replayed.events)
    total = len(lives)
    if as_true_at is None:
        recorded, total = steps_of(reading.conn, stream, known_at=asked.known_at), len(named_then)
    note(reading, "case", chosen, recorded, asked)
    notices = with_due([receipt_then(life) for life in lives[-limit:]], asked.known_at or datetime.now(UTC))
    response.headers["ETag"] = tag
    return CaseAnswer(
        case=row_of(CaseRow, plain(row)),
        state=row_of(StateRow, plain(replayed.state)),
        notices=[row_of(NoticeRow, plain(one)) for one in notices],
        notices_total=total,
        feedback=[row_of(FeedbackRow, plain(one)) for one in threads_in(replayed.events, asked.known_at)],
        events=recorded,
        as_known_at=plain(asked.known_at),
        as_true_at=as_true_at,
        position=min(reading.positions.values()),
    )


@router.get("/cases/{organ}/{number}/steps", response_model=Listed[StepRow], responses=responses(401, 403, 404, 422))
def steps(reading: ReadingCases, asked: AskedFor, response: Response, organ: OrganPath, number: NumberPath) -> Any:
    """双向记录：各方依次告知、签收、反馈了什么，按记录的先后。"""
    chosen = {"organ": organ, "number": number}
    stream = require_case(reading, STEPS.name, chosen, asked)

    def find(conn: Connection[Any], after: Any, limit: int) -> Slice:
        return steps_slice(conn, stream, after, limit, known_at=asked.known_at)

    return answer(STEPS, reading, asked, response, find, chosen)


@router.get(
    "/cases/{organ}/{number}/attempts", response_model=Listed[AttemptRow], responses=responses(401, 403, 404, 422)
)
def attempts(
    reading: ReadingAttempts, asked: AskedFor, response: Response, organ: OrganPath, number: NumberPath
) -> Any:
    """与该办件有关的被拒绝的尝试；各部门所见为其自己的。"""
    chosen = {"organ": organ, "number": number}
    stream = require_case(reading, CASE_ATTEMPTS.name, chosen, asked)
    with reading.log() as log:
        about = sorted({stream} | Log(log).streams_at(positions_of(reading.conn, stream)))

    def find(conn: Connection[Any], after: Any, limit: int) -> Slice:
        return attempts_slice(conn, after, limit, about=about, known_at=asked.known_at)

    return answer(CASE_ATTEMPTS, reading, asked, response, find, chosen)


def require_case(reading: Reading, command: str, chosen: Row, asked: Asked) -> str:
    """The stream of the case with that `organ` and `number`. Raises Problem where the caller sees none, and records
    that an inspector asked."""
    stream = case_stream(chosen["organ"], chosen["number"])
    if not approvals_slice(reading.conn, None, 1, stream=stream).rows:
        note(reading, command, chosen, 0, asked)
        raise of_status(404)
    return stream


def record_of(
    reading: Reading, case: str, known_at: datetime | None, notices: Sequence[str] | None = None
) -> list[Recorded]:
    """The events about a case that the caller sees, from the log; of its notices only these, where some are given. The
    two-way record says where they are."""
    positions = positions_of(reading.conn, case, notices)
    with reading.log() as log:
        return Log(log).at(positions, known_at)


def lives_in(events: Iterable[Recorded]) -> list[list[Recorded]]:
    """The lives of the notices among these events, in the order of their owing."""
    lives: dict[str, list[Recorded]] = {}
    for one in events:
        event = one.event
        if isinstance(event, NoticeOwed):
            lives[notice_stream(event.notice)] = [one]
        elif (life := lives.get(event.originator_id.removeprefix(clock_stream("")))) is not None:
            life.append(one)
    return list(lives.values())


def names_of(reading: Reading, log: Connection[Any] | None = None) -> Callable[[str, int], str]:
    """Matters' names as they were at a position of the log. `log`: what its reader has open already; whoever holds one
    and waits for another of the same few may wait for himself."""
    known: dict[str, list[tuple[int, str]]] = {}

    def name(matter: str, position: int) -> str:
        if matter not in known:
            with reading.log() if log is None else nullcontext(log) as conn:
                events = Log(conn).stream(matter_stream(matter))
            known[matter] = [
                (one.position, event.entry.name) for one in events if isinstance(event := one.event, MatterRegistered)
            ]
        return next((name for since, name in reversed(known[matter]) if since <= position), matter)

    return name


def _then(
    reading: Reading, conn: Connection[Any], after: Any, limit: int, known_at: datetime, fixed: Row, changing: Row
) -> Slice:
    with reading.log() as log:
        name = names_of(reading, log)

        def fold(rows: list[Row]) -> Iterator[Row]:
            names = [row["stream"] for row in rows]
            histories = Log(log).histories([*names, *map(_seals, names)], known_at)
            for at in rows:
                row = approval_then(together(histories, at["stream"], _seals(at["stream"])), name)
                if row is not None:
                    yield row | {"since": at.get("since")}

        return sift(
            lambda after, block: approvals_slice(conn, after, block, known_at=known_at, **fixed),
            fold,
            lambda row: _fits(row, **changing),
            "recorded_at" if fixed["party"] is None else "since",
            after,
            limit,
            BLOCK if any(value is not None for value in changing.values()) else limit + 1,
        )


def _seals(case: str) -> str:
    return f"seal/{case.removeprefix('case/')}"


def _fits(row: Row, matter: str | None, status: str | None, officer: str | None, since: date | None) -> bool:
    return (
        matter in (None, row["matter"])
        and status in (None, row["status"])
        and officer in (None, row["officer"])
        and (since is None or (row["decided_on"] is not None and row["decided_on"] >= since))
    )

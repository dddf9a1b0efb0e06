"""Statements 对账函 out of the log and what is integrated of it; made for HTTP and the command line alike.

All of it is read from the log, as it was known at the month's end: of a month that is over the same question gives the
same bytes, whenever it is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg import Connection

from adapters.postgres.checkpoints import Made, last_by
from adapters.postgres.leaves import count_later, leaf_rows_of_ledger
from adapters.postgres.log import Log
from adapters.postgres.trees import nodes
from domain.armour import armoured
from domain.leaves import Row, leaves
from domain.log_proofs import LedgerProof
from domain.merkle import leaf_hashes, read_frontier
from domain.registers import Registers
from domain.statements import INSTANT, Item, Raised, Statement, ended_by, month_period, totals
from domain.submissions import local_date
from domain.supervision import FeedbackRaised
from infra.answers import with_due
from infra.proofs import prove_growth, prove_ledger
from infra.store_lists import proven_list
from projections.feedback import PREFIX, thread_then
from projections.receipts import receipt_then

Names = Mapping[str, str]
SETTLED: Final = timedelta(minutes=10)
"""After a month's end: what was under way then is in the database."""


def statement(conn: Connection[Any], store: str, department: str, month: str, now: datetime) -> Statement | None:
    """None where no checkpoint was made by the month's end, or the month is yet to come. `store`: its code. Raises
    ValueError for what is no month."""
    since, until = month_period(month)
    over = now >= until + SETTLED
    first = last_by(conn, since)
    second = last_by(conn, until)
    if second is None or since > now:
        return None
    as_at = until - INSTANT if over else min(second.made_at, until - INSTANT)
    start, end = _ledger(conn, department, first), _ledger(conn, department, second)
    assert end is not None
    before, last = _size(start), _size(end)
    rows = leaf_rows_of_ledger(conn, department, before, last)
    registers = Registers()
    Log(conn).refresh(registers, 0, known_at=as_at)
    names = {code: one.entry.name for code, one in registers.matters.items()}
    items = _items(conn, rows, as_at, names)
    feedback = _raised(conn, department, since, as_at, names)
    ended = ended_by(as_at)
    entry = registers.departments.get(department)
    return Statement(
        store=store,
        origin=end.checkpoint.partition("\n")[0],
        department=department,
        name=entry.name if entry is not None else department,
        month=month,
        since=since,
        until=until,
        as_at=as_at,
        ended=ended,
        over=over,
        first=start,
        second=end,
        growth=_growth(conn, first, second),
        frontier=[armoured(one) for one in read_frontier(before, nodes(conn, department, before)).peaks],
        carried=count_later(conn, department, last, as_at),
        items=items,
        totals=totals(items, feedback, ended),
        feedback=feedback,
        stores=proven_list(conn, second, local_date(as_at)),
    )


def _ledger(conn: Connection[Any], department: str, made: Made | None) -> LedgerProof | None:
    return None if made is None else prove_ledger(conn, department, made.head.size)


def _size(proof: LedgerProof | None) -> int:
    return proof.ledger.size if proof is not None and proof.ledger is not None else 0


def _growth(conn: Connection[Any], first: Made | None, second: Made) -> list[str]:
    found = None if first is None else prove_growth(conn, first.head.size, second.head.size)
    return [] if found is None else found.path


def _items(conn: Connection[Any], rows: Sequence[Row], as_at: datetime, matters: Names) -> list[Item]:
    """What became of each by then; what is listed was there then, whatever the clocks of checkpoint and log say."""
    names = {str(one.event.unique_key): one for one in Log(conn).at(row.position for row in rows)}
    lives = Log(conn).lives(names, as_at)
    fates = with_due([receipt_then(lives.get(name) or [one]) for name, one in names.items()], as_at)
    hashes = leaf_hashes(leaves(rows))
    return [
        Item(
            serial=fate["serial"],
            leaf=hash_.hex(),
            notice=fate["notice"],
            about=fate["about"],
            organ=fate["case_stream"].split("/")[1] if fate["case_stream"] else "",
            matter_name=matters.get(fate["matter"], fate["matter"]),
            moved_to=fate["moved_to"],
            **{
                name: fate[name]
                for name in (
                    *("case", "matter", "owed_at", "due_on", "dispatched_at", "delivered_at", "received_at"),
                    *("deemed_at", "returned_at", "moved_at", "status", "lamp"),
                )
            },
        )
        for fate, hash_ in zip(fates, hashes, strict=True)
    ]


def _raised(conn: Connection[Any], department: str, since: datetime, as_at: datetime, matters: Names) -> list[Raised]:
    """What the department found, in the order of its recording, with what was answered by then."""
    log = Log(conn)
    raised = {
        one.event.originator_id: one
        for one in log.recorded_under(f"{PREFIX}{department}", as_at)
        if isinstance(one.event, FeedbackRaised) and one.recorded_at >= since
    }
    histories = log.histories(raised, as_at)
    threads = [thread_then(histories[name]) for name in raised]
    return [
        Raised(
            case=row["case_stream"].rpartition("/")[2],
            matter_name=matters.get(row["matter"], row["matter"]),
            raised_at=row["recorded_at"],
            **{
                name: row[name]
                for name in ("number", "organ", "matter", "status", "outcome", "disposed_at", "closed_at")
            },
        )
        for row in sorted(threads, key=lambda row: row["recorded_at"])
    ]

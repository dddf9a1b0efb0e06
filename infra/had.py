"""`shenguan had`: whether a department had a notice by a moment: a receipt, signed or not, or none so far."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from typing import Any, Literal

from psycopg import Connection

from adapters.crypto.jws import verify_compact
from adapters.postgres.log import Log
from adapters.postgres.registers import registers_before
from domain.event import Recorded
from domain.notices import NoticeOwed, NoticeReceived
from domain.registers import Registers
from domain.rules import Rejection
from domain.signed_receipts import SeenCheckpoint, SignedReceipt, read_receipt
from domain.signing import key_fault, registered, speaks_for
from domain.submissions import local_date
from infra.presentation import Context, Shown, columns, known_at
from infra.proofs import standing_of

HAD = columns("""
    notice | 告知 | notice
    addressee | 部门 | department
    serial | 编号 | serial
    owed_at | 应告知 | owed
    had | 签收 | receipt
    received_at | 签收时间 | received
    recorded_at | 入账时间 | recorded
    key | 公钥指纹 | key
    owner | 公钥属于 | key of
    key_in_force | 当日有效 | in force then
    standing | 签名 | signature
    leaf | 叶哈希 | leaf
    checkpoint
    checkpoint_standing | 所见检查点 | checkpoint seen
    position | 日志位置 | position
    through | 日志读至 | log read to
""")
Answer = Literal["signed", "unsigned", "none"]
WORDED: dict[str, tuple[str, str]] = {
    "signed": ("已签收并签名", "received, signed"),
    "unsigned": ("已签收，未签名", "received, not signed"),
    "none": ("截至日志此处尚无签收", "none so far in the log"),
    "good": ("与告知相符", "fits the notice"),
    "wrong": ("不符", "does not fit"),
    "key": ("公钥当日不是该部门的", "not by a key of its department's in force then"),
}
SEEN: dict[str, tuple[str, str]] = {
    "same": ("本日志所签", "signed by this log"),
    "other": ("同样大小，本日志所签的不同", "this log has signed another of this size"),
    "unknown": ("本日志未签过此大小", "this log has signed none of this size"),
}


def had(context: Context, shown: Shown, notice: str, as_known_at: str | None) -> None:
    """Raises Exit where no such notice was owed by then, or its receipt's signature does not fit
    or is by a key that was not its department's when it was recorded."""
    moment = known_at(as_known_at)
    with closing(context.connect()) as conn:
        log = Log(conn)
        found = log.notices([notice], moment).get(notice, [])
        through = _through(conn, moment)
        owed = next((one for one in found if isinstance(one.event, NoticeOwed)), None)
        if owed is None:
            raise shown.fail(f"届时没有告知 {notice}。", f"There was no notice {notice} by then.", notice=notice)
        row = _row(owed, log.leaf(owed.event.originator_id, owed.event.originator_version))
        row["through"] = through
        for one in found:
            if isinstance(one.event, NoticeReceived):
                row |= _receipt(one, one.event, row, registers_before(conn, one.position))
        seen = row.get("checkpoint")
        if seen is not None:
            row["checkpoint_standing"] = standing_of(conn, SeenCheckpoint(**seen))
    if shown.as_json:
        shown.json({column.key: row.get(column.key) for column in HAD})
    else:
        worded = {name: WORDED[row[name]][0 if shown.zh else 1] for name in ("had", "standing") if row.get(name)}
        if row.get("checkpoint_standing"):
            seen_as = SEEN[row["checkpoint_standing"]][0 if shown.zh else 1]
            worded["checkpoint_standing"] = f"{row['checkpoint']['size']}：{seen_as}"
        shown.table(("签收的证明", "Proof of receipt"), HAD, [row | worded])
    if row.get("standing") == "wrong":
        raise shown.fail("签收的签名已被改动。", "The receipt's signature was altered.")
    if row.get("standing") == "key":
        raise shown.fail("签收的公钥当日不是该部门的。", "The receipt's key was not its department's on that day.")


def _row(owed: Recorded, leaf: str | None) -> dict[str, Any]:
    event = owed.event
    assert isinstance(event, NoticeOwed)
    return {
        "notice": event.notice,
        "addressee": event.addressee,
        "serial": event.serial,
        "owed_at": owed.recorded_at,
        "leaf": leaf,
        "had": "none",
    }


def _receipt(recorded: Recorded, event: NoticeReceived, row: dict[str, Any], registers: Registers) -> dict[str, Any]:
    said: dict[str, Any] = {
        "had": "unsigned",
        "received_at": event.received_at,
        "recorded_at": recorded.recorded_at,
        "position": recorded.position,
    }
    if event.receipt is None:
        return said
    key, on = event.receipt.key, local_date(recorded.recorded_at)
    entry, over = registered(registers, key, on)
    found = judged(event.receipt, row | {"received_at": event.received_at})
    if found["standing"] == "good" and key_fault(registers, key, on, speaks_for(registers, row["addressee"])):
        found["standing"] = "key"
    return said | {
        "had": "signed",
        "key": key,
        "owner": entry and entry.principal,
        "key_in_force": entry is not None and not over,
        **found,
    }


def judged(receipt: SignedReceipt, row: dict[str, Any]) -> dict[str, Any]:
    """Whether the signature is good and of this notice, as the log has it now; and the checkpoint it names."""
    try:
        key = verify_compact(receipt.jws, "receipt")
        said = read_receipt(receipt.jws).statement
    except (Rejection, ValueError):
        return {"standing": "wrong"}
    wanted = tuple(row[name] for name in ("notice", "serial", "leaf", "received_at"))
    fits = (said.notice, said.serial, said.leaf, said.received_at) == wanted and key == receipt.key
    checkpoint = said.checkpoint and said.checkpoint.model_dump()
    return {"standing": "good" if fits else "wrong", "checkpoint": checkpoint}


def _through(conn: Connection[Any], moment: datetime | None) -> int:
    """The last position that was in the log by then: whatever came after says nothing of it."""
    row = conn.execute(
        "SELECT notification_id FROM shenguan.stored_events WHERE recorded_at <= coalesce(%s, 'infinity'::timestamptz)"
        " ORDER BY recorded_at DESC LIMIT 1"
        if moment is not None
        else "SELECT max(notification_id) FROM shenguan.stored_events",
        (moment,) if moment is not None else None,
    ).fetchone()
    return row[0] if row and row[0] is not None else 0

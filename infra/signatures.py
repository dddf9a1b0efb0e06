"""`shenguan signature`: what a submission was signed with, verified again from what was kept."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any, Literal, Protocol

from cryptography.exceptions import InvalidTag
from psycopg import Connection

from adapters.crypto.jws import verify_kept
from adapters.postgres.log import Log
from adapters.postgres.registers import registers_before
from adapters.postgres.signatures import signature_of
from domain.attempts import AttemptRefused
from domain.event import Event, Recorded
from domain.personal import sealed_in
from domain.registers import Registers
from domain.rules import Rejection
from domain.signatures import Signature
from domain.signing import key_fault, registered
from domain.submissions import local_date, own_subject
from infra.presentation import Context, Shown, columns

SIGNATURE = columns("""
    fact | 提交 | submission
    principal | 接入方 | principal
    recorded_at | 记录时间 | recorded
    key | 公钥指纹 | key
    owner | 公钥属于 | key of
    key_in_force | 当日有效 | in force then
    digest | 摘要 | digest
    value
    standing | 验证 | verified
""")
Verdict = Literal["good", "erased", "wrong", "key"]
VERDICTS: dict[Verdict, tuple[str, str]] = {
    "good": ("签名与原文相符", "fits what was kept"),
    "erased": ("原文已销毁，摘要与签名仍在", "the bytes are erased; digest and signature stand"),
    "wrong": ("不符", "does not fit"),
    "key": ("公钥当日不是该接入方的", "not by a key of its principal's in force then"),
}


class Reveals(Protocol):
    """Whoever has the keys of what was kept."""

    def signed_bytes(self, signature: Signature) -> bytes | None:
        """As a store's. Raises InvalidTag, ValueError where it was altered."""
        ...


def signature(context: Context, shown: Shown, source: str, id_: str) -> None:
    """Raises Exit where there is none, or where it does not fit."""
    with closing(context.connect()) as conn:
        found = signature_of(conn, source, id_)
        made = _made(conn, source, id_)
        registers = registers_before(conn, made[0].position) if made else Registers()
    if found is None or not made:
        raise shown.fail(
            f"没有提交 {source}/{id_} 的签名。", f"There is no signature of {source}/{id_}.", fact=f"{source}/{id_}"
        )
    fact, meta = made[0], made[0].event.meta
    on = local_date(fact.recorded_at)
    entry, over = registered(registers, found.key, on)
    standing = judged(context, found, fact)
    if standing == "erased" and strangers(found, [one.event for one in made]):
        standing = "wrong"
    if standing != "wrong" and key_fault(registers, found.key, on, meta.principal.__eq__):
        standing = "key"
    row: dict[str, Any] = {
        "fact": meta.fact,
        "principal": meta.principal,
        "recorded_at": fact.recorded_at,
        "key": found.key,
        "owner": entry and entry.principal,
        "key_in_force": entry is not None and not over,
        "digest": found.digest,
        "value": found.value,
        "standing": standing if shown.as_json else VERDICTS[standing][0 if shown.zh else 1],
    }
    if shown.as_json:
        shown.json({column.key: row[column.key] for column in SIGNATURE})
    else:
        shown.table(("签名", "Signature"), SIGNATURE, [row])
    if standing == "wrong":
        raise shown.fail("签名或原文已被改动。", "The signature or what it signs was altered.")
    if standing == "key":
        raise shown.fail("签名公钥当日不是该接入方的。", "The key was not its principal's on that day.")


def judged(reveals: Reveals, signature: Signature, fact: Recorded) -> Verdict:
    """Whether what was kept is what the event says was signed, and fits: whose key it is, is another question."""
    meta = fact.event.meta
    if meta.signed != signature.signed:
        return "wrong"
    try:
        kept = reveals.signed_bytes(signature)
        if kept is None:
            return "erased"
        verified, identity, _ = verify_kept(kept)
    except (Rejection, InvalidTag, ValueError):
        return "wrong"
    same = (verified.key, verified.digest, verified.value) == (signature.key, signature.digest, signature.value)
    return "good" if same and (identity.get("source"), identity.get("id")) == (meta.source, meta.id) else "wrong"


def strangers(signature: Signature, events: Sequence[Event]) -> set[str]:
    """Subjects of whom nothing that the submission says tells why what was kept is sealed for them: whoever is erased
    takes along no signature but of what held something of him. `events`: all that it made. Of a refused attempt only
    the officer is on record, who must be among them."""
    named = {one.subject for event in events for one in sealed_in(event)}
    if isinstance(events[0], AttemptRefused):
        return named.difference(signature.subjects)
    return set(signature.subjects) - (named or {own_subject(events[0].meta.source, events[0].meta.id)})


def _made(conn: Connection[Any], source: str, id_: str) -> list[Recorded]:
    """The events that the submission made; none where nothing came of it."""
    row = conn.execute(
        "SELECT stream, version FROM shenguan.submission WHERE source = %s AND id = %s"
        " AND disposition IN ('accepted', 'refused')",
        (source, id_),
    ).fetchone()
    return Log(conn).fact(*row) if row is not None else []

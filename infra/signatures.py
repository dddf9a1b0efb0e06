"""`shenguan signature`: what a submission was signed with, verified again from what was kept."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any, Literal

from cryptography.exceptions import InvalidTag
from psycopg import Connection

from adapters.crypto.jws import verify_kept
from adapters.postgres.log import Log
from adapters.postgres.registers import RegisterCache
from adapters.postgres.signatures import signature_of
from domain.event import Recorded
from domain.rules import Rejection
from domain.signatures import Signature
from domain.signing import registered
from domain.submissions import local_date
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
Verdict = Literal["good", "erased", "wrong"]
VERDICTS: dict[Verdict, tuple[str, str]] = {
    "good": ("签名与原文相符", "fits what was kept"),
    "erased": ("原文已销毁，摘要与签名仍在", "the bytes are erased; digest and signature stand"),
    "wrong": ("不符", "does not fit"),
}


def signature(context: Context, shown: Shown, source: str, id_: str) -> None:
    """Raises Exit where there is none, or where it does not fit."""
    with closing(context.connect()) as conn:
        found = signature_of(conn, source, id_)
        fact = _fact(conn, source, id_)
        registers = RegisterCache().refresh(conn)
    if found is None or fact is None:
        raise shown.fail(
            f"没有提交 {source}/{id_} 的签名。", f"There is no signature of {source}/{id_}.", fact=f"{source}/{id_}"
        )
    entry, over = registered(registers, found.key, local_date(fact.recorded_at))
    standing = judged(context.signed_bytes, found, fact)
    row: dict[str, Any] = {
        "fact": fact.event.meta.fact,
        "principal": fact.event.meta.principal,
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


def judged(signed_bytes: Callable[[Signature], bytes | None], signature: Signature, fact: Recorded) -> Verdict:
    """Whether what was kept is what the event says was signed, and the signature is good."""
    meta = fact.event.meta
    if meta.signed != signature.signed:
        return "wrong"
    try:
        kept = signed_bytes(signature)
    except (InvalidTag, ValueError):  # it is not what was sealed
        return "wrong"
    if kept is None:
        return "erased"
    try:
        verified, identity, _ = verify_kept(kept)
    except Rejection:
        return "wrong"
    same = (verified.key, verified.digest, verified.value) == (signature.key, signature.digest, signature.value)
    return "good" if same and (identity.get("source"), identity.get("id")) == (meta.source, meta.id) else "wrong"


def _fact(conn: Connection[Any], source: str, id_: str) -> Recorded | None:
    """The first event that the submission made."""
    row = conn.execute(
        "SELECT stream, version FROM shenguan.submission WHERE source = %s AND id = %s"
        " AND disposition IN ('accepted', 'refused')",
        (source, id_),
    ).fetchone()
    return next(iter(Log(conn).fact(*row)), None) if row is not None else None

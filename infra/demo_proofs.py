"""How the demonstration ends: nothing addressed to a department was withheld, a receipt stands, tampering is found."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from adapters.crypto.jws import JwsSigner
from adapters.crypto.keyfiles import new_key
from adapters.kafka.cloudevents import encode
from adapters.postgres.log import Log
from adapters.postgres.registers import RegisterCache
from domain.key_registering import RegisterKey
from domain.log_proofs import check_complete, check_event, check_ledger, opened
from domain.note_keys import VerifierKey
from domain.notices import NoticeOwed, NoticeReceived
from domain.personal import Officer
from domain.submissions import cloud_event, local_date
from infra import feeding, proofs
from infra.disposition import await_disposition
from infra.generator.offices import OPERATOR
from infra.had import judged
from infra.handing_in import Record, hand_in
from infra.log_keys import verifiers
from infra.receipting import Receiver, Told
from infra.store import Store
from infra.verify_proofs import proofs as problems_of

WAIT_S = 30.0
_OUTSTANDING = """
SELECT r.notice, r.department, r.serial FROM read.receipts AS r JOIN shenguan.delivery AS d USING (notice)
WHERE r.status = 'outstanding' AND d.delivered_at IS NOT NULL ORDER BY r.owed_position DESC LIMIT 1
"""


class Shown(NamedTuple):
    """What was shown, for people, and whether it holds."""

    text: str
    holds: bool


def completeness(store: Store, keys: list[VerifierKey]) -> Shown:
    """That the department with most notices was sent all of them, checked by the log's verifier keys alone."""
    with store.connect() as conn:
        row = conn.execute("SELECT department FROM shenguan.delivery GROUP BY 1 ORDER BY count(*) DESC, 1").fetchone()
        proof = proofs.prove_ledger(conn, row[0]) if row else None
        if row is None or proof is None:
            return Shown("没有可证明的告知", holds=False)
        head = check_ledger(proof, verifiers(keys))
        check_complete(row[0], [one.leaf for one in proofs.ledger_entries(conn, row[0], up_to=head.size)], head)
    return Shown(f"证明一：告知部门 {row[0]} 的第 1 至 {head.size} 号无缺无添，与已签署的检查点相符", holds=True)


def receipt(store: Store, keys: list[VerifierKey], directory: Path) -> Shown:
    """A department registers a key and signs for a notice and the checkpoint that it saw; then that is held against the
    log, and the log against its checkpoint. The roles must be at work."""
    with store.connect() as conn:
        row = conn.execute(_OUTSTANDING).fetchone()
        if row is None:
            return Shown("没有可签收的告知", holds=False)
        notice, department, serial = row
        registers = RegisterCache().refresh(conn)
        principal = next(name for name, one in sorted(registers.principals.items()) if department in one.acts_for)
        signer = new_key(directory / f"{principal}.pem")
        _register(store, principal, signer)
        seen = proofs.checkpoint(conn)
        assert seen is not None
        leaf = Log(conn).leaf(f"ledger/{department}", serial) or ""
    receiver = Receiver(Officer(id="L1", name="联络员"), principal, store.names.store, signer)
    shown = opened(seen.note, verifiers(keys))
    headers, value = receiver.receipt(Told(notice, department, serial, leaf), datetime.now(UTC), shown)
    _hand_in(store, principal, Record(notice, headers, value))
    with store.connect() as conn:
        [received] = [
            one for one in Log(conn).notices([notice])[notice] if isinstance(one.event, NoticeReceived | NoticeOwed)
        ][1:]
        event = received.event
        assert isinstance(event, NoticeReceived)
        assert event.receipt is not None
        said = judged(
            event.receipt, {"notice": notice, "serial": serial, "leaf": leaf, "received_at": event.received_at}
        )
        feeding.wait_for(lambda: proofs.prove_event(conn, received.position) is not None, WAIT_S, "签收并入日志树")
        proof = proofs.prove_event(conn, received.position)
        assert proof is not None
        check_event(proof, verifiers(keys), proofs.leaf_at(conn, received.position))
    return Shown(
        f"证明二：部门 {department} 已签收第 {serial} 号，以其登记的公钥 {event.receipt.key[:8]}… 签名，见过大小为"
        f" {shown.size} 的检查点；该签收是日志第 {proof.index} 号叶",
        holds=said["standing"] == "good",
    )


def tampering(store: Store, keys: list[VerifierKey]) -> Shown:
    """The tables' owner lifts their protection and alters one byte of an event, in a transaction that is rolled back;
    what `verify` does must name it. Nothing else may be reading the log."""
    with psycopg.connect(store.migrator_url) as conn:
        conn.execute("ALTER TABLE shenguan.stored_events DISABLE TRIGGER USER")
        row = conn.execute(
            "SELECT notification_id, originator_id, octet_length(state) FROM shenguan.stored_events"
            " WHERE topic = 'case.decided' ORDER BY notification_id OFFSET"
            " (SELECT count(*) / 2 FROM shenguan.stored_events WHERE topic = 'case.decided') LIMIT 1"
        ).fetchone()
        assert row is not None
        position, stream, size = row
        conn.execute(
            "UPDATE shenguan.stored_events SET state = set_byte(state, %s, get_byte(state, %s) # 1)"
            " WHERE notification_id = %s",
            (size // 2, size // 2, position),
        )
        found = next(iter(problems_of(conn, keys)), None)
        conn.rollback()
    named = found is not None and (found.position, found.stream) == (position, stream)
    return Shown(
        f"证明三：以表所有者身份改动位置 {position} 的决定（{stream}）一个比特，核验即指出："
        f"{found.zh if found else '（未发现）'}；改动已撤回",
        holds=named,
    )


def _register(store: Store, principal: str, signer: JwsSigner) -> None:
    now = datetime.now(UTC)
    entry = {"kind": "public_key", "principal": principal, "algorithm": "Ed25519", "public_key": signer.public_key}
    said: dict[str, Any] = {"entry": entry, "valid_from": local_date(now).isoformat(), "basis": "签名密钥登记表"}
    attributes = cloud_event(RegisterKey, OPERATOR, f"key.{signer.thumbprint}", now)
    headers, value = encode(attributes, json.dumps({"department": OPERATOR} | said, ensure_ascii=False).encode())
    _hand_in(store, OPERATOR, Record(principal, headers, value))


def _hand_in(store: Store, principal: str, record: Record) -> None:
    """Raises TimeoutError, ValueError where it was not accepted."""
    [place] = hand_in(store.kafka_options, store.names, principal, [record])
    became = await_disposition(store, place, time.monotonic() + WAIT_S)
    if became is None:
        raise TimeoutError("未及裁定")
    if became.row["disposition"] != "accepted":
        raise ValueError(json.dumps(became.row, ensure_ascii=False, default=str))

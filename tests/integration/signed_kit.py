"""Signed submissions and receipts, as intake hands them to the writer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.crypto.jws import JwsSigner, verify_detached
from adapters.postgres.log import Log
from domain.armour import armoured
from domain.checkpoints import parse_checkpoint
from domain.key_registering import RegisterKey
from domain.notes import parse_note
from domain.notices import ReceiveNotice
from domain.personal import seal, sealed_in
from domain.public_keys import PublicKey
from domain.signatures import Signature
from domain.signed_receipts import SeenCheckpoint
from domain.submissions import Payload, full_type
from infra.proofs import checkpoint
from tests.integration.teststore import TestStore, officer

KEY, NEXT = (JwsSigner(Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32)) for n in (1, 2))
STORE = "150000"


def register(store: TestStore, principal: str, signer: JwsSigner, since: Any) -> None:
    entry = PublicKey(principal=principal, public_key=signer.public_key)
    store.submit(RegisterKey(entry=entry, valid_from=since, basis="密钥登记表"), principal="operator")


def sign(store: TestStore, payload: Payload, id_: str, signer: JwsSigner = KEY) -> Signature:
    """What comes of the signature of a submission of source `test`."""
    identity = {"source": "test", "id": id_, "type": full_type(payload.TYPE), "time": store.now.isoformat()}
    data = payload.model_dump_json().encode()
    jws = signer.detached(identity, STORE, data)
    verified = verify_detached(jws, identity, STORE, data)
    sealed = seal(payload, store.sealer, payload.subject() or f"submission/test/{id_}")
    whose = sorted({one.subject for one in sealed_in(sealed)}) or [f"submission/test/{id_}"]
    ciphertext = store.sealer.seal_jointly(whose, jws.encode() + b"\n" + data)
    return Signature(**verified._asdict(), subjects=tuple(whose), ciphertext=ciphertext)


def submit_signed(store: TestStore, payload: Payload, id_: str, signer: JwsSigner = KEY) -> None:
    store.submit(payload, id_=id_, signature=sign(store, payload, id_, signer))


def seen(store: TestStore, **more: Any) -> SeenCheckpoint:
    """The latest checkpoint, as a signer sees it."""
    with store.connect() as conn:
        made = checkpoint(conn)
    assert made is not None
    found = parse_checkpoint(parse_note(made.note.encode()).text)
    return SeenCheckpoint(**{"origin": found.origin, "size": found.size, "root": armoured(found.root)} | more)


def signed_receipt(
    store: TestStore, addressee: str, fact: str, at: datetime, signer: JwsSigner, under: SeenCheckpoint | None = None
) -> ReceiveNotice:
    with store.connect() as conn:
        notice = f"{addressee}/{fact}"
        owed = Log(conn).owed([notice])[notice].event
        leaf = Log(conn).leaf(owed.originator_id, owed.originator_version)
    said = {"notice": notice, "serial": owed.originator_version, "leaf": leaf, "received_at": at.isoformat()}
    if under is not None:
        said["checkpoint"] = under.model_dump()
    return ReceiveNotice(
        department=addressee,
        officer=officer("42", "王小二"),
        notice=notice,
        received_at=at,
        receipt=signer.compact(said),
    )

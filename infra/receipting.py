"""签收 as a department's system hands it in: plain, or signed by its key."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from adapters.crypto.jws import ATTRIBUTE, JwsSigner
from adapters.kafka.cloudevents import encode
from domain.armour import armoured
from domain.notices import ReceiveNotice
from domain.personal import Officer
from domain.signed_receipts import ReceiptStatement, SeenCheckpoint
from domain.submissions import cloud_event

if TYPE_CHECKING:
    from domain.checkpoints import Checkpoint


@dataclass(frozen=True, slots=True)
class Told:
    """A notice as its department had it. `leaf`: the leaf hash that it named, in hexadecimal; "" where it named none,
    as those did that were sent long ago."""

    notice: str
    department: str
    serial: int
    leaf: str


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who receives, in the name of which principal; `store`: into whose intake. With `signer` it is signed."""

    officer: Officer | None
    principal: str
    store: str
    signer: JwsSigner | None = None

    def receipt(
        self, told: Told, now: datetime, seen: Checkpoint | None = None
    ) -> tuple[list[tuple[str, bytes]], bytes]:
        """A record's headers and value. A signed one has an id of its own: an unsigned one may have been refused under
        the other. `seen`: the checkpoint that the receiver knows, of which it then bears witness."""
        name, jws = f"receipt.{told.department}.{told.serial}", None
        if self.signer is not None:
            name = f"{name}.signed"
            if told.leaf:
                said = ReceiptStatement(
                    notice=told.notice, serial=told.serial, leaf=told.leaf, received_at=now, checkpoint=_seen(seen)
                )
                jws = self.signer.compact(said.model_dump(mode="json", exclude_none=True))
        payload = ReceiveNotice(
            department=told.department, officer=self.officer, notice=told.notice, received_at=now, receipt=jws
        )
        attributes = cloud_event(ReceiveNotice, self.principal, name, now)
        data = json.dumps(payload.model_dump(mode="json", exclude_none=True), ensure_ascii=False).encode()
        if self.signer is not None:
            attributes[ATTRIBUTE] = self.signer.detached(attributes, self.store, data)
        return encode(attributes, data)


def _seen(checkpoint: Checkpoint | None) -> SeenCheckpoint | None:
    if checkpoint is None or not checkpoint.size:
        return None
    return SeenCheckpoint(origin=checkpoint.origin, size=checkpoint.size, root=armoured(checkpoint.root))

"""What an operator submits, as principal `operator`, through Kafka like everybody."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from adapters.kafka.cloudevents import encode
from adapters.kafka.outbox import Outbox, Sent
from domain.arrivals import Place
from domain.deadletters import RetryDeadLetter
from domain.submissions import cloud_event
from infra.store import Store

ACK_SECONDS = 30.0


class NotSubmitted(OSError):
    """Kafka did not take the submission."""


def retry_dead_letter(store: Store, place: str) -> str:
    """Asks intake to decide a dead letter again, verbatim, in its sender's name; returns the submission's id.

    Raises NotSubmitted, ValueError for what is no place, or clients.BrokerError.
    """
    Place.parse(place)
    operator = store.settings.operator
    id_ = f"retry.{uuid.uuid4()}"
    headers, value = encode(
        cloud_event(RetryDeadLetter, operator, id_, datetime.now(UTC)),
        RetryDeadLetter(department=operator, place=place).model_dump_json(exclude_none=True).encode(),
    )
    outbox = Outbox(store.kafka_options)
    try:
        outbox.send(store.names.intake(operator), place.encode(), value, headers)
        fates = outbox.flush(ACK_SECONDS)
    finally:
        outbox.close()
    if not (fates and isinstance(fates[0], Sent)):
        raise NotSubmitted(f"Kafka 未接受：{getattr(fates[0], 'error', '') if fates else '超时'}")
    return id_

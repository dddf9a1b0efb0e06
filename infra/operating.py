"""What an operator submits, as principal `operator`, through Kafka like everybody."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from adapters.kafka.cloudevents import encode
from domain.arrivals import Place
from domain.deadletters import RetryDeadLetter
from domain.submissions import cloud_event
from infra.handing_in import Record, hand_in
from infra.store import Store


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
    hand_in(store.kafka_options, store.names, operator, [Record(place, headers, value)])
    return id_

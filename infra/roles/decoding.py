"""A Kafka record becomes an arrival: read, validated, sealed. Nothing here needs the writer's lock."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import rfc8785

from adapters.crypto.sealer import Sealer, SubjectErased
from adapters.kafka.cloudevents import MalformedEvent, decode
from adapters.kafka.records import RawRecord
from adapters.kafka.topics import TopicNames
from domain.arrivals import Arrival, Place
from domain.event import Auth
from domain.personal import plain_subjects, seal
from domain.rules import FieldError, Rejection
from domain.submissions import ID, SOURCE, Header, Payload, Submission, is_classified, masked, read_header, read_payload

AHEAD = timedelta(days=1)
"""How far a sender's clock may run ahead of ours."""


class Decoder:
    """Reads records of a store's intake topics. `auth` is how the broker makes sure who writes."""

    def __init__(self, names: TopicNames, sealer: Sealer, auth: Auth) -> None:
        self._names = names
        self._sealer = sealer
        self._auth = auth

    def decode(self, records: Sequence[RawRecord], topic_ids: dict[str, str]) -> list[Arrival]:
        """One arrival per record, in their order. May raise what the key store raises."""
        now = datetime.now(UTC)
        read = [(record, self._read(record, now)) for record in records]
        subjects: set[str] = set()
        for _, found in read:
            if found.payload is not None and found.header is not None:
                subjects |= plain_subjects(found.payload, self._sealer, found.subject)
        self._sealer.prepare(subjects)
        # Each comes a little after the one before it, so that what parks together is released in the same order later.
        times = (now + timedelta(microseconds=number) for number in range(len(read)))
        return [self._arrival(record, found, topic_ids, at) for (record, found), at in zip(read, times, strict=True)]

    def _read(self, record: RawRecord, now: datetime) -> _Read:
        found = _Read()
        principal = self._names.principal_of(record.topic) or ""
        try:
            envelope = decode(record.value, record.headers)
            found.source, found.id = (
                str(envelope.attributes.get(name, "")) if pattern.match(str(envelope.attributes.get(name, ""))) else ""
                for name, pattern in (("source", SOURCE), ("id", ID))
            )
            # Nothing of a classified one is kept: its content is not even read (domain notes §4.14).
            found.classified = is_classified(envelope.attributes)
            header = found.header = read_header(dict(envelope.attributes), principal)
            if header.occurred_at > now + AHEAD:
                raise Rejection(FieldError("time", "time.future", "时间晚于到达时间", header.occurred_at.isoformat()))
            if header.classified:
                found.payload = Payload(department="classified")
                found.content = self._sealer.content(b"classified")
                return found
            found.content = self._sealer.content(_canonical(envelope.attributes, envelope.data))
            found.payload = read_payload(header.type, envelope.data)
        except MalformedEvent as error:
            found.errors = (FieldError(error.field, error.rule, error.message, "—"),)
        except Rejection as rejection:
            found.errors = rejection.errors
        return found

    def _arrival(self, record: RawRecord, found: _Read, topic_ids: dict[str, str], now: datetime) -> Arrival:
        principal = self._names.principal_of(record.topic) or ""
        submission = None
        if found.payload is not None and found.header is not None:
            try:
                submission = Submission(
                    source=found.header.source,
                    id=found.header.id,
                    occurred_at=found.header.occurred_at,
                    principal=principal,
                    auth=self._auth,
                    payload=seal(found.payload, self._sealer, found.subject),
                    classified=found.header.classified,
                )
            except SubjectErased:
                message = "所涉个人的信息已依法销毁，不再收录"
                found.errors = (FieldError("data", "subject.erased", message, "—"),)
        return Arrival(
            place=Place(topic_ids[record.topic], record.partition, record.offset),
            topic=record.topic,
            principal=principal,
            auth=self._auth,
            arrived_at=now,
            submission=submission,
            content=found.content,
            source=found.source,
            id=found.id,
            type=found.header.type if found.header else "",
            retry_of=found.header.retry_of if found.header else None,
            errors=found.errors,
            raw=b"{}" if found.classified else record_text(record).encode(),
        )


class _Read:
    """How far reading came."""

    __slots__ = ("classified", "content", "errors", "header", "id", "payload", "source")

    def __init__(self) -> None:
        self.source = self.id = ""
        self.classified = False
        self.header: Header | None = None
        self.payload: Payload | None = None
        self.content = b""
        self.errors: tuple[FieldError, ...] = ()

    @property
    def subject(self) -> str:
        assert self.payload is not None
        return self.payload.subject() or f"submission/{self.source}/{self.id}"


def _canonical(attributes: Any, data: bytes) -> bytes:
    """Type, time and data by RFC 8785: the same content whatever its key order and white space."""
    try:
        parsed = json.loads(data)
    except (ValueError, RecursionError):
        raise Rejection(FieldError("data", "json.invalid", "不是有效的 JSON", f"{len(data)} 字节")) from None
    try:
        _refuse_nul(parsed)
        return rfc8785.dumps({"type": str(attributes.get("type")), "time": str(attributes.get("time")), "data": parsed})
    except (rfc8785.CanonicalizationError, RecursionError):
        raise Rejection(FieldError("data", "json.range", "数值超出可互通的范围或结构过深", "—")) from None


_UNUSABLE = re.compile("[\0\ud800-\udfff]")


def _refuse_nul(value: Any, name: str = "data") -> None:
    """PostgreSQL text cannot hold NUL, and no honest text has one; nor a lone surrogate."""
    if isinstance(value, str):
        if _UNUSABLE.search(value):
            raise Rejection(FieldError(name, "text.control", "含有不可用的字符", masked(len(value))))
    elif isinstance(value, dict):
        for key, part in value.items():
            _refuse_nul(key)
            _refuse_nul(part, name)
    elif isinstance(value, list):
        for part in value:
            _refuse_nul(part, name)


def record_text(record: RawRecord) -> str:
    """The whole record as text, for the dead letters; `record_of` reads it back."""
    return json.dumps(
        {
            "key": _b64(record.key),
            "headers": [[name, _b64(value)] for name, value in record.headers],
            "value": _b64(record.value),
        }
    )


def record_of(text: str, topic: str, place: Place) -> RawRecord:
    """The record that `record_text` wrote."""
    kept = json.loads(text)
    return RawRecord(
        topic=topic,
        partition=place.partition,
        offset=place.offset,
        key=_unb64(kept["key"]),
        value=_unb64(kept["value"]),
        headers=tuple((name, _unb64(value)) for name, value in kept["headers"]),
        timestamp_ms=0,
    )


def _b64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _unb64(value: str | None) -> bytes | None:
    return None if value is None else base64.b64decode(value)

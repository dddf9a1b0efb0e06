"""A Kafka record is read, validated and sealed. Nothing here needs the writer's lock, nor the process that writes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from adapters.crypto.jws import ATTRIBUTE, Verified, verify_compact, verify_detached
from adapters.crypto.sealer import Sealer, SubjectErased
from adapters.kafka.cloudevents import MalformedEvent, decode
from adapters.kafka.names import TopicNames
from adapters.kafka.records import RawRecord
from domain.personal import Plain, plain_values, seal_values
from domain.rules import FieldError, Rejection
from domain.signatures import Signature
from domain.submissions import (
    CORRELATION,
    ID,
    SOURCE,
    Header,
    Payload,
    is_classified,
    own_subject,
    read_header,
    read_payload,
    shaped,
)
from infra.roles.canonical import canonical

AHEAD = timedelta(days=1)
"""How far a sender's clock may run ahead of ours."""


class Read(NamedTuple):
    """How far reading came: with a sealed payload, or with errors. `proof`: a good signature and what it is over, until
    that is sealed."""

    source: str = ""
    id: str = ""
    classified: bool = False
    header: Header | None = None
    payload: Payload | None = None
    content: bytes = b""
    errors: tuple[FieldError, ...] = ()
    correlation: str = ""
    signature: Signature | None = None
    proof: tuple[Verified, bytes] | None = None


class Reader:
    """Reads records of a store's intake topics."""

    def __init__(self, names: TopicNames, sealer: Sealer) -> None:
        self._names = names
        self._sealer = sealer

    def read(self, records: Sequence[RawRecord]) -> list[Read]:
        """One for each, in their order. May raise what the key store raises."""
        latest = datetime.now(UTC) + AHEAD
        reads = [self._plain(record, latest) for record in records]
        values = [list(plain_values(one.payload, self._sealer, _subject(one))) if one.payload else () for one in reads]
        subjects = {value.subject for found in values for value in found}
        subjects.update(
            _own(one) for one, found in zip(reads, values, strict=True) if one.payload and one.proof and not found
        )
        self._sealer.prepare(subjects)
        return [self._sealed(one, found) for one, found in zip(reads, values, strict=True)]

    def forget(self) -> None:
        """The keys are asked for anew: the key store may have lost the latest."""
        self._sealer.forget()

    def _plain(self, record: RawRecord, latest: datetime) -> Read:
        source = id_ = correlation = ""
        classified = False
        header = payload = None
        content = b""
        errors: tuple[FieldError, ...] = ()
        proof = None
        try:
            attributes, data = decode(record.value, record.headers)
            source, id_ = shaped(SOURCE, attributes["source"]), shaped(ID, attributes["id"])
            correlation = shaped(CORRELATION, attributes.get("correlationid", ""))
            # Nothing of a classified one is kept: its content is not even read (domain notes §4.14).
            classified = is_classified(attributes)
            header = read_header(attributes, self._names.principal_of(record.topic) or "")
            if header.occurred_at > latest:
                raise Rejection(FieldError("time", "time.future", "时间晚于到达时间", header.occurred_at.isoformat()))
            if header.classified:
                content = self._sealer.content(b"classified")
                payload = Payload(department="classified")
            else:
                if ATTRIBUTE in attributes:
                    jws = str(attributes[ATTRIBUTE])
                    proof = verify_detached(jws, attributes, self._names.store, data), f"{jws}\n".encode() + data
                content = self._sealer.content(canonical(str(attributes["type"]), str(attributes["time"]), data))
                found = read_payload(header.type, data)
                for field, jws in found.statements().items():
                    verify_compact(jws, field)
                payload = found  # only now: what has a payload is taken
        except MalformedEvent as error:
            errors = (FieldError(error.field, error.rule, error.message, "—"),)
        except Rejection as rejection:
            errors = rejection.errors
        return Read(source, id_, classified, header, payload, content, errors, correlation, None, proof)

    def _sealed(self, read: Read, values: Sequence[Plain]) -> Read:
        try:
            seal_values(values, self._sealer)
            return read if read.proof is None else read._replace(signature=self._kept(read, values), proof=None)
        except SubjectErased:
            message = "所涉个人的信息已依法销毁，不再收录"
            wrong = FieldError("data", "subject.erased", message, "—")
            return read._replace(payload=None, errors=(wrong,), proof=None)

    def _kept(self, read: Read, values: Sequence[Plain]) -> Signature | None:
        """The signed bytes hold what all those people's keys seal: it goes with the first of these keys that goes."""
        if read.proof is None or read.payload is None:
            return None
        (key, digest, value), signed = read.proof
        subjects = tuple(sorted({one.subject for one in values} or {_own(read)}))
        return Signature(
            key=key,
            digest=digest,
            value=value,
            subjects=subjects,
            ciphertext=self._sealer.seal_jointly(subjects, signed),
        )


def _subject(read: Read) -> str:
    assert read.payload is not None
    return read.payload.subject() or _own(read)


def _own(read: Read) -> str:
    return own_subject(read.source, read.id)

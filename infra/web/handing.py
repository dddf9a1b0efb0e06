"""What people and systems hand in over HTTP: checked, made a submission of the doors' principal, sent once."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import threading
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, NamedTuple

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from psycopg import Connection
from psycopg_pool import ConnectionPool

from adapters.http.problems import Fault, Problem, of_status
from adapters.kafka.cloudevents import encode
from adapters.postgres import http_requests
from adapters.postgres.http_requests import HttpRequest
from domain.access import OPERATOR, Caller
from domain.catalogue import PAYLOADS
from domain.departments import OperatorPayload
from domain.rules import FieldError, Rejection
from domain.submissions import EARLIEST, LATEST, cloud_event, read_header, read_payload
from infra.explaining import explained
from infra.handing_in import HandingIn, NotSubmitted, Record
from infra.roles.canonical import canonical
from infra.roles.reading import AHEAD
from infra.store import Store
from infra.web.outcomes import Outcome, Outcomes
from infra.web.pages.page import language
from infra.web.reading import WAIT_S
from infra.web.registry import Registry

LARGEST = 900_000
"""Bytes of a submission's data: what a broker takes by default, with room for the headers."""
LONGEST_WAIT_S = 30.0
RETRY_AFTER_S = 5
KEY = re.compile(r"^[!-~]{1,255}$")
_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,6})\"?\s*(?:$|[,;])", re.IGNORECASE)


class Wish(NamedTuple):
    """What is to be handed in. Department and officer are the caller's, whether `data` has them or not; `inside`: where
    its fields stand in what was asked; `timed`: the field that is the submission's time where it is missing; `whole`:
    of what it is a part, where several are asked for at once under one key."""

    type: str
    data: Mapping[str, Any]
    time: datetime | None = None
    retry_of: str | None = None
    inside: str = "body.data"
    timed: str | None = None
    whole: str | None = None


class Handing:
    """For several threads, but `submit`, which is for one event loop."""

    def __init__(self, store: Store, registry: Registry, ending: threading.Event) -> None:
        self._principal = store.settings.http_principal
        self._sender = HandingIn(store.kafka_options, store.names, self._principal)
        self._pool: ConnectionPool[Connection[Any]] = ConnectionPool(
            store.database_url, min_size=1, max_size=6, open=True, timeout=WAIT_S, kwargs={"autocommit": True}
        )
        self._outcomes = Outcomes(self._pool, registry, self._principal, ending)

    async def submit(self, request: Request, caller: Caller, wish: Wish, key: str | None, wait: float) -> Outcome:
        """Hands in, and waits so long for what becomes of it. Raises Problem."""
        begun = await run_in_threadpool(self._begin, request, caller, wish, key)
        if begun.known is not None:
            return begun.known
        try:
            await asyncio.wrap_future(self._sender.hand_in(begun.record))
        except NotSubmitted as error:
            raise Problem(
                503,
                "消息队列暂不可用，请以同一 Idempotency-Key 重试",
                "the message broker is not available: try again under the same Idempotency-Key",
                detail=error.zh if language(request) == "zh" else error.en,
                headers={"Retry-After": str(RETRY_AFTER_S), "Location": location(begun.request.id)},
            ) from None
        if wait > 0:
            await self._outcomes.waited(begun.request, wait)
        return await run_in_threadpool(self._outcomes.now, begun.request)

    def find(self, id_: str) -> HttpRequest | None:
        with self._pool.connection() as conn:
            return http_requests.find(conn, id_)

    def outcome(self, request: HttpRequest) -> Outcome:
        return self._outcomes.now(request)

    def close(self) -> None:
        self._sender.close()
        self._pool.close()

    def _begin(self, request: Request, caller: Caller, wish: Wish, key: str | None) -> _Begun:
        """Remembers what was asked, once it is found to be well formed. Raises Problem."""
        _allow(caller, wish)
        id_, now = str(uuid.uuid4()), datetime.now(UTC)
        asked = HttpRequest(_digest(caller, wish), id_, wish.type, caller.department, _stored(wish.time or now), now)
        record = self._record(request, caller, wish, asked)
        with self._pool.connection() as conn:
            kept = http_requests.begin(conn, caller.subject, key or id_, asked)
        if kept.digest != asked.digest:
            fault = Fault(field="header.Idempotency-Key", rule="idempotency.body", message="was used for another body")
            raise Problem(
                422,
                "此 Idempotency-Key 已用于不同的内容",
                "this Idempotency-Key was used for another body",
                faults=[fault],
            )
        if kept.id == id_:
            return _Begun(kept, record)
        known = self._outcomes.now(kept)
        return _Begun(kept, self._record(request, caller, wish, kept), known if known.disposition else None)

    def _record(self, request: Request, caller: Caller, wish: Wish, asked: HttpRequest) -> Record:
        """The CloudEvent. Raises Problem where it could never be taken in."""
        occurred_at = _stored(asked.occurred_at)
        attributes = cloud_event(PAYLOADS[wish.type], self._principal, asked.id, occurred_at)
        attributes |= {"caller": caller.subject, **({"retryof": wish.retry_of} if wish.retry_of else {})}
        if (correlation := getattr(request.state, "correlation_id", None)) is not None:
            attributes["correlationid"] = correlation
        data = {**wish.data, "department": caller.department, "officer": {"id": caller.officer, "name": caller.name}}
        if wish.timed is not None and data.get(wish.timed) is None:
            data[wish.timed] = occurred_at.isoformat()
        text = _text(data)
        inside = "body"
        try:
            read_header(attributes, self._principal)
            if occurred_at > datetime.now(UTC) + AHEAD:
                raise Rejection(FieldError("time", "time.future", "时间晚于到达时间", occurred_at.isoformat()))
            inside = wish.inside
            canonical(attributes["type"], attributes["time"], text)
            read_payload(wish.type, text)
        except Rejection as rejection:
            zh = language(request) == "zh"
            faults = [
                Fault(
                    field=f"{inside}.{error.field}".rstrip("."),
                    rule=error.rule,
                    message=error.message if zh else explained(asdict(error), False),
                )
                for error in rejection.errors
            ]
            raise Problem(
                422, "所填内容有误，未提交", "fields are wrong: nothing was handed in", faults=faults
            ) from None
        headers, value = encode(attributes, text)
        key = data.get("case_number") or data.get("number") or self._principal
        return Record(str(key), headers, value)


class _Begun(NamedTuple):
    """`known`: what became of it long since, so that it need not be sent again."""

    request: HttpRequest
    record: Record
    known: Outcome | None = None


def _stored(moment: datetime) -> datetime:
    """In one zone, so that what is sent again is, byte for byte, what was sent first; as it is where no record has such
    times, for then it is refused."""
    return moment.astimezone(UTC) if EARLIEST <= moment <= LATEST else moment


def location(id_: str) -> str:
    """Where to ask for what became of a submission."""
    return f"/api/v1/submissions/{id_}"


def preferred_wait(prefer: str | None) -> float:
    """Seconds for which the client would wait (RFC 7240 §4.3); what cannot be read is no preference."""
    found = _WAIT.search(prefer or "")
    return min(float(found[1]), LONGEST_WAIT_S) if found else 0.0


def require_department(caller: Caller) -> None:
    """Inspectors write nothing, and operators nothing about cases. Raises Problem."""
    if caller.inspector:
        raise Problem(403, "纪检监察只查阅，不提交", "inspectors read everything and write nothing")
    if OPERATOR in caller.roles:
        raise Problem(403, "运维不代表部门办理", "operators act for no department")


def _allow(caller: Caller, wish: Wish) -> None:
    """What the register of roles rules out for whoever he speaks for. All else is for intake to refuse, so that the
    attempt is on record. Raises Problem."""
    if OPERATOR not in caller.roles:
        require_department(caller)
    kind = PAYLOADS.get(wish.type)
    if kind is None:
        fault = Fault(field="body.type", rule="type.unknown", message="no such type of submission")
        raise Problem(422, "没有此信息类型", "there is no such type of submission", faults=[fault])
    if issubclass(kind, OperatorPayload) != (OPERATOR in caller.roles):
        raise Problem(403, "职责不允许提交此类信息", "the role hands in nothing of this type")
    department, officer = wish.data.get("department"), wish.data.get("officer")
    if department not in (None, caller.department):
        fault = Fault(field="body.data.department", rule="caller.department", message="must be the caller's, or absent")
        raise Problem(403, "不得以其他部门的名义提交", "nobody speaks for another department", faults=[fault])
    if officer is not None and (not isinstance(officer, Mapping) or officer.get("id") != caller.officer):
        fault = Fault(field="body.data.officer", rule="caller.officer", message="must be the caller, or absent")
        raise Problem(403, "不得以他人的名义提交", "nobody hands in as somebody else", faults=[fault])


def _digest(caller: Caller, wish: Wish) -> bytes:
    """Of what was asked, whatever was added to it. Raises Problem."""
    time = wish.time.isoformat() if wish.time is not None else None
    asked = {"type": wish.type, "data": wish.data, "time": time, "retry_of": wish.retry_of, "whole": wish.whole}
    return hashlib.sha256(_text({**asked, "department": caller.department})).digest()


def _text(data: Mapping[str, Any]) -> bytes:
    """As it goes to Kafka. Raises Problem where it is no JSON, or too much of it."""
    try:
        text = json.dumps(data, ensure_ascii=False, allow_nan=False, sort_keys=True).encode()
    except (ValueError, RecursionError):
        fault = Fault(field="body.data", rule="json.invalid", message="must be plain JSON")
        raise Problem(422, "不是通用的 JSON", "no JSON that everybody reads alike", faults=[fault]) from None
    if len(text) > LARGEST:
        raise of_status(413)
    return text

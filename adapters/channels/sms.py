"""短信 by a gateway: what it answers, and one for gateways that take JSON over HTTP, as a file describes them."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters.channels.http import Answer, Line, NotReached
from domain.channels import Endpoint

BUSY = frozenset({429, 503})
Fate = Literal["sent", "temporary", "permanent", "technical", "unanswered"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one message. Temporary: not now; permanent: never to this number; technical: it is not known that a message
    would go to anybody; unanswered: it may have gone. `reference`: what the gateway calls it."""

    fate: Fate
    reference: str = ""
    detail: str = ""
    retry_after: float | None = None


class Gateway(Protocol):
    """Sends 短信."""

    def send(self, phone: str, text: str, reference: str) -> Outcome:
        """`reference`: what we call it; the same message has the same again."""
        ...

    def delivered(self, reference: str) -> bool | None:
        """Whether the telephone has what the gateway calls so; None: not known, or not known yet. Raises NotReached."""
        ...


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Report(_Part):
    """How to ask what became of a message: the field that names it, where the answer says how it stands."""

    url: Endpoint
    reference: str = "id"
    status: str = "status"
    delivered: tuple[str, ...] = ("DELIVRD",)
    failed: tuple[str, ...] = ()
    fixed: dict[str, Any] = {}


class Description(_Part):
    """A gateway: its address; the names of its fields; which of its codes mean what. Codes it does not list are
    technical: somebody has to look. Paths into answers are written with dots."""

    url: Endpoint
    phone: str = "phone"
    text: str = "text"
    reference: str | None = None
    fixed: dict[str, Any] = {}
    secret_header: str = "Authorization"
    secret_prefix: str = "Bearer "
    code: str = "code"
    id: str = "id"
    sent: tuple[str, ...] = Field(("0",), min_length=1)
    temporary: tuple[str, ...] = ()
    permanent: tuple[str, ...] = ()
    report: Report | None = None


class GatewayProblem(Exception):
    """The gateway's description cannot be used."""


def describe(path: Path) -> Description:
    """Raises GatewayProblem."""
    try:
        return Description.model_validate_json(path.read_bytes())
    except OSError as error:
        raise GatewayProblem(f"{path}: {error.strerror}") from None
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, one["loc"])) or "JSON" for one in error.errors())
        raise GatewayProblem(f"{path}: {wrong}") from None


class JsonGateway:
    """For one thread."""

    def __init__(self, description: Description, secret: str | None, trust: ssl.SSLContext, seconds: float) -> None:
        self._is = description
        self._headers = {"content-type": "application/json; charset=utf-8", "user-agent": "shenguan"}
        if secret is not None:
            self._headers[description.secret_header] = description.secret_prefix + secret
        self._trust = trust
        self._seconds = seconds

    def send(self, phone: str, text: str, reference: str) -> Outcome:
        asked = {**self._is.fixed, self._is.phone: phone, self._is.text: text}
        if self._is.reference is not None:
            asked[self._is.reference] = reference
        try:
            answer = self._ask(self._is.url, asked)
        except NotReached as why:
            return Outcome("unanswered" if why.asked else "technical", detail=str(why))
        if answer.status in BUSY:
            return Outcome("temporary", detail=f"HTTP {answer.status}", retry_after=answer.retry_after)
        found = _json(answer)
        code = _at(found, self._is.code)
        if found is None or code is None:
            return Outcome("technical", detail=f"HTTP {answer.status}")
        if code in self._is.sent and 200 <= answer.status < 300:
            return Outcome("sent", _at(found, self._is.id) or reference)
        fate: Fate = (
            "temporary" if code in self._is.temporary else "permanent" if code in self._is.permanent else "technical"
        )
        return Outcome(fate, detail=code[:64], retry_after=answer.retry_after)

    def delivered(self, reference: str) -> bool | None:
        report = self._is.report
        if report is None:
            return None
        found = _json(self._ask(report.url, {**report.fixed, report.reference: reference}))
        status = _at(found, report.status)
        return True if status in report.delivered else False if status in report.failed else None

    def _ask(self, url: str, asked: Mapping[str, Any]) -> Answer:
        with Line(url, self._trust, self._seconds) as line:
            return line.post(json.dumps(asked, ensure_ascii=False).encode(), self._headers)


def _json(answer: Answer) -> Any:
    try:
        return json.loads(answer.body)
    except ValueError:
        return None


def _at(found: Any, path: str) -> str | None:
    """What stands at a path of names, as text."""
    for name in path.split("."):
        if not isinstance(found, dict):
            return None
        found = found.get(name)
    return str(found)[:200] if isinstance(found, (str, int)) else None

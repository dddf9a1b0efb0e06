"""Who tells the story of the reference: hands submissions in, one after another, as their principals would."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from domain import catalogue
from domain.departments import Department, Role
from domain.event import Event
from domain.handling import Outcome, handle
from domain.identifiers import make_matter_code, make_resident_id, make_uscc
from domain.personal import Officer, Sealed, seal
from domain.registers import Registers
from domain.submissions import BEIJING, Payload, Submission, full_type
from domain.world import World

assert catalogue.DECIDERS
STORE = "150000"
OFFICE, APPROVAL, CENTRE, MARKET, HEALTH, EMERGENCY, PLATFORM, REGION, JUSTICE = (
    "hs-sgb", "hs-xzspj", "hs-zwzx", "hs-scjgj", "hs-wjw", "hs-yjj", "hs-zwpt", "nm-scjgj", "hs-sfj"
)  # fmt: skip
BEGIN = datetime(2026, 3, 2, 9, tzinfo=BEIJING)
TODAY = BEGIN.date()
ORGAN_USCC = make_uscc("11150100MB1234567")
MARKET_USCC = make_uscc("11150100MB7654321")
PARTY_USCC = make_uscc("91150102MA0N1ABCX")
MATTER, OTHER_MATTER = (make_matter_code(make_uscc("11150100011000001"), 3, f"00010000100{n}") for n in (1, 2))
RESIDENT = make_resident_id("15010219900101001")
CASE = "2026030200001"


@dataclass(frozen=True, slots=True)
class Example:
    """One submission as it is sent, and what became of it."""

    type: str
    principal: str
    key: str
    attributes: dict[str, str]
    data: dict[str, Any]
    outcome: Outcome


class _Sealer:
    """A stand-in that looks like the real one's work and remembers what it sealed."""

    def __init__(self) -> None:
        self._plain: dict[str, str] = {}

    def seal(self, subject: str, value: str) -> Sealed:
        digest = hashlib.sha256(f"{subject} {value}".encode())
        ciphertext = base64.b64encode(digest.digest()).decode()
        self._plain[ciphertext] = value
        return Sealed(subject=subject, ciphertext=ciphertext, commitment=digest.hexdigest())

    def open(self, sealed: Sealed) -> str:
        return self._plain[sealed.ciphertext]

    def pseudonym(self, value: str) -> str:
        return hashlib.sha256(value.encode()).hexdigest()[:24]


def _nothing(_: Iterable[str]) -> dict[str, list[Event]]:
    return {}


class Teller:
    """Hands submissions in, one after another, as their principals would."""

    def __init__(self) -> None:
        self.world = World(Registers(), _nothing, BEGIN)
        self.sealer = _Sealer()
        self.examples: list[Example] = []
        self.counts: dict[str, int] = {}
        self.now = BEGIN

    def tell(self, payload: Payload, key: str | None = None) -> str:
        """Returns `source/id`."""
        principal = payload.department
        self.counts[principal] = self.counts.get(principal, 0) + 1
        self.now += timedelta(minutes=1)
        self.world.now = self.now
        id_ = f"{TODAY:%Y%m%d}-{self.counts[principal]:04}"
        sealed = seal(payload, self.sealer, payload.subject() or f"submission/{principal}/{id_}")
        outcome = handle(Submission(principal, id_, self.now, principal, "acl", sealed), self.world)
        self.examples.append(
            Example(
                type=payload.TYPE,
                principal=principal,
                key=key or str(getattr(payload, "number", principal)),
                attributes={
                    "specversion": "1.0",
                    "id": id_,
                    "source": principal,
                    "type": full_type(payload.TYPE),
                    "time": self.now.isoformat(),
                },
                data=payload.model_dump(mode="json", exclude_none=True),
                outcome=outcome,
            )
        )
        return f"{principal}/{id_}"


def department(code: str, name: str, *roles: Role) -> Department:
    return Department(code=code, name=name, roles=roles, region="150100", valid_from=date(2019, 1, 1))


def officer(number: str, name: str) -> Officer:
    return Officer(id=number, name=name)

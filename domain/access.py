"""Who may read what: by the roles of the department that a caller is of, each kind of record its own or all of it.

The notice says who has which duty (domain notes §1); this is what follows of it for reading. The database enforces
`own` a second time, by the department that a reading transaction names.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from domain.departments import Role

OPERATOR: Literal["OPERATOR"] = "OPERATOR"
"""Those who run the system: not of a department, and shown nothing of a case."""
Reader = Role | Literal["OPERATOR"]
Scope = Literal["own", "all"]
Area = Literal[
    "cases",
    "notices",
    "feedback",
    "licences",
    "inspections",
    "seals",
    "ratings",
    "statistics",
    "registers",
    "subscriptions",
    "consultations",
    "submissions",
    "attempts",
    "risks",
    "reads",
    "deadletters",
    "operations",
    "transparency",
    "ledgers",
    "entries",
]
"""Kinds of records. `submissions`: what became of what was handed in; `reads`: what inspectors have asked;
`transparency`: hashes, checkpoints and proofs of them; `ledgers`: notices with proof that there are no others;
`entries`: the events of the log themselves."""

_PARTIES: dict[Reader, Scope] = {
    "APPROVAL": "own",
    "SUPERVISION": "own",
    "HIGHER_AUTHORITY": "own",
    "REFORM_OFFICE": "own",
    "REVIEW_ORGAN": "own",
    "DISCIPLINE": "all",
}
_EVERYBODY: dict[Reader, Scope] = {**dict.fromkeys(_PARTIES, "all"), "PLATFORM": "all", "OPERATOR": "all"}
READS: dict[Area, dict[Reader, Scope]] = {
    "cases": _PARTIES,
    "notices": _PARTIES,
    "feedback": _PARTIES,
    "licences": _PARTIES,
    "inspections": _PARTIES,
    "seals": {"APPROVAL": "own", "SUPERVISION": "own", "DISCIPLINE": "all"},
    "ratings": {
        "APPROVAL": "own",
        "SUPERVISION": "own",
        "PLATFORM": "own",
        "REFORM_OFFICE": "all",
        "DISCIPLINE": "all",
    },
    "statistics": {
        "APPROVAL": "all",
        "SUPERVISION": "own",
        "HIGHER_AUTHORITY": "all",
        "REFORM_OFFICE": "all",
        "DISCIPLINE": "all",
    },
    "registers": _EVERYBODY,
    "subscriptions": {"SUPERVISION": "own", "REFORM_OFFICE": "all", "DISCIPLINE": "all"},
    "consultations": {"APPROVAL": "own", "SUPERVISION": "own", "HIGHER_AUTHORITY": "own", "DISCIPLINE": "all"},
    "submissions": {**_PARTIES, "PLATFORM": "own", "OPERATOR": "own"},
    "attempts": {**_PARTIES, "PLATFORM": "own"},
    "risks": {"DISCIPLINE": "all"},
    "reads": {"DISCIPLINE": "all"},
    "deadletters": {**_PARTIES, "PLATFORM": "own", "OPERATOR": "all"},
    "operations": {"OPERATOR": "all", "DISCIPLINE": "all"},
    "transparency": _EVERYBODY,
    "ledgers": _PARTIES,
    "entries": {"DISCIPLINE": "all"},
}
NAMED: frozenset[Reader] = frozenset(("APPROVAL", "SUPERVISION", "HIGHER_AUTHORITY", "REVIEW_ORGAN", "DISCIPLINE"))
"""Whose work needs the names and numbers of persons; to the others they are masked always."""

CLASSIFIED: frozenset[Reader] = frozenset(("REFORM_OFFICE", "DISCIPLINE"))
"""Who sees that a classified matter is registered: who writes it there, and who looks into everything."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who has signed in. `department`: for whom he speaks, of those that his token names; `subject`: issuer
    and subject of the token; `officer`, `name`: as his department knows him."""

    subject: str
    officer: str
    name: str
    department: str
    departments: tuple[str, ...]
    roles: frozenset[Reader]

    def scope(self, area: Area) -> Scope | None:
        """How much of the area he may read; None: nothing."""
        return scope(self.roles, area)

    @property
    def may_see_persons(self) -> bool:
        return not self.roles.isdisjoint(NAMED)

    @property
    def may_see_classified(self) -> bool:
        return not self.roles.isdisjoint(CLASSIFIED)

    @property
    def inspector(self) -> bool:
        """Whether each of his reads is to be recorded (3.3e)."""
        return "DISCIPLINE" in self.roles


def scope(roles: Collection[Reader], area: Area) -> Scope | None:
    found = {READS[area][role] for role in roles if role in READS[area]}
    return "all" if "all" in found else "own" if found else None

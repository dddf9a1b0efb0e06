"""A scenario: one way a case goes, with its weight in the mix and the kind of matter it is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal

from infra.generator import names
from infra.generator.case import Case
from infra.generator.registry import Item

Play = Callable[[Case], None]
Stands = Literal["transferred", "stays", "classified", "pushed", "silent"]
SCENARIOS: dict[str, Scenario] = {}


@dataclass(frozen=True, slots=True)
class Scenario:
    """`share`: percent of all cases, at least 1; `party`: the only kind of party it is about, where there is one."""

    name: str
    share: float
    play: Play
    stands: Stands
    party: str | None

    def choose(self, items: list[Item], rng: Random) -> tuple[Item, str]:
        """A matter that suits, and the party's kind."""
        fitting = [i for i in items if self._suits(i) and (self.party is None or self.party in i.kind.parties)]
        item = rng.choice(fitting)
        return item, self.party or rng.choice(item.kind.parties)

    def _suits(self, item: Item) -> bool:
        match self.stands:
            case "transferred":
                return item.transferred
            case "stays":
                return not item.transferred and not item.classified
            case "classified":
                return item.classified
            case "pushed":
                return item.push_not_granted
            case "silent":
                return item.transferred and not item.push_not_granted


def mix() -> list[Scenario]:
    """All scenarios, the most frequent first."""
    return sorted(SCENARIOS.values(), key=lambda one: (-one.share, one.name))


def scenario(share: float = 1.1, stands: Stands = "transferred", party: str | None = None) -> Callable[[Play], Play]:
    """Puts a function into the mix under its own name."""
    assert share >= 1
    assert party is None or party in names.PARTY_KINDS

    def put(play: Play) -> Play:
        SCENARIOS[play.__name__] = Scenario(play.__name__, share, play, stands, party)
        return play

    return put

"""A scenario: one way a case goes, with its weight in the mix and the kind of matter it is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

from infra.generator import names
from infra.generator.case import Case
from infra.generator.registry import Item, Trait

Play = Callable[[Case], None]
Stands = Literal["transferred", "stays", "classified", "pushed", "silent"] | Trait
SCENARIOS: dict[str, Scenario] = {}


@dataclass(frozen=True, slots=True)
class Scenario:
    """`share`: percent of all cases; `party`: the only kind of party it is about, where there is one.

    Below one percent it is `rare`, and needs a `FullRegistry`. The benchmarks play none of these, so that their mix,
    and with it their figures, stay what they are while the generator learns more.
    """

    name: str
    share: float
    play: Play
    stands: Stands
    party: str | None

    @property
    def rare(self) -> bool:
        return self.share < 1

    def choose(self, items: list[Item], rng: Random) -> tuple[Item, str]:
        """A matter that suits, and the party's kind."""
        fitting = [i for i in items if self._suits(i) and (self.party is None or self.party in i.kind.parties)]
        item = rng.choice(fitting)
        return item, self.party or rng.choice(item.kind.parties)

    def _suits(self, item: Item) -> bool:
        if item.trait == "surveyed" or self.stands in get_args(Trait):
            return item.trait == self.stands
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
        return False


def mix(rare: bool = True) -> list[Scenario]:
    """All scenarios, or those that are not rare, the most frequent first."""
    return sorted((one for one in SCENARIOS.values() if rare or not one.rare), key=lambda one: (-one.share, one.name))


def scenario(share: float = 1.1, stands: Stands = "transferred", party: str | None = None) -> Callable[[Play], Play]:
    """Puts a function into the mix under its own name."""
    assert share > 0
    assert party is None or party in names.PARTY_KINDS

    def put(play: Play) -> Play:
        SCENARIOS[play.__name__] = Scenario(play.__name__, share, play, stands, party)
        return play

    return put

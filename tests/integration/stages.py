"""How far a store has come when a test gets it: a function that takes it there."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.integration.region import everything, registers, usual
from tests.integration.teststore import TestStore

Stage = Callable[[TestStore], object]


class Template(NamedTuple):
    """A database to clone, and how many submissions it has had."""

    name: str
    handed_in: int


def empty(store: TestStore) -> None:
    """Migrated, and nothing else."""


def ordinary(store: TestStore) -> None:
    """The region with something of everything that happens every day, and the read models up to date."""
    usual(registers(store))
    store.project()


def complete(store: TestStore) -> None:
    """The region with an event of nearly every type, and the read models up to date."""
    everything(registers(store))
    store.project()

"""Dated entries 登记项: the one way in which lists are kept by date.

An entry holds from a date on, until another under its key, or none, takes its place; of two from the same date the one
recorded later counts. What a list says of a thing is its entry's class; what it must agree with stands beside it.
"""

from __future__ import annotations

from abc import abstractmethod

from domain.personal import Model


class Entry(Model):
    """Base of all entries. A subclass has its `kind`, which names the list."""

    @abstractmethod
    def key(self) -> str:
        """What the list has only one of at a time."""


def entry_stream(kind: str, key: str) -> str:
    return f"entry/{kind}/{key}"

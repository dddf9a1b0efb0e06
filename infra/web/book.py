"""The registers as somebody asks for them: of a date, as known at a moment, in rows."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query, Response
from psycopg import Connection
from pydantic import BaseModel

from adapters.postgres.log import Log
from domain.registers import Registers
from infra.register_rows import Streams
from infra.web.listing import Asked, AskedFor, Listing, answer
from infra.web.reading import Reading, reading
from infra.web.registry import Registry
from infra.web.times import MomentText, true_on
from projections.page import Slice

Row = TypeVar("Row", bound=BaseModel)


class Book:
    """`on`: the date for which answers are to hold."""

    def __init__(self, reading: Reading, asked: Asked, as_true_at: str | None) -> None:
        self.reading = reading
        self.asked = asked
        self.registers, self.on = registers_of(reading, asked), true_on(as_true_at)
        self._given = {"as_true_at": as_true_at}

    @cached_property
    def secret(self) -> frozenset[str]:
        """The matters that the caller is not shown."""
        return secret(self.reading, self.registers)

    def streams(self, prefix: str) -> Streams:
        """Those of the log under a prefix, which the answer then rests on beside the registers."""
        found, position = streams_of(self.reading, self.asked, prefix)
        self.registers = registers_of(self.reading, self.asked)  # not before: they too have all up to there
        self.reading.positions = {"log": position}
        return found

    def answer(
        self, listing: Listing[Row], response: Response, rows: Iterable[dict[str, Any]], filters: Mapping[str, Any]
    ) -> Any:
        """The rows, whatever their order, as the list that was asked for."""
        return listed(listing, self.reading, self.asked, response, rows, {**filters, **self._given})


def secret(reading: Reading, registers: Registers) -> frozenset[str]:
    """The matters that are classified in these registers or now, where the caller is not shown them: what was not
    classified then is not shown as it was."""
    if reading.caller.may_see_classified:
        return frozenset()
    registry: Registry = reading.request.app.state.registry
    both = (*registry.now().matters.items(), *registers.matters.items())
    return frozenset(code for code, history in both if history.entry.classified)


def streams_of(reading: Reading, asked: Asked, *prefixes: str) -> tuple[Streams, int]:
    """The streams of the log under these prefixes, as known when it is asked for, and how far the log has come."""
    with reading.log() as conn:
        log = Log(conn)
        found = {name: events for one in prefixes for name, events in log.streams_under(one, asked.known_at).items()}
        return found, log.head()


def registers_of(reading: Reading, asked: Asked) -> Registers:
    """As known when it is asked for; the read then rests on them, and not on the read models."""
    registry: Registry = reading.request.app.state.registry
    registers, position = registry.present()
    reading.positions = {"registers": position}
    return registers if asked.known_at is None else registry.then(asked.known_at)


def listed(
    listing: Listing[Row],
    reading: Reading,
    asked: Asked,
    response: Response,
    rows: Iterable[dict[str, Any]],
    filters: Mapping[str, Any],
) -> Any:
    """A list of which all rows are at hand."""
    ordered = sorted(rows, key=lambda row: keyed(listing, row))

    def find(_: Connection[Any], after: Sequence[Any] | None, limit: int) -> Slice:
        start = 0 if after is None else bisect_right(ordered, tuple(after), key=lambda row: keyed(listing, row))
        return Slice(ordered[start : start + limit], start + limit < len(ordered))

    return answer(listing, reading, asked, response, find, filters, lambda _: len(ordered))


def keyed(listing: Listing[Row], row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[part] for part in listing.key)


def book(
    reading: Annotated[Reading, Depends(reading("registers"), scope="function")],
    asked: AskedFor,
    as_true_at: Annotated[MomentText | None, Query(description="何日的情况；不给则今日")] = None,
) -> Book:
    return Book(reading, asked, as_true_at)


BookOf = Annotated[Book, Depends(book)]

"""Lists: one way of asking for them and of answering, as JSON page by page or whole as a file."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar, get_args, get_origin

from fastapi import Depends, Query, Response
from psycopg import Connection
from pydantic import BaseModel

from adapters.http import cursors, etags, exports
from adapters.http.problems import Fault, Problem
from domain.submissions import local_date
from infra.plain import Plain
from infra.presentation import Column
from infra.web.pages.page import language, path_of
from infra.web.reading import EVERYBODY, Reading
from infra.web.times import MomentText, known_at_of
from projections.page import Slice

MOST = 500
BLOCK = 1000
Row = TypeVar("Row", bound=BaseModel)
Find = Callable[[Connection[Any], Sequence[Any] | None, int], Slice]
"""Rows after a key, at most so many."""


class Listed(BaseModel, Generic[Row]):
    """Some rows of a list. `next`: the cursor of what may come after them, null at the end alone: a page may be short,
    or empty, and others follow; `complete`: whether these are all there are; `scanned`: how many rows were looked at to
    find them; `position`: every event up to here in the log is taken into account, as far as `as_known_at` lets it
    be."""

    items: list[Row]
    next: str | None
    complete: bool
    scanned: int
    position: int
    as_known_at: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """How a list is asked for, whatever it lists."""

    cursor: str | None
    limit: int
    known_at: datetime | None
    reveal: bool
    reason: str | None
    form: Literal["json", "csv", "xlsx", "jsonl"]


def asked(
    cursor: Annotated[str | None, Query(description="接着上一页：其应答中的 next", max_length=1000)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST, description="最多几条")] = 50,
    as_known_at: Annotated[MomentText | None, Query(description="当时所知：时间，只给日期则到当日结束")] = None,
    reveal: Annotated[bool, Query(description="显示完整的个人信息，限职责所需")] = False,
    reason: Annotated[str | None, Query(max_length=4000, description="监察查阅个人信息的事由")] = None,
    form: Annotated[
        Literal["json", "csv", "xlsx", "jsonl"], Query(alias="format", description="json 分页；其余为整份文件")
    ] = "json",
) -> Asked:
    return Asked(cursor, limit, known_at_of(as_known_at), reveal, reason, form)


AskedFor = Annotated[Asked, Depends(asked)]


@dataclass(frozen=True, slots=True)
class Listing(Generic[Row]):
    """A list: its name in addresses, what identifies a row and orders them, its columns' headings, a row's shape.
    `unshown`: the kind of those parts of the key that a row does not show; most are positions in the log."""

    name: str
    key: tuple[str, ...]
    shape: tuple[Column, ...]
    row: type[Row]
    unshown: type = int

    @property
    def kinds(self) -> list[type]:
        """Of the key's parts, none of which is ever null. Raises TypeError where a part has no single kind."""
        shown = self.row.model_fields
        return [_kind(shown[one].annotation) if one in shown else self.unshown for one in self.key]


def answer(
    listing: Listing[Row],
    reading: Reading,
    asked: Asked,
    response: Response,
    find: Find,
    filters: Mapping[str, Any],
    count: Callable[[Connection[Any]], int] | None = None,
) -> Any:
    """The list as it was asked for. An inspector's read is recorded first, with the `filters` that were chosen and how
    many rows it has; `count` tells that of a whole file where it is known without reading them."""
    plain = plain_of(reading, asked)
    if asked.form != "json":
        number = 0
        if reading.caller.inspector:
            number = count(reading.conn) if count is not None else sum(map(len, _blocks(listing, reading.conn, find)))
        note(reading, listing.name, {**filters, "format": asked.form}, number, asked)
        zh = language(reading.request) == "zh"
        shown = [column for column in listing.shape if column.key in listing.row.model_fields]
        headings = [(column.zh if zh else column.en) or column.key for column in shown]
        keys = [column.key for column in shown]
        reading.release()
        with closing(_whole(listing, reading, find, plain)) as rows:
            lines = ([row[key] for key in keys] for row in rows)
            return exports.export(asked.form, listing.name, keys, headings, lines)
    positions = reading.positions
    tag = tagged(reading, listing.name)
    after = cursors.read(listing.name, asked.cursor, listing.kinds)
    found = find(reading.conn, after, asked.limit)
    items = [row_of(listing.row, plain(row)) for row in found.rows]
    note(reading, listing.name, filters, len(items), asked)
    following = cursors.write(listing.name, _last(listing, found)) if found.more else None
    if following is not None:
        url = reading.request.url.include_query_params(cursor=following)
        response.headers["Link"] = f'<{path_of(reading.request.scope)}?{url.query}>; rel="next"'
    response.headers["ETag"] = tag
    return Listed[listing.row](  # type: ignore[name-defined]
        items=items,
        next=following,
        complete=not found.more and after is None,
        scanned=found.scanned if found.scanned is not None else len(found.rows),
        position=min(positions.values()),
        as_known_at=plain(asked.known_at),
    )


def _kind(annotation: Any) -> type:
    if get_origin(annotation) is Literal:
        return type(get_args(annotation)[0])
    if not isinstance(annotation, type):
        raise TypeError(f"{annotation} is no kind of a key's part")
    return annotation


def row_of(shape: type[Row], row: Mapping[str, Any]) -> Row:
    return shape.model_validate({name: row.get(name) for name in shape.model_fields})


def plain_of(reading: Reading, asked: Asked) -> Plain:
    """How persons are shown. Raises Problem where the caller's role needs no persons."""
    if asked.reveal and not reading.caller.may_see_persons:
        raise Problem(403, "职责无须查看个人信息", "the role needs no personal data")
    if asked.reveal and reading.caller.inspector and not asked.reason:
        fault = Fault(field="query.reason", rule="read.reason", message="say why persons are to be shown")
        raise Problem(422, "查阅个人信息须说明事由", "say why persons are to be shown", faults=[fault])
    return Plain(reading.request.app.state.persons.open, asked.reveal, language(reading.request) == "zh")


def tagged(reading: Reading, name: str) -> str:
    """The entity tag of an answer made now; raises NotModified where the client has it. Inspectors are always answered
    anew, for every read of theirs is recorded."""
    request = reading.request
    parts = (name, request.url.path, request.url.query, reading.caller.department, sorted(reading.caller.roles))
    today = local_date(datetime.now(UTC))
    tag = etags.tag_of((*parts, language(request), today, sorted(reading.positions.items()), reading.edition))
    if not reading.caller.inspector:
        etags.check(request, tag)
    return tag


def note(reading: Reading, name: str, filters: Mapping[str, Any], rows: int, asked: Asked) -> None:
    """Records the read, where the caller is an inspector."""
    if reading.caller.inspector:
        reading.request.app.state.recorder.read(
            reading.caller,
            name,
            {key: value for key, value in filters.items() if value not in (None, False)},
            rows,
            known_at=asked.known_at,
            reason=asked.reason or None,
            revealed=asked.reveal,
        )


def _whole(listing: Listing[Row], reading: Reading, find: Find, plain: Plain) -> Generator[dict[str, Any], None, None]:
    """Every row, read in a transaction that lasts as long as the file is written, not as long as it is sent."""
    department = reading.department or EVERYBODY
    with reading.request.app.state.readers.lend_for_file(department) as conn:
        for rows in _blocks(listing, conn, find):
            for row in rows:
                yield row_of(listing.row, plain(row)).model_dump(mode="json")


def _blocks(listing: Listing[Row], conn: Connection[Any], find: Find) -> Iterator[list[dict[str, Any]]]:
    after: list[Any] | None = None
    while True:
        found = find(conn, after, BLOCK)
        yield found.rows
        if not found.more:
            return
        after = _last(listing, found)


def _last(listing: Listing[Row], found: Slice) -> list[Any]:
    """The key from which what comes after these rows is asked for."""
    return list(found.after) if found.after is not None else [found.rows[-1][part] for part in listing.key]

"""The dated lists 清单: each kind as it stood on a date, or every version there was (1.2–1.3, 2.3, 3, 5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, create_model

from adapters.http.exports import FILES
from adapters.http.problems import responses
from domain.entries import Entry
from domain.registering import AnyEntry, Kind
from infra.presentation import columns
from infra.registers import ENTRY, TITLES
from infra.web.book import Book, BookOf
from infra.web.listing import Listed, Listing

router = APIRouter(prefix="/registers", tags=["registers"])
VERSION = columns("""
    version | 版本 | version
    until | 至 | until
""")
ENTRIES: dict[Kind, type[Entry]] = {one.model_fields["kind"].default: one for one in get_args(get_args(AnyEntry)[0])}
"""What each list consists of."""
ALIASES: dict[str, Kind] = {"powers": "power_item", "supervision": "supervision_item"}
"""The two lists of 权责清单, by the names under which they are asked for."""


class EntryRow(BaseModel):
    """Base of what a list has under a key: from `valid_from` on, until another version, or none, holds."""

    key: str
    version: int
    valid_from: date
    until: date | None
    basis: str


def row_type(kind: Kind) -> type[EntryRow]:
    """The fields of an entry of that kind, beside those of its version."""
    entry = ENTRIES[kind]
    fields: dict[str, Any] = {name: (info.annotation, ...) for name, info in entry.model_fields.items()}
    return create_model(f"{entry.__name__}Row", __base__=EntryRow, __doc__=entry.__doc__, **fields)


LISTS: dict[Kind, Listing[EntryRow]] = {
    kind: Listing(kind, ("key", "version"), (*ENTRY, *VERSION), row_type(kind)) for kind in get_args(Kind)
}


def door(kind: Kind) -> Callable[..., Any]:
    """What answers for a list."""

    def entries(
        book: BookOf,
        response: Response,
        key: Annotated[str | None, Query(description="只列此编码")] = None,
        matter: Annotated[str | None, Query(description="只列此事项的")] = None,
        organ: Annotated[str | None, Query(description="只列此部门的")] = None,
        history: Annotated[bool, Query(description="历次版本；否则只列当日有效的")] = False,
    ) -> Any:
        rows = [
            row
            for row in _versions(book, kind, history)
            if key in (None, row["key"])
            and matter in (None, row.get("matter"), *row.get("matters", ()))
            and organ in (None, *(row.get(name) for name in ("organ", "department", "responsible", "lead")))
        ]
        chosen = {"key": key, "matter": matter, "organ": organ, "history": history}
        return book.answer(LISTS[kind], response, rows, chosen)

    zh, en = TITLES[kind]
    entries.__doc__ = f"{zh}：某日的，或历次版本。{en}."
    return entries


def _versions(book: Book, kind: Kind, history: bool) -> Iterator[dict[str, Any]]:
    """What is struck is no version: the one before it ends."""
    for key, versions in book.registers.entries.get(kind, {}).items():
        for number, one in enumerate(versions):
            following = versions[number + 1].since if number + 1 < len(versions) else None
            holds = one.since <= book.on and (following is None or book.on < following)
            if one.entry is None or not (holds or history):
                continue
            row = one.entry.model_dump()
            if book.secret.isdisjoint({row.get("matter"), *row.get("matters", ())}):
                yield row | {
                    "key": key,
                    "version": one.number,
                    "valid_from": one.since,
                    "until": following,
                    "basis": one.basis,
                }


for _path, _kind in [*ALIASES.items(), *((f"entries/{kind}", kind) for kind in get_args(Kind))]:
    router.add_api_route(
        f"/{_path}",
        door(_kind),
        name=_path.replace("/", "_"),
        response_model=Listed[LISTS[_kind].row],  # type: ignore[misc]
        responses={**FILES, **responses(401, 403, 422)},
    )

"""What became of a submission that was handed in: asked until intake has said it, shown in words or as JSON."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from typing import Any, NamedTuple

from psycopg import Connection

from adapters.postgres.log import Log
from adapters.postgres.registers import RegisterCache
from domain.arrivals import Place
from domain.documents import PolicyDocument, citations, documents
from domain.event import Event
from domain.notices import NoticeOwed
from domain.registering import EntryRegistered, EntryStruck
from domain.registers import Registers
from domain.rules import RULES
from domain.submissions import local_date
from infra.explaining import awaited, explained
from infra.store import Store
from infra.words import WORDS
from projections.outcomes import find_one

POLL_SECONDS = 0.1
GOOD = ("accepted", "duplicate")
CALLED = {
    "accepted": ("受理入账", "Accepted"),
    "refused": ("拒绝，尝试已记录在案", "Refused, the attempt is on record"),
    "duplicate": ("重复，不再入账", "Duplicate, nothing more is recorded"),
    "conflict": ("冲突，同一标识已有不同内容，已隔离", "Conflict, other content has this id: quarantined"),
    "parked": ("等待", "Parked"),
    "dead": ("死信，没有入账", "Dead letter, nothing is recorded"),
}


class Became(NamedTuple):
    """`row` as the read model has it; of an accepted one what it recorded, and whom it owes notices, by name; of one
    that repeals a document how much rests on it still."""

    row: dict[str, Any]
    recorded: list[str]
    notices: list[NoticeOwed]
    names: Mapping[str, str]
    affects: int | None = None

    @property
    def good(self) -> bool:
        """Whether what was handed in is on record."""
        return self.row["disposition"] in GOOD


def await_disposition(store: Store, place: Place, until: float) -> Became | None:
    """None where intake has not read it by then (`time.monotonic`)."""
    with closing(store.connect()) as conn:
        while (row := find_one(conn, *place)) is None:
            if time.monotonic() > until:
                return None
            time.sleep(POLL_SECONDS)
        return became(conn, row, lambda: RegisterCache().refresh(conn))


def became(conn: Connection[Any], row: dict[str, Any], registers_now: Callable[[], Registers]) -> Became:
    """What became of the submission of that row."""
    if row["disposition"] != "accepted":
        return Became(row, [], [], {})
    made = [one.event for one in Log(conn).fact(row["stream"], row["version"])]
    registers = registers_now()
    notices = [event for event in made if isinstance(event, NoticeOwed)]
    recorded = [event.TOPIC for event in made if not isinstance(event, NoticeOwed)]
    names = {code: one.name for code, one in registers.departments.items()}
    return Became(row, recorded, notices, names, _affected(made, registers))


def _affected(made: Iterable[Event], registers: Registers) -> int | None:
    for event in made:
        match event:
            case EntryStruck(kind="document", key=key, valid_from=on):
                return len(citations(registers, documents(registers, on)[key].document.number, on))
            case EntryRegistered(entry=PolicyDocument(number=number, repealed_on=on)) if on is not None:
                return len(citations(registers, number, on))
    return None


def as_json(became: Became) -> dict[str, Any]:
    """With keys that stay; null where it does not apply."""
    row = became.row
    rule = RULES.get(row["rule"] or "")
    return {
        "place": row["place"],
        "disposition": row["disposition"],
        "events": became.recorded,
        "notices": [
            {"notice": n.notice, "addressee": n.addressee, "serial": n.serial, "about": n.about} for n in became.notices
        ],
        "affects": became.affects,
        "rule": row["rule"],
        "clause": rule and rule.clause,
        "waits_for": row["waits_for"],
        "expires_at": row["expires_at"] and row["expires_at"].isoformat(),
        "errors": row["errors"] if row["disposition"] == "dead" else None,
        "holder": row["holder"],
    }


def lines(became: Became, zh: bool) -> list[str]:
    """For people: what became of it, and indented why and what follows."""
    row = became.row
    words = CALLED[row["disposition"]]
    name = f"{row['source']}/{row['id']}"
    first = f"{words[0]}：{name}" if zh else f"{words[1]}: {name}"
    return [first, *(f"  {more[0 if zh else 1]}" for more in _more(became))]


def _more(became: Became) -> Iterator[tuple[str, str]]:
    row = became.row
    for topic in dict.fromkeys(became.recorded):
        zh, en = WORDS[topic]
        yield f"记录：{zh}（{topic}）", f"recorded: {en} ({topic})"
    for one in became.notices:
        name, (zh, en) = became.names.get(one.addressee, one.addressee), WORDS[one.about]
        yield (
            f"应告知：{name}，编号 {one.serial}，{zh}，告知 {one.notice}",
            f"notice owed: {name}, serial {one.serial}, {en}, notice {one.notice}",
        )
    if became.affects:
        yield f"仍有 {became.affects} 项登记以其为据", f"{became.affects} entries rest on it still"
    if row["disposition"] == "refused":
        rule = RULES[row["rule"]]
        zh, en = (f"，条款 {rule.clause}", f", clause {rule.clause}") if rule.clause else ("", "")
        yield f"{rule.zh}（规则 {rule.code}{zh}）", f"{rule.en} (rule {rule.code}{en})"
    elif row["disposition"] == "parked":
        day = local_date(row["expires_at"])
        yield (
            f"等待{awaited(row['waits_for'], True)}，{day} 仍未到则成死信",
            f"waits for {awaited(row['waits_for'], False)}; a dead letter if that has not come by {day}",
        )
    elif row["disposition"] == "dead":
        for error in row["errors"]:
            yield explained(error, True), explained(error, False)
    elif row["holder"]:
        zh, en = CALLED[row["holder"]]
        yield f"先前的一件：{zh}", f"the one before: {en}"

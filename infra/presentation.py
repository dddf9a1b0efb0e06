"""How answers are shown: readable tables in Chinese or English, or JSON with keys that stay."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol

import typer
from psycopg import Connection
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from adapters.postgres.writer import Fact
from domain.personal import M, Sealed
from domain.signatures import Signature
from infra.plain import Plain
from infra.words import RULE_WORDS, WORDS
from projections.page import Page
from projections.working_days import CHINA

Record = Callable[[int], str | None]
"""Records a read of so many rows; the rule by which it is refused."""


class Context(Protocol):
    """What queries need of a store."""

    @property
    def language(self) -> str: ...

    def connect(self) -> Connection[Any]:
        """As the runtime role: for the log and intake's own tables."""
        ...

    def connect_reader(self) -> Connection[Any]:
        """As a reader, for the read models."""
        ...

    def open(self, sealed: Sealed) -> str | None:
        """A personal value in clear; None where its key was destroyed."""
        ...

    def signed_bytes(self, signature: Signature) -> bytes | None:
        """The JWS and the data that it signs; None where a key of those whom they are about was destroyed."""
        ...

    def sealed(self, model: M, subject: str) -> M:
        """The model with every personal value sealed; `subject` is for parts that have none of their own."""
        ...

    def facts(self, *facts: Fact) -> None:
        """Records facts of the system's own, by the one writer."""
        ...


@dataclass(frozen=True, slots=True)
class Column:
    """A JSON key, and its headings; without headings it is in the JSON only."""

    key: str
    zh: str = ""
    en: str = ""


def columns(text: str) -> tuple[Column, ...]:
    """From lines of `key | 中文 | English`, of which only the key is needed."""
    return tuple(Column(*(part.strip() for part in line.split("|"))) for line in text.strip().splitlines())


class Shown:
    """One command's way of showing: language, JSON or tables, personal data masked or in full."""

    def __init__(
        self, context: Context, language: str | None, as_json: bool, reveal: bool, console: Console | None = None
    ) -> None:
        self.zh = (language or context.language) != "en"
        self.as_json = as_json
        self.plain = Plain(context.open, reveal, self.zh)
        self._record: Record | None = None
        self._holds = False
        self._rows = 0
        if console is not None:
            self._console = console
            return
        # Into a pipe nothing is wrapped or cut to a terminal's width.
        self._console = Console(highlight=False, emoji=False)
        if not self._console.is_terminal:
            self._console = Console(highlight=False, emoji=False, width=400)

    def hold(self, record: Record) -> None:
        """Shows nothing until it is let go, and that only when it was recorded."""
        self._record, self._holds = record, True
        self._console.begin_capture()

    def settle(self, rows: int = 0) -> None:
        """Records the read, where one is to be recorded and was not yet: before what is more than showing, such as
        writing a file of so many rows. Raises typer.Exit where the reader is refused."""
        record, self._record = self._record, None
        if record is None or (rule := record(self._rows + rows)) is None:
            return
        self._console.end_capture()  # nothing of it is shown
        self._holds = False
        words = RULE_WORDS[rule]
        typer.echo(words[0] if self.zh else words[1], err=True)
        raise typer.Exit(1)

    def let_go(self) -> None:
        """Records the read, and shows what was held."""
        self.settle()
        if self._holds:
            self._holds = False
            typer.echo(self._console.end_capture(), nl=False)

    def say(self, zh: str, en: str) -> None:
        """A sentence, where no JSON is asked for."""
        if not self.as_json:
            self._console.print(escape(zh if self.zh else en), soft_wrap=True)

    def fail(self, zh: str, en: str, **details: Any) -> typer.Exit:
        """Says why there is no answer; to be raised."""
        if self.as_json:
            self.json({"error": en, **details})
        self.say(zh, en)
        return typer.Exit(1)

    def json(self, value: Any) -> None:
        """One line."""
        text = json.dumps(self.plain(value), ensure_ascii=False)
        if self._holds:
            self._rows += sum(len(part) for part in value.values() if isinstance(part, list))
            self._console.out(text, highlight=False)
        else:
            typer.echo(text)

    def table(self, title: tuple[str, str], shape: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> None:
        """The columns that have headings; those that are empty in every row are left out."""
        self._rows += len(rows)
        shown = [c for c in shape if c.zh and (not rows or any(row.get(c.key) not in (None, "") for row in rows))]
        self._console.print(escape(title[0] if self.zh else title[1]), style="bold")
        table = Table(box=SIMPLE_HEAD, pad_edge=False)  # a title of its own would be wrapped to the table's width
        for column in shown:
            table.add_column(column.zh if self.zh else column.en, overflow="fold")
        for row in rows:
            table.add_row(*(escape(self.text(column.key, row.get(column.key))) for column in shown))
        self._console.print(table)

    def page(self, title: tuple[str, str], shape: Sequence[Column], page: Page) -> None:
        """A list, with how many there are if it was cut."""
        if self.as_json:
            items = [{c.key: row.get(c.key) for c in shape} for row in page.rows]
            self.json({"total": page.total, "shown": len(items), "items": items})
            return
        self.table(title, shape, page.rows)
        if page.cut:
            self.say(
                f"共 {page.total} 条，只列出前 {len(page.rows)} 条；用 --limit 列出更多。",
                f"{page.total} in all, the first {len(page.rows)} shown; --limit shows more.",
            )
        else:
            self.say(f"共 {page.total} 条。", f"{page.total} in all.")

    def text(self, key: str, value: Any) -> str:
        """One cell."""
        if value is None:
            return ""
        if isinstance(value, bool):
            return ("是" if value else "否") if self.zh else ("yes" if value else "no")
        if isinstance(value, datetime):
            return value.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")
        if isinstance(value, date):
            return value.isoformat()
        value = self.plain(value)
        if isinstance(value, str):
            words = RULE_WORDS.get(value) if key == "rule" else WORDS.get(value) if key in WORDED else None
            return value if words is None else words[0 if self.zh else 1]
        if isinstance(value, list) and all(isinstance(part, str) for part in value):
            return ("、" if self.zh else ", ").join(value)
        return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else str(value)


WORDED = {
    *("status", "ended_by", "about", "root", "kind", "disposition", "outcome", "last_change", "type", "suggestion"),
    *("due", "item", "standing", "wanting", "work", "party", "progress", "side", "seal_kind", "category", "result"),
    *("channel", "given_up_channel", "given_up_why"),
    *("differs", "contact", "signal", "unit", "service", "appeal"),
    *("relation", "cost_item", "payer", "budget", "lamp"),
}
"""The columns whose codes are put into words."""


def names_over(rows: Sequence[dict[str, Any]], keys: Sequence[str], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """For tables: departments by name where the register knows them."""
    return [row | {key: names.get(str(row[key]), row[key]) for key in keys if row.get(key)} for row in rows]


def known_at(text: str | None) -> datetime | None:
    """The moment whose record is asked for, a mere date meaning its end; None: all that is known."""
    return moment(text, end_of_day=True) if text else None


_DAY = re.compile(r"\d{4}-?\d\d-?\d\d")


def is_day(text: str) -> bool:
    """Whether it gives a day and no time."""
    return _DAY.fullmatch(text) is not None


def moment(text: str, *, end_of_day: bool = False) -> datetime:
    """An ISO time; without a zone it is Beijing's, a mere date means its start or its end. Raises BadParameter."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"不是 ISO 8601 时间 (not an ISO 8601 time): {text}") from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=CHINA)
    if end_of_day and is_day(text):
        found += timedelta(days=1) - timedelta(microseconds=1)
    return found

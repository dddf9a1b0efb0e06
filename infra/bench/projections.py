"""`projections`: read models rebuilt from the log, in events of the log a second."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import Connection, sql

from adapters.postgres.log import COLUMNS
from adapters.postgres.rebuild import BATCH
from infra.bench import stock_view
from infra.bench.filler import CASES_AT_MOST, Pattern
from infra.bench.ground import Ground, ScratchStore
from infra.bench.mix import lay_out, take_in
from infra.bench.options import Options
from infra.bench.outcome import Outcome
from infra.bench.settled import deliver, verified
from infra.memory import calmer
from infra.rebuilding import rebuild_all
from projections.catalogue import PROJECTIONS
from projections.receipts import Receipts

MILLION = 1_000_000
_JSONB = "received_by_name"


class ViewsDiffer(Exception):
    """The stock view has other rows than ours: what was compared was not the same work."""


def run(ground: Ground, options: Options) -> Outcome:
    """Each read model alone and all together on a filled log; the ceiling beside them; stock on the log of the year
    that it was filled with, because it is slow."""
    mix = lay_out(ground, "projections", min(options.cases, CASES_AT_MOST), options.seed)
    year = ground.store("year", mix.store)
    take_in(year, mix.submissions)
    deliver(year)
    store = ground.store("filled", mix.store)
    size = Pattern(year).fill(store, options.events)
    options.say(f"{size:,} events")
    alone = {projection.name: _seconds(store, projection.name) for projection in PROJECTIONS}
    together = _seconds(store, None)
    options.say(f"all together in {together:.1f} s, alone {', '.join(f'{n} {s:.1f} s' for n, s in alone.items())}")
    clean = verified(store, options)
    ceiling, shape = _ceiling(store, size)
    options.say(f"ceiling in {ceiling:.1f} s")
    stock = _stock(year)
    options.say(f"stock {stock:,.0f}/s")
    ours, most = size / alone[Receipts.name], size / ceiling
    return Outcome(
        name="projections",
        unit="events/s",
        ours=ours,
        stock=stock,
        ceiling=most,
        conditions=ground.conditions(seed=options.seed, cases=mix.cases, events=size, batch=BATCH),
        details={
            "alone": {name: round(size / seconds) for name, seconds in alone.items()},
            "together": {
                "events_per_s": round(size / together),
                "seconds": round(together, 2),
                "seconds_per_million": round(together / size * MILLION, 1),
            },
            "rows": shape,
            "verify": clean,
        },
        headline=(
            f"projections: receipt ledger rebuilt at {ours:,.0f} events/s ="
            f" {ours / stock:.1f} x stock ({stock:,.0f}/s), {ours / most:.2f} x ceiling ({most:,.0f}/s);"
            f" all read models together at {size / together:,.0f}/s, {size:,} events in {together:.0f} s"
        ),
    )


def _seconds(store: ScratchStore, name: str | None) -> float:
    """Of a rebuild as people start it: tables, fold, indexes, statistics, swap."""
    begun = time.perf_counter()
    rebuild_all(store, name, lambda _done, _total: None)
    return time.perf_counter() - begun


def _ceiling(store: ScratchStore, size: int) -> tuple[float, dict[str, int]]:
    """Seconds for reading the whole log by a binary cursor and copying our rows, which are at hand, into a like table
    with its indexes, committed batch by batch; and of how many rows."""
    names = _columns(store)
    with psycopg.connect(store.migrator_url) as conn, psycopg.connect(store.migrator_url) as other, calmer():
        rows = _rows(conn, names)
        tables, indexes = Receipts().ddl()
        conn.execute("CREATE SCHEMA ceiling; SET search_path TO ceiling")
        conn.execute(tables)
        conn.commit()
        types = ["bytea" if name == _JSONB else kind for name, kind in names.items()]
        target = sql.SQL("COPY receipts ({}) FROM STDIN (FORMAT binary)").format(_identifiers(names))
        done = read = 0
        begun = time.perf_counter()
        with other.cursor("log", binary=True) as log:
            log.execute(f"SELECT {COLUMNS} FROM shenguan.stored_events ORDER BY notification_id")
            while found := len(log.fetchmany(BATCH)):
                read += found
                upto = len(rows) * read // size
                with conn.cursor() as cursor, cursor.copy(target) as copy:
                    copy.set_types(types)
                    for row in rows[done:upto]:
                        copy.write_row(row)
                conn.commit()
                done = upto
        conn.execute(indexes)
        conn.commit()
        seconds = time.perf_counter() - begun
    return seconds, {"read": read, "copied": done}


def _columns(store: ScratchStore) -> dict[str, str]:
    """Of the receipt ledger, those that are not computed, with their types."""
    with psycopg.connect(store.migrator_url) as conn:
        rows: list[tuple[str, str]] = conn.execute(
            "SELECT column_name, udt_name FROM information_schema.columns WHERE table_schema = 'read'"
            " AND table_name = 'receipts' AND is_generated = 'NEVER' ORDER BY ordinal_position"
        ).fetchall()
    return dict(rows)


def _rows(conn: Connection[Any], names: Iterable[str]) -> list[tuple[Any, ...]]:
    """The ledger, jsonb as the bytes that COPY takes."""
    parts = [sql.SQL("jsonb_send({})" if name == _JSONB else "{}").format(sql.Identifier(name)) for name in names]
    query = sql.SQL("SELECT {} FROM read.receipts ORDER BY owed_position").format(sql.SQL(", ").join(parts))
    return conn.execute(query, binary=True).fetchall()


def _identifiers(names: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _stock(year: ScratchStore) -> float:
    """Events of the log a second, of which the library's runner, too, is given only the ledger's topics."""
    with psycopg.connect(year.migrator_url) as conn:
        row = conn.execute(
            "SELECT count(*), max(notification_id) FILTER (WHERE topic = ANY(%s)) FROM shenguan.stored_events",
            (sorted(Receipts.topics),),
        ).fetchone()
    assert row is not None
    begun = time.perf_counter()
    stock_view.follow(year.migrator_url, int(row[1]))
    seconds = time.perf_counter() - begun
    with psycopg.connect(year.migrator_url) as conn:
        differing = conn.execute(
            "SELECT (SELECT count(*) FROM (TABLE stock.receipts EXCEPT TABLE read.receipts) AS a)"
            " + (SELECT count(*) FROM (TABLE read.receipts EXCEPT TABLE stock.receipts) AS b)"
        ).fetchone()
    if differing != (0,):
        raise ViewsDiffer(differing)
    return int(row[0]) / seconds

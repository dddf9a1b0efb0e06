"""`intake`: the generator's mix from Kafka into PostgreSQL, in submissions a second."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import closing
from statistics import median
from typing import Any

from adapters.kafka.records import RawRecord, from_client
from adapters.postgres.log import Log
from domain.registers import Registers
from infra.bench.ceiling import Rows, copied_rows, pour
from infra.bench.ground import Ground
from infra.bench.mix import Mix, Stalled, consumer_at, lay_out
from infra.bench.options import Options
from infra.bench.outcome import Outcome
from infra.bench.pace import Pace
from infra.bench.settled import verified
from infra.bench.stock import StockApplication
from infra.bench.taking import taken_in_apart
from infra.roles.decoding import Decoder
from infra.store import Store

EMPTY_POLLS = 50
STOCK = 5_000
"""Submissions that the stock application takes: it is slow."""


def run(ground: Ground, options: Options) -> Outcome:
    """Ours, stock and ceiling take turns on databases of their own; the medians of the rounds are told."""
    mix = lay_out(ground, "intake", options.cases, options.seed)
    rates: dict[str, list[float]] = {"ours": [], "stock": [], "ceiling": []}
    shape: dict[str, int] = {}
    memory: dict[str, float] = {}
    found: dict[str, Any] = {}
    for number in range(options.rounds):
        ours = ground.store(f"ours_{number}", mix.store)
        taken = taken_in_apart(ours, mix.submissions)
        rates["ours"].append(taken.rate)
        memory = taken.memory
        rows = copied_rows(ours, mix.store)
        shape = {table: len(found) for table, found in rows.items()}
        rates["stock"].append(stock_rate(ground.store(f"stock_{number}", mix.store), min(STOCK, mix.submissions)))
        rates["ceiling"].append(_ceiling_rate(ground.store(f"ceiling_{number}", mix.store), mix, rows))
        del rows
        options.say(
            f"round {number + 1} of {options.rounds}: "
            + ", ".join(f"{name} {found[-1]:,.0f}/s" for name, found in rates.items())
        )
        found = verified(ours, options)
    ours_rate, stock, ceiling_rate = (median(rates[name]) for name in ("ours", "stock", "ceiling"))
    return Outcome(
        name="intake",
        unit="submissions/s",
        ours=ours_rate,
        stock=stock,
        ceiling=ceiling_rate,
        conditions=ground.conditions(
            seed=options.seed,
            cases=options.cases,
            submissions=mix.submissions,
            submissions_of_stock=min(STOCK, mix.submissions),
            rounds=options.rounds,
            batch=ground.settings.batch_max_records,
        ),
        details={
            "rows": shape,
            "rates": {name: [round(r) for r in found] for name, found in rates.items()},
            "memory_mib": memory,
            "verify": found,
        },
        headline=(
            f"intake: {ours_rate:,.0f} submissions/s = {ours_rate / stock:.1f} x stock ({stock:,.0f}/s),"
            f" {ours_rate / ceiling_rate:.2f} x ceiling ({ceiling_rate:,.0f}/s)"
        ),
    )


def stock_rate(store: Store, wanted: int) -> float:
    """The stock application in its own tables beside the store's, on the first submissions, decoded as ours are."""
    registers = Registers()
    with store.connect() as conn:
        Log(conn).refresh(registers, 0)
    decoder = Decoder(store.names, store.sealer(), store.auth)
    pace = Pace()
    with closing(StockApplication(store.migrator_url, registers)) as app:
        for records, ids in _batches(store, wanted):
            for arrival in decoder.decode(records, ids):
                app.take(arrival)
            pace.committed(len(records))
    gc.collect()
    return pace.rate


def _ceiling_rate(store: Store, mix: Mix, rows: Rows) -> float:
    """Consuming, and for each batch its share of the rows."""
    pace = Pace()
    with pour(store, rows, mix.submissions) as put:
        for records, _ in _batches(store, mix.submissions):
            put(len(records))
            pace.committed(len(records))
    return pace.rate


def _batches(store: Store, wanted: int) -> Iterator[tuple[list[RawRecord], dict[str, str]]]:
    """Records as a plain consumer hands them out. Raises Stalled where they do not come."""
    consumer, ids = consumer_at(store)
    most = store.settings.batch_max_records
    empty = 0
    try:
        while wanted > 0:
            polled: dict[Any, list[Any]] = consumer.poll(timeout_ms=200, max_records=min(most, wanted))
            records = [from_client(record) for found in polled.values() for record in found]
            empty = 0 if records else empty + 1
            if empty > EMPTY_POLLS:
                raise Stalled(f"{wanted} records missing")
            if records:
                wanted -= len(records)
                yield records, ids
    finally:
        consumer.close(autocommit=False)

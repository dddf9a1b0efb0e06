"""What was found, for people: lines on the terminal, and the page docs/performance.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from infra.bench.outcome import Outcome

_LABELS = {
    "intake": ("ours", "stock: one `save` per submission", "ceiling: consume + COPY of the same rows, unchecked"),
    "projections": (
        "ours: the receipt ledger rebuilt",
        "stock: the library's ProjectionRunner",
        "ceiling: binary cursor + COPY of the same rows",
    ),
    "latency": ("ours", "bare hop", "bare hop"),
    "growth": ("ours at the largest log", "stock at the same size", "ours at the smallest log"),
}
_INTRODUCTION = """# Performance

Written by `shenguan bench --write`; do not edit. Machines are noisy: read the ratios, which compare figures of one run
on the same servers and the same data, not the figures.

- **intake**: the generator's mix (every scenario at least 1 %: disorder, refusals and bad rows too) from the intake
  topics into PostgreSQL by the intake role, every guarantee on. *Stock*: a plain `eventsourcing` application (its own
  tables on the same server, JSONTranscoder, `@event` aggregates), the same decoded submissions, the same decisions and
  events, one `save` for each. In its favour it keeps duplicates, parked submissions, registers and serials in memory
  and moves no Kafka positions. *Ceiling*: kafka-python consumes and COPY writes the very rows that ours wrote. The
  clock of each runs from its first commit to its last.
- **projections**: the receipt ledger rebuilt from a filled log, as `shenguan projections rebuild` does it (tables,
  fold, indexes, statistics, swap), in events of the log a second, be they the ledger's or not. *Stock*: the library's
  `ProjectionRunner` with a view of the same columns and indexes, subscribed to the ledger's topics only, one
  transaction for each event, on the log of a year; the rows are compared with ours. *Ceiling*: a binary cursor reads
  every row of the log, COPY writes the very rows of the ledger, then its indexes; nothing is decoded or folded.
  *Together*: all read models in one rebuild.
- **latency**: a decision sent → each of its notices read by an independent consumer at the department's topic, all
  roles in one process as in `shenguan up`; sender and consumer are a process of their own. *Bare hop*: the same records
  at the same pace, consumed, one row INSERTed and committed, produced, consumed.
- **growth**: intake, stock, latency and the hot queries on a log filled with clones of real streams (how, and what is
  not real about it: `infra/bench/filler.py`).

To reproduce: `make bench`, or `shenguan bench [intake|projections|latency|growth] [--cases N] [--events N] [--large]
[--json]`, with `SHENGUAN_DATABASE_URL`, `SHENGUAN_MIGRATOR_URL` (a role that may create databases) and
`SHENGUAN_KAFKA_BOOTSTRAP_SERVERS` for servers of your own. It works in `SHENGUAN_DATA_DIR`/bench, which it removes.
"""


def lines(outcome: Outcome) -> list[str]:
    """The outcome on the terminal; the headline comes last."""
    ours, stock, ceiling = _LABELS[outcome.name]
    found = [f"== {outcome.name} ({outcome.unit}) =="]
    found += [
        f"  {label:<55} {value:>12,.1f}  {'' if ratio is None else f'ours / this = {ratio}'}".rstrip()
        for label, value, ratio in (
            (ours, outcome.ours, None),
            (stock, outcome.stock, outcome.ratio_stock),
            (ceiling, outcome.ceiling, outcome.ratio_ceiling),
        )
        if value is not None
    ]
    found += [f"  {name}: {_flat(value)}" for name, value in _rows(outcome.details)]
    found.append("  " + ", ".join(f"{name} {value}" for name, value in outcome.conditions.items()))
    return [*found, outcome.headline]


def page(outcomes: Sequence[Outcome]) -> str:
    """The whole of docs/performance.md."""
    parts = [_INTRODUCTION]
    for outcome in outcomes:
        ours, stock, ceiling = _LABELS[outcome.name]
        parts.append(f"## {outcome.name}\n\n{outcome.headline}\n")
        parts.append(f"| {outcome.unit} | figure | ours / this |\n| --- | ---: | ---: |")
        parts.append(f"| {ours} | {outcome.ours:,.1f} | |")
        if outcome.stock is not None:
            parts.append(f"| {stock} | {outcome.stock:,.1f} | {outcome.ratio_stock} |")
        if outcome.ceiling is not None:
            parts.append(f"| {ceiling} | {outcome.ceiling:,.1f} | {outcome.ratio_ceiling} |")
        parts.append("\n| detail | |\n| --- | --- |")
        parts += [f"| {name} | {_flat(value)} |" for name, value in _rows(outcome.details)]
        parts.append(
            "\nConditions: " + ", ".join(f"{name} {value}" for name, value in outcome.conditions.items()) + ".\n"
        )
    return "\n".join(parts)


def _rows(details: dict[str, Any], above: str = "") -> list[tuple[str, Any]]:
    """Nested dictionaries as dotted names; the innermost ones stay together."""
    found: list[tuple[str, Any]] = []
    for name, value in details.items():
        if isinstance(value, dict) and any(isinstance(one, dict) for one in value.values()):
            found += _rows(value, f"{above}{name} · ")
        else:
            found.append((above + name, value))
    return found


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {one}" for name, one in value.items())
    return str(value)

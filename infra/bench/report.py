"""What was found, for people: lines on the terminal, and the page docs/performance.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from infra.bench.outcome import Outcome

_LABELS = {
    "intake": ("ours", "stock: one `save` per submission", "ceiling: consume + COPY of the same rows, unchecked"),
    "projections": ("ours", "stock: the library's runner", "ceiling: binary cursor + COPY of the same rows"),
    "latency": ("ours", "stock", "ceiling: bare hop"),
    "proofs": ("intake with proofs, as fast as it goes", "stock", "intake without proofs"),
    "growth": ("ours at the largest log", "stock at the same size", "ours at the smallest log"),
    "queries": ("ours: the slowest hot query", "stock", "ceiling: an empty round trip (SELECT 1)"),
    "doors": ("ours: the slowest page or answer", "stock", "ceiling: the shortest answer (/healthz)"),
    "stores": ("ours: two stores together", "one store, one worker", "twice one store"),
}
_INTRODUCTION = """# Performance

Written by `shenguan bench --write`, from `performance.json` beside it; do not edit. Machines are noisy: read the
ratios, which compare figures of one run on the same servers and the same data, not the figures. After every benchmark
`shenguan verify` has read every store that it filled or wrote to and found nothing wrong; else there is no result.

- **intake**: the generator's mix (every scenario at least 1 %: disorder, refusals and bad rows too) from the intake
  topics into PostgreSQL by the intake role, every guarantee on. *Stock*: a plain `eventsourcing` application (its own
  tables on the same server, JSONTranscoder, `@event` aggregates), the same decoded submissions, the same decisions and
  events, one `save` for each, on the first of the submissions: it is slow. In its favour it keeps duplicates, parked
  submissions, registers and serials in memory and moves no Kafka positions. *Ceiling*: kafka-python consumes and COPY
  writes the very rows that ours wrote. The clock of each runs from its first commit to its last. *Memory*: resident,
  of ours with the process that reads for it, over the first and the last third of the run.
- **projections**: the receipt ledger rebuilt from a filled log, as `shenguan projections rebuild` does it (tables,
  fold, indexes, statistics, swap), in events of the log a second, be they the ledger's or not. *Stock*: the library's
  `ProjectionRunner` with a view of the same columns and indexes, subscribed to the ledger's topics only, one
  transaction for each event, on the log of a year; the rows are compared with ours. *Ceiling*: a binary cursor reads
  every row of the log, COPY writes the very rows of the ledger, then its indexes; nothing is decoded or folded.
  *Together*: all read models in one rebuild.
- **latency**: a decision sent → each of its notices read by an independent consumer at the department's topic, the
  roles in processes of their own as in `shenguan up`; sender and consumer are a process of their own. The clock of each
  answer begins when its decision is handed to the producer; `sender` tells the pace that was really kept and by how
  much the sending lagged behind the schedule. *Bare hop*: the same records at the same pace, consumed, one row INSERTed
  and committed, produced, consumed.
- **proofs**: the same year taken in by `shenguan role intake` without and with `shenguan role prover` beside it. *At a
  pace*: a sender in a process of its own hands it to the producer evenly; the rate is that at which it is committed,
  from the beginning of sending to the last event. *Ready*: from an event's `recorded_at` to the moment at which an
  onlooker is told, after the commit, of the first checkpoint that has it. *As fast as it goes*: the year lies in Kafka;
  the medians of the rounds, which take turns; *signed*: every submission by its sender, without proofs. *Hash path*:
  on a log of `--events` events one process reads every event, makes its leaf, hashes it and compares it with the tiles,
  as `verify` does, in events a second; and the same of all that `verify` checks of proofs.
- **growth**: on a log filled with clones of real streams (how: `infra/bench/filler.py`) the first half of a year is
  taken in by an intake alone (the rate), the second half beside a projector in a process of its own: the lag is the
  time from intake's last commit to that projector's. Then latency, the hot queries, and what everything occupies.
- **queries**: the hot queries, each by the function that the product calls. `tests/integration/test_query_plans.py`
  fails when one of them loses its index.
- **doors**: a generated year is taken in as if it had come over 200 days, its notices dispatched and delivered all the
  while, until the log has about `--events` events; with intake, outlet, projector and API in processes of their own
  each page and answer is then asked for 60 times over one connection, of another case, department or day each time
  where it has any, and they take turns: milliseconds until the whole answer is there. *Live*: 200 subscribers of
  departments' streams, from handing a decision to the producer until each of them has its notice.
- **stores**: 1 and 2 workers of one store (processes of `shenguan role intake` in one consumer group), and 2 stores
  with a worker each, databases on the same server. With the year in Kafka they are held at the writer's lock until
  all of them have read (`ready`: how many had, after 20 s at most); the clock runs from its release to the last commit.
  4 workers and 4 stores are there to be right: every disposition and notice as the year's truth says.

To reproduce: `make bench`, or `shenguan bench [NAME] [--cases N] [--large] [--json] [--write]`, with
`SHENGUAN_DATABASE_URL`, `SHENGUAN_MIGRATOR_URL` (a role that may create databases) and
`SHENGUAN_KAFKA_BOOTSTRAP_SERVERS` for servers of your own. It works in `SHENGUAN_DATA_DIR`/bench, which it removes.
With `--write` the sections of other benchmarks stay. `--no-verify` is for quick tries. The whole takes about an hour
on two cores, most of it `verify` of the large logs; `--cases 500 --sizes 20000,50000 --seconds 2` some minutes.
"""


def lines(outcome: Outcome) -> list[str]:
    """The outcome on the terminal; the headline comes last."""
    ours, stock, ceiling = _LABELS.get(outcome.name, ("ours", "stock", "ceiling"))
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


def keep(outcome: Outcome, kept: Path, written: Path) -> None:
    """Puts the outcome with those of other benchmarks, and writes the page anew."""
    found = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    found[outcome.name] = outcome.as_dict()
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    order = [*(name for name in _LABELS if name in found), *sorted(found.keys() - _LABELS.keys())]
    written.write_text(page([Outcome.from_dict(found[name]) for name in order]), encoding="utf-8")


def page(outcomes: Sequence[Outcome]) -> str:
    """The whole of docs/performance.md."""
    parts = [_INTRODUCTION]
    for outcome in outcomes:
        ours, stock, ceiling = _LABELS.get(outcome.name, ("ours", "stock", "ceiling"))
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

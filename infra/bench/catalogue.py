"""All benchmarks by name, in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable

from infra.bench import doors, growth, intake, latency, projections, proofs, queries, stores
from infra.bench.ground import Ground
from infra.bench.options import Options
from infra.bench.outcome import Outcome

BENCHES: dict[str, Callable[[Ground, Options], Outcome]] = {
    "intake": intake.run,
    "projections": projections.run,
    "latency": latency.run,
    "proofs": proofs.run,
    "growth": growth.run,
    "queries": queries.run,
    "stores": stores.run,
    "doors": doors.run,
}

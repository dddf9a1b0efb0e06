"""A store to look at: a generated year, in a store of embedded servers that has not begun."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing

from infra import feeding, founding
from infra.generator.year import generate
from infra.store import Store

SEED = 2020
PATIENCE_S = 600.0


def begin(store: Store, cases: int, say: Callable[[str], None]) -> threading.Thread | None:
    """Founds the store, and hands the year in once there is an intake; None where the store has begun."""
    out = store.settings.data_dir / "sample"
    with closing(store.connect()) as conn:
        if conn.execute("SELECT 1 FROM shenguan.stored_events LIMIT 1").fetchone() is not None:
            return None
    generate(cases, SEED, out)
    founding.found(store, founding.read(out / "founding.json"))
    thread = threading.Thread(target=feeding.feed_year, args=(store, out, say, PATIENCE_S), name="sample", daemon=True)
    thread.start()
    return thread

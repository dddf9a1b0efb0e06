"""A store to look at: a generated year, in a store of embedded servers that has not begun."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from domain.departments import RegisterDepartment
from domain.submissions import full_type
from infra import feeding, founding
from infra.generator import feed
from infra.generator.year import generate
from infra.store import Store

SEED = 2020
PATIENCE_S = 600.0
INSPECTION = "150000-JW"
_ENTERED = full_type(RegisterDepartment.TYPE)


def begin(store: Store, cases: int, say: Callable[[str], None]) -> threading.Thread | None:
    """Founds the store, and hands the year in once there is an intake; None where the store has begun."""
    out = store.settings.data_dir / "sample"
    with closing(store.connect()) as conn:
        if conn.execute("SELECT 1 FROM shenguan.stored_events LIMIT 1").fetchone() is not None:
            return None
    with_inspectors(cases, SEED, out)
    founding.found(store, founding.read(out / "founding.json"))
    thread = threading.Thread(target=feeding.feed_year, args=(store, out, say, PATIENCE_S), name="sample", daemon=True)
    thread.start()
    return thread


def with_inspectors(cases: int, seed: int, out: Path, *, rare: bool = True) -> None:
    """Generates a year into `out`. The generated region has no discipline inspection 纪检监察, for it hands nothing in;
    here one may look on."""
    generate(cases, seed, out, rare=rare)
    registers = out / feed.FILES[0]
    lines = registers.read_text(encoding="utf-8").splitlines()
    entered = next(line for line in map(json.loads, lines) if line["attributes"]["type"] == _ENTERED)
    entered["attributes"]["id"] = f"register.{INSPECTION}"
    entered["key"] = INSPECTION
    entered["data"]["entry"] = {
        "code": INSPECTION,
        "name": "内蒙古自治区纪律检查委员会监察委员会",
        "roles": ["DISCIPLINE"],
        "region": "150000",
        "valid_from": entered["data"]["entry"]["valid_from"],
    }
    registers.write_text("\n".join([*lines, json.dumps(entered, ensure_ascii=False)]) + "\n", encoding="utf-8")

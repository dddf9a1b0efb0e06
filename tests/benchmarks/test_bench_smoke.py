"""Every benchmark runs and says what it must. Never how fast: that is for `make bench` on a quiet machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

KEYS = {"ours", "stock", "ceiling", "ratio_stock", "ratio_ceiling", "conditions"}
CONDITIONS = {"cpu", "cores", "memory_gib", "postgres_version", "postgres_fsync", "broker", "seed"}


def bench(server_dir: Path, *arguments: str) -> list[str]:
    """The lines on standard output; a directory that PostgreSQL's account can reach."""
    data = server_dir / f"bench-{arguments[0]}"
    settings = {name: value for name, value in os.environ.items() if not name.startswith("SHENGUAN_")}
    done = subprocess.run(
        [sys.executable, "-c", "from infra.main import main; main()", "bench", *arguments],
        env={**settings, "SHENGUAN_DATA_DIR": str(data)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert not (data / "bench").exists()
    return done.stdout.splitlines()


def outcome(server_dir: Path, name: str, *arguments: str) -> dict[str, Any]:
    [line] = bench(server_dir, name, "--json", *arguments)
    found: dict[str, Any] = json.loads(line)
    assert found.keys() >= KEYS
    assert found["conditions"].keys() >= CONDITIONS
    assert found["name"] == name
    assert found["ours"] > 0
    assert found["stock"] > 0
    assert found["ratio_stock"] == pytest.approx(found["ours"] / found["stock"], abs=0.01)
    assert found["headline"].startswith(f"{name}: ")
    return found


def test_intake(server_dir: Path) -> None:
    found = outcome(server_dir, "intake", "--cases", "5", "--rounds", "1")
    assert found["details"]["rows"]["shenguan.submission"] == found["conditions"]["submissions"]


def test_projections(server_dir: Path) -> None:
    found = outcome(server_dir, "projections", "--cases", "10", "--events", "3000")
    details = found["details"]
    assert found["conditions"]["events"] == details["rows"]["read"] >= 3000
    assert details["rows"]["copied"] > 0
    assert details["alone"].keys() == {"approvals", "attempts", "receipts", "two_way"}
    assert details["together"].keys() == {"events_per_s", "seconds", "seconds_per_million"}


def test_latency(server_dir: Path) -> None:
    found = outcome(server_dir, "latency", "--seconds", "0.2")
    for rate in ("10/s", "100/s"):
        for side in ("ours", "bare"):
            assert found["details"][rate][side].keys() == {"p50", "p99", "p99.9", "n"}


def test_growth(server_dir: Path) -> None:
    found = outcome(server_dir, "growth", "--cases", "20", "--sizes", "3000,6000", "--seconds", "0.2")
    assert all(one["events"] >= int(size.replace(",", "")) for size, one in found["details"]["sizes"].items())
    assert "stream of a case" in found["details"]["p99_ratio_of_queries"]


def test_the_headline_comes_last(server_dir: Path) -> None:
    lines = bench(server_dir, "latency", "--seconds", "0.1")
    assert lines[-1].startswith("latency: decision → notice at 10/s p50")


def test_a_filled_log_reads_as_the_one_it_was_cloned_from(server_dir: Path) -> None:
    from adapters.postgres.follower import catch_up
    from adapters.postgres.log import Log
    from infra.bench.filler import Pattern
    from infra.bench.ground import open_ground
    from infra.bench.mix import lay_out, take_in
    from infra.settings import Settings
    from projections.catalogue import PROJECTIONS

    with open_ground(Settings(data_dir=server_dir / "bench-filler")) as ground:
        mix = lay_out(ground, "year", 10, 1)
        original = ground.store("original", mix.store)
        take_in(original, mix.submissions)
        with original.connect() as conn:
            catch_up(conn, PROJECTIONS)
            kinds = [type(one.event) for one in Log(conn).all() if one.event.originator_id.startswith("case/")]
        filled = ground.store("filled", mix.store)
        pattern = Pattern(original)
        pattern.fill(filled, 2500)
        with filled.connect() as conn:
            events = [one.event for one in Log(conn).all() if one.event.originator_id.startswith("case/")]
            row = conn.execute("SELECT count(*), count(DISTINCT stream) FROM read.approvals").fetchone()
            streams = {event.originator_id for event in events}
            assert row == (len(streams), len(streams))
            assert Log(conn).streams(streams).keys() == streams
        clones = len(events) // len(kinds)
        assert clones > 1
        assert sorted(map(str, kinds * clones)) == sorted(str(type(event)) for event in events)
        assert {event.originator_version for event in events} >= {1, 2}

"""Every benchmark runs and says what it must. Never how fast: that is for `make bench` on a quiet machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from adapters.postgres.log import Log
from infra.bench.filler import Pattern
from infra.bench.ground import open_ground
from infra.bench.mix import lay_out, take_in
from infra.bench.options import Options
from infra.bench.outcome import Outcome
from infra.bench.report import keep
from infra.bench.settled import Unclean, follow, verified
from infra.settings import Settings
from infra.verify import verify
from projections.catalogue import PROJECTIONS

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


def outcome(server_dir: Path, name: str, *arguments: str, stock: bool = True) -> dict[str, Any]:
    [line] = bench(server_dir, name, "--json", *arguments)
    found: dict[str, Any] = json.loads(line)
    assert found.keys() >= KEYS
    assert found["conditions"].keys() >= CONDITIONS
    assert found["name"] == name
    assert found["ours"] > 0
    for other in ("stock", "ceiling") if stock else ("ceiling",):
        assert found[other] > 0
        assert found[f"ratio_{other}"] == pytest.approx(found["ours"] / found[other], abs=0.01)
    assert (found["stock"] is None) is not stock
    assert found["headline"].startswith(f"{name}: ")
    return found


def clean(verdict: dict[str, Any]) -> bool:
    return bool(verdict["events"] > 0 and verdict["problems"] == 0)


def test_intake(server_dir: Path) -> None:
    found = outcome(server_dir, "intake", "--cases", "5", "--rounds", "1")
    assert found["details"]["rows"]["shenguan.submission"] == found["conditions"]["submissions"]
    assert found["details"]["memory_mib"].keys() == {"first_third", "last_third", "ratio"}
    assert clean(found["details"]["verify"])


def test_doors(server_dir: Path) -> None:
    found = outcome(server_dir, "doors", "--events", "500", stock=False)
    details = found["details"]
    assert found["conditions"]["events"] > 400
    assert found["ours"] == max(page["p95"] for page in details["pages"].values())
    assert {page["n"] for page in details["pages"].values()} == {found["conditions"]["asked"]}
    assert details["live"]["n"] >= found["conditions"]["subscribers"]
    assert clean(details["verify"])


def test_projections(server_dir: Path) -> None:
    found = outcome(server_dir, "projections", "--cases", "10", "--events", "3000")
    details = found["details"]
    assert found["conditions"]["events"] == details["rows"]["read"] >= 3000
    assert details["rows"]["copied"] > 0
    assert details["alone"].keys() == {projection.name for projection in PROJECTIONS}
    assert details["together"].keys() == {"events_per_s", "seconds", "seconds_per_million"}


def test_latency(server_dir: Path) -> None:
    found = outcome(server_dir, "latency", "--seconds", "0.2", "--rates", "10,100,200", stock=False)
    for rate in ("10/s", "100/s", "200/s"):
        for side in ("ours", "bare"):
            assert found["details"][rate][side].keys() == {"p50", "p99", "p99.9", "n"}
            assert found["details"][rate]["sender"][side]["rate"] > 0
    assert found["ours"] == found["details"]["100/s"]["ours"]["p99"]
    assert found["ceiling"] == found["details"]["100/s"]["bare"]["p99"]
    assert clean(found["details"]["verify"])


def test_proofs(server_dir: Path) -> None:
    found = outcome(server_dir, "proofs", "--cases", "20", "--events", "2000", "--rounds", "1", stock=False)
    details = found["details"]
    for pace in ("750/s", "3000/s"):
        one = details["at a pace"][pace]
        assert all(one[name]["rate"] > 0 for name in ("without", "with"))
        assert one["with"]["ready"].keys() == {"p50", "p99", "p99.9", "n"}
        assert one["with"]["ready"]["n"] > 0
        assert clean(one["verify"])
    assert found["ours"] == details["as fast as it goes"]["with"][0]
    assert details["hash path"]["events"] == found["conditions"]["events"] >= 2000


def test_growth(server_dir: Path) -> None:
    found = outcome(server_dir, "growth", "--cases", "20", "--sizes", "3000,6000", "--seconds", "0.2")
    for size, one in found["details"]["sizes"].items():
        assert one["events"] >= int(size.replace(",", ""))
        assert one["projection_lag"].keys() == {"ms", "events", "intake"}
        assert one["space"]["bytes_per_event"] > 0
        assert clean(one["verify"])
    assert "stream of a case" in found["details"]["p99_ratio_of_queries"]


def test_queries(server_dir: Path) -> None:
    found = outcome(server_dir, "queries", "--cases", "20", "--sizes", "3000", stock=False)
    assert found["conditions"]["events"] >= 3000
    assert found["ours"] == max(one["p99"] for one in found["details"]["queries"].values())
    assert clean(found["details"]["verify"])


def test_stores(server_dir: Path) -> None:
    found = outcome(server_dir, "stores", "--cases", "5", "--most", "2")
    assert found["details"].keys() == {"1 worker", "2 workers", "2 stores"}
    for one in found["details"].values():
        assert one["rate"] > 0
        assert len(one["verify"]) == one["stores"]
        assert all(map(clean, one["verify"]))


def test_the_headline_comes_last(server_dir: Path) -> None:
    lines = bench(server_dir, "latency", "--seconds", "0.1", "--rates", "10", "--no-verify")
    assert lines[-1].startswith("latency: decision → notice at 10/s p50")


def test_what_other_benchmarks_found_stays_on_the_page(tmp_path: Path) -> None:
    page, kept = tmp_path / "docs" / "page.md", tmp_path / "docs" / "page.json"
    for name, ours in (("growth", 1.0), ("intake", 2.0), ("growth", 3.0), ("other", 4.0)):
        keep(Outcome(name, "things/s", ours, 1.0, None, {"seed": 1}, f"{name}: {ours}", {"a": {"b": 1}}), kept, page)
    text = page.read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if line.startswith("## ")] == ["## intake", "## growth", "## other"]
    assert "growth: 3.0" in text
    assert "growth: 1.0" not in text


def test_a_store_that_is_not_clean_ends_the_benchmark(server_dir: Path) -> None:
    with open_ground(Settings(data_dir=server_dir / "bench-unclean")) as ground:
        mix = lay_out(ground, "year", 3, 1)
        options = Options(say=lambda _: None)
        assert verified(mix.store, options)["problems"] == 0
        with psycopg.connect(mix.store.migrator_url) as conn:
            conn.execute("DELETE FROM vault.subject_key")
        with pytest.raises(Unclean, match="no key of the subject"):
            verified(mix.store, options)
        assert verified(mix.store, replace(options, verify=False)) == {}


def test_a_filled_log_is_one_that_verify_finds_clean(server_dir: Path) -> None:
    """Whole streams in other numbers, gapless ledgers, everything delivered; and then the year itself comes on top."""
    with open_ground(Settings(data_dir=server_dir / "bench-filler")) as ground:
        mix = lay_out(ground, "year", 20, 1)
        filled = ground.store("filled", mix.store)
        pattern = Pattern.of_year(ground, mix)
        with mix.store.connect() as conn:
            registers = sum(1 for _ in Log(conn).all())
        events = pattern.fill(filled, registers + 3 * pattern.events - 5)
        assert events == registers + 3 * pattern.events
        verdict = verify(filled)
        assert (verdict.problems, set(verdict.behind), verdict.events) == ([], {"proofs"}, events)  # by filling alone
        follow(filled)
        verdict = verify(filled)
        assert (verdict.problems, verdict.behind, verdict.events) == ([], {}, events)
        with filled.connect() as conn:
            log = [one.event for one in Log(conn).all()]
            kinds = Counter(event.TOPIC for event in log if event.originator_id.startswith(("case/", "notice/")))
            assert kinds["case.decided"] > 0
            assert kinds["notice.delivered"] > 0
            assert all(count % 3 == 0 for count in kinds.values())
            streams = {event.originator_id for event in log if event.originator_id.startswith("case/")}
            row = conn.execute("SELECT count(*), count(DISTINCT stream) FROM read.approvals").fetchone()
            assert row == (len(streams), len(streams))
            assert conn.execute("SELECT count(*) FROM shenguan.delivery WHERE delivered_at IS NULL").fetchone() == (0,)
            serials = conn.execute(
                "SELECT count(*) FROM (SELECT max(serial) AS last, count(*) AS n FROM read.receipts"
                " GROUP BY department) AS l WHERE last <> n"
            ).fetchone()
            assert serials == (0,)
        assert take_in(filled, mix.submissions).total >= mix.submissions
        follow(filled)
        verdict = verify(filled)
        assert (verdict.problems, verdict.behind) == ([], {})

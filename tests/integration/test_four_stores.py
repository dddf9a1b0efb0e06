"""A year of Inner Mongolia in four stores: the region's registers, and its leagues' cases in three of their own.

All kinds of events come of it, a store's own and those of one that follows another.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from psycopg import Connection

from adapters.postgres.follower import position_of
from adapters.postgres.log import Log
from domain.catalogue import EVENT_TYPES
from domain.recheck import Recheck
from domain.registers import MASTERED_TOPICS
from infra import feeding, founding
from infra.answers import log_readings
from infra.generator import feed, names, truth
from infra.generator.year import generate
from infra.region_answer import added, by_store
from infra.roles.supervisor import Crew
from infra.topics import apply_topics
from infra.verify import verify
from projections.catalogue import PROJECTIONS
from projections.region import figures
from tests.integration.outlet_kit import TrackedStore, store_for, until
from tests.integration.teststore import MASTER, TestStore

CASES, SEED, LEAGUES = 120, 7, 3
ROLES = ("intake", "projector", "publisher", "clock", "registrar", "region")
REGISTRATIONS = re.compile(r"cn\.shenguan\.(\w+\.register|matter\.\w+|department\.succeed|register\.\w+)\.v1")
ELSEWHERE = {"deadletter.retried", "erasure.ordered", "notice.delivered", "notice.given_up", "read.recorded"}
"""Nobody retries here, nothing is sent but letters, nobody is erased, and no inspector asks."""
BY_TIME = {"clock.reminded", "clock.escalated", "clock.recomputed", "notice.deemed", "case.expired"}
"""What depends on the day on which the test runs."""


def lines_of(path: Path, name: str) -> list[dict[str, Any]]:
    file = path / name
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def split(out: Path, into: list[Path]) -> None:
    """Registrations to the first store, and what no league's department says; everything else to the store of its
    case's league."""
    region, *leagues = into
    codes = sorted(league.code for league in names.LEAGUES)
    home = {code: leagues[at % len(leagues)] for at, code in enumerate(codes)}
    for path in into:
        path.mkdir()
    for name in feed.FILES:
        lines = lines_of(out, name)
        of_key: dict[str, Path] = {}
        for line in lines:
            speaker = line.get("data", {}).get("department") or line["principal"].partition("-")[2]
            if (league := speaker.partition("-")[0]) in home:
                of_key.setdefault(line["key"], home[league])
        parts: dict[Path, list[dict[str, Any]]] = {path: [] for path in into}
        for line in lines:
            registration = REGISTRATIONS.fullmatch(line.get("attributes", {}).get("type", ""))
            parts[region if registration else of_key.get(line["key"], region)].append(line)
        for path, some in parts.items():
            text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in some)
            (path / name).write_text(text, encoding="utf-8")


def registers_of(store: TrackedStore) -> Counter[tuple[str, int, bytes]]:
    with store.connect() as conn:
        rows = conn.execute(
            "SELECT originator_id, originator_version, state FROM shenguan.stored_events WHERE topic = ANY(%s)",
            (list(MASTERED_TOPICS),),
        ).fetchall()
    return Counter(rows)


def head(store: TrackedStore) -> int:
    with store.connect() as conn:
        return Log(conn).head()


def settled(store: TrackedStore) -> bool:
    """The read models are at the end of the log."""
    with store.connect() as conn:
        return all(position_of(conn, projection.name) == Log(conn).head() for projection in PROJECTIONS)


def topics_of(store: TrackedStore) -> set[str]:
    with store.connect() as conn:
        return {row[0] for row in conn.execute("SELECT DISTINCT topic FROM shenguan.stored_events")}


def contents(store: TrackedStore) -> tuple[list[Any], list[Any]]:
    """Dispositions and notices, as the truth file has them."""
    recheck = Recheck()
    with store.connect() as conn:
        rows = conn.execute("SELECT principal, source, id, disposition FROM shenguan.submission").fetchall()
        for recorded in Log(conn).all():
            assert list(recheck.take(recorded)) == []
    return rows, [(o.notice, o.addressee, o.about, final) for o, final in recheck.final().values()]


def test_a_year_in_four_stores_is_the_year_in_one(
    stores: Callable[..., TestStore], bootstrap: str, tmp_path: Path
) -> None:
    out = tmp_path / "year"
    generate(CASES, SEED, out)
    parts = [tmp_path / f"part{n}" for n in range(LEAGUES + 1)]
    split(out, parts)
    with ExitStack() as stack:

        def opened(path: Path, **more: Any) -> TrackedStore:
            store = store_for(stores(), MASTER, bootstrap, path, partitions=1, **more)
            stack.callback(store.close)
            return store

        master = opened(parts[0])
        leagues = [opened(path, registers_from=master.settings.store) for path in parts[1:]]
        all_stores = [master, *leagues]
        region_stores = tuple(store.settings.store for store in all_stores)
        master.settings = master.settings.model_copy(update={"region_stores": region_stores})
        founding.found(master, founding.read(out / "founding.json"))
        with ExitStack() as crews:
            for store in all_stores:
                crews.enter_context(Crew(store, ROLES))
            feeding.feed_year(master, parts[0], lambda _: None)
            for store in leagues:
                until(lambda store=store: registers_of(store) == registers_of(master), 120)
                apply_topics(store)
            for name in feed.FILES:
                for store, path in zip(leagues, parts[1:], strict=True):
                    expected = feeding.taken_in(store) + feeding.send(store, path, [name])
                    until(lambda store=store, expected=expected: feeding.taken_in(store) == expected, 240)
            for store in all_stores:
                until(lambda store=store: feeding.uncarried(store) == 0, 60)
                until(lambda store=store: settled(store), 60)
            with master.connect() as conn:
                until(lambda: {r["store"]: r["position"] for r in log_readings(conn, "region")}
                      == {store.settings.store: head(store) for store in all_stores}, 60)  # fmt: skip
                figures_of = {row["store"]: row for row in by_store_of(conn)}
        dispositions, notices = [], []
        for store in all_stores:
            assert verify(store).problems == []
            rows, owed = contents(store)
            dispositions += rows
            notices += owed
            assert figures_of.get(store.settings.store, {"owed": 0})["owed"] == len(owed)
        assert truth.compare(truth.load(out), dispositions, notices) == []
        assert sum(row["decisions"] for row in figures_of.values()) == truth.load(out).totals["decisions"]
        assert set(EVENT_TYPES) - set().union(*map(topics_of, all_stores)) - BY_TIME == ELSEWHERE


def by_store_of(conn: Connection[Any]) -> list[dict[str, Any]]:
    return [{"store": name, **added(rows)} for name, rows in by_store(figures(conn)).items()]

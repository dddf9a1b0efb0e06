"""A read model rebuilt side by side, whatever happens meanwhile."""

from __future__ import annotations

import threading
import time
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from adapters.postgres.follower import position_of
from adapters.postgres.rebuild import RebuildRunning, rebuild
from adapters.postgres.runner import Runner
from domain.event import EVENT_TYPES
from infra.servers.postgres import READER, RUNTIME
from projections.approvals import Approvals
from projections.catalogue import PROJECTIONS
from projections.projection import Projection
from projections.receipts import Receipts
from projections.two_way import TwoWay
from tests.integration.region import (
    APPROVAL,
    S1,
    S3,
    granted,
    snapshot,
    wait,
)
from tests.integration.teststore import TestStore


class TestRebuild:
    def run(self, store: TestStore, *projections: Projection, **more: Any) -> int:
        return rebuild(store.urls.migrator, RUNTIME, READER, projections, **more)

    @pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda p: p.name)
    def test_gives_the_same_rows_and_rights(self, full: TestStore, projection: Projection) -> None:
        with full.connect() as conn:
            expected = snapshot(conn)
            steps: list[tuple[int, int]] = []
            self.run(full, projection, progress=lambda done, total: steps.append((done, total)))
            assert snapshot(conn) == expected
            assert steps[-1][0] == steps[-1][1] == position_of(conn, projection.name)
            assert conn.execute("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'rebuild%'").fetchone() == (0,)
            granted(full, "77")
            full.project()
        assert {r[0] for r in full.rows("SELECT department FROM read.receipts", S1)} <= {S1}
        assert full.rows(f"SELECT count(*) FROM read.two_way WHERE case_stream = 'case/{APPROVAL}/9'", S3) == [(23,)]

    def test_all_together_give_the_same_rows_rights_and_indexes(self, full: TestStore) -> None:
        with full.connect() as conn:
            expected, indexes = snapshot(conn), defined(conn)
            steps: list[tuple[int, int]] = []
            self.run(full, *PROJECTIONS, progress=lambda done, total: steps.append((done, total)))
            assert snapshot(conn) == expected
            assert defined(conn) == indexes
            assert {position_of(conn, p.name) for p in PROJECTIONS} == {steps[-1][0]}
            assert conn.execute("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'rebuild%'").fetchone() == (0,)
            granted(full, "77")
            full.project()
        assert {r[0] for r in full.rows("SELECT department FROM read.receipts", S1)} <= {S1}
        assert full.rows(f"SELECT count(*) FROM read.two_way WHERE case_stream = 'case/{APPROVAL}/9'", S3) == [(23,)]

    @pytest.mark.parametrize("batch", [1, 2, 7])
    def test_rows_do_not_depend_on_where_batches_end(
        self, full: TestStore, batch: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("adapters.postgres.rebuild.BATCH", batch)
        with full.connect() as conn:
            expected = snapshot(conn)
            self.run(full, *PROJECTIONS)
            assert snapshot(conn) == expected
            for projection in PROJECTIONS:
                self.run(full, projection)
            assert snapshot(conn) == expected

    @pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda p: p.name)
    def test_events_of_other_topics_change_nothing(self, full: TestStore, projection: Projection) -> None:
        """Those that a projection names are all that it needs: without the filter its tables are the same."""

        class Everything(type(projection)):  # type: ignore[misc]
            topics = frozenset(EVENT_TYPES)

        with full.connect() as conn:
            expected = snapshot(conn)
            self.run(full, Everything())
            assert snapshot(conn) == expected

    def test_while_events_keep_coming_and_a_projector_runs(self, full: TestStore) -> None:
        runner = Runner(full.connect, PROJECTIONS)
        follower = threading.Thread(target=runner.run)
        follower.start()
        ended = threading.Event()
        written: list[str] = []

        def write() -> None:
            while not ended.is_set():
                granted(full, f"w{len(written)}")
                written.append("")

        source = threading.Thread(target=write)
        source.start()
        try:
            for _ in range(3):
                for projection in PROJECTIONS:
                    self.run(full, projection)
                self.run(full, *PROJECTIONS)
        finally:
            ended.set()
            source.join()
        with full.connect() as conn:
            head = conn.execute("SELECT max(notification_id) FROM shenguan.stored_events").fetchone()[0]  # type: ignore[index]
            assert wait(lambda: all(position_of(conn, p.name) == head for p in PROJECTIONS))
            runner.stop()
            follower.join(5)
            assert not follower.is_alive()
            assert runner.errors == {}
            found = snapshot(conn)
            assert len(found["approvals"]) == 9 + len(written)
            for projection in PROJECTIONS:
                self.run(full, projection)
            assert snapshot(conn) == found

    @pytest.mark.parametrize("projections", [(TwoWay(),), PROJECTIONS], ids=["one", "all"])
    def test_killed_in_the_middle_it_leaves_the_model_in_use_alone(
        self, full: TestStore, projections: tuple[Projection, ...]
    ) -> None:
        class Killed(BaseException):
            pass

        def kill(done: int, _total: int) -> None:
            if done:
                raise Killed

        with full.connect() as conn:
            expected = snapshot(conn)
            with pytest.raises(Killed):
                self.run(full, *projections, progress=kill)
            assert snapshot(conn) == expected
            granted(full, "88")
            full.project()
            expected = snapshot(conn)
            self.run(full, *projections)
            assert snapshot(conn) == expected

    def test_a_failing_swap_changes_nothing_and_is_tried_again(self, full: TestStore) -> None:
        with psycopg.connect(full.urls.migrator) as reading:
            reading.execute("SELECT count(*) FROM read.receipts")  # holds the table until this transaction ends
            thread = threading.Thread(target=self.run, args=(full, Receipts()))
            thread.start()
            time.sleep(2.6)
            assert thread.is_alive()
            granted(full, "99")
        thread.join(20)
        assert not thread.is_alive()
        full.project()
        assert full.rows(f"SELECT count(*) FROM read.receipts WHERE case_stream = 'case/{APPROVAL}/99'") == [(2,)]

    def test_one_at_a_time(self, full: TestStore) -> None:
        def again(_done: int, _total: int) -> None:
            with pytest.raises(RebuildRunning):
                self.run(full, Approvals())
            with pytest.raises(RebuildRunning):
                self.run(full, Receipts(), Approvals())
            self.run(full, Receipts())

        self.run(full, Approvals(), progress=again)


def defined(conn: Connection[Any]) -> set[Any]:
    """Indexes and policies of the read models."""
    indexes = conn.execute("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'read'").fetchall()
    policies = conn.execute("SELECT tablename, policyname, roles, qual FROM pg_policies WHERE schemaname = 'read'")
    return {*indexes, *((table, name, str(roles), qual) for table, name, roles, qual in policies)}

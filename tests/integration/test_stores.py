"""A league's store follows the region's registers: what waited is released, nothing twice, nothing skipped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from adapters.kafka import clients
from adapters.kafka.outbox import Outbox
from adapters.postgres.log_readings import Reading, read_on, reading
from adapters.postgres.positions import Fenced
from domain.deadletters import RetryDeadLetter
from domain.departments import RegisterDepartment, RegisterPrincipal
from domain.matters import RouteMatter, Supervisor
from domain.notices import TakeNotice
from infra.roles.publisher import PublisherRole
from infra.roles.registrar import READER, RegistrarRole
from infra.servers.broker import EmbeddedBroker
from infra.verify import verify
from tests.integration.outlet_kit import TrackedStore, count, messages, running, store_for, until
from tests.integration.region import (
    APPROVAL,
    DAY,
    MATTER,
    OFFICE,
    S1,
    S2,
    S3,
    accept,
    decide,
    delivered,
    dispatched,
    granted,
    receive,
    registers,
)
from tests.integration.teststore import MASTER, TestStore, department

EVENTS = "SELECT count(*) FROM shenguan.stored_events"
OF_REGISTERS = f"{EVENTS} WHERE split_part(originator_id, '/', 1) IN ('department', 'principal', 'matter', 'mapping',"
OF_REGISTERS += " 'liaison')"


@pytest.fixture
def league(stores: Callable[..., TestStore]) -> TestStore:
    return stores()


@pytest.fixture
def follower(league: TestStore, outer: TrackedStore, bootstrap: str, tmp_path: Path) -> Iterator[TrackedStore]:
    """The league's store as its roles see it."""
    path = tmp_path / "league"
    path.mkdir()
    made = store_for(league, MASTER, bootstrap, path, registers_from=outer.settings.store)
    yield made
    made.close()


def clean(store: TestStore) -> None:
    store.project()
    verdict = verify(SimpleNamespace(migrator_url=store.urls.migrator))
    assert verdict.problems == []


def caught_up(region: TestStore, league: TestStore) -> bool:
    return count(region, OF_REGISTERS) == count(league, OF_REGISTERS)


def stopped_because(league: TestStore) -> str:
    with league.connect() as conn:
        row = conn.execute("SELECT error FROM shenguan.follower WHERE name LIKE 'registrar.%'").fetchone()
    return str(row[0] or "") if row else ""


def again(league: TestStore) -> None:
    """As if the topic had been made anew: everything is read from its start."""
    with psycopg.connect(league.urls.migrator) as conn:
        conn.execute("UPDATE shenguan.log_reading SET topic_id = 'another'")


def test_who_waited_is_released_by_a_followed_event(
    region: TestStore, outer: TrackedStore, league: TestStore, follower: TrackedStore
) -> None:
    league.submit(accept("1"), decide("1"), expect="parked")
    with running(PublisherRole(outer), RegistrarRole(follower)):
        until(lambda: caught_up(region, league))
        until(lambda: count(league, "SELECT count(*) FROM shenguan.parked") == 0)
        # and one who waits for a single department, while all run
        late = RouteMatter(
            department=OFFICE, matter=MATTER, valid_from=DAY, basis="二", supervisors=(Supervisor(department="s9"),)
        )
        region.submit(late, expect="parked")
        region.submit(RegisterDepartment(department=OFFICE, entry=department("s9", "新局", "SUPERVISION")))
        until(lambda: caught_up(region, league))
    owed = league.rows("SELECT department, serial FROM read.receipts")
    assert owed == []  # not projected yet
    league.project()
    assert sorted(league.rows("SELECT department, serial FROM read.receipts")) == [(S1, 1), (S2, 1)]
    league.submit(accept("2"), decide("2"))
    league.project()
    assert ("s9", 1) in league.rows("SELECT department, serial FROM read.receipts")
    with region.connect() as here, league.connect() as there:
        query = f"{OF_REGISTERS.replace('count(*)', 'originator_id, originator_version, topic, state')} ORDER BY 1, 2"
        assert here.execute(query).fetchall() == there.execute(query).fetchall()
    clean(region)
    clean(league)


def test_a_log_read_again_adds_nothing(
    region: TestStore, outer: TrackedStore, league: TestStore, follower: TrackedStore
) -> None:
    with running(PublisherRole(outer)):
        with running(RegistrarRole(follower), RegistrarRole(follower)):
            until(lambda: caught_up(region, league))
        known = count(league, EVENTS)
        with psycopg.connect(region.urls.migrator) as conn:  # the publisher says everything twice
            conn.execute("UPDATE shenguan.notification_tracking SET notification_id = 0")
        again(league)
        with running(RegistrarRole(follower)):
            until(lambda: len(messages(outer, outer.names.log)) == 2 * count(region, EVENTS))
            until(lambda: offset(league) == 2 * count(region, EVENTS))
    assert count(league, EVENTS) == known
    clean(league)


def offset(league: TestStore) -> int:
    return count(league, "SELECT coalesce(max(next_offset), 0) FROM shenguan.log_reading WHERE topic_id <> 'another'")


def test_a_topic_made_anew_is_filled_with_the_whole_log_and_read_from_its_start(
    region: TestStore, outer: TrackedStore, league: TestStore, follower: TrackedStore
) -> None:
    with running(PublisherRole(outer)):
        until(lambda: len(messages(outer, outer.names.log)) == count(region, EVENTS))
    with closing(clients.admin(outer.kafka_options)) as admin:
        admin.delete_topics([outer.names.log])
    # nobody had read the first topic; without the whole log in the second these registers would be missing here
    region.submit(RegisterDepartment(department=OFFICE, entry=department("s9", "新局", "SUPERVISION")))
    with running(PublisherRole(outer), RegistrarRole(follower)):
        until(lambda: caught_up(region, league))
    clean(league)


def test_a_broker_that_forgets_everything_costs_nothing(
    region: TestStore, league: TestStore, server_dir: Path, tmp_path: Path
) -> None:
    (tmp_path / "league").mkdir()
    impatient = {"delivery_timeout_ms": 2000, "request_timeout_ms": 1000}
    with EmbeddedBroker(server_dir / "broker-forgetful") as broker:
        outer = store_for(region, MASTER, broker.bootstrap_servers, tmp_path, kafka=impatient)
        master = outer.settings.store
        follower = store_for(
            league, MASTER, broker.bootstrap_servers, tmp_path / "league", registers_from=master, kafka=impatient
        )
        with running(PublisherRole(outer)):
            with running(RegistrarRole(follower)):
                until(lambda: caught_up(region, league))
            # published, not followed, and forgotten
            region.submit(RegisterDepartment(department=OFFICE, entry=department("s9", "新局", "SUPERVISION")))
            until(lambda: len(messages(outer, outer.names.log)) == count(region, EVENTS))
            broker.kill()
            broker.start()
            with running(RegistrarRole(follower)):
                region.submit(RegisterDepartment(department=OFFICE, entry=department("s8", "又一局", "SUPERVISION")))
                until(lambda: caught_up(region, league), 120)
        outer.close()
        follower.close()
    clean(region)
    clean(league)


def test_nothing_is_registered_where_registers_are_followed(
    region: TestStore, outer: TrackedStore, league: TestStore, follower: TrackedStore
) -> None:
    with running(PublisherRole(outer), RegistrarRole(follower)):
        until(lambda: caught_up(region, league))
    entry = department("s9", "新局", "SUPERVISION")
    written = league.submit(RegisterDepartment(department=OFFICE, entry=entry), expect="refused")
    assert written.results[0].outcome.rule == "registers.followed"
    league.submit(RegisterPrincipal(principal="p9", acts_for=(S1,)), principal="operator", expect="refused")
    written = league.submit(RetryDeadLetter(place="t/0/1"), principal="operator", expect="dead")
    assert written.results[0].outcome.errors[0].rule == "deadletter.unknown"  # it was looked for
    clean(league)


def test_verify_is_not_blind_to_registers_of_ones_own_making(
    region: TestStore, outer: TrackedStore, league: TestStore, follower: TrackedStore
) -> None:
    with running(PublisherRole(outer), RegistrarRole(follower)):
        until(lambda: caught_up(region, league))
    league.submit(accept("1"))
    clean(league)
    problems = SimpleNamespace(migrator_url=league.urls.migrator)
    with psycopg.connect(league.urls.migrator) as conn:  # a submission that claims a followed event as its fact
        conn.execute(
            "UPDATE shenguan.submission SET (source, id, stream, version, principal) ="
            " (SELECT m ->> 'source', m ->> 'id', originator_id, originator_version, m ->> 'principal' FROM"
            " (SELECT *, convert_from(state, 'UTF8')::jsonb -> 'meta' AS m FROM shenguan.stored_events) AS e"
            f" WHERE originator_id = 'department/{S1}')"
        )
    assert {p.check for p in verify(problems).problems} == {"submission", "fact"}


def test_in_a_store_of_its_own_registers_a_register_event_needs_its_submission(region: TestStore) -> None:
    clean(region)
    with psycopg.connect(region.urls.migrator) as conn:
        conn.execute("DELETE FROM shenguan.submission WHERE stream = %s", (f"department/{S3}",))
    problems = verify(SimpleNamespace(migrator_url=region.urls.migrator)).problems
    assert [(p.check, p.stream) for p in problems] == [("submission", f"department/{S3}")]


def forged(outer: TrackedStore, of: str = "", **changes: str) -> None:
    """A record of the log's topic, by default the last, once more with other attributes."""
    attributes, data = [one for one in messages(outer, outer.names.log) if of in ("", one[0]["id"])][-1]
    headers = {f"ce_{name}": str(value) for name, value in (attributes | changes).items()}
    headers["content-type"] = "application/json"
    with closing(Outbox(outer.kafka_options)) as outbox:
        key = headers["ce_id"].rpartition("/")[0].encode()
        outbox.send(outer.names.log, key, data, [(name, value.encode()) for name, value in headers.items()])
        outbox.flush(10)


def last_position(outer: TrackedStore) -> int:
    return int(messages(outer, outer.names.log)[-1][0]["position"])


def test_a_gap_in_a_stream_stops_the_registrar_visibly(
    region: TestStore, outer: TrackedStore, league: TestStore, follower: TrackedStore
) -> None:
    region.submit(RegisterDepartment(department=OFFICE, entry=department(S3, "监管三局改名", "SUPERVISION")))
    with running(PublisherRole(outer), RegistrarRole(follower, retry_s=0.3)):
        until(lambda: caught_up(region, league))
        known = (count(league, EVENTS), offset(league))
        last = last_position(outer)
        forged(outer, id=f"department/{S3}/4", position=str(last + 1), previous=str(last))
        until(lambda: f"a gap in department/{S3}: it is at 2 here, and 4 came" in stopped_because(league))
        assert (count(league, EVENTS), offset(league)) == known
    with running(RegistrarRole(follower)):  # a restart skips nothing either
        until(lambda: "a gap" in stopped_because(league))
    assert (count(league, EVENTS), offset(league)) == known


def test_what_came_too_early_is_taken_when_it_comes_again_in_order(
    region: TestStore, outer: TrackedStore, league: TestStore, follower: TrackedStore
) -> None:
    with running(PublisherRole(outer)):
        with running(RegistrarRole(follower)):
            until(lambda: caught_up(region, league))
        last, known = last_position(outer), count(league, EVENTS)
        forged(outer, id="department/early/1", position=str(last + 9), previous=str(last + 8))
        with running(RegistrarRole(follower)):
            until(lambda: f"after position {last} came {last + 9}" in stopped_because(league))
            assert count(league, EVENTS) == known
            region.submit(RegisterDepartment(department=OFFICE, entry=department("s9", "新局", "SUPERVISION")))
            until(lambda: caught_up(region, league))
            until(lambda: stopped_because(league) == "")
    clean(league)


def test_what_lies_between_a_record_too_early_and_one_that_fails_is_taken(
    region: TestStore, outer: TrackedStore, league: TestStore, follower: TrackedStore
) -> None:
    with running(PublisherRole(outer)):
        with running(RegistrarRole(follower)):
            until(lambda: caught_up(region, league))
        last = last_position(outer)
        forged(outer, id="department/early/1", position=str(last + 9), previous=str(last + 8))
        region.submit(RegisterDepartment(department=OFFICE, entry=department("s9", "新局", "SUPERVISION")))
        until(lambda: last_position(outer) == last + 1)
        forged(outer, id="department/s9/5", position=str(last + 2), previous=str(last + 1))
        with running(RegistrarRole(follower)):
            until(lambda: "a gap in department/s9: it is at 1 here, and 5 came" in stopped_because(league))
    assert count(league, f"{EVENTS} WHERE originator_id = 'department/s9'") == 1


def test_another_event_at_a_known_place_stops_the_registrar(
    region: TestStore, outer: TrackedStore, league: TestStore, follower: TrackedStore
) -> None:
    with running(PublisherRole(outer), RegistrarRole(follower)):
        until(lambda: caught_up(region, league))
        known = count(league, EVENTS)
        forged(outer, of=f"department/{S2}/1", id=f"department/{S3}/1")
        until(lambda: f"department/{S3} 1 is not what the master recorded there" in stopped_because(league))
    assert count(league, EVENTS) == known


def test_a_store_with_registers_of_its_own_follows_nobody(
    region: TestStore, outer: TrackedStore, league: TestStore, follower: TrackedStore
) -> None:
    registers(league)
    known = count(league, EVENTS)
    with running(PublisherRole(outer), RegistrarRole(follower, retry_s=0.2)):
        until(lambda: "registers of its own" in stopped_because(league))
    assert count(league, EVENTS) == known
    assert count(league, "SELECT count(*) FROM shenguan.log_reading") == 0


def test_the_position_moves_with_what_it_brings_or_not_at_all(
    region: TestStore, outer: TrackedStore, league: TestStore, follower: TrackedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise psycopg.OperationalError("killed between")

    with running(PublisherRole(outer)):
        monkeypatch.setattr("adapters.postgres.writer.put_results", fail)
        with running(RegistrarRole(follower)):
            until(lambda: len(messages(outer, outer.names.log)) == count(region, EVENTS))
            assert (count(league, EVENTS), count(league, "SELECT count(*) FROM shenguan.log_reading")) == (0, 0)
            monkeypatch.undo()
            until(lambda: caught_up(region, league))


def test_who_was_overtaken_is_fenced(league: TestStore) -> None:
    with league.connect() as conn:
        read_on(conn, READER, "a", Reading(), Reading("t", 5, 9))
        with pytest.raises(Fenced):
            read_on(conn, READER, "a", Reading(), Reading("t", 3, 7))
        read_on(conn, READER, "a", Reading("t", 5, 9), Reading("u", 2, 9))
        with pytest.raises(Fenced):
            read_on(conn, READER, "a", Reading("t", 5, 9), Reading("t", 8, 12))
        read_on(conn, "another", "a", Reading(), Reading("t", 1, 1))
        assert reading(conn, READER, "a") == Reading("u", 2, 9)


def test_a_store_that_follows_nobody_runs_an_idle_registrar(outer: TrackedStore, region: TestStore) -> None:
    with running(RegistrarRole(outer)):
        pass
    assert count(region, "SELECT count(*) FROM shenguan.follower WHERE name LIKE 'registrar%'") == 0


def test_whoever_waited_for_a_fact_of_the_systems_own_is_released(store: TestStore) -> None:
    """As by a register event that came as a submission: an operator spoke before the store was founded."""
    store.submit(RegisterPrincipal(principal=APPROVAL, acts_for=(APPROVAL,)), principal="operator", expect="parked")
    store.found(OFFICE, "150100", [OFFICE])
    assert count(store, "SELECT count(*) FROM shenguan.parked") == 0
    assert count(store, f"{EVENTS} WHERE originator_id = 'principal/{APPROVAL}'") == 1
    clean(store)


def test_how_a_notice_travels_releases_nobody(region: TestStore) -> None:
    fact = granted(region, "1")
    region.submit(TakeNotice(department=S1, notice=f"{S1}/{fact}"), expect="parked")
    written = region.writer.write(facts=[dispatched(f"{S1}/{fact}", region.now), delivered(f"{S1}/{fact}", region.now)])
    assert (written.events, written.results) == (2, [])
    region.submit(receive(S1, fact, region.now - timedelta(minutes=1)))
    assert count(region, "SELECT count(*) FROM shenguan.parked") == 0

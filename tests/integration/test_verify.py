"""`shenguan verify`: a clean store is clean, and whatever a superuser does to it behind our back is found and named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from adapters.postgres.deliveries import Dispatch, mark_sent
from adapters.postgres.evidence import mark_delivered
from adapters.postgres.positions import Advance, open_epoch, positions
from domain import system
from domain.arrivals import Place
from domain.erasure import Order, erasure_stream
from domain.notices import ReturnNotice, TakeNotice
from domain.party import Party
from domain.permits import ChangeCase
from domain.personal import Person
from domain.rules import FieldError
from infra.main import app
from infra.verify import Verdict, verify
from tests.integration.outlet_kit import fill, store_on
from tests.integration.region import (
    APPROVAL,
    DAY,
    FORMER,
    S1,
    S2,
    S3,
    accept,
    case,
    decide,
    officer,
    receive,
    registers,
)  # fmt: skip
from tests.integration.teststore import MASTER, TestStore, superuser

TOPIC = "shenguan.intake.150000.x"
TOPIC_ID = "one-topic"


def check(store: TestStore) -> Verdict:
    return verify(SimpleNamespace(migrator_url=store.urls.migrator))


def live(store: TestStore) -> None:
    """Something of everything, by one topic whose position moves with it; sent, delivered, up to date."""
    registers(store)
    natural = Party(kind="自然人", name="赵铁柱", person=Person(name="赵铁柱", id_type="护照", id_number="E12345678"))
    day = {"on": DAY, "document_number": "变1"}
    broken = replace(store.arrival(decide("9"), id_="x"), submission=None, errors=(FieldError("n", "x", "坏", "9"),))
    early = store.now - timedelta(minutes=5)
    arrivals = [
        store.arrival(accept("1", natural), id_="a1"),
        store.arrival(decide("1"), id_="d1"),
        store.arrival(accept("2"), id_="a2"),
        store.arrival(decide("2"), id_="d2"),
        store.arrival(decide("2"), id_="d2"),
        store.arrival(decide("2", "not_granted"), id_="d2"),
        store.arrival(receive(S1, "test/d1", early), id_="r1"),
        store.arrival(TakeNotice(department=S1, notice=f"{S1}/test/d1"), id_="t1"),
        store.arrival(ReturnNotice(department=S2, notice=f"{S2}/test/d1", proposed=S3, reason="不归我"), id_="back"),
        store.arrival(case(ChangeCase, "1", content="变更", **day), id_="c1"),
        store.arrival(decide("3", organ=FORMER), id_="wrong"),
        store.arrival(accept("4", organ=FORMER), id_="power"),
        store.arrival(decide("7"), id_="early"),
        broken,
        store.arrival(accept("5"), id_="a5"),
        store.arrival(decide("5"), id_="d5"),
    ]
    with store.connect() as conn:
        open_epoch(conn, TOPIC, TOPIC_ID, 1)
        positions(conn, [(TOPIC_ID, 0, 1), (TOPIC_ID, 1, 1)])
    placed = [replace(one, place=Place(TOPIC_ID, 0, n), topic=TOPIC) for n, one in enumerate(arrivals)]
    written = store.writer.write(placed, [Advance(TOPIC_ID, 0, 0, 1, len(placed))])
    found = [r.outcome.disposition for r in written.results]
    assert {"accepted", "refused", "duplicate", "conflict", "parked", "dead"} <= set(found), found
    fill(store)
    send(store, f"{S1}/test/d1", 0)
    send(store, f"{S2}/test/d1", 0)
    store.writer.run(
        lambda conn: mark_delivered(conn, "kafka", [f"{S1}/test/d1"]),
        [lambda world, now: system.delivered(world, f"{S1}/test/d1", "kafka", "group", 1, now)],
    )
    store.project()
    fill(store)
    store.prove(limit=20)


def send(store: TestStore, notice: str, offset: int) -> None:
    store.writer.run(
        lambda conn: mark_sent(conn, "kafka", [Dispatch(notice, "t", 0, offset)]),
        [lambda world, now: system.dispatched(world, notice, "kafka", "t", 0, offset, now)],
    )


@pytest.fixture
def lived(stores: Callable[..., TestStore]) -> TestStore:
    return stores(live)


def test_a_store_that_nobody_touched_is_clean(lived: TestStore) -> None:
    verdict = check(lived)
    assert verdict.problems == []
    assert verdict.behind == {}
    assert verdict.submissions > 16
    assert verdict.notices == 10  # two each of three decisions, one moved, a change told to all three


EVENTS = "shenguan.stored_events"
STATE = "convert_from(state, 'UTF8')::jsonb"
LAST = f"(SELECT max(notification_id) FROM {EVENTS})"


def altered(path: str, value: str, where: str) -> str:
    """An event's state with one value changed, written as our mapper writes it: without blanks."""
    return (
        f"UPDATE {EVENTS} SET state = convert_to(replace(replace(jsonb_set({STATE}, '{path}', '{value}')::text,"
        f"'\": ', '\":'), ', \"', ',\"'), 'UTF8') WHERE {where}"
    )


def forge(stream: str, version: str, topic: str, meta_of: str, more: str) -> str:
    """A new event at the log's end that carries what another event says of its sender."""
    return (
        f"INSERT INTO {EVENTS} (originator_id, originator_version, topic, state, recorded_at)"
        f" SELECT '{stream}', {version}, '{topic}',"
        f" convert_to((jsonb_build_object('meta', {STATE} -> 'meta') || '{more}'::jsonb)::text, 'UTF8'),"
        f" clock_timestamp() FROM {EVENTS} WHERE {meta_of}"
    )


def made(id_: str) -> str:
    """The first event of a submission."""
    return f"notification_id = (SELECT min(notification_id) FROM {EVENTS} WHERE {STATE} #>> '{{meta,id}}' = '{id_}')"


NEXT_OF_2 = (
    f"(SELECT 1 + coalesce(max(originator_version), 0) FROM {EVENTS} WHERE originator_id = 'notice/{S1}/test/d2')"
)
RECEIVED = '{"received_at": "2026-03-02T08:00:00Z"}'
DELIVERED = '{"channel": "kafka", "group": "g", "committed": 5}'

TAMPERINGS: dict[str, tuple[list[str], str, str]] = {
    # what was done: (statements, the check that finds it, what it names)
    "audience altered": ([altered("{supervisors}", f'["{S1}"]', made("d1"))], "audience", f"case/{APPROVAL}/1"),
    "owed event removed": (
        [f"DELETE FROM {EVENTS} WHERE unique_key = '{S1}/test/d1'"], "owed", f"{S1}/test/d1"),
    "owed event closed up": (  # and the serials after it, so that the ledger shows no gap
        [f"DELETE FROM {EVENTS} WHERE unique_key = '{S1}/test/d2'",
         f"UPDATE {EVENTS} SET originator_version = -originator_version WHERE originator_id = 'ledger/{S1}'"
         " AND originator_version > 2",
         f"UPDATE {EVENTS} SET originator_version = -originator_version - 1 WHERE originator_version < 0"],
        "owed", f"{S1}/test/d2"),
    "serials swapped": (
        [f"UPDATE {EVENTS} SET originator_version = originator_version + 1000 WHERE unique_key = '{S1}/test/d1'",
         f"UPDATE {EVENTS} SET originator_version = 1 WHERE unique_key = '{S1}/test/d2'",
         f"UPDATE {EVENTS} SET originator_version = 2 WHERE unique_key = '{S1}/test/d1'"],
        "version", f"ledger/{S1}"),
    "last notice withheld": (  # the ledger ends before it: no gap
        [f"DELETE FROM {EVENTS} WHERE unique_key = '{S2}/test/d5'",
         f"DELETE FROM shenguan.delivery WHERE notice = '{S2}/test/d5'"], "owed", f"{S2}/test/d5"),
    "accepted made duplicate": (
        ["UPDATE shenguan.submission SET disposition = 'duplicate' WHERE id = 'c1' AND disposition = 'accepted'"],
        "submission", "test/c1"),
    "submission deleted": (["DELETE FROM shenguan.submission WHERE id = 'c1'"], "submission", "test/c1"),
    "fact pointer moved to another's": (
        [f"UPDATE shenguan.submission SET stream = 'case/{APPROVAL}/2', version = 1 WHERE id = 'a5'"],
        "fact", "test/a5"),
    "fact pointer moved along": (
        [f"UPDATE shenguan.submission SET stream = 'ledger/{S1}', version = 2 WHERE id = 'd2'"
         " AND disposition = 'accepted'"], "fact", "test/d2"),
    "submission made up": (
        [f"UPDATE shenguan.submission SET disposition = 'accepted', id = 'new', stream = 'case/{APPROVAL}/2',"
         " version = 1 WHERE disposition = 'duplicate'"], "fact", "test/new"),
    "receipt forged": (
        [forge(f"notice/{S1}/test/d2", NEXT_OF_2, "notice.received", made("r1"), RECEIVED)],
        "fact", f"notice/{S1}/test/d2"),
    "receipt forged behind the last fact": (
        [f"DELETE FROM {EVENTS} WHERE topic IN ('notice.dispatched', 'notice.delivered')",
         "UPDATE shenguan.delivery SET sent_at = NULL, delivered_at = NULL",
         forge(f"notice/{S1}/test/d2", NEXT_OF_2, "notice.received", made("d5"), RECEIVED)],
        "fact", "notice.received"),
    "receipt forged as the system's": (
        [forge(f"notice/{S1}/test/d2", NEXT_OF_2, "notice.received", "originator_id = 'department/sgb'", RECEIVED)],
        "system", f"notice/{S1}/test/d2"),
    "case forged": (
        [f"INSERT INTO {EVENTS} (originator_id, originator_version, topic, state, recorded_at)"
         f" SELECT 'case/{APPROVAL}/99', 1, topic, state, clock_timestamp() FROM {EVENTS} WHERE {made('a2')}"],
        "fact", f"case/{APPROVAL}/99"),
    "delivered forged": (
        [forge(f"notice/{S2}/test/d1", "100", "notice.delivered", "topic = 'notice.delivered'", DELIVERED),
         f"UPDATE {EVENTS} SET originator_version = (SELECT count(*) FROM {EVENTS} WHERE originator_id ="
         f" 'notice/{S2}/test/d1') WHERE originator_version = 100",
         altered("{meta,id}", f'"delivered.kafka.{S2}.test.d1"', f"notification_id = {LAST}")],
        "delivered", f"notice/{S2}/test/d1"),
    "delivery deleted": (
        [f"DELETE FROM shenguan.delivery WHERE notice = '{S2}/test/d5'"], "delivery", f"{S2}/test/d5"),
    "delivery put to another serial": (
        [f"UPDATE shenguan.delivery SET serial = 99 WHERE notice = '{S2}/test/d5'"], "delivery", f"{S2}/test/d5"),
    "delivery of nothing": (
        ["INSERT INTO shenguan.delivery (notice, channel, department, serial, position, due_at)"
         f" VALUES ('{S1}/test/no', 'kafka', '{S1}', 50, 1, now())"], "delivery", f"{S1}/test/no"),
    "delivery marked sent": (
        [f"UPDATE shenguan.delivery SET sent_at = now() WHERE notice = '{S2}/test/d5'"], "sent", f"{S2}/test/d5"),
    "delivery marked delivered": (
        [f"UPDATE shenguan.delivery SET delivered_at = now() WHERE notice = '{S2}/test/d1'"],
        "delivered", f"{S2}/test/d1"),
    "parked removed": (["DELETE FROM shenguan.parked"], "parked", "test/early"),
    "parked put to another stream": (["UPDATE shenguan.parked SET stream = 'case/x/y'"], "parked", "test/early"),
    "letter removed": (["DELETE FROM shenguan.dead_letter"], "dead", "test/x"),
    "read row altered": (
        [f"UPDATE read.receipts SET received_at = now() WHERE notice = '{S1}/test/d5'"],
        "read.receipts", f"{S1}/test/d5"),
    "read row deleted": (
        [f"DELETE FROM read.receipts WHERE notice = '{S1}/test/d5'"], "read.receipts", f"{S1}/test/d5"),
    "record times in disorder": (
        [f"UPDATE {EVENTS} SET recorded_at = recorded_at - interval '1 day' WHERE {made('c1')}"],
        "order", f"case/{APPROVAL}/1"),
    "intake position ahead": (
        ["UPDATE shenguan.intake_position SET next_offset = next_offset + 1 WHERE partition = 0"],
        "position", TOPIC_ID),
    "intake position ahead in a new epoch": (
        ["UPDATE shenguan.intake_position SET next_offset = 3, epoch = 2 WHERE partition = 1"],
        "position", f"{TOPIC_ID}/1"),
    "intake position back": (
        ["UPDATE shenguan.intake_position SET next_offset = 2 WHERE partition = 0"], "position", TOPIC),
    "key row removed": (
        ["DELETE FROM vault.subject_key WHERE subject LIKE 'person/%'"], "key", "person/"),
    "key row of a letter removed": (
        ["DELETE FROM vault.subject_key WHERE subject LIKE 'deadletter/%'"], "key", "deadletter/"),
    "key destroyed without a time": (
        ["ALTER TABLE vault.subject_key DROP CONSTRAINT subject_key_destroyed_check",
         f"UPDATE vault.subject_key SET wrapped = NULL WHERE subject = 'case/{APPROVAL}/1'"],
        "erasure", f"case/{APPROVAL}/1"),
    "outlet past the head": (
        ["UPDATE shenguan.notification_tracking SET notification_id = 100000 WHERE application_name = 'outlet'"],
        "follower", "outlet"),
}  # fmt: skip


@pytest.mark.parametrize("what", TAMPERINGS)
def test_what_a_superuser_does_is_found_and_named(lived: TestStore, what: str) -> None:
    statements, expected, named = TAMPERINGS[what]
    with superuser(lived) as conn:
        for statement in statements:
            assert conn.execute(statement).rowcount, statement  # type: ignore[call-overload]
    found = check(lived).problems
    fitting = [p for p in found if p.check == expected and any(named in text for text in (p.stream, p.zh, p.en))]
    assert fitting, [(p.check, p.stream, p.en) for p in found]
    assert all(p.zh and p.en for p in found)


def test_a_destroyed_key_is_no_missing_key_but_wants_an_order(lived: TestStore) -> None:
    subject = f"officer/{APPROVAL}/007"
    order = lived.sealed(
        Order(subject=subject, department=APPROVAL, officer=officer(), reason="x"), erasure_stream(subject)
    )
    with superuser(lived) as conn:
        conn.execute("UPDATE vault.subject_key SET wrapped = NULL, destroyed_at = now() WHERE subject = %s", (subject,))
    assert [(p.check, p.stream) for p in check(lived).problems] == [("erasure", subject)]
    lived.facts(lambda world, now: system.erasure_ordered(world, order, now))
    lived.project()
    assert check(lived).problems == []
    other = lived.sealed(order.model_copy(update={"subject": f"erasure/{subject}"}), "x")
    lived.facts(lambda world, now: system.erasure_ordered(world, other, now))
    assert [(p.check, p.stream) for p in check(lived).problems] == [("erasure", f"erasure/{subject}")]


def test_an_order_that_came_after_the_deed_is_asked_about(lived: TestStore) -> None:
    subjects = [f"officer/{APPROVAL}/007", f"case/{APPROVAL}/1"]
    with superuser(lived) as conn:
        for subject, when in zip(subjects, ("-", "+"), strict=True):
            conn.execute(
                "UPDATE vault.subject_key SET wrapped = NULL,"
                f" destroyed_at = clock_timestamp() {when} interval '1 hour' WHERE subject = %s",  # type: ignore[arg-type]
                (subject,),
            )
    for subject in subjects:
        order = Order(subject=subject, department=APPROVAL, officer=officer("A9"), reason="x")
        sealed = lived.sealed(order, erasure_stream(subject))
        lived.facts(lambda world, now, sealed=sealed: system.erasure_ordered(world, sealed, now))  # type: ignore[misc]
    lived.project()
    verdict = check(lived)
    assert verdict.problems == []
    assert [(d.check, d.stream) for d in verdict.doubts] == [("erasure", erasure_stream(subjects[0]))]


@pytest.mark.parametrize("box", [bytes(60), b""], ids=["zeros", "nothing"])
def test_a_key_that_was_overwritten_is_named(lived: TestStore, tmp_path: Path, box: bytes) -> None:
    mine = store_on(lived.urls, MASTER, "127.0.0.1:1", tmp_path)
    assert verify(mine, reveals=mine).problems == []
    subject = f"case/{APPROVAL}/1"
    with superuser(lived) as conn:
        conn.execute("UPDATE vault.subject_key SET wrapped = %s WHERE subject = %s", (box, subject))
    assert [(p.check, p.stream) for p in verify(mine, reveals=mine).problems] == [("key", subject)]
    assert check(lived).problems == []  # for want of the master key
    mine.close()


def test_another_master_key_is_said_once(lived: TestStore, tmp_path: Path) -> None:
    other = store_on(lived.urls, bytes(32), "127.0.0.1:1", tmp_path)
    [found] = verify(other, reveals=other).problems
    assert (found.check, found.stream) == ("key", "vault")
    assert "主密钥不是" in found.zh
    other.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE shenguan.stored_events SET state = '{}' WHERE topic = 'department.registered'",
        "DELETE FROM shenguan.stored_events WHERE topic = 'matter.registered'",
    ],
    ids=["altered", "dropped"],
)
def test_the_command_names_what_is_wrong_with_the_registers(
    lived: TestStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    key = tmp_path / "master.key"
    key.write_text(MASTER.hex())
    urls = {"database_url": lived.urls.runtime, "migrator_url": lived.urls.migrator, "reader_url": lived.urls.reader}
    for name, value in {**urls, "data_dir": str(tmp_path), "master_key_file": str(key)}.items():
        monkeypatch.setenv(f"SHENGUAN_{name.upper()}", value)
    said = CliRunner().invoke(app, ["verify"])
    assert (said.exit_code, "全部相符" in said.stdout) == (0, True), said.output
    with superuser(lived) as conn:
        conn.execute(statement)
    said = CliRunner().invoke(app, ["verify"])
    assert (said.exit_code, "[leaf]" in said.stdout, "不符" in said.stdout) == (1, True, True), said.output


def test_who_is_behind_is_named_and_is_no_problem(lived: TestStore) -> None:
    """Nor is a read model that was emptied to be filled again; one that forgot its rows alone is."""
    for id_, payload in (("a20", accept("20")), ("d20", decide("20"))):
        lived.submit(payload, id_=id_)
    verdict = check(lived)
    assert verdict.problems == []
    assert verdict.behind["approvals"] == verdict.behind["outlet"] == verdict.behind["proofs"] == 4
    lived.project()
    assert set(check(lived).behind) == {"outlet", "proofs"}
    fill(lived)
    lived.prove()
    assert check(lived).behind == {}
    with superuser(lived) as conn:
        conn.execute("DELETE FROM shenguan.notification_tracking WHERE application_name = 'receipts'")
        conn.execute("TRUNCATE read.receipts")
    verdict = check(lived)
    assert verdict.problems == []
    assert verdict.behind == {"receipts": verdict.head}


def test_a_rewound_topic_is_clean_at_every_step(lived: TestStore) -> None:
    with lived.connect() as conn:
        open_epoch(conn, TOPIC, TOPIC_ID, 2)
    assert check(lived).problems == []
    again = replace(lived.arrival(accept("1"), id_="a1"), place=Place(TOPIC_ID, 0, 0), topic=TOPIC)
    assert lived.writer.write([again], [Advance(TOPIC_ID, 0, 0, 2, 1)]).redelivered == 1
    assert check(lived).problems == []


def test_an_unreadable_event_is_named(lived: TestStore) -> None:
    with superuser(lived) as conn:
        conn.execute(f"UPDATE {EVENTS} SET topic = 'case.unheard_of' WHERE {made('c1')}")  # type: ignore[arg-type]
    found = [(problem.check, problem.stream) for problem in check(lived).problems]
    assert found == [("leaf", f"case/{APPROVAL}/1"), ("decode", f"case/{APPROVAL}/1")]

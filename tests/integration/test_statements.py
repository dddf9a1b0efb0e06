"""A department's months 对账函 out of a store's own log: joined without a gap, as known at each one's end, the same
whenever they are asked for, on the terminal, over HTTP and on paper."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from adapters.crypto.notes import NoteVerifier, new_signer_key, verifier_key
from adapters.postgres.writer import Writer
from domain.clocks import TimeLimit
from domain.departments import RegisterDepartment
from domain.notices import ReturnNotice
from domain.registering import EnterRegister, StrikeEntry
from domain.statement_checks import Kept, check_kept, check_statement
from domain.statements import Statement, month_period
from domain.store_list_proofs import ProvenList, check_stores
from domain.store_lists import ListedStore, StoreList
from domain.supervision import DisposeFeedback, RaiseFeedback
from infra.proofs import ledger_entries
from infra.servers.broker import EmbeddedBroker
from infra.statements import SETTLED, statement
from infra.store_lists import remarks
from projections.statistics import Asked, Known, counters
from tests.integration.channel_kit import command
from tests.integration.doors import doors
from tests.integration.outlet_kit import TrackedStore, count, store_for
from tests.integration.region import APPROVAL, DAY, OFFICE, S1, S2, S3, granted, receive, registers
from tests.integration.stages import empty
from tests.integration.test_registers import enter
from tests.integration.teststore import LOG_KEY, MASTER, TestStore, department, officer, superuser
from tests.pdf import read_pdf

KEYS = [NoteVerifier(LOG_KEY.verifier_key)]
MONTHS = ["2026-03", "2026-04", "2026-05", "2026-06", "2026-07"]
LATER = datetime(2027, 1, 1, tzinfo=UTC)


def reach(store: TestStore, *when: int) -> None:
    store.now = datetime(*when, tzinfo=UTC)  # type: ignore[arg-type]


def prove(store: TestStore) -> None:
    """As if the checkpoint were made at the store's own time."""
    last = count(store, "SELECT coalesce(max(size), 0) FROM proof.checkpoint")
    store.prove()
    made_at(store, "size > %s", store.now, last)


def made_at(store: TestStore, which: str, *params: Any) -> None:
    with superuser(store) as conn:
        conn.execute(f"UPDATE proof.checkpoint SET made_at = %s WHERE {which}", params)  # type: ignore[arg-type]


def year(store: TestStore) -> None:
    """S1 is told of five cases in March, of two in April, the second so late that its checkpoint is May's, of none in
    May, and of one in June, which is not over."""
    store.writer = Writer(store.connect, store.sealer.seal_all, clock=lambda: store.now)
    reach(store, 2026, 3, 2, 1)
    registers(store)
    store.submit(RegisterDepartment(department=OFFICE, entry=department("jw", "纪委监委", "DISCIPLINE")))
    enter(store, TimeLimit(clock="receive", days=2), TimeLimit(clock="reply", days=5))
    for number in range(1, 6):
        granted(store, str(number))
    prove(store)
    reach(store, 2026, 3, 3, 1)
    store.submit(receive(S1, "test/d-1", store.now), ReturnNotice(
        department=S1, notice=f"{S1}/test/d-4", proposed=S3, reason="不归我"
    ))  # fmt: skip
    store.submit(RaiseFeedback(
        department=S1, officer=officer(), number="F1", case_organ=APPROVAL, case_number="1", found_on=DAY,
        suggestion="change", detail="扩大了范围",
    ))  # fmt: skip
    reach(store, 2026, 3, 10, 1)
    store.submit(receive(S1, "test/d-2", store.now))
    prove(store)
    reach(store, 2026, 4, 10, 1)
    store.submit(receive(S1, "test/d-3", store.now))  # March's statement does not know of it
    store.submit(DisposeFeedback(department=APPROVAL, supervisor=S1, number="F1", outcome="adopted", reason="办理变更"))
    granted(store, "6")
    prove(store)
    reach(store, 2026, 4, 30, 15, 59)  # a minute before midnight in Beijing
    granted(store, "7")
    reach(store, 2026, 4, 30, 16, 1)
    prove(store)
    reach(store, 2026, 6, 3, 1)
    granted(store, "8")
    prove(store)
    store.project()


@pytest.fixture(scope="module")
def kept_year(kept: Callable[..., TestStore]) -> TestStore:
    made = kept(empty)
    year(made)
    return made


@pytest.fixture(scope="module")
def whole(
    kept_year: TestStore, embedded_broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TrackedStore]:
    path = tmp_path_factory.mktemp("statements")
    with closing(store_for(kept_year, MASTER, embedded_broker.bootstrap_servers, path)) as outer:
        (path / "keys").write_text(f"# of the log\n{LOG_KEY.verifier_key.text}\n")
        yield outer


def made(store: TestStore, month: str, addressee: str = S1, now: datetime = LATER) -> Statement:
    with store.connect() as conn:
        found = statement(conn, "150100", addressee, month, now)
    assert found is not None
    return found


def test_every_serial_is_in_one_month_as_it_was_known_at_its_end(kept_year: TestStore) -> None:
    march, april, may, june, july = (made(kept_year, month) for month in MONTHS)
    for one in (march, april, may, june, july):
        check_statement(Statement.model_validate_json(one.model_dump_json()), KEYS)
    for before, after in pairwise((march, april, may, june, july)):
        assert after.first == before.second
        assert after.serials[0] == before.serials[1] + 1
    assert [len(one.items) for one in (march, april, may, june, july)] == [5, 2, 1, 1, 0]
    # serial 6 is the disposition of its own feedback, the seventh case's notice came a minute before the month's end
    assert [item.about for item in april.items] == ["disposition", "decision"]
    assert [(one.carried, one.over) for one in (march, april, may)] == [(0, True), (1, True), (0, True)]
    assert may.items[0].owed_at < may.since
    assert (march.name, march.store, march.items[0].matter_name) == ("监管一局", "150100", "施工许可")
    by_case = {item.case: item for item in march.items}
    assert {case: item.status for case, item in by_case.items()} == {
        "1": "received", "2": "received", "3": "outstanding", "4": "moved", "5": "outstanding",
    }  # fmt: skip
    assert str(by_case["4"].moved_to).startswith(f"{S3}/")
    assert by_case["4"].returned_at is not None
    assert {case: item.lamp for case, item in by_case.items()} == {
        "1": "green", "2": "red", "3": "red", "4": "green", "5": "red",
    }  # fmt: skip
    [finding] = march.feedback
    assert (finding.number, finding.status, finding.outcome, finding.disposed_at) == ("F1", "open", None, None)
    assert april.feedback == []


def test_the_totals_are_those_of_the_statistics(kept_year: TestStore) -> None:
    """Of a month with all its checkpoints in time the period by checkpoints and that by days are the same."""
    march, known = made(kept_year, "2026-03"), date(2026, 3, 31)
    with kept_year.connect_reader() as conn:
        found = counters(conn, "department", Asked(S1, None, None, date(2026, 3, 1), known), Known(known, known))
    counts = dict(found[S1])
    for name, value in march.totals.model_dump().items():
        if name in counts and not name.startswith("feedback"):
            assert counts[name] == value, name
    assert counts["owed"] == march.totals.owed == 5
    assert (march.totals.due, march.totals.received_in_time) == (counts["due"], counts["received_in_time"]) == (4, 1)
    assert (march.totals.feedback_raised, march.totals.feedback_disposed) == (1, 0)
    totals = march.totals
    assert totals.owed == totals.received + totals.deemed + totals.moved + totals.outstanding


def test_who_has_the_leaves_finds_them_all(kept_year: TestStore) -> None:
    with kept_year.connect() as conn:
        entries = ledger_entries(conn, S1)
    kept = [Kept(one.row.version, entry=one.leaf) for one in entries]
    listed = 0
    for month in MONTHS:
        one = made(kept_year, month)
        assert check_kept(one, kept) == []
        listed += len(one.items)
    assert listed == len(kept) == 9


def test_who_was_told_nothing_has_that_proven(kept_year: TestStore) -> None:
    for addressee in ("jw", "nobody"):
        one = made(kept_year, "2026-03", addressee)
        assert (one.items, one.second.ledger) == ([], None)
        assert check_statement(one, KEYS).ledger.size == 0
    with kept_year.connect() as conn:
        assert statement(conn, "150100", S1, "2026-02", LATER) is None  # there was no store then
        assert statement(conn, "150100", S1, "2027-02", LATER) is None


def test_a_month_that_is_over_stays_as_it_is(kept_year: TestStore) -> None:
    end = month_period("2026-03").until
    running = made(kept_year, "2026-03", now=end + SETTLED - timedelta(seconds=1))
    assert (running.over, running.as_at) == (False, datetime(2026, 3, 10, 1, tzinfo=UTC))
    check_statement(running, KEYS)
    assert made(kept_year, "2026-03", now=end + SETTLED) == made(kept_year, "2026-03", now=LATER)


def test_months_join_however_checkpoints_fall(stores: Callable[..., TestStore]) -> None:
    """Checkpoints of every few events, moved over a year at random."""
    store = stores(empty)
    store.writer = Writer(store.connect, store.sealer.seal_all, clock=lambda: store.now)
    registers(store)
    for number in range(1, 13):
        granted(store, str(number))
    store.prove(limit=5)
    with store.connect() as conn:
        sizes = [row[0] for row in conn.execute("SELECT size FROM proof.checkpoint ORDER BY size")]
    assert len(sizes) > 8
    dice = random.Random(20)
    for _ in range(6):
        days = sorted(dice.randrange(365) for _ in sizes)
        for size, day in zip(sizes, days, strict=True):
            made_at(store, "size = %s", datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day), size)
        months = [f"2026-{month:02}" for month in range(1, 13)]
        first = min(
            months, key=lambda month: days[0] > (month_period(month).until - datetime(2026, 1, 1, tzinfo=UTC)).days
        )
        found = [made(store, month, S2) for month in months[months.index(first) :]]
        assert found[0].serials[0] == 1
        for one in found:
            check_statement(one, KEYS)
        for before, after in pairwise(found):
            assert after.serials[0] == before.serials[1] + 1
        assert found[-1].serials[1] == 12


def test_on_the_terminal(kept_year: TestStore, whole: TrackedStore, tmp_path: Path) -> None:
    file, keys = tmp_path / "march.json", str(whole.settings.data_dir / "keys")
    said = command(whole, "statement", "of", S1, "--month", "2026-03", "--out", str(file))
    assert "监管一局 2026-03：告知 5 项，编号 1 至 5；已签收 2、视为接收 0、已移交 1、未签收 2" in said
    again = tmp_path / "again.json"
    command(whole, "statement", "of", S1, "--month", "2026-03", "--out", str(again))
    assert again.read_bytes() == file.read_bytes()
    assert "已存在" in command(whole, "statement", "of", S1, "--month", "2026-03", "--out", str(file), code=1)
    assert "对账函成立：2026-03 监管一局，第 1 至 5 号共 5 项" in command(
        whole, "statement", "check", str(file), "--keys", keys
    )
    assert "none is missing or added" in command(whole, "statement", "check", str(file), "--keys", keys, "--lang", "en")
    one = Statement.model_validate_json(file.read_text())
    notices = [{"notice": item.notice, "serial": item.serial, "leaf": item.leaf, "more": 1} for item in one.items]
    kept = tmp_path / "kept.jsonl"
    kept.write_text("\n".join(json.dumps(notice) for notice in notices))
    assert "所存的告知与所列一致" in command(
        whole, "statement", "check", str(file), "--keys", keys, "--kept", str(kept)
    )
    kept.write_text("\n".join(json.dumps({"data": notice, "leaf": notice["leaf"]}) for notice in notices[1:4]))
    found = command(whole, "statement", "check", str(file), "--keys", keys, "--kept", str(kept), "--json", code=1)
    assert json.loads(found)["missing"] == [1, 5]
    kept.write_text(json.dumps(notices[0] | {"leaf": "00" * 32}))
    found = command(whole, "statement", "check", str(file), "--keys", keys, "--kept", str(kept), "--json", code=1)
    assert json.loads(found)["rule"] == "statement.kept"
    dropped = json.loads(file.read_text())
    dropped["items"].pop()
    file.write_text(json.dumps(dropped))
    found = command(whole, "statement", "check", str(file), "--keys", keys, "--json", code=1)
    assert json.loads(found) == {"holds": False, "rule": "statement.serials"}
    file.write_text("{}")
    command(whole, "statement", "check", str(file), "--keys", keys, code=1)
    command(whole, "statement", "of", S1, "--month", "2026-13", code=2)
    command(whole, "statement", "of", S1, "--month", "2026-03", "--out", str(tmp_path / "x.txt"), code=2)
    assert "没有检查点" in command(whole, "statement", "of", S1, "--month", "2026-02", code=1)


def test_all_departments_at_once(kept_year: TestStore, whole: TrackedStore, tmp_path: Path) -> None:
    found = json.loads(command(whole, "statement", "all", "--month", "2026-04", "--out", str(tmp_path / "a"), "--json"))
    assert {S1, S2, S3, APPROVAL} <= set(found["departments"])
    command(whole, "statement", "all", "--month", "2026-04", "--out", str(tmp_path / "b"))
    files = sorted(one.name for one in (tmp_path / "a").iterdir())
    assert len(files) == 2 * len(found["departments"])
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
    for name in files:
        if name.endswith(".json"):
            check_statement(Statement.model_validate_json((tmp_path / "a" / name).read_text()), KEYS)


def test_on_paper_it_says_what_the_data_say(kept_year: TestStore, whole: TrackedStore, tmp_path: Path) -> None:
    def paper(month: str) -> list[str]:
        file = tmp_path / f"{month}.pdf"
        command(whole, "statement", "of", S1, "--month", month, "--out", str(file))
        return [page.text for page in read_pdf(file.read_bytes()).pages]

    front, table, feedback, proof = paper("2026-03")
    march = made(kept_year, "2026-03")
    for text in (
        "关于核对2026年3月告知事项的函",
        "监管一局：",
        "共5项，编号1至5，无缺无重",
        "2026年4月1日",
        "核对凭据",
    ):
        assert text in front, text
    for text in ("按时签收率", "25.0%1/4", "施工许可", "已签收03-0309:00", "已移交s3", "未签收期限03-04"):
        assert text in table, text
    assert "F1" in feedback
    assert march.second.ledger is not None
    for text in (march.origin, march.second.ledger.root, f"日志{march.second.checkpoint.splitlines()[1]}项"):
        assert text in proof, text
    front, _, _ = paper("2026-07")
    assert "没有告知你单位的事项，已由检查点证明" in front
    front, *_ = paper("2026-04")
    assert "另有1项于期末前记录" in front


def test_over_http_for_the_department_and_inspectors(kept_year: TestStore, whole: TrackedStore) -> None:
    reads = "SELECT count(*) FROM shenguan.stored_events WHERE topic = 'read.recorded'"
    path = f"/departments/{S1}/statements/2026-03"
    with doors(whole) as opened:
        found = Statement.model_validate(opened.get(path, S1))
        assert found == made(kept_year, "2026-03").model_copy(update={"store": whole.settings.store})
        check_statement(found, KEYS)
        before = count(kept_year, reads)
        assert Statement.model_validate(opened.get(path, "jw")) == found
        paper = opened.client.get(f"/api/v1{path}.pdf", headers=opened.headers("jw"))
        assert paper.headers["content-type"] == "application/pdf"
        assert "监管一局：" in read_pdf(paper.content).pages[0].text
        assert count(kept_year, reads) == before + 2
        opened.get(path, S2, 404)
        opened.get(path, "operator", 403)
        opened.get(f"/departments/{S1}/statements/2026-02", S1, 404)
        for month in ("2026-13", "x", "2026-03.txt"):
            opened.get(f"/departments/{S1}/statements/{month}", S1, 422)


def test_the_list_of_stores_is_a_register_fact_and_proven(stores: Callable[..., TestStore]) -> None:
    """From its day on statements name it; a new list takes its place; struck, there is none."""
    store = stores(empty)
    store.writer = Writer(store.connect, store.sealer.seal_all, clock=lambda: store.now)
    reach(store, 2026, 3, 2, 1)
    registers(store)
    granted(store, "1")
    key = LOG_KEY.verifier_key
    one = ListedStore(store="150100", name="呼和浩特市", log=key.name, keys=(key.text,), since=date(2026, 1, 1))
    strange = new_signer_key("log.example/150000")
    other = ListedStore(
        store="150000", name="自治区", log=strange.name, keys=(verifier_key(strange).text,), since=date(2026, 1, 1)
    )
    prove(store)
    assert made(store, "2026-03").stores is None
    enter(store, StoreList(stores=(one,)), since=date(2026, 3, 1))
    enter(store, StoreList(stores=(one, other)), since=date(2026, 5, 1))
    prove(store)
    reach(store, 2026, 6, 2, 1)
    store.submit(StrikeEntry(department=OFFICE, kind="stores", key="stores", valid_from=date(2026, 6, 1), basis="止"))
    prove(store)
    found = {month: check_statement(made(store, month), KEYS).stores for month in ("2026-04", "2026-05", "2026-06")}
    assert {month: [] if one is None else [it.store for it in one.stores] for month, one in found.items()} == {
        "2026-04": ["150100"], "2026-05": ["150100", "150000"], "2026-06": [],
    }  # fmt: skip


def test_the_list_on_the_terminal_and_what_verify_remarks(kept_year: TestStore, whole: TrackedStore) -> None:
    assert "没有信息库清单" in command(whole, "stores", code=1)
    assert remarks(whole) == []
    strange = new_signer_key("log.example/150000")
    other = ListedStore(store="other", name="自治区", log=strange.name, keys=(verifier_key(strange).text,), since=DAY)
    enter(kept_year, StoreList(stores=(other,)))
    assert [zh for zh, _ in remarks(whole)] == [f"信息库清单没有本库 {whole.settings.store}"]
    one = {"store": whole.settings.store, "name": "呼和浩特市", "log": LOG_KEY.verifier_key.name, "since": DAY}
    entry = StoreList(stores=(other, ListedStore(**one, keys=(LOG_KEY.verifier_key.text,))))
    kept_year.submit(EnterRegister(department=OFFICE, entry=entry, valid_from=DAY, basis="二"))
    prove(kept_year)
    assert "呼和浩特市" in command(whole, "stores")
    found = json.loads(command(whole, "stores", "--json"))
    assert check_stores(ProvenList.model_validate(found["proven"]), KEYS)[0] == entry
    assert [zh for zh, _ in remarks(whole)] == [
        f"信息库清单所列本库日志名为 {LOG_KEY.verifier_key.name}，实为 {whole.settings.log_name}"
    ]
    gone = EnterRegister(department=OFFICE, entry=StoreList(stores=(other,)), valid_from=DAY, basis="三")
    (result,) = kept_year.submit(gone, expect="dead").results
    assert [error.rule for error in result.outcome.errors] == ["stores.gone"]

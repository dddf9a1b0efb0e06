"""Read models: every event in them, whatever the batches; side-by-side rebuild; followers that fail alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from adapters.postgres.follower import PositionTaken, catch_up, move_position, run_batch
from domain.arrivals import Arrival
from domain.permits import (
    ChangeCase,
)
from domain.personal import unseal
from projections import outcomes, statistics
from projections.approvals import find_approvals
from projections.attempts import find_attempts
from projections.catalogue import PROJECTIONS
from projections.receipts import Receipts, find_receipts
from projections.two_way import find_steps
from tests.integration.region import (
    APPROVAL,
    DAY,
    FORMER,
    HIGHER,
    OFFICE,
    OWN_MATTER,
    S1,
    S2,
    S3,
    accept,
    case,
    one,
    snapshot,
)
from tests.integration.teststore import TestStore


class TestApprovals:
    def test_one_row_says_who_approved_what(self, full: TestStore) -> None:
        with full.connect_reader() as conn:
            row = one(find_approvals(conn, number="1").rows)
        assert (row["organ"], row["matter_name"], row["party_name"]) == (APPROVAL, "施工许可", "蒙草公司")
        assert (row["status"], row["decided_by"], row["officer"]) == ("granted", APPROVAL, "007")
        assert (row["power_since"], row["power_basis"]) == (date(2025, 1, 1), "内政办发〔2020〕9号")
        assert (row["document_number"], row["licence_number"], row["valid_to"]) == ("文一", "证1", date(2031, 1, 1))
        assert (row["seals"], row["last_change"], row["last_change_on"]) == (1, "case.corrected", DAY)
        assert row["uscc_valid"] is False
        assert row["decision_position"] < row["last_position"]
        assert unseal(row["officer_name"], full.open) == "张三丰"

    def test_endings(self, full: TestStore) -> None:
        found = full.rows("SELECT number, status, ended_by, outcome, legacy FROM read.approvals ORDER BY number")
        assert [row[:4] for row in found] == [
            ("1", "granted", None, "granted"),
            ("2", "ended", "withdrawn", "granted"),
            ("3", "ended", "cancelled", "granted"),
            ("4", "ended", "revoked", "granted"),
            ("5", "not_granted", None, "not_granted"),
            ("6", "granted", None, "granted"),
            ("7", "accepted", None, None),
            ("8", "granted", None, "granted"),
            ("9", "granted", None, "granted"),
        ]
        assert [row[0] for row in found if row[4]] == ["6"]

    def test_a_persons_name_is_stored_sealed(self, full: TestStore) -> None:
        (row,) = full.rows("SELECT party_name FROM read.approvals WHERE number = '7'")
        assert row[0].keys() == {"subject", "ciphertext", "commitment"}
        assert unseal(row[0], full.open) == "赵铁柱"

    def test_a_matter_that_was_not_transferred_has_no_power_from_a_transfer(self, full: TestStore) -> None:
        assert full.rows("SELECT power_since FROM read.approvals WHERE number = '8'") == [(None,)]

    def test_a_cut_list_says_so(self, full: TestStore) -> None:
        with full.connect_reader() as conn:
            found = find_approvals(conn, limit=2)
        assert (len(found.rows), found.total, found.cut) == (2, 9, True)


class TestReceipts:
    def test_a_receipt_before_the_dispatch_is_recorded_stands(self, full: TestStore) -> None:
        with full.connect_reader() as conn:
            row = next(
                r for r in find_receipts(conn, case=f"case/{APPROVAL}/9").rows if r["notice"] == f"{S1}/test/d-9"
            )
        assert row["status"] == "received"
        assert row["received_at"] == full.now - timedelta(minutes=5)
        assert (row["received_by"], row["channel"], row["topic_id"], row["offset"]) == ("42", "kafka", "topic-1", 7)
        assert row["dispatched_at"] == full.now
        assert (row["delivered_group"], row["delivered_committed"]) == ("group", 8)
        assert row["taken_at"] == full.now
        assert row["held_until"] == row["received_at"]
        assert unseal(row["received_by_name"], full.open) == "王小二"

    def test_moved_chain_ends_in_one_outstanding_notice(self, full: TestStore) -> None:
        chain = full.rows(
            "SELECT notice, origin, status, moved_to, returns, root FROM read.receipts"
            f" WHERE case_stream = 'case/{APPROVAL}/9' AND root = 'decision' AND notice <> '{S1}/test/d-9'"
            " ORDER BY owed_position"
        )
        assert chain == [
            (f"{S2}/test/d-9", None, "moved", f"{S3}/test/r1", 0, "decision"),
            (f"{S3}/test/r1", f"{S2}/test/d-9", "moved", f"{OFFICE}/test/r2", 1, "decision"),
            (f"{OFFICE}/test/r2", f"{S3}/test/r1", "moved", f"{S2}/test/r3", 2, "decision"),
            (f"{S2}/test/r3", f"{OFFICE}/test/r2", "outstanding", None, 2, "decision"),
        ]

    def test_serials_are_gapless(self, full: TestStore) -> None:
        found = full.rows("SELECT department, array_agg(serial ORDER BY serial) FROM read.receipts GROUP BY 1")
        assert found
        assert all(serials == list(range(1, len(serials) + 1)) for _, serials in found)

    def test_what_is_owed_is_received_deemed_moved_or_outstanding(self, full: TestStore) -> None:
        with full.connect_reader() as conn:
            n = statistics.notices_of_decisions(conn)
            assert statistics.decisions(conn) == 8
            assert statistics.seals(conn) == {"applied": 1, "refused": 2}
        assert n["owed"] == n["received"] + n["deemed"] + n["moved"] + n["outstanding"]
        assert n["first"] == 10  # five granted and pushed decisions, two supervisors each
        assert n["owed"] == n["first"] + 3 + 2  # three moves of case 9, one correction to two holders
        assert (n["dispatched"], n["delivered"], n["received"], n["deemed"], n["moved"]) == (1, 1, 1, 0, 5)

    def test_filters(self, full: TestStore) -> None:
        with full.connect_reader() as conn:
            found = find_receipts(conn, department=S2, outstanding=True)
            assert {r["department"] for r in found.rows} == {S2}
            assert {r["status"] for r in found.rows} == {"outstanding"}
            assert find_receipts(conn, since=datetime(2100, 1, 1, tzinfo=UTC)).total == 0
            assert find_receipts(conn, matter=OWN_MATTER).total == 0


class TestTwoWay:
    def test_the_record_holds_both_directions(self, full: TestStore) -> None:
        with full.connect_reader() as conn:
            steps = find_steps(conn, f"case/{APPROVAL}/9").rows
        kinds = [step["kind"] for step in steps]
        assert kinds == [
            "case.accepted", "case.decided", "notice.owed", "notice.owed", "notice.received", "notice.taken",
            "notice.dispatched", "notice.delivered", "notice.returned", "case.supervision_moved", "notice.owed",
            "notice.moved", "notice.returned", "case.supervision_moved", "notice.owed", "notice.moved",
            "case.supervision_moved", "notice.owed", "notice.moved", "feedback.raised", "notice.owed",
            "feedback.disposed", "notice.owed",
        ]  # fmt: skip
        sent = next(step for step in steps if step["kind"] == "notice.dispatched")
        assert (sent["department"], sent["from_department"], sent["to_department"]) == (S1, None, S1)
        assert (sent["channel"], sent["notice"], sent["serial"]) == ("kafka", f"{S1}/test/d-9", 11)
        raised = next(step for step in steps if step["kind"] == "feedback.raised")
        assert (raised["from_department"], raised["to_department"]) == (S1, APPROVAL)
        assert raised["summary"]["detail"].keys() == {"subject", "ciphertext", "commitment"}

    @pytest.mark.parametrize("table", ["approvals", "receipts", "attempts", "two_way", "feedback", "inspections"])
    def test_no_personal_data_in_clear(self, full: TestStore, table: str) -> None:
        text = repr(full.rows(f"SELECT * FROM read.{table}"))
        for secret in ("张三丰", "王小二", "赵铁柱", "E12345678", "李联络", "现场不符", "准予施工", "不归我", "孙检查"):
            assert secret not in text


class TestRowLevelSecurity:
    def test_a_department_sees_its_own_rows_only(self, full: TestStore) -> None:
        assert {r[0] for r in full.rows("SELECT department FROM read.receipts", S1)} == {S1}
        own = {r[0] for r in full.rows("SELECT case_stream FROM read.receipts", S1)}
        told = {r[0] for r in full.rows("SELECT stream FROM read.approvals", S1)}
        assert told
        assert told <= own
        assert full.rows("SELECT * FROM read.approvals", "nobody") == []
        acted = {r[0] for r in full.rows("SELECT case_stream FROM read.two_way WHERE department = 'zjj'", FORMER)}
        for stream, organ in full.rows("SELECT stream, organ FROM read.approvals", FORMER):
            assert organ == FORMER or stream in acted
        assert {r[0] for r in full.rows("SELECT rule FROM read.attempts", FORMER)} == {"seal.second", "seal.demand"}
        assert full.rows("SELECT * FROM read.attempts", S1) == []

    def test_every_party_sees_the_whole_record_and_nobody_else_any_of_it(self, full: TestStore) -> None:
        query = f"SELECT count(*) FROM read.two_way WHERE case_stream = 'case/{APPROVAL}/{{}}'"
        for party in (APPROVAL, S1, S2, S3, OFFICE):
            assert full.rows(query.format(9), party) == [(23,)]
        assert full.rows(query.format(9), FORMER) == [(0,)]
        assert full.rows(query.format(1), S3) == [(0,)]
        assert full.rows(query.format(4), HIGHER)[0][0] > 0
        assert full.rows("SELECT count(*) FROM read.two_way", "nobody") == [(0,)]

    def test_without_a_department_nothing_is_seen(self, full: TestStore) -> None:
        with psycopg.connect(full.urls.reader) as conn:
            assert conn.execute("SELECT count(*) FROM read.approvals").fetchone() == (0,)

    def test_readers_cannot_write_or_read_the_log(self, full: TestStore) -> None:
        for query in ("DELETE FROM read.receipts", "SELECT 1 FROM shenguan.stored_events"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                full.rows(query)


class TestAttempts:
    def test_who_tried_what(self, full: TestStore) -> None:
        with full.connect_reader() as conn:
            rows = find_attempts(conn, about=[f"case/{APPROVAL}/1"]).rows
        assert [(r["rule"], r["clause"], r["type"], r["department"], r["principal"]) for r in rows] == [
            ("seal.demand", "2.7c", "seal.demand", FORMER, FORMER),
            ("seal.second", "2.7b", "seal.apply", FORMER, FORMER),
        ]

    def test_of_a_classified_submission_nothing_is_kept(self, region: TestStore) -> None:
        region.submit(accept("g"), expect="refused", classified=True)
        region.project()
        (row,) = region.rows("SELECT department, about, officer, rule FROM read.attempts")
        assert row == ("", None, None, "classified")


class TestBatches:
    @pytest.mark.parametrize("limit", [1, 2, 7])
    def test_rows_do_not_depend_on_where_batches_end(self, full: TestStore, limit: int) -> None:
        with full.connect() as conn:
            expected = snapshot(conn)
            for projection in PROJECTIONS:
                conn.execute(f"TRUNCATE {', '.join('read.' + t for t in projection.tables)}")  # type: ignore[arg-type]
            with psycopg.connect(full.urls.migrator) as owner:
                owner.execute("DELETE FROM shenguan.notification_tracking")
            catch_up(conn, PROJECTIONS, limit)
            assert snapshot(conn) == expected

    def test_the_position_moves_forward_only(self, full: TestStore) -> None:
        with full.connect() as conn:
            with pytest.raises(PositionTaken):
                move_position(conn, "receipts", 1)
            assert run_batch(conn, Receipts()) == 0


class TestOutcomes:
    def test_counts_and_lists(self, region: TestStore) -> None:
        region.submit(accept("1"), id_="a1")
        first = region.arrival(accept("1"), id_="a1")
        region.writer.write([first])  # duplicate
        region.writer.write([first])  # the very record again
        region.submit(accept("2"), id_="a1", expect="conflict")
        region.submit(accept("1"), id_="a2", expect="refused")
        region.submit(case(ChangeCase, "zz", on=DAY, document_number="x", content="y"), expect="parked")
        region.submit(accept("3").model_copy(update={"accepted_on": date(2027, 1, 1)}), id_="dead", expect="dead")
        with region.connect() as conn:
            found = outcomes.counts(conn)
            dead = one(outcomes.find_dead(conn).rows)
            parked = one(outcomes.find_parked(conn).rows)
            conflict = one(outcomes.find_conflicts(conn).rows)
            holder = conn.execute("SELECT 1 FROM shenguan.submission WHERE id = 'a1' AND disposition = 'accepted'")
            assert holder.fetchone()
        assert found["in"] == sum(n for name, n in found.items() if name != "in")
        assert (found["duplicate"], found["conflict"], found["refused"]) == (2, 1, 1)
        assert (found["parked"], found["dead"]) == (1, 1)
        assert (dead["id"], dead["errors"][0]["field"], dead["errors"][0]["rule"]) == (
            "dead", "accepted_on", "date.future",
        )  # fmt: skip
        assert parked["waits_for"] == f"case/{APPROVAL}/zz"
        assert parked["expires_at"] > parked["parked_at"]
        assert conflict["holder"] is not None


def test_arrivals_are_sealed(region: TestStore) -> None:
    arrival: Arrival = region.arrival(accept("1"))
    assert arrival.submission is not None
    assert "张三丰" not in arrival.submission.payload.model_dump_json()

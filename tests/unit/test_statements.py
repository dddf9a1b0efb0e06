"""A department's month proves itself: all its serials and no others, joined to the months before and after."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.armour import armoured
from domain.statement_checks import Kept, check_entry, check_kept, check_statement
from domain.statements import Statement, ended_by, month_period, totals
from domain.unproven import Unproven
from tests.unit.merkle_kit import reasons
from tests.unit.statement_kit import KEYS, OTHER, Month, Months, month_at

MONTHS = Months([Month(["d", None, "e", "d"]), Month([None, "d", "e", "d", "d"]), Month(["e"]), Month([None, "d"])])
EVENTS = st.lists(st.sampled_from([None, "c", "d", "e"]), max_size=7)
PLANS = st.lists(st.builds(Month, EVENTS, st.booleans()), min_size=1, max_size=7).filter(
    lambda months: bool(months[0].events) and months[0].signed
)


@given(PLANS)
def test_months_join_without_a_gap(plan: list[Month]) -> None:
    """Whatever came when, and whichever month's end was late to be signed."""
    months = Months(plan)
    for addressee in ("c", "d", "nobody"):
        made = [months.statement(addressee, number) for number in range(len(plan))]
        checked = [check_statement(Statement.model_validate_json(one.model_dump_json()), KEYS) for one in made]
        for before, after in pairwise(made):
            assert after.serials[0] == before.serials[1] + 1
            assert after.first == before.second
        assert made[0].serials[0] == 1
        listed = [item.leaf for one in made for item in one.items]
        assert listed == [hash_.hex() for hash_ in months.of(addressee, months.ends[-1])]
        assert checked[-1].ledger.size == len(listed)


@given(PLANS, st.data())
def test_nothing_can_be_left_out_put_in_or_exchanged(plan: list[Month], data: st.DataObject) -> None:
    months = Months(plan)
    number = data.draw(st.integers(0, len(plan) - 1))
    made = months.statement("d", number)
    items = list(made.items)
    if not items:
        return
    at = data.draw(st.integers(0, len(items) - 1))
    dropped = [*items[:at], *items[at + 1 :]]
    renumbered = [one.model_copy(update={"serial": made.serials[0] + n}) for n, one in enumerate(dropped)]
    other = items[at].model_copy(update={"leaf": "00" * 32})
    for listed in (dropped, renumbered, [*items, items[at]], [*items[:at], other, *items[at + 1 :]]):
        forged = made.model_copy(update={"items": listed, "totals": totals(listed, [], made.ended)})
        with pytest.raises(Unproven):
            check_statement(forged, KEYS)


MADE = MONTHS.statement("d", 1)
LATER = MONTHS.statement("d", 3)
EMPTY = MONTHS.statement("d", 2)


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ({"frontier": []}, "frontier.shape"),
        ({"frontier": [armoured(bytes(32))]}, "statement.frontier"),
        ({"growth": LATER.growth}, "proof.long"),
        ({"growth": ["?"]}, "proof.hash"),
        ({"first": None}, "proof.long"),
        ({"first": None, "growth": []}, "frontier.shape"),
        ({"second": LATER.second}, "proof.root"),
        ({"second": MONTHS.proof("e", MONTHS.ends[1])}, "statement.department"),
        ({"origin": "log.example/2"}, "proof.origin"),
        ({"department": "e"}, "statement.department"),
        ({"month": "2026-03"}, "statement.period"),
        ({"as_at": MADE.until}, "statement.period"),
        ({"ended": MADE.ended - timedelta(days=1)}, "statement.period"),
        ({"totals": MADE.totals.model_copy(update={"received": 0})}, "statement.totals"),
        ({"items": [one.model_copy(update={"leaf": "x"}) for one in MADE.items]}, "proof.hash"),
        ({"items": EMPTY.items}, "statement.serials"),
        ({"items": MADE.items[::-1]}, "statement.serials"),
    ],
)
def test_or_it_does_not_hold(more: dict[str, Any], rule: str) -> None:
    assert reasons(check_statement, MADE.model_copy(update=more), KEYS) == rule


def test_only_the_logs_own_signature_counts() -> None:
    note, _ = MONTHS.checkpoint(MONTHS.ends[1], OTHER)
    second = MADE.second.model_copy(update={"checkpoint": note})
    assert reasons(check_statement, MADE.model_copy(update={"second": second}), KEYS) == "note.unsigned"


def test_a_month_without_a_notice_is_proven_to_have_none() -> None:
    assert (EMPTY.items, EMPTY.serials) == ([], (6, 5))
    assert check_statement(EMPTY, KEYS).ledger.size == 5
    nobody = MONTHS.statement("nobody", 0)
    assert nobody.second.ledger is None
    assert check_statement(nobody, KEYS).ledger.size == 0


def test_what_was_kept_is_held_against_it() -> None:
    entries = MONTHS.mine("d")
    kept = [
        Kept(one.serial, one.notice, one.leaf, entries[one.serial - 1])
        for statement in (MONTHS.statement("d", 0), MADE)
        for one in statement.items
    ]
    assert check_kept(MADE, kept) == []
    assert check_kept(MADE, [one for one in kept if one.serial not in (4, 5)]) == [4, 5]
    assert check_kept(EMPTY, kept) == []
    assert reasons(check_kept, MADE, [Kept(3, "d/x/1")]) == "statement.kept"
    assert reasons(check_kept, MADE, [kept[2]._replace(leaf="00" * 32)]) == "statement.kept"
    assert reasons(check_kept, MADE, [kept[2]._replace(entry=entries[3])]) == "statement.leaf"


@pytest.mark.parametrize(
    "more",
    [
        {"notice": "d/x/0"}, {"about": "change"}, {"matter": "n"}, {"case": "7"}, {"organ": "y"},
        {"owed_at": datetime(2026, 2, 2, tzinfo=UTC)}, {"serial": 4}, {"leaf": "00" * 32},
    ],
)  # fmt: skip
def test_the_table_says_what_the_leaf_says(more: dict[str, Any]) -> None:
    item, entry = MADE.items[0], MONTHS.mine("d")[2]
    check_entry(MADE, item, entry)
    assert reasons(check_entry, MADE, item.model_copy(update=more), entry) == "statement.leaf"


def test_a_month_is_beijings() -> None:
    for number in range(26):
        since, until = month_period(month_at(number))
        assert until == month_period(month_at(number + 1)).since
        assert since.astimezone(UTC).hour == 16
        assert (since.day, until.day) == (1, 1)
    for text in ("2026-13", "2026-1", "1999-01", "2026-01 ", "2026-00", "２０26-01"):
        with pytest.raises(ValueError, match="not a month"):
            month_period(text)
    end = month_period("2026-02").until
    assert str(ended_by(end - timedelta(microseconds=1))) == "2026-02-28"
    assert str(ended_by(end - timedelta(microseconds=2))) == "2026-02-27"


def test_time_limits_are_counted_for_who_held_the_notice_then() -> None:
    """As docs/reference/statistics.md has it: paused or moved in time is not due, received late is not in time."""
    base = MADE.items[0].model_copy(update={"due_on": MADE.ended, "received_at": None, "status": "outstanding"})
    day = datetime.combine(MADE.ended, datetime.min.time(), UTC)

    def counted(**more: Any) -> tuple[int, int]:
        found = totals([base.model_copy(update=more)], [], MADE.ended)
        return found.due, found.received_in_time

    assert counted() == (1, 0)
    assert counted(lamp="paused") == (0, 0)
    assert counted(due_on=None) == (0, 0)
    assert counted(due_on=MADE.ended + timedelta(days=1)) == (0, 0)
    assert counted(moved_at=day, status="moved") == (0, 0)
    assert counted(moved_at=day + timedelta(days=1), status="moved") == (1, 0)
    assert counted(received_at=day, status="received") == (1, 1)
    assert counted(received_at=day + timedelta(days=1), status="received") == (1, 0)

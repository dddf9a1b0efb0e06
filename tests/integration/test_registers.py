"""The registers asked at the terminal, along both time axes: as true at a date, as known at a moment."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.guides import Guide
from domain.handovers import DrawHandover, DutyNote, HandoverItem, SignHandover
from domain.identifiers import make_matter_code, make_uscc
from domain.lists import PowerItem, SupervisionItem
from domain.matters import Matter, RegisterMatter
from domain.reform import Deferral, Proposal
from domain.registering import AnyEntry, EnterRegister, StrikeEntry
from domain.reviews import SystemAccess
from domain.seal_registry import Seal
from domain.seals import ApplySeal
from tests.integration.region import APPROVAL, DAY, FORMER, HIGHER, MATTER, OFFICE, OWN_MATTER, S1, case, granted
from tests.integration.test_queries import ask, ask_json
from tests.integration.teststore import TestStore

ELSEWHERE = make_matter_code(make_uscc("11150200000000002"), 3, MATTER[19:])
ITEM: dict[str, Any] = {"matter": MATTER, "legal_basis": "建筑法第七条", "published_on": date(2026, 3, 1)}
POWER = PowerItem(**ITEM, name="施工许可", organ=APPROVAL, duties=("受理", "审查"))
SUPERVISION = SupervisionItem(**ITEM, name="施工现场检查", organ=S1, item="JG-1", duties=("日常检查",))

SEAL = Seal(
    code="SP1",
    name="审批局行政审批专用章",
    seal_kind="special_seal",
    owners=(APPROVAL,),
    delegated_to=(HIGHER,),
    certificate_serial="AB12",
    certificate_from=date(2025, 1, 1),
    certificate_to=date(2026, 12, 31),
)
JOINT = SEAL.model_copy(
    update={"code": "LH1", "name": "联合审批专用章", "owners": (APPROVAL, S1), "certificate_to": date(2025, 12, 31)}
)


def enter(
    store: TestStore, *entries: AnyEntry, since: date = date(2026, 3, 1), expect: str | None = "accepted"
) -> None:
    store.submit(
        *(EnterRegister(department=OFFICE, entry=one, valid_from=since, basis="通知") for one in entries), expect=expect
    )


def moment_after(store: TestStore) -> str:
    """A time at which all that was recorded so far, and nothing after it, is known."""
    with store.connect() as conn:
        row = conn.execute("SELECT max(recorded_at) FROM shenguan.stored_events").fetchone()
    assert row is not None
    return str(max(row[0], datetime(2000, 1, 1, tzinfo=UTC)).isoformat())


@pytest.mark.door("command")
@pytest.mark.clause("1.2b")
def test_who_held_the_power_on_a_date(region: TestStore) -> None:
    before, after = (
        ask_json(region, "matters", MATTER, "--as-true-at", day)["items"][0] for day in ("2024-12-31", "2025-01-01")
    )
    assert (before["standing"], before["holder"], before["supervisors"]) == ("untransferred", FORMER, [])
    assert (after["standing"], after["holder"], after["since"]) == ("transferred", APPROVAL, "2025-01-01")
    assert (after["basis"], after["supervisors"]) == ("内政办发〔2020〕9号", [S1, "s2"])
    text = ask(region, "matters", "--as-true-at", "2026-03-02")
    assert "审批局" in text
    assert "监管一局、监管二局" in text
    assert "未划转" in text
    assert "held by" in ask(region, "matters", "--lang", "en")


@pytest.mark.door("command")
@pytest.mark.clause("1.2b", refused=True)
def test_what_is_not_registered_or_no_date_is_told(region: TestStore) -> None:
    assert ask_json(region, "matters", MATTER[:-1] + "9", code=1)["error"] == "no such matter is registered"
    assert "不是 ISO 8601 时间" in ask(region, "matters", "--as-true-at", "昨天", code=2)


@pytest.mark.door("command")
@pytest.mark.clause("1.2a")
@pytest.mark.clause("1.2d")
def test_deferred_matters_and_their_reviews(region: TestStore) -> None:
    enter(region, Proposal(matter=OWN_MATTER, batch="2026-1"))
    proposed = moment_after(region)
    enter(
        region, Deferral(matter=OWN_MATTER, reason="检测能力不足", review_on=date(2026, 9, 1)), since=date(2026, 3, 2)
    )
    found = ask_json(region, "matters", "--standing", "deferred", "--as-true-at", "2026-09-01")["items"]
    assert [(one["code"], one["review_on"], one["review_due"]) for one in found] == [(OWN_MATTER, "2026-09-01", True)]
    assert not ask_json(region, "matters", OWN_MATTER, "--as-true-at", "2026-08-31")["items"][0]["review_due"]
    then = ("--as-true-at", "2026-09-01", "--as-known-at", proposed)
    assert ask_json(region, "matters", OWN_MATTER, *then)["items"][0]["standing"] == "proposed"
    assert "2026-1" in ask(region, "lists", "proposal")
    batch = ("matters", "--batch", "2026-1", "--as-true-at", "2026-09-01")
    assert [one["code"] for one in ask_json(region, *batch)["items"]] == [OWN_MATTER]


@pytest.mark.door("command")
@pytest.mark.clause("1.3a")
@pytest.mark.clause("1.3d")
def test_a_list_is_published_as_it_stood(region: TestStore, tmp_path: Path) -> None:
    enter(region, POWER)
    first = moment_after(region)
    enter(region, POWER.model_copy(update={"duties": ("受理",)}), since=date(2026, 6, 1))
    region.submit(
        StrikeEntry(department=OFFICE, kind="power_item", key=MATTER, valid_from=date(2026, 8, 1), basis="取消")
    )
    duties = [
        [one["duties"] for one in ask_json(region, "lists", "power_item", "--as-true-at", day)["items"]]
        for day in ("2026-02-28", "2026-03-01", "2026-06-01", "2026-08-01")
    ]
    assert duties == [[], [["受理", "审查"]], [["受理"]], []]
    then = ask_json(region, "lists", "power_item", "--as-true-at", "2026-12-31", "--as-known-at", first)
    assert then["items"][0]["duties"] == ["受理", "审查"]
    file = tmp_path / "权力清单.csv"
    assert "共 1 条" in ask(region, "lists", "power_item", "--as-true-at", "2026-03-01", "--csv", str(file))
    [row] = csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines())
    assert (row["名称"], row["实施部门"], row["责任事项"], row["公布日期"]) == (
        "施工许可",
        "审批局",
        "受理、审查",
        "2026-03-01",
    )
    assert "须是" in ask(region, "lists", "nothing", code=2)


@pytest.mark.door("command")
@pytest.mark.clause("1.3b")
@pytest.mark.clause("1.3c")
def test_what_the_lists_lack_of_each_other(region: TestStore) -> None:
    lacking = ask_json(region, "mismatches")["items"]
    assert [(one["matter"], one["wanting"]) for one in lacking] == [
        (MATTER, "power_item"),
        (MATTER, "supervision_item"),
    ]
    enter(region, POWER, SUPERVISION)
    assert ask_json(region, "mismatches", "--as-true-at", "2026-03-01") == {"total": 0, "shown": 0, "items": []}
    assert "权力清单项" in ask(region, "mismatches", "--as-true-at", "2026-02-28")


@pytest.mark.clause("1.3a", refused=True)
@pytest.mark.clause("1.3b", refused=True)
def test_wrong_entries_are_refused_and_on_record(region: TestStore) -> None:
    enter(region, POWER.model_copy(update={"organ": FORMER}), SUPERVISION.model_copy(update={"organ": APPROVAL}),
          expect="refused")  # fmt: skip
    assert ask_json(region, "lists", "power_item")["items"] == []
    with region.connect() as conn:
        rows = conn.execute("SELECT state FROM shenguan.stored_events WHERE topic = 'attempt.refused'").fetchall()
    assert len(rows) == 2


@pytest.mark.door("command")
@pytest.mark.clause("2.1a")
@pytest.mark.clause("2.1b")
@pytest.mark.clause("2.1c")
def test_handovers_show_until_both_have_signed(region: TestStore) -> None:
    [none] = ask_json(region, "handovers")["items"]
    assert (none["matter"], none["progress"], none["number"]) == (MATTER, "none", None)
    package = DrawHandover(
        department=FORMER,
        number="J1",
        taker=APPROVAL,
        matters=(MATTER,),
        items=(HandoverItem(kind="archive", title="2019 年档案", copies=1204),),
        note=DutyNote(approval=("审查",), supervision=("日常检查",)),
    )
    region.submit(package, SignHandover(department=FORMER, giver=FORMER, number="J1"))
    drawn = moment_after(region)
    text = ask(region, "handovers", "--incomplete")
    assert all(word in text for word in ("已开具", "住建局", "2019 年档案 × 1204", "日常检查"))
    region.submit(SignHandover(department=APPROVAL, giver=FORMER, number="J1"))
    assert ask_json(region, "handovers", "--incomplete")["items"] == []
    [complete] = ask_json(region, "handovers")["items"]
    assert (complete["progress"], complete["signed"]) == ("complete", [FORMER, APPROVAL])
    assert complete["items"] == [{"kind": "archive", "title": "2019 年档案", "copies": 1204}]
    assert ask_json(region, "handovers", "--as-known-at", drawn)["items"][0]["signed"] == [FORMER]


@pytest.mark.door("command")
@pytest.mark.clause("1.1d")
def test_who_answers_for_what_in_a_case(full: TestStore) -> None:
    enter(full, POWER.model_copy(update={"matter": MATTER}), SUPERVISION)
    found = ask_json(full, "liability", "9")["items"]
    assert [(one["side"], one["department"], one["status"]) for one in found] == [
        ("approval", APPROVAL, "granted"),
        ("supervision", S1, "taken"),
        ("supervision", "s2", "outstanding"),  # returned, returned again, and ruled to be its duty
    ]
    assert (found[0]["officer"], found[0]["basis"]) == ("007", "内政办发〔2020〕9号")
    assert [one["answers_for"] for one in found] == [["受理", "审查"], ["日常检查"], []]
    assert found[1]["basis"] == "建筑法第七条"
    text = ask(full, "liability", "9")
    assert all(word in text for word in ("审批侧", "监管侧", "监管一局", "已纳入监管"))


@pytest.mark.door("command")
@pytest.mark.clause("1.1d", refused=True)
def test_nobody_answers_for_a_case_that_is_not_there(full: TestStore) -> None:
    assert ask_json(full, "liability", "nobody", code=1)["error"] == "No case nobody."
    then = ask_json(full, "liability", "9", "--as-known-at", "2020-01-01", code=1)
    assert then["error"] == "No case 9."  # nothing was known yet


@pytest.mark.door("command")
@pytest.mark.clause("3.1a")
@pytest.mark.clause("3.1b")
def test_guides_and_what_is_handled_unlike(region: TestStore) -> None:
    guide = Guide(matter=MATTER, elements=("申请书",), steps=("受理", "决定"), promised_days=5)
    like = Matter(code=ELSEWHERE, name="施工许可", competent=FORMER, legal_basis="建筑法")
    region.submit(RegisterMatter(department=OFFICE, entry=like))
    enter(region, guide, guide.model_copy(update={"matter": ELSEWHERE, "promised_days": 9}))
    assert "承诺工作日" in ask(region, "lists", "guide", "--as-true-at", "2026-03-01")
    [found] = ask_json(region, "unlike", "--as-true-at", "2026-03-01")["items"]
    assert (found["matters"], found["differs"]) == ([MATTER, ELSEWHERE], ["promised_days"])
    assert "承诺时限" in ask(region, "unlike", "--as-true-at", "2026-03-01")
    granted(region, "77")
    region.project()
    steps = ask_json(region, "case", "77")["steps"]
    assert [s["summary"]["guide_since"] for s in steps if s["kind"] == "case.decided"] == ["2026-03-01"]


@pytest.mark.door("command")
@pytest.mark.clause("2.7a")
def test_the_register_of_seals_with_its_certificates(region: TestStore) -> None:
    enter(region, SEAL, JOINT, since=date(2025, 1, 1))
    first = moment_after(region)
    enter(region, JOINT.model_copy(update={"certificate_serial": "AB13", "certificate_to": date(2027, 12, 31)}))
    at = ("seals", "--as-true-at", "2026-03-01")
    found = ask_json(region, *at)["items"]
    assert [(one["key"], one["owners"], one["delegated_to"], one["status"]) for one in found] == [
        ("LH1", [APPROVAL, S1], [HIGHER], "valid"),
        ("SP1", [APPROVAL], [HIGHER], "valid"),
    ]
    assert ask_json(region, *at, "--expired")["items"] == []
    [then] = ask_json(region, *at, "--expired", "--as-known-at", first)["items"]
    assert (then["key"], then["certificate_serial"], then["status"]) == ("LH1", "AB12", "expired")
    assert {one["status"] for one in ask_json(region, "seals", "--as-true-at", "2028-01-01")["items"]} == {"expired"}
    assert ask_json(region, "seals", "--as-true-at", "2024-12-31")["items"] == []
    text = ask(region, *at)
    assert all(word in text for word in ("审批局、监管一局", "自治区厅", "专用章", "有效", "AB13"))
    text = ask(region, *at, "--lang", "en")
    assert all(word in text for word in ("Register of seals", "certificate is", "special purpose", "valid"))
    assert "审批局、监管一局" in ask(region, "lists", "seal", "--as-true-at", "2026-03-01")


@pytest.mark.clause("2.7a", refused=True)
@pytest.mark.clause("2.7b", refused=True)
def test_seal_actions_are_held_against_the_register(region: TestStore) -> None:
    enter(region, SEAL.model_copy(update={"delegated_to": (FORMER,)}))
    granted(region, "1")
    action: dict[str, Any] = {"document_sm3": "0" * 64, "applied_at": datetime(2026, 3, 2, tzinfo=UTC)}
    sp1 = action | {"seal": "SP1", "certificate_serial": "ab12", "document_sha256": "1" * 64}
    lh1 = action | {"seal": "LH1", "certificate_serial": "ab12"}
    region.submit(case(ApplySeal, "1", **sp1))
    region.submit(case(ApplySeal, "1", **lh1), expect="parked")
    region.submit(
        case(ApplySeal, "1", by=FORMER, **sp1),
        case(ApplySeal, "1", by=S1, **sp1),
        case(ApplySeal, "1", **(sp1 | {"certificate_serial": "ab13"})),
        expect="refused",
    )
    enter(region, JOINT.model_copy(update={"certificate_to": DAY + timedelta(days=1)}))
    region.project()
    steps = [one for one in ask_json(region, "case", "1")["steps"] if one["kind"] == "seal.applied"]
    found = [(s["seal"], s["registered"], s["document_sha256"]) for s in (one["summary"] for one in steps)]
    assert found == [("SP1", True, "1" * 64), ("LH1", True, None)]
    with region.connect() as conn:
        rows = conn.execute("SELECT rule FROM read.attempts ORDER BY position").fetchall()
    assert [row[0] for row in rows] == ["seal.second", "seal.second", "seal.certificate"]


@pytest.mark.door("command")
@pytest.mark.clause("4.2c")
def test_access_granted_from_above_is_listed(region: TestStore) -> None:
    access = SystemAccess(system="spsc", name="生产许可系统", granted_by=HIGHER, granted_to=APPROVAL)
    region.submit(EnterRegister(department=HIGHER, entry=access, valid_from=date(2026, 3, 1), basis="函"))
    text = ask(region, "lists", "system_access", "--as-true-at", "2026-03-01")
    assert all(word in text for word in ("生产许可系统", "自治区厅", "审批局"))


@pytest.mark.door("command")
@pytest.mark.clause("2.5c")
def test_the_ledger_of_blanks(full: TestStore) -> None:
    found = ask_json(full, "blanks", "--department", APPROVAL)["items"]
    assert [(one["series"], one["total"], one["issued"], one["left"]) for one in found] == [
        ("A", 3, 1, 2),
        ("B", 2, 0, 2),
    ]
    assert found[0]["runs"] == [[1, 3]]
    assert "结存" in ask(full, "blanks")

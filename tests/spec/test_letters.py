"""Letters: notices on paper for a department without a system, and the signed slip entered later (2.2h)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from domain.departments import department_stream
from domain.entries import entry_stream
from domain.letters import LetterIssued, letter_stream
from domain.notices import NoticeDispatched, NoticeReceived
from tests.spec.test_succession import rechecked
from tests.unit.spec import Region

HEAD = {"kind": "letterhead", "organ": "spj", "mark": "呼审批函", "address": "新华大街1号", "phone": "0471-0000001"}
NUMBER = "呼审批函〔2026〕1号"
SIGNER = {"id": "9", "name": "苏和"}
SCAN = {"scan_sha256": "a" * 64, "scan_sm3": "b" * 64}


def by_letter(region: Region, *departments: str) -> None:
    """They are told on paper, and by nothing else."""
    for code in departments:
        entry = {"code": code, "name": code, "roles": ["SUPERVISION"], "region": "150100", "valid_from": "2020-01-01"}
        region.accepted("department.register", "sgb", entry={**entry, "channels": ["letter"]})


def head(region: Region, **more: Any) -> None:
    region.accepted("register.enter", "sgb", entry=HEAD | more, valid_from="2026-01-01", basis="用印管理")


@pytest.fixture
def region(region: Region) -> Region:
    by_letter(region, "s1")
    head(region)
    return region


def letter(*notices: str, **more: Any) -> dict[str, Any]:
    return {"addressee": "s1", "issued_on": "2026-03-02", "notices": notices} | more


def issue(region: Region, *notices: str, by: str = "spj", late: bool = False, **more: Any) -> LetterIssued:
    issued, *dispatched = region.accepted("letter.issue", by, **letter(*notices, **more))
    assert isinstance(issued, LetterIssued)
    sent = [one for one in dispatched if isinstance(one, NoticeDispatched)]
    assert [(one.originator_id, one.channel, one.reference, one.in_time) for one in sent] == [
        (f"notice/{notice}", "letter", issued.number, not late) for notice in notices
    ]
    assert sent == dispatched
    return issued


def slip(issued: LetterIssued, **more: Any) -> dict[str, Any]:
    said = {"organ": issued.organ, "number": issued.number, "addressee": issued.addressee, "code": issued.code}
    return said | {"signer": SIGNER, "received_at": "2026-03-02T10:00:00+08:00"} | SCAN | more


def to_s1(region: Region, *numbers: str) -> list[str]:
    return [next(one for one in region.granted(number) if one.startswith("s1/")) for number in numbers]


@pytest.mark.clause("2.2h")
def test_a_letter_carries_notices_under_a_number_without_a_gap(region: Region) -> None:
    one, two, three = to_s1(region, "1", "2", "3")
    first = issue(region, one, two)
    assert (first.number, first.organ, first.addressee, first.notices) == (NUMBER, "spj", "s1", (one, two))
    assert first.originator_id == letter_stream("spj", 2026)
    assert len(first.code) == 9
    second = issue(region, three)
    assert (second.number, second.code != first.code) == ("呼审批函〔2026〕2号", True)
    assert region.state(one).dispatched == {"letter"}
    assert not region.state(one).received


@pytest.mark.clause("2.2h", refused=True)
def test_only_what_is_open_goes_by_letter_once_and_to_whom_it_is_owed(region: Region) -> None:
    first = region.granted("1")
    mine, other = sorted(first)
    region.refused("notice.not_addressee", "letter.issue", "spj", **letter(other))
    issue(region, mine)
    region.refused("letter.carried", "letter.issue", "spj", **letter(mine))
    [second] = to_s1(region, "2")
    region.accepted("notice.receive", "s1", notice=second, received_at="2026-03-01T10:00:00+08:00")
    region.refused("notice.already", "letter.issue", "spj", **letter(second))
    region.waits("notice/s1/spj/none", "letter.issue", "spj", **letter("s1/spj/none"))
    with pytest.raises(ValidationError, match=r"listed\.twice|两次"):
        region.submit("letter.issue", "spj", **letter(second, second))


@pytest.mark.clause("2.2h", refused=True)
def test_a_moved_notice_goes_by_no_letter(region: Region) -> None:
    [mine] = to_s1(region, "1")
    region.accepted("notice.return", "s1", notice=mine, proposed="s3", reason="不归我")
    region.refused("notice.moved", "letter.issue", "spj", **letter(mine))


@pytest.mark.clause("2.2h", refused=True)
def test_who_is_not_told_by_letter_gets_none(region: Region) -> None:
    notice = next(one for one in region.granted() if one.startswith("s2/"))
    region.refused("letter.channel", "letter.issue", "spj", **letter(notice, addressee="s2"))
    region.waits(department_stream("s9"), "letter.issue", "spj", **letter(notice, addressee="s9"))


@pytest.mark.clause("2.2h")
def test_the_reform_office_writes_for_whom_it_must(region: Region) -> None:
    head(region, organ="sgb", mark="呼审改函")
    [mine] = to_s1(region, "1")
    assert issue(region, mine, by="sgb").number == "呼审改函〔2026〕1号"


@pytest.mark.clause("2.2h", refused=True)
def test_a_letter_is_of_its_senders_own_cases_with_its_own_head(region: Region) -> None:
    entry = {"code": "pt", "name": "别的审批局", "roles": ["APPROVAL"], "region": "150100", "valid_from": "2020-01-01"}
    region.accepted("department.register", "sgb", entry=entry)
    [mine] = to_s1(region, "1")
    region.refused("mandate.role", "letter.issue", "s2", **letter(mine))
    region.waits(entry_stream("letterhead", "pt"), "letter.issue", "pt", **letter(mine))
    said = {"valid_from": "2026-01-01", "basis": "用印管理"}
    region.refused("letter.mark", "register.enter", "sgb", entry=HEAD | {"organ": "pt"}, **said)
    region.accepted("register.enter", "sgb", entry=HEAD | {"organ": "pt", "mark": "呼别函"}, **said)
    region.refused("letter.not_yours", "letter.issue", "pt", **letter(mine))
    region.refused("mandate.principal", "letter.issue", "spj", by="pt", **letter(mine))


def test_a_letters_date_is_none_to_come_and_none_before_what_it_tells_of(region: Region) -> None:
    [mine] = to_s1(region, "1")
    region.dead("issued_on", "date.future", "letter.issue", "spj", **letter(mine, issued_on="2026-03-03"))
    region.dead("issued_on", "date.order", "letter.issue", "spj", **letter(mine, issued_on="2026-03-01"))


def test_the_days_that_letters_bear_rise_with_their_numbers(region: Region) -> None:
    one, two, three = to_s1(region, "1", "2", "3")
    region.days_after(2)
    issue(region, one, issued_on="2026-03-03", late=True)
    region.dead("issued_on", "date.order", "letter.issue", "spj", **letter(two, issued_on="2026-03-02"))
    assert issue(region, two, issued_on="2026-03-03", late=True).number == "呼审批函〔2026〕2号"
    assert issue(region, three, issued_on="2026-03-04", late=True).number == "呼审批函〔2026〕3号"


@pytest.mark.clause("2.2h")
@pytest.mark.clause("2.2b")
def test_the_signed_slip_is_the_addressees_receipt(region: Region) -> None:
    one, two = to_s1(region, "1", "2")
    issued = issue(region, one, two)
    received = region.accepted("letter.receive", "spj", **slip(issued))
    assert [event.originator_id for event in received] == [f"notice/{one}", f"notice/{two}"]
    for event in received:
        assert isinstance(event, NoticeReceived)
        assert (event.letter, event.scan_sha256, event.scan_sm3) == (NUMBER, "a" * 64, "b" * 64)
        assert event.received_at == datetime(2026, 3, 2, 2, tzinfo=UTC)
        assert event.signer is not None
        assert event.received_by == event.signer
        assert event.signer.id == "9"
        assert getattr(event.signer.name, "subject", "") == "officer/s1/9"
        assert event.meta.department == "spj"
        assert event.waited == 0
        assert event.received_at < event.meta.occurred_at
    assert region.state(one).received
    region.accepted("notice.take", "s1", notice=one)


@pytest.mark.clause("2.2h")
def test_a_slip_may_name_the_day_only_and_some_of_the_notices(region: Region) -> None:
    one, two = to_s1(region, "1", "2")
    issued = issue(region, one, two)
    [first] = region.accepted("letter.receive", "spj", **slip(issued, notices=[two], received_at="2026-03-02"))
    assert isinstance(first, NoticeReceived)
    assert (first.day_only, first.received_at.isoformat()) == (True, "2026-03-02T00:00:00+08:00")
    assert not region.state(one).received
    region.refused("notice.already", "letter.receive", "spj", **slip(issued, notices=[two]))
    [rest] = region.accepted("letter.receive", "spj", **slip(issued))
    assert rest.originator_id == f"notice/{one}"
    region.refused("notice.already", "letter.receive", "spj", **slip(issued))


@pytest.mark.clause("2.2h", refused=True)
def test_a_slip_counts_only_with_its_letters_code_and_from_its_sender(region: Region) -> None:
    one, two = to_s1(region, "1", "2")
    issued = issue(region, one)
    other = issue(region, two)
    region.refused("letter.code", "letter.receive", "spj", **slip(issued, code=other.code))
    region.dead("code", "code.check", "letter.receive", "spj", **slip(issued, code=_mistyped(issued.code)))
    region.refused("letter.not_sender", "letter.receive", "s1", **slip(issued))
    region.refused("letter.not_sender", "letter.receive", "sgb", **slip(issued))
    region.refused("mandate.principal", "letter.receive", "spj", by="s1", **slip(issued))
    region.refused("notice.not_addressee", "letter.receive", "spj", **slip(issued, addressee="s2"))
    region.refused("letter.not_listed", "letter.receive", "spj", **slip(issued, notices=[two]))
    region.waits(letter_stream("spj", 2026), "letter.receive", "spj", **slip(issued, number="呼审批函〔2026〕9号"))
    assert not region.state(one).received


def _mistyped(code: str) -> str:
    return f"{(int(code[0]) + 1) % 10}{code[1:]}"


@pytest.mark.clause("2.2h", refused=True)
def test_a_slip_is_signed_after_its_letter_and_not_in_days_to_come(region: Region) -> None:
    issued = issue(region, *to_s1(region, "1"))
    for day, rule in (("2026-03-01", "date.order"), ("2026-03-03", "date.future")):
        region.dead("received_at", rule, "letter.receive", "spj", **slip(issued, received_at=day))
    region.dead("scan_sha256", "scan.missing", "letter.receive", "spj", **slip(issued, scan_sha256=None, scan_sm3=None))


@pytest.mark.clause("2.2h", refused=True)
def test_no_slip_is_signed_before_its_letter_was_there_whatever_day_it_bears(region: Region) -> None:
    [mine] = to_s1(region, "1")
    region.days_after(9)
    issued = issue(region, mine, late=True)
    for signed in ("2026-03-02", "2026-03-10T10:00:00+08:00"):
        region.dead("received_at", "date.order", "letter.receive", "spj", **slip(issued, received_at=signed))
    assert len(region.accepted("letter.receive", "spj", **slip(issued, received_at="2026-03-11"))) == 1


@pytest.mark.clause("2.2h")
def test_the_code_may_be_written_as_it_is_printed(region: Region) -> None:
    issued = issue(region, *to_s1(region, "1"))
    spaced = f"{issued.code[:3]} {issued.code[3:6]}-{issued.code[6:]}"
    assert len(region.accepted("letter.receive", "spj", **slip(issued, code=spaced))) == 1


@pytest.mark.clause("2.2h")
def test_whoever_has_the_senders_duties_enters_its_slips(region: Region) -> None:
    issued = issue(region, *to_s1(region, "1"))
    entry = {"code": "pt", "name": "新审批局", "roles": ["APPROVAL"], "region": "150100", "valid_from": "2020-01-01"}
    region.accepted("department.register", "sgb", entry=entry)
    region.accepted("department.succeed", "sgb", old="spj", to="pt", valid_from="2026-03-02", basis="合并")
    region.refused("department.ceased", "letter.receive", "spj", **slip(issued))
    assert len(region.accepted("letter.receive", "pt", **slip(issued))) == 1


def test_verify_finds_what_no_letter_says(region: Region) -> None:
    one, two = to_s1(region, "1", "2")
    issued = issue(region, one)
    issue(region, two)
    region.accepted("letter.receive", "spj", **slip(issued))
    assert rechecked(region.recorded) == []
    other = "呼审批函〔2026〕2号"
    for topic, wrong in (
        ("letter.issued", {"number": "呼审批函〔2026〕3号"}),
        ("notice.dispatched", {"reference": other}),
        ("notice.received", {"letter": other}),
        ("notice.received", {"signer": None}),
    ):
        first = next(at for at, found in enumerate(region.recorded) if topic == found.event.TOPIC)
        forged = [
            replace(found, event=found.event.model_copy(update=wrong)) if at == first else found
            for at, found in enumerate(region.recorded)
        ]
        assert any(found.startswith("letter") for found in rechecked(forged)), topic

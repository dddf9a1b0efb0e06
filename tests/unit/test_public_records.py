"""双公示 records: routed by the mapping, parked without one, and never by somebody who may not."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from domain import catalogue, system
from domain.cases import CaseAccepted, CaseDecided, LicenceIssued
from domain.departments import Department, RegisterDepartment, Role
from domain.event import Event
from domain.handling import Outcome, handle
from domain.identifiers import make_matter_code, make_resident_id, make_uscc
from domain.matters import MapPublicRecord, Matter, RegisterMatter, Supervisor, TransferMatter
from domain.notices import NoticeOwed
from domain.party import Party
from domain.personal import Person, Sealed, seal
from domain.public_records import CaseReported, PartyCodes, ReportPermit, document_key
from domain.registers import Registers
from domain.rules import Rejection
from domain.submissions import Payload, Submission, read_payload
from domain.world import World

assert catalogue.DECIDERS
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
ORGAN = make_uscc("11150100MB1234567")
MATTER = make_matter_code(make_uscc("11150100011000001"), 3, "000100001001")
RESIDENT = make_resident_id("15010219900101001")
BASIS = "呼政发〔2020〕12号"
PRINCIPALS = {"SG": ("SG",), "platform": ("PT", "SP"), "SP": ("SP",), "SC": ("SC",), "lone": ("PT",)}


class FakeSealer:
    def seal(self, subject: str, value: str) -> Sealed:
        return Sealed(subject=subject, ciphertext=value[::-1], commitment="0" * 64)

    def pseudonym(self, value: str) -> str:
        return value[::-1]


class Office:
    """A world with a market regulator's matter, transferred to the approval bureau, and a way of handing things in."""

    def __init__(self) -> None:
        def load(_: Iterable[str]) -> dict[str, list[Event]]:
            return {}

        self.world = World(Registers(), load)
        self.count = 0
        office = entry("SG", "REFORM_OFFICE")
        self.world.append(system.found(self.world, office, PRINCIPALS, "operator", NOW))
        for one in (entry("SP", "APPROVAL"), entry("SC", "SUPERVISION"), entry("PT", "PLATFORM")):
            self.ok(RegisterDepartment(department="SG", entry=one))
        matter = Matter(code=MATTER, name="食品经营许可", competent="SC", legal_basis="食品安全法")
        self.ok(RegisterMatter(department="SG", entry=matter))
        told = (Supervisor(department="SC"),)
        since = date(2020, 7, 1)
        transfer = TransferMatter(
            department="SG", matter=MATTER, valid_from=since, basis=BASIS, to="SP", supervisors=told
        )
        self.ok(transfer)

    def map(self, certificate_type: str = "食品经营许可证", organ: str = "SP") -> None:
        self.ok(
            MapPublicRecord(
                department="SG", organ_uscc=ORGAN, certificate_type=certificate_type, organ=organ, matter=MATTER
            )
        )

    def submit(self, payload: Payload, principal: str | None = None, at: datetime = NOW) -> Outcome:
        self.count += 1
        sealed = seal(payload, FakeSealer(), payload.subject() or "x")
        return handle(Submission("t", f"s{self.count}", at, principal or payload.department, "acl", sealed), self.world)

    def ok(self, payload: Payload, principal: str | None = None) -> tuple[Event, ...]:
        outcome = self.submit(payload, principal)
        assert outcome.disposition == "accepted", outcome
        return outcome.events


def entry(code: str, *roles: Role) -> Department:
    return Department(code=code, name=code, roles=roles, region="150100", valid_from=date(2020, 1, 1))


def permit(**more: Any) -> ReportPermit:
    """A food permit of a company, handed in by the platform."""
    given: dict[str, Any] = {
        "department": "PT",
        "organ_uscc": ORGAN,
        "organ_name": "呼和浩特市行政审批和政务服务局",
        "certificate": "食品经营许可证",
        "kind": "普通",
        "document_title": "准予行政许可决定书",
        "document_number": "呼审批许字〔2026〕1号",
        "licence_number": "JY11501020000001",
        "party": Party(kind="法人及非法人组织", name="内蒙古草原牧业有限公司"),
        "content": "热食类食品制售",
        "decided_on": date(2026, 1, 5),
        "valid_from": date(2026, 1, 5),
        "valid_to": date(2031, 1, 4),
        "source_name": "呼和浩特市行政审批和政务服务局",
        "source_uscc": ORGAN,
    }
    return ReportPermit(**(given | more))


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.mark.clause("2.6a")
class TestMapped:
    def test_one_row_is_one_decided_case_and_owes_its_notice(self, office: Office) -> None:
        office.map()
        events = office.ok(permit(note="备注"), "platform")
        assert [type(e) for e in events] == [CaseAccepted, CaseDecided, NoticeOwed, LicenceIssued, CaseReported]
        accepted, decision, notice, licence, reported = events
        assert accepted.originator_id == "case/SP/呼审批许字〔2026〕1号"
        assert [e.originator_version for e in (accepted, decision, licence, reported)] == [1, 2, 3, 4]
        assert isinstance(decision, CaseDecided)
        assert (decision.power_since, decision.power_basis) == (date(2020, 7, 1), BASIS)
        assert decision.supervisors == ("SC",)
        assert isinstance(notice, NoticeOwed)
        assert (notice.notice, notice.about) == ("SC/t/s" + str(office.count), "decision")
        assert {e.meta.department for e in events} == {"SP"}
        assert {e.meta.principal for e in events} == {"platform"}
        assert {e.meta.officer for e in events} == {None}

    def test_without_a_licence_number_no_licence(self, office: Office) -> None:
        office.map()
        events = office.ok(permit(licence_number=None), "platform")
        assert LicenceIssued not in [type(e) for e in events]

    def test_legacy_stock_owes_nothing(self, office: Office) -> None:
        office.map()
        events = office.ok(permit(basis="legacy"), "platform")
        assert NoticeOwed not in [type(e) for e in events]

    def test_the_kind_routes_only_where_no_certificate_is_named(self, office: Office) -> None:
        office.map("普通")
        assert office.submit(permit(), "platform").disposition == "parked"
        office.ok(permit(certificate=None), "platform")

    def test_nothing_personal_stays_in_clear(self, office: Office) -> None:
        office.map()
        person = Person(name="白其其格", id_type="身份证", id_number=RESIDENT)
        events = office.ok(
            permit(
                party=Party(kind="自然人", name="白其其格", person=person),
                party_codes=PartyCodes(tax_number=RESIDENT, representative_document="身份证 123"),
                content="许可白其其格经营",
                note="联系白其其格",
                kind_detail="其他-白其其格",
            ),
            "platform",
        )
        text = "".join(e.model_dump_json() for e in events)
        assert "白其其格" not in text
        assert f'"{RESIDENT}"' not in text


class TestUnmapped:
    def test_waits_for_the_organs_mapping(self, office: Office) -> None:
        outcome = office.submit(permit(), "platform")
        assert (outcome.disposition, outcome.stream) == ("parked", f"mapping/{ORGAN}")
        office.map()
        office.ok(permit(), "platform")

    def test_an_unknown_department_is_waited_for(self, office: Office) -> None:
        assert office.submit(permit(department="PT2"), "platform").rule == "mandate.principal"


@pytest.mark.clause("2.6a", refused=True)
class TestRefused:
    @pytest.mark.parametrize(
        ("principal", "department", "rule"),
        [("SC", "SC", "mandate.principal"), ("lone", "PT", "mandate.principal"), ("SC", "SP", "mandate.principal")],
    )
    def test_who_may_not_act_for_the_organ(self, office: Office, principal: str, department: str, rule: str) -> None:
        office.map()
        outcome = office.submit(permit(department=department), principal)
        assert (outcome.disposition, outcome.rule) == ("refused", rule)

    def test_the_organ_itself_may(self, office: Office) -> None:
        office.map()
        office.ok(permit(department="SP"))

    @pytest.mark.clause("1.1b", refused=True)
    def test_an_organ_whose_power_had_gone(self, office: Office) -> None:
        office.map(organ="SC")
        outcome = office.submit(permit(department="SC"), "SC")
        assert (outcome.disposition, outcome.rule) == ("refused", "power.transferred")
        office.ok(permit(department="SC", decided_on=date(2020, 6, 30)), "SC")

    def test_the_same_document_again(self, office: Office) -> None:
        office.map()
        office.ok(permit(), "platform")
        assert office.submit(permit(document_number="呼审批许字 〔2026〕1号"), "platform").rule == "case.exists"

    def test_a_decision_after_its_report(self, office: Office) -> None:
        office.map()
        late = permit(decided_on=date(2026, 3, 3))
        assert office.submit(late, "platform").errors[0].rule == "date.future"


class TestFields:
    @pytest.mark.parametrize(
        ("number", "key"),
        [("呼审〔2026〕1号", "呼审〔2026〕1号"), ("A 1/2026", "A1／2026"), ("x" * 64, "x" * 64)],
    )
    def test_document_numbers(self, number: str, key: str) -> None:
        assert permit(document_number=number).key == document_key(number) == key

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("document_number", " 1"),
            ("document_number", ""),
            ("document_number", "a\nb"),
            ("document_number", "x" * 65),
            ("organ_uscc", "123"),
            ("kind", "其他-备案"),
            ("valid_to", "2020-01-01"),
        ],
    )
    def test_wrong_values(self, field: str, value: str) -> None:
        data = permit().model_dump(mode="json", exclude_none=True) | {field: value}
        with pytest.raises(Rejection):
            read_payload("permit.report", json.dumps(data).encode())

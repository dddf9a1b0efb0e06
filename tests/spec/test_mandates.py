"""Who may do what (1.1, 2.7): each rule once kept and once broken."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError

from domain.attempts import AttemptRefused
from domain.cases import CaseDecided
from domain.opinions import OpinionIssued
from tests.unit.spec import MATTER, ORGANISATION, OWN_MATTER, Region, owed

SEAL = {
    "seal": "S1",
    "certificate_serial": "0A1B2C",
    "document_sm3": "0" * 64,
    "applied_at": "2026-02-10T10:00:00+08:00",
}
OPINION = {"opinion_number": "函1", "need": "outside", "issued_on": "2026-02-20", "content": "供区外认可之用"}
FLAGGED = {
    "code": MATTER, "name": "施工许可", "competent": "zjj", "legal_basis": "建筑法第七条", "opinions": ["outside"],
}  # fmt: skip
FEEDBACK = {
    "case_organ": "spj",
    "case_number": "1",
    "found_on": "2026-02-20",
    "suggestion": "rectify",
    "detail": "未按图施工",
}


@pytest.mark.clause("1.1a")
def test_a_decision_records_organ_officer_and_the_transfer_that_gave_the_power(region: Region) -> None:
    region.accept()
    officer = {"id": "007", "name": "张三"}
    decided = region.accepted("case.decide", "spj", officer=officer, **region.decision())[0]
    assert isinstance(decided, CaseDecided)
    assert (decided.meta.department, decided.meta.officer and decided.meta.officer.id) == ("spj", "007")
    assert (str(decided.power_since), decided.power_basis) == ("2024-01-01", "划转通知")


@pytest.mark.clause("1.1a", refused=True)
def test_who_never_held_the_power_decides_nothing(region: Region) -> None:
    region.accept()
    region.refused("power.none", "case.decide", "s1", **region.decision())


@pytest.mark.clause("1.1b", refused=True)
def test_the_former_competent_department_decides_no_more(region: Region) -> None:
    region.accept()
    region.refused("power.transferred", "case.decide", "zjj", **region.decision())
    accept = region.case("2", matter=MATTER, party=ORGANISATION, accepted_on="2026-02-01") | {"organ": "zjj"}
    region.refused("power.transferred", "case.accept", "zjj", **accept)


@pytest.mark.clause("1.1b")
def test_it_decided_before_the_transfer_and_decides_again_after_a_return(region: Region) -> None:
    region.accepted("matter.return", "sgb", matter=MATTER, valid_from="2026-03-01", basis="收回通知")
    assert region.world.registers.holder(MATTER, date(2023, 12, 31)) == "zjj"
    accept = {"organ": "zjj", "number": "9", "matter": MATTER, "party": ORGANISATION, "accepted_on": "2026-03-01"}
    region.accepted("case.accept", "zjj", **accept)
    region.refused("power.none", "case.accept", "spj", **(accept | {"organ": "spj", "number": "10"}))


@pytest.mark.clause("1.1c", refused=True)
def test_the_approver_does_not_supervise_what_was_transferred(region: Region) -> None:
    region.granted()
    region.accepted("feedback.raise", "s1", number="F1", **FEEDBACK)
    region.refused("supervision.by_approver", "feedback.raise", "spj", number="F2", **FEEDBACK)


@pytest.mark.clause("1.1c", refused=True)
def test_nobody_makes_the_approver_the_supervisor_of_what_was_transferred_to_it(region: Region) -> None:
    both = {"code": "spj", "name": "审批局", "roles": ["APPROVAL", "SUPERVISION"], "region": "150100"}
    region.accepted("department.register", "sgb", entry=both | {"valid_from": "2020-01-01"})
    said = {"valid_from": "2026-02-01", "basis": "划转通知", "supervisors": [{"department": "spj"}]}
    rule = "supervision.by_approver"
    region.refused(rule, "matter.transfer", "sgb", matter=OWN_MATTER, to="spj", **said)
    region.refused(rule, "matter.route", "sgb", matter=MATTER, **said)
    region.accepted("matter.route", "sgb", matter=OWN_MATTER, **said)  # a plan for what is not transferred yet
    s1, s2 = region.granted()
    region.refused(rule, "notice.return", "s1", notice=s1, proposed="spj", reason="不归我")
    [first] = owed(region.accepted("notice.return", "s1", notice=s1, proposed="s3", reason="不归我"))
    [dispute] = owed(region.accepted("notice.return", "s3", notice=first, proposed="s1", reason="不归我"))
    region.refused(rule, "duty.rule", "sgb", notice=dispute, assign_to="spj", reason="职责在你")
    region.accepted("notice.receive", "s2", notice=s2, received_at="2026-03-01T10:00:00+08:00")
    again = {"code": "s2", "name": "监管二局", "roles": ["APPROVAL", "SUPERVISION"], "region": "150100"}
    region.accepted("department.register", "sgb", entry=again | {"valid_from": "2020-01-01"})
    said["supervisors"] = [{"department": "s1"}]
    region.accepted("matter.transfer", "sgb", matter=MATTER, to="s2", **(said | {"valid_from": "2026-03-01"}))
    region.refused(rule, "notice.take", "s2", notice=s2)  # it came to approve what it supervised


def test_who_loses_its_role_supervises_no_more(region: Region) -> None:
    region.accepted("matter.register", "sgb", entry=FLAGGED)
    region.granted()
    region.accept("5", OWN_MATTER, "zjj")
    region.accepted("case.decide", "zjj", **(region.decision("5") | {"organ": "zjj"}))
    for code in ("s1", "zjj"):
        entry = {"code": code, "name": code, "roles": ["REVIEW_ORGAN"], "region": "150100", "valid_from": "2020-01-01"}
        region.accepted("department.register", "sgb", entry=entry)
    own = FEEDBACK | {"case_organ": "zjj", "case_number": "5"}
    region.refused("mandate.role", "feedback.raise", "s1", number="F1", **FEEDBACK)
    region.refused("mandate.role", "feedback.raise", "zjj", number="F1", **own)
    region.refused("mandate.role", "opinion.issue", "zjj", **region.case(), **OPINION)
    region.accepted("matter.register", "sgb", entry=FLAGGED)  # its entry can still be put right


def test_a_matter_belongs_to_a_department_that_can_hold_the_power_over_it(region: Region) -> None:
    entry = {"code": MATTER[:-1] + "9", "name": "新事项", "legal_basis": "建筑法"}
    region.refused("mandate.role", "matter.register", "sgb", entry=entry | {"competent": "pt"})
    region.accepted("matter.register", "sgb", entry=entry | {"competent": "s3"})


@pytest.mark.clause("2.1d")
def test_an_untransferred_matter_is_approved_and_supervised_by_its_department_and_owes_nobody(region: Region) -> None:
    region.accept("5", OWN_MATTER, "zjj")
    decided = region.accepted("case.decide", "zjj", **(region.decision("5") | {"organ": "zjj"}))
    assert [event.TOPIC for event in decided] == ["case.decided"]
    finding = FEEDBACK | {"case_organ": "zjj", "case_number": "5"}
    raised = region.accepted("feedback.raise", "zjj", number="F1", **finding)
    assert [event.TOPIC for event in raised] == ["feedback.raised"]


@pytest.mark.clause("2.1d", refused=True)
def test_nobody_else_supervises_an_untransferred_matter(region: Region) -> None:
    region.accept("5", OWN_MATTER, "zjj")
    region.accepted("case.decide", "zjj", **(region.decision("5") | {"organ": "zjj"}))
    finding = FEEDBACK | {"case_organ": "zjj", "case_number": "5"}
    region.refused("supervision.not_addressee", "feedback.raise", "s1", number="F2", **finding)


@pytest.mark.clause("2.7a")
def test_the_approval_seal_suffices(region: Region) -> None:
    region.granted()
    assert [e.TOPIC for e in region.accepted("seal.apply", "spj", **region.case(), **SEAL)] == ["seal.applied"]


@pytest.mark.clause("2.7a", refused=True)
def test_the_approval_seal_is_its_organs_alone(region: Region) -> None:
    region.accept("5", OWN_MATTER, "zjj")
    region.refused("seal.not_organ", "seal.apply", "spj", **(region.case("5") | {"organ": "zjj"}), **SEAL)


@pytest.mark.clause("2.7e", refused=True)
def test_no_seal_stands_without_its_case(region: Region) -> None:
    region.waits("case/spj/1", "seal.apply", "spj", **region.case(), **SEAL)
    assert region.world.seal("spj", "1").version == 0
    region.accept()
    assert region.world.seal("spj", "1").version == 1


@pytest.mark.clause("2.7b", refused=True)
def test_a_second_seal_is_refused(region: Region) -> None:
    region.granted()
    region.accepted("seal.apply", "spj", **region.case(), **SEAL)
    region.refused("seal.second", "seal.apply", "zjj", **region.case(), **SEAL)


@pytest.mark.clause("2.7c", refused=True)
def test_so_is_the_demand_for_one_whoever_demands_it(region: Region) -> None:
    region.granted()
    for department in ("zjj", "s1", "qu", "spj"):
        region.refused("seal.demand", "seal.demand", department, **region.case(), demanded_of="spj", seal="公章")


def flagged(region: Region, *needs: str) -> None:
    entry = {"code": MATTER, "name": "施工许可", "competent": "zjj", "legal_basis": "建筑法", "opinions": needs}
    region.accepted("matter.register", "sgb", entry=entry)


@pytest.mark.clause("2.7d")
def test_a_written_opinion_is_on_record_and_changes_nothing(region: Region) -> None:
    flagged(region, "outside")
    region.granted()
    before = region.world.case("spj", "1")
    [issued] = region.accepted("opinion.issue", "zjj", **region.case(), **OPINION)
    assert isinstance(issued, OpinionIssued)
    assert (issued.opinion_number, issued.need, issued.meta.department) == ("函1", "outside", "zjj")
    assert region.world.case("spj", "1") == before
    region.accepted("seal.apply", "spj", **region.case(), **SEAL)
    region.refused("opinion.exists", "opinion.issue", "zjj", **region.case(), **(OPINION | {"content": "相反"}))


@pytest.mark.clause("2.7d", refused=True)
def test_no_opinion_where_none_is_needed(region: Region) -> None:
    region.waits("case/spj/1", "opinion.issue", "zjj", **region.case(), **OPINION)
    region.granted()
    region.refused("opinion.not_flagged", "opinion.issue", "zjj", **region.case(), **OPINION)
    flagged(region, "ministry")
    region.refused("opinion.not_flagged", "opinion.issue", "zjj", **region.case(), **OPINION)
    flagged(region, "ministry", "outside")
    region.refused("opinion.not_competent", "opinion.issue", "spj", **region.case(), **OPINION)
    late = OPINION | {"issued_on": "2026-03-03"}
    region.dead("issued_on", "date.future", "opinion.issue", "zjj", **region.case(), **late)
    early = OPINION | {"issued_on": "2026-01-31"}
    region.dead("issued_on", "date.order", "opinion.issue", "zjj", **region.case(), **early)


@pytest.mark.parametrize(
    ("letter", "type_", "department", "data"),
    [
        pytest.param("1.1b", "case.decide", "zjj", {}, marks=pytest.mark.clause("1.1b")),
        pytest.param("1.1c", "feedback.raise", "spj", FEEDBACK | {"number": "F1"}, marks=pytest.mark.clause("1.1c")),
        pytest.param("2.7b", "seal.apply", "zjj", SEAL, marks=pytest.mark.clause("2.7b")),
        pytest.param(
            "2.7c", "seal.demand", "zjj", {"demanded_of": "spj", "seal": "公章"}, marks=pytest.mark.clause("2.7c")
        ),
    ],
)
def test_the_attempt_is_on_record_and_changes_nothing(
    region: Region, letter: str, type_: str, department: str, data: dict[str, object]
) -> None:
    region.granted()
    region.accepted("seal.apply", "spj", **region.case(), **SEAL)
    before = region.world.case("spj", "1")
    about = {} if type_ == "feedback.raise" else region.decision() if type_ == "case.decide" else region.case()
    [attempt] = region.submit(type_, department, **about, **data).events
    assert isinstance(attempt, AttemptRefused)
    assert (attempt.clause, attempt.type, attempt.meta.department) == (letter, type_, department)
    assert attempt.about == "case/spj/1"
    assert region.world.case("spj", "1") == before


def test_registers_are_the_reform_offices_and_principals_the_operators(region: Region) -> None:
    entry = {"code": "x", "name": "x", "roles": ["SUPERVISION"], "region": "150100", "valid_from": "2020-01-01"}
    region.refused("mandate.role", "department.register", "spj", entry=entry)
    transfer = {"matter": MATTER, "valid_from": "2026-01-01", "basis": "通知"}
    region.refused("mandate.role", "matter.return", "spj", **transfer)
    region.refused("mandate.role", "principal.register", "sgb", principal="x", acts_for=["x"])
    region.accepted("principal.register", "operator", principal="x", acts_for=["s1"])
    region.refused("mandate.role", "department.register", "sgb", by="operator", entry=entry)


def test_nobody_locks_the_operator_out(region: Region) -> None:
    region.accepted("principal.register", "operator", principal="operator", acts_for=[])
    region.accepted("principal.register", "operator", principal="y", acts_for=["s1"])


def test_a_principal_speaks_only_for_whom_it_may(region: Region) -> None:
    region.refused("mandate.principal", "case.accept", "spj", by="s1", organ="spj", number="1", matter=MATTER,
                   party=ORGANISATION, accepted_on="2026-02-01")  # fmt: skip
    region.waits("principal/nobody", "case.accept", "spj", by="nobody", organ="spj", number="1", matter=MATTER,
                 party=ORGANISATION, accepted_on="2026-02-01")  # fmt: skip


@pytest.mark.clause("3.3e", refused=True)
def test_inspectors_write_no_facts(region: Region) -> None:
    notices = region.granted()
    accept = {"organ": "jw", "number": "3", "matter": MATTER, "party": ORGANISATION, "accepted_on": "2026-02-01"}
    region.refused("mandate.role", "case.accept", "jw", **accept)
    region.refused("mandate.role", "feedback.raise", "jw", number="F1", **FEEDBACK)
    region.refused("mandate.role", "notice.receive", "jw", notice=notices[0], received_at="2026-03-01T00:00:00Z")
    person = {"name": "张三", "phone": "13800000000"}
    region.refused("mandate.role", "liaison.register", "jw", number="1", person=person)


@pytest.mark.clause("1.1b", refused=True)
def test_no_date_opens_a_way_round_the_transfer(region: Region) -> None:
    """Acts dated before the transfer, in a case decided after it."""
    region.granted()
    early = SEAL | {"applied_at": "2023-05-05T10:00:00+08:00"}
    region.dead("applied_at", "date.order", "seal.apply", "zjj", **region.case(), **early)
    fix = region.case(target="valid_to", old="2031-02-09", new="2032-02-09", on="2023-06-01", reason="笔误")
    region.dead("on", "date.order", "case.correct", "zjj", **fix, authorised_by="局长")
    region.dead(
        "found_on", "date.order", "feedback.raise", "zjj", number="F1", **(FEEDBACK | {"found_on": "2023-06-01"})
    )


@pytest.mark.clause("2.2a", refused=True)
def test_todays_decision_is_no_stock(region: Region) -> None:
    region.accept()
    today = region.decision(basis="legacy", decided_on="2026-03-02")
    region.refused("legacy.recent", "case.decide", "spj", **today)


def test_a_higher_authority_revokes_below_itself_only(region: Region) -> None:
    entry = {
        "code": "bt",
        "name": "包头",
        "roles": ["HIGHER_AUTHORITY"],
        "region": "150200",
        "valid_from": "2020-01-01",
    }
    region.accepted("department.register", "sgb", entry=entry)
    region.accepted("principal.register", "operator", principal="bt", acts_for=["bt"])
    region.granted()
    end = region.case(document_number="呼2号", on="2026-02-25", reason="违法")
    region.refused("power.none", "case.revoke", "bt", **end)


def test_the_last_reform_office_stays_one(region: Region) -> None:
    entry = {"code": "sgb", "name": "x", "roles": ["SUPERVISION"], "region": "150100", "valid_from": "2020-01-01"}
    region.refused("mandate.last_office", "department.register", "sgb", entry=entry)
    other = entry | {"code": "bb", "roles": ["REFORM_OFFICE"]}
    region.accepted("department.register", "sgb", entry=other)
    region.accepted("principal.register", "operator", principal="bb", acts_for=["bb"])
    region.accepted("department.succeed", "sgb", old="sgb", to="bb", valid_from="2026-06-01", basis="机构改革方案")
    region.refused("mandate.last_office", "department.register", "bb", entry=other | {"roles": ["SUPERVISION"]})


def test_a_liaison_officer_is_a_known_departments(region: Region) -> None:
    liaison = {"number": "01", "person": {"name": "李联络"}}
    region.accepted("principal.register", "operator", principal="new", acts_for=["new"])
    region.waits("department/new", "liaison.register", "new", **liaison)
    region.accepted("liaison.register", "s1", **liaison)


@pytest.mark.clause("1.2b")
def test_registering_a_matter_anew_does_not_change_whose_power_it_was(region: Region) -> None:
    entry = {"code": MATTER, "name": "施工许可", "competent": "s3", "legal_basis": "建筑法第七条"}
    region.refused("matter.state", "matter.register", "sgb", entry=entry)
    assert region.world.registers.holder(MATTER, date(2023, 12, 31)) == "zjj"


@pytest.mark.clause("1.2a")
def test_a_matter_is_transferred_once_to_an_approver_with_supervisors(region: Region) -> None:
    again = {"matter": MATTER, "valid_from": "2026-01-01", "basis": "通知", "supervisors": [{"department": "s1"}]}
    region.refused("matter.state", "matter.transfer", "sgb", to="spj", **again)
    region.refused("mandate.role", "matter.transfer", "sgb", to="s1", **again)
    region.refused("matter.state", "matter.return", "sgb", matter=OWN_MATTER, valid_from="2026-01-01", basis="通知")
    region.waits("department/nobody", "matter.route", "sgb", matter=MATTER, valid_from="2026-01-01", basis="通知",
                 supervisors=[{"department": "nobody"}])  # fmt: skip


@pytest.mark.parametrize("number", ["150102199001010019", "NO.150102199001010019"])
def test_an_identity_number_stands_nowhere_in_clear(region: Region, number: str) -> None:
    """As a licence's number it is sealed, where it would be stored in clear it is refused."""
    region.granted()
    licence = {"licence_number": number, "certificate": "执业证", "issued_on": "2026-02-20"}
    issued = region.accepted("case.issue_licence", "spj", **region.case(**licence))[0]
    assert number not in issued.model_dump_json()
    for clear in ({"number": number}, {"document_number": number}):
        with pytest.raises(ValidationError, match="居民身份证号"):
            region.submit("case.decide", "spj", **(region.decision("2") | clear))
    with pytest.raises(ValidationError, match="居民身份证号"):
        region.submit("case.accept", "spj", organ="spj", number="3", matter=MATTER, accepted_on="2026-02-01",
                      party={**ORGANISATION, "uscc": "150102199001010019"})  # fmt: skip

"""Principals that vouch: who signed in at the HTTP doors speaks for his own department, and is named with each fact."""

from __future__ import annotations

import pytest

from domain.attempts import AttemptRefused
from domain.cases import CaseDecided
from tests.unit.spec import MATTER, ORGANISATION, VOUCHING, Region

AT = "2026-03-01T10:00:00+08:00"
WHO = "https://id.example/realm 7f3a"
ACCEPT = {"organ": "spj", "number": "1", "matter": MATTER, "party": ORGANISATION, "accepted_on": "2026-02-01"}
THROUGH = {"by": VOUCHING, "caller": WHO}


@pytest.mark.clause("1.1a")
def test_a_fact_names_the_caller_and_that_a_token_proved_him(region: Region) -> None:
    region.accepted("case.accept", "spj", **THROUGH, **ACCEPT)
    officer = {"id": "007", "name": "张三"}
    decided = region.accepted("case.decide", "spj", **THROUGH, officer=officer, **region.decision())[0]
    assert isinstance(decided, CaseDecided)
    meta = decided.meta
    assert (meta.principal, meta.auth, meta.caller) == (VOUCHING, "token", WHO)
    assert (meta.department, meta.officer and meta.officer.id) == ("spj", "007")
    assert {event.meta.caller for event in region.events if event.meta.source == VOUCHING} == {WHO}


@pytest.mark.clause("1.1a")
def test_what_had_to_wait_keeps_its_caller(region: Region) -> None:
    region.waits("case/spj/1", "case.decide", "spj", **THROUGH, **region.decision())
    region.accept()
    [decided] = [event for event in region.events if isinstance(event, CaseDecided)]
    assert (decided.meta.auth, decided.meta.caller) == ("token", WHO)


@pytest.mark.clause("1.1a", refused=True)
def test_only_who_vouches_names_a_caller_and_it_always_does(region: Region) -> None:
    region.refused("mandate.caller", "case.accept", "spj", caller=WHO, **ACCEPT)
    region.refused("mandate.caller", "case.accept", "spj", by=VOUCHING, **ACCEPT)
    [claimed, nobody] = [event for event in region.events if isinstance(event, AttemptRefused)]
    assert (claimed.meta.caller, nobody.meta.caller) == (WHO, None)
    assert "token" not in (claimed.meta.auth, nobody.meta.auth)  # what nobody may say proves nothing


@pytest.mark.clause("1.1b", refused=True)
def test_vouching_gives_no_power_that_the_department_lacks(region: Region) -> None:
    region.accept()
    region.refused("power.transferred", "case.decide", "zjj", **THROUGH, **region.decision())
    [attempt] = [event for event in region.events if isinstance(event, AttemptRefused)]
    assert (attempt.meta.department, attempt.meta.auth, attempt.meta.caller) == ("zjj", "token", WHO)


@pytest.mark.clause("3.3e", refused=True)
def test_inspectors_write_nothing_by_this_door_either(region: Region) -> None:
    region.refused("mandate.role", "case.accept", "jw", **THROUGH, **(ACCEPT | {"organ": "jw"}))


def test_a_department_that_was_succeeded_speaks_no_more(region: Region) -> None:
    region.accepted("department.succeed", "sgb", old="s3", to="s1", valid_from="2026-03-01", basis="机构改革方案")
    person = {"name": "李联络"}
    region.refused("department.ceased", "liaison.register", "s3", **THROUGH, number="1", person=person)


def test_operators_work_by_this_door_and_principals_keep_what_they_are(region: Region) -> None:
    [made] = region.accepted("principal.register", "operator", **THROUGH, principal="x", acts_for=["s1"])
    assert made.meta.caller == WHO
    region.accepted("case.accept", "spj", **THROUGH, **ACCEPT)  # for the doors speak for departments too
    region.refused("mandate.role", "principal.register", "sgb", principal="x", acts_for=["s1"])


def test_the_operator_says_who_vouches(region: Region) -> None:
    region.accepted("principal.register", "operator", principal="hall", acts_for=[], vouches=True)
    region.accepted("case.accept", "spj", by="hall", caller=WHO, **ACCEPT)
    region.accepted("principal.register", "operator", principal="hall", acts_for=["spj"])
    region.refused("mandate.caller", "case.accept", "spj", by="hall", caller=WHO, **(ACCEPT | {"number": "2"}))
    region.accepted("case.accept", "spj", by="hall", **(ACCEPT | {"number": "2"}))


@pytest.mark.parametrize("caller", ["one", "a b c", " x", f"https://id.example {'x' * 256}", "https://id.example 张三"])
def test_a_caller_is_an_issuer_and_a_subject(region: Region, caller: str) -> None:
    region.dead("caller", "caller.shape", "case.accept", "spj", by=VOUCHING, caller=caller, **ACCEPT)


def test_a_caller_is_no_identity_number(region: Region) -> None:
    who = "https://id.example 11010519491231002X"
    region.dead("caller", "number.resident", "case.accept", "spj", by=VOUCHING, caller=who, **ACCEPT)


@pytest.mark.clause("3.3a")
def test_a_platform_hands_in_for_whom_its_own_principal_may_act(region: Region) -> None:
    region.accepted("principal.register", "operator", by="operator", principal="pt", acts_for=["pt", "spj"])
    region.granted()
    said = {"number": "A03-17", "service": "counter", "window": "A03", "level": 5, "rated_at": AT}
    region.accepted("rating.record", "pt", **THROUGH, organ="spj", **said)
    region.refused("mandate.principal", "rating.record", "pt", **THROUGH, organ="zjj", **said)


@pytest.mark.clause("3.3a", refused=True)
def test_a_platform_whose_principal_acts_for_nobody_else_rates_nobody(region: Region) -> None:
    region.granted()
    said = {"number": "A03-17", "service": "counter", "window": "A03", "level": 5, "rated_at": AT}
    region.refused("mandate.principal", "rating.record", "pt", **THROUGH, organ="spj", **said)

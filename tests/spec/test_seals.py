"""The register of seals, and seal actions held against it (2.7a, 2.7b)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from domain.seal_registry import Seal, seal_on
from domain.seals import SealApplied
from tests.unit.spec import OWN_MATTER, Region

SEAL: dict[str, Any] = {
    "kind": "seal",
    "code": "sp1",
    "name": "审批局行政审批专用章",
    "seal_kind": "special_seal",
    "owners": ["spj"],
    "certificate_serial": "0A1B2C",
    "certificate_from": "2025-01-01",
    "certificate_to": "2026-12-31",
}
ACTION = {
    "seal": "sp1",
    "certificate_serial": "0A1B2C",
    "document_sm3": "0" * 64,
    "document_sha256": "1" * 64,
    "applied_at": "2026-02-10T10:00:00+08:00",
}


@pytest.fixture
def region(region: Region) -> Region:
    region.granted()
    return region


def enter(region: Region, since: str = "2026-01-01", **more: Any) -> None:
    region.accepted("register.enter", "sgb", entry=SEAL | more, valid_from=since, basis="备案")


def strike(region: Region, since: str) -> None:
    region.accepted("register.strike", "sgb", kind="seal", key="sp1", valid_from=since, basis="缴销")


def apply(region: Region, by: str = "spj", **more: Any) -> SealApplied:
    [event] = region.accepted("seal.apply", by, **region.case(), **(ACTION | more))
    assert isinstance(event, SealApplied)
    return event


def refused(region: Region, rule: str, by: str = "spj", **more: Any) -> None:
    region.refused(rule, "seal.apply", by, **region.case(), **(ACTION | more))


@pytest.mark.clause("2.7a")
def test_a_registered_seal_is_applied_and_the_action_recorded(region: Region) -> None:
    enter(region)
    event = apply(region, certificate_serial="0a1b2c")
    assert (event.seal, event.certificate_serial, event.registered) == ("sp1", "0a1b2c", True)
    assert (event.document_sm3, event.document_sha256) == ("0" * 64, "1" * 64)
    assert event.applied_at.isoformat() == ACTION["applied_at"]


@pytest.mark.clause("2.7a")
def test_a_delegate_applies_it_for_its_owner(region: Region) -> None:
    enter(region, delegated_to=["pt"])
    event = apply(region, by="pt")
    assert (event.meta.department, event.registered) == ("pt", True)


@pytest.mark.clause("2.7a")
def test_a_joint_seal_is_one_action_whichever_owner_applies_it(region: Region) -> None:
    enter(region, owners=["s3", "spj"])
    before = region.world.seal("spj", "1").version
    assert apply(region, by="s3").registered
    assert region.world.seal("spj", "1").version == before + 1


@pytest.mark.clause("2.7a", refused=True)
def test_a_seal_is_its_owners_and_delegates_alone(region: Region) -> None:
    enter(region, owners=["s3"], delegated_to=["s1"])
    refused(region, "seal.not_yours")
    refused(region, "seal.not_yours", by="s2")
    # It is theirs, but no owner holds the power: that the seal is registered gives none.
    refused(region, "seal.second", by="s3")
    refused(region, "seal.second", by="s1")


@pytest.mark.clause("2.7a", refused=True)
def test_nor_does_it_give_power_over_a_matter_that_was_never_transferred(region: Region) -> None:
    enter(region)
    region.accept("5", OWN_MATTER, "zjj")
    region.refused("seal.not_organ", "seal.apply", "spj", **(region.case("5") | {"organ": "zjj"}), **ACTION)


@pytest.mark.clause("2.7a")
def test_whose_matter_was_not_transferred_applies_its_own(region: Region) -> None:
    enter(region, code="zj1", owners=["zjj"])
    region.accept("5", OWN_MATTER, "zjj")
    own = region.case("5") | {"organ": "zjj"} | ACTION | {"seal": "zj1"}
    assert region.accepted("seal.apply", "zjj", **own)[0].registered  # type: ignore[attr-defined]


@pytest.mark.clause("2.7a", refused=True)
def test_the_certificate_is_the_one_on_record_that_day_and_valid(region: Region) -> None:
    enter(region, since="2025-01-01", certificate_to="2026-02-09")
    refused(region, "seal.certificate", certificate_serial="0A1B2D")
    refused(region, "seal.expired")
    enter(region, since="2026-02-10", certificate_serial="FFFF", certificate_from="2026-02-11")
    refused(region, "seal.certificate")  # the one that it had before
    refused(region, "seal.expired", certificate_serial="FFFF")  # from tomorrow on


@pytest.mark.clause("2.7a")
def test_a_new_certificate_supersedes_from_its_date_and_its_last_day_counts(region: Region) -> None:
    enter(region, since="2025-01-01", certificate_to="2026-02-10")
    enter(region, since="2026-02-11", certificate_serial="FFFF", certificate_from="2026-02-11")
    assert apply(region).certificate_serial == "0A1B2C"
    apply(region, certificate_serial="FFFF", applied_at="2026-02-11T00:00:00+08:00")
    found = [seal_on(region.world.registers, "sp1", date(2026, 2, day)) for day in (10, 11)]
    assert [one and one.certificate_serial for one in found] == ["0A1B2C", "FFFF"]


@pytest.mark.clause("2.7b", refused=True)
def test_no_entry_lets_the_former_competent_department_seal(region: Region) -> None:
    enter(region, delegated_to=["zjj"])
    refused(region, "seal.second", by="zjj")
    enter(region, since="2026-01-02", owners=["spj", "zjj"])
    refused(region, "seal.second", by="zjj")
    enter(region, code="zj1", owners=["zjj"], delegated_to=["s1"])
    refused(region, "seal.second", by="zjj", seal="zj1")
    refused(region, "seal.second", by="zjj", seal="nowhere")
    refused(region, "seal.second", by="s1", seal="zj1")  # for it


@pytest.mark.clause("2.7b")
def test_the_approval_seal_counts_whatever_was_tried_beside_it(region: Region) -> None:
    enter(region, delegated_to=["zjj"])
    refused(region, "seal.second", by="zjj")
    assert apply(region).registered


@pytest.mark.clause("2.7a")
def test_who_keeps_no_seals_in_the_register_applies_them_as_before(region: Region) -> None:
    enter(region, code="s31", owners=["s3"])  # another's
    assert not apply(region).registered
    enter(region, since="2026-02-11")  # its own only from the next day on
    assert not apply(region).registered


@pytest.mark.clause("2.7a", refused=True)
def test_who_keeps_them_there_applies_no_other(region: Region) -> None:
    enter(region)
    region.waits("entry/seal/sp2", "seal.apply", "spj", **region.case(), **(ACTION | {"seal": "sp2"}))
    enter(region, code="sp2", since="2026-02-11")
    refused(region, "seal.unregistered", seal="sp2")
    enter(region, code="sp2", since="2026-02-10")
    assert apply(region, seal="sp2").registered


@pytest.mark.clause("2.7a", refused=True)
def test_a_seal_that_was_struck_is_applied_no_more_though_it_was_the_last(region: Region) -> None:
    enter(region)
    strike(region, "2026-02-11")
    assert apply(region).registered
    refused(region, "seal.unregistered", applied_at="2026-02-11T09:00:00+08:00")


@pytest.mark.clause("2.7a", refused=True)
def test_what_the_register_does_not_take(region: Region) -> None:
    entering = {"valid_from": "2026-01-01", "basis": "备案"}
    region.refused("mandate.role", "register.enter", "spj", entry=SEAL, **entering)
    region.refused("mandate.role", "register.enter", "sgb", entry=SEAL | {"owners": ["qu"]}, **entering)
    for field in ("owners", "delegated_to"):
        region.waits("department/x", "register.enter", "sgb", entry=SEAL | {field: ["x"]}, **entering)
    backwards = SEAL | {"certificate_to": "2024-12-31"}
    region.dead("entry.certificate_to", "date.order", "register.enter", "sgb", entry=backwards, **entering)
    for wrong in (
        {"owners": []},
        {"owners": ["spj", "spj"]},
        {"delegated_to": ["spj"]},
        {"seal_kind": "seal"},
        {"certificate_serial": "xyz"},
    ):
        with pytest.raises(ValidationError):
            enter(region, **wrong)


def test_an_action_stored_before_there_was_a_register_still_reads(region: Region) -> None:
    stored = apply(region, document_sha256=None).model_dump(mode="json")
    del stored["registered"], stored["document_sha256"]
    old = SealApplied.model_validate(stored)
    assert (old.registered, old.document_sha256) == (False, None)


def test_the_state_of_a_certificate() -> None:
    seal = Seal.model_validate(SEAL)
    days = (date(2024, 12, 31), date(2025, 1, 1), date(2026, 12, 31), date(2027, 1, 1))
    assert [seal.certificate_on(day) for day in days] == ["not_yet", "valid", "valid", "expired"]

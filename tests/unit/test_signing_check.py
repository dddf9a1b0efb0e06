"""Signatures judged again from the log alone: of what type a submission was, and whether it had to be signed."""

from __future__ import annotations

from datetime import date

import pytest

from domain.catalogue import PAYLOADS
from domain.departments import OperatorPayload
from domain.makers import types_of
from domain.registering import EntryRegistered
from domain.signing import Signing
from infra.examples import Story, story
from tests.unit.signing_kit import signing_problems

DEMANDABLE = sorted(type_ for type_, kind in PAYLOADS.items() if not issubclass(kind, OperatorPayload))


@pytest.fixture(scope="module")
def told() -> Story:
    return story()


def named(told: Story, entry: Signing) -> list[tuple[str, str]]:
    """What is wrong, by fact and check, if all that is told had come when this was demanded already."""
    meta = told.events[0].event.meta
    demand = {"entry": entry, "valid_from": date(2000, 1, 1), "basis": "x"}
    before = EntryRegistered(originator_id="entry/signing/x", originator_version=1, meta=meta, **demand)
    facts = {one.position: one.event.meta.fact for one in told.events}
    return [(facts[one.position], one.check) for one in signing_problems(told.events, [before])]


def test_the_first_event_tells_the_type(told: Story) -> None:
    for one in told.submissions:
        first = one.outcome.events[0]
        assert one.type in types_of(first)
        assert len(types_of(first)) == (2 if first.TOPIC == "case.accepted" else 1)
    assert {one.type for one in told.submissions} == set(PAYLOADS)


@pytest.mark.parametrize("type_", DEMANDABLE)
def test_just_those_of_the_type_that_had_to_be_signed_are_named(told: Story, type_: str) -> None:
    of_type = [one.outcome.events[0].meta.fact for one in told.submissions if one.type == type_]
    assert of_type
    assert named(told, Signing(type=type_)) == [(one, "signature") for one in of_type]


def test_all_of_a_principal_and_the_receipts_of_a_department_are_named(told: Story) -> None:
    principal = next(one.principal for one in told.submissions if one.type == "case.accept")
    of_principal = [one.outcome.events[0].meta.fact for one in told.submissions if one.principal == principal]
    assert named(told, Signing(principal=principal)) == [(one, "signature") for one in of_principal]
    receipts = [one for one in told.submissions if one.type == "notice.receive"]
    department = receipts[0].data["department"]
    unsigned = [
        one.outcome.events[0].meta.fact
        for one in receipts
        if one.data["department"] == department and "receipt" not in one.data
    ]
    assert unsigned
    assert (unsigned[0], "receipt") in named(told, Signing(department=department))

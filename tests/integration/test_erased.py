"""What is submitted about somebody whose key was destroyed is a dead letter, and stops nobody."""

from __future__ import annotations

import psycopg

from infra.roles.intake import IntakeRole
from tests.integration.outlet_kit import TrackedStore, running, until
from tests.integration.region import APPROVAL, MATTER
from tests.integration.test_retry import disposition, send
from tests.integration.teststore import TestStore

PERSON = {"name": "王小明", "id_type": "身份证", "id_number": "150102199001010019"}


def test_an_erased_person_stops_nobody(region: TestStore, outer: TrackedStore) -> None:
    def accept(number: str, party: object) -> None:
        data = {"department": APPROVAL, "organ": APPROVAL, "number": number, "matter": MATTER, "party": party,
                "accepted_on": "2026-03-01"}  # fmt: skip
        send(outer, APPROVAL, "case.accept", f"a{number}", data)
        until(lambda: disposition(region, f"a{number}"))

    natural = {"kind": "自然人", "name": "王小明", "person": PERSON}
    with running(IntakeRole(outer)):
        accept("1", natural)
    with psycopg.connect(region.urls.superuser) as conn:
        conn.execute("UPDATE vault.subject_key SET wrapped = NULL, destroyed_at = now() WHERE subject LIKE 'person/%'")
    with running(IntakeRole(outer)):
        accept("2", natural)
        accept("3", {"kind": "法人及非法人组织", "name": "蒙草公司"})
    assert [disposition(region, f"a{n}") for n in (1, 2, 3)] == ["accepted", "dead", "accepted"]
    rule = region.connect().execute("SELECT errors -> 0 ->> 'rule' FROM shenguan.dead_letter").fetchone()
    assert rule == ("subject.erased",)

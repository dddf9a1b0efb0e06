"""Identities in one batch: given up before they are taken again."""

from __future__ import annotations

from datetime import date

from domain.decisions import AcceptCase, DecideCase
from domain.party import Party
from tests.integration.region import APPROVAL, MATTER
from tests.integration.teststore import TestStore


def test_one_that_dies_on_release_may_come_again_in_the_same_batch(region: TestStore) -> None:
    """A decision that came too early, and impossible; its acceptance; the mended decision under the same id."""

    def decide(on: date) -> DecideCase:
        return DecideCase(
            department=APPROVAL, organ=APPROVAL, number="77", outcome="granted", document_number="文",
            decided_on=on, valid_from=on, content="准予",
        )  # fmt: skip

    accept = AcceptCase(
        department=APPROVAL, organ=APPROVAL, number="77", matter=MATTER, accepted_on=date(2026, 3, 1),
        party=Party(kind="法人及非法人组织", name="蒙草公司"),
    )  # fmt: skip
    early = region.arrival(decide(date(2026, 2, 1)), id_="dec")
    region.writer.write([early])
    written = region.writer.write(
        [region.arrival(accept, id_="acc"), region.arrival(decide(date(2026, 3, 2)), id_="dec")]
    )
    found = [(r.arrival.id, r.outcome.disposition) for r in written.results]
    assert found == [("acc", "accepted"), ("dec", "dead"), ("dec", "accepted")]
    rows = (
        region.connect()
        .execute("SELECT disposition FROM shenguan.submission WHERE id = 'dec' ORDER BY \"offset\"")
        .fetchall()
    )
    assert rows == [("dead",), ("accepted",)]

"""Lives by chance, written by the store's writer: recorded as in memory, verified, and projected twice the same."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from adapters.kafka.records import RawRecord
from adapters.kafka.topics import TopicNames
from adapters.postgres.rebuild import rebuild
from adapters.postgres.writer import Writer
from domain.arrivals import Arrival, Place
from infra.roles.decoding import Decoder
from infra.servers.postgres import READER, RUNTIME
from infra.verify import verify
from projections.catalogue import PROJECTIONS
from tests.integration.region import snapshot
from tests.integration.teststore import TestStore
from tests.unit.machine.life import BEGINNING, Life, Sent, begun
from tests.unit.machine.walk import READER_KEY, settle, wander

RARE = {"ratings", "risk_counts", "risk_lists"}
"""Read models that a short life may leave empty."""
WITHOUT_AN_OUTLET = {"dispatched", "delivered"}
"""Steps of the outlet were recorded, and there was none."""
SELDOM = {"daily_dues", "daily_feedback"}
"""Not every life comes to a finding, or to another due date."""


@pytest.mark.parametrize("seed", [2, 3, 5, 6, 7])
def test_a_life_by_chance_is_recorded_verified_and_projected_again(store: TestStore, seed: int) -> None:
    life = begun()
    for _ in wander(life, seed, 300):
        pass
    settle(life)
    store.sealer.seal(READER_KEY, "乌日娜")  # lives by chance seal no officers of their own
    lived_again(life, store)
    with store.connect() as conn:
        recorded = conn.execute(
            "SELECT topic, originator_id, originator_version FROM shenguan.stored_events ORDER BY notification_id"
        ).fetchall()
        rows = conn.execute('SELECT topic_id, partition, "offset", disposition FROM shenguan.submission').fetchall()
        assert recorded == [(one.TOPIC, one.originator_id, one.originator_version) for one in life.events]
        found = {Place(*row[:3]): row[3] for row in rows}
        assert found == {place: one.outcome.disposition for place, one in life.results.items()}
        store.project()
        problems = verify(SimpleNamespace(migrator_url=store.urls.migrator), most=10_000).problems
        assert [one for one in problems if one.check not in WITHOUT_AN_OUTLET] == []
        models = snapshot(conn)
        assert [name for name, rows in models.items() if not rows and name not in RARE | SELDOM] == []
        rebuild(store.urls.migrator, RUNTIME, READER, PROJECTIONS)
        assert snapshot(conn) == models


def lived_again(life: Life, store: TestStore) -> None:
    """The same steps in the same order: submissions in batches, retries and facts of the system's own by themselves."""
    names = TopicNames("150100")
    decoder = Decoder(names, store.sealer, "acl")

    def arrival(sent: Sent) -> Arrival:
        topic = names.intake(sent.record.principal)
        record = sent.record
        raw = RawRecord(topic, sent.place.partition, sent.place.offset, b"", record.value, record.headers, 0)
        return decoder.decode([raw], {topic: sent.place.topic_id})[0]

    places = {str(place): sent for place, sent in life.sent.items()}
    batch: list[Arrival] = []
    now = BEGINNING
    store.writer = Writer(store.connect, store.sealer.seal_all, clock=lambda: now)
    for step in life.steps:
        if step.now != now:
            store.writer.write(batch)
            batch, now = [], step.now
        if isinstance(step, Sent) and step.retries is None:
            batch.append(arrival(step))
            continue
        store.writer.write(batch)  # a dead letter that is to be retried must be on record
        batch = []
        if isinstance(step, Sent):
            letter = places.get(step.retries or "")
            store.writer.write([arrival(step)], letters={letter.place: arrival(letter)} if letter else {})
        else:
            store.facts(lambda world, _, step=step: step.fact(world, step.now))
    store.writer.write(batch)

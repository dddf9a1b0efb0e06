"""The outlet and the reference client against Apache Kafka: with groups, restarts, and access rules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.kafka import clients
from domain.personal import Officer
from infra.roles.intake import IntakeRole
from infra.roles.outlet import OutletRole
from infra.subscriber import SubscribeProblem, Wishes, run
from tests.integration.outlet_kit import TrackedStore, count, events, owe, running, serials, store_for, unsent, until
from tests.integration.region import S1, S2
from tests.integration.test_outlet import (  # noqa: F401 - collected here too, on this module's `bootstrap`
    Hands,
    hands,
    test_a_blocked_department_holds_up_nobody_else,
    test_a_commit_is_evidence_and_silence_stays_unknown,
    test_a_crash_between_ack_and_record_sends_again_under_the_same_id,
    test_a_new_departments_topic_is_made,
    test_after_a_failure_later_serials_wait,
    test_all_evidence_found_together_is_recorded_together,
    test_every_notice_arrives_in_serial_order_and_is_recorded,
    test_only_one_outlet_works,
)
from tests.integration.teststore import MASTER, TestStore
from tests.servers.real_kafka import RealKafka, available

pytestmark = pytest.mark.kafka
SIGNER = Officer(id="42", name="王小二")


@pytest.fixture
def bootstrap(real_kafka: RealKafka) -> str:
    return real_kafka.bootstrap_servers


@pytest.fixture
def own_kafka() -> Iterator[RealKafka]:
    """With access rules; may be restarted."""
    if not available():
        pytest.skip("real Kafka needs java and mvn on PATH")
    with RealKafka(sasl=True, users=(S1, S2)) as server:
        yield server


def test_a_group_reads_and_signs(region: TestStore, outer: TrackedStore) -> None:
    with running(IntakeRole(outer), OutletRole(outer)):
        owe(region, ["1", "2"])
        until(lambda: unsent(region) == 0)
        wishes = Wishes(S1, SIGNER, from_beginning=True, idle_s=8, as_json=True)
        reading = run(wishes, outer.kafka_options, outer.names, static=False, out=lambda _: None)
        assert (reading.notices, reading.receipts) == (2, 2)
        until(lambda: events(region, "notice.received") == 2)
        until(lambda: events(region, "notice.delivered") == 2)


def test_a_restart_of_kafka_is_got_over_and_only_its_own_department_reads(
    region: TestStore, own_kafka: RealKafka, tmp_path: Path
) -> None:
    admin_options = own_kafka.options()
    kafka = {name: value for name, value in admin_options.items() if name != "bootstrap_servers"}
    guarded = store_for(region, MASTER, own_kafka.bootstrap_servers, tmp_path, kafka=kafka, kafka_auth="acl")
    try:
        with running(OutletRole(guarded)):
            owe(region, ["1"])
            until(lambda: unsent(region) == 0)
            own_kafka.restart()
            owe(region, ["2"])
            until(lambda: unsent(region) == 0, 90)
            mine = run(
                Wishes(S1, from_beginning=True, idle_s=8), own_kafka.options(S1), guarded.names, out=lambda _: None
            )
            assert mine.notices == 2
            assert mine.missing == set()
            with pytest.raises((SubscribeProblem, clients.BrokerError)):
                run(Wishes(S2, idle_s=5), own_kafka.options(S1), guarded.names, out=lambda _: None)
            until(lambda: events(region, "notice.delivered") == 2)
        assert serials(guarded, S2) == [1, 2]
        assert count(region, "SELECT count(*) FROM shenguan.delivery WHERE sent_at IS NULL") == 0
    finally:
        guarded.close()

"""Registers followed, and the region's read model, against Apache Kafka."""

from __future__ import annotations

import pytest

from tests.integration.test_region import (  # noqa: F401 - collected here too, on this module's `bootstrap`
    leagues,
    test_it_is_the_sum_of_the_stores_own_read_models,
    test_told_again_it_stays_the_same,
    whole,
)
from tests.integration.test_stores import (  # noqa: F401
    follower,
    league,
    test_a_gap_in_a_stream_stops_the_registrar_visibly,
    test_a_log_read_again_adds_nothing,
    test_a_topic_made_anew_is_filled_with_the_whole_log_and_read_from_its_start,
    test_what_came_too_early_is_taken_when_it_comes_again_in_order,
    test_who_waited_is_released_by_a_followed_event,
)
from tests.servers.real_kafka import RealKafka

pytestmark = pytest.mark.kafka


@pytest.fixture
def bootstrap(real_kafka: RealKafka) -> str:
    return real_kafka.bootstrap_servers

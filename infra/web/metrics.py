"""Metrics as Prometheus reads them: what the doors do, and how the store does. Codes and counts, nothing personal."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from infra.web.vitals import Pulse

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0)


class Metrics:
    """Of one application. `live`: who looks on by a live stream now; the streams count themselves in and out."""

    def __init__(self, pulse: Pulse) -> None:
        self._all = CollectorRegistry()
        by = ("method", "route", "status")
        self._requests = Counter("shenguan_http_requests", "Requests answered.", by, registry=self._all)
        self._seconds = Histogram(
            "shenguan_http_request_seconds",
            "Until the answer was whole; live streams are not measured.",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self._all,
        )
        self.live = Gauge("shenguan_live_subscribers", "Live streams that are open.", registry=self._all)
        self._all.register(_Store(pulse))

    def answered(self, method: str, route: str, status: int, seconds: float | None) -> None:
        """`seconds`: None where it is not to be measured."""
        known = method if method in _METHODS else "other"
        self._requests.labels(known, route, str(status)).inc()
        if seconds is not None:
            self._seconds.labels(known, route).observe(seconds)

    def text(self) -> bytes:
        return generate_latest(self._all)


_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


class _Store(Collector):
    def __init__(self, pulse: Pulse) -> None:
        self._pulse = pulse

    def describe(self) -> list[Metric]:
        """Names are not asked for at registration: that would ask the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        found = self._pulse.now()
        yield GaugeMetricFamily("shenguan_database_up", "Whether the database answers.", int(found.database))
        if not found.database:
            return
        yield GaugeMetricFamily("shenguan_log_position", "The log's last position.", found.head)
        position = GaugeMetricFamily("shenguan_follower_position", "How far it has come.", labels=["follower", "role"])
        lag = GaugeMetricFamily(
            "shenguan_follower_lag_seconds", "Age of the first event not yet taken in.", labels=["follower", "role"]
        )
        alive = GaugeMetricFamily("shenguan_alive", "Whether it showed life of late.", labels=["follower", "role"])
        for one in found.followers:
            labels = [one.name, one.role]
            if one.position is not None:
                position.add_metric(labels, one.position)
                lag.add_metric(labels, one.behind_s)
            alive.add_metric(labels, int(one.alive))
        outcomes = CounterMetricFamily("shenguan_submissions", "Dispositions given by intake.", labels=["disposition"])
        for disposition, count in found.outcomes.items():
            outcomes.add_metric([disposition], count)
        waiting = GaugeMetricFamily("shenguan_deliveries_waiting", "Notices not yet dispatched.", labels=["channel"])
        for channel, count in found.waiting.items():
            waiting.add_metric([channel], count)
        yield from (position, lag, alive, outcomes, waiting)
        yield GaugeMetricFamily("shenguan_parked", "Submissions that wait for something.", found.parked)
        yield GaugeMetricFamily("shenguan_dead_letters_open", "Dead letters never retried.", found.dead_open)
        yield CounterMetricFamily("shenguan_dead_letters", "Dead letters ever.", found.dead)

"""Roles as processes of their own, faults by a seeded plan, a patient feed, and questions to Kafka."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any, Protocol, TypeVar

import psycopg
from kafka import TopicPartition

from adapters.kafka import clients
from adapters.kafka.cloudevents import decode
from adapters.kafka.topics import TopicError
from adapters.postgres.follower import position_of
from infra import feeding
from infra.generator import feed
from infra.generator.signers import Sign, signing
from infra.proving import PROOFS
from infra.servers.child import spawn
from infra.servers.postgres import EmbeddedPostgres
from infra.settings import Settings
from infra.store import Servers, Store
from infra.topics import apply_topics
from projections.catalogue import PROJECTIONS
from tests.acceptance.command import COMMAND, environment

T = TypeVar("T")
ROLES = ("intake", "intake", "outlet", "projector", "publisher", "clock", "prover")
"""Two intakes share the partitions as a consumer group."""
FOLLOWERS = (*(projection.name for projection in PROJECTIONS), "outlet", "log-publisher", PROOFS)


class Server(Protocol):
    """What can be killed and started again on its port and data."""

    def start(self) -> None: ...

    def kill(self) -> None: ...


class Broker(Server, Protocol):
    @property
    def bootstrap_servers(self) -> str: ...


def patiently(work: Callable[[], T], seconds: float = 120) -> T:
    """Does it again until the servers that it needs are there."""
    until = time.monotonic() + seconds
    while True:
        try:
            return work()
        except (psycopg.OperationalError, clients.BrokerError, TopicError):
            if time.monotonic() > until:
                raise
            time.sleep(0.3)


def open_for(data_dir: Path, postgres: EmbeddedPostgres, broker: Broker, **more: Any) -> tuple[Store, dict[str, str]]:
    """A store on these servers, and the environment in which a command finds it."""
    key = data_dir / "master.key"
    key.write_text(bytes(range(32)).hex())
    urls = postgres.urls
    settings = Settings(
        data_dir=data_dir,
        database_url=urls.runtime,
        migrator_url=urls.migrator,
        reader_url=urls.reader,
        kafka_bootstrap_servers=broker.bootstrap_servers,
        master_key_file=key,
        **more,
    )
    names = {"database_url", "migrator_url", "reader_url", "kafka_bootstrap_servers", "master_key_file", *more}
    env = {f"SHENGUAN_{name.upper()}": _said(getattr(settings, name)) for name in names if name != "kafka"}
    env["SHENGUAN_KAFKA_OPTIONS"] = json.dumps(settings.kafka)
    store = Store(settings, Servers(urls.runtime, urls.migrator, urls.reader, broker.bootstrap_servers))
    return store, environment(data_dir, **env)


def _said(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class Process:
    """`shenguan role NAME`, in a process of its own."""

    def __init__(self, name: str, number: int, env: dict[str, str]) -> None:
        self.name = name
        self.log = Path(env["SHENGUAN_DATA_DIR"]) / f"{name}-{number}.log"
        self._env = env
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = spawn(
            [*COMMAND, "role", self.name],
            self.log,
            death_signal=signal.SIGKILL,  # with us
            env=self._env,
            cwd=Path(self._env["SHENGUAN_DATA_DIR"]),
        )

    def send(self, how: signal.Signals) -> None:
        assert self._process is not None
        assert self._process.poll() is None, f"{self.name} has ended by itself: {self.said()[-2000:]}"
        self._process.send_signal(how)

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        assert self._process is not None
        self._process.wait()

    def end(self, patience: float = 60) -> int:
        """SIGTERM; how it ended."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")


@contextmanager
def crew(env: dict[str, str], names: Sequence[str] = ROLES) -> Iterator[list[Process]]:
    """The roles at work while the block lasts."""
    processes = [Process(name, number, env) for number, name in enumerate(names)]
    try:
        for process in processes:
            process.start()
        yield processes
    finally:
        for process in processes:
            process.end()


class Faults:
    """Strikes again and again, each kind in turn, in an order and with victims that the seed decides."""

    def __init__(self, seed: int, roles: Sequence[Process], servers: dict[str, Server], stopped_s: float) -> None:
        self.struck: defaultdict[str, int] = defaultdict(int)
        self._rng = Random(seed)
        self._roles, self._servers, self._stopped_s = list(roles), servers, stopped_s
        victims = [("kill", process) for process in self._roles] + [("stop", process) for process in self._roles]
        plan: list[tuple[str, Any]] = [*victims, *(("crash", name) for name in servers)]
        self._rng.shuffle(plan)
        self.kinds = len(plan)
        self._plan = cycle(plan)

    def strike(self) -> None:
        """One fault, and what is needed so that work can go on."""
        kind, victim = next(self._plan)
        if kind == "kill":
            victim.kill()
            self._pause(0.5)
            victim.start()
        elif kind == "stop":
            victim.send(signal.SIGSTOP)
            self._pause(self._stopped_s)
            victim.send(signal.SIGCONT)
        else:
            self._servers[victim].kill()
            self._pause(1.0)
            self._servers[victim].start()
        self.struck[f"{kind} {victim if kind == 'crash' else victim.name}"] += 1

    def _pause(self, most: float) -> None:
        time.sleep(self._rng.uniform(0.1, most))


class Feeder:
    """The principals' systems: they keep trying, and send everything exactly once and in order."""

    def __init__(self, store: Store, out: Path) -> None:
        self._store, self._out = store, out
        self.sent = 0

    def registers(self) -> None:
        """Who may speak first, then the rest; returns when they have settled, for the year is judged by them."""
        name = feed.FILES[0]
        patiently(lambda: apply_topics(self._store))
        founders = patiently(lambda: feeding.known_principals(self._store))
        self._send(self._records(name, founders.__contains__))
        self.settle(300)
        patiently(lambda: apply_topics(self._store))
        self._send(self._records(name, lambda principal: principal not in founders))
        self.settle(300)

    def year(self, slices: int, between: Callable[[], None]) -> None:
        """The submissions in so many slices, with something in between."""
        records = self._records(feed.FILES[1], lambda _: True, signing(self._store.names.store))
        size = -(-len(records) // slices)
        for start in range(0, len(records), size):
            self._send(records[start : start + size])
            between()

    def settle(self, seconds: float) -> None:
        """Until intake has given every record its disposition."""
        feeding.wait_for(lambda: patiently(lambda: feeding.taken_in(self._store)) >= self.sent, seconds, "摄取")

    def _records(
        self, name: str, chosen: Callable[[str], bool], sign: Sign | None = None
    ) -> list[tuple[str, bytes, feed.Headers, bytes]]:
        lines = (self._out / name).read_text(encoding="utf-8").splitlines()
        found = [feed.record(json.loads(line), sign) for line in lines]
        return [one for one in found if chosen(one[0])]

    def _send(self, records: Sequence[tuple[str, bytes, feed.Headers, bytes]]) -> None:
        usual = {"linger_ms": 20, "batch_size": 131_072, "delivery_timeout_ms": 300_000, "max_block_ms": 120_000}
        producer = patiently(
            lambda: clients.producer(
                self._store.kafka_options, usual=usual, fixed={"acks": "all", "enable_idempotence": True}
            )
        )
        with closing(producer):
            futures = [
                producer.send(self._store.names.intake(principal), value=value, key=key, headers=headers)
                for principal, key, headers, value in records
            ]
            for future in futures:
                future.get(timeout=300)
        self.sent += len(records)


def quiet(store: Store) -> bool:
    """Everything is carried out, all that is owed is sent, and every follower is at the end of the log."""
    if feeding.uncarried(store):
        return False
    with store.connect() as conn:
        row = conn.execute(
            "SELECT coalesce(max(notification_id), 0), count(*) FILTER (WHERE topic = 'notice.owed'),"
            " (SELECT count(*) FROM shenguan.delivery WHERE sent_at IS NOT NULL),"
            " (SELECT count(*) FROM shenguan.parked WHERE ready) FROM shenguan.stored_events"
        ).fetchone()
        assert row is not None
        head, owed, sent, ready = row
        return owed == sent and not ready and all(position_of(conn, name) == head for name in FOLLOWERS)


def contents(store: Store, prefix: str) -> dict[str, list[tuple[dict[str, Any], bytes]]]:
    """(attributes, data) of everything in the topics of this prefix, in order."""
    found: dict[str, list[tuple[dict[str, Any], bytes]]] = {}
    fixed = {"group_id": None, "enable_auto_commit": False, "auto_offset_reset": "earliest"}
    with closing(clients.consumer(store.kafka_options, fixed=fixed)) as consumer:
        names = sorted(name for name in consumer.topics() if name.startswith(prefix))
        places = [TopicPartition(name, number) for name in names for number in consumer.partitions_for_topic(name)]
        ends = {place: end for place, end in consumer.end_offsets(places).items() if end}
        found = {name: [] for name in names}
        consumer.assign(list(ends))
        consumer.seek_to_beginning()
        until = time.monotonic() + 120
        while any(consumer.position(place) < end for place, end in ends.items()):
            assert time.monotonic() < until, "the topics cannot be read to their end"
            for place, records in consumer.poll(timeout_ms=500).items():
                for record in records:
                    envelope = decode(record.value, tuple(record.headers))
                    found[place.topic].append((dict(envelope.attributes), envelope.data))
    return found


def programs() -> Path | None:
    """PostgreSQL's programs of another version, where SHENGUAN_TEST_POSTGRES_BIN names them."""
    chosen = os.environ.get("SHENGUAN_TEST_POSTGRES_BIN")
    return Path(chosen) if chosen else None

"""A migrated store and a short way of handing submissions to its writer, without Kafka."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg import Connection

from adapters.crypto.notes import NoteSigner, new_signer_key
from adapters.crypto.sealer import Sealer
from adapters.formats.workdays import published
from adapters.postgres.checkpoints import KeyInUse, put_keys
from adapters.postgres.follower import catch_up, run_batch
from adapters.postgres.keys import KeyTable
from adapters.postgres.writer import Fact, Writer, Written
from domain import system
from domain.arrivals import Arrival, Place
from domain.departments import Department, Role
from domain.event import Event
from domain.personal import M, Officer, Sealed, seal
from domain.signatures import Signature
from domain.submissions import Payload, Submission
from domain.world import World
from infra.proving import Proofs
from infra.servers.postgres import DatabaseUrls
from projections.catalogue import PROJECTIONS

TOPIC = "shenguan.intake.150000.{}"
MASTER = bytes(range(32))
"""The master key of all test stores, so that roles can share it."""


LOG_NAME = "shenguan/test"
LOG_KEY = NoteSigner(new_signer_key(LOG_NAME))
"""Signs the checkpoints of all test stores."""


def _signers(conn: Connection[Any]) -> list[NoteSigner]:
    put_keys(conn, [KeyInUse(LOG_KEY.verifier_key.text, datetime(2026, 1, 1, tzinfo=UTC), None)])
    return [LOG_KEY]


class TestStore:
    """A migrated database with its writer; submissions go in as decoded arrivals, without Kafka."""

    __test__ = False

    def __init__(self, urls: DatabaseUrls, master: bytes, handed_in: int = 0) -> None:
        """`handed_in`: how many submissions the database has already had."""
        self.urls = urls
        self._connections: list[Connection[Any]] = []
        self.now = datetime(2026, 3, 2, 9, tzinfo=UTC)
        self.sealer = Sealer(master, KeyTable(self.connect))
        self.writer = Writer(self.connect, self.sealer.seal_all)
        self.handed_in = handed_in
        self.language = "zh"

    def connect(self) -> Connection[Any]:
        """As the runtime role, in autocommit; closed with the store at the latest."""
        conn = psycopg.connect(self.urls.runtime, autocommit=True)
        self._connections.append(conn)
        return conn

    def connect_reader(self, department: str = "*") -> Connection[Any]:
        conn = psycopg.connect(self.urls.reader, autocommit=True)
        self._connections.append(conn)
        conn.execute("SELECT set_config('shenguan.department', %s, false)", (department,))
        return conn

    def open(self, sealed: Sealed) -> str | None:
        return self.sealer.open(sealed)

    def opening(self, sealed: Sealed) -> tuple[bytes, str] | None:
        return self.sealer.opening(sealed)

    def signed_bytes(self, signature: Signature) -> bytes | None:
        return self.sealer.open_jointly(signature.subjects, signature.ciphertext)

    def sealed(self, model: M, subject: str) -> M:
        return seal(model, self.sealer, subject)

    def arrival(self, payload: Payload, principal: str | None = None, id_: str | None = None, **more: Any) -> Arrival:
        """The next record of the principal's topic; by default a principal of the department's name speaks."""
        offset = self.handed_in
        self.handed_in += 1
        principal = principal or payload.department
        id_ = id_ or f"s{offset}"
        content = hashlib.sha256(payload.model_dump_json().encode()).digest()
        source = more.pop("source", "test")
        submission = Submission(
            source=source,
            id=id_,
            occurred_at=more.pop("occurred_at", self.now),
            principal=principal,
            auth="none",
            payload=seal(payload, self.sealer, payload.subject() or f"submission/{source}/{id_}"),
            **more,
        )
        return Arrival(
            place=Place(f"id-{principal}", 0, offset),
            topic=TOPIC.format(principal),
            principal=principal,
            auth="none",
            arrived_at=self.now,
            submission=submission,
            content=content,
            source=source,
            id=id_,
            type=payload.TYPE,
            raw=lambda: "{}",
        )

    def submit(self, *payloads: Payload, expect: str | None = "accepted", **more: Any) -> Written:
        """One batch. Checks that every one got the expected disposition."""
        written = self.writer.write([self.arrival(payload, **more) for payload in payloads])
        if expect is not None:
            found = [(r.arrival.type, r.outcome.disposition, r.outcome.rule) for r in written.results]
            assert all(one[1] == expect for one in found), found
        return written

    def facts(self, *facts: Fact) -> None:
        self.writer.write(facts=facts)

    def found(self, office: str, region: str, principals: Iterable[str]) -> None:
        """Begins the store; each principal acts for the department of its name."""
        entry = Department(
            code=office, name="审改办", roles=("REFORM_OFFICE",), region=region, valid_from=self.now.date()
        )

        def fact(world: World, now: datetime) -> list[Event]:
            return system.found(world, entry, {p: (p,) for p in principals}, "operator", now, "api")

        self.facts(fact, lambda world, now: system.calendar_adopted(world, published(), now))

    def project(self) -> None:
        """Brings every read model up to date."""
        with self.connect() as conn:
            catch_up(conn, PROJECTIONS)

    def prove(self, limit: int = 1000, batches: int | None = None) -> None:
        """Integrates what is recorded into the transparency log, all of it or so many batches."""
        with self.connect() as conn:
            if batches is None:
                catch_up(conn, [self.proofs()], limit)
            else:
                for _ in range(batches):
                    run_batch(conn, self.proofs(), limit)

    def proofs(self) -> Proofs:
        """The follower that does it, with this test run's key."""
        return Proofs(LOG_NAME, _signers)

    def rows(self, query: str, department: str = "*") -> list[Any]:
        """What a reader sees."""
        with self.connect_reader(department) as conn:
            return conn.execute(query).fetchall()

    def close(self) -> None:
        for conn in self._connections:
            conn.close()


def department(code: str, name: str, *roles: Role, region: str = "150100") -> Department:
    return Department(code=code, name=name, roles=roles, region=region, valid_from=datetime(2020, 1, 1).date())  # noqa: DTZ001


def officer(number: str = "007", name: str = "张三丰") -> Officer:
    return Officer(id=number, name=name)


@contextmanager
def superuser(store: TestStore) -> Iterator[Connection[Any]]:
    """Who may do anything; triggers and constraints' order do not stand in the way."""
    with psycopg.connect(store.urls.superuser) as conn:
        conn.execute("SET session_replication_role = replica")
        yield conn


def later(store: TestStore, **delta: float) -> datetime:
    return store.now + timedelta(**delta)

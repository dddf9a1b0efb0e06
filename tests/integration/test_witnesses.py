"""Witnesses of a log that is real: asked over HTTP, or going to look; and what they make of one that was put back."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from adapters.crypto.notes import NoteVerifier, new_signer_key
from adapters.postgres.checkpoints import latest
from domain.log_proofs import EventProof, Policy, check_event, cosigners
from domain.merkle import ProofError
from domain.note_keys import KeyKind
from domain.witnessing import Refused
from infra import proofs
from infra.roles.witness_asker import WitnessAsker
from infra.web.app import create_app as create_doors
from infra.web.identity import Known
from infra.witness.asked import Asked, ask, read_asked
from infra.witness.keeping import Witness
from infra.witness.logs import WitnessError
from infra.witness.looking import Doors, look
from infra.witness.serving import create_app
from tests.integration.outlet_kit import store_for, store_on, until
from tests.integration.region import S1, granted, registers
from tests.integration.test_verify import check
from tests.integration.teststore import LOG_KEY, LOG_NAME, MASTER, TestStore
from tests.servers.oidc import free_port

KEYS = [NoteVerifier(LOG_KEY.verifier_key)]
TRUST = ssl.create_default_context()
WitnessOf = Callable[[str], Witness]


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """The application on a port of its own; its address."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        ends = time.monotonic() + 20
        while not server.started:
            assert time.monotonic() < ends
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture
def witness_of(tmp_path: Path) -> WitnessOf:
    def make(name: str) -> Witness:
        key = new_signer_key(f"witness.example/{name}", KeyKind.COSIGNATURE)
        return Witness(tmp_path / name, key, {LOG_NAME: KEYS})

    return make


def begun(store: TestStore) -> None:
    """A log with checkpoints; two stores that begin so have this much in common."""
    registers(store)
    for number in range(1, 8):
        granted(store, str(number))
    store.prove(limit=20)


def grow(store: TestStore, *numbers: int) -> None:
    for number in numbers:
        granted(store, str(number))
    store.prove()


def asked(store: TestStore, witness: Asked) -> str | None:
    with store.connect() as conn:
        made = latest(conn)
        assert made is not None
        return ask(conn, witness, made, TRUST)


def test_what_is_cosigned_stands_in_every_proof(stores: Callable[..., TestStore], witness_of: WitnessOf) -> None:
    log, first, second = stores(begun), witness_of("jw"), witness_of("scjg")
    with serving(create_app(first)) as one, serving(create_app(second)) as other:
        for url, witness in ((one, first), (other, second)):
            assert asked(log, Asked(url, witness.verifier_key)) is None
        grow(log, 8, 9)
        assert asked(log, Asked(one, first.verifier_key)) is None
        assert asked(log, Asked(one, first.verifier_key)) is None  # it is cosigned already
        with log.connect() as conn:
            made = latest(conn)
            assert made is not None
            found = proofs.prove_event(conn, made.position)
            early = proofs.prove_event(conn, 5, earliest=True)
        assert isinstance(found, EventProof)
        assert early is not None
    witnesses = tuple(NoteVerifier(one.verifier_key) for one in (first, second))
    assert cosigners(found.checkpoint.encode(), witnesses) == {"witness.example/jw"}
    check_event(found, KEYS, policy=Policy(witnesses, 1))
    with pytest.raises(ProofError, match=r"proof\.witnesses"):
        check_event(found, KEYS, policy=Policy(witnesses, 2))
    assert check(log).problems == []


def test_a_witness_that_cosigned_more_than_is_known_here_is_asked_again(
    stores: Callable[..., TestStore], witness_of: WitnessOf
) -> None:
    log, witness = stores(begun), witness_of("jw")
    with log.connect() as conn:
        first = proofs.checkpoint(conn, 20)
        assert first is not None
        with serving(create_app(witness)) as url:
            here = Asked(url, witness.verifier_key)
            assert ask(conn, here, first, TRUST) is None
            grow(log, 8)
            made = latest(conn)
            assert made is not None
            conn.execute("BEGIN")
            assert ask(conn, here, made, TRUST) is None
            conn.execute("ROLLBACK")  # its answer was lost
            grow(log, 9)
            assert asked(log, here) is None


def test_a_log_that_was_put_back_is_found_by_the_witness_and_nobody_else(
    stores: Callable[..., TestStore], witness_of: WitnessOf
) -> None:
    """An older backup is restored, and goes on with other events, signed by the log's own key."""
    log, backup, witness = stores(begun), stores(begun), witness_of("jw")
    grow(log, 8, 9)
    with serving(create_app(witness)) as url:
        here = Asked(url, witness.verifier_key)
        assert asked(log, here) is None
        found = asked(backup, here)
        assert found is not None
        assert found.startswith("forked or put back: the witness knows size ")
        grow(backup, 18, 19)
        assert check(backup).problems == []
        found = asked(backup, here)
        assert found is not None
        assert "witness.forked" in found
        grow(backup, 20, 21)
        found = asked(backup, here)
        assert found is not None
        assert "witness.forked" in found
        assert asked(log, here) is None  # what it has cosigned already
        grow(log, 22)
        assert asked(log, here) is not None  # until somebody has looked into it


def test_who_goes_to_look_finds_the_fork_and_keeps_both(
    stores: Callable[..., TestStore], witness_of: WitnessOf, bootstrap: str, tmp_path: Path
) -> None:
    log, backup, witness = stores(begun), stores(begun), witness_of("jw")
    with seen(log, bootstrap, tmp_path / "a") as doors:
        first = look(witness, LOG_NAME, doors, None)
        grow(log, 8, 9)
        second = look(witness, LOG_NAME, doors, None)
        assert (first.since, second.since) == (0, first.checkpoint.size)
    grow(backup, 18, 19, 20)
    with seen(backup, bootstrap, tmp_path / "b") as doors:
        with pytest.raises(Refused, match=r"witness\.growth") as refused:
            look(witness, LOG_NAME, doors, None)
        assert f"{second.checkpoint.size}" in refused.value.en
    with seen(log, bootstrap, tmp_path / "c") as doors, pytest.raises(WitnessError, match="HTTP 401"):
        look(witness, LOG_NAME, Doors(doors.url, None, None), None)


@contextmanager
def seen(test: TestStore, bootstrap: str, path: Path) -> Iterator[Doors]:
    path.mkdir()
    store = store_for(test, MASTER, bootstrap, path)
    app = create_doors(store)
    token = app.state.identity.begin(Known("https://id.example w", "W01", "巴特尔", (S1,)), 600)
    try:
        with serving(app) as url:
            yield Doors(url, token, None)
    finally:
        store.close()


def test_the_role_asks_and_says_who_refuses(
    stores: Callable[..., TestStore], bootstrap: str, tmp_path: Path, witness_of: WitnessOf
) -> None:
    log, backup, witness = stores(begun), stores(begun), witness_of("jw")
    grow(log, 8, 9)
    with serving(create_app(witness)) as url:
        here = Asked(url, witness.verifier_key)
        assert asked(log, here) is None
        stopped = threading.Event()
        store = store_on(backup.urls, MASTER, bootstrap, tmp_path)
        asker = WitnessAsker(store, [here], stopped)
        thread = threading.Thread(target=asker.run)
        thread.start()
        try:
            with backup.connect() as conn:
                row = until(
                    lambda: conn.execute("SELECT error FROM shenguan.follower WHERE name LIKE 'witnesses.%'").fetchone()
                )
            assert row[0].startswith("forked or put back")
        finally:
            stopped.set()
            thread.join()
            store.close()


def test_the_witnesses_that_are_asked_stand_in_lines(tmp_path: Path, witness_of: WitnessOf) -> None:
    key = witness_of("jw").verifier_key
    file = tmp_path / "witnesses"
    file.write_text(f"# 纪检监察\nhttps://w.example/ {key.text}\n", encoding="utf-8")
    assert read_asked(file) == [Asked("https://w.example", key)]
    assert read_asked(None) == []
    for wrong in (f"ftp://w {key.text}", f"https://w.example {LOG_KEY.verifier_key.text}", "https://w.example"):
        file.write_text(wrong, encoding="utf-8")
        with pytest.raises(WitnessError, match="1"):
            read_asked(file)

"""Witnesses beside a store: their keys and directories, and applications that listen at a port."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
import uvicorn
from typer.testing import CliRunner

from adapters.crypto.notes import NoteVerifier, new_signer_key, verifier_key
from domain.log_proofs import Policy
from domain.note_keys import parse_verifier_key
from domain.notes import parse_note
from infra.main import app
from infra.verify import verify
from infra.web.identity import Identity, Known
from infra.witness.keeping import Witness
from infra.witness.logs import read_key, read_logs
from infra.witness.serving import create_app
from tests.integration.doors import Doors, doors
from tests.integration.outlet_kit import store_on
from tests.integration.region import granted, registers
from tests.integration.teststore import LOG_KEY, LOG_NAME, MASTER, TestStore
from tests.servers.oidc import free_port


class Answer(NamedTuple):
    """What a command said: its exit code, its JSON, and what it told a person."""

    code: int
    said: dict[str, Any]
    told: str


def new_log(name: str) -> str:
    """The verifier key of a log of this name that has not signed anything."""
    return verifier_key(new_signer_key(name)).text


class Desk:
    """A witness's own machine: its key, its directory, the log that it knows."""

    def __init__(self, path: Path, name: str = "witness.example/jw", log: str = "", origin: str = LOG_NAME) -> None:
        path.mkdir(parents=True)
        self.key, self.state, self.logs, self.token = path / "key", path / "state", path / "logs", path / "token"
        self.name = name
        self.origin = origin
        self.verifier = ask("new", str(self.key), "--name", name).said["verifier"]
        self.logs.write_text(f"{origin} {log or LOG_KEY.verifier_key.text}\n")
        self.token.write_text("none")

    @property
    def options(self) -> list[str]:
        return ["--key", str(self.key), "--dir", str(self.state), "--logs", str(self.logs)]

    def look(self, *more: str) -> Answer:
        return ask("look", *self.options, "--token-file", str(self.token), *more)

    def witness(self) -> Witness:
        return Witness(self.state, read_key(self.key), read_logs(self.logs))

    def kept(self) -> int:
        """The size that it has cosigned."""
        note = self.witness().kept(self.origin)
        return int(parse_note(note).text.split("\n")[1]) if note is not None else 0

    def evidence(self) -> list[Path]:
        return sorted(self.state.rglob("*.json"))

    def sign_in(self, opened: Doors, department: str) -> None:
        """Somebody of that department leaves a token."""
        identity: Identity = opened.app.state.identity
        self.token.write_text(
            identity.begin(Known(f"https://id.example {department}", "W01", "巴特尔", (department,)), 600)
        )

    @contextmanager
    def serving(self) -> Iterator[str]:
        with listening(create_app(self.witness())) as url:
            yield url


def ask(*arguments: str) -> Answer:
    """`shenguan witness`, as a process with no store would ask it."""
    result = CliRunner().invoke(app, ["witness", *arguments, "--json"])
    lines = [line for line in result.stdout.splitlines() if line.startswith("{")]
    return Answer(result.exit_code, json.loads(lines[-1]) if lines else {}, result.stderr)


@contextmanager
def listening(application: Any) -> Iterator[str]:
    """The application at a port of this machine; its address."""
    port = free_port()
    lifespan: Any = "off"
    config = uvicorn.Config(application, port=port, log_config=None, access_log=False, lifespan=lifespan)
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        end = time.monotonic() + 20
        while not server.started:
            assert time.monotonic() < end
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)


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


def witnessed(store: TestStore) -> None:
    """A backup: some checkpoints are signed."""
    registers(store)
    granted(store, "1")
    store.prove(limit=10)


@contextmanager
def offered(test: TestStore, bootstrap: str, path: Path, *known: str) -> Iterator[tuple[Doors, str]]:
    """The store's doors at a port, with these lines in the witness file."""
    path.mkdir()
    file = path / "witnesses"
    file.write_text("".join(f"{line}\n" for line in known))
    store = store_on(test.urls, MASTER, bootstrap, path, witness_file=file)
    try:
        with doors(store) as opened, listening(opened.app) as url:
            yield opened, url
    finally:
        store.close()


def problems(test: TestStore, **more: Any) -> list[tuple[str, str, str]]:
    found = verify(SimpleNamespace(migrator_url=test.urls.migrator), **more).problems
    return [
        (one.check, one.stream, one.en) for one in found if one.check in ("cosignature", "witness key", "checkpoint")
    ]


def policy(*desks: Desk) -> Policy:
    return Policy(tuple(NoteVerifier(parse_verifier_key(one.verifier)) for one in desks), len(desks))


@pytest.fixture
def region(stores: Callable[..., TestStore]) -> TestStore:
    return stores(witnessed)


@pytest.fixture
def backup(stores: Callable[..., TestStore]) -> TestStore:
    """What `region` was, put back."""
    return stores(witnessed)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "desk")

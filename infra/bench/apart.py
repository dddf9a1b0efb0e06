"""Roles and work in processes of their own, as they run in earnest: none shares this process's memory or lock."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import ParamSpec, Self, TypeVar

from infra.bench.ground import ScratchStore
from infra.settings import PREFIX

P = ParamSpec("P")
R = TypeVar("R")
END_S = 45.0
_GROUP_TIMES = {"session_timeout_ms": 6_000, "heartbeat_interval_ms": 1_000}
"""The embedded broker lets nobody join a group for half the session timeout."""


def apart(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """The result of a module's function, called in a fresh process. Raises what it raises."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *args, **kwargs).result()


class RoleProcess:
    """`shenguan role NAME` on a store while the block lasts; intake in a consumer group. `log` is what it printed."""

    def __init__(self, store: ScratchStore, name: str, number: int = 1) -> None:
        self.log = Path(store.settings.data_dir) / f"{store.settings.store}-{name}-{number}.log"
        self._store = store
        self._name = name
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        settings = self._store.settings
        shenguan = {
            "STORE": settings.store,
            "DATA_DIR": str(settings.data_dir),
            "LOG_NAME": settings.log_name,
            "MASTER_KEY_FILE": str(settings.master_key_file),
            "DATABASE_URL": self._store.database_url,
            "MIGRATOR_URL": self._store.migrator_url,
            "READER_URL": self._store.reader_url,
            "KAFKA_BOOTSTRAP_SERVERS": self._store.kafka_options["bootstrap_servers"],
            "KAFKA_OPTIONS": json.dumps(_GROUP_TIMES | settings.kafka),
            "BATCH_MAX_RECORDS": str(settings.batch_max_records),
        }
        others = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", "from infra.main import main; main()", "role", self._name],
                env=others | {PREFIX + name: value for name, value in shenguan.items()},
                stdout=log,
                stderr=log,
            )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def check(self) -> None:
        """Raises RuntimeError with the end of what it printed where it has ended."""
        if self._process is not None and self._process.poll() is not None:
            text = self.log.read_text(encoding="utf-8", errors="replace")
            raise RuntimeError(f"role {self._name} has ended: {text[-2000:]}")

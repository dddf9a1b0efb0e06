"""The HTTP doors: API, pages, live streams."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
import uvicorn
from fastapi import FastAPI

from infra.store import Store
from infra.web.app import create_app

_log = structlog.get_logger("shenguan.api")
LOOK_S = 0.2
LAST_S = 5
"""How long open requests, live streams among them, have when the role is to end."""


class ApiRole:
    """Any number may run, each at an address of its own."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.stopped = threading.Event()

    def run(self) -> None:
        """Until `stopped` is set. Raises OSError where the address is taken."""
        settings = self._store.settings
        app = create_app(self._store)
        config = uvicorn.Config(
            app,
            host=settings.http_host,
            port=settings.http_port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=LAST_S,
            server_header=False,
        )
        logging.getLogger("uvicorn.error").addFilter(_is_news)
        server = _Server(config)
        threading.Thread(target=self._watch, args=(server, app), name="api-stop", daemon=True).start()
        server.run()
        if not self.stopped.is_set():
            self.stopped.set()
            raise OSError(f"{settings.http_host}:{settings.http_port}: the HTTP server ended")

    def _watch(self, server: uvicorn.Server, app: FastAPI) -> None:
        self.stopped.wait()
        app.state.ending.set()
        server.should_exit = True


def _is_news(record: logging.LogRecord) -> bool:
    """What an application raised is in our log already, without its message, which may be personal."""
    return not str(record.msg).startswith("Exception in ASGI application")


class _Server(uvicorn.Server):
    """Leaves signals to the role's own process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

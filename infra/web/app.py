"""The HTTP application of one store."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.staticfiles import StaticFiles
from psycopg import OperationalError
from psycopg_pool import PoolTimeout

from adapters.http import safety
from adapters.postgres.runner import first_line
from infra.store import Store
from infra.web import entrance, health, provider_sign_in, signing_in, signing_out
from infra.web.api import streams
from infra.web.api.catalogue import DOORS
from infra.web.endings import Endings
from infra.web.envelope import API, Envelope
from infra.web.handing import Handing
from infra.web.heads import Heads
from infra.web.inspecting import Recorder
from infra.web.live import Live
from infra.web.metrics import Metrics
from infra.web.pages import catalogue as pages
from infra.web.pages import faults
from infra.web.persons import Persons
from infra.web.provider_sign_in import origin_of
from infra.web.published import Published
from infra.web.reading import Readers
from infra.web.registry import Registry
from infra.web.vitals import Pulse

_log = structlog.get_logger("shenguan.http")
STATIC = Path(__file__).parent / "static"


def create_app(store: Store) -> FastAPI:
    """Pages and API; what they hold open is closed when the application ends."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.live.start()
        yield
        app.state.ending.set()
        app.state.live.join()
        app.state.handing.close()
        app.state.readers.close()
        app.state.registry.close()
        app.state.endings.close()
        app.state.heads.close()
        app.state.recorder.close()
        app.state.pulse.close()
        if app.state.provider is not None:
            app.state.provider.close()

    app = FastAPI(
        title="审管 Shenguan",
        version="1",
        description="审管衔接、信息双向告知。Approvals reach their supervisors, and findings come back.",
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    state = app.state
    state.store = store
    state.registry = Registry(store.connect)
    state.endings = Endings(store.connect)
    state.readers = Readers(store.reader_url, store.database_url)
    state.heads = Heads(store.connect)
    state.published = Published(state.readers, state.registry, state.heads, store.settings.public_smallest)
    state.recorder = Recorder(store)
    state.persons = Persons(store.sealer)
    state.ending = threading.Event()  # set before the server ends: live streams and who waits are let go
    state.handing = Handing(store, state.registry, state.ending)
    state.live = Live(store.connect, state.readers, streams.shower(state.persons, store.language), state.ending)
    entrance.furnish(state, store)
    state.pulse = Pulse(store.connect)
    state.metrics = Metrics(state.pulse)
    state.metrics.live.set_function(state.live.count)

    @app.exception_handler(PoolTimeout)
    @app.exception_handler(OperationalError)
    async def _away(request: Request, error: OperationalError) -> Response:
        _log.error("database_unavailable", error=first_line(error))
        return await run_in_threadpool(faults.answer, request, faults.database_away())

    for one in DOORS:
        app.include_router(one.router, prefix=API)
    pages.install(app)
    demo = store.settings.sign_in == "demo"
    for door in (signing_in if demo else provider_sign_in, signing_out, health):
        app.include_router(door.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    issuer = store.settings.oidc_issuer
    headers = safety.headers(origin_of(issuer) if issuer is not None and not demo else None)
    app.add_middleware(Envelope, headers, state.metrics, store.settings.public_url, demo)
    return app

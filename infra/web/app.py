"""The HTTP application of one store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from adapters.crypto.sealer import read_master_key
from adapters.http import problems
from adapters.http.sessions import Sessions
from infra.store import Store
from infra.web import signing_in
from infra.web.api.catalogue import DOORS
from infra.web.heads import Heads
from infra.web.identity import Identity
from infra.web.inspecting import Recorder
from infra.web.persons import Persons
from infra.web.published import Published
from infra.web.reading import Readers
from infra.web.registry import Registry

STATIC = Path(__file__).parent / "static"
API = "/api/v1"


def create_app(store: Store) -> FastAPI:
    """Pages and API; what they hold open is closed when the application ends."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        app.state.readers.close()
        app.state.registry.close()
        app.state.heads.close()
        app.state.recorder.close()

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
    state.readers = Readers(store.reader_url, store.database_url)
    state.heads = Heads(store.connect)
    state.published = Published(state.readers, state.registry, state.heads, store.settings.public_smallest)
    state.recorder = Recorder(store)
    state.persons = Persons(store.sealer)
    state.identity = Identity(
        Sessions(read_master_key(store.settings.ensure_master_key()), store.settings.store), state.registry
    )
    problems.install(app)
    for one in DOORS:
        app.include_router(one.router, prefix=API)
    if store.settings.sign_in == "demo":
        app.include_router(signing_in.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app

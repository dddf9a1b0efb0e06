"""All pages."""

from fastapi import FastAPI

from adapters.http import problems
from infra.web.pages import (
    acting,
    case,
    cases,
    desk,
    faults,
    feedback,
    inbox,
    lists,
    operations,
    overview,
    registers,
    speaking,
)
from infra.web.pages.tidy import Tidy

PAGES = (overview, inbox, cases, case, feedback, acting, lists, registers, desk, operations, speaking)


def install(app: FastAPI) -> None:
    """Adds them, and shows the app's problems as pages where a browser asks."""
    problems.install(app, faults.answer)
    app.add_exception_handler(Exception, faults.failed)
    app.add_middleware(Tidy)
    for page in PAGES:
        app.include_router(page.router, include_in_schema=False)

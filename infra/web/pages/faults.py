"""Problems as pages, for whom a browser shows them; who is not signed in is asked to sign in."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from adapters.http import problems
from adapters.http.problems import Problem
from infra.web.pages.page import path_of, render

RETRY_AFTER_S = "5"


def answer(request: Request, problem: Problem) -> Response:
    """As the caller can read it: a page in a browser, problem details elsewhere."""
    status = problem.details.status
    if status == 304 or not is_page(request):
        return problems.answer(request, problem)
    if status == 401:
        return RedirectResponse(f"/signin?next={quote(_back(request))}", 303)
    details = problem.details.model_copy(update={"correlation_id": getattr(request.state, "correlation_id", None)})
    # The database may be what is amiss.
    response = render(request, "problem.html", status, registers=request.app.state.registry.last, problem=details)
    response.headers.update(problem.headers)
    return response


def failed(request: Request, _: Exception) -> Response:
    """What nobody foresaw; it is logged, and told without saying what it was."""
    return answer(request, problems.of_status(500))


def database_away() -> Problem:
    return problems.of_status(503, headers={"Retry-After": RETRY_AFTER_S})


def is_page(request: Request) -> bool:
    """Whether a browser is to show the answer, not a program."""
    return not request.url.path.startswith(("/api/", "/static/")) and "text/html" in request.headers.get("accept", "")


def _back(request: Request) -> str:
    """Where to go on: what was sent is not sent again."""
    if request.method != "GET":
        return "/"
    path = path_of(request.scope)
    return f"{path}?{request.url.query}" if request.url.query else path

"""Who is calling: by a bearer token or by the session of who has signed in, and the roles of his department."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple, Protocol

from fastapi import Depends, Header, Request
from psycopg import OperationalError

from adapters.http.problems import Problem, of_status
from adapters.http.sessions import Sessions
from domain.access import OPERATOR, Area, Caller, Reader
from domain.submissions import local_date
from infra.web.endings import Endings
from infra.web.registry import Registry

COOKIE = "shenguan_session"
SPEAKS = "shenguan_department"
"""The cookie with the department that somebody of several has chosen; no more than a choice of those he has."""
AREAS: dict[Callable[..., Any], Area] = {}
"""By dependency, of what kind of record it lets something be read."""


class Known(NamedTuple):
    """What a token or a session says of its holder: `subject` is issuer and subject, with a space between."""

    subject: str
    officer: str
    name: str
    departments: tuple[str, ...]


class Tokens(Protocol):
    """Verifies bearer tokens."""

    def read(self, token: str) -> Known | None:
        """None where it is not valid here and now."""
        ...


class Identity:
    """Knows callers. `tokens` verifies what is not a session of ours."""

    def __init__(self, sessions: Sessions, registry: Registry, endings: Endings, tokens: Tokens | None = None) -> None:
        self._sessions = sessions
        self._registry = registry
        self._endings = endings
        self._tokens = tokens

    def begin(self, known: Known, seconds: int) -> str:
        """A session's token."""
        claims = {"sub": known.subject, "officer": known.officer, "name": known.name}
        return self._sessions.make({**claims, "departments": list(known.departments)}, seconds)

    def known(self, token: str) -> Known | None:
        claims = self._sessions.read(token)
        if claims is not None:
            return None if self._endings.cover(claims) else known_by(claims)
        return self._tokens.read(token) if self._tokens is not None else None

    def end(self, token: str) -> None:
        """Ends a session for whoever has its token; what is no session of ours is none of ours to end."""
        claims = self._sessions.read(token)
        if claims is not None:
            self._endings.end(claims)

    def caller(self, known: Known, department: str | None = None) -> Caller:
        """For which of his departments he speaks: the one that is named, else the first. Raises Problem."""
        chosen = department or (known.departments[0] if known.departments else "")
        if chosen not in known.departments:
            raise Problem(403, "不属于该部门", "you do not speak for this department", detail=department)
        return Caller(known.subject, known.officer, known.name, chosen, known.departments, self._roles(chosen))

    def _roles(self, department: str) -> frozenset[Reader]:
        if department == OPERATOR.lower():
            return frozenset((OPERATOR,))
        registers = self._registry.now()
        entry = registers.departments.get(department)
        if entry is None or registers.ceased(department, local_date(datetime.now(UTC))):
            raise Problem(403, "登记簿中没有该部门", "the register knows no such department", detail=department)
        return frozenset(entry.roles)


def known_by(claims: dict[str, Any]) -> Known:
    return Known(claims["sub"], claims["officer"], claims["name"], tuple(claims["departments"]))


def bearer_of(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def find_caller(request: Request, department: str | None = None) -> Caller | None:
    """Whoever is calling; None where nobody has signed in. Raises Problem for a token that is not valid."""
    identity: Identity = request.app.state.identity
    if (bearer := bearer_of(request)) is not None:
        known = identity.known(bearer)
        if known is None:
            raise of_status(401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
    elif cookie := request.cookies.get(COOKIE):
        known = identity.known(cookie)
        if known is not None and department is None and request.cookies.get(SPEAKS) in known.departments:
            department = request.cookies[SPEAKS]
    else:
        known = None
    if known is None:
        return None
    found = identity.caller(known, department)
    request.state.department = found.department  # for the access log
    request.state.caller = found  # for pages
    return found


def still_known(request: Request) -> bool:
    """Whether whoever called is still let in: his token is not over, his session was not ended. Where nobody can tell
    now, as before."""
    try:
        return find_caller(request) is not None
    except Problem as problem:
        return problem.details.status not in (401, 403)
    except OperationalError:
        return True


def caller(
    request: Request,
    shenguan_department: Annotated[
        str | None, Header(description="For which of your departments; default: the first that your token names.")
    ] = None,
) -> Caller:
    found = find_caller(request, shenguan_department or None)
    if found is None:
        raise of_status(401, headers={"WWW-Authenticate": "Bearer"})
    return found


CallerOf = Annotated[Caller, Depends(caller)]


def reads(area: Area) -> Callable[[Caller], Caller]:
    """A dependency: whoever calls may read something of the area."""

    def allowed(found: CallerOf) -> Caller:
        if found.scope(area) is None:
            raise of_status(403)
        return found

    AREAS[allowed] = area
    return allowed

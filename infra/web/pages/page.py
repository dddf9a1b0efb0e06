"""What the pages have in common: their templates, their language, who is looking, where he can go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.types import Scope

from domain.access import OPERATOR, Area, Caller
from domain.registers import Registers
from infra.web.pages.cells import Cells, case_path, link
from infra.words import RULE_WORDS, WORDS
from projections.working_days import CHINA

LANGUAGE = "shenguan_lang"
"""The cookie with the language that was chosen."""


class Place(NamedTuple):
    """A page of the navigation, for whom may read something of its area."""

    path: str
    zh: str
    en: str
    area: Area


PLACES = (
    Place("/overview", "总览", "Overview", "statistics"),
    Place("/inbox", "收件箱", "Inbox", "notices"),
    Place("/cases", "办件", "Cases", "cases"),
    Place("/desk", "监察台", "Inspector’s desk", "reads"),
    Place("/registers", "登记簿", "Registers", "registers"),
    Place("/operations", "运行", "Operations", "operations"),
)


def places(caller: Caller) -> list[Place]:
    """Where he can go. Only a department has an inbox, and inspectors are owed nothing."""
    found = [place for place in PLACES if caller.scope(place.area) is not None]
    return [place for place in found if place.path != "/inbox" or caller.scope("notices") == "own"]


@cache
def environment() -> Environment:
    env = Environment(
        loader=PackageLoader("infra.web"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters["moment"] = moment
    env.filters["percent"] = percent
    env.globals["case_path"] = case_path
    env.globals["link"] = link
    return env


def language(request: Request) -> str:
    """`zh` or `en`: of the address, as chosen before, or as the store has it."""
    chosen = request.query_params.get("lang") or request.cookies.get(LANGUAGE)
    return chosen if chosen in ("zh", "en") else str(request.app.state.store.language)


def render(
    request: Request, template: str, status: int = 200, *, registers: Registers | None = None, **values: Any
) -> HTMLResponse:
    """A page, with names by `registers`, by default as they are now. Templates write `t("中文", "English")`,
    `word(code)` for codes of the domain, `cell(key, value)` for values of tables, `here(name=value)` for this page's
    own address with other parameters."""
    lang = language(request)
    caller: Caller | None = getattr(request.state, "caller", None)
    classified = caller is not None and caller.may_see_classified
    known = request.app.state.registry.now() if registers is None else registers
    cells = Cells(lang == "zh", known, classified)
    text = (
        environment()
        .get_template(template)
        .render(
            request=request,
            lang=lang,
            t=translator(lang),
            word=worder(lang),
            cell=cells,
            here=addresser(request),
            caller=caller,
            places=places(caller) if caller is not None else (),
            position=values.pop("position", None),
            now=datetime.now(UTC),
            operator=OPERATOR,
            demo=request.app.state.store.settings.sign_in == "demo",
            **values,
        )
    )
    response = HTMLResponse(text, status, {"Cache-Control": "private, no-store"})
    if request.query_params.get("lang") in ("zh", "en"):
        response.set_cookie(LANGUAGE, lang, max_age=365 * 24 * 3600, samesite="lax")
    return response


def translator(lang: str) -> Callable[[str, str], str]:
    return lambda zh, en: en if lang == "en" else zh


def worder(lang: str) -> Callable[[str | None], str]:
    def word(code: str | None) -> str:
        if code is None:
            return ""
        known = WORDS.get(code) or RULE_WORDS.get(code)
        return code if known is None else known[1 if lang == "en" else 0]

    return word


def addresser(request: Request) -> Callable[..., str]:
    """This address with some parameters changed; those that are None are left out, and so is the page's place in a
    list that is changed thereby."""

    def here(**changed: Any) -> str:
        kept = {key: value for key, value in request.query_params.items() if key != "lang"}
        if "cursor" not in changed and set(changed) - {"lang"}:
            kept.pop("cursor", None)
        return address(path_of(request.scope), kept | changed)

    return here


def path_of(scope: Scope) -> str:
    """The path that was asked for, as it stands in addresses and headers: one of ours, for browsers take what begins
    with two slashes for another host."""
    return "/" + quote(scope["path"].lstrip("/\\"))


def address(path: str, parameters: Mapping[str, Any]) -> str:
    """Without what is empty."""
    used = {key: value for key, value in parameters.items() if value not in (None, "", False)}
    return f"{path}?{urlencode(used)}" if used else path


def moment(value: datetime | None) -> str:
    """In Beijing time, to the second."""
    return "" if value is None else value.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


def percent(value: float | None) -> str:
    """Of nothing there is no rate."""
    return "—" if value is None else f"{value:.1%}"

"""What the pages have in common: their templates, their language, who is looking."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from infra.words import WORDS
from projections.working_days import CHINA

LANGUAGE = "shenguan_lang"
"""The cookie with the language that was chosen."""


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
    return env


def language(request: Request) -> str:
    """`zh` or `en`: of the address, as chosen before, or as the store has it."""
    chosen = request.query_params.get("lang") or request.cookies.get(LANGUAGE)
    return chosen if chosen in ("zh", "en") else str(request.app.state.store.language)


def render(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page; templates write `t("中文", "English")`, and `word(code)` for codes of the domain."""
    lang = language(request)
    text = (
        environment()
        .get_template(template)
        .render(
            request=request,
            lang=lang,
            t=translator(lang),
            word=worder(lang),
            caller=getattr(request.state, "caller", None),
            demo=request.app.state.store.settings.sign_in == "demo",
            **values,
        )
    )
    response = HTMLResponse(text, status)
    if request.query_params.get("lang") in ("zh", "en"):
        response.set_cookie(LANGUAGE, lang, max_age=365 * 24 * 3600, samesite="lax")
    return response


def translator(lang: str) -> Callable[[str, str], str]:
    return lambda zh, en: en if lang == "en" else zh


def worder(lang: str) -> Callable[[str | None], str]:
    def word(code: str | None) -> str:
        if code is None:
            return ""
        known = WORDS.get(code)
        return code if known is None else known[1 if lang == "en" else 0]

    return word


def moment(value: datetime | None) -> str:
    """In Beijing time, to the second."""
    return "" if value is None else value.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")

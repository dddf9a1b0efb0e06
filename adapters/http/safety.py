"""Headers that every answer has, so that a browser shows and runs nothing but what is ours."""

from __future__ import annotations

import uuid

from domain.submissions import CORRELATION

REQUEST_ID = "X-Request-ID"


def headers(forms_lead_to: str | None = None) -> dict[str, str]:
    """`forms_lead_to`: an origin beside ours to which a form may be answered by a redirection."""
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "form-action": f"'self' {forms_lead_to}" if forms_lead_to else "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        # Not `no-referrer`: browsers would then call the origin of our own forms `null`.
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        # An answer is one caller's: kept by nobody else, and asked for again each time.
        "Cache-Control": "private, no-cache",
        "Vary": "Authorization, Cookie, Shenguan-Department",
    }


def request_id(said: str | None) -> str:
    """The caller's own, if it is fit to be logged and handed on; else a new one."""
    return said if said is not None and CORRELATION.fullmatch(said) else uuid.uuid4().hex

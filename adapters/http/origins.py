"""Whether what a browser sends comes from a page of ours, so that no other site acts in a signed-in officer's name.

Sources: Fetch Metadata (`Sec-Fetch-Site`), RFC 6454 (`Origin`). Browsers of our time send one or the other with every
form; no secret in the form is needed.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

SAFE = frozenset(("GET", "HEAD", "OPTIONS", "TRACE"))
PROXIED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


def is_ours(headers: Mapping[str, str], public_url: str | None) -> bool | None:
    """None where nothing tells: it was no browser, or a very old one."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    if origin is None:
        return None
    # Behind a proxy the scheme that we see may be another; the host is the one that the browser asked.
    return origin == public_url or urlsplit(origin).netloc == headers.get("host")


def is_bearer(headers: Mapping[str, str]) -> bool:
    """A browser never adds this by itself, as it does cookies and Basic credentials."""
    return headers.get("authorization", "").partition(" ")[0].lower() == "bearer"


def is_at_this_machine(headers: Mapping[str, str]) -> bool:
    """Whether a request was sent to this machine by its own name, and not through a proxy. A name of another's that
    leads here (DNS rebinding) would give its pages our demonstration."""
    host = urlsplit(f"//{headers.get('host', '')}").hostname or ""
    try:
        near = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
    return near and not any(name in headers for name in PROXIED)

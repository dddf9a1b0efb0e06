"""Where the HTTP doors are."""

from __future__ import annotations

import socket

from infra.settings import Settings


def with_port(settings: Settings) -> Settings:
    """The settings with a port that is free now, where any will do."""
    if settings.http_port:
        return settings
    family = socket.AF_INET6 if ":" in settings.http_host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.bind((settings.http_host, 0))
        return settings.model_copy(update={"http_port": probe.getsockname()[1]})


def web_address(settings: Settings) -> str:
    """As browsers reach them."""
    if settings.public_url is not None:
        return settings.public_url
    host = f"[{settings.http_host}]" if ":" in settings.http_host else settings.http_host
    return f"http://{host}:{settings.http_port}"

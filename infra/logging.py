"""structlog as JSON on standard error; the level by SHENGUAN_LOG_LEVEL (default warning)."""

from __future__ import annotations

import logging
import os
import sys

import structlog


def configure(level: str | None = None) -> None:
    """For this process. No personal data is ever logged: messages carry codes, places and counts."""
    name = (level or os.environ.get("SHENGUAN_LOG_LEVEL") or "warning").upper()
    number = logging.getLevelNamesMapping().get(name, logging.WARNING)
    logging.getLogger("kafka").setLevel(max(number, logging.ERROR))
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )

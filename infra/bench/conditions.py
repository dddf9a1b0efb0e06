"""Under which conditions a figure was found: without them it says nothing."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg


def machine() -> dict[str, Any]:
    """The hardware as far as the system tells, and the programs that matter."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "load_1min": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        **{name: version(name) for name in ("eventsourcing", "kafka-python", "psycopg", "pydantic")},
    }


def database(url: str) -> dict[str, Any]:
    """PostgreSQL's version and how durable a commit is."""
    with psycopg.connect(url) as conn:
        return {
            f"postgres_{name}": _setting(conn, setting)
            for name, setting in (
                ("version", "server_version"),
                ("fsync", "fsync"),
                ("synchronous_commit", "synchronous_commit"),
                ("full_page_writes", "full_page_writes"),
                ("wal_sync_method", "wal_sync_method"),
                ("shared_buffers", "shared_buffers"),
                ("max_wal_size", "max_wal_size"),
            )
        }


def _setting(conn: psycopg.Connection[Any], name: str) -> str:
    row = conn.execute("SELECT current_setting(%s)", (name,)).fetchone()
    assert row is not None
    return str(row[0])


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return model or platform.machine()

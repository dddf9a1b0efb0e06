"""Rebuilding read models while everything runs."""

from __future__ import annotations

from collections.abc import Callable

from adapters.postgres.migrate import role_of
from adapters.postgres.rebuild import rebuild
from infra.memory import calmer
from infra.store import Store
from projections.catalogue import PROJECTIONS


class UnknownProjection(OSError):
    """No read model of that name."""


def rebuild_all(store: Store, name: str | None, progress: Callable[[int, int], None]) -> list[str]:
    """Rebuilds one read model, or all of them together; returns their names."""
    chosen = [p for p in PROJECTIONS if name in (None, p.name)]
    if not chosen:
        raise UnknownProjection(f"没有读模型 {name}；有 {'、'.join(p.name for p in PROJECTIONS)}")
    with calmer():
        rebuild(store.migrator_url, role_of(store.database_url), role_of(store.reader_url), chosen, progress)
    return [projection.name for projection in chosen]

"""A store's beginning: schema, reform office, first principals. All of it may be repeated."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel

from adapters.formats.workdays import published
from adapters.postgres.migrate import migrate, role_of
from domain import system
from domain.departments import Department
from domain.event import Event
from domain.submissions import Code
from domain.world import World
from infra.store import Store


class Founding(BaseModel):
    """What cannot come by submission, because nobody may speak yet: the reform office and the first principals."""

    reform_office: Department
    principals: dict[Code, tuple[Code, ...]]
    operator: Code = "operator"
    vouching: Code | None = None
    """The principal of the HTTP doors."""


def read(path: Path) -> Founding:
    """Raises OSError or pydantic.ValidationError."""
    return Founding.model_validate(json.loads(path.read_text(encoding="utf-8")))


def prepare(store: Store) -> list[str]:
    """Migrates the database; returns what was applied."""
    return migrate(store.migrator_url, role_of(store.database_url), role_of(store.reader_url))


ONE_ROLE = (
    "警告：迁移、运行与读者是同一个数据库角色：日志只由触发器保护。请为三者分设角色。",
    "Warning: migrator, runtime and reader are one database role: triggers alone protect the log. Use three roles.",
)


def one_role(store: Store) -> bool:
    """Whether migrator, runtime and reader are the same role, so that no privilege keeps the log from being changed."""
    return len({role_of(url) for url in (store.migrator_url, store.database_url, store.reader_url)}) == 1


def found(store: Store, founding: Founding) -> int:
    """Writes the founding events through the writer; returns how many, 0 in a store that has begun."""

    def fact(world: World, now: datetime) -> list[Event]:
        office, principals = founding.reform_office, dict(founding.principals)
        return system.found(world, office, principals, founding.operator, now, founding.vouching)

    def adopt(world: World, now: datetime) -> list[Event]:
        return system.calendar_adopted(world, published(), now)

    writer = store.writer()
    try:
        return writer.write(facts=[fact, adopt]).events
    finally:
        writer.close()

"""Departments that are told by other channels than Kafka, and how a notice went."""

from __future__ import annotations

import json
from typing import Any

from typer.testing import CliRunner

from domain.channels import Channel
from domain.departments import Department, RegisterDepartment, RegisterLiaison
from domain.personal import Person
from infra.main import app
from tests.integration.outlet_kit import TrackedStore
from tests.integration.region import OFFICE
from tests.integration.teststore import TestStore, department


def told_by(store: TestStore, code: str, *channels: Channel, endpoint: str | None = None) -> Department:
    """The department's entry anew, with this order."""
    entry = department(code, f"{code}监管局", "SUPERVISION").model_copy(
        update={"channels": channels, "endpoint": endpoint}
    )
    store.submit(RegisterDepartment(department=OFFICE, entry=entry))
    return entry


def liaison(store: TestStore, code: str, number: str, phone: str | None, **more: bool) -> None:
    person = Person(name="其其格", phone=phone)
    store.submit(RegisterLiaison(department=code, number=number, person=person, **more))


def command(store: TrackedStore, *arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, [*arguments], obj=store)
    assert result.exit_code == code, (result.output, result.exception)
    return result.stdout


def standing(store: TrackedStore, department: str) -> dict[str, dict[str, Any]]:
    """What `shenguan channels` says, by channel."""
    return {row["channel"]: row for row in answer(store, "--department", department)["channels"]}


def answer(store: TrackedStore, *arguments: str) -> Any:
    """The JSON among what the roles in other threads log."""
    lines = command(store, "channels", *arguments, "--json").splitlines()
    return json.loads(next(line for line in lines if line.startswith("{")))


def life(store: TestStore, department: str) -> list[tuple[Any, ...]]:
    """How the department's notices went over channels: what, serial, channel, reason or reference."""
    with store.connect() as conn:
        return conn.execute(
            "SELECT substr(e.topic, 8), o.originator_version, s ->> 'channel', coalesce(s ->> 'reason',"
            " s ->> 'reference') FROM shenguan.stored_events AS e,"
            " LATERAL (SELECT convert_from(e.state, 'UTF8')::jsonb) AS j (s), shenguan.stored_events AS o"
            " WHERE o.originator_id = %s"
            " AND e.originator_id = 'notice/' || o.unique_key"
            " AND e.topic IN ('notice.dispatched', 'notice.delivered', 'notice.given_up') ORDER BY e.notification_id",
            (f"ledger/{department}",),
        ).fetchall()

"""Tasks of a case and the handling of matters, asked at the terminal."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from domain.guides import Guide
from domain.placements import Placement
from domain.tasks import CompleteTask, OpenTask, WorkCapability
from tests.integration.region import APPROVAL, DAY, FORMER, MATTER, OWN_MATTER, accept, case, decide
from tests.integration.test_queries import ask, ask_json
from tests.integration.test_registers import enter
from tests.integration.teststore import TestStore, officer

PLACED: dict[str, Any] = {"matter": OWN_MATTER, "organ": FORMER, "section": "审批科", "online": True, "monitored": True}


@pytest.mark.door("command")
@pytest.mark.clause("2.3a")
@pytest.mark.clause("2.3c")
def test_a_cases_tasks_and_its_clock(region: TestStore) -> None:
    enter(region, WorkCapability(matter=MATTER, work="survey", party="both"))
    guide = Guide(matter=MATTER, elements=("申请书",), steps=("受理",), promised_days=5)
    enter(region, guide, since=date(2026, 1, 1))
    region.submit(
        accept("1"),
        case(OpenTask, "1", task="1", work="survey", opened_on=DAY, due_on=DAY + timedelta(days=3)),
        case(
            CompleteTask, "1", by=FORMER, task="1", began_at=region.now, ended_at=region.now, result="passed",
            conclusion="一致", signers=(officer(),),
        ),
    )  # fmt: skip
    found = ask_json(region, "tasks", "1")
    [task] = found["tasks"]
    assert (task["status"], task["parties"], task["owing"]) == ("pending", [FORMER, APPROVAL], [APPROVAL])
    assert found["promised_days"] == 5
    text = ask(region, "tasks", "1")
    assert "现场勘验" in text
    assert "住建局" in text
    region.submit(
        case(
            CompleteTask, "1", task="1", began_at=region.now, ended_at=region.now, result="passed", conclusion="一致",
            signers=(officer(),),
        ),
        decide("1"),
    )  # fmt: skip
    found = ask_json(region, "tasks", "1")
    assert found["tasks"][0]["status"] == "passed"
    assert (found["elapsed"], found["paused"], found["on_clock"]) == (0, 0, 0)


@pytest.mark.clause("2.3d", refused=True)
def test_no_decision_without_the_result(region: TestStore) -> None:
    enter(region, WorkCapability(matter=MATTER, work="survey", party="competent", required=True))
    region.submit(accept("1"))
    region.submit(decide("1"), expect="refused")
    assert ask_json(region, "tasks", "1")["tasks"] == []


@pytest.mark.door("command")
@pytest.mark.clause("3.2a")
@pytest.mark.clause("3.2c")
def test_what_is_not_in_place_shows(region: TestStore) -> None:
    assert ask_json(region, "placements", "--wanting")["items"][0]["wanting"] == ["placement"]
    assert "未登记" in ask(region, "placements")
    enter(region, Placement(**PLACED, in_hall=True, windows=("A1",)), since=date(2026, 1, 1))
    assert ask_json(region, "placements", "--wanting")["items"] == []
    for number, window in (("1", "A1"), ("2", "B2")):
        region.submit(accept(number, organ=FORMER, matter=OWN_MATTER))
        region.submit(decide(number, organ=FORMER, window=window))
    region.project()
    [flagged] = ask_json(region, "approvals", "--outside-window")["items"]
    assert (flagged["number"], flagged["window"]) == ("2", "B2")

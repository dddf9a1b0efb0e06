"""Subscriptions (2.2i): what is followed since which serial, and permits from before told anew."""

from __future__ import annotations

from datetime import date

import pytest

from domain import system
from tests.spec.test_succession import problems
from tests.unit.spec import MATTER, NOW, OWN_MATTER, Region, owed

STREAM = "subscription/s3/1"


@pytest.fixture
def region(region: Region) -> Region:
    """Since February s3 supervises too."""
    supervisors = [{"department": "s1"}, {"department": "s3", "part": "assist"}]
    region.accepted(
        "matter.route", "sgb", matter=MATTER, valid_from="2026-02-20", basis="调整", supervisors=supervisors
    )
    return region


def join(region: Region, number: str) -> list[str]:
    return owed(region.record(lambda world: system.subscriber_joined(world, STREAM, f"case/spj/{number}", NOW)))


@pytest.mark.clause("2.2i")
def test_a_new_supervisor_is_told_of_the_permits_from_before(region: Region) -> None:
    region.granted("1")
    region.accept("2")
    region.accepted("case.decide", "spj", **region.decision("2", decided_on="2026-02-25"))  # told anyway
    region.granted("3")
    end = {"document_number": "注1", "on": "2026-02-20", "reason": "申请注销"}
    region.accepted("case.cancel", "spj", **region.case("3", **end))
    [started] = region.accepted("subscription.start", "s3", number="1", matters=[MATTER], backfill_from="2020-01-01")
    assert (started.serial, started.backfill_from) == (1, date(2020, 1, 1))  # type: ignore[attr-defined]
    assert not region.world.subscription("s3", "1").complete
    [notice] = join(region, "1")
    assert [join(region, number) for number in ("1", "2", "3")] == [[], [], []]
    state = region.state(notice)
    assert state.owed is not None
    assert (state.owed.about, state.owed.root, state.owed.serial) == ("backfill", "decision", 2)
    region.accepted("notice.receive", "s3", notice=notice, received_at=NOW.isoformat())
    region.accepted("notice.take", "s3", notice=notice)
    region.accepted("feedback.raise", "s3", number="1", case_organ="spj", case_number="1", found_on="2026-03-01",
                    suggestion="none", detail="正常")  # fmt: skip
    change = {"document_number": "变1", "on": "2026-03-01", "content": "变更"}
    told = owed(region.accepted("case.change", "spj", **region.case(**change)))
    assert [one.split("/")[0] for one in told] == ["s1", "s2", "s3"]
    region.record(lambda world: system.subscription_backfilled(world, STREAM, (MATTER, None, None), 1, True, NOW))
    assert region.world.subscription("s3", "1").complete
    assert system.subscription_backfilled(region.world, STREAM, (MATTER, None, None), 0, True, NOW) == []
    assert problems(region) == []


@pytest.mark.clause("2.2i", refused=True)
def test_nobody_subscribes_to_what_it_does_not_supervise(region: Region) -> None:
    for department, rule in (("s2", "supervision.not_addressee"), ("spj", "mandate.role"), ("jw", "mandate.role")):
        region.refused(rule, "subscription.start", department, number="1", matters=[MATTER])
    region.waits(f"matter/{OWN_MATTER}", "subscription.start", "s3", number="1", matters=[MATTER, OWN_MATTER])
    region.accepted("subscription.start", "s3", number="1", matters=[MATTER])
    region.refused("subscription.exists", "subscription.start", "s3", number="1", matters=[MATTER])
    region.dead("backfill_from", "date.future", "subscription.start", "s3", number="2", matters=[MATTER],
                backfill_from="2026-03-03")  # fmt: skip


def test_without_a_wish_for_the_past_it_is_complete(region: Region) -> None:
    region.accepted("subscription.start", "s3", number="1", matters=[MATTER])
    assert region.world.subscription("s3", "1").complete

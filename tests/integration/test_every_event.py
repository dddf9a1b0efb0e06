"""Every kind of event: recorded, verified, projected again."""

from __future__ import annotations

from types import SimpleNamespace

from domain.catalogue import EVENT_TYPES
from domain.departments import RegisterLiaison, RegisterPrincipal
from domain.personal import Person
from infra.verify import verify
from tests.integration.region import S1, everything
from tests.integration.teststore import TestStore

BROUGHT_ABOUT_ELSEWHERE = {"case.reported", "deadletter.retried", "intake.epoch_opened", "registers.followed"}


def test_every_kind_of_event_is_verified_and_projected_again(region: TestStore) -> None:
    """A second fold of the log gives the same read models, and finds nothing wrong."""
    everything(region)
    region.submit(
        RegisterPrincipal(principal="p", acts_for=(S1,)),
        principal="operator",
    )
    region.submit(RegisterLiaison(department=S1, number="01", person=Person(name="苏和")))
    with region.connect() as conn:
        found = {row[0] for row in conn.execute("SELECT DISTINCT topic FROM shenguan.stored_events")}
    assert set(EVENT_TYPES) - found == BROUGHT_ABOUT_ELSEWHERE
    region.project()
    problems = verify(SimpleNamespace(migrator_url=region.urls.migrator)).problems
    # Two steps were recorded as an outlet would, and there was none.
    assert sorted((one.check, one.stream) for one in problems) == [
        ("delivered", "notice/s1/test/d-9"),
        ("dispatched", "notice/s1/test/d-9"),
    ]

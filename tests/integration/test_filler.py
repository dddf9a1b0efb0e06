"""The outlet's follower: who is told over which channel is judged by what was registered when the notice was owed."""

from __future__ import annotations

import pytest

from adapters.postgres.follower import EventFailed, catch_up, run_batch
from domain.departments import RegisterDepartment
from domain.matters import RouteMatter, Supervisor
from infra.roles.outlet import Filler
from tests.integration.outlet_kit import count
from tests.integration.region import DAY, MATTER, OFFICE, granted
from tests.integration.teststore import TestStore, department

NEW = "s9"


def newcomer(store: TestStore) -> None:
    """A department that nobody knew takes the matter over from now on."""
    store.submit(RegisterDepartment(department=OFFICE, entry=department(NEW, "新监管局", "SUPERVISION")))
    new = (Supervisor(department=NEW),)
    store.submit(RouteMatter(department=OFFICE, matter=MATTER, valid_from=DAY, basis="改", supervisors=new))


def test_who_led_before_takes_over_from_another(region: TestStore) -> None:
    """What was registered while the other led is known, and so is what is registered afterwards."""
    first, other = Filler(), Filler()
    with region.connect() as conn:
        granted(region, "1")
        catch_up(conn, [first])
        newcomer(region)
        granted(region, "2")
        catch_up(conn, [other])
        granted(region, "3")
        catch_up(conn, [first])
        granted(region, "4")
        catch_up(conn, [other])
    assert count(region, f"SELECT count(*) FROM shenguan.delivery WHERE department = '{NEW}'") == 3


def test_what_was_rolled_back_is_not_remembered(region: TestStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch fails after it was folded: what it registered is registered once all the same."""
    filler = Filler()
    with region.connect() as conn:
        catch_up(conn, [filler])
        newcomer(region)
        granted(region, "1")
        with monkeypatch.context() as broken:
            broken.setattr("infra.roles.outlet.owe", lambda *_: 1 / 0)
            with pytest.raises(EventFailed, match="ZeroDivisionError"):
                run_batch(conn, filler)
        catch_up(conn, [filler])
    assert len(filler._registers.matters[MATTER].routes) == 2
    assert count(region, f"SELECT count(*) FROM shenguan.delivery WHERE department = '{NEW}'") == 1


def test_a_batch_knows_nothing_of_what_comes_later(region: TestStore) -> None:
    """Small batches: when the first is filled, the log knows more than was known at its end."""
    granted(region, "1")
    newcomer(region)
    granted(region, "2")
    filler = Filler()
    with region.connect() as conn:
        run_batch(conn, filler, limit=20)
        assert NEW not in filler._registers.departments
        catch_up(conn, [filler], limit=3)
    assert count(region, "SELECT count(*) FROM shenguan.delivery") == 3

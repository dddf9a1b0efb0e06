"""What becomes of time limits: more time, and time that stands still, by the reform office.

The notices are never received: a receipt comes by another topic, and after it there would be no clock to change.
"""

from __future__ import annotations

from infra.generator.case import Case
from infra.generator.offices import REFORM_OFFICE
from infra.generator.scenario import scenario


@scenario(0.2)
def extended(case: Case) -> None:
    """The reform office gives more time for one notice, and lets another's stand still; the holder may not itself."""
    case.grant()
    first, last = (f"notice/{notice.id}" for notice in (case.told[0], case.told[-1]))
    case.wait(1, 2)
    mine = {"clock": first, "days": 5, "reason": "外出培训"}
    case.send("clock.extend", case.told[0].addressee, mine, expect="refused", rule="mandate.role")
    case.send("clock.extend", REFORM_OFFICE, {"clock": first, "days": 2, "reason": "系统切换"})
    case.send("clock.suspend", REFORM_OFFICE, {"clock": last, "on": case.today, "reason": "系统停机"})
    case.wait(1, 3)
    case.send("clock.resume", REFORM_OFFICE, {"clock": last, "on": case.today})

"""The clerk: hands in registrations and what else there is before the year begins, one every half minute."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from infra.generator.arrival import Arrival
from infra.generator.offices import REFORM_OFFICE, REFORM_PRINCIPAL
from infra.generator.working_time import SHANGHAI

_BEGINS: Final = datetime(2024, 12, 2, 9, 0, tzinfo=SHANGHAI)


class Clerk:
    """Numbers what it hands in: `<prefix>.000001` and so on."""

    def __init__(self, prefix: str, begins: datetime = _BEGINS) -> None:
        self._prefix = prefix
        self._at = begins
        self._number = 0

    def hand_in(self, principal: str, key: str, type_: str, data: dict[str, Any]) -> Arrival:
        """In this principal's name."""
        self._at += timedelta(seconds=30)
        self._number += 1
        attributes = {
            "specversion": "1.0",
            "id": f"{self._prefix}.{self._number:06d}",
            "source": f"{principal}.nm",
            "type": f"cn.shenguan.{type_}.v1",
            "time": self._at.isoformat(),
        }
        return Arrival(principal, key, attributes, data, self._at)

    def reform(self, key: str, type_: str, /, **data: Any) -> Arrival:
        """In the reform office's name."""
        return self.hand_in(REFORM_PRINCIPAL, key, type_, {"department": REFORM_OFFICE, **data})

"""What a benchmark found, in the one shape that all of them share."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(slots=True)
class Outcome:
    """`ours` beside `stock` (the plain way) and `ceiling` (nothing checked), in `unit`.

    The ratios are ours / other: of a rate more is better, of a time less. `details` are further figures by name.
    """

    name: str
    unit: str
    ours: float
    stock: float | None
    ceiling: float | None
    conditions: dict[str, Any]
    headline: str
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio_stock(self) -> float | None:
        return _ratio(self.ours, self.stock)

    @property
    def ratio_ceiling(self) -> float | None:
        return _ratio(self.ours, self.ceiling)

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "unit": self.unit,
            "ours": _short(self.ours),
            "stock": _short(self.stock),
            "ceiling": _short(self.ceiling),
            "ratio_stock": self.ratio_stock,
            "ratio_ceiling": self.ratio_ceiling,
            "conditions": self.conditions,
            "details": self.details,
            "headline": self.headline,
        }

    def as_json(self) -> str:
        """One line."""
        return json.dumps(self.as_dict(), ensure_ascii=False)

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> Outcome:
        """What `as_dict` gave; the ratios are computed anew."""
        return cls(**{one.name: found[one.name] for one in fields(cls)})


def _ratio(ours: float, other: float | None) -> float | None:
    return round(ours / other, 3) if other else None


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 2)

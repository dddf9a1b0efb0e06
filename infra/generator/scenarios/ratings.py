"""Ratings 好差评, and what becomes of the bad ones (3.3a–c). All comes through the platform, in order."""

from __future__ import annotations

from typing import Any

from infra.generator.arrival import Arrival
from infra.generator.case import Case
from infra.generator.offices import PLATFORM, PLATFORM_PRINCIPAL
from infra.generator.scenario import scenario


def _rated(case: Case, type_: str, department: str, said: dict[str, Any], **options: Any) -> Arrival:
    of = {**case.key_of_case, "service": "decision"}
    return case.send(f"rating.{type_}", department, {**of, **said}, officer=department != PLATFORM, **options)


def _rate(case: Case, level: int, **options: Any) -> Arrival:
    case.wait(1, 3)
    said: dict[str, Any] = {"level": level, "rated_at": case.now.isoformat()}
    if level < 3:
        said |= {"tags": "办理时限", "comment": f"{case.party['name']}反映办理时间过长"}
    return _rated(case, "record", PLATFORM, said, **options)


def _contact(case: Case, **options: Any) -> None:
    said = {"contacted_at": case.now.isoformat(), "finding": "confirmed", "detail": "已联系，情况属实"}
    _rated(case, "contact", case.organ, said, **options)


@scenario(0.4)
def rated_well(case: Case) -> None:
    """Nothing follows."""
    case.through = PLATFORM_PRINCIPAL
    case.grant()
    _rate(case, case.rng.choice((3, 4, 5)))
    for notice in case.told:
        case.receive(notice)


@scenario(0.2)
def rated_badly(case: Case) -> None:
    """Told, contacted, put right, asked again; a second rating is refused, and a step by somebody else."""
    case.through = PLATFORM_PRINCIPAL
    case.grant()
    bad = case.owe(case.organ, _rate(case, case.rng.choice((1, 2))), "rating")
    _rate(case, 5, expect="refused", rule="rating.exists")
    case.receive(bad)
    _contact(case)
    case.wait(1, 3)
    measures = {"on": case.today, "measures": "补正事项一次性告知"}
    _rated(case, "rectify", case.told[0].addressee, measures, expect="refused", rule="rating.not_yours")
    _rated(case, "rectify", case.organ, measures)
    case.wait(1, 3)
    _rated(case, "revisit", PLATFORM, {"on": case.today, "satisfied": True})


@scenario(0.2)
def rated_wrongly(case: Case) -> None:
    """Appealed against, excluded, but not by who was rated."""
    case.through = PLATFORM_PRINCIPAL
    case.grant()
    bad = case.owe(case.organ, _rate(case, 1), "rating")
    case.receive(bad)
    _rated(case, "appeal", case.organ, {"reason": "评价对象为其他窗口"})
    excluded = {"outcome": "excluded", "reason": "经核实属误评"}
    _rated(case, "decide_appeal", case.organ, excluded, expect="refused", rule="rating.own")
    case.receive(case.owe(case.organ, _rated(case, "decide_appeal", PLATFORM, excluded), "rating_appeal"))
    _contact(case, expect="refused", rule="rating.excluded")
    for notice in case.told:
        case.receive(notice)

"""Ratings 好差评 of services in five levels, and what a bad one sets going (3.3a–c; 国办发〔2019〕51号).

A bad rating 差评 is told to the department, which contacts the person 联系核实, puts things right 整改 and asks again
回访. A wrong one it may appeal against 申诉; excluded by somebody else, the rating stays on record and does not count.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from domain.cases import case_stream
from domain.clocks import ClockKind, Due
from domain.event import Event, State
from domain.fields import MatterCode
from domain.identifiers import is_within
from domain.personal import Text
from domain.rules import BadField, Refusal, Waiting, rejection
from domain.submissions import Code, Day, Moment, Number, Payload, Submission, decides, local_date

if TYPE_CHECKING:
    from domain.world import World

Level = Annotated[int, Field(ge=1, le=5)]
"""非常不满意, 不满意, 基本满意, 满意, 非常满意."""
BAD = 2
"""Up to here a rating is bad."""
Service = Literal["acceptance", "decision", "collection", "counter"]
"""What was rated: 受理, 办结, 取件 of a case; 窗口服务, which belongs to none."""
OF_CASE: tuple[Service, ...] = ("acceptance", "decision", "collection")
RatingFinding = Literal["confirmed", "unfounded", "unreached"]
"""属实, 不属实, 未能联系上."""
Complexity = Literal["simple", "complex"]
Stage = Literal["contact", "rectify", "revisit"]
"""联系核实, 整改, 回访: each has a clock of its own."""
AppealOutcome = Literal["upheld", "excluded"]
"""维持评价, 剔除."""
RatingStatus = Literal["good", "to_contact", "to_rectify", "to_revisit", "settled", "excluded"]


def rating_stream(organ: str, number: str, service: str) -> str:
    return f"rating/{organ}/{number}/{service}"


class OfRating(Payload):
    """Base of what is done about a rating: of `organ`, for a `service` of the case with this number, or for one at a
    counter, which has a number of its own."""

    organ: Code
    number: Number
    service: Service

    @property
    def stream(self) -> str:
        return rating_stream(self.organ, self.number, self.service)

    @property
    def case(self) -> str:
        """Empty where it is about none."""
        return "" if self.service == "counter" else case_stream(self.organ, self.number)

    def streams(self) -> tuple[str, ...]:
        return (self.stream,)

    def subject(self) -> str:
        return self.case or self.stream

    def about(self) -> str:
        return self.stream


class RecordRating(OfRating):
    """A rating that somebody gave, handed in by the platform. `tags`: what was ticked 标签, in one text; `matter`: what
    was asked about at a counter."""

    TYPE = "rating.record"
    level: Level
    tags: Text | None = None
    comment: Text | None = None
    window: Code | None = None
    matter: MatterCode | None = None
    rated_at: Moment

    @model_validator(mode="after")
    def _of_a_counter(self) -> RecordRating:
        if self.matter is not None and self.service != "counter":
            raise BadField("matter", "rating.matter", "办件评价的事项以办件为准")
        if self.window is None and self.service == "counter":
            raise BadField("window", "rating.window", "窗口评价须有窗口")
        return self

    def streams(self) -> tuple[str, ...]:
        return (self.stream, *((self.case,) if self.case else ()))


class ContactRating(OfRating):
    """联系核实: the department has asked, or tried to. A complex matter has longer to be put right."""

    TYPE = "rating.contact"
    contacted_at: Moment
    finding: RatingFinding
    complexity: Complexity = "simple"
    detail: Text


class RectifyRating(OfRating):
    """整改: what was done about it."""

    TYPE = "rating.rectify"
    on: Day
    measures: Text


class RevisitRating(OfRating):
    """回访: whether the person is content now; by the department or the platform."""

    TYPE = "rating.revisit"
    on: Day
    satisfied: bool
    detail: Text | None = None


class AppealRating(OfRating):
    """申诉: the department holds the rating to be wrong."""

    TYPE = "rating.appeal"
    reason: Text


class DecideAppeal(OfRating):
    """Upheld or excluded, by the platform or from above; never by who was rated."""

    TYPE = "rating.decide_appeal"
    outcome: AppealOutcome
    reason: Text


class RatingEvent(Event):
    """Base: the rated department, and the case; `case` and `matter` are empty where it is about none."""

    organ: str
    number: str
    service: Service
    case: str
    matter: str


class RatingRecorded(RatingEvent):
    """Of a bad one, `due`: until when it is to be contacted."""

    TOPIC = "rating.recorded"
    level: int
    tags: Text | None
    comment: Text | None
    window: str | None
    rated_at: Moment
    due: Due | None = None

    @property
    def effective_on(self) -> str:
        return local_date(self.rated_at).isoformat()


class RatingContacted(RatingEvent):
    """`due`: until when it is to be put right."""

    TOPIC = "rating.contacted"
    contacted_at: Moment
    finding: RatingFinding
    complexity: Complexity
    detail: Text
    due: Due | None = None

    @property
    def effective_on(self) -> str:
        return local_date(self.contacted_at).isoformat()


class RatingRectified(RatingEvent):
    """`due`: until when to ask again."""

    TOPIC = "rating.rectified"
    on: Day
    measures: Text
    due: Due | None = None

    @property
    def effective_on(self) -> str:
        return self.on.isoformat()


class RatingRevisited(RatingEvent):
    TOPIC = "rating.revisited"
    on: Day
    satisfied: bool
    detail: Text | None

    @property
    def effective_on(self) -> str:
        return self.on.isoformat()


class RatingAppealed(RatingEvent):
    TOPIC = "rating.appealed"
    reason: Text


class RatingAppealDecided(RatingEvent):
    TOPIC = "rating.appeal_decided"
    outcome: AppealOutcome
    reason: Text


@dataclass(frozen=True, slots=True)
class RatingState(State):
    """How far a rating has come: when it was contacted, rectified, revisited; until when the next is `due`, in a matter
    so complex; `appeal`: that there is one, or how it ended."""

    recorded: RatingRecorded | None = None
    contacted: date | None = None
    rectified: date | None = None
    revisited: date | None = None
    dues: tuple[Due | None, ...] = ()
    complexity: Complexity = "simple"
    appeal: Literal["", "appealed", "upheld", "excluded"] = ""

    def evolve(self, event: Event) -> RatingState:
        new = replace(self, version=event.originator_version)
        match event:
            case RatingRecorded():
                return replace(new, recorded=event, dues=(event.due,))
            case RatingContacted():
                dues = (*self.dues, event.due)
                contacted = local_date(event.contacted_at)
                return replace(new, contacted=contacted, complexity=event.complexity, dues=dues)
            case RatingRectified():
                return replace(new, rectified=event.on, dues=(*self.dues, event.due))
            case RatingRevisited():
                return replace(new, revisited=event.on)
            case RatingAppealed():
                return replace(new, appeal="appealed")
            case RatingAppealDecided():
                return replace(new, appeal=event.outcome)
        return new

    def stands(self, stage: str) -> tuple[ClockKind, Due, bool] | None:
        """A stage's clock, until when, and whether it runs; None where the rating has not come so far."""
        if self.recorded is None or stage not in STAGES[: len(self.dues)]:
            return None
        at = STAGES.index(stage)
        due, done = self.dues[at], (self.contacted, self.rectified, self.revisited)[at]
        if due is None:
            return None
        return stage_clock(STAGES[at], self.complexity), due, done is None and self.appeal != "excluded"


STAGES: tuple[Stage, ...] = ("contact", "rectify", "revisit")
_CLOCKS: dict[Stage, ClockKind] = {
    "contact": "rating_contact",
    "rectify": "rating_rectify",
    "revisit": "rating_revisit",
}


def stage_clock(stage: Stage, complexity: Complexity = "simple") -> ClockKind:
    """By which limit a stage goes."""
    return "rating_rectify_complex" if (stage, complexity) == ("rectify", "complex") else _CLOCKS[stage]


@decides(RecordRating)
def record_rating(submission: Submission[RecordRating], world: World) -> list[Event]:
    payload = submission.payload
    world.require_role(submission, "PLATFORM")
    world.require_department(payload.organ)
    if payload.rated_at > submission.occurred_at:
        raise rejection("rated_at", "date.future", payload.rated_at.isoformat())
    matter = payload.matter or ""
    if matter:
        world.require_matter(matter)
    if payload.case:
        case = world.case(payload.organ, payload.number)
        if not case.status or (case.status == "accepted" and payload.service != "acceptance"):
            raise Waiting(case.stream)
        if local_date(payload.rated_at) < case.accepted_on:
            raise rejection("rated_at", "date.order", payload.rated_at.isoformat())
        matter = case.matter
    _require_acting(submission, payload.organ, matter, world)
    rating = world.rating(payload.stream)
    if rating.recorded is not None:
        raise Refusal("rating.exists")
    return [
        rating.then(
            RatingRecorded,
            submission.meta,
            organ=payload.organ,
            number=payload.number,
            service=payload.service,
            case=payload.case,
            matter=matter,
            level=payload.level,
            tags=payload.tags,
            comment=payload.comment,
            window=payload.window,
            rated_at=payload.rated_at,
            due=_until("contact", payload.organ, matter, world) if payload.level <= BAD else None,
        )
    ]


@decides(ContactRating)
def contact_rating(submission: Submission[ContactRating], world: World) -> list[Event]:
    payload = submission.payload
    rating, recorded = _bad(submission, world)
    _require_rated(submission, recorded, world)
    if rating.contacted is not None:
        raise Refusal("rating.done")
    if payload.contacted_at > submission.occurred_at:
        raise rejection("contacted_at", "date.future", payload.contacted_at.isoformat())
    if payload.contacted_at < recorded.rated_at:
        raise rejection("contacted_at", "date.order", payload.contacted_at.isoformat())
    return [
        rating.then(
            RatingContacted,
            submission.meta,
            **_sides(recorded),
            contacted_at=payload.contacted_at,
            finding=payload.finding,
            complexity=payload.complexity,
            detail=payload.detail,
            due=_until("rectify", recorded.organ, recorded.matter, world, payload.complexity),
        )
    ]


@decides(RectifyRating)
def rectify_rating(submission: Submission[RectifyRating], world: World) -> list[Event]:
    payload = submission.payload
    rating, recorded = _bad(submission, world)
    _require_rated(submission, recorded, world)
    if rating.rectified is not None:
        raise Refusal("rating.done")
    _require_after(submission, payload.on, rating, rating.contacted)
    due = _until("revisit", recorded.organ, recorded.matter, world)
    said = {"on": payload.on, "measures": payload.measures, "due": due}
    return [rating.then(RatingRectified, submission.meta, **_sides(recorded), **said)]


@decides(RevisitRating)
def revisit_rating(submission: Submission[RevisitRating], world: World) -> list[Event]:
    payload = submission.payload
    rating, recorded = _bad(submission, world)
    if "PLATFORM" in world.registers.departments[payload.department].roles:
        _require_acting(submission, recorded.organ, recorded.matter, world)
    else:
        _require_rated(submission, recorded, world)
    if rating.revisited is not None:
        raise Refusal("rating.done")
    _require_after(submission, payload.on, rating, rating.rectified)
    return [
        rating.then(
            RatingRevisited,
            submission.meta,
            **_sides(recorded),
            on=payload.on,
            satisfied=payload.satisfied,
            detail=payload.detail,
        )
    ]


@decides(AppealRating)
def appeal_rating(submission: Submission[AppealRating], world: World) -> list[Event]:
    rating, recorded = _bad(submission, world)
    _require_rated(submission, recorded, world)
    if rating.appeal:
        raise Refusal("rating.appealed")
    reason = submission.payload.reason
    return [rating.then(RatingAppealed, submission.meta, **_sides(recorded), reason=reason)]


@decides(DecideAppeal)
def decide_appeal(submission: Submission[DecideAppeal], world: World) -> list[Event]:
    payload = submission.payload
    rating, recorded = _bad(submission, world)
    if payload.department in (recorded.organ, rated(recorded, world, submission.occurred_on)):
        raise Refusal("rating.own")
    own = world.require_role(submission, "PLATFORM", "HIGHER_AUTHORITY", "REFORM_OFFICE")
    if "PLATFORM" in own.roles:
        _require_acting(submission, recorded.organ, recorded.matter, world)
    elif not is_within(world.registers.departments[recorded.organ].region, own.region):
        raise Refusal("mandate.role")
    if not rating.appeal:
        raise Waiting(rating.stream)
    if rating.appeal != "appealed":
        raise Refusal("rating.appealed")
    return [
        rating.then(
            RatingAppealDecided,
            submission.meta,
            **_sides(recorded),
            outcome=payload.outcome,
            reason=payload.reason,
        )
    ]


def rated(recorded: RatingEvent, world: World, on: date) -> str:
    """Who answers for the rated department's services now."""
    return world.registers.acting(recorded.organ, on, recorded.matter)


def _bad(submission: Submission[Any], world: World) -> tuple[RatingState, RatingRecorded]:
    """The rating, which must be bad and count. Waits where it is not on record yet."""
    payload: OfRating = submission.payload
    world.require_department(payload.department)
    rating = world.rating(payload.stream)
    if rating.recorded is None:
        raise Waiting(rating.stream)
    if rating.recorded.level > BAD:
        raise Refusal("rating.good")
    if rating.appeal == "excluded":
        raise Refusal("rating.excluded")
    return rating, rating.recorded


def _require_rated(submission: Submission[Any], recorded: RatingRecorded, world: World) -> None:
    if submission.payload.department != rated(recorded, world, submission.occurred_on):
        raise Refusal("rating.not_yours")


def _require_acting(submission: Submission[Any], organ: str, matter: str, world: World) -> None:
    """A platform hands in for those for whom its principal may act, and for nobody else."""
    acts_for = world.mandates(submission)
    if acts_for.isdisjoint((organ, world.registers.acting(organ, submission.occurred_on, matter))):
        raise Refusal("mandate.principal")


def _require_after(submission: Submission[Any], on: date, rating: RatingState, before: date | None) -> None:
    """The step before must be on record: it may be on its way."""
    if before is None:
        raise Waiting(rating.stream)
    if on > submission.occurred_on:
        raise rejection("on", "date.future", on)
    if on < before:
        raise rejection("on", "date.order", on)


def _until(stage: Stage, organ: str, matter: str, world: World, complexity: Complexity = "simple") -> Due:
    """From today, by the limits of the rated department's region."""
    region = world.registers.departments[world.registers.acting(organ, world.today, matter)].region
    return world.registers.due(stage_clock(stage, complexity), world.today, region=region, matter=matter)


def _sides(recorded: RatingRecorded) -> dict[str, Any]:
    return {name: getattr(recorded, name) for name in ("organ", "number", "service", "case", "matter")}

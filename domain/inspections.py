"""Inspections 检查 of permits' holders, in the fields of 互联网+监管 (2.8c).

Upstream marks each record with `cd_operation`: `i` is a report, `u` the whole record anew, `d` its retraction; each is
an event, and what stood before stays known. An inspection owes no notice: what it finds comes back as feedback.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints

from domain.case_state import CaseState, fields
from domain.cases import case_stream
from domain.event import Event, State
from domain.fields import ChecklistCode
from domain.identifiers import without_identity
from domain.personal import Model, Name, Sealer, Text
from domain.rules import Refusal, Waiting, rejection
from domain.submissions import Code, Moment, Number, Payload, Submission, decides, local_date
from domain.supervision import require_supervision

if TYPE_CHECKING:
    from domain.world import World

Form = Literal["on_site", "off_site"]
Category = Literal["routine", "special", "random", "key", "complaint", "follow_up"]
"""Why it was made: 日常, 专项, 双随机, 重点, 投诉举报核查, 复查."""
Manner = Literal["visit", "documents", "sampling", "monitoring", "inquiry"]
"""How it was made: 实地核查, 书面检查, 抽样检测, 网络监测, 询问."""
InspectionResult = Literal["passed", "rectify", "failed", "obstructed", "unreachable"]
"""合格, 责令整改, 不合格, 不配合检查, 无法联系."""
InspectionNumber = Annotated[
    str, StringConstraints(pattern=r"^[^\s/\x00-\x1f]{1,50}$"), AfterValidator(without_identity)
]
"""检查行为编号."""
ItemCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{14}$")]
"""监管事项目录编码."""


def inspection_stream(department: str, number: str) -> str:
    return f"inspection/{department}/{number}"


class Inspector(Model):
    """Who inspected: `certificate` is the number of the enforcement certificate 执法证号; the name is personal."""

    name: Name
    certificate: Annotated[Code, AfterValidator(without_identity)]

    def own_subject(self, sealer: Sealer) -> str:  # noqa: ARG002
        return f"inspector/{self.certificate}"


Inspectors = Annotated[tuple[Inspector, ...], Field(min_length=1, max_length=20)]


class OfInspection(Payload):
    """Base of what a supervisor does with an inspection of its own."""

    number: InspectionNumber

    def streams(self) -> tuple[str, ...]:
        return (inspection_stream(self.department, self.number),)

    def about(self) -> str:
        return inspection_stream(self.department, self.number)


class WholeInspection(OfInspection):
    """Base of what hands a whole record in."""

    case_organ: Code
    case_number: Number
    item: ItemCode
    checklist: ChecklistCode
    form: Form
    category: Category
    manner: Manner
    result: InspectionResult
    inspectors: Inspectors
    inspected_at: Moment
    finding: Text | None = None

    @property
    def case(self) -> str:
        return case_stream(self.case_organ, self.case_number)

    def streams(self) -> tuple[str, ...]:
        return (*super().streams(), self.case)

    def subject(self) -> str:
        return self.case

    def about(self) -> str:
        return self.case


class ReportInspection(WholeInspection):
    """A supervisor reports an inspection of a permit's holder."""

    TYPE = "inspection.report"


class CorrectInspection(WholeInspection):
    """The record anew, whole; it stays with its case. `reported_by`: whose duties the department has now, if another
    reported it."""

    TYPE = "inspection.correct"
    reported_by: Code | None = None

    def streams(self) -> tuple[str, ...]:
        return (inspection_stream(self.reported_by or self.department, self.number), self.case)


class RetractInspection(OfInspection):
    """There was no such inspection, or not of this case 撤回记录. `reported_by` as in a correction."""

    TYPE = "inspection.retract"
    reason: Text
    reported_by: Code | None = None

    def streams(self) -> tuple[str, ...]:
        return (inspection_stream(self.reported_by or self.department, self.number),)


class InspectionRecord(Event):
    """Base of the events that hold a whole record."""

    department: str
    number: str
    case: str
    matter: str
    item: str
    checklist: str
    form: Form
    category: Category
    manner: Manner
    result: InspectionResult
    inspectors: tuple[Inspector, ...]
    inspected_at: Moment
    finding: Text | None

    @property
    def effective_on(self) -> str:
        return local_date(self.inspected_at).isoformat()


class InspectionReported(InspectionRecord):
    TOPIC = "inspection.reported"


class InspectionCorrected(InspectionRecord):
    """The record as it stands from now on."""

    TOPIC = "inspection.corrected"


class InspectionRetracted(Event):
    TOPIC = "inspection.retracted"
    department: str
    number: str
    case: str
    matter: str
    reason: Text


@dataclass(frozen=True, slots=True)
class InspectionState(State):
    """`record`: what stands, or stood until it was retracted."""

    record: InspectionRecord | None = None
    retracted: bool = False

    def evolve(self, event: Event) -> InspectionState:
        new = replace(self, version=event.originator_version)
        match event:
            case InspectionRecord():
                return replace(new, record=event)
            case InspectionRetracted():
                return replace(new, retracted=True)
        return new


@decides(ReportInspection)
def report_inspection(submission: Submission[ReportInspection], world: World) -> list[Event]:
    payload = submission.payload
    record = supervised_record(submission, world)
    state = world.inspection(payload.department, payload.number)
    if state.record is not None:
        raise Refusal("inspection.exists")  # also of one that was retracted: its number is used up
    return [state.then(InspectionReported, submission.meta, **record)]


@decides(CorrectInspection)
def correct_inspection(submission: Submission[CorrectInspection], world: World) -> list[Event]:
    payload = submission.payload
    state, standing = standing_inspection(submission, world)
    if payload.case != standing.case:
        raise Refusal("inspection.other_case")
    case = world.case(payload.case_organ, payload.case_number)
    record = _record(submission, case) | {"department": standing.department}
    return [state.then(InspectionCorrected, submission.meta, **record)]


@decides(RetractInspection)
def retract_inspection(submission: Submission[RetractInspection], world: World) -> list[Event]:
    payload = submission.payload
    state, standing = standing_inspection(submission, world)
    return [
        state.then(
            InspectionRetracted,
            submission.meta,
            department=standing.department,
            number=payload.number,
            case=standing.case,
            matter=standing.matter,
            reason=payload.reason,
        )
    ]


def standing_inspection(
    submission: Submission[CorrectInspection] | Submission[RetractInspection], world: World
) -> tuple[InspectionState, InspectionRecord]:
    """The department's own inspection of this number, or that of whose duties it has. Waits where it was not reported
    yet."""
    payload = submission.payload
    world.require_department(payload.department)
    state = world.inspection(payload.reported_by or payload.department, payload.number)
    if state.record is None:
        raise Waiting(inspection_stream(payload.department, payload.number))
    record = state.record
    if world.registers.acting(record.department, submission.occurred_on, record.matter) != payload.department:
        raise Refusal("supervision.not_addressee")
    if state.retracted:
        raise Refusal("inspection.retracted")
    return state, record


def supervised_record(submission: Submission[WholeInspection], world: World) -> dict[str, Any]:
    """The record's fields, if the department supervised the case when it inspected."""
    payload = submission.payload
    world.require_department(payload.department)
    case = world.case(payload.case_organ, payload.case_number)
    if case.status in ("", "accepted"):
        raise Waiting(case.stream)
    record = _record(submission, case)
    require_supervision(submission, case, local_date(payload.inspected_at), world)
    return record


def _record(submission: Submission[WholeInspection], case: CaseState) -> dict[str, Any]:
    payload = submission.payload
    if local_date(payload.inspected_at).isoformat() < (case.decision["decided_on"] or ""):
        raise rejection("inspected_at", "date.order", payload.inspected_at.isoformat())
    if payload.inspected_at > submission.occurred_at:
        raise rejection("inspected_at", "date.future", payload.inspected_at.isoformat())
    return {"case": case.stream, "matter": case.matter} | fields(
        payload, "department", "number", "item", "checklist", "form", "category", "manner", "result", "inspectors",
        "inspected_at", "finding",
    )  # fmt: skip

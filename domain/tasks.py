"""Associated work 关联业务 and the other tasks of a case: who answers for it, until when, and what came of it (2.3).

What a matter's cases may need is on record by date, with who carries it out. A task takes its parties from that record
on the day it is opened, and is done when each of them has handed in its result. While one is open the case's own clock
stands still.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from domain.case_state import case_for_power
from domain.cases import OfCase
from domain.clocks import Due, fixed
from domain.entries import Entry
from domain.event import Event, State
from domain.fields import MatterCode
from domain.personal import Officer, Text
from domain.rules import BadField, Refusal, Waiting, rejection
from domain.seals import Digest
from domain.submissions import Day, Moment, Number, Submission, decides, local_date

if TYPE_CHECKING:
    from domain.registers import Registers
    from domain.world import World

Work = Literal["survey", "technical_review", "expert_review", "testing", "papers", "commitment"]
"""现场勘验, 技术审查, 专家论证, 检验检测; and 容缺补齐, 告知承诺核查."""
AFTERWARDS: tuple[Work, ...] = ("papers", "commitment")
"""What may be left for after the decision, where that says so (容缺, 告知承诺)."""
MANNERS: dict[Work, Literal["lacking", "commitment"]] = {"papers": "lacking", "commitment": "commitment"}
"""The manner of a decision that leaves it."""
WORKS: tuple[Work, ...] = ("survey", "technical_review", "expert_review", "testing", *AFTERWARDS)


class WorkCapability(Entry):
    """That cases of a matter may need some work, who carries it out, and whether nothing is granted without it."""

    kind: Literal["work_capability"] = "work_capability"
    matter: MatterCode
    work: Work
    party: Literal["competent", "approval", "both"]
    required: bool = False

    @model_validator(mode="after")
    def _required_before(self) -> WorkCapability:
        if self.required and self.work in AFTERWARDS:
            raise BadField("required", "work.afterwards", "容缺补齐与承诺核查在决定之后，不能是决定的前提")
        return self

    def key(self) -> str:
        return f"{self.matter}.{self.work}"


def tasks_stream(organ: str, number: str) -> str:
    return f"tasks/{organ}/{number}"


class OfTask(OfCase):
    """Base of what is done with a task; `task` is its number in the case."""

    task: Number

    def streams(self) -> tuple[str, ...]:
        return (self.stream, tasks_stream(self.organ, self.number))


class OpenTask(OfTask):
    """The holder of the power asks for work; who must do it is on record."""

    TYPE = "task.open"
    work: Work
    opened_on: Day
    due_on: Day | None = None

    @model_validator(mode="after")
    def _due(self) -> OpenTask:
        if self.due_on is not None and self.due_on < self.opened_on:
            raise BadField("due_on", "date.order", "应完成日早于提出日")
        if self.due_on is None and self.work in AFTERWARDS:
            raise BadField("due_on", "task.due", "容缺补齐与承诺核查须有期限")
        return self


class CompleteTask(OfTask):
    """A party hands in what its work came to, and who signs for it."""

    TYPE = "task.complete"
    began_at: Moment
    ended_at: Moment
    result: Literal["passed", "failed"]
    conclusion: Text
    signers: Annotated[tuple[Officer, ...], Field(min_length=1, max_length=20)]
    report_sm3: Digest | None = None

    @model_validator(mode="after")
    def _times(self) -> CompleteTask:
        if self.ended_at < self.began_at:
            raise BadField("ended_at", "date.order", "结束早于开始")
        return self


class DropTask(OfTask):
    """The holder of the power no longer asks for the work."""

    TYPE = "task.drop"
    on: Day
    reason: Text


class TaskOpened(Event):
    """`parties` must carry it out until it is `due`; those beside the asking `organ` must hear of it."""

    TOPIC = "task.opened"
    case: str
    matter: str
    organ: str
    task: str
    work: Work
    parties: tuple[str, ...]
    opened_on: Day
    due_on: Day | None
    due: Due | None = None

    @property
    def effective_on(self) -> str:
        return self.opened_on.isoformat()


class TaskCompleted(Event):
    """`department`, a party by its name when the task was opened, has done its part, or its successor for it; the
    asking `organ` must hear of it."""

    TOPIC = "task.completed"
    case: str
    matter: str
    organ: str
    department: str
    task: str
    work: Work
    began_at: Moment
    ended_at: Moment
    result: Literal["passed", "failed"]
    conclusion: Text
    signers: tuple[Officer, ...]
    report_sm3: str | None

    @property
    def effective_on(self) -> str:
        return local_date(self.ended_at).isoformat()


class TaskDropped(Event):
    """`parties` had not done their part yet, and need not."""

    TOPIC = "task.dropped"
    case: str
    matter: str
    organ: str
    task: str
    parties: tuple[str, ...]
    on: Day
    reason: Text

    @property
    def effective_on(self) -> str:
        return self.on.isoformat()


@dataclass(frozen=True, slots=True)
class Task:
    """One task: who still owes a result, and whether one of those handed in says that it failed."""

    opened: TaskOpened
    owing: tuple[str, ...]
    last: date | None = None
    failed: bool = False
    dropped: bool = False

    @property
    def open(self) -> bool:
        return bool(self.owing)

    @property
    def ended_on(self) -> date | None:
        """The day on which the last part was done; None while some is owing."""
        return None if self.open else self.last

    @property
    def done(self) -> bool:
        return not self.open and not self.dropped


@dataclass(frozen=True, slots=True)
class TasksState(State):
    """A case's tasks by their numbers."""

    tasks: dict[str, Task] = field(default_factory=dict)

    def evolve(self, event: Event) -> TasksState:
        tasks = dict(self.tasks)
        match event:
            case TaskOpened():
                tasks[event.task] = Task(event, event.parties)
            case TaskCompleted():
                task = tasks[event.task]
                owing = tuple(party for party in task.owing if party != event.department)
                last = max(task.last or date.min, local_date(event.ended_at))
                failed = task.failed or event.result == "failed"
                tasks[event.task] = replace(task, owing=owing, last=last, failed=failed)
            case TaskDropped():
                tasks[event.task] = replace(tasks[event.task], owing=(), last=event.on, dropped=True)
        return replace(self, version=event.originator_version, tasks=tasks)


@decides(OpenTask)
def open_task(submission: Submission[OpenTask], world: World) -> list[Event]:
    payload = submission.payload
    case = case_for_power(submission, payload, payload.opened_on, world)
    if payload.opened_on < case.accepted_on:
        raise rejection("opened_on", "date.order", payload.opened_on)
    if case.status != "accepted" and not (payload.work == "commitment" and case.status == "granted"):
        raise Refusal("case.state")
    capability = _capability(world, case.matter, payload.work, payload.opened_on)
    state = world.tasks(payload.organ, payload.number)
    if payload.task in state.tasks:
        raise Refusal("task.exists")
    competent = world.registers.competent(case.matter, payload.opened_on)
    sides = {
        "competent": (competent,),
        "approval": (payload.department,),
        "both": (competent, payload.department),
    }
    return [
        state.then(
            TaskOpened,
            submission.meta,
            case=case.stream,
            matter=case.matter,
            organ=payload.department,
            task=payload.task,
            work=payload.work,
            parties=tuple(dict.fromkeys(sides[capability.party])),
            opened_on=payload.opened_on,
            due_on=payload.due_on,
            due=fixed(world.registers.calendar, payload.opened_on, payload.due_on) if payload.due_on else None,
        )
    ]


@decides(CompleteTask)
def complete_task(submission: Submission[CompleteTask], world: World) -> list[Event]:
    payload = submission.payload
    world.require_department(payload.department)
    state, task = _task(payload, world)
    opened, on, acting = task.opened, submission.occurred_on, world.registers.acting
    mine = [one for one in opened.parties if acting(one, on, opened.matter) == payload.department]
    if not mine:
        raise Refusal("task.not_party")
    owing = [one for one in mine if one in task.owing]
    if not owing:
        raise Refusal("task.done")
    if local_date(payload.began_at) < task.opened.opened_on:
        raise rejection("began_at", "date.order", payload.began_at.isoformat())
    if payload.ended_at > submission.occurred_at:
        raise rejection("ended_at", "date.future", payload.ended_at.isoformat())
    return [
        state.then(
            TaskCompleted,
            submission.meta,
            case=opened.case,
            matter=opened.matter,
            organ=acting(opened.organ, on, opened.matter),
            department=owing[0],
            task=payload.task,
            work=opened.work,
            began_at=payload.began_at,
            ended_at=payload.ended_at,
            result=payload.result,
            conclusion=payload.conclusion,
            signers=payload.signers,
            report_sm3=payload.report_sm3,
        )
    ]


@decides(DropTask)
def drop_task(submission: Submission[DropTask], world: World) -> list[Event]:
    payload = submission.payload
    case = case_for_power(submission, payload, payload.on, world)
    state, task = _task(payload, world)
    if not task.open:
        raise Refusal("task.done")
    if payload.on < task.opened.opened_on:
        raise rejection("on", "date.order", payload.on)
    return [
        state.then(
            TaskDropped,
            submission.meta,
            case=case.stream,
            matter=case.matter,
            organ=payload.department,
            task=payload.task,
            parties=world.registers.acting_for(task.owing, submission.occurred_on, case.matter),
            on=payload.on,
            reason=payload.reason,
        )
    ]


def _capability(world: World, matter: str, work: Work, on: date) -> WorkCapability:
    """What is on record on that day. The register comes by another topic, and its entry may be on its way."""
    key = f"{matter}.{work}"
    version = world.registers.version("work_capability", key, on)
    if version is not None and isinstance(version.entry, WorkCapability):
        return version.entry
    if not world.registers.entries.get("work_capability", {}).get(key):
        raise Waiting(f"entry/work_capability/{key}")
    raise Refusal("task.not_on_record")


def _task(payload: OfTask, world: World) -> tuple[TasksState, Task]:
    state = world.tasks(payload.organ, payload.number)
    task = state.tasks.get(payload.task)
    if task is None:
        raise Waiting(tasks_stream(payload.organ, payload.number))
    return state, task


def require_tasks(world: World, organ: str, number: str, matter: str, granted: bool, manner: str, on: date) -> None:
    """To grant needs the result of every task of the case, by that day, and of what the record requires, of each work
    by its last task; what it leaves for afterwards it must say, and the task be open (2.3d).

    A 双公示 record publishes what was decided elsewhere: it is taken as it is, and not looked at in this way.
    """
    registers = world.registers
    known = registers.entries.get("work_capability", {})
    if not any(f"{matter}.{work}" in known for work in WORKS):
        if manner != "ordinary":
            raise Refusal("decision.manner")
        return  # cases of this matter never had tasks: they need not be read
    tasks = world.tasks(organ, number).tasks.values()
    left = {task.opened.work for task in tasks if task.open or (task.ended_on or on) > on}
    if granted:
        last = {task.opened.work: task for task in tasks if not task.dropped}
        done = {work for work, task in last.items() if task.done and not task.failed}
        if any(work not in done for work in required(registers, matter, on)):
            raise Refusal("task.required")
        if left.difference(AFTERWARDS):
            raise Refusal("task.required")
    for work, its_manner in MANNERS.items():
        if manner == its_manner and work not in left:
            raise Refusal("decision.manner")
    if granted and "papers" in left and manner != "lacking":
        raise Refusal("decision.manner")


def required(registers: Registers, matter: str, on: date) -> list[Work]:
    """The work without which nothing is granted on that date."""
    found: list[Work] = []
    for work in WORKS:
        version = registers.version("work_capability", f"{matter}.{work}", on)
        if version is not None and isinstance(version.entry, WorkCapability) and version.entry.required:
            found.append(work)
    return found


class Pause(NamedTuple):
    """Days on which the case's clock stood still, the last one excluded; open while nothing has ended it."""

    since: date
    until: date | None


def pauses(tasks: Iterable[Task]) -> list[Pause]:
    """When a case waited for associated work (2.3c); what is left for after the decision stops no clock."""
    spans = sorted(
        (task.opened.opened_on, task.ended_on or date.max) for task in tasks if task.opened.work not in AFTERWARDS
    )
    found: list[tuple[date, date]] = []
    for since, until in spans:
        if found and since <= found[-1][1]:
            found[-1] = (found[-1][0], max(until, found[-1][1]))
        else:
            found.append((since, until))
    return [Pause(since, None if until == date.max else until) for since, until in found]

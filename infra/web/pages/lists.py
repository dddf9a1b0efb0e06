"""Lists as pages: those of the API with their filters and files, and those behind the overview's numbers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin

from fastapi import APIRouter, Query, Request, Response
from fastapi.params import Depends as DependsOn
from pydantic import BaseModel

from adapters.http import cursors
from adapters.postgres.daybook import Daybook
from domain.clocks import ClockKind, Lamp
from domain.registering import Kind
from domain.submissions import local_date
from infra.answers import STEP
from infra.lamps import CLOCK
from infra.presentation import Column
from infra.registers import TITLES
from infra.statistics import OVERDUE
from infra.web.api import (
    attempts,
    consultations,
    deadletters,
    documents,
    feedback,
    handovers,
    inspections,
    licences,
    notices,
    placements,
    reads,
    registers,
    risks,
    seals,
    subscriptions,
)
from infra.web.api import lists as entries
from infra.web.envelope import API
from infra.web.listing import Asked, Listed, Listing, note
from infra.web.pages.overview import FLOW, ReadingStatistics, day_of, known_on, noticed
from infra.web.pages.page import address, render
from infra.web.reading import ReadingNotices
from infra.web.times import known_at_of, true_on
from projections import lamps as lighting
from projections.statistics import Asked as AskedFigures
from projections.statistics import find_overdue

router = APIRouter(prefix="/lists")
BLOCK = 100
FORMS = (("CSV", "csv"), ("XLSX", "xlsx"), ("JSON Lines", "jsonl"))
NOT_FILTERS = frozenset(("cursor", "limit", "reveal", "reason", "form"))


class Filter(NamedTuple):
    """A field of the form above a list."""

    name: str
    zh: str
    en: str
    value: Any
    choices: Sequence[str] = ()
    type: str = "search"
    flag: bool = False


class ListPage(NamedTuple):
    """A list of the API as a page: its door there, and how it is called."""

    zh: str
    en: str
    listing: Listing[Any]
    path: str
    endpoint: Callable[..., Any]


PAGES = (
    ListPage("签收台账", "Receipts", notices.NOTICES, "/notices", notices.notices),
    ListPage("监管反馈", "Feedback", feedback.THREADS, "/feedback", feedback.feedback),
    ListPage("被拒绝的尝试", "Refused attempts", attempts.ATTEMPTS, "/attempts", attempts.attempts),
    ListPage("检查", "Inspections", inspections.INSPECTIONS, "/inspections", inspections.inspections),
    ListPage("证照", "Licences", licences.LICENCES, "/licences", licences.licences),
    ListPage("部门", "Departments", registers.DEPARTMENTS, "/registers/departments", registers.departments),
    ListPage("清单缺口", "Gaps of the lists", registers.MATCHING, "/registers/matching", registers.matching),
    ListPage("联络员", "Liaison officers", registers.LIAISONS, "/registers/liaisons", registers.liaisons),
    ListPage(
        "三集中三到位",
        "Where matters are handled",
        placements.PLACEMENTS,
        "/registers/placements",
        placements.placements,
    ),
    ListPage(
        "同类事项办理不一", "Like matters handled unlike", placements.UNLIKES, "/registers/unlike", placements.unlike
    ),
    ListPage("交接", "Handovers", handovers.HANDOVERS, "/registers/handovers", handovers.handovers),
    ListPage("空白证照", "Blanks", handovers.BLANK_SERIES, "/registers/blanks", handovers.blanks),
    ListPage("机构承接", "Successions", handovers.SUCCESSIONS, "/registers/successions", handovers.successions),
    ListPage("订阅", "Subscriptions", subscriptions.SUBSCRIPTIONS, "/subscriptions", subscriptions.subscriptions),
    ListPage("商询", "Consultations", consultations.CONSULTATIONS, "/consultations", consultations.consultations),
    ListPage("改革任务", "Tasks of the reform", documents.DUTIES, "/registers/duties", documents.duties),
    ListPage("政策文件", "Policy documents", documents.DOCUMENTS, "/registers/documents", documents.documents),
    ListPage(
        "引用文件的登记", "What rests on documents", documents.CITATIONS, "/registers/citations", documents.citations
    ),
    *(
        ListPage(*TITLES[kind], entries.LISTS[kind], f"/registers/entries/{kind}", entries.door(kind))
        for kind in get_args(Kind)
    ),
    ListPage("印章登记", "Register of seals", seals.SEALS, "/seals", seals.seals),
    ListPage("用印记录", "Seals applied", seals.APPLICATIONS, "/seals/applied", seals.applied),
    ListPage("廉政风险信号", "Risk signals", risks.RISKS, "/risks", risks.risks),
    ListPage("监察查阅记录", "Inspectors’ reads", reads.READS, "/reads", reads.reads),
    ListPage("死信", "Dead letters", deadletters.DEADLETTERS, "/deadletters", deadletters.deadletters),
    ListPage("冲突", "Conflicts", deadletters.CONFLICTS, "/deadletters/conflicts", deadletters.conflicts),
    ListPage("等待中的提交", "Parked", deadletters.PARKED_ITEMS, "/parked", deadletters.parked),
)
"""Whatever answers with `Listed` can be a page."""
LABELS = {
    "department": ("部门", "department"),
    "organ": ("审批部门", "organ"),
    "matter": ("事项编码", "matter"),
    "case": ("办件", "case"),
    "number": ("办件号", "number"),
    "about": ("告知", "about"),
    "status": ("状态", "status"),
    "since": ("自", "since"),
    "until": ("至", "until"),
    "as_known_at": ("当时所知", "as known at"),
    "as_true_at": ("某日", "as true on"),
    "day": ("日期", "day"),
    "step": ("环节", "step"),
    "lamp": ("灯", "lamp"),
    "kind": ("时限", "clock"),
    "rule": ("规则", "rule"),
    "clause": ("条款", "clause"),
    "officer": ("经办人", "officer"),
    "uscc": ("统一社会信用代码", "USCC"),
    "signal": ("信号", "signal"),
    "command": ("查阅", "read"),
    "principal": ("接入方", "principal"),
    "type": ("类型", "type"),
    "retried": ("已重试", "retried"),
    "role": ("职责", "role"),
    "region": ("行政区划", "region"),
    "serving": ("在任", "serving"),
    "missing": ("缺联络员", "without one"),
    "incomplete": ("未完成", "incomplete"),
    "holder": ("权力归属", "held by"),
    "responsible": ("责任部门", "responsible"),
    "document": ("文号", "document"),
    "key": ("编码", "key"),
    "history": ("历次版本", "every version"),
    "seal": ("印章", "seal"),
    "suggestion": ("建议", "suggestion"),
    "unsupervised": ("无人监管", "unsupervised"),
    "never_inspected": ("从未检查", "never inspected"),
    "result": ("结果", "result"),
}
DATES = frozenset(("since", "until", "as_known_at", "as_true_at", "day"))


def add(page: ListPage) -> None:
    """Its page, with the parameters that its door has in the API."""
    signature = inspect.signature(page.endpoint, eval_str=True)
    parameters = {name: one for name, one in signature.parameters.items() if name != "response"}
    own = {name: one for name, one in parameters.items() if not _depends(one.annotation)}

    def show(**given: Any) -> Response:
        request: Request = given.pop("request")
        if "asked" in given:
            given["asked"] = replace(given["asked"], form="json")
        else:
            given["book"].asked = replace(given["book"].asked, form="json")
        found = page.endpoint(**given, response=Response())
        assert isinstance(found, Listed)
        names = [*own, *(["as_true_at"] if "book" in parameters else []), "as_known_at"]
        filters = [_filter(name, own[name].annotation if name in own else None, request) for name in names]
        rows = [one.model_dump() for one in found.items]
        return render(
            request,
            "list.html",
            title=(page.zh, page.en),
            columns=shown(page.listing.shape, page.listing.row, rows),
            rows=rows,
            total=None,
            own=(given.get("reading") or given["book"].reading).department,
            known_at=(given.get("asked") or given["book"].asked).known_at,
            filters=filters,
            exports=exports(f"{API}{page.path}", filters),
            following=found.next,
            position=found.position,
        )

    asks = inspect.Parameter("request", inspect.Parameter.KEYWORD_ONLY, annotation=Request)
    keywords = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in parameters.values()]
    show.__signature__ = inspect.Signature([asks, *keywords])  # type: ignore[attr-defined]
    router.add_api_route(f"/{page.listing.name}", show, name=f"list of {page.listing.name}")


def exports(path: str, filters: Sequence[Filter]) -> list[tuple[str, str]]:
    """Where the same list is had as a file."""
    chosen = {one.name: one.value for one in filters}
    return [(name, address(path, chosen | {"format": form})) for name, form in FORMS]


def shown(shape: Sequence[Column], row: type[BaseModel], rows: Sequence[Mapping[str, Any]]) -> list[Column]:
    """The columns that have headings; those that are empty in every row are left out."""
    return [
        column
        for column in shape
        if column.zh and column.key in row.model_fields and any(_plain(one[column.key]) for one in rows)
    ]


def _plain(value: Any) -> bool:
    """Whether a cell has something to show: what is nested has a page of its own."""
    nested = isinstance(value, (list, tuple)) and any(isinstance(one, dict) for one in value)
    return value not in (None, "", []) and not nested


def _filter(name: str, annotation: Any, request: Request) -> Filter:
    zh, en = LABELS.get(name, (name, name))
    value = request.query_params.get(name)
    choices = _choices(annotation)
    flag = annotation is bool or (get_origin(annotation) is Annotated and get_args(annotation)[0] is bool)
    return Filter(name, zh, en, value, choices, "date" if name in DATES else "search", flag)


def _depends(annotation: Any) -> bool:
    """Whether it is no parameter of the address."""
    return any(isinstance(part, DependsOn) for part in get_args(annotation))


def _choices(annotation: Any) -> tuple[str, ...]:
    """Of a Literal, however it is wrapped; of what may be true, false or neither, those two."""
    if bool in get_args(annotation) and get_origin(annotation) is not Annotated:
        return ("true", "false")
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    return next((found for part in get_args(annotation) if (found := _choices(part))), ())


for _page in PAGES:
    add(_page)


@router.get("/flow")
def flow(
    request: Request,
    reading: ReadingStatistics,
    step: Annotated[Literal["owed", "dispatched", "received", "returned", "feedback"], Query()],
    day: Annotated[date | None, Query()] = None,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> Response:
    """What was recorded on a day: the list behind a number of the flow."""
    on = true_on(day.isoformat(), "query.day") if day is not None else local_date(datetime.now(UTC))
    topic, zh, en = FLOW[step]
    own = noticed(reading.caller)
    after = cursors.read("flow", cursor, (int,)) or [0]
    with reading.log() as log:
        total = Daybook(log, *day_of(on), reading.department).counts([topic])[topic]
        found = Daybook(log, *day_of(on), own).facts(topic, after[0], BLOCK + 1)
    rows = [_fact(one) for one in found[:BLOCK]]
    note(reading, "flow", {"step": step, "day": on}, len(rows), _asked())
    columns = [c for c in STEP if c.zh and any(row.get(c.key) not in (None, "") for row in rows)]
    case = Column("case", "办件号", "case")
    return render(
        request,
        "list.html",
        title=(f"{on} {zh}", f"{en.capitalize()} on {on}"),
        columns=[*columns[:2], *([case] if any(row["case"] for row in rows) else []), *columns[2:]],
        rows=rows,
        total=total,
        own=own,
        known_at=None,
        filters=[
            Filter("step", "环节", "step", step, tuple(FLOW)),
            Filter("day", "日期", "day", on.isoformat(), type="date"),
        ],
        exports=(),
        following=cursors.write("flow", [found[BLOCK - 1].position]) if len(found) > BLOCK else None,
        position=min(reading.positions.values()),
    )


@router.get("/overdue")
def overdue(
    request: Request,
    reading: ReadingNotices,
    department: Annotated[str | None, Query(max_length=64)] = None,
    matter: Annotated[str | None, Query(max_length=64)] = None,
    as_known_at: Annotated[date | None, Query()] = None,
) -> Response:
    """逾期未签收：最久的在前。"""
    today = local_date(datetime.now(UTC))
    known = known_on(as_known_at, today)
    found = find_overdue(reading.conn, AskedFigures(department, matter), known, 500)
    registers = request.app.state.registry.now()
    rows = [
        row | {"case": row["case_stream"].rpartition("/")[2], "days_over": registers.waited(row["due_on"], known.on)}
        for row in found.rows
    ]
    at = known_at_of(known.on.isoformat()) if known.on < today else None
    note(reading, "overdue", {"department": department, "matter": matter}, len(rows), _asked(at))
    return render(
        request,
        "list.html",
        title=("逾期未签收", "Overdue and not received"),
        columns=[column for column in OVERDUE if column.zh],
        rows=rows,
        total=found.total,
        own=reading.department,
        known_at=None,
        filters=[
            Filter("department", "部门", "department", department),
            Filter("matter", "事项编码", "matter", matter),
            Filter("as_known_at", "当时所知", "as known on", as_known_at, type="date"),
        ],
        exports=(),
        following=None,
        position=min(reading.positions.values()),
    )


@router.get("/lamps")
def lamps(
    request: Request,
    reading: ReadingNotices,
    lamp: Annotated[Lamp, Query()] = "red",
    department: Annotated[str | None, Query(max_length=64)] = None,
    kind: Annotated[ClockKind | None, Query()] = None,
) -> Response:
    """亮某种灯的：先到期的在前，及其时限规定。"""
    today = local_date(datetime.now(UTC))
    found = lighting.running(reading.conn, today, lamp, department or reading.department, kind, 500)
    note(reading, "lamps", {"lamp": lamp, "department": department, "kind": kind}, len(found.rows), _asked())
    rows = [row | {"case": row["case_stream"].rpartition("/")[2]} for row in found.rows]
    columns = [Column("case", "办件号", "case"), Column("matter", "事项", "matter")]
    return render(
        request,
        "list.html",
        title=("电子监察", "Lamps"),
        columns=[*(c for c in CLOCK if c.key in ("kind", "department")), *columns, *(c for c in CLOCK[5:] if c.zh)],
        rows=rows,
        total=found.total,
        own=reading.department,
        known_at=None,
        filters=[
            Filter("lamp", "灯", "lamp", lamp, get_args(Lamp)),
            Filter("kind", "时限", "clock", kind, get_args(ClockKind)),
            Filter("department", "部门", "department", department),
        ],
        exports=(),
        following=None,
        position=min(reading.positions.values()),
    )


def _fact(one: Any) -> dict[str, Any]:
    """A fact for people: who, when, about which case and notice."""
    event, meta = one.event, one.event.meta
    case = getattr(event, "case", None) or ""
    return {
        "recorded_at": one.recorded_at,
        "kind": event.TOPIC,
        "case": case.rpartition("/")[2],
        "case_stream": case,
        "from_department": meta.department,
        "to_department": getattr(event, "addressee", None) or getattr(event, "organ", None) or _addressee(event),
        "officer": meta.officer.id if meta.officer else None,
        "effective_on": None,
        "serial": getattr(event, "serial", None),
        "channel": getattr(event, "channel", None),
    }


def _addressee(event: Any) -> str | None:
    kind, _, rest = event.originator_id.partition("/")
    return rest.partition("/")[0] if kind == "notice" else None


def _asked(known_at: datetime | None = None) -> Asked:
    """For the record of the read."""
    return Asked(None, BLOCK, known_at, False, None, "json")

"""A small region's registers, short forms of what its departments hand in, and one of every event."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from psycopg import Connection

from adapters.postgres.writer import Writer
from domain import system
from domain.blanks import AssistBlanks, PrintBlanks, ReceiveBlanks, RequestBlanks, UseBlank
from domain.calendars import CalendarYear
from domain.circulars import AnswerInvitation, SendCircular, WithdrawCircular
from domain.clock_state import ExtendClock, ResumeClock, SuspendClock
from domain.clocks import LADDER, TimeLimit
from domain.consultations import AnswerConsultation, AskAgain, AskConsultation, CloseConsultation
from domain.counts import DeclareCount
from domain.decisions import AcceptCase, CaseName, DecideCase
from domain.departments import RegisterDepartment, RegisterLiaison, RegisterPrincipal
from domain.erasure import Order, erasure_stream
from domain.event import Event
from domain.handovers import DrawHandover, DutyNote, HandoverItem, SignHandover
from domain.identifiers import make_receipt_code
from domain.inspections import CorrectInspection, Inspector, ReportInspection, RetractInspection
from domain.letters import IssueLetter, Letterhead, ReceiveLetter
from domain.matters import (
    MapPublicRecord,
    Matter,
    RegisterMatter,
    ReturnMatter,
    RouteMatter,
    Supervisor,
    TransferMatter,
)
from domain.notices import ReceiveNotice, ReturnNotice, RuleOnDuty, TakeNotice
from domain.opinions import IssueOpinion
from domain.party import Party
from domain.penalties import ImposePenalty, LiftPenalty
from domain.permits import (
    CancelCase,
    ChangeCase,
    CorrectCase,
    ExtendCase,
    IssueLicence,
    RevokeCase,
    WithdrawCase,
)
from domain.personal import Person
from domain.ratings import (
    AppealRating,
    ContactRating,
    DecideAppeal,
    RecordRating,
    RectifyRating,
    RevisitRating,
    Service,
)
from domain.reads import Question, read_stream
from domain.reform import Proposal
from domain.registering import EnterRegister, StrikeEntry
from domain.remedies import RecordRemedy
from domain.reviews import ReturnReview, SubmitReview
from domain.seals import ApplySeal, DemandSeal
from domain.submissions import local_date
from domain.subscriptions import StartSubscription, subscription_stream
from domain.succession import SucceedDepartment, succession_stream
from domain.supervision import CloseFeedback, DisposeFeedback, RaiseFeedback, ReplyFeedback
from domain.tasks import CompleteTask, DropTask, OpenTask, WorkCapability
from domain.world import World
from projections.catalogue import PROJECTIONS
from tests.integration.teststore import TestStore, department, officer

MATTER = "11150100000000001F3000112001000"
OWN_MATTER = "11150100000000001F3000112002000"  # was never transferred
DAY = date(2026, 3, 2)
OFFICE, APPROVAL, FORMER, S1, S2, S3, HIGHER = "sgb", "spj", "zjj", "s1", "s2", "s3", "qu"


def registers(store: TestStore) -> TestStore:
    """A region with one transferred matter, supervised by S1 and S2."""
    store.found(OFFICE, "150100", [OFFICE, APPROVAL, FORMER, S1, S2, S3, HIGHER])
    entries = [
        department(APPROVAL, "审批局", "APPROVAL"),
        department(FORMER, "住建局", "SUPERVISION"),
        department(S1, "监管一局", "SUPERVISION"),
        department(S2, "监管二局", "SUPERVISION"),
        department(S3, "监管三局", "SUPERVISION"),
        department(HIGHER, "自治区厅", "HIGHER_AUTHORITY", region="150000"),
    ]
    store.submit(*[RegisterDepartment(department=OFFICE, entry=entry) for entry in entries])
    supervisors = (Supervisor(department=S1), Supervisor(department=S2, part="assist"))
    store.submit(
        *[
            RegisterMatter(
                department=OFFICE,
                entry=Matter(code=code, name=name, competent=FORMER, legal_basis="建筑法", push_not_granted=False),
            )
            for code, name in ((MATTER, "施工许可"), (OWN_MATTER, "未划转事项"))
        ],
        TransferMatter(
            department=OFFICE,
            matter=MATTER,
            valid_from=date(2025, 1, 1),
            basis="内政办发〔2020〕9号",
            to=APPROVAL,
            supervisors=supervisors,
        ),
        RegisterLiaison(department=S1, number="01", person=Person(name="李联络")),
        MapPublicRecord(
            department=OFFICE, organ_uscc="11150100000000001F", certificate_type="证", organ=APPROVAL, matter=MATTER
        ),
    )
    return store


def accept(
    number: str,
    party: Party | None = None,
    organ: str = APPROVAL,
    matter: str = MATTER,
    anew_of: CaseName | None = None,
) -> AcceptCase:
    party = party or Party(kind="法人及非法人组织", name="蒙草公司", uscc="91150100MA0000000X")
    return AcceptCase(
        department=organ,
        officer=officer(),
        organ=organ,
        number=number,
        matter=matter,
        party=party,
        accepted_on=DAY,
        anew_of=anew_of,
    )


def decide(number: str, outcome: Any = "granted", organ: str = APPROVAL, **more: Any) -> DecideCase:
    return DecideCase(
        department=organ,
        officer=officer(),
        organ=organ,
        number=number,
        outcome=outcome,
        document_number=f"文{number}",
        decided_on=DAY,
        valid_from=DAY if outcome == "granted" else None,
        content="准予施工",
        **{"valid_to": date(2029, 3, 1) if outcome == "granted" else None} | more,
    )


def case(kind: Any, number: str, by: str = APPROVAL, **more: Any) -> Any:
    return kind(department=by, organ=APPROVAL, number=number, **more)


def granted(store: TestStore, number: str, **more: Any) -> str:
    """An accepted and granted case; the id of the owing submission."""
    store.submit(accept(number), id_=f"a-{number}")
    store.submit(decide(number, **more), id_=f"d-{number}")
    return f"test/d-{number}"


def receive(department: str, fact: str, at: datetime, **more: Any) -> ReceiveNotice:
    return ReceiveNotice(
        department=department,
        officer=officer("42", "王小二"),
        notice=f"{department}/{fact}",
        received_at=at,
        **more,
    )


def one(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    assert len(rows) == 1
    return rows[0]


def dispatched(notice: str, now: datetime) -> Callable[[World, datetime], list[Event]]:
    return lambda world, _: system.dispatched(world, notice, "kafka", "topic-1", 0, 7, now)


def delivered(notice: str, now: datetime) -> Callable[[World, datetime], list[Event]]:
    return lambda world, _: system.delivered(world, notice, "kafka", "group", 8, now)


def usual(store: TestStore) -> None:
    """A little of what departments do every day, and of what is refused."""
    fact = granted(store, "1")
    day = {"on": DAY, "document_number": "变1"}
    store.submit(
        case(
            ApplySeal, "1", seal="SP1", certificate_serial="ab12", document_sm3="0" * 64,
            applied_at=store.now - timedelta(hours=1),
        ),
        case(IssueLicence, "1", licence_number="证1", certificate="许可证", issued_on=DAY),
        case(ChangeCase, "1", content="变更内容", **day),
        case(ExtendCase, "1", valid_to=date(2031, 1, 1), **day),
        case(
            CorrectCase, "1", target="document_number", old="文1", new="文一", on=DAY, reason="笔误",
            authorised_by="局长",
        ),
    )  # fmt: skip
    store.submit(case(ApplySeal, "1", by=FORMER, seal="ZJ1", certificate_serial="ab12", document_sm3="0" * 64,
                      applied_at=store.now - timedelta(hours=1)), expect="refused")  # fmt: skip
    store.submit(case(DemandSeal, "1", by=FORMER, demanded_of=APPROVAL, seal="住建局印章"), expect="refused")
    store.submit(
        RegisterMatter(
            department=OFFICE,
            entry=Matter(code=MATTER, name="施工许可", competent=FORMER, legal_basis="建筑法", opinions=("outside",)),
        ),
        case(IssueOpinion, "1", by=FORMER, opinion_number="函1", need="outside", issued_on=DAY, content="供区外认可"),
    )
    for number, kind in (("2", WithdrawCase), ("3", CancelCase)):
        granted(store, number)
        store.submit(case(kind, number, reason="情况变化", **day))
    granted(store, "4")
    store.submit(case(RevokeCase, "4", by=HIGHER, reason="不应准予", **day))
    store.submit(accept("5"))
    store.submit(decide("5", "not_granted"))
    store.submit(accept("6"))
    store.submit(decide("6", basis="legacy"))
    # a sole trader and a natural person: sealed names
    person = Person(name="赵铁柱", id_type="护照", id_number="E12345678")
    store.submit(accept("7", Party(kind="自然人", name="赵铁柱", person=person)))
    store.submit(
        case(SubmitReview, "7", review_number="BS1", to=HIGHER, content="报请审查"),
        ReturnReview(department=HIGHER, submitter=APPROVAL, review_number="BS1", result="agreed", opinion="同意"),
    )
    store.submit(accept("8", organ=FORMER, matter=OWN_MATTER))
    store.submit(decide("8", organ=FORMER))
    # notices: S1 receives and takes, S2 returns to S3, S3 returns it, the office rules
    fact9 = granted(store, "9")
    at = store.now - timedelta(minutes=5)
    store.submit(receive(S1, fact9, at), TakeNotice(department=S1, notice=f"{S1}/{fact9}"))
    store.facts(dispatched(f"{S1}/{fact9}", store.now), delivered(f"{S1}/{fact9}", store.now))
    store.submit(ReturnNotice(department=S2, notice=f"{S2}/{fact9}", proposed=S3, reason="不归我"), id_="r1")
    store.submit(ReturnNotice(department=S3, notice=f"{S3}/test/r1", proposed=S2, reason="也不归我"), id_="r2")
    store.submit(RuleOnDuty(department=OFFICE, notice=f"{OFFICE}/test/r2", assign_to=S2, reason="职责在你"), id_="r3")
    store.submit(
        RaiseFeedback(
            department=S1, number="f1", case_organ=APPROVAL, case_number="9", found_on=DAY, suggestion="rectify",
            detail="现场不符",
        ),
        DisposeFeedback(department=APPROVAL, supervisor=S1, number="f1", outcome="adopted", reason="属实"),
    )  # fmt: skip
    inspection = {
        "department": S1, "number": "jc1", "case_organ": APPROVAL, "case_number": "1", "item": "10123200100101",
        "checklist": "11150100000000001F310123200100101", "form": "on_site", "category": "random", "manner": "visit",
        "result": "failed", "inspectors": (Inspector(name="孙检查", certificate="15010000001"),), "inspected_at": at,
    }  # fmt: skip
    store.submit(
        ReportInspection(**inspection, finding="面积不符"),
        CorrectInspection(**inspection, finding="面积不符，已测绘"),
        RetractInspection(department=S1, number="jc1", reason="重复上报"),
    )
    thread = {"supervisor": S1, "number": "f2"}
    store.submit(
        RaiseFeedback(
            department=S1, number="f2", case_organ=APPROVAL, case_number="1", found_on=DAY, suggestion="change",
            detail="面积不符",
        ),
        DisposeFeedback(department=APPROVAL, outcome="not", reason="不属实", **thread),
        ReplyFeedback(department=S1, detail="附测绘报告", **thread),
        DisposeFeedback(department=APPROVAL, outcome="adopted", reason="已变更", **thread),
        CloseFeedback(department=S1, **thread),
    )  # fmt: skip
    store.submit(
        RouteMatter(
            department=OFFICE, matter=MATTER, valid_from=date(2027, 1, 1), basis="二",
            supervisors=(Supervisor(department=S3),),
        ),
        ReturnMatter(department=OFFICE, matter=MATTER, valid_from=date(2028, 1, 1), basis="三"),
        RequestBlanks(department=APPROVAL, series="A", certificate="证", copies=3, to=HIGHER),
        AssistBlanks(department=FORMER, requester=APPROVAL, series="A"),
        ReceiveBlanks(department=APPROVAL, series="A", first=1, copies=3),
        PrintBlanks(department=APPROVAL, series="B", certificate="证", first=1, copies=2),
        UseBlank(department=APPROVAL, series="A", serial_number=2, fate="issued", number="1"),
        DeclareCount(department=S1, counted_source=S1, day=DAY, count=3),
        DrawHandover(
            department=FORMER, number="J1", taker=APPROVAL, matters=(MATTER,),
            items=(HandoverItem(kind="archive", title="档案", copies=9),),
            note=DutyNote(approval=("审批",), supervision=("检查",)),
        ),
        SignHandover(department=FORMER, giver=FORMER, number="J1"),
        EnterRegister(
            department=OFFICE, entry=Proposal(matter=OWN_MATTER, batch="2026-1"), valid_from=DAY, basis="四"
        ),
        StrikeEntry(
            department=OFFICE, kind="proposal", key=OWN_MATTER, valid_from=date(2027, 1, 1), basis="五"
        ),
    )  # fmt: skip
    assert fact


def everything(store: TestStore) -> None:
    """At least one event of every type, but for what only intake and other stores bring about."""
    usual(store)
    disputed = granted(store, "11")
    store.submit(ReturnNotice(department=S2, notice=f"{S2}/{disputed}", proposed=S3, reason="不归我"), id_="r4")
    store.submit(
        EnterRegister(
            department=OFFICE,
            entry=WorkCapability(matter=MATTER, work="survey", party="both"),
            valid_from=DAY,
            basis="四",
        ),
        accept("10"),
        case(OpenTask, "10", task="1", work="survey", opened_on=DAY),
        case(OpenTask, "10", task="2", work="survey", opened_on=DAY),
        case(
            CompleteTask, "10", by=FORMER, task="1", began_at=store.now, ended_at=store.now, result="passed",
            conclusion="一致", signers=(officer(),),
        ),
        case(DropTask, "10", task="2", on=DAY, reason="重复"),
        StartSubscription(department=S1, number="1", matters=(MATTER,), backfill_from=date(2020, 1, 1)),
        SucceedDepartment(department=OFFICE, old=S3, to=S1, valid_from=DAY, basis="六"),
    )  # fmt: skip
    thread: dict[str, Any] = {"asker": APPROVAL, "number": "S1"}
    store.submit(
        SendCircular(
            department=APPROVAL, kind="meeting", number="H1", title="会商", body="请参加", main=(S1, S2),
            meets_at=store.now + timedelta(days=8),
        ),
        AnswerInvitation(department=S1, sender=APPROVAL, number="H1", attending=True, attendees=(officer(),)),
        WithdrawCircular(department=APPROVAL, sender=APPROVAL, number="H1", reason="改期"),
        AskConsultation(
            department=APPROVAL, number="S1", to=HIGHER, question="如何办理", case_organ=APPROVAL, case_number="1"
        ),
        AnswerConsultation(department=HIGHER, **thread, answer="依法办理"),
        AskAgain(department=APPROVAL, **thread, question="材料呢"),
        AnswerConsultation(department=HIGHER, **thread, answer="由受理地收取"),
        CloseConsultation(department=APPROVAL, **thread),
    )  # fmt: skip
    granted(store, "12")
    penalty = {"penalty": "1", "document_number": "罚1", "on": DAY, "reason": "超范围"}
    store.submit(RegisterPrincipal(principal="sfj", acts_for=("sfj",)), principal="operator")
    store.submit(RegisterDepartment(department=OFFICE, entry=department("sfj", "司法局", "REVIEW_ORGAN")))
    store.submit(
        case(ImposePenalty, "12", by=S1, measure="permit_suspension", **penalty),
        case(LiftPenalty, "12", by=S1, **penalty),
        case(
            RecordRemedy,
            "12",
            by="sfj",
            procedure="litigation",
            outcome="anew",
            document_number="判1",
            on=DAY,
            content="责令重作",
        ),
        accept("13", anew_of=CaseName(organ=APPROVAL, number="12")),
    )
    subscription = subscription_stream(S1, "1")
    store.facts(
        lambda world, now: system.succession_advanced(world, S3, succession_stream(S3, 1), 1, now),
        lambda world, now: system.given_up(world, f"{S1}/{disputed}", "https", "not_accepted", "HTTP 422", now),
        lambda world, now: system.subscriber_joined(world, subscription, f"case/{APPROVAL}/6", now),
        lambda world, now: system.subscription_backfilled(world, subscription, 1, (MATTER, None, None), 1, True, now),
    )
    store.facts(lambda world, now: system.notice_passed(world, f"{S3}/test/r4", now))
    by_letter(store, "14")
    ratings(store)
    store.submit(RegisterPrincipal(principal="jw", acts_for=("jw",)), principal="operator")
    store.submit(RegisterDepartment(department=OFFICE, entry=department("jw", "纪委监委", "DISCIPLINE")))
    question = Question(principal="jw", department="jw", officer=officer(), command="replay", rows=3)
    asked = store.sealed(question, read_stream("jw"))
    store.facts(lambda world, now: system.read_recorded(world, asked, now))
    order = Order(subject="person/nobody", department=OFFICE, officer=officer(), reason="x")
    ordered = store.sealed(order, erasure_stream(order.subject))
    store.facts(lambda world, now: system.erasure_ordered(world, ordered, now))
    _by_time(store)


def by_letter(store: TestStore, *numbers: str, **more: Any) -> str:
    """S1 is told of cases on paper and has signed the slip; the letter's number."""
    on_paper = department(S1, "监管一局", "SUPERVISION").model_copy(update={"channels": ("kafka", "letter")})
    head = Letterhead(organ=APPROVAL, mark="呼审批函", address="新华大街1号", phone="0471-0000001")
    store.submit(
        RegisterDepartment(department=OFFICE, entry=on_paper),
        EnterRegister(department=OFFICE, entry=head, valid_from=DAY, basis="四"),
    )
    notices = tuple(f"{S1}/{granted(store, number)}" for number in numbers)
    issue = IssueLetter(department=APPROVAL, addressee=S1, issued_on=DAY, notices=notices)
    store.submit(issue, id_=f"l-{numbers[0]}")
    letter = f"呼审批函〔{DAY.year}〕1号"
    store.submit(
        ReceiveLetter(
            department=APPROVAL,
            organ=APPROVAL,
            number=letter,
            addressee=S1,
            code=make_receipt_code(f"{letter} test/l-{numbers[0]}"),
            signer=officer("9", "苏和"),
            received_at=DAY,
            scan_sha256="0" * 64,
            **more,
        )
    )
    return letter


def platform(store: TestStore) -> None:
    store.submit(RegisterPrincipal(principal="pt", acts_for=("pt", APPROVAL)), principal="operator")
    store.submit(RegisterDepartment(department=OFFICE, entry=department("pt", "政务服务平台", "PLATFORM")))


def rate(store: TestStore, number: str, level: int, service: Service = "decision", **more: Any) -> dict[str, Any]:
    """A rating by the platform; how its followers name it."""
    one: dict[str, Any] = {"organ": APPROVAL, "number": number, "service": service}
    store.submit(
        RecordRating(department="pt", **one, level=level, rated_at=store.now, comment="窗口张三态度不好", **more)
    )
    return one


def ratings(store: TestStore) -> None:
    """A bad one through all its steps, one of a counter that was excluded, a good one."""
    platform(store)
    one = rate(store, "1", 1, tags="窗口张三服务态度")
    store.submit(
        ContactRating(department=APPROVAL, **one, contacted_at=store.now, finding="confirmed", detail="已致歉"),
        RectifyRating(department=APPROVAL, **one, on=DAY, measures="已培训"),
        RevisitRating(department="pt", **one, on=DAY, satisfied=True, detail="满意"),
    )
    two = rate(store, "Q17", 2, "counter", window="A1")
    store.submit(
        AppealRating(department=APPROVAL, **two, reason="误评其他窗口"),
        DecideAppeal(department=HIGHER, **two, outcome="excluded", reason="属误评"),
    )
    rate(store, "2", 5)


def _by_time(store: TestStore) -> None:
    """What happens when it is later: in a year whose calendar is known."""
    today = local_date(datetime.now(UTC))
    passing = granted(store, "20", valid_to=today + timedelta(days=1))
    first, second = f"notice/{S1}/{passing}", f"notice/{S2}/{passing}"
    limit = TimeLimit(clock="receive", days=2, deemed_after=0, ladder=LADDER)
    above: dict[str, Any] = {"department": OFFICE, "clock": first}
    years = [CalendarYear(year=today.year + n, off=(), worked=()) for n in (0, 1)]
    store.submit(
        *(EnterRegister(department=OFFICE, entry=year, valid_from=DAY, basis="七") for year in years),
        EnterRegister(department=OFFICE, entry=limit, valid_from=DAY, basis="八"),
        ExtendClock(**above, days=1, reason="系统切换"),
        SuspendClock(**above, on=DAY, reason="系统停机"),
        ResumeClock(**above, on=DAY),
    )
    store.facts(lambda world, now: system.due_recomputed(world, second, now))
    later = Writer(store.connect, store.sealer.seal_all, clock=lambda: datetime.now(UTC) + timedelta(days=30))
    for _ in range(5):
        later.write(facts=[lambda world, now: system.rung_climbed(world, second, now)])
    later.write(facts=[lambda world, now: system.permit_expired(world, f"case/{APPROVAL}/20", now)])
    later.close()


def snapshot(conn: Connection[Any], schema: str = "read") -> dict[str, list[Any]]:
    return {
        table: sorted(map(repr, conn.execute(f"SELECT * FROM {schema}.{table}").fetchall()))  # type: ignore[arg-type]
        for projection in PROJECTIONS
        for table in projection.tables
    }


def wait(condition: Callable[[], bool], seconds: float = 10) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.02)
    return condition()

"""A small story told in submissions, decided by the domain: the source of every example in the reference.

At least one submission of every type, with the events and notices that come of it. People and organisations are
invented. Nothing here reads a clock or draws at random, so that the reference is the same whenever it is generated.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any

from adapters.formats.workdays import published
from domain import system
from domain.blanks import UseBlank
from domain.calendars import Published
from domain.cases import CaseAccepted, CaseDecided
from domain.deadletters import RetryDeadLetter
from domain.erasure import Order, erasure_stream
from domain.event import Recorded
from domain.identifiers import make_licence_id
from domain.inspections import CorrectInspection, Inspector, ReportInspection, RetractInspection
from domain.letters import IssueLetter, LetterIssued, ReceiveLetter
from domain.message import NoticeMessage, case_part, fact_part, notice_message
from domain.notices import NoticeOwed, ReceiveNotice, ReturnNotice, RuleOnDuty, TakeNotice
from domain.opinions import IssueOpinion
from domain.party import Party
from domain.permits import CancelCase, ChangeCase, CorrectCase, ExtendCase, IssueLicence, RevokeCase, WithdrawCase
from domain.personal import Person, seal
from domain.public_records import ReportPermit
from domain.reads import Parameter, Question, read_stream
from domain.registering import EnterRegister
from domain.registers import Registers
from domain.reviews import ForwardReview, ReturnReview, SubmitReview, SystemAccess
from domain.seals import ApplySeal, DemandSeal
from domain.supervision import CloseFeedback, DisposeFeedback, RaiseFeedback, ReplyFeedback
from domain.world import World
from infra.example_circulars import circulars, consultations
from infra.example_clocks import clocks
from infra.example_lives import accepted, granted, penalties, ratings, remedies, succession, tasks
from infra.example_registers import lists, registers
from infra.teller import (
    APPROVAL,
    BEGIN,
    CASE,
    CENTRE,
    EMERGENCY,
    HEALTH,
    INSPECTION,
    MARKET,
    MARKET_USCC,
    OFFICE,
    ORGAN_USCC,
    PLATFORM,
    REGION,
    RESIDENT,
    STORE,
    TODAY,
    Example,
    Teller,
    department,
    officer,
)


@dataclass(frozen=True, slots=True)
class Story:
    """Everything in order. `notices` are what the addressees read."""

    submissions: list[Example]
    events: list[Recorded]
    notices: list[NoticeMessage]

    def submission(self, type_: str) -> Example:
        """The first of a type."""
        return next(one for one in self.submissions if one.type == type_)


def _calendar() -> Published:
    """This year's part of it."""
    whole = published()

    def of_the_year(days: Iterable[date]) -> tuple[date, ...]:
        return tuple(day for day in days if day.year == TODAY.year)

    return Published(whole.edition, TODAY.year, TODAY.year, of_the_year(whole.off), of_the_year(whole.worked))


def story() -> Story:
    """Tells it. Deterministic."""
    teller = Teller()
    office = department(OFFICE, "呼和浩特市审改办", "REFORM_OFFICE")
    teller.world.append(system.found(teller.world, office, {OFFICE: (OFFICE,)}, "operator", BEGIN))
    teller.world.append(system.calendar_adopted(teller.world, _calendar(), BEGIN))
    registers(teller)
    lists(teller)
    _case(teller)
    _review(teller)
    circulars(teller)
    consultations(teller)
    _endings(teller)
    _returns(teller)
    penalties(teller)
    remedies(teller)
    ratings(teller)
    tasks(teller)
    _imports(teller)
    succession(teller)
    clocks(teller)
    _system(teller)
    events = [
        Recorded(position, (BEGIN + timedelta(seconds=position)).astimezone(UTC), event)
        for position, event in enumerate(teller.world.pending, 1)
    ]
    return Story(teller.examples, events, _notices(teller, events))


def _case(teller: Teller) -> None:
    decision = granted(teller, CASE, "呼审批许字〔2026〕1号")
    of_case: dict[str, Any] = {"department": APPROVAL, "organ": APPROVAL, "number": CASE}
    electronic = make_licence_id("11100000MB0307758B001", ORGAN_USCC, "JY11501020000001")
    teller.tell(
        IssueLicence(
            **of_case,
            licence_number="JY11501020000001",
            certificate="食品经营许可证",
            issued_on=TODAY,
            electronic_id=electronic,
        )
    )
    teller.tell(UseBlank(department=APPROVAL, series="JY2026", serial_number=10001, fate="issued", number=CASE))
    _seals(teller, of_case)
    teller.tell(
        IssueOpinion(
            **{**of_case, "department": MARKET},
            opinion_number="呼市监函〔2026〕3号",
            need="outside",
            issued_on=TODAY,
            content="供区外认可之用：该许可由审批部门依法作出。",
        )
    )
    forward = ForwardReview(department=MARKET, organ=APPROVAL, number=CASE, through=MARKET)
    teller.tell(forward)
    demand = DemandSeal(department=MARKET, organ=APPROVAL, number=CASE, demanded_of=APPROVAL, seal="市场监管局公章")
    teller.tell(demand)
    notice = f"{MARKET}/{decision}"
    clerk = officer("1103", "高娃")
    teller.tell(ReceiveNotice(department=MARKET, officer=clerk, notice=notice, received_at=teller.now), CASE)
    teller.tell(TakeNotice(department=MARKET, officer=clerk, notice=notice), CASE)
    _letter(teller, f"{HEALTH}/{decision}")
    _inspections(teller)
    _feedback(teller)
    teller.tell(
        ChangeCase(**of_case, document_number="呼审批变字〔2026〕1号", on=TODAY, content="经营场所变更为新华大街2号。")
    )
    extension = "呼审批延字〔2026〕1号"
    teller.tell(ExtendCase(**of_case, document_number=extension, on=TODAY, valid_to=date(2036, 2, 26)))
    teller.tell(
        CorrectCase(
            **of_case,
            target="valid_from",
            old="2026-02-27",
            new="2026-02-28",
            on=TODAY,
            reason="文书笔误。",
            authorised_by="巴特尔科长",
        )
    )


def _letter(teller: Teller, notice: str) -> None:
    """On paper, to a department that has no system."""
    teller.tell(
        IssueLetter(
            department=APPROVAL,
            officer=officer("0012", "乌兰"),
            addressee=HEALTH,
            issued_on=TODAY,
            notices=(notice,),
        )
    )
    letter = next(one for one in teller.world.pending if isinstance(one, LetterIssued))
    slip = hashlib.sha256(b"slip").hexdigest()
    teller.tell(
        ReceiveLetter(
            department=APPROVAL,
            officer=officer("0012", "乌兰"),
            organ=APPROVAL,
            number=letter.number,
            addressee=HEALTH,
            code=letter.code,
            signer=officer("2201", "娜仁"),
            received_at=teller.now,
            scan_sha256=slip,
        )
    )


def _inspections(teller: Teller) -> None:
    clerk = officer("1103", "高娃")
    record: dict[str, Any] = {
        "department": MARKET,
        "officer": clerk,
        "case_organ": APPROVAL,
        "case_number": CASE,
        "item": "10123200100101",
        "checklist": f"{MARKET_USCC}310123200100101",
        "form": "on_site",
        "category": "routine",
        "manner": "visit",
        "inspectors": (
            Inspector(name="高娃", certificate="15010011103"),
            Inspector(name="斯琴", certificate="15010011101"),
        ),
        "inspected_at": BEGIN,
        "finding": "现场布局与申报材料不一致。",
    }
    teller.tell(ReportInspection(**record, number="JC2026-0001", result="failed"), CASE)
    teller.tell(CorrectInspection(**record, number="JC2026-0001", result="rectify"), CASE)
    teller.tell(ReportInspection(**record, number="JC2026-0002", result="failed"), CASE)
    again = RetractInspection(
        department=MARKET, officer=clerk, number="JC2026-0002", reason="与 JC2026-0001 重复上报。"
    )
    teller.tell(again, CASE)


def _feedback(teller: Teller) -> None:
    thread: dict[str, Any] = {"supervisor": MARKET, "number": "F2026-001"}
    clerk = officer("1103", "高娃")
    teller.tell(
        RaiseFeedback(
            department=MARKET,
            officer=clerk,
            number="F2026-001",
            case_organ=APPROVAL,
            case_number=CASE,
            found_on=TODAY,
            suggestion="rectify",
            detail="现场布局与申报材料不一致，建议责令整改。",
        ),
        CASE,
    )
    answer = DisposeFeedback(department=APPROVAL, **thread, outcome="partly", reason="已通知当事人在十五日内整改。")
    teller.tell(answer, CASE)
    reply = ReplyFeedback(department=MARKET, officer=clerk, **thread, detail="后厨通道仍未列入整改，请补充。")
    teller.tell(reply, CASE)
    again = DisposeFeedback(department=APPROVAL, **thread, outcome="adopted", reason="已补充通知整改后厨通道。")
    teller.tell(again, CASE)
    teller.tell(CloseFeedback(department=MARKET, officer=clerk, **thread), CASE)


def _seals(teller: Teller, of_case: dict[str, Any]) -> None:
    """Applied by its owner, and by whom that delegated it to; a joint seal of the owner and another."""
    action: dict[str, Any] = {
        **of_case,
        "document_sm3": hashlib.sha256(b"document").hexdigest(),
        "document_sha256": hashlib.sha256(b"document").hexdigest(),
        "applied_at": BEGIN,
    }
    teller.tell(ApplySeal(**action, seal="spzyz-01", certificate_serial="4A5B6C7D"))
    teller.tell(ApplySeal(**{**action, "department": CENTRE}, seal="spzyz-01", certificate_serial="4a5b6c7d"))
    teller.tell(ApplySeal(**action, seal="lhspz-01", certificate_serial="4A5B6C7E"))


def _review(teller: Teller) -> None:
    of_case: dict[str, Any] = {"department": APPROVAL, "organ": APPROVAL, "number": "2026030200020"}
    accepted(teller, "2026030200020")
    teller.tell(SubmitReview(**of_case, review_number="BS-2026-01", to=REGION, content="报请审查食品生产许可。"))
    teller.tell(
        ReturnReview(
            department=REGION,
            submitter=APPROVAL,
            review_number="BS-2026-01",
            result="agreed",
            opinion="同意，依法作出决定。",
        )
    )
    access = SystemAccess(system="spsc", name="食品生产许可系统", granted_by=REGION, granted_to=APPROVAL)
    teller.tell(EnterRegister(department=REGION, entry=access, valid_from=TODAY, basis="内市监函〔2026〕1号"))


def _endings(teller: Teller) -> None:
    kinds: tuple[tuple[type[WithdrawCase | RevokeCase | CancelCase], str, str], ...] = (
        (WithdrawCase, "撤回", "所依据的客观情况发生重大变化。"),
        (RevokeCase, "撤销", "申请人以欺骗手段取得许可。"),
        (CancelCase, "注销", "被许可人申请注销。"),
    )
    for count, (kind, word, reason) in enumerate(kinds, 2):
        number = f"20260302{count:05}"
        granted(teller, number, f"呼审批许字〔2026〕{count}号")
        document = f"呼审批{word}字〔2026〕{count}号"
        teller.tell(
            kind(department=APPROVAL, organ=APPROVAL, number=number, document_number=document, on=TODAY, reason=reason)
        )


def _returns(teller: Teller) -> None:
    number = "2026030200009"
    decision = granted(teller, number, "呼审批许字〔2026〕9号")
    returned = ReturnNotice(
        department=HEALTH,
        notice=f"{HEALTH}/{decision}",
        proposed=EMERGENCY,
        reason="不属于本部门监管职责。",
    )
    first = teller.tell(returned, number)
    again = ReturnNotice(
        department=EMERGENCY, notice=f"{EMERGENCY}/{first}", proposed=HEALTH, reason="应由卫生健康部门监管。"
    )
    second = teller.tell(again, number)
    ruling = RuleOnDuty(
        department=OFFICE, notice=f"{OFFICE}/{second}", assign_to=HEALTH, reason="按三定规定由卫生健康部门负责。"
    )
    teller.tell(ruling, number)


def _imports(teller: Teller) -> None:
    number = "呼审批许字〔2025〕88号"
    report = ReportPermit(
        department=PLATFORM,
        organ_uscc=ORGAN_USCC,
        organ_name="呼和浩特市行政审批和政务服务局",
        certificate="食品经营许可证",
        kind="普通",
        document_title="准予行政许可决定书",
        document_number=number,
        licence_number="JY11501020000088",
        party=Party(
            kind="自然人",
            name="白其其格",
            person=Person(name="白其其格", id_type="身份证", id_number=RESIDENT),
        ),
        content="热食类食品制售",
        decided_on=date(2025, 12, 1),
        valid_from=date(2025, 12, 1),
        valid_to=date(2030, 11, 30),
        source_name="呼和浩特市行政审批和政务服务局",
        source_uscc=ORGAN_USCC,
    )
    teller.tell(report, number)
    teller.tell(RetryDeadLetter(place="4Hq0vJ3sQ7yN1bXcT8wZkA/0/17"))


def _system(teller: Teller) -> None:
    """What the store records of itself."""
    world, now = teller.world, teller.now
    first = next(e for e in world.pending if isinstance(e, NoticeOwed))
    topic = f"shenguan.intake.{STORE}.{APPROVAL}"
    world.append(system.dispatched(world, first.notice, "kafka", "7Jq0vJ3sQ7yN1bXcT8wZkA", 0, 0, now))
    world.append(system.delivered(world, first.notice, "kafka", f"shenguan.{MARKET}", 1, now))
    world.append(system.given_up(world, first.notice, "https", "not_accepted", "HTTP 422", now))
    world.append(system.registers_followed(World(Registers(), lambda _: {}, now), STORE, now))  # in a league's store
    world.append(system.epoch_opened(world, topic, "", "4Hq0vJ3sQ7yN1bXcT8wZkA", 1, "first", now))
    question = Question(
        principal=INSPECTION,
        department=INSPECTION,
        officer=officer("J01", "乌日娜"),
        command="replay",
        parameters=(Parameter(name="number", value=CASE),),
        revealed=True,
        reason="核查信访反映的问题。",
        rows=42,
    )
    asked = seal(question, teller.sealer, read_stream(INSPECTION))
    world.append(system.read_recorded(world, asked, now))
    about = f"case/{APPROVAL}/{CASE}"
    order = Order(subject=about, department=APPROVAL, officer=officer("1103", "高娃"), reason="保存期限已满。")
    world.append(system.erasure_ordered(world, seal(order, teller.sealer, erasure_stream(about)), now))


def _notices(teller: Teller, events: list[Recorded]) -> list[NoticeMessage]:
    placed = {(r.event.originator_id, r.event.originator_version): r.event for r in events}
    found = []
    for recorded in events:
        owed = recorded.event
        if not isinstance(owed, NoticeOwed):
            continue
        fact = placed[owed.owing_stream, owed.owing_version]
        opener = teller.sealer.open
        case = None
        if owed.case:
            accepted, decision = placed[owed.case, 1], placed.get((owed.case, 2))
            assert isinstance(accepted, CaseAccepted)
            assert decision is None or isinstance(decision, CaseDecided)
            case = case_part(accepted, decision, teller.world.registers.matters[owed.matter].entry, opener)
        found.append(notice_message(recorded, case, fact_part(fact, opener)))
    return found

"""A small story told in submissions, decided by the domain: the source of every example in the reference.

At least one submission of every type, with the events and notices that come of it. People and organisations are
invented. Nothing here reads a clock or draws at random, so that the reference is the same whenever it is generated.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from domain import catalogue, system
from domain.blanks import AssistBlanks, PrintBlanks, ReceiveBlanks, RequestBlanks, UseBlank
from domain.cases import AcceptCase, CaseAccepted, CaseDecided, DecideCase
from domain.counts import DeclareCount
from domain.deadletters import RetryDeadLetter
from domain.departments import Department, RegisterDepartment, RegisterLiaison, RegisterPrincipal, Role
from domain.event import Event, Recorded
from domain.guides import Guide
from domain.handling import Outcome, handle
from domain.handovers import DrawHandover, DutyNote, HandoverItem, SignHandover
from domain.identifiers import make_matter_code, make_resident_id, make_uscc
from domain.lists import PowerItem, SupervisionItem
from domain.matters import (
    MapPublicRecord,
    Matter,
    RegisterMatter,
    ReturnMatter,
    RouteMatter,
    Supervisor,
    TransferMatter,
)
from domain.message import NoticeMessage, case_part, fact_part, notice_message
from domain.notices import NoticeOwed, ReceiveNotice, ReturnNotice, RuleOnDuty, TakeNotice
from domain.opinions import IssueOpinion
from domain.party import Party
from domain.permits import CancelCase, ChangeCase, CorrectCase, ExtendCase, IssueLicence, RevokeCase, WithdrawCase
from domain.personal import Officer, Person, Sealed, seal
from domain.public_records import ReportPermit
from domain.reform import Bundle, Deferral, Proposal
from domain.registering import AnyEntry, EnterRegister, StrikeEntry
from domain.registers import Registers
from domain.reviews import ForwardReview, ReturnReview, SubmitReview, SystemAccess
from domain.seals import ApplySeal, DemandSeal
from domain.submissions import BEIJING, Payload, Submission, full_type
from domain.supervision import DisposeFeedback, RaiseFeedback
from domain.world import World

assert catalogue.DECIDERS
STORE = "150000"
OFFICE, APPROVAL, MARKET, HEALTH, EMERGENCY, PLATFORM, REGION = (
    "hs-sgb", "hs-xzspj", "hs-scjgj", "hs-wjw", "hs-yjj", "hs-zwpt", "nm-scjgj"
)  # fmt: skip
BEGIN = datetime(2026, 3, 2, 9, tzinfo=BEIJING)
TODAY = BEGIN.date()
ORGAN_USCC = make_uscc("11150100MB1234567")
PARTY_USCC = make_uscc("91150102MA0N1ABCX")
MATTER, OTHER_MATTER = (make_matter_code(make_uscc("11150100011000001"), 3, f"00010000100{n}") for n in (1, 2))
RESIDENT = make_resident_id("15010219900101001")
CASE = "2026030200001"


@dataclass(frozen=True, slots=True)
class Example:
    """One submission as it is sent, and what became of it."""

    type: str
    principal: str
    key: str
    attributes: dict[str, str]
    data: dict[str, Any]
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Story:
    """Everything in order. `notices` are what the addressees read."""

    submissions: list[Example]
    events: list[Recorded]
    notices: list[NoticeMessage]

    def submission(self, type_: str) -> Example:
        """The first of a type."""
        return next(one for one in self.submissions if one.type == type_)


class _Sealer:
    """A stand-in that looks like the real one's work and remembers what it sealed."""

    def __init__(self) -> None:
        self._plain: dict[str, str] = {}

    def seal(self, subject: str, value: str) -> Sealed:
        digest = hashlib.sha256(f"{subject} {value}".encode())
        ciphertext = base64.b64encode(digest.digest()).decode()
        self._plain[ciphertext] = value
        return Sealed(subject=subject, ciphertext=ciphertext, commitment=digest.hexdigest())

    def open(self, sealed: Sealed) -> str:
        return self._plain[sealed.ciphertext]

    def pseudonym(self, value: str) -> str:
        return hashlib.sha256(value.encode()).hexdigest()[:24]


def _nothing(_: Iterable[str]) -> dict[str, list[Event]]:
    return {}


class _Teller:
    """Hands submissions in, one after another, as their principals would."""

    def __init__(self) -> None:
        self.world = World(Registers(), _nothing)
        self.sealer = _Sealer()
        self.examples: list[Example] = []
        self.counts: dict[str, int] = {}
        self.now = BEGIN

    def tell(self, payload: Payload, key: str | None = None) -> str:
        """Returns `source/id`."""
        principal = payload.department
        self.counts[principal] = self.counts.get(principal, 0) + 1
        self.now += timedelta(minutes=1)
        id_ = f"{TODAY:%Y%m%d}-{self.counts[principal]:04}"
        sealed = seal(payload, self.sealer, payload.subject() or f"submission/{principal}/{id_}")
        outcome = handle(Submission(principal, id_, self.now, principal, "acl", sealed), self.world)
        self.examples.append(
            Example(
                type=payload.TYPE,
                principal=principal,
                key=key or str(getattr(payload, "number", principal)),
                attributes={
                    "specversion": "1.0",
                    "id": id_,
                    "source": principal,
                    "type": full_type(payload.TYPE),
                    "time": self.now.isoformat(),
                },
                data=payload.model_dump(mode="json", exclude_none=True),
                outcome=outcome,
            )
        )
        return f"{principal}/{id_}"


def story() -> Story:
    """Tells it. Deterministic."""
    teller = _Teller()
    office = _department(OFFICE, "呼和浩特市审改办", "REFORM_OFFICE")
    teller.world.append(system.found(teller.world, office, {OFFICE: (OFFICE,)}, "operator", BEGIN))
    _registers(teller)
    _lists(teller)
    _case(teller)
    _review(teller)
    _endings(teller)
    _returns(teller)
    _imports(teller)
    _system(teller)
    events = [
        Recorded(position, (BEGIN + timedelta(seconds=position)).astimezone(UTC), event)
        for position, event in enumerate(teller.world.pending, 1)
    ]
    return Story(teller.examples, events, _notices(teller, events))


def _department(code: str, name: str, *roles: Role) -> Department:
    return Department(code=code, name=name, roles=roles, region="150100", valid_from=date(2019, 1, 1))


def _officer(number: str, name: str) -> Officer:
    return Officer(id=number, name=name)


def _registers(teller: _Teller) -> None:
    for code in (APPROVAL, MARKET, HEALTH, EMERGENCY, REGION):
        teller.tell(RegisterPrincipal(principal=code, acts_for=(code,)))
    teller.tell(RegisterPrincipal(principal=PLATFORM, acts_for=(PLATFORM, APPROVAL)))
    for entry in (
        _department(APPROVAL, "呼和浩特市行政审批和政务服务局", "APPROVAL"),
        _department(MARKET, "呼和浩特市市场监督管理局", "SUPERVISION"),
        _department(HEALTH, "呼和浩特市卫生健康委员会", "SUPERVISION"),
        _department(EMERGENCY, "呼和浩特市应急管理局", "SUPERVISION"),
        _department(PLATFORM, "呼和浩特市一体化政务服务平台", "PLATFORM"),
        _department(REGION, "内蒙古自治区市场监督管理局", "HIGHER_AUTHORITY").model_copy(update={"region": "150000"}),
    ):
        teller.tell(RegisterDepartment(department=OFFICE, entry=entry))
    person = Person(name="苏和", phone="0471-0000000")
    teller.tell(RegisterLiaison(department=MARKET, number="L01", person=person))
    for code, name in ((MATTER, "食品经营许可"), (OTHER_MATTER, "公共场所卫生许可")):
        law = "《中华人民共和国食品安全法》第三十五条"
        entry_ = Matter(code=code, name=name, competent=MARKET, legal_basis=law, opinions=("outside",))
        teller.tell(RegisterMatter(department=OFFICE, entry=entry_))
        teller.tell(
            TransferMatter(
                department=OFFICE,
                matter=code,
                valid_from=date(2020, 7, 1),
                basis="呼政发〔2020〕12号",
                to=APPROVAL,
                supervisors=(Supervisor(department=MARKET),),
            )
        )
    teller.tell(
        RouteMatter(
            department=OFFICE,
            matter=MATTER,
            valid_from=date(2024, 1, 1),
            basis="呼政发〔2023〕40号",
            supervisors=(Supervisor(department=MARKET), Supervisor(department=HEALTH, part="assist")),
        )
    )
    teller.tell(
        ReturnMatter(department=OFFICE, matter=OTHER_MATTER, valid_from=date(2025, 1, 1), basis="呼政发〔2024〕33号")
    )
    teller.tell(
        MapPublicRecord(
            department=OFFICE,
            organ_uscc=ORGAN_USCC,
            certificate_type="食品经营许可证",
            organ=APPROVAL,
            matter=MATTER,
        )
    )


def _lists(teller: _Teller) -> None:
    published = date(2024, 3, 1)
    item: dict[str, Any] = {
        "matter": MATTER,
        "name": "食品经营许可",
        "legal_basis": "《中华人民共和国食品安全法》第三十五条",
        "published_on": published,
    }
    entries: tuple[AnyEntry, ...] = (
        PowerItem(**item, organ=APPROVAL, duties=("受理", "审查", "决定", "送达")),
        SupervisionItem(**item, organ=MARKET, item="JG-0001", duties=("日常检查", "投诉举报核查")),
        Proposal(matter=OTHER_MATTER, batch="2026-01"),
        Deferral(matter=OTHER_MATTER, reason="专业检测能力尚未到位", review_on=date(2026, 9, 1)),
        Guide(
            matter=MATTER,
            elements=("申请书", "营业执照", "场所平面图"),
            steps=("受理", "审查", "决定", "送达"),
            promised_days=5,
        ),
        Bundle(code="kcy", name="开餐饮店一件事", lead=APPROVAL, matters=(MATTER, OTHER_MATTER)),
    )
    for entry in entries:
        basis = "呼审改发〔2026〕2号"
        teller.tell(EnterRegister(department=OFFICE, entry=entry, valid_from=TODAY, basis=basis))
    teller.tell(
        DrawHandover(
            department=MARKET,
            officer=_officer("1101", "斯琴"),
            number="JJ-2026-01",
            taker=APPROVAL,
            matters=(MATTER,),
            items=(
                HandoverItem(kind="policy", title="食品经营许可办理规程", copies=1),
                HandoverItem(kind="licence", title="空白食品经营许可证", copies=500),
                HandoverItem(kind="archive", title="2019 年许可档案", copies=1204),
            ),
            note=DutyNote(approval=("受理、审查、决定",), supervision=("日常检查、投诉举报核查",)),
        )
    )
    for side in (MARKET, APPROVAL):
        teller.tell(SignHandover(department=side, giver=MARKET, number="JJ-2026-01"))
    teller.tell(DeclareCount(department=APPROVAL, counted_source=APPROVAL, day=TODAY, count=12))
    series: dict[str, Any] = {"department": APPROVAL, "series": "JY2026"}
    teller.tell(RequestBlanks(**series, certificate="食品经营许可证", copies=500, to=REGION))
    teller.tell(AssistBlanks(department=MARKET, requester=APPROVAL, series="JY2026"))
    teller.tell(ReceiveBlanks(**series, first=10001, copies=500))
    teller.tell(PrintBlanks(**{**series, "series": "WS2026"}, certificate="卫生许可证", first=1, copies=200))
    teller.tell(UseBlank(**series, serial_number=10002, fate="spoiled"), "JY2026")
    struck = StrikeEntry(department=OFFICE, kind="bundle", key="kcy", valid_from=date(2026, 12, 1), basis="试点结束")
    teller.tell(struck)


def _accepted(teller: _Teller, number: str) -> None:
    person = Person(name="王志强", id_type="身份证", id_number=RESIDENT)
    teller.tell(
        AcceptCase(
            department=APPROVAL,
            officer=_officer("0012", "乌兰"),
            organ=APPROVAL,
            number=number,
            matter=MATTER,
            party=Party(kind="法人及非法人组织", name="内蒙古草原牧业有限公司", uscc=PARTY_USCC, representative=person),
            accepted_on=date(2026, 2, 24),
        )
    )


def _granted(teller: _Teller, number: str, document: str) -> str:
    """A case, accepted and granted; returns the decision's `source/id`."""
    _accepted(teller, number)
    return teller.tell(
        DecideCase(
            department=APPROVAL,
            officer=_officer("0007", "巴特尔"),
            organ=APPROVAL,
            number=number,
            outcome="granted",
            document_number=document,
            decided_on=date(2026, 2, 27),
            valid_from=date(2026, 2, 27),
            valid_to=date(2031, 2, 26),
            content="准予食品经营许可：热食类食品制售。",
        )
    )


def _case(teller: _Teller) -> None:
    decision = _granted(teller, CASE, "呼审批许字〔2026〕1号")
    of_case: dict[str, Any] = {"department": APPROVAL, "organ": APPROVAL, "number": CASE}
    teller.tell(
        IssueLicence(**of_case, licence_number="JY11501020000001", certificate="食品经营许可证", issued_on=TODAY)
    )
    teller.tell(UseBlank(department=APPROVAL, series="JY2026", serial_number=10001, fate="issued", number=CASE))
    teller.tell(
        ApplySeal(
            **of_case,
            seal="spzyz-01",
            certificate_serial="4A5B6C7D",
            document_sm3=hashlib.sha256(b"document").hexdigest(),
            applied_at=BEGIN,
        )
    )
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
    clerk = _officer("1103", "高娃")
    teller.tell(ReceiveNotice(department=MARKET, officer=clerk, notice=notice, received_at=teller.now), CASE)
    teller.tell(TakeNotice(department=MARKET, officer=clerk, notice=notice), CASE)
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
    teller.tell(
        DisposeFeedback(
            department=APPROVAL,
            supervisor=MARKET,
            number="F2026-001",
            outcome="adopted",
            reason="已通知当事人在十五日内整改。",
        ),
        CASE,
    )
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


def _review(teller: _Teller) -> None:
    of_case: dict[str, Any] = {"department": APPROVAL, "organ": APPROVAL, "number": "2026030200020"}
    _accepted(teller, "2026030200020")
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


def _endings(teller: _Teller) -> None:
    kinds: tuple[tuple[type[WithdrawCase | RevokeCase | CancelCase], str, str], ...] = (
        (WithdrawCase, "撤回", "所依据的客观情况发生重大变化。"),
        (RevokeCase, "撤销", "申请人以欺骗手段取得许可。"),
        (CancelCase, "注销", "被许可人申请注销。"),
    )
    for count, (kind, word, reason) in enumerate(kinds, 2):
        number = f"20260302{count:05}"
        _granted(teller, number, f"呼审批许字〔2026〕{count}号")
        document = f"呼审批{word}字〔2026〕{count}号"
        teller.tell(
            kind(department=APPROVAL, organ=APPROVAL, number=number, document_number=document, on=TODAY, reason=reason)
        )


def _returns(teller: _Teller) -> None:
    number = "2026030200009"
    decision = _granted(teller, number, "呼审批许字〔2026〕9号")
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


def _imports(teller: _Teller) -> None:
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


def _system(teller: _Teller) -> None:
    """What the store records of itself."""
    world, now = teller.world, teller.now
    first = next(e for e in world.pending if isinstance(e, NoticeOwed))
    topic = f"shenguan.intake.{STORE}.{APPROVAL}"
    world.append(system.dispatched(world, first.notice, "kafka", "7Jq0vJ3sQ7yN1bXcT8wZkA", 0, 0, now))
    world.append(system.delivered(world, first.notice, "kafka", f"shenguan.{MARKET}", 1, now))
    world.append(system.registers_followed(World(Registers(), _nothing), STORE, now))  # in a league's store
    world.append(system.epoch_opened(world, topic, "", "4Hq0vJ3sQ7yN1bXcT8wZkA", 1, "first", now))


def _notices(teller: _Teller, events: list[Recorded]) -> list[NoticeMessage]:
    placed = {(r.event.originator_id, r.event.originator_version): r.event for r in events}
    found = []
    for recorded in events:
        owed = recorded.event
        if not isinstance(owed, NoticeOwed):
            continue
        accepted = placed[owed.case, 1]
        assert isinstance(accepted, CaseAccepted)
        fact = placed[owed.owing_stream, owed.owing_version]
        matter = teller.world.registers.matters[owed.matter].entry
        decision = placed.get((owed.case, 2))
        assert decision is None or isinstance(decision, CaseDecided)
        opener = teller.sealer.open
        found.append(notice_message(recorded, case_part(accepted, decision, matter, opener), fact_part(fact, opener)))
    return found

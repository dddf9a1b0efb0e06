"""The first part of the story: registers, lists, handover and blanks."""

from __future__ import annotations

from datetime import date
from typing import Any

from domain.blanks import AssistBlanks, PrintBlanks, ReceiveBlanks, RequestBlanks, UseBlank
from domain.counts import DeclareCount
from domain.departments import RegisterDepartment, RegisterLiaison, RegisterPrincipal
from domain.documents import PolicyDocument
from domain.duties import Duty
from domain.guides import Guide
from domain.handovers import DrawHandover, DutyNote, HandoverItem, SignHandover
from domain.key_registering import RegisterKey, StrikeKey
from domain.letters import Letterhead
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
from domain.personal import Person
from domain.placements import Placement
from domain.public_keys import PublicKey
from domain.reform import Bundle, Deferral, Proposal
from domain.registering import AnyEntry, EnterRegister, StrikeEntry
from domain.relations import Innovation, Relation
from domain.risks import RiskThreshold
from domain.seal_registry import Seal
from domain.signing import Signing
from domain.tasks import WorkCapability
from infra.teller import (
    APPROVAL,
    CENTRE,
    EMERGENCY,
    HEALTH,
    INSPECTION,
    JUSTICE,
    MARKET,
    MATTER,
    OFFICE,
    ORGAN_USCC,
    OTHER_MATTER,
    PLATFORM,
    REGION,
    TODAY,
    Teller,
    department,
    officer,
)

PUBLIC_KEY = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
"""Of RFC 8037's examples: nobody's."""


def registers(teller: Teller) -> None:
    for code in (APPROVAL, CENTRE, MARKET, HEALTH, EMERGENCY, REGION, JUSTICE, INSPECTION):
        teller.tell(RegisterPrincipal(principal=code, acts_for=(code,)))
    teller.tell(RegisterPrincipal(principal=PLATFORM, acts_for=(PLATFORM, APPROVAL)))
    for entry in (
        department(APPROVAL, "呼和浩特市行政审批和政务服务局", "APPROVAL"),
        department(CENTRE, "呼和浩特市政务服务中心", "APPROVAL"),
        department(MARKET, "呼和浩特市市场监督管理局", "SUPERVISION"),
        department(HEALTH, "呼和浩特市卫生健康委员会", "SUPERVISION").model_copy(
            update={"channels": ("kafka", "letter")}
        ),
        department(EMERGENCY, "呼和浩特市应急管理局", "SUPERVISION"),
        department(JUSTICE, "呼和浩特市司法局", "REVIEW_ORGAN"),
        department(INSPECTION, "呼和浩特市纪委监委", "DISCIPLINE"),
        department(PLATFORM, "呼和浩特市一体化政务服务平台", "PLATFORM"),
        department(REGION, "内蒙古自治区市场监督管理局", "HIGHER_AUTHORITY").model_copy(update={"region": "150000"}),
    ):
        teller.tell(RegisterDepartment(department=OFFICE, entry=entry))
    person = Person(name="苏和", phone="0471-0000000")
    teller.tell(RegisterLiaison(department=MARKET, number="L01", person=person))
    deputy = Person(name="其木格", phone="0471-0000002")
    teller.tell(RegisterLiaison(department=HEALTH, number="L02", person=deputy, deputy=True, valid_from=TODAY))
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
                batch="2020-01",
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


def lists(teller: Teller) -> None:
    published = date(2024, 3, 1)
    item: dict[str, Any] = {
        "matter": MATTER,
        "name": "食品经营许可",
        "legal_basis": "《中华人民共和国食品安全法》第三十五条",
        "published_on": published,
    }
    seal: dict[str, Any] = {
        "seal_kind": "special_seal",
        "certificate_from": date(2025, 1, 1),
        "certificate_to": date(2029, 12, 31),
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
        WorkCapability(matter=MATTER, work="survey", party="competent"),
        WorkCapability(matter=MATTER, work="papers", party="approval"),
        WorkCapability(matter=MATTER, work="commitment", party="approval"),
        Placement(
            matter=OTHER_MATTER,
            organ=MARKET,
            section="行政审批科",
            in_hall=True,
            windows=("A12",),
            online=True,
            monitored=True,
        ),
        RiskThreshold(signal="hasty", value=300),
        PolicyDocument(
            code="nzbf-2020-9",
            number="内政办发〔2020〕9号",
            title="关于深化相对集中行政许可权改革的通知",
            issuer="内蒙古自治区人民政府办公厅",
            issued_on=date(2020, 4, 30),
        ),
        Innovation(
            code="yyyz",
            name="一业一证",
            department=APPROVAL,
            description="食品经营相关许可一次申请、一证准营",
            document="内政办发〔2020〕9号",
        ),
        Relation(
            code="zwzx",
            relation="subordinate",
            from_department=CENTRE,
            to_department=APPROVAL,
            description="政务服务中心隶属行政审批和政务服务局，承担窗口运行",
        ),
        Duty(
            code="zjps",
            name="建立食品经营许可专家评审制度",
            responsible=APPROVAL,
            overseer=OFFICE,
            due_on=date(2026, 6, 30),
            cost_item="expert_evaluation",
            budget="league",
            amount=300_000,
        ),
        Seal(
            **seal,
            code="spzyz-01",
            name="呼和浩特市行政审批和政务服务局行政审批专用章",
            owners=(APPROVAL,),
            delegated_to=(CENTRE,),
            certificate_serial="4A5B6C7D",
        ),
        Seal(
            **seal,
            code="lhspz-01",
            name="呼和浩特市公共卫生联合审批专用章",
            owners=(APPROVAL, HEALTH),
            certificate_serial="4A5B6C7E",
        ),
        Letterhead(organ=APPROVAL, mark="呼审批函", address="呼和浩特市新城区新华东街1号", phone="0471-0000001"),
        Bundle(code="kcy", name="开餐饮店一件事", lead=APPROVAL, matters=(MATTER, OTHER_MATTER)),
    )
    for entry in entries:
        basis = "呼审改发〔2026〕2号"
        teller.tell(EnterRegister(department=OFFICE, entry=entry, valid_from=TODAY, basis=basis))
    teller.tell(
        DrawHandover(
            department=MARKET,
            officer=officer("1101", "斯琴"),
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
    key = PublicKey(principal=APPROVAL, public_key=PUBLIC_KEY, until=date(2027, 12, 31))
    teller.tell(RegisterKey(entry=key, valid_from=TODAY, basis="密钥登记表〔2026〕1号"))
    duty = Signing(principal=APPROVAL)
    basis = "审管数据签名管理办法"
    teller.tell(EnterRegister(department=OFFICE, entry=duty, valid_from=date(2026, 7, 1), basis=basis))
    teller.tell(StrikeKey(key=key.key(), valid_from=date(2027, 7, 1), basis="密钥更换"))
    struck = StrikeEntry(department=OFFICE, kind="bundle", key="kcy", valid_from=date(2026, 12, 1), basis="试点结束")
    teller.tell(struck)

"""What the sides and levels of the story tell each other beside cases: circulars, invitations, consultations."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from domain.circulars import AnswerInvitation, SendCircular, WithdrawCircular
from domain.consultations import AnswerConsultation, AskAgain, AskConsultation, CloseConsultation
from domain.notices import ReceiveNotice
from infra.teller import APPROVAL, BEGIN, CASE, EMERGENCY, MARKET, MATTER, REGION, TODAY, Teller, officer


def circulars(teller: Teller) -> None:
    """A change of policy, told twice; an invitation; guidance from above."""
    policy: dict[str, Any] = {
        "department": MARKET,
        "kind": "policy",
        "title": "食品经营许可条件调整",
        "body": "自二月二十日起执行新的场所布局标准。",
        "main": (APPROVAL,),
        "concerns": (MATTER,),
        "changed_on": date(2026, 2, 20),
    }
    told = teller.tell(SendCircular(**policy, number="呼市监发〔2026〕5号"))
    clerk = officer("0012", "乌兰")
    receipt = ReceiveNotice(department=APPROVAL, officer=clerk, notice=f"{APPROVAL}/{told}", received_at=teller.now)
    teller.tell(receipt, "呼市监发〔2026〕5号")
    teller.tell(SendCircular(**policy, number="呼市监发〔2026〕6号", copies=(EMERGENCY,)))
    teller.tell(
        WithdrawCircular(
            department=MARKET,
            sender=MARKET,
            number="呼市监发〔2026〕5号",
            reason="附件有误，重新印发。",
            replaced_by="呼市监发〔2026〕6号",
        )
    )
    invitation = "呼审批函〔2026〕2号"
    teller.tell(
        SendCircular(
            department=APPROVAL,
            kind="meeting",
            number=invitation,
            title="审管衔接会商",
            body="请派员参加。",
            main=(MARKET, EMERGENCY),
            meets_at=BEGIN + timedelta(days=8),
            venue="政务服务中心三楼会议室",
            reply_by=TODAY + timedelta(days=4),
        )
    )
    coming = (officer("1103", "高娃"),)
    teller.tell(
        AnswerInvitation(department=MARKET, sender=APPROVAL, number=invitation, attending=True, attendees=coming)
    )
    teller.tell(
        SendCircular(
            department=REGION,
            kind="guidance",
            number="内市监指〔2026〕1号",
            title="食品经营许可审查指导意见",
            body="请结合实际执行。",
            main=(MARKET,),
            copies=(APPROVAL,),
            concerns=(MATTER,),
        )
    )


def consultations(teller: Teller) -> None:
    thread: dict[str, Any] = {"asker": APPROVAL, "number": "SX-2026-01"}
    teller.tell(
        AskConsultation(
            department=APPROVAL,
            number="SX-2026-01",
            to=REGION,
            question="连锁门店能否共用一份平面图？",
            case_organ=APPROVAL,
            case_number=CASE,
            reply_by=TODAY + timedelta(days=7),
        )
    )
    teller.tell(AnswerConsultation(department=REGION, **thread, answer="不能，各门店分别提交。"))
    teller.tell(AskAgain(department=APPROVAL, **thread, question="布局相同的门店可否简化？"))
    teller.tell(AnswerConsultation(department=REGION, **thread, answer="可以承诺方式简化。"))
    teller.tell(CloseConsultation(department=APPROVAL, **thread))

"""What becomes of cases in the story: tasks, penalties, remedies, and a department whose duties go to another."""

from __future__ import annotations

from datetime import date
from typing import Any

from domain import system
from domain.cases import RemedyOutcome
from domain.decisions import AcceptCase, CaseName, DecideCase
from domain.matters import RouteMatter, Supervisor
from domain.notices import NoticeOwed
from domain.party import Party
from domain.penalties import ImposePenalty, LiftPenalty
from domain.permits import CancelCase
from domain.personal import Person
from domain.ratings import AppealRating, ContactRating, DecideAppeal, RecordRating, RectifyRating, RevisitRating
from domain.remedies import RecordRemedy
from domain.subscriptions import StartSubscription, subscription_stream
from domain.succession import SucceedDepartment, succession_stream
from domain.tasks import CompleteTask, DropTask, OpenTask, Work
from infra.teller import (
    APPROVAL,
    BEGIN,
    CASE,
    EMERGENCY,
    HEALTH,
    JUSTICE,
    MARKET,
    MATTER,
    OFFICE,
    PARTY_USCC,
    PLATFORM,
    RESIDENT,
    TODAY,
    Teller,
    officer,
)


def accepted(teller: Teller, number: str, anew_of: CaseName | None = None) -> None:
    person = Person(name="王志强", id_type="身份证", id_number=RESIDENT)
    teller.tell(
        AcceptCase(
            department=APPROVAL,
            officer=officer("0012", "乌兰"),
            organ=APPROVAL,
            number=number,
            matter=MATTER,
            party=Party(kind="法人及非法人组织", name="内蒙古草原牧业有限公司", uscc=PARTY_USCC, representative=person),
            accepted_on=TODAY if anew_of else date(2026, 2, 24),
            anew_of=anew_of,
        )
    )


def granted(teller: Teller, number: str, document: str, valid_to: date = date(2031, 2, 26)) -> str:
    """A case, accepted and granted; returns the decision's `source/id`."""
    accepted(teller, number)
    return teller.tell(
        DecideCase(
            department=APPROVAL,
            officer=officer("0007", "巴特尔"),
            organ=APPROVAL,
            number=number,
            outcome="granted",
            document_number=document,
            decided_on=date(2026, 2, 27),
            valid_from=date(2026, 2, 27),
            valid_to=valid_to,
            content="准予食品经营许可：热食类食品制售。",
        )
    )


def penalties(teller: Teller) -> None:
    number = "2026030200040"
    granted(teller, number, "呼审批许字〔2026〕40号")
    of_case: dict[str, Any] = {"department": MARKET, "organ": APPROVAL, "number": number, "on": TODAY}
    suspension = {**of_case, "penalty": "CF-2026-01", "document_number": "呼市监罚字〔2026〕1号"}
    teller.tell(ImposePenalty(**suspension, measure="permit_suspension", reason="超范围经营，暂扣许可证。"))
    lifting = "呼市监解字〔2026〕1号"
    teller.tell(LiftPenalty(**{**suspension, "document_number": lifting}, reason="已整改。"))
    teller.tell(
        ImposePenalty(
            **of_case,
            penalty="CF-2026-02",
            document_number="呼市监罚字〔2026〕2号",
            measure="permit_revocation",
            reason="情节严重，吊销许可证。",
        )
    )
    teller.tell(
        CancelCase(
            department=APPROVAL,
            organ=APPROVAL,
            number=number,
            document_number="呼审批注销字〔2026〕40号",
            on=TODAY,
            reason="许可证已被吊销，依法注销。",
        )
    )


def remedies(teller: Teller) -> None:
    number = "2026030200041"
    granted(teller, number, "呼审批许字〔2026〕41号")
    remedies: tuple[tuple[RemedyOutcome, str, str], ...] = (
        ("stop_execution", "呼政复停〔2026〕1号", "复议期间停止执行。"),
        ("anew", "呼政复决〔2026〕1号", "撤销原许可决定，责令重新作出。"),
    )
    for outcome, document, content in remedies:
        teller.tell(
            RecordRemedy(
                department=JUSTICE,
                organ=APPROVAL,
                number=number,
                procedure="reconsideration",
                outcome=outcome,
                document_number=document,
                on=TODAY,
                content=content,
            )
        )
    accepted(teller, "2026030200042", anew_of=CaseName(organ=APPROVAL, number=number))


def ratings(teller: Teller) -> None:
    one: dict[str, Any] = {"organ": APPROVAL, "number": CASE, "service": "decision"}
    teller.tell(
        RecordRating(
            department=PLATFORM,
            **one,
            level=2,
            tags="办理时限、服务态度",
            comment="窗口来回跑了三趟。",
            rated_at=BEGIN,
        ),
        CASE,
    )
    clerk = officer("0012", "乌兰")
    of_rated: dict[str, Any] = {"department": APPROVAL, "officer": clerk, **one}
    contact = ContactRating(**of_rated, contacted_at=teller.now, finding="confirmed", detail="已电话致歉，情况属实。")
    teller.tell(contact, CASE)
    teller.tell(RectifyRating(**of_rated, on=TODAY, measures="补正事项改为一次性书面告知。"), CASE)
    teller.tell(RevisitRating(**{**one, "department": PLATFORM}, on=TODAY, satisfied=True, detail="表示满意。"), CASE)
    counter: dict[str, Any] = {"organ": APPROVAL, "number": "A03-0017", "service": "counter"}
    teller.tell(RecordRating(department=PLATFORM, **counter, level=1, window="A03", rated_at=BEGIN))
    teller.tell(AppealRating(department=APPROVAL, officer=clerk, **counter, reason="评价人办理的是 A05 窗口业务。"))
    teller.tell(DecideAppeal(department=PLATFORM, **counter, outcome="excluded", reason="经核实属误评。"))


def tasks(teller: Teller) -> None:
    number = "2026030200030"
    of_case: dict[str, Any] = {"department": APPROVAL, "organ": APPROVAL, "number": number}
    accepted(teller, number)
    works: tuple[tuple[str, Work], ...] = (("KY-01", "survey"), ("KY-02", "survey"), ("BQ-01", "papers"))
    for task, work in works:
        teller.tell(OpenTask(**of_case, task=task, work=work, opened_on=TODAY, due_on=date(2026, 3, 12)))
    teller.tell(
        CompleteTask(
            **{**of_case, "department": MARKET},
            task="KY-01",
            began_at=BEGIN,
            ended_at=teller.now,
            result="passed",
            conclusion="现场与申报一致。",
            signers=(officer("1103", "高娃"), officer("1104", "布和")),
        )
    )
    teller.tell(DropTask(**of_case, task="KY-02", on=TODAY, reason="重复提出。"))
    teller.tell(
        DecideCase(
            **of_case,
            officer=officer("0007", "巴特尔"),
            outcome="granted",
            document_number="呼审批许字〔2026〕30号",
            decided_on=TODAY,
            valid_from=TODAY,
            valid_to=date(2031, 3, 1),
            content="容缺准予食品经营许可，租赁合同十日内补齐。",
            manner="lacking",
            window="A01",
        )
    )


def succession(teller: Teller) -> None:
    """The emergency bureau supervises too, and subscribes; then the health commission's duties go to it."""
    world, now = teller.world, teller.now
    teller.tell(
        RouteMatter(
            department=OFFICE,
            matter=MATTER,
            valid_from=TODAY,
            basis="呼政发〔2026〕7号",
            supervisors=(
                Supervisor(department=MARKET),
                Supervisor(department=HEALTH),
                Supervisor(department=EMERGENCY),
            ),
        )
    )
    subscription = StartSubscription(
        department=EMERGENCY, number="DY-2026-01", matters=(MATTER,), backfill_from=date(2025, 1, 1)
    )
    teller.tell(subscription, "DY-2026-01")
    stream = subscription_stream(EMERGENCY, "DY-2026-01")
    world.append(system.subscriber_joined(world, stream, f"case/{APPROVAL}/{CASE}", now))
    world.append(system.subscription_backfilled(world, stream, 1, (MATTER, None, None), 1, True, now))
    basis = "呼党办发〔2026〕5号"
    teller.tell(SucceedDepartment(department=OFFICE, old=HEALTH, to=EMERGENCY, valid_from=TODAY, basis=basis))
    ledger = [e for e in world.pending if isinstance(e, NoticeOwed) and e.addressee == HEALTH]
    for owed in ledger:
        world.append(system.notice_passed(world, owed.notice, now))
    world.append(system.succession_advanced(world, HEALTH, succession_stream(HEALTH, 1), ledger[-1].serial, now))

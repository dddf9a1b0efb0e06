"""What the dated lists hold when the year begins: power and supervision lists in part, guides, plans, work, seals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from domain.jose import exactly
from domain.note_keys import KeyKind, VerifierKey
from infra.generator import names
from infra.generator.arrival import Arrival
from infra.generator.clerk import Clerk
from infra.generator.offices import HIGHER, HIGHER_PRINCIPAL, REFORM_OFFICE
from infra.generator.registry import WINDOW, Item
from infra.generator.signers import SIGNING_BASIS

if TYPE_CHECKING:
    from infra.generator.full_registry import FullRegistry

SINCE: Final = "2024-12-02"
REFORM: Final = "内政办发〔2020〕9号"
"""The document on which the reform rests."""
REPEALED: Final = "内政办发〔2015〕30号"
"""One that was repealed before the year."""
WORKS: Final = {
    "survey": "competent",
    "technical_review": "approval",
    "expert_review": "competent",
    "papers": "approval",
    "commitment": "both",
}
"""Associated work that the cases of a matter may need, and who carries it out."""
GIVEN_UP: Final = "testing"
"""Was on record as well, and was struck before the year."""
_ONE_IN: Final = 6
"""So many matters stand in the lists, and as many have a guide: enough to ask about."""
_DEFERRED, _PROPOSED, _KEPT = "护士执业注册", "公路超限运输许可", "烟草专卖零售许可"
_RESTAURANT: Final = ("食品经营许可", "公共场所卫生许可", "设置大型户外广告审批")
_PUBLIC_KEY: Final = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
"""Of RFC 8037's examples: nobody's."""


def seal(league: names.League) -> str:
    """The code of the approval seal."""
    return f"{league.code}-SP-XZSP"


def old_seal(league: names.League) -> str:
    """The code of the one before, whose certificate has expired."""
    return f"{league.code}-SP-XZSP-2019"


def mark(league: names.League) -> str:
    """机关代字 of the approval department's letters."""
    return f"{league.name[:-1]}审批函"


def entries(registry: FullRegistry, clerk: Clerk) -> Iterator[Arrival]:
    """Of every league; what is about a matter has its code as key, so that it comes after the matter's transfer."""
    yield from _of_the_region(clerk)
    yield from _documents(clerk)
    for league in names.LEAGUES:
        for at, item in enumerate(registry.items[league.code]):
            if not item.classified:
                yield from _of_matter(clerk, item, at)
        yield from _of_league(registry, clerk, league)
    # Who wants to may sign; nobody need until the year is over.
    entry = {"kind": "signing", "principal": HIGHER_PRINCIPAL}
    said = {"entry": entry, "valid_from": "2099-01-01", "basis": SIGNING_BASIS}
    yield clerk.reform("signing", "register.enter", **said)
    # Nor can it say by which keys a store that is yet to be will sign.
    log = "shenguan/150000"
    verifier = VerifierKey(log, KeyKind.ED25519, exactly(_PUBLIC_KEY)).text
    store = {"store": "150000", "name": "内蒙古自治区", "log": log, "keys": [verifier], "since": SINCE}
    said = {"entry": {"kind": "stores", "stores": [store]}, "valid_from": "2099-01-01", "basis": SIGNING_BASIS}
    yield clerk.reform("stores", "register.enter", **said)
    # The year lies back: all of it would be recorded late.
    threshold = {"kind": "risk_threshold", "signal": "late", "value": 3650}
    yield _entered(clerk, "late", "内蒙古自治区廉政风险防控办法", **threshold)


def _documents(clerk: Clerk) -> Iterator[Arrival]:
    """What the reform rests on, and what that replaced."""
    said = {"kind": "document", "issuer": "内蒙古自治区人民政府办公厅"}
    title = "关于深化相对集中行政许可权改革的通知"
    entry = {"code": "NZBF-2020-9", "number": REFORM, "title": title, "issued_on": "2020-04-30"}
    yield _entered(clerk, "NZBF-2020-9", "自治区行政规范性文件目录", **said, **entry)
    entry = {"code": "NZBF-2015-30", "number": REPEALED, "title": "关于规范行政审批的通知", "issued_on": "2015-05-18"}
    yield _entered(clerk, "NZBF-2015-30", "自治区行政规范性文件目录", **said, **entry)
    yield _struck(clerk, "NZBF-2015-30", "document", "NZBF-2015-30", "自治区行政规范性文件清理结果")


def _of_matter(clerk: Clerk, item: Item, at: int) -> Iterator[Arrival]:
    if at % _ONE_IN == 0:
        yield _power_item(clerk, item)
        if item.transferred:
            yield _supervision_item(clerk, item)
    if at % _ONE_IN == 1 and item.transferred:
        yield _guide(clerk, item)
    if not item.transferred:
        yield from _plan(clerk, item)
        yield _placement(clerk, item)
    if item.trait == "flagged":
        basis = f"{item.league.name}审管衔接实施细则"
        said = {"clock": "receive", "matter": item.code, "days": 3, "deemed_after": 10}
        yield _entered(clerk, item.code, basis, kind="time_limit", **said)
    if item.trait == "surveyed":
        yield _work(clerk, item, "survey", "both", required=True)
    if item.trait == "worked":
        for work, party in WORKS.items():
            yield _work(clerk, item, work, party)
        yield _work(clerk, item, GIVEN_UP, "competent")
        yield _struck(clerk, item.code, "work_capability", f"{item.code}.{GIVEN_UP}", "检验检测改由申请人自行委托")


def _entered(clerk: Clerk, key: str, basis: str, **entry: Any) -> Arrival:
    return clerk.reform(key, "register.enter", entry=entry, valid_from=SINCE, basis=basis)


def _struck(clerk: Clerk, key: str, kind: str, entry: str, basis: str) -> Arrival:
    """From the day after on."""
    return clerk.reform(key, "register.strike", kind=kind, key=entry, valid_from="2024-12-03", basis=basis)


def _list_item(item: Item) -> dict[str, Any]:
    said = {"matter": item.code, "name": item.kind.name, "legal_basis": item.kind.basis}
    return {**said, "published_on": SINCE}


def _power_item(clerk: Clerk, item: Item) -> Arrival:
    basis = f"{item.league.name}权力清单（2024年版）"
    duties = ["受理责任", "审查责任", "决定责任", "送达责任"]
    return _entered(clerk, item.code, basis, kind="power_item", organ=item.organ, duties=duties, **_list_item(item))


def _supervision_item(clerk: Clerk, item: Item) -> Arrival:
    basis = f"{item.league.name}监管事项清单（2024年版）"
    duties = ["日常检查", "专项检查", "投诉举报核查"]
    lead = item.supervisors[0]
    code = f"JG{item.code[-12:]}-{lead}"
    said = {**_list_item(item), "name": f"对{item.kind.name}的监管", "item": code}
    return _entered(clerk, item.code, basis, kind="supervision_item", organ=lead, duties=duties, **said)


def _guide(clerk: Clerk, item: Item) -> Arrival:
    days = 5 + int(item.code[-6:-3]) % 3 * 5 + (3 if item.league.sign == "阿" else 0)
    return _entered(
        clerk,
        item.code,
        f"{item.league.name}政务服务事项标准化工作方案",
        kind="guide",
        matter=item.code,
        elements=["申请书", "主体资格证明", "符合法定条件的材料"],
        steps=["申请", "受理", "审查", "决定", "颁证"],
        promised_days=days,
    )


def _plan(clerk: Clerk, item: Item) -> Iterator[Arrival]:
    basis = f"{item.league.name}第二批划转事项论证意见"
    match item.kind.name:
        case name if name == _DEFERRED:
            said = {"reason": "国家信息系统尚未开放权限", "review_on": "2035-06-30"}
            yield _entered(clerk, item.code, basis, kind="deferral", matter=item.code, **said)
        case name if name == _PROPOSED:
            yield _entered(clerk, item.code, basis, kind="proposal", matter=item.code, batch="2025-2")
        case name if name == _KEPT:
            yield _entered(clerk, item.code, basis, kind="proposal", matter=item.code, batch="2025-1")
            yield _struck(clerk, item.code, "proposal", item.code, "垂直管理部门事项不列入划转")


def _placement(clerk: Clerk, item: Item) -> Arrival:
    windows = [WINDOW, "A04"] if item.trait == "placed" else []
    return _entered(
        clerk,
        item.code,
        f"{item.league.name}三集中三到位实施方案",
        kind="placement",
        matter=item.code,
        organ=item.organ,
        section="行政审批科",
        in_hall=True,
        windows=windows,
        online=True,
        monitored=bool(windows),
    )


def _work(clerk: Clerk, item: Item, work: str, party: str, required: bool = False) -> Arrival:
    basis = f"{item.league.name}关联业务责任清单"
    said = {"matter": item.code, "work": work, "party": party, "required": required}
    return _entered(clerk, item.code, basis, kind="work_capability", **said)


def _of_the_region(clerk: Clerk) -> Iterator[Arrival]:
    """A limit as the default has it, with a document of its own, and a year that no calendar knows yet."""
    basis = "内蒙古自治区审管衔接工作规程"
    yield _entered(clerk, "return", basis, kind="time_limit", clock="return", days=2)
    yield _entered(clerk, "2035", basis, kind="calendar", year=2035, off=["2035-01-01"], worked=[])


def _of_league(registry: FullRegistry, clerk: Clerk, league: names.League) -> Iterator[Arrival]:
    approval = f"{league.code}-SP"
    found = {item.kind.name: item.code for item in registry.items[league.code]}
    bundle = f"{league.code}-JC01"
    yield _entered(
        clerk,
        bundle,
        "内蒙古自治区“办成一件事”改革方案",
        kind="bundle",
        code=bundle,
        name="我要开餐饮店",
        lead=approval,
        matters=[found[name] for name in _RESTAURANT],
    )
    yield from _organisation(clerk, league, approval)
    for code, since, until in (
        (old_seal(league), "2019-12-01", "2024-11-30"),
        (seal(league), "2024-01-01", "2029-12-31"),
    ):
        yield _entered(
            clerk,
            code,
            "内蒙古自治区电子印章管理办法",
            kind="seal",
            code=code,
            name=f"{registry.departments[approval].name}行政审批专用章",
            seal_kind="special_seal",
            owners=[approval],
            certificate_serial=registry.certificates[code],
            certificate_from=since,
            certificate_to=until,
        )
    yield _entered(
        clerk,
        approval,
        f"{league.name}党政机关公文处理办法",
        kind="letterhead",
        organ=approval,
        mark=mark(league),
        address=f"{league.name}政务服务中心",
        phone="0471-0000000",
    )
    yield from _accesses(clerk, approval)


def _organisation(clerk: Clerk, league: names.League, approval: str) -> Iterator[Arrival]:
    """An innovation, how the hall is staffed, and a task of the reform with its cost line."""
    code, market = f"{league.code}-YYYZ", f"{league.code}-SCJG"
    innovation = {"code": code, "name": "一业一证", "department": approval, "description": "一次申请、一证准营"}
    yield _entered(clerk, code, f"根据{REFORM}", kind="innovation", document=REFORM, **innovation)
    code = f"{league.code}-PZ"
    relation = {"code": code, "relation": "stationed", "from_department": market, "to_department": approval}
    yield _entered(clerk, code, f"根据{REFORM}", kind="relation", description="派驻窗口工作人员", **relation)
    duty = evaluation(league, approval)
    yield _entered(clerk, duty["code"], "改革任务台账", **duty)


def evaluation(league: names.League, approval: str) -> dict[str, Any]:
    """专家评审 as a task of the reform, paid from the league's own budget."""
    return {
        "kind": "duty",
        "code": f"{league.code}-ZJPS",
        "name": "建立专家评审制度",
        "responsible": approval,
        "overseer": REFORM_OFFICE,
        "due_on": "2035-06-30",
        "cost_item": "expert_evaluation",
        "budget": "league",
        "amount": 300_000,
    }


def _accesses(clerk: Clerk, approval: str) -> Iterator[Arrival]:
    """上级系统权限: the higher authority grants, and takes one back."""
    for system, name in (("YTH", "一体化政务服务平台审批端"), ("ZJ-OLD", "原住建审批系统")):
        entry = {"kind": "system_access", "system": system, "name": name, "granted_by": HIGHER, "granted_to": approval}
        said = {"department": HIGHER, "entry": entry, "valid_from": SINCE, "basis": "自治区系统权限开通单"}
        yield clerk.hand_in(HIGHER_PRINCIPAL, approval, "register.enter", said)
    taken = {"kind": "system_access", "key": f"{approval}.ZJ-OLD", "valid_from": "2024-12-03", "basis": "系统停用通知"}
    yield clerk.hand_in(HIGHER_PRINCIPAL, approval, "register.strike", {"department": HIGHER, **taken})

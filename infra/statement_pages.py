"""What a statement 对账函 says on paper; made of the statement alone."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from adapters.formats.letter_form import spoken
from adapters.formats.statement_pdf import StatementPage, statement_pdf
from domain.checkpoints import Checkpoint, parse_checkpoint
from domain.identifiers import REGIONS
from domain.log_proofs import LedgerProof
from domain.notes import parse_note
from domain.statements import INSTANT, Item, Raised, Statement
from domain.store_list_proofs import read_list
from domain.submissions import local_date
from infra.words import WORDS
from projections.rates import DISPOSED, IN_TIME, RECEIVED, RETURNED, Rate

HOW: Final = (
    "核对方法：取得本函的数据文件（JSON）和日志公钥，以 shenguan statement check 核对签名、增长、编号簿与逐件散列；"
    "加 --kept 并附所存告知，即逐号比对有无缺漏。不需数据库，也不需信任本库。左侧二维码是本期检查点全文，已签名。"
)
_REGION: Final = {"150000": "内蒙古自治区", **REGIONS}


def pdf_of(statement: Statement) -> bytes:
    """The same statement gives the same bytes."""
    return statement_pdf(page_of(statement))


def page_of(statement: Statement) -> StatementPage:
    year, month = statement.month.split("-")
    said = f"{year}年{int(month)}月"
    return StatementPage(
        organ=f"{organ_of(statement.store)}双向告知信息库",
        number=f"对账 {statement.store}-{statement.month}",
        title=f"关于核对{said}告知事项的函",
        addressee=statement.name,
        body=_body(statement, said),
        issued_on=local_date(statement.as_at + INSTANT),
        made_at=statement.as_at,
        figures=_figures(statement),
        notices=tuple(_row(one, statement.since.year) for one in statement.items),
        feedback=tuple(_finding(one, statement.since.year) for one in statement.feedback),
        proof=_proof(statement),
        code=statement.second.checkpoint,
        how=HOW,
    )


def organ_of(store: str) -> str:
    """For whom a store speaks."""
    return _REGION.get(store, store)


def _body(statement: Statement, month: str) -> tuple[str, ...]:
    known, count = statement.totals, len(statement.items)
    first, last = statement.serials
    until = f"{spoken(statement.ended)}24时" if statement.over else f"{statement.as_at:%Y年%-m月%-d日%-H时%M分}"
    running = "" if statement.over else f"（未满月，截至{until}）"
    if not count:
        what = f"{month}{running}本库没有告知你单位的事项，已由检查点证明。"
    else:
        what = (
            f"{month}{running}本库告知你单位的事项共{count}项，编号{first}至{last}，无缺无重，此外再无其他。"
            f"截至{until}所知，已签收{known.received}项，视为接收{known.deemed}项，已移交{known.moved}项，"
            f"未签收{known.outstanding}项，逐项见附件1。"
        )
    later = (
        f"另有{statement.carried}项于期末前记录、尚未列入本期检查点，载于下一期对账函。" if statement.carried else ""
    )
    ask = "请你单位与所存告知逐号核对，凭据见附件。编号有缺、内容不符或者未曾收到的，请即告知我单位。"
    return (what + later, ask, "特此函告。")


def _figures(statement: Statement) -> tuple[tuple[str, str], ...]:
    known = statement.totals
    counts = known.model_dump()

    def rate(one: Rate) -> tuple[str, str]:
        found = one.of(counts)
        return one.zh, "—" if found is None else f"{found:.1%} {counts[one.part]}/{counts[one.whole]}"

    return (
        ("应告知", str(known.owed)),
        ("已送达", str(known.delivered)),
        ("退回", str(known.returned)),
        ("已签收", str(known.received)),
        ("视为接收", str(known.deemed)),
        ("已移交", str(known.moved)),
        ("未签收", str(known.outstanding)),
        ("反馈", str(known.feedback_raised)),
        ("已处理反馈", str(known.feedback_disposed)),
        rate(RECEIVED),
        rate(IN_TIME),
        rate(RETURNED),
        *([rate(DISPOSED)] if known.feedback_raised else []),
    )


def _row(item: Item, year: int) -> tuple[str, ...]:
    result = WORDS[item.status][0]
    ended = {"received": item.received_at, "deemed": item.deemed_at, "moved": item.moved_at}.get(item.status)
    if item.moved_to is not None and item.status == "moved":
        result += f" {item.moved_to.partition('/')[0]}"
    return (
        str(item.serial),
        WORDS[item.about][0],
        item.matter_name,
        item.case,
        _time(item.owed_at, year),
        _time(item.delivered_at, year),
        f"{result}\n{_time(ended, year)}".rstrip()
        if item.status != "outstanding"
        else _outstanding(item.due_on, result),
        "" if item.lamp is None else "中止" if item.lamp == "paused" else _lamp(item.lamp),
    )


def _outstanding(due: date | None, result: str) -> str:
    return result if due is None else f"{result}\n期限 {due:%m-%d}"


def _lamp(shown: str) -> str:
    return "—" if shown == "unknown" else WORDS[shown][0]


def _finding(one: Raised, year: int) -> tuple[str, ...]:
    answer = WORDS[one.outcome][0] if one.outcome is not None else WORDS[one.status][0]
    return one.number, one.case, one.matter_name, _time(one.raised_at, year), answer, _time(one.disposed_at, year)


def _time(at: datetime | None, year: int) -> str:
    """Without the year where it is the statement's."""
    return "" if at is None else f"{at:%m-%d %H:%M}" if at.year == year else f"{at:%Y-%m-%d %H:%M}"


def _proof(statement: Statement) -> tuple[tuple[str, str], ...]:
    first, last = statement.serials
    return (
        ("日志", statement.origin),
        ("期间", f"{statement.since:%Y-%m-%d %H:%M} 至 {statement.until:%Y-%m-%d %H:%M}（北京时间）"),
        ("编号", f"{first}—{last}，共{len(statement.items)}项" if statement.items else "无"),
        *_side("前一检查点", statement.first),
        *_side("本期检查点", statement.second),
        *_stores(statement),
    )


def _side(name: str, proof: LedgerProof | None) -> tuple[tuple[str, str], ...]:
    if proof is None:
        return ((name, "无：本期之前没有检查点"),)
    checkpoint = _checkpoint(proof)
    size, *root = checkpoint.text.split("\n")[1:3]
    ledger = proof.ledger
    told = "没有编号簿：未曾告知" if ledger is None else f"{ledger.size}项，根\n{ledger.root}"
    return ((name, f"日志{size}项，根\n{root[0]}"), ("　其中你单位编号簿", told))


def _stores(statement: Statement) -> tuple[tuple[str, str], ...]:
    """For which store it speaks, and which others there are."""
    if statement.stores is None:
        return ()
    stores, since = read_list(statement.stores)
    first, last = local_date(statement.since), local_date(statement.until - INSTANT)
    others = [
        f"{one.name}（{one.store}）"
        for one in stores.stores
        if one.store != statement.store and one.worked(first, last)
    ]
    own = stores.find(statement.store)
    if own is None or own.log != statement.origin:
        return (("信息库清单", f"自{since}起的清单，其中没有本库（{statement.store}）"),)
    told = f"另有{'、'.join(others)}，各自出函" if others else "别无他库"
    return (("信息库清单", f"自{since}起的清单：本函只说本库（{statement.store}）；{told}"),)


def _checkpoint(proof: LedgerProof) -> Checkpoint:
    """As it is printed; whoever checks opens it by the keys."""
    return parse_checkpoint(parse_note(proof.checkpoint.encode()).text)

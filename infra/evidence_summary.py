"""What an evidence bundle says of its case for people: read out of its events, as JSON and as a PDF."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from adapters.formats.evidence_pdf import EvidencePage, Section, evidence_pdf
from adapters.postgres.checkpoints import Made
from domain.armour import armoured
from domain.case_state import CaseState
from domain.cases import CaseAccepted, case_stream
from domain.event import Recorded
from domain.licences import licence_status
from domain.notices import NoticeOwed, NoticeReceived, notice_stream
from domain.registers import Registers
from domain.submissions import local_date
from infra.evidence_verifier import HIDDEN
from infra.plain import Plain
from infra.replay import fold, replay_case
from infra.words import WORDS
from projections.working_days import CHINA

NOTES: Final = (
    "说明：本摘要由同一证据包内的事件归纳而成，便于阅读；其文字本身不受证明。有出入时，以核验程序列出的事件为准。",
    "核验：在装有 Python 3.11 以上版本与 cryptography 的计算机上，不联网即可运行 "
    "python verify.py 证据包.zip --keys 公钥文件。"
    "公钥文件与核验程序应自可信处取得，不宜只凭证据包自带的。",
    "所证明的：所列事件在该检查点之前已记入日志，内容、次序、记录时间未经更改；签名与签收系所登记的公钥所作。"
    "不证明的：此后没有其他事件；告知没有遗漏（须另由部门编号簿的证明）；所提交的内容属实。",
)


class Disclosed(Plain):
    """Personal values as a bundle may show them: hidden, or by their openings; what has none was erased."""

    def __init__(self, openings: Mapping[str, str], *, withheld: bool) -> None:
        self.withheld = withheld
        super().__init__(lambda sealed: HIDDEN if withheld else openings.get(sealed.commitment), reveal=True)


class Material(NamedTuple):
    """A case's events by a checkpoint, with the register events that applied, and the registers as they then were."""

    organ: str
    number: str
    made: Made
    origin: str
    case: list[Recorded]
    registers: list[Recorded]
    known: Registers


def reading(material: Material, shown: Disclosed) -> dict[str, Any]:
    """The state that the case's events come to, who was told of it, and what supervisors found."""
    replayed = replay_case(material.case, material.organ, material.number, None)
    accepted = next((one.event for one in material.case if isinstance(one.event, CaseAccepted)), None)
    matter = material.known.matters.get(str(replayed.state["matter"])) if replayed is not None else None
    found: Any = shown(
        {
            "organ": material.organ,
            "organ_name": _name(material, material.organ),
            "number": material.number,
            "matter_name": matter.entry.name if matter is not None else None,
            "party_kind": accepted.party.kind if accepted is not None else None,
            "party_name": accepted.party.name if accepted is not None else None,
            **(replayed.state if replayed is not None else {}),
            "licence": _licence(material),
            "notices": _notices(material),
            "feedback": replayed.feedback if replayed is not None else [],
        }
    )
    return dict(found)


def summary_pdf(material: Material, shown: Disclosed) -> bytes:
    """The same case by the same checkpoint, with the same values shown, is the same file."""
    said = reading(material, shown)
    made = material.made
    facts = [
        ("办件号", material.number),
        ("审批部门", _both(said["organ_name"], material.organ)),
        ("事项", _both(said["matter_name"], said.get("matter"))),
        ("相对人", _both(said["party_name"], said["party_kind"])),
        ("状态", _word(said.get("status"))),
        ("决定文号", " ".join(str(said.get(name) or "") for name in ("document_number", "decided_on")).strip()),
        ("有效期", _term(said.get("valid_from"), said.get("valid_to"))),
        ("证照", " ".join(filter(None, (said.get("licence_number"), _word(said["licence"]))))),
        ("个人信息", "已隐去，包内只有承诺" if shown.withheld else "已公开，逐项可与承诺核对"),
        ("日志", material.origin),
        ("检查点", f"事件{made.head.size}个，{_time(made.made_at)}签署，根{armoured(made.head.root)}"),
    ]
    sections = (
        Section("一、办件经过", _PROGRESS, [_step(material, one, shown) for one in material.case if _is_step(one)]),
        Section("二、告知与签收", _TOLD, [_told(one) for one in said["notices"]]),
        Section("三、监管反馈", _FEEDBACK, [_found(material, one) for one in said["feedback"]]),
        Section("四、当时适用的登记", _REGISTERS, [_register(material, one) for one in material.registers]),
    )
    return evidence_pdf(
        EvidencePage(
            subtitle=f"办件 {material.number}",
            author=_name(material, material.organ),
            facts=[(name, text) for name, text in facts if text],
            sections=[one for one in sections if one.rows],
            notes=NOTES,
            code=f"{material.origin}\n{made.head.size}\n{armoured(made.head.root)}\n",
            made_at=made.made_at,
        )
    )


_PROGRESS = (("记录时间", 41.0), ("事项", 28.0), ("部门", 37.0), ("经办人", 32.0), ("日志位置", 18.0))
_TOLD = (("编号", 12.0), ("部门", 36.0), ("内容", 26.0), ("应告知", 41.0), ("签收", 41.0))
_FEEDBACK = (("反馈号", 30.0), ("监管部门", 56.0), ("建议", 35.0), ("状态", 35.0))
_REGISTERS = (("记录时间", 41.0), ("登记", 30.0), ("对象", 44.0), ("自何日", 23.0), ("日志位置", 18.0))


def _step(material: Material, one: Recorded, shown: Disclosed) -> tuple[str, ...]:
    meta = one.event.meta
    officer = "" if meta.officer is None else f"{meta.officer.id} {shown(meta.officer.name)}"
    by = meta.department and _name(material, meta.department)
    return _time(one.recorded_at), _word(one.event.TOPIC), by or "本系统", officer, str(one.position)


def _told(row: Mapping[str, Any]) -> tuple[str, ...]:
    received = row["received_at"]
    if received is None:
        receipt = _word(row["status"])
    else:
        by = f" {row['received_by']} {row['received_by_name']}" if row["received_by"] else ""
        receipt = f"{received[:19].replace('T', ' ')}{by}{'（已签名）' if row['key'] else ''}"
    owed = row["owed_at"][:19].replace("T", " ")
    return str(row["serial"]), row["addressee_name"], _word(row["about"]), owed, receipt


def _found(material: Material, row: Mapping[str, Any]) -> tuple[str, ...]:
    return str(row["number"]), _name(material, row["department"]), _word(row["suggestion"]), _word(row["status"])


def _register(material: Material, one: Recorded) -> tuple[str, ...]:
    event = one.event
    kind, _, code = event.originator_id.partition("/")
    matter = material.known.matters.get(code) if kind == "matter" else None
    about = matter.entry.name if matter is not None else _name(material, code) if kind == "department" else None
    what = about or event.originator_id
    return _time(one.recorded_at), _word(event.TOPIC), what, event.effective_on or "", str(one.position)


def _notices(material: Material) -> list[dict[str, Any]]:
    """One row for each notice, in the order of their owing."""
    rows: dict[str, dict[str, Any]] = {}
    states = fold(material.case)
    for one in material.case:
        event = one.event
        if isinstance(event, NoticeOwed):
            state: Any = states[notice_stream(event.notice)]
            rows[notice_stream(event.notice)] = {
                "notice": event.notice,
                "addressee": event.addressee,
                "addressee_name": _name(material, event.addressee),
                "serial": event.serial,
                "about": event.about,
                "owed_at": one.recorded_at,
                "status": "moved" if state.moved else "received" if state.received else "outstanding",
                **dict.fromkeys(("received_at", "received_by", "received_by_name", "key")),
            }
        elif isinstance(event, NoticeReceived) and (row := rows.get(event.originator_id)) is not None:
            by = event.received_by
            row["received_at"] = event.received_at
            row["received_by"], row["received_by_name"] = (by.id, by.name) if by is not None else (None, None)
            row["key"] = event.receipt.key if event.receipt is not None else None
    return list(rows.values())


def _licence(material: Material) -> str | None:
    """As of the day of the checkpoint, so that it is the same whenever it is asked for."""
    state = fold(material.case).get(case_stream(material.organ, material.number))
    found = licence_status(state, local_date(material.made.made_at)) if isinstance(state, CaseState) else None
    return None if found is None else str(found)


def _is_step(one: Recorded) -> bool:
    """Notices have a table of their own."""
    return one.event.originator_id.partition("/")[0] not in ("ledger", "notice")


def _name(material: Material, code: str) -> str:
    entry = material.known.departments.get(code)
    return entry.name if entry is not None else code


def _term(since: object, until: object) -> str:
    if since and until:
        return f"{since}—{until}"
    return f"{since}起" if since else f"至{until}" if until else ""


def _both(name: Any, code: Any) -> str:
    return f"{name}（{code}）" if name and code and name != code else str(name or code or "")


def _word(code: Any) -> str:
    words = WORDS.get(str(code)) if code else None
    return words[0] if words is not None else str(code or "")


def _time(at: datetime | date) -> str:
    return at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S") if isinstance(at, datetime) else at.isoformat()

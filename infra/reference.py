"""The tables of submissions and rules: what code cannot say of itself stands here, the rest is read from the code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from domain.catalogue import PAYLOADS
from domain.notices import About, NoticeOwed
from domain.rules import RULES
from domain.submissions import full_type
from infra.deciders import Findings, findings
from infra.examples import Story
from infra.schemas import inlined, submission_schema
from infra.settings import Settings


@dataclass(frozen=True, slots=True)
class Facts:
    """Chinese name; who may hand it in; what one should know; whether its key is a case number."""

    zh: str
    who: str
    note: str = ""
    about_case: bool = True


_HOLDER: Final = "The department that holds the power over the matter on that date"
_REFORM: Final = "The reform office 审改部门"
_OPERATOR: Final = "The operator's principal 运维"
_SUPERVISOR: Final = "The supervisor 监管部门 to whom the notice is addressed"
_RATED: Final = "The rated department 被评价部门"
_ABOVE: Final = "The reform office or a higher authority, above those who are to do it"
_TOLD: Final = "Everyone who was told of the decision is told, received or not."

SUBMISSIONS: Final[dict[str, Facts]] = {
    "case.accept": Facts("受理", _HOLDER, "It begins the case; `organ` is the submitting department."),
    "case.decide": Facts(
        "许可决定",
        _HOLDER,
        "Every supervisor of the matter on that date is owed a notice, if the power was transferred. "
        "不予许可 is told only where the matter's entry says so; `legacy` stock owes nothing.",
    ),
    "case.issue_licence": Facts("颁证", _HOLDER, "Once per case."),
    "case.change": Facts("变更", _HOLDER, _TOLD),
    "case.extend": Facts("延续", _HOLDER, f"The new end must lie after the old one. {_TOLD}"),
    "case.withdraw": Facts("撤回", _HOLDER, f"Ends the permit. {_TOLD}"),
    "case.revoke": Facts("撤销", f"{_HOLDER}, or a higher authority 上级部门", f"Ends the permit. {_TOLD}"),
    "case.cancel": Facts("注销", _HOLDER, f"Ends the permit. {_TOLD}"),
    "case.correct": Facts(
        "更正",
        _HOLDER,
        "`old` must be what stands. Its notice is superseded by one of the correction. Where another day or "
        "matter brings other supervisors, those are told, and it is no longer for those before.",
    ),
    "penalty.impose": Facts(
        "处罚：吊销、暂扣",
        "A supervisor of the case, as for feedback",
        "吊销 ends the permit but for 注销, which the approving side owes; 暂扣 suspends it. The approving side and "
        "everyone who was told are told.",
    ),
    "penalty.lift": Facts("解除暂扣", "The supervisor that imposed it", "As for the penalty."),
    "remedy.record": Facts(
        "复议、诉讼结果",
        "A review organ 复议机关 or court",
        "Stop-execution is urgent and suspends the permit; whatever is found in the end lifts it. 撤销 ends the "
        "permit; 责令重作 asks for a case accepted with `anew_of`. The approving side is told, and everyone who was.",
    ),
    "seal.apply": Facts(
        "用印",
        f"{_HOLDER}; a registered seal also its other owners and those to whom it is delegated",
        "The approval seal suffices: a seal by anybody else is refused and recorded. Where the department keeps its "
        "seals in the register, one that is not there yet waits.",
    ),
    "seal.demand": Facts(
        "要求加盖印章", "Nobody: it is always refused, and recorded", "For systems that let people ask."
    ),
    "task.open": Facts(
        "提出关联业务任务",
        _HOLDER,
        "Who carries it out is on record (list `work_capability`); those beside the asking department are owed a "
        "notice. The case's clock stands still until it is done.",
    ),
    "task.complete": Facts(
        "完成关联业务任务", "A party to the task, each once", "The asking department is owed a notice."
    ),
    "task.drop": Facts("撤销关联业务任务", _HOLDER, "Those who had not done their part are owed a notice."),
    "opinion.issue": Facts(
        "出具书面意见",
        "The matter's competent department 主管部门, where its entry is flagged for the need",
        "It never changes what the permit is worth.",
    ),
    "review.submit": Facts("直接报送", _HOLDER, "The higher authority 上级部门 is owed a notice."),
    "review.return": Facts(
        "反馈审查结果", "The higher authority to which it was submitted", "The submitter is owed a notice.", False
    ),
    "review.forward": Facts(
        "转报", "Nobody: it is always refused, and recorded", "For systems that let people pass cases on."
    ),
    "circular.send": Facts(
        "发送通知、邀请",
        "A side 审批 or 监管 to the other, or a higher authority 上级部门 in its region; guidance only downwards",
        "Everybody in `main` 主送 and `copies` 抄送 is owed a notice, and signs for it by `notice.receive`. A circular "
        "from above that names a competent department and misses the approval department shows in "
        "`shenguan circulars --missing`.",
        False,
    ),
    "circular.answer": Facts(
        "答复邀请",
        "A department that was invited to a meeting or training",
        "Its last answer counts. The sender is owed a notice.",
        False,
    ),
    "circular.withdraw": Facts(
        "撤回通知", "Who sent it", "Everybody who was sent it is told; `replaced_by` must be sent already.", False
    ),
    "consultation.ask": Facts(
        "商询",
        "A department of another level, one of them in the other's region",
        "About a case, a matter or neither. Who is asked is owed a notice.",
        False,
    ),
    "consultation.answer": Facts("答复商询", "Who was asked", "Who asked is owed a notice.", False),
    "consultation.ask_again": Facts(
        "追问", "Who asked", "It is open again, and who was asked is owed a notice. Waits for the answer.", False
    ),
    "consultation.close": Facts(
        "商询办结", "Who asked", "Who was asked is owed a notice. Waits for the answer.", False
    ),
    "notice.receive": Facts("签收", "The department to which the notice is addressed", "Once per notice."),
    "notice.take": Facts("纳入监管", _SUPERVISOR, "Waits for 签收."),
    "notice.return": Facts(
        "退回",
        _SUPERVISOR,
        "The first return moves the notice to the proposed department; the next goes to the reform office, to rule.",
    ),
    "duty.rule": Facts("职责裁定", _REFORM, "`notice` is that of the dispute; the ruling moves it, for good."),
    "letter.issue": Facts(
        "发函",
        "An approval department, of its own cases and facts; the reform office 审改部门 of anybody's",
        "To a department whose `channels` name `letter`. It carries the notices listed, each of which is dispatched by "
        "it; the number 文号, gapless in a year, is given, and the code for the slip.",
        False,
    ),
    "letter.receive": Facts(
        "登记公函回执",
        "The organ that sent the letter, or its successor",
        "From the slip that the addressee signed: its signer receives the notices listed, or all of the letter's that "
        "are still open.",
        False,
    ),
    "feedback.raise": Facts(
        "监管反馈", "A supervisor that was told of the decision", "The approving department is owed a notice."
    ),
    "feedback.dispose": Facts(
        "反馈处理",
        "The approving department that was told of the feedback",
        "The supervisor is owed a notice. Once, and once more after each reply.",
    ),
    "feedback.reply": Facts(
        "反馈异议",
        "The supervisor that raised it",
        "It is not content: the feedback is open again, and the approving department is owed a notice. "
        "Waits for the disposition.",
    ),
    "feedback.close": Facts(
        "反馈办结",
        "The supervisor that raised it",
        "Nothing follows. The approving department is owed a notice. Waits for the disposition.",
    ),
    "clock.extend": Facts(
        "延期",
        _ABOVE,
        "`clock` is what has the time limit: a notice, a finding, a case, each by its stream; `days` are working days.",
        False,
    ),
    "clock.suspend": Facts("中止计时", _ABOVE, "Notices and findings; a case waits for its tasks only.", False),
    "clock.resume": Facts("恢复计时", _ABOVE, "Later by the working days that it stood still.", False),
    "inspection.report": Facts(
        "上报检查",
        "A supervisor that was told of the decision",
        "Upstream `cd_operation` `i`. It owes no notice: what it finds comes back as feedback.",
    ),
    "inspection.correct": Facts(
        "更正检查",
        "The supervisor that reported it",
        "Upstream `cd_operation` `u`: the whole record anew. It stays with its case. Waits for the report.",
    ),
    "inspection.retract": Facts(
        "撤回检查",
        "The supervisor that reported it",
        "Upstream `cd_operation` `d`. The number is used up: nothing follows under it. Waits for the report.",
    ),
    "rating.record": Facts(
        "好差评",
        "A platform 一体化政务服务平台, for departments its principal may act for",
        "Once for each service of a case 受理、办结、取件, or with a number of its own for one at a counter. `level` 1 "
        "is 非常不满意, 5 非常满意. Of a bad one, 1 or 2, the department is owed a notice. Waits for the case.",
    ),
    "rating.contact": Facts("差评联系核实", _RATED, "Waits for the rating."),
    "rating.rectify": Facts("差评整改", _RATED, "Waits for 联系核实."),
    "rating.revisit": Facts("差评回访", f"{_RATED}, or the platform", "Waits for 整改."),
    "rating.appeal": Facts("差评申诉", _RATED, "Once. The rating counts until it is excluded."),
    "rating.decide_appeal": Facts(
        "差评申诉处理",
        "The platform, a higher authority 上级部门 or the reform office 审改部门; never who was rated",
        "What is excluded stays on record and does not count. The department is owed a notice. Waits for the appeal.",
    ),
    "permit.report": Facts(
        "上报双公示许可记录",
        "A principal that may act for the organ to which the mapping leads; `department` is that organ or a platform",
        "Routed by `organ_uscc` and `certificate` (`kind` where there is no certificate). The case's number is the "
        "document's, without white space, `／` for `/`. Acceptance, decision and licence in one.",
    ),
    "subscription.start": Facts(
        "订阅",
        "A supervisor 监管部门 of every matter it names",
        "Notices are owed without it. With `backfill_from` the permits in force that were decided from then on, and of "
        "which it was not told, are told by notices of their own.",
        False,
    ),
    "department.succeed": Facts(
        "登记部门承接",
        _REFORM,
        "From a date on, `to` has the duties of `old`: over the matters named, or all that is left. Open notices pass "
        "to it.",
        False,
    ),
    "department.register": Facts("登记部门", _REFORM, "Writes the entry, or writes it anew.", False),
    "matter.register": Facts("登记事项", _REFORM, "Writes the entry, or writes it anew.", False),
    "matter.transfer": Facts("划转事项", _REFORM, "From a date on; names the supervisors.", False),
    "matter.return": Facts("收回事项", _REFORM, "From a date on the competent department has the power again.", False),
    "matter.route": Facts("调整监管部门", _REFORM, "Other supervisors from a date on.", False),
    "mapping.register": Facts("登记双公示对应关系", _REFORM, "Releases the records that wait for it.", False),
    "handover.draw": Facts(
        "开具交接单",
        "The former competent department 原主管部门 of the matters",
        "Itemised, with the note on who answers for what.",
        False,
    ),
    "handover.sign": Facts("签认交接", "Giver and taker, each once", "Complete when both have signed.", False),
    "register.enter": Facts(
        "登记清单项",
        _REFORM,
        "Into a list, from a date on: power list, supervision list, matters proposed or deferred, bundles, guides, "
        "associated work, where matters are handled, innovations and relations, tasks of the reform, policy documents, "
        "thresholds of risk signals, seals, letterheads, who must sign; "
        "the access to their systems that higher authorities 上级部门 grant, they enter themselves.",
        False,
    ),
    "register.strike": Facts("删除清单项", _REFORM, "From a date on; what stood before stays known.", False),
    "blanks.request": Facts("申领空白证照", "An approval department", "From a higher authority 上级部门.", False),
    "blanks.assist": Facts("协助申领", "A competent department 主管部门", "Waits for the request.", False),
    "blanks.receive": Facts(
        "收到空白证照", "Who asked for them", "Waits for the request; no number comes twice.", False
    ),
    "blanks.print": Facts("自行印制证照", "An approval department", "No number comes twice.", False),
    "blanks.use": Facts(
        "使用编号", "The department of the series", "Issued, spoiled or voided: each number once.", False
    ),
    "count.declare": Facts(
        "申报发送数量",
        "Any department, for its principal's own sources",
        "How many submissions of a source have a time on that day; `shenguan reconcile` holds it against what came.",
        False,
    ),
    "liaison.register": Facts("登记联络员", "Any department, for itself", "A deputy or a leaver likewise.", False),
    "principal.register": Facts("登记接入方", _OPERATOR, "For which departments a principal may act.", False),
    "key.register": Facts(
        "登记公钥",
        _OPERATOR,
        "With which a principal signs what it hands in ([signatures](signatures.md)), from a date on.",
        False,
    ),
    "key.strike": Facts(
        "停用公钥",
        _OPERATOR,
        "From a date on nothing more is taken that the key signs; what was taken before stands.",
        False,
    ),
    "deadletter.retry": Facts("重试死信", _OPERATOR, "Decided again verbatim, in its sender's name.", False),
}

ABOUT: Final[dict[About, tuple[str, str]]] = {
    "decision": ("许可决定", "A permit was granted (or not, where that is told)."),
    "change": ("变更", "A permit was changed."),
    "extension": ("延续", "A permit was extended."),
    "withdrawal": ("撤回", "A permit was withdrawn."),
    "revocation": ("撤销", "A permit was revoked."),
    "cancellation": ("注销", "A permit was cancelled."),
    "expiry": ("到期", "A permit's last day has gone by."),
    "reminder": ("催办", "What the addressee is to do is overdue. It need not be received by a day."),
    "escalation": ("督办", "For whoever is above, and for whom it is to press: what is overdue, and since when."),
    "correction": ("更正", "The decision was corrected; this notice replaces that of the decision."),
    "reassignment": ("移交", "Another department returned the notice and named the addressee."),
    "duty_dispute": ("职责争议", "For the reform office: a notice was returned twice and awaits its ruling."),
    "ruling": ("职责裁定", "The reform office ruled that it is the addressee's duty."),
    "feedback": ("监管反馈", "For the approving side: a supervisor's finding."),
    "disposition": ("反馈处理", "For the supervisor: what became of its finding."),
    "feedback_reply": ("反馈异议", "For the approving side: the supervisor is not content, dispose of it again."),
    "feedback_closed": ("反馈办结", "For the approving side: the supervisor is content, nothing follows."),
    "task": ("关联业务", "For a party: associated work that it must carry out for a case."),
    "task_result": ("关联业务结果", "For the approving side: what the work came to."),
    "task_dropped": ("关联业务撤销", "For a party: the work is no longer asked for."),
    "succession": ("机构承接", "The notice's addressee was succeeded by the one told now; it replaces that notice."),
    "backfill": ("补发", "For a new supervisor that subscribed: a permit in force from before its time."),
    "penalty": ("处罚", "The enforcing side revoked the permit 吊销, or suspended it 暂扣."),
    "penalty_lifted": ("解除暂扣", "A suspension was lifted."),
    "rating": ("差评", "For the rated department: a bad rating, to be contacted, put right and asked again."),
    "rating_appeal": ("差评申诉结果", "For the rated department: what became of its appeal."),
    "remedy": ("复议诉讼结果", "What a review organ or court found."),
    "stop_execution": ("停止执行（加急）", "Urgent: execution of the decision is stopped."),
    "review": ("直接报送", "For the higher authority: a case submitted for its review."),
    "review_result": ("审查结果", "For the submitter: what the review came to."),
    "circular": ("政策变化", "A circular: policy has changed. About no case."),
    "invitation": ("会议培训邀请", "An invitation to a meeting or training, to be answered. About no case."),
    "guidance": ("对下指导", "Guidance from a higher authority. About no case."),
    "circular_withdrawn": ("通知撤回", "A circular was withdrawn, by another or by none. About no case."),
    "invitation_answer": ("邀请答复", "For who invited: whether the addressee comes. About no case."),
    "consultation": ("商询", "For who is asked, by another level."),
    "consultation_answer": ("商询答复", "For who asked: the answer."),
    "consultation_again": ("商询追问", "For who is asked: the answer is not enough."),
    "consultation_closed": ("商询办结", "For who was asked: nothing follows."),
}

_WAITS: Final = {
    "principal/": "the principal's registration by the operator",
    "department/": "the department's registration",
    "matter/": "the matter's registration",
    "mapping/": "the mapping of the organ's records",
    "case/": "the case's acceptance, or its decision",
    "notice/": "the notice being owed, or its receipt",
    "feedback/": "the feedback itself, or its disposition",
    "inspection/": "the inspection's report",
    "letter/": "the letter being issued",
    "tasks/": "the task being opened",
    "circular/": "the circular being sent",
    "consultation/": "the consultation being asked for, or answered",
    "handover/": "the handover being drawn up",
    "rating/": "the rating itself, or the step before",
    "review/": "the review being submitted",
    "blanks/": "the blanks being asked for, or registered",
    "entry/": "the entry being made",
}
_INTRO: Final = """\
<!-- Generated by `shenguan schemas`. Do not edit. -->
# Submissions

What departments hand in: CloudEvents with JSON data, in the topic of their principal ([asyncapi.yaml](asyncapi.yaml)).
Each gets exactly one disposition:

| disposition | 中文 | when |
|---|---|---|
| accepted | 受理入账 | its events are in the log, with the notices they owe |
| refused | 拒绝 | well formed, but a rule forbids it; the attempt is a fact and is recorded ([rules.md](rules.md)) |
| duplicate | 重复 | the same `source` and `id` with the same content: counted, ignored |
| conflict | 冲突 | the same `source` and `id` with other content: quarantined, shown |
| parked | 暂存等待 | it came before what it needs; released by that in the same transaction |
| dead | 死信 | its content cannot be a fact; kept encrypted, with field, rule and what was found |
"""
_WAITING: Final = """
## What waits for what

A submission waits for the next event of one stream, then is decided again (and may wait again). After {days} days
(`SHENGUAN_PARKED_DAYS`) without one it becomes a dead letter by rule `parked.expired`; it can be retried. An unknown
principal, department or matter is nothing wrong: its registration may be on its way, so whatever names it waits. A
department without the role that is asked of it is refused (`mandate.role`); a matter that was transferred is refused to
its former holder (`power.transferred`). A submission of a type or shape that there is not is a dead letter at once.

| stream | is the wait for |
|---|---|
{streams}

| type | {heads} |
|---|{rules}|
{rows}
"""


def submissions(story: Story) -> str:
    """The page of submission types."""
    found = {type_: findings(type_) for type_ in SUBMISSIONS}
    lines = [_INTRO, _waiting(found), "## Types\n"]
    for type_, facts in SUBMISSIONS.items():
        lines.extend(_section(type_, facts, found[type_], story))
    return "\n".join(lines).rstrip() + "\n"


def rules() -> str:
    """The page of rules."""
    used: dict[str, list[str]] = {}
    for type_ in SUBMISSIONS:
        found = findings(type_)
        for code in (*found.refusals, *found.rejections):
            used.setdefault(code, []).append(type_)
    lines = [
        "<!-- Generated by `shenguan schemas`. Do not edit. -->",
        "# Rules",
        "",
        "By which a submission is refused (the attempt is recorded) or rejected (a dead letter). `clause` is the",
        "capability of the notice 内政办发〔2020〕9号 that the rule guards. Beside these, a dead letter may name",
        "a rule of a field's shape: of an identifier (`uscc.shape`, `resident.check`, …), of the envelope",
        "(`source.shape`, …), or of its type and limits (`string_pattern_mismatch`, `missing`, `extra_forbidden`, …).",
        "",
        "| rule | clause | 中文 | English | refuses or rejects |",
        "|---|---|---|---|---|",
    ]
    for code, rule in RULES.items():
        types = used.get(code, [])
        all_ = len(types) == len(SUBMISSIONS)
        where = "every type" if all_ else ", ".join(f"`{one}`" for one in types) or "the store itself"
        lines.append(f"| `{code}` | {rule.clause or ''} | {rule.zh} | {rule.en} | {where} |")
    return "\n".join(lines) + "\n"


def _waiting(found: dict[str, Findings]) -> str:
    rows = []
    for type_, one in found.items():
        marks = ["●" if any(w.startswith(stream) for w in one.waits) else "" for stream in _WAITS]
        rows.append(f"| `{type_}` | {' | '.join(marks)} |")
    return _WAITING.format(
        days=Settings.model_fields["parked_days"].default,
        streams="\n".join(f"| `{stream}…` | {what} |" for stream, what in _WAITS.items()),
        heads=" | ".join(f"`{stream}…`" for stream in _WAITS),
        rules="|".join("---" for _ in _WAITS),
        rows="\n".join(rows),
    )


def _section(type_: str, facts: Facts, found: Findings, story: Story) -> Iterator[str]:
    yield f"### `{type_}` {facts.zh}\n"
    yield f"`{full_type(type_)}` — [schema](schemas/submission.{type_}.json). {facts.note}\n".replace(" \n", "\n")
    yield f"- **May hand it in:** {facts.who}." + "".join(f" Role `{role}`." for role in found.roles)
    yield f"- **Waits for:** {_list(found.waits)}."
    yield f"- **Refused by:** {_list(found.refusals)}."
    yield f"- **Rejected by** (beside its shape): {_list(found.rejections)}."
    events = story.submission(type_).outcome.events
    own = dict.fromkeys(e.TOPIC for e in events if not e.TOPIC.startswith("notice.owed"))
    yield f"- **Records:** {_list(own)}."
    notices = dict.fromkeys(str(e.about) for e in events if isinstance(e, NoticeOwed))
    yield f"- **Owes notices about:** {_list(notices)}.\n"
    yield "| field | | what |\n|---|---|---|"
    schema = inlined(submission_schema(type_))
    yield "\n".join(_fields(schema)) + "\n"


def _list(names: dict[str, None]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "—"


def _fields(schema: dict[str, Any], prefix: str = "", depth: int = 0) -> Iterator[str]:
    for name, part in schema.get("properties", {}).items():
        needed = "required" if name in schema.get("required", ()) else ""
        inner = next((one for one in part.get("anyOf", [part]) if one.get("type") != "null"), part)
        personal = " — personal" if part.get("x-personal") else ""
        yield f"| `{prefix}{name}` | {needed} | {_words(inner)}{personal} |"
        nested = inner.get("items", inner)
        if "properties" in nested and depth < 2:
            yield from _fields(nested, f"{prefix}{name}{'[]' if nested is not inner else ''}.", depth + 1)


def _words(part: dict[str, Any]) -> str:
    if "enum" in part:
        return " / ".join(f"`{one}`" for one in part["enum"])
    if "const" in part:
        return f"`{part['const']}`"
    words = str(part.get("format") or part.get("type") or "any")
    if words == "array":
        return f"list of {_words(part['items'])}"
    if "pattern" in part:
        return f"`{part['pattern']}`".replace("|", "\\|")
    if "maxLength" in part:
        return f"text, {part.get('minLength', 0)}–{part['maxLength']} characters"
    return words


assert set(SUBMISSIONS) == set(PAYLOADS), set(SUBMISSIONS) ^ set(PAYLOADS)

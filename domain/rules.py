"""The rules by which a submission is refused or rejected: code, clause of the notice, words for people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """`code` is stable and machine-readable; `clause` the capability letter it guards, where one does."""

    code: str
    clause: str | None
    zh: str
    en: str


RULES: dict[str, Rule] = {
    rule.code: rule
    for rule in (
        # refusals: the submission is well formed and the notice forbids it
        Rule("mandate.principal", None, "该接入方未获授权代表此部门", "the principal may not act for this department"),
        Rule(
            "mandate.caller",
            None,
            "转交人员操作的接入方须注明经核验的人员，其他接入方不得注明",
            "a principal that vouches names the caller it has authenticated; no other does",
        ),
        Rule("mandate.role", None, "该部门的职责不允许此操作", "the department's role does not allow this"),
        Rule(
            "power.transferred",
            "1.1b",
            "事项已划转，原主管部门不得再作出审批",
            "the matter was transferred: its former competent department may no longer decide",
        ),
        Rule(
            "power.none",
            "1.1a",
            "该部门当日不持有此事项的审批权",
            "the department did not hold the power over this matter on that date",
        ),
        Rule(
            "supervision.by_approver",
            "1.1c",
            "审批部门不得对划转事项实施监管",
            "the approval department may not supervise a transferred matter",
        ),
        Rule(
            "supervision.not_addressee",
            "2.2e",
            "该部门不是此办件的监管部门",
            "the department does not supervise this case",
        ),
        Rule("rating.exists", "3.3a", "此项服务已评价", "this service was rated already"),
        Rule("rating.not_yours", "3.3b", "不是被评价的部门", "the department is not the one that was rated"),
        Rule("rating.good", "3.3b", "不是差评，无须核实整改", "the rating is not bad: nothing follows"),
        Rule("rating.done", "3.3b", "此步骤已记录", "this step is on record already"),
        Rule("rating.excluded", "3.3c", "评价已剔除", "the rating was excluded"),
        Rule("rating.appealed", "3.3c", "申诉已提出或已处理", "there is an appeal, or it was decided"),
        Rule(
            "rating.own",
            "3.3c",
            "被评价部门不得处理对自己的评价",
            "who was rated does not decide on the rating",
        ),
        Rule(
            "read.not_inspector",
            "3.3e",
            "该接入方不代表纪检监察部门，不得以其名义查阅",
            "the principal acts for no discipline inspection, and may not read as one",
        ),
        Rule(
            "read.reason",
            "3.3e",
            "查阅完整的个人信息须说明事由",
            "persons are shown in clear for a reason only",
        ),
        Rule(
            "seal.second",
            "2.7b",
            "审批专用章已足够，不得再加盖原主管部门印章",
            "the approval seal suffices: no second seal",
        ),
        Rule("seal.demand", "2.7c", "不得要求再加盖印章", "a further seal may not be demanded"),
        Rule(
            "seal.not_organ",
            "2.7a",
            "仅作出决定的审批部门可加盖审批专用章",
            "only the deciding approval department applies its seal",
        ),
        Rule(
            "seal.not_yours",
            "2.7a",
            "该印章不属于此部门，也未授权其使用",
            "the seal is neither the department's nor delegated to it",
        ),
        Rule(
            "seal.certificate",
            "2.7a",
            "证书序列号与印章登记不符",
            "the certificate's serial is not the one on record for the seal",
        ),
        Rule("seal.expired", "2.7a", "用印当日证书不在有效期内", "the seal's certificate was not valid on that day"),
        Rule(
            "seal.unregistered", "2.7a", "该印章用印当日不在印章登记中", "the seal was not in the register on that day"
        ),
        Rule(
            "opinion.not_flagged",
            "2.7d",
            "该事项未标明此种需要，不得出具书面意见",
            "the matter is not flagged for a written opinion of this need",
        ),
        Rule("opinion.exists", "2.7d", "该书面意见编号已存在", "the opinion's number exists already"),
        Rule(
            "opinion.not_competent",
            "2.7d",
            "书面意见只由该事项的主管部门出具",
            "only the matter's competent department issues a written opinion",
        ),
        Rule(
            "notice.not_addressee", "2.2b", "该告知不是发给此部门的", "the notice is not addressed to this department"
        ),
        Rule("notice.moved", "2.2d", "该告知已移交，不能再办理", "the notice has moved on"),
        Rule("notice.already", "2.2b", "该告知已办理过此步骤", "the notice has already taken this step"),
        Rule("notice.not_returnable", "2.2d", "该告知不可退回", "this notice cannot be returned"),
        Rule(
            "notice.ruled",
            "2.2d",
            "职责已由审改部门裁定，不可再退回",
            "the reform office has ruled: it cannot be returned again",
        ),
        Rule(
            "notice.already_held",
            "2.2d",
            "该部门已持有此办件的告知",
            "the department already holds a notice of this case",
        ),
        Rule("notice.no_dispute", "2.2d", "该告知没有待裁定的职责争议", "no dispute on duties is open for this notice"),
        Rule("letter.channel", "2.2h", "该部门没有登记公函渠道", "the department is not told by letter"),
        Rule("letter.carried", "2.2h", "该告知已由公函送出", "a letter carries this notice already"),
        Rule(
            "letter.not_yours",
            "2.2h",
            "只能以公函告知本部门办件和事实；审改部门除外",
            "a letter tells of its sender's own cases and facts, but for the reform office's",
        ),
        Rule("letter.mark", "2.2h", "该代字已属其他机关", "the mark is another organ's"),
        Rule("letter.not_sender", "2.2h", "公函的回执由发函机关登记", "a letter's slip is entered by its sender"),
        Rule("letter.code", "2.2h", "回执码与该公函不符", "the code is not that of the letter's slip"),
        Rule("letter.not_listed", "2.2h", "该公函没有列入此告知", "the letter does not list this notice"),
        Rule("clock.none", "2.2j", "该事没有时限", "nothing of that name has a time limit"),
        Rule("clock.state", "2.2j", "该时限不在计时或不可如此处理", "the clock does not run, or is none for this"),
        Rule(
            "clock.not_above",
            "2.2j",
            "只有审改部门或上级部门可调整下辖部门的时限",
            "only who is above may change it",
        ),
        Rule("case.state", None, "办件当前状态不允许此操作", "the case's state does not allow this"),
        Rule("case.exists", None, "该办件已受理", "the case was already accepted"),
        Rule("subscription.exists", "2.2i", "该订阅编号已存在", "the subscription's number exists already"),
        Rule("task.exists", "2.3a", "该任务编号已存在", "the task's number exists already"),
        Rule(
            "task.not_on_record",
            "2.3b",
            "该事项当日没有登记此项关联业务",
            "no such associated work is on record for the matter on that date",
        ),
        Rule("task.not_party", "2.3b", "该部门不是此任务的责任方", "the department is not a party to this task"),
        Rule("task.done", "2.3c", "该任务已完成或已撤销", "the task is done or dropped"),
        Rule(
            "task.required",
            "2.3d",
            "必需的关联业务尚无合格结果，不得作出决定",
            "associated work that the decision needs has no result",
        ),
        Rule(
            "decision.manner",
            "2.3d",
            "承诺或容缺方式须先提出相应任务；材料未齐只能容缺决定",
            "what a decision leaves for afterwards must be an open task, and be said",
        ),
        Rule(
            "placement.hall",
            "3.2b",
            "非试点地区的事项须全部进驻大厅",
            "without an approval department every matter enters the hall",
        ),
        Rule("penalty.exists", "2.2e", "该处罚编号已存在", "the penalty's number exists already"),
        Rule("penalty.over", "2.2e", "该暂扣已期满或已解除", "the suspension is over"),
        Rule("remedy.annulled", None, "该决定已被撤销", "the decision was annulled already"),
        Rule("remedy.stopped", None, "执行已停止，或并未停止", "execution is stopped already, or was not"),
        Rule(
            "remedy.anew",
            None,
            "没有责令其重新作出的此事项决定",
            "no decision of this matter is ordered to be taken anew",
        ),
        Rule("feedback.exists", "2.2e", "该反馈编号已存在", "the feedback number exists already"),
        Rule("feedback.disposed", "2.2f", "该反馈已处理", "the feedback was already disposed of"),
        Rule("feedback.closed", "2.2f", "该反馈已办结", "the feedback is closed"),
        Rule("inspection.exists", "2.8c", "该检查行为编号已上报", "an inspection of this number was reported already"),
        Rule("inspection.retracted", "2.8c", "该检查记录已撤回", "the inspection was retracted"),
        Rule(
            "inspection.other_case",
            "2.8c",
            "更正不得改换办件，应撤回原记录后另行上报",
            "a correction stays with the case: retract the record and report another",
        ),
        Rule("matter.state", "1.2a", "事项当前状态不允许此操作", "the matter's state does not allow this"),
        Rule(
            "list.not_holder",
            "1.3a",
            "权力清单所列实施部门当日不持有此事项的审批权",
            "the organ named in the power list does not hold the power on that date",
        ),
        Rule(
            "list.approver",
            "1.3b",
            "监管清单不得将承接审批的部门列为监管实施主体",
            "the supervision list may not name the department that approves",
        ),
        Rule(
            "review.forwarded",
            "4.2b",
            "须直接报送，不得经同级主管部门转报",
            "reviews go straight up: nobody forwards them",
        ),
        Rule(
            "count.not_yours",
            "2.6b",
            "只能申报本接入方来源的数量",
            "a principal declares the counts of its own sources",
        ),
        Rule(
            "blanks.requested", "2.5a", "该系列的申领尚未收到", "blanks of this series are asked for and have not come"
        ),
        Rule("blanks.not_requested", "2.5a", "没有待收到或待协助的申领", "nothing was asked for that is still to come"),
        Rule("blanks.twice", "2.5c", "这些编号中有已登记的", "some of these numbers are registered already"),
        Rule("blanks.unknown", "2.5c", "该系列没有此编号", "the series has no such number"),
        Rule("blanks.used", "2.5c", "该编号已使用", "this number is used up"),
        Rule("circular.exists", "2.4a", "该文号已发出通知", "the sender has sent a circular of this number already"),
        Rule(
            "circular.addressee",
            "2.4a",
            "只能主送对方一侧；上级部门只能发给本行政区域内的部门",
            "a side addresses the other side, a higher authority whoever is in its region",
        ),
        Rule(
            "circular.not_below",
            "4.3b",
            "对下指导只能由上级部门发给下级",
            "guidance goes from a higher authority to a lower level",
        ),
        Rule("circular.not_addressed", "2.4b", "该邀请不是发给此部门的", "the department was not invited"),
        Rule("circular.no_invitation", "2.4b", "该通知不是会议或培训邀请", "the circular invites to nothing"),
        Rule("circular.withdrawn", "2.4a", "该通知已撤回", "the circular was withdrawn"),
        Rule(
            "consultation.level",
            "4.3a",
            "商询只在上下级之间",
            "consultations are between levels, one within the other's region",
        ),
        Rule(
            "consultation.not_concerned",
            "4.3a",
            "商询双方须与该办件有关",
            "a consultation about a case is between those who have to do with it",
        ),
        Rule("consultation.exists", "4.3a", "该商询编号已存在", "the consultation's number exists already"),
        Rule("consultation.answered", "4.3a", "该商询已答复", "the consultation is answered already"),
        Rule("consultation.closed", "4.3a", "该商询已办结", "the consultation is closed"),
        Rule(
            "duty.charged",
            "5.2a",
            "专家评审、证照印制不得向申请人收费",
            "applicants are never charged for expert evaluation or the printing of certificates",
        ),
        Rule(
            "duty.budget",
            "5.2a",
            "经费须列入责任部门的同级预算",
            "the cost belongs into the budget of the responsible department's level",
        ),
        Rule("document.exists", "5.3a", "该文号已有登记", "another document has this number"),
        Rule(
            "document.repealed",
            "5.3a",
            "所依据的文件当日已废止",
            "the document that it rests on is repealed on that date",
        ),
        Rule("review.not_above", "4.2a", "只能报送上级部门", "a review goes to an authority above the department"),
        Rule("review.exists", "4.2a", "该报送编号已存在", "the review's number exists already"),
        Rule("review.returned", "4.2a", "该报送已反馈结果", "the review has its result already"),
        Rule(
            "handover.not_transferred",
            "2.1a",
            "该事项并非由此部门划转给接收方",
            "the matter was not transferred from this department to the taker",
        ),
        Rule("handover.exists", "2.1a", "该交接单号已存在", "the handover's number exists already"),
        Rule("handover.not_party", "2.1a", "只有移交方和接收方可以签认交接", "only giver and taker sign a handover"),
        Rule("handover.signed", "2.1a", "该方已签认", "this side has signed already"),
        Rule(
            "list.not_supervisor",
            "1.3b",
            "监管清单所列实施主体当日不是此事项的监管部门",
            "the organ named in the supervision list does not supervise the matter on that date",
        ),
        Rule("entry.none", None, "该清单当日没有此登记项", "the list has no such entry on that date"),
        Rule("classified", None, "涉密事项不得在本系统流转", "classified matters must not pass through this system"),
        Rule("deadletter.unknown", None, "没有此死信", "no such dead letter"),
        Rule(
            "legacy.recent", "2.2a", "存量只限本系统建立之前的决定", "stock is what was decided before the system began"
        ),
        Rule(
            "registers.followed",
            None,
            "本库的登记簿由上级库登记，此处不得登记",
            "the registers are mastered in another store: nothing is registered here",
        ),
        Rule(
            "department.ceased",
            None,
            "该部门已撤并，职责已由其他部门承接",
            "the department has ceased: others have its duties",
        ),
        Rule("succession.roles", None, "承接部门不具备原部门的全部职责", "the successor lacks roles of the department"),
        Rule("succession.circle", None, "承接关系不得成环", "a succession may not lead back"),
        Rule("mandate.last_office", None, "不得撤销唯一的审改部门", "the only reform office cannot give up its role"),
        Rule("key.taken", None, "该公钥已登记为其他接入方的", "the key is registered as another principal's"),
        Rule("signing.operator", None, "不得要求运维接入方签名", "operators are not asked to sign: they register keys"),
        Rule("receipt.unsigned", "2.2b", "该部门的签收须有签名", "the department's receipts must be signed"),
        # rejections: the content itself is wrong; to the dead letters
        Rule("receipt.shape", "2.2b", "须为所约定的签收声明的 JWS", "a JWS over the receipt as agreed"),
        Rule("receipt.other", "2.2b", "所签的告知或签收时间与提交不符", "another notice or time is signed than said"),
        Rule("receipt.leaf", "2.2b", "所签的编号或叶哈希与日志不符", "the serial or leaf signed is not the log's"),
        Rule("signature.shape", None, "签名须为所约定的 JWS", "the signature must be a JWS as agreed"),
        Rule(
            "signature.identity",
            None,
            "签名所写的库、来源、编号、类型、时间等与消息不符",
            "the signature is of another store, source, id, type, time or the like than the message",
        ),
        Rule("signature.wrong", None, "签名与内容不符", "the signature does not fit what is signed"),
        Rule("signature.key", None, "签名公钥当日没有登记为该方所有", "the signing key is not registered as theirs"),
        Rule("signature.key_over", None, "签名公钥已停用或到期", "the signing key was struck, or its time is over"),
        Rule("signature.missing", None, "按规定须签名而没有签名", "a signature is a must, and there is none"),
        Rule("key.shape", None, "须为 Ed25519 公钥的 32 字节，base64url 编码", "the 32 bytes of an Ed25519 public key"),
        Rule(
            "stores.key",
            None,
            "须为签名注记的公钥（C2SP signed-note），名称与日志名相同",
            "a verifier key (C2SP signed-note) under the log's name",
        ),
        Rule(
            "stores.gone",
            None,
            "曾列入清单的库须保留，日志名不变；不再使用的注明停用日期",
            "a store that was listed once stays, with its log; one that is used no more is given its last day",
        ),
        Rule("stores.twice", None, "库、日志名、公钥各只列一次", "each store, each log's name and each key once"),
        Rule(
            "signing.scope",
            None,
            "接入方、信息类型、签收部门三者择一",
            "a principal, a type or a department, one of them",
        ),
        Rule("number.shape", None, "须为 1–64 个字符，不含空白与斜杠", "1–64 characters, no white space, no slash"),
        Rule(
            "public.breakdown",
            "5.4a",
            "公开统计只按地区或事项分列，不得细到可以认出个人或办件",
            "public statistics are by region or matter, by nothing that singles anybody or any case out",
        ),
        Rule(
            "public.selection",
            "5.4a",
            "公开统计只有整季度的固定表，不得另选范围、时点或清单：两次之差会泄露被隐去的数",
            "public statistics are fixed tables of whole quarters, without any other choice: what is hidden in one"
            " would be the difference of two",
        ),
        Rule("public.quarter", "5.4a", "须为已结束的季度，写作 2026Q1", "a quarter that is over, such as 2026Q1"),
        Rule("date.shape", None, "须为 YYYY-MM-DD 日期", "a date as YYYY-MM-DD"),
        Rule("calendar.unknown", "2.2j", "该年工作日历未公布", "the working days of the year are not known"),
        Rule("calendar.year", None, "日期不在该年之内", "the day is not in the year"),
        Rule("calendar.weekday", None, "放假日须为周一至周五，上班日须为周六、周日", "weekdays off, weekends worked"),
        Rule("calendar.twice", None, "同一天列了两次", "the day stands there twice"),
        Rule("ladder.to", None, "催办对承办部门，督办报审改部门或上级部门", "reminders go to the holder, others above"),
        Rule("ladder.order", None, "催办、督办须按先后排列", "the rungs are out of order"),
        Rule("limit.scope", None, "时限按地区或按事项，二者择一", "a limit is for a region or for a matter"),
        Rule("limit.deemed", None, "只有签收可视为", "only receipt can be deemed"),
        Rule("date.order", None, "日期先后不合逻辑", "the dates are out of order"),
        Rule("date.future", None, "日期晚于提交时间", "the date lies after the submission"),
        Rule("department.unknown_role", None, "该部门不具备所需职责", "the department lacks the needed role"),
        Rule("correction.old", None, "更正前的值与记录不符", "the old value differs from the record"),
        Rule("parked.expired", None, "等待的前序信息超过期限仍未到达", "what it waited for never came"),
    )
}


class Refusal(Exception):
    """A rule of the notice forbids the submission. The attempt is a fact and is recorded."""

    def __init__(self, code: str) -> None:
        super().__init__(RULES[code].en)
        self.rule = RULES[code]


class Waiting(Exception):
    """The submission came before what it needs: it waits for the next event of `stream`."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.stream = stream


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with a submission: field, rule, words, and what was found (never personal data)."""

    field: str
    rule: str
    message: str
    found: str


class BadField(ValueError):
    """Raised by a model's own check: which of its fields, rule, and words for people."""

    def __init__(self, field: str, rule: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.rule = rule
        self.message = message


class Rejection(Exception):
    """The content cannot be a fact: a dead letter."""

    def __init__(self, *errors: FieldError) -> None:
        super().__init__("; ".join(f"{e.field}: {e.rule}" for e in errors))
        self.errors = errors


def rejection(field: str, code: str, found: object) -> Rejection:
    """A rejection of one field by one of the rules above; `found` must not be personal."""
    return Rejection(FieldError(field, code, RULES[code].zh, str(found)))

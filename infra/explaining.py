"""Why a submission is dead, and what one waits for, in words for people: the domain keeps Chinese, English is here."""

from __future__ import annotations

import re
from collections.abc import Mapping

from domain.rules import RULES
from domain.submissions import UNKNOWN

AWAITED = {
    "blanks": ("空白证照系列", "the blanks"),
    "case": ("办件", "the case"),
    "circular": ("通知", "the circular"),
    "consultation": ("商询", "the consultation"),
    "department": ("部门", "the department"),
    "entry": ("清单项", "the entry"),
    "feedback": ("监管反馈", "the feedback"),
    "handover": ("交接单", "the handover"),
    "inspection": ("检查记录", "the inspection"),
    "letter": ("公函", "the letter of"),
    "mapping": ("双公示对应关系", "the mapping"),
    "matter": ("事项", "the matter"),
    "notice": ("告知", "the notice"),
    "principal": ("接入方", "the principal"),
    "review": ("直接报送", "the review"),
    "tasks": ("关联业务", "the tasks of"),
}
"""What kind of thing a stream is that something waits for."""

# By the beginning of pydantic's error type, as in domain/submissions.py.
_SHAPES = (
    ("missing", "a required field is missing"),
    ("extra_forbidden", "there is no such field"),
    ("string_too_long", "too long"),
    ("string_too_short", "too short"),
    ("string_pattern_mismatch", "not of the field's form"),
    ("string", "must be text"),
    ("literal_error", "none of the values allowed"),
    ("json_invalid", "no valid JSON"),
    ("timezone", "a time with its zone"),
    ("datetime", "an RFC 3339 time"),
    ("date", "a date as YYYY-MM-DD"),
    ("greater_than", "earlier or less than allowed"),
    ("less_than", "later or more than allowed"),
    ("bool", "true or false"),
    ("int", "a whole number"),
    ("too_short", "too few"),
    ("too_long", "too many"),
    ("tuple", "must be a list"),
    ("model", "must be an object"),
    ("dict", "must be an object"),
    ("type.unknown", "no such type of submission"),
)
# What `domain.submissions.masked` says of a value.
_FOUND = (
    (r"空", "nothing"),
    (r"(\d+) 个字符", r"\1 characters"),
    (r"(\d+) 位数字", r"\1 digits"),
    (r"对象（(\d+) 个字段）", r"an object of \1 fields"),
    (r"列表（(\d+) 项）", r"a list of \1"),
)


def explained(error: Mapping[str, str], zh: bool) -> str:
    """One wrong field: the rule in words, its name, and what was found. Of a rule that has no English words its name
    stands for them."""
    field, rule, found = error["field"] or "*", error["rule"], error["found"]
    if zh:
        return f"{field}：{error['message']}（{rule}，实际：{found}）"
    words = RULES[rule].en if rule in RULES else next((w for shape, w in _SHAPES if rule.startswith(shape)), "")
    field = field.replace(UNKNOWN, "(unknown field)")
    for pattern, english in _FOUND:
        found = re.sub(f"^{pattern}$", english, found)
    return f"{field}: {words} ({rule}, found: {found})" if words else f"{field}: {rule} (found: {found})"


def awaited(stream: str, zh: bool) -> str:
    """What a parked submission waits for, and the stream's name where it is not plain from that."""
    kind, _, name = stream.partition("/")
    if kind not in AWAITED:  # its turn has come: it waits for nothing but that
        return "下一批" if zh else "the next batch"
    return f"{AWAITED[kind][0 if zh else 1]} {name}"

"""What people see is in words, in both languages."""

from __future__ import annotations

from typing import get_args

import pytest
from pydantic import ValidationError

from domain.arrivals import AWAITED
from domain.catalogue import EVENT_TYPES, PAYLOADS
from domain.notices import About
from domain.rules import Rejection
from domain.submissions import field_errors, read_payload
from infra import explaining
from infra.examples import story
from infra.subscriber import line
from infra.words import WORDS


def test_every_event_submission_and_notice_has_words() -> None:
    names = {*EVENT_TYPES, *PAYLOADS, *get_args(About)}
    assert names - WORDS.keys() == set()


def test_the_reference_client_has_a_line_for_every_notice() -> None:
    told = story().notices
    assert {"decision", "penalty", "task", "succession", "invitation"} <= {one.about for one in told}
    for one in told:
        chinese, english = ("办件 ", "case ") if one.case else ("2026-", "2026-")
        assert f"\t{WORDS[one.about][0]}\t{chinese}" in line(one)
        assert f"\t{WORDS[one.about][1]}\t{english}" in line(one, zh=False)


def test_everything_that_is_waited_for_has_words() -> None:
    assert explaining.AWAITED.keys() == AWAITED
    assert explaining.awaited("case/spj/1", True) == "办件 spj/1"
    assert explaining.awaited("ready", False) == "the next batch"


@pytest.mark.parametrize(
    ("data", "chinese", "english"),
    [
        (b'{"department":"x"}', "缺少必填字段", "principal: a required field is missing (missing, found: "),
        (b'{"principal":"a b","acts_for":[]}', "格式须符合", "principal: not of the field's form ("),
        (b'{"principal":"a","acts_for":7}', "须为列表（tuple_type，实际：7）", "acts_for: must be a list (tuple_type"),
        (b'{"principal":7,"acts_for":[]}', "须为文字", "principal: must be text (string_type, found: 7)"),
        (b"{", "不是有效的 JSON", "*: no valid JSON (json_invalid, found: "),
    ],
)
def test_a_wrong_field_is_explained_in_both(data: bytes, chinese: str, english: str) -> None:
    with pytest.raises(Rejection) as raised:
        read_payload("principal.register", data)
    error = raised.value.errors[0]
    said = {"field": error.field, "rule": error.rule, "message": error.message, "found": error.found}
    assert chinese in explaining.explained(said, True)
    assert english in explaining.explained(said, False)


def test_a_rule_without_english_words_stands_for_itself() -> None:
    with pytest.raises(ValidationError) as raised:
        PAYLOADS["case.decide"].model_validate(
            {"department": "x", "organ": "x", "number": "1", "outcome": "granted", "document_number": "1",
             "decided_on": "2026-03-02", "content": "x"}
        )  # fmt: skip
    [error] = field_errors(raised.value)
    said = {"field": error.field, "rule": error.rule, "message": error.message, "found": error.found}
    assert explaining.explained(said, False).startswith("valid_from: decision.validity (found: ")
    assert explaining.explained(said, True).startswith("valid_from：准予许可须有有效期起（decision.validity，")

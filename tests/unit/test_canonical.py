"""The quick way to canonical JSON gives what RFC 8785 gives, or leaves the text to the slow one."""

from __future__ import annotations

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from domain.rules import Rejection
from infra.roles.canonical import canonical

_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(1 - 2**53, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(_TEXT, inner),
)  # fmt: skip


@given(_JSON, st.booleans())
def test_it_is_what_rfc_8785_gives(value: Any, escaped: bool) -> None:
    wanted = rfc8785.dumps({"type": "t", "time": "now", "data": value})
    for indent in (None, 2):
        data = json.dumps(value, ensure_ascii=escaped, indent=indent).encode()
        assert canonical("t", "now", data) == wanted


def test_keys_beyond_the_basic_plane_are_sorted_by_utf_16() -> None:
    data = json.dumps({"\U0001f600": 1, "\ufb33": 2}).encode()
    assert canonical("t", "now", data).index("\U0001f600".encode()) < canonical("t", "now", data).index(
        "\ufb33".encode()
    )


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"{", "json.invalid"),
        (b"\xff{}", "json.invalid"),
        (b"", "json.invalid"),
        (b'{"a":NaN}', "json.range"),
        (b'{"a":9007199254740993}', "json.range"),
        (b'{"a":1e999}', "json.range"),
        (b"[" * 100_000 + b"]" * 100_000, "json.invalid"),
        (b'{"a":"x\\u0000"}', "text.control"),
        (b'{"\\u0000":1}', "text.control"),
        (b'{"a":"\\ud800"}', "text.control"),
    ],
)
def test_what_nobody_could_read_alike_is_rejected(data: bytes, rule: str) -> None:
    with pytest.raises(Rejection) as caught:
        canonical("t", "now", data)
    assert [error.rule for error in caught.value.errors] == [rule]


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    assert canonical("t", "now", b'"\\\\u0000"') == b'{"data":"\\\\u0000","time":"now","type":"t"}'

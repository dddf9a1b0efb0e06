"""The CloudEvents Kafka binding: both modes are read, what is malformed is named and never quoted."""

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.kafka.cloudevents import Envelope, MalformedEvent, decode, encode

REQUIRED = {"specversion": "1.0", "id": "A-1", "source": "urn:x:审批局", "type": "shenguan.decision"}
JSON_HEADER = ("content-type", b"application/json; charset=UTF-8")
STRUCTURED = [("content-type", b"application/cloudevents+json; charset=utf-8")]

names = st.from_regex(r"[a-z0-9]{1,20}", fullmatch=True).filter(
    lambda name: name not in {*REQUIRED, "data", "datacontenttype"}
)
texts = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"]), min_size=1)
integers = st.integers(-(2**31), 2**31 - 1)
values = st.one_of(texts, integers, st.booleans())
attributes = st.builds(
    lambda fixed, extra: {"specversion": "1.0", **fixed, **extra},
    st.fixed_dictionaries({"id": texts, "source": texts, "type": texts}),
    st.dictionaries(names, values, max_size=5),
)
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)


def binary(**changes: bytes | None) -> list[tuple[str, bytes]]:
    """Good headers, some replaced, or (None) left out."""
    headers = {f"ce_{name}": value.encode() for name, value in REQUIRED.items()} | dict([JSON_HEADER])
    merged: dict[str, bytes | None] = {**headers, **{name.replace("__", "-"): value for name, value in changes.items()}}
    return [(name, value) for name, value in merged.items() if value is not None]


def structured(*left_out: str, **changes: Any) -> bytes:
    """A good structured body, some members replaced or left out."""
    body = {**REQUIRED, "data": {"a": 1}, **changes}
    return json.dumps({name: value for name, value in body.items() if name not in left_out}).encode()


def as_text(value: str | int | bool) -> str:
    """How binary mode carries a value."""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


@given(attributes, st.binary(min_size=1))
def test_binary_mode_round_trips(given_attributes: dict[str, str | int | bool], data: bytes) -> None:
    headers, value = encode(given_attributes, data)
    envelope = decode(value, headers)
    expected: dict[str, str | int | bool] = {name: as_text(each) for name, each in given_attributes.items()}
    assert envelope == Envelope(expected | {"datacontenttype": "application/json"}, data)


@given(attributes, documents, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_structured_mode_keeps_the_bytes_of_the_data(
    given_attributes: dict[str, str | int | bool], document: Any, indent: Any, ascii_only: bool
) -> None:
    data = json.dumps(document, indent=indent, ensure_ascii=ascii_only)
    context = json.dumps(given_attributes, indent=indent, ensure_ascii=ascii_only).rstrip()[:-1]
    envelope = decode(f' {context} ,\n "data" : {data} }} '.encode(), STRUCTURED)
    assert envelope.data == data.encode()
    assert envelope.attributes == given_attributes | {"datacontenttype": "application/json"}


@given(st.binary(min_size=1), st.lists(st.tuples(st.text(max_size=12), st.binary(max_size=30) | st.none()), max_size=4))
def test_anything_at_all_is_an_event_or_malformed(value: bytes, headers: list[tuple[str, bytes | None]]) -> None:
    for more in ([], STRUCTURED, binary()):
        with suppress(MalformedEvent):  # and nothing else
            decode(value, [*more, *headers])


def test_data_base64_is_decoded() -> None:
    body = structured("data", data_base64=base64.b64encode(b'{"a":1}').decode())
    assert decode(body, STRUCTURED).data == b'{"a":1}'


def test_other_headers_are_no_concern() -> None:
    envelope = decode(b"{}", [*binary(), ("traceparent", b"\xff"), ("traceparent", b"00")])
    assert envelope.attributes == REQUIRED | {"datacontenttype": JSON_HEADER[1].decode()}


def test_null_means_unset_in_structured_mode() -> None:
    assert "subject" not in decode(structured(subject=None), STRUCTURED).attributes


MALFORMED: list[tuple[str, bytes | None, list[tuple[str, bytes]], str, str]] = [
    ("tombstone", None, binary(), "data", "empty"),
    ("empty", b"", binary(), "data", "empty"),
    *((f"no {name}", b"{}", binary(**{f"ce_{name}": None}), name, "required") for name in REQUIRED),
    *((f"empty {name}", b"{}", binary(**{f"ce_{name}": b""}), name, "required") for name in REQUIRED),
    ("no headers", b"{}", [], "specversion", "required"),
    ("version", b"{}", binary(ce_specversion=b"0.3"), "specversion", "specversion"),
    ("not UTF-8", b"{}", binary(ce_id=b"\xff\xfe"), "id", "encoding"),
    ("content type not UTF-8", b"{}", binary(content__type=b"\xff"), "content-type", "encoding"),
    ("control character", b"{}", binary(ce_id=b"a\x00b"), "id", "characters"),
    ("attribute name", b"{}", binary(ce_Bad_Name=b"x"), "attribute", "attribute_name"),
    ("duplicate", b"{}", [*binary(), ("ce_id", b"other")], "id", "duplicate"),
    ("duplicate in capitals", b"{}", [*binary(), ("Content-Type", b"text/plain")], "content-type", "duplicate"),
    ("no content type", b"{}", binary(content__type=None), "content-type", "required"),
    ("other content type", b"{}", binary(content__type=b"application/xml"), "content-type", "content_type"),
    ("other charset", b"{}", binary(content__type=b"application/json;charset=gbk"), "content-type", "content_type"),
    ("batch", b"[]", [("content-type", b"application/cloudevents-batch+json")], "content-type", "content_type"),
    ("avro", b"x", [("content-type", b"application/cloudevents+avro")], "content-type", "content_type"),
    ("array", b"[]", STRUCTURED, "body", "json_object"),
    ("not JSON", b"{secret", STRUCTURED, "body", "json"),
    ("cut off", structured()[:-1], STRUCTURED, "body", "json"),
    ("trailing", structured() + b"x", STRUCTURED, "body", "json"),
    ("NaN", b'{"data": NaN}', STRUCTURED, "body", "json"),
    ("too deep", b'{"data": ' + b"[" * 100_000, STRUCTURED, "body", "json"),
    ("body not UTF-8", b'{"id": "\xff"}', STRUCTURED, "body", "encoding"),
    ("member twice", b'{"id": "a", "id": "b"}', STRUCTURED, "id", "duplicate"),
    *((f"structured no {name}", structured(name), STRUCTURED, name, "required") for name in REQUIRED),
    ("structured version", structured(specversion="2.0"), STRUCTURED, "specversion", "specversion"),
    ("id a number", structured(id=7), STRUCTURED, "id", "type"),
    ("object attribute", structured(subject={"a": 1}), STRUCTURED, "subject", "type"),
    ("large integer", structured(sequence=2**31), STRUCTURED, "sequence", "type"),
    ("lone surrogate", structured(subject="\ud800"), STRUCTURED, "subject", "characters"),
    ("structured name", structured(身份证="x"), STRUCTURED, "attribute", "attribute_name"),
    ("no data", structured("data"), STRUCTURED, "data", "empty"),
    ("empty base64", structured("data", data_base64=""), STRUCTURED, "data", "empty"),
    ("bad base64", structured("data", data_base64="*"), STRUCTURED, "data_base64", "encoding"),
    ("base64 no text", structured("data", data_base64=7), STRUCTURED, "data_base64", "encoding"),
    ("both data", structured(data_base64="e30="), STRUCTURED, "data_base64", "exclusive"),
    ("data no JSON", structured(datacontenttype="text/xml"), STRUCTURED, "datacontenttype", "content_type"),
]


@pytest.mark.parametrize(
    ("value", "headers", "field", "rule"), [each[1:] for each in MALFORMED], ids=[m[0] for m in MALFORMED]
)
def test_malformed(value: bytes | None, headers: list[tuple[str, bytes]], field: str, rule: str) -> None:
    with pytest.raises(MalformedEvent) as caught:
        decode(value, headers)
    assert (caught.value.field, caught.value.rule) == (field, rule)


def test_what_was_sent_is_never_quoted() -> None:
    secret = "110101199003074514"
    cases: list[tuple[bytes, list[tuple[str, bytes]]]] = [
        (b"{}", [*binary(), (f"ce_{secret}_", b"x")]),
        (b"{}", [*binary(), ("ce_x", b"\x00" + secret.encode())]),
        (f'{{"{secret}_": 1}}'.encode(), STRUCTURED),
        (f'{{"_{secret}": 1, "_{secret}": 1}}'.encode(), STRUCTURED),
        (f'{{"data": "{secret}'.encode(), STRUCTURED),
        (structured("data", data_base64=f"*{secret}"), STRUCTURED),
    ]
    for value, headers in cases:
        with pytest.raises(MalformedEvent) as caught:
            decode(value, headers)
        assert secret not in repr(caught.value) + caught.value.field + caught.value.message
        assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    ("changes", "data"),
    [
        ({"id": ""}, b"{}"),
        ({"specversion": "0.3"}, b"{}"),
        ({"bad-name": "x"}, b"{}"),
        ({"id": "a\nb"}, b"{}"),
        ({}, b""),
    ],
)
def test_what_could_not_be_read_is_not_written(changes: dict[str, str], data: bytes) -> None:
    with pytest.raises(MalformedEvent):
        encode(REQUIRED | changes, data)

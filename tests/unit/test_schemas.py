"""The reference is what the code says, its examples are taken, and nothing once promised is taken back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from adapters.kafka.cloudevents import decode, encode
from adapters.postgres.mapper import EventMapper
from domain.catalogue import EVENT_TYPES, PAYLOADS
from domain.personal import Sealed, seal
from domain.rules import RULES
from domain.submissions import read_header, read_payload
from infra import asyncapi, deciders, schemas
from infra.examples import story
from infra.reference import SUBMISSIONS
from infra.teller import Example

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
STORY = story()
SCHEMAS = schemas.schemas()
DOCUMENT = asyncapi.document(STORY)


class TestDrift:
    def test_the_committed_reference_is_what_the_code_gives(self) -> None:
        generated = schemas.generated()
        stale = [n for n, text in generated.items() if not (REFERENCE / n).exists() or _read(REFERENCE / n) != text]
        assert not stale, "run `shenguan schemas` and commit"
        kept = {f"schemas/{path.name}" for path in (REFERENCE / "schemas").glob("*.json")}
        assert kept == {name for name in generated if name.startswith("schemas/")}

    def test_writing_twice_changes_nothing(self, tmp_path: Path) -> None:
        assert "asyncapi.yaml" in schemas.write(tmp_path)
        assert schemas.write(tmp_path) == []

    def test_a_baseline_is_never_overwritten(self, tmp_path: Path) -> None:
        schemas.write(tmp_path)
        first = tmp_path / "schemas" / schemas.BASELINE / "notice.json"
        first.write_text("{}", encoding="utf-8")
        schemas.write(tmp_path)
        assert first.read_text(encoding="utf-8") == "{}"


class TestCompatibility:
    def test_nothing_published_was_taken_back(self) -> None:
        baseline = sorted((REFERENCE / "schemas" / schemas.BASELINE).glob("*.json"))
        assert {path.name for path in baseline} == set(SCHEMAS)
        for path in baseline:
            assert list(schemas.incompatibilities(json.loads(_read(path)), SCHEMAS[path.name])) == [], path.name

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda s: s["properties"].pop("content"), "/content: is gone"),
            (lambda s: s["required"].append("valid_to"), "/valid_to: is required now"),
            (lambda s: s["properties"]["outcome"]["enum"].pop(), "/outcome: of"),
            (lambda s: s["properties"]["content"].update(maxLength=10), "/content: maxLength"),
            (lambda s: s["properties"]["number"].update(pattern="^[0-9]+$"), "/number: pattern"),
            (lambda s: s["properties"]["decided_on"].update(type="integer"), "/decided_on: type"),
            (lambda s: s["properties"]["valid_to"]["anyOf"].pop(), "/valid_to: alternative 1"),
            (lambda s: s["properties"].update(officer={"type": "null"}), "/officer: alternative 0"),
        ],
    )
    def test_what_would_be_taken_back_is_found(self, change: Any, said: str) -> None:
        old = schemas.inlined(SCHEMAS["submission.case.decide.json"])
        new = deepcopy(old)
        change(new)
        found = list(schemas.incompatibilities(old, new))
        assert found
        assert any(said in one for one in found), found

    def test_so_is_what_one_kind_of_entry_loses(self) -> None:
        old = schemas.inlined(SCHEMAS["submission.register.enter.json"])
        new = deepcopy(old)
        new["properties"]["entry"]["oneOf"][0]["properties"]["name"]["maxLength"] = 10
        assert list(schemas.incompatibilities(old, new)) == ["/entry: alternative 0 is gone or tighter"]
        new = deepcopy(old)
        new["properties"]["entry"]["oneOf"].append({"type": "object"})
        assert list(schemas.incompatibilities(old, new)) == []

    @pytest.mark.parametrize(
        "change",
        [
            lambda s: s["properties"].update(more={"type": "string"}),
            lambda s: s["properties"]["outcome"]["enum"].append("deferred"),
            lambda s: s["properties"]["content"].update(maxLength=10_000),
            lambda s: s["required"].remove("content"),
        ],
    )
    def test_what_only_adds_is_not(self, change: Any) -> None:
        old = schemas.inlined(SCHEMAS["submission.case.decide.json"])
        new = deepcopy(old)
        change(new)
        assert list(schemas.incompatibilities(old, new)) == []


class TestExamples:
    def test_every_type_has_one(self) -> None:
        assert {one.type for one in STORY.submissions} == set(PAYLOADS)
        assert {one.event.TOPIC for one in STORY.events} == set(EVENT_TYPES)

    @pytest.mark.parametrize("example", STORY.submissions, ids=lambda e: f"{e.type}-{e.attributes['id']}")
    def test_submissions_are_valid_and_taken(self, example: Example) -> None:
        _valid(SCHEMAS[f"submission.{example.type}.json"], example.data)
        data = json.dumps(example.data).encode()
        headers, value = encode(dict(example.attributes), data)
        header = read_header(dict(decode(value, headers).attributes), example.attributes["source"])
        read_payload(header.type, data)
        wanted = "refused" if example.type in ("seal.demand", "review.forward") else "accepted"
        assert example.outcome.disposition == wanted, example.outcome

    def test_events_and_notices_are_valid(self) -> None:
        mapper = EventMapper()
        for recorded in STORY.events:
            state = json.loads(mapper.to_stored_event(recorded.event).state)
            _valid(SCHEMAS[f"event.{recorded.event.TOPIC}.json"], state)
        for notice in STORY.notices:
            _valid(SCHEMAS["notice.json"], json.loads(notice.model_dump_json()))

    def test_a_notice_with_other_details_is_not(self) -> None:
        data = STORY.notices[0].model_dump(mode="json")
        del data["fact"]["details"]["document_number"]
        assert not Draft202012Validator(SCHEMAS["notice.json"]).is_valid(data)

    def test_telling_it_again_tells_the_same(self) -> None:
        assert story() == STORY


class TestForms:
    def test_sealed_values_cannot_come_in_nor_plain_ones_be_stored(self) -> None:
        for name, schema in SCHEMAS.items():
            assert ("Sealed" in schema.get("$defs", {})) <= name.startswith("event."), name
        decided = schemas.inlined(SCHEMAS["event.case.decided.json"])["properties"]["content"]
        assert decided["type"] == "object"
        assert set(decided["properties"]) == set(Sealed.model_fields)

    def test_what_is_marked_personal_is_what_is_sealed(self) -> None:
        class Marker:
            def seal(self, subject: str, value: str) -> Sealed:
                return Sealed(subject=subject, ciphertext="", commitment="")

            def pseudonym(self, value: str) -> str:
                return "p"

        for example in STORY.submissions:
            payload = read_payload(example.type, json.dumps(example.data).encode())
            sealed = json.loads(seal(payload, Marker(), "s").model_dump_json(exclude_none=True))
            schema = schemas.inlined(SCHEMAS[f"submission.{example.type}.json"])
            open_ = {path for path, value in _leaves(example.data) if value == _at(sealed, path)}
            assert not {p for p in open_ if _marked(schema, p)} - {("party", "name"), ("licence_number",)}, example.type
            assert all(_marked(schema, path) for path, _ in _leaves(example.data) if path not in open_)

    @pytest.mark.parametrize("name", sorted(SCHEMAS))
    def test_every_schema_is_one(self, name: str) -> None:
        Draft202012Validator.check_schema(SCHEMAS[name])


class TestPage:
    def test_examples_are_valid_against_the_page_itself(self) -> None:
        messages: dict[str, Any] = DOCUMENT["components"]["messages"]
        for name, message in messages.items():
            (example,) = message["examples"]
            _valid(message["headers"], example["headers"])
            payload = message["payload"]
            if "$ref" in payload:
                payload = DOCUMENT["components"]["schemas"]["notice"]
            schema = payload["schema"]
            if "$ref" in schema:
                schema = SCHEMAS[Path(schema["$ref"]).name]
            _valid(schema, example["payload"])
            assert name.removeprefix("log.") in message["name"]

    def test_every_reference_leads_somewhere(self) -> None:
        for ref in _references(DOCUMENT):
            if ref.startswith("./"):
                assert (REFERENCE / ref).exists()
                continue
            found: Any = DOCUMENT
            for part in ref.removeprefix("#/").split("/"):
                found = found[part]

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            ({"a": 1, "b": [True, None, "x"]}, "a: 1\nb:\n  - true\n  - null\n  - x\n"),
            ({"$ref": "#/a"}, '"$ref": "#/a"\n'),
            ({"a": "no", "b": "1.0", "c": "", "d": {}, "e": []}, 'a: "no"\nb: "1.0"\nc: ""\nd: {}\ne: []\n'),
            ({"a": [{"b": "x: y", "c": 1}]}, 'a:\n  -\n    b: "x: y"\n    c: 1\n'),
            ({"a": "one\n\n  two\n"}, "a: |\n  one\n\n    two\n"),
        ],
    )
    def test_yaml(self, value: Any, text: str) -> None:
        assert asyncapi.yaml(value) == text


class TestTables:
    @pytest.mark.parametrize("type_", sorted(PAYLOADS))
    def test_findings_name_rules_that_exist(self, type_: str) -> None:
        found = deciders.findings(type_)
        assert {*found.refusals, *found.rejections} <= set(RULES)
        assert SUBMISSIONS[type_].zh

    def test_findings_see_through_calls(self) -> None:
        found = deciders.findings("case.withdraw")
        assert "power.transferred" in found.refusals
        assert "case/<organ>/<number>" in found.waits
        assert "seal.second" in deciders.findings("seal.apply").refusals
        assert list(deciders.findings("matter.transfer").roles) == ["REFORM_OFFICE"]

    def test_what_the_story_was_refused_by_is_among_them(self) -> None:
        for example in STORY.submissions:
            if example.outcome.rule:
                assert example.outcome.rule in deciders.findings(example.type).refusals


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _valid(schema: dict[str, Any], data: Any) -> None:
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(data)


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for part in value.values():
            yield from _references(part)
    elif isinstance(value, list):
        for part in value:
            yield from _references(part)


def _leaves(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _leaves(part, (*at, key))
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _leaves(part, (*at, number))
    else:
        yield at, value


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for part in path:
        value = value[part]
    return value


def _marked(schema: dict[str, Any], path: tuple[Any, ...]) -> bool:
    for part in path:
        found = schema.get("anyOf", schema.get("oneOf", [schema]))
        schema = next(one for one in found if "items" in one or part in one.get("properties", ()))
        schema = schema["items"] if isinstance(part, int) else schema["properties"][part]
    return bool(schema.get("x-personal"))

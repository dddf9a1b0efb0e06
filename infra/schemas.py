"""`shenguan schemas`: the reference, generated from the code. A test fails where it is not as the code says.

JSON Schemas (2020-12) of submissions as they come in, of events as they are stored, and of the notice as its addressee
reads it; with them the AsyncAPI page and the tables of submissions, rules and who may read what over HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel

from domain.catalogue import EVENT_TYPES, PAYLOADS
from domain.message import NoticeMessage
from domain.owing import OWING
from domain.submissions import full_type

REFERENCE: Final = Path("docs/reference")
BASELINE: Final = "v1"
"""The schemas as first published: what is there may not be taken away or tightened."""
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]
Form = Literal["incoming", "stored", "opened"]
"""How personal values stand: plain from outside, sealed in the log, opened (null where erased) in a notice."""
_SEALED_REF: Final = {"$ref": "#/$defs/Sealed"}
_PLACE: Final = ("originator_id", "originator_version")


def submission_schema(type_: str) -> Schema:
    """The data of a submission, as it is handed in."""
    return _named(_of(PAYLOADS[type_], "incoming"), f"submission:{full_type(type_)}", full_type(type_))


def event_schema(topic: str) -> Schema:
    """An event's data as it stands in the log, and is published. Its place in its stream is not part of it."""
    schema = _of(EVENT_TYPES[topic], "stored")
    _drop(schema, *_PLACE)
    schema["properties"]["class_version"] = {
        "type": "integer",
        "minimum": 1,
        "maximum": EVENT_TYPES[topic].class_version,
        "description": "The version of these fields; absent: 1.",
    }
    return _named(schema, f"event:{topic}", topic)


def notice_schema() -> Schema:
    """The data of a notice, with the details of every fact that may owe one."""
    schema = NoticeMessage.model_json_schema(mode="serialization")
    schema["allOf"] = []
    for kind in sorted(OWING, key=lambda one: one.TOPIC):
        details = _of(kind, "opened")
        _drop(details, *_PLACE, "meta")
        for name in [name for name in details["properties"] if name.endswith("_")]:
            _rename(details, name, name.removesuffix("_"))
        details = inlined(details)
        details.pop("title", None)
        schema["allOf"].append(
            {
                "if": _fact({"properties": {"type": {"const": kind.TOPIC}}}),
                "then": _fact({"properties": {"details": details}}),
            }
        )
    return _named(schema, "notice", "Notice")


def schemas() -> dict[str, Schema]:
    """Every schema by its file's name."""
    found = {f"submission.{type_}.json": submission_schema(type_) for type_ in sorted(PAYLOADS)}
    found |= {f"event.{topic}.json": event_schema(topic) for topic in sorted(EVENT_TYPES)}
    return found | {"notice.json": notice_schema()}


def inlined(schema: Schema) -> Schema:
    """Without `$defs`: every reference replaced by what it stands for."""
    defs = schema.get("$defs", {})

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            if "$ref" in value:
                meant = walk(deepcopy(defs[value["$ref"].removeprefix("#/$defs/")]))
                return meant | {k: walk(v) for k, v in value.items() if k != "$ref"}
            return {key: walk(part) for key, part in value.items() if key != "$defs"}
        return [walk(part) for part in value] if isinstance(value, list) else value

    found: Schema = walk(schema)
    return found


def incompatibilities(old: Schema, new: Schema, at: str = "") -> Iterator[str]:
    """What a schema takes away from those who rely on an older one: a property, a value, room; or asks for more."""
    old, new = (inlined(each) if "$defs" in each else each for each in (old, new))
    if alternatives := _alternatives(old):
        for number, alternative in enumerate(alternatives):
            offered = _alternatives(new) or [new]
            if not any(not list(incompatibilities(alternative, one, at)) for one in offered):
                yield f"{at}: alternative {number} is gone or tighter"
        return
    if alternatives := _alternatives(new):
        if not any(not list(incompatibilities(old, one, at)) for one in alternatives):
            yield f"{at}: no alternative fits what was allowed"
        return
    if "type" in new and new["type"] != old.get("type") and (old.get("type"), new["type"]) != ("integer", "number"):
        yield f"{at}: type {old.get('type')} became {new['type']}"
    for word, tighter in _BOUNDS.items():
        if word in new and (word not in old or tighter(old[word], new[word])):
            yield f"{at}: {word} {old.get(word)} became {new[word]}"
    known, allowed = (each.get("enum", [each["const"]] if "const" in each else None) for each in (old, new))
    if allowed is not None and (known is None or not set(known) <= set(allowed)):
        yield f"{at}: of {known} only {allowed} is left"
    for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
        yield f"{at}/{name}: is required now"
    if new.get("additionalProperties", True) is False and old.get("additionalProperties", True) is not False:
        yield f"{at}: further properties are refused now"
    for name, part in old.get("properties", {}).items():
        if name not in new.get("properties", {}):
            yield f"{at}/{name}: is gone"
        else:
            yield from incompatibilities(part, new["properties"][name], f"{at}/{name}")
    for word in ("items", "additionalProperties"):
        if isinstance(old.get(word), dict) and isinstance(new.get(word), dict):
            yield from incompatibilities(old[word], new[word], f"{at}/{word}")
    if "prefixItems" in old or "allOf" in old:
        for word in ("prefixItems", "allOf"):
            if len(old.get(word, ())) > len(new.get(word, ())):
                yield f"{at}: {word} became shorter"


def _alternatives(schema: Schema) -> list[Schema]:
    found: list[Schema] = schema.get("anyOf") or schema.get("oneOf") or []
    return found


_BOUNDS: Final[dict[str, Any]] = {
    "maxLength": lambda old, new: new < old,
    "maxItems": lambda old, new: new < old,
    "maximum": lambda old, new: new < old,
    "minLength": lambda old, new: new > old,
    "minItems": lambda old, new: new > old,
    "minimum": lambda old, new: new > old,
    "pattern": lambda old, new: new != old,
    "format": lambda old, new: new != old,
}


def generated() -> dict[str, str]:
    """Every file of the reference that comes from the code, by its path below `docs/reference`."""
    from infra import asyncapi, reference
    from infra.examples import story
    from infra.web import matrix

    told = story()
    files = {f"schemas/{name}": _text(schema) for name, schema in schemas().items()}
    files["asyncapi.yaml"] = asyncapi.page(told)
    files["submissions.md"] = reference.submissions(told)
    files["rules.md"] = reference.rules()
    files["http-access.md"] = matrix.page()
    return files


def write(out: Path) -> list[str]:
    """Writes what is new or differs, below `docs/reference`; returns it. A baseline is only ever added to."""
    changed = []
    files = generated()
    for name, text in list(files.items()):
        if name.startswith("schemas/"):
            first = f"schemas/{BASELINE}/{Path(name).name}"
            if not (out / first).exists():
                files[first] = text
    for name, text in files.items():
        path = out / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            changed.append(name)
    return sorted(changed)


def main() -> None:
    """Writes the reference of the working tree in which it is run."""
    for name in write(REFERENCE):
        print(REFERENCE / name)  # noqa: T201


def _text(schema: Schema) -> str:
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


def _named(schema: Schema, id_: str, title: str) -> Schema:
    return {"$schema": DIALECT, "$id": f"urn:shenguan:{id_}"} | schema | {"title": title}


def _of(model: type[BaseModel], form: Form) -> Schema:
    """The model's schema, with its personal values in one form only."""
    schema = model.model_json_schema(mode="validation" if form == "incoming" else "serialization")
    defs = schema.get("$defs", {})
    for name, part in [("", schema), *defs.items()]:
        part.pop("title", None)
        for field, value in part.get("properties", {}).items():
            # An organisation's name, or a licence's number without an identity number in it, stands in clear.
            open_ = (name, field) == ("Party", "name") or field == "licence_number"
            part["properties"][field] = _personal(value, form, open_)
    while unused := defs.keys() - {ref.removeprefix("#/$defs/") for ref in _references(schema)}:
        for name in unused:
            del defs[name]
    if not defs:
        schema.pop("$defs", None)
    return schema


def _personal(value: Schema, form: Form, open_: bool) -> Schema:
    value.pop("title", None)
    alternatives = value.get("anyOf", [])
    if _SEALED_REF not in alternatives:
        return value
    match form:
        case "incoming":
            left = [one for one in alternatives if one != _SEALED_REF]
        case "stored":
            left = [one for one in alternatives if open_ or one.get("type") != "string"]
        case "opened":
            left = [{"type": "string"}, {"type": "null"}]
    rest = {k: v for k, v in value.items() if k != "anyOf"}
    found = {**left[0]} if len(left) == 1 else {"anyOf": left}
    return found | rest | {"x-personal": True}


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for part in value.values():
            yield from _references(part)
    elif isinstance(value, list):
        for part in value:
            yield from _references(part)


def _drop(schema: Schema, *names: str) -> None:
    for name in names:
        schema["properties"].pop(name, None)
    schema["required"] = [name for name in schema.get("required", ()) if name not in names]


def _rename(schema: Schema, old: str, new: str) -> None:
    schema["properties"] = {new if name == old else name: part for name, part in schema["properties"].items()}
    schema["required"] = [new if name == old else name for name in schema["required"]]


def _fact(schema: Schema) -> Schema:
    return {"properties": {"fact": schema}}


if __name__ == "__main__":
    main()

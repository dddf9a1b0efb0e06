"""Faulty submissions: dead letters, each told with its field and rule; most are put right and sent again.

Content is judged before anything else is looked at, or else after what it waits for; no rule here depends on the order.
A dead letter claims no id, and the repair has an id of its own.
"""

from __future__ import annotations

import json
from typing import Any

from infra.generator import names
from infra.generator.arrival import Arrival
from infra.generator.case import Case
from infra.generator.scenario import scenario


def _put_right(case: Case, fault: Arrival) -> None:
    """The whole case after the fault; its first submission says which one it repairs."""
    case.wait(1, 2)
    retry = {"retryof": f"{fault.source}/{fault.id}"} if fault.id else None
    case.accept(attributes=retry)
    case.wait(1, 9)
    case.decide()
    case.seal()
    case.wait(1, 3)
    for notice in case.told:
        case.receive(notice)


def _bad_acceptance(case: Case, rule: str, data: dict[str, Any]) -> None:
    _put_right(case, case.accept(data, expect="dead", rule=rule))


def _of_person(case: Case, **changes: Any) -> dict[str, Any]:
    """The party with something else about its person."""
    field = "person" if "person" in case.party else "representative"
    return {"party": {**case.party, field: {**case.party[field], **changes}}}


@scenario(1.3)
def invalid_json(case: Case) -> None:
    """The data, or the structured body with its header, is no JSON; or there is nothing at all."""
    fault = case.accept(expect="dead")
    whole = json.dumps(fault.data, ensure_ascii=False).encode()
    fault.headers = {"content-type": "application/json", **{f"ce_{k}": v for k, v in fault.attributes.items()}}
    match case.turn % 3:
        case 0:
            fault.raw = whole[: len(whole) // 2]
        case 1:
            body = {**fault.attributes, "data": fault.data}
            fault.raw = json.dumps(body, ensure_ascii=False).encode()[:-2]
            fault.headers = {"content-type": "application/cloudevents+json"}
            fault.readable = False
        case _:
            fault.raw, fault.readable = b"", False
    _put_right(case, fault)


@scenario()
def missing_field(case: Case) -> None:
    """A field is missing."""
    fault = case.accept(expect="dead", rule="missing")
    del fault.data[("matter", "party", "accepted_on")[case.turn % 3]]
    _put_right(case, fault)


@scenario()
def wrong_matter_code(case: Case) -> None:
    """A matter code of a wrong length or shape."""
    code = case.item.code
    if case.turn % 2:
        _bad_acceptance(case, "matter.length", {"matter": code[:-2]})
    else:
        _bad_acceptance(case, "matter.shape", {"matter": "I" + code[1:]})


@scenario(party=names.LEGAL)
def wrong_uscc(case: Case) -> None:
    """A unified social credit code of a wrong shape."""
    uscc: str = case.party["uscc"]
    wrong = uscc[:-1] if case.turn % 2 else f"{uscc[:9]}O{uscc[10:]}"
    _bad_acceptance(case, "uscc.shape", {"party": {**case.party, "uscc": wrong}})


@scenario()
def wrong_resident_id(case: Case) -> None:
    """A resident number that fails its check."""
    field = "person" if "person" in case.party else "representative"
    number: str = case.party[field]["id_number"]
    wrong = number[:17] + ("0" if number[17] != "0" else "1")
    _bad_acceptance(case, "resident.check", _of_person(case, id_number=wrong))


@scenario()
def dates_out_of_order(case: Case) -> None:
    """Valid to before valid from, or decided before accepted. The latter waits for the case first."""
    case.accept()
    case.wait(1, 9)
    if case.turn % 2:
        case.decide({"valid_to": case.day(-1)}, expect="dead", rule="date.order")
    else:
        case.decide({"decided_on": case.day(-60)}, expect="dead", rule="date.order")
    case.wait(0, 2)
    case.decide()
    case.receive(case.told[0])


@scenario()
def date_in_future(case: Case) -> None:
    """A date after the submission itself."""
    if case.turn % 2:
        _bad_acceptance(case, "date.future", {"accepted_on": case.day(7)})
        return
    case.accept()
    case.wait(1, 9)
    case.decide({"decided_on": case.day(3)}, expect="dead", rule="date.future")
    case.decide()
    case.receive(case.told[0])


@scenario()
def unknown_type(case: Case) -> None:
    """A type that nobody knows, or an unknown version of a known one."""
    type_ = "cn.shenguan.case.approve.v1" if case.turn % 2 else "cn.shenguan.case.accept.v9"
    _put_right(case, case.accept(attributes={"type": type_}, expect="dead", rule="type.unknown"))


@scenario()
def missing_attribute(case: Case) -> None:
    """A required attribute of CloudEvents is missing, so that nobody can tell what it is."""
    fault = case.accept(expect="dead")
    del fault.attributes[("id", "source", "specversion", "type")[case.turn % 4]]
    fault.readable = False
    _put_right(case, fault)


@scenario()
def time_without_zone(case: Case) -> None:
    """A time without zone, or none."""
    fault = case.accept(expect="dead", rule="time.zone")
    fault.attributes["time"] = fault.attributes["time"].removesuffix("+08:00")
    _put_right(case, fault)


@scenario()
def sealed_from_outside(case: Case) -> None:
    """A value that pretends to be sealed already."""
    sealed = {"subject": "person/0", "ciphertext": "AAAA", "commitment": "0" * 64}
    _bad_acceptance(case, "personal.sealed", _of_person(case, name=sealed))


@scenario()
def over_long(case: Case) -> None:
    """A field longer than it may be."""
    case.accept()
    case.wait(1, 9)
    if case.turn % 2:
        case.decide({"content": "许可内容" * 1001}, expect="dead", rule="string_too_long")
    else:
        case.decide({"document_number": "9" * 65}, expect="dead", rule="string_pattern_mismatch")
    case.decide()
    case.receive(case.told[0])


@scenario()
def wrong_correction(case: Case) -> None:
    """A correction whose old value is not what stands: waits for the decision, which alone wrote that field."""
    case.grant()
    case.wait(1, 3)
    case.correct("document_number", f"{case.document}0", case.document, expect="dead", rule="correction.old")
    case.receive(case.told[0])

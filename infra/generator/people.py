"""People and parties: officers, contacts, and whom the permits are about."""

from __future__ import annotations

from random import Random
from typing import Any

from infra.generator import names


def person_name(rng: Random) -> str:
    """A name that is no part of a place's or company's: so that a search for it in stored data means something."""
    while True:
        name = names.person_name(rng)
        if not (len(name) == 2 and name[0] in "云包乌") and name not in ("乌兰", "额尔敦"):
            return name


def person(rng: Random, region: str) -> dict[str, str]:
    """A natural person with a valid identity document."""
    return {
        "name": person_name(rng),
        "id_type": "身份证",
        "id_number": names.resident_id(rng, region),
        "phone": names.phone(rng),
    }


def liaison(rng: Random) -> dict[str, str]:
    """A contact: name and telephone number."""
    return {"name": person_name(rng), "phone": names.phone(rng)}


def officers(rng: Random) -> tuple[dict[str, str], ...]:
    """The five officers of a department."""
    return tuple({"id": f"R{number:03d}", "name": person_name(rng)} for number in range(1, 6))


def party(rng: Random, kind: str, county: tuple[str, str], department: str) -> dict[str, Any]:
    """A party of one of the three kinds (`names.PARTY_KINDS`) in a county, of a trade that suits the department."""
    region, place = county
    if kind == names.PERSON:
        who = person(rng, region)
        return {"kind": kind, "name": who["name"], "person": who}
    made: dict[str, Any] = {"kind": kind, "name": names.party_name(rng, kind, place, department)}
    made["uscc"] = names.uscc(rng, region, "92" if kind == names.SOLE_TRADER else "91")
    made["person" if kind == names.SOLE_TRADER else "representative"] = person(rng, region)
    return made

"""A 双公示 permit record as the submission `permit.report`.

Made of nothing but the record, so that it is the same again whenever it is imported again.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, time
from typing import Any, Final

from adapters.formats.shuanggongshi import LONG_TERM, PartyKind, PermitRecord
from domain.cases import DecisionKind
from domain.identifiers import IdentifierError, normalise_uscc, parse_document_type, parse_resident_id
from domain.public_records import ReportPermit, document_key
from domain.submissions import BEIJING, cloud_event


def attributes_of(payload: ReportPermit, principal: str) -> dict[str, str]:
    """The CloudEvent's attributes, from the row alone: the time is the end of the day of the decision."""
    named = "\n".join((payload.TYPE, payload.organ_uscc, document_key(payload.document_number)))
    end = datetime.combine(payload.decided_on, time(23, 59, 59), BEIJING)
    return cloud_event(ReportPermit, principal, f"permit.{hashlib.sha256(named.encode()).hexdigest()[:32]}", end)


def payload_of(record: PermitRecord, department: str, *, legacy: bool = False) -> dict[str, Any]:
    """A record as the data of a `permit.report`, still plain; absent values left out."""
    kind, detail = _kind(record.licence_kind)
    party, codes = _party(record)
    return _present(
        department=department,
        organ_uscc=record.organ_uscc,
        organ_name=record.organ,
        certificate=record.certificate,
        kind=kind,
        kind_detail=detail,
        document_title=record.document_title,
        document_number=record.document_number,
        licence_number=record.licence_number,
        party=party,
        party_codes=codes or None,
        content=record.content,
        decided_on=record.decided_on.isoformat(),
        valid_from=record.valid_from.isoformat(),
        valid_to=(LONG_TERM if record.long_term else record.valid_to).isoformat(),
        source_name=record.source,
        source_uscc=record.source_uscc,
        note=record.note,
        basis="legacy" if legacy else None,
    )


def _present(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _kind(text: str) -> tuple[DecisionKind, str | None]:
    """其他-… has its explanation apart: it is free text."""
    match text:
        case "普通" | "特许" | "认可" | "核准" | "登记":
            return text, None
        case _:
            return "其他", text


def _party(record: PermitRecord) -> tuple[dict[str, Any], dict[str, str]]:
    """The party, and what else identifies it. A code that is none is kept, sealed, not dropped."""
    codes = _present(
        registration=record.party_registration,
        organisation=record.party_organisation,
        tax_number=record.party_tax_number,
        institution=record.party_institution,
        association=record.party_association,
    )
    uscc = record.party_uscc
    if uscc is not None and not _is_uscc(uscc):
        codes["unread_uscc"], uscc = uscc, None
    person = None
    if record.party_kind == PartyKind.PERSON:
        person = _person(record.party_name, record.party_document_type, record.party_document)
    representative = None
    kind, document = record.representative_document_type, record.representative_document
    if record.representative is not None:
        representative = _person(record.representative, kind, document)
    if document is not None and (representative is None or "id_number" not in representative):
        codes |= _present(representative_document_type=kind, representative_document=document)
    party = _present(
        kind=str(record.party_kind), name=record.party_name, uscc=uscc, person=person, representative=representative
    )
    return party, codes


def _person(name: str, kind: str | None, number: str | None) -> dict[str, str]:
    """A person, with the identity document where it is one that can be trusted to name somebody."""
    found = {"name": name}
    if kind is None or number is None:
        return found
    try:
        id_type = str(parse_document_type(kind))
        if id_type == "身份证":
            number = parse_resident_id(number).value
    except IdentifierError:
        return found
    return found | {"id_type": "护照" if id_type == "护照号" else id_type, "id_number": number}


def _is_uscc(text: str) -> bool:
    try:
        return bool(normalise_uscc(text))
    except IdentifierError:
        return False


CODES: Final = {
    "organ_uscc": "XK_XKJGDM",
    "organ_name": "XK_XKJG",
    "certificate": "XK_XKZS",
    "kind_detail": "XK_XKLB",
    "document_title": "XK_XKWS",
    "document_number": "XK_WSH",
    "licence_number": "XK_XKBH",
    "party.name": "XK_XDR_MC",
    "content": "XK_NR",
    "decided_on": "XK_JDRQ",
    "valid_from": "XK_YXQZ",
    "valid_to": "XK_YXQZI",
    "source_name": "XK_LYDW",
    "source_uscc": "XK_LYDWDM",
    "note": "BZ",
}
"""A submission's field → the standard's code, for the report."""

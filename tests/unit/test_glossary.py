"""Every name in code stands in the glossary."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

from adapters.formats.shuanggongshi import FIELDS
from domain.catalogue import EVENT_TYPES, PAYLOADS
from domain.circulars import CircularKind
from domain.consultations import ConsultationStatus
from domain.departments import Role
from domain.documents import DocumentStatus
from domain.duties import Budget, CostItem
from domain.event import Auth
from domain.handling import Disposition
from domain.inspections import Category, Form, InspectionResult, Manner
from domain.licences import LicenceStatus
from domain.notices import About
from domain.ratings import AppealOutcome, Complexity, RatingFinding, RatingStatus, Service
from domain.relations import RelationKind
from domain.risks import Signal, Unit
from domain.supervision import FeedbackStatus, Outcome, Suggestion
from infra import schemas
from projections.approvals import Approval
from projections.attempts import Attempt
from projections.daily import Daily
from projections.inspections import Inspection
from projections.rates import RATES
from projections.ratings import Rating
from projections.receipts import Receipt
from projections.region import RegionDecision, RegionNotice
from projections.risks import Risk
from projections.two_way import Step

GLOSSARY = Path(__file__).parents[2] / "docs" / "glossary.md"


def names() -> Iterator[str]:
    inspection = (Form, Category, Manner, InspectionResult)
    rating = (AppealOutcome, Complexity, RatingFinding, RatingStatus, Service)
    small = (CircularKind, ConsultationStatus, DocumentStatus, RelationKind, CostItem, Budget)
    for literal in (
        *small,
        LicenceStatus,
        Role,
        Auth,
        Disposition,
        About,
        Outcome,
        Suggestion,
        FeedbackStatus,
        Signal,
        Unit,
        *inspection,
        *rating,
    ):
        yield from get_args(literal)
    yield from EVENT_TYPES
    yield from PAYLOADS
    yield from FIELDS
    yield from (rate.key for rate in RATES)
    for row in (Approval, Attempt, Daily, Inspection, Rating, Receipt, Risk, Step, RegionNotice, RegionDecision):
        yield from (field.name for field in fields(row))
    for schema in schemas.schemas().values():
        yield from _properties(schemas.inlined(schema))


def _properties(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value.get("properties", {})
        for part in value.values():
            yield from _properties(part)
    elif isinstance(value, list):
        for part in value:
            yield from _properties(part)


def test_no_name_is_missing() -> None:
    known = set(re.findall(r"`([^`]+)`", GLOSSARY.read_text(encoding="utf-8")))
    assert set(names()) - known == set()

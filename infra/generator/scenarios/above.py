"""Up and down: superior review (4.2), and written opinions where a ministry decides in the end (2.7d).

A review's result waits for its submission, an opinion for the case; neither bears on the decision.
"""

from __future__ import annotations

from typing import Any

from infra.generator.arrival import Arrival
from infra.generator.case import Case
from infra.generator.offices import HIGHER
from infra.generator.scenario import scenario


def _decide(case: Case) -> None:
    case.wait(1, 9)
    case.decide()
    case.seal()
    case.licence()
    case.wait(1, 3)
    for notice in case.told:
        case.receive(notice)


@scenario(0.2)
def reviewed_above(case: Case) -> None:
    """Submitted straight to the higher authority, which answers; both hear of it."""
    case.accept()
    case.wait(1, 3)
    number = f"SB{case.index:07d}"
    said = {**case.key_of_case, "review_number": number, "to": HIGHER, "content": "初审同意，报请审核"}
    submitted = case.send("review.submit", case.organ, said)
    review = case.owe(HIGHER, submitted, "review")
    case.wait(1, 3)
    case.receive(review)
    answer = {"submitter": case.organ, "review_number": number, "result": "agreed", "opinion": "同意"}
    case.owe(case.organ, case.send("review.return", HIGHER, answer), "review_result")
    case.receive(case.notices[-1])
    _decide(case)


@scenario(0.2)
def review_forwarded(case: Case) -> None:
    """转报 by way of the competent department: always refused (4.2b)."""
    case.accept()
    case.wait(1, 3)
    said = {**case.key_of_case, "through": case.competent}
    case.send("review.forward", case.competent, said, expect="refused", rule="review.forwarded")
    _decide(case)


@scenario(0.2, stands="flagged")
def opinion_issued(case: Case) -> None:
    """By the competent department, for the need that the matter is flagged for; for no other, and by nobody else."""
    case.accept()
    case.wait(1, 3)
    _opinion(case, case.competent, "ministry")
    _opinion(case, case.competent, "outside", expect="refused", rule="opinion.not_flagged")
    _opinion(case, case.organ, "ministry", expect="refused", rule="opinion.not_competent")
    _decide(case)


def _opinion(case: Case, department: str, need: str, **options: Any) -> Arrival:
    said = {
        **case.key_of_case,
        "opinion_number": f"YJ{case.index:07d}{len(case.arrivals):02d}",
        "need": need,
        "issued_on": case.today,
        "content": "该事项须报国家部委终审，建议予以支持",
    }
    return case.send("opinion.issue", department, said, **options)

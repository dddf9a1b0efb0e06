"""Supervision feedback with each suggestion, disposed of or not yet.

Feedback comes from a department told by the decision itself, so it is only ever early, never unlawful; it waits for the
decision, its disposition for it, the receipts of both for their notices. A revocation before or after changes nothing.
"""

from __future__ import annotations

from infra.generator.case import Case
from infra.generator.scenario import scenario

SUGGESTIONS = ("none", "rectify", "suspend", "revoke", "change")
OUTCOMES = ("adopted", "partly", "not")


@scenario(4)
def feedback_disposed(case: Case) -> None:
    """Raised, received, disposed of, and the disposition received; a permit suggested for revocation is revoked."""
    case.grant()
    supervisor = case.told[0]
    case.wait(1, 3)
    case.receive(supervisor)
    case.wait(10, 40)
    suggestion = SUGGESTIONS[case.rng.randrange(5)]
    finding = case.feedback(supervisor.addressee, suggestion)
    heard = case.notices[-1]
    case.wait(1, 2)
    case.receive(heard)
    case.wait(1, 5)
    outcome = OUTCOMES[case.rng.randrange(3)]
    case.dispose(finding, outcome)
    answer = case.notices[-1]
    if suggestion == "revoke" and outcome == "adopted":
        case.amend("case.revoke", "revocation", reason="根据监管部门意见查实后撤销")
    case.wait(1, 3)
    case.receive(answer)


@scenario(2)
def feedback_open(case: Case) -> None:
    """Raised by every supervisor, received or not, and not yet disposed of."""
    case.grant()
    for notice in case.told:
        case.wait(8, 25)
        case.receive(notice)
        case.feedback(notice.addressee, SUGGESTIONS[case.rng.randrange(5)])
        if case.rng.random() < 0.5:
            case.receive(case.notices[-1])

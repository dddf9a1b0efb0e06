"""Supervision feedback with each suggestion, disposed of or not yet.

Feedback comes from a department told by the decision itself, so it is only ever early, never unlawful; it waits for the
decision, its disposition for it, the receipts of both for their notices. A revocation before or after changes nothing.
A thread in which both sides have several turns comes through the platform, in one order.
"""

from __future__ import annotations

from infra.generator.case import Case
from infra.generator.offices import PLATFORM_PRINCIPAL
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


@scenario(0.2)
def feedback_to_the_end(case: Case) -> None:
    """Disposed of, replied to, disposed of again, closed; nothing follows. Through the platform."""
    case.through = PLATFORM_PRINCIPAL
    case.grant()
    supervisor = case.told[0]
    case.receive(supervisor)
    case.wait(10, 40)
    finding = case.feedback(supervisor.addressee, "rectify")
    case.wait(1, 5)
    case.dispose(finding, "partly")
    said = {"supervisor": supervisor.addressee, "number": finding.data["number"]}
    reply = case.send("feedback.reply", supervisor.addressee, {**said, "detail": "整改不到位，请继续督促"})
    case.owe(case.organ, reply, "feedback_reply")
    case.wait(1, 5)
    case.dispose(finding)
    closed = case.send("feedback.close", supervisor.addressee, said)
    case.owe(case.organ, closed, "feedback_closed")
    case.dispose(finding, "not", expect="refused", rule="feedback.closed")
    case.wait(1, 3)
    for notice in case.notices[len(case.told) :]:
        case.receive(notice)

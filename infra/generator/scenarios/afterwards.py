"""What becomes of permits: change, extension, withdrawal, revocation, cancellation, correction.

In all of them the audience is who was told of the decision, which the decision alone settles, because nothing is
returned in these cases. Decision, amendment and end come from one principal in order; receipts only wait for their
notices.
"""

from __future__ import annotations

from infra.generator.case import Case
from infra.generator.offices import HIGHER
from infra.generator.scenario import scenario
from infra.generator.story import Notice


def _receive_some(case: Case, notices: list[Notice]) -> None:
    case.wait(1, 5)
    for notice in notices[: max(1, len(notices) - case.turn % 2)]:
        case.receive(notice)


@scenario(1.5)
def change(case: Case) -> None:
    """Told of the decision and of the change, received or not."""
    case.grant()
    _receive_some(case, case.told)
    case.wait(10, 40)
    _receive_some(case, case.amend("case.change", "change", content="变更经营场所与法定代表人"))


@scenario(1.5)
def extension(case: Case) -> None:
    """Extended beyond any validity granted before."""
    case.grant()
    case.wait(20, 50)
    _receive_some(case, case.amend("case.extend", "extension", valid_to="2035-12-31"))


@scenario()
def withdrawal(case: Case) -> None:
    """撤回, because the facts it rested on changed."""
    case.grant()
    _receive_some(case, case.told)
    case.wait(10, 40)
    _receive_some(case, case.amend("case.withdraw", "withdrawal", reason="准予许可所依据的客观情况发生重大变化"))


@scenario(1.3)
def revocation(case: Case) -> None:
    """撤销 by the department that decided."""
    case.grant()
    _receive_some(case, case.told)
    case.wait(10, 40)
    _receive_some(case, case.amend("case.revoke", "revocation", reason="申请人提供虚假材料取得许可"))


@scenario()
def revocation_from_above(case: Case) -> None:
    """撤销 by the higher authority. It comes from another principal, so after the decision the deciding department does
    nothing that the end would forbid: it seals, which depends on the acceptance only, and issues no licence.
    """
    case.accept()
    case.wait(1, 15)
    case.decide()
    case.seal()
    case.wait(10, 40)
    _receive_some(case, case.amend("case.revoke", "revocation", HIGHER, reason="超越法定职权作出准予许可决定"))


@scenario(1.3)
def cancellation(case: Case) -> None:
    """注销 at the holder's wish."""
    case.grant()
    _receive_some(case, case.told)
    case.wait(10, 40)
    _receive_some(case, case.amend("case.cancel", "cancellation", reason="被许可人申请注销"))


@scenario(1.5)
def correction(case: Case) -> None:
    """A field of the decision is put right. The notices it supersedes are received by nobody, for a receipt would
    compete with the correction; the new ones are.
    """
    decision = case.grant()
    case.wait(1, 10)
    target = ("document_number", "valid_from", "valid_to")[case.turn % 3]
    new = {"document_number": f"{case.document}（更）", "valid_from": case.day(1), "valid_to": "2099-12-31"}[target]
    if target not in decision.data:
        target, new = "document_number", f"{case.document}（更）"
    case.correct(target, decision.data[target], new)
    _receive_some(case, case.told)

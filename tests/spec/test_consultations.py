"""Consultations between levels (4.3a): each step told to the other side, a case only to those concerned."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from domain.consultations import ConsultationAsked
from tests.spec.test_circulars import told
from tests.unit.spec import MATTER, Region, owed

ASKED: dict[str, Any] = {"number": "1", "to": "qu", "question": "跨区域施工许可如何办理？", "reply_by": "2026-03-20"}
THREAD = {"asker": "spj", "number": "1"}


@pytest.mark.clause("4.3a")
def test_a_consultation_goes_up_comes_down_and_is_closed(region: Region) -> None:
    steps = [
        owed(region.accepted("consultation.ask", "spj", **ASKED)),
        owed(region.accepted("consultation.answer", "qu", **THREAD, answer="由受理地办理。")),
        owed(region.accepted("consultation.ask_again", "spj", **THREAD, question="材料向谁提交？")),
        owed(region.accepted("consultation.answer", "qu", **THREAD, answer="向受理地。")),
        owed(region.accepted("consultation.close", "spj", **THREAD)),
    ]
    assert [told(region, *one) for one in steps] == [
        [("qu", "consultation", "", "")],
        [("spj", "consultation_answer", "", "")],
        [("qu", "consultation_again", "", "")],
        [("spj", "consultation_answer", "", "")],
        [("qu", "consultation_closed", "", "")],
    ]
    assert region.world.consultation("spj", "1").status == "closed"
    down = owed(region.accepted("consultation.ask", "qu", number="1", to="s1", question="情况如何？", matter=MATTER))
    assert told(region, *down) == [("s1", "consultation", "", MATTER)]


@pytest.mark.clause("4.3a")
def test_a_consultation_about_a_case_tells_of_it(region: Region) -> None:
    region.accept()
    about = {"case_organ": "spj", "case_number": "1"}
    [event, *_] = events = region.accepted("consultation.ask", "spj", **ASKED, **about)
    assert isinstance(event, ConsultationAsked)
    assert (event.case, event.matter) == ("case/spj/1", MATTER)
    assert told(region, *owed(events)) == [("qu", "consultation", "case/spj/1", MATTER)]


@pytest.mark.clause("4.3a", refused=True)
def test_it_is_between_levels_and_each_takes_its_turn(region: Region) -> None:
    region.refused("consultation.level", "consultation.ask", "spj", **(ASKED | {"to": "zjj"}))
    region.refused("consultation.level", "consultation.ask", "spj", **(ASKED | {"to": "spj"}))
    elsewhere = {"code": "bt", "name": "包头", "roles": ["HIGHER_AUTHORITY"], "region": "150200"}
    region.accepted("department.register", "sgb", entry=elsewhere | {"valid_from": "2020-01-01"})
    region.refused("consultation.level", "consultation.ask", "spj", **(ASKED | {"to": "bt"}))
    region.refused("mandate.role", "consultation.ask", "sgb", **ASKED)
    region.dead("reply_by", "date.order", "consultation.ask", "spj", **(ASKED | {"reply_by": "2026-03-01"}))
    region.waits("consultation/spj/9", "consultation.answer", "qu", asker="spj", number="9", answer="可以")
    region.accepted("consultation.ask", "spj", **ASKED)
    region.refused("consultation.exists", "consultation.ask", "spj", **ASKED)
    region.refused("mandate.role", "consultation.answer", "s1", **THREAD, answer="可以")
    region.waits("consultation/spj/1", "consultation.close", "spj", **THREAD)


@pytest.mark.clause("4.3a", refused=True)
def test_once_answered_or_closed_it_stays_so(region: Region) -> None:
    region.accepted("consultation.ask", "spj", **ASKED)
    region.accepted("consultation.answer", "qu", **THREAD, answer="可以")
    region.refused("consultation.answered", "consultation.answer", "qu", **THREAD, answer="不可以")
    region.refused("mandate.role", "consultation.ask_again", "qu", **THREAD, question="为何？")
    region.refused("mandate.role", "consultation.close", "qu", **THREAD)
    region.dead(
        "reply_by", "date.order", "consultation.ask_again", "spj", **THREAD, question="为何？", reply_by="2026-03-01"
    )
    region.accepted("consultation.close", "spj", **THREAD)
    region.refused("consultation.closed", "consultation.answer", "qu", **THREAD, answer="可以")
    region.refused("consultation.closed", "consultation.ask_again", "spj", **THREAD, question="为何？")


@pytest.mark.clause("4.3a", refused=True)
def test_a_case_is_told_only_to_those_who_have_to_do_with_it(region: Region) -> None:
    about = {"case_organ": "spj", "case_number": "1"}
    region.waits("case/spj/2", "consultation.ask", "spj", **ASKED, case_organ="spj", case_number="2")
    region.accept()
    region.refused("consultation.not_concerned", "consultation.ask", "s3", **ASKED, **about)
    region.refused("consultation.not_concerned", "consultation.ask", "qu", **(ASKED | {"to": "s3"}), **about)
    for wrong in ({"matter": MATTER}, {"case_number": None}):
        with pytest.raises(ValidationError):
            region.submit("consultation.ask", "spj", **(ASKED | about | wrong))

"""What cites a document, by its number alone; and from which budget a region's departments are paid."""

from __future__ import annotations

import pytest

from domain.documents import cited
from domain.duties import level


def test_a_number_is_found_however_its_brackets_are_written() -> None:
    longer = "内政办发〔2020〕9号"
    known = {longer, "政办发〔2020〕9号", "A1"}
    assert cited("依据内政办发【2020】9号及有关规定", known) == {longer}
    assert cited("政办发 (2020) 9号；A12", known) == {"政办发〔2020〕9号"}
    assert cited("a1，A1-2", known) == {"A1"}
    assert cited("内政办发〔2020〕19号", known) == set()
    assert cited("任何", set()) == set()


@pytest.mark.parametrize(("region", "budget"), [("150000", "region"), ("150100", "league"), ("150102", "banner")])
def test_a_budget_is_its_regions(region: str, budget: str) -> None:
    assert level(region) == budget

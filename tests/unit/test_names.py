"""The generator's names: deterministic, well-shaped, valid."""

import re
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from domain.identifiers import REGIONS, league_of, normalise_uscc, parse_region, parse_resident_id
from infra.generator import names

seeds = st.integers(0, 2**32)


def test_the_twelve_and_their_counties() -> None:
    assert {league.code: league.name for league in names.LEAGUES} == dict(REGIONS)
    assert len({league.sign for league in names.LEAGUES}) == 12
    for league in names.LEAGUES:
        assert 3 <= len(league.counties) <= 6
        for code, name in league.counties:
            assert league_of(parse_region(code)) == league.code
            assert name[-1] in "区县旗市"
    counties = [code for league in names.LEAGUES for code, _ in league.counties]
    assert len(counties) == len(set(counties))


def test_matters_are_whole() -> None:
    assert len(names.MATTERS) >= 40
    assert len({matter.name for matter in names.MATTERS}) == len(names.MATTERS)
    for matter in names.MATTERS:
        assert {matter.department, matter.lead, *matter.assisting} <= set(names.DEPARTMENTS)
        assert matter.lead not in matter.assisting
        assert len(matter.assisting) <= 2
        assert matter.parties
        assert set(matter.parties) <= set(names.PARTY_KINDS)
        assert matter.years is None or 1 <= matter.years <= 15
        assert re.fullmatch(r"《[^《》]+(法|条例)》第[一二三四五六七八九十百]+条", matter.basis)
        assert matter.basis.startswith("《中华人民共和国") == ("法》" in matter.basis)
    assert any(not matter.assisting for matter in names.MATTERS)
    assert any(matter.years is None for matter in names.MATTERS)
    assert {kind for matter in names.MATTERS for kind in matter.parties} == set(names.PARTY_KINDS)


def everything(rng: Random) -> tuple[object, ...]:
    """One call of every maker."""
    league = names.league(rng)
    code, place = names.county(rng, league)
    matter = names.matter(rng)
    return (
        league,
        place,
        matter,
        names.uscc(rng, code),
        names.uscc(rng, code, "11"),
        names.resident_id(rng, code),
        names.phone(rng),
        names.document_number(rng, league, 2025),
        names.licence_number(rng, matter, code, 2025),
        names.officer_names(rng, 20),
        *(names.party_name(rng, kind, place, matter.department) for kind in names.PARTY_KINDS),
    )


@given(seeds)
def test_a_seed_gives_the_same_again(seed: int) -> None:
    assert everything(Random(seed)) == everything(Random(seed))


@given(seeds, st.sampled_from(["91", "92", "11", "12", "52"]))
def test_codes_and_numbers_are_valid(seed: int, kind: str) -> None:
    rng = Random(seed)
    league = names.league(rng)
    code, _ = names.county(rng, league)
    read = normalise_uscc(names.uscc(rng, code, kind))
    assert read.valid
    assert (read.value[:2], read.region) == (kind, code)
    resident = names.resident_id(rng, code)
    assert parse_resident_id(resident).region == code
    assert ric.calc_check_digit(resident) == resident[-1]
    assert re.fullmatch(r"1[3-9]\d{9}", names.phone(rng))


@given(seeds)
def test_names_are_of_their_kind(seed: int) -> None:
    rng = Random(seed)
    assert "有限" in names.enterprise_name(rng, "呼和浩特市", "农牧")
    assert names.sole_trader_name(rng, "赛罕区").startswith("赛罕区")
    assert 2 <= len(names.person_name(rng)) <= 6
    officers = names.officer_names(rng, 50)
    assert len(set(officers)) == 50


def test_document_and_licence_numbers() -> None:
    rng = Random(1)
    assert names.document_number(rng, "150100", 2025, 123) == "呼审批许字〔2025〕123号"
    assert re.fullmatch(r"锡审批许字〔2026〕\d{1,4}号", names.document_number(rng, "152500", 2026))
    food = next(matter for matter in names.MATTERS if matter.name == "食品经营许可")
    assert names.licence_number(rng, food, "150102", 2025, 7) == "JY15010225000007"
    assert names.department_name("呼和浩特市", names.APPROVAL) == "呼和浩特市行政审批和政务服务局"


@pytest.mark.parametrize(
    "call", [lambda: names.department_name("呼和浩特市", "?"), lambda: names.document_number(Random(1), "110000", 2025)]
)
def test_unknown_keys_are_errors(call: Callable[[], str]) -> None:
    with pytest.raises(KeyError):
        call()

"""Identifiers: shape, check characters, round trips (GB 32100, GB/T 2260, GB 11643, GB/T 36904)."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc as reference

from domain.identifiers import (
    PROVINCES,
    REGIONS,
    USCC_ALPHABET,
    DocumentType,
    IdentifierError,
    check_licence_id,
    league_of,
    make_licence_id,
    make_matter_code,
    make_resident_id,
    make_uscc,
    normalise_uscc,
    parse_document_type,
    parse_matter_code,
    parse_region,
    parse_resident_id,
)

ALNUM = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
provinces = st.sampled_from(sorted(PROVINCES))
digits4 = st.text("0123456789", min_size=4, max_size=4)
usccs = st.builds(
    lambda kind, province, rest, body: make_uscc(kind + province + rest + body),
    st.text(USCC_ALPHABET, min_size=2, max_size=2),
    provinces,
    digits4,
    st.text(USCC_ALPHABET, min_size=9, max_size=9),
)
births = st.dates(date(1900, 1, 1), date(2025, 12, 31))
residents = st.builds(
    lambda province, rest, birth, order: make_resident_id(f"{province}{rest}{birth:%Y%m%d}{order:03d}"),
    provinces,
    digits4,
    births,
    st.integers(0, 999),
)
licences = st.builds(
    make_licence_id,
    st.text(ALNUM, min_size=21, max_size=21),
    usccs,
    st.text(ALNUM, min_size=1, max_size=20),
    st.text(ALNUM, min_size=3, max_size=3),
)


def changed(text: str, place: int, alphabet: str, step: int) -> str:
    """`text` with one character of `alphabet` replaced by another one."""
    at = alphabet.index(text[place])
    return text[:place] + alphabet[(at + step) % len(alphabet)] + text[place + 1 :]


@given(usccs)
def test_a_made_uscc_is_valid(code: str) -> None:
    assert normalise_uscc(code).valid
    assert normalise_uscc(code).value == code
    # where the library's narrower reading applies, it agrees
    assert reference.is_valid(code) or not code[:8].isdigit()


@given(usccs, st.integers(0, 17), st.integers(1, 30))
def test_any_single_change_of_a_uscc_is_noticed(code: str, place: int, step: int) -> None:
    assert not normalise_uscc(changed(code, place, USCC_ALPHABET, step)).valid


def test_uscc_is_normalised_and_keeps_what_came() -> None:
    code = make_uscc("91150102MA0N1ABCX")
    for raw in (
        code.lower(),
        f" {code}\t",
        f"'{code}",
        f"{code[:8]}-{code[8:]}",
        "".join(chr(ord(c) + 0xFEE0) for c in code),
    ):
        read = normalise_uscc(raw)
        assert (read.value, read.raw, read.valid) == (code, raw, True)
    assert normalise_uscc(code).region == "150102"


def test_rural_collectives_are_valid_organisations() -> None:
    assert normalise_uscc(make_uscc("N2150102MF1234567")).valid


@pytest.mark.parametrize("code", ["0" * 18, "00000000000000000X", "91150102MA0N1ABCX0"])
def test_a_well_shaped_uscc_with_a_wrong_check_is_kept_and_flagged(code: str) -> None:
    assert not normalise_uscc(code).valid


@pytest.mark.parametrize("raw", ["", "9115", "9" * 19, "91150102MA0N1ABCO1", "9115010２MA0N1ABC中1", "内蒙古" * 6])
def test_a_wrong_shape_is_refused_without_repeating_it(raw: str) -> None:
    with pytest.raises(IdentifierError) as caught:
        normalise_uscc(raw)
    assert caught.value.rule == "uscc.shape"
    assert not raw or raw not in str(caught.value)


@given(
    usccs,
    st.integers(1, 9),
    st.text(ALNUM, min_size=12, max_size=12),
    st.none() | st.text(ALNUM, min_size=2, max_size=2),
)
def test_matter_codes_round_trip(organ: str, level: int, base: str, item: str | None) -> None:
    code = parse_matter_code(make_matter_code(organ, level, base, item))
    assert (code.uscc.value, code.level, code.base, code.item) == (organ, level, base, item)
    assert code.valid
    assert len(code.value) == (33 if item else 31)
    assert code.value.startswith(code.implementation)
    assert len(code.implementation) == 31


def test_a_matter_code_flags_its_organ() -> None:
    assert not parse_matter_code("0" * 18 + "3" + "000116001000").valid


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        ("", "matter.length"),
        ("1" * 32, "matter.length"),
        ("O" * 31, "matter.shape"),
        ("1" * 18 + "0" * 13, "matter.shape"),
    ],
)
def test_wrong_matter_codes_are_refused(raw: str, rule: str) -> None:
    with pytest.raises(IdentifierError) as caught:
        parse_matter_code(raw)
    assert caught.value.rule == rule


def test_regions() -> None:
    assert len(PROVINCES) == 34
    assert {"11", "15", "46", "50", "54", "65", "71", "82"} <= PROVINCES
    assert not {"10", "16", "40", "47", "55", "66", "72", "83"} & PROVINCES
    assert len(REGIONS) == 12
    assert [parse_region(code) for code in REGIONS] == list(REGIONS)
    assert parse_region("110101") == "110101"
    assert league_of("152201") == "152200"
    assert league_of("150000") is None
    for raw, rule in (
        ("15010", "region.shape"),
        ("15010a", "region.shape"),
        ("160000", "region.province"),
        ("990000", "region.province"),
    ):
        with pytest.raises(IdentifierError) as caught:
            parse_region(raw)
        assert caught.value.rule == rule


@given(residents)
def test_resident_numbers_round_trip_and_do_not_show(code: str) -> None:
    read = parse_resident_id(code.lower())
    assert read.value == code
    assert f"{read.birth:%Y%m%d}" == code[6:14]
    assert code not in repr(read)


@given(residents, st.integers(0, 16), st.integers(1, 9))
def test_any_single_change_of_a_resident_number_is_noticed(code: str, place: int, step: int) -> None:
    with pytest.raises(IdentifierError) as caught:
        parse_resident_id(changed(code, place, "0123456789", step))
    assert code not in str(caught.value)


@given(residents, st.integers(1, 10))
def test_a_changed_check_of_a_resident_number_is_noticed(code: str, step: int) -> None:
    with pytest.raises(IdentifierError) as caught:
        parse_resident_id(changed(code, 17, "0123456789X", step))
    assert caught.value.rule == "resident.check"


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        ("15010219900101", "resident.shape"),
        ("1501**********1234", "resident.shape"),
        ("990102199001010010", "resident.region"),
        ("150102199002300010", "resident.birth"),
        ("150102100001010010", "resident.birth"),
    ],
)
def test_wrong_resident_numbers_are_refused(raw: str, rule: str) -> None:
    with pytest.raises(IdentifierError) as caught:
        parse_resident_id(raw)
    assert caught.value.rule == rule
    assert raw not in str(caught.value)


def test_a_birth_after_today_is_refused() -> None:
    code = make_resident_id("15010220300101001")
    assert parse_resident_id(code).female is False
    with pytest.raises(IdentifierError, match=r"resident\.birth"):
        parse_resident_id(code, today=date(2026, 1, 1))


@given(licences)
def test_licence_ids_round_trip(code: str) -> None:
    read = check_licence_id(code)
    assert read.valid
    assert read.value == code
    assert read.issuer.valid


@given(licences, st.integers(0, 200), st.integers(1, 35))
def test_any_single_change_of_a_licence_id_is_noticed(code: str, place: int, step: int) -> None:
    places = [at for at in range(len("1.2.156.3005.2."), len(code)) if code[at] != "."]
    other = changed(code, places[place % len(places)], ALNUM, step)
    try:
        valid = check_licence_id(other).valid
    except IdentifierError:  # a letter that an issuer's code cannot hold
        valid = False
    assert not valid


@pytest.mark.parametrize("raw", ["", "1.2.156.3005.2", "1.2.156.3005.3." + "1" * 21 + "." + "1" * 18 + ".1.001.0"])
def test_wrong_licence_ids_are_refused(raw: str) -> None:
    with pytest.raises(IdentifierError) as caught:
        check_licence_id(raw)
    assert caught.value.rule == "licence.shape"


def test_document_types() -> None:
    assert parse_document_type(" 居民身份证") is DocumentType.RESIDENT
    assert parse_document_type("护照号") is DocumentType.PASSPORT
    with pytest.raises(IdentifierError) as caught:
        parse_document_type("饭卡")
    assert caught.value.rule == "document.type"

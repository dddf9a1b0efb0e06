"""Identifiers of the outside world: organisations, matters, regions, persons, licences.

Pure functions over text. A wrong shape raises `IdentifierError`; a right shape with a wrong check character is flagged
(`valid=False`) and kept, because real registers hold such codes and a fact must not be lost over one of them.
Resident numbers are the exception: they name a person, so an unsure one is refused.

Sources: GB 32100-2015 (统一社会信用代码), GB/T 2260 (行政区划代码), GB 11643-1999 (公民身份号码),
GB/T 36904 (电子证照标识), ISO 7064 MOD 37,36 and MOD 11,10, and the 31 and 33 character codes of government service
matters.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from stdnum.cn import ric, uscc
from stdnum.iso7064 import mod_11_10, mod_37_36

USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
LICENCE_ROOT: Final = "1.2.156.3005.2"
REGION_PREFIX: Final = "15"

REGIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "150100": "呼和浩特市",
        "150200": "包头市",
        "150300": "乌海市",
        "150400": "赤峰市",
        "150500": "通辽市",
        "150600": "鄂尔多斯市",
        "150700": "呼伦贝尔市",
        "150800": "巴彦淖尔市",
        "150900": "乌兰察布市",
        "152200": "兴安盟",
        "152500": "锡林郭勒盟",
        "152900": "阿拉善盟",
    }
)
"""The twelve leagues and cities of Inner Mongolia (GB/T 2260), code to name."""

PROVINCES: Final = frozenset(
    f"{zone}{province}"
    for zone, count in ((1, 5), (2, 3), (3, 7), (4, 6), (5, 4), (6, 5), (7, 1), (8, 2))
    for province in range(0 if zone == 5 else 1, count + 1)
)
"""The first two digits a region code may have (GB/T 2260)."""

# Residence permits for people from Taiwan carry 830000 where others carry a region (GB 11643's later use).
_BIRTH_PROVINCES: Final = PROVINCES | {"83"}
# Bodies registered with a national authority carry 100000 as their region.
_REGISTRARS: Final = PROVINCES | {"10"}

_NOISE = re.compile(r"[\s\-\u200b-\u200f\u2060\ufeff]+")
_USCC = re.compile(f"[{USCC_ALPHABET}]{{18}}")
_MATTER = re.compile(f"([{USCC_ALPHABET}]{{18}})([1-9])([0-9A-Z]{{12}})([0-9A-Z]{{2}})?")
_CHECKLIST = re.compile(f"[{USCC_ALPHABET}]{{18}}[1-9][0-9A-Z]{{1,45}}")
_REGION = re.compile(r"[0-9]{6}")
_RESIDENT = re.compile(r"[0-9]{17}[0-9X]")
_LICENCE = re.compile(
    rf"{re.escape(LICENCE_ROOT)}\.([0-9A-Z]{{21}})\.([{USCC_ALPHABET}]{{18}})\.([0-9A-Z]{{1,64}})\.([0-9A-Z]{{3}})\.([0-9A-Z])"
)


_IDENTITY = re.compile(r"(?<![0-9A-Za-z])[1-9]\d{5}(?:18|19|20)\d{9}[\dXx](?![0-9A-Za-z])")


def holds_resident_id(text: str) -> bool:
    """Whether a number that looks like a resident identity number stands in the text, free on both sides."""
    return _IDENTITY.search(text) is not None


class IdentifierError(ValueError):
    """An identifier that cannot be one. `rule` is a dotted code, `message` is Chinese and never repeats the value."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(f"{rule}: {message}")
        self.rule = rule
        self.message = message


@dataclass(frozen=True, slots=True)
class Uscc:
    """GB 32100-2015. `value`: 18 upper-case characters; `raw`: as it came; `valid`: check character and region hold."""

    value: str
    raw: str
    valid: bool

    @property
    def region(self) -> str:
        """The registrar's region: characters 3 to 8, as they stand."""
        return self.value[2:8]


@dataclass(frozen=True, slots=True)
class MatterCode:
    """实施编码 (31 characters: USCC 18, level 1, base 12) or 业务办理项编码 (33: two more, `item`)."""

    uscc: Uscc
    level: int
    base: str
    item: str | None

    @property
    def implementation(self) -> str:
        """The 31 characters that an item shares with its matter."""
        return f"{self.uscc.value}{self.level}{self.base}"

    @property
    def value(self) -> str:
        """The whole code, 31 or 33 characters."""
        return self.implementation + (self.item or "")

    @property
    def valid(self) -> bool:
        """Whether the organ's code passes its check."""
        return self.uscc.valid


@dataclass(frozen=True, slots=True)
class ResidentId:
    """GB 11643-1999. Personal: neither the number nor the birth date shows in `repr`."""

    value: str = field(repr=False)
    region: str = field(repr=False)
    birth: date = field(repr=False)
    female: bool = field(repr=False)


@dataclass(frozen=True, slots=True)
class LicenceId:
    """GB/T 36904: root, type 21, issuer 18, serial, version 3, check 1. `valid`: the check character holds."""

    type_code: str
    issuer: Uscc
    serial: str
    version: str
    check: str
    valid: bool

    @property
    def value(self) -> str:
        """The identifier with its root and dots."""
        return ".".join((LICENCE_ROOT, self.type_code, self.issuer.value, self.serial, self.version, self.check))


class DocumentType(StrEnum):
    """Documents of natural persons that a 双公示 record may name (证件类型)."""

    RESIDENT = "身份证"
    PASSPORT = "护照号"
    HONG_KONG_MACAO = "港澳居民来往内地通行证"
    TAIWAN = "台湾居民来往大陆通行证"
    FOREIGN_RESIDENT = "外国人永久居留身份证"
    RESIDENCE_PERMIT = "港澳台居民居住证"


_DOCUMENT_NAMES: Final[Mapping[str, DocumentType]] = MappingProxyType(
    {str(kind): kind for kind in DocumentType}
    | {
        "居民身份证": DocumentType.RESIDENT,
        "身份证号": DocumentType.RESIDENT,
        "护照": DocumentType.PASSPORT,
        "外国人永久居留证": DocumentType.FOREIGN_RESIDENT,
    }
)


def _compact(raw: str) -> str:
    """Upper case without spaces, hyphens, full-width forms and the apostrophe of spreadsheets' text numbers."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", raw)).removeprefix("'").upper()


def _uscc_valid(value: str) -> bool:
    # stdnum's own validate wants eight leading digits and so refuses every N… (rural collectives), A… and Y… registrar
    # that GB 32100 allows; only its arithmetic is used. The region keeps eighteen zeros, whose sum fits, from passing.
    return value[2:8].isdigit() and value[2:4] in _REGISTRARS and uscc.calc_check_digit(value[:17]) == value[17]


@lru_cache(maxsize=10_000)  # a party comes again and again
def normalise_uscc(raw: str) -> Uscc:
    """Read a unified social credit code (GB 32100-2015): flag a wrong check, keep the code.

    Raises IdentifierError `uscc.shape` unless it is 18 characters of the standard's alphabet.
    """
    value = _compact(raw)
    if not _USCC.fullmatch(value):
        raise IdentifierError("uscc.shape", "统一社会信用代码应为18位数字或大写字母（不含I、O、Z、S、V）")
    return Uscc(value, raw, _uscc_valid(value))


def make_uscc(prefix17: str) -> str:
    """The 18-character code of 17 given ones (GB 32100-2015), for generators. Raises IdentifierError `uscc.shape`."""
    value = _compact(prefix17)
    if not _USCC.fullmatch(value + "0"):
        raise IdentifierError("uscc.shape", "统一社会信用代码前17位格式不正确")
    return value + str(uscc.calc_check_digit(value))


def parse_matter_code(raw: str) -> MatterCode:
    """Read a 31-character 实施编码 or a 33-character 业务办理项编码; the organ's check is flagged, not required.

    Raises IdentifierError `matter.length` or `matter.shape`.
    """
    value = _compact(raw)
    if len(value) not in (31, 33):
        raise IdentifierError("matter.length", "事项编码应为31位（实施编码）或33位（业务办理项编码）")
    match = _MATTER.fullmatch(value)
    if match is None:
        raise IdentifierError("matter.shape", "事项编码应由18位统一社会信用代码、1位行使层级和12位基本编码组成")
    organ, level, base, item = match.groups()
    return MatterCode(normalise_uscc(organ), int(level), base, item)


def make_matter_code(organ: str, level: int, base: str, item: str | None = None) -> str:
    """Join the parts of a matter code and read it back. Raises IdentifierError as `parse_matter_code` does."""
    return parse_matter_code(f"{organ}{level}{base}{item or ''}").value


def parse_checklist_code(raw: str) -> str:
    """A 检查实施清单编码 of 互联网+监管: USCC 18, level 1, then at least one character more; at most 64 in all.

    Raises IdentifierError `checklist.shape`.
    """
    value = _compact(raw)
    if not _CHECKLIST.fullmatch(value):
        raise IdentifierError("checklist.shape", "检查实施清单编码应以18位统一社会信用代码和1位行使层级开头，至多64位")
    return value


def parse_region(raw: str) -> str:
    """A six-digit region code of any province (GB/T 2260).

    Raises IdentifierError `region.shape` or `region.province`.
    """
    value = _compact(raw)
    if not _REGION.fullmatch(value):
        raise IdentifierError("region.shape", "行政区划代码应为6位数字")
    if value[:2] not in PROVINCES:
        raise IdentifierError("region.province", "行政区划代码的前两位不是省级代码")
    return value


def is_within(region: str, larger: str) -> bool:
    """Whether a region is the larger one or lies in it: 150102 in 150100 in 150000 (GB/T 2260)."""
    prefix = larger[:2] if larger.endswith("0000") else larger[:4] if larger.endswith("00") else larger
    return region.startswith(prefix)


def league_of(region: str) -> str | None:
    """The league or city (a key of REGIONS) a region code lies in; None outside the twelve, as for 150000 itself."""
    code = f"{region[:4]}00"
    return code if code in REGIONS else None


def parse_resident_id(raw: str, *, today: date | None = None) -> ResidentId:
    """Read a resident number (GB 11643-1999): 17 digits and a MOD 11-2 check; with `today`, the birth is not after it.

    The birthplace is checked by province only: counties are abolished, the numbers they gave out live on.
    Raises IdentifierError `resident.shape`, `resident.region`, `resident.birth` or `resident.check`.
    """
    value = _compact(raw)
    if not _RESIDENT.fullmatch(value):
        raise IdentifierError("resident.shape", "公民身份号码应为18位，前17位为数字，末位为数字或X")
    if value[:2] not in _BIRTH_PROVINCES:
        raise IdentifierError("resident.region", "公民身份号码的前两位不是省级代码")
    try:
        birth = date(int(value[6:10]), int(value[10:12]), int(value[12:14]))
    except ValueError:
        # `from None`: the message of the cause would carry a part of the number into logs
        raise IdentifierError("resident.birth", "公民身份号码中的出生日期不存在") from None
    if birth.year < 1850 or (today is not None and birth > today):
        raise IdentifierError("resident.birth", "公民身份号码中的出生日期不合理")
    if ric.calc_check_digit(value) != value[17]:
        raise IdentifierError("resident.check", "公民身份号码校验码不正确")
    return ResidentId(value, value[:6], birth, int(value[16]) % 2 == 0)


def make_resident_id(prefix17: str) -> str:
    """The resident number of 17 given digits, for generators. Raises IdentifierError as `parse_resident_id` does."""
    if not _RESIDENT.fullmatch(prefix17 + "0"):
        raise IdentifierError("resident.shape", "公民身份号码前17位应为数字")
    return parse_resident_id(prefix17 + str(ric.calc_check_digit(prefix17 + "0"))).value


def check_licence_id(raw: str) -> LicenceId:
    """Read an electronic licence id (GB/T 36904); a wrong MOD 37,36 check is flagged.

    Raises IdentifierError `licence.shape`.
    """
    # The parts' own hyphens do not exist in the standard, so the same cleaning as for other codes is safe.
    match = _LICENCE.fullmatch(_compact(raw))
    if match is None:
        raise IdentifierError(
            "licence.shape", "电子证照标识应为根代码、21位类型、18位颁发机构、流水号、3位版本和1位校验，以点分隔"
        )
    kind, issuer, serial, version, check = match.groups()
    valid = bool(mod_37_36.is_valid(kind + issuer + serial + version + check))
    return LicenceId(kind, normalise_uscc(issuer), serial, version, check, valid)


def make_licence_id(type_code: str, issuer: str, serial: str, version: str = "001") -> str:
    """An electronic licence id with its check character (GB/T 36904). Raises IdentifierError `licence.shape`."""
    parts = tuple(_compact(part) for part in (type_code, issuer, serial, version))
    body = ".".join((LICENCE_ROOT, *parts))
    # A stand-in check character lets the shape be judged before the arithmetic, which knows no other alphabet.
    check_licence_id(f"{body}.0")
    return f"{body}.{mod_37_36.calc_check_digit(''.join(parts))}"


def make_receipt_code(seed: str) -> str:
    """回执码 of a letter: eight digits that the seed gives, and their check digit."""
    digits = f"{int(hashlib.sha256(seed.encode()).hexdigest(), 16) % 10**8:08}"
    return digits + mod_11_10.calc_check_digit(digits)


def parse_receipt_code(raw: str) -> str:
    """A receipt code as it was typed, without spaces and hyphens; one that fails its check was mistyped."""
    code = _compact(raw)
    if re.fullmatch(r"[0-9]{9}", code) is None:
        raise IdentifierError("code.shape", "回执码须为 9 位数字")
    if not mod_11_10.is_valid(code):
        raise IdentifierError("code.check", "回执码校验位不符，请核对")
    return code


def parse_document_type(raw: str) -> DocumentType:
    """The document type a name stands for, common synonyms included. Raises IdentifierError `document.type`."""
    kind = _DOCUMENT_NAMES.get(_compact(raw))
    if kind is None:
        raise IdentifierError("document.type", "证件类型不在规定的范围内")
    return kind


def without_identity(number: str) -> str:
    """A number that is stored in clear. Raises IdentifierError where it holds an identity number."""
    if holds_resident_id(number):
        raise IdentifierError("number.resident", "编号中不得含有居民身份证号")
    return number

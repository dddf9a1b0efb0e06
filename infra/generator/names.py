"""Names, codes and numbers for a made-up year: places, permit matters, enterprises, persons, documents.

Data and pure functions. Every random one takes a `random.Random` and gives the same for the same state; none reads a
clock. Region codes are those of GB/T 2260. The legal bases name the law and article a permit rests on, for looks: they
are not kept up with amendments and are no legal reference. Persons are invented; a number may by chance be
someone's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from types import MappingProxyType
from typing import Final

from domain.identifiers import REGIONS, USCC_ALPHABET, make_resident_id, make_uscc

LEGAL: Final = "法人及非法人组织"
PERSON: Final = "自然人"
SOLE_TRADER: Final = "个体工商户"
PARTY_KINDS: Final = (LEGAL, SOLE_TRADER, PERSON)

APPROVAL: Final = "行政审批"
DEPARTMENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        APPROVAL: "行政审批和政务服务局",
        "市场监管": "市场监督管理局",
        "卫生健康": "卫生健康委员会",
        "住建": "住房和城乡建设局",
        "城市管理": "城市管理综合执法局",
        "交通运输": "交通运输局",
        "水利": "水利局",
        "林草": "林业和草原局",
        "文旅": "文化和旅游局",
        "教育": "教育局",
        "人社": "人力资源和社会保障局",
        "应急管理": "应急管理局",
        "生态环境": "生态环境局",
        "农牧": "农牧局",
        "烟草专卖": "烟草专卖局",
        "公安": "公安局",
        "消防救援": "消防救援局",
        "民政": "民政局",
    }
)
"""Department kind → the end of a department's name."""


@dataclass(frozen=True, slots=True)
class League:
    """A league or city: GB/T 2260 code, name, the sign its document numbers begin with, its counties (code, name)."""

    code: str
    name: str
    sign: str
    counties: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Matter:
    """A kind of permit. `department` is competent, `lead` and `assisting` supervise; `years` None means no end.

    `prefix` begins its licence numbers; `basis` cites a law and an article.
    """

    name: str
    department: str
    parties: tuple[str, ...]
    years: int | None
    lead: str
    assisting: tuple[str, ...]
    basis: str
    certificate: str
    prefix: str


_COUNTIES: Final = {
    "150100": ("呼", "02新城区 03回民区 04玉泉区 05赛罕区 21土默特左旗 22托克托县"),
    "150200": ("包", "02东河区 03昆都仑区 04青山区 07九原区 21土默特右旗 22固阳县"),
    "150300": ("乌海", "02海勃湾区 03海南区 04乌达区"),
    "150400": ("赤", "02红山区 03元宝山区 04松山区 25克什克腾旗 29宁城县 30敖汉旗"),
    "150500": ("通", "02科尔沁区 22科尔沁左翼后旗 23开鲁县 25奈曼旗 81霍林郭勒市"),
    "150600": ("鄂", "02东胜区 03康巴什区 21达拉特旗 22准格尔旗 26乌审旗 27伊金霍洛旗"),
    "150700": ("呼伦", "02海拉尔区 21阿荣旗 24鄂温克族自治旗 81满洲里市 82牙克石市 83扎兰屯市"),
    "150800": ("巴", "02临河区 21五原县 22磴口县 23乌拉特前旗 26杭锦后旗"),
    "150900": ("乌", "02集宁区 21卓资县 24兴和县 25凉城县 29四子王旗 81丰镇市"),
    "152200": ("兴", "01乌兰浩特市 02阿尔山市 21科尔沁右翼前旗 23扎赉特旗 24突泉县"),
    "152500": ("锡", "01二连浩特市 02锡林浩特市 25东乌珠穆沁旗 27太仆寺旗 30正蓝旗 31多伦县"),
    "152900": ("阿", "21阿拉善左旗 22阿拉善右旗 23额济纳旗"),
}
LEAGUES: Final = tuple(
    League(code, REGIONS[code], sign, tuple((code[:4] + county[:2], county[2:]) for county in counties.split()))
    for code, (sign, counties) in _COUNTIES.items()
)
_BY_CODE: Final = {league.code: league for league in LEAGUES}

_P: Final = {"法": (LEGAL,), "个": (LEGAL, SOLE_TRADER), "人": (PERSON,), "众": (LEGAL, SOLE_TRADER, PERSON)}
# name, competent department, parties, years (0: no end), assisting supervisors, law and article, certificate, prefix
_MATTERS: Final = (
    ("食品生产许可", "市场监管", "个", 5, "", "食品安全法》第三十五条", "食品生产许可证", "SC"),
    ("食品经营许可", "市场监管", "个", 5, "", "食品安全法》第三十五条", "食品经营许可证", "JY"),
    ("药品零售企业经营许可", "市场监管", "个", 5, "卫生健康", "药品管理法》第五十一条", "药品经营许可证", "蒙DA"),
    (
        "第三类医疗器械经营许可",
        "市场监管",
        "法",
        5,
        "卫生健康",
        "医疗器械监督管理条例》第四十二条",
        "医疗器械经营许可证",
        "蒙械",
    ),
    ("特种设备生产单位许可", "市场监管", "法", 4, "应急管理", "特种设备安全法》第十八条", "特种设备生产许可证", "TS"),
    ("公共场所卫生许可", "卫生健康", "个", 4, "", "公共场所卫生管理条例》第四条", "卫生许可证", "卫公"),
    ("医疗机构执业登记", "卫生健康", "个", 5, "市场监管", "医疗机构管理条例》第十四条", "医疗机构执业许可证", "PDY"),
    (
        "放射源诊疗技术和医用辐射机构许可",
        "卫生健康",
        "法",
        0,
        "生态环境",
        "放射性同位素与射线装置安全和防护条例》第八条",
        "放射诊疗许可证",
        "卫放",
    ),
    ("医师执业注册", "卫生健康", "人", 0, "", "医师法》第十三条", "医师执业证书", "YS"),
    ("护士执业注册", "卫生健康", "人", 5, "", "护士条例》第八条", "护士执业证书", "HS"),
    ("建筑工程施工许可证核发", "住建", "法", 0, "应急管理 消防救援", "建筑法》第七条", "建筑工程施工许可证", "SG"),
    ("商品房预售许可", "住建", "法", 0, "", "城市房地产管理法》第四十五条", "商品房预售许可证", "SF"),
    ("燃气经营许可", "住建", "法", 4, "应急管理 市场监管", "城镇燃气管理条例》第十五条", "燃气经营许可证", "RQ"),
    ("建筑施工企业安全生产许可", "住建", "法", 3, "应急管理", "安全生产许可证条例》第二条", "安全生产许可证", "JZ"),
    ("污水排入排水管网许可", "住建", "个", 5, "生态环境", "城镇排水与污水处理条例》第二十一条", "排水许可证", "PS"),
    (
        "设置大型户外广告审批",
        "城市管理",
        "个",
        1,
        "市场监管",
        "城市市容和环境卫生管理条例》第十一条",
        "户外广告设置许可证",
        "GG",
    ),
    ("道路旅客运输经营许可", "交通运输", "法", 4, "公安", "道路运输条例》第十条", "道路运输经营许可证", "KY"),
    ("道路货物运输经营许可", "交通运输", "众", 4, "公安", "道路运输条例》第二十四条", "道路运输经营许可证", "HY"),
    (
        "道路危险货物运输许可",
        "交通运输",
        "法",
        4,
        "公安 应急管理",
        "道路运输条例》第二十四条",
        "道路运输经营许可证",
        "WH",
    ),
    ("公路超限运输许可", "交通运输", "众", 1, "公安", "公路法》第五十条", "超限运输车辆通行证", "CX"),
    ("取水许可", "水利", "个", 5, "", "水法》第四十八条", "取水许可证", "QS"),
    ("生产建设项目水土保持方案审批", "水利", "法", 3, "", "水土保持法》第二十五条", "水土保持方案准予许可决定书", "SB"),
    ("建设项目使用林地审批", "林草", "法", 2, "", "森林法》第三十七条", "使用林地审核同意书", "LD"),
    ("工程建设征收、征用或者使用草原审核", "林草", "法", 2, "农牧", "草原法》第三十八条", "使用草原审核同意书", "CY"),
    ("林木采伐许可", "林草", "众", 1, "", "森林法》第五十六条", "林木采伐许可证", "CF"),
    ("娱乐场所经营许可", "文旅", "个", 2, "公安 消防救援", "娱乐场所管理条例》第九条", "娱乐经营许可证", "YL"),
    (
        "互联网上网服务营业场所经营许可",
        "文旅",
        "个",
        0,
        "公安 消防救援",
        "互联网上网服务营业场所管理条例》第七条",
        "网络文化经营许可证",
        "WL",
    ),
    ("旅行社设立许可", "文旅", "法", 0, "市场监管", "旅游法》第二十八条", "旅行社业务经营许可证", "L-NMG"),
    ("民办幼儿园设立审批", "教育", "法", 5, "民政 市场监管", "民办教育促进法》第十二条", "民办学校办学许可证", "BX"),
    ("校车使用许可", "教育", "法", 1, "公安 交通运输", "校车安全管理条例》第十五条", "校车标牌", "XC"),
    ("人力资源服务许可", "人社", "法", 5, "市场监管", "人力资源市场暂行条例》第十八条", "人力资源服务许可证", "RL"),
    ("劳务派遣经营许可", "人社", "法", 3, "市场监管", "劳动合同法》第五十七条", "劳务派遣经营许可证", "LW"),
    ("民办职业培训学校设立审批", "人社", "法", 5, "民政", "民办教育促进法》第十二条", "民办学校办学许可证", "PX"),
    (
        "危险化学品经营许可",
        "应急管理",
        "法",
        3,
        "市场监管",
        "危险化学品安全管理条例》第三十三条",
        "危险化学品经营许可证",
        "WJ",
    ),
    (
        "烟花爆竹零售许可",
        "应急管理",
        "个",
        2,
        "公安 市场监管",
        "烟花爆竹安全管理条例》第三条",
        "烟花爆竹经营许可证",
        "YH",
    ),
    ("排污许可", "生态环境", "个", 5, "", "排污许可管理条例》第二条", "排污许可证", "PW"),
    ("建设项目环境影响评价审批", "生态环境", "法", 5, "", "环境影响评价法》第二十二条", "环评批复", "HP"),
    ("辐射安全许可", "生态环境", "法", 5, "卫生健康", "放射性污染防治法》第二十八条", "辐射安全许可证", "蒙环辐证"),
    ("动物防疫条件合格证核发", "农牧", "个", 0, "", "动物防疫法》第二十五条", "动物防疫条件合格证", "DF"),
    ("兽药经营许可", "农牧", "个", 5, "市场监管", "兽药管理条例》第二十二条", "兽药经营许可证", "SY"),
    ("生鲜乳收购许可", "农牧", "法", 2, "市场监管", "乳品质量安全监督管理条例》第二十条", "生鲜乳收购许可证", "蒙乳"),
    ("农药经营许可", "农牧", "个", 5, "市场监管", "农药管理条例》第二十四条", "农药经营许可证", "NY"),
    ("烟草专卖零售许可", "烟草专卖", "个", 5, "市场监管", "烟草专卖法》第十六条", "烟草专卖零售许可证", "YC"),
)
# What the National People's Congress makes is cited with the state's name, what the State Council makes without.
MATTERS: Final = tuple(
    Matter(
        name,
        department,
        _P[parties],
        years or None,
        department,
        tuple(assisting.split()),
        f"《中华人民共和国{basis}" if basis.split("》")[0].endswith("法") else f"《{basis}",
        certificate,
        prefix,
    )
    for name, department, parties, years, assisting, basis, certificate, prefix in _MATTERS
)

_TRADES: Final = {
    "市场监管": ("食品", "商贸", "超市", "乳业", "肉业", "药房", "医疗器械"),
    "卫生健康": ("医院", "口腔门诊", "宾馆", "洗浴", "健康管理"),
    "住建": ("建筑工程", "房地产开发", "燃气", "建设"),
    "城市管理": ("广告传媒", "文化传播"),
    "交通运输": ("运输", "物流", "客运"),
    "水利": ("水务", "灌溉工程", "煤业"),
    "林草": ("林业", "草业", "新能源", "矿业"),
    "文旅": ("旅行社", "文化娱乐", "网络科技"),
    "教育": ("教育", "幼儿教育"),
    "人社": ("人力资源", "劳务", "职业培训"),
    "应急管理": ("化工", "石油销售", "日杂"),
    "生态环境": ("环保科技", "化工", "能源", "冶金"),
    "农牧": ("牧业", "农业科技", "乳业", "兽药"),
    "烟草专卖": ("烟酒", "商贸", "便利店"),
}
_SHOPS: Final = ("便利店", "小吃店", "羊肉馆", "理发店", "药店", "烟酒行", "奶食店", "面馆", "宾馆", "货运部", "农资店")
_BRAND: Final = "蒙草原牧云天鸿盛源泰恒昌信达瑞丰宏兴安和顺金银塔拉河套敕勒青城鹿乌兰察哈尔敖包额尔敦巴特其"
_SURNAMES: Final = "王李张刘赵陈杨孙高郭周吴马田白包韩何胡云乌宝康任邢苗武齐石鲍"
_GIVEN: Final = "志强建国丽娟秀英海军永红晓东雪梅文斌玉兰俊峰春花立新慧敏浩然子涵宇轩欣怡旭日嘉琪振华亚男"
_MONGOLIAN: Final = (
    *("巴特尔", "其其格", "娜仁花", "乌云其木格", "苏日娜", "孟和", "斯琴高娃", "阿古拉", "呼格吉勒", "萨仁图雅"),
    *("朝鲁", "格日勒", "额尔敦", "哈斯", "乌兰", "布和", "那日苏", "托娅", "宝音", "特木尔"),
)
_MOBILE: Final = (
    "130",
    "131",
    "135",
    "136",
    "138",
    "139",
    "147",
    "150",
    "151",
    "152",
    "158",
    "159",
    "177",
    "186",
    "188",
    "199",
)


def league(rng: Random) -> League:
    """One of the twelve, the larger populations more often."""
    return rng.choices(LEAGUES, weights=(35, 27, 6, 40, 29, 22, 22, 15, 17, 14, 11, 3))[0]


def county(rng: Random, of: League) -> tuple[str, str]:
    """(code, name) of a county-level place of a league."""
    return rng.choice(of.counties)


def matter(rng: Random) -> Matter:
    """Any matter."""
    return rng.choice(MATTERS)


def department_name(place: str, kind: str) -> str:
    """The department of a kind (a key of DEPARTMENTS; KeyError otherwise) at a place."""
    return place + DEPARTMENTS[kind]


def enterprise_name(rng: Random, place: str, department: str | None = None) -> str:
    """A company's name at a place, of a trade that the department's matters concern."""
    trade = rng.choice(_TRADES.get(department or "", ()) or rng.choice(tuple(_TRADES.values())))
    brand = "".join(rng.sample(_BRAND, rng.choice((2, 2, 2, 3))))
    seat = place if rng.random() < 0.7 else "内蒙古"
    return f"{seat}{brand}{trade}{rng.choice(('有限公司', '有限公司', '有限责任公司', '股份有限公司'))}"


def sole_trader_name(rng: Random, place: str) -> str:
    """A shop's name at a place."""
    return f"{place}{''.join(rng.sample(_BRAND, 2))}{rng.choice(_SHOPS)}"


def person_name(rng: Random) -> str:
    """A person's name, one in five Mongolian."""
    if rng.random() < 0.2:
        return rng.choice(_MONGOLIAN)
    return rng.choice(_SURNAMES) + "".join(rng.choices(_GIVEN, k=rng.choice((1, 2, 2, 2))))


def party_name(rng: Random, kind: str, place: str, department: str | None = None) -> str:
    """A name for a party of a kind (PARTY_KINDS)."""
    if kind == PERSON:
        return person_name(rng)
    return sole_trader_name(rng, place) if kind == SOLE_TRADER else enterprise_name(rng, place, department)


def officer_names(rng: Random, count: int) -> tuple[str, ...]:
    """`count` different names, as the officers of one department; below 5,000."""
    names: dict[str, None] = {}
    while len(names) < count:
        names[person_name(rng)] = None
    return tuple(names)


def uscc(rng: Random, region: str, kind: str = "91") -> str:
    """A valid code (GB 32100) around a valid organisation code (GB 11714).

    `kind` is its first two characters: 91 company, 92 sole trader, 11 organ, 12 institution, 52 private school.
    """
    new = kind[0] == "9"  # since 2015 businesses have letters; organs kept the numbers of their old codes
    body = "MA" + "".join(rng.choices(USCC_ALPHABET, k=6)) if new else "".join(rng.choices("0123456789", k=8))
    total = sum(weight * int(char, 36) for weight, char in zip((3, 7, 9, 10, 5, 8, 4, 2), body, strict=True))
    return make_uscc(f"{kind}{region}{body}{'0123456789X0'[11 - total % 11]}")


def resident_id(rng: Random, region: str) -> str:
    """A valid resident number (GB 11643) of an adult born 1955 to 2005 in a county."""
    born = date(1955, 1, 1) + timedelta(days=rng.randrange(18_628))
    return make_resident_id(f"{region}{born:%Y%m%d}{rng.randint(1, 999):03d}")


def document_number(rng: Random, of: League | str, year: int, serial: int | None = None) -> str:
    """As 呼审批许字〔2025〕123号; `of` is a league or its code (KeyError if unknown)."""
    sign = (_BY_CODE[of] if isinstance(of, str) else of).sign
    return f"{sign}审批许字〔{year}〕{rng.randint(1, 9999) if serial is None else serial}号"


def licence_number(rng: Random, kind: Matter, region: str, year: int, serial: int | None = None) -> str:
    """The matter's prefix, the region, the year's last two digits and six of a serial."""
    return f"{kind.prefix}{region}{year % 100:02d}{rng.randrange(1_000_000) if serial is None else serial:06d}"


def phone(rng: Random) -> str:
    """A mobile number of eleven digits."""
    return f"{rng.choice(_MOBILE)}{rng.randrange(100_000_000):08d}"

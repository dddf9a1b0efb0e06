"""双公示 files through Kafka: one row, one submission, one disposition; importing again repeats nothing."""

from __future__ import annotations

import csv
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import psycopg
import pytest
from psycopg import Connection

from adapters.crypto.sealer import Sealer
from adapters.formats.workdays import published
from adapters.kafka import topics
from adapters.kafka.names import TopicNames
from adapters.postgres.keys import KeyTable
from adapters.postgres.writer import Writer
from domain import system
from domain.departments import Department, RegisterDepartment, Role
from domain.event import Event
from domain.identifiers import make_matter_code, make_resident_id, make_uscc
from domain.matters import MapPublicRecord, Matter, RegisterMatter, Supervisor, TransferMatter
from domain.world import World
from infra.importer import ImportProblem, Summary, import_permits
from infra.roles.intake import IntakeRole
from infra.servers.broker import EmbeddedBroker
from infra.servers.postgres import DatabaseUrls
from infra.settings import Settings
from infra.store import Servers, Store
from tests.integration.teststore import TestStore

pytestmark = [pytest.mark.clause("2.6a"), pytest.mark.door("kafka")]
ORGAN = make_uscc("11150100MB1234567")
OTHER = make_uscc("11150200MB1234567")
PERSON = make_resident_id("15010219900101001")
MATTER = make_matter_code(make_uscc("11150100011000001"), 3, "000100001001")
DAY = datetime.now(UTC).date() - timedelta(days=10)
ROW: dict[str, Any] = {
    "XK_XDR_MC": "内蒙古草原牧业有限公司",
    "XK_XDR_LB": "法人及非法人组织",
    "XK_XDR_SHXYM": make_uscc("91150102MA0N1ABCX"),
    "XK_FRDB": "王志强",
    "XK_FR_ZJLX": "身份证",
    "XK_FR_ZJHM": "不清楚",
    "XK_XKWS": "准予行政许可决定书",
    "XK_WSH": "呼审批许字〔2026〕1号",
    "XK_XKLB": "普通",
    "XK_XKZS": "食品经营许可证",
    "XK_XKBH": "JY1150102 0000001",
    "XK_NR": "热食类食品制售",
    "XK_JDRQ": DAY.isoformat(),
    "XK_YXQZ": DAY.isoformat(),
    "XK_YXQZI": "2099-12-31",
    "XK_XKJG": "呼和浩特市行政审批和政务服务局",
    "XK_XKJGDM": ORGAN,
    "XK_ZT": "1",
    "XK_LYDW": "呼和浩特市行政审批和政务服务局",
    "XK_LYDWDM": ORGAN,
    "XK_XDR_ZJLX": "",
    "XK_XDR_ZJHM": "",
    "BZ": "",
}
GOOD = [
    ROW,
    ROW
    | {
        "XK_WSH": "呼审批许字 〔2026〕2/3号",
        "XK_XDR_MC": "白其其格",
        "XK_XDR_LB": "自然人",
        "XK_XDR_SHXYM": "",
        "XK_FRDB": "",
        "XK_FR_ZJLX": "",
        "XK_FR_ZJHM": "",
        "XK_XDR_ZJLX": "居民身份证",
        "XK_XDR_ZJHM": PERSON,
    },
    ROW | {"XK_WSH": "〔2026〕4号", "XK_XKBH": "", "XK_XKLB": "其他-备案", "XK_XDR_SHXYM": "不是代码"},
]
BAD = [
    ROW | {"XK_WSH": "〔2026〕5号", "XK_ZT": "2"},
    ROW | {"XK_WSH": "〔2026〕6号", "XK_JDRQ": "2026-02-30", "XK_XKJGDM": "123"},
    ROW | {"XK_WSH": "〔2026〕7号", "XK_JDRQ": "2999-01-01"},
]


class Imports:
    """A store with an approval bureau, its supervisor and a platform; its intake runs where asked to."""

    def __init__(self, test: TestStore, bootstrap: str, path: Path) -> None:
        self.test = test
        self.path = path
        key = path / "master.key"
        key.write_text(bytes(32).hex())
        test.sealer = Sealer(bytes(32), KeyTable(test.connect))
        test.writer = Writer(test.connect, test.sealer.seal_all)
        urls: DatabaseUrls = test.urls
        settings = Settings(
            store=f"i{uuid.uuid4().hex[:8]}",
            data_dir=path,
            database_url=urls.runtime,
            migrator_url=urls.migrator,
            reader_url=urls.reader,
            kafka_bootstrap_servers=bootstrap,
            kafka_group=False,
            reads_apart=False,
            master_key_file=key,
        )
        self.store = _Tracked(settings, Servers(urls.runtime, urls.migrator, urls.reader, bootstrap))
        self.register()
        topics.apply(
            self.store.kafka_options,
            [topics.TopicSpec(self.store.names.intake(p), 2, 3_600_000) for p in ("platform", "two")],
        )

    def register(self) -> None:
        def entry(code: str, *roles: Role) -> Department:
            return Department(code=code, name=code, roles=roles, region="150100", valid_from=date(2020, 1, 1))

        principals = {"SG": ("SG",), "platform": ("PT", "SP"), "two": ("SP", "SC")}

        def fact(world: World, now: datetime) -> list[Event]:
            return system.found(world, entry("SG", "REFORM_OFFICE"), principals, "operator", now)

        self.test.facts(fact, lambda world, now: system.calendar_adopted(world, published(), now))
        self.test.submit(
            *(
                RegisterDepartment(department="SG", entry=one)
                for one in (entry("SP", "APPROVAL"), entry("SC", "SUPERVISION"), entry("PT", "PLATFORM"))
            ),
            RegisterMatter(
                department="SG",
                entry=Matter(code=MATTER, name="食品经营许可", competent="SC", legal_basis="食品安全法"),
            ),
            TransferMatter(
                department="SG",
                matter=MATTER,
                valid_from=date(2020, 7, 1),
                basis="呼政发〔2020〕12号",
                to="SP",
                supervisors=(Supervisor(department="SC"),),
            ),
        )

    def map(self) -> None:
        self.test.submit(
            MapPublicRecord(
                department="SG", organ_uscc=ORGAN, certificate_type="食品经营许可证", organ="SP", matter=MATTER
            )
        )

    def run(self, file: Path, **more: Any) -> Summary:
        return import_permits(self.store, file, report=self.path / "report.csv", **more)

    def reported(self) -> list[list[str]]:
        with (self.path / "report.csv").open(encoding="utf-8-sig", newline="") as lines:
            return list(csv.reader(lines))[1:]

    def dispositions(self) -> dict[str, int]:
        with self.test.connect() as conn:
            query = "SELECT disposition, count(*) FROM shenguan.submission WHERE type LIKE '%permit.report%' GROUP BY 1"
            return dict(conn.execute(query).fetchall())

    def events(self) -> dict[str, int]:
        with self.test.connect() as conn:
            query = (
                "SELECT topic, count(*) FROM shenguan.stored_events"
                " WHERE topic LIKE 'case.%' OR topic = 'notice.owed' GROUP BY 1"
            )
            return dict(conn.execute(query).fetchall())

    @contextmanager
    def intake(self) -> Iterator[None]:
        role = IntakeRole(self.store)
        errors: list[BaseException] = []

        def run() -> None:
            try:
                role.run()
            except BaseException as error:  # noqa: BLE001
                errors.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            role.stopped.set()
            thread.join(30)
        assert not errors

    def until(self, **wanted: int) -> None:
        """The dispositions of permits, exactly."""
        _until(lambda: self.dispositions() == wanted, lambda: self.dispositions())


class _Tracked(Store):
    def __init__(self, settings: Settings, servers: Servers) -> None:
        super().__init__(settings, servers)
        self.made: list[Connection[Any]] = []

    def connect(self) -> Connection[Any]:
        self.made.append(psycopg.connect(self.database_url, autocommit=True))
        return self.made[-1]


def _until(condition: Callable[[], bool], found: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, found()
        time.sleep(0.1)


@pytest.fixture
def imports(store: TestStore, embedded_broker: EmbeddedBroker, tmp_path: Path) -> Iterator[Imports]:
    made = Imports(store, embedded_broker.bootstrap_servers, tmp_path)
    yield made
    for conn in made.store.made:
        conn.close()


def as_csv(path: Path, rows: list[dict[str, Any]]) -> Path:
    file = path / "permits.csv"
    with file.open("w", encoding="gb18030", newline="") as stream:
        writer = csv.DictWriter(stream, list(ROW))
        writer.writeheader()
        writer.writerows(rows)
    return file


def as_xlsx(path: Path, rows: list[dict[str, Any]]) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(list(ROW))
    for row in rows:
        sheet.append(list(row.values()))
    book.save(path / "permits.xlsx")
    book.close()
    return path / "permits.xlsx"


def as_json(path: Path, rows: list[dict[str, Any]]) -> Path:
    file = path / "permits.json"
    file.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    return file


def test_every_format_gives_the_same_submissions(imports: Imports) -> None:
    imports.map()
    with imports.intake():
        first = imports.run(as_csv(imports.path, GOOD + BAD))
        assert (first.rows, first.submitted, first.reported, first.unmapped) == (6, 3, 3, {})
        assert first.lines()[0] == "共 6 行，提交 3，报告 3"
        assert first.lines("en")[0] == "6 rows, 3 submitted, 3 reported"
        imports.until(accepted=3)
        once = imports.events()
        assert once == {
            "case.accepted": 3,
            "case.decided": 3,
            "case.licence_issued": 2,
            "case.reported": 3,
            "notice.owed": 3,
        }
        assert imports.run(as_xlsx(imports.path, GOOD)).report is None
        imports.until(accepted=3, duplicate=3)
        imports.run(as_json(imports.path, GOOD))
        imports.until(accepted=3, duplicate=6)
    assert imports.events() == once


def test_bad_rows_are_reported_with_row_field_rule_and_what_was_found(imports: Imports) -> None:
    summary = imports.run(as_csv(imports.path, GOOD + BAD), dry_run=True)
    assert (summary.rows, summary.submitted, summary.reported) == (6, 3, 3)
    assert summary.lines()[0] == "共 6 行，可提交 3，报告 3"
    found = [(row[0], row[1], row[2], row[4]) for row in imports.reported()]
    assert found == [
        ("5", "XK_ZT", "status.invalid", "2"),
        ("6", "XK_JDRQ", "date.format", "2026-02-30"),
        ("6", "XK_XKJGDM", "uscc.shape", "123"),
        ("7", "XK_JDRQ", "date.future", "2999-01-01"),
    ]
    assert imports.dispositions() == {}


def test_without_a_mapping_rows_wait_and_the_mapping_releases_them(imports: Imports) -> None:
    elsewhere = ROW | {"XK_WSH": "包审〔2026〕1号", "XK_XKJGDM": OTHER}
    with imports.intake():
        summary = imports.run(as_json(imports.path, [*GOOD, elsewhere]))
        assert sum(summary.unmapped.values()) == 4
        assert "其中 4 行尚无对应事项" in "\n".join(summary.lines())
        imports.until(parked=4)
        assert imports.events() == {}
        imports.map()
        imports.until(parked=1, accepted=3)
        assert imports.events()["case.decided"] == 3


def test_a_changed_row_under_the_same_number_is_a_conflict(imports: Imports) -> None:
    imports.map()
    with imports.intake():
        imports.run(as_json(imports.path, [ROW]))
        imports.until(accepted=1)
        imports.run(as_json(imports.path, [ROW | {"XK_NR": "冷食类食品制售"}]))
        imports.until(accepted=1, conflict=1)


def test_nothing_personal_in_the_database(imports: Imports) -> None:
    imports.map()
    with imports.intake():
        imports.run(as_json(imports.path, GOOD))
        imports.until(accepted=3)
    with imports.test.connect() as conn:
        rows = conn.execute("SELECT convert_from(state, 'UTF8') FROM shenguan.stored_events").fetchall()
    text = "".join(row[0] for row in rows)
    assert all(word not in text for word in ("白其其格", PERSON, "王志强", "不是代码", "不清楚", "热食类"))


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"principal": "nobody"}, "没有登记接入方 nobody"),
        ({"principal": "two"}, "--department"),
        ({"principal": "two", "department": "PT"}, "未获授权代表部门 PT"),
        ({"principal": "operator"}, "没有登记接入方 operator"),
    ],
)
@pytest.mark.clause("2.6a", refused=True)
def test_nobody_else_speaks(imports: Imports, choices: dict[str, str], words: str) -> None:
    with pytest.raises(ImportProblem) as caught:
        imports.run(as_json(imports.path, GOOD), **choices)
    assert words in caught.value.zh
    assert caught.value.en.isascii()


def test_a_file_of_something_else(imports: Imports) -> None:
    file = imports.path / "x.csv"
    file.write_text("a,b\n1,2\n")
    with pytest.raises(ImportProblem):
        imports.run(file)
    assert not (imports.path / "report.csv").exists()


def test_a_topic_that_is_not_there(imports: Imports) -> None:
    imports.store.kafka_options["max_block_ms"] = 200
    imports.store.names = TopicNames("nowhere")
    with pytest.raises(ImportProblem, match="topics apply"):
        imports.run(as_json(imports.path, GOOD))

"""`shenguan demo`: the main job from nothing, on embedded servers, held against the truth."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
from rich.console import Console

from adapters.kafka.subscriber import subscribe
from adapters.postgres.follower import position_of
from domain.log_proofs import check_complete, check_ledger
from infra import feeding, founding, proofs
from infra.demo_report import report
from infra.generator.year import generate
from infra.log_keys import trusted_keys, verifiers
from infra.proving import PROOFS
from infra.roles.supervisor import Crew
from infra.settings import Settings
from infra.store import Store, open_store
from infra.verify import verify
from projections import outcomes, statistics
from projections.catalogue import PROJECTIONS

STEPS_SECONDS = 120.0
LISTENING = 2
"""Of so many departments a league the systems listen; the others' notices are delivered to nobody yet."""


def run(settings: Settings, cases: int, seed: int, as_json: bool) -> int:
    """Prints what happened; returns how many things differ from the truth or from `verify`."""
    started = time.monotonic()
    console = Console(file=sys.stdout, width=110 if not sys.stdout.isatty() else None)
    directory = settings.data_dir / "demo"
    if directory.exists():
        shutil.rmtree(directory)
    directory.mkdir(parents=True)
    settings = settings.model_copy(
        update={
            "data_dir": directory,
            "database_url": None,
            "migrator_url": None,
            "reader_url": None,
            "kafka_bootstrap_servers": None,
            "kafka_group": False,
            "kafka": {},
            "master_key_file": directory / "master.key",
            "log_key_file": directory / "log.key",
            "checkpoint_file": directory / "checkpoint",
            "registers_from": None,
            "region_stores": (),
            "evidence_seconds": 0.5,
            "clock_seconds": 0.5,
        }
    )

    def step(text: str) -> None:
        console.print(f"[{time.monotonic() - started:5.1f} 秒] {text}")

    out = directory / "generated"
    step(f"生成 {cases} 个办件的一年（种子 {seed}）")
    truth = generate(cases, seed, out)
    step("启动内置 PostgreSQL 与 Kafka 协议服务器")
    with open_store(settings) as store:
        founding.prepare(store)
        founding.found(store, founding.read(out / "founding.json"))
        with Crew(store) as crew:
            feeding.feed_year(store, out, step, STEPS_SECONDS)
            _settle(store, step)
            crew.check()
        step("核对：日志树与检查点，重算应有告知、编号簿、读模型")
        verdict = verify(store, keys=trusted_keys(settings.log_key_file), signed_bytes=store.signed_bytes)
        step(_proven(store))
        wrong = feeding.mismatches(store, out)
        figures = _figures(store, truth.supervisors_of_decisions, len(wrong), time.monotonic() - started)
        report(store, console, figures)
    for line in wrong[:10]:
        console.print(f"与真值不符：{line}")
    for problem in verdict.problems:
        console.print(f"核对不符：{problem.zh}")
    console.print(f"数据保留在 {directory}；SHENGUAN_DATA_DIR={directory} shenguan approvals 等命令可继续查询")
    if as_json:
        print(json.dumps(figures, ensure_ascii=False))  # noqa: T201
    return len(wrong) + len(verdict.problems)


def _settle(store: Store, step: Callable[[str], None]) -> None:
    """Until everything owed is dispatched, what can be delivered is, and the read models have caught up."""
    feeding.wait_for(lambda: feeding.uncarried(store) == 0, STEPS_SECONDS, "办理机构承接与订阅补发")
    step("机构承接、订阅补发已办完")
    with store.connect() as conn:
        feeding.wait_for(lambda: _open_deliveries(conn) == 0, STEPS_SECONDS, "送达各部门主题")
        step("全部告知已送到各部门的主题")
        departments = [row[0] for row in conn.execute(_LISTENING, (LISTENING,))]
        with ThreadPoolExecutor(8) as systems:
            list(systems.map(lambda department: _listen(store, department), departments))
        feeding.wait_for(lambda: _undelivered(conn, departments) == 0, STEPS_SECONDS, "取得送达证据")
        step(f"{len(departments)} 个部门的系统已取走告知")
        feeding.wait_for(lambda: _behind(conn) == 0, STEPS_SECONDS, "读模型与日志树追上日志")


def _proven(store: Store) -> str:
    """That the department with most notices was sent all of them, checked by the log's verifier keys alone."""
    keys = verifiers(trusted_keys(store.settings.log_key_file))
    with store.connect() as conn:
        row = conn.execute("SELECT department FROM shenguan.delivery GROUP BY 1 ORDER BY count(*) DESC, 1").fetchone()
        proof = proofs.prove_ledger(conn, row[0]) if row else None
        if row is None or proof is None:
            return "没有可证明的告知"
        head = check_ledger(proof, keys)
        check_complete(row[0], [one.leaf for one in proofs.ledger_entries(conn, row[0], up_to=head.size)], head)
    return f"证明：告知部门 {row[0]} 的第 1 至 {head.size} 号无缺无添，与已签署的检查点相符"


_LISTENING = """
SELECT department FROM (
    SELECT department, row_number() OVER (PARTITION BY left(department, 4) ORDER BY count(*) DESC, department) AS n
    FROM shenguan.delivery WHERE channel = 'kafka' GROUP BY department) AS busiest
WHERE n <= %s ORDER BY department
"""


def _listen(store: Store, department: str) -> None:
    """A department's system: reads what is there, commits, and goes."""
    topic = store.names.notices(department)
    with subscribe(
        store.kafka_options, topic, f"shenguan.{department}", from_beginning=True, static=True, idle_s=0.3
    ) as subscription:
        for _ in subscription:
            subscription.commit()


def _count(conn: psycopg.Connection[Any], query: str, *params: Any) -> int:
    row = conn.execute(query, params or None).fetchone()
    return int(row[0]) if row else 0


def _open_deliveries(conn: psycopg.Connection[Any]) -> int:
    owed = _count(conn, "SELECT count(*) FROM shenguan.stored_events WHERE topic = 'notice.owed'")
    return owed - _count(conn, "SELECT count(*) FROM shenguan.delivery WHERE sent_at IS NOT NULL AND channel = 'kafka'")


def _undelivered(conn: psycopg.Connection[Any], departments: list[str]) -> int:
    query = (
        "SELECT count(*) FROM shenguan.delivery WHERE delivered_at IS NULL AND department = ANY(%s) AND channel = %s"
    )
    return _count(conn, query, departments, "kafka")


def _behind(conn: psycopg.Connection[Any]) -> int:
    head = _count(conn, "SELECT coalesce(max(notification_id), 0) FROM shenguan.stored_events")
    return max(head - position_of(conn, name) for name in (*(one.name for one in PROJECTIONS), PROOFS))


def _figures(store: Store, supervisors: int, wrong: int, seconds: float) -> dict[str, Any]:
    """The JSON line: everything from the store, but the supervisors and the truth from the input."""
    with store.connect() as conn:
        return {
            "submissions": outcomes.counts(conn),
            "events": _count(conn, "SELECT count(*) FROM shenguan.stored_events"),
            "notices": statistics.notices_of_decisions(conn),
            "decisions": statistics.decisions(conn),
            "supervisors_of_decisions": supervisors,
            "seals": statistics.seals(conn),
            "truth_mismatches": wrong,
            "seconds": round(seconds, 1),
        }

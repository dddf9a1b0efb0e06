"""Somebody who has only the AsyncAPI page and another Kafka library submits a decision and reads the notice."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import confluent_kafka
import jsonschema
import pytest
import yaml

from tests.acceptance.command import ROOT, answer, environment, shenguan, until, up

PAGE: dict[str, Any] = yaml.safe_load((ROOT / "docs/reference/asyncapi.yaml").read_text(encoding="utf-8"))
MESSAGES = PAGE["components"]["messages"]
STORE = "150000"


@pytest.fixture
def data_dir() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="shenguan-acceptance-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def address(channel: str, **parameters: str) -> str:
    return str(PAGE["channels"][channel]["address"].format(store=STORE, **parameters))


def examples(*names: str) -> list[dict[str, Any]]:
    return [example for name in names for example in MESSAGES[name]["examples"]]


def schema(name: str) -> dict[str, Any]:
    """The message's payload schema, with the page as its surroundings."""
    return {**MESSAGES[name]["payload"], "components": PAGE["components"]}


class Client:
    """librdkafka, and what the page says."""

    def __init__(self, bootstrap: str) -> None:
        self._servers = {"bootstrap.servers": bootstrap}
        self._producer = confluent_kafka.Producer({**self._servers, "acks": "all"})

    def submit(self, example: dict[str, Any]) -> None:
        headers = {name: str(value).encode() for name, value in example["headers"].items()}
        topic = address("intake", principal=example["headers"]["ce_source"])
        value = json.dumps(example["payload"], ensure_ascii=False).encode()
        self._producer.produce(topic, value=value, key=example["name"].encode(), headers=list(headers.items()))
        assert self._producer.flush(30) == 0

    def notices(self, department: str, count: int) -> list[tuple[dict[str, str], dict[str, Any]]]:
        consumer = confluent_kafka.Consumer(
            {**self._servers, "group.id": f"shenguan.{department}", "enable.auto.commit": False}
        )
        topic = address("notices", department=department)
        consumer.assign([confluent_kafka.TopicPartition(topic, 0, confluent_kafka.OFFSET_BEGINNING)])
        found: list[tuple[dict[str, str], dict[str, Any]]] = []

        def enough() -> bool:
            record = consumer.poll(1.0)
            if record is not None and record.error() is None:
                headers = {name: value.decode() for name, value in record.headers()}
                found.append((headers, json.loads(record.value())))
                consumer.commit(record, asynchronous=False)
            return len(found) >= count

        until(enough)
        consumer.close()
        return found


@pytest.mark.door("kafka")
@pytest.mark.clause("2.2a")
@pytest.mark.clause("2.2b")
def test_a_decision_goes_in_and_the_supervisor_reads_its_notice_and_signs(data_dir: Path) -> None:
    env = environment(data_dir, SHENGUAN_EVIDENCE_SECONDS="0.5")
    office = {
        "code": "hs-sgb",
        "name": "审改办",
        "roles": ["REFORM_OFFICE"],
        "region": "150100",
        "valid_from": "2019-01-01",
    }
    founding = {"reform_office": office, "principals": {"hs-sgb": ["hs-sgb"]}, "operator": "operator"}
    (data_dir / "founding.json").write_text(json.dumps(founding))
    with up(env) as (_, bootstrap):
        client = Client(bootstrap)
        shenguan(env, "found", "founding.json")
        shenguan(env, "topics", "apply")
        for example in examples("principal.register"):
            client.submit(example)
            supervisors = json.loads(json.dumps(example))
            supervisors["headers"]["ce_id"] += ".scjgj"
            supervisors["payload"] |= {"principal": "hs-scjgj", "acts_for": ["hs-scjgj"]}
            client.submit(supervisors)
        supervisor = json.loads(json.dumps(examples("department.register")[0]))
        supervisor["headers"]["ce_id"] += ".scjgj"
        supervisor["payload"]["entry"] |= {"code": "hs-scjgj", "name": "市场监管局", "roles": ["SUPERVISION"]}
        client.submit(supervisor)
        for example in examples("department.register", "matter.register", "matter.transfer"):
            client.submit(example)
        until(lambda: answer(env, "status", "--json")["submissions"]["accepted"] >= 6)
        shenguan(env, "topics", "apply")

        for example in examples("case.accept", "case.decide"):
            name = example["headers"]["ce_type"].removeprefix("cn.shenguan.").removesuffix(".v1")
            jsonschema.validate(example["payload"], schema(name))
            client.submit(example)
        [(headers, notice)] = client.notices("hs-scjgj", 1)
        jsonschema.validate(headers, MESSAGES["notice.decision"]["headers"])
        jsonschema.validate(notice, schema("notice.decision"))
        assert headers["ce_serial"] == "1"
        assert headers["ce_id"] == f"hs-scjgj/hs-xzspj/{examples('case.decide')[0]['headers']['ce_id']}"
        assert notice["case"]["party"]["name"] == "内蒙古草原牧业有限公司"

        # Delivered is the machine's evidence, received an officer's word: two answers.
        receipt = until(lambda: [r for r in answer(env, "receipts", "--json")["items"] if r["delivered_at"]])[0]
        assert receipt["received_at"] is None
        client.submit(examples("notice.receive")[0])
        until(lambda: [r for r in answer(env, "receipts", "--json")["items"] if r["received_at"]])

        # Sent again, as one does when not sure: counted, and nothing else.
        client.submit(examples("case.decide")[0])
        until(lambda: answer(env, "status", "--json")["submissions"]["duplicate"] == 1)
        assert len(answer(env, "receipts", "--json")["items"]) == 1
        assert answer(env, "verify", "--json")["problems"] == []

"""Witnesses that a real store asks: they cosign what only grows; whoever puts the log back or forks it is found out,
and named; nothing waits for one that is away; whatever is done to what they have cosigned is named."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest

from adapters.channels.http import Answer, Line, trusting
from adapters.crypto.notes import new_signer_key, verifier_key
from adapters.postgres.checkpoints import latest
from adapters.postgres.cosignatures import heard, lines_at
from domain.checkpoints import parse_checkpoint
from domain.log_proofs import cosigners
from domain.note_keys import KeyKind, parse_verifier_key
from domain.notes import parse_note
from infra.cosigning import KnownWitness, read_witnesses
from infra.operations import witnesses
from infra.roles.checkpoint_publisher import published
from infra.roles.prover import ProverRole
from infra.roles.witness_submitter import WitnessSubmitter
from infra.witness.logs import WitnessError
from tests.integration.channel_kit import command
from tests.integration.outlet_kit import TrackedStore, count, messages, running, store_for, store_on, until
from tests.integration.region import granted, registers
from tests.integration.test_prover import integrated, size
from tests.integration.teststore import LOG_KEY, MASTER, TestStore, superuser
from tests.integration.witness_kit import Desk, backup, desk, new_log, policy, problems, region
from tests.servers.oidc import free_port

__all__ = ["backup", "desk", "region"]


def submitter(store: TrackedStore, desk: Desk, url: str) -> WitnessSubmitter:
    key = parse_verifier_key(desk.verifier)
    return WitnessSubmitter(store, KnownWitness(key, url), threading.Event())


def turn(test: TestStore, one: WitnessSubmitter, url: str) -> str | None:
    with test.connect() as conn, Line(f"{url}/add-checkpoint", trusting(None), 20) as line:
        return one.turn(conn, line.post)


@pytest.fixture
def asking(region: TestStore, bootstrap: str, tmp_path: Path) -> Iterator[TrackedStore]:
    made = store_on(region.urls, MASTER, bootstrap, tmp_path)
    yield made
    made.close()


def test_a_witness_is_asked_for_each_new_checkpoint(region: TestStore, asking: TrackedStore, desk: Desk) -> None:
    with desk.serving() as url:
        one = submitter(asking, desk, url)
        for number in range(2, 6):
            assert turn(region, one, url) is None
            assert desk.kept() == size(region)
            granted(region, str(number))
            region.prove(limit=7)
        assert turn(region, one, url) is None
        # another process, which knows nothing of it, asks once and is told where the witness is
        again = submitter(asking, desk, url)
        assert turn(region, again, url) is None
    assert count(region, "SELECT count(*) FROM proof.cosignature") == 5
    with region.connect() as conn:
        assert [(one.name, one.size) for one in heard(conn)] == [(desk.name, size(region))]
    assert problems(region, witnesses=[parse_verifier_key(desk.verifier)]) == []


def test_what_was_cosigned_and_got_lost_on_the_way_is_asked_for_again(
    region: TestStore, asking: TrackedStore, desk: Desk
) -> None:
    with desk.serving() as url:
        lost = submitter(asking, desk, url)

        def cut(body: bytes, headers: dict[str, str]) -> Answer:
            with Line(f"{url}/add-checkpoint", trusting(None), 20) as line:
                line.post(body, headers)  # the witness has cosigned, and nobody hears of it
            return Answer(502, {}, b"", None)

        with region.connect() as conn:
            assert "HTTP 502" in (lost.turn(conn, cut) or "")
        assert desk.kept() == size(region)
        assert count(region, "SELECT count(*) FROM proof.cosignature") == 0
        assert turn(region, lost, url) is None
        with region.connect() as conn:
            assert len(lines_at(conn, size(region))) == 1


def test_a_witness_that_refuses_is_named_with_the_reason(
    region: TestStore, backup: TestStore, asking: TrackedStore, desk: Desk, tmp_path: Path
) -> None:
    granted(region, "2")
    region.prove(limit=10)
    whole = size(region)
    with desk.serving() as url:
        assert turn(region, submitter(asking, desk, url), url) is None
        here = submitter(asking, desk, url)
        said = turn(backup, here, url) or ""
        assert f"见证方 {desk.name} 曾见证大小 {whole}，此处却只到 {size(backup)}" in said
        assert f"cosigned size {whole}, but only {size(backup)} is here" in said
        granted(backup, "4")
        granted(backup, "5")
        backup.prove()
        said = turn(backup, here, url) or ""
        assert f"does not find that size {size(backup)} goes on from size {whole}" in said
        assert "HTTP 422, witness.growth" in said
        assert count(backup, "SELECT count(*) FROM proof.cosignature") == 0
        assert turn(region, submitter(asking, desk, url), url) is None  # what anybody sends does not stop it
    stranger = Desk(tmp_path / "stranger", log=new_log("shenguan/other"), origin="shenguan/other")
    with stranger.serving() as url:
        assert "HTTP 404, witness.origin" in (turn(region, submitter(asking, stranger, url), url) or "")


def test_a_fork_of_one_size_is_named(region: TestStore, backup: TestStore, asking: TrackedStore, desk: Desk) -> None:
    granted(region, "2")
    granted(backup, "3")
    region.prove()
    backup.prove()
    assert (whole := size(region)) == size(backup)
    with desk.serving() as url:
        assert turn(region, submitter(asking, desk, url), url) is None
        one = submitter(asking, desk, url)
        assert f"见证方 {desk.name} 发现日志曾分叉或被退回" in (turn(backup, one, url) or "")
        # and from then on it cosigns for neither
        granted(region, "4")
        region.prove()
        assert "HTTP 403, witness.forked" in (turn(region, submitter(asking, desk, url), url) or "")
    assert desk.evidence()[0].name.startswith(f"fork-{whole}-{whole}-")


def test_an_answer_without_its_signature_is_none(region: TestStore, asking: TrackedStore, desk: Desk) -> None:
    one = submitter(asking, desk, "http://127.0.0.1:9")
    with region.connect() as conn:
        for body in (b"", b"\xff\n", parse_note(latest(conn).note.encode()).signatures[0].line.encode()):  # type: ignore[union-attr]
            said = one.turn(conn, lambda *_, body=body: Answer(200, {}, body, None)) or ""  # type: ignore[misc]
            assert "应答中没有其有效的见证签名" in said
        assert "HTTP 409" in (one.turn(conn, lambda *_: Answer(409, {}, b"7\n", None)) or "")
        sized = {"content-type": "text/x.tlog.size"}
        said = one.turn(conn, lambda *_: Answer(409, sized, b"0\n", None)) or ""
        assert "见证过大小 0 的另一个根：日志已分叉" in said
    assert count(region, "SELECT count(*) FROM proof.cosignature") == 0


@pytest.fixture
def plain(stores: Callable[..., TestStore]) -> TestStore:
    return stores(registers)


def test_the_prover_has_its_checkpoints_cosigned_and_waits_for_nobody(
    plain: TestStore, bootstrap: str, tmp_path: Path
) -> None:
    """One witness answers, one is away, one looks: the log grows, the first's signatures go out with the checkpoint,
    and who is away is named."""
    file, dead = tmp_path / "witnesses", f"http://127.0.0.1:{free_port()}"
    store = store_for(
        plain, MASTER, bootstrap, tmp_path, witness_file=file, checkpoint_file=tmp_path / "elsewhere" / "checkpoint"
    )
    away = Desk(tmp_path / "away", "witness.example/away")
    try:
        file.write_text("nonsense\n")
        with running(ProverRole(store)):
            until(lambda: integrated(plain))  # what is wrong with the file keeps nothing from being proven
            until(
                lambda: count(plain, "SELECT count(*) FROM shenguan.follower WHERE name = 'witnesses' AND error <> ''")
            )
        [key] = [line.split(" ")[2] for line in store.settings.log_key_file.read_text().splitlines()[1:]]
        public = json.loads(command(store, "log-keys", "list", "--json"))["keys"][0]["verifier"]
        assert key.startswith("PRIVATE")
        origin = store.settings.log_name
        desk = Desk(tmp_path / "desk", log=public, origin=origin)
        looks = Desk(tmp_path / "looks", "witness.example/looks", public, origin)
        with desk.serving() as url:
            file.write_text(f"{url}/ {desk.verifier}\n{dead} {away.verifier}\n{looks.verifier}\n")
            with running(ProverRole(store)):
                for number in range(1, 4):
                    granted(plain, str(number))
                until(lambda: integrated(plain))
                until(lambda: desk.kept() == size(plain))
                known = policy(desk).witnesses
                until(lambda: cosigners(published(store.settings.checkpoint_file) or b"", known))
                sent = until(
                    lambda: [
                        (attributes["id"], json.loads(data)["checkpoint"])
                        for attributes, data in messages(store, store.names.checkpoints)
                        if attributes["id"].count("/") == 3
                    ]
                )

                def said() -> dict[str, Any]:
                    with plain.connect() as conn:
                        return {one["name"]: one for one in witnesses(conn)}

                until(lambda: (said().get(away.name) or {}).get("error"))
                assert dead in said()[away.name]["error"]
                assert said()[desk.name]["error"] is None
                assert said()[desk.name]["size"] == size(plain)
        assert all(cosigners(note.encode(), known) for _, note in sent)
        assert sent[-1][0] == f"{origin}/{parse_checkpoint(parse_note(sent[-1][1].encode()).text).size}/1"
        shown = json.loads(command(store, "checkpoint", "--witnesses", "1", "--json"))
        assert shown["witnesses"] == [desk.name]
        assert f"经 {desk.name} 见证" in command(store, "checkpoint", "--witnesses", "1")
        assert "没有这样的检查点" in command(store, "checkpoint", "--witnesses", "2", code=1)
        status = json.loads(command(store, "status", "--json"))["witnesses"]
        assert {one["name"] for one in status} == {desk.name, away.name}
        # who is asked no more is missed no more; what he has cosigned stays
        file.write_text(f"{desk.verifier}\n{looks.verifier}\n")
        with running(ProverRole(store)):
            until(lambda: not count(plain, "SELECT count(*) FROM shenguan.follower WHERE name LIKE 'witness%%'"))
        assert set(said()) == {desk.name}
    finally:
        store.close()


def test_what_somebody_does_to_cosignatures_is_named(region: TestStore, asking: TrackedStore, desk: Desk) -> None:
    with desk.serving() as url:
        assert turn(region, submitter(asking, desk, url), url) is None
    key = parse_verifier_key(desk.verifier)
    here = size(region)
    assert problems(region) == problems(region, witnesses=[key]) == []
    with region.connect() as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("DELETE FROM proof.cosignature")
    with superuser(region) as conn:
        conn.execute(
            "INSERT INTO proof.cosignature (size, witness, line) SELECT 10, witness, line FROM proof.cosignature"
        )
    assert problems(region)[0][:2] == ("cosignature", "checkpoint/10")
    with superuser(region) as conn:
        conn.execute("DELETE FROM proof.cosignature WHERE size = 10")
        conn.execute("UPDATE proof.cosignature SET line = overlay(line placing 'AAAA' from length(line) - 30)")
    [(check, stream, en)] = problems(region)
    assert (check, stream) == ("cosignature", f"checkpoint/{here}")
    assert desk.name in en
    assert json.loads(command(asking, "checkpoint", "--json", code=1))["rule"] == "note.forged"
    with superuser(region) as conn:
        conn.execute("UPDATE proof.cosignature SET size = 7")
    assert "there is no such checkpoint" in problems(region)[0][2]
    assert problems(region, witnesses=[parse_verifier_key(other_key())])[0][0] == "witness key"


def other_key() -> str:
    return verifier_key(new_signer_key("witness.example/x", KeyKind.COSIGNATURE)).text


def test_the_file_of_witnesses_is_read_strictly(tmp_path: Path, desk: Desk) -> None:
    file = tmp_path / "witnesses"
    assert read_witnesses(None) == []
    file.write_text(f"# two\n{desk.verifier}\nhttps://w.example/a/ {other_key()}\n")
    assert [(one.key.name, one.url) for one in read_witnesses(file)] == [
        (desk.name, None),
        ("witness.example/x", "https://w.example/a"),
    ]
    for bad in (LOG_KEY.verifier_key.text, f"ftp://x {desk.verifier}", "x", f"{desk.verifier[:-2]}AA"):
        file.write_text(f"{desk.verifier}\n{bad}\n")
        with pytest.raises(WitnessError, match="line 2"):
            read_witnesses(file)


def test_serve_is_a_process_that_needs_no_store(region: TestStore, desk: Desk, tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    code = "from infra.main import main; main()"
    options = [*desk.options, "--port", str(port)]
    process = subprocess.Popen(
        [sys.executable, "-c", code, "witness", "serve", *options], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == desk.verifier
        with region.connect() as conn, httpx2.Client(base_url=url, trust_env=False) as client:
            note = latest(conn).note  # type: ignore[union-attr]

            def sent() -> httpx2.Response | None:
                try:
                    return client.post("/add-checkpoint", content=f"old 0\n\n{note}".encode())
                except httpx2.ConnectError:
                    return None

            found = until(sent)
            assert found.status_code == 200
            assert cosigners((note + found.text).encode(), policy(desk).witnesses) == {desk.name}
            conflict = client.post("/add-checkpoint", content=f"old 0\n\n{note}".encode())
            assert (conflict.status_code, conflict.text) == (409, f"{size(region)}\n")
            assert client.post("/add-checkpoint", content=b"x" * 2_000_000).status_code == 413
            assert client.get("/add-checkpoint").status_code == 405
    finally:
        process.terminate()
        process.communicate(timeout=20)

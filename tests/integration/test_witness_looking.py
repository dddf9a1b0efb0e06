"""Witnesses that look at a real store: they cosign what only grows, and hand it back; whoever puts the log back or
forks it is found out, and named; what does not verify is not taken back."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from adapters.crypto.notes import NoteVerifier
from adapters.postgres.checkpoints import latest
from adapters.postgres.cosignatures import lines_at
from domain.log_proofs import EventProof, GrowthProof, check_event, check_growth, cosigners
from domain.notes import Signature, parse_note, parse_signature
from domain.unproven import Unproven
from tests.integration.outlet_kit import count
from tests.integration.region import S1, granted
from tests.integration.test_prover import size
from tests.integration.teststore import LOG_KEY, TestStore
from tests.integration.witness_kit import Desk, backup, desk, new_log, offered, policy, problems, region

__all__ = ["backup", "desk", "region"]
LOG = [NoteVerifier(LOG_KEY.verifier_key)]


def test_who_looks_cosigns_and_hands_it_back(region: TestStore, bootstrap: str, desk: Desk, tmp_path: Path) -> None:
    other = Desk(tmp_path / "other", "witness.example/s1")
    with offered(region, bootstrap, tmp_path / "a", f"# ours\n{desk.verifier}") as (opened, url):
        desk.sign_in(opened, S1)
        other.sign_in(opened, S1)
        first = size(region)
        found = desk.look("--url", url)
        assert (found.code, found.said["size"], found.said["since"]) == (0, first, 0)
        note = opened.client.get("/api/v1/log/checkpoint", headers=opened.headers(S1)).content
        assert cosigners(note, policy(desk).witnesses) == {desk.name}
        proof = EventProof.model_validate(opened.get("/log/events/5", S1))
        check_event(proof, LOG, policy=policy(desk))
        with pytest.raises(Unproven, match=r"proof\.witnesses"):
            check_event(proof, LOG, policy=policy(desk, other))
        # the log does not know the other, who keeps what it saw all the same
        refused = other.look("--url", url)
        assert (refused.code, other.kept()) == (2, first)
        assert "见证签名未能交回" in refused.told
        assert other.look("--url", url, "--private").code == 0
        # it grows: what was cosigned is the beginning, and who wants a cosigned one gets the last that is
        granted(region, "2")
        region.prove(limit=10)
        raw = opened.client.get("/api/v1/log/checkpoint?witnesses=1", headers=opened.headers(S1)).content
        assert raw == note
        assert opened.client.get("/api/v1/log/checkpoint?witnesses=2", headers=opened.headers(S1)).status_code == 404
        growth = GrowthProof.model_validate(opened.get("/log/growth", S1, first=first))
        with pytest.raises(Unproven, match=r"proof\.witnesses"):
            check_growth(growth, LOG, policy(desk))
        again = desk.look("--url", url)
        assert (again.said["since"], again.said["size"]) == (first, size(region))
        check_growth(GrowthProof.model_validate(opened.get("/log/growth", S1, first=first)), LOG, policy(desk))
        [said] = opened.get("/log/witnesses", S1)["items"]
        assert (said["name"], said["verifier"], said["size"]) == (desk.name, desk.verifier, size(region))
        assert desk.look("--url", url).code == 0  # nothing new: the same again
    assert count(region, "SELECT count(*) FROM proof.cosignature") == 2
    assert problems(region) == []


def test_a_door_that_does_not_let_in_or_is_away_is_no_fork(
    region: TestStore, bootstrap: str, desk: Desk, tmp_path: Path
) -> None:
    with offered(region, bootstrap, tmp_path / "a") as (_, url):
        found = desk.look("--url", url)
        assert (found.code, "HTTP 401" in found.told) == (2, True)
    assert desk.look("--url", url).code == 2
    assert desk.look("--url", "http://log.example").code == 2  # a token does not go in clear over the net
    assert desk.look().code == 2
    assert (desk.kept(), desk.evidence()) == (0, [])


def test_a_database_that_was_put_back_is_found_out_and_both_notes_are_kept(
    region: TestStore, backup: TestStore, bootstrap: str, desk: Desk, tmp_path: Path
) -> None:
    granted(region, "2")
    region.prove(limit=10)
    whole, before = size(region), size(backup)
    with ExitStack() as stack:
        (opened, url) = stack.enter_context(offered(region, bootstrap, tmp_path / "a", desk.verifier))
        (earlier, put_back) = stack.enter_context(offered(backup, bootstrap, tmp_path / "b", desk.verifier))
        desk.sign_in(opened, S1)
        assert desk.look("--url", url).code == 0
        desk.sign_in(earlier, S1)
        found = desk.look("--url", put_back)
        assert (found.code, found.said["rule"]) == (1, "witness.shorter")
        assert f"大小为{before}，小于曾见证的{whole}" in found.said["zh"]
        assert f"size {before}, but size {whole} was cosigned" in found.said["en"]
        [evidence] = desk.evidence()
        assert evidence.name.startswith(f"fork-{whole}-{before}-")
        said = json.loads(evidence.read_text())
        with region.connect() as conn, backup.connect() as other:
            assert parse_note(said["cosigned"].encode()).text == parse_note(latest(conn).note.encode()).text  # type: ignore[union-attr]
            assert said["shown"] == latest(other).note  # type: ignore[union-attr]
        # it goes on refusing, whoever shows it what, until a person has looked
        desk.sign_in(opened, S1)
        granted(region, "3")
        region.prove(limit=10)
        found = desk.look("--url", url)
        assert (found.code, found.said["rule"]) == (1, "witness.forked")
        assert evidence.name in found.said["zh"]
        assert desk.kept() == whole
        evidence.unlink()
        assert desk.look("--url", url).said["size"] == size(region)


@pytest.mark.parametrize("limit", [10, 1000])
def test_other_events_signed_by_the_real_key_are_found_out(
    region: TestStore, backup: TestStore, bootstrap: str, desk: Desk, tmp_path: Path, limit: int
) -> None:
    """As long as the first, or longer: with a checkpoint of the size that was cosigned, or without."""
    granted(region, "2")
    region.prove(limit=10)
    whole = size(region)
    with ExitStack() as stack:
        (opened, url) = stack.enter_context(offered(region, bootstrap, tmp_path / "a", desk.verifier))
        (forked, fork) = stack.enter_context(offered(backup, bootstrap, tmp_path / "b", desk.verifier))
        desk.sign_in(opened, S1)
        assert desk.look("--url", url).code == 0
        granted(backup, "3")  # another case
        if limit == 10:
            backup.prove(limit)
            assert size(backup) == whole
        desk.sign_in(forked, S1)
        if limit == 10:
            found = desk.look("--url", fork)
            assert (found.code, found.said["rule"]) == (1, "witness.root")
            assert f"大小为{whole}的检查点有两个不同的根" in found.said["zh"]
            desk.evidence()[0].unlink()
        granted(backup, "4")
        backup.prove(limit)
        found = desk.look("--url", fork)
        assert (found.code, found.said["rule"]) == (1, "witness.growth")
        assert f"size {size(backup)} goes on from size {whole}" in found.said["en"]
        # that it has no proof may be another's fault than the log's; a proof that does not hold is not
        assert desk.evidence()[0].name.startswith(f"{'fork' if limit == 10 else 'doubt'}-{whole}-{size(backup)}-")
        assert desk.kept() == whole


def test_a_file_on_others_storage_is_looked_at(region: TestStore, bootstrap: str, desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "checkpoint"
    with region.connect() as conn:
        first = latest(conn).note  # type: ignore[union-attr]
    file.write_text(first)
    assert desk.look("--file", str(file)).code == 0
    granted(region, "2")
    region.prove()
    with region.connect() as conn:
        file.write_text(latest(conn).note)  # type: ignore[union-attr]
    found = desk.look("--file", str(file))
    assert (found.code, "一致性证明" in found.told) == (2, True)
    with offered(region, bootstrap, tmp_path / "a", desk.verifier) as (opened, url):
        desk.sign_in(opened, S1)
        assert desk.look("--file", str(file), "--url", url).said["size"] == size(region)
        with opened.app.state.readers.log() as conn:
            assert len(lines_at(conn, size(region))) == 1
    file.write_text(first)  # it lags behind: refused, but no fork
    found = desk.look("--file", str(file))
    assert (found.code, found.said["rule"]) == (1, "witness.shorter")
    assert [one.name.split("-")[0] for one in desk.evidence()] == ["doubt"]
    file.write_text("<html>")
    assert desk.look("--file", str(file)).code == 2
    assert desk.look("--file", str(tmp_path / "none")).code == 2


def test_another_log_and_another_key_are_refused(region: TestStore, bootstrap: str, desk: Desk, tmp_path: Path) -> None:
    stranger = Desk(tmp_path / "stranger", log=new_log("shenguan/other"), origin="shenguan/other")
    ended = Desk(tmp_path / "ended", log=new_log(LOG_KEY.name))
    with offered(region, bootstrap, tmp_path / "a") as (opened, url):
        for one, rule in ((stranger, "witness.origin"), (ended, "witness.key")):
            one.sign_in(opened, S1)
            found = one.look("--url", url)
            assert (found.code, found.said["rule"]) == (1, rule)
            assert one.kept() == 0


def test_nothing_is_handed_back_that_does_not_verify(
    region: TestStore, bootstrap: str, desk: Desk, tmp_path: Path
) -> None:
    other = Desk(tmp_path / "other", "witness.example/s1")
    with offered(region, bootstrap, tmp_path / "a", desk.verifier) as (opened, url):
        for one in (desk, other):
            one.sign_in(opened, S1)
            one.look("--url", url, "--private")

        def line(one: Desk) -> str:
            kept = one.witness().kept(one.origin)
            assert kept is not None
            return parse_note(kept).signatures[-1].line.rstrip("\n")

        def hand(code: int, at: int, text: str) -> Any:
            body = {"size": at, "signature": text}
            found = opened.client.post("/api/v1/log/cosignatures", json=body, headers=opened.headers(S1))
            assert found.status_code == code, found.text
            return found.json()

        good, here = parse_signature(line(desk)), size(region)
        bad = Signature(good.name, good.key_id, bytes([*good.signature[:-1], good.signature[-1] ^ 1]))
        assert hand(422, here, bad.line.rstrip("\n"))["rule"] == "cosignature.wrong"
        assert hand(422, here, line(other))["rule"] == "cosignature.witness"
        assert hand(422, here, "— x")["rule"] == "note.signature"
        assert hand(422, 10, line(desk))["rule"] == "cosignature.wrong"  # that of another size
        hand(404, 7, line(desk))
        assert opened.client.post("/api/v1/log/cosignatures", json={}).status_code in (401, 422)
        assert count(region, "SELECT count(*) FROM proof.cosignature") == 0
        assert hand(200, here, line(desk)) == {"witness": desk.name, "size": here}
        assert hand(200, here, line(desk))  # twice is once
        assert count(region, "SELECT count(*) FROM proof.cosignature") == 1
        (tmp_path / "a" / "witnesses").write_text("nonsense\n")
        hand(503, here, line(desk))

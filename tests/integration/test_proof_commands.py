"""`shenguan checkpoint`, `prove` and `keys`: what they say is checked before it is said, and not said where it is so no
longer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.crypto.notes import NoteSigner, new_signer_key
from domain.log_proofs import EventProof, LedgerProof, check_event, check_ledger
from domain.note_keys import parse_verifier_key
from domain.notes import parse_note, sign_note
from infra.log_keys import verifiers
from infra.main import app
from tests.integration.channel_kit import command
from tests.integration.outlet_kit import TrackedStore
from tests.integration.region import S1, accept, granted
from tests.integration.test_prover import prove
from tests.integration.teststore import TestStore, superuser


@pytest.fixture
def proven(region: TestStore, outer: TrackedStore) -> TrackedStore:
    for number in range(1, 8):
        granted(region, str(number))
    prove(region, outer)
    return outer


def asked(store: TrackedStore, *arguments: str, code: int = 0) -> Any:
    return json.loads(command(store, *arguments, "--json", code=code))


def tamper(store: TestStore, statement: str) -> None:
    with superuser(store) as conn:
        assert conn.execute(statement).rowcount == 1  # type: ignore[arg-type]


def test_a_checkpoint_is_shown_with_its_signature_checked(region: TestStore, proven: TrackedStore) -> None:
    found = asked(proven, "checkpoint")
    assert found["origin"] == f"shenguan/{proven.settings.store}"
    assert found["checkpoint"].startswith(f"{found['origin']}\n{found['size']}\n{found['root']}\n")
    said = command(proven, "checkpoint")
    assert "签名相符" in said
    assert found["checkpoint"] in said
    assert "its signature holds" in command(proven, "checkpoint", "--lang", "en")
    assert "没有这样的检查点" in command(proven, "checkpoint", "--size", "3", code=1)
    tamper(region, f"UPDATE proof.checkpoint SET note = replace(note, E'\\n{found['size']}\\n', E'\\n9\\n')")
    assert asked(proven, "checkpoint", code=1)["rule"] == "note.forged"


def test_an_event_is_proven_or_said_to_be_altered(region: TestStore, proven: TrackedStore) -> None:
    keys = verifiers([parse_verifier_key(one["verifier"]) for one in asked(proven, "log-keys", "list")["keys"]])
    found = EventProof.model_validate(asked(proven, "prove", "event", "25"))
    check_event(found, keys)
    said = command(proven, "prove", "event", "25")
    assert "内容、路径、签名均相符" in said
    assert "hold." in command(proven, "prove", "event", "25", "--earliest", "--lang", "en")
    assert "没有位置 999" in command(proven, "prove", "event", "999", code=1)
    tamper(region, "UPDATE shenguan.stored_events SET state = state || ' ' WHERE notification_id = 25")
    assert asked(proven, "prove", "event", "25", code=1)["rule"] == "proof.leaf"
    assert "证明不成立" in command(proven, "prove", "event", "25", code=1)


def test_a_ledger_is_proven_to_be_whole_or_said_not_to_be(region: TestStore, proven: TrackedStore) -> None:
    keys = verifiers([parse_verifier_key(one["verifier"]) for one in asked(proven, "log-keys", "list")["keys"]])
    found = asked(proven, "prove", "ledger", S1)
    assert (found["entries"], found["complete"], len(found["leaf_hashes"])) == (7, True, 7)
    assert check_ledger(LedgerProof.model_validate(found["proof"]), keys).size == 7
    assert "第 1 至 7 号共 7 件" in command(proven, "prove", "ledger", S1)
    assert "none is missing" in command(proven, "prove", "ledger", S1, "--lang", "en")
    assert "没有告知过部门 nobody" in command(proven, "prove", "ledger", "nobody")
    tamper(
        region,
        f"DELETE FROM shenguan.stored_events WHERE originator_id = 'ledger/{S1}' AND originator_version = 4",
    )
    assert asked(proven, "prove", "ledger", S1, code=1)["rule"] == "ledger.count"


def test_keys_are_listed_and_rotated(region: TestStore, proven: TrackedStore) -> None:
    [old] = asked(proven, "log-keys", "list")["keys"]
    assert (old["until"], old["here"]) == (None, True)
    new = asked(proven, "log-keys", "rotate", "--overlap-days", "7")
    assert "PRIVATE" not in json.dumps(new)
    granted(region, "8")
    prove(region, proven)
    ended, present = asked(proven, "log-keys", "list")["keys"]
    assert ended["until"] is not None
    assert present["verifier"] == new["verifier"]
    assert asked(proven, "checkpoint")["checkpoint"].count("— ") == 2
    said = command(proven, "log-keys", "rotate")
    assert "PRIVATE" not in said
    assert "新密钥已写入" in said
    assert "签署密钥" in command(proven, "log-keys", "list")


def test_who_knows_the_keys_does_not_believe_the_database(region: TestStore, proven: TrackedStore) -> None:
    """A superuser may enter a key of his own and sign anew; whoever has the key file finds out."""
    false = NoteSigner(new_signer_key(proven.settings.log_name))
    note = asked(proven, "checkpoint")["checkpoint"]
    signed = sign_note(parse_note(note.encode()).text, [false]).decode()
    tamper(region, f"UPDATE proof.checkpoint SET note = $note${signed}$note$")
    tamper(region, f"INSERT INTO proof.key VALUES ('{false.verifier_key.text}', now())")
    assert [one["here"] for one in asked(proven, "log-keys", "list")["keys"]] == [True, False]
    assert asked(proven, "checkpoint", code=1)["rule"] == "note.unsigned"


def test_only_keys_of_the_key_file_are_handed_out(region: TestStore, proven: TrackedStore, tmp_path: Path) -> None:
    """The running system may enter keys; where nobody can tell which are true, that is said."""
    out = tmp_path / "keys"

    def handed(*arguments: str) -> tuple[list[str], str]:
        said = CliRunner().invoke(app, ["log-keys", "list", "--out", str(out), *arguments], obj=proven)
        assert said.exit_code == 0, said.output
        return out.read_text().splitlines(), said.stderr

    [mine] = [one["verifier"] for one in asked(proven, "log-keys", "list")["keys"]]
    assert handed() == ([mine], "")
    false = NoteSigner(new_signer_key(proven.settings.log_name)).verifier_key.text
    with region.connect() as conn:
        conn.execute("INSERT INTO proof.key (verifier, since) VALUES (%s, now())", (false,))
    assert handed() == ([mine], f"只见于数据库、未写入：{false}\n")
    assert handed("--json", "--lang", "en") == ([mine], f"only in the database, not written: {false}\n")
    proven.settings.log_key_file.unlink()
    written, said = handed()
    assert set(written) == {mine, false}
    assert "只以数据库所载为据" in said
    assert "not at hand" in handed("--lang", "en")[1]


def test_what_is_kept_of_a_ledger_never_goes_back(region: TestStore, proven: TrackedStore, tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    small = asked(proven, "checkpoint")["size"]
    region.submit(accept("8"))  # the log grows, the ledger does not
    prove(region, proven)
    asked(proven, "prove", "ledger", S1, "--size", str(small), "--kept", str(file))
    assert kept_size(file) == small
    asked(proven, "prove", "ledger", S1, "--kept", str(file))
    for grown in (False, True):
        if grown:
            granted(region, "9")
            prove(region, proven)
            asked(proven, "prove", "ledger", S1, "--kept", str(file))
        before = file.read_bytes()
        assert kept_size(file) > small
        older = ("prove", "ledger", S1, "--size", str(small), "--kept", str(file))
        refused = CliRunner().invoke(app, older, obj=proven)
        assert (refused.exit_code, "--size" in refused.output, "小于留存" in refused.output) == (2, True, True)
        assert file.read_bytes() == before
    asked(proven, "prove", "ledger", S1, "--size", str(kept_size(file)), "--kept", str(file))  # the same


def kept_size(file: Path) -> int:
    return int(json.loads(file.read_text())["checkpoint"].split("\n")[1])

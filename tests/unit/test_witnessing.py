"""What a witness cosigns: what goes on from what it cosigned before, and nothing else; and what it writes down."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from adapters.crypto.notes import NoteSigner, NoteVerifier, new_signer_key, verifier_key
from domain.checkpoints import Checkpoint, parse_checkpoint
from domain.cosignatures import unstamped
from domain.ledger_heads import extension
from domain.log_proofs import Policy, cosigners, opened
from domain.merkle import Head, tree_hash
from domain.merkle_proofs import prove_consistency
from domain.note_keys import KeyKind, NoteError
from domain.notes import Signature, open_note, parse_note, parse_signature, sign_note, with_signatures
from domain.unproven import Unproven
from domain.witnessing import Proposal, Refused, parse_proposal
from infra.witness.keeping import MOST_DOUBTS, Overtaken, Witness
from infra.witness.logs import WitnessError, new_key, read_key, read_logs
from infra.witness.serving import answer
from tests.unit.merkle_kit import node_of, numbered, spoiled

ORIGIN = "shenguan/150000"
SIGNER = NoteSigner(new_signer_key(ORIGIN))
STRANGER = NoteSigner(new_signer_key(ORIGIN))
KEY = new_signer_key("witness.example/jw", KeyKind.COSIGNATURE)
KNOWN = [NoteVerifier(SIGNER.verifier_key)]
LEAVES = numbered(40)
OTHERS = [*LEAVES[:5], *numbered(80)[45:]]
"""A log that was the same for five entries."""
NOBODY = Head(0, tree_hash(()))


def note(size: int, leaves: Sequence[bytes] = LEAVES, ledgers: Head = NOBODY, signer: NoteSigner = SIGNER) -> bytes:
    text = Checkpoint(ORIGIN, size, tree_hash(leaves[:size]), (extension(ledgers),)).text
    return sign_note(text, [signer])


def growth(first: int, second: int, leaves: Sequence[bytes] = LEAVES) -> tuple[bytes, ...]:
    return tuple(prove_consistency(first, second, node_of(leaves))) if 0 < first < second else ()


def proposal(first: int, second: int, leaves: Sequence[bytes] = LEAVES) -> Proposal:
    return Proposal(first, growth(first, second, leaves), note(second, leaves))


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return made(tmp_path)


def made(path: Path, at: int = 1_800_000_000) -> Witness:
    return Witness(path / "state", KEY, {ORIGIN: KNOWN}, lambda: at)


def rule(witness: Witness, given: Proposal, *more: object) -> str:
    with pytest.raises(Refused) as caught:
        witness.consider(given, *more)  # type: ignore[arg-type]
    assert caught.value.message
    assert caught.value.en
    return caught.value.rule


def size(witness: Witness) -> int:
    found = witness.kept(ORIGIN)
    return 0 if found is None else parse_checkpoint(parse_note(found).text).size


def evidence(path: Path) -> list[str]:
    return sorted(one.name for one in path.rglob("*.json"))


def test_a_log_that_only_grows_is_cosigned_at_every_step(tmp_path: Path) -> None:
    for first in range(len(LEAVES)):
        for second in range(max(first, 1), len(LEAVES) + 1, 7):
            one = made(tmp_path / f"{first}.{second}")
            if first:
                one.consider(proposal(0, first))
            checkpoint, signature = one.consider(proposal(first, second))
            cosigned = with_signatures(note(second), [signature])
            assert opened(cosigned.decode(), KNOWN, ORIGIN, POLICY) == checkpoint
            assert unstamped(signature.signature)[0] == 1_800_000_000
            kept = one.kept(ORIGIN)
            assert kept is not None
            assert cosigners(kept, POLICY.witnesses) == {KEY.name}
            assert size(one) == second


WITNESS = NoteVerifier(verifier_key(KEY))
POLICY = Policy((WITNESS,), 1)


def test_what_is_no_continuation_is_refused_and_changes_nothing(witness: Witness) -> None:
    witness.consider(proposal(0, 13))
    before = witness.kept(ORIGIN)
    path = growth(13, 20)
    refused = 0
    for bad in spoiled(list(path), (LEAVES[0], tree_hash(LEAVES[:20]))):
        assert rule(witness, Proposal(13, tuple(bad), note(20))) == "witness.growth"
        refused += 1
    assert refused > 10
    assert rule(witness, Proposal(12, growth(12, 20), note(20))) == "witness.size"
    assert rule(witness, Proposal(0, (), note(20))) == "witness.size"
    assert rule(witness, Proposal(13, path, note(20, OTHERS))) == "witness.growth"
    assert rule(witness, proposal(13, 20, OTHERS)) == "witness.growth"
    assert rule(witness, Proposal(13, (), note(12))) == "witness.old"
    assert rule(witness, Proposal(13, path, note(20, signer=STRANGER))) == "witness.key"
    other = sign_note(Checkpoint("another/log", 20, tree_hash(LEAVES[:20])).text, [SIGNER])
    assert rule(witness, Proposal(13, path, other)) == "witness.origin"
    assert witness.kept(ORIGIN) == before
    witness.consider(Proposal(13, path, note(20)))  # none of it keeps it from going on


def test_two_of_one_size_are_a_fork_and_nothing_is_cosigned_until_a_person_has_looked(
    witness: Witness, tmp_path: Path
) -> None:
    witness.consider(proposal(0, 9))
    assert rule(witness, Proposal(0, (), note(9, OTHERS))) == "witness.root"  # whatever the proof, both were signed
    [file] = (tmp_path / "state").rglob("fork-*.json")
    said = json.loads(file.read_text())
    assert said["rule"] == "witness.root"
    assert parse_checkpoint(parse_note(said["cosigned"].encode()).text).root == tree_hash(LEAVES[:9])
    assert said["shown"].encode() == note(9, OTHERS)
    written = file.read_bytes()
    assert rule(witness, proposal(9, 20)) == "witness.forked"
    assert rule(made(tmp_path), proposal(9, 20)) == "witness.forked"  # started again, it still knows
    assert file.read_bytes() == written
    assert size(witness) == 9
    file.unlink()
    witness.consider(proposal(9, 20))


def test_two_states_of_the_ledgers_at_one_size_are_a_fork(witness: Witness, tmp_path: Path) -> None:
    witness.consider(proposal(0, 9))
    assert rule(witness, Proposal(9, (), note(9, ledgers=Head(1, LEAVES[0])))) == "witness.ledgers"
    assert evidence(tmp_path)[0].startswith("fork-9-9-")


def test_a_latest_checkpoint_that_is_smaller_is_a_fork_one_that_was_sent_is_none(
    witness: Witness, tmp_path: Path
) -> None:
    witness.consider(proposal(0, 9))
    kept = witness.kept(ORIGIN)
    assert rule(witness, Proposal(0, (), note(7))) == "witness.size"  # anybody may have kept and sent it
    assert evidence(tmp_path) == []
    assert rule(witness, Proposal(9, (), note(7)), "filed", kept) == "witness.shorter"  # files may lag behind
    assert [one.split("-")[0] for one in evidence(tmp_path)] == ["doubt"]
    assert rule(witness, Proposal(9, (), note(7)), "latest", kept) == "witness.shorter"
    assert evidence(tmp_path)[-1] == f"fork-9-7-{tree_hash(LEAVES[:7]).hex()[:16]}.json"


def test_the_proof_of_the_log_itself_that_does_not_hold_is_a_fork_somebody_elses_a_doubt(
    witness: Witness, tmp_path: Path
) -> None:
    witness.consider(proposal(0, 9))
    assert rule(witness, proposal(9, 20, OTHERS)) == "witness.growth"
    assert evidence(tmp_path)[0].startswith("doubt-9-20-")
    witness.consider(proposal(9, 10))
    assert rule(witness, proposal(10, 20, OTHERS), "latest", witness.kept(ORIGIN)) == "witness.growth"
    assert evidence(tmp_path)[-1].startswith("fork-10-20-")


def test_who_was_overtaken_while_looking_looks_again(witness: Witness) -> None:
    witness.consider(proposal(0, 9))
    before = witness.kept(ORIGIN)
    witness.consider(proposal(9, 11))
    with pytest.raises(Overtaken):  # size 10 was the latest when it asked: no rolling back
        witness.consider(proposal(9, 10), "latest", before)


def test_doubts_do_not_fill_the_disk(witness: Witness, tmp_path: Path) -> None:
    witness.consider(proposal(0, 9))
    for number in range(MOST_DOUBTS + 20):
        leaves = [*LEAVES[:9], *numbered(number + 20)[number:]]
        assert rule(witness, Proposal(9, (LEAVES[0],), note(20, leaves))) == "witness.growth"
    assert len(evidence(tmp_path)) == MOST_DOUBTS


def test_of_many_at_once_all_that_is_cosigned_is_one_line_of_growth(witness: Witness) -> None:
    """Every size's checkpoint is sent by threads of its own, each from the size that it is told: never back."""
    cosigned: list[int] = []
    refusals: set[str] = set()

    def send(second: int) -> None:
        for _ in range(60):
            first = size(witness)
            if first > second:
                return
            try:
                witness.consider(proposal(first, second))
            except Refused as refused:
                refusals.add(refused.rule)
            else:
                cosigned.append(second)
                return

    threads = [threading.Thread(target=send, args=(number,)) for number in range(1, 41)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert size(witness) == max(cosigned) == 40
    assert refusals <= {"witness.size"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (proposal(9, 20).data, 200),
        (Proposal(9, (), note(9)).data, 200),
        (Proposal(0, (), note(20)).data, 409),
        (Proposal(9, (), note(9, OTHERS)).data, 409),
        (Proposal(9, growth(9, 20)[:-1], note(20)).data, 422),
        (Proposal(9, growth(9, 20), note(20, signer=STRANGER)).data, 403),
        (Proposal(9, growth(9, 20), sign_note(Checkpoint("x", 1, LEAVES[0]).text, [SIGNER])).data, 404),
        (Proposal(21, (), note(20)).data, 400),
        (b"old 09\n\n" + note(20), 400),
        (b"old 9\nAAAA\n\n" + note(20), 400),
        (b"old 9\n" + b"PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n" * 64 + b"\n" + note(20), 400),
        (b"new 9\n\n" + note(20), 400),
        (b"old 9\n\nno note", 400),
        (b"", 400),
        (b"old -1\n\n" + note(20), 400),
        ("old ٩\n\n".encode() + note(20), 400),
        (b"old 9\n\xff\n\n" + note(20), 400),
    ],
)
def test_it_answers_as_the_specification_says(witness: Witness, body: bytes, status: int) -> None:
    witness.consider(proposal(0, 9))
    found = answer(witness, body)
    assert found.status_code == status, found.body
    if status == 409:
        assert (found.body, found.headers["content-type"]) == (b"9\n", "text/x.tlog.size")
    elif status == 200:
        line = bytes(found.body).decode()
        checkpoint = parse_proposal(body).note
        assert open_note(checkpoint + line.encode(), [WITNESS]).verified
    else:
        assert size(witness) == 9


def test_a_proposal_is_read_as_it_was_written() -> None:
    for first, second in ((0, 1), (0, 40), (8, 8), (13, 40)):
        assert parse_proposal(proposal(first, second).data) == proposal(first, second)


def test_a_policy_counts_witnesses_and_no_keys(witness: Witness) -> None:
    """One that has two keys is one witness; one whose key is not known is none; the log is no witness of itself."""
    two = new_signer_key(KEY.name, KeyKind.COSIGNATURE)
    other = new_signer_key("witness.example/s1", KeyKind.COSIGNATURE)
    _, signature = witness.consider(proposal(0, 9))
    signatures = [signature]
    for key in (two, other):
        single = Witness(Path(str(witness._directory) + key.key_id.hex()), key, {ORIGIN: KNOWN})
        signatures.append(single.consider(proposal(0, 9))[1])
    cosigned = with_signatures(note(9), signatures).decode()
    mine, second, others = (NoteVerifier(verifier_key(one)) for one in (KEY, two, other))
    assert opened(cosigned, KNOWN, ORIGIN, Policy((mine, second, others), 2)).size == 9
    for policy in (Policy((mine, second), 2), Policy((), 1), Policy((mine, second, others), 3)):
        with pytest.raises(Unproven, match=r"proof\.witnesses"):
            opened(cosigned, KNOWN, ORIGIN, policy)
    forged = Signature(
        signature.name, signature.key_id, bytes([*signature.signature[:-1], signature.signature[-1] ^ 1])
    )
    with pytest.raises(NoteError, match=r"note\.forged"):
        opened(with_signatures(note(9), [forged]).decode(), KNOWN, ORIGIN, Policy((mine,), 1))


def test_signatures_are_added_behind_and_each_key_once() -> None:
    more = parse_signature(parse_note(note(9, signer=STRANGER)).signatures[0].line.rstrip("\n"))
    both = with_signatures(note(9), [more, more])
    assert parse_note(both).signatures == (*parse_note(note(9)).signatures, more)
    assert with_signatures(both, [more]) == both
    for bad in ("", "— x", "x y", "— x y", "— x AAAA"):
        with pytest.raises(NoteError):
            parse_signature(bad)


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "witness.key"
    public = new_key(file, "witness.example/jw")
    assert public.kind is KeyKind.COSIGNATURE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert verifier_key(read_key(file)) == public
    with pytest.raises(FileExistsError):
        new_key(file, "witness.example/jw")
    with pytest.raises(NoteError):
        new_key(tmp_path / "other", "two words")
    for text in ("", public.text, new_signer_key("a").text, file.read_text() * 2):
        (tmp_path / "bad").write_text(text)
        with pytest.raises(WitnessError) as caught:
            read_key(tmp_path / "bad")
        assert "PRIVATE" not in str(caught.value)


def test_logs_are_known_by_lines(tmp_path: Path) -> None:
    file = tmp_path / "logs"
    other, next_ = NoteSigner(new_signer_key("log/2")), NoteSigner(new_signer_key(ORIGIN))
    one = f"# kept since 2026\n\n{ORIGIN} {SIGNER.verifier_key.text}\n{ORIGIN} {next_.verifier_key.text}\n"
    file.write_text(f"{one}log/2 {other.verifier_key.text}\n")
    found = read_logs(file)
    assert {name: [key.name for key in keys] for name, keys in found.items()} == {
        ORIGIN: [ORIGIN, ORIGIN],
        "log/2": ["log/2"],
    }
    for bad in (
        "",
        SIGNER.verifier_key.text,
        f"{ORIGIN} x",
        f"{ORIGIN} {verifier_key(KEY).text}",
        f"{ORIGIN} {other.verifier_key.text}",
    ):
        file.write_text(f"{bad}\n")
        with pytest.raises(WitnessError):
            read_logs(file)


def test_names_of_logs_do_not_leave_the_directory(tmp_path: Path) -> None:
    for origin in ("..", ".", "../x", "a/../../b", "见" * 100):
        signer = NoteSigner(new_signer_key(origin))
        one = Witness(tmp_path / "state", KEY, {origin: [NoteVerifier(signer.verifier_key)]})
        text = sign_note(Checkpoint(origin, 1, LEAVES[0]).text, [signer])
        if set(origin) <= {"."} or len(origin) == 100:
            assert rule(one, Proposal(0, (), text)) == "witness.origin"
        else:
            one.consider(Proposal(0, (), text))
    assert {one.name for one in tmp_path.iterdir()} <= {"state"}

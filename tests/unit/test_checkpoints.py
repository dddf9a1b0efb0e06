"""Checkpoints: read and written letter by letter as the specification has them."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.checkpoints import Checkpoint, CheckpointError, parse_checkpoint
from domain.merkle import EMPTY_ROOT, Head

ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
TEXT = f"example.com/behind-the-sofa\n20852163\n{ROOT}\n"  # the example of C2SP tlog-checkpoint
EMPTY = base64.b64encode(EMPTY_ROOT).decode()

lines = st.text(
    st.characters(exclude_characters=[chr(code) for code in range(32)], exclude_categories=["Cs"]), min_size=1
)


def test_the_example_of_the_specification() -> None:
    found = parse_checkpoint(TEXT)
    assert found == Checkpoint("example.com/behind-the-sofa", 20852163, base64.b64decode(ROOT))
    assert found.head == Head(20852163, base64.b64decode(ROOT))
    assert found.text == TEXT
    extended = parse_checkpoint(TEXT + "ledgers 7\nanother\n")
    assert extended.extensions == ("ledgers 7", "another")
    assert extended.text == TEXT + "ledgers 7\nanother\n"
    assert parse_checkpoint(f"log\n0\n{EMPTY}\n") == Checkpoint("log", 0, EMPTY_ROOT)


@given(lines, st.integers(1, 2**63 - 1), st.binary(min_size=32, max_size=32), st.lists(lines, max_size=3))
def test_it_is_read_as_it_was_written(origin: str, size: int, root: bytes, extensions: list[str]) -> None:
    checkpoint = Checkpoint(origin, size, root, tuple(extensions))
    assert parse_checkpoint(checkpoint.text) == checkpoint


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "shape"),
        ("\n", "shape"),
        ("log\n1\n", "shape"),
        (TEXT[:-1], "shape"),
        (TEXT + "extension without an end", "shape"),
        (TEXT.replace("\n", "\r\n"), "size"),
        (f"\n5\n{ROOT}\n", "origin"),
        (f"log\tbook\n5\n{ROOT}\n", "origin"),
        (f"\ud800\n5\n{ROOT}\n", "origin"),
        *(
            (f"log\n{size}\n{ROOT}\n", "size")
            for size in (
                "",
                "05",
                "00",
                "+5",
                "-5",
                " 5",
                "5 ",
                "0x5",
                "5.0",
                "1_000",
                "٥",
                "５",
                "9223372036854775808",
            )
        ),
        (f"log\n{'9' * 5000}\n{ROOT}\n", "size"),
        (f"log\n0\n{ROOT}\n", "root"),
        (f"log\n5\n{ROOT[:-1]}\n", "root"),
        (f"log\n5\n{ROOT} \n", "root"),
        (f"log\n5\n{ROOT[:-2]}J=\n", "root"),  # the same 32 bytes, spelt otherwise
        (f"log\n5\n{ROOT.replace('+', '-').replace('/', '_')}_\n", "root"),
        (f"log\n5\n{ROOT[:-4]}\n", "root"),
        (f"log\n5\n{base64.b64encode(bytes(33)).decode()}\n", "root"),
        ("log\n5\n\n", "root"),
        (f"{TEXT}\n", "extension"),
        (f"{TEXT}\nafter a blank line\n", "extension"),
        (f"{TEXT}a\x00b\n", "extension"),
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str, rule: str) -> None:
    with pytest.raises(CheckpointError, match=rf"checkpoint\.{rule}:"):
        parse_checkpoint(text)


@pytest.mark.parametrize(
    ("origin", "size", "root", "extensions", "rule"),
    [
        ("", 1, bytes(32), (), "origin"),
        ("two\nlines", 1, bytes(32), (), "origin"),
        ("log", -1, bytes(32), (), "size"),
        ("log", 2**63, bytes(32), (), "size"),
        ("log", 1, bytes(31), (), "root"),
        ("log", 0, bytes(32), (), "root"),
        ("log", 1, bytes(32), ("",), "extension"),
        ("log", 1, bytes(32), ("one\ntwo",), "extension"),
    ],
)
def test_none_is_made_that_could_not_be_read(
    origin: str, size: int, root: bytes, extensions: tuple[str, ...], rule: str
) -> None:
    with pytest.raises(CheckpointError, match=rf"checkpoint\.{rule}:"):
        Checkpoint(origin, size, root, extensions)

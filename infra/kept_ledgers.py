"""What a department keeps of its own ledger, so that not even who has the log's keys can take anything back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from psycopg import Connection
from pydantic import BaseModel, ConfigDict, ValidationError

from domain.armour import unarmoured
from domain.log_proofs import check_growth, check_kept, opened
from domain.merkle import ProofError
from domain.notes import Verifier
from infra import proofs
from infra.whole_files import PUBLIC, replace_file


class Kept(BaseModel):
    """The leaf hashes of the ledger's entries, serial 1 first, in base64, and the checkpoint that committed to them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    department: str
    leaf_hashes: list[str]
    checkpoint: str


def keep(conn: Connection[Any], file: Path | None, now: Kept, keys: Sequence[Verifier]) -> Kept | None:
    """Holds what was kept, if anything was, against what has just been proven, and keeps that from now on.

    Gives what was kept. Raises Unproven: `kept.shape`, `kept.department`, `kept.shorter` (the log is smaller than it
    was), or as `check_kept` and `check_growth` do; then the file stays as it is. Raises OSError.
    """
    if file is None:
        return None
    before = _read(file)
    if before is not None:
        _compare(conn, before, now, keys)
    replace_file(file, now.model_dump_json(indent=1) + "\n", PUBLIC)
    return before


def size_kept(file: Path, keys: Sequence[Verifier]) -> int:
    """Of the log, by the checkpoint that was kept; 0 where nothing was. Raises as `keep`."""
    before = _read(file)
    return opened(before.checkpoint, keys).size if before is not None else 0


def _compare(conn: Connection[Any], before: Kept, now: Kept, keys: Sequence[Verifier]) -> None:
    if before.department != now.department:
        raise ProofError("kept.department", f"留存的是部门{before.department}的编号簿")
    check_kept(_hashes(before), _hashes(now))
    size = opened(before.checkpoint, keys).size
    growth = proofs.prove_growth_from(conn, before.checkpoint)
    if growth is None:
        raise ProofError("kept.shorter", f"日志现在不足{size}个事件：已被退回到更早的状态")
    check_growth(growth, keys)


def _read(file: Path) -> Kept | None:
    try:
        return Kept.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        raise ProofError("kept.shape", f"{file} 不是留存的编号簿") from None


def _hashes(kept: Kept) -> list[bytes]:
    try:
        return [unarmoured(one) for one in kept.leaf_hashes]
    except ValueError:
        raise ProofError("kept.shape", "留存的散列值须为规范的base64") from None

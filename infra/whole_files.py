"""Files that are whole or not there, whenever somebody looks; those that hold secrets readable by their owner alone."""

from __future__ import annotations

import os
from pathlib import Path

SECRET = 0o600
PUBLIC = 0o644


def make_secret(file: Path, text: str) -> bool:
    """Whether the file is ours: one that another process has just made stays. Raises OSError."""
    return make_file(file, text, SECRET)


def make_file(file: Path, text: str, mode: int) -> bool:
    """Like `make_secret`, for whoever the mode lets read it."""
    part = _part(file, text, mode)
    try:
        os.link(part, file)  # unlike a rename this never replaces what is there
    except FileExistsError:
        return False
    finally:
        part.unlink()
    _settle(file.parent)
    return True


def replace_file(file: Path, text: str, mode: int) -> None:
    """Puts the text in the file's place, all at once. Raises OSError."""
    os.replace(_part(file, text, mode), file)
    _settle(file.parent)


def _part(file: Path, text: str, mode: int) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)  # of a process of this number that was killed
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    return part


def _settle(directory: Path) -> None:
    """The name is on disk too."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

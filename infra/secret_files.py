"""Files that hold secrets: readable by their owner alone, and whole or not there, whenever somebody looks."""

from __future__ import annotations

import os
from pathlib import Path


def make_secret(file: Path, text: str) -> bool:
    """Whether the file is ours: one that another process has just made stays. Mode 0600. Raises OSError."""
    part = _part(file, text)
    try:
        os.link(part, file)  # unlike a rename this never replaces what is there
    except FileExistsError:
        return False
    finally:
        part.unlink()
    _settle(file.parent)
    return True


def replace_secret(file: Path, text: str) -> None:
    """Puts it in the file's place, all at once. Mode 0600. Raises OSError."""
    os.replace(_part(file, text), file)
    _settle(file.parent)


def _part(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
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

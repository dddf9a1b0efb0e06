"""Builds the Go program once per content, outside the repository, and asks it."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SOURCES = ("go.mod", "go.sum", "main.go")
# no other toolchain is fetched, and go.sum alone says what the modules must be
ENVIRONMENT = {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}


def missing() -> str:
    """Why the program cannot be asked for here; empty where it can, and then a failure is a failure, not a skip."""
    if shutil.which("go") is None:
        return "other implementations are asked through Go, which is not on PATH"
    wanted = re.search(r"^go (\d+)\.(\d+)", (HERE / "go.mod").read_text(), re.MULTILINE)
    found = re.search(r"go(\d+)\.(\d+)", _go("version", cwd=HERE.parent.parent))
    assert wanted is not None
    if found is None or tuple(map(int, found.groups())) < tuple(map(int, wanted.groups())):
        return f"other implementations are asked through Go {wanted[1]}.{wanted[2]} or later"
    return ""


def program() -> Path:
    """The executable; parallel callers wait. Raises RuntimeError with what Go printed."""
    content = hashlib.sha256(b"\0".join((HERE / name).read_bytes() for name in SOURCES)).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "shenguan"
    final = cache / f"independent-{content}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "independent.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not final.is_file():
            with tempfile.TemporaryDirectory(dir=cache) as work:
                built = Path(work) / "program"
                _go("build", "-trimpath", "-buildvcs=false", "-o", str(built), ".", cwd=HERE)
                built.rename(final)
    return final


def ask(executable: Path, requests: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The answers, in order; bytes go out and come back as base64, lists of them too."""
    sent = "".join(json.dumps(_plain(request)) + "\n" for request in requests)
    done = subprocess.run([executable], input=sent, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


def _go(*arguments: str, cwd: Path) -> str:
    done = subprocess.run(
        ["go", *arguments],
        cwd=cwd,
        env={**os.environ, **ENVIRONMENT},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"go {arguments[0]} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value

"""The product as its users run it: the command, in processes of its own, with settings of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-m", "infra.main"]
ROOT = Path(__file__).parents[2]


def environment(data_dir: Path, **more: str) -> dict[str, str]:
    """No setting of the surroundings is let in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SHENGUAN_")}
    return {**kept, "PYTHONPATH": str(ROOT), "SHENGUAN_DATA_DIR": str(data_dir), **more}


def shenguan(env: dict[str, str], *arguments: str, code: int = 0, timeout: float = 120) -> str:
    """What one command prints; checks how it ends."""
    done = subprocess.run(
        [*COMMAND, *arguments], env=env, cwd=env["SHENGUAN_DATA_DIR"], capture_output=True, text=True, timeout=timeout
    )
    assert done.returncode == code, f"{arguments} ended with {done.returncode}: {done.stdout}\n{done.stderr}"
    return done.stdout


def answer(env: dict[str, str], *arguments: str) -> Any:
    """The JSON that one command prints last."""
    return json.loads(shenguan(env, *arguments).strip().splitlines()[-1])


@contextmanager
def up(env: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`shenguan up` while the block lasts: the process, and its broker's address."""
    with subprocess.Popen(
        [*COMMAND, "up"], env=env, cwd=env["SHENGUAN_DATA_DIR"], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("Kafka "), line
            yield process, line.split()[1].rstrip("，").split("，")[0]
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def until(condition: Any, seconds: float = 60) -> Any:
    """What the condition comes to, once it is true."""
    end = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < end:
        time.sleep(0.2)
    assert found
    return found

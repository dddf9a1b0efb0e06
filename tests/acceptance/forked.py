"""The command in processes of its own, of which none imports the product anew: one that has it forks for each.

A guide runs a hundred commands, and to import takes most of a command's time. Everything else is as when a person runs
it: arguments, environment, directory, what is printed, how it ends.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import traceback
from typing import Self

USED = (
    *("answers", "disposition", "founding", "handing_in", "letters", "liability", "liaisons", "licences", "main"),
    *("registers", "replaying", "stewarding", "subscriber", "tasks", "topics", "verify"),
)


SECONDS = 60
"""After which a command is ended."""


class Commands:
    """`shenguan` again and again, in one environment."""

    def __init__(self, env: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__], env=env, cwd=env["SHENGUAN_DATA_DIR"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=60)

    def run(self, arguments: list[str]) -> tuple[int, str]:
        """How it ends, and all that it prints."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(arguments), file=self._process.stdin, flush=True)
        code, printed = json.loads(self._process.stdout.readline())
        return code, printed


def _fork(arguments: list[str]) -> tuple[int, str]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(writing, 1)
        os.dup2(writing, 2)
        signal.alarm(SECONDS)
        os._exit(_command(arguments))
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as stream:
        printed = stream.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), printed


def _command(arguments: list[str]) -> int:
    from infra.main import main

    sys.argv = ["shenguan", *arguments]
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - it must not become another of whoever forks
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


if __name__ == "__main__":
    for name in USED:
        __import__(f"infra.{name}")
    for line in sys.stdin:
        print(json.dumps(_fork(json.loads(line))), flush=True)

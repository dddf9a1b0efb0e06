"""A clock role in a process of its own whose clock a test moves: the time stands in one file, what it has done by then
in another.

Run as `python -m tests.integration.clock_process DATABASE_URL KEY_FILE CLOCK_FILE DONE_FILE`.
"""

from __future__ import annotations

import sys
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path

import psycopg

from adapters.crypto.sealer import Sealer, read_master_key
from adapters.postgres.keys import KeyTable
from adapters.postgres.writer import Writer
from infra.roles.keeper import Keeper


def moved(file: Path) -> datetime:
    return datetime.fromisoformat(file.read_text().split()[0])


def main(url: str, key: str, clock_file: str, done_file: str) -> None:
    """Turns until it is killed; after each turn it says which token it had read before it."""
    clock, done = Path(clock_file), Path(done_file)

    def connect() -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(url, autocommit=True)

    with closing(connect()) as vault, closing(connect()) as conn:
        seal = Sealer(read_master_key(Path(key)), KeyTable(lambda: vault)).seal_all
        with closing(Writer(connect, seal, clock=lambda: moved(clock))) as writer:
            keeper = Keeper()
            while True:
                token = clock.read_text()
                keeper.turn(conn, writer)
                done.write_text(token)
                time.sleep(0.01)


if __name__ == "__main__":
    main(*sys.argv[1:])

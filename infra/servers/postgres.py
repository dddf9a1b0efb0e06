"""Embedded PostgreSQL 18: a private server on 127.0.0.1 that ends with us and whose data stays.

Below `data_dir` (which the caller owns): `postgres/` the cluster, `postgres.secrets.json` (0600) the four passwords,
`postgres.log`, `postgres.lock` (one process per data directory). Under root the server runs as `nobody`; where that
account cannot reach `data_dir`, `postgres` is a symbolic link to a place of its own in /var/lib/shenguan.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self

import psycopg
from psycopg import sql

from infra.servers import binaries, orphans
from infra.servers.child import Account, ServerError, end, free_port, spawn, tail

START_TIMEOUT = 120.0  # seconds; crash recovery on a slow disk takes its time
DATABASE = "shenguan"
MIGRATOR, RUNTIME, READER = ROLES = ("shenguan_migrator", "shenguan_runtime", "shenguan_reader")

_log = logging.getLogger("shenguan.servers")


class DatabaseUrls(NamedTuple):
    """How to reach one database, as each role. The strings contain passwords: never log them."""

    name: str
    superuser: str
    migrator: str
    runtime: str
    reader: str


def _buffers_mib() -> int:
    """A sixteenth of the machine's memory: PostgreSQL's default is for small ones, and others want some too."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(1024, max(128, memory // 16 // 2**20))


class EmbeddedPostgres:
    """One server on one data directory. Every failure is a ServerError whose message is for the person at the terminal.

    Call from one thread at a time. The port stays the same for the life of the object (so that URLs survive a restart)
    unless somebody else has taken it meanwhile.
    """

    def __init__(self, data_dir: Path, settings: Mapping[str, str] | None = None) -> None:
        """`settings` are extra postgresql.conf parameters, e.g. {"max_connections": "200"}; fsync is on by default."""
        self._dir = data_dir.resolve()
        self._settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "shared_buffers": f"{_buffers_mib()}MB",
            "max_wal_size": "2GB",  # else a busy hour is all checkpoints
            **(settings or {}),
        }
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None
        self._passwords: dict[str, str] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        if self._process is None:
            raise ServerError("内置 PostgreSQL 没有在运行。")
        return self._process.pid

    @property
    def cluster(self) -> Path:
        """Where the data really lies, links resolved."""
        return (self._dir / "postgres").resolve()

    @property
    def urls(self) -> DatabaseUrls:
        """The database `shenguan`."""
        return self.database_urls(DATABASE)

    @property
    def superuser_url(self) -> str:
        """The superuser, in the maintenance database `postgres`."""
        return self._url("postgres", "postgres")

    @property
    def migrator_url(self) -> str:
        """The owner of the database `shenguan`."""
        return self.urls.migrator

    @property
    def runtime_url(self) -> str:
        """The running system's role in the database `shenguan`."""
        return self.urls.runtime

    @property
    def reader_url(self) -> str:
        """The readers' role in the database `shenguan`."""
        return self.urls.reader

    def start(self) -> None:
        """Create the cluster if there is none, start the server, make sure of roles and database. Idempotent."""
        if self._process is not None and self._process.poll() is None:
            return
        self._process = None
        self._dir.mkdir(parents=True, exist_ok=True)
        self._acquire()
        try:
            account = self._place()
            self._passwords = self._secrets()
            programs = binaries.postgres_bin(account)
            if not (self.cluster / "PG_VERSION").exists():
                self._initdb(programs, account)
            orphans.clear(self.cluster)
            self._launch(programs, account)
            self._roles()
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """Fast shutdown: clients are disconnected, data is flushed. Idempotent."""
        self._finish(signal.SIGINT)

    def kill(self) -> None:
        """SIGKILL, as a power cut would; the next start recovers. For tests. Idempotent."""
        self._finish(signal.SIGKILL)

    def database_urls(self, name: str) -> DatabaseUrls:
        """URLs of the database `name`, which need not exist yet."""
        return DatabaseUrls(name, self._url("postgres", name), *(self._url(role, name) for role in ROLES))

    def create_database(self, name: str, template: str | None = None) -> DatabaseUrls:
        """Make a database owned by the migrator; `template` is cloned with its contents (nobody may be connected).

        Raises psycopg.errors.DuplicateDatabase, InvalidCatalogName (no such template), ObjectInUse.
        """
        database, (migrator, runtime, reader) = sql.Identifier(name), map(sql.Identifier, ROLES)
        source = sql.SQL(" TEMPLATE {}").format(sql.Identifier(template)) if template else sql.SQL("")
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}{}").format(database, migrator, source))
            # Privileges on the database itself do not come with the template.
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
            connection.execute(sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(database, runtime))
            connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, reader))
        return self.database_urls(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, disconnecting whoever uses it; none of that name is fine."""
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _url(self, role: str, database: str) -> str:
        if not self._port:
            raise ServerError("内置 PostgreSQL 还没有启动过。")
        return f"postgresql://{role}:{self._passwords[role]}@127.0.0.1:{self._port}/{database}"

    def _acquire(self) -> None:
        if self._lock is not None:
            return
        lock = (self._dir / "postgres.lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise ServerError(
                f"数据目录 {self._dir} 正被另一个审管进程使用：请先停掉它，或另设 SHENGUAN_DATA_DIR。"
            ) from None
        self._lock = lock

    def _place(self) -> Account | None:
        """Settle where the cluster lies and who runs it."""
        visible = self._dir / "postgres"
        if visible.is_symlink() and not visible.exists():
            raise ServerError(f"{visible} 指向的 {os.readlink(visible)} 不存在：数据已被移走或清除，请恢复它。")
        account = binaries.unprivileged(visible)
        if account is None or visible.is_symlink() or binaries.reachable(self._dir, account):
            return account
        if visible.exists():
            raise ServerError(f"PostgreSQL 的账户(uid {account.uid})不再能进入 {self._dir}：请恢复上级目录的 x 权限。")
        binaries.STATE.mkdir(mode=0o711, parents=True, exist_ok=True)
        home = Path(tempfile.mkdtemp(prefix=f"{self._dir.parent.name}-", dir=binaries.STATE))
        home.chmod(0o711)
        (home / "data").mkdir(mode=0o700)
        os.chown(home / "data", account.uid, account.gid)
        visible.symlink_to(home / "data")
        _log.warning("PostgreSQL 不能以 root 运行，而 uid %d 进不了 %s：数据放在 %s", account.uid, self._dir, home)
        return account

    def _secrets(self) -> dict[str, str]:
        file = self._dir / "postgres.secrets.json"
        if file.exists():
            return {str(role): str(password) for role, password in json.loads(file.read_text()).items()}
        if (self.cluster / "PG_VERSION").exists():
            raise ServerError(f"{file} 不见了：没有其中的口令就不能打开 {self.cluster}，请恢复该文件。")
        made = {role: secrets.token_urlsafe(24) for role in ("postgres", *ROLES)}
        part = file.with_suffix(".part")
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
            json.dump(made, stream)
            stream.flush()
            os.fsync(stream.fileno())
        part.rename(file)
        return made

    def _initdb(self, programs: Path, account: Account | None) -> None:
        """Into `<cluster>.new`, renamed when complete: an interrupted initdb leaves nothing like a cluster."""
        work = self.cluster.with_name(self.cluster.name + ".new")
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(mode=0o700)
        password = work.with_suffix(".password")
        password.unlink(missing_ok=True)
        with open(os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(self._passwords["postgres"])
        if account is not None:
            os.chown(work, *account)
            os.chown(password, *account)
        command = [str(programs / "initdb"), "-D", str(work), "-U", "postgres", "--pwfile", str(password)]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--data-checksums", "--no-instructions"]
        log = self._dir / "postgres.log"
        try:
            process = spawn(command, log, death_signal=signal.SIGKILL, account=account)
            if process.wait(START_TIMEOUT) != 0:
                raise ServerError(f"initdb 失败：\n{tail(log)}")
        finally:
            password.unlink(missing_ok=True)
        if self.cluster.exists():
            self.cluster.rmdir()  # only ever empty: made by _place, or by somebody's mkdir
        work.rename(self.cluster)

    def _launch(self, programs: Path, account: Account | None) -> None:
        log = self._dir / "postgres.log"
        for _ in range(3):
            self._port = self._port or free_port()
            command = [str(programs / "postgres"), "-D", str(self.cluster), "-c", f"port={self._port}"]
            for name, value in self._settings.items():
                command += ["-c", f"{name}={value}"]
            self._process = spawn(command, log, death_signal=signal.SIGINT, account=account)
            if self._answers():
                return
            if "could not bind" not in tail(log):
                break
            self._port = 0  # somebody was faster
        raise ServerError(f"内置 PostgreSQL 没有启动起来({log})：\n{tail(log)}")

    def _answers(self) -> bool:
        """Whether the server accepts our password before it dies or START_TIMEOUT passes."""
        assert self._process is not None
        deadline = time.monotonic() + START_TIMEOUT
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                psycopg.connect(self.superuser_url, connect_timeout=5).close()
            except psycopg.OperationalError as error:
                if "password authentication failed" in str(error):
                    # Perhaps another server was faster on this port and answers: ours is then about to give up.
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        self._process.wait(5)
                        return False
                    raise ServerError(
                        f"{self._dir / 'postgres.secrets.json'} 中的口令打不开 {self.cluster}。"
                    ) from None
                time.sleep(0.02)
            else:
                return self._process.poll() is None
        return False

    def _roles(self) -> None:
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            known = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles").fetchall()}
            for role in ROLES:
                if role not in known:
                    statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
                    connection.execute(statement.format(sql.Identifier(role), sql.Literal(self._passwords[role])))
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if found is None:
            self.create_database(DATABASE)

    def _finish(self, how: signal.Signals) -> None:
        if self._process is not None:
            end(self._process, how, patience=60)
            self._process = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

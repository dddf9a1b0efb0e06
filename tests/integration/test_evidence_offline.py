"""A bundle is verified where the product is not installed and there is no network: by its `verify.py`, alone."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import venv
from pathlib import Path

import pytest

from infra import evidence_verifier as verifier
from tests.integration.channel_kit import command
from tests.integration.evidence_kit import again, known_keys, lived, take
from tests.integration.outlet_kit import TrackedStore
from tests.integration.test_prover import prove
from tests.integration.teststore import TestStore

NEEDED = ("cryptography", "cffi", "_cffi_backend", "pycparser")
"""`cryptography` and what it loads, where that is installed."""
NO_NETWORK = """
import runpy, sys
def hook(event, args):
    if event.startswith("socket."):
        raise RuntimeError(f"network: {event}")
sys.addaudithook(hook)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with nothing installed but `cryptography`."""
    path = tmp_path_factory.mktemp("elsewhere")
    venv.create(path / "env", with_pip=False)
    [site] = (path / "env" / "lib").glob("python*/site-packages")
    for name in NEEDED:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            origin = Path(spec.origin)
            source = origin.parent if origin.name == "__init__.py" else origin
            (site / source.name).symlink_to(source)
    return path / "env" / "bin" / "python"


def alone(python: Path, here: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`verify.py` in that directory; without a network as far as this machine lets a process be without."""
    unshared = ["unshare", "-rn"] if subprocess.run(["unshare", "-rn", "true"], check=False).returncode == 0 else []
    return subprocess.run(
        [*unshared, str(python), "-I", "-c", NO_NETWORK, "verify.py", *arguments],
        cwd=here, env={"LANG": "C"}, capture_output=True, encoding="utf-8", check=False, timeout=120,
    )  # fmt: skip


def test_it_needs_nothing_of_the_product_and_no_network(
    region: TestStore, outer: TrackedStore, elsewhere: Path, tmp_path: Path
) -> None:
    lived(region, outer)
    prove(region, outer)
    take(outer, tmp_path / "made.zip", "--personal", "included")
    data = (tmp_path / "made.zip").read_bytes()
    files = verifier.unpack(data)
    here = tmp_path / "here"
    here.mkdir()
    (here / "verify.py").write_bytes(files["verify.py"])
    (here / "b.zip").write_bytes(data)
    (here / "log.keys").write_bytes(command(outer, "log-keys", "list", "--json").encode())

    for module in ("domain", "infra", "pydantic", "psycopg"):
        found = subprocess.run(
            [str(elsewhere), "-I", "-c", f"import {module}"], cwd=here, capture_output=True, check=False
        )
        assert b"ModuleNotFoundError" in found.stderr, module
    networked = [str(elsewhere), "-I", "-c", NO_NETWORK, "net.py"]
    (here / "net.py").write_text("import socket\nsocket.socket()")
    assert b"network: socket" in subprocess.run(networked, cwd=here, capture_output=True, check=False).stderr

    good = alone(elsewhere, here, "b.zip", "--keys", "log.keys", "--list")
    assert (good.returncode, good.stderr) == (0, ""), good.stdout
    for text in ("核验通过。", "以上不证明：", "case.decided", "王小明", known_keys(outer)[0].known_as):
        assert text in good.stdout
    assert "注意" not in good.stdout
    own = alone(elsewhere, here, "b.zip", "--lang", "en")
    assert own.returncode == 0
    assert "WARNING: no --keys" in own.stdout

    rows = [json.loads(line) for line in files["events.jsonl"].splitlines()]
    rows[0]["leaf"], rows[1]["leaf"] = rows[1]["leaf"], rows[0]["leaf"]
    forged = "".join(json.dumps(row) + "\n" for row in rows).encode()
    (here / "forged.zip").write_bytes(again(files | {"events.jsonl": forged}))
    bad = alone(elsewhere, here, "forged.zip", "--keys", "log.keys")
    assert (bad.returncode, bad.stderr) == (1, "")
    assert "核验不通过" in bad.stdout
    assert "leaf.other" in bad.stdout
    (here / "cut.zip").write_bytes(data[:-1])
    assert alone(elsewhere, here, "cut.zip", "--keys", "log.keys").returncode == 1
    missing = alone(elsewhere, here, "no.zip", "--keys", "log.keys")
    assert (missing.returncode, missing.stderr) == (1, "")
    assert alone(elsewhere, here).returncode == 2


def test_the_verifier_can_be_had_apart(outer: TrackedStore, region: TestStore, tmp_path: Path) -> None:
    lived(region, outer)
    prove(region, outer)
    take(outer, tmp_path / "a.zip")
    printed = command(outer, "evidence-verifier")
    assert printed.encode() == verifier.unpack((tmp_path / "a.zip").read_bytes())["verify.py"]
    assert printed.encode() == Path(verifier.__file__).read_bytes()

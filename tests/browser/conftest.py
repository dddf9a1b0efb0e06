"""A browser, and the product with a sample to look at, both started once; where there is no Chromium nothing runs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.acceptance.command import COMMAND, environment, shenguan, until

CASES = 40
DISCIPLINE = "150000-JW"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--lang=zh-CN",
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
INSPECTION = {
    "code": DISCIPLINE,
    "name": "内蒙古自治区纪委监委",
    "roles": ["DISCIPLINE"],
    "region": "150000",
    "valid_from": "2020-05-01",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of them in one worker, one after the other: they share a product, and a browser whose driver keeps the
    thread's event loop until it ends, with the package."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))


def find_chromium() -> str | None:
    """One that the machine has, by `SHENGUAN_CHROMIUM` or by its usual names."""
    named = os.environ.get("SHENGUAN_CHROMIUM")
    return named or next((found for name in NAMES if (found := shutil.which(name))), None)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        pytest.skip(f"no Chromium here: none of {', '.join(NAMES)} is on the path, and SHENGUAN_CHROMIUM is not set")
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield made
        made.close()


class Site:
    """The running product: its address, and its API as somebody of a department asks it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._taken: set[str] = set()

    def token(self, department: str, officer: str = "D01") -> str:
        data = urlencode({"department": department, "officer": officer}).encode()
        with urllib.request.urlopen(f"{self.url}/signin/token", data) as answer:
            return str(json.load(answer)["access_token"])

    def get(self, path: str, department: str, **params: str) -> Any:
        """The JSON of an answer."""
        query = f"?{urlencode(params)}" if params else ""
        asked = urllib.request.Request(f"{self.url}/api/v1{path}{query}")
        asked.add_header("Authorization", f"Bearer {self.token(department)}")
        with urllib.request.urlopen(asked) as answer:
            return json.load(answer)

    def outstanding(self) -> dict[str, Any]:
        """A notice of a decision that nobody received yet, and no other test was given."""
        asked = {"status": "outstanding", "about": "decision", "limit": "100"}
        for one in self.get("/notices", DISCIPLINE, **asked)["items"]:
            if one["notice"] not in self._taken:
                self._taken.add(one["notice"])
                return dict(one)
        raise AssertionError("the sample has no more outstanding notices")


@pytest.fixture(scope="package")
def site(server_dir: Path, browser: Browser) -> Iterator[Site]:
    """Asked for after the browser, so that nothing is started where there is none."""
    data = server_dir / "pages"
    data.mkdir()
    env = environment(data, SHENGUAN_HTTP_PORT="0")
    with running(env, data) as url:
        made = Site(url)
        entry = data / "inspection.json"
        entry.write_text(json.dumps({"department": "150000-BB", "entry": INSPECTION}, ensure_ascii=False))
        shenguan(env, "submit", "department.register", "--principal", "reform", "--data", str(entry), "--wait", "20")
        until(lambda: settled(made), 60)
        yield made


@contextmanager
def running(env: dict[str, str], data: Path) -> Iterator[str]:
    """`shenguan up --sample` while the block lasts; its address, once all of the sample was handed in."""
    said, logged = data / "said", data / "logged"
    with said.open("w") as out, logged.open("w") as err:
        command = [*COMMAND, "up", "--sample", str(CASES)]
        with subprocess.Popen(command, env=env, cwd=data, stdout=out, stderr=err) as process:
            try:
                until(lambda: "submissions.jsonl" in logged.read_text() or process.poll() is not None, 180)
                assert process.poll() is None, logged.read_text()
                yield next(line.split()[1] for line in said.read_text().splitlines() if line.startswith("网页 "))
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(60)


def settled(site: Site) -> bool:
    """Whether the sample is in, and the read models have it."""
    before = site.get("/notices", "150000-BB", limit="1")["position"]
    time.sleep(1.5)
    return bool(site.get("/notices", "150000-BB", limit="1")["position"] == before)


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Visit]:
    """Opens a page as somebody of a department; whatever the browser finds wrong on it fails the test."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def open_(department: str | None, path: str = "/", *, officer: str = "D01", **options: Any) -> Page:
        size = {"width": 1280, "height": 800}
        context = browser.new_context(base_url=site.url, locale="zh-CN", viewport=size, **options)  # type: ignore[arg-type]
        contexts.append(context)
        if department is not None:
            form = {"department": department, "officer": officer, "name": "巴特尔"}
            answer = context.request.post(
                "/signin", form=form, headers={"Origin": site.url}, max_redirects=0, fail_on_status_code=False
            )
            assert answer.status == 303, answer.text()
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(path)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not wrong, wrong

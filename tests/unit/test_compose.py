"""The compose file, which no test can run: valid by the Compose Specification, and of our own settings and roles."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from infra.roles.catalogue import ROLES, needed
from infra.settings import PREFIX, Settings, load

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "infra" / "deploy"
NEVER = "NEVER RUN HERE"
_VARIABLE = re.compile(r"\$\{([A-Z_]+):\?\}")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return found


def ours(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Services that run `shenguan`."""
    return {name: one for name, one in compose["services"].items() if "build" in one}


def stores(compose: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Each store's environment."""
    return {one["environment"]["SHENGUAN_STORE"]: one["environment"] for one in ours(compose).values()}


def test_it_is_valid_by_the_compose_specification(compose: dict[str, Any]) -> None:
    schema = json.loads((files("check_jsonschema.builtin_schemas") / "vendor" / "compose-spec.json").read_text("utf-8"))
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    validator = kind(schema)
    assert [error.message for error in validator.iter_errors(compose)] == []
    assert list(validator.iter_errors(compose | {"services": {"x": {"imaeg": "y"}}}))  # it does look


@pytest.mark.parametrize("name", ["compose.yaml", "Dockerfile", "roles.sh"])
def test_it_says_that_it_was_never_run(name: str) -> None:
    lines = (DEPLOY / name).read_text(encoding="utf-8").splitlines()
    assert any(line.startswith(f"# {NEVER}") for line in lines[:2])


def test_every_environment_is_one_that_a_process_starts_with(
    compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text("00" * 32)
    variables = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | {"SHENGUAN_KAFKA_OPTIONS"}
    for name, service in ours(compose).items():
        environment = service["environment"]
        assert environment.keys() <= variables, name
        for variable in variables:
            monkeypatch.delenv(variable, raising=False)
        for variable, value in environment.items():
            monkeypatch.setenv(variable, _VARIABLE.sub("secret", value))
        monkeypatch.setenv("SHENGUAN_MASTER_KEY_FILE", str(key))
        settings = load()
        assert not settings.embedded_database
        assert not settings.embedded_kafka
        secret = environment["SHENGUAN_MASTER_KEY_FILE"].removeprefix("/run/secrets/")
        assert service["secrets"] == [secret]
        assert secret in compose["secrets"]


def test_every_role_runs_once_in_every_store_that_needs_it(compose: dict[str, Any]) -> None:
    running = [
        (service["command"][1], service["environment"]["SHENGUAN_STORE"])
        for service in ours(compose).values()
        if service["command"][0] == "role"
    ]
    wanted = []
    for store, environment in stores(compose).items():
        settings = {name: environment.get(f"{PREFIX}{name.upper()}") for name in ("registers_from", "region_stores")}
        needs = needed(Settings(store=store, **{name: value for name, value in settings.items() if value}))
        wanted += [(role, store) for role in needs]
    assert sorted(running) == sorted(wanted)
    assert {role for role, _ in running} == set(ROLES)


def test_the_league_follows_the_region_and_the_region_covers_both(compose: dict[str, Any]) -> None:
    region, league = (stores(compose)[name] for name in ("150000", "150100"))
    assert league["SHENGUAN_REGISTERS_FROM"] == region["SHENGUAN_STORE"]
    assert "SHENGUAN_REGISTERS_FROM" not in region
    assert region["SHENGUAN_REGION_STORES"].split(",") == sorted(stores(compose))
    assert region["SHENGUAN_DATABASE_URL"] != league["SHENGUAN_DATABASE_URL"]


def test_what_is_named_is_there(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert "healthcheck" in services["kafka"]
    for name, service in services.items():
        assert "image" in service, name
        for other, how in service.get("depends_on", {}).items():
            condition = how["condition"]
            assert "healthcheck" in services[other] if condition == "service_healthy" else other in services, name
        for mount in service.get("volumes", ()):
            source = mount.partition(":")[0]
            assert source in compose["volumes"] or source in ("./founding.json", "./roles.sh"), name
    build = ours(compose)["region-intake"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).resolve() == DEPLOY / "Dockerfile"
    copied = re.findall(r"^COPY (.+) \S+$", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert {path for line in copied for path in line.split()} >= {"domain", "projections", "adapters", "infra"}
    assert all((ROOT / path).exists() for line in copied for path in line.split())


def test_the_roles_of_the_database_are_those_of_the_urls(compose: dict[str, Any]) -> None:
    made = set(re.findall(r"CREATE ROLE (\w+)", (DEPLOY / "roles.sh").read_text(encoding="utf-8")))
    urls = [value for one in stores(compose).values() for name, value in one.items() if name.endswith("_URL")]
    assert {re.match(r"postgresql://(\w+):", url)[1] for url in urls} == made  # type: ignore[index]
    for store, prefix in (("region", "REGION"), ("league", "LEAGUE")):
        given = compose["services"][f"postgres-{store}"]["environment"]
        assert {value for name, value in given.items() if name != "POSTGRES_PASSWORD"} == {
            f"${{{prefix}_{role}_PASSWORD:?}}" for role in ("MIGRATOR", "RUNTIME", "READER")
        }

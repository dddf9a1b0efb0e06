"""All roles by name."""

from __future__ import annotations

from collections.abc import Callable

from infra.roles.clock import ClockRole
from infra.roles.intake import IntakeRole
from infra.roles.outlet import OutletRole
from infra.roles.projector import ProjectorRole
from infra.roles.prover import ProverRole
from infra.roles.publisher import PublisherRole
from infra.roles.region import RegionRole
from infra.roles.registrar import RegistrarRole
from infra.roles.role import Role
from infra.settings import Settings
from infra.store import Store


def _api(store: Store) -> Role:
    from infra.roles.api import ApiRole  # what serves HTTP need not be loaded by every other role's process

    return ApiRole(store)


ROLES: dict[str, Callable[[Store], Role]] = {
    "intake": IntakeRole,
    "outlet": OutletRole,
    "projector": ProjectorRole,
    "publisher": PublisherRole,
    "prover": ProverRole,
    "clock": ClockRole,
    "registrar": RegistrarRole,
    "region": RegionRole,
    "api": _api,
}


def needed(settings: Settings) -> list[str]:
    """Those that have something to do in a store of these settings."""
    idle = {"registrar": settings.registers_from is None, "region": not settings.region_stores}
    return [name for name in ROLES if not idle.get(name, False)]

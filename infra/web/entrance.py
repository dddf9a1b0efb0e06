"""How callers are known at these doors: what of sessions, tokens and provider the settings ask for."""

from __future__ import annotations

import structlog
from starlette.datastructures import State

from adapters.channels.http import trusting
from adapters.crypto.sealer import read_master_key
from adapters.http.provider import Provider
from adapters.http.sessions import Sessions
from adapters.http.tokens import Tokens
from infra.settings import Settings
from infra.store import Store
from infra.web.claims import Claims
from infra.web.identity import Identity
from infra.web.provider_sign_in import ProviderSignIn

_log = structlog.get_logger("shenguan.http")


def sessions_of(settings: Settings) -> Sessions:
    """Those of a demonstration are none where people sign in at a provider, though the master key be the same."""
    return Sessions(read_master_key(settings.ensure_master_key()), f"{settings.store}/{settings.sign_in}")


def furnish(state: State, store: Store) -> None:
    """Sets `identity`, and `provider` and `provider_sign_in`, None where there is none. `registry` and `endings` are
    there already."""
    settings = store.settings
    master = read_master_key(settings.ensure_master_key())
    sessions = sessions_of(settings)
    state.provider = state.provider_sign_in = None
    claims = None
    if settings.sign_in == "oidc" and settings.oidc_issuer is not None:
        state.provider = provider = Provider(settings.oidc_issuer, trusting(settings.ca_file))
        client_id = settings.oidc_client_id
        audience = settings.oidc_audience or client_id
        if audience is not None:
            claims = Claims(Tokens(provider, audience), settings.oidc_departments, settings.oidc_officer)
        if client_id is not None and claims is not None:
            begun = Sessions(master, f"{settings.store}/begun")
            state.provider_sign_in = ProviderSignIn(provider, client_id, settings.oidc_client_secret, claims, begun)
    if settings.sign_in == "oidc" and claims is None:
        _log.warning("nobody_can_sign_in", reason="SHENGUAN_OIDC_ISSUER or SHENGUAN_OIDC_CLIENT_ID is not set")
    state.identity = Identity(sessions, state.registry, state.endings, claims)

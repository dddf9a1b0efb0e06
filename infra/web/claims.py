"""What a provider's claims make of their holder: for which departments he speaks, as which officer."""

from __future__ import annotations

import re
from typing import Any

from adapters.http.problems import Problem
from adapters.http.provider import ProviderAway
from adapters.http.tokens import Tokens
from domain.identifiers import holds_resident_id
from domain.submissions import CALLER
from infra.web.identity import Known

_OFFICER = re.compile(r"[A-Za-z0-9_-]{1,32}")
_DEPARTMENT = re.compile(r"[A-Za-z0-9_-]{1,64}")
LONGEST_NAME = 50
MOST_DEPARTMENTS = 100
RETRY_S = 5


class Claims:
    """Reads bearer tokens; the names of the two claims are the deployment's."""

    def __init__(self, tokens: Tokens, departments: str, officer: str) -> None:
        self._tokens = tokens
        self._departments = departments
        self._officer = officer

    def read(self, token: str) -> Known | None:
        """None where it is not valid, or says not who its holder is. Raises Problem where nobody can tell."""
        try:
            claims = self._tokens.read(token)
        except ProviderAway:
            raise away() from None
        return self.known(claims) if claims is not None else None

    def known(self, claims: dict[str, Any]) -> Known | None:
        """Of claims that are believed; None where one is missing or of another shape. A missing name is no hindrance:
        systems have none."""
        subject = f"{claims['iss']} {claims['sub']}"
        listed, officer, name = claims.get(self._departments), claims.get(self._officer), claims.get("name")
        departments = [listed] if isinstance(listed, str) else listed
        if not isinstance(departments, list) or not 0 < len(departments) <= MOST_DEPARTMENTS:
            return None
        if not all(isinstance(one, str) and _DEPARTMENT.fullmatch(one) for one in departments):
            return None
        if not isinstance(officer, str) or not _OFFICER.fullmatch(officer) or not CALLER.fullmatch(subject):
            return None
        if holds_resident_id(subject) or holds_resident_id(officer):
            return None  # both are kept in clear with all that he does
        said = name.strip() if isinstance(name, str) else ""
        return Known(subject, officer, said if 0 < len(said) <= LONGEST_NAME else officer, tuple(departments))


def away() -> Problem:
    return Problem(
        503,
        "统一身份认证暂不可用，请稍后再试",
        "the identity provider does not answer now; try again later",
        headers={"Retry-After": str(RETRY_S)},
    )

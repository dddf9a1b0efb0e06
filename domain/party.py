"""行政相对人: whom a permit is about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import ValidationInfo, model_validator

from domain.fields import Uscc
from domain.personal import Model, Name, Person, Sealer
from domain.rules import BadField
from domain.submissions import Title

PartyKind = Literal["法人及非法人组织", "自然人", "个体工商户"]


class Party(Model):
    """行政相对人. A natural person's name, and a sole trader's, is personal; an organisation's is not. For 自然人
    `person` is required, with the identity document."""

    kind: PartyKind
    name: Name
    uscc: Uscc | None = None
    uscc_raw: Title | None = None
    person: Person | None = None
    representative: Person | None = None

    def personal_fields(self) -> Iterable[str]:
        return () if self.kind == "法人及非法人组织" else ("name",)

    def own_subject(self, sealer: Sealer) -> str | None:
        return self.person.own_subject(sealer) if self.person else None

    @model_validator(mode="before")
    @classmethod
    def _keep_raw_uscc(cls, data: Any, info: ValidationInfo) -> Any:
        """The code as it was written, where normalising it changes it (domain notes §5)."""
        if isinstance(data, dict) and "uscc_raw" in data and info.context and info.context.get("incoming"):
            raise BadField("uscc_raw", "extra_forbidden", "没有这个字段")
        if isinstance(data, dict) and isinstance(raw := data.get("uscc"), str) and raw != raw.strip().upper():
            return {**data, "uscc_raw": raw}
        return data

    @model_validator(mode="after")
    def _natural_person_has_identity(self) -> Party:
        if self.kind == "自然人" and self.person is None:
            raise BadField("person", "party.person", "自然人须有 person（证件信息）")
        return self

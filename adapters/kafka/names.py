"""The topics' names, as the design has them (§4). Apart, because names need no client."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_PART: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class TopicNames:
    """The topics of one store.

    Raises:
        ValueError: the store's, principal's or department's name has other characters than letters, digits, `_`, `-`,
            or more than 64. Without dots in its parts a topic's name can be taken apart again.
    """

    store: str

    def __post_init__(self) -> None:
        part(self.store)

    def intake(self, principal: str) -> str:
        """Where the principal writes its submissions."""
        return f"shenguan.intake.{self.store}.{part(principal)}"

    def notices(self, department: str) -> str:
        """Where the department reads its notices."""
        return f"shenguan.notices.{self.store}.{part(department)}"

    @property
    def log(self) -> str:
        """All events of the store."""
        return f"shenguan.log.{self.store}"

    @property
    def deadletters(self) -> str:
        """Submissions that could not be taken."""
        return f"shenguan.deadletters.{self.store}"

    @property
    def checkpoints(self) -> str:
        """What the store's transparency log signed of itself."""
        return f"shenguan.checkpoints.{self.store}"

    @property
    def intake_pattern(self) -> str:
        """A regular expression for every intake topic of the store, and nothing else."""
        return rf"^shenguan\.intake\.{re.escape(self.store)}\.[A-Za-z0-9_-]{{1,64}}$"

    def principal_of(self, topic: str) -> str | None:
        """Whose intake topic it is; None if it is none of this store."""
        return self._last(topic, "intake")

    def department_of(self, topic: str) -> str | None:
        """Whose notices are in the topic; None if it is no notice topic of this store."""
        return self._last(topic, "notices")

    def _last(self, topic: str, kind: str) -> str | None:
        rest = topic.removeprefix(f"shenguan.{kind}.{self.store}.")
        return rest if rest != topic and _PART.fullmatch(rest) else None


def part(name: str) -> str:
    """The name, if it may be part of a topic's; else raises ValueError."""
    if not _PART.fullmatch(name):
        raise ValueError("主题名的组成部分只能是 1–64 个字母、数字、下划线或连字符")
    return name

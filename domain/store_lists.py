"""The list of stores 信息库清单: which stores there are, what their logs are called, and by which keys these sign.

A department may be told by several stores (decision 9). The whole list is one entry, so that one event says which there
are and that there are no others; in the registers' own store, and followed by the others, it is in the log of each.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from domain.entries import Entry, entry_stream
from domain.note_keys import KeyKind, NoteError, VerifierKey, parse_verifier_key
from domain.personal import Model
from domain.rules import BadField, rejection
from domain.submissions import Day, Title

if TYPE_CHECKING:
    from domain.registers import Registers

KIND: Final = "stores"
STREAM: Final = entry_stream(KIND, KIND)


def _verifier(text: str) -> str:
    try:
        if parse_verifier_key(text).kind is not KeyKind.ED25519:
            raise NoteError("key.kind", "见证签名的公钥")
    except NoteError:
        raise BadField("", "stores.key", "须为签名注记的公钥（C2SP signed-note）") from None
    return text


class ListedStore(Model):
    """`log`: the origin line of its checkpoints; `keys`: verifier keys that sign them, those that did before too;
    `since`, `until`: its first and last day."""

    store: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,32}$")]
    name: Title
    log: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,200}$")]
    keys: Annotated[
        tuple[Annotated[str, StringConstraints(max_length=500), AfterValidator(_verifier)], ...],
        Field(min_length=1, max_length=50),
    ]
    since: Day
    until: Day | None = None

    @model_validator(mode="after")
    def _its_own(self) -> ListedStore:
        if any(one.name != self.log for one in self.verifier_keys):
            raise BadField("keys", "stores.key", "公钥的名称须与日志名相同")
        if len(set(self.keys)) < len(self.keys):
            raise BadField("keys", "stores.twice", "每个公钥只列一次")
        if self.until is not None and self.until < self.since:
            raise BadField("until", "date.order", "不得早于起始日期")
        return self

    @property
    def verifier_keys(self) -> list[VerifierKey]:
        return [parse_verifier_key(one) for one in self.keys]

    def worked(self, first: date, last: date) -> bool:
        """Whether it was there on one of these days."""
        return self.since <= last and (self.until is None or first <= self.until)


class StoreList(Entry):
    """All stores that there are, or ever were."""

    kind: Literal["stores"] = KIND
    stores: Annotated[tuple[ListedStore, ...], Field(min_length=1, max_length=100)]

    @model_validator(mode="after")
    def _each_once(self) -> StoreList:
        for names in ([one.store for one in self.stores], [one.log for one in self.stores]):
            if len(set(names)) < len(names):
                raise BadField("stores", "stores.twice", "库与日志名各只列一次")
        return self

    def key(self) -> str:
        return KIND

    def find(self, store: str) -> ListedStore | None:
        return next((one for one in self.stores if one.store == store), None)


def require_stores(entry: StoreList, registers: Registers) -> None:
    """A store that was listed once stays, with its log; it may be given its last day. Raises Rejection."""
    for version in registers.entries.get(KIND, {}).get(KIND, []):
        if not isinstance(version.entry, StoreList):
            continue  # struck
        for one in version.entry.stores:
            found = entry.find(one.store)
            if found is None or found.log != one.log:
                raise rejection("entry.stores", "stores.gone", one.store)

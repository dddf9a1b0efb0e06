"""The list of stores, signed: its event with the proof that this is in the log of a checkpoint."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from pydantic import BaseModel, ConfigDict

from domain.armour import unarmoured
from domain.leaves import parse_leaf
from domain.log_proofs import EventProof, check_event
from domain.merkle import ProofError
from domain.notes import Verifier
from domain.store_lists import STREAM, StoreList


class ProvenList(BaseModel):
    """`leaf`: the event's, base64. Which list is the latest no proof says: a checkpoint later than it may follow."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    leaf: str
    proof: EventProof


class _Entered(BaseModel):
    entry: StoreList
    valid_from: date


def check_stores(proven: ProvenList, verifiers: Iterable[Verifier]) -> tuple[StoreList, date]:
    """The list, and from which day on it holds. Raises Unproven, `stores.leaf` where the event does not enter one."""
    found = read_list(proven)
    check_event(proven.proof, verifiers, unarmoured(proven.leaf))
    return found


def read_list(proven: ProvenList) -> tuple[StoreList, date]:
    """What `check_stores` would give, unproven. Raises Unproven."""
    try:
        leaf = parse_leaf(unarmoured(proven.leaf))
        if (leaf.stream, leaf.topic) == (STREAM, "register.entered") and isinstance(leaf.state, bytes):
            found = _Entered.model_validate_json(leaf.state)
            return found.entry, found.valid_from
    except ValueError:  # no base64, no leaf, no such entry
        pass
    raise ProofError("stores.leaf", "所给的事件不是信息库清单")

"""Erasure 销毁: who ordered that a subject's personal data be erased, and why, is on record before its key is destroyed
(domain notes §4.11)."""

from __future__ import annotations

from domain.event import Event
from domain.personal import Model, Officer, Text


def erasure_stream(subject: str) -> str:
    return f"erasure/{subject}"


def erasing_id(subject: str) -> str:
    """The id under which the order is recorded."""
    return erasure_stream(subject).replace("/", ".")


class Order(Model):
    """What an officer of a department orders, sealed under a key of the order's own: not under the one that is to be
    destroyed, nor the officer's, who may be erased too. `subject`: as sealed values name it: `person/…` by the
    pseudonym, `case/…`, `officer/…`."""

    subject: str
    department: str
    officer: Officer
    reason: Text


class ErasureOrdered(Event):
    """Once for a subject, on its stream `erasure/…`; the department and its officer are in `meta`. When the key was
    destroyed the vault says."""

    TOPIC = "erasure.ordered"
    subject: str
    reason: Text

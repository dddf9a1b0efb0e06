"""Reading the log again: is what is signed signed by its principal's key of that day, and is what must be signed?"""

from __future__ import annotations

from collections.abc import Iterator

from domain.cases import CaseDecided
from domain.event import Meta, Recorded
from domain.makers import types_of
from domain.notices import NoticeOwed, NoticeReceived
from domain.recheck import Problem
from domain.registers import Registers
from domain.rules import RULES
from domain.signing import key_fault, must_sign, receipts_signed, speaks_for
from domain.submissions import local_date


class SigningCheck:
    """Fed every event in log order, but for what another store has recorded. A submission is judged at its first event,
    by what the registers were before it: as its decider did."""

    def __init__(self) -> None:
        self._first: Recorded | None = None
        self._unsure: tuple[str, ...] = ()  # those of the types that `_first` may be of which had to be signed

    def take(self, recorded: Recorded, registers: Registers, owed: NoticeOwed | None) -> Iterator[Problem]:
        """What is wrong with the event. `registers`: as they were before it; `owed`: the notice that it receives."""
        event, first = recorded.event, self._first
        if first is not None and _same(first.event.meta, event.meta):
            if event.meta.signed != first.event.meta.signed:
                fact = event.meta.fact
                zh, en = f"提交 {fact} 的各事件所记签名不一", f"the events of {fact} are not all signed as its first"
                yield Problem(recorded.position, event.originator_id, "signature", zh, en)
            yield from self._settle("permit.report" if isinstance(event, CaseDecided) else "case.accept")
        else:
            yield from self._settle("case.accept")
            self._first = recorded
            yield from self._submission(recorded, registers)
        if isinstance(event, NoticeReceived) and owed is not None:
            yield from _receipt(recorded, event, registers, owed.addressee)

    def finish(self) -> Iterator[Problem]:
        """What only the end of the log tells."""
        yield from self._settle("case.accept")

    def _submission(self, recorded: Recorded, registers: Registers) -> Iterator[Problem]:
        event, on = recorded.event, local_date(recorded.recorded_at)
        meta = event.meta
        if meta.signed is not None:
            fault = key_fault(registers, meta.signed.key, on, meta.principal.__eq__)
            if fault is not None:
                yield _problem(recorded, "signature", fault)
        elif meta.auth != "system" and "signing" in registers.entries:
            types = types_of(event)
            if types == ("",):
                return  # classified: its signature was not read
            demanded = tuple(one for one in types if must_sign(registers, one, on))
            if must_sign(registers, meta.principal, on) or (types and demanded == types):
                yield _problem(recorded, "signature", "signature.missing")
            else:
                self._unsure = demanded

    def _settle(self, type_: str) -> Iterator[Problem]:
        """Of which type the last submission was, where its first event did not say."""
        unsure, self._unsure = self._unsure, ()
        if type_ in unsure and self._first is not None:
            yield _problem(self._first, "signature", "signature.missing")


def _receipt(recorded: Recorded, event: NoticeReceived, registers: Registers, department: str) -> Iterator[Problem]:
    on = local_date(recorded.recorded_at)
    fault = None
    if event.receipt is not None:
        fault = key_fault(registers, event.receipt.key, on, speaks_for(registers, department))
    elif event.letter is None and receipts_signed(registers, department, on):
        fault = "receipt.unsigned"
    if fault is not None:
        yield _problem(recorded, "receipt", fault)


def _same(one: Meta, other: Meta) -> bool:
    return (one.source, one.id, one.principal, one.auth) == (other.source, other.id, other.principal, other.auth)


def _problem(recorded: Recorded, check: str, rule: str) -> Problem:
    event, said = recorded.event, RULES[rule]
    what = event.meta.fact if check == "signature" else event.originator_id.removeprefix("notice/")
    return Problem(recorded.position, event.originator_id, check, f"{what}：{said.zh}", f"{what}: {said.en}")

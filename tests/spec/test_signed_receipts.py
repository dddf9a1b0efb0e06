"""Receipts that departments sign: over the notice, its serial and its leaf in the log."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.crypto.jws import JwsSigner
from domain.jose import unpadded
from domain.notices import NoticeReceived, ledger_stream
from domain.signed_receipts import read_receipt
from tests.spec.test_signing import KEY, NEXT, STRANGE, demand, register, strike
from tests.unit.spec import NOW, Region

AT = NOW.isoformat()
CHECKPOINT = {"origin": "shenguan.example/150000", "size": 7, "root": "A" * 43 + "="}


def statement(region: Region, notice: str) -> dict[str, Any]:
    addressee = notice.partition("/")[0]
    serial = region.serial(notice)
    leaf = region.world.leaf(ledger_stream(addressee), serial)
    return {"notice": notice, "serial": serial, "leaf": leaf, "received_at": AT}


def given(region: Region, of: str, signer: JwsSigner = KEY, **more: Any) -> dict[str, Any]:
    receipt = signer.compact(statement(region, of) | more)
    return {"notice": of, "received_at": AT, "receipt": receipt}


def received(region: Region, **data: Any) -> NoticeReceived:
    [event] = region.accepted("notice.receive", "s1", **data)
    assert isinstance(event, NoticeReceived)
    return event


@pytest.mark.clause("2.2b")
def test_a_receipt_says_by_which_key_it_is_signed(region: Region) -> None:
    register(region, KEY, "s1")
    notice = region.granted()[0]
    event = received(region, **given(region, notice, checkpoint=CHECKPOINT))
    assert event.receipt is not None
    said = read_receipt(event.receipt.jws)
    assert said.key == event.receipt.key == KEY.thumbprint
    assert said.statement.model_dump(mode="json")["checkpoint"] == CHECKPOINT
    assert (said.statement.notice, said.statement.serial) == (notice, 1)


@pytest.mark.clause("2.2b", refused=True)
def test_it_is_of_this_notice_as_the_log_has_it(region: Region) -> None:
    register(region, KEY, "s1")
    notice, other = region.granted("1")[0], region.granted("2")[0]

    def dead(rule: str, signer: JwsSigner = KEY, field: str = "receipt", **more: Any) -> None:
        region.dead(field, rule, "notice.receive", "s1", **given(region, notice, signer, **more))

    dead("receipt.other", notice=other)
    dead("receipt.other", received_at=(NOW - timedelta(seconds=1)).isoformat())
    dead("receipt.leaf", serial=2)
    dead("receipt.leaf", leaf="0" * 64)
    dead("receipt.leaf", **{name: statement(region, other)[name] for name in ("serial", "leaf")})
    dead("signature.key", STRANGE)
    received(region, **given(region, notice))


@pytest.mark.clause("2.2b", refused=True)
def test_it_is_signed_by_a_key_of_who_acts_for_the_department(region: Region) -> None:
    register(region, NEXT, "s2")
    register(region, KEY, "s1", until="2026-06-01")
    notice = region.granted()[0]
    region.dead("receipt", "signature.key", "notice.receive", "s1", **given(region, notice, NEXT))
    region.later(1)
    region.dead("receipt", "signature.key_over", "notice.receive", "s1", **given(region, notice))
    region.accepted("principal.register", "operator", by="operator", principal="s2", acts_for=["s1", "s2"])
    received(region, **given(region, notice, NEXT))


@pytest.mark.clause("2.2b", refused=True)
def test_no_character_of_it_may_change(region: Region) -> None:
    register(region, KEY, "s1")
    notice = region.granted()[0]
    data = given(region, notice)
    head, payload, value = data["receipt"].split(".")
    forged = NEXT.compact(statement(region, notice)).split(".")
    for wrong in (
        f"{head}.{payload}.{'AB'[value[0] == 'A']}{value[1:]}",
        f"{head}.{forged[1]}.{forged[2]}",
        f"{head}.{unpadded(b'{}')}.{value}",
        f"{head}..{value}",
    ):
        outcome = None
        with pytest.raises((ValidationError, AssertionError)):
            outcome = region.accepted("notice.receive", "s1", **(data | {"receipt": wrong}))
        assert outcome is None
    assert not [event for event in region.events if isinstance(event, NoticeReceived)]
    received(region, **data)


@pytest.mark.clause("2.2b", refused=True)
def test_a_department_may_have_to_sign(region: Region) -> None:
    register(region, KEY, "s1")
    first, other = region.granted("1")[:2]
    second = region.granted("2")[0]
    demand(region, "2026-06-02", department="s1")
    received(region, notice=first, received_at=AT)
    region.later(1)
    region.refused("receipt.unsigned", "notice.receive", "s1", notice=second, received_at=AT)
    region.accepted("notice.receive", "s2", notice=other, received_at=AT)
    received(region, **given(region, second))
    strike(region, KEY, "2026-06-02")


@pytest.mark.clause("2.2b")
def test_the_whole_submission_may_be_signed_too(region: Region) -> None:
    register(region, KEY, "s1")
    demand(region, type="notice.receive")
    notice = region.granted()[0]
    event = received(region, jws_by=KEY, **given(region, notice))
    assert event.meta.signed is not None
    assert event.receipt is not None

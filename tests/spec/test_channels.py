"""By which channels a department is told (2.2h): its entry says, and what could not work is not let in."""

from __future__ import annotations

from typing import Any

import pytest

from domain.channels import Channel, carried, turns, turns_after
from domain.departments import DepartmentRegistered
from tests.unit.spec import Region

ENTRY = {"code": "s1", "name": "监管一局", "roles": ["SUPERVISION"], "region": "150100", "valid_from": "2024-01-01"}
ADDRESS = "https://gov.example/notices"


@pytest.mark.clause("2.2h")
def test_an_order_of_channels_is_data(region: Region) -> None:
    entry = {**ENTRY, "channels": ["https", "sms", "letter"], "endpoint": ADDRESS}
    registered = region.accepted("department.register", "sgb", entry=entry)[0]
    assert isinstance(registered, DepartmentRegistered)
    assert registered.entry.channels == ("https", "sms", "letter")
    entry["endpoint"] = "http://127.0.0.1:8080/notices"  # for who tries it out
    region.accepted("department.register", "sgb", entry=entry)


@pytest.mark.clause("2.2h", refused=True)
@pytest.mark.parametrize(
    ("field", "rule", "more"),
    [
        ("entry.endpoint", "endpoint.https", {"endpoint": "http://gov.example/notices"}),
        ("entry.endpoint", "endpoint.https", {"endpoint": "http://127.0.0.1.gov.example/notices"}),
        ("entry.endpoint", "endpoint.https", {"endpoint": "ftp://gov.example/"}),
        ("entry.endpoint", "endpoint.shape", {"endpoint": "https://user:pass@gov.example/"}),
        ("entry.endpoint", "endpoint.shape", {"endpoint": "https://gov.example/#part"}),
        ("entry.endpoint", "endpoint.shape", {"endpoint": "https://gov.example/a b"}),
        ("entry.endpoint", "endpoint.shape", {"endpoint": "https:///notices"}),
        ("entry.endpoint", "endpoint.missing", {"channels": ["https"]}),
        ("entry.channels", "channels.repeated", {"channels": ["kafka", "sms", "kafka"]}),
        ("entry.channels", "channels.carrier", {"channels": ["sms"]}),
    ],
)
def test_an_order_by_which_no_notice_could_travel_is_refused(
    region: Region, field: str, rule: str, more: dict[str, Any]
) -> None:
    region.dead(field, rule, "department.register", "sgb", entry={**ENTRY, **more})


@pytest.mark.clause("2.2h", refused=True)
def test_only_the_reform_office_says_where_a_department_is_pushed_to(region: Region) -> None:
    entry = {**ENTRY, "channels": ["https"], "endpoint": ADDRESS}
    region.refused("mandate.role", "department.register", "s1", entry=entry)


@pytest.mark.parametrize(
    ("order", "given_up", "now"),
    [
        (["kafka"], [], ["kafka"]),
        (["https", "kafka"], [], ["https"]),
        (["https", "kafka"], ["https"], ["kafka"]),
        (["sms", "https", "letter"], [], ["sms", "https"]),
        (["https", "sms", "letter"], ["https"], ["sms", "letter"]),
        (["https", "sms", "letter"], ["https", "sms"], ["letter"]),
        (["https", "sms"], ["https"], ["sms"]),
        (["kafka"], ["https"], ["kafka"]),
    ],
)
def test_a_text_message_goes_along_with_the_channel_behind_it(
    order: list[Channel], given_up: list[str], now: list[Channel]
) -> None:
    assert turns(order, given_up) == tuple(now)
    assert carried(turns(order, given_up)) == (now != ["sms"])


@pytest.mark.parametrize(
    ("channel", "order", "given_up", "after"),
    [
        ("https", ["https", "kafka", "letter"], [], ["kafka"]),
        ("kafka", ["https", "kafka", "letter"], ["https"], ["letter"]),
        ("kafka", ["https", "kafka"], ["https"], []),
        ("https", ["kafka"], ["kafka"], ["kafka"]),
        ("kafka", ["letter"], [], ["letter"]),
        ("kafka", ["https", "sms", "letter"], ["https", "sms"], ["https"]),
        ("sms", ["sms", "kafka"], [], []),
    ],
)
def test_what_comes_after_a_channel_that_is_given_up(
    channel: Channel, order: list[Channel], given_up: list[str], after: list[Channel]
) -> None:
    """By an order that names the channel what was given up before stays so; by another nothing does."""
    assert turns_after(channel, order, given_up) == tuple(after)

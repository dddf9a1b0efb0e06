"""The channels 渠道 by which a department is told, in its own order, and where its server is (2.2h)."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, StringConstraints

from domain.rules import BadField

Channel = Literal["kafka", "https", "sms", "letter"]
"""消息队列, 网络推送, 短信, 公函."""
CARRIERS: frozenset[Channel] = frozenset({"kafka", "https", "letter"})
"""What brings the notice itself. A 短信 only says that there is one, so that it never takes the place of another."""
GivenUpWhy = Literal[
    "exhausted", "not_accepted", "gone", "unregistered", "no_liaison", "number_refused", "needless"
]  # fmt: skip
"""It failed too often; the receiver will not have this notice, or has no such address any more; there is no address on
record, or no liaison officer; every telephone number was refused; it was received before."""
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_VISIBLE = re.compile(r"[!-~]+")


def _endpoint(url: str) -> str:
    """Secrets have no place in the log: neither names nor passwords may stand in an address."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or not _VISIBLE.fullmatch(url) or parts.fragment or parts.username is not None:
        raise BadField("", "endpoint.shape", "须为完整的网址，不含用户名、口令与 #")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        raise BadField("", "endpoint.https", "推送地址须以 https:// 开头")
    return url


Endpoint = Annotated[str, StringConstraints(max_length=500), AfterValidator(_endpoint)]


def check_channels(channels: Sequence[Channel], endpoint: str | None) -> None:
    """Raises BadField for an order by which a notice could not travel."""
    if len(set(channels)) < len(channels):
        raise BadField("channels", "channels.repeated", "每个渠道只能列一次")
    if not carried(channels):
        raise BadField("channels", "channels.carrier", "短信不承载告知内容，须另有消息队列、网络推送或公函")
    if "https" in channels and endpoint is None:
        raise BadField("endpoint", "endpoint.missing", "采用网络推送须登记推送地址")


def turns(channels: Sequence[Channel], given_up: Collection[str] = ()) -> tuple[Channel, ...]:
    """Which channels a notice goes by now: in the department's order the first that carries it, and what comes before;
    without those that were given up for this notice."""
    found: list[Channel] = []
    for channel in channels:
        if channel not in given_up:
            found.append(channel)
            if channel in CARRIERS:
                break
    return tuple(found)


def turns_after(channel: Channel, channels: Sequence[Channel], given_up: Collection[str]) -> tuple[Channel, ...]:
    """Those that come when a channel is given up as well. Where it is not in the department's order any more, nothing
    that was given up under another order counts. A 短信 has nobody behind it."""
    if channel not in CARRIERS:
        return ()
    return turns(channels, {*given_up, channel} if channel in channels else {channel})


def carried(channels: Collection[Channel]) -> bool:
    """Whether one of them carries the notice itself."""
    return not CARRIERS.isdisjoint(channels)

"""The rates that leaders look at (2.2k), each a part of a whole; docs/reference/statistics.md says it in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from projections.daily import COUNTERS


class Rate(NamedTuple):
    """`part` and `whole` are counters; of nothing there is no rate, neither 0 nor 100 %."""

    key: str
    zh: str
    en: str
    part: str
    whole: str

    def of(self, counts: Mapping[str, int]) -> float | None:
        whole = counts[self.whole]
        return counts[self.part] / whole if whole else None


DISPATCHED = Rate("dispatch_rate", "推送及时率", "timely dispatch rate", "dispatched_in_time", "dispatch_due")
RECEIVED = Rate("receipt_rate", "签收率", "receipt rate", "received", "owed")
IN_TIME = Rate("timely_receipt_rate", "按时签收率", "timely receipt rate", "received_in_time", "due")
RETURNED = Rate("return_rate", "退回率", "return rate", "returned", "owed")
FEEDBACK = Rate("feedback_rate", "反馈率", "feedback rate", "cases_with_feedback", "cases_told")
ANSWERED = Rate("timely_feedback_rate", "及时反馈率", "timely feedback rate", "answered_in_time", "answer_due")
DISPOSED = Rate("disposition_rate", "处理率", "disposition rate", "feedback_disposed", "feedback_raised")
RATES = (DISPATCHED, RECEIVED, IN_TIME, RETURNED, FEEDBACK, ANSWERED, DISPOSED)


def mean_receipt_days(counts: Mapping[str, int]) -> float | None:
    """Working days from owed to received, of the receipts for which the calendar is known."""
    return counts["receipt_days"] / counts["receipts_dated"] if counts["receipts_dated"] else None


def totalled(counts: Mapping[str, int]) -> dict[str, int]:
    """With what follows from the counters: `outstanding`; `overdue`, fell due and not received in time, whoever holds
    it now; `overdue_outstanding`, of those the ones that still lie unreceived where they fell due."""
    outstanding = counts["owed"] - counts["received"] - counts["deemed"] - counts["moved"]
    overdue = counts["due"] - counts["received_in_time"]
    return {
        **counts,
        "outstanding": outstanding,
        "overdue": overdue,
        "overdue_outstanding": overdue - counts["late_ended"],
    }


def summed(parts: list[Mapping[str, int]]) -> dict[str, int]:
    """Counters add up, over departments, matters and days alike."""
    return {name: sum(part[name] for part in parts) for name in COUNTERS}

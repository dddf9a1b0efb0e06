"""All read models."""

from projections.approvals import Approvals
from projections.attempts import Attempts
from projections.clocks import Clocks
from projections.daily import DailyCounters
from projections.feedback import Feedback
from projections.inspections import Inspections
from projections.projection import Projection
from projections.ratings import Ratings
from projections.receipts import Receipts
from projections.region import Region
from projections.risks import Risks
from projections.two_way import TwoWay

PROJECTIONS: tuple[Projection, ...] = (
    Approvals(), Attempts(), Clocks(), DailyCounters(), Feedback(), Inspections(), Ratings(), Receipts(), Risks(),
    TwoWay(),
)  # fmt: skip
"""Of the store's own log."""
REGION = Region(store="")
"""Of the logs of all stores of a region: the tables are everywhere, the rows in the region's store."""

"""All read models."""

from projections.approvals import Approvals
from projections.attempts import Attempts
from projections.projection import Projection
from projections.receipts import Receipts
from projections.two_way import TwoWay

PROJECTIONS: tuple[Projection, ...] = (Approvals(), Attempts(), Receipts(), TwoWay())
